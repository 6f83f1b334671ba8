// Nothing is stored yet: how to send the first event.

import { useEffect, useState } from "preact/hooks";

import { askGroups } from "../ask.ts";
import { Snippet } from "../parts/snippet.tsx";

const POLL_MS = 2000;

/** Nothing is stored: how to get the first event in. */
export function Onboarding() {
  const [since] = useState(() => Date.now());
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
      askGroups();
    }, POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const origin = new URL(document.baseURI).href.replace(/\/$/, "");
  return (
    <div class="state onboarding" data-testid="onboarding">
      <h2>There is nothing here yet</h2>
      <p>Send a first line; it shows up here by itself.</p>
      <h3>From any shell</h3>
      <Snippet label="send a line with curl" text={`curl -sS '${origin}/api/v1/ingest?group=hello&format=text' --data-binary 'hello from ${location.hostname}'`} />
      <h3>Files and directories, followed as they grow</h3>
      <Snippet label="follow files" text="catat up /var/log" />
      <Snippet label="ship files from another machine" text={`catat ship --url ${origin} /var/log`} />
      <h3>The output of a command</h3>
      <Snippet label="send the output of a command" text={`journalctl -f -o json | catat send --url ${origin} --group journal`} />
      <p class="dim waiting" role="status"><span class="pulse" aria-hidden="true" /> Waiting for the first event… {now - since >= 4000 ? `${Math.round((now - since) / 1000)} s` : ""}</p>
    </div>
  );
}

// What is said while an answer is on its way, and of one that is not whole.

import type { Signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { cancel, progress, rows, type Lane } from "../ask.ts";
import type { Notice } from "../api.ts";
import { bytes, compact, count, milliseconds, sentence } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { plural, t, told } from "../texts.ts";

/** Before this nobody has waited. */
const SOON_MS = 400;

/** A thin bar while rows are on their way; after a moment also how far the server is, and a way to stop it. */
export function Waiting() {
  const lane = rows.value;
  const [now, setNow] = useState(0);
  const busy = lane.state === "loading";
  useEffect(() => {
    if (!busy) return;
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, [busy, lane.since]);
  if (!busy) return null;
  const elapsed = now - lane.since;
  const {
    events_scanned: events = 0,
    bytes_read: read = 0,
    segments_done: done = 0,
    segments_total: total = 0,
  } = progress.value ?? {};
  const parts = [milliseconds(Math.max(0, elapsed))];
  if (read > 0) parts.push(t("{bytes} read", { bytes: bytes(read) }));
  if (events > 0) parts.push(plural(events, "{n} event scanned", "{n} events scanned", compact(events)));
  if (total > 1) parts.push(t("{done} of {total} segments", { done: count(done), total: count(total) }));
  return (
    <div class="waiting-bar" data-testid="loading">
      <span class={`progress${total > 1 ? " known" : ""}`} aria-hidden="true">
        <i style={{ width: `${(100 * done) / Math.max(total, 1)}%` }} />
      </span>
      {elapsed > SOON_MS && (
        <span class="waiting-text">
          <span role="status">{t("Searching…")}</span> <span data-testid="progress">{parts.join(" · ")}</span>{" "}
          <Button label={t("Cancel")} data-testid="cancel" onClick={() => cancel(rows)} />
        </span>
      )}
    </div>
  );
}

/** Says that a lane has no answer, or none to the present question, and asks again where somebody wants it. */
export function Failure({ what, onAgain }: { what: string; onAgain: () => void }) {
  return (
    <p class="note error" role="alert">
      {what} <Button label={t("Try again")} onClick={onAgain} />
    </p>
  );
}

/** Says that an answer is not whole, and why. */
export function Incomplete({ what, reasons }: { what: string; reasons: readonly Notice[] }) {
  return (
    <div class="partial" role="alert" data-testid="partial">
      <b>{what}</b>
      {reasons.slice(0, 3).map((reason, at) => (
        <span key={at}> {sentence(told(reason.code, reason.message))}</span>
      ))}
      {reasons.length > 3 && (
        <span
          title={reasons
            .slice(3)
            .map((reason) => told(reason.code, reason.message))
            .join("\n")}
        >
          {" "}
          {plural(reasons.length - 3, "And {n} more reason.", "And {n} more reasons.", count(reasons.length - 3))}
        </span>
      )}
    </div>
  );
}

/** A thin bar while an answer is on its way; after a moment what is done, `said` with the time it takes, and a way to stop it. */
export function Wait<T>({
  lane,
  said,
  testId,
}: {
  lane: Signal<Lane<T>>;
  said: (time: string) => string;
  testId: string;
}) {
  const { state, since } = lane.value;
  const [now, setNow] = useState(0);
  const isBusy = state === "loading";
  useEffect(() => {
    if (!isBusy) return;
    const timer = setInterval(() => setNow(performance.now()), 200);
    return () => clearInterval(timer);
  }, [isBusy, since]);
  if (!isBusy) return null;
  const elapsed = now - since;
  return (
    <div class="waiting-bar" data-testid={testId}>
      <span class="progress" aria-hidden="true" />
      {elapsed > SOON_MS && (
        <span class="waiting-text" role="status">
          {said(milliseconds(elapsed))} <Button label={t("Cancel")} data-testid="cancel" onClick={() => cancel(lane)} />
        </span>
      )}
    </div>
  );
}

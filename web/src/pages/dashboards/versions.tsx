// Earlier versions of a dashboard; one of them becomes the next.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { askBoard, askVersions, type Version } from "../../api/dashboards.ts";
import { start, type Lane } from "../../ask.ts";
import { oneLine } from "../../format.ts";
import { told, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { t } from "../../texts.ts";
import { fullText } from "../../time.ts";
import { view } from "../../view.ts";
import { board, change, discard, save } from "./state.ts";

/** The list. */
export function Versions({ name, onDone }: { name: string; onDone: () => void }) {
  const lane = useSignal<Lane<Version[]>>({ state: "loading", data: null, error: null, since: 0 });
  useEffect(() => {
    void start(lane, (signal) => askVersions(name, signal));
  }, [name]);
  const restore = async ({ version }: Version) => {
    try {
      const old = await askBoard(name, undefined, { version });
      discard();
      change(() => old.text);
      await save();
      onDone();
      tell(t("Version {n} restored as the newest", { n: version }));
    } catch (error) {
      tell(told(error));
    }
  };
  const { data, error, state } = lane.value;
  const kept = board.value.data;
  return (
    <div class="key-form" data-testid="board-versions">
      <h2>{t("Earlier versions")}</h2>
      {state === "error" && <Wrong text={error?.message} />}
      {data === null && state === "loading" && <p role="status">{t("Loading…")}</p>}
      {data?.length === 0 && <p class="dim">{t("No earlier versions.")}</p>}
      <ul class="short-list">
        {(data ?? []).map((one) => (
          <li key={one.version}>
            <b class="number">{one.version}</b> <span>{fullText(Date.parse(one.changed), view.value.zone)}</span>{" "}
            <span class="dim">{one.by === "" ? "" : t("by {name}", { name: oneLine(one.by, 40) })}</span>{" "}
            {one.version === kept?.version ? (
              <span class="badge">{t("now")}</span>
            ) : (
              kept?.own && <Button label={t("Restore")} onClick={() => void restore(one)} />
            )}
          </li>
        ))}
      </ul>
      <p class="buttons">
        <Button class="button" label={t("Close")} onClick={onDone} />
      </p>
    </div>
  );
}

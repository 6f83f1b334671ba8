// What the menu of sharing holds: links, commands, everything as a file, and the views that are kept.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { ApiError } from "../api.ts";
import { bytes, count } from "../format.ts";
import { copyLink } from "../keys.ts";
import { Button } from "../parts/button.tsx";
import { copy, layer, tell } from "../parts/layers.tsx";
import { adopt } from "../parts/style.ts";
import rules from "../style/keep.css?inline";
import { plural, t, text } from "../texts.ts";
import { zoneText } from "../time.ts";
import { address, askedAt, go, view } from "../view.ts";
import { NotRun } from "./not_run.tsx";
import {
  asCommand,
  asCurl,
  canHaveAllFields,
  fetchFile,
  fileAddress,
  FORMATS,
  hasAllFields,
  HELD_BYTES_MAX,
  isPlainLink,
  saveByLink,
  sizeOf,
  type Format,
  withAllFields,
} from "./export.ts";

adopt(rules);

const NAMES: Record<Format, string> = { csv: "CSV", tsv: "TSV", ndjson: "NDJSON", text: text("Text") };

function then(action: () => void): () => void {
  return () => {
    layer.value = "";
    action();
  };
}

/** A key's download under way, which goes on when the menu is closed. */
const fetching = { controller: null as AbortController | null };

/** Why there is no file. */
function reason(error: unknown): string {
  if (error instanceof RangeError)
    return t("it is larger than {bytes}, the most that the page can hold", { bytes: bytes(HELD_BYTES_MAX) });
  return error instanceof ApiError ? error.clause : t("the download was interrupted");
}

function Size({ format }: { format: Format }) {
  const size = sizeOf();
  if (!size)
    return (
      <p class="dim" data-testid="export-size">
        {t("All rows, not only those shown. Their number is not known in advance.")}
      </p>
    );
  if (withAllFields(view.value, format))
    return (
      <p class="dim" data-testid="export-size">
        {plural(size.rows, "{n} row", "{n} rows", count(size.rows))}
      </p>
    );
  const about = bytes(size.bytes);
  return (
    <p class="dim" data-testid="export-size">
      {plural(
        size.rows,
        "{n} row, about {bytes} before compression",
        "{n} rows, about {bytes} before compression",
        count(size.rows),
        { bytes: about },
      )}
    </p>
  );
}

/** The choice between all fields and those that the list shows. */
function AllFields() {
  if (!canHaveAllFields(view.value)) return null;
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={hasAllFields.value}
        onChange={(event) => (hasAllFields.value = event.currentTarget.checked)}
        data-testid="all-fields"
      />
      {t("all fields, not only the columns shown")}
    </label>
  );
}

function SaveAll() {
  const format = useSignal<Format>("csv");
  const gzip = useSignal(false);
  const held = useSignal<number | null>(null);
  const failed = useSignal("");
  const link = fileAddress(format.value, gzip.value);
  const saveLink = async (event: MouseEvent) => {
    // Whoever wants the address itself, or another tab, has it from the browser.
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    failed.value = "";
    try {
      await saveByLink(link);
      layer.value = "";
      tell(t("The browser saves the file"));
    } catch (error) {
      failed.value = reason(error);
    }
  };
  const save = async () => {
    const controller = new AbortController();
    fetching.controller = controller;
    held.value = 0;
    failed.value = "";
    try {
      await fetchFile(format.value, gzip.value, controller.signal, (n) => (held.value = n));
      tell(t("File saved"));
    } catch (error) {
      const isOurs = error instanceof DOMException && error.name === "AbortError";
      if (!isOurs) failed.value = reason(error);
    }
    held.value = null;
    fetching.controller = null;
  };
  return (
    <div class="save-all" data-testid="save-all">
      <div class="choices" role="group" aria-label={t("Kind of file")}>
        {FORMATS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={format.value === one}
            data-testid={`format-${one}`}
            onClick={() => (format.value = one)}
          >
            {t(NAMES[one])}
          </button>
        ))}
      </div>
      <label class="choice">
        <input
          type="checkbox"
          checked={gzip.value}
          onChange={(event) => (gzip.value = event.currentTarget.checked)}
          data-testid="gzip"
        />
        {t("compressed (gzip)")}
      </label>
      {format.value !== "text" && <AllFields />}
      {held.value !== null ? (
        <button type="button" class="button" onClick={() => fetching.controller?.abort()} data-testid="export-cancel">
          {t("Stop at {bytes}", { bytes: bytes(held.value) })}
        </button>
      ) : isPlainLink(link) ? (
        <a
          class="button primary"
          href={link}
          download=""
          data-testid="export"
          onClick={(event) => void saveLink(event)}
        >
          {t("Save all")}
        </a>
      ) : (
        <Button class="button primary" label={t("Save all")} data-testid="export" onClick={() => void save()} />
      )}
      {failed.value !== "" && (
        <p class="note error" role="alert" data-testid="export-failed">
          {t("No file was saved: {reason}.", { reason: failed.value })}{" "}
          {t("Try again, or copy a command and run it in a shell.")}
        </p>
      )}
      <Size format={format.value} />
      <div class="commands">
        <button
          type="button"
          class="link"
          data-testid="copy-command"
          onClick={then(() => void copy(asCommand(format.peek()), t("Command")))}
        >
          {t("Copy as catat query")}
        </button>
        <button
          type="button"
          class="link"
          data-testid="copy-curl"
          onClick={then(() => void copy(asCurl(format.peek(), gzip.peek()), t("Command")))}
        >
          {t("Copy as curl")}
        </button>
      </div>
      <p class="dim">
        {t("Times in the file are as shown: {zone}", { zone: zoneText(askedAt.value, view.value.zone) })}
      </p>
    </div>
  );
}

/** The menu. */
export function ShareMenu() {
  const { language } = view.value;
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const asIs = () => void copy(new URL(address(view.peek()), location.href).href, t("Link"));
  return (
    <div class="share-menu">
      <NotRun />
      <h3>{t("Link")}</h3>
      <ul class="actions-list">
        <li>
          <button ref={first} type="button" data-testid="copy-link" onClick={then(copyLink)}>
            {t("Copy link")} <span class="dim">{t("with fixed times")}</span>
          </button>
        </li>
        <li>
          <button type="button" onClick={then(asIs)}>
            {t("Copy link")} <span class="dim">{t("with relative times")}</span>
          </button>
        </li>
      </ul>
      <h3>{t("Views")}</h3>
      <ul class="actions-list">
        <li>
          <button type="button" data-testid="save-view" onClick={() => (layer.value = "save-view")}>
            {t("Save this view…")} <kbd>s</kbd>
          </button>
        </li>
        <li>
          <button type="button" data-testid="open-views" onClick={() => (layer.value = "views")}>
            {t("Saved views…")} <kbd>v</kbd>
          </button>
        </li>
        <li>
          <button type="button" data-testid="add-to-dashboard" onClick={() => (layer.value = "add-panel")}>
            {t("Add to a dashboard…")} <kbd>b</kbd>
          </button>
        </li>
        {(language === "insights" || language === "promql") && (
          <li>
            <button
              type="button"
              data-testid="make-rule"
              onClick={then(() => go({ page: "alerts", tab: "rule", open: "" }))}
            >
              {t("Alert on this…")}
            </button>
          </li>
        )}
      </ul>
      <h3>{t("Everything as a file")}</h3>
      <SaveAll />
    </div>
  );
}

// Everything that a question finds as a file, and the commands that get the same. The browser saves a plain link by
// itself; where a key has to be sent along, the answer goes as a stream into a file.

import { signal } from "@preact/signals";

import * as api from "../api.ts";
import { counts, isCut, rows } from "../ask.ts";
import { stepsOf } from "../metrics/range.ts";
import { ROW_FIELDS, withRowFields } from "../query/edit.ts";
import { commands, keepsEvents } from "../query/lex.ts";
import { who } from "../session.ts";
import { askedAt, frozen, rangeMs, view, type View } from "../view.ts";

/** Kinds of files, as the server calls them. */
export const FORMATS = ["csv", "tsv", "ndjson", "text"] as const;

/** A kind of file. */
export type Format = (typeof FORMATS)[number];

/** Most bytes of a file that the page holds itself, where the browser gives it no file to write into. */
export const HELD_BYTES_MAX = 256e6;
/** Longest address that every server and proxy on the way takes. */
const ADDRESS_CHARS_MAX = 7000;
const SAMPLE = 100;
/** What a file has of every event: what the list shows. */
const FILE_FIELDS = ROW_FIELDS.filter((name) => name !== "@id");

/** Whether a file has all fields of the events, or only what the list shows. */
export const hasAllFields = signal(true);

/** Whether a file can have all fields: not where the query says which it shows, or shows no events. */
export function canHaveAllFields(of: View): boolean {
  const isChosen = commands(of.query).some(({ name }) => name === "fields" || name === "display");
  return of.language === "insights" && !isChosen && keepsEvents(of.query);
}

/** Whether a file of this kind has all fields. */
export const withAllFields = (of: View, format?: Format): boolean =>
  hasAllFields.value && format !== undefined && format !== "text" && canHaveAllFields(of);

/** The question as a file answers it, with the columns that the list shows. */
function asked(of: View): string {
  if (of.language !== "insights") return of.query;
  return (keepsEvents(of.query) ? withRowFields(of.query, of.columns, FILE_FIELDS) : null) ?? of.query;
}

/** Whether the answer is series with the steps of the chart. */
const hasSteps = ({ language }: View) => language === "promql" || language === "traceql";

/** The parameters of a query for series: its range with the steps of the chart. */
function seriesParameters(of: View): [string, string][] {
  const { from, to, step } = stepsOf(rangeMs(of, askedAt.peek()));
  return [
    ["query", of.query],
    ["language", of.language],
    ["from", new Date(from).toISOString()],
    ["to", new Date(to).toISOString()],
    ["step", `${step / 1000}s`],
    ["time_zone", api.timeZone(of.zone)],
  ];
}

function parameters(of: View, format?: Format): [string, string][] {
  if (hasSteps(of)) return seriesParameters(of);
  const named: [string, string][] = [
    ["query", asked(of)],
    ...(of.language === "insights" ? [] : [["language", of.language] as [string, string]]),
    ["from", of.from],
  ];
  if (of.to !== "now") named.push(["to", of.to]);
  if (of.groups.length > 0) named.push(["groups", of.groups.join(",")]);
  if (withAllFields(of, format)) named.push(["all_fields", "true"]);
  return [...named, ["time_zone", api.timeZone(of.zone)]];
}

/** The address of a file, under the page's base. */
export function fileAddress(format: Format, gzip: boolean): string {
  const params = new URLSearchParams([
    ...parameters(frozen(view.peek()), format),
    ["format", format],
    ...(gzip ? [["gzip", "true"]] : []),
  ]);
  return new URL(`api/v1/query?${params}`, document.baseURI).href;
}

/** How many rows a file will have and about how many bytes, as far as it is known before. */
export function sizeOf(): { rows: number; isExact: boolean; bytes: number } | null {
  const data = rows.value.data;
  if (!data || view.value.language !== "insights") return null;
  if (data.kind === "table")
    return {
      rows: data.table.length,
      isExact: !data.more,
      bytes:
        (JSON.stringify(data.table.slice(0, SAMPLE)).length / Math.max(1, Math.min(SAMPLE, data.table.length))) *
        data.table.length,
    };
  const sample = data.events.slice(0, SAMPLE);
  const each =
    sample.reduce(
      (sum, one) =>
        sum +
        one.time.length +
        one.group.length +
        one.stream.length +
        one.message.length +
        24 +
        JSON.stringify(one.cells).length,
      0,
    ) / Math.max(1, sample.length);
  const counted = counts.value.data;
  const isWhole = !data.more;
  if (!isWhole && (isCut(data.query) || !counted)) return null;
  const n = isWhole ? data.events.length : (counted?.buckets ?? []).reduce((sum, one) => sum + one.total, 0);
  return { rows: n, isExact: isWhole, bytes: n * each };
}

/** A text as one word of a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Whether the server wants to know who asks. */
function needsKey(): boolean {
  const now = who.peek();
  return api.storedKey() !== "" || (now !== null && now !== undefined && now.name !== "anonymous");
}

/** The same for the command line. */
export function asCommand(format?: Format): string {
  const of = frozen(view.peek());
  const groups = of.groups.map((name) => ` --group ${quoted(name)}`).join("");
  const to = of.to === "now" ? "" : ` --to ${quoted(of.to)}`;
  const fields = withAllFields(of, format) ? " --all-fields" : "";
  const output = format === undefined ? "" : `${fields} -o ${format === "text" ? "lines" : format}`;
  const url = document.baseURI.replace(/\/$/, "");
  const language = of.language === "insights" ? "" : ` --language ${of.language}`;
  if (hasSteps(of)) {
    const { from, to, step } = stepsOf(rangeMs(of, askedAt.peek()));
    const range = `--from ${new Date(from).toISOString()} --to ${new Date(to).toISOString()} --step ${step / 1000}s`;
    return `catat query --url ${quoted(url)}${language} ${range}${output} ${quoted(of.query)}`;
  }
  return `catat query --url ${quoted(url)}${language} --tz ${quoted(api.timeZone(of.zone))} --from ${quoted(of.from)}${to}${groups}${output} ${quoted(asked(of))}`;
}

/** The same for curl; who needs a key puts it into `CATAT_KEY`. */
export function asCurl(format: Format, gzip: boolean): string {
  const of = frozen(view.peek());
  const named = [...parameters(of, format), ["format", format], ...(gzip ? [["gzip", "true"]] : [])] as [
    string,
    string,
  ][];
  const key = needsKey() ? ' -H "Authorization: Bearer $CATAT_KEY"' : "";
  const url = new URL("api/v1/query", document.baseURI).href;
  return `curl -sSfGOJ ${quoted(url)}${key}${named.map(([name, value]) => ` --data-urlencode ${quoted(`${name}=${value}`)}`).join("")}`;
}

/** Where a stream goes: a file that was chosen, or the page's memory up to a limit. */
interface Sink {
  write: (piece: Uint8Array<ArrayBuffer>) => Promise<void>;
  close: () => Promise<void>;
  abort: () => Promise<void>;
}

interface Picker {
  showSaveFilePicker?: (options: {
    suggestedName: string;
  }) => Promise<{ createWritable: () => Promise<WritableStream<Uint8Array> & Sink> }>;
}

function inMemory(name: string): Sink {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let held = 0;
  return {
    write: async (piece) => {
      held += piece.byteLength;
      if (held > HELD_BYTES_MAX) throw new RangeError("too large");
      pieces.push(piece);
    },
    close: async () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(pieces));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    },
    abort: async () => undefined,
  };
}

/** Whether the browser can save the file by itself: it sends cookies, and no keys. */
export function isPlainLink(address: string): boolean {
  return api.storedKey() === "" && address.length <= ADDRESS_CHARS_MAX;
}

/** Hands a file over to the browser, which tells nobody here why it could not be had: so the server is asked first. */
export async function saveByLink(link: string): Promise<void> {
  const asks = new AbortController();
  await api.request(link, { signal: asks.signal });
  asks.abort();
  const anchor = document.createElement("a");
  anchor.href = link;
  anchor.download = "";
  anchor.click();
}

/** Fetches a file as a stream; `onBytes` is told how much there is. */
export async function fetchFile(
  format: Format,
  gzip: boolean,
  signal: AbortSignal,
  onBytes: (n: number) => void,
): Promise<void> {
  const name = `catat.${format === "text" ? "txt" : format}${gzip ? ".gz" : ""}`;
  const pick = (globalThis as Picker).showSaveFilePicker;
  // The browser asks for a place only as long as the click is fresh, so before anything is fetched.
  const sink: Sink = pick ? await (await pick({ suggestedName: name })).createWritable() : inMemory(name);
  try {
    const response = await api.request(fileAddress(format, gzip), { signal });
    const reader = response.body?.getReader();
    let held = 0;
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
      await sink.write(piece.value);
      onBytes((held += piece.value.byteLength));
    }
    await sink.close();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

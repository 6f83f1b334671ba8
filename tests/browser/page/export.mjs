// Everything that a question finds as a file, however much it is.

import assert from "node:assert/strict";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { createGunzip } from "node:zlib";

import { settled } from "./harness.mjs";

const ROWS = Number(process.env.CATAT_EXPORT_ROWS ?? 1_000_000);
const BATCH = 50_000;
const HOUR = 3_600_000;
const NAME = /^catat-\d{8}T\d{6}\+0700-\d{8}T\d{6}\+0700\.\w+(\.gz)?$/;

/** Sends the rows, of which each has a number of its own. */
export async function sendMany(own) {
  const begin = Date.now() - HOUR / 2;
  for (let first = 0; first < ROWS; first += BATCH) {
    const lines = Array.from({ length: Math.min(BATCH, ROWS - first) }, (_, n) => `{"@timestamp":"${new Date(begin + Math.floor((first + n) / 1000)).toISOString()}","message":"row ${String(first + n).padStart(7, "0")} ${"of a long story ".repeat(8)}","level":"info"}`);
    await own.api(`/api/v1/ingest?group=${own.prefix}/many&format=ndjson`, { method: "POST", body: lines.join("\n") });
  }
}

function memory(pid, name) {
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1000;
}

async function countLines(path, packed) {
  const stream = packed ? createReadStream(path).pipe(createGunzip()) : createReadStream(path);
  let [lines, bytes, first, last] = [0, 0, "", ""];
  for await (const piece of stream) {
    const text = piece.toString("latin1");
    bytes += piece.length;
    if (first === "") first = text.slice(0, 400);
    last = (last + text).slice(-400);
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
  }
  return { lines, bytes, first, last };
}

async function savesAll(own, pid, format, packed) {
  const page = await own.open(`/?groups=${own.prefix}/*`, { timezoneId: "Asia/Jakarta" });
  await settled(page);
  await page.getByTestId("share").click();
  await page.getByTestId(`format-${format}`).click();
  if (packed) await page.getByTestId("gzip").check();
  assert.match(await page.getByTestId("export-size").textContent(), new RegExp(`^${ROWS.toLocaleString("en")} rows, about \\d`));
  // From here on the most is counted anew.
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const before = memory(pid, "VmRSS");
  const waits = page.waitForEvent("download");
  await page.getByTestId("export").click();
  const download = await waits;
  assert.match(download.suggestedFilename(), NAME);
  const found = await countLines(await download.path(), packed);
  const taken = memory(pid, "VmHWM") - before;
  assert.equal(found.lines, ROWS + (format === "csv" ? 1 : 0));
  assert.match(found.first, /T\d\d:\d\d:\d\d(\.\d+)?\+07:00/);
  // A server that held the answer would take its size and more; blocks on their way are a matter of how fast the browser reads.
  assert.ok(taken < found.bytes * 0.7, `the server took ${Math.round(taken / 1e6)} MB for ${Math.round(found.bytes / 1e6)} MB`);
  assert.ok(await page.evaluate(() => (performance.memory?.usedJSHeapSize ?? 0) < 100e6), "the page does not hold the file");
}

export const exportChecks = (server) => [
  [`row 20, export: ${ROWS} rows are saved by the browser, with flat memory at the server`, (own) => savesAll(own, server.pid, "csv", false)],
  [`row 20, export: ${ROWS} rows are saved packed`, (own) => savesAll(own, server.pid, "ndjson", true)],
];

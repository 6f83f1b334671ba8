// fluent-logger, to a server of this program's own: messages one by one, packed and compressed, with acknowledgements and without.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fluent from "fluent-logger";

const EVENTS = 100;
const executable = process.env.CATAT_EXECUTABLE ?? fileURLToPath(new URL("../../target/debug/catat", import.meta.url));
const pause = () => new Promise((done) => setTimeout(done, 50));
const freePort = () => new Promise((done) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => done(port));
  });
});

const directory = mkdtempSync(join(tmpdir(), "catat-fluent-"));
const [http, port] = [await freePort(), await freePort()];
const url = `http://127.0.0.1:${http}`;
const server = spawn(executable, ["serve", "--data-dir", join(directory, "data"), "--listen", `127.0.0.1:${http}`], {
  env: { ...process.env, CATAT_FORWARD__TCP: `127.0.0.1:${port}` }, stdio: "ignore",
});
for (let tries = 0; tries < 600; tries += 1) {
  if (await fetch(`${url}/-/ready`).then((answer) => answer.ok, () => false)) break;
  await pause();
}

const rows = async (query) => {
  const answer = await fetch(`${url}/api/v1/query`, { method: "POST", body: JSON.stringify({ query, from: "now-1h", to: "now+1h" }) });
  return JSON.stringify((await answer.json()).rows);
};

let failed = 0;
for (const eventMode of ["Message", "PackedForward", "CompressedPackedForward"]) {
  for (const requireAckResponse of [false, true]) {
    const tag = `node.${eventMode}.${requireAckResponse}`;
    const client = fluent.createFluentSender(tag, { host: "127.0.0.1", port, eventMode, requireAckResponse, ackResponseTimeout: 10_000 });
    const errors = [];
    client.on("error", (error) => errors.push(error));
    const emit = (n) => new Promise((done) => client.emit("web", { message: `parcel ${n}`, level: "warn", n }, done));
    const sent = Promise.all(Array.from({ length: EVENTS }, (_, n) => emit(n)));
    errors.push(...(await sent).filter(Boolean));
    const expected = JSON.stringify([["warn", `${tag}.web`, EVENTS, EVENTS]]);
    const query = `filter @log = "forward/${tag}.web" | stats count(*), count_distinct(n) by @level, tag`;
    let found = await rows(query);
    // What is acknowledged is there at once.
    for (let tries = 0; tries < 100 && found !== expected && !requireAckResponse; tries += 1) {
      await pause();
      found = await rows(query);
    }
    const ok = found === expected && errors.length === 0;
    console.log(`${ok ? "ok" : "not ok"} - fluent-logger's ${eventMode} ${requireAckResponse ? "is stored when acknowledged" : "arrives"}`);
    if (!ok) {
      console.log(found, errors);
      failed += 1;
    }
    client.end();
  }
}
server.kill();
await new Promise((done) => server.on("exit", done));
rmSync(directory, { recursive: true });
console.log(`fluent.mjs: ${failed} failed`);
process.exit(failed ? 1 : 0);

// winston's transport for Loki, as programs use it: JSON and protobuf, in batches and one by one.
import winston from "winston";
import LokiTransport from "winston-loki";

const url = process.env.CATAT_URL ?? "http://127.0.0.1:22828";
const run = Math.random().toString(16).slice(2, 10);
let failed = 0;

async function rows(query) {
  const answer = await fetch(`${url}/api/v1/query`, { method: "POST", body: JSON.stringify({ query, from: "now-1h", to: "now+1h" }) });
  return JSON.stringify((await answer.json()).rows);
}

async function sends(json, batching) {
  const job = `winston-${run}-${json ? "json" : "protobuf"}-${batching ? "batch" : "single"}`;
  const errors = [];
  const onConnectionError = (error) => errors.push(error);
  const transport = new LokiTransport({
    host: url, json, batching, labels: { job, host: "h1" }, interval: 0.2, basicAuth: "any:KEY", gracefulShutdown: false, onConnectionError,
  });
  const logger = winston.createLogger({ level: "debug", transports: [transport] });
  for (let n = 0; n < 50; n += 1) logger.log(n % 10 ? "info" : "error", `order ${n}`, { labels: { shop: "a", try: n % 2 } });
  logger.debug("grüße");
  await transport.flush();
  const expected = '[["debug","h1",null,null,1],["error","h1","a","0",5],["info","h1","a","0",20],["info","h1","a","1",25]]';
  const query = `filter @log = "${job}" | stats count(*) as n by @level, host, shop, try | sort n, try`;
  let found;
  for (let tries = 0; tries < 100; tries += 1) {
    found = await rows(query);
    if (found === expected) break;
    await new Promise((done) => setTimeout(done, 50));
  }
  await transport.close();
  const ok = found === expected && errors.length === 0;
  console.log(`${ok ? "ok" : "not ok"} - winston-loki's lines arrive, ${json ? "JSON" : "protobuf"}, ${batching ? "in batches" : "one by one"}`);
  if (!ok) {
    console.log(found, errors);
    failed += 1;
  }
}

for (const json of [true, false]) {
  for (const batching of [true, false]) await sends(json, batching);
}
console.log(`loki.mjs: ${failed} failed`);
process.exit(failed ? 1 : 0);

// Sentry's SDK for Node, whose own address would hold the key: it sends through a tunnel.
import * as Sentry from "@sentry/node";
const url = process.env.CATAT_URL ?? "http://127.0.0.1:22828";
const project = Date.now();
let failed = 0;
const check = async (name, work) => {
  try { await work(); console.log(`ok - ${name}`); } catch (error) { failed += 1; console.log(`not ok - ${name}`, error); }
};
const equal = (found, expected) => {
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(expected)}`);
};
const rows = async (query) => {
  const asked = `filter @log = "sentry/${project}" | ${query}`;
  const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: asked, from: "now-1d", to: "now+1h" })}`);
  return (await answer.json()).rows;
};
Sentry.init({
  dsn: `${url.replace("://", "://11111111222222223333333344444444@")}/${project}`,
  tunnel: `${url}/api/${project}/envelope/`,
  transportOptions: { headers: { "X-Catat-Key": "any" } },
  enableLogs: true,
  serverName: "h1",
});
await check("structured logs arrive", async () => {
  for (let n = 0; n < 150; n += 1) Sentry.logger.warn(`order ${n}`, { n, shop: "eu" });
  await Sentry.flush(10_000);
  equal(await rows("filter shop = \"eu\" | stats count(*) as n, sum(n) as s by @level, host"), [["warn", "h1", 150, 11175]]);
});
await check("an error arrives with the place where it began", async () => {
  const pay = () => { throw new TypeError("no money"); };
  try { pay(); } catch (cause) { Sentry.captureException(new Error("checkout failed", { cause })); }
  await Sentry.flush(10_000);
  const found = await rows("filter exception.type = \"Error\" | fields @level, exception.message, exception.causes, code.function.name, code.file.path");
  equal(found.map((row) => [...row.slice(0, 4), row[4].endsWith("/sentry.mjs")]), [["error", "checkout failed", ["TypeError"], "pay", true]]);
});
process.exit(failed ? 1 : 0);

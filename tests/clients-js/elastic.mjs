// Elasticsearch's JavaScript client and pino's transport, as programs use them.
import { Client } from "@elastic/elasticsearch";
import pino from "pino";
import pinoElastic from "pino-elasticsearch";
const url = process.env.CATAT_URL ?? "http://127.0.0.1:22828";
const group = `clients-js-elastic-${Date.now()}`;
let failed = 0;
const check = async (name, work) => {
  try { await work(); console.log(`ok - ${name}`); } catch (error) { failed += 1; console.log(`not ok - ${name}`, error); }
};
const equal = (found, expected) => {
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(expected)}`);
};
const rows = async (query) => {
  const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query, groups: `${group}*`, from: "now-1d" })}`);
  return (await answer.json()).rows;
};
for (const node of [`${url}/elasticsearch`, url]) {
  const client = new Client({ node });
  const index = `${group}-${node.length}`;
  await check(`the client sends in bulk to ${node}`, async () => {
    equal((await client.info()).tagline, "You Know, for Search");
    const datasource = Array.from({ length: 500 }, (_, n) => ({ "@timestamp": new Date().toISOString(), message: `parcel ${n}`, n }));
    const sent = () => client.helpers.bulk({ datasource, flushBytes: 10_000, onDocument: (d) => ({ create: { _index: index, _id: `id-${d.n}` } }) });
    const first = await sent();
    equal([first.total, first.successful, first.failed], [500, 500, 0]);
    const second = await sent();
    equal([second.total, second.successful, second.failed], [500, 0, 500]);
    equal(await rows(`filter @log = "${index}" | stats count(*), sum(n)`), [[500, 124750]]);
  });
  await check(`the client sends single documents to ${node}`, async () => {
    equal((await client.index({ index, document: { message: "one" } })).result, "created");
    const again = await client.create({ index, id: "id-1", document: {} }).catch((error) => error);
    equal([again.statusCode, again.body.error.type], [409, "version_conflict_engine_exception"]);
    equal(await client.indices.exists({ index }), true);
  });
  await check(`the client searches ${node}`, async () => {
    const aggs = { steps: { histogram: { field: "n", interval: 100 }, aggs: { mean: { avg: { field: "n" } } } } };
    const found = await client.search({ index, query: { match_phrase: { message: "parcel 7" } }, aggs });
    equal([found.hits.total.value, found.hits.hits[0]._id, found.hits.hits[0]._source.n], [1, "id-7", 7]);
    equal(found.aggregations.steps.buckets.map((b) => [b.key, b.doc_count, b.mean.value]), [[0, 1, 7]]);
    const numbers = [];
    for await (const document of client.helpers.scrollDocuments({ index, size: 60, query: { exists: { field: "n" } } })) numbers.push(document.n);
    equal(numbers.sort((a, b) => a - b), Array.from({ length: 500 }, (_, n) => n));
    const { responses } = await client.msearch({ searches: [{ index }, { size: 0 }, { index }, { query: { nested: { path: "x" } } }] });
    equal([responses[0].hits.total.value, responses[1].status, responses[1].error.type], [501, 400, "parsing_exception"]);
    equal((await client.count({ index, q: "n:[0 TO 9]" })).count, 10);
  });
  await check(`pino-elasticsearch ships to ${node}`, async () => {
    const stream = pinoElastic({ node, index: `${index}-pino`, esVersion: 8, flushBytes: 1000, flushInterval: 100 });
    const errors = [];
    for (const kind of ["error", "insertError", "unknown"]) stream.on(kind, (error) => errors.push(error));
    const logger = pino({ level: "info" }, stream);
    for (let n = 0; n < 100; n += 1) logger[n % 10 ? "info" : "error"]({ n }, `parcel ${n}`);
    let found;
    for (let tries = 0; tries < 100; tries += 1) {
      found = await rows(`filter @log = "${index}-pino" | stats count(*) as n by @level | sort n`);
      if (found.length === 2 && found[0][1] + found[1][1] === 100) break;
      await new Promise((done) => setTimeout(done, 50));
    }
    equal(errors, []);
    equal(found, [["error", 10], ["info", 90]]);
  });
}
console.log(`elastic.mjs: ${failed} failed`);
process.exit(failed ? 1 : 0);

// Logs of OpenTelemetry's JavaScript SDK, sent by its exporters: JSON and protobuf, plain and packed.
import { SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter as JsonExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtobufExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";

const URL = process.env.CATAT_URL ?? "http://127.0.0.1:22828";
const run = Math.random().toString(16).slice(2, 10);
let failed = 0;

async function rows(query) {
  const answer = await fetch(`${URL}/api/v1/query`, {
    method: "POST",
    body: JSON.stringify({ query, from: "now-1h", to: "now+1h" }),
  });
  return JSON.stringify((await answer.json()).rows);
}

for (const [form, Exporter] of [["json", JsonExporter], ["protobuf", ProtobufExporter]]) {
  for (const compression of ["none", "gzip"]) {
    const service = `otlp-js-${run}-${form}-${compression}`;
    const exporter = new Exporter({ url: `${URL}/v1/logs`, compression });
    const resource = resourceFromAttributes({ "service.name": service, "host.name": "h1" });
    const processor = new BatchLogRecordProcessor({ exporter });
    // Older releases take the exporter itself.
    const provider = new LoggerProvider({ resource, processors: [processor.forceFlush ? processor : null] });
    const logger = provider.getLogger("shop.checkout", "1.2.3");
    for (let n = 0; n < 300; n++) {
      const bad = n % 10 === 0;
      logger.emit({
        severityNumber: bad ? SeverityNumber.ERROR : SeverityNumber.INFO,
        body: `order ${n}`,
        attributes: { "order.id": n, items: ["a", "b"], share: 0.5, paid: !bad, deep: { er: 1 } },
      });
    }
    logger.emit({ body: { path: "/p", took: { ms: 7 } } });
    await provider.forceFlush();
    await provider.shutdown();
    const found = await rows(
      `filter @log = "${service}" and paid | stats count(*) as n, sum(share) as s, sum(deep.er) as d by @level, ` +
        "@logStream, `scope.name`",
    );
    const objects = await rows(`filter @log = "${service}" and took.ms = 7 | stats count(*) as n by path`);
    const ok = found === '[["info","h1","shop.checkout",270,135,270]]' && objects === '[["/p",1]]';
    console.log(`${ok ? "ok" : "not ok"} - the ${form} exporter's records arrive, compression ${compression}`);
    if (!ok) {
      console.log(found, objects);
      failed += 1;
    }
  }
}
process.exit(failed ? 1 : 0);

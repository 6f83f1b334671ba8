// Spans of OpenTelemetry's JavaScript SDK, sent by its exporters: JSON and protobuf, plain and packed.
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

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
    const service = `spans-js-${run}-${form}-${compression}`;
    const processor = new BatchSpanProcessor(new Exporter({ url: `${URL}/v1/traces`, compression }));
    const resource = resourceFromAttributes({ "service.name": service, "host.name": "h1" });
    const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
    const tracer = provider.getTracer("shop.checkout", "1.2.3");
    for (let n = 0; n < 300; n++) {
      const above = tracer.startSpan("GET /cart", { kind: SpanKind.SERVER, attributes: { "http.response.status_code": 200 } });
      const below = tracer.startSpan("select", { kind: SpanKind.CLIENT }, trace.setSpan(context.active(), above));
      if (n % 10 === 0) {
        below.recordException(new Error(`no order ${n}`));
        below.setStatus({ code: SpanStatusCode.ERROR, message: "it broke" });
      }
      below.end();
      above.end();
    }
    await provider.forceFlush();
    await provider.shutdown();
    const found = await rows(
      `filter @log = "traces/${service}" | stats count(*) as n, count_distinct(trace_id) as t, count_distinct(parent_span_id) as p ` +
        "by name, kind, status, @level, @logStream, `scope.name` | sort name, status",
    );
    const expected = [
      ["GET /cart", "server", "unset", "info", "h1", "shop.checkout", 300, 300, 0],
      ["select", "client", "error", "error", "h1", "shop.checkout", 30, 30, 30],
      ["select", "client", "unset", "info", "h1", "shop.checkout", 270, 270, 270],
    ];
    const ok = found === JSON.stringify(expected);
    console.log(`${ok ? "ok" : "not ok"} - the ${form} exporter's spans arrive, compression ${compression}`);
    if (!ok) {
      console.log(found);
      failed += 1;
    }
  }
}
process.exit(failed ? 1 : 0);

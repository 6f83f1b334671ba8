//! `/api/openapi.json`: the description of every route. catat's own are described by hand beside this crate; those of other
//! systems' protocols are listed with their roles and refer to the originals' descriptions, from which they do not differ but
//! where the manual says so.

use std::sync::Arc;

use axum::http::{HeaderValue, header};
use door::{Entry, Reply, Role, Routes, Server, Table};
use serde_json::{Value, json};

/// The description of catat's own routes.
const OWN: &str = include_str!("../openapi.json");

/// The page about CloudWatch Logs' HTTP endpoints.
const ENDPOINTS: &str = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_HTTP_Endpoints.html";

/// Where the protocol of a foreign system is described: what paths begin with, its name among the tags, the original, and our
/// page about it. Of several that fit the first counts.
const ORIGINALS: &[(&str, &str, &str, &str)] = &[
    ("/elasticsearch", "elasticsearch", "https://www.elastic.co/docs/api/doc/elasticsearch/", "reading/elasticsearch"),
    (
        "/services/collector",
        "splunk",
        "https://help.splunk.com/en/splunk-enterprise/get-started/get-data-in",
        "sending/splunk",
    ),
    ("/loki", "loki", "https://grafana.com/docs/loki/latest/reference/loki-http-api/", "reading/loki"),
    ("/api/prom", "loki", "https://grafana.com/docs/loki/latest/reference/loki-http-api/", "reading/loki"),
    ("/ready", "loki", "https://grafana.com/docs/loki/latest/reference/loki-http-api/", "reading/loki"),
    ("/config", "loki", "https://grafana.com/docs/loki/latest/reference/loki-http-api/", "reading/loki"),
    ("/services", "loki", "https://grafana.com/docs/loki/latest/reference/loki-http-api/", "reading/loki"),
    ("/ring", "loki", "https://grafana.com/docs/loki/latest/reference/loki-http-api/", "reading/loki"),
    ("/prometheus", "metrics", "https://prometheus.io/docs/prometheus/latest/querying/api/", "reading/prometheus"),
    ("/metrics/", "metrics", "https://github.com/prometheus/pushgateway/blob/master/README.md", "sending/scrape"),
    ("/api/v2/logs", "datadog", "https://docs.datadoghq.com/api/latest/logs/", "sending/datadog"),
    ("/v1/input", "datadog", "https://docs.datadoghq.com/api/latest/logs/", "sending/datadog"),
    ("/api/v1/validate", "datadog", "https://docs.datadoghq.com/api/latest/authentication/", "sending/datadog"),
    ("/api/{project}/envelope", "sentry", "https://develop.sentry.dev/sdk/data-model/envelopes/", "sending/sentry"),
    (
        "/firehose",
        "firehose",
        "https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html",
        "sending/firehose",
    ),
    ("/v1/", "otlp", "https://opentelemetry.io/docs/specs/otlp/", "sending/opentelemetry"),
    ("/otlp/", "otlp", "https://opentelemetry.io/docs/specs/otlp/", "sending/opentelemetry"),
    ("/opentelemetry.", "otlp", "https://opentelemetry.io/docs/specs/otlp/", "sending/opentelemetry"),
    ("/tempo", "tempo", "https://grafana.com/docs/tempo/latest/api_docs/", "reading/traces"),
    ("/jaeger", "jaeger", "https://www.jaegertracing.io/docs/latest/architecture/apis/", "reading/traces"),
    ("/zipkin", "zipkin", "https://zipkin.io/zipkin-api/", "reading/traces"),
    ("/api/v2/spans", "zipkin", "https://zipkin.io/zipkin-api/", "sending/traces"),
    ("/xray", "xray", "https://docs.aws.amazon.com/xray/latest/api/Welcome.html", "reading/traces"),
    ("/cloudwatch/ingest/", "cloudwatch", ENDPOINTS, "sending/cloudwatch"),
    ("/cloudwatch/services/collector", "cloudwatch", ENDPOINTS, "sending/cloudwatch"),
    ("/cloudwatch/v1/", "cloudwatch", ENDPOINTS, "sending/cloudwatch"),
    (
        "/cloudwatch",
        "cloudwatch",
        "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/",
        "reading/cloudwatch",
    ),
    ("/sns", "cloudwatch", "https://docs.aws.amazon.com/sns/latest/api/welcome.html", "reading/cloudwatch"),
    ("/gelf", "gelf", "https://docs.graylog.org/docs/gelf", "sending/gelf"),
    (
        "/iceberg",
        "iceberg",
        "https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml",
        "reading/tables",
    ),
    ("/journal", "journal", "https://systemd.io/JOURNAL_EXPORT_FORMATS/", "sending/journald"),
];

/// The route that describes all of these and itself.
pub(crate) const ENTRY: Entry = Entry { method: "get", path: "/api/openapi.json", role: Role::None };

/// Returns that route.
pub(crate) fn route_of(others: &[Entry], server: &Arc<Server>) -> Table {
    let description = Arc::new(describe(&[others, &[ENTRY]].concat()));
    let routes = Routes::<String>::default().get(ENTRY.path, ENTRY.role, |call| {
        let no_cache = HeaderValue::from_static("no-cache");
        let description = Reply::content("application/json", String::clone(&call.server.state));
        Ok(description.with_header(header::CACHE_CONTROL, no_cache))
    });
    routes.with(server, &description)
}

/// Describes routes: catat's own are described already, others as their originals are.
fn describe(entries: &[Entry]) -> String {
    let mut description: Value = serde_json::from_str(OWN).unwrap_or_default();
    for entry in entries {
        let Some((_, tag, url, page)) = ORIGINALS.iter().find(|(start, ..)| entry.path.starts_with(start)) else {
            continue;
        };
        let names = entry.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters: Vec<Value> = names
            .map(|name| json!({"name": name.trim_start_matches('*'), "in": "path", "required": true, "schema": {"type": "string"}}))
            .collect();
        description["paths"][entry.path][entry.method] = json!({
            "tags": [tag],
            "x-catat-role": role_of(entry).name(),
            "parameters": parameters,
            "externalDocs": {"url": url, "description": format!("as the original; differences: /docs/{page}")},
            "responses": {"default": {"description": "as the original's"}},
        });
    }
    description.to_string()
}

/// Returns the role that a request needs. CloudWatch, SNS and X-Ray check theirs themselves, with the signature.
fn role_of(entry: &Entry) -> Role {
    let is_signed =
        entry.role == Role::None && ["/cloudwatch", "/xray/"].iter().any(|prefix| entry.path.starts_with(prefix));
    let is_sns = entry.path.starts_with("/sns") && entry.method == "post";
    if is_signed || is_sns { Role::Any } else { entry.role }
}

#[cfg(test)]
pub(crate) mod tests;

//! Queries of Grafana's data sources as queries of ours.

use language::{Language, translate};
use serde_json::Value;

use super::read::{field, line, list, literal, own_variables, text};
use super::tempo;
use crate::document::{PanelKind, PanelQuery};

/// A data source, as far as its queries differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Prometheus,
    Loki,
    Elasticsearch,
    CloudWatch,
    Tempo,
    /// Arithmetic over other queries.
    Expression,
}

/// Returns the data source of a type's name.
pub(super) fn of_type(name: &str) -> Option<Source> {
    Some(match name {
        "prometheus" | "grafana-amazonprometheus-datasource" | "victoriametrics-metrics-datasource" => {
            Source::Prometheus
        }
        "loki" => Source::Loki,
        "elasticsearch" | "grafana-opensearch-datasource" => Source::Elasticsearch,
        "cloudwatch" => Source::CloudWatch,
        "tempo" => Source::Tempo,
        "__expr__" => Source::Expression,
        _ => return None,
    })
}

/// Returns the data source that a query without a type is for, as far as its words tell.
pub(super) fn of_words(target: &Value) -> Option<Source> {
    let query = text(&target["expr"]);
    if !query.is_empty() {
        let query = own_variables(query);
        let is_loki = query.trim_start().starts_with('{') && language::logql::parse(&plain(&query)).is_ok()
            || query.contains("|=")
            || query.contains("|~")
            || query.contains("| json")
            || query.contains("| logfmt");
        return Some(if is_loki { Source::Loki } else { Source::Prometheus });
    }
    if target.get("bucketAggs").is_some() {
        return Some(Source::Elasticsearch);
    }
    if target.get("namespace").is_some() || target.get("queryMode").is_some() {
        return Some(Source::CloudWatch);
    }
    matches!(text(&target["queryType"]), "traceql" | "traceqlSearch").then_some(Source::Tempo)
}

/// Returns a query without variables, as far as a guess needs it.
fn plain(query: &str) -> String {
    query.replace("${", "").replace('$', "")
}

/// Returns what one query of a panel of a kind is here; `notes` gets what is different of it.
///
/// # Errors
///
/// What of it is not taken.
pub(super) fn query(
    source: Source,
    target: &Value,
    kind: PanelKind,
    notes: &mut Vec<String>,
) -> Result<PanelQuery, String> {
    let of = |language, query: String| PanelQuery { query, language, ..PanelQuery::default() };
    let mut query = match source {
        Source::Prometheus => of(Language::Promql, own_variables(text(&target["expr"]))),
        Source::Loki => of(Language::Logql, own_variables(text(&target["expr"]))),
        Source::Elasticsearch => elasticsearch(target)?,
        Source::CloudWatch => cloudwatch(target)?,
        Source::Tempo => of(Language::Traceql, tempo::query(target, kind, notes)?),
        Source::Expression => return Err("an expression of this kind".to_owned()),
    };
    types::ensure!(!query.query.trim().is_empty(), "a query without text".to_owned());
    if let Some(unknown) = unknown_built_in(&query.query) {
        return Err(format!("the built-in variable ${unknown}"));
    }
    let legend = text(&target["legendFormat"]);
    query.label = (!legend.is_empty() && legend != "__auto").then(|| line(&own_label(legend), 200));
    Ok(query)
}

fn unknown_built_in(query: &str) -> Option<&str> {
    let known = ["__interval", "__rate_interval", "__range"];
    crate::names(query).into_iter().find(|name| name.starts_with("__") && !known.contains(name))
}

/// Writes `{{instance}}` as `{instance}`.
fn own_label(legend: &str) -> String {
    let mut own = String::new();
    let mut rest = legend;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        own.push_str(before);
        own.push_str(&format!("{{{}}}", name.trim().trim_start_matches('.')));
        rest = after;
    }
    own + rest
}

/// A query of Lucene with buckets and one metric.
fn elasticsearch(target: &Value) -> Result<PanelQuery, String> {
    let lucene = own_variables(text(&target["query"]));
    let metrics = list(&target["metrics"]);
    let metric = metrics.first().unwrap_or(&Value::Null);
    let kind = text(&metric["type"]);
    if matches!(kind, "logs" | "raw_data" | "raw_document") {
        let query = if lucene.trim().is_empty() { "*".to_owned() } else { lucene };
        return Ok(PanelQuery { query, language: Language::Lucene, ..PanelQuery::default() });
    }
    types::ensure!(metrics.len() <= 1, "several metrics of one query".to_owned());
    let of = field(text(&metric["field"]));
    let value = match kind {
        "count" | "" => "count(*)".to_owned(),
        "avg" | "sum" | "min" | "max" => format!("{kind}({of})"),
        "cardinality" => format!("count_distinct({of})"),
        other => return Err(format!("the metric {other:?}")),
    };
    let mut by = Vec::new();
    for bucket in list(&target["bucketAggs"]) {
        match text(&bucket["type"]) {
            "date_histogram" => {
                let interval = text(&bucket["settings"]["interval"]);
                by.push(format!("bin({})", if matches!(interval, "" | "auto") { "$__interval" } else { interval }));
            }
            "terms" => by.push(field(text(&bucket["field"]))),
            other => return Err(format!("buckets of the kind {other:?}")),
        }
    }
    let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
    let condition = if matches!(lucene.trim(), "" | "*") {
        String::new()
    } else {
        if lucene.contains('$') {
            return Err("variables in a query of Lucene with buckets".to_owned());
        }
        let filter = translate(&lucene, Language::Lucene).map_err(|error| error.to_string())?;
        format!("{filter}\n| ")
    };
    Ok(PanelQuery { query: format!("{condition}stats {value}{by}"), ..PanelQuery::default() })
}

/// A query of CloudWatch: of Logs Insights, or of one metric.
fn cloudwatch(target: &Value) -> Result<PanelQuery, String> {
    if text(&target["queryMode"]) == "Logs" {
        let names = list(&target["logGroups"]).iter().map(|group| text(&group["name"]));
        let groups = names.chain(list(&target["logGroupNames"]).iter().map(text)).filter(|name| !name.is_empty());
        let groups = groups.map(str::to_owned).collect();
        let query = own_variables(text(&target["expression"]));
        return Ok(PanelQuery { query, groups, ..PanelQuery::default() });
    }
    if !text(&target["expression"]).is_empty() || !text(&target["sqlExpression"]).is_empty() {
        return Err("metric math and SQL of CloudWatch".to_owned());
    }
    let dimensions = target["dimensions"].as_object().into_iter().flatten().flat_map(|(name, values)| {
        let value = values.as_str().or_else(|| list(values).first().and_then(Value::as_str)).unwrap_or("*");
        Some((name.as_str(), value))
    });
    let dimensions: Vec<(&str, &str)> = dimensions.collect();
    let statistic = match target["statistic"].as_str() {
        Some(statistic) => statistic,
        None => list(&target["statistics"]).first().map_or("Average", text),
    };
    metric(text(&target["namespace"]), text(&target["metricName"]), &dimensions, (statistic, period(&target["period"])))
}

/// Returns a period as a duration.
pub(super) fn period(json: &Value) -> String {
    let seconds = json.as_u64().or_else(|| text(json).parse().ok()).filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map_or_else(|| "$__interval".to_owned(), |seconds| format!("{seconds}s"))
}

/// Returns the query of one of CloudWatch's metrics: of its data, which are events here.
pub(super) fn metric(
    namespace: &str,
    name: &str,
    dimensions: &[(&str, &str)],
    (statistic, period): (&str, String),
) -> Result<PanelQuery, String> {
    if namespace.is_empty() || name.is_empty() {
        return Err("a metric without namespace or name".to_owned());
    }
    let value = match statistic {
        "Average" | "" => "sum(sum) / sum(count)".to_owned(),
        "Sum" => "sum(sum)".to_owned(),
        "SampleCount" => "sum(count)".to_owned(),
        "Minimum" => "min(minimum)".to_owned(),
        "Maximum" => "max(maximum)".to_owned(),
        other => {
            let percent = other.strip_prefix('p').and_then(|percent| percent.parse::<f64>().ok());
            let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
            format!("pct(value, {})", percent.ok_or_else(|| format!("the statistic {other:?}"))?)
        }
    };
    let mut conditions = vec![format!("name = {}", literal(name))];
    let fixed = dimensions.iter().filter(|(_, value)| *value != "*");
    conditions.extend(fixed.map(|(of, value)| {
        let of = field(&format!("dimension.{of}"));
        let variable = value.strip_prefix('$').filter(|name| crate::is_name(name));
        variable.map_or_else(|| format!("{of} = {}", literal(value)), |name| format!("{of} = ${name}"))
    }));
    let every = dimensions.iter().filter(|(_, value)| *value == "*");
    let by: String = every.map(|(of, _)| format!(", {}", field(&format!("dimension.{of}")))).collect();
    let query = format!("filter {} | stats {value} as value by bin({period}){by}", conditions.join(" and "));
    let groups = vec![format!("metrics/cloudwatch/{namespace}")];
    Ok(PanelQuery { query, groups, label: Some(line(name, 200)), ..PanelQuery::default() })
}

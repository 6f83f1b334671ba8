//! How many panels an import takes, and which panels on Tempo.

use language::Language;
use serde_json::{Value, json};
use types::Timestamp;

use super::{Format, import};
use crate::document::PanelKind;

fn imported(format: Format, body: &Value) -> Result<usize, String> {
    import(format, body, Timestamp(0)).map(|import| import.dashboard.panels.len())
}

#[test]
fn more_panels_than_a_dashboard_has_are_refused_with_their_number() {
    let text = json!({"type": "text", "options": {"content": "hello"}, "gridPos": {"x": 0, "y": 0, "w": 4, "h": 4}});
    let unknown = json!({"type": "news"});
    let grafana = |taken: usize, refused: usize| {
        let panels = [vec![text.clone(); taken], vec![unknown.clone(); refused]].concat();
        imported(Format::Grafana, &json!({"title": "T", "panels": panels}))
    };
    // What is not taken does not count.
    assert_eq!(grafana(200, 50), Ok(200));
    let problem = |n: usize| Err(format!("{n} panels are too many: a dashboard has 200 at most; divide it"));
    assert_eq!(grafana(201, 50), problem(201));
    assert_eq!(grafana(0, 1_001), problem(1_001));
    let row = json!({"type": "row", "panels": vec![unknown.clone(); 1_000]});
    assert_eq!(imported(Format::Grafana, &json!({"panels": [row]})), problem(1_001));
    let widget = json!({"type": "text", "properties": {"markdown": "hello"}});
    let cloudwatch = |n: usize| imported(Format::CloudWatch, &json!({"widgets": vec![widget.clone(); n]}));
    assert_eq!((cloudwatch(200), cloudwatch(201)), (Ok(200), problem(201)));
}

/// Panels of Grafana on its Tempo data source, as it exports them.
const OF_TEMPO: &str = r#"{
  "title": "Traces",
  "__inputs": [{"name": "DS_TEMPO", "type": "datasource", "pluginId": "tempo"}],
  "templating": {"list": [
    {"name": "service", "type": "custom", "query": "pay,cart", "multi": true},
    {"name": "min", "type": "custom", "query": "100ms,1s"}
  ]},
  "panels": [
    {"type": "timeseries", "title": "rate", "datasource": {"type": "tempo", "uid": "t"}, "targets": [
      {"refId": "A", "queryType": "traceql", "legendFormat": "{{resource.service.name}}",
       "query": "{ resource.service.name =~ \"${service:regex}\" } | rate() by (resource.service.name)"}]},
    {"type": "table", "title": "search", "datasource": {"type": "tempo", "uid": "${DS_TEMPO}"}, "targets": [
      {"refId": "A", "queryType": "traceql", "query": "{ duration > $min }", "limit": 50, "spss": 3, "tableType": "traces"}]},
    {"type": "traces", "title": "form", "datasource": "Tempo", "targets": [
      {"refId": "A", "queryType": "traceqlSearch", "limit": 20, "filters": [
        {"id": "1", "tag": "service.name", "operator": "=~", "scope": "resource", "value": ["$service"], "valueType": "string"},
        {"id": "2", "tag": "name", "operator": "=~", "scope": "span", "value": ["GET /a.b", "SELECT"], "valueType": "string"},
        {"id": "3", "tag": "host", "operator": "=", "scope": "unscoped", "value": ["a\"b", "c"], "valueType": "string"},
        {"id": "4", "tag": "status", "operator": "=", "scope": "intrinsic", "value": "error", "valueType": "keyword"},
        {"id": "5", "tag": "http.status_code", "operator": ">=", "scope": "span", "value": ["500"], "valueType": "int"},
        {"id": "min-duration", "tag": "duration", "operator": ">", "value": "100ms", "valueType": "duration"},
        {"id": "6", "operator": "=", "scope": "span", "value": []}]}]},
    {"type": "nodeGraph", "title": "map", "targets": [{"refId": "A", "queryType": "serviceMap"}]},
    {"type": "stat", "title": "one number", "targets": [{"queryType": "traceql", "query": "{ status = error }"}]},
    {"type": "timeseries", "title": "compare", "targets": [{"queryType": "traceql", "query": "{ } | compare({ status = error })"}]},
    {"type": "table", "title": "structure", "targets": [{"queryType": "traceql", "query": "{ .a = 1 } >> { .b = 2 }"}]},
    {"type": "traces", "title": "by id", "datasource": "tempo", "targets": [{"query": "4bf92f3577b34da6a3ce929d0e0e4736"}]},
    {"type": "table", "title": "old", "datasource": "tempo", "targets": [{"queryType": "nativeSearch", "serviceName": "pay"}]},
    {"type": "table", "title": "graph", "datasource": "tempo", "targets": [{"queryType": "serviceMap"}]},
    {"type": "traces", "title": "file", "datasource": "tempo", "targets": [{"queryType": "upload"}]},
    {"type": "table", "title": "loki", "datasource": "tempo", "targets": [{"queryType": "search"}]}
  ]
}"#;

#[test]
fn panels_on_tempo_become_series_and_tables_of_traces() {
    let body: Value = serde_json::from_str(OF_TEMPO).expect("JSON");
    let import = import(Format::Grafana, &body, Timestamp(0)).expect("a dashboard");
    let found: Vec<(PanelKind, Language, &str)> = import
        .dashboard
        .panels
        .iter()
        .map(|panel| {
            let query = panel.queries.first();
            let language = query.map_or(Language::Insights, |query| query.language);
            (panel.kind, language, query.map_or("", |query| query.query.as_str()))
        })
        .collect();
    let table = |search: &str, n: u32| {
        format!("{search}\n| max_over_time(duration) by (trace:id, resource.service.name, name) | topk({n})")
    };
    let form = "{ resource.service.name =~ \"$service\" && name =~ \"GET /a\\\\.b|SELECT\" \
                && (.host = \"a\\\"b\" || .host = \"c\") && status = error && span.http.status_code >= 500 && duration > 100ms }";
    let (search, form) = (table("{ duration > $min }", 50), table(form, 20));
    let expected = [
        (
            PanelKind::Line,
            Language::Traceql,
            "{ resource.service.name =~ \"${service}\" } | rate() by (resource.service.name)",
        ),
        (PanelKind::Table, Language::Traceql, search.as_str()),
        (PanelKind::Table, Language::Traceql, form.as_str()),
        (PanelKind::Map, Language::Insights, ""),
    ];
    assert_eq!(found, expected);
    let label = import.dashboard.panels[0].queries[0].label.as_deref();
    assert_eq!(label, Some("{resource.service.name}"));
}

#[test]
fn what_is_not_taken_of_tempo_is_named() {
    let body: Value = serde_json::from_str(OF_TEMPO).expect("JSON");
    let import = import(Format::Grafana, &body, Timestamp(0)).expect("a dashboard");
    let expected = [
        ("rate", true, ""),
        ("search", true, "the 50 traces whose matching spans take longest, in seconds, instead of the newest"),
        ("form", true, "the 20 traces whose matching spans take longest, in seconds, instead of the newest"),
        ("map", true, ""),
        ("one number", false, "a search for traces, which only a table shows"),
        ("compare", false, "compare() counts the values of all fields"),
        ("structure", false, "this stage needs whole traces"),
        ("by id", false, "one trace by its id \"4bf92f3577b34da6a3ce929d0e0e4736\""),
        ("old", false, "nativeSearch, which Grafana replaced by TraceQL"),
        ("graph", false, "serviceMap, which only a panel of the type nodeGraph becomes a map of"),
        ("file", false, "upload: the traces of the file are not in the dashboard"),
        ("loki", false, "search, which looks for traces in Loki"),
    ];
    assert_eq!(import.panels.len(), expected.len());
    for (outcome, (title, is_taken, why)) in import.panels.iter().zip(expected) {
        assert_eq!((outcome.title.as_str(), outcome.taken), (title, is_taken), "{outcome:?}");
        assert!(outcome.why.contains(why) && outcome.why.is_empty() == why.is_empty(), "{outcome:?}");
    }
}

#[test]
fn thresholds_that_colour_nothing_are_not_taken() {
    let stat = |title: &str, mode: &str, colour: &str| {
        serde_json::json!({
            "type": "stat", "title": title, "options": {"colorMode": mode}, "targets": [{"expr": "up"}],
            "fieldConfig": {"defaults": {"color": {"mode": colour}, "thresholds": {"mode": "absolute", "steps": [
                {"color": "green"}, {"color": "red", "value": 80}]}}},
        })
    };
    let panels = [stat("a", "value", "thresholds"), stat("b", "none", "thresholds"), stat("c", "value", "fixed")];
    let body = serde_json::json!({"title": "t", "panels": panels});
    let import = import(Format::Grafana, &body, Timestamp(0)).expect("a dashboard");
    let found: Vec<usize> = import.dashboard.panels.iter().map(|panel| panel.thresholds.len()).collect();
    assert_eq!(found, [1, 0, 0]);
}

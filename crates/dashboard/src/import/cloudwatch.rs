//! The body of CloudWatch's `PutDashboard`.
//!
//! Source: *Dashboard body structure and syntax* in the CloudWatch API reference.

use language::Language;
use serde_json::{Map, Value};

use super::draft::{Draft, check_number};
use super::read::{line, list, number, text};
use super::{source, unit};
use crate::document::{COLUMNS, Grade, Legend, Panel, PanelKind, PanelQuery, Range, Threshold};

pub(super) fn read(body: &Value) -> Result<Draft, String> {
    let Some(widgets) = body["widgets"].as_array() else {
        return Err("this is no dashboard of CloudWatch: it has no widgets".to_owned());
    };
    check_number(widgets.len())?;
    let mut draft = Draft::default();
    draft.dashboard.title = "Imported".to_owned();
    if let Some(start) = body["start"].as_str().and_then(|start| start.strip_prefix("-PT").or(start.strip_prefix("-P")))
    {
        draft.dashboard.range = Range { from: format!("now-{}", start.to_lowercase()), ..Range::default() };
    }
    let mut place = (0, 0);
    for widget in widgets {
        let properties = &widget["properties"];
        let w = number(&widget["width"], 1..=COLUMNS, 6);
        let h = number(&widget["height"], 1..=100, 6);
        let x = number(&widget["x"], 0..=COLUMNS - w, place.0);
        let y = number(&widget["y"], 0..=9_000, place.1);
        // A widget without a place stands right of the one before, or below it.
        place = if x + w + 6 <= COLUMNS { (x + w, y) } else { (0, y + h) };
        let title = line(text(&properties["title"]), 200);
        let panel = Panel { title: title.clone(), x, y, w, h, ..Panel::default() };
        let read = match text(&widget["type"]) {
            "text" => {
                Ok(Panel { kind: PanelKind::Text, text: Some(text(&properties["markdown"]).to_owned()), ..panel })
            }
            "log" => log(properties, panel),
            "metric" => metric(properties, panel),
            other => Err(format!("widgets of the type {other:?}")),
        };
        match read {
            Ok(panel) => draft.take_panel(title, panel, &[]),
            Err(why) => draft.refuse_panel(title, why),
        }
    }
    Ok(draft)
}

fn log(properties: &Value, panel: Panel) -> Result<Panel, String> {
    let mut groups = Vec::new();
    let mut query = text(&properties["query"]).trim();
    // SOURCE 'a' | SOURCE 'b' | the query
    while let Some(rest) = query.strip_prefix("SOURCE").or(query.strip_prefix("source")) {
        let (source, rest) = rest.split_once('|').unwrap_or((rest, ""));
        groups.extend(source.split(',').map(|name| name.trim().trim_matches(['\'', '"']).to_owned()));
        query = rest.trim();
    }
    types::ensure!(!groups.iter().any(|group| group.contains('(')), "SOURCE logGroups(…)".to_owned());
    let kind = match text(&properties["view"]) {
        "timeSeries" if properties["stacked"] == Value::Bool(true) => PanelKind::Area,
        "timeSeries" => PanelKind::Line,
        "bar" => PanelKind::Bar,
        "pie" => PanelKind::Pie,
        _ if query.contains("stats") => PanelKind::Table,
        _ => PanelKind::Logs,
    };
    let queries = vec![PanelQuery { query: query.to_owned(), groups, ..PanelQuery::default() }];
    Ok(Panel { kind, queries, stack: kind == PanelKind::Area, ..panel })
}

fn metric(properties: &Value, mut panel: Panel) -> Result<Panel, String> {
    panel.stack = properties["stacked"] == Value::Bool(true);
    panel.kind = match text(&properties["view"]) {
        "singleValue" | "gauge" => PanelKind::Number,
        "bar" => PanelKind::Bar,
        "pie" => PanelKind::Pie,
        "table" => PanelKind::Table,
        _ if panel.stack => PanelKind::Area,
        _ => PanelKind::Line,
    };
    if let Some(title) = properties["annotations"]["alarms"].as_array() {
        return Err(format!("the graph of {} alarm(s)", title.len()));
    }
    let mut before: Vec<String> = Vec::new();
    let none = Map::new();
    for row in list(&properties["metrics"]).iter().take(26) {
        let mut parts: Vec<&Value> = list(row).iter().collect();
        let options = parts.last().and_then(|last| last.as_object()).unwrap_or(&none);
        if parts.last().is_some_and(|last| last.is_object()) {
            parts.pop();
        }
        let option = |name: &str| options.get(name).unwrap_or(&Value::Null);
        if let Some(expression) = option("expression").as_str() {
            if expression.contains("SEARCH(") || panel.expression.is_some() {
                return Err(format!("the expression {:?}", line(expression, 80)));
            }
            panel.expression = Some(expression.to_lowercase());
            continue;
        }
        let names = spread(&parts, &before)?;
        let (statistic, own_period) = (option("stat").as_str().unwrap_or(text(&properties["stat"])), option("period"));
        let period = source::period(if own_period.is_null() { &properties["period"] } else { own_period });
        let dimensions: Vec<(&str, &str)> =
            names[2..].chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
        let query = source::metric(&names[0], &names[1], &dimensions, (statistic, period))?;
        let label = option("label").as_str().filter(|label| !label.contains("${")).map(|label| line(label, 200));
        let id = option("id").as_str().map(str::to_lowercase).filter(|id| crate::is_name(id));
        panel.queries.push(PanelQuery {
            id,
            label: label.or(query.label.clone()),
            language: Language::Insights,
            ..query
        });
        before = names;
    }
    let axis = &properties["yAxis"]["left"];
    panel.unit = unit::of_cloudwatch(axis["label"].as_str().unwrap_or_default());
    if text(&properties["legend"]["position"]) == "right" {
        panel.legend = Legend::Right;
    } else if text(&properties["legend"]["position"]) == "hidden" {
        panel.legend = Legend::None;
    }
    let lines = list(&properties["annotations"]["horizontal"]).iter().filter_map(|line| line["value"].as_f64());
    panel.thresholds = lines.map(|value| Threshold { value, level: Grade::Warn }).collect();
    panel.thresholds.sort_by(|a, b| a.value.total_cmp(&b.value));
    panel.thresholds.dedup_by(|a, b| a.value == b.value);
    Ok(panel)
}

/// Returns namespace, name and dimensions of a metric: `.` is what stands there in the row before, `...` all until then.
fn spread(parts: &[&Value], before: &[String]) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        match part.as_str() {
            Some("...") => {
                let wanted = before.len().saturating_sub(parts.len() - 1 + names.len());
                names.extend_from_slice(
                    &before[names.len().min(before.len())..(names.len() + wanted).min(before.len())],
                );
            }
            Some(".") => names.push(before.get(names.len()).cloned().ok_or("a dot without a metric before it")?),
            Some(name) => names.push(name.to_owned()),
            None => return Err("a metric whose parts are no texts".to_owned()),
        }
    }
    if names.len() < 2 || names.len() % 2 == 1 {
        return Err("a metric without namespace, name or value of a dimension".to_owned());
    }
    Ok(names)
}

//! Grafana's JSON model of a dashboard, of schema 16 and later; panels in `rows` of older ones, too.
//!
//! Source: Grafana's documentation of the dashboard JSON model, and the models that it exports.

use serde_json::Value;

use super::draft::{Draft, Outcome, check_number};
use super::read::{line, list, number, own_variables, text};
use super::source::{self, Source};
use super::unit;
use crate::document::{
    COLUMNS, Grade, Legend, LegendValue, Nulls, Panel, PanelKind, PanelQuery, Range, Scale, Threshold, Variable,
};

/// Columns of a panel's width in `rows`.
const OLD_COLUMNS: u32 = 12;

pub(super) fn read(body: &Value) -> Result<Draft, String> {
    let model = body.get("dashboard").filter(|inner| inner.is_object()).unwrap_or(body);
    if model.get("panels").is_none() && model.get("rows").is_none() {
        return Err("this is no dashboard of Grafana: it has no panels".to_owned());
    }
    check_number(number_of_panels(model))?;
    let mut draft = Draft::default();
    let dashboard = &mut draft.dashboard;
    dashboard.title = Some(line(text(&model["title"]), 200))
        .filter(|title| !title.trim().is_empty())
        .unwrap_or("Imported".to_owned());
    dashboard.description = text(&model["description"]).chars().take(2_000).collect();
    dashboard.tags =
        list(&model["tags"]).iter().map(|tag| line(text(tag), 40)).filter(|tag| !tag.is_empty()).take(10).collect();
    let from = Some(text(&model["time"]["from"])).filter(|from| from.starts_with("now"));
    if let Some(from) = from {
        dashboard.range = Range { from: from.to_owned(), ..Range::default() };
    }
    let refresh = text(&model["refresh"]);
    let is_slow = types::parse_duration_ns(refresh).is_ok_and(|ns| ns >= 5_000_000_000);
    dashboard.refresh = is_slow.then(|| refresh.to_owned());
    let sources = Sources::of(model);
    for variable in list(&model["templating"]["list"]).iter().take(100) {
        read_variable(&mut draft, variable, &sources);
    }
    let mut reader = Reader { sources, section: None, below: 0 };
    reader.panels(&mut draft, list(&model["panels"]));
    for row in list(&model["rows"]) {
        reader.old_row(&mut draft, row);
    }
    Ok(draft)
}

/// Returns how many panels a model has, those of rows too.
fn number_of_panels(model: &Value) -> usize {
    let within = |all: &Value| list(all).iter().map(|one| list(&one["panels"]).len()).sum::<usize>();
    list(&model["panels"]).len() + within(&model["panels"]) + within(&model["rows"])
}

/// The data sources that a model names through inputs and variables.
struct Sources(Vec<(String, Source)>);

impl Sources {
    fn of(model: &Value) -> Self {
        let inputs = list(&model["__inputs"]).iter().map(|input| (text(&input["name"]), text(&input["pluginId"])));
        let variables = list(&model["templating"]["list"]).iter();
        let variables = variables.filter(|variable| text(&variable["type"]) == "datasource");
        let variables = variables.map(|variable| (text(&variable["name"]), text(&variable["query"])));
        Self(inputs.chain(variables).filter_map(|(name, of)| Some((name.to_owned(), source::of_type(of)?))).collect())
    }

    /// Returns what a panel or target names as its data source.
    fn named(&self, json: &Value) -> Option<Source> {
        let name = json.as_str().unwrap_or(text(&json["uid"]));
        let variable = name.trim_start_matches(['$', '{', '[']).trim_end_matches(['}', ']']);
        source::of_type(text(&json["type"]))
            .or_else(|| self.0.iter().find(|(known, _)| known == variable).map(|(_, source)| *source))
            .or_else(|| source::of_type(&name.to_lowercase()))
    }
}

struct Reader {
    sources: Sources,
    section: Option<String>,
    /// The first free row, for panels in `rows`.
    below: u32,
}

impl Reader {
    fn panels(&mut self, draft: &mut Draft, panels: &[Value]) {
        for panel in panels {
            if text(&panel["type"]) == "row" {
                let title = line(text(&panel["title"]), 200);
                self.section = (!title.trim().is_empty()).then_some(title);
                // The panels of a row that is folded lie in it; a row has no rows.
                for inner in list(&panel["panels"]).iter().filter(|inner| text(&inner["type"]) != "row") {
                    self.panel(draft, inner, None);
                }
            } else {
                self.panel(draft, panel, None);
            }
        }
    }

    fn old_row(&mut self, draft: &mut Draft, row: &Value) {
        let title = line(text(&row["title"]), 200);
        self.section = (!title.trim().is_empty()).then_some(title);
        let height = row["height"].as_f64().or_else(|| text(&row["height"]).trim_end_matches("px").parse().ok());
        let h = (height.unwrap_or(250.0) / 30.0).clamp(2.0, 40.0) as u32;
        let mut x = 0;
        for panel in list(&row["panels"]) {
            let w = number(&panel["span"], 1..=OLD_COLUMNS, OLD_COLUMNS) * COLUMNS / OLD_COLUMNS;
            if x + w > COLUMNS {
                (x, self.below) = (0, self.below + h);
            }
            self.panel(draft, panel, Some((x, self.below, w, h)));
            x += w;
        }
        self.below += h;
    }

    fn panel(&self, draft: &mut Draft, json: &Value, place: Option<(u32, u32, u32, u32)>) {
        let title = line(&own_variables(text(&json["title"])), 200);
        match self.read_panel(json, place) {
            Ok((panel, notes)) => draft.take_panel(title, panel, &notes),
            Err(why) => draft.refuse_panel(title, why),
        }
    }

    fn read_panel(&self, json: &Value, place: Option<(u32, u32, u32, u32)>) -> Result<(Panel, Vec<String>), String> {
        let mut notes = Vec::new();
        let kind = kind(json)?;
        let grid = &json["gridPos"];
        let w = number(&grid["w"], 1..=COLUMNS, 12);
        let given = (
            number(&grid["x"], 0..=COLUMNS - w, 0),
            number(&grid["y"], 0..=9_000, 0),
            w,
            number(&grid["h"], 2..=60, 8),
        );
        let (x, y, w, h) = place.unwrap_or(given);
        let title = line(&own_variables(text(&json["title"])), 200);
        let mut panel = Panel { title, kind, x, y, w, h, section: self.section.clone(), ..Panel::default() };
        if kind == PanelKind::Text {
            let content = json["options"]["content"].as_str().unwrap_or(text(&json["content"]));
            panel.text = Some(own_variables(content));
            if text(&json["options"]["mode"]) == "html" {
                notes.push("HTML is shown as text".to_owned());
            }
            return Ok((panel, notes));
        }
        // The map here asks for the services itself.
        let targets = list(&json["targets"]);
        let is_services =
            !targets.is_empty() && targets.iter().all(|target| text(&target["queryType"]) == "serviceMap");
        if kind == PanelKind::Map && is_services {
            return Ok((panel, notes));
        }
        if let Some(name) = json["repeat"].as_str() {
            notes.push(format!("it is there once, not for each value of {name}"));
        }
        for transformation in list(&json["transformations"]) {
            let id = text(&transformation["id"]);
            // Our tables and charts join and name series themselves.
            if !matches!(id, "merge" | "joinByField" | "seriesToColumns" | "organize" | "labelsToFields" | "sortBy") {
                return Err(format!("the transformation {id:?}"));
            }
        }
        self.read_queries(json, &mut panel, &mut notes)?;
        style(json, &mut panel);
        Ok((panel, notes))
    }

    fn read_queries(&self, json: &Value, panel: &mut Panel, notes: &mut Vec<String>) -> Result<(), String> {
        let of_panel = self.sources.named(&json["datasource"]);
        let mut refused = Vec::new();
        let mut expression = None;
        for target in list(&json["targets"]).iter().take(26) {
            let source = self.sources.named(&target["datasource"]).or(of_panel).or_else(|| source::of_words(target));
            if source == Some(Source::Expression) {
                match text(&target["type"]) {
                    "math" => expression = Some(math(text(&target["expression"]))),
                    other => refused.push(format!("the expression {other:?}")),
                }
                continue;
            }
            if target["hide"].as_bool() == Some(true) && !names_hidden(json) {
                continue;
            }
            let read = source.ok_or_else(|| format!("the data source {}", source_name(json, target)));
            match read.and_then(|source| source::query(source, target, panel.kind, notes)) {
                Ok(query) => {
                    // A second query of one id goes by its place.
                    let id = id_of(target).filter(|id| (0..panel.queries.len()).all(|at| panel.query_id(at) != *id));
                    panel.queries.push(PanelQuery { id, ..query });
                }
                Err(why) => refused.push(why),
            }
        }
        if panel.queries.is_empty() {
            return Err(if refused.is_empty() { "it has no query".to_owned() } else { refused.join("; ") });
        }
        panel.expression = expression;
        notes.extend(refused.into_iter().map(|why| format!("not taken: {why}")));
        Ok(())
    }
}

/// Reports whether a panel has arithmetic over its queries, hidden ones too.
fn names_hidden(json: &Value) -> bool {
    list(&json["targets"]).iter().any(|target| text(&target["type"]) == "math")
}

fn source_name(json: &Value, target: &Value) -> String {
    [&target["datasource"], &json["datasource"]]
        .into_iter()
        .find_map(|source| source["type"].as_str().or_else(|| source.as_str()))
        .map_or_else(|| "is not named".to_owned(), |name| format!("{:?}", line(name, 60)))
}

fn id_of(target: &Value) -> Option<String> {
    let id = text(&target["refId"]).to_lowercase();
    crate::is_name(&id).then_some(id)
}

/// Writes `$A / ${B}` as `a / b`.
fn math(expression: &str) -> String {
    expression.replace(['$', '{', '}'], "").to_lowercase()
}

fn kind(json: &Value) -> Result<PanelKind, String> {
    let style = &json["fieldConfig"]["defaults"]["custom"];
    Ok(match text(&json["type"]) {
        "timeseries" | "graph" | "trend" => {
            let is_stacked =
                matches!(text(&style["stacking"]["mode"]), "normal" | "percent") || json["stack"] == Value::Bool(true);
            match text(&style["drawStyle"]) {
                "bars" => PanelKind::Bar,
                _ if json["bars"] == Value::Bool(true) => PanelKind::Bar,
                _ if is_stacked => PanelKind::Area,
                _ => PanelKind::Line,
            }
        }
        "barchart" | "bargauge" | "histogram" => PanelKind::Bar,
        "piechart" | "grafana-piechart-panel" => PanelKind::Pie,
        "stat" | "gauge" | "singlestat" => PanelKind::Number,
        "table" | "table-old" | "traces" => PanelKind::Table,
        "logs" => PanelKind::Logs,
        "text" => PanelKind::Text,
        "heatmap" => PanelKind::Heatmap,
        "nodeGraph" => PanelKind::Map,
        "" => return Err("it has no type, as panels of the library".to_owned()),
        other => return Err(format!("panels of the type {other:?}")),
    })
}

/// Reads units, thresholds, legend and scales.
fn style(json: &Value, panel: &mut Panel) {
    let defaults = &json["fieldConfig"]["defaults"];
    let old_axis = list(&json["yaxes"]).first().unwrap_or(&Value::Null);
    let unit =
        defaults["unit"].as_str().or(old_axis["format"].as_str()).or(json["format"].as_str()).unwrap_or_default();
    panel.unit = unit::of_grafana(unit);
    panel.decimals = defaults["decimals"]
        .as_u64()
        .and_then(|decimals| u8::try_from(decimals).ok())
        .filter(|decimals| *decimals <= 10);
    let custom = &defaults["custom"];
    panel.stack =
        matches!(text(&custom["stacking"]["mode"]), "normal" | "percent") || json["stack"] == Value::Bool(true);
    if text(&custom["scaleDistribution"]["type"]) == "log" || old_axis["logBase"].as_u64().is_some_and(|base| base > 1)
    {
        panel.scale = Scale::Log;
    }
    if custom["spanNulls"] == Value::Bool(true) || text(&json["nullPointMode"]) == "connected" {
        panel.nulls = Nulls::Connect;
    } else if text(&json["nullPointMode"]) == "null as zero" {
        panel.nulls = Nulls::Zero;
    }
    let legend = &json["options"]["legend"];
    if legend["showLegend"] == Value::Bool(false) || text(&legend["displayMode"]) == "hidden" {
        panel.legend = Legend::None;
    } else if text(&legend["placement"]) == "right" {
        panel.legend = Legend::Right;
    }
    for value in list(&legend["calcs"]) {
        panel.legend_values.extend(match text(value) {
            "last" | "lastNotNull" => Some(LegendValue::Last),
            "max" => Some(LegendValue::Max),
            "min" => Some(LegendValue::Min),
            "mean" => Some(LegendValue::Mean),
            "sum" => Some(LegendValue::Sum),
            _ => None,
        });
    }
    // Every panel has some; those that colour nothing with them would be said to be bad.
    let has_colours = match panel.kind {
        PanelKind::Number => {
            let by_threshold = matches!(text(&defaults["color"]["mode"]), "" | "thresholds");
            by_threshold && text(&json["options"]["colorMode"]) != "none"
        }
        PanelKind::Bar | PanelKind::Table => true,
        _ => text(&custom["thresholdsStyle"]["mode"]) != "off",
    };
    if has_colours {
        panel.thresholds = thresholds(&defaults["thresholds"]);
    }
}

fn thresholds(json: &Value) -> Vec<Threshold> {
    if text(&json["mode"]) == "percentage" {
        return Vec::new();
    }
    let steps = list(&json["steps"]).iter().filter_map(|step| {
        let colour = text(&step["color"]);
        let level = if colour.contains("red") || colour.starts_with("#d4") || colour.starts_with("rgba(245") {
            Grade::Error
        } else if ["orange", "yellow", "rgba(237"].iter().any(|known| colour.contains(known)) {
            Grade::Warn
        } else if colour.contains("green") || colour.starts_with("rgba(50") {
            Grade::Ok
        } else {
            Grade::Info
        };
        // The lowest step has no value: it is what all other numbers are.
        Some(Threshold { value: step["value"].as_f64()?, level })
    });
    let mut read: Vec<Threshold> = steps.collect();
    read.sort_by(|a, b| a.value.total_cmp(&b.value));
    read.dedup_by(|a, b| a.value == b.value);
    read
}

fn read_variable(draft: &mut Draft, json: &Value, sources: &Sources) {
    let name = line(text(&json["name"]), 64);
    if text(&json["type"]) == "datasource" {
        // All data is here: queries no longer name a source.
        return;
    }
    let (taken, why) = match variable(&name, json, sources) {
        Ok(variable) => (Some(variable), String::new()),
        Err(why) => (None, why),
    };
    draft.variables.push((Outcome { title: name, taken: taken.is_some(), why }, taken));
}

fn variable(name: &str, json: &Value, sources: &Sources) -> Result<Variable, String> {
    let mut variable = Variable {
        name: name.to_owned(),
        label: line(text(&json["label"]), 200),
        multiple: json["multi"] == Value::Bool(true),
        all: json["includeAll"] == Value::Bool(true),
        ..Variable::default()
    };
    let current = &json["current"]["value"];
    let current = current.as_str().map(|one| vec![one]).unwrap_or_else(|| list(current).iter().map(text).collect());
    variable.default =
        current.into_iter().filter(|value| !value.is_empty() && !value.starts_with("$__")).map(str::to_owned).collect();
    if !variable.multiple {
        variable.default.truncate(1);
    }
    let query = json["query"].as_str().unwrap_or(text(&json["query"]["query"]));
    match text(&json["type"]) {
        "query" => {
            let source = sources.named(&json["datasource"]).unwrap_or(Source::Prometheus);
            types::ensure!(text(&json["regex"]).is_empty(), "a regular expression over the values".to_owned());
            variable.language = language::Language::Promql;
            variable.query = Some(label_values(source, &own_variables(query))?);
        }
        "custom" | "interval" => {
            let values = query.split(',').map(|value| value.rsplit(" : ").next().unwrap_or(value).trim());
            variable.values =
                values.filter(|value| !value.is_empty() && !value.starts_with("$__")).map(str::to_owned).collect();
        }
        "constant" | "textbox" => variable.values = vec![query.to_owned()],
        other => return Err(format!("variables of the type {other:?}")),
    }
    Ok(variable)
}

/// Writes `label_values(metric, label)` as a query whose first label has the values.
fn label_values(source: Source, query: &str) -> Result<String, String> {
    types::ensure!(source == Source::Prometheus, "values from another data source than Prometheus".to_owned());
    let query = query.trim();
    let Some(inner) = query.strip_prefix("label_values(").and_then(|rest| rest.trim_end().strip_suffix(')')) else {
        return Err(format!("the query {:?}", line(query, 80)));
    };
    let (metric, label) = match inner.rsplit_once(',') {
        Some((metric, label)) if crate::is_name(label.trim()) => (metric.trim(), label.trim()),
        _ => ("{__name__=~\".+\"}", inner.trim()),
    };
    types::ensure!(crate::is_name(label), format!("the label {:?}", line(label, 80)));
    Ok(format!("group by ({label}) (last_over_time({metric}[$__range]))"))
}

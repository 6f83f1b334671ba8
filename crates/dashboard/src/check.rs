//! Reads a document, and says by its path where it is wrong: `panels[3].queries[0]`.

use std::collections::BTreeSet;
use std::fmt;

use language::{Language, ParseOptions, logql};
use types::Timestamp;

use crate::document::{COLUMNS, Dashboard, Panel, PanelKind, Variable};
use crate::expression;
use crate::fill::{self, Choice, Choices};

/// Most panels.
pub(crate) const PANELS_MAX: usize = 200;
/// Most queries of one panel, variables, and values of one.
const QUERIES_MAX: usize = 26;
const VARIABLES_MAX: usize = 30;
const CHOICES_MAX: usize = 1_000;
/// Longest title and name; longest text of other kinds; largest query.
const TITLE_CHARS_MAX: usize = 200;
const TEXT_CHARS_MAX: usize = 20_000;
const QUERY_BYTES_MAX: usize = 64 << 10;
/// Tallest panel, and the last row.
const HEIGHT_MAX: u32 = 100;
const ROW_MAX: u32 = 10_000;
/// The shortest distance of refreshes.
const REFRESH_MIN_NS: i64 = 5 * Timestamp::SECOND;

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    /// The place, as `panels[3].queries[0]`; empty: the whole.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{separator}{}", self.path, self.problem)
    }
}

/// Reads the JSON of a document and checks all of it; `now` is what relative times refer to.
///
/// # Errors
///
/// The first mistake, with its place.
pub fn read(json: &[u8], now: Timestamp) -> Result<Dashboard, Mistake> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let dashboard: Dashboard = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        Mistake { path, problem: error.inner().to_string() }
    })?;
    reader.end().map_err(|error| mistake("", error.to_string()))?;
    check(&dashboard, now)?;
    Ok(dashboard)
}

/// Checks a document.
///
/// # Errors
///
/// The first mistake, with its place.
pub fn check(dashboard: &Dashboard, now: Timestamp) -> Result<(), Mistake> {
    title("title", &dashboard.title)?;
    types::ensure!(!dashboard.title.trim().is_empty(), mistake("title", "a dashboard needs a title"));
    text("description", &dashboard.description)?;
    for (at, tag) in dashboard.tags.iter().enumerate() {
        title(&format!("tags[{at}]"), tag)?;
    }
    for (path, time) in [("range.from", &dashboard.range.from), ("range.to", &dashboard.range.to)] {
        plan::time::parse(time, now, chrono_tz::Tz::UTC).map_err(|error| mistake(path, error.to_string()))?;
    }
    if let Some(refresh) = &dashboard.refresh {
        let ns = types::parse_duration_ns(refresh).map_err(|error| mistake("refresh", error.to_string()))?;
        types::ensure!(ns >= REFRESH_MIN_NS, mistake("refresh", "the shortest distance is 5s"));
    }
    at_most("variables", dashboard.variables.len(), VARIABLES_MAX)?;
    let mut chosen = Choices::new();
    for (at, variable) in dashboard.variables.iter().enumerate() {
        check_variable(&format!("variables[{at}]"), variable, &chosen, now)?;
        if chosen.insert(variable.name.clone(), stand_in(variable)).is_some() {
            return Err(mistake(format!("variables[{at}].name"), "two variables have this name"));
        }
    }
    at_most("panels", dashboard.panels.len(), PANELS_MAX)?;
    let mut ids = BTreeSet::new();
    for (at, panel) in dashboard.panels.iter().enumerate() {
        let path = format!("panels[{at}]");
        check_panel(&path, panel, &chosen, now)?;
        if !ids.insert(&panel.id) {
            return Err(mistake(format!("{path}.id"), format!("two panels have the id {:?}", panel.id)));
        }
    }
    Ok(())
}

fn check_variable(path: &str, variable: &Variable, earlier: &Choices, now: Timestamp) -> Result<(), Mistake> {
    if !fill::is_name(&variable.name) || variable.name.starts_with("__") || variable.name.len() > 64 {
        let problem = "a name has letters, digits and _, begins with no digit and not with __";
        return Err(mistake(format!("{path}.name"), problem));
    }
    title(&format!("{path}.label"), &variable.label)?;
    at_most(&format!("{path}.values"), variable.values.len(), CHOICES_MAX)?;
    match &variable.query {
        Some(_) if !variable.values.is_empty() => Err(mistake(path, "it has values or a query, not both")),
        Some(query) => check_query(&format!("{path}.query"), query, variable.language, earlier, now),
        None if variable.values.is_empty() => Err(mistake(path, "it needs values or a query")),
        None => Ok(()),
    }?;
    let is_several = variable.default.len() > 1;
    if is_several && !variable.multiple {
        return Err(mistake(format!("{path}.default"), "several values need \"multiple\": true"));
    }
    Ok(())
}

/// Returns what stands for a variable's choice while a query that names it is checked.
fn stand_in(variable: &Variable) -> Choice {
    let value = variable.values.first().cloned().unwrap_or_else(|| "1".to_owned());
    if variable.multiple { Choice::Several(vec![value]) } else { Choice::One(value) }
}

fn check_panel(path: &str, panel: &Panel, chosen: &Choices, now: Timestamp) -> Result<(), Mistake> {
    let is_id = |id: &str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    };
    types::ensure!(is_id(&panel.id), mistake(format!("{path}.id"), "an id is 1–64 letters, digits, _ and -"));
    title(&format!("{path}.title"), &panel.title)?;
    check_place(path, panel)?;
    check_content(path, panel)?;
    for (at, query) in panel.queries.iter().enumerate() {
        let path = format!("{path}.queries[{at}]");
        if query.id.as_ref().is_some_and(|id| !fill::is_name(id)) {
            return Err(mistake(format!("{path}.id"), "an id has letters, digits and _, and begins with no digit"));
        }
        check_query(&path, &query.query, query.language, chosen, now)?;
    }
    let ids: Vec<String> = (0..panel.queries.len()).map(|at| panel.query_id(at)).collect();
    if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
        return Err(mistake(format!("{path}.queries"), "two queries have one id"));
    }
    if let Some(expression) = &panel.expression {
        let path = format!("{path}.expression");
        let named = expression::ids(expression).map_err(|problem| mistake(&path, problem))?;
        if let Some(id) = named.into_iter().find(|id| !ids.iter().any(|known| known == id)) {
            return Err(mistake(
                path,
                format!("no query of the panel has the id {id:?}: there are {}", ids.join(", ")),
            ));
        }
    }
    Ok(())
}

fn check_place(path: &str, panel: &Panel) -> Result<(), Mistake> {
    let is_within = panel.w >= 1 && panel.x.checked_add(panel.w).is_some_and(|end| end <= COLUMNS);
    if !is_within {
        return Err(mistake(format!("{path}.w"), format!("x and w lie within the {COLUMNS} columns of the grid")));
    }
    if !(1..=HEIGHT_MAX).contains(&panel.h) || panel.y > ROW_MAX {
        return Err(mistake(format!("{path}.h"), format!("h is 1 to {HEIGHT_MAX}, y {ROW_MAX} at most")));
    }
    Ok(())
}

fn check_content(path: &str, panel: &Panel) -> Result<(), Mistake> {
    at_most(&format!("{path}.queries"), panel.queries.len(), QUERIES_MAX)?;
    let asks = !matches!(panel.kind, PanelKind::Text | PanelKind::Map);
    if asks && panel.queries.is_empty() {
        return Err(mistake(format!("{path}.queries"), "a panel of this kind needs a query"));
    }
    if !asks && !panel.queries.is_empty() && panel.kind == PanelKind::Text {
        return Err(mistake(format!("{path}.queries"), "a text has no queries"));
    }
    if panel.kind == PanelKind::Text && panel.text.as_deref().is_none_or(|text| text.trim().is_empty()) {
        return Err(mistake(format!("{path}.text"), "a panel of this kind needs a text"));
    }
    text(&format!("{path}.text"), panel.text.as_deref().unwrap_or_default())?;
    title(&format!("{path}.unit"), panel.unit.as_deref().unwrap_or_default())?;
    title(&format!("{path}.section"), panel.section.as_deref().unwrap_or_default())?;
    if panel.decimals.is_some_and(|decimals| decimals > 10) {
        return Err(mistake(format!("{path}.decimals"), "at most 10"));
    }
    if let Some(at) = panel.thresholds.iter().position(|threshold| !threshold.value.is_finite()) {
        return Err(mistake(format!("{path}.thresholds[{at}].value"), "not a number"));
    }
    if !panel.thresholds.is_sorted_by(|a, b| a.value < b.value) {
        return Err(mistake(format!("{path}.thresholds"), "their values ascend"));
    }
    // Elsewhere than on this page, a link could lead a reader astray.
    if panel.link.as_ref().is_some_and(|link| !link.starts_with('/') || link.starts_with("//") || link.contains('\\')) {
        return Err(mistake(format!("{path}.link"), "a path of the page, as /?q=…"));
    }
    Ok(())
}

fn check_query(path: &str, query: &str, language: Language, chosen: &Choices, now: Timestamp) -> Result<(), Mistake> {
    types::ensure!(query.len() <= QUERY_BYTES_MAX, mistake(path, "a query has 64 KiB at most"));
    let mut choices = chosen.clone();
    let built_in = ["__interval", "__rate_interval", "__range"];
    choices.extend(built_in.map(|name| (name.to_owned(), Choice::One("1m".to_owned()))));
    let filled = fill::fill(query, language, &choices).map_err(|error| mistake(path, error.to_string()))?;
    let options = ParseOptions { now, time_zone: chrono_tz::Tz::UTC };
    let read = match language {
        Language::Insights => language::parse_insights(&filled, &options).map(drop).map_err(|error| error.to_string()),
        Language::Logql => logql::parse(&filled).map(drop).map_err(|error| error.to_string()),
        Language::Promql => promql::parse(&filled).map(drop).map_err(|error| error.to_string()),
        Language::Lucene => language::parse_lucene(&filled, now).map(drop).map_err(|error| error.to_string()),
        Language::Kql => language::parse_kql(&filled, now).map(drop).map_err(|error| error.to_string()),
        Language::FilterPattern => language::parse_filter_pattern(&filled).map(drop).map_err(|error| error.to_string()),
        Language::Traceql => traceql::parse(&filled)
            .and_then(|query| traceql::lines_plan(&query, now, now, None))
            .map(drop)
            .map_err(|error| error.to_string()),
        Language::Esql => esql::parse(&filled, &esql::Parameters::default())
            .map(drop)
            .map_err(|error| error.in_text(&filled).to_string()),
    };
    read.map_err(|problem| mistake(path, problem))
}

fn title(path: &str, text: &str) -> Result<(), Mistake> {
    if text.chars().count() > TITLE_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(mistake(path, format!("at most {TITLE_CHARS_MAX} characters, none of them a control character")));
    }
    Ok(())
}

fn text(path: &str, text: &str) -> Result<(), Mistake> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(mistake(path, format!("at most {TEXT_CHARS_MAX} characters")));
    }
    Ok(())
}

fn at_most(path: &str, n: usize, max: usize) -> Result<(), Mistake> {
    if n > max { Err(mistake(path, format!("{n} are too many: {max} at most"))) } else { Ok(()) }
}

fn mistake(path: impl Into<String>, problem: impl Into<String>) -> Mistake {
    Mistake { path: path.into(), problem: problem.into() }
}

#[cfg(test)]
mod tests;

//! Reads the form of golden cases.

use serde_json::Value as Json;

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Unique within its file.
    pub(crate) name: String,
    /// Groups with their events as JSON lines; the first has no name.
    pub(crate) events: Vec<(String, String)>,
    /// Names of uploaded tables with their text.
    pub(crate) tables: Vec<(String, String)>,
    /// The query.
    pub(crate) query: String,
    /// The language of the query; without it, Insights.
    pub(crate) language: Option<String>,
    /// The zone of the request; without it, UTC.
    pub(crate) time_zone: Option<String>,
    /// Start, end and step of a metric query; without them, one instant.
    pub(crate) steps: Option<String>,
    /// First and last time of the request.
    pub(crate) window: Option<(String, String)>,
    /// What must come of it.
    pub(crate) expected: Expected,
}

/// What must come of a case.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// These rows.
    Rows { columns: Vec<String>, rows: Vec<Vec<Json>>, any_order: bool, warnings: Vec<String> },
    /// A refusal at this place, with this text.
    Error { place: String, text: String },
    /// Any rows.
    Runs,
}

/// Reads all cases of a file.
pub(crate) fn read(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for block in text.split("\n=== ").skip(1) {
        let (name, body) = block.split_once('\n').unwrap_or((block, ""));
        let (events, tables) = cases.last().map(|case| (case.events.clone(), case.tables.clone())).unwrap_or_default();
        cases.push(read_case(name.trim(), body, events, tables));
    }
    cases
}

/// The sections of a case: heading and content.
fn sections(body: &str) -> Vec<(&str, &str)> {
    let marked: Vec<usize> = body
        .match_indices("--- ")
        .map(|(at, _)| at)
        .filter(|at| *at == 0 || body.as_bytes()[at - 1] == b'\n')
        .collect();
    let ends = marked.iter().skip(1).copied().chain([body.len()]);
    let mut sections = Vec::new();
    for (start, end) in marked.iter().zip(ends) {
        let section = &body[start + 4..end];
        let (heading, content) = section.split_once('\n').unwrap_or((section, ""));
        sections.push((heading.trim(), content));
    }
    sections
}

fn read_case(name: &str, body: &str, events: Vec<(String, String)>, tables: Vec<(String, String)>) -> Case {
    let mut case = Case {
        name: name.into(),
        events,
        tables,
        query: String::new(),
        language: None,
        time_zone: None,
        steps: None,
        window: None,
        expected: Expected::Runs,
    };
    let (mut columns, mut rows, mut any_order, mut warnings) = (Vec::new(), None, false, Vec::new());
    let mut is_first = true;
    for (heading, content) in sections(body) {
        let (kind, rest) = heading.split_once(' ').unwrap_or((heading, ""));
        match kind {
            "events" => {
                if std::mem::take(&mut is_first) {
                    case.events.clear();
                }
                case.events.push((rest.trim().into(), content.trim_end().into()));
            }
            "lookup" => case.tables.push((rest.trim().into(), content.into())),
            "query" => {
                case.query = content.strip_suffix('\n').unwrap_or(content).into();
                case.language = (!rest.trim().is_empty()).then(|| rest.trim().into());
            }
            "steps" => case.steps = Some(content.trim().into()),
            "time_zone" => case.time_zone = Some(content.trim().into()),
            "window" => {
                let (from, to) = content.trim().split_once(' ').expect("a window has two times");
                case.window = Some((from.into(), to.into()));
            }
            "columns" => columns = serde_json::from_str(content).expect("columns are a JSON list"),
            "rows" => {
                any_order = rest.trim() == "any order";
                let lines = content.lines().filter(|line| !line.trim().is_empty());
                rows = Some(lines.map(|line| serde_json::from_str(line).expect("a row is a JSON list")).collect());
            }
            "warnings" => {
                warnings = content.lines().filter(|l| !l.is_empty()).map(|l| l.trim().to_lowercase()).collect()
            }
            "error" => {
                let (place, text) = content.trim().split_once(' ').unwrap_or((content.trim(), ""));
                case.expected = Expected::Error { place: place.into(), text: text.into() };
            }
            "runs" => {}
            other => panic!("{name}: unknown section {other}"),
        }
    }
    // A case may end with its query: the blank line before the next case is none of it.
    case.query = case.query.trim_end_matches('\n').into();
    if let Some(rows) = rows {
        case.expected = Expected::Rows { columns, rows, any_order, warnings };
    }
    case
}

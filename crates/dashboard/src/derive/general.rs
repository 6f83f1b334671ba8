//! What every log has: how much there is, how bad it is, what failed most, the newest lines.

use plan::{HOST_FIELDS, SERVICE_FIELDS};

use super::board::{Board, lines, present};
use super::facts::Subject;
use super::insights::{field, percentiles};
use super::{access, lambda};
use crate::document::PanelKind;

/// The condition of errors.
pub(super) const ERRORS: &str = "@level >= \"error\"";

/// Fields that tell how long something took, with their units.
const DURATIONS: [(&str, &str); 12] = [
    ("duration_ms", "ms"),
    ("ms", "ms"),
    ("elapsed_ms", "ms"),
    ("latency_ms", "ms"),
    ("took_ms", "ms"),
    ("response_time_ms", "ms"),
    ("durationMs", "ms"),
    ("elapsedMs", "ms"),
    ("latencyMs", "ms"),
    ("duration_seconds", "s"),
    ("elapsed_seconds", "s"),
    ("latency_seconds", "s"),
];

/// Adds how many lines there are, of which level, host and service.
pub(super) fn add_overview(board: &mut Board<'_>) {
    board.section("Overview");
    board.add(lines(PanelKind::Number, "Lines", "", "stats count(*) as lines").unit("count"));
    board.add(lines(PanelKind::Number, "Errors", ERRORS, "stats count(*) as errors").unit("count"));
    board.add(lines(PanelKind::Number, "Warnings", "@level = \"warn\"", "stats count(*) as warnings").unit("count"));
    let (host, service) = places(board);
    for (title, place) in [("Hosts", &host), ("Services", &service)] {
        if let Some(Place { value, is_there }) = place {
            let query = format!("stats count_distinct({value}) as n");
            board.add(lines(PanelKind::Number, title, is_there, query).unit("count"));
        }
    }
    let by_level = "stats count(*) as lines by bin($__interval), @level";
    board.add(lines(PanelKind::Area, "Lines by level", "", by_level).unit("count").stacked());
    let by_level = "stats count(*) as errors by bin($__interval), @level";
    board.add(lines(PanelKind::Bar, "Errors over time", ERRORS, by_level).unit("count").stacked());
    let groups = &board.lines().groups;
    let is_of_several = groups.len() > 1 && !matches!(board.facts.subject, Subject::Group(_));
    let group = is_of_several.then(|| Place { value: "@log".to_owned(), is_there: String::new() });
    for (title, place) in [("Lines by group", group), ("Lines by host", host), ("Lines by service", service)] {
        if let Some(Place { value, is_there }) = place {
            let query = format!("stats count(*) as lines by {value} as name | sort lines desc | limit 10");
            board.add(lines(PanelKind::Bar, title, &is_there, query).unit("count"));
        }
    }
    add_durations(board);
}

/// Adds what failed most, and the newest lines.
pub(super) fn add_errors(board: &mut Board<'_>) {
    board.section("What failed");
    let patterns = "pattern @message | sort @sampleCount desc | limit 10 | display @sampleCount, @pattern";
    board.add(lines(PanelKind::Table, "What failed most", ERRORS, patterns));
    let (host, service) = places(board);
    if let Some(Place { value, is_there }) = service.or(host) {
        let query = format!("stats count(*) as errors by {value} as name | sort errors desc | limit 10");
        let condition = format!("{ERRORS} and {is_there}");
        board.add(lines(PanelKind::Bar, "Where it failed", &condition, query).unit("count"));
    }
    let newest = "fields @timestamp, @message | sort @timestamp desc | limit 50";
    board.add(lines(PanelKind::Logs, "Newest errors", ERRORS, newest));
    board.section("Lines");
    board.add(lines(PanelKind::Table, "Most frequent lines", "", patterns));
    board.add(lines(PanelKind::Logs, "Newest lines", "", newest));
}

/// What names the host or the service of an event. Each sender may call it by another name.
struct Place {
    value: String,
    /// The condition that it is there.
    is_there: String,
}

/// Returns what names hosts and services, where there is more than one of them to tell apart.
fn places(board: &Board<'_>) -> (Option<Place>, Option<Place>) {
    let facts = board.lines();
    let several = |names: &[&'static str]| {
        let own: Vec<&str> = names.iter().copied().filter(|name| facts.has(name)).collect();
        let is_several = own.iter().any(|name| facts.n_distinct(name) > 1);
        let fields: Vec<String> = own.iter().map(|name| field(name)).collect();
        is_several.then(|| match &own[..] {
            [name] => Place { value: field(name), is_there: present(name) },
            _ => {
                let value = format!("coalesce({})", fields.join(", "));
                Place { is_there: format!("ispresent({value})"), value }
            }
        })
    };
    let host = several(&HOST_FIELDS).filter(|_| !matches!(board.facts.subject, Subject::Host(_)));
    let service = several(&SERVICE_FIELDS).filter(|_| !matches!(board.facts.subject, Subject::Service(_)));
    (host, service)
}

/// Adds how long things took, where a field says so and nothing else here knows what it is about.
fn add_durations(board: &mut Board<'_>) {
    let facts = board.lines();
    if access::is_recognised(facts) || lambda::is_recognised(facts) {
        return;
    }
    let Some((name, unit)) = DURATIONS.into_iter().find(|(name, _)| facts.has(name)) else { return };
    let query = format!("stats {} by bin($__interval)", percentiles(name));
    board.add(lines(PanelKind::Line, "Durations", &format!("{name} >= 0"), query).unit(unit));
}

//! The alerts that concern a group or service: a label names it, or one of the events that they are about is of it.

use alert::AlertView;
use dashboard::derive::Subject;
use plan::SERVICE_FIELDS;
use types::{GroupPattern, TimeRange, Timestamp};

use crate::routes::alerts::visible;
use crate::subject::SubjectReader;
use door::{QueryRun, Result};

/// Alerts whose events are looked at; of more, those that name it by a label are told.
const ALERTS_MAX: usize = 100;

/// Time before the range of an alert in which a source that fell silent had its last events.
const BEFORE: i64 = 30 * Timestamp::MINUTE;

/// Time after its beginning whose events tell whom an alert concerns, however long it lasts.
const AFTER: i64 = 10 * Timestamp::MINUTE;

/// Finds the alerts that fire and concern a subject.
pub(super) fn alerts(run: &QueryRun<'_>, subject: &Subject, now: Timestamp) -> Result<Vec<AlertView>> {
    let mut found = Vec::new();
    let firing = visible(run.server).into_iter().filter(|alert| alert.state == "alarm");
    for (at, alert) in firing.enumerate() {
        if is_named(&alert, subject) || at < ALERTS_MAX && is_of_events(run, &alert, subject, now)? {
            found.push(alert);
        }
    }
    Ok(found)
}

fn is_named(alert: &AlertView, subject: &Subject) -> bool {
    let is_own = |name: &str| alert.labels.get(name).is_some_and(|own| own == subject.name());
    match subject {
        Subject::Group(_) => ["@log", "group"].into_iter().any(is_own),
        Subject::Service(_) | Subject::Host(_) => {
            SERVICE_FIELDS.iter().chain(subject.labels()).any(|name| is_own(name))
        }
    }
}

fn is_of_events(run: &QueryRun<'_>, alert: &AlertView, subject: &Subject, now: Timestamp) -> Result<bool> {
    let about = run.server.app.alerts.subject_of(&alert.id).filter(|about| about.is_of_events);
    let Some((about, plan)) = about.as_ref().and_then(|about| Some((about, about.plans.first()?))) else {
        return Ok(false);
    };
    let groups = match subject {
        Subject::Group(name) if GroupPattern::any_matches(&about.groups, name) => {
            vec![GroupPattern::new(name.as_str())]
        }
        Subject::Group(_) => return Ok(false),
        Subject::Service(_) | Subject::Host(_) => about.groups.clone(),
    };
    let since = Timestamp::parse_rfc3339(&alert.since).unwrap_or(now);
    let to = about.range.to.min(Timestamp(since.0.saturating_add(AFTER)));
    let range = TimeRange { from: Timestamp(about.range.from.0.saturating_sub(BEFORE)), to };
    SubjectReader { run, range, now }.has_any(plan, groups, &subject.condition().unwrap_or_default())
}

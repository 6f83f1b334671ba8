//! Ready-made dashboards of the groups, services and hosts within the caller's scope.

use dashboard::derive::{Subject, derive, in_language};
use plan::{HOST_FIELDS, SERVICE_FIELDS};
use types::{Locale, TimeRange, Timestamp};

use crate::dashboards::DashboardView;
use crate::state::Shared;
use crate::subject::{SubjectReader, text};
use dashboard::Dashboard;
use door::{Problem, QueryRun, Result};

/// Most groups of a list, and most services and hosts each.
const GROUPS_MAX: usize = 500;
const PLACES_MAX: usize = 200;

/// A metric that every machine has once.
const OF_MACHINE: &str = "node_load1";

/// Returns the dashboard of a subject, from what a range has; the last day where none is given.
pub(super) async fn find(
    server: &Shared,
    name: String,
    subject: Subject,
    (range, locale): (Option<TimeRange>, Locale),
) -> Result<DashboardView> {
    let now = server.now();
    let range = range.unwrap_or(last_day(now));
    let nothing = format!("there is nothing of {} {:?} in this time", subject.kind(), subject.name());
    let facts = server.read(&name, move |run| SubjectReader { run, range, now }.facts(subject)).await?;
    let derived =
        derive(&facts).ok_or_else(|| Problem::not_found(nothing).hint("ask about a longer time, as from=now-7d"))?;
    Ok(DashboardView::derived(name, in_language(derived, locale)))
}

/// Returns all dashboards that are derived: of groups, services and hosts with events in the last day.
pub(super) fn list(run: &QueryRun<'_>) -> Result<Vec<DashboardView>> {
    let now = run.server.now();
    let reader = SubjectReader { run, range: last_day(now), now };
    let known = reader.known_groups();
    let groups = [&known.lines[..], &known.spans, &known.samples].concat();
    let events = [known.lines, known.spans].concat();
    let places = |fields: &[&str]| {
        let query = format!(
            "stats count(*) as n by coalesce({}) as place | filter ispresent(place) | sort n desc | limit {PLACES_MAX}",
            fields.join(", ")
        );
        reader.rows(&events, &query)
    };
    let (services, mut hosts) = (places(&SERVICE_FIELDS)?, places(&HOST_FIELDS)?);
    let machines = format!(
        "filter name = \"{OF_MACHINE}\" | stats count(*) as n by regexp_replace(instance, \":[0-9]+$\", \"\") as place \
         | filter ispresent(place) | limit {PLACES_MAX}"
    );
    hosts.extend(reader.rows(&known.samples, &machines)?);
    let named = |rows: Vec<_>| {
        let mut names: Vec<String> = rows.iter().filter_map(|row: &crate::subject::Row| text(row.first())).collect();
        names.sort();
        names.dedup();
        names
    };
    let groups = groups.into_iter().take(GROUPS_MAX).map(Subject::Group);
    let services = named(services).into_iter().map(Subject::Service);
    let hosts = named(hosts).into_iter().map(Subject::Host);
    Ok(groups.chain(services).chain(hosts).map(|subject| entry(&subject)).collect())
}

/// Returns what a list says of a subject's dashboard.
fn entry(subject: &Subject) -> DashboardView {
    let title = subject.name().to_owned();
    let document = Dashboard { title, tags: vec![subject.kind().to_owned()], ..Dashboard::default() };
    DashboardView::derived(format!("{}:{}", subject.kind(), subject.name()), document)
}

fn last_day(now: Timestamp) -> TimeRange {
    let (from, to) = (now.0.saturating_sub(Timestamp::DAY), now.0.saturating_add(Timestamp::MINUTE));
    TimeRange { from: Timestamp(from), to: Timestamp(to) }
}

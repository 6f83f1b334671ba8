//! Issues as the API shows them: counts of all parts of an issue, and what was decided about it.

use std::collections::BTreeMap;

use serde::Serialize;
use types::{Timestamp, percent_encoded};

use super::deaths::DeathSeries;
use super::decision::{Decision, Decisions, IssueState, Until, count_of};
use super::record::{IssueCounts, IssueRecord, Seen};
use plan::SERVICE_FIELDS;
use plan::insights_text::quoted;

/// Shorter names of functions occur in too many events.
const NAME_BYTES_MIN: usize = 4;

/// Hours of the trend.
const TREND_HOURS: i64 = 24;

/// An issue: errors that are one pattern at one place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IssueView {
    /// Its identity for its life.
    pub id: String,
    /// What to call it.
    pub title: String,
    /// The pattern of its messages.
    pub pattern: String,
    /// Functions of its stack trace, innermost first; none for an issue of messages.
    pub frames: Vec<String>,
    /// The log group.
    pub group: String,
    /// The service, where events name one.
    pub service: Option<String>,
    /// What was decided, or what events made of it.
    pub state: IssueState,
    /// Who works on it.
    pub owner: Option<String>,
    /// What they say about it, or that a new rule of grouping split or merged it.
    pub note: Option<String>,
    /// Until when it is ignored: a number of further events, or a time.
    pub until: Option<UntilView>,
    /// The version in which it is resolved, or until which it is ignored.
    pub version: Option<String>,
    /// Who set the state, and when.
    pub decided_by: Option<String>,
    /// See `decided_by`.
    pub decided_at: Option<String>,
    /// The event with which it came back after that.
    pub regressed_at: Option<String>,
    /// See `regressed_at`.
    pub regressed_in: Option<String>,
    /// When its first event happened.
    pub first_seen: String,
    /// When its newest event happened.
    pub last_seen: String,
    /// The `@id` of the newest event.
    pub last_event: String,
    /// All its events since it exists, whether or not they are still stored.
    pub count: u64,
    /// Events of each of the last 24 hours, the oldest first; the last hour is the current one.
    pub trend: Vec<u64>,
    /// Programs that died again and again, those with the newest deaths first.
    pub restarts: Vec<RestartView>,
    /// Versions that events name, the newest first.
    pub versions: Vec<String>,
    /// Counts and times of these versions, in the same order.
    pub version_counts: Vec<VersionView>,
    /// Hosts that events name, those with most events first.
    pub hosts: Vec<String>,
    /// Counts of these hosts, in the same order.
    pub host_counts: Vec<HostView>,
    /// Ids of traces, the newest last.
    pub traces: Vec<String>,
    /// Issues that were merged into this one.
    pub merged: Vec<String>,
    /// A query for its events.
    pub query: String,
    /// Where the page shows them, below the server's address.
    pub url: String,
}

/// A version and when it had the issue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionView {
    /// The version.
    pub version: String,
    /// Events that name it.
    pub count: u64,
    /// When the first and the last of them happened.
    pub first_seen: String,
    /// See `first_seen`.
    pub last_seen: String,
}

/// A host and its share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostView {
    /// The host.
    pub host: String,
    /// Events that name it.
    pub count: u64,
}

/// A program that died again and again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RestartView {
    /// The program, where a text or the service names it.
    pub program: Option<String>,
    /// Its host, where events name one.
    pub host: Option<String>,
    /// Its deaths in a row.
    pub count: u64,
    /// When the first and the last of them happened.
    pub since: String,
    /// See `since`.
    pub last: String,
    /// The usual time from one death to the next.
    pub every_ms: i64,
    /// Whether the next death is still expected.
    pub ongoing: bool,
}

/// What an issue is ignored until.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UntilView {
    /// Further events until then.
    Count(u64),
    /// The time.
    Time(String),
}

/// Returns all issues, those with the newest events first.
pub(super) fn views(counted: &IssueCounts, decisions: &Decisions, now: Timestamp) -> Vec<IssueView> {
    let mut parts: BTreeMap<&str, Vec<(&str, &IssueRecord)>> = BTreeMap::new();
    for (id, record) in &counted.issues {
        parts.entry(decisions.root(id)).or_default().push((id, record));
    }
    let mut views: Vec<(i64, IssueView)> =
        parts.into_iter().map(|(id, parts)| view(id, parts, decisions.get(id), now)).collect();
    views.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.id.cmp(&other.id)));
    views.into_iter().map(|(_, view)| view).collect()
}

fn view(
    id: &str,
    mut parts: Vec<(&str, &IssueRecord)>,
    decision: Option<&Decision>,
    now: Timestamp,
) -> (i64, IssueView) {
    // The issue itself names it, where it still has events of its own.
    parts.sort_by_key(|(part, record)| (*part != id, record.began));
    let records: Vec<&IssueRecord> = parts.iter().map(|(_, record)| *record).collect();
    let own = records[0];
    let newest = records.iter().max_by_key(|record| record.last).copied().unwrap_or(own);
    let decided = decision.cloned().unwrap_or_default();
    let back = records.iter().filter_map(|record| record.back.as_ref());
    let back = back.filter(|back| decided.state == IssueState::Resolved && back.revision == decided.revision);
    let back = back.min_by_key(|back| back.at);
    let is_set = decided.revision > 0;
    let first = records.iter().map(|record| record.first).min().unwrap_or_default();
    let query = query_of(&records);
    let (version_counts, host_counts) = (versions(&records), hosts(&records));
    let view = IssueView {
        id: id.to_owned(),
        title: own.title.clone(),
        pattern: own.pattern.clone(),
        frames: own.frames.clone(),
        group: own.group.clone(),
        service: own.service.clone(),
        state: decided.effective(&records, now),
        until: decided.until.as_ref().map(|until| match until {
            Until::Count(n) => UntilView::Count((n + decided.count).saturating_sub(count_of(&records))),
            Until::Time(at) => UntilView::Time(Timestamp(*at).to_string()),
        }),
        version: decided.version,
        decided_by: is_set.then_some(decided.by),
        decided_at: is_set.then(|| Timestamp(decided.at).to_string()),
        owner: decided.owner,
        note: decided.note.or_else(|| own.note.clone()),
        regressed_at: back.map(|back| Timestamp(back.at).to_string()),
        regressed_in: back.and_then(|back| back.version.clone()),
        first_seen: Timestamp(first).to_string(),
        last_seen: Timestamp(newest.last).to_string(),
        last_event: newest.last_id.clone(),
        count: count_of(&records),
        trend: trend(&records, now),
        restarts: restarts(&records, now),
        versions: version_counts.iter().map(|one| one.version.clone()).collect(),
        version_counts,
        hosts: host_counts.iter().map(|one| one.host.clone()).collect(),
        host_counts,
        traces: newest.traces.clone(),
        merged: parts.iter().filter(|(part, _)| *part != id).map(|(part, _)| (*part).to_owned()).collect(),
        url: url_of(own, &query, first, newest.last),
        query,
    };
    (newest.last, view)
}

fn trend(records: &[&IssueRecord], now: Timestamp) -> Vec<u64> {
    let last = now.0.div_euclid(Timestamp::HOUR);
    let count = |hour: i64| records.iter().filter_map(|record| record.hours.get(&hour)).sum();
    (last - TREND_HOURS + 1..=last).map(count).collect()
}

fn versions(records: &[&IssueRecord]) -> Vec<VersionView> {
    let mut all: BTreeMap<&str, Seen> = BTreeMap::new();
    for (version, seen) in records.iter().flat_map(|record| &record.versions) {
        let sum = all.entry(version).or_insert(Seen { count: 0, ..seen.clone() });
        *sum = Seen { first: sum.first.min(seen.first), last: sum.last.max(seen.last), count: sum.count + seen.count };
    }
    let mut all: Vec<(&str, Seen)> = all.into_iter().collect();
    all.sort_by(|(a, _), (b, _)| super::decision::order(b, a).then_with(|| a.cmp(b)));
    let view = |(version, seen): (&str, Seen)| VersionView {
        version: version.to_owned(),
        count: seen.count,
        first_seen: Timestamp(seen.first).to_string(),
        last_seen: Timestamp(seen.last).to_string(),
    };
    all.into_iter().map(view).collect()
}

fn restarts(records: &[&IssueRecord], now: Timestamp) -> Vec<RestartView> {
    let mut all: Vec<&DeathSeries> = records.iter().flat_map(|record| record.deaths.loops()).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.last));
    let view = |one: &DeathSeries| RestartView {
        program: one.program.clone(),
        host: one.host.clone(),
        count: one.count,
        since: Timestamp(one.since).to_string(),
        last: Timestamp(one.last).to_string(),
        every_ms: one.every_ms(),
        ongoing: one.lasts(now),
    };
    all.into_iter().map(view).collect()
}

fn hosts(records: &[&IssueRecord]) -> Vec<HostView> {
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    for (host, n) in records.iter().flat_map(|record| &record.hosts) {
        *all.entry(host).or_default() += n;
    }
    let mut all: Vec<HostView> =
        all.into_iter().map(|(host, count)| HostView { host: host.to_owned(), count }).collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.host.cmp(&b.host)));
    all
}

/// Returns an Insights query for the events of an issue, of which some records are the parts: its level, and services and
/// patterns.
pub(super) fn query_of(records: &[&IssueRecord]) -> String {
    let mut parts: Vec<[Option<String>; 2]> =
        records.iter().map(|record| [service_text(record), pattern_text(record)]).collect();
    parts.sort_unstable();
    parts.dedup();
    let mut query = String::from("filter @level >= \"error\"");
    match parts.as_slice() {
        [[service, pattern]] => {
            service.iter().for_each(|condition| query += &format!(" and {condition}"));
            pattern.iter().for_each(|condition| query += &format!("\n| filter {condition}"));
        }
        several if several.iter().all(|conditions| conditions.iter().any(Option::is_some)) => {
            let both = |conditions: &[Option<String>; 2]| conditions.iter().flatten().cloned().collect::<Vec<_>>();
            let any: Vec<String> = several.iter().map(|part| format!("({})", both(part).join(" and "))).collect();
            query += &format!("\n| filter {}", any.join(" or "));
        }
        _ => {}
    }
    query
}

fn service_text(record: &IssueRecord) -> Option<String> {
    let service = record.service.as_ref()?;
    Some(format!("coalesce({}) = {}", SERVICE_FIELDS.join(", "), quoted(service)))
}

fn pattern_text(record: &IssueRecord) -> Option<String> {
    if let Some(frame) = record.frames.first() {
        // The name of the innermost function up to what varies in it; its trace may be in any field.
        let name = frame.rsplit(':').next().unwrap_or(frame);
        let name = name.split('*').next().filter(|name| name.len() >= NAME_BYTES_MIN)?;
        return Some(format!("@any like {}", quoted(name)));
    }
    // Lines that are JSON themselves have their text in a field.
    let condition = pattern::pattern_lines(&record.pattern, Some(""))?;
    plan::insights_text::text(&condition)
}

pub(super) fn url_of(record: &IssueRecord, query: &str, first: i64, last: i64) -> String {
    let (from, to) = (Timestamp(first).to_string(), Timestamp(last.saturating_add(Timestamp::SECOND)).to_string());
    let parts = [("q", query), ("groups", &*record.group), ("from", &*from), ("to", &*to)];
    let parts: Vec<String> = parts.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
    format!("/?{}", parts.join("&"))
}

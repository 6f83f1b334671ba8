//! What events tell: when the last one came, how many requests failed, how long they take, how many errors there are.

use alert::AlertView;
use dashboard::derive::{EventFacts, Subject, request_fields};
use serde_json::{Value, json};
use types::{TimeRange, Timestamp, Value as Cell};

use super::concerning;
use crate::ask::{Ask, Groups};
use crate::routes::onset;
use crate::subject::{SubjectGroups, SubjectReader, filter, number};
use door::{QueryRun, Result};

/// The time that is *now*, that is compared with what is usual, and within which something must have been heard at all.
const RECENT: i64 = 15 * Timestamp::MINUTE;
const HOUR: i64 = Timestamp::HOUR;
const DAY: i64 = Timestamp::DAY;
const WEEK: i64 = 7 * Timestamp::DAY;

/// Fewer requests say nothing about how things are.
const REQUESTS_MIN: u64 = 5;

/// Shares of failed requests from which on there is trouble, and nothing works.
const TROUBLE: f64 = 0.05;
const DOWN: f64 = 0.5;

/// How much longer than usual counts as slower, in share and in ms: nobody notices less.
const SLOWER: f64 = 1.5;
const SLOWER_MS: f64 = 50.0;

/// The same for the slowest in twenty, of at least so many requests: chance makes some of few slow.
const SLOWER_FOR_SOME: f64 = 2.0;
const REQUESTS_FOR_SOME_MIN: f64 = 60.0;

/// How many usual gaps between lines a silence lasts.
const GAPS: i64 = 20;

/// What events tell.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// When the newest event happened.
    pub(super) last: Option<Timestamp>,
    /// Events of the last day.
    n_day: u64,
    /// The requests of the last minutes.
    pub(super) requests: Requests,
    pub(super) speed: Speed,
    errors: Errors,
    /// Alerts that fire and concern it.
    pub(super) alerts: Vec<AlertView>,
    /// Whether something of this could not be read.
    pub(super) is_partial: bool,
}

/// The requests of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Requests {
    n: u64,
    n_failed: u64,
    /// Since when they fail.
    pub(super) since: Option<Timestamp>,
}

/// How long requests take: in the last minutes, or the last hour where few came, and in the day before.
#[derive(Debug, Default)]
pub(super) struct Speed {
    now: Option<Durations>,
    usual: Option<Durations>,
}

/// How long requests of some time took, in ms.
#[derive(Clone, Copy, Debug)]
struct Durations {
    n: f64,
    /// Half of them were faster.
    ms: f64,
    /// Nineteen in twenty of them were.
    slow_ms: f64,
}

/// Errors of the last day.
#[derive(Debug, Default)]
struct Errors {
    n: u64,
    first: Option<Timestamp>,
    /// When they became more than usual.
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
}

/// What requests are told by: the groups, the condition, that of failures, the expression of their time in ms.
struct Source {
    groups: Vec<String>,
    condition: String,
    failed: String,
    ms: Option<String>,
}

/// Measures a subject.
pub(super) fn measure(run: &QueryRun<'_>, subject: &Subject, now: Timestamp) -> Result<Measured> {
    let over = |ns: i64| SubjectReader { run, range: before(now, ns), now };
    let (week, day) = (over(WEEK), over(DAY));
    let groups = week.groups(subject)?;
    let own = subject.condition().unwrap_or_default();
    let events = [groups.lines.clone(), groups.spans.clone(), of_group(subject, &groups)].concat();
    let last = newest(&week, &events, &own)?;
    if last.is_none() {
        return Ok(Measured::default());
    }
    let source = source(&day, &groups, &own)?;
    let (mut requests, mut speed) = (Requests::default(), Speed::default());
    if let Some(source) = &source {
        requests = self::requests(&over(RECENT), source)?;
        if requests.is_troubled() {
            let query = format!("filter {} and {}", source.condition, source.failed);
            requests.since = onset_of(run, query, &source.groups)?.0;
        }
        speed = Speed::of(run, source, now)?;
    }
    let (errors, is_partial) = errors(run, &day, &[groups.lines, groups.spans].concat(), &own)?;
    let n_day = day.count(&events, &own)?;
    let alerts = concerning::alerts(run, subject, now)?;
    Ok(Measured { last, n_day, requests, speed, errors, alerts, is_partial })
}

/// Returns the groups of samples that belong to a subject: of a group, itself.
fn of_group(subject: &Subject, groups: &SubjectGroups) -> Vec<String> {
    if matches!(subject, Subject::Group(_)) { groups.samples.clone() } else { Vec::new() }
}

fn newest(reader: &SubjectReader<'_, '_>, groups: &[String], own: &str) -> Result<Option<Timestamp>> {
    let rows = reader.rows(groups, &format!("{}stats max(@timestamp) as newest", filter(own)))?;
    Ok(rows.first().and_then(|row| instant(row.first())))
}

/// Finds out what requests are told by: spans of the server's side, else lines of an access log.
fn source(day: &SubjectReader<'_, '_>, groups: &SubjectGroups, own: &str) -> Result<Option<Source>> {
    let both = |condition: String| if own.is_empty() { condition } else { format!("{own} and {condition}") };
    let served = both("kind in [\"server\", \"consumer\"]".to_owned());
    if day.count(&groups.spans, &served)? > 0 {
        let (groups, failed) = (groups.spans.clone(), "status = \"error\"".to_owned());
        return Ok(Some(Source { groups, condition: served, failed, ms: Some("duration_ms".to_owned()) }));
    }
    let facts: EventFacts = day.event_facts(groups.lines.clone(), own)?;
    let Some(fields) = request_fields(&facts) else { return Ok(None) };
    let condition = both(format!("{} between 100 and 599", fields.status));
    if day.count(&groups.lines, &condition)? == 0 {
        return Ok(None);
    }
    let ms = fields.time.map(|(name, factor)| format!("{name} * {factor}"));
    Ok(Some(Source { groups: groups.lines.clone(), condition, failed: format!("{} >= 500", fields.status), ms }))
}

fn requests(recent: &SubjectReader<'_, '_>, source: &Source) -> Result<Requests> {
    let n = recent.count(&source.groups, &source.condition)?;
    let n_failed = recent.count(&source.groups, &format!("{} and {}", source.condition, source.failed))?;
    Ok(Requests { n, n_failed, since: None })
}

/// Counts the errors of the last day, and finds out when they became more than usual.
fn errors(run: &QueryRun<'_>, day: &SubjectReader<'_, '_>, groups: &[String], own: &str) -> Result<(Errors, bool)> {
    let condition =
        [own, "@level >= \"error\""].into_iter().filter(|one| !one.is_empty()).collect::<Vec<_>>().join(" and ");
    let rows = day.rows(groups, &format!("filter {condition} | stats count(*) as n, min(@timestamp) as oldest"))?;
    let Some(row) = rows.first() else { return Ok((Errors::default(), false)) };
    let n = row.first().and_then(|cell| number(cell.as_ref())).unwrap_or_default() as u64;
    if n == 0 {
        return Ok((Errors::default(), false));
    }
    let (began, ended, is_partial) = onset_of(run, format!("filter {condition}"), groups)?;
    Ok((Errors { n, first: instant(row.get(1)), began, ended }, is_partial))
}

/// Returns when what a query selects rose within the last day, when that ended, and whether something could not be read.
fn onset_of(
    run: &QueryRun<'_>,
    query: String,
    groups: &[String],
) -> Result<(Option<Timestamp>, Option<Timestamp>, bool)> {
    let ask = Ask {
        query,
        groups: Some(Groups::Many(groups.to_vec())),
        from: Some(Value::String("now-24h".to_owned())),
        ..Ask::default()
    };
    let found = onset::find(run, &ask.check(run.server.now())?)?;
    let (began, ended) = if found.onset.is_rise() { (found.onset.began, found.onset.ended) } else { (None, None) };
    Ok((began, ended, !found.partial_reasons.is_empty()))
}

impl Requests {
    fn share(&self) -> Option<f64> {
        (self.n >= REQUESTS_MIN).then(|| self.n_failed as f64 / self.n as f64)
    }

    /// Reports whether most requests fail.
    pub(super) fn is_down(&self) -> bool {
        self.share().is_some_and(|share| share >= DOWN)
    }

    /// Reports whether more requests fail than people put up with.
    pub(super) fn is_troubled(&self) -> bool {
        self.share().is_some_and(|share| share >= TROUBLE)
    }

    /// Returns how many of a hundred requests fail; none where there are too few to say.
    pub(super) fn failed_of_100(&self) -> Option<f64> {
        self.share().map(|share| crate::json::rounded(share * 100.0))
    }
}

impl Durations {
    fn of(reader: &SubjectReader<'_, '_>, source: &Source) -> Result<Option<Self>> {
        let Some(ms) = &source.ms else { return Ok(None) };
        let numbers = format!("pct({ms}, 50) as ms, pct({ms}, 95) as slow_ms, count({ms}) as n");
        let rows = reader.rows(&source.groups, &format!("filter {} | stats {numbers}", source.condition))?;
        let cell = |at: usize| number(rows.first()?.get(at)?.as_ref());
        let found = || Some(Self { ms: cell(0)?, slow_ms: cell(1)?, n: cell(2)? });
        Ok(found().filter(|found| found.n >= REQUESTS_MIN as f64 && found.ms >= 0.0))
    }
}

impl Speed {
    fn of(run: &QueryRun<'_>, source: &Source, now: Timestamp) -> Result<Self> {
        let over = |range: TimeRange| Durations::of(&SubjectReader { run, range, now }, source);
        let recent = over(before(now, RECENT))?.filter(|recent| recent.n >= REQUESTS_FOR_SOME_MIN);
        let recent = if recent.is_some() { recent } else { over(before(now, HOUR))? };
        let day = before(now, DAY);
        // What lasts since an hour is not what is usual.
        let earlier = over(TimeRange { to: Timestamp(now.0.saturating_sub(HOUR)), ..day })?;
        let usual = if earlier.is_some() { earlier } else { over(day)? };
        Ok(Self { now: recent, usual })
    }

    fn state(&self) -> &'static str {
        let is_beyond = |a: f64, b: f64, times: f64| a >= b * times && a - b >= SLOWER_MS;
        match (self.now, self.usual) {
            (Some(now), Some(usual)) if is_beyond(now.ms, usual.ms, SLOWER) => "slower",
            (Some(now), Some(usual))
                if now.n >= REQUESTS_FOR_SOME_MIN && is_beyond(now.slow_ms, usual.slow_ms, SLOWER_FOR_SOME) =>
            {
                "slower-for-some"
            }
            (Some(now), Some(usual)) if is_beyond(usual.ms, now.ms, SLOWER) => "faster",
            (Some(_), Some(_)) => "usual",
            (None, Some(_)) => "earlier",
            (_, None) => "unknown",
        }
    }

    /// Reports whether requests take longer than usual, or some of them do.
    pub(super) fn is_slower(&self) -> bool {
        ["slower", "slower-for-some"].contains(&self.state())
    }

    /// Returns how long requests take now, and how that compares.
    pub(super) fn to_json(&self) -> Value {
        let of = |durations: Option<Durations>, number: fn(Durations) -> f64| durations.map(number);
        json!({
            "state": self.state(),
            "ms": of(self.now.or(self.usual), |one| one.ms), "usual_ms": of(self.usual, |one| one.ms),
            "slow_ms": of(self.now.or(self.usual), |one| one.slow_ms), "usual_slow_ms": of(self.usual, |one| one.slow_ms),
        })
    }
}

impl Measured {
    /// Reports whether nothing was heard for longer than usual.
    pub(super) fn is_silent(&self, now: Timestamp) -> bool {
        let usual_gap = DAY / i64::try_from(self.n_day).unwrap_or(i64::MAX).max(1);
        let allowed = usual_gap.saturating_mul(GAPS).clamp(RECENT, DAY);
        self.last.is_none_or(|last| now.0.saturating_sub(last.0) > allowed)
    }

    /// Returns since when there are more errors than usual, if they have not stopped.
    pub(super) fn rising_since(&self) -> Option<Timestamp> {
        self.errors.began.filter(|_| self.errors.ended.is_none())
    }

    /// Returns the errors of the last day as one entry; `different` is the number of issues among them.
    pub(super) fn errors_json(&self, different: usize) -> Option<Value> {
        let Errors { n, first, began, ended } = &self.errors;
        let since = began.or(*first)?;
        Some(json!({
            "kind": "errors", "text": null, "since": since.to_string(), "until": ended.map(|at| at.to_string()),
            "open": self.rising_since().is_some(), "count": n, "different": different, "sudden": began.is_some(),
        }))
    }
}

fn instant(cell: Option<&Option<Cell>>) -> Option<Timestamp> {
    match cell?.as_ref()? {
        Cell::Timestamp(at) => Some(*at),
        _ => None,
    }
}

fn before(now: Timestamp, ns: i64) -> TimeRange {
    TimeRange { from: Timestamp(now.0.saturating_sub(ns)), to: Timestamp(now.0.saturating_add(Timestamp::MINUTE)) }
}

//! What changed: patterns that are new, gone, or come far more or less often than in the time before, with where they
//! come from, their first event, and a query for exactly their events; and what began anew.
//!
//! One pass over the range and one over the time before count everything; only the events that are shown are read
//! afterwards.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use plan::{Earlier, Expr, Operator, Patterns, Plan, earlier_range, insights_text};
use types::{Level, Run, TimeRange, Timestamp};

use super::restarts::Restart;
use crate::answers::event::{Event, read_events};
use crate::answers::restarts::restarts;
use crate::operators::patterns::bins::Bins;
use crate::operators::patterns::conditions::Conditions;
use crate::operators::patterns::ends::End;
use crate::operators::patterns::origins::{Origin as OriginOf, OriginField};
use crate::operators::patterns::pattern_sums::{Part, PatternSums, Sums, count_runs, mined};
use crate::operators::patterns::text_counts::TextCounts;
use crate::request::answer::{PartialReason, Stats};
use crate::request::error::Result;
use crate::request::parameters::Request;
use crate::scan::scanner::Scan;
use crate::scan::simplify::row_wise_lead;
use pattern::{Condition, change, id_of};

/// Spans of time whose counts are shown.
const SPANS: i64 = 30;

/// How many times more events make a pattern one that jumped, and how many times fewer.
const UP_MIN: f64 = 2.0;
const DOWN_MIN: f64 = 4.0;

/// Events that a pattern had before it is said to be gone: what is rare is gone most of the time.
const GONE_MIN: u64 = 5;

/// Patterns with a single event that are shown: most days have many of them, and each says little.
const SINGLES_MAX: usize = 5;

/// Services and hosts that are named of each.
const ORIGINS_MAX: usize = 5;

/// What changed in a range of time.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// What matters most first.
    pub changes: Vec<Change>,
    /// Whether there are more.
    pub more: bool,
    /// How many patterns were left out because they came only once.
    pub n_left_out: usize,
    /// What began anew, oldest first.
    pub restarts: Vec<Restart>,
    /// Whether more did.
    pub more_restarts: bool,
    /// The time before.
    pub baseline: Option<TimeRange>,
    /// Events in the range, and in the time before.
    pub n_events: [u64; 2],
    /// What it took.
    pub stats: Stats,
    /// Why something may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// A pattern that changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// The pattern, wildcards as `<*>`.
    pub pattern: String,
    /// Its stable name.
    pub id: String,
    /// `new`, `gone`, `up 8×`, `down 5×`.
    pub description: String,
    /// Events in the range, and in the time before.
    pub n_events: [u64; 2],
    /// The level of most of its events.
    pub level: Option<Level>,
    /// Services and hosts with the most events, the most first. Where events have no service it is their group.
    pub services: Vec<Origin>,
    /// The same of hosts; empty where events have none.
    pub hosts: Vec<Origin>,
    /// The first event, of the time before where it is gone.
    pub first: Option<Event>,
    /// When the last one was.
    pub last: Option<Timestamp>,
    /// Counts over the range, over the time before where it is gone.
    pub counts: Vec<(Timestamp, u64)>,
    /// What holds for its events, as text of the query language.
    pub condition: String,
    /// Whether it holds for no other events.
    pub is_exact: bool,
    /// A query for its events in Insights QL, where the language has words for what was asked; the language may refuse
    /// it.
    pub query: Option<String>,
}

/// A service, host or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The field that says so.
    pub field: &'static str,
    /// What it says.
    pub name: Arc<str>,
    /// Events in the range, and in the time before.
    pub n_events: [u64; 2],
}

/// Finds what changed among the events that the conditions at the head of `plan` let through, `limit` patterns at most.
pub fn changes(
    plan: &Plan,
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
    earlier: Earlier,
    limit: usize,
) -> Result<Changes> {
    let lead = row_wise_lead(plan, runs)?;
    let text = Expr::Field("@message".into());
    let patterns = Patterns { text, earlier: Some(earlier), is_scored: false, counts: Some(1) };
    let baseline = earlier_range(earlier, request.range, request.time_zone);
    let nothing = TimeRange { from: Timestamp(0), to: Timestamp(0) };
    let request_before = Request { range: baseline.unwrap_or(nothing), progress: None, ..*request };
    let scan = Scan::over(&lead, runs, request);
    let scan_before = Scan::over(&lead, runs, &request_before);
    let counted =
        count_runs(&scan, &lead, &patterns, bins_of(request.range), crate::operators::patterns::tally::Depth::Origins)?;
    let now = Part { scan: &scan, counted };
    let counted = count_runs(
        &scan_before,
        &lead,
        &patterns,
        bins_of(request_before.range),
        crate::operators::patterns::tally::Depth::Origins,
    )?;
    let before = Part { scan: &scan_before, counted };
    let found = ChangeSearch { plan, lead: &lead, patterns: &patterns, now: &now, before: &before };
    let mut changes = found.changes(limit)?;
    changes.baseline = baseline;
    scan.absorb(&scan_before);
    if let Some(error) = scan.take_error() {
        return Err(error);
    }
    Ok(Changes { stats: scan.stats(), partial_reasons: scan.take_reasons(), ..changes })
}

/// Spans of a range that has two ends.
fn bins_of(range: TimeRange) -> Option<Bins> {
    let length = range.to.0.checked_sub(range.from.0).filter(|length| *length > 0)?;
    let length_of_bin = length / SPANS + i64::from(length % SPANS > 0);
    Some(Bins { from: range.from.0, length: length_of_bin, n: SPANS as usize })
}

/// What is compared.
struct ChangeSearch<'f, 's, 'a> {
    plan: &'f Plan,
    lead: &'f [Operator],
    patterns: &'f Patterns,
    now: &'f Part<'s, 'a>,
    before: &'f Part<'s, 'a>,
}

/// A pattern that is shown, before its events are read.
struct PatternChange<'m> {
    place: usize,
    pattern: &'m str,
    sums: &'m Sums,
    description: String,
}

impl PatternChange<'_> {
    fn is_gone(&self) -> bool {
        self.sums.now.total() == 0
    }

    fn level(&self) -> Option<Level> {
        self.sums.now.level().or_else(|| self.sums.before.level())
    }

    /// Returns how surprising the counts are if nothing changed, weighed by the level: the log-likelihood ratio of two
    /// Poisson counts against one, so that a hundred errors come before one fatal line, and one fatal line before one
    /// that tells of nothing bad.
    fn evidence(&self) -> f64 {
        let (now, before) = (self.sums.now.total() as f64, self.sums.before.total() as f64);
        let mean = f64::midpoint(now, before);
        let part = |count: f64| if count > 0.0 { count * (count / mean).ln() } else { 0.0 };
        let weight = match self.level() {
            Some(Level::Fatal | Level::Error) => 3.0,
            Some(Level::Warn) => 1.5,
            _ => 1.0,
        };
        // What is gone seldom is the cause.
        let direction = if now < before { 0.5 } else { 1.0 };
        (part(now) + part(before)) * weight * direction
    }

    fn is_single(&self) -> bool {
        self.sums.now.total() + self.sums.before.total() == 1
    }
}

impl ChangeSearch<'_, '_, '_> {
    fn changes(&self, limit: usize) -> Result<Changes> {
        let n_of = |counted: &TextCounts| counted.n_events();
        let n_events = [n_of(&self.now.counted), n_of(&self.before.counted)];
        let mined = self.now.scan.or_nothing(mined(self.now, Some(self.before)));
        let mut chosen: Vec<PatternChange<'_>> = (mined.patterns.iter().zip(&mined.sums).enumerate())
            .filter_map(|(place, (pattern, sums))| {
                let description = description(sums)?;
                Some(PatternChange { place, pattern, sums, description })
            })
            .collect();
        chosen.sort_by(|a, b| b.evidence().total_cmp(&a.evidence()).then_with(|| a.pattern.cmp(b.pattern)));
        let mut n_singles = 0;
        chosen.retain(|change| {
            n_singles += usize::from(change.is_single());
            !change.is_single() || n_singles <= SINGLES_MAX
        });
        let n_left_out = n_singles.saturating_sub(SINGLES_MAX);
        let more = chosen.len() > limit;
        chosen.truncate(limit);
        let changes = self.shown(&chosen, &mined)?;
        let (restarts, more_restarts) = restarts(self.now, &self.before.counted, self.lead, self.patterns)?;
        Ok(Changes { changes, more, n_left_out, restarts, more_restarts, n_events, ..Changes::default() })
    }

    fn shown(&self, chosen: &[PatternChange<'_>], mined: &PatternSums<'_>) -> Result<Vec<Change>> {
        let firsts = self.firsts(chosen)?;
        let mut origins = self.origins(chosen, mined);
        let conditions = Conditions::new(mined, self.now, Some(self.before));
        let mut changes = Vec::new();
        for (chosen, first) in chosen.iter().zip(firsts) {
            if self.now.scan.is_over() {
                break;
            }
            let sample = first.as_ref().map(|first| &*first.text);
            let found = conditions.of(chosen.place, chosen.pattern, sample);
            let Some(Condition { expr, is_exact }) = found else { continue };
            let Some(written) = insights_text::text(&expr) else { continue };
            let part = if chosen.is_gone() { &chosen.sums.before } else { &chosen.sums.now };
            let bins = if chosen.is_gone() { self.before.counted.bins } else { self.now.counted.bins };
            let count = |(place, count): (usize, &f64)| Some((bins?.start(place), *count as u64));
            let [services, hosts] = origins.remove(&chosen.place).unwrap_or_default();
            changes.push(Change {
                pattern: chosen.pattern.to_owned(),
                id: id_of(chosen.pattern),
                description: chosen.description.clone(),
                n_events: [chosen.sums.now.total(), chosen.sums.before.total()],
                level: chosen.level(),
                services,
                hosts,
                first,
                last: part.ends.newest.time().map(Timestamp),
                counts: part.bins.iter().enumerate().filter_map(count).collect(),
                query: insights_text::events_text(&self.plan.sources, self.lead, std::slice::from_ref(&expr)),
                condition: written,
                is_exact,
            });
        }
        Ok(changes)
    }

    /// Returns the first event of each, of the time before where there are none now.
    fn firsts(&self, chosen: &[PatternChange<'_>]) -> Result<Vec<Option<Event>>> {
        let none = End::new(crate::operators::patterns::ends::Side::Oldest);
        let mut firsts: Vec<Option<Event>> = vec![None; chosen.len()];
        for (part, is_gone) in [(self.now, false), (self.before, true)] {
            let end = |chosen: &PatternChange<'_>| {
                let sum = if is_gone { &chosen.sums.before } else { &chosen.sums.now };
                if chosen.is_gone() == is_gone { sum.ends.oldest.clone() } else { none.clone() }
            };
            let ends: Vec<End> = chosen.iter().map(end).collect();
            read_events(part.scan, &ends, (self.lead, self.patterns), &mut firsts)?;
        }
        Ok(firsts)
    }

    /// Services and hosts of each, by its place among the patterns.
    fn origins(&self, chosen: &[PatternChange<'_>], mined: &PatternSums<'_>) -> HashMap<usize, [Vec<Origin>; 2]> {
        let mut counts: HashMap<usize, [BTreeMap<OriginField, [u64; 2]>; 2]> =
            chosen.iter().map(|chosen| (chosen.place, Default::default())).collect();
        for (side, counted) in [&self.now.counted, &self.before.counted].into_iter().enumerate() {
            let Some(origins) = &counted.origins else { continue };
            for (text, origin, count) in counted.by_origin() {
                let place = mined.places.get(text).map(|place| *place as usize);
                let Some([services, hosts]) = place.and_then(|place| counts.get_mut(&place)) else { continue };
                let Some(OriginOf { service, host, group }) = origins.get(origin) else { continue };
                let group = || OriginField { field: "@log", value: group.clone() };
                services.entry(service.clone().unwrap_or_else(group)).or_default()[side] += count;
                if let Some(host) = host {
                    hosts.entry(host.clone()).or_default()[side] += count;
                }
            }
        }
        let most = |counts: BTreeMap<OriginField, [u64; 2]>| {
            let origin =
                |(named, n_events): (OriginField, [u64; 2])| Origin { field: named.field, name: named.value, n_events };
            let mut origins: Vec<Origin> = counts.into_iter().map(origin).collect();
            origins.sort_by_key(|origin| Reverse(origin.n_events));
            origins.truncate(ORIGINS_MAX);
            origins
        };
        counts.into_iter().map(|(place, counts)| (place, counts.map(most))).collect()
    }
}

/// Returns what happened to a pattern, where that is worth showing.
fn description(sums: &Sums) -> Option<String> {
    let (now, before) = (sums.now.total(), sums.before.total());
    let description = change(now as f64, before as f64, true);
    let is_shown = match description.split(' ').next() {
        Some("new") => true,
        Some("gone") => before >= GONE_MIN,
        Some("up") => now as f64 >= UP_MIN * before as f64,
        Some("down") => before as f64 >= DOWN_MIN * now as f64,
        _ => false,
    };
    is_shown.then_some(description)
}

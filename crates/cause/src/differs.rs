//! What differs: values of fields, patterns and numbers that some events have more or less often than others.
//!
//! One pass over either set counts everything. What is judged significant is then counted again together, over the
//! selection: findings that are the same events become one finding, and each is shown with an event.

mod difference;
mod judge;
mod merge;

use std::collections::BTreeSet;
use std::sync::Arc;

use execute::{
    CONDITIONS_MAX, ConditionCounts, Event, EventSet, Keeper, PartialReason, PatternTotals, Reach, Result, Stats,
    ValueCounts, condition_counts, condition_totals, pattern_counts, value_counts,
};
use plan::{Expr, Name, fields_of};
use types::{Run, Value};

pub(crate) use self::difference::PATTERN_FIELD;
use self::judge::{Candidate, Sides, judge_counts, judge_field, judge_numbers};
use crate::text::{conditions_of, equal, query};

pub use self::difference::{NumberDifference, ValueDifference};

/// Fields that are shown, best first: no one reads more.
const FIELDS_MAX: usize = 24;

/// Values of a field that are shown.
const VALUES_MAX: usize = 10;

/// Values of fields with too many that are counted again, of one field and of all.
const RECOUNTED_OF_FIELD_MAX: usize = 6;

/// Bytes of a field that differs, and of one of its values, next to longer texts, roughly.
const FIELD_BYTES: usize = 1 << 10;
const VALUE_BYTES: usize = 128;

/// Patterns that are described.
const PATTERNS_MAX: usize = 10;

/// Fewer events than this say nothing about their values.
const EVENTS_MIN: u64 = 5;

/// Names of fields that are the level: a query that names one names all.
pub(crate) const LEVEL_FIELDS: [&str; 8] =
    ["@level", "level", "severity", "lvl", "log.level", "loglevel", "severity_text", "levelname"];

/// A value of a field with its exact counts on both sides.
type Recount = (Arc<str>, Value, [u64; 2]);

/// What a selection is compared with.
#[derive(Clone, Copy)]
pub enum Baseline<'a> {
    /// Other events.
    Events(EventSet<'a>),
    /// These events without those of the selection, which are all among them.
    Rest(EventSet<'a>),
}

impl<'a> Baseline<'a> {
    fn set(self) -> EventSet<'a> {
        match self {
            Self::Events(set) | Self::Rest(set) => set,
        }
    }

    fn is_rest(self) -> bool {
        matches!(self, Self::Rest(_))
    }
}

/// What differs between a selection and a baseline.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    /// Events of the selection, and of the baseline.
    pub n_events: [u64; 2],
    /// Best first; only what is significant.
    pub fields: Vec<FieldDifference>,
    /// Why there can be no finding, where that is so.
    pub note: Option<String>,
    /// Whether some fields were left out because events have too many.
    pub approximate: bool,
    /// What it took.
    pub stats: Stats,
    /// Why events may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// A field whose values differ.
#[derive(Clone, Debug)]
pub struct FieldDifference {
    /// Its name; `@pattern` for the patterns of messages.
    pub field: Arc<str>,
    /// How much its value tells of the side that an event is on, 0 to 1: the Jensen-Shannon divergence in bits.
    pub score: f64,
    /// Its values that differ, most telling first.
    pub values: Vec<ValueDifference>,
    /// Its numbers, where they are distributed differently.
    pub numbers: Option<NumberDifference>,
    /// What holds for the events of the most telling value.
    pub condition: Expr,
    /// A query for those events of the selection, where the language has words for it.
    pub query: Option<String>,
    /// One of them.
    pub event: Option<Event>,
    /// Fields that differ by the same events.
    pub same_events: Vec<Arc<str>>,
}

impl Differences {
    /// Returns the bytes that it takes, roughly.
    fn n_bytes(&self) -> usize {
        let of_field = |field: &FieldDifference| {
            let of_query = field.query.as_ref().map_or(0, String::len);
            let of_event = field.event.as_ref().map_or(0, |event| event.text.len());
            FIELD_BYTES + VALUE_BYTES * field.values.len() + of_query + of_event
        };
        self.fields.iter().map(of_field).sum()
    }
}

/// Compares a selection with a baseline: all fields, the patterns of messages, and numbers by their distribution.
///
/// A finding is significant after Bonferroni's correction for all values tried, and at least a small effect (Cohen's
/// `h` of 0.2, or a distance of 0.2 between distributions). Fields that a query names are left out: they differ because
/// the query says so.
pub fn differences(selection: EventSet<'_>, baseline: Baseline<'_>, runs: &[Arc<dyn Run>]) -> Result<Differences> {
    let named = named_fields(&[selection, baseline.set()]);
    Comparison { selection, baseline, runs, named }.kept_or_new()
}

/// Compares all fields in the same way, and leaves the patterns of messages out.
pub fn field_differences(
    selection: EventSet<'_>,
    baseline: Baseline<'_>,
    runs: &[Arc<dyn Run>],
) -> Result<Differences> {
    let mut named = named_fields(&[selection, baseline.set()]);
    named.insert("@message".into());
    Comparison { selection, baseline, runs, named }.kept_or_new()
}

/// Says why there is nothing to compare.
fn note([n_selection, n_baseline]: [u64; 2]) -> Option<String> {
    let of = |side: &str, n: u64| match n {
        0 => Some(format!("the {side} has no events")),
        n if n < EVENTS_MIN => Some(format!("the {side} has {n} events; at least {EVENTS_MIN} are needed to compare")),
        _ => None,
    };
    of("selection", n_selection).or_else(|| of("baseline", n_baseline))
}

/// Returns reasons once each.
fn distinct(reasons: Vec<PartialReason>) -> Vec<PartialReason> {
    let mut known: Vec<PartialReason> = Vec::new();
    for reason in reasons {
        if !known.contains(&reason) {
            known.push(reason);
        }
    }
    known
}

/// Returns the fields that the conditions of some sets name.
fn named_fields(sets: &[EventSet<'_>]) -> BTreeSet<Name> {
    let mut named: BTreeSet<Name> = sets.iter().flat_map(|set| fields_of(&conditions_of(set.plan))).collect();
    if LEVEL_FIELDS.iter().any(|name| named.contains(*name)) {
        named.extend(LEVEL_FIELDS.iter().map(|name| Name::from(*name)));
    }
    named
}

/// Returns how many values of fields there are on either side, each of which could have been a finding.
fn n_tried(counts: &[ValueCounts; 2]) -> u64 {
    let [selection, baseline] = counts;
    let of_field = |(name, counts): (&Arc<str>, &execute::FieldCounts)| {
        let n_more = baseline.fields.get(name).map_or(0, execute::FieldCounts::n_values);
        counts.n_values().max(n_more) as u64 + 2
    };
    let only_baseline = baseline.fields.iter().filter(|(name, _)| !selection.fields.contains_key(*name));
    selection.fields.iter().map(of_field).sum::<u64>()
        + only_baseline.map(|(_, counts)| counts.n_values() as u64 + 2).sum::<u64>()
}

/// What is compared.
struct Comparison<'c, 'a> {
    selection: EventSet<'a>,
    baseline: Baseline<'a>,
    runs: &'c [Arc<dyn Run>],
    named: BTreeSet<Name>,
}

impl Comparison<'_, '_> {
    /// Returns what was found before about the same events, or finds it.
    fn kept_or_new(&self) -> Result<Differences> {
        let kind = format!("differs {} {:?}", self.baseline.is_rest(), self.named);
        let keeper = Keeper::of(&kind, &[self.selection, self.baseline.set()], self.runs);
        if let Some(kept) = keeper.and_then(Keeper::find::<Differences>) {
            let Stats { events_scanned, events_matched, segments_total, .. } = kept.stats;
            let read = Stats { events_cached: events_scanned, ..Stats::default() };
            let stats = Stats { events_scanned, events_matched, segments_total, ..read };
            return Ok(Differences { stats, ..(*kept).clone() });
        }
        let found = self.differences()?;
        if let Some(keeper) = keeper.filter(|_| found.partial_reasons.is_empty()) {
            let n_bytes = found.n_bytes();
            keeper.keep(Arc::new(found.clone()), n_bytes);
        }
        Ok(found)
    }

    fn differences(&self) -> Result<Differences> {
        let mut counts = self.counts()?;
        let n_events = [counts[0].n_events, counts[1].n_events];
        let mut found = Differences {
            n_events,
            approximate: counts.iter().any(|counts| counts.is_cut),
            stats: counts[0].stats,
            partial_reasons: counts.iter_mut().flat_map(|counts| std::mem::take(&mut counts.partial_reasons)).collect(),
            ..Differences::default()
        };
        found.note = note(n_events);
        if found.note.is_some() {
            found.partial_reasons = distinct(found.partial_reasons);
            return Ok(found);
        }
        let sides = Sides { n_events, n_tried: n_tried(&counts) };
        let mut candidates = self.field_candidates(&counts, sides, &mut found.partial_reasons)?;
        candidates.extend(self.pattern_candidate(sides, &mut found.partial_reasons)?);
        candidates.sort_by_cached_key(merge::order);
        candidates.truncate(CONDITIONS_MAX);
        found.fields = self.described(candidates, &mut found.partial_reasons)?;
        found.partial_reasons = distinct(found.partial_reasons);
        Ok(found)
    }

    /// Counts the values of both sides.
    fn counts(&self) -> Result<[ValueCounts; 2]> {
        let count = |set: EventSet<'_>| value_counts(set.plan, self.runs, set.request);
        let (selection, mut baseline) = (count(self.selection)?, count(self.baseline.set())?);
        if self.baseline.is_rest() {
            baseline.subtract(&selection);
        }
        Ok([selection, baseline])
    }

    fn is_named(&self, field: &str) -> bool {
        // A condition on `a` is one on `a.b`, too.
        self.named.iter().any(|named| {
            let (short, long) = if named.len() < field.len() { (&**named, field) } else { (field, &**named) };
            long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    fn field_candidates(
        &self,
        counts: &[ValueCounts; 2],
        sides: Sides,
        reasons: &mut Vec<PartialReason>,
    ) -> Result<Vec<Candidate>> {
        let names: BTreeSet<&Arc<str>> = counts.iter().flat_map(|counts| counts.fields.keys()).collect();
        let names: Vec<&Arc<str>> = names.into_iter().filter(|name| !self.is_named(name)).collect();
        let recounted = self.recounted(&names, counts, reasons)?;
        let none = execute::FieldCounts::default();
        let mut candidates = Vec::new();
        for name in names {
            let of_side = [0, 1].map(|side| counts[side].fields.get(name).unwrap_or(&none));
            let exact = recounted.iter().filter(|(field, ..)| field == name);
            let exact: Vec<(Value, [u64; 2])> = exact.map(|(_, value, n)| (value.clone(), *n)).collect();
            let is_cut = of_side.iter().any(|counts| counts.is_cut);
            let by_value = judge_field(name, of_side, is_cut.then_some(&exact[..]), sides);
            let by_number = judge_numbers(name, of_side, sides);
            candidates.extend(match (by_value, by_number) {
                // One value that tells as much as the distribution is the finding: a timeout of exactly 5,000 ms.
                (Some(mut values), Some(numbers)) if values.first_score() >= numbers.score => {
                    values.numbers = numbers.numbers;
                    Some(values)
                }
                (Some(_), Some(numbers)) => Some(numbers),
                (values, numbers) => values.or(numbers),
            });
        }
        Ok(candidates)
    }

    /// Counts the frequent values of fields that have too many values, exactly.
    fn recounted(
        &self,
        names: &[&Arc<str>],
        counts: &[ValueCounts; 2],
        reasons: &mut Vec<PartialReason>,
    ) -> Result<Vec<Recount>> {
        let mut wanted: Vec<(Arc<str>, Value)> = Vec::new();
        for name in names {
            let of_side = [0, 1].map(|side| counts[side].fields.get(*name));
            if of_side.iter().flatten().any(|counts| counts.is_cut) {
                let frequent =
                    judge::frequent_values(of_side, RECOUNTED_OF_FIELD_MAX, [0, 1].map(|side| counts[side].n_events));
                wanted.extend(frequent.into_iter().map(|value| ((*name).clone(), value)));
            }
        }
        wanted.truncate(CONDITIONS_MAX);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let conditions: Vec<Expr> = wanted.iter().map(|(name, value)| equal(name, Some(value.clone()))).collect();
        let count = |set: EventSet<'_>| condition_totals(set.plan, self.runs, set.request, &conditions);
        let (selection, baseline) = (count(self.selection)?, count(self.baseline.set())?);
        reasons.extend(selection.partial_reasons.into_iter().chain(baseline.partial_reasons));
        let totals = selection.totals.into_iter().zip(baseline.totals);
        let exact = wanted.into_iter().zip(totals).map(|((name, value), (a, mut b))| {
            if self.baseline.is_rest() {
                b = b.saturating_sub(a);
            }
            (name, value, [a, b])
        });
        Ok(exact.collect())
    }

    /// Judges the patterns of messages, unless a query names the message.
    fn pattern_candidate(&self, sides: Sides, reasons: &mut Vec<PartialReason>) -> Result<Option<Candidate>> {
        if ["@message", "@any", "message", "msg"].iter().any(|name| self.named.contains(*name)) {
            return Ok(None);
        }
        let is_rest = self.baseline.is_rest();
        let of_baseline = |[a, b]: [u64; 2]| [a, if is_rest { b.saturating_sub(a) } else { b }];
        let mut judged = None;
        let mut choose = |totals: &[PatternTotals<'_>]| {
            let counted = totals.iter().map(|total| (Some(Value::text(total.pattern)), of_baseline(total.n_events)));
            let sides = Sides { n_tried: sides.n_tried + totals.len() as u64, ..sides };
            let found = judge_counts(counted.enumerate(), sides);
            let places = found.iter().map(|(place, _)| *place).take(PATTERNS_MAX).collect();
            judged = Some(found);
            places
        };
        let found = pattern_counts([self.selection, self.baseline.set()], self.runs, &mut choose)?;
        reasons.extend(found.partial_reasons);
        let Some(best) = found.patterns.first() else { return Ok(None) };
        let values: Vec<ValueDifference> = judged.unwrap_or_default().into_iter().map(|(_, value)| value).collect();
        let mut candidate = Candidate::of_values(PATTERN_FIELD.into(), values, best.condition.clone());
        // The condition belongs to the first pattern that has one.
        if let Some(place) = candidate.values.iter().position(|value| value.value == Some(Value::text(&*best.pattern)))
        {
            let value = candidate.values.remove(place);
            candidate.baseline_share = value.shares[1];
            candidate.values.insert(0, value);
        }
        candidate.event.clone_from(&best.first);
        Ok(Some(candidate))
    }

    /// Brings together candidates that are the same events, and finds an event for each.
    fn described(&self, candidates: Vec<Candidate>, reasons: &mut Vec<PartialReason>) -> Result<Vec<FieldDifference>> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let conditions: Vec<Expr> = candidates.iter().map(|candidate| candidate.condition.clone()).collect();
        let (of_selection, runs) = (self.selection, self.runs);
        let counts = condition_counts(of_selection.plan, runs, of_selection.request, &conditions, Reach::All)?;
        reasons.extend(counts.partial_reasons.iter().cloned());
        let merged = merge::merged(candidates, &counts);
        let mut fields: Vec<FieldDifference> = merged.into_iter().take(FIELDS_MAX).map(|one| self.field(one)).collect();
        self.add_baseline_events(&mut fields)?;
        Ok(fields)
    }

    fn field(&self, candidate: Candidate) -> FieldDifference {
        let mut values = candidate.values;
        values.truncate(VALUES_MAX);
        FieldDifference {
            query: query(self.selection.plan, &candidate.condition),
            field: candidate.field,
            score: candidate.score,
            values,
            numbers: candidate.numbers,
            condition: candidate.condition,
            event: candidate.event,
            same_events: candidate.same_events,
        }
    }

    /// What the selection lacks is shown by an event of the baseline.
    fn add_baseline_events(&self, fields: &mut [FieldDifference]) -> Result<()> {
        let lacking: Vec<&mut FieldDifference> = fields.iter_mut().filter(|field| field.event.is_none()).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        let conditions: Vec<Expr> = lacking.iter().map(|field| field.condition.clone()).collect();
        let set = self.baseline.set();
        let found: ConditionCounts = condition_counts(set.plan, self.runs, set.request, &conditions, Reach::OneEach)?;
        for (field, event) in lacking.into_iter().zip(found.events) {
            field.event = event;
            field.query = query(set.plan, &field.condition);
        }
        Ok(())
    }
}

#[cfg(test)]
mod count_tests;
#[cfg(test)]
mod tests;

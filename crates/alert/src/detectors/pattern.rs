//! New and jumping patterns: what the events of the window have in common, against the time before.
//!
//! Both times are counted by masked texts, which an aggregation does; the patterns are found from the texts of both
//! together, so that both have the same ones. A pattern is new where the time before has none of its events in any
//! label set; it jumps where its rate is many times the one before.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use types::{TimeRange, Timestamp, Value};

use super::DetectorInput;
use crate::compile::{CompiledRule, MORE};
use crate::detectors::cells::{Key, columns_of, count_at, key_of, partial_of, rounded, whole};
use crate::detectors::history_cache::{Names, STANDS_NS};
use crate::kind::NewPattern;
use crate::rule::window_of;
use crate::{Rule, Table};

/// Longest pattern as a label.
const LABEL_CHARS_MAX: usize = 200;

/// Masked texts by which the events of one pattern are found.
const TEXTS_MAX: usize = 100;

/// Columns after those of the label sets.
const COLUMNS: [&str; 6] = ["pattern", "count", "is_new", "before", "per_hour_before", "texts"];

/// Asks for the window, and for the time before it where the window has anything.
pub(super) fn answer(
    rule: &Rule,
    pattern: &NewPattern,
    compiled: &mut CompiledRule,
    asking: &DetectorInput<'_>,
) -> Result<Table, String> {
    let range = window_of(rule, asking.now);
    let window = asking.of_range(rule, compiled, range)?;
    let n_by = pattern.by.len();
    compiled.note_pattern(n_by);
    let columns = columns_of(&pattern.by, COLUMNS);
    if window.rows.is_empty() {
        return Ok(Table { columns, rows: Vec::new(), partial: window.partial });
    }
    let before = TimeRange { from: Timestamp(range.from.0.saturating_sub(pattern.baseline_ns)), to: range.from };
    let past =
        asking.memory.recall(rule, asking.now, STANDS_NS, || Ok(vec![asking.of_range(rule, compiled, before)?]))?;
    let past_rows = past.first().map(|table| &table.rows[..]).unwrap_or_default();
    let mut names = asking.memory.names(rule);
    let counted = PatternCounts {
        pattern,
        window_ns: rule.window_ns,
        range: before,
        rows: &window.rows,
        before: past_rows,
        is_past_whole: past.iter().all(|table| table.partial.is_none()),
    };
    let found = found(&counted, &mut names);
    asking.memory.note_names(rule, names);
    compiled.note = Some(note(&found));
    let rows = found.shown.iter().map(|shown| shown.row(pattern.by.len())).chain(found.more_row(n_by)).collect();
    Ok(Table { columns, rows, partial: partial_of([&window].into_iter().chain(past.iter())) })
}

/// Rows of the window and of the time before: label values, masked text, count, first event.
struct PatternCounts<'c> {
    pattern: &'c NewPattern,
    window_ns: i64,
    /// The time before.
    range: TimeRange,
    rows: &'c [Vec<Option<Value>>],
    before: &'c [Vec<Option<Value>>],
    /// Whether all of the time before was read. What is missing from half of it proves little.
    is_past_whole: bool,
}

/// A pattern of one label set that is reported.
struct PatternFinding {
    by: Vec<Option<Value>>,
    label: String,
    count: u64,
    is_new: bool,
    before: u64,
    per_hour_before: f64,
    texts: Vec<String>,
}

/// What was found.
struct Findings {
    n_patterns: usize,
    shown: Vec<PatternFinding>,
    n_more: usize,
}

/// Label values and events of the window.
type Count<'c> = (&'c [Option<Value>], u64);

/// Counts of one pattern, by label values.
#[derive(Default)]
struct Sums<'c> {
    texts: BTreeSet<&'c str>,
    now: BTreeMap<Key, Count<'c>>,
    before: BTreeMap<Key, u64>,
}

impl<'c> PatternCounts<'c> {
    fn text(&self, row: &'c [Option<Value>]) -> Option<&'c str> {
        match row.get(self.pattern.by.len()) {
            Some(Some(Value::String(text))) => Some(text),
            _ => None,
        }
    }

    fn count(&self, row: &[Option<Value>]) -> u64 {
        count_at(row, self.pattern.by.len() + 1)
    }

    fn key(&self, row: &[Option<Value>]) -> Key {
        key_of(row, 0..self.pattern.by.len())
    }

    /// Returns how long the time before really is: a store that is younger than it begins with its first event.
    fn before_ns(&self) -> i64 {
        let first = |row: &Vec<Option<Value>>| match row.get(self.pattern.by.len() + 2) {
            Some(Some(Value::Timestamp(first))) => Some(first.0),
            _ => None,
        };
        // Times that lie after it are of clocks that are off, and say nothing of its beginning.
        let firsts = self.before.iter().filter_map(first).filter(|first| *first < self.range.to.0);
        let from = firsts.min().unwrap_or(self.range.from.0);
        self.range.to.0.saturating_sub(from.max(self.range.from.0)).max(self.window_ns).max(1)
    }

    /// Reports whether no pattern can be new or jump, so that none need be found: every text was there before, and there are
    /// too few events, or none of the texts has jumped in any label set. What is so of texts is so of their patterns.
    fn is_usual(&self) -> bool {
        let now: BTreeSet<&str> = self.rows.iter().filter_map(|row| self.text(row)).collect();
        let known: BTreeSet<&str> = self.before.iter().filter_map(|row| self.text(row)).collect();
        if !now.is_subset(&known) {
            return false;
        }
        if self.rows.iter().map(|row| self.count(row)).sum::<u64>() < self.pattern.min_count {
            return true;
        }
        let before: BTreeMap<_, u64> =
            self.before.iter().map(|row| ((self.text(row), self.key(row)), self.count(row))).collect();
        let before_ns = self.before_ns();
        self.rows.iter().all(|row| {
            let before = before.get(&(self.text(row), self.key(row))).copied().unwrap_or(0);
            before > 0 && !self.is_faster(self.count(row), before, before_ns)
        })
    }

    fn is_faster(&self, count: u64, before: u64, before_ns: i64) -> bool {
        count as f64 / self.window_ns.max(1) as f64 >= self.pattern.jump * before as f64 / before_ns as f64
    }

    fn sums(&self) -> (Vec<String>, Vec<Sums<'c>>) {
        let all = self.rows.iter().chain(self.before);
        let texts: Vec<&str> = all.filter_map(|row| self.text(row)).collect::<BTreeSet<_>>().into_iter().collect();
        let (patterns, pattern_of) = execute::patterns_of(&texts);
        let places: BTreeMap<&str, usize> =
            texts.iter().copied().zip(pattern_of.iter().map(|at| *at as usize)).collect();
        let mut sums: Vec<Sums<'c>> = patterns.iter().map(|_| Sums::default()).collect();
        let place = |row: &'c [Option<Value>]| Some((self.text(row)?, *places.get(self.text(row)?)?));
        for row in self.rows {
            let Some((text, at)) = place(row) else { continue };
            sums[at].texts.insert(text);
            let labels = &row[..self.pattern.by.len().min(row.len())];
            sums[at].now.entry(self.key(row)).or_insert((labels, 0)).1 += self.count(row);
        }
        for row in self.before {
            let Some((_, at)) = place(row) else { continue };
            *sums[at].before.entry(self.key(row)).or_default() += self.count(row);
        }
        (patterns, sums)
    }
}

/// Returns the patterns of the window that are new or jump, those that matter most first. `names` are those under which their
/// texts were reported before: a pattern that widens as more texts join it keeps its name.
fn found(counted: &PatternCounts<'_>, names: &mut Names) -> Findings {
    if counted.is_usual() {
        names.clear();
        return Findings { n_patterns: 0, shown: Vec::new(), n_more: 0 };
    }
    let (patterns, sums) = counted.sums();
    let before_ns = counted.before_ns();
    let jumps =
        |count: u64, before: u64| count >= counted.pattern.min_count && counted.is_faster(count, before, before_ns);
    let mut shown = Vec::new();
    let mut told = Names::new();
    for (pattern, sums) in patterns.iter().zip(&sums) {
        let all_before: u64 = sums.before.values().sum();
        let known = sums.texts.iter().find_map(|text| names.get(*text));
        let label = known.cloned().unwrap_or_else(|| shortened(pattern));
        for (key, (labels, count)) in &sums.now {
            // Where only other label sets have had it, it is known, and jumps against what all of them have had.
            let before = sums.before.get(key).copied().unwrap_or(all_before);
            let is_new = all_before == 0;
            let is_sure = counted.is_past_whole || *count >= counted.pattern.min_count;
            let fires = is_new && is_sure || jumps(*count, before);
            if !fires {
                continue;
            }
            told.extend(sums.texts.iter().map(|text| ((*text).to_owned(), label.clone())));
            shown.push((
                known.is_none(),
                PatternFinding {
                    by: labels.to_vec(),
                    label: label.clone(),
                    count: *count,
                    is_new,
                    before,
                    per_hour_before: before as f64 * Timestamp::HOUR as f64 / before_ns as f64,
                    texts: sums.texts.iter().take(TEXTS_MAX).map(|text| (*text).to_owned()).collect(),
                },
            ));
        }
    }
    *names = told;
    // What is reported already stays, so that it does not end because others came.
    shown.sort_by_key(|(is_fresh, shown)| (*is_fresh, !shown.is_new, Reverse(shown.count)));
    let n_more = shown.len().saturating_sub(counted.pattern.limit);
    shown.truncate(counted.pattern.limit);
    let n_patterns = sums.iter().filter(|sums| !sums.now.is_empty()).count();
    Findings { n_patterns, shown: shown.into_iter().map(|(_, shown)| shown).collect(), n_more }
}

impl PatternFinding {
    fn row(&self, n_by: usize) -> Vec<Option<Value>> {
        let mut row = self.by.clone();
        row.resize(n_by, None);
        let texts: Vec<Option<Value>> = self.texts.iter().map(|text| Some(Value::text(text.as_str()))).collect();
        row.extend([
            Some(Value::text(self.label.as_str())),
            whole(self.count),
            Some(Value::Boolean(self.is_new)),
            whole(self.before),
            Some(rounded(self.per_hour_before)),
            Some(Value::List(texts.into())),
            Some(Value::Boolean(true)),
        ]);
        row
    }
}

impl Findings {
    /// Returns one row for all patterns beyond the limit; its value is their number.
    fn more_row(&self, n_by: usize) -> Option<Vec<Option<Value>>> {
        let mut row: Vec<Option<Value>> = vec![None; n_by];
        row.extend([Some(Value::text(MORE)), whole(self.n_more as u64), None, None, None, None]);
        row.push(Some(Value::Boolean(true)));
        (self.n_more > 0).then_some(row)
    }
}

fn note(found: &Findings) -> String {
    let (n_told, n) = (found.shown.len(), found.n_patterns);
    match (n_told, found.n_more) {
        (0, _) => "no pattern is new or jumping".to_owned(),
        (n_told, 0) => format!("{n_told} new or jumping of {n} patterns"),
        (n_told, n_more) => format!("{} new or jumping of {n} patterns, {n_more} of them summarized", n_told + n_more),
    }
}

fn shortened(pattern: &str) -> String {
    let mut letters = pattern.chars();
    let mut shown: String = letters.by_ref().take(LABEL_CHARS_MAX).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;

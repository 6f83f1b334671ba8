//! For how many events each of some conditions holds.
//!
//! Unlike [`condition_counts`](super::condition_counts), each condition is counted by itself, so that what is known of one
//! serves every question that has it among its own: frequent values are the same ones again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plan::fields::fields_of_conditions;
use plan::{Expr, Name, Operator, Plan};
use types::Run;

use crate::request::answer::PartialReason;
use crate::request::cache::CacheEntry;
use crate::request::error::Result;
use crate::request::parameters::Request;
use crate::scan::fingerprint::Fingerprint;
use crate::scan::matches::Matcher;
use crate::scan::parts::{PartCounts, RunPart, count_parts};
use crate::scan::probed::ProbedCondition;
use crate::scan::scanner::Scan;
use crate::scan::simplify::row_wise_lead;
use crate::scan::steps::Steps;
use evaluate::Stop;

/// Conditions on the same fields whose totals are kept of a part, those asked last.
const TOTALS_MAX: usize = 128;

/// Totals of a part by the numbers of their conditions, those asked last at the end.
type KnownTotals = Vec<(u128, u64)>;

/// Conditions on the same fields.
struct Group {
    /// Under which their totals are kept.
    fingerprint: Option<Fingerprint>,
    /// Places of its conditions, each with its number.
    conditions: Vec<(usize, u128)>,
}

/// What is counted.
struct Totals<'t> {
    conditions: Vec<ProbedCondition<'t>>,
    groups: Vec<Group>,
    matcher: Matcher<'t>,
}

/// For how many events each condition holds.
#[derive(Clone, Debug, Default)]
pub struct ConditionTotals {
    /// In the order of the conditions.
    pub totals: Vec<u64>,
    /// Why events may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// Counts for how many of the events that the conditions at the head of `plan` let through each of `conditions` holds.
pub fn condition_totals(
    plan: &Plan,
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
    conditions: &[Expr],
) -> Result<ConditionTotals> {
    let lead = row_wise_lead(plan, runs)?;
    let mut scan = Scan::over(&lead, runs, request);
    scan.env.prepared = scan.env.prepared.and(conditions);
    let needed = fields_of_conditions(conditions);
    let steps = Steps::new(&lead, &needed);
    let counted = Totals {
        conditions: conditions.iter().map(ProbedCondition::new).collect(),
        groups: groups(&lead, conditions, request),
        matcher: Matcher::new(&scan, (&lead, &needed), &steps),
    };
    let mut totals = vec![0; conditions.len()];
    count_parts(
        &scan,
        None,
        |part| counted.of_part(&scan, part),
        |_, counts: &Vec<u64>| {
            totals.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            Ok(())
        },
    )?;
    counted.matcher.keep(&scan);
    Ok(ConditionTotals { totals, partial_reasons: scan.take_reasons() })
}

/// Brings conditions on the same fields together.
fn groups(lead: &[Operator], conditions: &[Expr], request: &Request<'_>) -> Vec<Group> {
    let mut groups: BTreeMap<BTreeSet<Name>, Group> = BTreeMap::new();
    for (place, condition) in conditions.iter().enumerate() {
        let of = |kind: &str, conditions: &[Expr]| Fingerprint::of_counts(kind, lead, conditions, request.time_zone);
        let names = fields_of_conditions(std::slice::from_ref(condition));
        let own = of("total", std::slice::from_ref(condition));
        let key = of(&format!("totals {names:?}"), &[]).filter(|_| own.is_some());
        // What has no number is kept nowhere, and apart from what is.
        let names = if own.is_some() { names } else { BTreeSet::new() };
        let group = groups.entry(names).or_insert_with(|| Group { fingerprint: key, conditions: Vec::new() });
        group.conditions.push((place, own.map_or(0, Fingerprint::number)));
    }
    groups.into_values().collect()
}

impl Totals<'_> {
    fn of_part(&self, scan: &Scan<'_>, part: &RunPart) -> Result<PartCounts<Vec<u64>>, Stop> {
        let mut totals: Vec<Option<u64>> = vec![None; self.conditions.len()];
        let known: Vec<Arc<KnownTotals>> = self.groups.iter().map(|group| group.known(scan, part)).collect();
        for (group, known) in self.groups.iter().zip(&known) {
            for (place, number) in group.conditions.iter().filter(|_| !known.is_empty()) {
                totals[*place] = known.iter().find(|(known, _)| known == number).map(|(_, total)| *total);
            }
        }
        let missing: Vec<usize> = (0..totals.len()).filter(|place| totals[*place].is_none()).collect();
        let is_complete = self.count(scan, part, &missing, &mut totals)?;
        let totals: Vec<u64> = totals.into_iter().map(Option::unwrap_or_default).collect();
        if is_complete && !missing.is_empty() && !scan.env.warnings.has_added() {
            for (group, known) in self.groups.iter().zip(&known) {
                group.keep(scan, part, known, &totals);
            }
        }
        Ok(PartCounts { counts: totals, n_matched: 0, n_bytes: 0, is_complete })
    }

    /// Counts conditions whose totals are not known; reports whether all blocks could be read.
    fn count(
        &self,
        scan: &Scan<'_>,
        part: &RunPart,
        missing: &[usize],
        totals: &mut [Option<u64>],
    ) -> Result<bool, Stop> {
        if missing.is_empty() {
            let n_rows = part.n_rows(scan);
            scan.count_kept(part.source, n_rows, 0);
            return Ok(true);
        }
        part.for_each(scan, |item| {
            let mut frame = self.matcher.frame(scan, item)?;
            if frame.n_rows() > 0 {
                for place in missing {
                    let n_rows = self.conditions[*place].rows(&mut frame, scan)?.count();
                    *totals[*place].get_or_insert(0) += n_rows as u64;
                }
            }
            Ok(())
        })
    }
}

impl Group {
    fn known(&self, scan: &Scan<'_>, part: &RunPart) -> Arc<KnownTotals> {
        let key = self.fingerprint.and_then(|fingerprint| part.key(scan, fingerprint));
        let kept = scan.request.support.cache.zip(key);
        kept.and_then(|(cache, key)| cache.part_counts::<KnownTotals>(key)).unwrap_or_default()
    }

    /// Keeps totals of its conditions next to those known.
    fn keep(&self, scan: &Scan<'_>, part: &RunPart, known: &KnownTotals, totals: &[u64]) {
        let key = self.fingerprint.and_then(|fingerprint| part.key(scan, fingerprint));
        let Some((cache, key)) = scan.request.support.cache.zip(key) else { return };
        let own = self.conditions.iter().map(|(place, number)| (*number, totals[*place]));
        let others = known.iter().filter(|(known, _)| self.conditions.iter().all(|(_, number)| number != known));
        let mut kept: KnownTotals = others.copied().chain(own).collect();
        kept.drain(..kept.len().saturating_sub(TOTALS_MAX));
        let n_bytes = kept.len() * std::mem::size_of::<(u128, u64)>();
        cache.put(key, CacheEntry::Counts(Arc::new(kept), n_bytes));
    }
}

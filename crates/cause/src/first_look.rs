//! The first look at an incident: since when, what changed just before, what is new, what differs, what is missing; ranked
//! by how well each explains it.
//!
//! Everything hangs on an onset. Where nothing began there is no incident to explain, and the only findings left are sources
//! that fell silent, which need no rate to change.

mod rank;
mod usual;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use execute::{EventSet, PartialReason, Request, Result};
use plan::{Comparison, Expr, Operator, Plan};
use types::{Run, TimeRange, Timestamp, Value};

use crate::around::{concurrent, everything};
use crate::calls::{CountCalls, RedCall, red_calls};
use crate::concurrent::Concurrent;
use crate::differs::{Baseline, Differences, differences};
use crate::marks::is_mark_group;
use crate::onset::{Measure, Onset, onset};
use crate::silence::{services, silences};
use crate::text::conditions_of;
use crate::traces::{WorstTrace, worst_trace};

pub use self::rank::{Finding, FindingKind};
pub use self::usual::Usual;

/// Findings that are told; the first three are what is read.
const FINDINGS_MAX: usize = 20;

/// Shortest time before an onset whose calls are those to compare with.
const CALLS_BEFORE_MIN: i64 = 15 * Timestamp::MINUTE;

/// What a first look found.
#[derive(Clone, Debug, Default)]
pub struct FirstLook {
    /// Best first.
    pub findings: Vec<Finding>,
    /// When it began.
    pub onset: Onset,
    /// What else began then, oldest first.
    pub also: Vec<Concurrent>,
    /// What differs since then.
    pub differs: Option<Differences>,
    /// Calls between services that fail, or take longer, since then: the likeliest causes first.
    pub calls: Vec<RedCall>,
    /// What usually happens at this hour; none without a day before.
    pub usual: Option<Usual>,
    /// The query whose events came more or less often; none where nothing began.
    pub signal: Option<String>,
    /// Why events, or findings, may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// What is looked at: events whose number tells that something is wrong.
struct Signal {
    plan: Plan,
    /// Whether it is a part of all events of its groups.
    is_filtered: bool,
}

/// Takes a first look at the events of a set: a query without conditions is about errors first, then about the number of
/// all events. The runs must cover [`onset_history`](crate::onset_history) of the [`onset_reach`](crate::onset_reach) of the
/// range, and contain the groups of marks.
///
/// `calls` counts the calls between services, where spans can be read. What does not fit before the request's deadline is
/// left out, and the reasons say so.
pub fn first_look(set: EventSet<'_>, runs: &[Arc<dyn Run>], calls: Option<&CountCalls<'_>>) -> Result<FirstLook> {
    let others: Vec<Arc<dyn Run>> =
        runs.iter().filter(|run| !is_mark_group(run.info().group.as_str())).cloned().collect();
    let mut look = Look { request: set.request, runs, others: &others, calls, found: FirstLook::default() };
    let signals = signals(set.plan);
    let mut signal = None;
    for candidate in &signals {
        if look.is_late() {
            break;
        }
        let found = onset(EventSet { plan: &candidate.plan, request: set.request }, &Measure::Count, &others)?;
        look.add_reasons(found.partial_reasons.clone());
        if found.began.is_some() {
            look.found.onset = found;
            signal = Some(candidate);
            break;
        }
    }
    match (signal, look.found.onset.began) {
        (Some(signal), Some(began)) => look.explain(signal, began)?,
        _ => look.note_silences(set.plan)?,
    }
    Ok(look.found)
}

/// Returns what to look at, the most telling first.
fn signals(plan: &Plan) -> Vec<Signal> {
    if !conditions_of(plan).is_empty() {
        return vec![Signal { plan: plan.clone(), is_filtered: true }];
    }
    let level = Expr::Field("@level".into());
    let is_error =
        Expr::Compare(Comparison::GreaterOrEqual, Box::new(level), Box::new(Expr::Literal(Some(Value::text("error")))));
    let all = everything(plan);
    let mut operators = vec![Operator::Filter(is_error)];
    operators.extend(all.operators().iter().cloned());
    let mut errors = Plan::new(operators);
    errors.sources.clone_from(&plan.sources);
    vec![Signal { plan: errors, is_filtered: true }, Signal { plan: all, is_filtered: false }]
}

/// A first look under way.
struct Look<'l, 'a> {
    request: &'a Request<'a>,
    runs: &'l [Arc<dyn Run>],
    others: &'l [Arc<dyn Run>],
    calls: Option<&'l CountCalls<'l>>,
    found: FirstLook,
}

impl Look<'_, '_> {
    fn add_reasons(&mut self, reasons: Vec<PartialReason>) {
        for reason in reasons {
            if !self.found.partial_reasons.contains(&reason) {
                self.found.partial_reasons.push(reason);
            }
        }
    }

    /// Reports whether the time is over; then the answer says so.
    fn is_late(&mut self) -> bool {
        let is_late = self.request.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_late {
            let message = "the time for a first look is over; some findings are missing".to_owned();
            self.add_reasons(vec![PartialReason { code: "timeout", message }]);
        }
        is_late
    }

    /// Finds what an onset has to do with.
    fn explain(&mut self, signal: &Signal, began: Timestamp) -> Result<()> {
        let onset = self.found.onset.clone();
        let to = onset.ended.unwrap_or(self.request.range.to).min(Timestamp(self.request.now.0.saturating_add(1)));
        let window = TimeRange { from: began, to: to.max(Timestamp(began.0.saturating_add(1))) };
        self.found.signal = crate::text::query_of(&signal.plan);
        if !self.is_late() {
            let set = EventSet { plan: &signal.plan, request: self.request };
            let (also, reasons) = concurrent(set, self.runs, began)?;
            self.add_reasons(reasons);
            self.found.also = also;
        }
        if !self.is_late() {
            self.found.differs = self.differs(signal, window)?;
        }
        let request = Request { range: window, limit: None, ..*self.request };
        let affected = EventSet { plan: &signal.plan, request: &request };
        let mut trace = None;
        if !self.is_late() {
            trace = worst_trace(affected, self.others)?;
        }
        if !self.is_late() {
            self.found.usual = usual::usual(affected, &everything(&signal.plan), self.others)?;
        }
        let mut of_affected = BTreeSet::new();
        if self.calls.is_some() && !self.is_late() {
            self.note_calls(window);
            of_affected = services(affected, self.others)?;
        }
        self.rank(&onset, (began, &of_affected), trace);
        Ok(())
    }

    /// Finds calls that became red since an onset.
    fn note_calls(&mut self, window: TimeRange) {
        let Some(count) = self.calls else { return };
        let length = window.to.0.saturating_sub(window.from.0).max(CALLS_BEFORE_MIN);
        let before = TimeRange { from: Timestamp(window.from.0.saturating_sub(length)), to: window.from };
        let (counts, reasons) = count([window, before]);
        self.add_reasons(reasons);
        self.found.calls = red_calls(&counts);
    }

    /// Compares the events since the onset: parts with the rest of the same time, all events with the time before.
    fn differs(&mut self, signal: &Signal, window: TimeRange) -> Result<Option<Differences>> {
        let request = Request { range: window, limit: None, ..*self.request };
        let selection = EventSet { plan: &signal.plan, request: &request };
        let length = window.to.0.saturating_sub(window.from.0);
        let before = TimeRange { from: Timestamp(window.from.0.saturating_sub(length)), to: window.from };
        let earlier = Request { range: before, limit: None, ..*self.request };
        let all = everything(&signal.plan);
        let baseline = match signal.is_filtered && self.found.onset.is_rise() {
            true => Baseline::Rest(EventSet { plan: &all, request: &request }),
            false => Baseline::Events(EventSet { plan: &signal.plan, request: &earlier }),
        };
        let found = differences(selection, baseline, self.others)?;
        self.add_reasons(found.partial_reasons.clone());
        Ok(Some(found))
    }

    /// Ranks what was found; `services` are those of the affected events.
    fn rank(&mut self, onset: &Onset, (began, services): (Timestamp, &BTreeSet<String>), trace: Option<WorstTrace>) {
        let mut findings = rank::findings(onset, &self.found.also, self.found.differs.as_ref());
        findings.extend(self.found.calls.iter().map(|call| rank::call(call, began, services)));
        findings.extend(self.found.usual.as_ref().map(rank::usual));
        findings.extend(trace.map(rank::trace));
        rank::sort(&mut findings);
        findings.truncate(FINDINGS_MAX);
        self.found.findings = findings;
    }

    /// Where no rate changed, sources may have fallen silent.
    fn note_silences(&mut self, plan: &Plan) -> Result<()> {
        if !conditions_of(plan).is_empty() || self.is_late() {
            return Ok(());
        }
        let silent = silences(EventSet { plan, request: self.request }, self.others, self.request.range.to)?;
        self.found.findings = silent.iter().map(|silence| rank::silence(silence, None)).collect();
        rank::sort(&mut self.found.findings);
        self.found.findings.truncate(FINDINGS_MAX);
        self.found.also = silent;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

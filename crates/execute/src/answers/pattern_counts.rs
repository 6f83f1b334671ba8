//! How often each pattern of messages comes among two sets of events.

use std::sync::Arc;

use pattern::Condition;
use plan::{Expr, Operator, Patterns, Plan};
use types::Run;

use crate::answers::event::{Event, read_events};
use crate::operators::patterns::conditions::Conditions;
use crate::operators::patterns::ends::{End, Side};
use crate::operators::patterns::pattern_sums::{Part, PatternSums, Sums, mined, needed_by};
use crate::operators::patterns::tally::Depth;
use crate::operators::patterns::text_counts::TextCounts;
use crate::operators::patterns::text_counts::part::{KnownExamples, PartTexts};
use crate::request::answer::PartialReason;
use crate::request::error::Result;
use crate::request::parameters::Request;
use crate::scan::fingerprint::Fingerprint;
use crate::scan::matches::Matcher;
use crate::scan::parts::{PartCounts, RunPart, count_parts};
use crate::scan::scanner::Scan;
use crate::scan::simplify::row_wise_lead;
use crate::scan::steps::Steps;

/// Events that are compared with others: those that the conditions at the head of a plan let through.
#[derive(Clone, Copy)]
pub struct EventSet<'a> {
    /// The conditions.
    pub plan: &'a Plan,
    /// The range, and what the query may use.
    pub request: &'a Request<'a>,
}

/// A pattern, before its events are read.
#[derive(Clone, Copy, Debug)]
pub struct PatternTotals<'p> {
    /// The pattern, wildcards as `<*>`.
    pub pattern: &'p str,
    /// Events in either set.
    pub n_events: [u64; 2],
}

/// A pattern that was chosen.
#[derive(Clone, Debug)]
pub struct PatternCount {
    /// The pattern, wildcards as `<*>`.
    pub pattern: String,
    /// Its first event: of the first set, else of the second.
    pub first: Option<Event>,
    /// What holds for its events.
    pub condition: Expr,
}

/// The patterns of two sets of events.
#[derive(Clone, Debug, Default)]
pub struct PatternCounts {
    /// Those that were chosen, in the order of the choice.
    pub patterns: Vec<PatternCount>,
    /// Events in either set.
    pub n_events: [u64; 2],
    /// Why events may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// Counts the patterns of two sets of events together; `choose` says which ones are described, by their places.
///
/// Memory grows with the number of different texts with what varies taken out, and counts against the query's.
pub fn pattern_counts(
    sets: [EventSet<'_>; 2],
    runs: &[Arc<dyn Run>],
    choose: &mut dyn FnMut(&[PatternTotals<'_>]) -> Vec<usize>,
) -> Result<PatternCounts> {
    let patterns = Patterns { text: Expr::Field("@message".into()), earlier: None, is_scored: false, counts: Some(1) };
    let leads = [row_wise_lead(sets[0].plan, runs)?, row_wise_lead(sets[1].plan, runs)?];
    let first = Scan::over(&leads[0], runs, sets[0].request);
    let second = Scan::over(&leads[1], runs, sets[1].request);
    let texts = texts_of_parts(&first, &leads[0], &patterns)?;
    let first = Part { scan: &first, counted: texts };
    let texts = texts_of_parts(&second, &leads[1], &patterns)?;
    let second = Part { scan: &second, counted: texts };
    let mined = first.scan.or_nothing(mined(&first, Some(&second)));
    let totals: Vec<PatternTotals<'_>> = mined.patterns.iter().zip(&mined.sums).map(totals).collect();
    let chosen: Vec<usize> = choose(&totals).into_iter().filter(|place| *place < totals.len()).collect();
    let compared = Compared { parts: [&first, &second], leads: &leads, patterns: &patterns, mined: &mined };
    let described = compared.described(&chosen, &totals)?;
    first.scan.absorb(second.scan);
    if let Some(error) = first.scan.take_error() {
        return Err(error);
    }
    Ok(PatternCounts {
        patterns: described,
        n_events: [first.counted.n_events(), second.counted.n_events()],
        partial_reasons: first.scan.take_reasons(),
    })
}

/// Counts the masked texts of a set by parts of its runs.
fn texts_of_parts(scan: &Scan<'_>, lead: &[Operator], patterns: &Patterns) -> Result<TextCounts> {
    let needed = needed_by(patterns);
    let steps = Steps::new(lead, &needed);
    let matcher = Matcher::new(scan, (lead, &needed), &steps);
    let fingerprint = Fingerprint::of_counts("texts", lead, &[], scan.request.time_zone);
    let count = |part: &RunPart| {
        let mut counted = TextCounts::new(None, Depth::Ends);
        let mut n_bytes = 0;
        let is_complete = part.for_each(scan, |item| {
            let mut frame = matcher.frame(scan, item)?;
            counted.add(&mut frame, Some(part.source), patterns, scan)?;
            scan.hold(counted.memory_bytes().saturating_sub(n_bytes))?;
            n_bytes = counted.memory_bytes();
            Ok(())
        })?;
        let counts = PartTexts::of(&counted);
        scan.budget().release(n_bytes);
        let n_bytes = counts.n_bytes();
        scan.hold(n_bytes)?;
        Ok(PartCounts { n_matched: counts.n_events, counts, n_bytes, is_complete })
    };
    let mut all = TextCounts::new(None, Depth::Ends);
    // Parts of a run come one after the other.
    let (mut known, mut known_of) = (KnownExamples::default(), None);
    count_parts(scan, fingerprint, count, |part, texts| {
        let before = all.memory_bytes();
        if known_of.replace(part.source) != Some(part.source) {
            known = KnownExamples::default();
        }
        known.read(scan, part.source)?;
        all.add_part(texts, part.source, &mut known);
        scan.hold(all.memory_bytes().saturating_sub(before))
    })?;
    matcher.keep(scan);
    Ok(all)
}

fn totals<'p>((pattern, sums): (&'p String, &'p Sums)) -> PatternTotals<'p> {
    let sides = [&sums.now, &sums.before];
    PatternTotals { pattern, n_events: sides.map(crate::operators::patterns::bins::Sum::total) }
}

/// Both sets, counted.
struct Compared<'c, 's, 'a> {
    parts: [&'c Part<'s, 'a>; 2],
    leads: &'c [Vec<Operator>; 2],
    patterns: &'c Patterns,
    mined: &'c PatternSums<'c>,
}

impl Compared<'_, '_, '_> {
    /// Returns the chosen patterns with their conditions and first events; those without a condition are left out.
    fn described(&self, chosen: &[usize], totals: &[PatternTotals<'_>]) -> Result<Vec<PatternCount>> {
        let firsts = self.firsts(chosen)?;
        let conditions = Conditions::new(self.mined, self.parts[0], Some(self.parts[1]));
        let mut described = Vec::new();
        for (place, first) in chosen.iter().zip(firsts) {
            let known = &totals[*place];
            let sample = first.as_ref().map(|first| &*first.text);
            let Some(Condition { expr, .. }) = conditions.of(*place, known.pattern, sample) else { continue };
            described.push(PatternCount { pattern: known.pattern.to_owned(), first, condition: expr });
        }
        Ok(described)
    }

    /// Returns the first event of each pattern: of the first set, else of the second.
    fn firsts(&self, chosen: &[usize]) -> Result<Vec<Option<Event>>> {
        let none = End::new(Side::Oldest);
        let mut firsts: Vec<Option<Event>> = vec![None; chosen.len()];
        for (side, part) in self.parts.into_iter().enumerate() {
            let end = |(place, first): (&usize, &Option<Event>)| {
                let sums = &self.mined.sums[*place];
                let sum = if side == 0 { &sums.now } else { &sums.before };
                if first.is_none() { sum.ends.oldest.clone() } else { none.clone() }
            };
            let ends: Vec<End> = chosen.iter().zip(&firsts).map(end).collect();
            read_events(part.scan, &ends, (&self.leads[side], self.patterns), &mut firsts)?;
        }
        Ok(firsts)
    }
}

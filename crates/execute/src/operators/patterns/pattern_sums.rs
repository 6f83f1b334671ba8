//! Masked texts that were counted, and the patterns found from them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plan::{Name, Operator, Patterns, fields_of};

use crate::operators::feed::{Feed, for_each_frame};
use crate::operators::patterns::bins::{Bins, Sum};
use crate::operators::patterns::tally::Depth;
use crate::operators::patterns::text_counts::TextCounts;
use crate::request::cache::CacheEntry;
use crate::request::error::Result;
use crate::scan::fingerprint::key_of_texts;
use crate::scan::scanner::{Flow, Scan};
use crate::scan::steps::Steps;
use evaluate::Stop;
use pattern::mine;

/// What was counted in one range of time.
pub(crate) struct Part<'s, 'a> {
    pub(crate) scan: &'s Scan<'a>,
    pub(crate) counted: TextCounts,
}

/// A pattern's sums: of the range asked for, and of the earlier one.
#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) now: Sum,
    pub(crate) before: Sum,
}

/// Patterns with their sums, and the place of each masked text's pattern among them.
#[derive(Default)]
pub(crate) struct PatternSums<'t> {
    pub(crate) patterns: Vec<String>,
    pub(crate) sums: Vec<Sums>,
    pub(crate) places: BTreeMap<&'t str, u32>,
}

/// Finds the patterns of the texts of both times together.
pub(crate) fn mined<'t>(now: &'t Part<'_, '_>, before: Option<&'t Part<'_, '_>>) -> Result<PatternSums<'t>, Stop> {
    let texts: BTreeSet<&str> =
        now.counted.texts().chain(before.into_iter().flat_map(|part| part.counted.texts())).collect();
    let texts: Vec<&str> = texts.into_iter().collect();
    let assigned = assigned(&texts, now.scan)?;
    let (patterns, pattern_of) = &*assigned;
    let places: BTreeMap<&str, u32> = texts.iter().copied().zip(pattern_of.iter().copied()).collect();
    let sums_of = |part: Option<&Part<'_, '_>>| {
        let mut sums: Vec<Sum> = patterns.iter().map(|_| Sum::default()).collect();
        if let Some(part) = part {
            part.counted.add_to(&places, &mut sums);
        }
        sums
    };
    let sums = sums_of(Some(now)).into_iter().zip(sums_of(before)).map(|(now, before)| Sums { now, before });
    let sums: Vec<Sums> = sums.collect();
    Ok(PatternSums { patterns: patterns.clone(), sums, places })
}

/// Patterns, and for each text the place of its pattern among them.
type AssignedPatterns = (Vec<String>, Vec<u32>);

/// Finds the patterns of texts, or takes those that are kept: other events often have the same texts.
fn assigned(texts: &[&str], scan: &Scan<'_>) -> Result<Arc<AssignedPatterns>, Stop> {
    let kept = scan.request.support.cache.map(|cache| (cache, key_of_texts("patterns", texts)));
    if let Some(known) = kept.and_then(|(cache, key)| cache.part_counts::<AssignedPatterns>(key)) {
        return Ok(known);
    }
    let mined = mine(texts, &|| scan.check().is_ok()).ok_or(Stop::Over)?;
    let n_bytes = mined.patterns.iter().map(|pattern| pattern.len() + std::mem::size_of::<String>()).sum::<usize>();
    let n_bytes = n_bytes + 4 * mined.pattern_of.len();
    let assigned = Arc::new((mined.patterns, mined.pattern_of));
    if let Some((cache, key)) = kept {
        cache.put(key, CacheEntry::Counts(assigned.clone(), n_bytes));
    }
    Ok(assigned)
}

/// Returns which fields of events are read.
pub(crate) fn needed_by(patterns: &Patterns) -> BTreeSet<Name> {
    fields_of(&[Operator::Patterns(patterns.clone())])
}

/// Spans of the part of the range in which there are events.
pub(crate) fn bins_of(scan: &Scan<'_>, patterns: &Patterns) -> Option<Bins> {
    if !patterns.is_scored && patterns.counts.is_none() {
        return None;
    }
    let (first, last) = scan.ends()?;
    Some(Bins::of(first, last, patterns.counts))
}

pub(crate) fn count_runs(
    scan: &Scan<'_>,
    lead: &[Operator],
    patterns: &Patterns,
    bins: Option<Bins>,
    depth: Depth,
) -> Result<TextCounts> {
    let steps = Steps::new(lead, &needed_by(patterns));
    let states = scan.for_each(
        &scan.items(),
        || TextCounts::new(bins, depth),
        |counted, _, item| {
            let mut frame = scan.frame(item, &steps)?;
            let before = counted.memory_bytes();
            counted.add(&mut frame, Some(item.source), patterns, scan)?;
            scan.hold(counted.memory_bytes().saturating_sub(before))?;
            Ok(Flow::Continue)
        },
    )?;
    let mut all = TextCounts::new(bins, depth);
    states.into_iter().for_each(|state| all.merge(state));
    if let Err(stop) = all.settle(scan) {
        scan.note_stop(stop);
    }
    Ok(all)
}

pub(crate) fn count_feed(
    scan: &Scan<'_>,
    feed: &dyn Feed,
    lead: &[Operator],
    patterns: &Patterns,
) -> Result<TextCounts> {
    let steps = Steps::new(lead, &needed_by(patterns));
    let states = scan.until_done(
        || TextCounts::new(None, depth_of(patterns)),
        |counted| {
            for_each_frame(scan, feed, &steps, &mut |mut frame| {
                let before = counted.memory_bytes();
                counted.add(&mut frame, None, patterns, scan)?;
                scan.hold(counted.memory_bytes().saturating_sub(before))
            })
        },
    )?;
    let mut all = TextCounts::new(None, depth_of(patterns));
    states.into_iter().for_each(|state| all.merge(state));
    Ok(all)
}

/// Returns how much there is to count.
pub(crate) fn depth_of(patterns: &Patterns) -> Depth {
    if patterns.counts.is_some() {
        crate::operators::patterns::tally::Depth::Ends
    } else {
        crate::operators::patterns::tally::Depth::Newest
    }
}

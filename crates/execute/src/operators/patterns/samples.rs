//! Reads the events at the ends of each pattern: which one that is, where several have its time, its text and its id.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::{Operator, Patterns};
use types::{EventId, RowSet, TimeRange, Value};

use super::ends::{End, Spot};
use super::texts::texts_of;
use crate::operators::patterns::pattern_sums::needed_by;
use crate::request::error::Result;
use crate::request::item::Item;
use crate::scan::scanner::{Flow, Scan};
use crate::scan::steps::Steps;
use evaluate::{Cell, Stop};

/// An event that was read.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) text: Value,
    pub(crate) id: Option<Arc<str>>,
}

/// Returns the events at some ends; none where nothing has to be read, or cannot be.
pub(crate) fn read(
    scan: &Scan<'_>,
    ends: &[&End],
    lead: &[Operator],
    patterns: &Patterns,
) -> Result<Vec<Option<Sample>>> {
    let spot_of = |end: &&End| {
        spot_of(scan, end).unwrap_or_else(|stop| {
            scan.note_stop(stop);
            None
        })
    };
    let spots: Vec<Option<Spot>> = ends.iter().map(spot_of).collect();
    read_spots(scan, &spots, lead, patterns)
}

/// Returns the events at some places.
pub(crate) fn read_spots(
    scan: &Scan<'_>,
    spots: &[Option<Spot>],
    lead: &[Operator],
    patterns: &Patterns,
) -> Result<Vec<Option<Sample>>> {
    // By run and block: row, place in the answer.
    let mut by_block: BTreeMap<(usize, usize), Vec<(usize, usize)>> = BTreeMap::new();
    for (place, spot) in spots.iter().enumerate() {
        if let Some(spot) = spot {
            by_block.entry((spot.source, spot.block)).or_default().push((spot.row, place));
        }
    }
    let mut samples = vec![None; spots.len()];
    if by_block.is_empty() {
        return Ok(samples);
    }
    let items: Vec<Item> = by_block.keys().map(|(source, block)| item(scan, *source, *block)).collect();
    let steps = Steps::without_conditions(lead, &needed_by(patterns));
    let read = scan.for_each(&items, Vec::new, |read: &mut Vec<(usize, Sample)>, _, item| {
        let Some(rows) = by_block.get(&(item.source, item.block)) else { return Ok(Flow::Continue) };
        let mut chosen = RowSet::none(scan.sources[item.source].run.block_rows(item.block));
        rows.iter().for_each(|(row, _)| chosen.insert(*row));
        let chosen_rows: Vec<usize> = chosen.iter().collect();
        let mut frame = scan.chosen(item, chosen);
        let ids = patterns.counts.is_some().then(|| frame.column("@id")).transpose()?;
        steps.apply_to(&mut frame, &scan.env)?;
        let (texts, _) = texts_of(&mut frame, patterns, scan)?;
        for (row, place) in rows {
            let index = chosen_rows.partition_point(|known| known < row);
            if let Some(text) = Cell::at(&texts, index).text() {
                let text = Value::text(&*text);
                let id = ids.as_ref().and_then(|ids| Cell::at(ids, index).text()).map(|id| Arc::from(&*id));
                scan.hold(evaluate::columns::value_size::value_bytes(&text))?;
                read.push((*place, Sample { text, id }));
            }
        }
        Ok(Flow::Continue)
    })?;
    read.into_iter().flatten().for_each(|(place, sample)| samples[place] = Some(sample));
    Ok(samples)
}

fn item(scan: &Scan<'_>, source: usize, block: usize) -> Item {
    let (first, last) = scan.sources[source].run.block_times(block);
    Item { source, block, range: TimeRange::ALL, first, last }
}

/// Of events of one time the one that was accepted last, or first.
fn spot_of(scan: &Scan<'_>, end: &End) -> Result<Option<Spot>, Stop> {
    let [_, _, ..] = &end.spots[..] else { return Ok(end.spots.first().copied()) };
    let mut best: Option<((u32, u64), Spot)> = None;
    for spot in &end.spots {
        let run = &scan.sources[spot.source].run;
        let row = RowSet::of_places(run.block_rows(spot.block), std::iter::once(spot.row));
        let ids = run.read(spot.block, &["@id"], &row)?.into_iter().next();
        let id = ids.and_then(|ids| match Cell::at(&ids, 0) {
            Cell::Text(id) => EventId::decode(id),
            _ => None,
        });
        let order = id.map_or((0, 0), |id| (id.group_id, id.sequence));
        if best.is_none_or(|(known, _)| end.side.is_beyond(&order, &known)) {
            best = Some((order, *spot));
        }
    }
    Ok(best.map(|(_, spot)| spot))
}

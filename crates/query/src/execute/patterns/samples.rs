//! Reads the newest event of each pattern: which one that is, where several have its time, and its text.

use std::collections::BTreeMap;

use types::{EventId, RowSet, TimeRange, Value};

use super::super::cell::Cell;
use super::super::expression::Stop;
use super::super::scan::{Flow, Item, Scan};
use super::super::steps::Steps;
use super::super::{ExecuteError, functions};
use super::counted::{Newest, Spot, texts_of};
use super::needed_by;
use crate::plan::{Operator, Patterns};

/// Texts of the newest events; none where nothing has to be read, or cannot be.
pub(super) fn read(
    scan: &Scan<'_>,
    newest: &[&Newest],
    lead: &[Operator],
    patterns: &Patterns,
) -> Result<Vec<Option<Value>>, ExecuteError> {
    // By run and block: row, place in the answer.
    let mut by_block: BTreeMap<(usize, usize), Vec<(usize, usize)>> = BTreeMap::new();
    for (place, newest) in newest.iter().enumerate() {
        match newest_spot(scan, newest.spots()) {
            Ok(Some(spot)) => by_block.entry((spot.source, spot.block)).or_default().push((spot.row, place)),
            Ok(None) => {}
            Err(stop) => scan.note_stop(stop),
        }
    }
    let mut samples = vec![None; newest.len()];
    if by_block.is_empty() {
        return Ok(samples);
    }
    let items: Vec<Item> = by_block.keys().map(|(source, block)| item(scan, *source, *block)).collect();
    let steps = Steps::without_conditions(lead, &needed_by(patterns));
    let read = scan.for_each(&items, Vec::new, |read: &mut Vec<(usize, Value)>, _, item| {
        let Some(rows) = by_block.get(&(item.source, item.block)) else { return Ok(Flow::Continue) };
        let mut chosen = RowSet::none(scan.sources[item.source].run.block_rows(item.block));
        rows.iter().for_each(|(row, _)| chosen.insert(*row));
        let chosen_rows: Vec<usize> = chosen.iter().collect();
        let mut frame = scan.chosen(item, chosen);
        steps.apply_to(&mut frame, &scan.env)?;
        let texts = texts_of(&mut frame, patterns, scan)?;
        for (row, place) in rows {
            let index = chosen_rows.partition_point(|known| known < row);
            if let Some(text) = Cell::at(&texts, index).text() {
                let value = Value::text(&*text);
                scan.hold(functions::value_bytes(&value))?;
                read.push((*place, value));
            }
        }
        Ok(Flow::Continue)
    })?;
    read.into_iter().flatten().for_each(|(place, value)| samples[place] = Some(value));
    Ok(samples)
}

fn item(scan: &Scan<'_>, source: usize, block: usize) -> Item {
    let (first, last) = scan.sources[source].run.block_times(block);
    Item { source, block, range: TimeRange::ALL, first, last }
}

/// The newest of events of one time: the one that was accepted last.
fn newest_spot(scan: &Scan<'_>, spots: &[Spot]) -> Result<Option<Spot>, Stop> {
    let [_, _, ..] = spots else { return Ok(spots.first().copied()) };
    let mut best: Option<((u32, u64), Spot)> = None;
    for spot in spots {
        let run = &scan.sources[spot.source].run;
        let row = RowSet::of_places(run.block_rows(spot.block), std::iter::once(spot.row));
        let ids = run.read(spot.block, &["@id"], &row)?.into_iter().next();
        let id = ids.and_then(|ids| match Cell::at(&ids, 0) {
            Cell::Text(id) => EventId::decode(id),
            _ => None,
        });
        let order = id.map_or((0, 0), |id| (id.group_id, id.sequence));
        if best.is_none_or(|(known, _)| known < order) {
            best = Some((order, *spot));
        }
    }
    Ok(best.map(|(_, spot)| spot))
}

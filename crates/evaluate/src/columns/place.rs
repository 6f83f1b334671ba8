//! Places of rows, and values in an order of their own.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use plan::PLACE_FIELDS;
use types::{Column, EventId, Value};

use crate::columns::cell::{Cell, strict_order};
use crate::columns::frame::Frame;
use crate::columns::stop::Result;
use types::codec::{Cursor, Damage, Decoded, put_count, put_whole};

/// Numbers by key.
pub type Map<K> = HashMap<K, u32, foldhash::fast::RandomState>;

/// Where a row stands: events by time, group and acceptance; rows come in descending order of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The event's time, or how far from the end the row of a result stands.
    pub time: i64,
    /// The event's group.
    pub group: u32,
    /// The event's place in the order of acceptance.
    pub sequence: u64,
    /// Which of the rows of one event it is, counted from 0.
    pub part: Reverse<u32>,
}

impl Default for Place {
    fn default() -> Self {
        Self::of_row(0)
    }
}

impl Place {
    /// Returns the place of a row of a result, counted from 0.
    pub fn of_row(row: usize) -> Self {
        Self { time: -(row as i64), group: 0, sequence: 0, part: Reverse(0) }
    }
}

/// A value that orders as `sort` does; values distinguished by a reader are never equal.
#[derive(Clone, Debug)]
pub struct RankedValue(pub Value);

impl RankedValue {
    /// Returns the value as a cell.
    pub fn cell(&self) -> Cell<'_> {
        Cell::of(Some(&self.0))
    }
}

impl PartialEq for RankedValue {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for RankedValue {}

impl PartialOrd for RankedValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RankedValue {
    fn cmp(&self, other: &Self) -> Ordering {
        strict_order(self.cell(), other.cell())
    }
}

/// Writes a place.
pub fn put_place(place: &Place, out: &mut Vec<u8>) {
    put_whole(place.time, out);
    put_count(place.group.into(), out);
    put_count(place.sequence, out);
    put_count(place.part.0.into(), out);
}

/// Reads a place that [`put_place`] wrote.
///
/// # Errors
/// The bytes are not those of a place.
pub fn read_place(reader: &mut Cursor<'_>) -> Decoded<Place> {
    let time = reader.zigzag()?;
    let group = u32::try_from(reader.varint()?).map_err(|_| Damage("group"))?;
    let sequence = reader.varint()?;
    let part = u32::try_from(reader.varint()?).map_err(|_| Damage("part of an event"))?;
    Ok(Place { time, group, sequence, part: Reverse(part) })
}

/// Returns the places of a frame's rows, whatever has been computed under the names of their own times and ids.
pub fn places(frame: &mut Frame<'_>) -> Result<Vec<Place>> {
    let Some(block) = frame.block() else {
        let kept = kept_places(frame)?;
        return Ok(kept.unwrap_or_else(|| (0..frame.n_rows()).map(crate::columns::place::Place::of_row).collect()));
    };
    let group = block.source.run.info().group_id;
    let (times, ids) = match frame.stored().is_some() {
        true => (frame.column("@timestamp")?, frame.column("@id")?),
        false => (Arc::new(block.read("@timestamp")?), Arc::new(block.read("@id")?)),
    };
    let place = |row: usize| {
        let time = Cell::at(&times, row).time().unwrap_or_default();
        let sequence = match Cell::at(&ids, row) {
            Cell::Text(id) => EventId::decode(id).map_or(0, |id| id.sequence),
            _ => 0,
        };
        Place { time, group, sequence, part: Reverse(0) }
    };
    Ok((0..frame.n_rows()).map(place).collect())
}

/// Returns the places that rows in memory have kept of their events: they were read as [`PLACE_FIELDS`]. Rows of one
/// event count up.
pub fn kept_places(frame: &Frame<'_>) -> Result<Option<Vec<Place>>> {
    let [times, groups, sequences] = PLACE_FIELDS.map(|name| frame.peek(name));
    let (times, groups, sequences) = (times?, groups?, sequences?);
    let number = |column: &Column, row: usize| match Cell::at(column, row) {
        Cell::Integer(number) => Some(number),
        _ => None,
    };
    let mut places: Vec<Place> = Vec::with_capacity(frame.n_rows());
    let mut n_of_event: Map<(i64, i64, u64)> = Map::default();
    for row in 0..frame.n_rows() {
        let (Some(time), Some(group)) = (number(&times, row), number(&groups, row)) else { return Ok(None) };
        let sequence = number(&sequences, row).unwrap_or_default().cast_unsigned();
        let n_before = n_of_event.entry((time, group, sequence)).or_default();
        places.push(Place { time, group: group as u32, sequence, part: Reverse(*n_before) });
        *n_before = n_before.saturating_add(1);
    }
    Ok(Some(places))
}

//! The footer of a segment: its description of itself.
//!
//! Plain form, before zstd: 16 bytes store UUID, 16 bytes segment id, zigzag partition, varint number of runs,
//! the runs, the directory of sections (see `section`), and, where there is something to say of where its events came
//! from, a varint count of the segments that it was put together from, their ids, 16 bytes each, and a varint number
//! of the section with their source positions + 1 (see `positions`; left out if there is none). A run is
//!
//! ```text
//! text group, varint group id, varint events, zigzag first, zigzag last, varint first sequence,
//! varint last sequence, varint raw bytes, varint blocks, blocks × (varint rows, zigzag first, zigzag last),
//! varint origins, origins × origin, varint columns, columns × column,
//! varint sections of the run as a whole (shapes, templates, words, minutes, since format 3 the filter of the messages),
//! varint first of the system sections
//! origin: byte flags (1 text key, 2 time key), [text], [text, byte form: digits, 10 s, 11 ms, 12 µs, 13 ns]
//! column: text name, byte types, varint events, varint dictionary section + 1 (0 none), varint first section,
//!         since format 3 byte flags (1 messages are made of it, 2 some spell it with escapes), varint section of its
//!         filter + 1 (0 none)
//! ```
//!
//! A column's blocks have consecutive section numbers; so have, for each kind of system section, the
//! blocks: times, ingestion times, sequences, levels, shapes, filter, those of the messages (`texts`), and since
//! format 2 the filter of the fields (`field_filter`).

use types::{GroupName, Origin, TimeForm, Timestamp, TypeSet, ensure};

use crate::bytes::{Cursor, Damage, Decoded, put_text, put_varint, put_zigzag};
use crate::meta::{RunSummary, SegmentMeta};
use crate::section::SectionId;
use crate::texts::TEXT_SECTIONS;

/// System sections, by kind; those of the messages are the last.
pub(crate) const TIMES: usize = 0;
pub(crate) const INGESTION_TIMES: usize = 1;
pub(crate) const SEQUENCES: usize = 2;
pub(crate) const LEVELS: usize = 3;
pub(crate) const SHAPES: usize = 4;
pub(crate) const FILTER: usize = 5;
pub(crate) const TEXTS: usize = 6;
/// Since format 2.
pub(crate) const FIELDS: usize = TEXTS + TEXT_SECTIONS;
pub(crate) const SYSTEM_SECTIONS: usize = FIELDS + 1;

/// Sections of a run as a whole, by offset from `RunFooter::whole`.
pub(crate) const SHAPE_TABLE: SectionId = 0;
pub(crate) const TEMPLATES: SectionId = 1;
pub(crate) const WORDS: SectionId = 2;
pub(crate) const MINUTES: SectionId = 3;
/// Since format 3.
pub(crate) const RUN_FILTER: SectionId = 4;
pub(crate) const WHOLE_SECTIONS: usize = 5;

/// A run as the footer describes it.
#[derive(Clone, Debug)]
pub(crate) struct RunFooter {
    pub(crate) summary: RunSummary,
    pub(crate) blocks: Vec<BlockFooter>,
    pub(crate) origins: Vec<Origin>,
    /// All fields sorted by name; `@logStream` is among them.
    pub(crate) columns: Vec<ColumnFooter>,
    pub(crate) whole: SectionId,
    pub(crate) system: SectionId,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockFooter {
    pub(crate) n_rows: u32,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct ColumnFooter {
    pub(crate) name: std::sync::Arc<str>,
    pub(crate) types: TypeSet,
    pub(crate) n_events: u64,
    pub(crate) dictionary: Option<SectionId>,
    pub(crate) first_section: SectionId,
    /// Reports whether messages are made of it.
    pub(crate) is_in_messages: bool,
    /// Reports whether some message spells a text of it with escapes.
    pub(crate) is_escaped: bool,
    /// The section with the filter over all of its values in the run.
    pub(crate) filter: Option<SectionId>,
}

/// Writes everything but the directory of sections.
pub(crate) fn encode(meta: &SegmentMeta, runs: &[RunFooter]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&meta.store);
    out.extend_from_slice(&meta.segment.to_le_bytes());
    put_zigzag(&mut out, meta.partition);
    put_varint(&mut out, runs.len() as u64);
    runs.iter().for_each(|run| put_run(&mut out, run));
    out
}

/// Where the events of a segment came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lineage {
    /// Segments that this one replaces.
    pub(crate) replaced: Vec<u128>,
    /// Section with the source positions of its events.
    pub(crate) positions: Option<SectionId>,
}

/// Appends the lineage after the directory of sections; nothing if it is empty.
pub(crate) fn put_lineage(out: &mut Vec<u8>, lineage: &Lineage) {
    if *lineage == Lineage::default() {
        return;
    }
    put_varint(out, lineage.replaced.len() as u64);
    lineage.replaced.iter().for_each(|id| out.extend_from_slice(&id.to_le_bytes()));
    if let Some(id) = lineage.positions {
        put_varint(out, u64::from(id) + 1);
    }
}

/// Reads what [`put_lineage`] wrote.
pub(crate) fn take_descent(cursor: &mut Cursor<'_>) -> Decoded<Lineage> {
    if cursor.is_at_end() {
        return Ok(Lineage::default());
    }
    let replaced = (0..cursor.count(16)?).map(|_| Ok(u128::from_le_bytes(cursor.array()?))).collect::<Decoded<_>>()?;
    let positions = if cursor.is_at_end() { None } else { take_id(cursor)?.checked_sub(1) };
    Ok(Lineage { replaced, positions })
}

fn put_run(out: &mut Vec<u8>, run: &RunFooter) {
    let summary = &run.summary;
    put_text(out, summary.group.as_str());
    put_varint(out, u64::from(summary.group_id));
    put_varint(out, summary.n_events);
    put_zigzag(out, summary.first.0);
    put_zigzag(out, summary.last.0);
    put_varint(out, summary.first_sequence);
    put_varint(out, summary.last_sequence);
    put_varint(out, summary.bytes_raw);
    put_varint(out, run.blocks.len() as u64);
    for block in &run.blocks {
        put_varint(out, u64::from(block.n_rows));
        put_zigzag(out, block.first.0);
        put_zigzag(out, block.last.0);
    }
    put_varint(out, run.origins.len() as u64);
    run.origins.iter().for_each(|origin| put_origin(out, origin));
    put_varint(out, run.columns.len() as u64);
    for column in &run.columns {
        put_text(out, &column.name);
        out.push(column.types.0);
        put_varint(out, column.n_events);
        put_varint(out, column.dictionary.map_or(0, |id| u64::from(id) + 1));
        put_varint(out, u64::from(column.first_section));
        out.push(u8::from(column.is_in_messages) | u8::from(column.is_escaped) << 1);
        put_varint(out, column.filter.map_or(0, |id| u64::from(id) + 1));
    }
    put_varint(out, u64::from(run.whole));
    put_varint(out, u64::from(run.system));
}

fn put_origin(out: &mut Vec<u8>, origin: &Origin) {
    out.push(u8::from(origin.text_key.is_some()) | u8::from(origin.time_key.is_some()) << 1);
    if let Some(key) = &origin.text_key {
        put_text(out, key);
    }
    if let Some((key, form)) = &origin.time_key {
        put_text(out, key);
        out.push(match form {
            TimeForm::Rfc3339 { digits } => *digits,
            TimeForm::Epoch { unit_ns: Timestamp::SECOND } => 10,
            TimeForm::Epoch { unit_ns: 1_000_000 } => 11,
            TimeForm::Epoch { unit_ns: 1_000 } => 12,
            TimeForm::Epoch { .. } => 13,
        });
    }
}

/// Reads what [`encode`] wrote and leaves the cursor at the directory of sections.
pub(crate) fn decode(cursor: &mut Cursor<'_>, format: u16) -> Decoded<(SegmentMeta, Vec<RunFooter>)> {
    let store = cursor.array()?;
    let segment = u128::from_le_bytes(cursor.array()?);
    let partition = cursor.zigzag()?;
    let n_runs = cursor.count(1)?;
    let runs = (0..n_runs).map(|_| take_run(cursor, format)).collect::<Decoded<_>>()?;
    Ok((SegmentMeta { store, segment, partition }, runs))
}

fn take_id(cursor: &mut Cursor<'_>) -> Decoded<SectionId> {
    SectionId::try_from(cursor.varint()?).map_err(|_| Damage("a section number is out of range"))
}

fn take_run(cursor: &mut Cursor<'_>, format: u16) -> Decoded<RunFooter> {
    let summary = RunSummary {
        group: GroupName::new(cursor.text()?).ok_or(Damage("a group name is invalid"))?,
        group_id: u32::try_from(cursor.varint()?).map_err(|_| Damage("a group number is out of range"))?,
        n_events: cursor.varint()?,
        first: Timestamp(cursor.zigzag()?),
        last: Timestamp(cursor.zigzag()?),
        first_sequence: cursor.varint()?,
        last_sequence: cursor.varint()?,
        bytes_raw: cursor.varint()?,
    };
    let n_blocks = cursor.count(3)?;
    let blocks = (0..n_blocks).map(|_| take_block(cursor)).collect::<Decoded<_>>()?;
    let n_origins = cursor.count(1)?;
    let origins = (0..n_origins).map(|_| take_origin(cursor)).collect::<Decoded<_>>()?;
    let n_columns = cursor.count(4)?;
    let columns = (0..n_columns).map(|_| take_column(cursor, format)).collect::<Decoded<_>>()?;
    Ok(RunFooter { summary, blocks, origins, columns, whole: take_id(cursor)?, system: take_id(cursor)? })
}

fn take_block(cursor: &mut Cursor<'_>) -> Decoded<BlockFooter> {
    let n_rows = cursor.varint()?;
    ensure!(n_rows != 0 && n_rows <= crate::format::SERIES_BLOCK_ROWS as u64, Damage("a block has too many rows"));
    let (first, last) = (Timestamp(cursor.zigzag()?), Timestamp(cursor.zigzag()?));
    Ok(BlockFooter { n_rows: n_rows as u32, first, last })
}

fn take_column(cursor: &mut Cursor<'_>, format: u16) -> Decoded<ColumnFooter> {
    let mut column = ColumnFooter {
        name: cursor.text()?.into(),
        types: TypeSet(cursor.byte()?),
        n_events: cursor.varint()?,
        dictionary: take_id(cursor)?.checked_sub(1),
        first_section: take_id(cursor)?,
        is_in_messages: false,
        is_escaped: false,
        filter: None,
    };
    if format > 2 {
        let flags = cursor.byte()?;
        (column.is_in_messages, column.is_escaped) = (flags & 1 == 1, flags & 2 == 2);
        column.filter = take_id(cursor)?.checked_sub(1);
    }
    Ok(column)
}

fn take_origin(cursor: &mut Cursor<'_>) -> Decoded<Origin> {
    let flags = cursor.byte()?;
    let text_key = if flags & 1 == 1 { Some(cursor.text()?.into()) } else { None };
    let time_key = if flags & 2 == 2 {
        let key = cursor.text()?.into();
        let form = match cursor.byte()? {
            digits @ 0..=9 => TimeForm::Rfc3339 { digits },
            10 => TimeForm::Epoch { unit_ns: Timestamp::SECOND },
            11 => TimeForm::Epoch { unit_ns: 1_000_000 },
            12 => TimeForm::Epoch { unit_ns: 1_000 },
            13 => TimeForm::Epoch { unit_ns: 1 },
            _ => return Err(Damage("unknown form of a time")),
        };
        Some((key, form))
    } else {
        None
    };
    Ok(Origin { text_key, time_key })
}

//! Drops lines that were pushed before: equal labels, time, line and metadata are one event, in whichever requests.
//!
//! Lines are compared with the others of the request and with hot events of the same times.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use storage::{Part, Store};
use types::{Batch, BatchRun, Column, GroupPattern, RowSet, Run, ScanError, TimeRange, Timestamp, Value};
use xxhash_rust::xxh3::Xxh3;

use super::metadata::{PUSHED, names_of_fields};

/// The columns that equal lines share besides their metadata.
const COMPARED: [&str; 3] = ["@logStream", "@message", PUSHED];

/// Returns the parts without lines that were pushed before, and the number of dropped lines.
pub(super) fn without_repeated(store: &Store, parts: Vec<Part>) -> (Vec<Part>, u64) {
    let (mut kept, mut n_repeated) = (Vec::with_capacity(parts.len()), 0);
    for part in parts {
        let n_before = part.batch.len();
        // Damaged events are not compared; queries report the damage.
        let batch = match new_rows(store, &part) {
            Ok(Some(rows)) => Batch::gather(&[&part.batch], &rows),
            Ok(None) | Err(_) => part.batch,
        };
        n_repeated += (n_before - batch.len()) as u64;
        if !batch.is_empty() {
            kept.push(Part { group: part.group, batch });
        }
    }
    (kept, n_repeated)
}

/// Times of a part, each with whether another event has it too: only such an event may be a repeated one.
type Times = HashMap<i64, bool>;

/// Returns the new rows of a part, in their order; `None` if all of them are.
fn new_rows(store: &Store, part: &Part) -> Result<Option<Vec<(u32, u32)>>, ScanError> {
    let batch = &part.batch;
    let mut times = Times::with_capacity(batch.len());
    for time in batch.timestamps.iter() {
        times.entry(time).and_modify(|is_shared| *is_shared = true).or_insert(false);
    }
    let Some((first, last)) = batch.timestamps.bounds() else { return Ok(None) };
    let range = TimeRange { from: Timestamp(first), to: Timestamp(last.saturating_add(1)) };
    let runs = if store.has_group(&part.group) {
        store.snapshot(&[GroupPattern::new(part.group.as_str())], range).runs
    } else {
        Vec::new()
    };
    let mut seen: HashSet<u128> = HashSet::new();
    for run in runs.iter().filter(|run| run.info().key.is_none() && range.overlaps(run.info().first, run.info().last)) {
        add_known(&**run, range, &mut times, &mut seen)?;
    }
    if !times.values().any(|is_shared| *is_shared) {
        return Ok(None);
    }
    let own = BatchRun::new(part.group.clone(), 0, Arc::new(batch.clone()));
    let mut is_new = vec![true; batch.len()];
    let order = batch.time_order();
    let mut begin = 0;
    for block in 0..own.n_blocks() {
        let shared = |row: usize| times[&batch.timestamps.get(order[begin + row] as usize)];
        let rows = RowSet::of(own.block_rows(block), shared);
        for (row, key) in rows.iter().zip(keys(&own, block, &rows)?) {
            is_new[order[begin + row] as usize] = seen.insert(key);
        }
        begin += own.block_rows(block);
    }
    if is_new.iter().all(|is_new| *is_new) {
        return Ok(None);
    }
    Ok(Some((0..).zip(is_new).filter(|(_, is_new)| *is_new).map(|(row, _)| (0, row)).collect()))
}

/// Adds the keys of the events of a run at the given times, and notes these times.
fn add_known(run: &dyn Run, range: TimeRange, times: &mut Times, known: &mut HashSet<u128>) -> Result<(), ScanError> {
    for block in 0..run.n_blocks() {
        let (first, last) = run.block_times(block);
        if !range.overlaps(first, last) {
            continue;
        }
        let all = RowSet::all(run.block_rows(block));
        let columns = run.read(block, &["@timestamp"], &all)?;
        let Some(Column::Timestamps(values)) = columns.first() else { continue };
        let rows = RowSet::of(values.len(), |row| times.contains_key(&values[row]));
        if !rows.is_empty() {
            rows.iter().for_each(|row| _ = times.insert(values[row], true));
            known.extend(keys(run, block, &rows)?);
        }
    }
    Ok(())
}

/// Returns hashes of the columns that equal lines share.
fn keys(run: &dyn Run, block: usize, rows: &RowSet) -> Result<Vec<u128>, ScanError> {
    let compared = run.read(block, &COMPARED, rows)?;
    let times = run.read(block, &["@timestamp"], rows)?;
    let text = |column: &Column, row: usize| column.value(row).map(|value| value.to_string()).unwrap_or_default();
    let pushed: Vec<String> = (0..rows.count()).map(|row| text(&compared[2], row)).collect();
    // Most events of a stream have the same names.
    let mut names_of: HashMap<&str, Vec<String>> = HashMap::new();
    for text in &pushed {
        names_of.entry(text).or_insert_with(|| names_of_fields(text));
    }
    let mut names: Vec<&str> = names_of.values().flatten().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let metadata = run.read(block, &names, rows)?;
    let key = |row: usize| {
        let mut hasher = Xxh3::new();
        let time = match times.first().and_then(|column| column.value(row)) {
            Some(Value::Timestamp(time)) => time.0,
            _ => 0,
        };
        hasher.update(&time.to_le_bytes());
        let columns =
            names_of[&*pushed[row]].iter().filter_map(|name| metadata.get(names.binary_search(&name.as_str()).ok()?));
        for column in compared.iter().chain(columns) {
            let text = text(column, row);
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.digest128()
    };
    Ok((0..rows.count()).map(key).collect())
}

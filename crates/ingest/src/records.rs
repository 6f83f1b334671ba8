//! Records as runs of events in memory, read as they are when they are sent: what rules are tried on.

use std::collections::BTreeMap;
use std::sync::Arc;

use parse::{ArrivalContext, EventParser, Extras, JsonError, Zone};
use types::{BatchBuilder, BatchRun, GroupName, Limits, Numbers, Run, Timestamp};

/// Returns the events of JSON records, each of a group; those without a time happened `at`.
///
/// # Errors
/// The index of the first record that is not a JSON object, and what is wrong with it.
pub fn runs_of_records<'r>(
    records: impl IntoIterator<Item = (GroupName, &'r [u8])>,
    at: Timestamp,
    limits: &Limits,
) -> Result<Vec<Arc<dyn Run>>, (usize, JsonError)> {
    let mut parser =
        EventParser::new(ArrivalContext { at, modified: None, previous: None, zone: Zone::from(0), limits });
    let mut groups: BTreeMap<GroupName, BatchBuilder> = BTreeMap::new();
    for (index, (group, record)) in records.into_iter().enumerate() {
        let builder = groups.entry(group).or_default();
        parser.record(record, &Extras::default(), builder).map_err(|error| (index, error))?;
    }
    let mut runs: Vec<Arc<dyn Run>> = Vec::new();
    for (number, (group, builder)) in (1..).zip(groups) {
        let mut batch = builder.finish();
        batch.sequences = Numbers::consecutive(1, batch.len());
        batch.ingestion_times = Numbers::same(at.0, batch.len());
        runs.push(Arc::new(BatchRun::new(group, number, Arc::new(batch))));
    }
    Ok(runs)
}

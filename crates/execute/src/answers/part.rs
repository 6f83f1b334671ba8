//! The part of another node's query: groups of the runs that this node is the home of.

use std::sync::Arc;

use types::Run;

use crate::operators::aggregation::Aggregation;
use crate::operators::unnest::Spread;
use crate::request::parameters::Request;
use crate::request::part::{Part, PartAnswer, PartError};
use crate::scan::scanner::Scan;

/// Works a part out, as far as its runs are among `runs`, and returns it as bytes. `request` has the part's range and
/// zone.
///
/// # Errors
/// If the answer would be partial. The node that asked then reads the runs itself and reports why.
pub fn answer_part(part: &Part, runs: &[Arc<dyn Run>], request: &Request<'_>) -> Result<Vec<u8>, PartError> {
    let places = part.places();
    let place = |run: &Arc<dyn Run>| Some((*places.get(&run.info().key?)?, run.clone()));
    let mut found: Vec<(usize, Arc<dyn Run>)> = runs.iter().filter_map(place).collect();
    found.sort_by_key(|(place, _)| *place);
    let (places, runs): (Vec<usize>, Vec<Arc<dyn Run>>) = found.into_iter().unzip();
    let operators = [&part.lead[..], &part.rest].concat();
    let scan = Scan::over(&operators, &runs, request);
    let no_aggregation = || PartError::Form("it has no aggregation".into());
    let (spread, aggregate, after) = Spread::of(&part.rest).ok_or_else(no_aggregation)?;
    let aggregation = Aggregation::new(&part.lead, spread, aggregate, after).ok_or_else(no_aggregation)?;
    let groups = aggregation.groups_of_all(&scan, None).map_err(|error| PartError::Failed(error.to_string()))?;
    if let Some(reason) = scan.take_reasons().into_iter().next() {
        return Err(PartError::Failed(reason.message));
    }
    if scan.env.warnings.has_added() {
        return Err(PartError::Failed("it leads to a warning, which belongs to whoever asked".into()));
    }
    let stats = scan.stats();
    let (n_scanned, n_matched) = (stats.events_scanned, stats.events_matched);
    let mut bytes = Vec::new();
    PartAnswer { runs: places, n_scanned, n_matched, n_bytes_read: stats.bytes_read }.write(&mut bytes);
    groups.encode(&mut bytes);
    Ok(bytes)
}

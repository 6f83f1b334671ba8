//! Exemplars: which of them are new, and the answer to `query_exemplars`.
//!
//! Pages and agents repeat the exemplars of a series until there are newer ones, so those of its last request are known by their
//! hashes.

pub(crate) mod recent;

use std::collections::HashSet;

use door::{Outcome, Problem, Reply};
use foldhash::fast::RandomState;
use ingest::sample::{Exemplar, SampleSeries};
use ingest::{Collector, Result};
use serde_json::{Value, json};
use types::{Timestamp, ensure};
use xxhash_rust::xxh3::xxh3_64;

use crate::format::{self, Float, LabelMap};
use crate::metadata::{Call, MetricsState};
use crate::problem::parsed;
use crate::times::time_of;

/// Most exemplars of an answer.
const ANSWER_MAX: usize = 10_000;

/// Exemplars of one request.
#[derive(Debug, Default)]
pub(crate) struct NewExemplars {
    /// Hashes of series and exemplar, for each exemplar that is collected or was before.
    pub(crate) seen: HashSet<(u64, u64), RandomState>,
    /// How many are collected.
    pub(crate) n_new: usize,
    /// How many are stored now or were before.
    pub(crate) n: u64,
}

impl NewExemplars {
    /// Collects an exemplar unless its series has it already; returns why it is refused.
    pub(crate) fn add(
        &mut self,
        collector: &mut Collector<'_>,
        (series, exemplar): (&SampleSeries, &Exemplar<'_>),
        state: &MetricsState,
    ) -> Result<Result<(), String>> {
        let text = match exemplar.text() {
            Ok(text) => text,
            Err(problem) => return Ok(Err(problem)),
        };
        let spelled = format!("{text} {:x} {}", exemplar.value.to_bits(), exemplar.time);
        let hashes = (xxh3_64(series.series.stream().as_bytes()), xxh3_64(spelled.as_bytes()));
        if !self.seen.contains(&hashes) {
            if !state.recent_exemplars().is_known(hashes) {
                if let Err(problem) = exemplar.add(collector, series, &text)? {
                    return Ok(Err(problem));
                }
                self.n_new += 1;
            }
            self.seen.insert(hashes);
        }
        self.n += 1;
        Ok(Ok(()))
    }
}

/// Answers `query_exemplars`: those of all series that a query reads.
pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    let text = parameters.get("query").unwrap_or_default();
    let query = parsed("query", text)?;
    let start = time_of(&parameters, "start")?.unwrap_or(i64::MIN / Timestamp::MILLISECOND);
    let end = time_of(&parameters, "end")?.unwrap_or(i64::MAX / Timestamp::MILLISECOND - 1);
    ensure!(end >= start, Problem::bad_request("bad-range", "end timestamp must not be before start timestamp"));
    let selectors: Vec<_> = query.selectors().into_iter().map(<[_]>::to_vec).collect();
    Ok(Reply::query(&server, text, move |run| {
        let (found, missing) = series::exemplars(&run, &selectors, (start, end), ANSWER_MAX)?;
        Ok(format::reply(found.iter().map(|(labels, exemplars)| series_json(labels, exemplars)).collect(), missing))
    }))
}

fn series_json(labels: &promql::Labels, exemplars: &[series::StoredExemplar]) -> Value {
    let exemplar = |exemplar: &series::StoredExemplar| {
        json!({
            "labels": LabelMap(&exemplar.labels),
            "value": Float(exemplar.value),
            "timestamp": exemplar.time as f64 / 1000.0,
        })
    };
    json!({"seriesLabels": LabelMap(labels), "exemplars": exemplars.iter().map(exemplar).collect::<Vec<_>>()})
}

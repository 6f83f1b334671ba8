//! Writes the samples of pushed groups.

use std::collections::HashSet;

use door::{Result, Shared};
use ingest::Sender;
use ingest::sample::{STALE_BITS, SampleWriter, SeriesLabels};
use types::{Limits, Timestamp};

use super::key::GroupingKey;

/// The samples that tell when a group was pushed, and when a push failed, in seconds since the epoch, with their help.
pub(super) const OF_PUSHES: [(&str, &str); 2] = [
    ("push_time_seconds", "Unix time of the last successful push to this group."),
    ("push_failure_time_seconds", "Unix time of the last failed push to this group."),
];

/// Reports whether a metric is one of those about pushes.
pub(super) fn is_own(metric: &str) -> bool {
    OF_PUSHES.iter().any(|(own, _)| *own == metric)
}

/// Returns the samples about the pushes of a group: when the last one was, and the last that failed, in ms.
pub(super) fn of_pushes(key: &GroupingKey, times_ms: [i64; 2], limits: &Limits) -> Vec<(SeriesLabels, f64)> {
    let sample = |((metric, _), ms): ((&str, &str), i64)| {
        let labels = SeriesLabels::new(key.labels(metric), limits).ok()?;
        Some((labels, ms as f64 / 1e3))
    };
    OF_PUSHES.into_iter().zip(times_ms).filter_map(sample).collect()
}

/// Writes samples that replace those of `before`, of which series without a sample now end. Blocks.
pub(crate) fn replace(
    server: &Shared,
    time: i64,
    samples: &[(SeriesLabels, f64)],
    mut before: Vec<SeriesLabels>,
) -> Result<()> {
    let remain: HashSet<&str> = samples.iter().map(|(labels, _)| labels.text()).collect();
    before.retain(|labels| !remain.contains(labels.text()));
    write(server, time, samples, &before)
}

/// Writes samples at a time in ms, and stale markers of series that end; returns when they are durable. Blocks.
pub(super) fn write(server: &Shared, time: i64, samples: &[(SeriesLabels, f64)], gone: &[SeriesLabels]) -> Result<()> {
    let intake = &server.app.intake;
    let sender = Sender { now: Timestamp(time.saturating_mul(Timestamp::MILLISECOND)), ..server.sender(None) };
    let mut collector = intake.collect(&sender);
    let ends = gone.iter().map(|labels| (labels, f64::from_bits(STALE_BITS)));
    for (labels, value) in samples.iter().map(|(labels, value)| (labels, *value)).chain(ends) {
        // A sample of now is never too old for its group.
        let _ = SampleWriter::new(&mut collector, labels)?.add(time, value)?;
    }
    intake.accept(collector, &[], &sender)?;
    Ok(())
}

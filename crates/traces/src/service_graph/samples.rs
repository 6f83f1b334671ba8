//! Counts as samples under the names of Tempo's metrics generator.

use std::borrow::Cow;

use door::{Result, Shared};
use ingest::Sender;
use ingest::sample::{METRIC_NAME, STALE_BITS, SampleWriter, SeriesLabels};
use types::{Limits, Timestamp};

use super::counts::{Counts, Edge, EdgeCount, Histogram};

/// The job of the samples, which names their group.
const JOB: &str = "service-graph";

/// An edge without calls for so long ends.
const STALE_NS: i64 = 15 * Timestamp::MINUTE;

/// A sample: its labels, time in ms and value.
struct Sample {
    labels: SeriesLabels,
    time: i64,
    value: f64,
}

/// Collects samples of one time.
struct Page<'l> {
    samples: Vec<Sample>,
    limits: &'l Limits,
    time: i64,
    /// The time before, at which series that are new were 0: so the first calls are an increase, too.
    before: i64,
}

impl Page<'_> {
    fn add(&mut self, name: &str, labels: &[(&str, &str)], value: f64, is_new: bool) {
        let all = [(METRIC_NAME, name), ("job", JOB)].into_iter().chain(labels.iter().copied());
        let pairs = all.map(|(name, value)| (Cow::from(name), Cow::from(value)));
        // Names of services are within the limits of a field, which are those of a label.
        let Ok(labels) = SeriesLabels::new(pairs, self.limits) else { return };
        if is_new {
            self.samples.push(Sample { labels: labels.clone(), time: self.before, value: 0.0 });
        }
        self.samples.push(Sample { labels, time: self.time, value });
    }

    /// Adds the samples of an edge; markers of their end if `is_over`.
    fn add_edge(&mut self, edge: &Edge, count: &EdgeCount, is_over: bool) {
        let labels =
            [("client", &*edge.client), ("server", &*edge.server), ("connection_type", edge.connection.name())];
        let value = |number: f64| if is_over { f64::from_bits(STALE_BITS) } else { number };
        let is_new = !count.is_written;
        self.add("traces_service_graph_request_total", &labels, value(count.n as f64), is_new);
        self.add("traces_service_graph_request_failed_total", &labels, value(count.n_failed as f64), is_new);
        for (side, histogram) in [("client", &count.client), ("server", &count.server)] {
            let name = format!("traces_service_graph_request_{side}_seconds");
            self.add_histogram(&name, &labels, histogram, (&value, is_new));
        }
    }

    fn add_histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str); 3],
        histogram: &Histogram,
        (value, is_new): (&dyn Fn(f64) -> f64, bool),
    ) {
        let [client, server, connection] = *labels;
        let bounds = histogram.cumulative().map(|(bound, n)| (bound.to_string(), n));
        for (bound, n) in bounds.chain([("+Inf".to_owned(), histogram.n)]) {
            let labels = [client, server, connection, ("le", &bound)];
            self.add(&format!("{name}_bucket"), &labels, value(n as f64), is_new);
        }
        self.add(&format!("{name}_sum"), labels, value(histogram.sum_s), is_new);
        self.add(&format!("{name}_count"), labels, value(histogram.n as f64), is_new);
    }
}

/// Writes what was counted at `now`, and drops edges that have ended. `before` is the time of the last writing. Blocks.
///
/// # Errors
/// If the store does not take the samples; what was counted is written the next time.
pub(super) fn write(server: &Shared, counts: &mut Counts, (before, now): (Timestamp, Timestamp)) -> Result<()> {
    let ms = |at: Timestamp| at.0.div_euclid(Timestamp::MILLISECOND);
    let intake = &server.app.intake;
    let mut page = Page { samples: Vec::new(), limits: &intake.limits, time: ms(now), before: ms(before) };
    let oldest = Timestamp(now.0.saturating_sub(STALE_NS));
    for (edge, count) in &counts.edges {
        page.add_edge(edge, count, count.last < oldest);
    }
    for ((client, server), n) in &counts.unpaired {
        let labels = [("client", &**client), ("server", &**server)];
        page.add("traces_service_graph_unpaired_spans_total", &labels, *n as f64, false);
    }
    if counts.n_dropped > 0 {
        page.add("traces_service_graph_dropped_spans_total", &[], counts.n_dropped as f64, false);
    }
    if !page.samples.is_empty() {
        let sender = Sender { now, ..server.sender(None) };
        let mut collector = intake.collect(&sender);
        for Sample { labels, time, value } in &page.samples {
            // A sample of now is never too old for its group.
            let _ = SampleWriter::new(&mut collector, labels)?.add(*time, *value)?;
        }
        intake.accept(collector, &[], &sender)?;
    }
    counts.edges.retain(|_, count| count.last >= oldest);
    counts.edges.values_mut().for_each(|count| count.is_written = true);
    Ok(())
}

//! Metrics of the service graph: the calls between services as counters and histograms that PromQL reads.
//!
//! Names and labels are those of Tempo's metrics generator, which Grafana's service graph asks its Prometheus for. Spans are
//! followed as they are accepted. The two sides of a call arrive in different batches, so the side that comes first waits for the
//! other one ([`pairs`]). Counts ([`counts`]) are written at an interval as samples of the group `metrics/service-graph`
//! ([`samples`], [`follow`]).
//!
//! Counts are in memory: after a restart they begin at 0, as those of every program do, and functions of counters such as `rate`
//! take that into account. In a fleet, the node that evaluates rules counts.

mod counts;
mod follow;
mod pairs;
mod samples;

pub use self::follow::count_calls;

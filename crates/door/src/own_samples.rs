//! What the server writes as samples by itself, and how often.

use std::time::Duration;

/// Intervals of the samples that no request brings.
#[derive(Clone, Debug)]
pub struct OwnSamples {
    /// How often the samples of pushed groups are written again.
    pub pushes: Duration,
    /// How often metrics of the service graph are written; `None` if they are not counted.
    pub service_graph: Option<Duration>,
    /// How often the server's own metrics are written; `None` if they are not.
    pub metrics: Option<Duration>,
    /// The label `instance` of the server's own metrics, such as `logs.example.org:22828`.
    pub instance: String,
}

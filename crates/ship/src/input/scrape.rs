//! Pages of metrics, as Prometheus' exporters have them (`/metrics`): fetched from time to time, and their samples become series
//! as Prometheus would store them.
//!
//! An input is one job, or all jobs of a configuration file of Prometheus. Its lines are samples, `LABELS VALUE TIME` with labels
//! as JSON, among them `up` and the other series that Prometheus adds to each scrape, and stale markers of series that end; with
//! them exemplars, and what pages say of their metrics.

mod client;
mod definition;
mod discovery;
mod engine;
mod host_page;
mod job;
mod labels;
mod line;
mod pool;
mod prometheus;
mod relabel;
mod series;
mod target;
mod values;
mod yaml;

pub(super) use self::definition::{keys, read_node_exporter, read_scrape};
pub(super) use self::discovery::check_supported;
use self::engine::Engine;
use self::host_page::HostPage;
use self::job::Job;
use self::prometheus::ConfigFile;
use crate::input::{Input, InputError, Sink, WhenFull};

/// Jobs whose targets are scraped.
pub(super) struct Scrape {
    jobs: Vec<Job>,
    /// Where the jobs are defined; it is read again when it changes.
    file: Option<ConfigFile>,
    /// This machine, instead of pages of servers.
    host: Option<HostPage>,
}

impl Input for Scrape {
    fn run(&mut self, sink: &Sink) -> Result<(), InputError> {
        Engine::new(sink, &self.jobs, self.file.clone(), self.host.clone()).run()
    }

    fn when_full(&self) -> WhenFull {
        WhenFull::GiveUpOldest
    }
}

#[cfg(test)]
mod tests;

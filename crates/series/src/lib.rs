//! The samples of a store as series: reads them for PromQL, and writes what recording rules compute.
//!
//! [`SampleSource`] is what `promql` is evaluated over; how blocks of a store are read, and for whom, is [`ReadBlocks`], which those
//! implement who ask: queries of the API within the scope of their caller, rules within that of their author. [`StoreSink`]
//! stores samples.
//!
//! Knows no protocol, and nothing of when a query is asked; [`query_options`] are what one may use.

mod collected;
mod exemplars;
mod points;
mod reader;
mod sink;
mod source;
mod step_cache;
mod stream_filter;
mod terms;

pub use self::exemplars::{ExemplarsOfSeries, StoredExemplar, exemplars};
pub use sink::{RecordedSample, StoreSink};
pub use source::{ReadBlocks, SAMPLE_GROUPS, SampleSource};
pub use terms::query_options;

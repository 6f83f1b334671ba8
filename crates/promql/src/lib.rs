//! PromQL, the query language of Prometheus 3: reading, checking, evaluation, and the language of its test scripts.
//!
//! [`parse`] reads a query, [`instant`] and [`range`] evaluate it over a [`Source`], which is all that is known of storage.
//! A range query is evaluated series by series over all steps at once: each selector is read once for the whole range, and
//! windows slide. [`run_script`] runs test scripts in Prometheus' own language.
//!
//! # Differences to Prometheus
//!
//! * The function `start_timestamp` is unknown, as no sample has a start.
//! * Functions and aggregations that Prometheus calls experimental, and `fill`, are refused by [`parse`] unless they are enabled
//!   ([`enable_experimental`]); scripts read them with [`Options::experimental`].
//! * A query has at most 200 operators and parentheses.
//! * Regular expressions are Go's as far as the crate `goregex` says.
//! * Quoted texts whose escapes are not UTF-8 are refused.
//! * `limit_ratio` keeps the series that Prometheus keeps; `limitk` keeps the first in order of labels.
//! * Where Prometheus reads only counts and sums of native histograms, as in `histogram_count(sum(x))`, it warns of counter resets that
//!   conflict; here there is no such warning, as in all other queries.
//! * A sum of native histograms that differ in resolution and in the width of their zero buckets counts each observation once; Prometheus
//!   counts those of the narrower zero bucket's neighbours twice, so that its buckets have more observations than its count.
//! * Samples count towards [`Options::samples_max`] per selection and per step held, not per step alone.

mod aggregate;
mod annotations;
mod answer;
mod call;
mod check;
mod classic;
mod context;
mod duration;
mod error;
mod evaluate;
mod extended;
mod format;
mod function;
mod heap;
mod histogram;
mod info;
mod join;
mod labels;
mod lexer;
mod matcher;
mod matching;
mod math;
mod operators;
mod options;
mod over_time;
mod parse;
mod pick;
mod rate;
mod reach;
mod relabel;
mod script;
mod selector;
mod source;
mod sum;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod value;
mod windows;

pub use annotations::Annotations;
pub use answer::{Answer, Data, Query, Row, Sample, ValueType, enable_experimental, instant, parse, range};
pub use error::{EvalError, ParseError, SourceError, Stop};
pub use format::format;
pub use histogram::{Bucket, CUSTOM_SCHEMA, Histogram, ResetHint, buckets_of_spans};
pub use join::joined;
pub use labels::{Label, Labels, METRIC_NAME};
pub use lexer::{TIME_MAX, duration};
pub use matcher::{MatchKind, Matcher};
pub use options::{Options, StopCheck};
pub use reach::Reach;
pub use script::{Failure, Report, run_script, series_values};
pub use source::{Selection, SeriesRef, Source, Visit};
pub use value::{STALE, Value, is_stale};

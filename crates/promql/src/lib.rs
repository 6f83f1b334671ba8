//! PromQL, the query language of Prometheus 3: reading, checking, evaluation, and the language of its test scripts.
//!
//! [`parse`] reads a query, [`instant`] and [`range`] evaluate it over a [`Source`], which is all that is known of storage.
//! A range query is evaluated series by series over all steps at once: each selector is read once for the whole range, and
//! windows slide. [`run_script`] runs test scripts in Prometheus' own language.
//!
//! # Differences to Prometheus
//!
//! The grammar is that of the crate `promql-parser`; it yields no places, so that this crate reads the words as well. Not
//! read, and refused: arithmetic in durations (`[5m + 1m]`), `anchored` and `smoothed`, `start_timestamp()`, the operators
//! `</` and `>/`, all of which are experimental in Prometheus. Experimental functions and `fill` are refused unless
//! [`Options::experimental`] is set. A query has at most 500 operators and brackets. Regular expressions are those of the
//! crate `regex`: classes such as `\d` know Unicode. Texts of escapes that are not UTF-8 are refused.

mod aggregate;
mod annotations;
mod answer;
mod call;
mod check;
mod classic;
mod context;
mod error;
mod evaluate;
mod function;
mod histogram;
mod info;
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
mod relabel;
mod script;
mod selector;
mod source;
mod sum;
mod syntax;
mod value;
mod windows;

pub use annotations::Annotations;
pub use answer::{Answer, Data, Query, Row, Sample, ValueType, instant, parse, range};
pub use error::{EvalError, ParseError, SourceError, Stop};
pub use histogram::{Bucket, CUSTOM_SCHEMA, Histogram, ResetHint};
pub use labels::{Label, Labels, METRIC_NAME};
pub use matcher::{MatchKind, Matcher};
pub use options::{Options, StopCheck};
pub use script::{Failure, Report, run_script};
pub use source::{Selection, SeriesRef, Source, Visit};
pub use value::{STALE, Value, is_stale};

//! Aggregations of a search: a tree of buckets, with metrics and pipelines in them.

use chrono_tz::Tz;
use serde_json::{Map, Value as Json};

use super::auto_histogram::AutoHistogram;
use super::choice::Choice;
use super::composite::Composite;
use super::histogram::Histogram;
use super::metric::Metric;
use super::pipeline::Pipeline;
use super::sibling::Sibling;
use super::significant_terms::SignificantTerms;
use super::terms::Terms;
use plan::Expr;

/// The aggregations of one search.
#[derive(Clone, Debug, Default)]
pub struct Aggregations {
    pub(super) list: Vec<Aggregation>,
    /// The time zone of calendar spans.
    pub(super) zone: Option<Tz>,
}

impl Aggregations {
    /// Reports whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// One aggregation.
#[derive(Clone, Debug)]
pub(super) struct Aggregation {
    pub(super) name: String,
    /// The kind as the request names it.
    pub(super) kind_name: String,
    pub(super) kind: Kind,
    pub(super) children: Vec<Aggregation>,
    pub(super) meta: Option<Json>,
    /// The path of the aggregation in the request.
    pub(super) at: String,
}

/// The kind of an aggregation, with its options.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Metric(Metric),
    Pipeline(Pipeline),
    Choice(Choice),
    Sibling(Sibling),
    AutoHistogram(AutoHistogram),
    TopHits(Json),
    Terms(Terms),
    Composite(Composite),
    SignificantTerms(SignificantTerms),
    Histogram(Histogram),
    Branches(Branches),
}

/// Buckets with a condition each.
#[derive(Clone, Debug)]
pub(super) struct Branches {
    pub(super) list: Vec<Branch>,
    pub(super) form: Form,
}

/// The form of such buckets in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A single bucket without a list.
    Single,
    List,
    /// A list of buckets without names.
    Anonymous,
    Keyed,
}

/// A bucket with a condition.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) key: String,
    pub(super) condition: Option<Expr>,
    /// Further members of the bucket in the answer.
    pub(super) shown: Map<String, Json>,
}

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
    /// The zone that calendar spans are of.
    pub(super) zone: Option<Tz>,
}

impl Aggregations {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// One aggregation.
#[derive(Clone, Debug)]
pub(super) struct Aggregation {
    pub(super) name: String,
    /// What the request calls its kind.
    pub(super) kind_name: String,
    pub(super) kind: Kind,
    pub(super) children: Vec<Aggregation>,
    pub(super) meta: Option<Json>,
    /// Where it stands in the request.
    pub(super) at: String,
}

/// What an aggregation is.
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

/// How such buckets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The only one is the answer itself.
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
    /// What is shown beside count and contents.
    pub(super) shown: Map<String, Json>,
}

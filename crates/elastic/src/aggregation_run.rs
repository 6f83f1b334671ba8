//! Runs aggregations: one plan for each kind of bucket, whose rows become buckets.
//!
//! The buckets of an aggregation are the groups of one plan, whose keys include those of all outer aggregations: a row
//! finds its bucket by them. The metrics of a bucket are aggregates of the same plan. Inner buckets are queried once the
//! selected outer buckets are known, and for these only. Buckets with conditions of their own (`filters`, `range`) may
//! overlap, so that each is a plan.

use std::collections::HashMap;

use chrono_tz::Tz;
use serde_json::{Map, Value as Json, json};
use types::Value;

use super::BUCKETS_MAX;
use super::aggregation::{Aggregation, Aggregations, Branches, Kind};
use super::aggregation_runner::{AggregationRunner, Context, Executor};
use super::auto_histogram::AutoHistogram;
use super::bucket::{Candidate, Parent, place_of};
use super::histogram::Histogram;
use super::results::{empty, put};
use super::shape::{branches_json, groups_json, scale_rates, write_bucket_key};
use super::significant_terms::SignificantTerms;
use super::terms::compare_values;
use language::dsl::Selection;
use language::search_error::{Result, SearchError};
use plan::each::{each_of, lifted};
use plan::{Aggregate, AggregateKind, Comparison, Expr, Function, Operator};

/// Limit on the values to which a plan of inner buckets is restricted; beyond it the plan covers all values.
const KEPT_MAX: usize = 1_000;

/// The results of aggregations.
#[derive(Clone, Debug, Default)]
pub struct AggregationResult {
    /// The value of `aggregations`.
    pub aggregations: Map<String, Json>,
    /// The number of events, if counted.
    pub total: Option<u64>,
}

/// Runs aggregations over a selection, and counts all of its events if `counts_all`.
pub fn run_aggregations<A: Executor>(
    aggregations: &Aggregations,
    selection: &Selection,
    counts_all: bool,
    executor: &mut A,
) -> Result<AggregationResult, A::Error> {
    let zone = aggregations.zone.unwrap_or(Tz::UTC);
    let mut runner = AggregationRunner::new(executor, selection, zone);
    let context = Context { filters: Vec::new(), keys: Vec::new() };
    let has_metrics = aggregations.list.iter().any(|one| matches!(one.kind, Kind::Metric(_)));
    let mut all = Parent { key: Vec::new(), object: Map::new() };
    let mut total = None;
    if counts_all || has_metrics {
        let row = runner.rows(&context, &aggregations.list)?.pop();
        total = Some(row.as_ref().map_or(0, |row| row.count));
        all.object = row.map_or_else(|| empty(&aggregations.list), |row| row.object);
    }
    let mut parents = vec![all];
    runner.fill(&aggregations.list, &context, &mut parents)?;
    let aggregations = parents.pop().map(|all| all.object).unwrap_or_default();
    Ok(AggregationResult { aggregations, total })
}

impl<A: Executor> AggregationRunner<'_, A> {
    /// Adds the results of aggregations with buckets or hits to each parent, which has those of metrics already.
    pub(super) fn fill(
        &mut self,
        aggregations: &[Aggregation],
        context: &Context,
        parents: &mut [Parent],
    ) -> Result<(), A::Error> {
        if parents.is_empty() {
            return Ok(());
        }
        for aggregation in aggregations {
            match &aggregation.kind {
                Kind::Metric(_) | Kind::Pipeline(_) | Kind::Choice(_) | Kind::Sibling(_) => {}
                Kind::AutoHistogram(automatic) => self.automatic(aggregation, automatic, context, parents)?,
                Kind::TopHits(body) => self.top_hits(aggregation, body, context, parents)?,
                Kind::Branches(branches) => self.branches(aggregation, branches, context, parents)?,
                Kind::SignificantTerms(significant) => self.significant(aggregation, significant, context, parents)?,
                Kind::Terms(_) | Kind::Composite(_) | Kind::Histogram(_) => {
                    self.groups(aggregation, context, parents)?;
                }
            }
        }
        for aggregation in aggregations {
            let Kind::Sibling(sibling) = &aggregation.kind else { continue };
            for parent in parents.iter_mut() {
                put(aggregation, sibling.result(&parent.object), &mut parent.object);
            }
        }
        Ok(())
    }

    /// Runs a histogram whose step depends on the range of its events, which is queried first.
    fn automatic(
        &mut self,
        aggregation: &Aggregation,
        automatic: &AutoHistogram,
        context: &Context,
        parents: &mut [Parent],
    ) -> Result<(), A::Error> {
        let aggregate =
            |name: &str, kind| Aggregate { name: name.into(), kind, argument: Some(each_of(automatic.time.clone())) };
        let aggregates = vec![aggregate("#first", AggregateKind::Min), aggregate("#last", AggregateKind::Max)];
        let columns = ["#first", "#last"].map(|name| (name.into(), Expr::Field(name.into()))).to_vec();
        let mut operators: Vec<Operator> = context.filters.iter().cloned().map(Operator::Filter).collect();
        operators.push(Operator::Aggregate { by: Vec::new(), aggregates });
        let plan = self.selection.plan(operators, columns, false);
        let row = self.run(&plan)?.pop().unwrap_or_default();
        let (histogram, interval) = match row.as_slice() {
            [Some(Value::Timestamp(first)), Some(Value::Timestamp(last))] => automatic.histogram(first.0, last.0),
            _ => automatic.shortest_step(0),
        };
        let chosen = Aggregation { kind: Kind::Histogram(histogram), ..aggregation.clone() };
        self.groups(&chosen, context, parents)?;
        for parent in parents {
            parent.object[&aggregation.name]["interval"] = interval.as_str().into();
        }
        Ok(())
    }

    fn significant(
        &mut self,
        aggregation: &Aggregation,
        significant: &SignificantTerms,
        context: &Context,
        parents: &mut [Parent],
    ) -> Result<(), A::Error> {
        let found = self.significant_buckets(aggregation, significant, context, parents)?;
        let mut buckets = found.buckets;
        self.fill(&aggregation.children, &significant.context(context), &mut buckets)?;
        let mut buckets = buckets.into_iter().map(|bucket| Json::Object(bucket.object));
        for (parent, share) in parents.iter_mut().zip(found.shares) {
            let list: Vec<Json> = buckets.by_ref().take(share.n_buckets).collect();
            let result = json!({"doc_count": share.n_events, "bg_count": found.n_background, "buckets": list});
            put(aggregation, result, &mut parent.object);
        }
        Ok(())
    }

    fn top_hits(
        &mut self,
        aggregation: &Aggregation,
        body: &Json,
        context: &Context,
        parents: &mut [Parent],
    ) -> Result<(), A::Error> {
        for parent in parents {
            let mut selection = self.selection.clone();
            selection.operators.extend(context.filters.iter().cloned().map(Operator::Filter));
            for (key, value) in context.keys.iter().zip(&parent.key) {
                selection.operators.push(Operator::Filter(equal(key, value.clone())));
            }
            let hits = self.hits(selection, body, &aggregation.at)?;
            put(aggregation, hits, &mut parent.object);
        }
        Ok(())
    }

    fn branches(
        &mut self,
        aggregation: &Aggregation,
        branches: &Branches,
        context: &Context,
        parents: &mut [Parent],
    ) -> Result<(), A::Error> {
        let mut shown: Vec<Vec<(String, Map<String, Json>)>> = parents.iter().map(|_| Vec::new()).collect();
        for branch in &branches.list {
            self.count_buckets(parents.len())?;
            let mut inner = context.clone();
            inner.filters.extend(branch.condition.clone());
            let mut found: HashMap<String, Candidate> = HashMap::new();
            for row in self.rows(&inner, &aggregation.children)? {
                found.insert(place_of(&row.key), row);
            }
            let bucket = |parent: &Parent| {
                let row = found.remove(&place_of(&parent.key));
                let count = row.as_ref().map_or(0, |row| row.count);
                let mut object = row.map_or_else(|| empty(&aggregation.children), |row| row.object);
                object.insert("doc_count".into(), json!(count));
                Parent { key: parent.key.clone(), object }
            };
            let mut buckets: Vec<Parent> = parents.iter().map(bucket).collect();
            self.fill(&aggregation.children, &inner, &mut buckets)?;
            for (list, mut bucket) in shown.iter_mut().zip(buckets) {
                bucket.object.extend(branch.shown.clone());
                list.push((branch.key.clone(), bucket.object));
            }
        }
        for (parent, list) in parents.iter_mut().zip(shown) {
            put(aggregation, branches_json(branches.form, list), &mut parent.object);
        }
        Ok(())
    }

    /// Runs an aggregation whose buckets are the groups of a plan.
    fn groups(&mut self, aggregation: &Aggregation, context: &Context, parents: &mut [Parent]) -> Result<(), A::Error> {
        let n_outer = context.keys.len();
        let mut inner = context.clone();
        match &aggregation.kind {
            Kind::Terms(terms) => {
                let of_one = |value: Expr| match &terms.filter {
                    // Each of several values of an event is admitted by itself.
                    Some(filter) => Expr::Call(Function::If, vec![filter.clone(), value]),
                    None => value,
                };
                inner.keys.extend(terms.values.iter().cloned().map(of_one).map(each_of));
                inner.filters.extend(terms.filter.clone().map(each_of));
            }
            Kind::Histogram(histogram) => inner.keys.push(each_of(histogram.value.clone())),
            Kind::Composite(composite) => {
                inner.keys.extend(composite.sources.iter().map(|source| each_of(source.value.clone())))
            }
            _ => {}
        }
        let mut by_parent: HashMap<String, Vec<Candidate>> = HashMap::new();
        for mut row in self.rows(&inner, &aggregation.children)? {
            let own = row.key.split_off(n_outer.min(row.key.len()));
            let outer = std::mem::replace(&mut row.key, own);
            by_parent.entry(place_of(&outer)).or_default().push(row);
        }
        let (mut buckets, mut ends, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for parent in parents.iter() {
            let candidates = by_parent.remove(&place_of(&parent.key)).unwrap_or_default();
            let (kept, n_other) = self.keep(aggregation, candidates)?;
            self.count_buckets(kept.len())?;
            for candidate in kept {
                let mut object = candidate.object;
                if let Kind::Histogram(histogram) = &aggregation.kind {
                    scale_rates(histogram, &aggregation.children, &candidate.key, &mut object);
                }
                write_bucket_key(&aggregation.kind, &candidate.key, &mut object);
                object.insert("doc_count".into(), json!(candidate.count));
                let key = parent.key.iter().cloned().chain(candidate.key).collect();
                buckets.push(Parent { key, object });
            }
            ends.push(buckets.len());
            others.push(n_other);
        }
        if let (Kind::Terms(terms), true) = (&aggregation.kind, others.iter().any(|n| *n > 0)) {
            // With several values in the key, the last one does not identify a bucket.
            inner.filters.extend(
                terms.values.first().filter(|_| terms.values.len() == 1).and_then(|value| one_of_kept(value, &buckets)),
            );
        }
        self.fill(&aggregation.children, &inner, &mut buckets)?;
        let mut rest = buckets.into_iter();
        let mut start = 0;
        for ((parent, end), n_other) in parents.iter_mut().zip(ends).zip(others) {
            let list: Vec<Parent> = rest.by_ref().take(end - start).collect();
            start = end;
            put(aggregation, groups_json(aggregation, list, n_other), &mut parent.object);
        }
        Ok(())
    }

    /// Returns the buckets that are shown, in order, and how many events those that are not have.
    fn keep(
        &mut self,
        aggregation: &Aggregation,
        mut candidates: Vec<Candidate>,
    ) -> Result<(Vec<Candidate>, u64), A::Error> {
        match &aggregation.kind {
            Kind::Terms(terms) => {
                let n_other = terms.keep(&mut candidates);
                Ok((candidates, n_other))
            }
            Kind::Composite(composite) => {
                composite.keep(&mut candidates);
                Ok((candidates, 0))
            }
            Kind::Histogram(histogram) => {
                let kept = self.histogram(histogram, candidates, &aggregation.children)?;
                Ok((kept, 0))
            }
            _ => Ok((candidates, 0)),
        }
    }

    /// Orders the buckets of a histogram and puts empty ones between them.
    fn histogram(
        &self,
        histogram: &Histogram,
        candidates: Vec<Candidate>,
        children: &[Aggregation],
    ) -> Result<Vec<Candidate>> {
        let mut known: Vec<(f64, Candidate)> = candidates
            .into_iter()
            .filter_map(|one| Some((histogram.position(one.key.first()?.as_ref()?)?, one)))
            .collect();
        if let Some((low, high)) = histogram.hard {
            known.retain(|(position, _)| *position >= low && *position <= high);
        }
        known.sort_by(|a, b| compare_values(a.1.key[0].as_ref(), b.1.key[0].as_ref()));
        let mut kept = match histogram.least {
            0 => self.filled(histogram, known, children)?,
            least => known.into_iter().map(|(_, one)| one).filter(|one| one.count >= least).collect(),
        };
        if histogram.by_count {
            kept.sort_by_key(|one| one.count);
        }
        if histogram.is_descending {
            kept.reverse();
        }
        Ok(kept)
    }

    fn filled(
        &self,
        histogram: &Histogram,
        known: Vec<(f64, Candidate)>,
        children: &[Aggregation],
    ) -> Result<Vec<Candidate>> {
        let mut low = known.first().map_or(f64::INFINITY, |(position, _)| *position);
        let mut high = known.last().map_or(f64::NEG_INFINITY, |(position, _)| *position);
        if let Some((first, last)) = histogram.extended {
            (low, high) = (low.min(first), high.max(last));
        }
        if low > high || !low.is_finite() || !high.is_finite() {
            return Ok(known.into_iter().map(|(_, one)| one).collect());
        }
        let mut known = known.into_iter().map(|(_, one)| one).peekable();
        let (mut filled, mut key) = (Vec::new(), histogram.first_key(low));
        while let Some(value) = key.take() {
            if histogram.position(&value).is_none_or(|position| position > high) {
                break;
            }
            while let Some(one) = known.next_if(|one| compare_values(one.key[0].as_ref(), Some(&value)).is_lt()) {
                // Outside the grid, when clocks change.
                filled.push(one);
            }
            match known.next_if(|one| compare_values(one.key[0].as_ref(), Some(&value)).is_eq()) {
                Some(one) => filled.push(one),
                None => filled.push(Candidate { key: vec![Some(value.clone())], count: 0, object: empty(children) }),
            }
            if filled.len() > BUCKETS_MAX {
                let reason = format!(
                    "Trying to create too many buckets. Must be less than or equal to: [{BUCKETS_MAX}] but was [{}]. \
                     Use a longer interval, a shorter range or min_doc_count 1.",
                    filled.len()
                );
                return Err(SearchError { kind: "too_many_buckets_exception", reason });
            }
            key = histogram.next_key(&value);
        }
        filled.extend(known);
        Ok(filled)
    }
}

/// Returns the condition that an event lies in a bucket.
fn equal(key: &Expr, value: Option<Value>) -> Expr {
    match value {
        Some(value) => {
            lifted(Expr::Compare(Comparison::Equal, Box::new(key.clone()), Box::new(Expr::Literal(Some(value)))))
        }
        None => language::dsl::not(Some(Expr::Call(Function::IsPresent, vec![key.clone()]))),
    }
}

/// Returns the condition that an event lies in one of the selected buckets, unless they are too many.
fn one_of_kept(value: &Expr, buckets: &[Parent]) -> Option<Expr> {
    let mut keys: HashMap<String, Value> = HashMap::new();
    for key in buckets.iter().filter_map(|bucket| bucket.key.last().cloned().flatten()) {
        keys.insert(place_of(&[Some(key.clone())]), key);
    }
    let is_few = (1..=KEPT_MAX).contains(&keys.len());
    is_few.then(|| {
        let literals = keys.into_values().map(|key| Expr::Literal(Some(key))).collect();
        each_of(Expr::In(Box::new(value.clone()), literals))
    })
}

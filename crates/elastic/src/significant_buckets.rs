//! The buckets of `significant_terms`: the values that are more frequent in a bucket than in the background.

use std::collections::HashMap;

use serde_json::json;
use types::Value;

use super::aggregation::Aggregation;
use super::aggregation_runner::{AggregationRunner, Context, Executor};
use super::bucket::{Candidate, Parent, place_of};
use super::significant_terms::{Frequency, SignificantTerms};
use super::terms::{compare_values, write_key};
use plan::{Expr, Operator};

/// Limit on the values to which a query of the background is restricted.
const NARROWED_MAX: usize = 1_000;

/// The significant values of several parents.
pub(super) struct SignificantBuckets {
    /// The buckets of all parents, one parent after another.
    pub(super) buckets: Vec<Parent>,
    /// The share of each parent.
    pub(super) shares: Vec<ParentShare>,
    /// Events of the background.
    pub(super) n_background: u64,
}

/// The part of [`SignificantBuckets`] that belongs to one parent.
pub(super) struct ParentShare {
    pub(super) n_buckets: usize,
    /// Events of the parent.
    pub(super) n_events: u64,
}

impl SignificantTerms {
    /// Returns the context of the buckets: that of their parents, with the value as a further key.
    pub(super) fn context(&self, outer: &Context) -> Context {
        let mut inner = outer.clone();
        inner.keys.push(self.value.clone());
        inner.filters.extend(self.filter.clone());
        inner
    }
}

impl<A: Executor> AggregationRunner<'_, A> {
    /// Finds the values that are frequent in each parent.
    pub(super) fn significant_buckets(
        &mut self,
        aggregation: &Aggregation,
        significant: &SignificantTerms,
        context: &Context,
        parents: &[Parent],
    ) -> Result<SignificantBuckets, A::Error> {
        let counted = self.rows(context, &[])?.into_iter();
        let sizes: HashMap<String, u64> = counted.map(|row| (place_of(&row.key), row.count)).collect();
        let mut by_parent: HashMap<String, Vec<Candidate>> = HashMap::new();
        for mut row in self.rows(&significant.context(context), &aggregation.children)? {
            let own = row.key.split_off(context.keys.len().min(row.key.len()));
            let outer = std::mem::replace(&mut row.key, own);
            if row.count >= significant.least && row.key.iter().all(Option::is_some) {
                by_parent.entry(place_of(&outer)).or_default().push(row);
            }
        }
        let (background, n_background) = self.background(significant, &by_parent)?;
        let (mut buckets, mut shares) = (Vec::new(), Vec::new());
        for parent in parents {
            let place = place_of(&parent.key);
            let n_inside = sizes.get(&place).copied().unwrap_or(0);
            let candidates = by_parent.remove(&place).unwrap_or_default();
            let scored = candidates.into_iter().map(|one| {
                let n = background.get(&place_of(&one.key)).copied().unwrap_or(0).max(one.count);
                let of = Frequency { n, of: n_background };
                (significant.score.of(Frequency { n: one.count, of: n_inside }, of), n, one)
            });
            let mut scored: Vec<(f64, u64, Candidate)> = scored.filter(|(score, ..)| *score > 0.0).collect();
            scored.sort_by(|a, b| {
                let key = |one: &Candidate| one.key.first().cloned().flatten();
                b.0.total_cmp(&a.0).then_with(|| compare_values(key(&a.2).as_ref(), key(&b.2).as_ref()))
            });
            scored.truncate(significant.size);
            self.count_buckets(scored.len())?;
            shares.push(ParentShare { n_buckets: scored.len(), n_events: n_inside });
            for (score, n, candidate) in scored {
                let mut object = candidate.object;
                write_key(candidate.key.first().and_then(Option::as_ref), &mut object);
                object.insert("doc_count".into(), json!(candidate.count));
                object.insert("score".into(), json!(score));
                object.insert("bg_count".into(), json!(n));
                buckets.push(Parent { key: parent.key.iter().cloned().chain(candidate.key).collect(), object });
            }
        }
        Ok(SignificantBuckets { buckets, shares, n_background })
    }

    /// Returns the number of background events with each value, and of all background events.
    fn background(
        &mut self,
        significant: &SignificantTerms,
        by_parent: &HashMap<String, Vec<Candidate>>,
    ) -> Result<(HashMap<String, u64>, u64), A::Error> {
        let mut values: HashMap<String, Value> = HashMap::new();
        for one in by_parent.values().flatten() {
            values.extend(one.key.first().cloned().flatten().map(|value| (place_of(&one.key), value)));
        }
        let filters: Vec<Operator> = significant.background.iter().cloned().map(Operator::Filter).collect();
        let total = self.background_rows(filters.clone(), Vec::new())?.pop().map_or(0, |(_, n)| n);
        if values.is_empty() {
            return Ok((HashMap::new(), total));
        }
        let mut narrowed = filters;
        if values.len() <= NARROWED_MAX {
            let literals = values.into_values().map(|value| Expr::Literal(Some(value))).collect();
            narrowed.push(Operator::Filter(Expr::In(Box::new(significant.value.clone()), literals)));
        }
        let rows = self.background_rows(narrowed, vec![("#key".into(), significant.value.clone())])?;
        Ok((rows.into_iter().map(|(key, n)| (place_of(&key), n)).collect(), total))
    }
}

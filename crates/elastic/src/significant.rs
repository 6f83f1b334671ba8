//! `significant_terms`: values that are more frequent among the events of a bucket than among all events of the indices.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use types::Value;

use super::BUCKETS_MAX;
use super::aggregation::Aggregation;
use super::fold::{Asker, Context, Folding, Parent, place_of, put};
use super::terms::{self, Candidate, SIZE_DEFAULT, compare_values, number, write_key};
use language::SearchError;
use language::dsl::{Reader, object};
use plan::{Aggregate, AggregateKind, Expr, Name, Operator, Plan};

/// The key of a group, and how many events it has.
type KeyCount = (Vec<Option<Value>>, u64);

/// How many events a value needs where no number is asked for, as in Elasticsearch.
const LEAST_DEFAULT: usize = 3;

/// Most values by which the events of the background are narrowed down.
const NARROWED_MAX: usize = 1_000;

/// How the significance of a value is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Score {
    /// By how much its share has grown, times by how many times.
    Growth,
    /// The share of its events that are in the bucket.
    Share,
}

/// A `significant_terms` aggregation.
#[derive(Clone, Debug)]
pub(super) struct Significant {
    value: Expr,
    filter: Option<Expr>,
    /// Which events are compared with; all where there is none.
    background: Option<Expr>,
    size: usize,
    least: u64,
    score: Score,
}

/// Reads `significant_terms`.
pub(super) fn parse(reader: &mut Reader<'_>, body: &Json, at: &str) -> Result<Significant, SearchError> {
    let members = object(body, at)?;
    let Some(field) = members.get("field").and_then(Json::as_str) else {
        return Err(SearchError::parsing(at, "Required one of fields [field], but none were specified."));
    };
    if let Some(name) = ["mutual_information", "chi_square", "gnd", "script_heuristic", "p_value"]
        .into_iter()
        .find(|name| members.contains_key(*name))
    {
        return Err(SearchError::parsing(at, format!("[{name}] is not supported; jlh and percentage are")));
    }
    let value = reader.schema.value(field)?;
    let filter = terms::included(reader, members, &value, at)?;
    let background = match members.get("background_filter").filter(|filter| !filter.is_null()) {
        Some(filter) => reader.clause(filter, &format!("{at}.background_filter"), 0, false)?,
        None => None,
    };
    Ok(Significant {
        value,
        filter,
        background,
        size: number(members.get("size"), at)?.unwrap_or(SIZE_DEFAULT).clamp(1, BUCKETS_MAX),
        least: number(members.get("min_doc_count"), at)?.unwrap_or(LEAST_DEFAULT) as u64,
        score: if members.contains_key("percentage") { Score::Share } else { Score::Growth },
    })
}

/// Events with a value, and events at all.
#[derive(Clone, Copy, Debug, Default)]
struct Frequency {
    n: u64,
    of: u64,
}

impl Score {
    fn of(self, inside: Frequency, background: Frequency) -> f64 {
        if inside.of == 0 || background.of == 0 {
            return 0.0;
        }
        let share = inside.n as f64 / inside.of as f64;
        let usual = background.n.max(1) as f64 / background.of as f64;
        match self {
            Self::Growth if share > usual => (share - usual) * (share / usual),
            Self::Growth => 0.0,
            Self::Share => inside.n as f64 / background.n.max(1) as f64,
        }
    }
}

impl<A: Asker> Folding<'_, A> {
    /// Puts into each parent the values that are frequent in it.
    pub(super) fn significant(
        &mut self,
        aggregation: &Aggregation,
        significant: &Significant,
        context: &Context,
        parents: &mut [Parent],
    ) -> Result<(), A::Error> {
        let counted = self.rows(context, &[])?.into_iter();
        let sizes: HashMap<String, u64> = counted.map(|row| (place_of(&row.key), row.count)).collect();
        let mut inner = context.clone();
        inner.keys.push(significant.value.clone());
        inner.filters.extend(significant.filter.clone());
        let mut by_parent: HashMap<String, Vec<Candidate>> = HashMap::new();
        for mut row in self.rows(&inner, &aggregation.children)? {
            let own = row.key.split_off(context.keys.len().min(row.key.len()));
            let outer = std::mem::replace(&mut row.key, own);
            if row.count >= significant.least && row.key.iter().all(Option::is_some) {
                by_parent.entry(place_of(&outer)).or_default().push(row);
            }
        }
        let (background, n_background) = self.background(significant, &by_parent)?;
        let (mut buckets, mut ends, mut inside) = (Vec::new(), Vec::new(), Vec::new());
        for parent in parents.iter() {
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
            for (score, n, candidate) in scored {
                let mut object = candidate.object;
                write_key(candidate.key.first().and_then(Option::as_ref), &mut object);
                object.insert("doc_count".into(), json!(candidate.count));
                object.insert("score".into(), json!(score));
                object.insert("bg_count".into(), json!(n));
                buckets.push(Parent { key: parent.key.iter().cloned().chain(candidate.key).collect(), object });
            }
            ends.push(buckets.len());
            inside.push(n_inside);
        }
        self.fill(&aggregation.children, &inner, &mut buckets)?;
        let (mut rest, mut start) = (buckets.into_iter(), 0);
        for ((parent, end), n_inside) in parents.iter_mut().zip(ends).zip(inside) {
            let list: Vec<Json> = rest.by_ref().take(end - start).map(|one| Json::Object(one.object)).collect();
            start = end;
            let result = json!({"doc_count": n_inside, "bg_count": n_background, "buckets": list});
            put(aggregation, result, &mut parent.object);
        }
        Ok(())
    }

    /// How many events of the background have each of the values, and how many there are.
    fn background(
        &mut self,
        significant: &Significant,
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

    /// Groups of the background with their counts.
    fn background_rows(
        &mut self,
        mut operators: Vec<Operator>,
        by: Vec<(Name, Expr)>,
    ) -> Result<Vec<KeyCount>, A::Error> {
        self.count_plan()?;
        let names = by.iter().map(|(name, _)| name.clone()).chain(["#count".into()]);
        let columns = names.map(|name: Name| (name.clone(), Expr::Field(name))).collect();
        let aggregates = vec![Aggregate { name: "#count".into(), kind: AggregateKind::Count, argument: None }];
        operators.push(Operator::Aggregate { by, aggregates });
        operators.push(Operator::Project { columns, is_events: false });
        let plan = Plan::new(operators);
        let zone = self.zone;
        let rows = self.asker.background_rows(&plan, zone)?;
        let row = |mut row: Vec<Option<Value>>| match row.pop() {
            Some(Some(Value::Integer(n))) => (row, n.unsigned_abs()),
            _ => (row, 0),
        };
        Ok(rows.into_iter().map(row).collect())
    }
}

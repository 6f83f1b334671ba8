//! Partial aggregates: states that rows are added to and that merge.
//!
//! Merging is associative and commutative, and a fresh state is its identity, whatever way rows were divided
//! among threads, runs or servers. Ties are broken by value or by the place of the row, never by chance.

mod codec;
mod distinct;
mod histogram;
mod percentile;
mod sum;
mod values;

use plan::AggregateKind;
use types::{Addresses, Column, RowSet, Strings, Value};

use evaluate::expressions::address::hash_of;
use evaluate::{Cell, Place, sort_order, strict_order, value_bytes};

pub(crate) use distinct::Distinct;
pub(crate) use percentile::Percentile;
pub(crate) use sum::{Moments, Sum};
pub(crate) use values::Values;

/// The state of one aggregate of one group.
#[derive(Clone, Debug)]
pub(crate) enum Partial {
    /// How many rows.
    Count(u64),
    /// A sum, for `sum` and `avg`.
    Sum(Sum),
    /// Mean and deviation.
    Moments(Moments),
    /// Least or greatest value: the number or time where there is any, else the text.
    Extreme { number: Option<Value>, other: Option<Value> },
    /// How many distinct values.
    Distinct(Distinct),
    /// The distribution of numbers.
    Percentile(Percentile),
    /// The value at the least or greatest instant, of those at one instant at the least or greatest place. Where only
    /// the place counts, the instant is 0.
    AtPlace(Option<(i64, Place, Value)>),
    /// Distinct values with how often and where they occur.
    Values(Values),
    /// All values with their places.
    List(Vec<(Place, Value)>),
}

impl Partial {
    /// Returns the state before any row.
    pub(crate) fn new(kind: AggregateKind) -> Self {
        match kind {
            AggregateKind::Count => Self::Count(0),
            AggregateKind::CountDistinct => Self::Distinct(Distinct::default()),
            AggregateKind::Sum | AggregateKind::Average => Self::Sum(Sum::default()),
            AggregateKind::Min | AggregateKind::Max => Self::Extreme { number: None, other: None },
            AggregateKind::Percentile(_) | AggregateKind::Histogram(_) => Self::Percentile(Percentile::default()),
            AggregateKind::StandardDeviation | AggregateKind::Variance => Self::Moments(Moments::default()),
            AggregateKind::First | AggregateKind::Last | AggregateKind::Earliest | AggregateKind::Latest => {
                Self::AtPlace(None)
            }
            AggregateKind::Values(most) => Self::Values(Values::new(most)),
            AggregateKind::Mode => Self::Values(Values::new(None)),
            AggregateKind::List => Self::List(Vec::new()),
        }
    }

    /// Adds one row; answers how many bytes more the state holds. `instant` is its `@timestamp` where the aggregate
    /// goes by that, else 0.
    fn add(&mut self, kind: AggregateKind, cell: Cell<'_>, instant: i64, place: Place) -> usize {
        match self {
            Self::Count(count) => *count += u64::from(cell.is_present()),
            Self::Sum(sum) => sum.add(cell),
            Self::Moments(moments) => moments.add(cell),
            Self::Extreme { number, other } => {
                let is_number = matches!(cell, Cell::Time(_)) || cell.plain_number().is_some();
                let best = if is_number { number } else { other };
                if cell.is_present() && best.as_ref().is_none_or(|best| is_better(kind, cell, Cell::of(Some(best)))) {
                    *best = cell.to_value();
                }
            }
            Self::Distinct(distinct) => return distinct.add(cell),
            Self::Percentile(percentile) => return percentile.add(cell),
            Self::AtPlace(best) => {
                if cell.is_present() && best.as_ref().is_none_or(|best| is_before(kind, (instant, place), cell, best)) {
                    *best = cell.to_value().map(|value| (instant, place, value));
                }
            }
            Self::Values(values) => return values.add(cell, place),
            Self::List(list) => {
                let Some(value) = cell.to_value() else { return 0 };
                let bytes = value_bytes(&value) + 48;
                list.push((place, value));
                return bytes;
            }
        }
        0
    }

    /// Adds the rows that another state has seen; answers how many bytes more the state holds.
    pub(crate) fn merge(&mut self, kind: AggregateKind, other: Self) -> usize {
        match (self, other) {
            (Self::Count(count), Self::Count(more)) => *count = count.saturating_add(more),
            (Self::Sum(sum), Self::Sum(more)) => sum.merge(&more),
            (Self::Moments(moments), Self::Moments(more)) => moments.merge(&more),
            (Self::Extreme { number, other }, Self::Extreme { number: more, other: more_other }) => {
                for (best, more) in [(number, more), (other, more_other)] {
                    if let Some(more) = more
                        && best.as_ref().is_none_or(|b| is_better(kind, Cell::of(Some(&more)), Cell::of(Some(b))))
                    {
                        *best = Some(more);
                    }
                }
            }
            (Self::Distinct(distinct), Self::Distinct(more)) => {
                let before = distinct.memory_bytes();
                distinct.merge(more);
                return distinct.memory_bytes().saturating_sub(before);
            }
            (Self::Percentile(percentile), Self::Percentile(more)) => {
                let before = percentile.memory_bytes();
                percentile.merge(more);
                return percentile.memory_bytes().saturating_sub(before);
            }
            (Self::AtPlace(best), Self::AtPlace(Some((instant, place, value))))
                if best.as_ref().is_none_or(|best| is_before(kind, (instant, place), Cell::of(Some(&value)), best)) =>
            {
                *best = Some((instant, place, value));
            }
            (Self::Values(values), Self::Values(more)) => return values.merge(more),
            (Self::List(list), Self::List(more)) => {
                let bytes = more.iter().map(|(_, value)| value_bytes(value) + 48).sum();
                list.extend(more);
                return bytes;
            }
            // A place that is not better; for the rest, states of one aggregate are all of one variant.
            _ => {}
        }
        0
    }

    /// Returns the aggregate's value.
    pub(crate) fn finish(self, kind: AggregateKind) -> Option<Value> {
        match self {
            Self::Count(count) => Some(Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))),
            Self::Sum(sum) if kind == AggregateKind::Average => sum.mean(),
            Self::Sum(sum) => sum.total(),
            Self::Moments(moments) if kind == AggregateKind::Variance => moments.variance().map(Value::Float),
            Self::Moments(moments) => moments.variance().map(|variance| Value::Float(variance.sqrt())),
            Self::Extreme { number, other } => number.or(other),
            Self::Distinct(distinct) => Some(Value::Integer(distinct.estimate() as i64)),
            Self::Percentile(percentile) => match kind {
                AggregateKind::Percentile(percent) => percentile.at(percent).map(Value::Float),
                AggregateKind::Histogram(n_ranges) => histogram::ranges(&percentile.counts(), n_ranges),
                _ => None,
            },
            Self::AtPlace(best) => best.map(|(.., value)| value),
            Self::Values(values) if kind == AggregateKind::Mode => values.mode(),
            Self::Values(values) => Some(values.list()),
            Self::List(mut list) => {
                list.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
                Some(Value::List(list.into_iter().map(|(_, value)| Some(value)).collect::<Vec<_>>().into()))
            }
        }
    }

    /// Reports whether the value is no longer exact.
    pub(crate) fn is_approximate(&self) -> bool {
        match self {
            Self::Distinct(distinct) => distinct.is_approximate(),
            Self::Percentile(percentile) => percentile.is_approximate(),
            _ => false,
        }
    }
}

/// Reports whether `cell` is a better least or greatest value; equal ones go by type, so that any order gives one.
fn is_better(kind: AggregateKind, cell: Cell<'_>, best: Cell<'_>) -> bool {
    let order = sort_order(cell, best);
    let order = if kind == AggregateKind::Max { order.reverse() } else { order };
    order.then_with(|| strict_order(cell, best)).is_lt()
}

/// Reports whether a value at an instant and a place comes before the one known, for an aggregate of one row's value.
/// Rows that nothing tells apart go by value, whatever order they come in.
fn is_before(kind: AggregateKind, at: (i64, Place), cell: Cell<'_>, known: &(i64, Place, Value)) -> bool {
    let known_at = (known.0, known.1);
    let order = match kind {
        AggregateKind::First | AggregateKind::Latest => known_at.cmp(&at),
        _ => at.cmp(&known_at),
    };
    order.then_with(|| strict_order(cell, Cell::of(Some(&known.2)))).is_lt()
}

/// Reports whether two aggregates of the same values can be told from one state.
pub(crate) fn share_state(a: AggregateKind, b: AggregateKind) -> bool {
    use AggregateKind as Kind;
    matches!(
        (a, b),
        (Kind::Percentile(_) | Kind::Histogram(_), Kind::Percentile(_) | Kind::Histogram(_))
            | (Kind::Sum | Kind::Average, Kind::Sum | Kind::Average)
            | (Kind::StandardDeviation | Kind::Variance, Kind::StandardDeviation | Kind::Variance)
            | (Kind::CountDistinct, Kind::CountDistinct)
    )
}

/// The rows that one aggregate is given.
pub(crate) struct Rows<'a> {
    /// Per row, its group.
    pub(crate) groups: &'a [u32],
    /// The argument; `None` for `count(*)`.
    pub(crate) argument: Option<&'a Column>,
    /// Per row its place, where the aggregate needs it.
    pub(crate) places: Option<&'a [Place]>,
    /// Per row the `@timestamp`, where the aggregate needs it.
    pub(crate) times: Option<&'a Column>,
    /// How many events each row stands for; `None` is one.
    pub(crate) weights: Option<&'a [u64]>,
}

/// Adds rows to the states of one aggregate; answers how many bytes more they hold.
pub(crate) fn add_rows(kind: AggregateKind, states: &mut [Partial], rows: &Rows<'_>) -> usize {
    match (kind, rows.argument) {
        (AggregateKind::Count, argument) => {
            add_counts(states, rows, argument.map(Column::presence));
            0
        }
        (AggregateKind::CountDistinct, Some(Column::Dictionary { codes, values })) => {
            add_distinct_codes(states, rows.groups, codes, values)
        }
        (_, None) => 0,
        (AggregateKind::CountDistinct, Some(Column::Strings { values, present })) => {
            add_distinct_texts(states, rows.groups, values, present.as_ref())
        }
        (AggregateKind::Percentile(_) | AggregateKind::Histogram(_), Some(Column::Floats { values, present, .. })) => {
            add_numbers(states, rows.groups, values.iter().copied(), present.as_ref())
        }
        (AggregateKind::Percentile(_) | AggregateKind::Histogram(_), Some(Column::Integers { values, present })) => {
            add_numbers(states, rows.groups, values.iter().map(|number| *number as f64), present.as_ref())
        }
        (AggregateKind::Sum | AggregateKind::Average, Some(Column::Floats { values, present, integers: None })) => {
            add_to_sums(states, rows.groups, values, present.as_ref(), |sum, number| sum.add_float(*number));
            0
        }
        (AggregateKind::Sum | AggregateKind::Average, Some(Column::Integers { values, present })) => {
            let add = |sum: &mut Sum, number: &i64| sum.add_integer(i128::from(*number));
            add_to_sums(states, rows.groups, values, present.as_ref(), add);
            0
        }
        (AggregateKind::Min | AggregateKind::Max, Some(Column::Integers { values, present })) => {
            add_to_extremes(kind, states, rows.groups, values, present.as_ref());
            0
        }
        (_, Some(argument)) => {
            let mut bytes = 0;
            for (row, group) in rows.groups.iter().enumerate() {
                let place = rows.places.map_or_else(Place::default, |places| places[row]);
                let instant = match kind {
                    AggregateKind::Earliest | AggregateKind::Latest => {
                        rows.times.and_then(|times| Cell::at(times, row).time())
                    }
                    _ => Some(0),
                };
                let Some(instant) = instant else { continue };
                bytes += states[*group as usize].add(kind, Cell::at(argument, row), instant, place);
            }
            bytes
        }
    }
}

fn add_counts(states: &mut [Partial], rows: &Rows<'_>, present: Option<RowSet>) {
    if states.len() > rows.groups.len() {
        // Going through all groups once a block would be more work than the block.
        for (row, group) in rows.groups.iter().enumerate() {
            if present.as_ref().is_none_or(|present| present.contains(row))
                && let Partial::Count(count) = &mut states[*group as usize]
            {
                *count += rows.weights.map_or(1, |weights| weights[row]);
            }
        }
        return;
    }
    // Counted apart first: the states are wide, and neighbouring rows often share one.
    let mut counts = vec![0u64; states.len()];
    match (rows.weights, present.filter(|present| !present.is_all())) {
        (None, None) => rows.groups.iter().for_each(|group| counts[*group as usize] += 1),
        (weights, present) => {
            for (row, group) in rows.groups.iter().enumerate() {
                if present.as_ref().is_none_or(|present| present.contains(row)) {
                    counts[*group as usize] += weights.map_or(1, |weights| weights[row]);
                }
            }
        }
    }
    for (state, more) in states.iter_mut().zip(counts) {
        if let Partial::Count(count) = state {
            *count += more;
        }
    }
}

/// Adds a column of numbers to sums.
fn add_to_sums<T>(
    states: &mut [Partial],
    groups: &[u32],
    numbers: &[T],
    present: Option<&RowSet>,
    add: impl Fn(&mut Sum, &T),
) {
    for (row, (group, number)) in groups.iter().zip(numbers).enumerate() {
        if present.is_none_or(|present| present.contains(row))
            && let Partial::Sum(sum) = &mut states[*group as usize]
        {
            add(sum, number);
        }
    }
}

/// Adds a column of whole numbers to least or greatest values.
fn add_to_extremes(
    kind: AggregateKind,
    states: &mut [Partial],
    groups: &[u32],
    numbers: &[i64],
    present: Option<&RowSet>,
) {
    for (row, (group, value)) in groups.iter().zip(numbers).enumerate() {
        if present.is_some_and(|present| !present.contains(row)) {
            continue;
        }
        let state = &mut states[*group as usize];
        match state {
            Partial::Extreme { number: Some(Value::Integer(best)), .. } => {
                *best = if kind == AggregateKind::Max { *value.max(best) } else { *value.min(best) };
            }
            other => {
                other.add(kind, Cell::Integer(*value), 0, Place::default());
            }
        }
    }
}

/// Adds a column of numbers to percentiles.
fn add_numbers(
    states: &mut [Partial],
    groups: &[u32],
    numbers: impl Iterator<Item = f64>,
    present: Option<&RowSet>,
) -> usize {
    let mut bytes = 0;
    for (row, (group, number)) in groups.iter().zip(numbers).enumerate() {
        if present.is_none_or(|present| present.contains(row))
            && let Partial::Percentile(percentile) = &mut states[*group as usize]
        {
            bytes += percentile.add_number(number);
        }
    }
    bytes
}

/// Adds a column of texts to counts of distinct values.
fn add_distinct_texts(states: &mut [Partial], groups: &[u32], texts: &Strings, present: Option<&RowSet>) -> usize {
    let mut bytes = 0;
    for (row, (group, text)) in groups.iter().zip(texts.iter()).enumerate() {
        if present.is_none_or(|present| present.contains(row))
            && let Partial::Distinct(distinct) = &mut states[*group as usize]
        {
            bytes += distinct.add_hash(distinct::hash(Cell::Text(text)));
        }
    }
    bytes
}

/// Adds a column of addresses to counts of distinct values.
pub(crate) fn add_distinct_addresses(states: &mut [Partial], groups: &[u32], addresses: &Addresses) -> usize {
    let mut bytes = 0;
    let mut add = |group: u32, address: u32| {
        if let Partial::Distinct(distinct) = &mut states[group as usize] {
            bytes += distinct.add_hash(hash_of(address));
        }
    };
    match &addresses.present {
        None => groups.iter().zip(&addresses.values).for_each(|(group, address)| add(*group, *address)),
        Some(present) => present.iter().for_each(|row| add(groups[row], addresses.values[row])),
    }
    bytes
}

/// Hashes each distinct value of a dictionary once, however many rows have it.
fn add_distinct_codes(states: &mut [Partial], groups: &[u32], codes: &[u32], values: &[Value]) -> usize {
    // Per code its hash and the group that it was added to last: values often stay with one group.
    let mut known: Vec<Option<(u64, u32)>> = vec![None; values.len()];
    let mut bytes = 0;
    for (group, code) in groups.iter().zip(codes) {
        let Some(value) = values.get(*code as usize) else { continue };
        let hash = match known[*code as usize] {
            Some((_, last)) if last == *group => continue,
            Some((hash, _)) => hash,
            None => distinct::hash(Cell::of(Some(value))),
        };
        known[*code as usize] = Some((hash, *group));
        if let Partial::Distinct(distinct) = &mut states[*group as usize] {
            bytes += distinct.add_hash(hash);
        }
    }
    bytes
}

#[cfg(test)]
mod tests;

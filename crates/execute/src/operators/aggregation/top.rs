//! The first rows in an order of aggregates: all that is wanted of many groups.

use std::cmp::Ordering;

use plan::{AggregateKind, Name, Operator, SortKey, visit_fields};

use crate::operators::group::{GroupRows, Groups};
use crate::operators::table::{SORTED_ROW_BYTES, Table};
use crate::scan::row_order::{compare_cells, key_columns};
use crate::scan::scanner::Scan;
use evaluate::{Cell, Stop};

/// What the operators after an aggregation want, where they compute columns from aggregates, sort by one, and take the
/// first rows.
pub(crate) struct Top<'p> {
    /// The aggregates that the order asks for.
    aggregates: Vec<usize>,
    /// What is computed from them.
    extends: &'p [Operator],
    /// The first key of the order.
    keys: &'p [SortKey],
    n_rows: usize,
    /// Whether the key is one count.
    is_count: bool,
}

impl<'p> Top<'p> {
    /// Returns what `after` wants; none if it is all groups, or depends on more than cheap aggregates.
    pub(crate) fn of(aggregate: &Operator, after: &'p [Operator]) -> Option<Self> {
        let Operator::Aggregate { by, aggregates } = aggregate else { return None };
        let n_extends = after.iter().take_while(|operator| matches!(operator, Operator::Extend { .. })).count();
        let (extends, after) = after.split_at(n_extends);
        let [Operator::Sort(keys), Operator::Limit(n_rows), ..] = after else { return None };
        let keys = keys.get(..1)?;
        let mut asked: Vec<&Name> = Vec::new();
        visit_fields(&keys[0].expr, &mut |name| asked.push(name));
        let is_count = extends.is_empty() && matches!(keys[0].expr, plan::Expr::Field(_));
        let mut computed: Vec<&Name> = Vec::new();
        for operator in extends {
            let Operator::Extend { name, expr } = operator else { return None };
            visit_fields(expr, &mut |name| asked.push(name));
            computed.push(name);
        }
        let mut found = Vec::new();
        for name in asked {
            // Of two columns with one name the last is meant.
            match aggregates.iter().rposition(|aggregate| aggregate.name == *name) {
                Some(index) if is_cheap(aggregates[index].kind) && !by.iter().any(|(key, _)| key == name) => {
                    found.push(index);
                }
                None if computed.contains(&name) => {}
                _ => return None,
            }
        }
        found.sort_unstable();
        found.dedup();
        let is_count = is_count && found.iter().all(|index| aggregates[*index].kind == AggregateKind::Count);
        let n_rows = usize::try_from(*n_rows).ok()?;
        (!found.is_empty()).then_some(Self { aggregates: found, extends, keys, n_rows, is_count })
    }

    /// Returns the groups that may be among the first rows, with all that tie with the last of them; none if that may
    /// be all.
    fn shown(&self, groups: &Groups<'_>, scan: &Scan<'_>) -> Result<Option<Vec<u32>>, Stop> {
        if self.n_rows == 0 || self.n_rows >= groups.n_groups {
            return Ok(None);
        }
        if self.is_count {
            let counts = groups.counts_of(self.aggregates[0]);
            let order = |a: u32, b: u32| counts[a as usize].cmp(&counts[b as usize]);
            let is_descending = self.keys[0].descending;
            let order = |a, b| if is_descending { order(b, a) } else { order(a, b) };
            return Ok(Some(first_of(groups.n_groups, self.n_rows, order)));
        }
        let n_bytes = groups.n_groups * (SORTED_ROW_BYTES * (self.aggregates.len() + self.extends.len()) + 4);
        scan.budget().holding(n_bytes, || {
            let columns = groups.aggregate_columns(&self.aggregates, scan.budget())?;
            let rows = GroupRows { n_rows: groups.n_groups, columns, approximate: Vec::new() };
            let mut table = Table::of_groups(rows);
            self.extends.iter().try_for_each(|operator| table.apply(operator, scan))?;
            let columns = key_columns(self.keys, &mut table.frame, scan)?;
            let cells = |row: u32| columns.iter().map(move |column| Cell::at(column, row as usize));
            let order = |a, b| compare_cells(self.keys, cells(a).zip(cells(b)));
            Ok(Some(first_of(groups.n_groups, self.n_rows, order)))
        })
    }
}

/// Returns groups as rows: those that are wanted.
pub(crate) fn finish(top: Option<&Top<'_>>, groups: Result<Groups<'_>, Stop>, scan: &Scan<'_>) -> Table {
    let finished = groups.and_then(|groups| {
        let shown = top.map_or(Ok(None), |top| top.shown(&groups, scan))?;
        groups.finish(shown, scan.budget())
    });
    Table::of_groups(scan.or_nothing(finished))
}

/// Whether computing an aggregate's value costs next to nothing and leaves its state as it is.
fn is_cheap(kind: AggregateKind) -> bool {
    use AggregateKind::{Average, Count, Max, Min, Sum};
    matches!(kind, Count | Sum | Average | Min | Max)
}

/// Returns which of `n` are among the first `n_first` of an order, those that tie with the last of them included.
fn first_of(n: usize, n_first: usize, order: impl Fn(u32, u32) -> Ordering) -> Vec<u32> {
    let mut sorted: Vec<u32> = (0..n as u32).collect();
    let last = *sorted.select_nth_unstable_by(n_first - 1, |a, b| order(*a, *b)).1;
    (0..n as u32).filter(|at| order(*at, last).is_le()).collect()
}

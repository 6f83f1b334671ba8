//! Operators over more rows than fit into memory: part by part, from one operator to the next.
//!
//! Operators that look at one row at a time pass each part on. Those that need all rows keep them in the query's memory,
//! as far as they fit, and on disk, and give them on in parts once the last one is there. Operators of which most answers
//! are short (what follows a `top`, a forecast, totals) get all rows at once, as long as they fit into memory.
//! The answer is that of [`Table::apply`], operator after operator.

mod dedup;
mod rows;
mod sink;
mod sort;

use std::collections::BTreeSet;

use plan::{Aggregate, Expr, Name, Operator, fields_of};

use self::dedup::Dedup;
use self::rows::RowBuffer;
pub(crate) use self::rows::{RowForm, RowsRead};
pub(crate) use self::sink::Sink;
use self::sort::Sort;
use crate::operators::group::spilled::{GroupCollector, SpilledGroups};
use crate::operators::table::Table;
use crate::request::spilling::Spilling;
use crate::scan::scanner::{Flow, Scan};
use evaluate::Result;

/// One operator and what it keeps.
enum Stage<'p, 's> {
    /// Looks at one row at a time.
    Each(&'p Operator),
    /// Lets so many rows through.
    Limit(usize),
    Dedup(Dedup<'p, 's>),
    Sort(Sort<'p, 's>),
    Group(Grouping<'p, 's>),
    /// Needs all rows at once, as does everything after it.
    Whole(&'p [Operator], RowBuffer),
    /// Has given on what it kept.
    Done,
}

/// Rows of a table as they become groups.
struct Grouping<'p, 's> {
    of: (&'p [(Name, Expr)], &'p [Aggregate]),
    groups: GroupCollector<'p, 's>,
    /// Aggregates of estimates.
    estimates: BTreeSet<Name>,
}

/// Rows that an operator passes on once it has all of them.
enum CollectedRows<'p, 's> {
    Rows(RowsRead<'s>),
    Groups(SpilledGroups<'p, 's>, BTreeSet<Name>),
    Table(Option<Table>),
}

/// Operators one after the other, and the answer.
pub(crate) struct Pipeline<'p, 's> {
    scan: &'s Scan<'s>,
    stages: Vec<Stage<'p, 's>>,
    sink: Sink<'p, 's>,
}

/// Reports whether an operator gives the same rows, in the same order, part by part.
fn is_part_by_part(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::Filter(_)
            | Operator::Extend { .. }
            | Operator::Parse(_)
            | Operator::Lookup(_)
            | Operator::Unnest { .. }
            | Operator::Join(_)
    )
}

/// Reports whether a pipeline can run all operators: comparing reads events of another time, and patterns are found over
/// all texts at once.
pub(crate) fn can_run(operators: &[Operator]) -> bool {
    !operators.iter().any(|operator| matches!(operator, Operator::Compare(_) | Operator::Patterns(_)))
}

impl<'p, 's> Pipeline<'p, 's> {
    /// Prepares `operators`, the last of which projects.
    pub(crate) fn new(
        operators: &'p [Operator],
        scan: &'s Scan<'s>,
        spilling: Spilling<'s>,
        sink: Sink<'p, 's>,
    ) -> Result<Self> {
        let mut stages = Vec::with_capacity(operators.len());
        for (index, operator) in operators.iter().enumerate() {
            let after = &operators[index + 1..];
            // Rows that leave this operator need what those after it ask for.
            let needed = || {
                let mut needed = fields_of(after);
                needed.insert("@id".into());
                RowForm::new(needed)
            };
            stages.push(match operator {
                Operator::Project { .. } => continue,
                operator if is_part_by_part(operator) => Stage::Each(operator),
                Operator::Limit(most) => Stage::Limit(usize::try_from(*most).unwrap_or(usize::MAX)),
                Operator::Dedup(names) => Stage::Dedup(Dedup::new(names, needed(), spilling)?),
                Operator::Sort(keys) => {
                    let cap = if let [Operator::Limit(most), ..] = after { usize::try_from(*most).ok() } else { None };
                    Stage::Sort(Sort::new(keys, cap, needed(), spilling))
                }
                Operator::Aggregate { by, aggregates } => {
                    let groups = GroupCollector::new((by, aggregates), 1, spilling)?;
                    Stage::Group(Grouping { of: (by, aggregates), groups, estimates: BTreeSet::new() })
                }
                _ => {
                    let form = RowForm::new(fields_of(&operators[index..]).into_iter().chain(["@id".into()]).collect());
                    stages.push(Stage::Whole(&operators[index..], RowBuffer::new(form, spilling.lease(0)?)));
                    break;
                }
            });
        }
        Ok(Self { scan, stages, sink })
    }

    /// Takes the next rows; [`Flow::Done`] where further ones change nothing.
    pub(crate) fn push(&mut self, table: Table) -> Result<Flow> {
        self.push_from(0, table)
    }

    fn push_from(&mut self, first: usize, mut table: Table) -> Result<Flow> {
        let scan = self.scan;
        let mut flow = Flow::Continue;
        for stage in &mut self.stages[first..] {
            match stage {
                Stage::Each(operator) => table.apply(operator, scan)?,
                Stage::Limit(n_left) => {
                    table.truncate(*n_left);
                    *n_left -= table.n_rows();
                    if *n_left == 0 {
                        flow = Flow::Done;
                    }
                }
                Stage::Dedup(dedup) => dedup.push(&mut table, scan)?,
                Stage::Sort(sort) => {
                    sort.push(table, scan)?;
                    return Ok(flow);
                }
                Stage::Group(grouping) => {
                    grouping.push(table, scan)?;
                    return Ok(flow);
                }
                Stage::Whole(_, rows) => {
                    rows.push(table, scan)?;
                    return Ok(flow);
                }
                Stage::Done => {}
            }
            if table.n_rows() == 0 {
                return Ok(flow);
            }
        }
        match self.sink.push(table, scan)? {
            Flow::Done => Ok(Flow::Done),
            Flow::Continue => Ok(flow),
        }
    }

    /// Lets all rows arrive at the answer.
    pub(crate) fn finish(mut self) -> Result<Sink<'p, 's>> {
        for at in 0..self.stages.len() {
            let mut kept = match std::mem::replace(&mut self.stages[at], Stage::Done) {
                Stage::Sort(sort) => CollectedRows::Rows(sort.finish()?),
                Stage::Dedup(dedup) => match dedup.finish()? {
                    Some(rows) => CollectedRows::Rows(rows),
                    None => continue,
                },
                Stage::Group(Grouping { of, groups, estimates }) => {
                    let spilling = groups.spilling;
                    CollectedRows::Groups(GroupCollector::finish(of, spilling, vec![groups])?, estimates)
                }
                Stage::Whole(operators, rows) => {
                    let mut table = rows.finish();
                    operators.iter().try_for_each(|operator| table.apply(operator, self.scan))?;
                    CollectedRows::Table(Some(table))
                }
                Stage::Each(_) | Stage::Limit(_) | Stage::Done => continue,
            };
            while let Some(table) = kept.next()? {
                if self.push_from(at + 1, table)? == Flow::Done {
                    break;
                }
            }
        }
        Ok(self.sink)
    }
}

impl Grouping<'_, '_> {
    fn push(&mut self, mut table: Table, scan: &Scan<'_>) -> Result<()> {
        let is_estimate =
            |aggregate: &&Aggregate| aggregate.argument.as_ref().is_some_and(|expr| table.is_approximate(expr));
        self.estimates.extend(self.of.1.iter().filter(is_estimate).map(|aggregate| aggregate.name.clone()));
        self.groups.add_rows(&mut table.frame, &scan.env)
    }
}

impl CollectedRows<'_, '_> {
    fn next(&mut self) -> Result<Option<Table>> {
        match self {
            Self::Rows(rows) => rows.next(),
            Self::Table(table) => Ok(table.take()),
            Self::Groups(groups, estimates) => Ok(groups.next()?.map(|rows| {
                let mut table = Table::of_groups(rows);
                table.approximate.extend(estimates.iter().cloned());
                table
            })),
        }
    }
}

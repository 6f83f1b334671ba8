//! How a plan would be run: what is done block by block, what an index is asked for, what is left for the rows of the
//! answer.
//!
//! The steps are taken from what execution itself makes of the plan. Indexes are really asked, so that the numbers are
//! what narrowing leaves and no guesses; no event is read. Of very many blocks only the newest are asked.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::{Display, Formatter};
use std::sync::Arc;

use plan::{Expr, Operator, Plan, fields_of};
use types::{RowSet, Run};

use crate::operators::minutes::{self, CountedBy};
use crate::operators::unnest::Spread;
use crate::request::error::Result;
use crate::request::item::Item;
use crate::request::parameters::Request;
use crate::scan::scanner::Scan;
use crate::scan::simplify;
use crate::scan::stages::Stages;
use crate::scan::steps::Steps;

/// Blocks of which indexes are asked: 32 million events, a second or so at worst.
const BLOCKS_ASKED_MAX: usize = 2_000;

/// How a plan would be run.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// What is done, in this order.
    pub steps: Vec<ExplainedStep>,
    /// Blocks that overlap the range.
    pub n_blocks: u64,
    /// Events in them.
    pub n_events: u64,
    /// Blocks of which indexes were asked, the newest ones.
    pub n_blocks_asked: u64,
    /// Blocks of those that may hold an event that matches.
    pub n_blocks_possible: u64,
    /// Events in those that may match.
    pub n_events_possible: u64,
    /// Whether counts that runs keep answer it, so that only the ends of the range are read.
    pub uses_counts: bool,
}

/// One step.
#[derive(Clone, Debug)]
pub struct ExplainedStep {
    /// When it is done.
    pub stage: Stage,
    /// What is done.
    pub operator: String,
    /// What an index is asked for first.
    pub index: Option<IndexUse>,
}

types::named! {
    /// When a step is done.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Stage {
        /// On each block, as it is read.
        Block = "block",
        /// On each block, and what comes of it is merged.
        Merge = "merge",
        /// On the rows that all blocks gave.
        Rows = "rows",
    }
}

/// What an index is asked for.
#[derive(Clone, Debug)]
pub struct IndexUse {
    /// The field.
    pub field: String,
    /// The text that its value must hold.
    pub literal: String,
    /// Whether every row that the index names matches for certain, wherever the index itself is certain.
    pub is_exact: bool,
    /// Blocks that may hold it.
    pub n_blocks: u64,
    /// Events that may.
    pub n_events: u64,
}

/// Says how `plan` would be run over `runs`. Subqueries must have been answered.
pub fn explain(plan: &Plan, runs: &[Arc<dyn Run>], request: &Request<'_>) -> Result<Explanation> {
    let operators = simplify::simplify_over(plan.operators(), runs);
    let Stages { lead, rest } = Stages::of(&operators);
    let scan = Scan::new(runs, request);
    let mut explanation = Explanation::default();
    let step = |stage: Stage, operator: &Operator| ExplainedStep { stage, operator: operator.to_string(), index: None };
    if let Some((spread, aggregate, after)) = Spread::of(rest) {
        let spread = spread.operators;
        let until = &rest[..rest.len() - after.len()];
        let steps = Steps::new(lead, &fields_of(until));
        explanation.ask(&scan, &steps);
        explanation.steps.extend(steps.others().map(|operator| step(Stage::Block, operator)));
        explanation.steps.extend(spread.iter().map(|operator| step(Stage::Block, operator)));
        explanation.steps.push(step(Stage::Merge, aggregate));
        explanation.steps.extend(after.iter().map(|operator| step(Stage::Rows, operator)));
        if let Operator::Aggregate { by, aggregates } = aggregate {
            let counted_by = minutes::counted_by(&steps, by, aggregates).filter(|_| spread.is_empty());
            explanation.uses_counts = counted_by.is_some_and(|counted_by| match counted_by {
                CountedBy::Level => true,
                CountedBy::Field(name) => runs.iter().any(|run| matches!(run.field_minutes(&name), Ok(Some(_)))),
            });
        }
    } else {
        let wanted = crate::scan::selection::EventSelection::of(
            lead,
            rest,
            crate::scan::selection::Cut::of(plan.operators(), request),
        );
        let steps = Steps::new(lead, &wanted.sort_fields);
        explanation.ask(&scan, &steps);
        explanation.steps.extend(steps.others().map(|operator| step(Stage::Block, operator)));
        let n_merged = rest.len() - wanted.rest.len();
        explanation.steps.extend(rest[..n_merged].iter().map(|operator| step(Stage::Merge, operator)));
        // What only the rows of the answer need is computed of these alone.
        let done: BTreeSet<String> = explanation.steps.iter().map(|step| step.operator.clone()).collect();
        let late = lead.iter().filter(|operator| !matches!(operator, Operator::Filter(_)));
        let late = late.filter(|operator| !done.contains(&operator.to_string()));
        explanation.steps.extend(late.chain(wanted.rest).map(|operator| step(Stage::Rows, operator)));
    }
    Ok(explanation)
}

/// A condition, the index use it may have, and what indexes said so far.
struct ExplainedCondition {
    step: ExplainedStep,
    index: Option<IndexUse>,
}

impl Explanation {
    /// Adds the conditions, with what indexes say of the blocks.
    fn ask(&mut self, scan: &Scan<'_>, steps: &Steps<'_>) {
        let items = scan.items();
        let n_rows = |item: &Item| scan.sources[item.source].run.block_rows(item.block);
        self.n_blocks = items.len() as u64;
        self.n_events = items.iter().map(|item| n_rows(item) as u64).sum();
        let conditions: Vec<_> = steps.conditions().collect();
        let mut asked: Vec<ExplainedCondition> = conditions
            .iter()
            .map(|(expr, probe)| ExplainedCondition {
                step: ExplainedStep { stage: Stage::Block, operator: filter(expr), index: None },
                index: probe.map(|probe| IndexUse {
                    field: probe.field.to_owned(),
                    literal: probe.literal.to_owned(),
                    is_exact: probe.settles,
                    n_blocks: 0,
                    n_events: 0,
                }),
            })
            .collect();
        for item in items.iter().take(BLOCKS_ASKED_MAX) {
            if scan.is_over() {
                break;
            }
            let mut possible = RowSet::all(n_rows(item));
            for ((_, probe), asked) in conditions.iter().zip(&mut asked) {
                let (Some(probe), Some(index)) = (probe, &mut asked.index) else { continue };
                let source = &scan.sources[item.source];
                let narrowed = probe.for_source(source).and_then(|question| match question {
                    Some(question) => source.run.narrow(item.block, &question).map(|narrowed| narrowed.rows),
                    None => Ok(RowSet::all(n_rows(item))),
                });
                match narrowed {
                    Ok(rows) => {
                        index.n_blocks += u64::from(!rows.is_empty());
                        index.n_events += rows.count() as u64;
                        possible.and(&rows);
                    }
                    Err(error) => scan.note_stop(evaluate::columns::stop::Stop::Damaged(error)),
                }
            }
            self.n_blocks_asked += 1;
            self.n_blocks_possible += u64::from(!possible.is_empty());
            self.n_events_possible += possible.count() as u64;
        }
        self.steps.extend(asked.into_iter().map(|asked| ExplainedStep { index: asked.index, ..asked.step }));
    }
}

fn filter(condition: &Expr) -> String {
    format!("filter {condition}")
}

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "range   {} blocks, {} events", self.n_blocks, self.n_events)?;
        for step in &self.steps {
            write!(f, "{:<7} {}", step.stage.name(), step.operator)?;
            if let Some(index) = &step.index {
                let sureness = if index.is_exact { "" } else { ", then checked" };
                write!(f, "  (index: {:?} in {}{sureness}; ", index.literal, index.field)?;
                write!(f, "{} blocks, {} events)", index.n_blocks, index.n_events)?;
            }
            f.write_str("\n")?;
        }
        if self.uses_counts {
            return f.write_str("reads   the ends of the range; the minutes between are counted already");
        }
        write!(f, "reads   {} blocks, {} events at most", self.n_blocks_possible, self.n_events_possible)?;
        if self.n_blocks_asked < self.n_blocks {
            write!(f, ", of the newest {} blocks", self.n_blocks_asked)?;
        }
        Ok(())
    }
}

//! Live tail: the rows of a query as events are accepted, without looking back.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chrono_tz::Tz;
use plan::{Expr, Lookup, Name, Operator, Other, Plan, fields_of, has_subqueries};
use types::{RowSet, Run, ScanError, Timestamp, Value, ensure};

use crate::scan::steps::Steps;
use evaluate::{
    BlockRows, Budget, Cell, Environment, PartnersOfPlan, PreparedElements, Result, Source, Stop, Warnings,
};

/// Most bytes that one computed column of a batch may have.
const MEMORY_BYTES_MAX: usize = 64 << 20;

/// Why a query cannot be tailed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TailError {
    /// It asks for more than one row at a time.
    #[error("{command} needs events to end; a live tail takes filter, fields, parse, lookup and display")]
    NotRowWise {
        /// The command.
        command: &'static str,
    },
    /// A plan no dialect makes.
    #[error("plan without a projection at its end")]
    NoProjection,
}

/// A query that is asked of each batch of new events.
#[derive(Debug)]
pub struct Tail {
    lead: Vec<Operator>,
    columns: Vec<(Name, Expr)>,
    time_zone: Tz,
    /// Indexes of the tables looked up, made once.
    partners: PartnersOfPlan,
}

/// New rows, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TailRows {
    /// The `@id` of each row.
    pub ids: Vec<String>,
    /// Values in the order of [`Tail::columns`].
    pub rows: Vec<Vec<Option<Value>>>,
}

impl Tail {
    /// Takes a plan of row-wise commands; others are refused by name. Tables that it looks up have been fetched
    /// (`fetch_tables`), and stay as they were then.
    pub fn new(plan: &Plan, time_zone: Tz) -> Result<Self, TailError> {
        let Some((Operator::Project { columns, .. }, lead)) = plan.operators().split_last() else {
            return Err(TailError::NoProjection);
        };
        ensure!(!has_subqueries(plan), TailError::NotRowWise { command: "a subquery" });
        for operator in lead {
            let command = match operator {
                Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_) => continue,
                Operator::Lookup(Lookup { table: Other::Rows(_), .. }) => continue,
                Operator::Aggregate { .. } => "stats",
                Operator::Sort(_) => "sort",
                Operator::Limit(_) => "limit",
                Operator::Tail(_) => "tail",
                Operator::Dedup(_) => "dedup",
                Operator::Unnest { .. } => "unnest",
                Operator::Rank(rank) if rank.rarest_first => "rare",
                Operator::Rank(_) => "top",
                Operator::FillBuckets(_) => "fillmissing",
                Operator::FillDown(_) => "filldown",
                Operator::Lookup(_) => "lookup",
                Operator::Join(_) => "join",
                Operator::AppendColumns(_) => "appendcols",
                Operator::AddTotals(_) => "addtotals",
                Operator::Autoregress(_) => "autoregress",
                Operator::Sessionize(_) => "sessionize",
                Operator::Outlier(_) => "outlier",
                Operator::Patterns(_) => "pattern",
                Operator::Compare(_) => "diff",
                Operator::Score(_) => "anomaly",
                Operator::Project { .. } => "display",
            };
            return Err(TailError::NotRowWise { command });
        }
        Ok(Self { lead: lead.to_vec(), columns: columns.clone(), time_zone, partners: PartnersOfPlan::default() })
    }

    /// Returns names of the columns.
    pub fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| &**name).collect()
    }

    /// Returns the rows of a run of new events that fulfil the conditions.
    pub fn rows(&self, run: Arc<dyn Run>, now: Timestamp) -> Result<TailRows, ScanError> {
        let mut all = TailRows::default();
        self.rows_by_block(run, now, &mut |mut found| {
            all.ids.append(&mut found.ids);
            all.rows.append(&mut found.rows);
        })?;
        Ok(all)
    }

    /// Does the same block by block, so that a long run never is in memory as rows.
    pub fn rows_by_block(
        &self,
        run: Arc<dyn Run>,
        now: Timestamp,
        take: &mut dyn FnMut(TailRows),
    ) -> Result<(), ScanError> {
        let projection = Operator::Project { columns: self.columns.clone(), is_events: true };
        let steps = Steps::new(&self.lead, &fields_of(std::slice::from_ref(&projection)));
        let env = Environment {
            time_zone: self.time_zone,
            now,
            budget: Budget::of_memory(MEMORY_BYTES_MAX),
            prepared: PreparedElements::of(&self.lead),
            partners: self.partners.clone(),
            warnings: Warnings::default(),
            events_skipped: AtomicU64::new(0),
        };
        let source = Source::new(run);
        for block in 0..source.run.n_blocks() {
            let rows = RowSet::all(source.run.block_rows(block));
            let mut found = TailRows::default();
            match self.rows_of(BlockRows { source: &source, block, rows }, &steps, &env, &mut found) {
                Ok(()) => {}
                Err(evaluate::columns::stop::Stop::Damaged(error)) => return Err(error),
                // Computed fields of one batch that outgrow the limit: its rows are left out, later ones are not.
                Err(Stop::Memory | Stop::Over | Stop::Spill(_)) => {}
            }
            take(found);
        }
        Ok(())
    }

    fn rows_of(&self, block: BlockRows<'_>, steps: &Steps<'_>, env: &Environment, found: &mut TailRows) -> Result<()> {
        let mut frame = steps.apply(block, env)?;
        if frame.n_rows() == 0 {
            return Ok(());
        }
        let ids = frame.column("@id")?;
        let mut columns = Vec::with_capacity(self.columns.len());
        for (_, expr) in &self.columns {
            columns.push(env.evaluate(expr, &mut frame)?);
        }
        for row in 0..frame.n_rows() {
            found.ids.push(Cell::at(&ids, row).text().map(|id| id.into_owned()).unwrap_or_default());
            found.rows.push(columns.iter().map(|column| column.value(row)).collect());
        }
        Ok(())
    }
}

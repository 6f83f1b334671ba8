//! Runs a plan over runs of events: scan, partial results, merge, answer.
//!
//! A plan is cut at its first operator that needs more than one row at a time. What stands before it is applied to
//! every block by several threads, reading only the columns it touches; the operator itself is computed as partial
//! results that merge; what follows works on rows in memory. Indexes and statistics change what a query costs,
//! never what it answers. Damaged blocks, cancelling and running out of time make an answer partial, with a reason;
//! running out of memory is an error.

mod address;
mod aggregate;
mod aggregation;
mod any;
mod autoregress;
mod budget;
mod cache;
mod cell;
mod codec;
mod compare;
mod context;
mod each;
mod elements;
mod explain;
mod expression;
mod fields;
mod fill;
mod fingerprint;
mod frame;
mod frontier;
mod functions;
mod group;
mod histogram;
mod holds;
mod join;
mod kept_rows;
mod matched_fields;
mod matches;
mod matching;
mod minutes;
mod outlier;
mod parse;
mod partners;
mod path;
mod pattern;
pub mod patterns;
mod probe;
mod progress;
mod rank;
mod rows;
mod scan;
mod score;
mod screen;
mod select;
mod sessionize;
mod settle;
mod simplify;
mod steps;
mod stream;
mod subquery;
mod table;
mod tail;
mod totals;
mod unknown_fields;
mod unnest;

use plan::PlanError;
use plan::earlier_range;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use chrono_tz::Tz;
use types::{Run, TimeRange, Timestamp, Value};

pub use self::budget::{Held, MemoryPool};
pub use self::cache::{CacheCounts, PartialCache};
pub use self::context::{Around, ContextError, Side, context_plan, event_plan};
pub use self::explain::{ExplainedStep, Explanation, IndexUse, Stage};
pub use self::fields::{
    FieldSummaries, FieldSummaryRow, FieldValues, ValueCount, field_presence, field_summaries, field_types,
    field_values,
};
pub use self::histogram::{Bucket, Histogram};
pub use self::holds::holds_for;
pub use crate::explain::explain;
pub use crate::histogram::histogram;
pub use crate::matched_fields::matched_fields;

pub use self::pattern::{Usual, masked_text, pattern_lines, patterns_of, usual};
pub use self::patterns::{Change, Changes, Event, Origin, Restart, RestartKind, changes, patterns_plan};
pub use self::progress::TakePartialRows;
pub use self::screen::Screen;
pub use self::select::{Selected, select_events};
pub use self::stream::{Asked, Feed, FeedOf, execute_stream, needs_several_passes};
pub use self::subquery::{Answered, RunsOf, answer_subqueries, execute_with_subqueries, fetch_tables, has_subqueries};
pub use self::tail::{Tail, TailError, TailRows};
pub use self::unknown_fields::UnknownFields;
pub use crate::unknown_fields::unknown_fields;

pub use self::context::beyond;
pub use self::fields::field_types_of;

pub(crate) use self::kept_rows::KeptRows;
pub(crate) use self::matches::KeptMatches;

use self::aggregation::Aggregation;
use self::elements::Prepared;
use self::expression::Stop;
use self::kept_rows::{RowKeeper, WantedRows};
use self::matches::Matcher;
use self::progress::Preview;
use self::rows::RowOrder;
use self::scan::Scan;
use self::steps::{Steps, is_row_wise};
use self::table::Table;
use self::unnest::Spread;
pub use plan::fields::fields_of;
use plan::{Operator, Plan};

/// What a query is run with, beside its plan.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Events with a time in this range are looked at.
    pub range: TimeRange,
    /// The most event rows of an answer, unless the query itself says how many; groups are never cut by it.
    pub limit: Option<usize>,
    /// The zone that calendar functions work in.
    pub time_zone: Tz,
    /// When the query started.
    pub now: Timestamp,
    /// The most bytes that the query may hold, roughly.
    pub memory_bytes_max: usize,
    /// When the query ends, done or not.
    pub deadline: Option<Instant>,
    /// Set from outside to end the query.
    pub cancelled: &'a AtomicBool,
    /// How many threads scan.
    pub n_threads: usize,
    /// Called now and then with what was done so far.
    pub progress: Option<&'a (dyn Fn(&Stats) + Sync)>,
    /// What else the caller lends.
    pub support: Support<'a>,
}

/// What whoever runs queries may lend to them. The answers are the same without.
#[derive(Clone, Copy, Default)]
pub struct Support<'a> {
    /// Partial results of immutable runs.
    pub cache: Option<&'a PartialCache>,
    /// The memory that all queries share.
    pub pool: Option<&'a Arc<MemoryPool>>,
    /// Uploaded tables by name. Without, there are none.
    pub tables: Option<&'a TableOf<'a>>,
    /// Takes event rows in their order while the scan goes on, where their order and what is done to them permits it;
    /// the answer then has no rows left. `false` ends the query. Time spent here is not the query's.
    pub take_rows: Option<&'a TakeRows<'a>>,
    /// Takes rows of an aggregation now and then while it is under way, a thousand at most.
    pub take_partial_rows: Option<&'a TakePartialRows<'a>>,
}

/// Gives the uploaded table of a name.
pub type TableOf<'a> = dyn Fn(&str) -> Option<Arc<plan::Rows>> + Sync + 'a;

/// Takes rows; `false` where nobody wants them any more.
pub type TakeRows<'a> = dyn Fn(Vec<Vec<Option<Value>>>) -> bool + Sync + 'a;

/// The result of a query.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The columns, in order.
    pub columns: Vec<ColumnInfo>,
    /// The rows, each with a value or none per column.
    pub rows: Vec<Vec<Option<Value>>>,
    /// For rows that are events, the `@id` of each.
    pub ids: Option<Vec<String>>,
    /// Whether rows were cut off by [`Request::limit`].
    pub more: bool,
    /// What it took.
    pub stats: Stats,
    /// Why rows may be missing; empty for a whole answer.
    pub partial_reasons: Vec<PartialReason>,
    /// What the author of the query should know.
    pub warnings: Vec<plan::Warning>,
    /// The memory of the rows, which is theirs until the answer is written.
    pub held: Option<Arc<Held>>,
}

/// What is known of a column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
    /// Whether its values are estimates.
    pub approximate: bool,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Instants.
    Timestamp,
    /// Texts.
    String,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Float,
    /// Booleans.
    Boolean,
    /// Lists.
    List,
    /// Objects.
    Object,
    /// Several of these, or nothing is known.
    Any,
}

impl ColumnKind {
    /// The name under which answers show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Object => "object",
            Self::Any => "any",
        }
    }
}

/// What a query took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Events looked at (in blocks that were read, inside the range).
    pub events_scanned: u64,
    /// Events that fulfilled the conditions on events.
    pub events_matched: u64,
    /// Of the events scanned, those whose partial results were kept from an earlier query.
    pub events_cached: u64,
    /// Of the events scanned, those that an index ruled out: nothing of them was read.
    pub events_skipped: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Segments that the runs belong to.
    pub segments_total: u64,
    /// Segments left out; known to whoever made the snapshot.
    pub segments_pruned: u64,
    /// Segments read from.
    pub segments_opened: u64,
    /// Segments that nothing remains to be done with.
    pub segments_done: u64,
    /// Milliseconds.
    pub elapsed_ms: f64,
}

/// Why an answer is not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialReason {
    /// `damaged`, `timeout` or `cancelled`.
    pub code: &'static str,
    /// One sentence; names the file where there is one.
    pub message: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// More memory was needed than the query may hold.
    #[error(
        "query needs more than {bytes_max} bytes of memory ({setting}); ask for a shorter range, fewer groups or a limit"
    )]
    Memory {
        /// What it may hold.
        bytes_max: usize,
        /// The setting that says so.
        setting: &'static str,
    },
    /// All queries together hold what they may.
    #[error(
        "all queries together need more than {bytes_max} bytes of memory (query.memory_total); try again when others are \
         done, or ask for a shorter range, fewer groups or a limit"
    )]
    MemoryOfAll {
        /// What they may hold.
        bytes_max: usize,
    },
    /// A defect of ours; nothing else notices.
    #[error("query stopped at a defect of catat; the log of the server has the place")]
    Panicked,
    /// No thread to run on.
    #[error("query found no thread to run on: {0}")]
    NoThread(std::io::Error),
    /// There is no table of this name.
    #[error("there is no lookup table `{0}`")]
    UnknownTable(String),
    /// A table has no such column.
    #[error("the lookup table `{table}` has no column `{column}`; it has {known}")]
    UnknownColumn {
        /// The table.
        table: String,
        /// What it does not have.
        column: String,
        /// What it has.
        known: String,
    },
    /// A subquery gave too many values.
    #[error("subquery gives more than {values_max} values; let it give fewer, such as with a filter")]
    SubqueryTooLarge {
        /// The most it may give.
        values_max: usize,
    },
    /// The caller has no groups to look at.
    #[error("subqueries cannot be asked here")]
    Subquery,
    /// A plan no dialect makes.
    #[error("plan without a projection at its end")]
    NoProjection,
}

/// Runs a plan over runs. One with subqueries goes to [`execute_with_subqueries`].
pub fn execute(plan: &Plan, runs: &[Arc<dyn Run>], request: &Request<'_>) -> Result<Answer, ExecuteError> {
    if has_subqueries(plan) {
        return Err(ExecuteError::Subquery);
    }
    let operators = simplify::simplify_over(&plan.operators, runs);
    let mut scan = Scan::new(runs, request);
    scan.env.prepared = Prepared::of(&operators);
    let n_lead = operators.iter().position(|operator| !is_row_wise(operator)).unwrap_or(operators.len());
    let (lead, rest) = operators.split_at(n_lead);
    let Some(Operator::Project { columns, .. }) = operators.last() else {
        return Err(ExecuteError::NoProjection);
    };
    let cut = Cut::of(&plan.operators, request);
    if let Some(take) = request.support.take_rows
        && Spread::of(rest).is_none()
    {
        let wanted = Wanted::of(lead, rest, cut);
        if frontier::can_leave(&wanted, cut) {
            let rows = frontier::Rows {
                scan: &scan,
                lead,
                wanted: &wanted,
                columns,
                take,
                has_said_seconds: has_said_seconds(plan),
            };
            let (answer, more) = rows.give(cut)?;
            return finish(&scan, plan, Ok(answer), more);
        }
    }
    let begun_now = begun(&scan, runs, (lead, rest), cut, has_said_seconds(plan))?;
    ended(&scan, runs, plan, (lead, rest), begun_now, cut, &mut |scan, made| {
        begun(scan, runs, (lead, made), Cut::No, true)
    })
}

/// Rows in memory, what remains to be done with them, and whether rows were cut off.
type Begun<'o> = (Table, &'o [Operator], bool);

/// Begins anew, for another time, with some of the operators behind the row-wise ones.
type Begin<'b> = dyn for<'m> FnMut(&Scan<'_>, &'m [Operator]) -> Result<Begun<'m>, ExecuteError> + 'b;

/// Does what remains with rows in memory, and answers. Events that pass by are in no run.
fn ended(
    scan: &Scan<'_>,
    runs: &[Arc<dyn Run>],
    plan: &Plan,
    (lead, rest): (&[Operator], &[Operator]),
    (mut table, left, mut more): Begun<'_>,
    cut: Cut,
    begin: &mut Begin<'_>,
) -> Result<Answer, ExecuteError> {
    let Some(Operator::Project { columns, is_events }) = rest.last().or(lead.last()) else {
        return Err(ExecuteError::NoProjection);
    };
    for (index, operator) in left.iter().enumerate() {
        let done = match operator {
            Operator::Compare(compare) => {
                let made = &rest[..rest.len() - left.len() + index];
                let mut before = table_before(scan, runs, (lead, made), compare, begin)?;
                table.compare(compare, &mut before, scan)
            }
            operator => table.apply(operator, scan),
        };
        if let Err(stop) = done {
            scan.or_nothing::<()>(Err(stop));
            break;
        }
    }
    if scan.budget().is_cut() {
        // Rows that not everything was done to would be wrong rows.
        return finish(scan, plan, Ok(Table::nothing(columns)), more);
    }
    if let Cut::At(most) = cut
        && table.n_rows() > most
    {
        table.truncate(most);
        more = true;
    }
    let held = scan.budget().held();
    let answer = match table.project(columns, *is_events, scan) {
        Err(Stop::Over) => Ok(Table::nothing(columns)),
        projected => projected,
    };
    let n_bytes = scan.budget().held().saturating_sub(held);
    finish(scan, plan, answer.map(|answer| Answer { held: Some(scan.budget().keep(n_bytes)), ..answer }), more)
}

/// Does what has to be done with events; gives what remains to be done with rows in memory, and whether rows were cut
/// off.
fn begun<'o>(
    scan: &Scan<'_>,
    runs: &[Arc<dyn Run>],
    (lead, rest): (&[Operator], &'o [Operator]),
    cut: Cut,
    has_said_seconds: bool,
) -> Result<Begun<'o>, ExecuteError> {
    if let [Operator::Patterns(patterns), rest @ ..] = rest {
        return Ok((patterns::of_runs(scan, runs, lead, patterns)?, rest, false));
    }
    match Spread::of(rest) {
        Some((spread, aggregate, rest)) => {
            let aggregation = Aggregation::new(lead, spread, aggregate).ok_or(ExecuteError::NoProjection)?;
            let preview = Preview::of(scan.request, rest);
            Ok((aggregation.run(scan, has_said_seconds, preview.as_ref())?, rest, false))
        }
        None => event_rows(scan, lead, Wanted::of(lead, rest, cut), cut, has_said_seconds),
    }
}

/// What the operators before a comparison, row-wise and others, give for the earlier time.
fn table_before(
    scan: &Scan<'_>,
    runs: &[Arc<dyn Run>],
    (lead, made): (&[Operator], &[Operator]),
    compare: &plan::Compare,
    begin: &mut Begin<'_>,
) -> Result<Table, ExecuteError> {
    let request = earlier_request(compare, scan);
    let mut before = Scan::new(runs, &request);
    before.env.prepared = Prepared::of(lead);
    let (mut table, left, _) = begin(&before, made)?;
    for operator in left {
        if let Err(stop) = table.apply(operator, &before) {
            before.or_nothing::<()>(Err(stop));
            break;
        }
    }
    scan.absorb(&before);
    Ok(table)
}

/// The same request for the earlier time that a comparison names; where there is no such time, for none.
fn earlier_request<'a>(compare: &plan::Compare, scan: &Scan<'a>) -> Request<'a> {
    let nothing = TimeRange { from: Timestamp(0), to: Timestamp(0) };
    let range = earlier_range(compare.earlier, scan.request.range, scan.request.time_zone).unwrap_or(nothing);
    Request { range, progress: None, ..*scan.request }
}

/// Whether event rows are cut by the request's limit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// They are all shown.
    No,
    /// After so many.
    At(usize),
}

impl Cut {
    fn of(operators: &[Operator], request: &Request<'_>) -> Self {
        let says_itself = |operator: &Operator| {
            matches!(
                operator,
                Operator::Limit(_) | Operator::Tail(_) | Operator::Aggregate { .. } | Operator::Patterns(_)
            )
        };
        match request.limit {
            Some(limit) if !operators.iter().any(says_itself) => Self::At(limit),
            _ => Self::No,
        }
    }
}

/// Which event rows a plan wants.
pub(crate) struct Wanted<'p> {
    /// Their order.
    pub(crate) order: RowOrder<'p>,
    /// Fields that the order speaks of.
    pub(crate) sort_fields: BTreeSet<plan::Name>,
    /// How many are wanted: the first ones, and one more where that tells whether there are more.
    pub(crate) cap: Option<usize>,
    /// Whether nothing that follows takes rows away.
    pub(crate) is_final: bool,
    /// What remains to be done with them.
    pub(crate) rest: &'p [Operator],
}

impl<'p> Wanted<'p> {
    pub(crate) fn of(lead: &[Operator], rest: &'p [Operator], cut: Cut) -> Self {
        let (order, rest) = match rest {
            // The order by time is that of the stored time only as long as nothing else took its name; so of ids.
            [Operator::Sort(keys), rest @ ..] if lead.iter().any(takes_a_name_of_order) => (RowOrder::Keys(keys), rest),
            [Operator::Sort(keys), rest @ ..] => (RowOrder::of(keys), rest),
            rest => (RowOrder::Newest, rest),
        };
        let sort_fields = match &order {
            RowOrder::Keys(keys) => rows::key_fields(keys),
            _ => BTreeSet::new(),
        };
        let (cap, rest) = match rest {
            [Operator::Limit(most), rest @ ..] => (Some(usize::try_from(*most).unwrap_or(usize::MAX)), rest),
            rest => (None, rest),
        };
        // Nothing that follows takes rows away: one more than shown tells whether there are more.
        let is_final = rest.iter().all(is_row_by_row);
        let cap = match (cut, cap) {
            (Cut::At(most), None) if is_final => Some(most.saturating_add(1)),
            (_, cap) => cap,
        };
        Self { order, sort_fields, cap, is_final, rest }
    }
}

/// Tells whether an operator gives something else a name by which events lie in order.
fn takes_a_name_of_order(operator: &Operator) -> bool {
    ["@timestamp", "@id"].iter().any(|name| steps::defines(operator, name))
}

/// Chooses and reads event rows; gives what remains to be done with them, and whether some were cut off.
fn event_rows<'o>(
    scan: &Scan<'_>,
    lead: &[Operator],
    wanted: Wanted<'o>,
    cut: Cut,
    has_said_seconds: bool,
) -> Result<Begun<'o>, ExecuteError> {
    let Wanted { order, sort_fields, cap, is_final, rest } = wanted;
    let most = match cut {
        Cut::At(most) if is_final => Some(most),
        _ => None,
    };
    let mut needed = fields_of(rest);
    needed.insert("@id".into());
    let steps = Steps::new(lead, &sort_fields);
    let matcher = Matcher::new(scan, (lead, &sort_fields), &steps, has_said_seconds);
    let wanted = WantedRows { lead, order: &order, cap, most, needed: &needed };
    let (rows, more) = RowKeeper::new(scan, wanted, has_said_seconds).rows(scan, &matcher)?;
    matcher.keep(scan);
    Ok((Table::of_events(rows), rest, more))
}

/// Tells whether an operator keeps all rows and looks at none behind the present one.
fn is_row_by_row(operator: &Operator) -> bool {
    match operator {
        Operator::Extend { .. } | Operator::Parse(_) | Operator::FillDown(_) | Operator::Project { .. } => true,
        Operator::Autoregress(_) | Operator::Lookup(_) | Operator::AppendColumns(_) => true,
        Operator::AddTotals(totals) => totals.column.is_none(),
        _ => false,
    }
}

/// Puts together what was found, what it took and what is to be said about it.
fn finish(scan: &Scan<'_>, plan: &Plan, answer: Result<Answer, Stop>, more: bool) -> Result<Answer, ExecuteError> {
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(stop) => {
            scan.note_stop(stop);
            Answer::default()
        }
    };
    if let Some(error) = scan.take_error() {
        return Err(error);
    }
    answer.more = more;
    answer.stats = scan.stats();
    answer.partial_reasons = scan.take_reasons();
    if answer.partial_reasons.is_empty() {
        // What was not looked at is not needed.
        answer.stats.segments_done = answer.stats.segments_total;
    }
    answer.warnings.clone_from(&plan.warnings);
    if scan.env.took_seconds.load(Relaxed) && !has_said_seconds(plan) {
        answer.warnings.push(plan::Warning {
            code: SECONDS_CODE,
            message: "a number below 100000000000 that a time is compared with is taken as seconds".into(),
            line: None,
            column: None,
            hint: Some("write milliseconds, or the time as text: \"2026-11-20T06:00:00Z\"".into()),
        });
    }
    Ok(answer)
}

/// Tells whether the author of the query was told that numbers are taken as seconds when it was parsed.
fn has_said_seconds(plan: &Plan) -> bool {
    plan.warnings.iter().any(|warning| warning.code == SECONDS_CODE)
}

/// The warning about times compared with seconds.
const SECONDS_CODE: &str = "time-in-seconds";

#[cfg(test)]
mod tests;

impl PlanError for ExecuteError {
    fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Memory { .. })
    }
}

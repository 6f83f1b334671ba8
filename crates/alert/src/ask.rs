//! How a rule asks its question, and what it gets: a table. The store answers; tests answer from a list.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use cause::FirstLook;
use execute::{BlockVisitor, EventSet, Request};
use plan::{LookupTable, Plan};
use storage::{Snapshot, Store};
use types::{GroupPattern, GroupScope, TimeRange, Timestamp, Value};

use crate::arrival::by_arrival;
use crate::calls::{CallCounter, CallQuestion};

/// A question of a rule.
#[derive(Debug)]
pub struct Question<'a> {
    /// What is asked.
    pub plan: &'a Plan,
    /// Of which groups.
    pub groups: &'a [GroupPattern],
    /// Of which of them: those that exist for the rule's maker.
    pub scope: &'a GroupScope,
    /// Of which time.
    pub range: TimeRange,
    /// When it is asked.
    pub now: Timestamp,
    /// Most rows wanted.
    pub n_rows_max: usize,
    /// By which time events of streams whose clock is off are in the range.
    pub time: EventTime,
}

/// Which time of an event counts, where its clock or time zone is certainly off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTime {
    /// Its own.
    Own,
    /// That of its arrival.
    ArrivalContext,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows, a value per column.
    pub rows: Vec<Vec<Option<Value>>>,
    /// Why rows may be missing, if they may.
    pub partial: Option<String>,
}

impl Table {
    /// Returns the table of an answer. `damaged` are reasons why rows may be missing, besides those of the answer.
    pub fn of(answer: execute::Answer, damaged: impl IntoIterator<Item = String>) -> Self {
        let reasons = answer.partial_reasons.into_iter().map(|reason| reason.message);
        let partial: Vec<String> = damaged.into_iter().chain(reasons).take(3).collect();
        Self {
            columns: answer.columns.into_iter().map(|column| column.name).collect(),
            rows: answer.rows,
            partial: (!partial.is_empty()).then(|| partial.join("; ")),
        }
    }
}

/// Answers questions.
pub trait Ask: Send + Sync {
    /// Answers a question; the error is the reason why not.
    fn ask(&self, question: &Question<'_>) -> Result<Table, String>;

    /// Gives the columns of a plan of row-wise operators to a visitor, block by block; returns why some may be missing.
    fn visit(&self, _question: &Question<'_>, _visitor: &dyn BlockVisitor) -> Result<Vec<String>, String> {
        Err("samples cannot be read here".to_owned())
    }

    /// Takes a first look at the events that a question selects, within a time; `None` where that is not possible.
    fn first_look(&self, _question: &Question<'_>, _time_max: Duration) -> Option<FirstLook> {
        None
    }
}

impl<T: Ask + ?Sized> Ask for Arc<T> {
    fn ask(&self, question: &Question<'_>) -> Result<Table, String> {
        (**self).ask(question)
    }

    fn visit(&self, question: &Question<'_>, visitor: &dyn BlockVisitor) -> Result<Vec<String>, String> {
        (**self).visit(question, visitor)
    }

    fn first_look(&self, question: &Question<'_>, time_max: Duration) -> Option<FirstLook> {
        (**self).first_look(question, time_max)
    }
}

/// Most memory that the query of one rule may hold.
const MEMORY_BYTES_MAX: usize = 128 << 20;

/// Longest that the query of one rule may run; other rules wait for it.
const QUERY_TIME_MAX: Duration = Duration::from_secs(10);

/// Answers from the store.
pub(crate) struct StoreAsk {
    pub(crate) store: Arc<Store>,
    pub(crate) cache: Option<Arc<execute::PartialCache>>,
    /// Streams whose clock is off.
    pub(crate) clock_offsets: Option<types::ClockOffsets>,
    /// How the calls between services are counted.
    pub(crate) calls: CallCounter,
    /// Set to end a question under way.
    pub(crate) is_stopping: Arc<AtomicBool>,
}

impl Ask for StoreAsk {
    fn ask(&self, question: &Question<'_>) -> Result<Table, String> {
        let sources = &question.plan.sources;
        let groups = if sources.is_empty() { question.groups } else { sources };
        let question_groups = groups;
        let range = question.plan.range(question.range, question.now, chrono_tz::UTC);
        let offsets =
            self.clock_offsets.as_ref().filter(|_| question.time == EventTime::ArrivalContext).map(|offsets| offsets());
        let judged = offsets.and_then(|offsets| by_arrival(question.plan, groups, range, &offsets));
        let (plan, range) = judged.as_ref().map_or((question.plan, range), |(plan, range)| (plan, *range));
        let snapshot = self.snapshot(groups, question.scope, plan.reach(range, chrono_tz::UTC));
        let table_of = |name: &str| self.table(question.scope, name);
        let request = self.request(question, range);
        let support = execute::Support { tables: Some(&table_of), ..request.support };
        let request = Request { support, ..request };
        let mut damaged = snapshot.damaged.clone();
        let mut runs_of = |groups: &[GroupPattern]| {
            let groups = if groups.is_empty() { question_groups } else { groups };
            let mut snapshot = self.snapshot(groups, question.scope, TimeRange::ALL);
            damaged.append(&mut snapshot.damaged);
            snapshot.runs
        };
        let answer = execute::execute_with_subqueries(plan, &snapshot.runs, &request, &mut runs_of);
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(Table::of(answer, damaged.iter().map(ToString::to_string)))
    }

    fn visit(&self, question: &Question<'_>, visitor: &dyn BlockVisitor) -> Result<Vec<String>, String> {
        let snapshot = self.snapshot(question.groups, question.scope, question.range);
        let request = self.request(question, question.range);
        let answer = execute::visit_blocks(question.plan, &snapshot.runs, &request, visitor);
        let answer = answer.map_err(|error| error.to_string())?;
        let damaged = snapshot.damaged.iter().map(ToString::to_string);
        Ok(damaged.chain(answer.partial_reasons.into_iter().map(|reason| reason.message)).collect())
    }

    fn first_look(&self, question: &Question<'_>, time_max: Duration) -> Option<FirstLook> {
        let sources = &question.plan.sources;
        let asked = if sources.is_empty() { question.groups.to_vec() } else { sources.clone() };
        let mut groups = asked.clone();
        if !groups.is_empty() {
            groups.extend(cause::mark_groups());
        }
        let reach = cause::onset_history(cause::onset_reach(question.range, question.now));
        let snapshot = self.snapshot(&groups, question.scope, reach);
        let deadline = Instant::now().checked_add(time_max);
        let request = Request { limit: None, deadline, ..self.request(question, question.range) };
        let count = self.calls.get().zip(deadline).map(|(count, deadline)| {
            move |ranges: [TimeRange; 2]| {
                let (groups, scope) = (asked.clone(), question.scope.clone());
                count(CallQuestion { ranges, groups, scope, deadline })
            }
        });
        let calls = count.as_ref().map(|count| count as &cause::CountCalls<'_>);
        let set = EventSet { plan: question.plan, request: &request };
        let told = |error: &execute::ExecuteError| tracing::warn!(%error, "no first look at an alert");
        cause::first_look(set, &snapshot.runs, calls).inspect_err(told).ok()
    }
}

impl StoreAsk {
    /// Returns the request of a question over a range.
    fn request<'r>(&'r self, question: &Question<'_>, range: TimeRange) -> Request<'r> {
        Request {
            range,
            limit: Some(question.n_rows_max),
            time_zone: chrono_tz::UTC,
            now: question.now,
            memory_bytes_max: MEMORY_BYTES_MAX,
            deadline: Instant::now().checked_add(QUERY_TIME_MAX),
            cancelled: &self.is_stopping,
            // Rules run along with people's queries and leave them the other cores.
            n_threads: 1,
            progress: None,
            support: execute::Support { cache: self.cache.as_deref(), ..execute::Support::default() },
        }
    }

    fn snapshot(&self, groups: &[GroupPattern], scope: &GroupScope, range: TimeRange) -> Snapshot {
        let mut snapshot = self.store.snapshot_within(groups, scope, range);
        if *scope != GroupScope::All {
            snapshot.runs.retain(|run| run.info().group.as_str() != AUDIT_GROUP);
        }
        snapshot
    }

    /// Returns an uploaded table if the author of the rule may read it.
    fn table(&self, scope: &GroupScope, name: &str) -> Option<Arc<plan::Rows>> {
        let table = LookupTable::of_json(&self.store.settings().get(LookupTable::KIND, name).ok()??)?;
        LookupTable::is_seen(&table.scope, scope).then(|| plan::read_csv(&table.csv).ok().map(Arc::new))?
    }
}

/// What people did here. Rules that anyone but the owner of this machine made do not see it, as their makers do not.
const AUDIT_GROUP: &str = "catat/audit";

/// Returns a value as JSON.
pub(crate) fn json_of(value: &Value) -> serde_json::Value {
    let mut text = String::new();
    value.write_json(&mut text);
    serde_json::from_str(&text).unwrap_or(serde_json::Value::Null)
}

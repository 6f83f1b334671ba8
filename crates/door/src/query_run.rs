//! Asks the store: takes a snapshot, runs a plan over it, and ends the work when the client goes away.
//!
//! Every route that reads events comes through here, native and foreign ones alike.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use execute::{
    Answer, AnsweredPlan, BlockVisitor, Part, PartialCache, PartialReason, Peers, Request, Stats, Support,
    TakePartialRows, TakeRows, execute,
};
use plan::Plan;
use storage::{Acceptance, Snapshot};
use types::{GroupPattern, Hold, Run, TimeRange, Timestamp};

use crate::access::{Caller, KeyRevoked};
use crate::fleet::{Home, QueryPeers};
use crate::problem::{Problem, Result};
use crate::queries::{RunningQuery, Ticket};
use crate::query_admission::{AdmittedQuery, QueryWork, fault};
use crate::server::Shared;
use crate::work::WorkResult;

/// One query's means while it runs.
pub struct QueryRun<'a> {
    /// The server as the query's caller sees it.
    pub server: &'a Shared,
    /// The query.
    pub running: &'a RunningQuery,
    turn: &'a AdmittedQuery,
    pub(crate) deadline: Instant,
    /// Other nodes of the fleet, which work out parts of it.
    peers: Option<QueryPeers>,
    /// What its samples are read from.
    held: Mutex<Option<Arc<HeldSnapshot>>>,
}

/// A snapshot of some groups in a range.
struct HeldSnapshot {
    groups: Vec<GroupPattern>,
    range: TimeRange,
    snapshot: Snapshot,
}

impl HeldSnapshot {
    fn has(&self, groups: &[GroupPattern], range: TimeRange) -> bool {
        self.groups == groups && self.range.from <= range.from && range.to <= self.range.to
    }
}

/// Who takes rows before the answer is whole.
#[derive(Clone, Copy)]
pub struct Takers<'a> {
    /// Event rows, as they are found.
    pub rows: &'a TakeRows<'a>,
    /// Rows of an aggregation, now and then.
    pub partial_rows: &'a TakePartialRows<'a>,
}

/// Where the rows of an answer go, and how many.
#[derive(Clone, Copy, Default)]
struct RowOutput<'a> {
    takers: Option<Takers<'a>>,
    rows_max: Option<usize>,
    /// Takes the columns of blocks instead of rows.
    visitor: Option<&'a dyn BlockVisitor>,
}

/// What a question is asked about, besides its range.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Groups; none means all.
    pub groups: Vec<GroupPattern>,
    /// Most rows, where the query itself does not say.
    pub limit: Option<usize>,
    /// The zone that calendar functions count in.
    pub time_zone: Tz,
    /// The time at which it is asked.
    pub now: Timestamp,
}

impl Shared {
    /// Runs `work` as a query that can be seen and cancelled, on a blocking thread.
    ///
    /// When the caller is dropped, because its client went away, the query is told to stop; and so when its key is revoked. A query
    /// that is expected to be brief runs on the calling thread instead, where neither is noticed before it ends.
    pub async fn read<T, F>(&self, text: &str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&QueryRun<'_>) -> Result<T> + Send + 'static,
    {
        read_with(self, self.start_query(text), work).await
    }
}

/// Runs a query that was registered before.
pub async fn read_with<T, F>(server: &Shared, ticket: Ticket, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&QueryRun<'_>) -> Result<T> + Send + 'static,
{
    let result = WorkResult::default();
    let of_thread = result.clone();
    read_work(server, ticket, Box::new(move |run| work(run).map(|done| of_thread.put(done)))).await?;
    result.take().ok_or_else(fault)
}

/// What a query does; boxed, so that everything around it is compiled once.
type ReadWork = Box<dyn FnOnce(&QueryRun<'_>) -> Result<()> + Send>;

async fn read_work(server: &Shared, ticket: Ticket, work: ReadWork) -> Result<()> {
    let (running, of_thread) = (ticket.running.clone(), server.clone());
    let of_work = running.clone();
    let work: QueryWork = Box::new(move |turn| work(&QueryRun::new(&of_thread, &of_work, turn)));
    let done = tokio::select! {
        done = server.reads.run(running, work) => done,
        () = server.caller.validity.clone().expired(server.app.clock.clone()) => Err(KeyRevoked.into()),
    };
    drop(ticket);
    done
}

impl<'a> QueryRun<'a> {
    fn new(server: &'a Shared, running: &'a RunningQuery, turn: &'a AdmittedQuery) -> Self {
        let of_link = |link| QueryPeers::of(link, server.whole_store(), server.app.limits.query_memory_bytes);
        let peers = server.app.fleet.as_ref().and_then(of_link);
        let deadline = deadline(server);
        let deadline = running.terms.ends.map_or(deadline, |ends| ends.min(deadline));
        Self { server, running, turn, deadline, peers, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<HeldSnapshot>>> {
        self.held.hold()
    }

    fn held_now(&self, groups: &[GroupPattern], range: TimeRange) -> Arc<HeldSnapshot> {
        Arc::new(HeldSnapshot { groups: groups.to_vec(), range, snapshot: self.snapshot(groups, range) })
    }

    /// Notes how far the query is; waits here while others have a better right to run.
    pub fn note(&self, stats: &Stats) {
        self.running.note(stats);
        self.turn.step();
    }

    /// Returns the request of the query besides its plan.
    pub fn request<'r>(
        &'r self,
        range: TimeRange,
        scope: &Scope,
        progress: &'r (dyn Fn(&Stats) + Sync),
    ) -> Request<'r> {
        Request {
            range,
            limit: scope.limit,
            time_zone: scope.time_zone,
            now: scope.now,
            memory_bytes_max: self.server.app.limits.query_memory_bytes,
            deadline: Some(self.deadline),
            cancelled: &self.running.cancelled,
            n_threads: self.server.app.n_threads,
            progress: Some(progress),
            support: Support {
                cache: Some(&self.server.app.cache),
                pool: Some(&self.server.memory),
                spill: self.server.app.spill.as_ref(),
                peers: self.peers.as_ref().map(|peers| peers as &dyn Peers),
                ..Support::default()
            },
        }
    }

    /// Returns the time at which the query must end.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns the homes of runs in a fleet: the nodes that read them when a query is shared.
    pub fn homes(&self, runs: &[Arc<dyn Run>]) -> Vec<Home> {
        self.peers.as_ref().map_or_else(Vec::new, |peers| peers.homes(runs))
    }

    /// Returns the events of some groups at one instant.
    pub fn snapshot(&self, groups: &[GroupPattern], range: TimeRange) -> Snapshot {
        let mut snapshot = self.server.filtered(self.server.snapshot(groups, range));
        self.add_archives(&mut snapshot, groups, range);
        snapshot
    }

    /// Returns the same of those events that were accepted at about one time.
    pub fn snapshot_near(&self, groups: &[GroupPattern], range: TimeRange, accepted: &Acceptance) -> Snapshot {
        self.server.filtered(self.server.store().snapshot_near(groups, range, accepted))
    }

    /// Answers `plan` over `range`.
    pub fn execute(&self, plan: &Plan, scope: &Scope, range: TimeRange) -> Result<Answer> {
        let snapshot = self.snapshot(&scope.groups, plan.reach(range, scope.time_zone));
        self.execute_on(&snapshot, plan, scope, range)
    }

    /// Answers `plan` over a snapshot, with event rows given to `takers` as they are found.
    pub fn execute_into(
        &self,
        snapshot: &Snapshot,
        plan: &Plan,
        scope: &Scope,
        range: TimeRange,
        takers: Takers<'_>,
    ) -> Result<Answer> {
        let shown = RowOutput { takers: Some(takers), ..RowOutput::default() };
        self.answer(snapshot, plan, scope, range, shown)
    }

    /// Gives the columns of a plan of row-wise operators to a visitor, block by block; the answer has no rows.
    pub fn visit(
        &self,
        snapshot: &Snapshot,
        plan: &Plan,
        scope: &Scope,
        range: TimeRange,
        visitor: &dyn BlockVisitor,
    ) -> Result<Answer> {
        let shown = RowOutput { visitor: Some(visitor), ..RowOutput::default() };
        self.answer(snapshot, plan, scope, range, shown)
    }

    /// Answers `plan` over a snapshot; of more than `rows_max` rows, groups too, only the first are needed.
    pub fn execute_first(
        &self,
        snapshot: &Snapshot,
        plan: &Plan,
        scope: &Scope,
        range: TimeRange,
        rows_max: usize,
    ) -> Result<Answer> {
        let shown = RowOutput { rows_max: Some(rows_max), ..RowOutput::default() };
        self.answer(snapshot, plan, scope, range, shown)
    }

    /// Answers `plan` over a snapshot, with what the snapshot knows put into the answer.
    pub fn execute_on(&self, snapshot: &Snapshot, plan: &Plan, scope: &Scope, range: TimeRange) -> Result<Answer> {
        self.answer(snapshot, plan, scope, range, RowOutput::default())
    }

    fn answer(
        &self,
        snapshot: &Snapshot,
        plan: &Plan,
        scope: &Scope,
        range: TimeRange,
        shown: RowOutput<'_>,
    ) -> Result<Answer> {
        let progress = |stats: &Stats| self.note(stats);
        let request = self.request(range, scope, &progress);
        if shown.visitor.is_none() && snapshot.left_out.iter().any(|group| group.is_too_large) {
            return self.pass_by(snapshot, plan, &scope.groups, &request);
        }
        let answered = self.answered(plan, &scope.groups, &request)?;
        let mut remaining = answered.remaining(&request);
        remaining.support.take_rows = shown.takers.map(|takers| takers.rows);
        remaining.support.take_partial_rows = shown.takers.map(|takers| takers.partial_rows);
        remaining.support.rows_max = shown.rows_max;
        let mut answer = match shown.visitor {
            Some(visitor) => execute::visit_blocks(&answered.plan, &snapshot.runs, &remaining, visitor)?,
            None => execute(&answered.plan, &snapshot.runs, &remaining)?,
        };
        answer.partial_reasons.extend(answered.partial_reasons);
        complete(&mut answer.stats, snapshot);
        self.server.note_damage(&answer.partial_reasons);
        answer.partial_reasons.extend(damages(snapshot));
        Ok(answer)
    }

    /// Answers the subqueries of a plan, each over the groups that it names, and fetches its tables. Where a query beside
    /// the rows names no groups, those of the request are meant.
    pub fn answered(&self, plan: &Plan, groups_asked: &[GroupPattern], request: &Request<'_>) -> Result<AnsweredPlan> {
        let mut damaged = Vec::new();
        let mut runs_of = |groups: &[GroupPattern]| {
            let groups = if groups.is_empty() { groups_asked } else { groups };
            let snapshot = self.snapshot(groups, TimeRange::ALL);
            damaged.extend(damages(&snapshot));
            snapshot.runs
        };
        let (server, scope) = (self.server, &self.server.caller.scope);
        let table_of = |name: &str| server.tables.get(server.settings(), scope, name);
        let support = Support { tables: Some(&table_of), ..request.support };
        let mut answered = execute::answer_subqueries(plan, &Request { support, ..*request }, &mut runs_of)?;
        answered.partial_reasons.extend(damaged);
        Ok(answered)
    }
}

impl series::ReadBlocks for &QueryRun<'_> {
    type Error = Problem;

    fn read(
        &self,
        plan: &Plan,
        groups: &[GroupPattern],
        range: TimeRange,
        visitor: &dyn BlockVisitor,
    ) -> Result<Vec<String>> {
        let held = self.held().clone().filter(|held| held.has(groups, range));
        let held = held.unwrap_or_else(|| self.held_now(groups, range));
        let now = self.server.now();
        let scope = Scope { groups: groups.to_vec(), limit: None, time_zone: Tz::UTC, now };
        let answer = self.visit(&held.snapshot, plan, &scope, range, visitor)?;
        Ok(answer.partial_reasons.into_iter().map(|reason| reason.message).collect())
    }

    fn hold(&self, groups: &[GroupPattern], range: TimeRange) -> Option<(&PartialCache, Vec<Arc<dyn Run>>)> {
        let held = self.held_now(groups, range);
        *self.held() = Some(held.clone());
        // A query that finds a kept answer reads nothing, so that it could not report what is missing.
        if !held.snapshot.damaged.is_empty() {
            return None;
        }
        Some((&self.server.app.cache, held.snapshot.runs.clone()))
    }

    fn n_threads(&self) -> usize {
        self.server.app.n_threads
    }
}

/// Works out a part of another node's query, over whatever groups it names. It ends when the caller is dropped.
pub async fn work_out(server: &Shared, ticket: Ticket, part: Part) -> Result<Vec<u8>> {
    let (running, of_thread) = (ticket.running.clone(), server.as_caller(Arc::new(Caller::node())));
    let work = move || {
        let (range, app) = (part.range(), &of_thread.app);
        let progress = |stats: &Stats| running.note(stats);
        let support = Support { cache: Some(&app.cache), pool: Some(&of_thread.memory), ..Support::default() };
        let request = Request {
            range,
            limit: None,
            time_zone: part.time_zone,
            now: of_thread.now(),
            memory_bytes_max: app.limits.query_memory_bytes,
            deadline: Some(deadline(&of_thread)),
            cancelled: &running.cancelled,
            n_threads: app.n_threads,
            progress: Some(&progress),
            support,
        };
        // A run with a key never changes: if all are known, the database is not asked for changes.
        let mut snapshot = of_thread.filtered(of_thread.whole_store().known_snapshot(&part.groups(), range));
        if !part.is_within(&snapshot.runs) {
            snapshot = of_thread.filtered(of_thread.snapshot(&part.groups(), range));
        }
        execute::answer_part(&part, &snapshot.runs, &request).map_err(|error| Problem::internal(error.to_string()))
    };
    let worked = server.parts.run(work).await;
    drop(ticket);
    worked?
}

/// Returns when a query ends that begins now.
fn deadline(server: &Shared) -> Instant {
    let timeout = u64::try_from(server.app.limits.query_timeout_ns).unwrap_or_default();
    let now = Instant::now();
    now.checked_add(Duration::from_nanos(timeout)).unwrap_or(now)
}

/// Adds to statistics what only the snapshot knows.
pub fn complete(stats: &mut Stats, snapshot: &Snapshot) {
    stats.segments_done += (snapshot.segments_total as u64).saturating_sub(stats.segments_total);
    stats.segments_total = snapshot.segments_total as u64;
    stats.segments_pruned = snapshot.segments_pruned as u64;
}

/// The reason of an answer without an archive that does not fit the memory.
pub(crate) const TOO_LARGE: &str = "archive-too-large";

/// What kept parts of the store and of archives out of a snapshot, as reasons of a partial answer.
pub fn damages(snapshot: &Snapshot) -> impl Iterator<Item = PartialReason> {
    let damaged = snapshot.damaged.iter().map(|error| PartialReason { code: "damaged", message: error.to_string() });
    let code = |is_too_large| if is_too_large { TOO_LARGE } else { "archive" };
    let left_out = snapshot.left_out.iter();
    damaged.chain(
        left_out.map(move |group| PartialReason { code: code(group.is_too_large), message: group.message.clone() }),
    )
}

//! Admission of queries: light queries pass heavy ones.
//!
//! There are places for light queries and places for long ones. A query that is not known starts at a light place; once
//! it has used [`QUICK`] of processor time it gives that place back and continues when a long one is free. Time that it
//! waited for a processor does not count, so that a light query on a busy machine stays light. A query that was long the
//! last time waits for a long place before it has cost anything.
//!
//! One light place is reserved for queries that were light the last time (a dashboard's, say), and one caller's unknown
//! queries never take all the others, except those whose plan promises little work. Waiting is bounded in number and in time; beyond that the answer is 429.
//!
//! A query runs on a blocking thread, so that its connection's task sees when the client goes away. One that was brief the last time
//! runs on the thread of that task: handing it to another thread and back would take as long as the query itself.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use plan::{AggregateKind, Expr, Operator, Plan};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::sleep;
use types::{Hold, ensure};

use crate::problem::{Problem, Result};
use crate::queries::{Extent, RunningQuery};
use crate::work::{Gate, in_place, on_blocking_thread};

/// Processor time that a query may use at a light place.
const QUICK: Duration = Duration::from_millis(200);

/// Time that a query may be expected to take where it runs on its connection's thread, which does not see meanwhile whether the client
/// is still there.
const BRIEF: Duration = Duration::from_millis(2);

/// How many times as long a query may stay at a light place that uses little processor time, such as one that waits for
/// an object store.
const WALL_FACTOR: u32 = 15;

/// Texts of queries that are remembered; with more of them the light ones are forgotten, or all.
const KNOWN_MAX: usize = 4_096;

/// Callers with queries at light places or waiting for one; with more of them, those without any are forgotten.
const CALLERS_MAX: usize = 1_024;

/// How often a query that waits looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(20);

/// Admits queries to light and long places.
pub struct QueryAdmission {
    /// All light queries.
    pub quick: Gate,
    /// Those of them that are not known yet.
    unknown: Gate,
    /// The unknown ones of each caller.
    callers: Mutex<HashMap<Arc<str>, Arc<Gate>>>,
    of_caller: GateLimits,
    long: Gate,
    /// The last run of each query, by its text.
    known: Mutex<HashMap<String, LastRun>>,
    quick_time: Duration,
    brief_time: Duration,
}

/// The limits of a gate: running, waiting, and the time of waiting.
#[derive(Clone, Copy, Debug)]
pub struct GateLimits {
    /// Queries inside at once.
    pub places: u32,
    /// Queries that may wait.
    pub waiting_max: usize,
    /// How long one may wait.
    pub patience: Duration,
}

/// What is remembered of a query's last run.
#[derive(Clone, Copy)]
struct LastRun {
    is_long: bool,
    /// How long it took, and the extent it covered, if it completed.
    took: Option<(Duration, Extent)>,
}

impl LastRun {
    /// Returns how long the query is expected to take over an extent.
    fn expected(&self, extent: Extent) -> Option<Duration> {
        let (took, of_extent) = self.took.filter(|_| !self.is_long)?;
        Some(Duration::try_from_secs_f64(took.as_secs_f64() * extent.growth_since(of_extent)).unwrap_or(Duration::MAX))
    }
}

/// One query's place.
pub struct AdmittedQuery {
    turns: Arc<QueryAdmission>,
    running: Arc<RunningQuery>,
    runtime: Handle,
    held: Mutex<QueryPlaces>,
}

/// What a query holds of the gates.
type Permits = Vec<OwnedSemaphorePermit>;

struct QueryPlaces {
    places: Permits,
    is_long: bool,
    is_refused: bool,
    since: Instant,
    spent: Spent,
}

/// Processor time of a query's threads, as far as they have reported.
#[derive(Default)]
struct Spent(HashMap<ThreadId, (Duration, Duration)>);

impl Spent {
    /// Starts counting for a thread that worked for others before.
    fn begin(&mut self) {
        let now = of_this_thread();
        self.0.insert(std::thread::current().id(), (now, now));
    }

    /// Notes how much this thread has used; returns the sum of all. A thread that is new here was made for the query.
    fn note(&mut self) -> Duration {
        self.0.entry(std::thread::current().id()).or_default().1 = of_this_thread();
        self.0.values().map(|(begin, end)| end.saturating_sub(*begin)).sum()
    }
}

/// Reports whether a plan promises little work: a few of the newest events, or a count of all.
pub fn is_expected_light(plan: &Plan) -> bool {
    let rows = match plan.operators() {
        [Operator::Aggregate { by, aggregates }, rows @ ..]
            if by.is_empty() && aggregates.iter().all(|aggregate| aggregate.kind == AggregateKind::Count) =>
        {
            rows
        }
        events => events,
    };
    rows.iter().all(|operator| match operator {
        Operator::Filter(_) | Operator::Extend { .. } | Operator::Limit(_) | Operator::Project { .. } => true,
        Operator::Sort(keys) => {
            keys.iter().all(|key| matches!(&key.expr, Expr::Field(name) if **name == *"@timestamp"))
        }
        _ => false,
    })
}

/// Processor time of the calling thread since it started.
fn of_this_thread() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// What a query does on its thread, boxed: what is around it is compiled once. It hands over its result by itself.
pub(crate) type QueryWork = Box<dyn FnOnce(&AdmittedQuery) -> Result<()> + Send>;

/// Returns the answer to a query that panicked.
pub(crate) fn fault() -> Problem {
    Problem::internal("a fault in queries ended this request")
}

impl GateLimits {
    fn gate(self, name: &'static str) -> Gate {
        Gate::new(name, self.places, self.waiting_max, self.patience)
    }
}

impl QueryAdmission {
    /// Lets queries through gates with this room for light and for long ones.
    pub fn new(quick: GateLimits, long: GateLimits) -> Self {
        let unknown = GateLimits { places: quick.places.saturating_sub(1).max(1), ..quick };
        Self {
            quick: quick.gate("queries"),
            unknown: unknown.gate("queries"),
            callers: Mutex::default(),
            of_caller: GateLimits { places: unknown.places.saturating_sub(1).max(1), ..quick },
            long: long.gate("long queries"),
            known: Mutex::default(),
            quick_time: QUICK,
            brief_time: BRIEF,
        }
    }

    /// Waits for a place and runs `work`: on a blocking thread, which keeps the place until it is done even when nobody
    /// waits for it any more, or here if it is expected to be brief.
    pub(crate) async fn run(self: &Arc<Self>, running: Arc<RunningQuery>, work: QueryWork) -> Result<()> {
        let turn = self.begin(running).await?;
        let is_here = self.is_brief(&turn.running) && turn.runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
        let (sender, ended) = oneshot::channel();
        let work = Box::new(move || {
            turn.held.hold().spent.begin();
            let done = work(&turn);
            let _ = sender.send(turn.end(done));
        });
        match is_here {
            true => in_place(work),
            false => on_blocking_thread(work),
        }
        ended.await.map_err(|_| fault())?
    }

    fn is_brief(&self, running: &RunningQuery) -> bool {
        let known = self.known.hold().get(&running.text).copied();
        let expected = running.terms.extent.zip(known).and_then(|(extent, known)| known.expected(extent));
        expected.is_some_and(|expected| expected <= self.brief_time)
    }

    async fn begin(self: &Arc<Self>, running: Arc<RunningQuery>) -> Result<AdmittedQuery> {
        let places = match self.was_long(&running.text) {
            Some(true) => None,
            Some(false) => Some(vec![self.quick.enter().await?]),
            None => self.enter_unknown(&running).await?,
        };
        let is_long = places.is_none();
        let places = match places {
            Some(places) => places,
            None => vec![self.long.enter().await?],
        };
        let held = QueryPlaces { places, is_long, is_refused: false, since: Instant::now(), spent: Spent::default() };
        Ok(AdmittedQuery { turns: self.clone(), running, runtime: Handle::current(), held: Mutex::new(held) })
    }

    /// Waits for a light place; nothing where others with the same text have shown meanwhile that it is long.
    async fn enter_unknown(&self, running: &RunningQuery) -> Result<Option<Permits>> {
        // What is expected to be light does not wait behind its caller's other queries.
        let of_caller = match running.terms.is_light {
            true => None,
            false => Some(self.gate_of(&running.owner).enter().await?),
        };
        let unknown = self.unknown.enter().await?;
        let quick = self.quick.enter().await?;
        let is_long = self.was_long(&running.text) == Some(true);
        Ok((!is_long).then(|| of_caller.into_iter().chain([unknown, quick]).collect()))
    }

    /// Returns the gate of one caller's unknown queries.
    fn gate_of(&self, caller: &Arc<str>) -> Arc<Gate> {
        let mut callers = self.callers.hold();
        if callers.len() >= CALLERS_MAX && !callers.contains_key(caller) {
            callers.retain(|_, gate| !gate.is_idle());
        }
        callers.entry(caller.clone()).or_insert_with(|| Arc::new(self.of_caller.gate("queries"))).clone()
    }

    fn was_long(&self, text: &str) -> Option<bool> {
        self.known.hold().get(text).map(|known| known.is_long)
    }

    fn note(&self, text: &str, was: LastRun) {
        if text.is_empty() {
            return;
        }
        let mut known = self.known.hold();
        if let Some(known) = known.get_mut(text) {
            *known = was;
            return;
        }
        if known.len() >= KNOWN_MAX {
            known.retain(|_, known| known.is_long);
            if known.len() >= KNOWN_MAX / 2 {
                known.clear();
            }
        }
        known.insert(text.to_owned(), was);
    }
}

impl AdmittedQuery {
    /// Called now and then by the query's own threads, which wait here for a long place once the query has used more
    /// than a light one may. Where there is no room even to wait, the query is cancelled.
    pub fn step(&self) {
        let mut held = self.held.hold();
        let is_heavy = held.spent.note() >= self.turns.quick_time;
        if held.is_long || !is_heavy && held.since.elapsed() < self.turns.quick_time * WALL_FACTOR {
            return;
        }
        held.is_long = true;
        held.places.clear();
        if is_heavy {
            self.turns.note(&self.running.text, LastRun { is_long: true, took: None });
        }
        let cancelled = async {
            while !self.running.is_cancelled() {
                sleep(LOOK).await;
            }
        };
        let entered = self.runtime.block_on(async {
            tokio::select! {
                entered = self.turns.long.enter() => Some(entered),
                () = cancelled => None,
            }
        });
        match entered {
            Some(Ok(place)) => held.places.push(place),
            Some(Err(_)) => {
                held.is_refused = true;
                self.running.cancelled.store(true, Ordering::Relaxed);
            }
            None => {}
        }
    }

    fn end(self, done: Result<()>) -> Result<()> {
        let mut held = self.held.hold();
        ensure!(!held.is_refused, Problem::busy("too many long queries at once"));
        let spent = held.spent.note();
        // A run that ended early does not predict the next one. Time spent waiting, on a bucket for example, counts.
        let whole = self.running.terms.extent.filter(|_| done.is_ok() && !self.running.is_cancelled());
        let took = whole.map(|extent| (spent.max(held.since.elapsed()), extent));
        let was = LastRun { is_long: spent >= self.turns.quick_time, took };
        self.turns.note(&self.running.text, was);
        done
    }
}

#[cfg(test)]
mod tests;

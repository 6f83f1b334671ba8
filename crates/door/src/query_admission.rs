//! Admission of queries: light queries pass heavy ones.
//!
//! There are places for light queries and places for long ones. A query that is not known starts at a light place; once
//! it has used [`QUICK`] of processor time it gives that place back and continues when a long one is free. Time that it
//! waited for a processor does not count, so that a light query on a busy machine stays light. A query that was long the
//! last time waits for a long place before it has cost anything.
//!
//! One light place is reserved for queries that were light the last time (a dashboard's, say), and one caller's unknown
//! queries never take all the others, except those whose plan promises little work. Waiting is bounded in number and in time; beyond that the answer is 429.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use plan::{AggregateKind, Expr, Operator, Plan};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::sleep;

use crate::problem::Problem;
use crate::queries::RunningQuery;
use crate::work::{Gate, on_blocking_thread};

/// Processor time that a query may use at a light place.
const QUICK: Duration = Duration::from_millis(200);

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
    /// Texts of queries, and whether each was long the last time.
    known: Mutex<HashMap<String, bool>>,
    quick_time: Duration,
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Plain values that are whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a query does on its thread, boxed: what is around it is compiled once. It hands over its result by itself.
pub(crate) type QueryWork = Box<dyn FnOnce(&AdmittedQuery) -> Result<(), Problem> + Send>;

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
        }
    }

    /// Waits for a place and runs `work` on a blocking thread, which keeps the place until it is done even when nobody
    /// waits for it any more.
    pub(crate) async fn run(self: &Arc<Self>, running: Arc<RunningQuery>, work: QueryWork) -> Result<(), Problem> {
        let turn = self.begin(running).await?;
        let (sender, ended) = oneshot::channel();
        on_blocking_thread(Box::new(move || {
            lock(&turn.held).spent.begin();
            let done = work(&turn);
            let _ = sender.send(turn.end(done));
        }));
        ended.await.map_err(|_| fault())?
    }

    async fn begin(self: &Arc<Self>, running: Arc<RunningQuery>) -> Result<AdmittedQuery, Problem> {
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
    async fn enter_unknown(&self, running: &RunningQuery) -> Result<Option<Permits>, Problem> {
        // What is expected to be light does not wait behind its caller's other queries.
        let of_caller = match running.is_expected_light {
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
        let mut callers = lock(&self.callers);
        if callers.len() >= CALLERS_MAX && !callers.contains_key(caller) {
            callers.retain(|_, gate| !gate.is_idle());
        }
        callers.entry(caller.clone()).or_insert_with(|| Arc::new(self.of_caller.gate("queries"))).clone()
    }

    fn was_long(&self, text: &str) -> Option<bool> {
        lock(&self.known).get(text).copied()
    }

    fn note(&self, text: &str, is_long: bool) {
        if text.is_empty() {
            return;
        }
        let mut known = lock(&self.known);
        if let Some(known) = known.get_mut(text) {
            *known = is_long;
            return;
        }
        if known.len() >= KNOWN_MAX {
            known.retain(|_, is_long| *is_long);
            if known.len() >= KNOWN_MAX / 2 {
                known.clear();
            }
        }
        known.insert(text.to_owned(), is_long);
    }
}

#[cfg(test)]
impl QueryAdmission {
    /// Unknown queries that wait behind others of their caller.
    fn callers_waiting(&self) -> usize {
        lock(&self.callers).values().map(|gate| gate.n_waiting()).sum()
    }
}

impl AdmittedQuery {
    /// Called now and then by the query's own threads, which wait here for a long place once the query has used more
    /// than a light one may. Where there is no room even to wait, the query is cancelled.
    pub fn step(&self) {
        let mut held = lock(&self.held);
        let is_heavy = held.spent.note() >= self.turns.quick_time;
        if held.is_long || !is_heavy && held.since.elapsed() < self.turns.quick_time * WALL_FACTOR {
            return;
        }
        held.is_long = true;
        held.places.clear();
        if is_heavy {
            self.turns.note(&self.running.text, true);
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

    fn end(self, done: Result<(), Problem>) -> Result<(), Problem> {
        let mut held = lock(&self.held);
        if held.is_refused {
            return Err(Problem::busy("too many long queries at once"));
        }
        let is_long = held.spent.note() >= self.turns.quick_time;
        self.turns.note(&self.running.text, is_long);
        done
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use types::Timestamp;

    use super::*;
    use crate::queries::{Queries, Ticket};

    /// Runs work and returns its result.
    async fn run<T, F>(turns: &Arc<QueryAdmission>, running: Arc<RunningQuery>, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&AdmittedQuery) -> Result<T, Problem> + Send + 'static,
    {
        let (sender, result) = oneshot::channel();
        turns.run(running, Box::new(move |turn| work(turn).map(|done| drop(sender.send(done))))).await?;
        result.await.map_err(|_| fault())
    }

    /// One quick place, one long place, and room for one to wait for each.
    fn turns() -> Arc<QueryAdmission> {
        let room = GateLimits { places: 1, waiting_max: 1, patience: Duration::from_secs(60) };
        Arc::new(QueryAdmission { quick_time: Duration::ZERO, ..QueryAdmission::new(room, room) })
    }

    fn ticket(text: &str) -> Ticket {
        Queries::default().start(text, Timestamp(0))
    }

    type Answer = tokio::task::JoinHandle<Result<&'static str, u16>>;

    /// Returns a query that has taken a step when the first channel tells, and ends when the second one is told to.
    fn long(turns: &Arc<QueryAdmission>, ticket: &Ticket) -> (Answer, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (stepped, has_stepped) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let (turns, running) = (turns.clone(), ticket.running.clone());
        let task = tokio::spawn(async move {
            let work = move |turn: &AdmittedQuery| {
                turn.step();
                let _ = stepped.send(());
                if !turn.running.is_cancelled() {
                    let _ = ended.recv();
                }
                Ok("done")
            };
            run(&turns, running, work).await.map_err(|problem| problem.status.as_u16())
        });
        (task, has_stepped, end)
    }

    async fn told(channel: mpsc::Receiver<()>) {
        let told = tokio::task::spawn_blocking(move || channel.recv());
        told.await.expect("no panic").expect("it was told");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn quick_queries_pass_long_ones_and_too_many_long_ones_are_told_to_come_back() {
        let turns = turns();
        let (a, b, c, d) = (ticket("a"), ticket("b"), ticket("c"), ticket("d"));
        let (first, first_stepped, end_first) = long(&turns, &a);
        told(first_stepped).await;
        // The quick place is free again, although the first query goes on.
        let quick = run(&turns, ticket("quick").running.clone(), |_| Ok("quick")).await;
        assert_eq!(quick.ok(), Some("quick"));
        let (second, second_stepped, end_second) = long(&turns, &b);
        while turns.was_long("b") != Some(true) {
            tokio::task::yield_now().await;
        }
        // The second waits for the long place, for a third there is no room to wait.
        while turns.long.n_waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let (third, _third_stepped, _end_third) = long(&turns, &c);
        assert_eq!(third.await.expect("no panic"), Err(429));
        // What is known to be long is refused before it begins.
        let (again, again_stepped, _end_again) = long(&turns, &c);
        assert_eq!(again.await.expect("no panic"), Err(429));
        assert!(again_stepped.recv().is_err());
        drop(end_first);
        assert_eq!(first.await.expect("no panic"), Ok("done"));
        told(second_stepped).await;
        drop(end_second);
        assert_eq!(second.await.expect("no panic"), Ok("done"));
        // Nobody is left: a cancelled one does not wait.
        let e = ticket("e");
        let (third, third_stepped, end_third) = long(&turns, &e);
        told(third_stepped).await;
        let (fourth, fourth_stepped, _end_fourth) = long(&turns, &d);
        while turns.long.n_waiting() == 0 {
            tokio::task::yield_now().await;
        }
        d.running.cancelled.store(true, Ordering::Relaxed);
        told(fourth_stepped).await;
        assert_eq!(fourth.await.expect("no panic"), Ok("done"));
        drop(end_third);
        assert_eq!(third.await.expect("no panic"), Ok("done"));
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_and_gives_its_place_back() {
        let turns = turns();
        let panicking = run(&turns, ticket("a").running.clone(), |_| -> Result<(), Problem> { panic!("on purpose") });
        assert_eq!(panicking.await.map_err(|problem| problem.status.as_u16()), Err(500));
        assert_eq!(run(&turns, ticket("a").running.clone(), |_| Ok(7)).await.ok(), Some(7));
    }

    /// Two light places, one of which is for known queries.
    fn light(quick_time: Duration, places: u32) -> Arc<QueryAdmission> {
        let room = GateLimits { places, waiting_max: 8, patience: Duration::from_secs(60) };
        Arc::new(QueryAdmission {
            quick_time,
            ..QueryAdmission::new(room, GateLimits { places: 1, waiting_max: 0, ..room })
        })
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_light_query_that_waits_for_a_processor_is_not_taken_for_a_long_one() {
        let turns = light(Duration::from_millis(50), 2);
        let blocker = turns.long.enter().await.expect("the long place is free");
        // It lasts longer than a light query may use, and uses next to nothing. There is no room to wait for a long place.
        let work = |turn: &AdmittedQuery| {
            let began = Instant::now();
            while began.elapsed() < turn.turns.quick_time * 2 {
                std::thread::park_timeout(Duration::from_millis(10));
            }
            turn.step();
            Ok("light")
        };
        let answer = run(&turns, ticket("slow machine").running.clone(), work).await;
        assert_eq!(answer.map_err(|problem| problem.status.as_u16()), Ok("light"));
        assert_eq!(turns.was_long("slow machine"), Some(false));
        // One that works as long is a long one.
        let work = |turn: &AdmittedQuery| {
            let began = of_this_thread();
            while of_this_thread() - began < turn.turns.quick_time {
                std::hint::spin_loop();
            }
            turn.step();
            Ok("heavy")
        };
        let answer = run(&turns, ticket("busy").running.clone(), work).await;
        assert_eq!(answer.map_err(|problem| problem.status.as_u16()), Err(429));
        assert_eq!(turns.was_long("busy"), Some(true));
        drop(blocker);
    }

    /// Runs a query that stays at its place until the sender is dropped; the receiver tells that it has begun.
    fn staying(turns: &Arc<QueryAdmission>, ticket: &Ticket) -> (mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (begun, has_begun) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let (turns, running) = (turns.clone(), ticket.running.clone());
        tokio::spawn(async move {
            let work = move |_: &AdmittedQuery| {
                let _ = begun.send(());
                let _ = ended.recv();
                Ok(())
            };
            run(&turns, running, work).await.is_ok()
        });
        (has_begun, end)
    }

    #[test]
    fn a_few_events_and_a_count_of_all_are_expected_to_be_light() {
        let check = |text: &str| {
            let options = language::ParseOptions { now: Timestamp(0), time_zone: chrono_tz::Tz::UTC };
            is_expected_light(&language::parse_insights(text, &options).expect("it is a query"))
        };
        for text in ["filter level = \"error\" | limit 5", "", "stats count(*)"] {
            assert!(check(text), "{text}");
        }
        let others = ["stats pct(ms, 99)", "filter a = 1 | stats count(*)", "sort ms", "stats count(*) by id"];
        assert!(!others.into_iter().any(check));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_place_is_kept_for_queries_that_were_light() {
        let turns = light(QUICK, 2);
        assert!(run(&turns, ticket("panel").running.clone(), |_| Ok(())).await.is_ok());
        let tickets = [ticket("a"), ticket("b")];
        let (a_begun, end_a) = staying(&turns, &tickets[0]);
        told(a_begun).await;
        let (b_begun, end_b) = staying(&turns, &tickets[1]);
        while turns.callers_waiting() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(run(&turns, ticket("panel").running.clone(), |_| Ok(())).await.is_ok());
        assert!(b_begun.try_recv().is_err(), "an unknown one waits");
        drop(end_a);
        told(b_begun).await;
        drop(end_b);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_callers_unknown_queries_do_not_keep_out_another_caller() {
        let turns = light(QUICK, 3);
        let queries = Queries::default();
        let tickets = ["a", "b", "c"].map(|text| queries.start_for("ann", text, Timestamp(0)));
        let stays: Vec<_> = tickets.iter().map(|ticket| staying(&turns, ticket)).collect();
        while turns.callers_waiting() < 2 {
            tokio::task::yield_now().await;
        }
        let of_bob = queries.start_for("bob", "d", Timestamp(0));
        assert_eq!(run(&turns, of_bob.running.clone(), |_| Ok("bob")).await.ok(), Some("bob"));
        let light = queries.start_expecting("ann", "e", Timestamp(0), true);
        assert_eq!(run(&turns, light.running.clone(), |_| Ok("light")).await.ok(), Some("light"));
        drop(stays);
    }
}

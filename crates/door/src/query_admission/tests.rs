//! Which queries pass which, and where they run.

use std::sync::mpsc;

use types::Timestamp;

use super::*;
use crate::queries::{Extent, Queries, QueryTerms, Ticket};

impl QueryAdmission {
    /// Unknown queries that wait behind others of their caller.
    fn callers_waiting(&self) -> usize {
        self.callers.hold().values().map(|gate| gate.n_waiting()).sum()
    }
}

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
    Queries::default().start_for("", text, Timestamp(0))
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_was_brief_runs_where_it_was_asked() {
    // However slow the machine is, what it does is brief.
    let turns = Arc::new(QueryAdmission { brief_time: Duration::from_secs(60), ..admission(QUICK, 2) });
    let queries = Queries::default();
    let asked = move |seconds: u64, n_steps: u64| {
        let extent = Some(Extent { span: Duration::from_secs(seconds), n_steps });
        let ticket = queries.start_on("ann", "up", Timestamp(0), QueryTerms { extent, ..QueryTerms::default() });
        let turns = turns.clone();
        // A task of its own: the test itself runs on no thread of the runtime.
        tokio::spawn(async move {
            let asked_on = std::thread::current().id();
            let work = move |_: &AdmittedQuery| Ok(std::thread::current().id() == asked_on);
            run(&turns, ticket.running.clone(), work).await.ok()
        })
    };
    let mut found = Vec::new();
    for (seconds, n_steps) in [(60, 60), (60, 60), (1 << 60, 60), (60, 60), (60, 1 << 60), (60, 60)] {
        found.push(asked(seconds, n_steps).await.expect("no panic"));
    }
    // Not known, known, over a range so long that it may take longer, known, with so many steps, known.
    assert_eq!(found, [false, true, false, true, false, true].map(Some));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_where_it_was_asked_is_an_answer() {
    let turns = Arc::new(QueryAdmission { brief_time: Duration::from_secs(60), ..admission(QUICK, 2) });
    let (queries, extent) = (Queries::default(), Some(Extent { span: Duration::ZERO, n_steps: 1 }));
    let ticket = queries.start_on("ann", "up", Timestamp(0), QueryTerms { extent, ..QueryTerms::default() });
    let panics = tokio::spawn(async move {
        assert!(run(&turns, ticket.running.clone(), |_| Ok(())).await.is_ok());
        let panicking = |_: &AdmittedQuery| -> Result<(), Problem> { panic!("on purpose") };
        run(&turns, ticket.running.clone(), panicking).await.map_err(|problem| problem.status.as_u16())
    });
    assert_eq!(panics.await.expect("caught"), Err(500));
}

/// Makes an admission with a number of light places, one of them reserved for queries that were light before.
fn light(quick_time: Duration, places: u32) -> Arc<QueryAdmission> {
    Arc::new(admission(quick_time, places))
}

fn admission(quick_time: Duration, places: u32) -> QueryAdmission {
    let room = GateLimits { places, waiting_max: 8, patience: Duration::from_secs(60) };
    QueryAdmission { quick_time, ..QueryAdmission::new(room, GateLimits { places: 1, waiting_max: 0, ..room }) }
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
    let terms = QueryTerms { is_light: true, ..QueryTerms::default() };
    let light = queries.start_on("ann", "e", Timestamp(0), terms);
    assert_eq!(run(&turns, light.running.clone(), |_| Ok("light")).await.ok(), Some("light"));
    drop(stays);
}

//! Who may run: quick queries pass long ones.
//!
//! There are places for quick queries and places for long ones. A query that is not known begins at a quick place;
//! once it has run for [`QUICK`], it gives that place back and goes on when a long one is free. What was long the last
//! time waits for a long place from the start, before it has cost anything. Waiting is bounded in number and in time;
//! who finds no room is told to come back.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use crate::problem::Problem;
use crate::queries::Running;
use crate::work::Gate;

/// How long a query may run at a quick place.
const QUICK: Duration = Duration::from_millis(200);

/// Queries that are remembered; with more of them, all are asked anew.
const KNOWN_MAX: usize = 4_096;

/// How often a query that waits looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(20);

/// The places.
pub(crate) struct Turns {
    pub(crate) quick: Gate,
    long: Gate,
    /// Texts of queries, and whether each was long the last time.
    known: Mutex<HashMap<String, bool>>,
    quick_time: Duration,
}

/// One query's place.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    running: Arc<Running>,
    runtime: Handle,
    held: Mutex<Held>,
}

struct Held {
    place: Option<OwnedSemaphorePermit>,
    is_long: bool,
    is_refused: bool,
    since: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Plain values that are whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Turns {
    /// Lets queries through these gates.
    pub(crate) fn new(quick: Gate, long: Gate) -> Self {
        Self { quick, long, known: Mutex::default(), quick_time: QUICK }
    }

    /// Waits for a place and runs `work` on a blocking thread, which keeps the place until it is done even when nobody
    /// waits for it any more.
    pub(crate) async fn run<T, F>(self: &Arc<Self>, running: Arc<Running>, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Turn) -> Result<T, Problem> + Send + 'static,
    {
        let turn = self.begin(running).await?;
        let task = tokio::task::spawn_blocking(move || {
            let done = work(&turn);
            turn.end(done)
        });
        task.await.map_err(|_| Problem::internal("a fault in queries ended this request"))?
    }

    async fn begin(self: &Arc<Self>, running: Arc<Running>) -> Result<Turn, Problem> {
        let mut is_long = self.was_long(&running.text);
        let mut place = None;
        if !is_long {
            place = Some(self.quick.enter().await?);
            // Others like it may have shown by now how long it is.
            is_long = self.was_long(&running.text);
        }
        if is_long {
            drop(place);
            place = Some(self.long.enter().await?);
        }
        let held = Held { place, is_long, is_refused: false, since: Instant::now() };
        Ok(Turn { turns: self.clone(), running, runtime: Handle::current(), held: Mutex::new(held) })
    }

    fn was_long(&self, text: &str) -> bool {
        lock(&self.known).get(text) == Some(&true)
    }

    fn note(&self, text: &str, is_long: bool) {
        if text.is_empty() {
            return;
        }
        let mut known = lock(&self.known);
        if let Some(known) = known.get_mut(text) {
            *known = is_long;
        } else if is_long {
            // What is not known is taken for quick.
            if known.len() >= KNOWN_MAX {
                known.clear();
            }
            known.insert(text.to_owned(), true);
        }
    }
}

impl Turn {
    /// Called now and then by the query's own threads, which wait here for a long place once the query has run for
    /// longer than a quick one may. Where there is no room even to wait, the query is cancelled.
    pub(crate) fn step(&self) {
        let mut held = lock(&self.held);
        if held.is_long || held.since.elapsed() < self.turns.quick_time {
            return;
        }
        held.is_long = true;
        held.place = None;
        self.turns.note(&self.running.text, true);
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
            Some(Ok(place)) => held.place = Some(place),
            Some(Err(_)) => {
                held.is_refused = true;
                self.running.cancelled.store(true, Ordering::Relaxed);
            }
            None => {}
        }
    }

    fn end<T>(self, done: Result<T, Problem>) -> Result<T, Problem> {
        let held = lock(&self.held);
        if held.is_refused {
            return Err(Problem::busy("too many long queries at once"));
        }
        self.turns.note(&self.running.text, held.since.elapsed() >= self.turns.quick_time);
        done
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use types::Timestamp;

    use super::*;
    use crate::queries::{Queries, Ticket};

    /// One quick place, one long place, and room for one to wait for each.
    fn turns() -> Arc<Turns> {
        let gate = || Gate::new("tests", 1, 1, Duration::from_secs(60));
        Arc::new(Turns { quick_time: Duration::ZERO, ..Turns::new(gate(), gate()) })
    }

    fn ticket(text: &str) -> Ticket {
        Queries::default().start(text, Timestamp(0))
    }

    type Answer = tokio::task::JoinHandle<Result<&'static str, u16>>;

    /// A query that has taken a step when the first channel tells, and ends when the second one is told to.
    fn long(turns: &Arc<Turns>, ticket: &Ticket) -> (Answer, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (stepped, has_stepped) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let (turns, running) = (turns.clone(), ticket.running.clone());
        let task = tokio::spawn(async move {
            let work = move |turn: &Turn| {
                turn.step();
                let _ = stepped.send(());
                if !turn.running.is_cancelled() {
                    let _ = ended.recv();
                }
                Ok("done")
            };
            turns.run(running, work).await.map_err(|problem| problem.status.as_u16())
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
        let quick = turns.run(ticket("quick").running.clone(), |_| Ok("quick")).await;
        assert_eq!(quick.ok(), Some("quick"));
        let (second, second_stepped, end_second) = long(&turns, &b);
        while !turns.was_long("b") {
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
        let panicking = turns.run(ticket("a").running.clone(), |_| -> Result<(), Problem> { panic!("on purpose") });
        assert_eq!(panicking.await.map_err(|problem| problem.status.as_u16()), Err(500));
        assert_eq!(turns.run(ticket("a").running.clone(), |_| Ok(7)).await.ok(), Some(7));
    }
}

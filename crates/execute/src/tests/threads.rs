//! Who asks begins alone, and has help with what takes longer.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use types::{Column, Run};

use super::{Asked, hot, plan};
use crate::{BlockVisitor, take_part, visit_blocks};

/// Far more than the thread that asks works alone.
const LONG: Duration = Duration::from_millis(20);

/// Remembers who visits blocks. The first visit takes long; each later one waits for another thread.
#[derive(Default)]
struct Visits {
    threads: Mutex<Vec<ThreadId>>,
    next: Condvar,
}

impl BlockVisitor for Visits {
    fn visit(&self, _: usize, _: &[Arc<Column>]) {
        let mut threads = self.threads.lock().expect("no panic");
        threads.push(thread::current().id());
        self.next.notify_all();
        if threads.len() == 1 {
            let began = Instant::now();
            while began.elapsed() < LONG {
                thread::yield_now();
            }
            return;
        }
        let is_alone = |threads: &mut Vec<ThreadId>| threads.iter().collect::<HashSet<_>>().len() < 2;
        let waited = self.next.wait_timeout_while(threads, Duration::from_secs(60), is_alone).expect("no panic");
        assert!(!waited.1.timed_out(), "nobody helps");
    }
}

#[test]
fn a_second_thread_helps_with_what_takes_long() {
    let runs: Vec<Arc<dyn Run>> = (0..4).map(|number| hot(number * 100, 100)).collect();
    let asked = move || {
        take_part();
        let visits = Visits::default();
        Asked::default().with(|request| visit_blocks(&plan("fields n"), &runs, request, &visits)).expect("an answer");
        let threads = visits.threads.into_inner().expect("no panic");
        assert_eq!((threads.len(), threads[0]), (4, thread::current().id()));
        assert_eq!(threads.iter().collect::<HashSet<_>>().len(), 2);
    };
    thread::spawn(asked).join().expect("no panic");
}

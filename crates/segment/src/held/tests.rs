//! Which of many is let go.

use super::*;

#[test]
fn of_many_runs_those_are_let_go_that_are_not_used() {
    let list = Holdings::default();
    let n_max = RUNS_MAX.max(available_parallelism().map_or(0, |n| n.get() * RUNS_PER_PROCESSOR));
    let runs: Vec<Arc<Holding<AtomicBool>>> = (0..n_max * 4).map(|_| Arc::default()).collect();
    for run in &runs {
        // The first one is asked again and again, the others one after the other.
        for held in [&runs[0], run] {
            held.get(Some(&list)).store(true, Ordering::Relaxed);
        }
    }
    let is_held = |run: &Arc<Holding<AtomicBool>>| run.what.hold().is_some();
    assert!(is_held(&runs[0]) && is_held(&runs[runs.len() - 1]));
    assert!(runs.iter().filter(|run| is_held(run)).count() <= n_max);
    let again = runs[1].get(Some(&list));
    assert!(!again.load(Ordering::Relaxed), "what was let go is made anew");
    assert!(runs.iter().filter(|run| is_held(run)).count() <= n_max);
}

//! Where a caller works, and panics in threads.

use std::collections::HashSet;
use std::thread;

use super::*;

#[test]
fn who_asks_works_where_its_stack_is_large_enough() {
    let asked = || {
        let workers = in_threads(2, || thread::current().id()).expect("threads");
        let workers: HashSet<_> = workers.into_iter().collect();
        (workers.len(), workers.contains(&thread::current().id()))
    };
    assert_eq!(asked(), (2, false));
    let marked = move || {
        take_part();
        (asked(), in_threads(1, || thread::current().id()).expect("threads") == [thread::current().id()])
    };
    assert_eq!(thread::spawn(marked).join().expect("no panic"), ((2, true), true));
}

#[test]
fn a_panic_is_an_error_in_any_thread() {
    let panics = || in_threads(1, || panic!("on purpose")).map(|_: Vec<()>| ());
    assert!(matches!(panics(), Err(ExecuteError::Panicked)));
    let marked = move || {
        take_part();
        matches!(panics(), Err(ExecuteError::Panicked))
    };
    assert!(thread::spawn(marked).join().expect("caught"));
}

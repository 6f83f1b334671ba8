//! Threads that wait for the signal to stop.

use super::*;

#[test]
fn who_waits_is_woken_when_it_is_over_and_not_for_anything_else() {
    let (stop, is_over) = (Stop::default(), AtomicBool::new(false));
    let before = std::time::Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| stop.wait_unless(Duration::from_secs(60), || is_over.load(Ordering::Acquire)));
        stop.wake();
        assert!(!waiting.is_finished());
        is_over.store(true, Ordering::Release);
        while !waiting.is_finished() {
            stop.wake();
        }
    });
    assert!(before.elapsed() < Duration::from_secs(50));
}

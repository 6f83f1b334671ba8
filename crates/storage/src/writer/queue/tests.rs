//! When a writer waits for deliveries.

use super::*;

impl Queue {
    /// Returns how many deliveries and commands wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.hold().work.len()
    }
}

const LONG: Duration = Duration::from_secs(600);

fn request() -> Request {
    let delivery = Delivery { key: None, position: None, raw_bytes: 0, parts: Vec::new() };
    Request::prepare(delivery, &Encoder::default()).expect("it is small")
}

fn push(queue: &Queue) {
    queue.push_delivery(request(), Answer::new(drop)).expect("room");
}

/// Waits until the writer gathers; a delivery is on its way, so that it continues.
fn await_gathering(queue: &Queue) {
    while !queue.waiting.hold().is_gathering {
        std::thread::yield_now();
    }
}

#[test]
fn deliveries_on_their_way_are_waited_for_and_others_are_not() {
    let queue = Queue::default();
    push(&queue);
    // Nothing is on its way: it would take ten minutes.
    queue.gather_for(LONG);
    let n_coming = 3;
    (0..n_coming).for_each(|_| queue.note_coming(true));
    std::thread::scope(|scope| {
        let gathered = scope.spawn(|| {
            queue.gather_for(LONG);
            queue.len()
        });
        await_gathering(&queue);
        for _ in 0..n_coming {
            push(&queue);
            queue.note_coming(false);
        }
        assert_eq!(gathered.join().expect("no panic"), 1 + n_coming);
    });
}

/// A delivery whose columns take many times the bytes of its record.
fn repetitive() -> Request {
    let mut builder = types::BatchBuilder::new();
    for time in 0..10_000 {
        builder.set_timestamp(types::Timestamp(time));
        builder.field_integer("status", 200);
        builder.commit();
    }
    let part = crate::Part { group: GroupName::new("g").expect("a valid name"), batch: builder.finish() };
    let delivery = Delivery { key: None, position: None, raw_bytes: 300_000, parts: vec![part] };
    Request::prepare(delivery, &Encoder::default()).expect("it is small")
}

#[test]
fn records_are_waited_for_by_their_own_bytes() {
    let queue = Queue::default();
    let size = repetitive().size();
    assert!(size.memory > 5 * size.record, "{size:?}");
    let soon = || Instant::now() + Duration::from_millis(1);
    queue.push_delivery(repetitive(), Answer::new(drop)).expect("room");
    // The record is small, so that the whole time is waited.
    let began = Instant::now();
    queue.wait_for_more(soon(), size.memory);
    assert!(began.elapsed() >= Duration::from_millis(1));
    queue.wait_for_more(Instant::now() + LONG, size.record);
    assert!(queue.next_if(|_| true).is_some());
    assert_eq!(queue.waiting.hold().record_bytes, 0);
}

#[test]
fn a_writer_does_not_wait_for_deliveries_that_have_no_room() {
    let queue = Queue::default();
    queue.push_delivery(repetitive(), Answer::new(drop)).expect("room");
    queue.waiting.hold().bytes = QUEUE_BYTES_MAX;
    std::thread::scope(|scope| {
        scope.spawn(|| queue.push_delivery(repetitive(), Answer::new(drop)).expect("room, after a while"));
        queue.wait_for_more(Instant::now() + LONG, usize::MAX);
        queue.waiting.hold().bytes = repetitive().size().memory;
        assert!(queue.next_if(|_| true).is_some());
    });
    assert_eq!(queue.len(), 1);
}

#[test]
fn a_command_or_enough_deliveries_are_not_kept_waiting_for_more() {
    let queue = Queue::default();
    queue.note_coming(true);
    std::thread::scope(|scope| {
        let gathered = scope.spawn(|| queue.gather_for(LONG));
        await_gathering(&queue);
        (0..GATHERED_MAX).for_each(|_| push(&queue));
        gathered.join().expect("no panic");
    });
    while queue.next_if(|_| true).is_some() {}
    let (answer, _answered) = std::sync::mpsc::sync_channel(1);
    std::thread::scope(|scope| {
        let gathered = scope.spawn(|| queue.gather_for(LONG));
        await_gathering(&queue);
        queue.push_command(WriterCommand::Rotate(answer)).expect("it is open");
        gathered.join().expect("no panic");
    });
    std::thread::scope(|scope| {
        let _ = queue.next_if(|_| true);
        let gathered = scope.spawn(|| queue.gather_for(LONG));
        await_gathering(&queue);
        queue.close(CloseReason::ShuttingDown);
        gathered.join().expect("no panic");
    });
}

//! A full queue.

use super::*;

#[tokio::test]
async fn a_full_queue_makes_connections_wait_and_takes_no_datagram() {
    let (queue, mut waiting) = Queue::new();
    let frames = |n_bytes: usize| {
        let mut frames = Frames::default();
        frames.push(&vec![b'x'; n_bytes], 0);
        frames
    };
    queue.put(Chunk::new("here".into(), frames(QUEUE_BYTES_MAX * 2))).await;
    assert!(!queue.try_put(Chunk::new("here".into(), frames(1))));
    let again = queue.clone();
    let waits = tokio::spawn(async move { again.put(Chunk::new("there".into(), frames(1))).await });
    tokio::task::yield_now().await;
    assert!(!waits.is_finished());
    drop(waiting.recv().await);
    waits.await.expect("no panic");
    assert_eq!(&*waiting.recv().await.expect("it was put").chunk.from, "there");
}

//! The weight of bodies, and callers that wait for a sync.

use super::*;

#[test]
fn bodies_weigh_what_they_may_become() {
    let gates = IntakeGates::new(64 << 20, 2);
    let check = |packing: Packing, n_bytes, weight| assert_eq!(gates.weight(packing, n_bytes), weight, "{packing:?}");
    check(Encoding::Identity.into(), 3_000, 1);
    check(Encoding::Identity.into(), (128 << 10) + 1, 2);
    check(Encoding::Identity.into(), 64 << 20, PLACES / 2);
    check(Encoding::Gzip.into(), 1_000, 1);
    check(Encoding::Gzip.into(), 1 << 20, 64);
    check(Encoding::Zstd.into(), 100, 64);
    check(Packing::Snappy, 1_000_000, 21);
}

#[tokio::test]
async fn who_waits_for_a_sync_holds_a_place_and_no_thread() {
    let gates = std::sync::Arc::new(IntakeGates::new(64 << 20, 1));
    let (waits, mut waiting) = tokio::sync::mpsc::unbounded_channel::<Done<u32>>();
    let requests: Vec<_> = (0..PLACES)
        .map(|_| {
            let (gates, waits) = (gates.clone(), waits.clone());
            let work = move |done| {
                waits.send(done).expect("the test listens");
                None
            };
            tokio::spawn(async move { gates.run_then(Encoding::Identity, 1_000, work).await.ok() })
        })
        .collect();
    let mut held = Vec::new();
    while held.len() < PLACES as usize {
        held.push(waiting.recv().await.expect("all come to wait, though there are two threads"));
    }
    assert_eq!(gates.plain.n_free(), 0);
    (0..).zip(held).for_each(|(number, done)| done(number));
    let mut answers = Vec::new();
    for request in requests {
        answers.extend(request.await.expect("no panic"));
    }
    answers.sort_unstable();
    assert_eq!(answers, (0..PLACES).collect::<Vec<_>>());
    assert_eq!(gates.plain.n_free(), PLACES as usize);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_an_error_and_what_is_known_at_once_is_said_at_once() {
    let gates = IntakeGates::new(64 << 20, 1);
    let lost = gates.run_then(Encoding::Identity, 1, |done: Done<()>| {
        drop(done);
        None
    });
    assert_eq!(lost.await.map_err(|problem| problem.status.as_u16()), Err(500));
    let refused = gates.run_then(Encoding::Identity, 1, |_: Done<u32>| Some(7));
    assert_eq!(refused.await.ok(), Some(7));
    assert_eq!(gates.plain.n_free(), PLACES as usize);
}

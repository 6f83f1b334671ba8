//! Callers refused for lack of a slot, heavy work, and panics.

use super::*;

#[tokio::test]
async fn who_finds_no_place_to_wait_is_told_to_come_back() {
    let gate = Gate::new("tests", 1, 0, Duration::from_secs(60));
    let inside = gate.enter().await.expect("the first finds a place");
    assert_eq!(gate.enter().await.map(|_| ()).map_err(|p| p.status.as_u16()), Err(429));
    drop(inside);
    assert_eq!(gate.run(|| 7).await.ok(), Some(7));
}

#[tokio::test]
async fn the_heavy_takes_several_places_and_is_not_overtaken() {
    let gate = Gate::new("tests", 4, 2, Duration::from_secs(60));
    let inside = gate.enter_weighing(3).await.expect("it fits");
    let (mut heavy, mut light) = (Box::pin(gate.enter_weighing(100)), Box::pin(gate.enter()));
    let soon = Duration::from_millis(1);
    assert!(timeout(soon, &mut heavy).await.is_err());
    // One place is free, but the heavy came first.
    assert!(timeout(soon, &mut light).await.is_err());
    drop(inside);
    let everything = heavy.await.expect("all places are free");
    assert!(timeout(soon, &mut light).await.is_err());
    drop(everything);
    assert!(light.await.is_ok());
}

#[tokio::test]
async fn a_panic_is_an_answer_and_gives_its_place_back() {
    let gate = Gate::new("tests", 1, 0, Duration::from_secs(60));
    let status = gate.run(|| panic!("on purpose")).await.map_err(|p| p.status.as_u16());
    assert_eq!(status, Err(500));
    assert!(gate.enter().await.is_ok());
}

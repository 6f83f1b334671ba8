//! The end of one side, which ends the other.

use super::*;

#[tokio::test]
async fn each_side_learns_of_the_end_of_the_other() {
    let (upgraded, sockets) = UpgradedConnection::new();
    let other = upgraded.clone();
    let waiting = tokio::spawn(sockets.over());
    drop(upgraded);
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(other);
    waiting.await.expect("no panic");

    let (upgraded, sockets) = UpgradedConnection::new();
    drop(sockets);
    upgraded.cut_off().await;
}

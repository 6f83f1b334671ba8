//! Connections on which websockets are spoken: what holds of a connection holds of them.
//!
//! Whoever takes a connection over works in a task of their own. Until they are done its place is not given to somebody
//! else, and at shutdown they are waited for like any request; where that takes too long they are told to give it up.

use std::convert::Infallible;

use tokio::sync::mpsc;

/// Kept by whoever has taken over a connection, for as long as they have it.
#[derive(Clone, Debug)]
pub struct UpgradedConnection(mpsc::Sender<Infallible>);

/// What waits for them.
#[derive(Debug)]
pub(super) struct Sockets(mpsc::Receiver<Infallible>);

impl UpgradedConnection {
    pub(super) fn new() -> (Self, Sockets) {
        let (upgraded, sockets) = mpsc::channel(1);
        (Self(upgraded), Sockets(sockets))
    }

    /// Returns when nobody waits for the connection any more: it has to be given up at once.
    pub async fn cut_off(&self) {
        self.0.closed().await;
    }
}

impl Sockets {
    /// Returns when nobody has the connection any more.
    pub(super) async fn over(mut self) {
        while self.0.recv().await.is_some() {}
    }
}

#[cfg(test)]
mod tests;

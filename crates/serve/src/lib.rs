//! Speaks HTTP: the native API, the Loki API, the page, access control.
//!
//! Handlers decode, call one function of another room, encode. This is the only crate that knows statuses and JSON
//! shapes (DESIGN.md §7, §15), and the only asynchronous one: what other rooms do runs on blocking threads behind
//! bounded gates. It stores nothing, and it reads no clock but the store's.

mod access;
mod answer;
mod ask;
mod audit;
mod body;
mod elastic;
mod listen;
mod loki;
mod page;
mod parameters;
mod problem;
mod queries;
mod reading;
mod reference;
mod router;
mod routes;
mod server;
mod tables;
mod traffic;
mod turns;
mod users;
mod work;

use std::future::Future;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use access::{Access, Caller, KeyError, KeyOrder, KeyView, Keys, Life, NewKey, Role};
pub use server::App;

/// Serves `app` on `listener` until `shutdown` is done, then lets requests under way finish for some seconds.
///
/// The store is left open: whoever opened it closes it, after this returns.
pub async fn serve(app: App, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
    let (closing, told) = watch::channel(false);
    let router = router::build(server::Server::new(app, told));
    listen::run(listener, router, closing, shutdown).await;
}

#[cfg(test)]
mod tests;

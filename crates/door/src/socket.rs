//! Websockets on which we speak and the client listens.
//!
//! Bounded: what a client may say, how long it may take to take what it is told, how long it may be silent when it is
//! asked whether it is still there. A socket ends with the right of its caller, with the server and with the connection
//! that it took over, whatever goes on at that moment; the client is told which of these it was.

use std::future::Future;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::access::KeyRevoked;
use crate::listen::{UpgradedConnection, told};
use crate::problem::{Problem, Result};
use crate::server::Shared;

/// Largest message of a client, which has nothing to say but that it is there or goes.
const HEARD_BYTES_MAX: usize = 4 << 10;

/// How often a client is asked whether it is still there, how long it may be silent, and how long it may take to take
/// one message.
const PING: Duration = Duration::from_secs(15);
const SILENCE_MAX: Duration = Duration::from_secs(60);
const SEND_TIME_MAX: Duration = Duration::from_secs(60);

/// How long a client may take to hear that it is over, and to say the same.
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(2);

/// A request to be spoken to on a websocket.
pub struct SocketRequest {
    upgrade: WebSocketUpgrade,
    connection: UpgradedConnection,
}

/// Why nothing more is said.
enum Ending {
    /// The client has gone, or does not listen.
    Gone,
    /// For a reason that the client is told.
    Told(u16, &'static str),
}

impl SocketRequest {
    /// Takes the connection out of a request that asks for a websocket.
    pub fn of(parts: &mut Parts) -> Result<Self> {
        let refused = |message: String| {
            let problem = Problem::new(StatusCode::BAD_REQUEST, "websocket-required", message);
            problem.hint("this address is for websockets: send Upgrade: websocket over HTTP/1.1")
        };
        let pending = || refused("the request cannot be read at once".into());
        let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).now_or_never().ok_or_else(pending)?;
        let upgrade = upgrade.map_err(|rejection| refused(rejection.body_text()))?;
        match parts.extensions.get::<UpgradedConnection>().cloned() {
            Some(connection) => Ok(Self { upgrade, connection }),
            None => Err(refused("this connection cannot become a websocket".into())),
        }
    }

    /// Sends `texts` to the client as they come, until there are no more or the client goes; then `texts` is closed.
    pub fn speak(self, server: Shared, texts: mpsc::Receiver<String>) -> Response {
        let Self { upgrade, connection } = self;
        // Nothing waits in memory but what is on its way.
        let upgrade = upgrade.max_message_size(HEARD_BYTES_MAX).max_frame_size(HEARD_BYTES_MAX).write_buffer_size(0);
        upgrade.on_upgrade(move |mut socket| async move {
            let over = {
                let ending = ending(&server, &connection);
                tokio::select! {
                    over = ending => over,
                    over = converse(&mut socket, texts) => over,
                }
            };
            if let Ending::Told(code, reason) = over {
                // A client that does not want to hear it has gone.
                let _ = timeout(GOODBYE_TIME_MAX, part(&mut socket, code, reason)).await;
            }
        })
    }
}

/// Returns when the socket has to end, whatever goes on on it.
fn ending<'a>(server: &'a Shared, connection: &'a UpgradedConnection) -> impl Future<Output = Ending> + 'a {
    let mut closing = server.closing.clone();
    async move {
        tokio::select! {
            () = told(&mut closing) => Ending::Told(close_code::AWAY, "the server is shutting down"),
            () = server.caller.validity.clone().expired(server.app.clock.clone()) => {
                Ending::Told(close_code::POLICY, KeyRevoked::REASON)
            }
            () = connection.cut_off() => Ending::Gone,
        }
    }
}

async fn converse(socket: &mut WebSocket, mut texts: mpsc::Receiver<String>) -> Ending {
    let (mut pings, mut heard) = (interval(PING), Instant::now());
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            text = texts.recv() => match text {
                Some(text) => Message::Text(text.into()),
                None => return Ending::Told(close_code::NORMAL, "there is nothing more"),
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_))) | None => return Ending::Gone,
                Some(Ok(_)) => {
                    heard = Instant::now();
                    continue;
                }
                Some(Err(_)) => return Ending::Told(close_code::POLICY, "this is no message that belongs here"),
            },
            _ = pings.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    return Ending::Gone;
                }
                Message::Ping(Default::default())
            }
        };
        if !matches!(timeout(SEND_TIME_MAX, socket.send(message)).await, Ok(Ok(()))) {
            return Ending::Gone;
        }
    }
}

/// Says why it is over, and waits until the client has heard it.
async fn part(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: reason.into() };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(_)) = socket.recv().await {}
    }
}

//! Connections that end are still read for a moment: one that is closed on unread bytes is reset, and the reset can
//! overtake the answer that says why.

use std::future::Future;
use std::io::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long the other end has to hear the last answer and close.
const TIME_MAX: Duration = Duration::from_secs(1);

/// A stream whose shutdown waits until the other end has closed too, or some time is over; what it says is dropped.
pub(super) struct LingeringStream<S> {
    stream: S,
    until: Option<Pin<Box<Sleep>>>,
}

impl<S> LingeringStream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, until: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LingeringStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_read(context, room)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for LingeringStream<S> {
    forward_writes!();

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Self { stream, until } = self.get_mut();
        let until = match until {
            Some(until) => until,
            None => {
                ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
                until.insert(Box::pin(sleep(TIME_MAX)))
            }
        };
        let mut dropped = [0; 4096];
        loop {
            if until.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut room = ReadBuf::new(&mut dropped);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut room));
            if read.is_err() || room.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

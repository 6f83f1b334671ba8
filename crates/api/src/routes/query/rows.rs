//! Rows between a query's thread and a client's connection.
//!
//! Until somebody begins the stream, rows are held, as many as make a page: most answers are there before that, and
//! then go out whole, with types and a status. From then on they go out as they are found, as fast as the client reads.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use types::{Hold, Value};

use crate::answer::{Form, Names, write_row};
use door::{PIECE_BYTES, RunningQuery};

/// Rows that are held before the stream begins.
const HELD_MAX: usize = 4_096;

/// Pieces that wait for the connection.
const PIECES_WAITING_MAX: usize = 4;

/// How long a client may read nothing before its query ends.
const STALLED_MAX: Duration = Duration::from_secs(30);

/// How often a query that waits looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// A row.
pub(super) type Row = Vec<Option<Value>>;

/// A piece of a stream; an error breaks it off.
pub(super) type Piece = Result<Bytes, std::io::Error>;

/// Rows on their way.
pub(super) struct Rows {
    form: Form,
    names: Names,
    // Rows are added and taken whole.
    held: Mutex<RowBuffer>,
    has_begun: Condvar,
    /// Told once a page is full.
    pub(super) is_full: Notify,
    /// Rows of an aggregation that is under way, the latest ones, until they are sent.
    partial: Mutex<Option<Vec<Row>>>,
    /// Told when there are such.
    pub(super) has_partial: Notify,
    pub(super) sender: mpsc::Sender<Piece>,
}

#[derive(Default)]
struct RowBuffer {
    rows: Vec<Row>,
    has_begun: bool,
    is_given_up: bool,
}

impl Rows {
    /// Rows of an answer in this form with these columns, and where its pieces come out.
    pub(super) fn new(form: Form, names: Names) -> (Self, mpsc::Receiver<Piece>) {
        let (sender, receiver) = mpsc::channel(PIECES_WAITING_MAX);
        let rows = Self {
            form,
            names,
            held: Mutex::default(),
            has_begun: Condvar::new(),
            is_full: Notify::new(),
            partial: Mutex::default(),
            has_partial: Notify::new(),
            sender,
        };
        (rows, receiver)
    }

    /// Returns the rows that are held.
    pub(super) fn take_held(&self) -> Vec<Row> {
        std::mem::take(&mut self.held.hold().rows)
    }

    /// Takes what an aggregation has found so far, in place of what it had found before.
    pub(super) fn put_partial(&self, rows: Vec<Row>) {
        *self.partial.hold() = Some(rows);
        self.has_partial.notify_one();
    }

    /// Returns the rows that an aggregation has so far, each state once.
    pub(super) fn take_partial(&self) -> Option<Vec<Row>> {
        self.partial.hold().take()
    }

    /// Lets rows go out by themselves, unless some are held; those are to be sent first.
    pub(super) fn begin(&self) -> Option<Vec<Row>> {
        let mut held = self.held.hold();
        if held.rows.is_empty() {
            held.has_begun = true;
            self.has_begun.notify_all();
            return None;
        }
        Some(std::mem::take(&mut held.rows))
    }

    /// Says that nobody takes rows any more.
    pub(super) fn give_up(&self) {
        self.held.hold().is_given_up = true;
        self.has_begun.notify_all();
    }

    /// Takes rows from the query, on its thread. `false` ends it.
    pub(super) fn take(&self, rows: Vec<Row>, running: &RunningQuery) -> bool {
        let mut held = self.held.hold();
        while !held.has_begun {
            if held.is_given_up || running.is_cancelled() {
                return false;
            }
            if held.rows.len() < HELD_MAX {
                held.rows.extend(rows);
                return true;
            }
            self.is_full.notify_one();
            held = self.has_begun.wait_timeout(held, LOOK).map_or_else(|e| e.into_inner().0, |(held, _)| held);
        }
        drop(held);
        self.pieces(rows).into_iter().all(|piece| self.send(piece, running))
    }

    /// Rows as text.
    pub(super) fn pieces(&self, rows: Vec<Row>) -> Vec<Bytes> {
        let (mut pieces, mut text) = (Vec::new(), String::new());
        for row in rows {
            write_row(self.form, &self.names, &row, &mut text);
            if text.len() >= PIECE_BYTES {
                pieces.push(std::mem::take(&mut text).into());
            }
        }
        if !text.is_empty() {
            pieces.push(text.into());
        }
        pieces
    }

    /// Waits until the client has taken what was sent before.
    fn send(&self, piece: Bytes, running: &RunningQuery) -> bool {
        let runtime = tokio::runtime::Handle::current();
        let started = Instant::now();
        loop {
            match runtime.block_on(timeout(LOOK, self.sender.reserve())) {
                Ok(Ok(place)) => {
                    place.send(Ok(piece));
                    return true;
                }
                Ok(Err(_)) => return false,
                Err(_) if running.is_cancelled() || started.elapsed() > STALLED_MAX => return false,
                Err(_) => {}
            }
        }
    }
}

//! Uploads of `systemd-journal-upload`: entries of the journal, in a body of any length.
//!
//! Entries are stored as they arrive, a batch at a time, and reading continues when a batch is durable: an upload needs the
//! memory of one batch and one entry. The answer follows the end of the body, since the sender applies it to the whole
//! body. A sender that is refused in the middle sends again from its last successful answer; entries stored before are
//! recognised by their cursors.
//!
//! Entries to which further ones are likely to belong wait within the upload until none has come for [`HOLD`], at its end
//! no longer.
//!
//! A refused entry is reported in a successful answer: otherwise its sender would repeat it forever, and nothing after it.

pub mod decode;

use std::collections::HashMap;
use std::time::Duration;

use self::decode::{JournalAnswer, JournalEntries, JournalReader, ingest_journal};
use axum::body::{BodyDataStream, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ingest::{Encoding, IngestError};
use tokio::time::{Instant, timeout_at};
use tokio_stream::StreamExt;
use types::{GroupName, group_name_of_outside};

use door::body::{Share, drain};
use door::headers::encoding;
use door::listen::told;
use door::{Call, Outcome, Problem, Reply, Role, Routes, Shared};

const CONTENT_TYPE: &str = "application/vnd.fdo.journal";

/// Limits on the bytes of a batch and on the age of its first entry.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_TIME: Duration = Duration::from_millis(200);

/// How long entries wait for others of their events, as long as in files.
const HOLD: Duration = Duration::from_secs(1);

/// Largest entry. Core dumps in the journal are larger; messages are not.
const ENTRY_BYTES_MAX: usize = 4 << 20;

/// How long a sender may be silent.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// Returns the routes of this API.
pub(crate) fn add(table: Routes<()>) -> Routes<()> {
    table.post("/journal/upload", Role::Ingest, post).post("/journal/{group}/upload", Role::Ingest, post_to)
}

fn post(call: Call<()>) -> Outcome {
    call.parameters.check_names(&["group"])?;
    take(&call, call.parameters.get("group").unwrap_or("journal"))
}

/// Answers uploads of senders that append `/upload` to their address and cannot have a parameter.
fn post_to(mut call: Call<()>) -> Outcome {
    let group = call.variable();
    take(&call, &group)
}

fn take(call: &Call<()>, group: &str) -> Outcome {
    check_type(&call.parts.headers)?;
    let group = group_name_of_outside(group);
    call.server.must_reach(&group)?;
    let mut upload = Upload::new((*call.server).clone(), group);
    Ok(Reply::Later(Box::new(move |body| {
        let mut chunks = body.into_data_stream();
        Box::pin(async move {
            match upload.take_all(&mut chunks).await {
                Ok(()) => Ok(Reply::Whole(upload.answer())),
                Err(problem) => {
                    drain(&mut chunks).await;
                    Err(problem)
                }
            }
        })
    })))
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let unsupported = |code, message: String| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(CONTENT_TYPE) {
        let problem = unsupported("unsupported-media-type", format!("content type {kind:?} is not that of a journal"));
        return Err(problem.hint(format!("send the journal's export format as {CONTENT_TYPE}")));
    }
    if encoding(headers)? != Encoding::Identity {
        let problem = unsupported("unsupported-encoding", "a journal is taken as it comes, not compressed".into());
        return Err(problem.hint("set Compression=no for systemd-journal-upload"));
    }
    Ok(())
}

/// An upload that is being read.
struct Upload {
    server: Shared,
    group: GroupName,
    reader: JournalReader,
    /// Entries that wait to be stored, and the time at which they must be.
    waiting: JournalEntries,
    due: Option<Instant>,
    /// The events among them that wait for further entries: by the number of the first how many there are, and since when.
    held: HashMap<u64, (usize, Instant)>,
    n_held_bytes: usize,
    /// Share of the memory of all bodies.
    share: Share,
    so_far: JournalAnswer,
}

impl Upload {
    fn new(server: Shared, group: GroupName) -> Self {
        let reader = JournalReader::new(ENTRY_BYTES_MAX.min(server.app.limits.body_bytes_max));
        let share = server.bodies.share();
        let (waiting, so_far) = (JournalEntries::default(), JournalAnswer::default());
        Self { server, group, reader, waiting, due: None, held: HashMap::new(), n_held_bytes: 0, share, so_far }
    }

    /// Reads the body to its end and stores its entries.
    async fn take_all(&mut self, chunks: &mut BodyDataStream) -> Result<(), Problem> {
        let mut closing = self.server.closing.clone();
        loop {
            let patience = Instant::now() + PAUSE_MAX;
            let until = self.due.unwrap_or(patience);
            let next = tokio::select! {
                biased;
                // Success would lose entries that a proxy has read ahead.
                () = told(&mut closing) => return self.break_off(Problem::closing()).await,
                next = timeout_at(until, chunks.next()) => next,
            };
            match next {
                Ok(Some(Ok(chunk))) => self.take(&chunk).await?,
                Ok(Some(Err(_))) => {
                    let problem = Problem::bad_request("incomplete-body", "request body is incomplete");
                    return self.break_off(problem).await;
                }
                Ok(None) => return self.finish().await,
                Err(_) if self.due.is_some() => self.store(HOLD).await?,
                Err(_) => {
                    let message = "the request body came too slowly";
                    return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-timeout", message));
                }
            }
        }
    }

    async fn take(&mut self, chunk: &Bytes) -> Result<(), Problem> {
        self.reader.feed(chunk, &mut self.waiting);
        self.share.resize(self.reader.n_held_bytes() + self.waiting.n_bytes())?;
        if self.waiting.n_bytes() >= BATCH_BYTES + self.n_held_bytes {
            return self.store(HOLD).await;
        }
        if !self.waiting.is_empty() {
            self.due.get_or_insert_with(|| Instant::now() + BATCH_TIME);
        }
        Ok(())
    }

    /// Stores waiting entries, but those that have waited less than `hold` for others of their events.
    async fn store(&mut self, hold: Duration) -> Result<(), Problem> {
        let n_bytes = self.waiting.n_bytes();
        let entries = std::mem::take(&mut self.waiting);
        let (server, group) = (self.server.clone(), self.group.clone());
        let (now, held) = (Instant::now(), std::mem::take(&mut self.held));
        let since = move |first: u64, n_entries: usize| {
            held.get(&first).filter(|(n_before, _)| *n_before == n_entries).map_or(now, |(_, since)| *since)
        };
        let work = move || {
            let is_held = |first: u64, n_entries: usize| now - since(first, n_entries) < hold;
            let (answer, kept) = ingest_journal(&server.app.intake, &entries, &group, &server.sender(None), &is_held)?;
            let held = kept.events.iter().map(|(first, n)| (*first, (*n, since(*first, *n)))).collect();
            Ok::<_, IngestError>((answer, kept.entries, held))
        };
        let stored = self.server.intake.run(Encoding::Identity, n_bytes, work).await??;
        self.so_far.add(stored.0);
        (self.waiting, self.held) = (stored.1, stored.2);
        self.n_held_bytes = self.waiting.n_bytes();
        self.due = if self.waiting.is_empty() { None } else { Some(now + BATCH_TIME) };
        self.share.resize(self.reader.n_held_bytes() + self.n_held_bytes)
    }

    /// Stores complete entries, and returns the reason why others are missing.
    async fn break_off(&mut self, problem: Problem) -> Result<(), Problem> {
        self.store(Duration::ZERO).await?;
        Err(problem)
    }

    async fn finish(&mut self) -> Result<(), Problem> {
        let reader = std::mem::replace(&mut self.reader, JournalReader::new(0));
        let ended = reader.finish(&mut self.waiting);
        self.store(Duration::ZERO).await?;
        ended.map_err(|number| {
            Problem::bad_request("incomplete-body", format!("the request body ended within entry {number}"))
        })
    }

    /// Returns the result of the whole upload.
    fn answer(&self) -> Response {
        let JournalAnswer { n_stored, n_known, n_left_out, n_malformed, refused } = &self.so_far;
        let n_refused = n_left_out + n_malformed;
        let mut text = format!("{n_stored} stored, {n_known} known already, {n_refused} refused\n");
        for refused in refused {
            text.push_str(&format!("entry {}: {}\n", refused.line, refused.error));
        }
        let is_none_of_it = n_stored + n_known + n_left_out == 0 && *n_malformed > 0;
        let status = if is_none_of_it { StatusCode::BAD_REQUEST } else { StatusCode::ACCEPTED };
        (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
    }
}

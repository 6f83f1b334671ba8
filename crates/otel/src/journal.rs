//! What `systemd-journal-upload` sends: entries of the journal, in a body that may go on for as long as there are some.
//!
//! Entries are stored as they come, a batch at a time, and the body is read on once they are durable: the memory of an
//! upload is that of one batch and of the entry under way. The answer comes when the body has ended, since a sender takes
//! it for the fate of all of it. Who is refused in the midst sends again from where the last good answer was, and what was
//! stored before is known by its cursor.
//!
//! An entry that cannot be taken is told of in an answer that is none the less a good one: its sender would send it again
//! for ever, and nothing behind it.

pub mod decode;

use std::sync::Arc;

use std::time::Duration;

use self::decode::{JournalAnswer, JournalEntries, JournalReader, ingest_journal};
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ingest::Encoding;
use tokio::time::{Instant, timeout_at};
use tokio_stream::StreamExt;
use types::{GroupName, group_name_of_outside};

use door::access::Role;
use door::body::{Share, drain};
use door::headers::encoding;
use door::listen::told;
use door::parameters::Parameters;
use door::problem::Problem;
use door::server::{Server, Shared};
use door::table::Table;

const CONTENT_TYPE: &str = "application/vnd.fdo.journal";

/// When a batch is stored: with so many bytes, or so long after its first entry came.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_TIME: Duration = Duration::from_millis(200);

/// Largest entry. Core dumps in the journal are larger; messages are not.
const ENTRY_BYTES_MAX: usize = 4 << 20;

/// How long a sender may have nothing to say.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// Adds the routes of this door.
pub(crate) fn add(table: Table<Arc<Server>>) -> Table<Arc<Server>> {
    table.post("/journal/upload", Role::Ingest, post).post("/journal/{group}/upload", Role::Ingest, post_to)
}

async fn post(server: Shared, parameters: Parameters, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    parameters.check_names(&["group"])?;
    let group = parameters.get("group").unwrap_or("journal").to_owned();
    take(server, group, headers, body).await
}

/// The same for senders that cannot add a parameter to their address: they put `/upload` behind it.
async fn post_to(
    server: Shared,
    Path(group): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    take(server, group, headers, body).await
}

async fn take(server: Shared, group: String, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    check_type(&headers)?;
    let group = group_name_of_outside(&group);
    server.must_reach(&group)?;
    let mut chunks = body.into_data_stream();
    let mut upload = Upload::new(server, group);
    match upload.take_all(&mut chunks).await {
        Ok(()) => Ok(upload.answer()),
        Err(problem) => {
            drain(&mut chunks).await;
            Err(problem)
        }
    }
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

/// An upload under way.
struct Upload {
    server: Shared,
    group: GroupName,
    reader: JournalReader,
    /// Entries that wait to be stored, and until when they may.
    waiting: JournalEntries,
    due: Option<Instant>,
    /// What is held counts against what all bodies may hold together.
    share: Share,
    so_far: JournalAnswer,
}

impl Upload {
    fn new(server: Shared, group: GroupName) -> Self {
        let reader = JournalReader::new(ENTRY_BYTES_MAX.min(server.app.limits.body_bytes_max));
        let share = server.bodies.share();
        let (waiting, so_far) = (JournalEntries::default(), JournalAnswer::default());
        Self { server, group, reader, waiting, due: None, share, so_far }
    }

    /// Reads the body to its end and stores what it holds.
    async fn take_all(&mut self, chunks: &mut BodyDataStream) -> Result<(), Problem> {
        let mut closing = self.server.closing.clone();
        loop {
            let patience = Instant::now() + PAUSE_MAX;
            let until = self.due.unwrap_or(patience);
            let next = tokio::select! {
                biased;
                // Not answered as if all were there: what was read ahead on the way would be lost.
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
                Err(_) if self.due.is_some() => self.store().await?,
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
        if self.waiting.n_bytes() >= BATCH_BYTES {
            return self.store().await;
        }
        if !self.waiting.is_empty() {
            self.due.get_or_insert_with(|| Instant::now() + BATCH_TIME);
        }
        Ok(())
    }

    /// Stores what waits.
    async fn store(&mut self) -> Result<(), Problem> {
        self.due = None;
        let n_bytes = self.waiting.n_bytes();
        let entries = std::mem::take(&mut self.waiting);
        let (server, group) = (self.server.clone(), self.group.clone());
        let work = move || ingest_journal(&server.app.intake, &entries, &group, &server.sender(None));
        let stored = self.server.intake.run(Encoding::Identity, n_bytes, work).await??;
        self.so_far.add(stored);
        self.share.resize(self.reader.n_held_bytes())
    }

    /// Stores what is whole, and says why that was not all.
    async fn break_off(&mut self, problem: Problem) -> Result<(), Problem> {
        self.store().await?;
        Err(problem)
    }

    async fn finish(&mut self) -> Result<(), Problem> {
        let reader = std::mem::replace(&mut self.reader, JournalReader::new(0));
        let ended = reader.finish(&mut self.waiting);
        self.store().await?;
        ended.map_err(|number| {
            Problem::bad_request("incomplete-body", format!("the request body ended within entry {number}"))
        })
    }

    /// What became of everything.
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

//! One batch at a time to the server, until it is acknowledged: packed, under an id, again where the server is away or has
//! no room, in halves where it is too large.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::blocking::Response;
use serde::Deserialize;

use super::batches::{Batch, Kind};
use crate::arguments::{Compression, Send};
use crate::client::Server;
use crate::failure::{Failure, Result};

/// Logs compress well at any level; 1 costs least of the host that has other work.
const ZSTD_LEVEL: i32 = 1;

/// A batch is acknowledged after a sync; a minute without an answer means that the connection is lost.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes of an answer that are read: a server names a thousand lines at most.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// What became of lines.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) accepted: u64,
    /// Lines that were not accepted and are named: the number in the input, and why.
    pub(super) rejected: Vec<(u64, String)>,
    /// All that were not accepted.
    pub(super) n_rejected: u64,
}

/// What the server answers.
#[derive(Debug, Deserialize)]
struct Answer {
    accepted: u64,
    rejected: Vec<RejectedLine>,
    #[serde(default)]
    rejected_unnamed: u64,
}

#[derive(Debug, Deserialize)]
struct RejectedLine {
    line: usize,
    error: String,
}

/// How one attempt ended.
enum Attempt {
    Done(Answer),
    /// The body is larger than the server takes.
    TooLarge(Failure),
    /// It may work later; how long the server asks to wait.
    Later(Failure, Option<Duration>),
}

/// Where batches go.
pub(super) struct Delivery {
    server: Server,
    group: String,
    stream: String,
    /// `NAME=VALUE`.
    fields: Vec<String>,
    compression: Compression,
    retry_for: Duration,
    is_quiet: bool,
    /// Unlike that of any other run; ids of batches begin with it.
    run: String,
    n_batches: u64,
}

impl Delivery {
    pub(super) fn new(server: Server, options: &Send, fields: Vec<String>, retry_for_ns: i64) -> Result<Self> {
        let run = getrandom::u64().map_err(|error| Failure::other(format!("no random numbers: {error}")))?;
        let usual = if server.is_local { Compression::None } else { Compression::Zstd };
        Ok(Self {
            server,
            group: options.group.clone(),
            stream: options.stream.clone().unwrap_or_else(ship::host_name),
            fields,
            compression: options.compression.unwrap_or(usual),
            retry_for: Duration::from_nanos(u64::try_from(retry_for_ns).unwrap_or(0)),
            is_quiet: options.quiet,
            run: format!("send-{run:016x}"),
            n_batches: 0,
        })
    }

    /// Sends a batch and adds what is settled to `outcome`: accepted, or rejected for good. An error comes with the first
    /// line that is not.
    pub(super) fn deliver(&mut self, batch: Batch, outcome: &mut Outcome) -> Result<(), (u64, Failure)> {
        let mut waiting = vec![batch];
        while let Some(batch) = waiting.pop() {
            let line = batch.first_line();
            match self.until_settled(&batch).map_err(|failure| (line, failure))? {
                Ok(answer) => outcome.add(&batch, answer),
                Err(too_large) => match batch.halves() {
                    Some((first, second)) => waiting.extend([second, first]),
                    None => outcome.reject(line, too_large.message.to_owned()),
                },
            }
        }
        Ok(())
    }

    /// Sends a batch until the server has it; or gives back why it is too large.
    fn until_settled(&mut self, batch: &Batch) -> Result<Result<Answer>> {
        self.n_batches += 1;
        let id = format!("{}-{}", self.run, self.n_batches);
        let body = self.pack(batch.bytes())?;
        let began = Instant::now();
        let mut n_failed = 0;
        loop {
            let (failure, asked) = match self.attempt(batch.kind, &id, &body)? {
                Attempt::Done(answer) => return Ok(Ok(answer)),
                Attempt::TooLarge(failure) => return Ok(Err(failure)),
                Attempt::Later(failure, asked) => (failure, asked),
            };
            n_failed += 1;
            let wait = ship::wait_before_retry(n_failed, asked, getrandom::u64().unwrap_or(0));
            types::ensure!(began.elapsed() + wait <= self.retry_for, failure);
            if n_failed == 1 && !self.is_quiet {
                let why = failure.message.lines().next().unwrap_or_default();
                say!("catat: {why}; trying again for {} s", self.retry_for.as_secs());
            }
            std::thread::sleep(wait);
        }
    }

    fn attempt(&self, kind: Kind, id: &str, body: &[u8]) -> Result<Attempt> {
        let format = if kind == Kind::Records { "ndjson" } else { "text" };
        let query = [("group", &*self.group), ("stream", &*self.stream), ("format", format)];
        let fields: Vec<(&str, &str)> = self.fields.iter().map(|field| ("field", field.as_str())).collect();
        let mut request = self.server.request(reqwest::Method::POST, "/api/v1/ingest").query(&query).query(&fields);
        match self.compression {
            Compression::Zstd => request = request.header("Content-Encoding", "zstd"),
            Compression::Gzip => request = request.header("Content-Encoding", "gzip"),
            Compression::None => {}
        }
        let request = request.header("X-Catat-Batch", id).timeout(ANSWER_TIMEOUT).body(body.to_vec());
        match self.server.attempt(request) {
            Ok(response) => settled(&self.server, response),
            Err(unreachable) => Ok(Attempt::Later(unreachable, None)),
        }
    }

    fn pack(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let failed = |error: std::io::Error| Failure::other(format!("packing a batch: {error}"));
        match self.compression {
            Compression::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL).map_err(failed),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(failed)
            }
            Compression::None => Ok(bytes.to_vec()),
        }
    }
}

/// Returns the outcome of a batch from its answer.
fn settled(server: &Server, response: Response) -> Result<Attempt> {
    let status = response.status();
    let asked = ship::retry_after(&response);
    let mut body = Vec::new();
    if let Err(error) = response.take(ANSWER_BYTES_MAX).read_to_end(&mut body) {
        // Sent again under the same id, the batch is stored once.
        return Ok(Attempt::Later(Failure::unreachable(format!("the answer broke off: {error}")), None));
    }
    // Where no line was accepted the status is 400, and the lines are named all the same.
    if (status.is_success() || status == StatusCode::BAD_REQUEST)
        && let Ok(answer) = serde_json::from_slice(&body)
    {
        return Ok(Attempt::Done(answer));
    }
    let failure = server.refusal_of(status, &body, "");
    match status.as_u16() {
        413 => Ok(Attempt::TooLarge(failure)),
        408 | 425 | 429 | 500..=599 => Ok(Attempt::Later(failure, asked)),
        _ => Err(failure),
    }
}

impl Outcome {
    fn add(&mut self, batch: &Batch, answer: Answer) {
        self.accepted += answer.accepted;
        self.n_rejected += answer.rejected_unnamed;
        for rejected in answer.rejected {
            self.reject(batch.line_number(rejected.line), rejected.error);
        }
    }

    fn reject(&mut self, line: u64, error: String) {
        self.rejected.push((line, error));
        self.n_rejected += 1;
    }
}

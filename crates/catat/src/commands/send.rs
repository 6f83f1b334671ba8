//! `catat send`: lines from standard input or a file, for short-lived jobs.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::arguments::Send;
use crate::client::Server;
use crate::failure::Failure;

/// A batch is sent when it has so many bytes …
const BATCH_BYTES: usize = 1 << 20;

/// … or when its first line is so old: what a job writes is to be seen at once.
const BATCH_AGE: Duration = Duration::from_millis(250);

/// Lines read ahead while a batch is on its way; beyond it the job that writes has to wait.
const LINES_AHEAD: usize = 4096;

/// Attempts at a batch before giving up, with growing pauses: about half a minute.
const ATTEMPTS_MAX: u32 = 6;

/// Sends all lines; each batch has an id, so that a repeated attempt stores nothing twice.
pub(crate) fn send(options: Send) -> Result<(), Failure> {
    let server = Server::new(&options.remote)?;
    let fields = parse_fields(&options.field)?;
    let input: Box<dyn Read + std::marker::Send> = match &options.file {
        Some(path) => {
            let file = std::fs::File::open(path);
            Box::new(file.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?)
        }
        None => Box::new(std::io::stdin()),
    };
    let (lines_in, lines) = sync_channel::<std::io::Result<Vec<u8>>>(LINES_AHEAD);
    // Reading blocks for as long as a job says nothing; batches must go out meanwhile. The thread ends with the
    // input, or with the process.
    std::thread::spawn(move || {
        let mut input = BufReader::with_capacity(BATCH_BYTES, input);
        loop {
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Ok(0) => return,
                read => {
                    let failed = read.is_err();
                    if lines_in.send(read.map(|_| line)).is_err() || failed {
                        return;
                    }
                }
            }
        }
    });
    let stream = options.stream.clone().unwrap_or_else(ship::host_name);
    let sender = Sender { server, group: options.group, stream, fields };
    let mut rejected = 0;
    while let Some(batch) = next_batch(&lines)? {
        rejected += sender.send(&batch)?;
    }
    if rejected > 0 { Err(Failure::partial(format!("{rejected} lines were rejected"))) } else { Ok(()) }
}

fn parse_fields(fields: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let pair = |field: &String| field.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let wrong = |field: &String| Failure::usage(format!("--field {field}: write NAME=VALUE"));
    fields.iter().map(|field| pair(field).ok_or_else(|| wrong(field))).collect()
}

/// Collects lines until the batch is large or old enough; `None` at the end of the input.
fn next_batch(lines: &Receiver<std::io::Result<Vec<u8>>>) -> Result<Option<Vec<u8>>, Failure> {
    let failed = |error: std::io::Error| Failure::other(format!("standard input: {error}"));
    let Ok(first) = lines.recv() else { return Ok(None) };
    let mut batch = first.map_err(failed)?;
    let due = Instant::now() + BATCH_AGE;
    while batch.len() < BATCH_BYTES {
        match lines.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(line) => batch.extend_from_slice(&line.map_err(failed)?),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(Some(batch))
}

/// Where batches go.
struct Sender {
    server: Server,
    group: String,
    stream: String,
    fields: Vec<(String, String)>,
}

impl Sender {
    /// Sends one batch, again and again where the server is away for a moment; gives the number of lines rejected.
    fn send(&self, batch: &[u8]) -> Result<u64, Failure> {
        let (format, body) = self.encode(batch);
        let id = batch_id(&body);
        for attempt in 1.. {
            let query = [("group", &*self.group), ("stream", &*self.stream), ("format", format)];
            let request = self.server.request(reqwest::Method::POST, "/api/v1/ingest").query(&query);
            let result = self.server.send(request.header("X-Catat-Batch", &id).body(body.clone()), "");
            match result {
                Ok(response) => {
                    let answer: serde_json::Value =
                        response.json().map_err(|error| Failure::other(format!("answer of the server: {error}")))?;
                    let rejected = answer["rejected"].as_array().map_or(0, Vec::len);
                    for one in answer["rejected"].as_array().into_iter().flatten().take(10) {
                        eprintln!("catat: line {} of the batch: {}", one["line"], one["error"].as_str().unwrap_or(""));
                    }
                    return Ok(rejected as u64);
                }
                Err(failure) if failure.is_temporary() && attempt < ATTEMPTS_MAX => {
                    std::thread::sleep(Duration::from_millis(500) * 2u32.pow(attempt - 1));
                }
                Err(failure) => return Err(failure),
            }
        }
        unreachable!("the loop ends with an answer or a failure")
    }

    /// The format and body of a batch: text as it is, or records where each line gets fields.
    fn encode(&self, batch: &[u8]) -> (&'static str, Vec<u8>) {
        if self.fields.is_empty() {
            return ("text", batch.to_vec());
        }
        let mut body = Vec::with_capacity(batch.len() * 2);
        for line in batch.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let mut record = serde_json::Map::new();
            record.insert("message".into(), String::from_utf8_lossy(line).trim_end_matches('\r').into());
            record.extend(self.fields.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
            body.extend_from_slice(serde_json::Value::Object(record).to_string().as_bytes());
            body.push(b'\n');
        }
        ("ndjson", body)
    }
}

/// An id for a batch: unlike any other sent by this or another process.
fn batch_id(body: &[u8]) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("send-{}-{}-{}-{}", ship::host_name(), std::process::id(), now.as_nanos(), body.len())
}

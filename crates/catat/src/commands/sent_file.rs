//! Sends a file of an archive in the form of shippers, until it is stored, as far as it can be read.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use archive::{Input, is_passing, open_lines};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::import::{NAMED_MAX, Side};
use super::send::batches::{Batch, Batches, Kind};
use super::send::lines;
use crate::failure::{Failure, Result};

/// What became of a file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct SentFile {
    pub(super) events: u64,
    #[serde(default)]
    pub(super) n_refused: u64,
    /// Some of the refusals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) refused: Vec<String>,
    /// Why the rest of it cannot be read.
    pub(super) problem: Option<String>,
    /// Bytes of its lines.
    #[serde(default)]
    pub(super) bytes: u64,
}

/// What the server says of a piece.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) accepted: u64,
    #[serde(default)]
    duplicate: bool,
    pub(super) rejected: Vec<RejectedLine>,
    #[serde(default)]
    pub(super) rejected_unnamed: u64,
}

#[derive(Deserialize)]
pub(super) struct RejectedLine {
    pub(super) line: usize,
    pub(super) error: String,
}

/// Who sends files.
pub(super) struct FileSender<'a> {
    /// The name that the server knows them by, and the zone of times without one.
    pub(super) source: &'a str,
    pub(super) zone: &'a str,
    pub(super) to: Side<'a>,
    /// Counts the bytes that were read.
    pub(super) n_read: Arc<AtomicU64>,
    /// Asked after each piece whether there is a reason to end.
    pub(super) after_piece: &'a (dyn Fn() -> Result<()> + Sync),
}

impl FileSender<'_> {
    /// Sends the lines of a file as the bytes of `name` from `begin` on. What the server has of them already it knows by their place.
    pub(super) fn send(&self, input: &Arc<Input>, (name, begin): (&str, u64)) -> Result<SentFile> {
        let mut done = SentFile::default();
        let ended_by = |error: &dyn fmt::Display| Some(format!("{}: {error}", input.name()));
        let stopped = |error: &dyn fmt::Display| Failure::unreachable(format!("{}: {error}", input.name()));
        let source = match open_lines(input, self.n_read.clone()) {
            Ok(Some(source)) => source,
            Ok(None) => {
                say!("catat: passed over: {}: it is no text", input.name());
                return Ok(done);
            }
            Err(error) if is_passing(&error) => return Err(stopped(&error)),
            Err(error) => return Ok(SentFile { problem: ended_by(&error), ..done }),
        };
        let (lines, reader) = lines::of_source(source);
        let mut batches = Batches::of_archive(lines);
        while let Ok(Some(batch)) = batches.next() {
            let answer = self.store(input, &batch, (name, begin, done.bytes))?;
            done.events += if answer.duplicate { batch.n_events() } else { answer.accepted };
            done.n_refused += answer.rejected.len() as u64 + answer.rejected_unnamed;
            // The first line of the body is the header.
            let refused = answer.rejected.into_iter().map(|rejected| {
                let line = batch.line_number(rejected.line.saturating_sub(1));
                format!("{}, line {line}: {}", input.name(), rejected.error)
            });
            done.refused.extend(refused.take(NAMED_MAX));
            done.bytes += batch.bytes().len() as u64;
            (self.after_piece)()?;
        }
        match reader.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) if is_passing(&error) => return Err(stopped(&error)),
            Ok(Err(error)) => done.problem = ended_by(&error),
            Err(_) => done.problem = ended_by(&"what it consists of contradicts itself"),
        }
        Ok(done)
    }

    fn store(&self, input: &Input, batch: &Batch, (file, begin, n_before): (&str, u64, u64)) -> Result<Answer> {
        let field = |(name, value): &(Arc<str>, types::Value)| {
            let mut json = String::new();
            value.write_json(&mut json);
            Some((name.to_string(), serde_json::from_str(&json).ok()?))
        };
        let fields: serde_json::Map<String, Value> = input.fields.iter().filter_map(field).collect();
        let is_text = batch.kind == Kind::Text;
        let header = json!({
            "source": self.source, "file": file, "generation": 1, "begin": begin, "start": begin + n_before, "archive": true,
            "records": !is_text, "lengths": is_text.then(|| batch.event_lengths()), "fields": fields,
            "modified": input.modified.map(|modified| modified.0), "zone": self.zone,
        });
        let mut body = header.to_string().into_bytes();
        body.push(b'\n');
        body.extend_from_slice(batch.bytes());
        let name = input.name();
        let stream = name.rsplit('/').next().unwrap_or(&name);
        let parameters = [("format", "lines"), ("group", input.group.as_str()), ("stream", stream)];
        let request = self.to.request(Method::POST, "/api/v1/ingest").query(&parameters);
        self.to.ask(self.to.with_body(request, body)?)
    }
}

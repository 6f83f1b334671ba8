//! Writes one file of an export: compresses and counts the rows as they come, and computes the file's checksum.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use ingest::span::json_value;
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tables::EventFile;
use types::{Timestamp, Value, ensure};

use super::parts::Plan;
use crate::client::Server;
use crate::commands::spans::Span;
use crate::failure::{Failure, Result};

/// Most pieces that a part is asked for in, because its events have too many fields for one answer.
const PIECES_MAX: i64 = 1 << 14;

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// What is in a file.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct FileSummary {
    pub(super) events: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Why a part is not written.
enum Refusal {
    /// An answer would have too many columns; the words of the server.
    TooManyFields(Failure),
    Failure(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Asks for the events of a part, and writes them; the file has its name once it is whole and on disk.
pub(super) fn write_part(server: &Server, plan: &Plan, part: &Span, path: &Path) -> Result<FileSummary> {
    let mut n_pieces = 1;
    loop {
        match write_pieces(server, plan, part, (path, n_pieces)) {
            Ok(found) => return Ok(found),
            // A file of a table has one header.
            Err(Refusal::TooManyFields(_)) if n_pieces < PIECES_MAX && !plan.is_csv() => n_pieces *= 4,
            Err(Refusal::TooManyFields(failure) | Refusal::Failure(failure)) => return Err(failure),
        }
    }
}

fn write_pieces(
    server: &Server,
    plan: &Plan,
    part: &Span,
    (path, n_pieces): (&Path, i64),
) -> Result<FileSummary, Refusal> {
    let of_file = |error: io::Error| Failure::other(format!("{}: {error}", path.display()));
    let unpublished = path.with_added_extension("part");
    let file = storage::create_file(&unpublished).map_err(of_file)?;
    let mut packer = Packer::new(path, Summed { file, hash: Sha256::new(), bytes: 0 }).map_err(of_file)?;
    let mut rows = Rows { is_csv: plan.is_csv(), is_quoted: false, n: 0 };
    let mut buffer = vec![0; BUFFER_BYTES];
    for piece in 0..n_pieces {
        let mut answer = server.attempt(plan.events(server, part, (piece, n_pieces)))?;
        ensure!(answer.status().is_success(), refusal(server, answer, &plan.query));
        loop {
            let n = match answer.read(&mut buffer) {
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::unreachable(format!("the answer broke off: {error}")).into()),
            };
            if n == 0 {
                break;
            }
            rows.count(&buffer[..n]);
            packer.write_all(&buffer[..n]).map_err(of_file)?;
        }
    }
    let summed = packer.finish().map_err(of_file)?;
    summed.file.sync_all().map_err(of_file)?;
    std::fs::rename(&unpublished, path).map_err(of_file)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(of_file)?;
    let sha256 = types::hexadecimal(&summed.hash.finalize());
    Ok(FileSummary { events: rows.events(), bytes: summed.bytes, sha256 })
}

fn refusal(server: &Server, answer: reqwest::blocking::Response, query: &str) -> Refusal {
    let status = answer.status();
    let body = answer.bytes().unwrap_or_default();
    let failure = server.refusal_of(status, &body, query);
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    if status == StatusCode::BAD_REQUEST && body["error"]["code"] == "too-many-fields" {
        return Refusal::TooManyFields(failure);
    }
    Refusal::Failure(failure)
}

/// Counts rows in what passes by.
struct Rows {
    is_csv: bool,
    /// Whether the bytes are within quotes, where a line end is none.
    is_quoted: bool,
    n: u64,
}

impl Rows {
    fn count(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'"' if self.is_csv => self.is_quoted = !self.is_quoted,
                b'\n' if !self.is_quoted => self.n += 1,
                _ => {}
            }
        }
    }

    fn events(&self) -> u64 {
        self.n.saturating_sub(u64::from(self.is_csv))
    }
}

/// A file, and the checksum of its bytes so far.
struct Summed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Compresses as the name of the file says.
enum Packer {
    Zstd(zstd::Encoder<'static, Summed>),
    Gzip(flate2::write::GzEncoder<Summed>),
    Plain(Summed),
    /// Rows of NDJSON become columns; the last one may not be whole yet.
    Parquet {
        events: Box<EventFile>,
        line: Vec<u8>,
        to: Summed,
    },
}

impl Packer {
    fn new(path: &Path, to: Summed) -> io::Result<Self> {
        Ok(match path.extension().and_then(|extension| extension.to_str()) {
            Some("zst") => {
                let mut encoder = zstd::Encoder::new(to, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
            Some("gz") => Self::Gzip(flate2::write::GzEncoder::new(to, flate2::Compression::default())),
            Some("parquet") => Self::Parquet { events: Box::default(), line: Vec::new(), to },
            _ => Self::Plain(to),
        })
    }

    fn finish(self) -> io::Result<Summed> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Plain(file) => Ok(file),
            Self::Parquet { events, to, .. } => events.write(to).map_err(io::Error::other),
        }
    }
}

/// Adds an event, which is a row of an answer.
fn add_event(events: &mut EventFile, line: &[u8]) -> io::Result<()> {
    let row: BTreeMap<String, Json> = serde_json::from_slice(line).map_err(io::Error::other)?;
    let time = |json: &Json| Timestamp::parse_rfc3339(json.as_str()?).map(Value::Timestamp);
    let fields = row.into_iter().filter_map(|(name, json)| {
        let is_time = matches!(&*name, "@timestamp" | "@ingestionTime");
        Some((name, if is_time { time(&json)? } else { json_value(&json)? }))
    });
    events.push(fields);
    Ok(())
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Plain(file) => file.write(bytes),
            Self::Parquet { events, line, .. } => {
                let mut rest = bytes;
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    line.extend_from_slice(&rest[..end]);
                    add_event(events, line)?;
                    line.clear();
                    rest = &rest[end + 1..];
                }
                line.extend_from_slice(rest);
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;

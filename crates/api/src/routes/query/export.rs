//! `GET /api/v1/query?…&format=csv|tsv|ndjson|text[&gzip=true]`: an answer as a file with a name, for a plain link.
//!
//! What a browser saves by itself never passes through a page's memory. Here too it is a stream: rows are written as they
//! are found, and packed as they are written.

use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use chrono_tz::Tz;
use flate2::Compression;
use flate2::write::GzEncoder;
use plan::write_zoned;
use tokio_stream::Stream;
use types::{TimeRange, Timestamp};

use crate::answer::{Form, Kind, Sheet};
use door::{Parameters, Problem, Result};

/// Names that only this route reads.
pub(super) const PARAMETERS: [&str; 3] = ["format", "gzip", "all_fields"];

/// A wish for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Export {
    kind: Kind,
    is_packed: bool,
}

impl Export {
    /// Reads the wish; `None` where the form is chosen by `Accept`.
    pub(super) fn of_parameters(parameters: &Parameters) -> Result<Option<Self>> {
        let is_packed = parameters.flag("gzip")?;
        let Some(name) = parameters.get("format") else {
            if is_packed {
                let problem = Problem::bad_parameter("gzip packs a file, and no format of one is named");
                return Err(problem.hint("add format=csv, or send Accept-Encoding: gzip instead"));
            }
            return Ok(None);
        };
        let kind = Kind::named(name).ok_or_else(|| {
            Problem::bad_parameter(format!("{name:?} is no format of a file")).hint("one of: csv, tsv, ndjson, text")
        })?;
        Ok(Some(Self { kind, is_packed }))
    }

    /// Returns the form of the answer, with times of a zone.
    pub(super) fn form(self, zone: Tz) -> Form {
        Form::Sheet(Sheet { kind: self.kind, zone })
    }

    /// Gives the answer a file name, and compresses it on request.
    pub(super) fn as_file(self, mut response: Response, range: TimeRange, zone: Tz) -> Response {
        let name = self.file_name(range, zone);
        if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
        if !self.is_packed {
            return response;
        }
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/gzip"));
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.map(|body| Body::from_stream(CompressedBody::new(body)))
    }

    /// `catat-20261120T180000+0700-20261120T190000+0700.csv`: sorts by time, and is a name everywhere.
    fn file_name(self, range: TimeRange, zone: Tz) -> String {
        let last = Timestamp(range.to.0.saturating_sub(1).max(range.from.0));
        let packed = if self.is_packed { ".gz" } else { "" };
        format!("catat-{}-{}.{}{packed}", for_name(range.from, zone), for_name(last, zone), self.kind.ending())
    }
}

/// Returns an instant to the second, without characters that file names cannot have.
fn for_name(instant: Timestamp, zone: Tz) -> String {
    let whole = instant.whole_seconds();
    let mut text = String::new();
    write_zoned(whole, zone, &mut text);
    let (date, rest) = text.split_once('T').unwrap_or((&text, ""));
    format!("{}T{}", date.replace('-', ""), rest.replace(':', ""))
}

/// A body, packed piece by piece. One that breaks off stays one that breaks off.
struct CompressedBody {
    body: BodyDataStream,
    /// `None` once the end was written, or can no more be.
    packer: Option<GzEncoder<Vec<u8>>>,
}

impl CompressedBody {
    fn new(body: Body) -> Self {
        // The fastest: a piece of 64 KiB is packed in less time than the others on the connection's thread notice.
        Self { body: body.into_data_stream(), packer: Some(GzEncoder::new(Vec::new(), Compression::fast())) }
    }

    fn pack(packer: &mut GzEncoder<Vec<u8>>, piece: &[u8]) -> std::io::Result<Bytes> {
        packer.write_all(piece)?;
        Ok(std::mem::take(packer.get_mut()).into())
    }
}

impl Stream for CompressedBody {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while let Some(mut packer) = self.packer.take() {
            let Poll::Ready(piece) = Pin::new(&mut self.body).poll_next(context) else {
                self.packer = Some(packer);
                return Poll::Pending;
            };
            let packed = match piece {
                None => packer.finish().map(Bytes::from).map_err(axum::Error::new),
                Some(Err(error)) => Err(error),
                Some(Ok(piece)) => match Self::pack(&mut packer, &piece) {
                    Ok(packed) => {
                        self.packer = Some(packer);
                        if packed.is_empty() {
                            continue;
                        }
                        Ok(packed)
                    }
                    Err(error) => Err(axum::Error::new(error)),
                },
            };
            return Poll::Ready(Some(packed));
        }
        Poll::Ready(None)
    }
}

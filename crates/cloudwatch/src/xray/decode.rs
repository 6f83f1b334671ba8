//! Requests with segment documents: the body of `PutTraceSegments`, and the daemon's datagrams.
//!
//! ```text
//! body       {"TraceSegmentDocuments": ["{…}", …]}
//! datagram   {"format": "json", "version": 1}, a line feed, a document
//! ```

use std::borrow::Cow;

use ingest::{Encoding, IngestAnswer, IngestError, Intake, Sender, decode, lossy};
use parse::{JsonCursor, JsonError};
use types::{GroupScope, Timestamp, ensure};

use super::documents::Documents;
pub use super::documents::RefusedSegment;

/// Stores the documents of a request and returns when they are durable, with those that were refused. Blocks.
pub fn ingest_segments(
    intake: &Intake,
    body: &[u8],
    encoding: Encoding,
    sender: &Sender<'_>,
) -> Result<Vec<RefusedSegment>, IngestError> {
    let bytes_max = intake.limits.body_bytes_max;
    let body = decode(body, encoding, bytes_max)?;
    let text = lossy(&body, bytes_max)?;
    let mut documents = Documents::new(intake.collect(sender));
    read_request(&text, &mut documents)?;
    documents.finish()?;
    let refused_segments = documents.take_refused();
    let Documents { collector, out_of_scope, .. } = documents;
    if let Some(refused) = out_of_scope.filter(|_| collector.n_records() == 0) {
        return Err(refused.into());
    }
    intake.accept(collector, &body, sender)?;
    Ok(refused_segments)
}

fn read_request(text: &str, documents: &mut Documents<'_>) -> Result<(), IngestError> {
    let mut json = JsonCursor::new(text);
    json.expect(b'{', "expected an object").map_err(bad)?;
    let mut is_first = true;
    let mut is_there = false;
    while json.has_next(is_first, b'}').map_err(bad)? {
        is_first = false;
        if json.name().map_err(bad)? != "TraceSegmentDocuments" {
            json.skip().map_err(bad)?;
            continue;
        }
        is_there = true;
        json.expect(b'[', "expected a list of documents").map_err(bad)?;
        let mut is_first = true;
        while json.has_next(is_first, b']').map_err(bad)? {
            is_first = false;
            ensure!(json.peek() == Some(b'"'), bad(json.error("expected a document as a text")));
            documents.add(&json.string().map_err(bad)?)?;
        }
    }
    ensure!(json.peek().is_none(), bad(json.error("expected the end of the request")));
    if is_there { Ok(()) } else { Err(bad(json.error("expected TraceSegmentDocuments"))) }
}

fn bad(error: JsonError) -> IngestError {
    IngestError::BadBody { what: "PutTraceSegments request", problem: error.to_string() }
}

/// Stores the documents of datagrams and returns when they are durable, with those that were refused. Blocks.
pub(super) fn ingest_datagrams(
    intake: &Intake,
    datagrams: &[Vec<u8>],
    now: Timestamp,
) -> Result<(IngestAnswer, Vec<RefusedSegment>), IngestError> {
    let sender = Sender { name: "xray", within: &GroupScope::All, batch_id: None, now, groups: None };
    let mut documents = Documents::new(intake.collect(&sender));
    for datagram in datagrams {
        match document_of(datagram) {
            Some(document) => documents.add(&document)?,
            None => {
                documents.refuse(None, "ParseError", "a datagram has no header {\"format\":\"json\",\"version\":1}")
            }
        }
    }
    documents.finish()?;
    let refused = documents.take_refused();
    let n_bytes = datagrams.iter().map(|datagram| datagram.len() as u64).sum();
    let answer = intake.deliver(documents.collector, None, n_bytes, IngestAnswer::default())?;
    Ok((answer, refused))
}

/// Returns the document of a datagram, without its header.
fn document_of(datagram: &[u8]) -> Option<Cow<'_, str>> {
    let place = datagram.iter().position(|byte| *byte == b'\n')?;
    let header: serde_json::Value = serde_json::from_slice(&datagram[..place]).ok()?;
    (header["format"] == "json" && header["version"] == 1).then(|| String::from_utf8_lossy(&datagram[place + 1..]))
}

#[cfg(test)]
mod tests;

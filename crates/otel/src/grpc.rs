//! The subset of gRPC that unary calls need (gRPC over HTTP/2 protocol description).
//!
//! ```text
//! body     = message                                   one of them in each direction
//! message  = compressed (1 byte, 0 or 1), length (4 bytes, big-endian), that many bytes
//! trailers = grpc-status, grpc-message (percent-encoded), grpc-status-details-bin (google.rpc.Status in base64)
//! ```
//!
//! A refused call is answered with trailers only. A temporary error contains a `RetryInfo` with a number of seconds: OTLP
//! exporters drop data after `RESOURCE_EXHAUSTED` without one. There is no reflection, and calls of other services are
//! `UNIMPLEMENTED`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64_NOPAD;
use hyper::body::Frame;
use ingest::Encoding;
use ingest::protobuf::{put_bytes, put_varint};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::status::{code_of, status_message};
use door::{ErrorFormat, Problem};

/// Bytes of the header of a message.
pub(crate) const PREFIX_BYTES: usize = 5;

const CONTENT_TYPE: &str = "application/grpc";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const ENCODINGS: (HeaderName, HeaderValue) =
    (HeaderName::from_static("grpc-accept-encoding"), HeaderValue::from_static("identity,gzip,zstd"));

/// Reports whether a content type is that of gRPC.
pub fn is_spoken(content_type: Option<&HeaderValue>) -> bool {
    let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.strip_prefix(CONTENT_TYPE).is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

/// Returns the compression of a call's messages.
pub(crate) fn packing(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let of_proto = kind.and_then(|kind| kind.to_str().ok()).is_some_and(|kind| !kind.contains("+json"));
    if !is_spoken(kind) || !of_proto {
        let message = "this is called by gRPC, with messages of protobuf";
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", message);
        return Err(problem.hint("send application/grpc over HTTP/2, or protobuf or JSON to /v1/logs or /v1/traces"));
    }
    match headers.get("grpc-encoding").map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(Encoding::Identity),
        Some(b"gzip") => Ok(Encoding::Gzip),
        Some(b"zstd") => Ok(Encoding::Zstd),
        Some(other) => {
            let message = format!("grpc-encoding {:?} is not supported", String::from_utf8_lossy(other));
            let problem = Problem::new(StatusCode::NOT_IMPLEMENTED, "unsupported-encoding", message);
            Err(problem.hint("send messages plain, or as gzip or zstd"))
        }
    }
}

/// Returns the message of a call's body and its compression.
pub(crate) fn message(body: &[u8], packing: Encoding) -> Result<(&[u8], Encoding), Problem> {
    let bad = |problem: String| Err(Problem::bad_request("bad-message", problem));
    let Some(([flag, length @ ..], rest)) = body.split_first_chunk::<PREFIX_BYTES>() else {
        return bad(format!("a message begins with {PREFIX_BYTES} bytes, and {} came", body.len()));
    };
    let length = u32::from_be_bytes(*length) as usize;
    if rest.len() != length {
        return bad(format!("a message of {length} bytes is announced, and {} came", rest.len()));
    }
    match (flag, packing) {
        (0, _) => Ok((rest, Encoding::Identity)),
        (1, Encoding::Identity) => bad("a message is compressed, and grpc-encoding does not say how".into()),
        (1, packing) => Ok((rest, packing)),
        (other, _) => bad(format!("a message begins with 0 or 1, not with {other}")),
    }
}

/// Answers a call with a message and the status OK.
pub(crate) fn answer(message: &[u8]) -> Response {
    let mut body = vec![0];
    // Answers are short.
    body.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    body.extend_from_slice(message);
    let trailers = HeaderMap::from_iter([(STATUS, HeaderValue::from_static("0"))]);
    let frames = VecDeque::from([Frame::data(Bytes::from(body)), Frame::trailers(trailers)]);
    respond(HeaderMap::new(), Body::new(Frames(frames)))
}

/// Errors of gRPC: a status in trailers.
pub struct GrpcFormat;

impl ErrorFormat for GrpcFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        refuse(problem)
    }
}

/// Answers with a problem: trailers only, and the HTTP status 200.
fn refuse(problem: &Problem) -> Response {
    let code = if problem.status == StatusCode::NOT_IMPLEMENTED { 12 } else { code_of(problem) };
    let message = problem.sentence();
    let mut trailers = HeaderMap::from_iter([(STATUS, HeaderValue::from(u16::from(code)))]);
    // Percent-encoded text and base64 are valid in headers.
    trailers.extend(HeaderValue::try_from(percent_encoded(&message)).map(|value| (MESSAGE, value)));
    if let Some(seconds) = problem.retry_after_s {
        let details = BASE64_NOPAD.encode(&status_with_retry(code, &message, seconds));
        trailers.extend(HeaderValue::try_from(details).map(|value| (DETAILS, value)));
    }
    respond(trailers, Body::empty())
}

fn respond(headers: HeaderMap, body: Body) -> Response {
    let mut response = (headers, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response.headers_mut().insert(ENCODINGS.0, ENCODINGS.1);
    response
}

/// Writes `google.rpc.Status { …, details = 3: Any { type_url = 1, value = 2: RetryInfo { retry_delay = 1: { seconds = 1 }
/// } } }`.
fn status_with_retry(code: u8, message: &str, seconds: u64) -> Vec<u8> {
    let mut delay = vec![1 << 3];
    put_varint(seconds, &mut delay);
    let (mut retry, mut any) = (Vec::new(), Vec::new());
    put_bytes(1, &delay, &mut retry);
    put_bytes(1, b"type.googleapis.com/google.rpc.RetryInfo", &mut any);
    put_bytes(2, &retry, &mut any);
    let mut status = status_message(code, message);
    put_bytes(3, &any, &mut status);
    status
}

/// Encodes a text for `grpc-message`: bytes other than visible ASCII and spaces, and percent signs, are escaped.
fn percent_encoded(text: &str) -> String {
    const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// A body of frames in memory.
struct Frames(VecDeque<Frame<Bytes>>);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests;

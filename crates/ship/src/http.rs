//! Delivery over HTTP: `POST /api/v1/ingest?format=lines`, zstd body, bearer key.
//!
//! Makes one attempt per call; waiting and trying again is the shipper's. The process must have installed a TLS
//! provider (rustls) before the first delivery to an `https` address.

use std::io;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use types::Secret;

use crate::{Deliver, DeliverError, Delivered, FileBatch};

/// Logs compress well at any level; 1 costs least of the host that has other work.
const ZSTD_LEVEL: i32 = 1;

/// A batch is acknowledged after a sync; a minute without an answer means that the connection is lost.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read; ours are far shorter.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Where to deliver.
#[derive(Clone)]
pub struct HttpOptions {
    /// Base address of the server, such as `http://127.0.0.1:22828`.
    pub url: String,
    /// The key, if the server wants one.
    pub key: Option<Secret>,
}

/// A server reached over HTTP.
pub struct HttpDeliver {
    client: Client,
    address: String,
    key: Option<Secret>,
}

impl HttpDeliver {
    /// Makes a client; does not connect yet.
    pub fn new(options: HttpOptions) -> Result<Self, DeliverError> {
        let client = Client::builder()
            .timeout(ANSWER_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirected POST would lose its body or send the key elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| DeliverError::Refused(chain(&error)))?;
        let address = format!("{}/api/v1/ingest", options.url.trim_end_matches('/'));
        Ok(Self { client, address, key: options.key })
    }

    fn send(&self, batch: &FileBatch) -> Result<Response, DeliverError> {
        let body = zstd::bulk::compress(&batch.encode(), ZSTD_LEVEL)
            .map_err(|error: io::Error| DeliverError::Retry { after: None, reason: error.to_string() })?;
        let query = [("format", "lines"), ("group", batch.group.as_str()), ("stream", &batch.stream)];
        let address = reqwest::Url::parse_with_params(&self.address, query)
            .map_err(|error| DeliverError::Refused(format!("{}: {error}", self.address)))?;
        let mut request = self.client.post(address).header("Content-Encoding", "zstd").body(body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.reveal());
        }
        request.send().map_err(|error| DeliverError::Retry { after: None, reason: chain(&error.without_url()) })
    }
}

impl Deliver for HttpDeliver {
    fn deliver(&self, batch: &FileBatch) -> Result<Delivered, DeliverError> {
        let response = self.send(batch)?;
        let status = response.status();
        let after = retry_after(&response);
        let body = read_answer(response)
            .map_err(|error| DeliverError::Retry { after: None, reason: format!("answer cut off: {error}") })?;
        if status.is_success() {
            return Ok(delivered_of(&body));
        }
        let reason = format!("{status}: {}", message_of(&body));
        Err(if is_refusal(status) { DeliverError::Refused(reason) } else { DeliverError::Retry { after, reason } })
    }
}

/// Answers that no repetition of the same bytes will change. A key that is wrong or an address that is not there
/// may be put right, and until then the file keeps what is not delivered.
fn is_refusal(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 409 | 413 | 415 | 422)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn read_answer(response: Response) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    io::copy(&mut io::Read::take(response, ANSWER_BYTES_MAX), &mut body)?;
    Ok(body)
}

fn delivered_of(body: &[u8]) -> Delivered {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    Delivered { duplicate: answer["duplicate"].as_bool().unwrap_or(false), high_water: answer["high_water"].as_u64() }
}

/// The message of an error answer, or the start of whatever came instead.
fn message_of(body: &[u8]) -> String {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    match answer["error"]["message"].as_str() {
        Some(message) => message.to_string(),
        None => String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned(),
    }
}

/// An error with its causes on one line: the first alone often says only that sending did not work.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;

//! Delivery over HTTP: `POST /api/v1/ingest?format=lines`, zstd body, bearer key.
//!
//! Of several servers one is used until it does not answer or answers 5xx, then the next; the first is preferred again
//! when it is back. Makes one attempt per call; waiting and trying again is the shipper's. The process must have installed a TLS
//! provider (rustls) before the first delivery to an `https` address.

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::blocking::{Body, Client, RequestBuilder, Response};
use reqwest::{Certificate, Identity, StatusCode, Url};
use serde::Deserialize;
use types::{Hold, Secret, ensure};
use zstd::bulk::Compressor;

use crate::{Deliver, DeliverError, DeliveryReceipt, FileBatch, HeldQuestion, HeldRange, SourceReport};

/// Logs compress well at any level; 1 costs least of the host that has other work.
const ZSTD_LEVEL: i32 = 1;

/// A batch is acknowledged after a sync; a minute without an answer means that the connection is lost.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// A report that is late is outdated; no one waits long for it, least of all a shipper that is to stop.
const REPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server unfolds so many bytes of every body, the head included.
const UNFOLDED_FREELY: usize = 7 << 20;

/// Longest body that is handed over whole to the thread that sends.
const SENT_WHOLE_MAX: usize = 2 << 20;

/// Of a batch larger than that, how much is packed to see whether it is worth it: room for it twice is more than it saves.
const SAMPLE_BYTES: usize = 128 << 10;

/// A longer body that unfolds to 200 times its size and more is taken for a bomb; one that gets near that goes unpacked.
const RATIO_MAX: usize = 100;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read; ours are far shorter.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// How long another server is used before the first is tried again.
const BACK_TO_FIRST_AFTER: Duration = Duration::from_secs(60);

/// Where to deliver.
#[derive(Clone, Default)]
pub struct HttpOptions {
    /// Base addresses of servers, such as `http://127.0.0.1:22828`, the preferred first.
    ///
    /// One is used as long as it answers. Servers that share a catalog know what each other stored. Independent ones
    /// do not: what went to one is not at the other, and a batch whose acknowledgement was lost when a server went
    /// away may be at both.
    pub urls: Vec<String>,
    /// The key, if the servers want one.
    pub key: Option<Secret>,
    /// Authorities to believe besides those of the system, a file of PEM.
    pub ca_file: Option<PathBuf>,
    /// The certificate to show to servers and its key, two files of PEM. They are read once.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Servers reached over HTTP, one of them at a time.
pub struct HttpDeliver {
    client: Client,
    addresses: Vec<Url>,
    choice: ServerChoice,
    key: Option<Secret>,
    /// Compressors that no one uses now; there are as many as deliveries at a time.
    compressors: Mutex<Vec<Compressor<'static>>>,
}

impl HttpDeliver {
    /// Makes a client; does not connect yet.
    pub fn new(options: HttpOptions) -> Result<Self, DeliverError> {
        let HttpOptions { urls, key, ca_file, identity } = options;
        ensure!(!urls.is_empty(), DeliverError::Refused("no server to deliver to; name one".into()));
        let addresses = urls.iter().map(|url| address_of(url)).collect::<Result<Vec<_>, _>>()?;
        let client = || {
            let mut client = Client::builder()
                .user_agent(concat!("catat-ship/", env!("CARGO_PKG_VERSION")))
                .timeout(ANSWER_TIMEOUT)
                .connect_timeout(CONNECT_TIMEOUT)
                // Logs go to the configured server, whatever proxy the environment sets for other programs.
                .no_proxy()
                // A redirected POST would lose its body or send the key elsewhere.
                .redirect(reqwest::redirect::Policy::none());
            if let Some(path) = &ca_file {
                client = client.tls_certs_merge(authorities(path)?);
            }
            if let Some((cert, key)) = &identity {
                client = client.identity(identity_of(cert, key)?);
            }
            Ok(client)
        };
        // A server by HTTP needs no certificates of authorities, which bare systems lack.
        let built = match client()?.build() {
            Err(_) if ca_file.is_none() => client()?.tls_certs_only([]).build(),
            built => built,
        };
        let client = built.map_err(|error| DeliverError::Refused(chain(&error)))?;
        Ok(Self { client, choice: ServerChoice::of(addresses.len()), addresses, key, compressors: Mutex::default() })
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.key {
            Some(key) => request.bearer_auth(key.reveal()),
            None => request,
        }
    }

    fn send(&self, address: &Url, batch: &FileBatch) -> Result<Response, String> {
        let packed = self.compress(batch).map_err(|error| error.to_string())?;
        let is_harmless = |packed: &Vec<u8>| {
            batch.bytes.len() <= UNFOLDED_FREELY || batch.bytes.len() / packed.len().max(1) < RATIO_MAX
        };
        let (encoding, body) = match packed.filter(is_harmless) {
            Some(packed) => ("zstd", body_of(packed)),
            None => ("identity", unpacked(batch)),
        };
        let mut address = address.clone();
        let query = [("format", "lines"), ("group", batch.group.as_str()), ("stream", &batch.stream)];
        address.query_pairs_mut().extend_pairs(query);
        let request = self.client.post(address).header("Content-Encoding", encoding).body(body);
        self.authorized(request).send().map_err(|error| chain(&error.without_url()))
    }

    /// Returns the batch as a request body, compressed: a frame for what comes before the bytes and one for these, which need not be
    /// copied into one piece so. Nothing where it is large and would take more than half of its size.
    fn compress(&self, batch: &FileBatch) -> io::Result<Option<Vec<u8>>> {
        let kept = self.compressors.hold().pop();
        let mut compressor = kept.map_or_else(|| Compressor::new(ZSTD_LEVEL), Ok)?;
        let body = packed(&mut compressor, batch)?;
        self.compressors.hold().push(compressor);
        Ok(body)
    }

    /// Asks one server; also returns whether another may do better.
    fn question(&self, chosen: usize, question: &HeldQuestion) -> (Result<Vec<HeldRange>, DeliverError>, bool) {
        let retry = |after, reason| Err(DeliverError::Retry { after, reason });
        let address = self.addresses.get(chosen).and_then(|url| url.join("sources/").ok());
        let Some(address) = address.and_then(|url| url.join(&format!("{}/held", question.source)).ok()) else {
            return (Ok(Vec::new()), false);
        };
        let body = serde_json::to_vec(question).expect("a question is strings and numbers, which JSON can say");
        let request = self.client.post(address).header("Content-Type", "application/json");
        let response = match self.authorized(request.body(body)).send() {
            Ok(response) => response,
            Err(error) => return (retry(None, chain(&error.without_url())), true),
        };
        let (status, after) = (response.status(), retry_after(&response));
        let body = match read_answer(response) {
            Ok(body) => body,
            Err(error) => return (retry(None, format!("answer cut off: {error}")), true),
        };
        if status.is_success() {
            let ranges = serde_json::from_slice(&body).ok().map(|HeldAnswer { ranges }| ranges);
            let other = || retry(None, format!("{status} from something other than catat: {}", message_of(&body)));
            return (ranges.map_or_else(other, Ok), false);
        }
        match status.as_u16() {
            // A server of an earlier version; and one that the delivery will be refused by, with the reason.
            404 | 405 | 401 | 403 => (Ok(Vec::new()), false),
            _ if is_refusal(status) => (Ok(Vec::new()), false),
            _ => (retry(after, format!("{status}: {}", message_of(&body))), status.is_server_error()),
        }
    }

    /// Delivers to one server; also returns whether another may do better.
    fn attempt(&self, address: &Url, batch: &FileBatch) -> (Result<DeliveryReceipt, DeliverError>, bool) {
        let retry = |reason| Err(DeliverError::Retry { after: None, reason });
        let response = match self.send(address, batch) {
            Ok(response) => response,
            Err(reason) => return (retry(with_advice(address, reason)), true),
        };
        let (status, after) = (response.status(), retry_after(&response));
        let body = match read_answer(response) {
            Ok(body) => body,
            Err(error) => return (retry(format!("answer cut off: {error}")), true),
        };
        if status.is_success() {
            return match delivered_of(&body) {
                Some(delivered) => (Ok(delivered), false),
                None => (retry(format!("{status} from something other than catat: {}", message_of(&body))), true),
            };
        }
        let reason = format!("{status}: {}", message_of(&body));
        let error = match status.as_u16() {
            413 => DeliverError::TooLarge(reason),
            _ if is_refusal(status) => DeliverError::Refused(reason),
            401 | 403 => DeliverError::Retry { after, reason: format!("{reason} (check the key)") },
            _ => DeliverError::Retry { after, reason },
        };
        (Err(error), status.is_server_error())
    }
}

fn packed(compressor: &mut Compressor<'_>, batch: &FileBatch) -> io::Result<Option<Vec<u8>>> {
    let (head, bytes) = (batch.encode_head(), &**batch.bytes);
    // Lines become a quarter or less.
    let room = zstd::zstd_safe::compress_bound(head.len()) + bytes.len() / 2;
    if bytes.len() <= SENT_WHOLE_MAX {
        // Where they do not, there is a second attempt.
        let body = frames(compressor, [&head, bytes], room)
            .or_else(|_| frames(compressor, [&head, bytes], room + zstd::zstd_safe::compress_bound(bytes.len())));
        return body.map(Some);
    }
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    let is_worth_it = frames(compressor, [&[], sample], SAMPLE_BYTES / 2).is_ok();
    // An error is want of room.
    Ok(if is_worth_it { frames(compressor, [&head, bytes], room).ok() } else { None })
}

/// Returns each part as a frame, in so much room.
fn frames(compressor: &mut Compressor<'_>, parts: [&[u8]; 2], room: usize) -> io::Result<Vec<u8>> {
    let mut body = Cursor::new(Vec::with_capacity(room));
    for part in parts {
        compressor.compress_to_buffer(part, &mut body)?;
        let end = body.get_ref().len() as u64;
        body.set_position(end);
    }
    Ok(body.into_inner())
}

impl Deliver for HttpDeliver {
    fn deliver(&self, batch: &FileBatch) -> Result<DeliveryReceipt, DeliverError> {
        let chosen = self.choice.next(Instant::now());
        let Some(address) = self.addresses.get(chosen) else {
            return Err(DeliverError::Refused("no server to deliver to".into()));
        };
        let (outcome, is_away) = self.attempt(address, batch);
        let outcome = match outcome {
            Err(DeliverError::Retry { after, reason }) if self.addresses.len() > 1 => {
                let reason = format!("{}: {reason}", address.origin().ascii_serialization());
                // What one asks for does not bind the other that comes next.
                Err(DeliverError::Retry { after: after.filter(|_| !is_away), reason })
            }
            outcome => outcome,
        };
        self.choice.note(chosen, is_away, Instant::now());
        outcome
    }

    /// Asks the server that batches go to.
    fn held(&self, question: &HeldQuestion) -> Result<Vec<HeldRange>, DeliverError> {
        let chosen = self.choice.next(Instant::now());
        let (outcome, is_away) = self.question(chosen, question);
        self.choice.note(chosen, is_away, Instant::now());
        outcome
    }

    /// Reports to the server that batches go to.
    fn report(&self, report: &SourceReport) -> Result<(), DeliverError> {
        let retry = |reason| DeliverError::Retry { after: None, reason };
        let address = self.addresses.get(self.choice.used()).and_then(|url| url.join("sources/").ok());
        let address = address.and_then(|url| url.join(&report.source).ok());
        let address = address.ok_or_else(|| DeliverError::Refused("no server to report to".into()))?;
        let body = serde_json::to_vec(report).map_err(|error| DeliverError::Refused(error.to_string()))?;
        let request = self.client.post(address).timeout(REPORT_TIMEOUT).header("Content-Type", "application/json");
        let response = self.authorized(request.body(body)).send();
        let response = response.map_err(|error| retry(chain(&error.without_url())))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(retry(status.to_string())),
        }
    }
}

/// What a server answers to a question.
#[derive(Deserialize)]
struct HeldAnswer {
    ranges: Vec<HeldRange>,
}

/// Which of several servers is used.
struct ServerChoice {
    n_servers: usize,
    used: Mutex<ActiveServer>,
}

struct ActiveServer {
    index: usize,
    /// When the first was found away last.
    first_away_at: Option<Instant>,
}

impl ServerChoice {
    fn of(n_servers: usize) -> Self {
        Self { n_servers, used: Mutex::new(ActiveServer { index: 0, first_away_at: None }) }
    }

    /// Returns the server for the next attempt: the one that works, or from time to time the first to see whether it is back;
    /// one attempt finds out while the others continue.
    fn next(&self, now: Instant) -> usize {
        let mut used = self.used.hold();
        let is_due = used.first_away_at.is_some_and(|at| now.saturating_duration_since(at) >= BACK_TO_FIRST_AFTER);
        if used.index == 0 || !is_due {
            return used.index;
        }
        used.first_away_at = Some(now);
        0
    }

    /// Returns the server that is used now.
    fn used(&self) -> usize {
        self.used.hold().index
    }

    /// Notes how an attempt at server `index` went.
    fn note(&self, index: usize, is_away: bool, now: Instant) {
        let mut used = self.used.hold();
        if is_away && index == 0 {
            used.first_away_at = Some(now);
        }
        if !is_away && index == 0 {
            used.index = 0;
        } else if is_away && used.index == index {
            // Others that were under way at the same server have moved on already.
            used.index = (index + 1) % self.n_servers.max(1);
        }
    }
}

/// Sends a body in small pieces: a long one that another thread frees stays in memory for long.
fn body_of(packed: Vec<u8>) -> Body {
    let length = packed.len();
    if length > SENT_WHOLE_MAX { Body::sized(Cursor::new(packed), length as u64) } else { packed.into() }
}

/// Bytes that are sent as they are, without a copy of them.
struct SharedBytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn unpacked(batch: &FileBatch) -> Body {
    let head = batch.encode_head();
    let length = head.len() + batch.bytes.len();
    Body::sized(Cursor::new(head).chain(Cursor::new(SharedBytes(batch.bytes.clone()))), length as u64)
}

/// Returns where batches are posted at the server `url`.
fn address_of(url: &str) -> Result<Url, DeliverError> {
    let address = format!("{}/api/v1/ingest", url.trim_end_matches('/'));
    let parsed = Url::parse(&address).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    parsed.ok_or_else(|| {
        DeliverError::Refused(format!("{url}: not a server address; it must begin with http:// or https://"))
    })
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, DeliverError> {
    let refused = |error: &dyn std::fmt::Display| DeliverError::Refused(format!("{}: {error}", path.display()));
    let pem = std::fs::read(path).map_err(|error| refused(&error))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| refused(&chain(&error)))?;
    if found.is_empty() { Err(refused(&"it contains no certificate; a PEM file is needed")) } else { Ok(found) }
}

/// Returns the certificate of a client.
fn identity_of(cert: &Path, key: &Path) -> Result<Identity, DeliverError> {
    let refused =
        |path: &Path, error: &dyn std::fmt::Display| DeliverError::Refused(format!("{}: {error}", path.display()));
    let read = |path: &Path| std::fs::read(path).map_err(|error| refused(path, &error));
    let pem = [read(cert)?, b"\n".to_vec(), read(key)?].concat();
    Identity::from_pem(&pem).map_err(|error| refused(cert, &chain(&error)))
}

/// Answers that no repetition of the same bytes will change. A key that is wrong or an address that is not there
/// may be put right, and until then the file keeps what is not delivered.
fn is_refusal(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 409 | 415 | 422)
}

/// Returns how long an answer asks to wait: whole seconds, which is what our servers and most others say.
pub fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// Reads an answer; one that is too long or takes too long is none.
fn read_answer(mut response: Response) -> io::Result<Vec<u8>> {
    let (began, mut body, mut chunk) = (Instant::now(), Vec::new(), [0; 8 << 10]);
    loop {
        let n_read = response.read(&mut chunk)?;
        if n_read == 0 {
            return Ok(body);
        }
        body.extend_from_slice(chunk.get(..n_read).unwrap_or_default());
        if body.len() > ANSWER_BYTES_MAX || began.elapsed() > ANSWER_TIMEOUT {
            return Err(io::Error::other("it does not end"));
        }
    }
}

/// Parses an answer; `None` if it does not contain the outcome of the batch, whatever its status: something that is
/// no catat may say 200 to anything.
fn delivered_of(body: &[u8]) -> Option<DeliveryReceipt> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    answer["accepted"].as_u64()?;
    let duplicate = answer["duplicate"].as_bool().unwrap_or(false);
    let range = |range: &serde_json::Value| Some((range[0].as_u64()?, range[1].as_u64()?));
    let refused = answer["refused"].as_array().into_iter().flatten().filter_map(range).collect();
    let refusal = answer["rejected"][0]["error"].as_str().map(str::to_owned);
    let exemplars_left_out = answer["exemplars_left_out"].as_u64().unwrap_or(0);
    Some(DeliveryReceipt { duplicate, high_water: answer["high_water"].as_u64(), refused, refusal, exemplars_left_out })
}

/// Returns the message of an error answer, or the start of whatever came instead.
fn message_of(body: &[u8]) -> String {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    match answer["error"]["message"].as_str() {
        Some(message) => message.to_string(),
        None => String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned(),
    }
}

/// Returns what to do about a connection that does not come about: certificates, and TLS on one side alone.
pub fn connection_advice(url: &str, cause: &str) -> Option<String> {
    let says = |text: &str| cause.contains(text);
    let other = |from: &str, to: &str| url.replacen(from, to, 1);
    Some(match url.starts_with("https://") {
        true if says("UnknownIssuer") => {
            "The server's certificate is of an authority that this machine does not know. Name \
             the authority's certificate: SSL_CERT_FILE=/path/to/ca.pem, or ca_file under [ship] for `catat ship`."
                .to_owned()
        }
        true if says("NotValidForName") => {
            "The server's certificate is for another name; use one of its names in the address.".to_owned()
        }
        true if says("Expired") => "The server's certificate has expired; renew it (or set this clock).".to_owned(),
        true if says("InvalidContentType") || says("corrupt message") => {
            format!("The server speaks plain HTTP there: use {}.", other("https://", "http://"))
        }
        false if says("invalid HTTP version") || says("invalid HTTP") => {
            format!("The server speaks TLS there, it seems: use {}.", other("http://", "https://"))
        }
        _ => return None,
    })
}

/// Returns a reason with what to do about it.
fn with_advice(address: &Url, reason: String) -> String {
    let origin = address.origin().ascii_serialization();
    match connection_advice(&origin, &reason) {
        Some(advice) => format!("{reason}. {advice}"),
        None => reason,
    }
}

/// Returns an error with its causes on one line: the first one alone often means only that sending failed.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
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

//! Threads that fetch pages, so that targets that do not answer hold up no others.
//!
//! Threads are started when they are needed and end with the pool; one that waits for an answer then ends with its wait. So the
//! shipper stops without waiting for targets.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use types::{ByteSize, Hold, Timestamp, ensure};

use super::client::{ClientConfig, PageClient};
use super::host_page::HostPage;
use crate::http::chain;
use crate::shipper::now;

/// Most threads: so many targets may wait for their timeouts at the same time.
const THREADS_MAX: usize = 256;

/// Stack of a thread, which fetches and does nothing else.
const STACK_BYTES: usize = 512 << 10;

/// What is fetched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The page of a target, by its number.
    Page(u64),
    /// A list of targets, by its number.
    List(u64),
}

/// What is to be fetched.
pub(super) struct FetchRequest {
    pub(super) purpose: Purpose,
    pub(super) source: PageSource,
}

/// Where a page is.
pub(super) enum PageSource {
    Http(Box<HttpRequest>),
    /// This machine.
    Host(HostPage),
}

/// A request to a server.
pub(super) struct HttpRequest {
    pub(super) client: PageClient,
    pub(super) config: ClientConfig,
    pub(super) url: Url,
    pub(super) accept: String,
    pub(super) timeout: Duration,
    pub(super) is_compressed: bool,
    pub(super) bytes_max: u64,
}

/// A page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) text: String,
    pub(super) content_type: String,
}

/// What became of a request.
pub(super) struct Fetched {
    pub(super) purpose: Purpose,
    /// When the fetch began.
    pub(super) began: Timestamp,
    pub(super) took: Duration,
    pub(super) page: Result<Page, String>,
}

/// The threads and their work.
pub(super) struct FetchPool {
    queue: Arc<Queue>,
    results: Receiver<Fetched>,
    of_results: Sender<Fetched>,
    n_threads: usize,
}

#[derive(Default)]
struct Queue {
    state: Mutex<QueueState>,
    signal: Condvar,
}

#[derive(Default)]
struct QueueState {
    requests: VecDeque<FetchRequest>,
    n_idle: usize,
    is_closed: bool,
}

impl FetchPool {
    pub(super) fn new() -> Self {
        let (of_results, results) = channel();
        Self { queue: Arc::default(), results, of_results, n_threads: 0 }
    }

    /// Starts a request, or lets it wait while all threads are at work.
    pub(super) fn start(&mut self, request: FetchRequest) {
        let mut state = self.queue.state.hold();
        state.requests.push_back(request);
        let is_short = state.requests.len() > state.n_idle;
        drop(state);
        self.queue.signal.notify_one();
        if is_short && self.n_threads < THREADS_MAX {
            let (queue, results) = (self.queue.clone(), self.of_results.clone());
            let thread = std::thread::Builder::new().name("ship-scrape".to_owned()).stack_size(STACK_BYTES);
            // Without a further thread the request waits for one of the others.
            self.n_threads += usize::from(thread.spawn(move || work(&queue, &results)).is_ok());
        }
    }

    /// Waits for a result.
    pub(super) fn result(&self, wait: Duration) -> Option<Fetched> {
        self.results.recv_timeout(wait).ok()
    }
}

impl Drop for FetchPool {
    fn drop(&mut self) {
        self.queue.state.hold().is_closed = true;
        self.queue.signal.notify_all();
    }
}

fn work(queue: &Queue, results: &Sender<Fetched>) {
    while let Some(request) = queue.next() {
        let (began, started) = (now(), Instant::now());
        let page = match request.source {
            PageSource::Host(host) => host.page().map(|text| Page { text, content_type: String::new() }),
            PageSource::Http(request) => request.fetch(),
        };
        let fetched = Fetched { purpose: request.purpose, began, took: started.elapsed(), page };
        if results.send(fetched).is_err() {
            return;
        }
    }
}

impl Queue {
    fn next(&self) -> Option<FetchRequest> {
        let mut state = self.state.hold();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(request) = state.requests.pop_front() {
                return Some(request);
            }
            state.n_idle += 1;
            state = self.signal.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
            state.n_idle -= 1;
        }
    }
}

impl HttpRequest {
    fn fetch(&self) -> Result<Page, String> {
        let response = self.send()?;
        ensure!(response.status().is_success(), format!("server returned HTTP status {}", response.status()));
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (content_type, encoding) = (header(CONTENT_TYPE).to_owned(), header(CONTENT_ENCODING).to_ascii_lowercase());
        let bytes = match &*encoding {
            "" | "identity" => self.read(response),
            "gzip" => self.read(flate2::read::MultiGzDecoder::new(response)),
            other => Err(format!("content encoding {other:?} was not asked for")),
        }?;
        let text = String::from_utf8(bytes).map_err(|_| "the page is not UTF-8".to_owned())?;
        Ok(Page { text, content_type })
    }

    /// Sends the request; once more on a new connection where the server has closed the one that was used: it may have been kept open
    /// since the request before, until the server found it idle for too long.
    fn send(&self) -> Result<Response, String> {
        let started = Instant::now();
        let failed = |error: reqwest::Error| chain(&error.without_url());
        let error = match self.request(&self.client.pooled, self.timeout)?.send() {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let left = self.timeout.saturating_sub(started.elapsed());
        // The library does not say whether a connection was new, so that a server that answers nothing is asked twice.
        let is_broken = error.is_request() && !error.is_connect() && !error.is_timeout();
        ensure!(is_broken && !left.is_zero(), failed(error));
        self.request(&self.client.unpooled(&self.config)?, left)?.send().map_err(failed)
    }

    fn request(&self, client: &Client, timeout: Duration) -> Result<RequestBuilder, String> {
        let request = client.get(self.url.clone()).timeout(timeout).header(ACCEPT, &self.accept);
        let request = request.header("X-Prometheus-Scrape-Timeout-Seconds", self.timeout.as_secs_f64().to_string());
        let request = request.header(ACCEPT_ENCODING, if self.is_compressed { "gzip" } else { "identity" });
        self.config.authorize(request)
    }

    fn read(&self, body: impl Read) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let read = body.take(self.bytes_max.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| format!("page cut off: {error}"))?;
        if bytes.len() as u64 > self.bytes_max {
            return Err(format!("the page is larger than {} (body_size_limit)", ByteSize(self.bytes_max)));
        }
        Ok(bytes)
    }
}

/// Reports whether a content type is that of JSON.
pub(super) fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim() == "application/json"
}

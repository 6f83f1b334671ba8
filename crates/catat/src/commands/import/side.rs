//! One side of an import: addresses and headers of the source or of the server, and patience with both.

use std::time::{Duration, Instant};

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use types::{GroupName, Secret, Timestamp, ensure};

use crate::arguments::ImportOptions;
use crate::client::{Server, cause_of};
use crate::commands::spans::Range;
use crate::failure::Failure;

/// How long an answer may take: a source may count for minutes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a request is made again that may work later.
const PATIENCE: Duration = Duration::from_secs(180);

/// Logs compress well at any level; 1 costs least.
const ZSTD_LEVEL: i32 = 1;

/// Characters of a refusal that are shown.
const SHOWN_CHARS: usize = 500;

/// Begins a request to an address of a side.
type Begin<'s> = dyn Fn(Method, &str) -> RequestBuilder + Send + Sync + 's;

pub(in crate::commands) struct Side<'s> {
    /// What it is called in messages.
    pub(in crate::commands) name: String,
    /// Whether it is the one that stores.
    pub(in crate::commands) is_server: bool,
    /// Whether bodies are packed on the way to it.
    is_packed: bool,
    request: Box<Begin<'s>>,
}

impl<'s> Side<'s> {
    /// The source: its address, the header `Authorization`, and others.
    pub(in crate::commands) fn of_source(
        options: &ImportOptions,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Failure> {
        Self::of_url(&options.source, options.authorization.clone(), headers)
    }

    pub(in crate::commands) fn of_url(
        url: &Url,
        authorization: Option<Secret>,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Failure> {
        let agent = concat!("catat/", env!("CARGO_PKG_VERSION"));
        let client = || Client::builder().user_agent(agent).timeout(ANSWER_TIMEOUT);
        // A source by HTTP needs no certificates of authorities, which bare systems lack.
        let client = client().build().or_else(|_| client().tls_certs_only([]).build());
        let client = client.map_err(|error| Failure::other(error.to_string()))?;
        let base = url.as_str().trim_end_matches('/').to_owned();
        let headers: Vec<(&'static str, String)> =
            headers.iter().map(|(name, value)| (*name, (*value).into())).collect();
        let request = move |method: Method, path: &str| {
            let mut request = client.request(method, format!("{base}{path}"));
            if let Some(authorization) = &authorization {
                request = request.header("Authorization", authorization.reveal());
            }
            headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
        };
        Ok(Self { name: shown(url), is_server: false, is_packed: false, request: Box::new(request) })
    }

    /// The server that stores. Its doors of other protocols are at the addresses that these have, some of them below a prefix.
    pub(in crate::commands) fn of_server(server: &'s Server) -> Self {
        let request = |method: Method, path: &str| {
            let is_whole = ["/loki/", "/api/", "/firehose"].iter().any(|begin| path.starts_with(begin));
            let prefix = if is_whole { "" } else { "/elasticsearch" };
            server.request(method, &format!("{prefix}{path}"))
        };
        Self { name: "the server".into(), is_server: true, is_packed: !server.is_local, request: Box::new(request) }
    }

    pub(in crate::commands) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        (self.request)(method, path)
    }

    /// Gives a request its body.
    pub(in crate::commands) fn with_body(
        &self,
        request: RequestBuilder,
        body: Vec<u8>,
    ) -> Result<RequestBuilder, Failure> {
        if !self.is_packed {
            return Ok(request.body(body));
        }
        let packed = zstd::bulk::compress(&body, ZSTD_LEVEL).map_err(|error| Failure::other(error.to_string()))?;
        Ok(request.header("Content-Encoding", "zstd").body(packed))
    }

    /// Counts the events that a group of the server has, by spans of a width.
    pub(in crate::commands) fn counts(
        &self,
        group: &GroupName,
        (from, to): Range,
        width: &str,
    ) -> Result<Vec<(Timestamp, u64)>, Failure> {
        let query = format!("stats count(*) as n by bin({width}) as t | sort t asc");
        let (from, to) = (from.to_string(), to.to_string());
        let parameters = [("query", &*query), ("groups", group.as_str()), ("from", &from), ("to", &to)];
        let request = self.request(Method::GET, "/api/v1/query").query(&parameters);
        let text = self.send(request.query(&[("time_zone", "UTC"), ("format", "ndjson")]))?;
        let count = |line: &str| {
            let row: Value = serde_json::from_str(line).ok()?;
            row["t"].as_str().and_then(Timestamp::parse_rfc3339).zip(row["n"].as_u64())
        };
        let counts: Option<Vec<_>> = text.lines().map(count).collect();
        counts.ok_or_else(|| Failure::other("the server counted in a way that is not understood"))
    }

    /// Makes a request, again where it may work later, and reads the JSON of the answer.
    pub(in crate::commands) fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let text = self.send(request)?;
        serde_json::from_str(&text).map_err(|error| Failure::other(format!("{}: {error}", self.name)))
    }

    /// Makes a request, again where it may work later, and returns the answer's text.
    pub(in crate::commands) fn send(&self, request: RequestBuilder) -> Result<String, Failure> {
        let again = || request.try_clone().ok_or_else(|| Failure::other("a request that cannot be repeated"));
        self.send_each(&again)
    }

    /// The same with a request that is made for each attempt. Any status but 2xx is a failure with the words of the answer, unless the
    /// server says what of each event became.
    pub(in crate::commands) fn send_each(
        &self,
        request: &dyn Fn() -> Result<RequestBuilder, Failure>,
    ) -> Result<String, Failure> {
        let (began, mut n_failed) = (Instant::now(), 0);
        loop {
            let answer = request()?.send().and_then(|answer| {
                let (status, asked) = (answer.status(), ship::retry_after(&answer));
                Ok((status, asked, text(answer.bytes()?.into())))
            });
            let (failure, asked) = match answer {
                Ok((status, _, body)) if status.is_success() || is_outcome(&body) => return Ok(body),
                Ok((status, asked, body)) => {
                    let shown: String = body.chars().take(SHOWN_CHARS).collect();
                    let failure = Failure::other(format!("{}: {status}: {shown}", self.name));
                    let failure = failure.of_conflict(status.as_u16() == 409);
                    // Amazon's services say it with 400.
                    let is_throttled = body.contains("ThrottlingException") || body.contains("LimitExceeded");
                    ensure!(is_throttled || matches!(status.as_u16(), 408 | 425 | 429 | 500..=599), failure);
                    (failure, asked)
                }
                Err(error) => (Failure::unreachable(format!("{}: {}", self.name, cause_of(&error))), None),
            };
            n_failed += 1;
            let wait = ship::wait_before_retry(n_failed, asked, getrandom::u64().unwrap_or(0));
            ensure!(began.elapsed() + wait <= PATIENCE, failure);
            if n_failed == 1 {
                say!("catat: {}; trying again for {} s", failure.message, PATIENCE.as_secs());
            }
            std::thread::sleep(wait);
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Whether the server says which events it took and which it refused, although it took none.
fn is_outcome(body: &str) -> bool {
    body.starts_with("{\"accepted\":")
}

/// An answer as messages show it.
pub(in crate::commands) fn quoted(answer: &Value) -> String {
    let text = answer.to_string();
    if text.len() <= SHOWN_CHARS { text } else { text.chars().take(SHOWN_CHARS).chain("…".chars()).collect() }
}

/// An address without the password in it.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // An address that has no place for these has none.
    let _ = url.set_password(None);
    url.as_str().trim_end_matches('/').to_owned()
}

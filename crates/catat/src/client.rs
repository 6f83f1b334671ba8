//! The commands' client of a server: addresses, keys, and the exit codes of its errors.

use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use types::Secret;

use crate::arguments::{DEFAULT_URL, Remote};
use crate::failure::{Failure, Result};

/// Connecting to a server that is there takes milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of an error answer that are read.
const ERROR_BYTES_MAX: u64 = 1 << 20;

/// A server and the key for it.
pub(crate) struct Server {
    client: Client,
    url: String,
    key: Option<Secret>,
    /// Whether it is on this machine: bodies need not be packed for it.
    pub(crate) is_local: bool,
}

/// The body of every error.
#[derive(Debug, Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Debug, Deserialize)]
struct ErrorDetail {
    message: String,
    line: Option<usize>,
    column: Option<usize>,
    hint: Option<String>,
}

impl Server {
    /// Takes address and key from the arguments, or the admin key of a loopback server if it can be read.
    pub(crate) fn new(remote: &Remote) -> Result<Self> {
        let agent = concat!("catat/", env!("CARGO_PKG_VERSION"));
        let client = || Client::builder().user_agent(agent).connect_timeout(CONNECT_TIMEOUT).timeout(None);
        // A server by HTTP needs no certificates of authorities, which bare systems lack.
        let client = client().build().or_else(|_| client().tls_certs_only([]).build());
        let client = client.map_err(|error| Failure::other(error.to_string()))?;
        let remote = remote.data_dir.as_ref().map_or_else(|| Ok(remote.clone()), |dir| on_data_dir(dir, remote))?;
        let url = remote.url.trim_end_matches('/').to_owned();
        let parsed = reqwest::Url::parse(&url)
            .map_err(|error| Failure::usage(format!("--url {url}: {error}; write http://HOST:PORT")))?;
        let is_local = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let key = remote.key.clone().or_else(|| if is_local { local_admin_key() } else { None });
        Ok(Self { client, url, key, is_local })
    }

    /// Returns a request to the route `path`, with the key.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.bearer_auth(key.reveal()),
            None => request,
        }
    }

    /// Sends a request; any status but 2xx is a failure with the server's message. `query` is shown with the place of an
    /// error in it.
    pub(crate) fn send(&self, request: RequestBuilder, query: &str) -> Result<Response> {
        let response = self.attempt(request)?;
        if response.status().is_success() { Ok(response) } else { Err(self.refusal(response, query)) }
    }

    /// Sends a request as [`Self::send`] does, and reads the JSON of the answer.
    pub(crate) fn ask<T: DeserializeOwned>(&self, request: RequestBuilder, query: &str) -> Result<T> {
        self.send(request, query)?.json().map_err(broken_off)
    }

    /// Asks the route `path`, which reads, and returns the JSON of its answer.
    pub(crate) fn get(&self, path: &str) -> Result<serde_json::Value> {
        self.ask(self.request(reqwest::Method::GET, path), "")
    }

    /// Deletes what is at `path`, and says so.
    pub(crate) fn delete(&self, path: &str, name: &str) -> Result<()> {
        self.send(self.request(reqwest::Method::DELETE, path), "")?;
        say!("catat: {name} deleted");
        Ok(())
    }

    /// Sends a request and returns the answer, whatever its status.
    pub(crate) fn attempt(&self, request: RequestBuilder) -> Result<Response> {
        request.send().map_err(|error| self.unreachable(&error))
    }

    fn refusal(&self, response: Response, query: &str) -> Failure {
        use std::io::Read;
        let status = response.status();
        let mut body = Vec::new();
        // Part of an answer is better than none.
        let _ = response.take(ERROR_BYTES_MAX).read_to_end(&mut body);
        self.refusal_of(status, &body, query)
    }

    /// Makes a failure of an answer that is no success.
    pub(crate) fn refusal_of(&self, status: StatusCode, body: &[u8], query: &str) -> Failure {
        let message = match serde_json::from_slice::<ErrorBody>(body) {
            Ok(body) => self.located(&body.error, query),
            Err(_) => format!("{status}: {}", String::from_utf8_lossy(body).chars().take(500).collect::<String>()),
        };
        match status.as_u16() {
            401 | 403 => Failure::not_allowed(format!(
                "{message}\nGive a key with --key or CATAT_KEY, or name the server's data directory with --data-dir; see \
                 {}/docs/security.",
                self.url
            )),
            400..=499 => Failure::usage(message),
            _ => Failure::other(message),
        }
    }

    /// Returns the message with the line of the query and a caret below the place. Pages of the manual get the server's
    /// address.
    fn located(&self, error: &ErrorDetail, query: &str) -> String {
        let hint = error.hint.as_ref().map(|hint| hint.replace("see /docs/", &format!("see {}/docs/", self.url)));
        crate::output::located_error(&error.message, error.line, error.column, hint.as_deref(), query)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let cause = cause_of(error);
        let next = ship::connection_advice(&self.url, &cause);
        let next =
            next.unwrap_or_else(|| "Start one with `catat up`, or name another with --url or CATAT_URL.".to_owned());
        Failure::unreachable(format!("no server answers at {} ({cause})\n{next}", self.url))
    }
}

/// Returns the path of a thing: a group, a dashboard, a report, a lookup table.
pub(crate) fn path_of(kind: &str, name: &str) -> String {
    format!("/api/v1/{kind}/{}", types::percent_encoded(name))
}

/// Adds the members that were given to the body of a request.
pub(crate) fn add_given(body: &mut Value, given: &[(&str, &Option<String>)]) {
    for (name, value) in given {
        value.iter().for_each(|value| body[*name] = value.as_str().into());
    }
}

/// Returns the server that runs on a data directory: its address, and its admin key if no key was given.
fn on_data_dir(dir: &Path, remote: &Remote) -> Result<Remote> {
    let line = |name: &str| std::fs::read_to_string(dir.join(name)).map(|text| text.trim().to_owned());
    let mut remote = remote.clone();
    // An address that was given is meant.
    if remote.url == DEFAULT_URL
        && let Ok(url) = line("address")
    {
        remote.url = url;
    }
    if remote.key.is_none() {
        let key = line("admin.key").map_err(|error| {
            let path = dir.join("admin.key");
            Failure::usage(format!("--data-dir {}: {}: {error}", dir.display(), path.display()))
        })?;
        remote.key = Some(Secret::from(key));
    }
    Ok(remote)
}

/// Returns the admin key of the server on this machine if this user may read it.
fn local_admin_key() -> Option<Secret> {
    let layers = crate::config::Layers::read(&Default::default(), &std::env::vars().collect::<Vec<_>>()).ok()?;
    let (_, dir) = layers.all().find(|(setting, _)| (setting.section, setting.key) == ("storage", "dir"))?;
    let key = std::fs::read_to_string(Path::new(&dir.value).join("admin.key")).ok()?;
    Some(key.trim()).filter(|key| !key.is_empty()).map(Secret::from)
}

/// Returns the innermost cause of an error, which says what happened to the connection.
pub(crate) fn cause_of(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Makes a failure of an answer that ended early or has another form than expected.
pub(crate) fn broken_off(error: reqwest::Error) -> Failure {
    Failure::unreachable(format!("the answer broke off: {error}"))
}

//! What went wrong, as HTTP says it: the only place that maps errors of the other rooms to statuses and codes.
//!
//! The form is `{"error":{"code","message","line","column","start","end","hint"}}`; foreign doors
//! take a [`Problem`] apart and say the same in their own form.

use alert::DefinitionError;
use alert::metrics::{MetricError, MetricsError};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use esql::EsqlError;
use execute::{ExecuteError, TailError};
use ingest::IngestError;
use language::SearchError;
use plan::{QueryError, QueryErrors};
use serde::Serialize;
use serde_json::{Map, Value, json};
use storage::{AppendError, StoreError};

/// Seconds after which a sender tries again what waits for an operator: not often, and soon after the repair.
const RETRY_AFTER_REPAIR_S: u64 = 30;

/// What to do about a disk that failed. Nothing that was acknowledged is lost by it.
pub const AFTER_POISON: &str = "check the disk, then restart catat: what was acknowledged is read back";

/// The page of the manual that explains errors by their codes.
const TROUBLESHOOTING: &str = include_str!("../../../docs/troubleshooting.md");

/// What most of a request returns.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// An answer that is an error.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// The status that fits it.
    pub status: StatusCode,
    /// Stable code, `kebab-case`.
    pub code: &'static str,
    /// What is wrong, naming the object.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
    /// Seconds after which to try again.
    pub retry_after_s: Option<u64>,
    /// Located errors of a query text, the first one being this problem.
    pub places: Vec<QueryError>,
}

/// Returns a document as it is stored.
///
/// # Errors
/// If JSON cannot say it.
pub fn to_json(document: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(document).map_err(|error| Problem::internal(error.to_string()))
}

/// Returns random bytes.
///
/// # Errors
/// If the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Problem::internal(format!("no random numbers: {error}")))?;
    Ok(bytes)
}

impl Problem {
    /// Makes a problem without place or hint.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: None, retry_after_s: None, places: Vec::new() }
    }

    /// Returns the problem of a request that cannot be understood.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Returns the problem of a thing that does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", message)
    }

    /// Returns the problem of a parameter that cannot be taken.
    pub fn bad_parameter(message: impl Into<String>) -> Self {
        Self::bad_request("bad-parameter", message)
    }

    /// Returns the problem of something that the caller may not do.
    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// Returns the problem of a request that does not fit what is there.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// Returns the problem of a request that is understood and asks for too much.
    pub fn unprocessable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// Returns the problem of a server that does not do this at the moment.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }

    /// More at once than the server does; worth another try soon.
    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", message).retry_after(1)
    }

    /// Returns the problem of a server that shuts down.
    pub fn closing() -> Self {
        Self::unavailable("shutting-down", "the server is shutting down").retry_after(5)
    }

    /// Returns the problem of a store that lost its control store.
    pub fn locked(reason: &str) -> Self {
        Self::unavailable("locked", reason).retry_after(RETRY_AFTER_REPAIR_S)
    }

    fn poisoned(message: String) -> Self {
        Self::unavailable("poisoned", message).hint(AFTER_POISON)
    }

    fn disk_full(message: String) -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", message)
    }

    /// Returns the problem of an internal error.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// Says after how many seconds to try again.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// Says what to do instead.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns message and hint in one text, for formats that have room for one.
    pub fn sentence(&self) -> String {
        let hint = self.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{}{hint}", self.message)
    }

    /// Returns the problem as the value of `error`.
    pub fn to_json(&self) -> Value {
        if let Some(first) = self.places.first() {
            return place_json(first);
        }
        let mut error = Map::new();
        error.insert("code".into(), self.code.into());
        error.insert("message".into(), self.message.clone().into());
        if let Some(hint) = self.hint.clone().or_else(|| page_about(self.code)) {
            error.insert("hint".into(), hint.into());
        }
        Value::Object(error)
    }

    /// Puts `Retry-After` onto an answer where the problem has one.
    pub fn mark(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Returns where the manual explains a code, for problems without a hint of their own; `None` where it does not.
fn page_about(code: &str) -> Option<String> {
    let quoted = format!("`{code}`");
    let mut first_cells = TROUBLESHOOTING.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let is_explained = first_cells.any(|cell| cell.starts_with('`') && cell.contains(&quoted));
    is_explained.then(|| format!("see /docs/troubleshooting#{code}"))
}

/// Returns a located error of a query text as JSON.
pub fn place_json(error: &QueryError) -> Value {
    let mut json = json!({
        "code": error.code, "message": error.message, "line": error.line, "column": error.column,
        "start": error.start, "end": error.end,
    });
    if let Some(hint) = &error.hint {
        json["hint"] = hint.clone().into();
    }
    json
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.to_json() });
        if self.places.len() > 1 {
            body["errors"] = self.places.iter().map(place_json).collect();
        }
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let mut response = self.mark((self.status, json, body.to_string()).into_response());
        // Where a foreign protocol is spoken, it is said once more in that one's form.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<QueryErrors> for Problem {
    fn from(errors: QueryErrors) -> Self {
        let message = errors.0.first().map_or_else(|| "the query has a mistake".to_owned(), |e| e.message.clone());
        let code = errors.0.first().map_or("bad-query", |error| error.code);
        Self { places: errors.0, ..Self::bad_request(code, message) }
    }
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        let too_large = StatusCode::PAYLOAD_TOO_LARGE;
        let message = error.to_string();
        match error {
            IngestError::TooLarge { .. }
            | IngestError::Bomb { .. }
            | IngestError::TooManyFields { .. }
            | IngestError::TooManyActions { .. } => Self::new(too_large, "body-too-large", message),
            IngestError::BadEncoding { .. } => Self::bad_request("bad-encoding", message),
            IngestError::BadHeader(_) => Self::bad_request("bad-header", message),
            IngestError::BadBody { .. } => Self::bad_request("bad-body", message),
            IngestError::NoStreams => Self::unprocessable("no-streams", message),
            IngestError::OutOfScope(_) => {
                let problem = Self::forbidden("group-out-of-scope", message);
                problem.hint("send to one of the groups that the key was made for, or make another key")
            }
            IngestError::OnItsWay => Self::busy(message),
            IngestError::Store(error) => error.into(),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        let message = error.to_string();
        match error {
            AppendError::KeyConflict => Self::conflict("batch-conflict", message),
            AppendError::PositionChanged => Self::unavailable("position-changed", message).retry_after(1),
            AppendError::Overloaded { retry_after_s } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", message).retry_after(retry_after_s)
            }
            AppendError::Away { retry_after_s, .. } => {
                Self::unavailable("unavailable", message).retry_after(retry_after_s)
            }
            AppendError::Draining { retry_after_s } => {
                Self::unavailable("draining", message).retry_after(retry_after_s)
            }
            AppendError::DiskFull { .. } => Self::disk_full(message).retry_after(RETRY_AFTER_REPAIR_S),
            AppendError::Poisoned(_) => Self::poisoned(message).retry_after(RETRY_AFTER_REPAIR_S),
            AppendError::Locked(reason) => Self::locked(&reason),
            AppendError::ShuttingDown => Self::closing(),
            AppendError::TooLarge(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "batch-too-large", message),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Poisoned(_) => Self::poisoned(message),
            StoreError::Locked(reason) => Self::locked(&reason),
            StoreError::ShuttingDown => Self::closing(),
            StoreError::NoGroup(_) => Self::not_found(message),
            StoreError::TooManyEvents { .. } => Self::unprocessable("too-many-events", message),
            StoreError::TooManyDeletions { .. } => Self::busy(message),
            StoreError::Catalog(error) if error.is_refused() => {
                Self::unavailable("unavailable", message).retry_after(2)
            }
            StoreError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Self::disk_full(message)
            }
            error => {
                tracing::error!(%error, "work on the store failed");
                Self::internal(message)
            }
        }
    }
}

impl From<TailError> for Problem {
    fn from(error: TailError) -> Self {
        Self::bad_request("not-tailable", error.to_string())
    }
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        let message = error.to_string();
        match error {
            ExecuteError::Memory { .. } => Self::unprocessable("query-memory", message),
            ExecuteError::MemoryOfAll { .. } => Self::unavailable("queries-memory", message).retry_after(1),
            ExecuteError::SpillLimit { .. } => Self::unprocessable("query-spill", message),
            ExecuteError::Spill(_) => Self::new(StatusCode::INSUFFICIENT_STORAGE, "query-disk", message),
            ExecuteError::SubqueryTooLarge { .. } => Self::unprocessable("subquery-too-large", message),
            ExecuteError::UnknownTable(_) => {
                let hint = "upload it: catat lookups put NAME FILE, or PUT /api/v1/lookups/NAME";
                Self::bad_request("unknown-table", message).hint(hint)
            }
            ExecuteError::UnknownColumn { .. } => Self::bad_request("unknown-column", message),
            ExecuteError::Subquery => Self::bad_request("unsupported", message),
            ExecuteError::NoThread(_) => Self::busy(message),
            ExecuteError::Panicked | ExecuteError::NoProjection => Self::internal(message),
        }
    }
}

impl From<DefinitionError> for Problem {
    fn from(error: DefinitionError) -> Self {
        let message = error.to_string();
        match error {
            DefinitionError::NotFound(_) => Self::not_found(message),
            DefinitionError::Exists(_) => Self::conflict("exists", message).hint("PUT replaces it"),
            DefinitionError::InFile { .. } => {
                Self::conflict("in-file", message).hint("then POST /api/v1/status/reload, or send SIGHUP")
            }
            DefinitionError::Bad(_) => Self::bad_request("bad-definition", message),
            DefinitionError::NotAllowed(_) => Self::forbidden("not-allowed", message),
            DefinitionError::Kept(_) => Self::internal(message),
        }
    }
}

impl From<MetricsError> for Problem {
    fn from(error: MetricsError) -> Self {
        let message = error.to_string();
        match error {
            MetricsError::Metric(MetricError::Query(errors)) => errors.into(),
            MetricsError::Metric(_) => Self::bad_request("bad-metric", message),
            MetricsError::Taken(_) => Self::conflict("metric-exists", message),
            MetricsError::Unknown(_) => Self::not_found(message),
            MetricsError::OfFile { .. } => Self::conflict("metric-of-file", message),
            MetricsError::TooMany => Self::conflict("too-many-metrics", message).hint("delete some that nobody reads"),
            MetricsError::OwnGroups => Self::forbidden("group-out-of-scope", message),
            MetricsError::Store(error) => error.into(),
        }
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        Self::bad_request(error.kind, error.reason)
    }
}

impl From<EsqlError> for Problem {
    fn from(error: EsqlError) -> Self {
        Self::bad_request(error.kind, error.reason)
    }
}

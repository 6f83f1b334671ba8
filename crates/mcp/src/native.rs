//! Native routes, asked in the same process as the caller of a tool.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Extensions, Method, Request, header};
use door::Table;
use serde_json::Value as Json;
use tower::ServiceExt;
use types::percent_encoded;

/// Largest answer that is read: a trace of ten thousand spans.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// The native routes.
#[derive(Clone)]
pub(crate) struct Native {
    routes: Router,
    /// The paths of the routes.
    paths: Arc<BTreeSet<&'static str>>,
    /// Where the page is, for links.
    base_url: Arc<str>,
    /// What the guard has found out of the caller.
    caller: Extensions,
}

impl Native {
    pub(crate) fn new(table: Table, base_url: &str) -> Self {
        let paths = Arc::new(table.entries().iter().map(|entry| entry.path).collect());
        Self { routes: table.into_router(), paths, base_url: base_url.into(), caller: Extensions::new() }
    }

    /// Reports whether the server has a route.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Returns the routes as a caller sees them, by what the guard has put into their request.
    pub(crate) fn of_caller(&self, caller: &Extensions) -> Self {
        Self { caller: caller.clone(), ..self.clone() }
    }

    /// Returns a link to a place of the page.
    pub(crate) fn link(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        format!("{}{}", self.base_url, address(path, parameters))
    }

    /// Asks with the parameters of an address.
    pub(crate) async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Json, String> {
        self.ask(Method::GET, &address(path, parameters), None).await
    }

    /// Asks with a body.
    pub(crate) async fn post(&self, path: &str, body: &Json) -> Result<Json, String> {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn ask(&self, method: Method, address: &str, body: Option<&Json>) -> Result<Json, String> {
        let request = Request::builder().method(method).uri(address).header(header::ACCEPT, "application/json");
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
        let mut request = request.map_err(|error| format!("the request cannot be made: {error}"))?;
        *request.extensions_mut() = self.caller.clone();
        // The router answers every request.
        let Ok(response) = self.routes.clone().oneshot(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await;
        let bytes =
            bytes.map_err(|_| "the answer is too large; ask for a shorter range or a lower limit".to_owned())?;
        let json: Json = serde_json::from_slice(&bytes).map_err(|_| format!("the server answered {status}"))?;
        if status.is_success() { Ok(json) } else { Err(refusal(&json)) }
    }
}

/// Returns an error of the API as one text.
fn refusal(json: &Json) -> String {
    let error = &json["error"];
    let text = |name: &str| error[name].as_str().map(str::to_owned);
    let place = match (error["line"].as_u64(), error["column"].as_u64()) {
        (Some(line), Some(column)) => format!(" at {line}:{column}"),
        _ => String::new(),
    };
    let hint = text("hint").map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}: {}{place}{hint}", text("code").unwrap_or_default(), text("message").unwrap_or_default())
}

fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let parameters = parameters.iter().filter(|(_, value)| !value.is_empty());
    let parameters: Vec<String> =
        parameters.map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
    if parameters.is_empty() { path.to_owned() } else { format!("{path}?{}", parameters.join("&")) }
}

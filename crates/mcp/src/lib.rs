//! The Model Context Protocol: tools with which an agent investigates, at `/mcp` over streamable HTTP.
//!
//! ```text
//! POST /mcp ─► guard (key, role, scope) ─► rmcp (JSON-RPC) ─► tool ─► native route, as the caller ─► answer, fitted
//! ```
//!
//! A tool asks native routes with the rights of the caller and has no logic of its own: what it answers, the API answers.
//! All tools only read. An answer has at most 6,000 tokens unless the caller asks for more; what is left out is counted.
//! Texts from logs are values in JSON, with control characters shown; nothing in them becomes part of a tool's own words.
//!
//! There are no sessions: each request stands for itself, so any node of a fleet answers any of them. Keeps nothing.

mod agent;
mod fit;
mod native;
mod tools;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use door::access::Role;
use door::server::{FamilyServer, FamilyState, Server};
use door::table::Table;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::agent::Agent;
use crate::native::Native;

/// Largest request: a query and its arguments.
const BODY_BYTES_MAX: usize = 256 << 10;

/// What answers at `/mcp`.
pub struct McpState {
    service: StreamableHttpService<Agent, NeverSessionManager>,
}

impl McpState {
    /// Makes the tools over `routes`, the native routes of a server.
    pub fn start(server: &Arc<Server>, routes: Table) -> Arc<Self> {
        let native = Native::new(routes, server.app.alerts.base_url());
        let version = server.app.version.clone();
        // The guard of the door has checked Host, Origin and the key before a request comes here.
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(BODY_BYTES_MAX)
            .disable_allowed_hosts()
            .disable_allowed_origins();
        let agent = move || Ok(Agent::new(native.clone(), &version));
        Arc::new(Self { service: StreamableHttpService::new(agent, Arc::default(), config) })
    }
}

/// Returns the routes of this protocol.
pub fn routes() -> Table<FamilyState<McpState>> {
    Table::default().post("/mcp", Role::Read, post)
}

async fn post(server: FamilyServer<McpState>, request: Request) -> Response {
    server.state.service.handle(request).await.into_response()
}

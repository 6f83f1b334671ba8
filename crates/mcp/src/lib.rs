//! The Model Context Protocol: tools with which an agent investigates, at `/mcp` over streamable HTTP.
//!
//! ```text
//! POST /mcp ─► guard (key, role, scope) ─► JSON-RPC ─► tool ─► native route, as the caller ─► answer, fitted
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
mod revision;
mod rpc;
mod tools;

use std::sync::Arc;

use axum::http::StatusCode;
use door::access::is_json;
use door::{Call, Outcome, Problem, Reply, RequestBody, Result, Role, Routes, Server, Table};

use crate::agent::Agent;
use crate::native::Native;
use crate::rpc::{Message, RpcCode, RpcError};

/// Largest request: a query and its arguments.
const BODY_BYTES_MAX: usize = 256 << 10;

/// What answers at `/mcp`.
pub struct McpState {
    agent: Agent,
}

impl McpState {
    /// Makes the tools over `routes`, the native routes of a server.
    pub fn start(server: &Arc<Server>, routes: Table) -> Arc<Self> {
        let native = Native::new(routes, server.app.alerts.base_url());
        Arc::new(Self { agent: Agent::new(native, &server.app.version) })
    }
}

/// Returns the routes of this protocol.
pub fn routes() -> Routes<McpState> {
    Routes::default().post("/mcp", Role::Read, post)
}

/// Answers one message. A caller that goes away drops the work.
fn post(call: Call<McpState>) -> Outcome {
    if !is_json(&call.parts.headers) {
        let refusal = RpcError::refused(RpcCode::InvalidRequest, "Content-Type: application/json is needed");
        return Ok(rpc::reply(None, Err(RpcError { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, ..refusal })));
    }
    let unread = |problem: Problem| RpcError {
        status: problem.status,
        ..RpcError::refused(RpcCode::InvalidRequest, problem.message)
    };
    let answer = move |body: Result<RequestBody>| {
        let message = body.map_err(unread).and_then(|body| Message::read(body.bytes()));
        message.and_then(|message| answer(call, message)).or_else(|refusal| Ok(rpc::reply(None, Err(refusal))))
    };
    Ok(Reply::Body(BODY_BYTES_MAX, Box::new(answer)))
}

fn answer(Call { server, parts, .. }: Call<McpState>, message: Message) -> Result<Reply, RpcError> {
    let lifecycle = revision::check(&parts.headers, &message);
    let Some(id) = message.id.clone() else { return lifecycle.map(|_| StatusCode::ACCEPTED.into()) };
    Ok(Reply::later(async move {
        let outcome = match lifecycle {
            Ok(lifecycle) => server.state.agent.answer(message, lifecycle, &parts.extensions).await,
            Err(refusal) => Err(refusal),
        };
        Ok(rpc::reply(Some(id), outcome))
    }))
}

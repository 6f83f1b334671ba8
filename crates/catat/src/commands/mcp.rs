//! `catat mcp`: lets an agent that starts programs speak to a server, over standard input and output.
//!
//! Each line of standard input is a message of the Model Context Protocol. It is posted to `/mcp` of the server with the
//! key of this command, and the answer is a line on standard output. The server has the tools; nothing is kept here.

use std::io::{BufRead, Write};

use reqwest::Method;
use serde_json::{Value, json};

use crate::arguments::Mcp;
use crate::client::Server;
use crate::failure::{Failure, Result};

/// Largest message.
const MESSAGE_BYTES_MAX: u64 = 1 << 20;

/// The code of JSON-RPC for what is no JSON, and for errors of a server.
const PARSE_ERROR: i64 = -32_700;
const INTERNAL_ERROR: i64 = -32_603;

/// Answers messages until standard input ends.
pub(crate) fn mcp(options: Mcp) -> Result<()> {
    let server = Server::new(&options.remote)?;
    let mut bridge = Bridge { server, protocol: None };
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = std::io::Read::take(&mut input, MESSAGE_BYTES_MAX);
        let n_bytes =
            limited.read_until(b'\n', &mut line).map_err(|error| Failure::usage(format!("standard input: {error}")))?;
        if n_bytes == 0 {
            return Ok(());
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Some(answer) = bridge.answer(&line) {
            let written = writeln!(output, "{answer}").and_then(|()| output.flush());
            // Whoever started this has gone.
            if written.is_err() {
                return Ok(());
            }
        }
    }
}

struct Bridge {
    server: Server,
    /// The revision that was agreed on.
    protocol: Option<String>,
}

impl Bridge {
    /// Returns the answer to a message; none to a notification.
    fn answer(&mut self, line: &[u8]) -> Option<Value> {
        let message: Value = match serde_json::from_slice(line) {
            Ok(message) => message,
            Err(error) => return Some(failure(&Value::Null, PARSE_ERROR, &format!("the message is no JSON: {error}"))),
        };
        let id = message.get("id").cloned();
        let mut request = self.server.request(Method::POST, "/mcp");
        request = request.header("Accept", "application/json, text/event-stream");
        if let Some(protocol) = &self.protocol {
            request = request.header("MCP-Protocol-Version", protocol);
        }
        let answered = self.server.send(request.json(&message), "");
        let text = answered.and_then(|answer| answer.text().map_err(crate::client::broken_off));
        match (text, id) {
            (Ok(text), Some(id)) => {
                let answer = message_of(&text).unwrap_or_else(|| {
                    failure(&id, INTERNAL_ERROR, "the server's answer is no message of this protocol")
                });
                if let Some(protocol) = answer["result"]["protocolVersion"].as_str() {
                    self.protocol = Some(protocol.to_owned());
                }
                Some(answer)
            }
            (Err(error), Some(id)) => Some(failure(&id, INTERNAL_ERROR, &error.message)),
            // Nobody waits for an answer to a notification.
            (_, None) => None,
        }
    }
}

/// Returns the message of an answer: a JSON object, or the last event of a stream.
fn message_of(text: &str) -> Option<Value> {
    let whole = serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    let data = || {
        text.lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter_map(|data| serde_json::from_str(data.trim()).ok())
    };
    whole.or_else(|| data().rfind(Value::is_object))
}

fn failure(id: &Value, code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

#[cfg(test)]
mod tests;

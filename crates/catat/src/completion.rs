//! Shell completion that asks a server: for names of groups, and for the next words of a query.
//!
//! The script that `catat completions` prints asks `catat` at each key: options and their values from the definitions of the
//! arguments, the rest from the server of `CATAT_URL`. A server that is away or slow is none: nothing is worse than a key that
//! hangs.

use std::ffi::OsStr;
use std::time::Duration;

use clap::{Command, Parser};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use reqwest::Method;
use serde_json::{Value, json};

use crate::arguments::Remote;
use crate::client::Server;

/// How long a key may take.
const PATIENCE: Duration = Duration::from_millis(400);

/// What is typed to name a server.
#[derive(Parser)]
struct Named {
    #[command(flatten)]
    remote: Remote,
}

/// Lets arguments be completed by what a server knows.
pub(crate) fn with_server(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let names = argument.get_value_names();
        let name = names.and_then(|names| names.first()).map_or(argument.get_id().as_str(), |name| name.as_str());
        match &*name.to_ascii_lowercase() {
            "group" => argument.add(ArgValueCompleter::new(groups)),
            "query" => argument.add(ArgValueCompleter::new(query)),
            _ => argument,
        }
    });
    command.mut_subcommands(with_server)
}

fn ask(method: Method, path: &str, body: Option<&Value>) -> Option<Value> {
    let server = Server::new(&Named::try_parse_from(["catat"]).ok()?.remote).ok()?;
    let mut request = server.request(method, path).timeout(PATIENCE);
    if let Some(body) = body {
        request = request.json(body);
    }
    server.ask(request, "").ok()
}

/// Groups that begin with what was typed.
fn groups(typed: &OsStr) -> Vec<CompletionCandidate> {
    let answer = ask(Method::GET, "/api/v1/groups", None).unwrap_or_default();
    let names = answer["groups"].as_array().into_iter().flatten().filter_map(|group| group["name"].as_str());
    let typed = typed.to_string_lossy();
    names.filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new).collect()
}

/// Queries that go on as the server's parser knows.
fn query(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let answer = ask(Method::POST, "/api/v1/complete", Some(&json!({"query": typed}))).unwrap_or_default();
    continued(&typed, &answer)
}

fn continued(typed: &str, answer: &Value) -> Vec<CompletionCandidate> {
    // The server counts in UTF-16.
    let start = answer["start"].as_u64().unwrap_or_default();
    let mut n_units = 0;
    let before: String = typed
        .chars()
        .take_while(|c| {
            n_units += c.len_utf16() as u64;
            n_units <= start
        })
        .collect();
    let items = answer["items"].as_array().into_iter().flatten();
    let texts = items.filter_map(|item| item["insert"].as_str().or(item["label"].as_str()));
    texts.map(|text| CompletionCandidate::new(format!("{before}{text}"))).collect()
}

#[cfg(test)]
mod tests;

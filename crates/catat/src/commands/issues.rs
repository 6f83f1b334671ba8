//! `catat issues`: lists issues, and changes what was decided about them.

use reqwest::Method;
use serde_json::{Map, Value, json};
use types::percent_encoded;

use crate::arguments::{IssueCommand, Issues, SetIssue};
use crate::client::Server;
use crate::failure::Result;
use crate::output::{print_rows, print_thing};

/// Columns of a list of issues.
const COLUMNS: &str = "id state count last_seen first_seen group service owner title";

pub(crate) fn issues(options: Issues) -> Result<()> {
    let server = Server::new(&options.client.remote)?;
    let ask = |method: Method, path: &str, body: Option<&Value>| -> Result<Value> {
        let request = server.request(method, &format!("/api/v1/issues{path}"));
        let request = if let Some(body) = body { request.json(body) } else { request };
        server.ask(request, "")
    };
    match &options.command {
        None | Some(IssueCommand::List(_)) => {
            let outer = &options.filter;
            let own = if let Some(IssueCommand::List(own)) = &options.command { own } else { outer };
            let named = [
                ("state", own.state.as_ref().or(outer.state.as_ref())),
                ("service", own.service.as_ref().or(outer.service.as_ref())),
                ("groups", own.group.as_ref().or(outer.group.as_ref())),
                ("users", options.users.as_ref()),
            ];
            let named: Vec<(&str, &String)> =
                named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            let answer: Value = server.ask(server.request(Method::GET, "/api/v1/issues").query(&named), "")?;
            // Users are next to the number of events.
            let counts = if options.users.is_some() { "count users:/users/count" } else { "count" };
            print_rows(&options.client.printing, &COLUMNS.replace("count", counts), rows_of(&answer))
        }
        Some(IssueCommand::Show { id }) => {
            let named = options.users.iter().map(|field| ("users", field)).collect::<Vec<_>>();
            let request = server.request(Method::GET, &format!("/api/v1/issues{}", path_of(id))).query(&named);
            print_thing(&options.client.printing, &server.ask(request, "")?)
        }
        Some(IssueCommand::Set(set)) => {
            let changed = ask(Method::PATCH, &path_of(&set.id), Some(&change_of(set)))?;
            print_thing(&options.client.printing, &changed)
        }
        Some(IssueCommand::Merge { ids }) => {
            let merged = ask(Method::POST, "/merge", Some(&json!({"ids": ids})))?;
            print_thing(&options.client.printing, &merged)
        }
        Some(IssueCommand::Split { id }) => {
            let apart = ask(Method::POST, &format!("{}/split", path_of(id)), None)?;
            print_rows(&options.client.printing, COLUMNS, rows_of(&apart))
        }
    }
}

fn rows_of(answer: &Value) -> &[Value] {
    answer["issues"].as_array().map_or(&[][..], Vec::as_slice)
}

fn path_of(id: &str) -> String {
    format!("/{}", percent_encoded(id))
}

/// Returns the members that were named. An empty text takes a value away.
fn change_of(set: &SetIssue) -> Value {
    let texts = [("state", &set.state), ("owner", &set.owner), ("note", &set.note), ("version", &set.version)];
    let mut change: Map<String, Value> = texts
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), text.clone()?)))
        .map(|(name, text)| (name, if text.is_empty() { Value::Null } else { text.into() }))
        .collect();
    if let Some(until) = &set.until {
        let until = until.parse::<u64>().map_or_else(|_| until.as_str().into(), Value::from);
        change.insert("until".into(), until);
    }
    Value::Object(change)
}

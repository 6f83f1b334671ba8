//! `catat suggestions`: pipelines that may be worth it for a group, and making one of them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::arguments::Suggestions;
use crate::client::Server;
use crate::failure::{Failure, Result};
use crate::output::{print_rows, print_thing, say_partial};

/// Columns of the list of suggestions.
const COLUMNS: &str = "id suggestion:/title events event_share bytes byte_share needed_by pattern";

pub(crate) fn suggestions(options: Suggestions) -> Result<()> {
    let server = Server::new(&options.client.remote)?;
    let mut parameters = vec![("group", options.group.as_str()), ("from", options.from.as_str())];
    parameters.extend(options.to.as_deref().map(|to| ("to", to)));
    let answer: Value = server.ask(server.request(Method::GET, "/api/v1/suggestions").query(&parameters), "")?;
    say_partial("partial answer", &answer);
    if let Some(id) = &options.show {
        return print_thing(&options.client.printing, found(&answer, id)?);
    }
    if let Some(id) = &options.make {
        let suggestion = found(&answer, id)?;
        let definition = suggestion.get("definition").ok_or_else(|| {
            Failure::other(format!("{id:?} is not offered: its events may be needed by {}", needed_by(suggestion)))
        })?;
        let request = server.request(Method::POST, "/api/v1/pipelines").json(&json!({"definition": definition}));
        let made: Value = server.ask(request, "")?;
        return print_thing(&options.client.printing, &made);
    }
    if let Some(note) = answer["note"].as_str() {
        say!("catat: {note}");
    }
    print_rows(&options.client.printing, COLUMNS, &rows_of(&answer))
}

/// Returns the suggestion of an id, offered or withheld.
fn found<'a>(answer: &'a Value, id: &str) -> Result<&'a Value> {
    let mut all = ["suggestions", "withheld"].into_iter().filter_map(|list| answer[list].as_array()).flatten();
    let unknown = || Failure::other(format!("there is no suggestion {id:?} for this group and range"));
    all.find(|one| one["id"] == *id).ok_or_else(unknown)
}

/// Returns a row for each suggestion, with what needs the events of those that are withheld.
fn rows_of(answer: &Value) -> Vec<Value> {
    let rows = ["suggestions", "withheld"].into_iter().filter_map(|list| answer[list].as_array()).flatten();
    let row = |one: &Value| {
        let mut row = one.clone();
        row["needed_by"] = if one["used_by"].is_array() { needed_by(one).into() } else { Value::Null };
        row
    };
    rows.map(row).collect()
}

fn needed_by(suggestion: &Value) -> String {
    let uses = suggestion["used_by"].as_array().into_iter().flatten();
    let one = |one: &Value| {
        format!("{} {}", one["kind"].as_str().unwrap_or_default(), one["name"].as_str().unwrap_or("(not shown)"))
    };
    uses.map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;

//! `catat mark`: marks a deploy, a migration or a flag on a server, or lists marks.

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::arguments::Mark;
use crate::client::{Server, add_given};
use crate::failure::{Failure, Result};
use crate::output::print_list;

/// Columns of a list of marks.
const COLUMNS: &str = "at until text fields group";

/// The range of a list where none is given.
const FROM_DEFAULT: &str = "now-1d";

pub(crate) fn mark(options: Mark) -> Result<()> {
    let server = Server::new(&options.client.remote)?;
    let Some(text) = options.text.as_deref().filter(|_| !options.list) else { return list(&server, &options) };
    let mut order = json!({"text": text, "fields": fields(&options.field)?});
    add_given(&mut order, &[("at", &options.at), ("until", &options.until), ("group", &options.group)]);
    let marked: Value = server.ask(server.request(Method::POST, "/api/v1/marks").json(&order), "")?;
    say!("catat: marked {} at {}", marked["text"], marked["at"].as_str().unwrap_or_default());
    Ok(())
}

/// Returns the fields of `NAME=VALUE`.
fn fields(given: &[String]) -> Result<Map<String, Value>> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), Value::from(value))),
        _ => Err(Failure::usage(format!("--field {text}: write NAME=VALUE"))),
    };
    given.iter().map(pair).collect()
}

fn list(server: &Server, options: &Mark) -> Result<()> {
    let from = options.from.as_deref().unwrap_or(FROM_DEFAULT);
    let mut parameters = vec![("from", from)];
    parameters.extend(options.to.as_deref().map(|to| ("to", to)));
    let answer: Value = server.ask(server.request(Method::GET, "/api/v1/marks").query(&parameters), "")?;
    print_list(&options.client.printing, COLUMNS, &answer["marks"])
}

//! `catat onset`: when something began and ended, and what else began then.

use reqwest::Method;
use serde_json::{Value, json};

use crate::arguments::Onset;
use crate::client::{Server, add_given};
use crate::failure::Result;
use crate::output::{print_rows, say_partial};

/// Columns of the list of onsets.
const COLUMNS: &str = "kind began earliest:/began_between/0 latest:/began_between/1 ended before after what query";

pub(crate) fn onset(options: Onset) -> Result<()> {
    let server = Server::new(&options.client.remote)?;
    let mut body = json!({"query": options.query, "from": options.from, "groups": options.group});
    add_given(&mut body, &[("to", &options.to), ("of", &options.of), ("among", &options.among)]);
    let answer: Value = server.ask(server.request(Method::POST, "/api/v1/onset").json(&body), &options.query)?;
    say_partial("partial answer", &answer);
    if let Some(note) = answer["note"].as_str() {
        say!("catat: {note}");
    }
    print_rows(&options.client.printing, COLUMNS, &rows_of(&answer))
}

/// Returns a row for the onset, or for each pattern with one, and for what else began, in order of time.
fn rows_of(answer: &Value) -> Vec<Value> {
    let list = |name: &str| answer[name].as_array().into_iter().flatten().cloned().collect::<Vec<Value>>();
    let mut rows: Vec<Value> = Vec::new();
    if answer["began"].is_string() {
        let mut own = answer.clone();
        own["kind"] = json!("onset");
        own["what"] = answer["measure"].clone();
        rows.push(own);
    }
    for mut pattern in list("patterns") {
        pattern["kind"] = json!("pattern");
        pattern["what"] = pattern["pattern"].clone();
        pattern["before"] = pattern["before_per_minute"].clone();
        pattern["after"] = pattern["after_per_minute"].clone();
        rows.push(pattern);
    }
    for mut other in list("also") {
        other["began"] = other["at"].clone();
        rows.push(other);
    }
    rows.sort_by(|a, b| a["began"].as_str().cmp(&b["began"].as_str()));
    rows
}

#[cfg(test)]
mod tests;

//! `catat differs`: which values a selection of events has more or less often than a baseline.

use reqwest::Method;
use serde_json::{Value, json};

use crate::arguments::{BaselineName, Differs};
use crate::client::Server;
use crate::failure::Result;
use crate::output::{print_rows, say_partial};

/// Columns of the list of differences.
const COLUMNS: &str = "field value selection share:/selection_share baseline baseline_share score same_events";

pub(crate) fn differs(options: Differs) -> Result<()> {
    let server = Server::new(&options.client.remote)?;
    let side = |query: &str, from: &str, to: Option<&String>| {
        let mut side = json!({"query": query, "from": from, "groups": options.group});
        if let Some(to) = to {
            side["to"] = json!(to);
        }
        side
    };
    let baseline = match (&options.baseline_query, options.baseline) {
        (Some(query), _) => {
            let from = options.baseline_from.as_ref().unwrap_or(&options.from);
            side(query, from, options.baseline_to.as_ref().or(options.to.as_ref()))
        }
        (None, Some(BaselineName::Before)) => json!("before"),
        (None, Some(BaselineName::Rest)) => json!("rest"),
        // Without a condition there is no rest.
        (None, None) => json!(if options.query.trim().is_empty() { "before" } else { "rest" }),
    };
    let selection = side(&options.query, &options.from, options.to.as_ref());
    let body = json!({"selection": selection, "baseline": baseline});
    let answer: Value = server.ask(server.request(Method::POST, "/api/v1/differs").json(&body), &options.query)?;
    say_partial("partial answer", &answer);
    let rows: Vec<Value> = answer["fields"].as_array().into_iter().flatten().flat_map(rows_of).collect();
    if rows.is_empty() {
        say!("catat: {}", answer["note"].as_str().unwrap_or("nothing differs significantly"));
    }
    print_rows(&options.client.printing, COLUMNS, &rows)
}

/// Returns a row for each value of a field, and one for its numbers.
fn rows_of(field: &Value) -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    for value in field["values"].as_array().into_iter().flatten() {
        rows.push(value.clone());
    }
    let numbers = &field["numbers"];
    if numbers.is_object() {
        rows.push(json!({
            "value": format!("> {} (median {}, baseline {})", numbers["threshold"], numbers["selection_p50"], numbers["baseline_p50"]),
            "selection": null, "baseline": null,
            "selection_share": numbers["selection_share_above"], "baseline_share": numbers["baseline_share_above"],
        }));
    }
    for row in &mut rows {
        for name in ["field", "score", "same_events"] {
            row[name] = field[name].clone();
        }
    }
    rows
}

#[cfg(test)]
mod tests;

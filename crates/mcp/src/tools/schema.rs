//! What each tool is, takes and gives: `schema.json`, and what all tools have in common.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

/// The tools, and what several of them share.
#[derive(Deserialize)]
struct Definitions {
    /// Arguments of several tools; `max_tokens` is one of every tool.
    inputs: Map<String, Json>,
    /// What every tool says beside its own results.
    outputs: Map<String, Json>,
    tools: Vec<Definition>,
}

#[derive(Deserialize)]
struct Definition {
    /// The route that the tool cannot do without.
    route: String,
    name: String,
    title: String,
    description: String,
    /// Which of the shared arguments it has.
    #[serde(default)]
    shared: Vec<String>,
    input: Map<String, Json>,
    #[serde(default)]
    needed: Vec<String>,
    output: Map<String, Json>,
}

static DEFINITIONS: LazyLock<Definitions> =
    LazyLock::new(|| serde_json::from_str(include_str!("schema.json")).expect("the file is read by the tests"));

/// Returns all tools, each with the route that it cannot do without.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Json)> {
    DEFINITIONS.tools.iter().map(|tool| (&*tool.route, tool.json()))
}

impl Definition {
    fn json(&self) -> Json {
        let shared = self.shared.iter().map(String::as_str).chain(["max_tokens"]);
        let mut input = self.input.clone();
        input.extend(shared.map(|name| (name.to_owned(), DEFINITIONS.inputs[name].clone())));
        let mut output = self.output.clone();
        output.extend(DEFINITIONS.outputs.clone());
        json!({
            "name": self.name, "title": self.title, "description": self.description,
            "inputSchema": {
                "type": "object", "properties": input, "required": self.needed, "additionalProperties": false,
            },
            "outputSchema": {"type": "object", "properties": output, "required": ["complete", "notes", "url"]},
            "annotations": {
                "title": self.title, "readOnlyHint": true, "idempotentHint": true, "openWorldHint": false,
            },
        })
    }
}

#[cfg(test)]
mod tests;

//! Saved queries: documents of kind `cloudwatch-query` in the control store.
//!
//! ```text
//! {"name":"…","query":"…","groups":["…"],"parameters":[…],"changed":ms}
//! ```
//! A definition is visible to callers who reach all groups that it names. Its text is not checked.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::answer::{CloudWatchProblem, Result, random_id};
use super::input::{Input, constraint};
use super::paging::{page_of, with_next};
use super::queries::{asks_for_insights, check_language};
use super::request::OperationRequest;
use super::time::milliseconds;
use door::to_json;

const KIND: &str = "cloudwatch-query";

/// Limits on the definitions in total and per page, and on the parts of each.
const DEFINITIONS_MAX: usize = 1_000;
const PAGE_MAX: usize = 1_000;
const NAME_CHARS_MAX: usize = 255;
const QUERY_CHARS_MAX: usize = 10_000;
const GROUPS_MAX: usize = 50;
const PARAMETERS_MAX: usize = 20;

/// A saved query. Its parameters are returned as they were given.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Definition {
    name: String,
    query: String,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    parameters: Vec<Value>,
    changed: i64,
}

impl OperationRequest {
    pub(super) fn put_definition(&self, input: &Input) -> Result<Value> {
        let (name, query) = (input.needed("name")?.to_owned(), input.needed("queryString")?.to_owned());
        check_language(input)?;
        check_length("name", &name, NAME_CHARS_MAX)?;
        check_length("queryString", &query, QUERY_CHARS_MAX)?;
        let groups: Vec<String> =
            input.texts("logGroupNames")?.unwrap_or_default().into_iter().map(str::to_owned).collect();
        let parameters = input.objects("parameters")?;
        if groups.len() > GROUPS_MAX || parameters.len() > PARAMETERS_MAX {
            let message = format!("A definition has {GROUPS_MAX} log groups and {PARAMETERS_MAX} parameters at most.");
            return Err(CloudWatchProblem::parameter(message));
        }
        if groups.iter().any(|group| !self.server.reaches(group)) {
            return Err(CloudWatchProblem::denied("The definition names log groups that this key does not reach."));
        }
        let known = input.text("queryDefinitionId")?;
        // A repeated request has the same token, and so makes the same definition.
        let of_token =
            input.text("clientToken")?.map(|token| types::uuid_text(xxh3_128(token.as_bytes()).to_be_bytes()));
        let id = known.map(str::to_owned).or(of_token).map_or_else(random_id, Ok)?;
        let definition = Definition { name, query, groups, parameters, changed: milliseconds(self.server.now()) };
        let settings = self.server.settings();
        let all = settings.all(KIND)?;
        if known.is_some() {
            let old = all.iter().find(|(known, _)| *known == id).and_then(|(_, json)| read(json));
            old.filter(|old| is_seen(old, &self.server)).ok_or_else(unknown)?;
        } else if all.len() >= DEFINITIONS_MAX {
            let message = format!("Resource limit exceeded: there may be {DEFINITIONS_MAX} query definitions.");
            return Err(CloudWatchProblem::new("LimitExceededException", message));
        }
        settings.put(KIND, &id, &to_json(&definition)?)?;
        Ok(json!({"queryDefinitionId": id}))
    }

    pub(super) fn describe_definitions(&self, input: &Input) -> Result<Value> {
        let prefix = input.text("queryDefinitionNamePrefix")?.unwrap_or_default();
        let most = input.number("maxResults", PAGE_MAX, PAGE_MAX)?;
        let is_asked = asks_for_insights(input)?;
        let mut found: Vec<(String, Definition)> = self
            .server
            .settings()
            .all(KIND)?
            .into_iter()
            .filter_map(|(id, json)| Some((id, read(&json)?)))
            .filter(|(_, definition)| {
                is_asked && definition.name.starts_with(prefix) && is_seen(definition, &self.server)
            })
            .collect();
        found.sort_by(|a, b| (&a.1.name, &a.0).cmp(&(&b.1.name, &b.0)));
        let (page, next) = page_of(&found, most, input)?;
        let shown: Vec<Value> = page
            .iter()
            .map(|(id, definition)| {
                json!({
                    "queryDefinitionId": id, "name": definition.name, "queryString": definition.query,
                    "logGroupNames": definition.groups, "parameters": definition.parameters,
                    "lastModified": definition.changed, "queryLanguage": "CWLI",
                })
            })
            .collect();
        Ok(with_next(json!({"queryDefinitions": shown}), next))
    }

    pub(super) fn delete_definition(&self, input: &Input) -> Result<Value> {
        let (settings, id) = (self.server.settings(), input.needed("queryDefinitionId")?);
        let old = settings.get(KIND, id)?.and_then(|json| read(&json));
        old.filter(|old| is_seen(old, &self.server)).ok_or_else(unknown)?;
        settings.remove(KIND, id)?;
        Ok(json!({"success": true}))
    }
}

/// Reports whether the caller reaches all groups that a definition names.
fn is_seen(definition: &Definition, server: &door::server::Shared) -> bool {
    definition.groups.iter().all(|group| server.reaches(group))
}

/// Reads a document; `None` for one of another version or a damaged one, which is not listed.
fn read(json: &str) -> Option<Definition> {
    serde_json::from_str(json).ok()
}

fn unknown() -> CloudWatchProblem {
    CloudWatchProblem::new("ResourceNotFoundException", "The specified query definition does not exist.")
}

fn check_length(member: &str, text: &str, chars_max: usize) -> Result<()> {
    if (1..=chars_max).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(constraint(text, member, &format!("Member must have length between 1 and {chars_max}")))
}

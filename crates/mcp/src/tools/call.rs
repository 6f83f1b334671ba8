//! A call of a tool: its arguments, why it is refused, and what it found.

use serde_json::{Value as Json, json};

use crate::rpc::Params;

/// The arguments of a call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(super) arguments: Params,
    pub(super) max_tokens: Option<u64>,
}

/// Why a call has no result.
#[derive(Debug)]
pub(crate) enum CallError {
    /// There is no such tool.
    Unknown,
    /// The arguments are wrong, or the server refused.
    Refused(String),
}

impl From<String> for CallError {
    fn from(problem: String) -> Self {
        Self::Refused(problem)
    }
}

/// The result of a tool before it is fitted: what was found, and the lists of it that may be shortened.
pub(crate) struct ToolAnswer {
    pub(super) answer: Json,
    pub(super) lists: &'static [&'static str],
}

impl Call {
    /// Reads the arguments that all tools have.
    pub(crate) fn read(arguments: Params) -> Result<Self, CallError> {
        let max_tokens = match arguments.get("max_tokens") {
            None | Some(Json::Null) => None,
            Some(number) => Some(number.as_u64().ok_or_else(|| "max_tokens: not a whole number".to_owned())?),
        };
        Ok(Self { arguments, max_tokens })
    }

    /// Returns a text; a number is taken for one, since clients write epochs as numbers.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, CallError> {
        match self.arguments.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(Json::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(CallError::Refused(format!("{name}: not a text"))),
        }
    }

    pub(super) fn needed(&self, name: &str) -> Result<String, CallError> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| CallError::Refused(format!("{name}: is needed")))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, CallError> {
        match self.arguments.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => {
                let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
                Ok(Some(number.ok_or_else(|| format!("{name}: not a whole number"))?))
            }
        }
    }

    /// Returns group patterns, from a list or a text with commas.
    pub(super) fn groups(&self) -> Result<Vec<String>, CallError> {
        match self.arguments.get("groups") {
            None | Some(Json::Null) => Ok(Vec::new()),
            Some(Json::String(text)) => Ok(text.split(',').map(|part| part.trim().to_owned()).collect()),
            Some(Json::Array(items)) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
                texts.ok_or_else(|| CallError::Refused("groups: not a list of texts".into()))
            }
            Some(_) => Err(CallError::Refused("groups: not a list of texts".into())),
        }
    }

    /// Refuses arguments that a tool does not have, so that a misspelt one is not ignored.
    pub(super) fn check_names(&self, tool: &Json) -> Result<(), CallError> {
        let known = tool["inputSchema"]["properties"].as_object();
        let is_known = |name: &&String| known.is_some_and(|known| known.contains_key(name.as_str()));
        match self.arguments.keys().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => {
                let names: Vec<&str> = known.into_iter().flat_map(|known| known.keys().map(String::as_str)).collect();
                let tool = tool["name"].as_str().unwrap_or_default();
                Err(CallError::Refused(format!("{name}: {tool} has no such argument; it has {}", names.join(", "))))
            }
        }
    }
}

/// Returns whether an answer of the API is complete, and what it says about that.
pub(super) fn completeness(answer: &Json) -> (bool, Vec<Json>) {
    let is_partial = answer["partial"].as_bool().unwrap_or(false);
    let reasons =
        ["partial_reasons", "warnings"].iter().flat_map(|name| answer[*name].as_array().into_iter().flatten());
    let note = |reason: &Json| {
        let hint = reason["hint"].as_str().map(|hint| format!("; {hint}")).unwrap_or_default();
        json!(format!("{}{hint}", reason["message"].as_str().unwrap_or_default()))
    };
    (!is_partial, reasons.map(note).collect())
}

/// Returns a body without the members that were not given.
pub(super) fn without_nulls(mut body: Json) -> Json {
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    body
}

//! Pipelines and inputs of the configuration as TOML that loads again, without their secrets.

use reqwest::Url;
use serde_json::Value as Json;

/// Keys whose values are secret.
const SECRET_KEYS: [&str; 5] = ["hash_key", "password", "credentials", "bearer_token", "secrets"];

/// Keys whose values are shown, since nothing works without them, and may hold a secret all the same.
const DOUBTFUL_KEYS: [&str; 3] = ["command", "env", "params"];

/// A definition in the form in which it may be shown.
pub(crate) struct ShownDefinition {
    /// The definition as a TOML table.
    pub(crate) toml: String,
    /// What is left out of it.
    pub(crate) notes: Vec<String>,
}

/// Returns the definitions of a kind (`name`, such as `pipeline`), each as a table `[[name]]`.
pub(super) fn shown(name: &str, definitions: &Json) -> Vec<ShownDefinition> {
    let shown = |definition: &Json| {
        let mut notes = Vec::new();
        let definition = without_secrets(definition, name, &mut notes);
        let tables = serde_json::json!({name: [definition]});
        // A definition was TOML before: it has no null and no number that is too large.
        ShownDefinition { toml: toml::to_string(&tables).unwrap_or_default(), notes }
    };
    definitions.as_array().into_iter().flatten().map(shown).collect()
}

/// Returns a value without its secrets; `path` leads to it.
fn without_secrets(value: &Json, path: &str, notes: &mut Vec<String>) -> Json {
    match value {
        Json::Object(members) => {
            let mut shown = serde_json::Map::new();
            for (key, member) in members {
                let path = format!("{path}.{key}");
                if SECRET_KEYS.contains(&&**key) {
                    let lost =
                        if key == "hash_key" { "masked values have no hash" } else { "servers may refuse requests" };
                    notes.push(format!("{path} is not shown; without it, {lost}"));
                } else {
                    shown.insert(key.clone(), without_secrets(member, &path, notes));
                }
            }
            Json::Object(shown)
        }
        Json::Array(items) => {
            let item = |(index, item)| without_secrets(item, &format!("{path}[{index}]"), notes);
            Json::Array(items.iter().enumerate().map(item).collect())
        }
        Json::String(text) => match without_user(text) {
            Some(url) => {
                notes.push(format!("{path}: user and password are not shown"));
                url.into()
            }
            None => value.clone(),
        },
        other => other.clone(),
    }
}

/// Collects the texts of definitions that are or may be secret; `is_one` tells whether `value` is.
pub(super) fn secrets(value: &Json, is_one: bool, found: &mut Vec<String>) {
    match value {
        Json::Object(members) => {
            for (key, member) in members {
                let key = key.as_str();
                secrets(member, is_one || SECRET_KEYS.contains(&key) || DOUBTFUL_KEYS.contains(&key), found);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| secrets(item, is_one, found)),
        Json::String(text) if is_one => found.push(text.clone()),
        Json::String(text) => found.extend(secrets_of_url(text)),
        _ => {}
    }
}

/// Returns what a URL may hold that is secret: its password and its parameters.
pub(super) fn secrets_of_url(text: &str) -> Vec<String> {
    let Ok(url) = Url::parse(text) else { return Vec::new() };
    url.password().into_iter().chain(url.query()).map(str::to_owned).collect()
}

/// Returns a URL without its user and password; `None` for a text without them.
fn without_user(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok().filter(|url| !url.username().is_empty() || url.password().is_some())?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url.into())
}

//! Pipelines and inputs of the configuration as TOML that loads again, without their secrets.

use reqwest::Url;
use serde_json::Value as Json;

/// Keys whose values are secret.
const SECRET_KEYS: [&str; 5] = ["hash_key", "password", "credentials", "bearer_token", "secrets"];

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

/// Returns a URL without its user and password; `None` for a text without them.
fn without_user(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok().filter(|url| !url.username().is_empty() || url.password().is_some())?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url.into())
}

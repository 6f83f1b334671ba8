//! What is wrong with the YAML of a rule file, in words for people: where it is precedes the message, and habits of other programs
//! get a hint.

use serde_saphyr::Error;

/// Keys that other programs have, and how they are written here.
const HABITS: [(&str, &str); 11] = [
    ("severity", "write labels: {severity: …}"),
    ("summary", "write annotations: {summary: …}"),
    ("description", "write annotations: {description: …}"),
    ("runbook_url", "write annotations: {runbook_url: …}"),
    ("rules", "write groups: [{name: …, rules: […]}]"),
    ("receivers", "write channels:"),
    ("matchers", "write match: [\"severity=~'page|error'\"]"),
    ("evaluation_delay", "write query_offset: …"),
    ("partial_response_strategy", "remove it, it belongs to Thanos"),
    ("source_tenants", "remove it, it belongs to Mimir"),
    ("threshold", "write condition: count > …"),
];

/// Returns the message of an error, without its place.
pub(super) fn message_of(error: &Error) -> String {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => unknown_key(field, expected),
        Error::SerdeMissingField { field, .. } => format!("{field}: is missing"),
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            format!("unknown value \"{variant}\"; there are {}", expected.join(", "))
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key \"{key}\" is there twice"),
        Error::DuplicateMappingKey { key: None, .. } => "a key is there twice".to_owned(),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            format!("expected {expected}, not {}", found(unexpected))
        }
        Error::Unexpected { expected, .. } => unexpected_node(expected),
        Error::NullIntoString { .. } => "a text is missing here".to_owned(),
        Error::InvalidScalar { ty, .. } => format!("expected {}", name_of_type(ty)),
        Error::NonFiniteFloat { value, .. } => format!("{value} is not a number that fits here"),
        Error::InvalidBooleanStrict { .. } => format!("expected {}", name_of_type("bool")),
        Error::UnknownAnchor { .. } => "the alias names an anchor that does not exist".to_owned(),
        Error::Budget { .. } => "the file is too large, or nested too deep".to_owned(),
        Error::AliasError { error, .. } => message_of(error.without_snippet()),
        Error::Message { .. } => without_place(error),
        other => not_yaml(&without_place(other)),
    }
}

/// Returns what is wrong with a key, with the one that was meant instead of all that there are.
fn unknown_key(key: &str, known: &[&str]) -> String {
    let habit = HABITS.iter().find(|(name, _)| *name == key && !known.contains(name));
    let near = || plan::nearest(key, known.iter().copied()).map(|near| format!("did you mean {near}:?"));
    let hint = habit.map(|(_, hint)| (*hint).to_owned()).or_else(near);
    let hint = hint.unwrap_or_else(|| format!("there are {}", known.join(", ")));
    format!("unknown key \"{key}\"; {hint}")
}

/// Returns what belongs where a node of another kind is.
fn unexpected_node(expected: &str) -> String {
    match expected {
        "string scalar" | "scalar" => {
            "expected one value, not a list or a mapping; put a text that begins with [ or { in quotes".to_owned()
        }
        "mapping start" => "expected a mapping of keys to values".to_owned(),
        "sequence start" => "expected a list".to_owned(),
        other => not_yaml(&format!("expected {other}")),
    }
}

/// Returns a value as it is written, from the parser's name of its type and the value.
fn found(unexpected: &str) -> &str {
    match unexpected {
        "sequence" => "a list",
        "map" => "a mapping",
        other => other.strip_prefix("string ").or(other.split('`').nth(1)).unwrap_or(other),
    }
}

fn name_of_type(name: &str) -> &'static str {
    match name {
        "bool" | "boolean" => "true or false",
        "f32" | "f64" => "a number",
        _ => "a whole number",
    }
}

fn without_place(error: &Error) -> String {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(message.as_str(), |(before, _)| before).to_owned()
}

fn not_yaml(reason: &str) -> String {
    let hint = match reason.starts_with("mapping values are not allowed") {
        true => "; put a value that contains \": \" in quotes",
        false => "",
    };
    format!("not valid YAML: {reason}{hint}")
}

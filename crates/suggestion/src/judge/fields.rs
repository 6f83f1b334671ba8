//! Fields that a message has in its text: JSON, `key=value`, and places that vary after a word that names them.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::candidate::{Candidate, FIELDS_SHARE_MIN, Kind, Reason, WORTH_EVENTS_MIN, name};
use super::noise::Message;
use crate::profile::Profile;
use crate::template::{Template, Wildcard};

/// Most messages whose fields are suggested.
const MESSAGES_MAX: usize = 4;

/// Longest name that is made of a word.
const NAME_CHARS_MAX: usize = 40;

/// Words that name nothing.
const NO_NAMES: [&str; 24] = [
    "a", "an", "and", "are", "as", "be", "but", "is", "it", "no", "not", "of", "or", "than", "that", "the", "then",
    "was", "were", "with", "on", "in", "at", "has",
];

/// Units that are put behind the name of a number.
const UNITS: [&str; 10] = ["ms", "s", "us", "ns", "bytes", "B", "KB", "MB", "GB", "seconds"];

/// The field that holds JSON between two steps.
const JSON_FIELD: &str = "embedded_json";

pub(super) fn candidates(group: &str, profile: &Profile, messages: &[Message]) -> Vec<Candidate> {
    let is_large = |message: &&Message| {
        message.n_events >= WORTH_EVENTS_MIN.min(profile.n_events / 4)
            && message.n_events as f64 >= FIELDS_SHARE_MIN * profile.n_events as f64
    };
    let known = |name: &str| profile.fields.contains(name);
    let mut all: Vec<Candidate> = Vec::new();
    for message in messages.iter().filter(is_large).take(MESSAGES_MAX) {
        let found = of_json(group, message, &known).or_else(|| of_template(group, message, &known));
        // JSON of several messages is taken out by one pipeline.
        all.extend(found.filter(|found| !all.iter().any(|other| other.definition["name"] == found.definition["name"])));
    }
    all
}

/// Returns the JSON object at the end of a text that has something before it.
fn json_of(text: &str) -> Option<serde_json::Map<String, Json>> {
    let at = text.find('{').filter(|at| !text[..*at].trim().is_empty())?;
    match serde_json::from_str(&text[at..]) {
        Ok(Json::Object(members)) if !members.is_empty() => Some(members),
        _ => None,
    }
}

fn of_json(group: &str, message: &Message, known: &impl Fn(&str) -> bool) -> Option<Candidate> {
    let objects: Option<Vec<_>> = message.samples.iter().map(|sample| json_of(sample)).collect();
    let objects = objects.filter(|objects| !objects.is_empty())?;
    let names: BTreeSet<String> = objects.iter().flat_map(|members| members.keys().cloned()).collect();
    let names: Vec<String> = names.into_iter().filter(|name| !known(name)).collect();
    if names.is_empty() {
        return None;
    }
    let regex = r"(?s)^[^{]*[^{\s][^{]*(?P<embedded_json>\{.*\})\s*$";
    let matches = message.matches(r"(?s)^[^{]*[^{\s][^{]*\{.*\}\s*$");
    Some(Candidate {
        kind: Kind::Fields,
        reason: Reason::Json,
        pattern: Some(message.pattern.clone()),
        fields: names,
        definition: json!({
            "name": name(Reason::Json, group, message.field),
            "match": {"group": group, "matches": matches},
            "steps": [
                {"parse": format!("regex:{regex}"), "field": message.field},
                {"parse": "json", "field": JSON_FIELD},
                {"drop": [JSON_FIELD]},
            ],
        }),
    })
}

fn of_template(group: &str, message: &Message, known: &impl Fn(&str) -> bool) -> Option<Candidate> {
    let template = message.template()?;
    let (names, n_keys) = names_of(&template, known);
    let fields: Vec<String> = names.iter().flatten().cloned().collect();
    if fields.is_empty() {
        return None;
    }
    let reason = if n_keys == fields.len() { Reason::KeyValue } else { Reason::Variables };
    let (regex, grok) = (template.regex()?, template.grok(&names)?);
    Some(Candidate {
        kind: Kind::Fields,
        reason,
        pattern: Some(message.pattern.clone()),
        fields,
        definition: json!({
            "name": name(reason, group, &message.pattern),
            "match": {"group": group, "matches": message.matches(&regex)},
            "steps": [{"parse": format!("grok:{grok}"), "field": message.field}],
        }),
    })
}

/// Returns a name for each place that varies and has one that is not taken, and how many of them are keys with a sign.
fn names_of(template: &Template, known: &impl Fn(&str) -> bool) -> (Vec<Option<String>>, usize) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut n_keys = 0;
    let mut names = Vec::new();
    for (place, wildcard) in template.wildcards.iter().enumerate() {
        let (before, after) = template.around(place);
        let found = key_of(before).map(|key| (key, true)).or_else(|| word_of(before).map(|word| (word, false)));
        let found = found.filter(|_| *wildcard != Wildcard::Any).map(|(word, is_key)| {
            let is_number = matches!(wildcard, Wildcard::Integer | Wildcard::Number);
            let unit = unit_of(after).filter(|unit| is_number && !word.ends_with(unit) && !is_key);
            (unit.map_or_else(|| word.to_owned(), |unit| format!("{word}_{unit}")), is_key)
        });
        let found = found.filter(|(name, _)| !known(name) && taken.insert(name.clone()));
        n_keys += usize::from(found.as_ref().is_some_and(|(_, is_key)| *is_key));
        names.push(found.map(|(name, _)| name));
    }
    (names, n_keys)
}

fn is_name_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')
}

/// Returns a word that can be a name, if there is one at the end of a text.
fn last_word(text: &str) -> Option<&str> {
    let start = text
        .rfind(|character| !is_name_char(character))
        .map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
    let word = text[start..].trim_matches(['.', '-']);
    let is_name = word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    (is_name && word.len() <= NAME_CHARS_MAX).then_some(word)
}

/// Returns the key of `key=`, `key="` and `key: `.
fn key_of(before: &str) -> Option<&str> {
    let before = before.strip_suffix(['"', '\'']).unwrap_or(before);
    let key = before.strip_suffix('=').or_else(|| before.trim_end_matches(' ').strip_suffix(':'))?;
    last_word(key.trim_end_matches(['"', '\'']))
}

/// Returns the word before a place, and not one that names nothing.
fn word_of(before: &str) -> Option<&str> {
    let before = before.strip_suffix(' ')?;
    let word = last_word(before)?;
    // `/healthz` is a path.
    let is_alone = before.strip_suffix(word)?.chars().next_back().is_none_or(|character| character == ' ');
    let is_plain = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (is_plain && is_alone && word.len() > 1 && !NO_NAMES.contains(&word)).then_some(word)
}

/// Returns the unit after a number.
fn unit_of(after: &str) -> Option<&'static str> {
    let word: &str =
        after.trim_start().split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default();
    UNITS.into_iter().find(|unit| *unit == word)
}

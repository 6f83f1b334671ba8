//! Relabelling: rules that change the labels of a target or of a sample, or drop it. All actions of Prometheus.
//!
//! Source: Prometheus, "Configuration", `relabel_config`. Regular expressions match whole values.

use definition::{DefinitionError, Node, compile_regex, nearest};
use md5::{Digest, Md5};
use regex::{Captures, Regex};

use super::labels::{LabelSet, get, set};
use super::values::{count, scalar, scalars, section};

/// Most rules of a list: each is applied to every sample.
const RULES_MAX: usize = 256;

/// The actions there are.
const ACTIONS: [&str; 11] = [
    "replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep", "lowercase",
    "uppercase",
];

const KEYS: [&str; 7] = ["source_labels", "separator", "target_label", "regex", "modulus", "replacement", "action"];

/// The default expression: a whole value, as its first group.
const REGEX: &str = "(.*)";

/// What joins values, and what a match becomes, by default.
const SEPARATOR: &str = ";";
const REPLACEMENT: &str = "$1";

/// A rule.
#[derive(Clone, Debug)]
pub(super) struct RelabelRule {
    source: Vec<String>,
    separator: String,
    action: Action,
}

/// What a rule does with the joined values of its source labels.
#[derive(Clone, Debug)]
enum Action {
    Replace { regex: Regex, is_default: bool, target: String, replacement: String },
    Keep(Regex),
    Drop(Regex),
    KeepEqual(String),
    DropEqual(String),
    HashMod { target: String, modulus: u64 },
    LabelMap { regex: Regex, replacement: String },
    LabelDrop(Regex),
    LabelKeep(Regex),
    Lowercase(String),
    Uppercase(String),
}

/// Applies rules to labels; reports whether what has them is kept.
pub(super) fn relabel(rules: &[RelabelRule], labels: &mut LabelSet) -> bool {
    rules.iter().all(|rule| rule.apply(labels))
}

impl RelabelRule {
    /// Reads the list of rules under a key.
    pub(super) fn list(node: &Node<'_>, key: &str) -> Result<Vec<Self>, DefinitionError> {
        let Some(list) = section(node, key) else { return Ok(Vec::new()) };
        let items = list.items()?;
        types::ensure!(items.len() <= RULES_MAX, list.error(format!("at most {RULES_MAX} rules are possible")));
        items.iter().map(Self::read).collect()
    }

    fn read(node: &Node<'_>) -> Result<Self, DefinitionError> {
        node.check_keys(&KEYS)?;
        let text = |key: &str| node.get(key).map(|node| scalar(&node)).transpose();
        let source = node.get("source_labels").map(|node| scalars(&node)).transpose()?.unwrap_or_default();
        let separator = text("separator")?.unwrap_or_else(|| SEPARATOR.to_owned());
        let expression = text("regex")?.unwrap_or_else(|| REGEX.to_owned());
        let regex = || {
            // Prometheus anchors expressions, and lets a period match line ends.
            let anchored = goregex::anchored(&expression)
                .map_err(|error| format!("this regular expression is not valid: {error}"))
                .and_then(|anchored| compile_regex(&anchored));
            anchored.map_err(|problem| node.child("regex").error(problem))
        };
        let name = text("action")?.unwrap_or_else(|| "replace".to_owned()).to_ascii_lowercase();
        let target = || {
            let missing = || node.error(format!("\"target_label\" is missing: the action {name} writes to it"));
            text("target_label")?.filter(|target| !target.is_empty()).ok_or_else(missing)
        };
        let replacement = text("replacement")?.unwrap_or_else(|| REPLACEMENT.to_owned());
        let action = match &*name {
            "replace" => {
                let is_default = expression == REGEX;
                Action::Replace { regex: regex()?, is_default, target: target()?, replacement }
            }
            "keep" => Action::Keep(regex()?),
            "drop" => Action::Drop(regex()?),
            "keepequal" => Action::KeepEqual(target()?),
            "dropequal" => Action::DropEqual(target()?),
            "hashmod" => Action::HashMod { target: target()?, modulus: modulus_of(node)? },
            "labelmap" => Action::LabelMap { regex: regex()?, replacement },
            "labeldrop" => Action::LabelDrop(regex()?),
            "labelkeep" => Action::LabelKeep(regex()?),
            "lowercase" => Action::Lowercase(target()?),
            "uppercase" => Action::Uppercase(target()?),
            _ => {
                let hint = nearest(&name, &ACTIONS).map_or_else(
                    || format!("known: {}", ACTIONS.join(", ")),
                    |near| format!("did you mean \"{near}\"?"),
                );
                return Err(node.child("action").error(format!("unknown action \"{name}\"; {hint}")));
            }
        };
        check_others(node, &action, &name)?;
        Ok(Self { source, separator, action })
    }

    /// Changes labels; reports whether what has them is kept.
    fn apply(&self, labels: &mut LabelSet) -> bool {
        let values: Vec<&str> = self.source.iter().map(|name| get(labels, name)).collect();
        let value = values.join(&self.separator);
        match &self.action {
            Action::Keep(regex) => return regex.is_match(&value),
            Action::Drop(regex) => return !regex.is_match(&value),
            Action::KeepEqual(target) => return get(labels, target) == value,
            Action::DropEqual(target) => return get(labels, target) != value,
            Action::Replace { regex, is_default, target, replacement } => {
                replace(labels, &value, (regex, *is_default), target, replacement);
            }
            Action::HashMod { target, modulus } => {
                set(labels, target, (hash(&value) % modulus).to_string());
            }
            Action::Lowercase(target) => set(labels, target, value.chars().map(lowercase).collect()),
            Action::Uppercase(target) => set(labels, target, value.chars().map(uppercase).collect()),
            Action::LabelDrop(regex) => labels.retain(|name, _| !regex.is_match(name)),
            Action::LabelKeep(regex) => labels.retain(|name, _| regex.is_match(name)),
            Action::LabelMap { regex, replacement } => {
                let mapped: Vec<(String, String)> = labels
                    .iter()
                    .filter_map(|(name, value)| Some((expanded(&regex.captures(name)?, replacement), value.clone())))
                    .filter(|(name, _)| !name.is_empty())
                    .collect();
                mapped.into_iter().for_each(|(name, value)| set(labels, &name, value));
            }
        }
        true
    }
}

fn replace(labels: &mut LabelSet, value: &str, (regex, is_default): (&Regex, bool), target: &str, replacement: &str) {
    // The default expression matches everything, the empty text too.
    if is_default && value.is_empty() && !target.contains('$') && !replacement.contains('$') {
        set(labels, target, replacement.to_owned());
        return;
    }
    let Some(groups) = regex.captures(value) else { return };
    let (name, result) = (expanded(&groups, target), expanded(&groups, replacement));
    if !name.is_empty() {
        set(labels, &name, result);
    }
}

fn expanded(groups: &Captures<'_>, replacement: &str) -> String {
    let mut text = String::new();
    goregex::expand(groups, replacement, &mut text);
    text
}

/// Returns the small letter of a letter, as Go does: one for one, so that `Σ` is `σ` also at the end of a word.
fn lowercase(letter: char) -> char {
    // The only letter whose small one has two characters in Rust and one in Go.
    if letter == 'İ' { 'i' } else { single(letter.to_lowercase()).unwrap_or(letter) }
}

/// Returns the capital letter of a letter, one for one, so that `ß` stays as in Go. So do 27 Greek letters with a small iota, which Go
/// changes.
fn uppercase(letter: char) -> char {
    single(letter.to_uppercase()).unwrap_or(letter)
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

/// Returns the last eight bytes of the MD5 sum as a number, as Prometheus hashes.
fn hash(value: &str) -> u64 {
    let sum: [u8; 16] = Md5::digest(value.as_bytes()).into();
    let mut last = [0; 8];
    last.copy_from_slice(&sum[8..]);
    u64::from_be_bytes(last)
}

fn modulus_of(node: &Node<'_>) -> Result<u64, DefinitionError> {
    let modulus = node.needed("modulus", "the action hashmod divides by it")?;
    match count(&modulus)? {
        0 => Err(modulus.error("must be at least 1")),
        count => Ok(count),
    }
}

/// Refuses keys that an action does not use, where Prometheus refuses them too: unless they have their default values, which
/// Prometheus shows with its configuration.
fn check_others(node: &Node<'_>, action: &Action, name: &str) -> Result<(), DefinitionError> {
    let unused: &[&str] = match action {
        Action::LabelDrop(_) | Action::LabelKeep(_) => {
            &["source_labels", "target_label", "modulus", "separator", "replacement"]
        }
        Action::KeepEqual(_) | Action::DropEqual(_) => &["regex", "modulus", "separator", "replacement"],
        Action::Lowercase(_) | Action::Uppercase(_) => &["replacement"],
        _ => &[],
    };
    let found = unused.iter().filter_map(|key| Some((*key, section(node, key)?)));
    let found = found.filter(|(key, node)| !is_default(key, node)).map(|(_, node)| node).next();
    found.map_or(Ok(()), |node| Err(node.error(format!("the action {name} does not use this key; remove it"))))
}

/// Reports whether a key of a rule has its default value.
fn is_default(key: &str, node: &Node<'_>) -> bool {
    match key {
        "source_labels" => scalars(node).is_ok_and(|labels| labels.is_empty()),
        "modulus" => count(node).is_ok_and(|modulus| modulus == 0),
        _ => scalar(node).is_ok_and(|text| match key {
            "separator" => text == SEPARATOR,
            "regex" => text == REGEX,
            "replacement" => text == REPLACEMENT,
            _ => text.is_empty(),
        }),
    }
}

#[cfg(test)]
mod tests;

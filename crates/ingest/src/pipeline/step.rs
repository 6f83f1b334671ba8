//! The steps of pipelines: how they are written, and what each does to an event.

use std::sync::Arc;

use parse::{ResolvedTime, level_of_field, parse_time};
use types::{GroupPattern, Level, Limits, Value, group_name_of_outside};
use xxhash_rust::xxh3::xxh3_64;

use super::Draft;
use super::condition::Condition;
use super::format::Format;
use super::mask::Mask;
use super::template::Template;
use crate::OWN_GROUPS;
use crate::pipeline::outcome::{Done, Surroundings};
use definition::{DefinitionError, Node};

/// What each kind of step may have beside itself.
const KINDS: [(&str, &[&str]); 9] = [
    ("parse", &["field", "into"]),
    ("rename", &[]),
    ("set", &[]),
    ("drop", &[]),
    ("mask", &["fields", "replacement", "hash_key"]),
    ("sample", &["by"]),
    ("level", &[]),
    ("time", &[]),
    ("route", &[]),
];

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) kind: &'static str,
    when: Option<Condition>,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Parse { format: Format, field: String, prefix: String },
    Rename(Vec<(String, String)>),
    Set(Vec<(String, Assigned)>),
    DropFields(Vec<GroupPattern>),
    DropEvent,
    Mask(Mask),
    Sample { n: u64, by: String },
    Level(String),
    Time(String),
    Route(Template),
}

#[derive(Debug)]
enum Assigned {
    Fixed(Value),
    Template(Template),
}

impl Step {
    /// Returns the mistakes of a definition: all unknown keys, else the first mistake.
    pub(super) fn mistakes(node: &Node<'_>) -> Vec<DefinitionError> {
        let kinds: Vec<_> = KINDS.iter().filter(|(kind, _)| node.get(kind).is_some()).collect();
        let unknown = match &*kinds {
            [(kind, beside)] => node.unknown_keys(&Self::keys(kind, beside)),
            _ => Vec::new(),
        };
        if unknown.is_empty() { Self::compile(node).err().into_iter().collect() } else { unknown }
    }

    /// Returns the keys of a step of a kind.
    fn keys<'k>(kind: &'k str, beside: &[&'k str]) -> Vec<&'k str> {
        [kind, "when"].into_iter().chain(beside.iter().copied()).collect()
    }

    pub(super) fn compile(node: &Node<'_>) -> Result<Self, DefinitionError> {
        let kinds: Vec<&(&str, &[&str])> = KINDS.iter().filter(|(kind, _)| node.get(kind).is_some()).collect();
        let names = || KINDS.map(|(kind, _)| kind).join(", ");
        let (kind, beside) = match &*kinds {
            [kind] => **kind,
            [] => {
                node.check_keys(&KINDS.map(|(kind, _)| kind))?;
                return Err(node.error(format!("says nothing to do; a step is one of {}", names())));
            }
            [first, second, ..] => {
                let problem = format!("is \"{}\" and \"{}\" at once; make two steps of it", first.0, second.0);
                return Err(node.error(problem));
            }
        };
        node.check_keys(&Self::keys(kind, beside))?;
        let when = node.get("when").map(|node| Condition::compile(&node)).transpose()?;
        let action = Action::compile(kind, node, &node.child(kind))?;
        Ok(Self { kind, when, action })
    }

    pub(super) fn apply(&self, draft: &mut Draft, around: Surroundings<'_>) -> Done {
        if self.when.as_ref().is_some_and(|when| when.check(draft).is_err()) {
            return Done::Nothing;
        }
        self.action.apply(draft, around)
    }
}

impl Action {
    fn compile(kind: &'static str, step: &Node<'_>, node: &Node<'_>) -> Result<Self, DefinitionError> {
        let text = |key: &str, default: &str| -> Result<String, DefinitionError> {
            step.get(key).map_or_else(|| Ok(default.to_owned()), |node| node.name().map(str::to_owned))
        };
        Ok(match kind {
            "parse" => {
                let prefix = text("into", "")?;
                types::ensure!(!prefix.starts_with('@'), step.child("into").error("names with @ belong to the system"));
                let prefix = if prefix.is_empty() { prefix } else { format!("{prefix}.") };
                Self::Parse { format: Format::compile(node)?, field: text("field", "@message")?, prefix }
            }
            "rename" => {
                let mut names = Vec::new();
                for (from, to) in node.members()? {
                    names.push((from.to_owned(), own_name(&to, to.name()?)?.to_owned()));
                }
                Self::Rename(names)
            }
            "set" => {
                let mut values = Vec::new();
                for (name, value) in node.members()? {
                    if name != "@message" {
                        own_name(&value, name)?;
                    }
                    values.push((name.to_owned(), Assigned::compile(&value)?));
                }
                Self::Set(values)
            }
            "drop" if node.text().is_ok_and(|text| text == "event") => Self::DropEvent,
            "drop" => {
                node.items().map_err(|_| {
                    node.error("must be \"event\", or a list of fields, such as [\"auth\", \"debug.*\"]")
                })?;
                Self::DropFields(node.patterns()?)
            }
            "mask" => Self::Mask(Mask::compile(step, node)?),
            "sample" => {
                let n = node.count()?;
                types::ensure!(n != 0, node.error("must be at least 1: one of so many is kept"));
                Self::Sample { n, by: text("by", "@message")? }
            }
            "level" => Self::Level(node.name()?.to_owned()),
            "time" => Self::Time(node.name()?.to_owned()),
            _ => {
                let template = Template::compile(node)?;
                node.name()?;
                if template.is_fixed() && types::GroupName::new(node.name()?).is_none() {
                    return Err(node.error("a group name is 1–512 of A-Z a-z 0-9 . _ / # -"));
                }
                if is_own(node.name()?) {
                    return Err(node.error(format!("groups that begin with {OWN_GROUPS} are the server's own")));
                }
                Self::Route(template)
            }
        })
    }

    fn apply(&self, draft: &mut Draft, around: Surroundings<'_>) -> Done {
        let limits = around.received.limits;
        match self {
            Self::Parse { format, field, prefix } => {
                let Some(text) = draft.text(field) else { return Done::Failed("the field is missing") };
                let Some(fields) = format.read(&text, around.received) else {
                    return Done::Failed("the text is of another form");
                };
                put_parsed(draft, fields, prefix, limits)
            }
            Self::Rename(names) => {
                let mut done = Done::Nothing;
                for (from, to) in names {
                    let Some(value) = draft.remove(from) else { continue };
                    done = if draft.put(to, value, limits) { Done::Changed } else { Done::Failed("too many fields") };
                }
                done
            }
            Self::Set(values) => set(draft, values, limits),
            Self::DropFields(patterns) => {
                let names = draft.names();
                let unwanted: Vec<&Arc<str>> =
                    names.iter().filter(|name| GroupPattern::any_matches(patterns, name)).collect();
                unwanted.iter().for_each(|name| drop(draft.remove(name)));
                if unwanted.is_empty() { Done::Nothing } else { Done::Changed }
            }
            Self::DropEvent => Done::Dropped,
            Self::Mask(mask) => {
                if mask.apply(draft) {
                    Done::Masked
                } else {
                    Done::Nothing
                }
            }
            Self::Sample { n, by } => {
                let text = draft.text(by);
                let hash = xxh3_64(text.as_deref().unwrap_or_default().as_bytes());
                if hash.is_multiple_of(*n) { Done::Nothing } else { Done::SampledOut }
            }
            Self::Level(field) => level(draft, field),
            Self::Time(field) => time(draft, field, around),
            Self::Route(template) => route(draft, template, around),
        }
    }
}

impl Assigned {
    fn compile(node: &Node<'_>) -> Result<Self, DefinitionError> {
        use serde_json::Value as Json;
        match node.value {
            Json::String(_) => Template::compile(node).map(Self::Template),
            Json::Bool(truth) => Ok(Self::Fixed(Value::Boolean(*truth))),
            Json::Number(number) => {
                let value = number.as_i64().map(Value::Integer).or_else(|| number.as_f64().map(Value::Float));
                value.map(Self::Fixed).ok_or_else(|| node.error("is no number that a field can hold"))
            }
            _ => Err(node.error("must be a text (with {fields} in it), a number, true or false")),
        }
    }
}

/// Checks a field name that a pipeline sets.
fn own_name<'n>(node: &Node<'_>, name: &'n str) -> Result<&'n str, DefinitionError> {
    if name.starts_with('@') {
        return Err(node.error(
            "names with @ belong to the system; @message may be set, the steps `level`, `time` and `route` set others",
        ));
    }
    Ok(name)
}

fn put_parsed(draft: &mut Draft, fields: super::format::Fields, prefix: &str, limits: &Limits) -> Done {
    let level = fields.iter().find_map(|(name, value)| level_of_field(name, value));
    draft.level = draft.level.or(level);
    let mut is_whole = true;
    for (name, value) in fields {
        let bare = name.trim_start_matches('@');
        let name = if bare.len() < name.len() { format!("{prefix}_{bare}") } else { format!("{prefix}{name}") };
        is_whole &= draft.put(&name, value, limits);
    }
    if is_whole { Done::Changed } else { Done::Failed("a field is over the limits") }
}

fn set(draft: &mut Draft, values: &[(String, Assigned)], limits: &Limits) -> Done {
    let mut done = Done::Nothing;
    for (name, assigned) in values {
        let value = match assigned {
            Assigned::Fixed(value) => Some(value.clone()),
            Assigned::Template(template) => template.value(draft),
        };
        let Some(value) = value else {
            done = Done::Failed("the field is missing");
            continue;
        };
        if name == "@message" {
            draft.set_message(value.to_string());
            done = Done::Changed;
        } else if draft.put(name, value, limits) {
            done = Done::Changed;
        } else {
            done = Done::Failed("a field is over the limits");
        }
    }
    done
}

fn level(draft: &mut Draft, field: &str) -> Done {
    let Some(value) = draft.value(field) else { return Done::Failed("the field is missing") };
    let named = level_of_field("severity", &value);
    let level = named.or_else(|| if let Value::String(text) = &*value { Level::parse(text.trim()) } else { None });
    match level {
        Some(level) => {
            draft.level = Some(level);
            Done::Changed
        }
        None => Done::Failed("the value is no level"),
    }
}

fn time(draft: &mut Draft, field: &str, around: Surroundings<'_>) -> Done {
    let Some(text) = draft.text(field) else { return Done::Failed("the field is missing") };
    match parse_time(&text, around.received) {
        Some(ResolvedTime::At(time)) => {
            draft.set_time(time);
            Done::Changed
        }
        Some(ResolvedTime::OutOfRange) => Done::Failed("the time is out of range"),
        None => Done::Failed("the value is no time"),
    }
}

/// Routes an event. A name made from a field is the sender's word, so it must be within the sender's scope.
fn route(draft: &mut Draft, template: &Template, around: Surroundings<'_>) -> Done {
    let Some(name) = template.text(draft, true).filter(|name| !name.is_empty()) else {
        return Done::Failed("the field is missing");
    };
    let group = group_name_of_outside(&name);
    if !template.is_fixed() && (is_own(group.as_str()) || !around.within.admits(group.as_str())) {
        return Done::Failed("the sender may not write to that group");
    }
    if draft.group == group {
        return Done::Nothing;
    }
    draft.group = group;
    Done::Routed
}

/// Reports whether a group is the server's own.
fn is_own(group: &str) -> bool {
    group.trim_start_matches('/').starts_with(OWN_GROUPS)
}

//! What is wrong with the texts of a rule, and with keys that no one knows: habits of other programs get a hint.

use serde_saphyr::Location;

use crate::compile::CompiledRule;
use crate::rules::reader::Reader;
use crate::template::{Names, VARIABLES, check};
use crate::{Kind, Rule};

/// Keys that other programs have, and how they are written here.
const HABITS: [(&str, &str); 8] = [
    ("severity", "write labels: {severity: …}"),
    ("summary", "write annotations: {summary: …}"),
    ("description", "write annotations: {description: …}"),
    ("runbook_url", "write annotations: {runbook_url: …}"),
    ("rules", "write groups: [{name: …, rules: […]}]"),
    ("receivers", "write channels:"),
    ("matchers", "write match: [\"severity=~'page|error'\"]"),
    ("threshold", "write condition: count > …"),
];

impl Reader<'_> {
    /// Refuses annotations that name something that never has a value, and labels that look like templates.
    pub(super) fn check_texts(
        &mut self,
        rule: &Rule,
        compiled: &CompiledRule,
        templates: &[(String, Location)],
        place_of_rule: Location,
    ) {
        let labels = labels_of(rule, compiled);
        let columns = compiled.columns();
        let names = Names { variables: &VARIABLES, labels: labels.as_deref(), columns: &columns };
        for (name, place) in templates {
            let text = rule.annotations.get(name).map(String::as_str).unwrap_or_default();
            if let Err(message) = check(text, names) {
                self.error(*place, format!("annotations: {name}: {message}"));
            }
        }
        if let Some((name, _)) = rule.labels.iter().find(|(_, text)| text.contains("{{") || text.contains("{%")) {
            let message = format!("labels: {name}: labels cannot be templates; put the text into annotations");
            self.error(place_of_rule, message);
        }
    }
}

/// Returns the labels that alerts of a rule can have; `None` if only an answer shows them.
fn labels_of(rule: &Rule, compiled: &CompiledRule) -> Option<Vec<String>> {
    let mut labels: Vec<String> = ["alertname".to_owned()].into_iter().chain(rule.labels.keys().cloned()).collect();
    labels.extend(compiled.labels.iter().map(|(_, name)| name.clone()));
    match &rule.kind {
        Kind::Pattern(_) => labels.push("pattern".to_owned()),
        Kind::Threshold | Kind::Absence(_) | Kind::Ratio(_) | Kind::BurnRate(_) | Kind::Anomaly(_) => {}
        Kind::Composite(_) | Kind::Alarm(_) => return None,
    }
    (compiled.metric.is_none() && compiled.series.is_none()).then_some(labels)
}

/// Returns what is wrong with a file, for people: without the position, which precedes it, and with the key that was meant
/// instead of all that there are.
pub(super) fn shown(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(before, _)| before);
    let Some((key, known)) = unknown_key(message) else { return message.to_owned() };
    let habit = HABITS.iter().find(|(name, _)| *name == key && !known.contains(name));
    let near = || plan::nearest(key, known.iter().copied()).map(|near| format!("did you mean {near}:?"));
    let hint = habit.map(|(_, hint)| (*hint).to_owned()).or_else(near);
    let hint = hint.unwrap_or_else(|| format!("there are {}", known.join(", ")));
    format!("unknown key \"{key}\"; {hint}")
}

/// Returns the key that a message calls unknown, and those that it lists.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let (_, after) = message.split_once("unknown field `")?;
    let (key, after) = after.split_once('`')?;
    let (_, list) = after.split_once("expected ")?;
    let list = list.trim_start_matches("one of ").split(", ");
    Some((key, list.map(|name| name.trim_matches(['`', ' '])).filter(|name| !name.is_empty()).collect()))
}

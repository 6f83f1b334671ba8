//! What is wrong with the texts of a rule: annotations and labels.

use serde_saphyr::Location;

use crate::compile::CompiledRule;
use crate::rules::reader::Reader;
use crate::template::{ANNOTATION, Mistake, Names, VARIABLES, check};
use crate::{Kind, Rule};

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
            if let Err(Mistake { message, was_right }) = check(text, &ANNOTATION, names) {
                self.mistake(*place, format!("annotations: {name}: {message}"), was_right);
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

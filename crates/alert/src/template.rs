//! Texts of annotations: minijinja with bounded work and a bounded result.

use std::io;

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value as Json;

/// Steps that rendering one text may take: a loop over ten events with their fields, with room.
const FUEL: u64 = 50_000;

/// Longest text; the rest is cut.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// Returns the language of templates, with bounded work.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    // Texts go into JSON, which escapes by itself.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
}

/// What the templates of a rule may name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    /// Variables.
    pub(crate) variables: &'a [&'a str],
    /// Labels; `None` if only an answer shows which there are.
    pub(crate) labels: Option<&'a [String]>,
    /// Columns of the query, which a user may mistake for variables.
    pub(crate) columns: &'a [String],
}

/// Variables of annotations.
pub(crate) const VARIABLES: [&str; 6] = ["value", "labels", "rule", "events", "url", "window"];

/// Methods that a map has in templates.
const MAP_METHODS: [&str; 4] = ["items", "keys", "values", "get"];

/// Checks a template: its syntax, and that each variable and label in it can have a value. What has none renders as
/// nothing, which only the reader of an alert would notice.
pub(crate) fn check(template: &str, names: Names<'_>) -> Result<(), String> {
    let environment = environment();
    let compiled = environment.template_from_str(template).map_err(|error| {
        let prometheus = ["$value", "$labels"].into_iter().find(|sign| template.contains(sign));
        let hint = prometheus.map(|sign| format!("; write {} without the $", sign.trim_start_matches('$')));
        format!("{}{}", one_line(&error), hint.unwrap_or_default())
    })?;
    let functions: Vec<&str> = environment.globals().map(|(name, _)| name).collect();
    let mut used: Vec<String> = compiled.undeclared_variables(true).into_iter().collect();
    used.sort();
    for path in &used {
        let mut parts = path.split('.');
        let (variable, member) = (parts.next().unwrap_or_default(), parts.next());
        if functions.contains(&variable) {
            continue;
        }
        if !names.variables.contains(&variable) {
            return Err(unknown_variable(variable, names));
        }
        if let ("labels", Some(label), Some(labels)) = (variable, member, names.labels)
            && !MAP_METHODS.contains(&label)
        {
            check_label(label, labels)?;
        }
    }
    for label in names.labels.map(|_| subscripts(template)).unwrap_or_default() {
        check_label(label, names.labels.unwrap_or_default())?;
    }
    Ok(())
}

fn unknown_variable(variable: &str, names: Names<'_>) -> String {
    let there_are = format!("unknown variable \"{variable}\"; known: {}", names.variables.join(", "));
    if names.columns.iter().any(|column| column == variable) {
        return format!("{there_are}; the number that the condition is about is {{{{ value }}}}");
    }
    if names.labels.is_some_and(|labels| labels.iter().any(|label| label == variable)) {
        return format!("{there_are}; write {{{{ labels.{variable} }}}}");
    }
    let near = plan::nearest(variable, names.variables.iter().copied());
    near.map_or(there_are.clone(), |near| format!("{there_are}; did you mean \"{near}\"?"))
}

fn check_label(label: &str, labels: &[String]) -> Result<(), String> {
    if labels.iter().any(|known| known == label) {
        return Ok(());
    }
    let near = plan::nearest(label, labels.iter().map(String::as_str));
    let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    Err(format!("alerts of this rule have no label \"{label}\"; known: {}{near}", labels.join(", ")))
}

/// Returns the names in `labels['…']` and `labels["…"]`.
fn subscripts(template: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for after in template.split("labels[").skip(1) {
        let Some(quote) = after.chars().next().filter(|first| ['\'', '"'].contains(first)) else { continue };
        found.extend(after[1..].split_once(quote).map(|(name, _)| name));
    }
    found
}

/// Renders a template; a failure becomes part of the text, as an alert with a broken text is better than none.
pub(crate) fn render(template: &str, context: &Json) -> String {
    let environment = environment();
    let mut out = BoundedWriter { bytes: Vec::new(), bytes_max: TEXT_BYTES_MAX };
    let context = minijinja::Value::from(minijinja::value::Serde(context));
    let rendered = environment.template_from_str(template).and_then(|t| t.render_captured_to(context, &mut out));
    let failure = match rendered {
        Ok(_) => None,
        Err(_) if out.bytes.len() >= TEXT_BYTES_MAX => Some("…".to_string()),
        Err(error) => Some(format!("(template: {})", one_line(&error))),
    };
    let mut text = String::from_utf8_lossy(&out.bytes).into_owned();
    text.extend(failure);
    text
}

fn one_line(error: &minijinja::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}

/// Takes so many bytes and then no more, so that no template fills the memory.
pub(crate) struct BoundedWriter {
    pub(crate) bytes: Vec<u8>,
    pub(crate) bytes_max: usize,
}

impl io::Write for BoundedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.bytes_max.saturating_sub(self.bytes.len());
        if room == 0 {
            return Err(io::Error::other("text too long"));
        }
        let n = room.min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;

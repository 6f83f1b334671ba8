//! Annotations of rules and bodies of webhooks: Go's templates over a JSON object, with bounded work and a bounded result.
//!
//! They used to be Jinja's, and a text in Jinja is read as the template of Go that it means ([`jinja`]).

mod functions;
mod jinja;

use gotemplate::{Dialect, Failure, Input, Template, Value};
use serde_json::Value as Json;

pub(crate) use self::jinja::{Reader, go_of, is_jinja, next_tag};
use crate::prometheus_text::{TEXT, compiled};

/// Annotations; longer texts are cut.
pub(crate) static ANNOTATION: Dialect = dialect(16 << 10, functions::plain);

/// Bodies of webhooks that are any text, and those that are JSON.
pub(crate) static BODY: Dialect = dialect(64 << 10, functions::plain);
pub(crate) static JSON_BODY: Dialect = dialect(64 << 10, functions::in_json);

const fn dialect(text_bytes_max: usize, write: fn(&Value, &mut String)) -> Dialect {
    Dialect {
        functions: &[functions::FUNCTIONS, TEXT],
        variables: &["$", "$value", "$labels"],
        regex: compiled,
        // A loop over ten events with their fields, with room.
        steps_max: 50_000,
        text_bytes_max,
        lenient: Some(write),
    }
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

/// Why a text is no template.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) message: String,
    /// Whether it is one of Jinja's that has no counterpart in Go's. It may be in force since it was right.
    pub(crate) was_right: bool,
}

/// Reads a template; the error says why it is none, and whether it was one of Jinja's.
pub(crate) fn read(text: &str, dialect: &'static Dialect, variables: &[&str]) -> Result<Template, Mistake> {
    let wrong = |message| Mistake { message, was_right: false };
    if !is_jinja(text, variables) {
        return Template::parse(trimmed(text), dialect).map_err(wrong);
    }
    let go = go_of(text).and_then(|go| Template::parse(trimmed(&go), dialect));
    go.map_err(|problem| Mistake {
        message: format!(
            "{problem}: Jinja's, without a counterpart in Go's templates; write {{{{ .value }}}}, {{{{ if }}}}, {{{{ range }}}} \
             and functions. Where it is in force it is shown as it is"
        ),
        was_right: true,
    })
}

/// The newline at the end of a block of YAML is none of the text.
fn trimmed(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Checks a template: its syntax, and that each variable and label in it can have a value. What has none renders as
/// nothing, which only the reader of an alert would notice.
pub(crate) fn check(text: &str, dialect: &'static Dialect, names: Names<'_>) -> Result<(), Mistake> {
    let wrong = |message| Mistake { message, was_right: false };
    let read = read(text, dialect, names.variables)
        .map_err(|mistake| Mistake { message: explained(mistake.message, names), ..mistake })?;
    for path in read.members() {
        let variable = path[0].as_str();
        types::ensure!(names.variables.contains(&variable), wrong(unknown_variable(variable, names)));
        if let ("labels", Some(label), Some(labels)) = (variable, path.get(1), names.labels) {
            check_label(label, labels).map_err(wrong)?;
        }
    }
    Ok(())
}

/// Adds to a mistake of Go's what may have been meant.
fn explained(problem: String, names: Names<'_>) -> String {
    if let Some(name) = problem.strip_prefix("function \"").and_then(|rest| rest.strip_suffix("\" not defined")) {
        let is_label = names.labels.is_some_and(|labels| labels.iter().any(|label| label == name));
        if is_label || names.columns.iter().any(|column| column == name) {
            return unknown_variable(name, names);
        }
        let near = plan::nearest(name, names.variables.iter().copied());
        return near.map_or(problem.clone(), |near| format!("{problem}; did you mean \".{near}\"?"));
    }
    problem
}

fn unknown_variable(variable: &str, names: Names<'_>) -> String {
    let there_are = format!("unknown variable \"{variable}\"; known: {}", names.variables.join(", "));
    if names.columns.iter().any(|column| column == variable) {
        return format!("{there_are}; the number that the condition is about is {{{{ .value }}}}");
    }
    if names.labels.is_some_and(|labels| labels.iter().any(|label| label == variable)) {
        return format!("{there_are}; write {{{{ .labels.{variable} }}}}");
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

/// Renders an annotation; a failure becomes part of the text, and what is no template stays as it is, as an alert with a
/// broken text is better than none.
pub(crate) fn render(text: &str, context: &Json) -> String {
    let Ok(template) = read(text, &ANNOTATION, &VARIABLES) else { return text.to_owned() };
    let mut out = String::new();
    match fill(&template, context, &mut out) {
        Ok(()) => {}
        Err(failure) if failure.is_full => out.push('…'),
        Err(failure) => out.push_str(&format!("({})", failure.text("annotation"))),
    }
    out
}

/// Fills in a template.
pub(crate) fn fill(template: &Template, context: &Json, out: &mut String) -> Result<(), Failure> {
    let of = |name: &str| functions::of_json(&context[name]);
    template.run(&InitialValues([functions::of_json(context), of("value"), of("labels")]), out)
}

/// The values of `$`, `$value` and `$labels`.
struct InitialValues([Value; 3]);

impl Input for InitialValues {
    fn variables(&self) -> &[Value] {
        &self.0
    }

    fn call(&self, name: &str, _: &[Value]) -> Result<Value, String> {
        Err(format!("{name} is not known here"))
    }
}

#[cfg(test)]
mod tests;

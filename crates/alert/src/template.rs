//! Texts of annotations: minijinja with bounded work and a bounded result.

use std::io;

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value as Json;

/// Steps that rendering one text may take: a loop over ten events with their fields, with room.
const FUEL: u64 = 50_000;

/// Longest text; the rest is cut.
const TEXT_BYTES_MAX: usize = 16 << 10;

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    // Texts go into JSON, which escapes by itself.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
}

/// Says what is wrong with a template.
pub(crate) fn check(template: &str) -> Result<(), String> {
    environment().template_from_str(template).map(|_| ()).map_err(|error| one_line(&error))
}

/// Renders a template; where it cannot be, the text says so, as an alert without text is better than none.
pub(crate) fn render(template: &str, context: &Json) -> String {
    let environment = environment();
    let mut out = Bounded(Vec::new());
    let context = minijinja::Value::from(minijinja::value::Serde(context));
    let rendered = environment.template_from_str(template).and_then(|t| t.render_captured_to(context, &mut out));
    let failure = match rendered {
        Ok(_) => None,
        Err(_) if out.0.len() >= TEXT_BYTES_MAX => Some("…".to_string()),
        Err(error) => Some(format!("(template: {})", one_line(&error))),
    };
    let mut text = String::from_utf8_lossy(&out.0).into_owned();
    text.extend(failure);
    text
}

fn one_line(error: &minijinja::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}

/// Takes so many bytes and then no more.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = TEXT_BYTES_MAX.saturating_sub(self.0.len());
        if room == 0 {
            return Err(io::Error::other("text too long"));
        }
        let n = room.min(bytes.len());
        self.0.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_and_labels_are_put_in() {
        let context = json!({"value": 7, "labels": {"service": "api", "@log": "a/b"}, "events": [{"@message": "x"}]});
        assert_eq!(render("{{ value }} errors in {{ labels.service }}", &context), "7 errors in api");
        assert_eq!(render("{{ labels['@log'] }}: {{ events[0]['@message'] }}", &context), "a/b: x");
        assert_eq!(render("{{ labels.none }}.", &context), ".");
    }

    #[test]
    fn endless_and_huge_templates_end() {
        let context = json!({});
        let endless = "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}";
        assert!(render(endless, &context).contains("(template:"));
        let huge = "{% for i in range(9999) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}";
        assert!(render(huge, &context).len() <= TEXT_BYTES_MAX + 3);
        assert!(check("{{ value").is_err());
    }

    #[test]
    fn a_template_in_a_value_stays_text() {
        let context = json!({"labels": {"a": "{{ value }}<b>"}, "value": 1});
        assert_eq!(render("{{ labels.a }}", &context), "{{ value }}<b>");
    }
}

//! Names, values and bounds of templates.

use super::*;
use serde_json::json;

/// Says what is wrong with a template of a rule with the labels `alertname` and `@log` and the column `n`.
fn wrong(template: &str) -> Option<String> {
    let labels = ["alertname", "@log"].map(str::to_owned);
    let names = Names { variables: &VARIABLES, labels: Some(&labels), columns: &["n".to_owned()] };
    check(template, names).err()
}

#[test]
fn a_name_that_never_has_a_value_is_refused_with_those_that_have() {
    for right in [
        "{{ value }} in {{ labels['@log'] }} of {{ labels.alertname }}",
        "{% for event in events %}{{ loop.index }} {{ event['@message'] }} {{ event.host }}{% endfor %}",
        "{% set n = 3 %}{{ n }} {% for name, value in labels.items() %}{{ name }}{% endfor %}{{ range(3) }}",
        "{{ events[0].status }}",
    ] {
        assert_eq!(wrong(right), None, "{right}");
    }
    let there_are = "unknown variable \"n\"; known: value, labels, rule, events, url, window";
    let of_column = format!("{there_are}; the number that the condition is about is {{{{ value }}}}");
    assert_eq!(wrong("{{ n }} failed"), Some(of_column));
    assert!(wrong("{{ valeu }}").unwrap().ends_with("did you mean \"value\"?"));
    assert!(wrong("{{ alertname }}").unwrap().ends_with("write {{ labels.alertname }}"));
    let of_label = "alerts of this rule have no label \"log\"; known: alertname, @log; did you mean \"@log\"?";
    assert_eq!(wrong("{{ labels.log }}").as_deref(), Some(of_label));
    assert_eq!(wrong("{{ labels[\"log\"] }}").as_deref(), Some(of_label));
    assert!(wrong("{{ $value }}").unwrap().ends_with("write value without the $"));
}

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
    assert!(wrong("{{ value").is_some());
}

#[test]
fn a_template_in_a_value_stays_text() {
    let context = json!({"labels": {"a": "{{ value }}<b>"}, "value": 1});
    assert_eq!(render("{{ labels.a }}", &context), "{{ value }}<b>");
}

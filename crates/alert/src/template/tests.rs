//! Names, values and bounds of templates, and templates of Jinja beside the texts that Jinja made of them.

use super::*;
use serde_json::json;

/// Says what is wrong with a template of a rule with the labels `alertname` and `@log` and the column `n`.
fn wrong(template: &str) -> Option<String> {
    let labels = ["alertname", "@log"].map(str::to_owned);
    let names = Names { variables: &VARIABLES, labels: Some(&labels), columns: &["n".to_owned()] };
    check(template, &ANNOTATION, names).err().map(|mistake| mistake.message)
}

/// Renders a template of Jinja or Go; a failure is part of the text.
fn made(template: &str, context: &Json) -> String {
    let variables: Vec<&str> = context.as_object().unwrap().keys().map(String::as_str).collect();
    let is_json = template.starts_with(['{', '[']) && !template.starts_with("{{") && !template.starts_with("{%");
    let mut out = String::new();
    match read(template, if is_json { &JSON_BODY } else { &BODY }, &variables) {
        Err(mistake) => mistake.message,
        Ok(read) => match fill(&read, context, &mut out) {
            Ok(()) => out,
            Err(failure) => format!("{out}({})", failure.text("t")),
        },
    }
}

/// Texts of the last version that rendered with minijinja, by what was given.
fn golden() -> Json {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

fn rows(golden: &Json, name: &str) -> Vec<Vec<String>> {
    serde_json::from_value(golden[name].clone()).unwrap()
}

#[test]
fn templates_of_jinja_give_the_texts_that_they_gave() {
    let golden = golden();
    for row in rows(&golden, "same") {
        let [context, jinja, go, text] = row.try_into().unwrap();
        let context = &golden["contexts"][context];
        assert_eq!(go_of(&jinja).unwrap(), go);
        assert_eq!(made(&jinja, context), text, "{jinja}");
        assert_eq!(made(&go, context), text, "{go}, of {jinja}");
    }
    // Truth, lists and maps as a whole are written as JSON, and failures in Go's words.
    for row in rows(&golden, "differs") {
        let [context, jinja, before, now] = row.try_into().unwrap();
        assert_ne!(before, now);
        assert_eq!(made(&jinja, &golden["contexts"][context]), now, "{jinja}");
    }
}

#[test]
fn what_has_no_counterpart_is_refused_by_name_and_shown_as_it_is() {
    let golden = golden();
    let refused: Vec<String> = serde_json::from_value(golden["refused"].clone()).unwrap();
    for template in refused {
        let context = &golden["contexts"]["whole"];
        let message = made(&template, context);
        assert!(message.contains(": Jinja's, without a counterpart in Go's templates; write"), "{template}: {message}");
        assert_eq!(render(&template, context), template);
    }
    let set = wrong("a {% set n = 3 %}").unwrap();
    assert!(set.starts_with("\"set\" in {% set n = 3 %}: Jinja's, "), "{set}");
}

#[test]
fn no_function_has_the_name_of_a_variable() {
    // Else `{{ value }}` could be either.
    let post: Vec<String> = golden()["contexts"]["post"].as_object().unwrap().keys().cloned().collect();
    for name in VARIABLES.into_iter().chain(post.iter().map(String::as_str)) {
        let problem = Template::parse(&format!("{{{{ {name} }}}}"), &BODY).unwrap_err();
        assert_eq!(problem, format!("function \"{name}\" not defined"));
    }
}

#[test]
fn a_name_that_never_has_a_value_is_refused_with_those_that_have() {
    for right in [
        "{{ .value }} in {{ index .labels `@log` }} of {{ .labels.alertname }}",
        "{{ $value }} in {{ index $labels \"@log\" }} of {{ $labels.alertname }} {{ $.labels.alertname }}",
        "{{ range $n, $event := .events }}{{ $n }} {{ index $event `@message` }} {{ .host }}{{ end }}",
        "{{ $n := 3 }}{{ $n }} {{ range $name, $value := .labels }}{{ $name }}{{ end }}{{ with .labels }}{{ .host }}{{ end }}",
        "{{ (index .events 0).status }} {{/* value */}} {{ \"{{ value }}\" }} {{ `value` }} 5 { % }",
        "{{ value }} in {{ labels['@log'] }}{% for event in events %}{{ loop.index }} {{ event.host }}{% endfor %}",
    ] {
        assert_eq!(wrong(right), None, "{right}");
    }
    let there_are = "unknown variable \"n\"; known: value, labels, rule, events, url, window";
    let of_column = format!("{there_are}; the number that the condition is about is {{{{ .value }}}}");
    for template in ["{{ n }} failed", "{{ .n }} failed", "{{ value }} {{ n }} failed"] {
        assert_eq!(wrong(template), Some(of_column.clone()), "{template}");
    }
    for (template, expected) in [
        ("{{ valeu }}", "did you mean \".value\"?"),
        ("{{ .valeu }}", "did you mean \"value\"?"),
        ("{{ alertname }}", "write {{ .labels.alertname }}"),
        ("{{ .alertname }}", "write {{ .labels.alertname }}"),
        ("{{ humanise .value }}", "function \"humanise\" not defined"),
        ("{{ .value | upper }}", "function \"upper\" not defined"),
        ("{{ if .value }}", "unexpected end: a block without {{end}}"),
    ] {
        let refused = wrong(template).unwrap();
        assert!(refused.ends_with(expected), "{template}: {refused}");
    }
    let of_label = "alerts of this rule have no label \"log\"; known: alertname, @log; did you mean \"@log\"?";
    for template in ["{{ .labels.log }}", "{{ index .labels \"log\" }}", "{{ $labels.log }}", "{{ labels.log }}"] {
        assert_eq!(wrong(template).as_deref(), Some(of_label), "{template}");
    }
}

#[test]
fn values_are_put_in_whatever_they_are() {
    let context =
        json!({"value": 7, "labels": {"service": "api", "@log": "a/b"}, "events": [{"@message": "x", "took": 1.5}]});
    for (template, expected) in [
        ("{{ .value }} errors in {{ .labels.service }}", "7 errors in api"),
        ("{{ index .labels `@log` }}: {{ index .events 0 `@message` }}{{ index .events 9 `@message` }}", "a/b: x"),
        ("{{ .labels.none }}{{ .labels.none.more }}{{ toUpper .labels.none }}{{ match `x` .labels.none }}.", "false."),
        (
            "{{ printf \"%.1f %d %s %05.2f %q %v%%\" .value 3.0 .value (div .value 2) .value .value }}",
            "7.0 3 7 03.50 \"7\" 7%",
        ),
        (
            "{{ humanize 1234567 }} {{ humanizeDuration 93784 }} {{ humanizePercentage 0.125 }} {{ humanize1024 2048 }}",
            "1.235M 1d 2h 3m 4s 12.5% 2ki",
        ),
        (
            "{{ .labels }} {{ .events }} {{ eq .value 7.0 }}",
            "{\"@log\":\"a/b\",\"service\":\"api\"} [{\"@message\":\"x\",\"took\":1.5}] true",
        ),
        (
            "{{ if and (gt .value 5) (le .value 7.0) (ne .labels.service 7) }}in{{ end }} {{ default `-` .labels.none }}",
            "in -",
        ),
        (
            "{{ add .value 1 2 }} {{ sub 1.5 .value }} {{ mul .value 2 }} {{ div 7 2 }} {{ add `a` `b` }}",
            "10 -5.5 14 3.5 ab",
        ),
        ("{{ print .value .value `x` 2.0 }} {{ trim ` x ` }} {{ replace `a` `b` `aa` }}", "7 7x2.0 x bb"),
    ] {
        assert_eq!(render(template, &context), expected, "{template}");
    }
    let failed = "7 (template: annotation:1:16: executing \"annotation\" at <round `x`>: error calling round: ";
    assert!(render("{{ .value }} {{ round `x` }} y", &context).starts_with(failed));
}

#[test]
fn endless_and_huge_templates_end() {
    let context = json!({});
    assert!(render("{{ range 9999 }}{{ range 9999 }}{{ end }}{{ end }}", &context).contains("(template: "));
    let huge = render("{{ range 9999 }}xxxxxxxxxxxxxxxxxxxxxxxxxxxx{{ end }}", &context);
    assert_eq!(huge.len(), ANNOTATION.text_bytes_max + "…".len());
    assert!(wrong("{{ value").is_some());
    for part in [
        "(", "not ", "value + ", "{{ value", "\"/*", "value[", "1 if 1 else ", "{% if value %}", "-",
        "{{ 'a' if value else ",
    ] {
        for n in [40, 600, 5_000] {
            let text = part.repeat(n);
            assert!(wrong(&format!("{{{{ value + {text}")).is_some(), "{part} {n}");
            let _ = (wrong(&format!("{{{{ {text} value }}}}")), wrong(&text));
        }
    }
    let many = vec!["labels['@log'] == 'x'"; 120].join(" or ");
    assert_eq!(wrong(&format!("{{% if {many} %}}a{{% endif %}}")), None);
}

#[test]
fn a_template_in_a_value_stays_text() {
    let context = json!({"labels": {"a": "{{ .value }}<b>"}, "value": 1});
    assert_eq!(render("{{ .labels.a }}", &context), "{{ .value }}<b>");
}

proptest::proptest! {
    #[test]
    fn no_text_ends_the_reader(text in "(\\{\\{|\\}\\}|\\{%|%\\}|\\{#|if|for|in|value|labels|else|endif|[-|()\\[\\].,=~ \"'`\\\\a-z0-9/*]){0,40}") {
        let _ = wrong(&text);
        let _ = render(&text, &json!({"value": 1}));
    }
}

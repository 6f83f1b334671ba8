//! Rule files before and after.

use super::*;

const BEFORE: &str = r##"# {{ value }} of a comment too
channels:
  - name: hook
    type: webhook
    url: "http://127.0.0.1:1/"
    body: '{"text": "{{ annotations.summary | replace("a", ''b'') }}", "to": "{{ ''all'' if value > 3 }}"}'
groups:
  - name: g
    rules:
      - name: r
        query: "filter a = 1 | stats count(*) as n by host"
        condition: n > 0
        annotations:
          z: plain {{ value }} {{ value }}
          a: "{{ labels['host'] }} \"{{ labels[\"host\"] }}\" {{ 'it' }}"
          b: '{{ labels[''alertname''] }} {{ "x" }}'
          c: >-
            {% if labels.host
            == 'a' %}{{ value }}
            {%- endif %} done
          d: |
            first {{ value }}
            {{ labels['a.b'] | default('none') if false else events[0]['@message'] }}
          e: "{{ .value }} is Go's"
      - {alert: p, expr: up == 0, annotations: {s: "{{ $value }}"}}
"##;

const AFTER: &str = r##"# {{ .value }} of a comment too
channels:
  - name: hook
    type: webhook
    url: "http://127.0.0.1:1/"
    body: '{"text": "{{ replace `a` `b` .annotations.summary }}", "to": "{{ if gt .value 3 }}all{{ end }}"}'
groups:
  - name: g
    rules:
      - name: r
        query: "filter a = 1 | stats count(*) as n by host"
        condition: n > 0
        annotations:
          z: plain {{ .value }} {{ .value }}
          a: "{{ .labels.host }} \"{{ .labels.host }}\" {{ `it` }}"
          b: '{{ .labels.alertname }} {{ `x` }}'
          c: >-
            {{ if eq .labels.host `a` }}{{ .value }}
            {{- end }} done
          d: |
            first {{ .value }}
            {{ if false }}{{ default `none` (index .labels `a.b`) }}{{ else }}{{ index .events 0 `@message` }}{{ end }}
          e: "{{ .value }} is Go's"
      - {alert: p, expr: up == 0, annotations: {s: "{{ $value }}"}}
"##;

#[test]
fn tags_are_rewritten_at_their_places_and_nothing_else() {
    let before = BEFORE.replace("labels['a.b']", "labels['host']");
    let after = AFTER.replace("(index .labels `a.b`)", ".labels.host");
    assert_eq!(rewrite_templates("f", &before).unwrap(), (after.clone(), 6));
    assert_eq!(rewrite_templates("f", &after).unwrap(), (after, 0));
}

#[test]
fn what_cannot_be_rewritten_is_named_and_the_file_stays() {
    let with = |annotation: &str| {
        let file = format!(
            "groups:\n- name: g\n  rules:\n  - name: r\n    query: a\n    annotations:\n      s: {annotation}\n"
        );
        rewrite_templates("f", &file).unwrap_err()[0].to_string()
    };
    let refused = with("\"{{ value | float }}\"");
    assert!(refused.starts_with("f:7:10: annotations: s: \"float\" in {{ value | float }}: "), "{refused}");
    let escaped = with("\"{{ v\\x61lue }}\"");
    assert_eq!(escaped, "f: its templates cannot be changed at their places; write each in one line, without escapes");
}

#[test]
fn the_files_that_come_with_catat_are_in_go() {
    for text in crate::PACKS.iter().map(|pack| pack.text).chain([crate::DEFAULT_RULES, crate::THRESHOLD_RULES]) {
        assert_eq!(rewrite_templates("f", text).map(|(_, n)| n), Ok(0));
    }
}

//! Bodies from templates, whatever values they are given.

use super::*;
use crate::channel::{Channel, Target};

fn rendered(body: &str, notification: &Json) -> Result<(&'static str, String), String> {
    let settings = ChannelSettings { body: Some(body.into()), ..ChannelSettings::default() };
    let (kind, body) = Shape::new(&settings)?.render(notification)?;
    Ok((kind, String::from_utf8(body).expect("templates make texts")))
}

#[test]
fn no_line_of_a_log_ends_the_quotes_of_a_body() {
    let summary = "\"}, \"to\": \"all\"\r\n{{ value }}\\";
    let notification = json!({"annotations": {"summary": summary}, "value": 3, "labels": {"a": "b\""}});
    let jinja =
        r#"{"text": "{{ annotations.summary }}", "n": {{ value }}, "labels": {{ labels }}, "x": "{{ pattern.text }}"}"#;
    let go = r#"{"text": "{{ .annotations.summary }}", "n": {{ .value }}, "labels": {{ .labels }}, "x": "{{ nil }}"}"#;
    for body in [jinja, go] {
        let (kind, text) = rendered(body, &notification).expect("it renders");
        let json: Json = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json, json!({"text": summary, "n": 3, "labels": {"a": "b\""}, "x": ""}));
        assert_eq!(kind, "application/json");
    }
    let (kind, text) = rendered("{{ .annotations.summary }}!", &notification).expect("it renders");
    assert_eq!((kind, text), ("text/plain; charset=utf-8", format!("{summary}!")));
}

#[test]
fn what_cannot_be_a_post_is_refused() {
    assert!(rendered("{\"a\": {{ nil }}}", &json!({})).is_err_and(|error| error.contains("does not produce JSON")));
    assert!(rendered("{{ .a", &json!({})).is_err());
    let object_in_quotes = Shape::new(&ChannelSettings {
        body: Some("{\"text\": \"{{ .counts }}\"}".into()),
        ..ChannelSettings::default()
    });
    assert!(object_in_quotes.is_err_and(|error| error.contains("does not produce JSON")), "told before it is needed");
    let endless = "{{ range 9999 }}{{ range 9999 }}{{ end }}{{ end }}";
    assert!(rendered(endless, &json!({})).is_err());
    let huge = "{{ range 9999 }}xxxxxxxxxxxxxxxxxxxxxxxxxxxx{{ end }}";
    assert!(rendered(huge, &json!({})).is_err());
    let with = |name: &str, value: &str| {
        let headers = [(name.to_string(), Secret::from(value))].into();
        Shape::new(&ChannelSettings { headers, ..ChannelSettings::default() })
    };
    for (name, value) in [("a\r\nb", "x"), ("a", "x\r\nb: c"), ("Host", "x"), ("", "x"), ("a", "é")] {
        assert!(with(name, value).is_err(), "{name:?} {value:?}");
    }
    assert!(with("Authorization", "Bearer x").is_ok());
    let unknown = rendered("{\"text\": \"{{ .n }} {{ .annotations.summary }}\"}", &json!({})).unwrap_err();
    assert!(unknown.starts_with("body: unknown variable \"n\"; known: acknowledge_url, "), "{unknown}");
    let method = Some("DELETE".to_string());
    assert!(Shape::new(&ChannelSettings { method, ..ChannelSettings::default() }).is_err());
}

#[test]
fn a_body_in_jinja_that_has_no_counterpart_is_posted_as_it_is_where_it_is_in_force() {
    let body = "{% set n = 3 %}{{ n }} {{ annotations.summary }}";
    let settings = || ChannelSettings {
        name: "room".into(),
        kind: "webhook".into(),
        url: Some("http://127.0.0.1:9/".into()),
        body: Some(body.into()),
        ..ChannelSettings::default()
    };
    let refused = Channel::new(settings()).expect_err("a new one is refused");
    assert!(refused.starts_with("channel \"room\": body: \"set\" in {% set n = 3 %}: Jinja's, "), "{refused}");
    let channel = Channel::in_force(settings()).expect("it may be in force");
    assert_eq!(channel.warning(), Some(refused));
    let Target::Webhook { shape, .. } = &channel.target else { panic!("{channel:?}") };
    assert_eq!(shape.render(&json!({})), Ok(("text/plain; charset=utf-8", body.as_bytes().to_vec())));
    let unknown = ChannelSettings { body: Some("{{ value }} {{ nothing }}".into()), ..settings() };
    assert!(Channel::in_force(unknown).is_err_and(|refused| refused.contains("unknown variable \"nothing\"")));
}

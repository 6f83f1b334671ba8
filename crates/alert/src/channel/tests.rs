//! What channels may be, and what each kind says of one and the same notification.

use serde_json::{Value as Json, json};
use types::{Secret, Timestamp};

use super::*;

/// Returns a notification in which every field has characters that could mean something to a receiver.
pub(super) fn notification(status: &str) -> Json {
    json!({
        "id": "0123456789abcdef0123456789abcdef",
        "rule": "errors",
        "status": status,
        "labels": {"@log": "app/a", "alertname": "errors", "severity": "critical", "1st": "x", "empty": ""},
        "annotations": {"summary": "3 errors in <app/a> & more\r\nBcc: all@example.org"},
        "value": 3,
        "starts_at": "2026-11-20T06:02:00Z",
        "ends_at": if status == "firing" { Json::Null } else { json!("2026-11-20T06:07:00Z") },
        "events": [{"@timestamp": "2026-11-20T06:01:59Z", "@message": "disk <!channel> on fire ``` \u{1b}[31m"}],
        "pattern": null,
        "url": "http://127.0.0.1:22828/?q=x",
    })
}

fn settings(kind: &str, url: &str) -> ChannelSettings {
    let url = (!url.is_empty()).then(|| Secret::from(url));
    ChannelSettings { name: "ops".into(), kind: kind.into(), url, ..ChannelSettings::default() }
}

fn refusal(settings: ChannelSettings) -> String {
    Channel::new(settings).expect_err("this channel is refused")
}

#[test]
fn a_channel_says_what_it_lacks_and_what_it_cannot_have() {
    let web = "https://example.org/x";
    assert_eq!(refusal(settings("webhook", "")), "channel \"ops\": url is missing");
    assert_eq!(refusal(settings("pagerduty", "")), "channel \"ops\": routing_key is missing");
    assert_eq!(refusal(settings("email", "smtp://mail.example.org")), "channel \"ops\": from is missing");
    assert_eq!(refusal(settings("", web)), "channel \"ops\": type is missing");
    assert!(refusal(settings("teams", web)).contains("unknown type \"teams\"; there are webhook, slack"));
    assert!(refusal(settings("command", "")).contains("command is missing"));
    let foreign = ChannelSettings { secret: Some("s".into()), ..settings("slack", web) };
    assert_eq!(refusal(foreign), "channel \"ops\": secret: belongs to type \"webhook\" only");
    for kind in ["webhook", "slack", "alertmanager"] {
        assert!(refusal(settings(kind, "http://169.254.169.254/x")).contains("link-local"), "{kind}");
        assert!(refusal(settings(kind, "smtp://example.org")).contains("http://"), "{kind}");
    }
    let unnamed = ChannelSettings { name: String::new(), ..settings("webhook", web) };
    assert_eq!(refusal(unnamed), "a channel has no name");
}

#[test]
fn no_secret_of_a_channel_is_shown() {
    let key = |settings| ChannelSettings { routing_key: Some("hush-key".into()), ..settings };
    let mail = ChannelSettings {
        from: Some("catat@example.org".into()),
        to: vec!["ops@example.org".into()],
        ..settings("email", "smtp://user:hush-mail@mail.example.org")
    };
    for settings in [key(settings("pagerduty", "")), mail, settings("slack", "https://example.org/hush-slack")] {
        assert!(!format!("{settings:?}").contains("hush"), "{settings:?}");
        let channel = Channel::new(settings).expect("a channel");
        assert!(!format!("{channel:?}").contains("hush"), "{channel:?}");
    }
}

#[test]
fn slack_gets_text_that_calls_nobody() {
    let message = slack::message(&notification("firing"));
    assert_eq!(message["text"], "[FIRING] errors: 3 errors in &lt;app/a&gt; &amp; more  Bcc: all@example.org");
    let attachment = &message["attachments"][0];
    assert_eq!(
        (attachment["color"].as_str(), attachment["title_link"].as_str()),
        (Some("danger"), Some("http://127.0.0.1:22828/?q=x"))
    );
    assert_eq!(attachment["text"], "```\n2026-11-20T06:01:59Z disk &lt;!channel&gt; on fire '''  [31m\n```");
    let fields = attachment["fields"].as_array().expect("fields");
    assert!(fields.iter().any(|field| field["title"] == "@log" && field["value"] == "app/a"));
    assert!(!fields.iter().any(|field| field["title"] == "alertname"));
    assert_eq!(slack::message(&notification("resolved"))["attachments"][0]["color"], "good");
}

#[test]
fn pagerduty_gets_one_incident_with_a_beginning_and_an_end() {
    let key = Secret::from("R0");
    let (trigger, resolve) = (notification("firing"), notification("resolved"));
    let (trigger, resolve) = (pagerduty::event(&trigger, &key), pagerduty::event(&resolve, &key));
    assert_eq!((&trigger["event_action"], &resolve["event_action"]), (&json!("trigger"), &json!("resolve")));
    assert_eq!(trigger["dedup_key"], resolve["dedup_key"]);
    assert_eq!((&trigger["payload"]["severity"], &trigger["payload"]["source"]), (&json!("critical"), &json!("app/a")));
    assert_eq!(trigger["payload"]["summary"], "3 errors in <app/a> & more  Bcc: all@example.org");
    assert_eq!(trigger["routing_key"], "R0");
    let mut next = notification("firing");
    next["starts_at"] = json!("2026-11-20T07:02:00Z");
    assert_ne!(pagerduty::event(&next, &key)["dedup_key"], trigger["dedup_key"]);
    let mut long = notification("firing");
    long["annotations"]["summary"] = json!("é".repeat(5_000));
    assert!(pagerduty::event(&long, &key)["payload"]["summary"].as_str().is_some_and(|text| text.len() <= 1_024));
}

#[test]
fn alertmanager_gets_names_that_it_takes_and_an_end_that_comes_by_itself() {
    let now = Timestamp::parse_rfc3339("2026-11-20T06:02:00Z").expect("a time");
    let alert = alertmanager::alert(&notification("firing"), now);
    assert_eq!(alert["labels"], json!({"log": "app/a", "alertname": "errors", "severity": "critical", "_1st": "x"}));
    assert_eq!(
        (&alert["startsAt"], &alert["endsAt"]),
        (&json!("2026-11-20T06:02:00Z"), &json!("2026-11-20T06:06:00Z"))
    );
    assert_eq!(alertmanager::alert(&notification("resolved"), now)["endsAt"], "2026-11-20T06:07:00Z");
    let url_of = |url: &str| match Channel::new(settings("alertmanager", url)).expect("a channel").target {
        Target::Alertmanager { url } => url.reveal().to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(url_of("http://127.0.0.1:9093"), "http://127.0.0.1:9093/api/v2/alerts");
    assert_eq!(url_of("http://proxy/am/"), "http://proxy/am/api/v2/alerts");
    assert_eq!(url_of("http://proxy/am/api/v2/alerts"), "http://proxy/am/api/v2/alerts");
}

/// Returns two alerts in one message, with everything that is known of the first.
fn several() -> Json {
    let mut several = notification("firing");
    several["first"] = json!({"@timestamp": "2026-11-20T06:00:01Z", "@message": "the <first>\r\nline"});
    several["counts"] =
        json!({"field": "host", "values": [{"value": "web-1", "count": 7}, {"value": "web-<2>", "count": 1}]});
    several["pattern"] = json!({"text": "disk <*> on fire", "count": 8, "is_new": true});
    several["acknowledge_url"] = json!("http://127.0.0.1:22828/alerts?acknowledge=a");
    several["silence_url"] = json!("http://127.0.0.1:22828/alerts?silence=a");
    several["first_look"] = json!({"began": "2026-11-20T06:00:01Z",
        "findings": [{"kind": "mark", "title": "deploy <1.4.2>\n33 s before", "at": null}]});
    let mut other = notification("resolved");
    other["labels"]["@log"] = json!("app/b");
    other["annotations"]["summary"] = json!("nothing in app/b\r\nany more");
    several["alerts"] = json!([several.clone(), other]);
    several
}

#[test]
fn every_kind_tells_of_all_alerts_of_a_message() {
    let several = several();
    let slack = slack::message(&several);
    let text = slack["attachments"][0]["text"].as_str().expect("a text");
    for part in [
        "[RESOLVED] errors: nothing in app/b  any more\n",
        "by host: web-1 7, web-&lt;2&gt; 1\n",
        "new pattern: disk &lt;*&gt; on fire\n",
        "began 2026-11-20T06:00:01Z\n• deploy &lt;1.4.2&gt; 33 s before\n",
        "first: 2026-11-20T06:00:01Z the &lt;first&gt;  line\n",
        "<http://127.0.0.1:22828/alerts?acknowledge=a|Take it on>",
        "<http://127.0.0.1:22828/alerts?silence=a|Silence it>",
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
    let all: Vec<&Json> = words::alerts(&several).collect();
    assert_eq!((all.len(), &all[1]["labels"]["@log"]), (2, &json!("app/b")));
    let event = pagerduty::event(all[1], &Secret::from("R0"));
    assert_eq!(event["event_action"], "resolve");
    assert_ne!(event["dedup_key"], pagerduty::event(all[0], &Secret::from("R0"))["dedup_key"]);
    let mut both = several.clone();
    both["alerts"][1]["status"] = json!("firing");
    assert!(words::title(&both).starts_with("[FIRING:2] errors: "));
}

#[test]
fn a_line_with_a_trace_says_what_failed_and_where() {
    let place = json!({
        "@timestamp": "T", "exception.type": "shop.Refused", "exception.message": "order 17\nof ann",
        "code.function.name": "pay", "code.file.path": "/app/pay.py", "code.line.number": 31,
    });
    let line = |message: &str| {
        let mut event = place.clone();
        event["@message"] = message.into();
        words::lines(&json!({ "events": [event] })).remove(0)
    };
    let trace = "Traceback (most recent call last):\n  File \"/app/pay.py\", line 31, in pay\n    charge()\nshop.Refused: order 17\n";
    assert_eq!(line(trace), "T shop.Refused: order 17 in pay at /app/pay.py:31");
    let logged = format!("request 7 failed\n{trace}");
    assert_eq!(line(&logged), "T request 7 failed: shop.Refused: order 17 in pay at /app/pay.py:31");
    assert_eq!(line("request 7 failed"), "T request 7 failed");
}

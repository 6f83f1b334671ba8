//! From the alert to the cause: marks, what differs, when it began, the first look.

use std::time::Duration;

use serde_json::{Value, json};
use storage::Clock;
use types::{Limits, Timestamp};

use super::House;

/// Two hours of orders, of which those of the canary fail from 11:40 on; the clock of tests stands at 12:00.
fn lines() -> String {
    let mut all = String::new();
    for second in 0..7_200 {
        let time = format!("2026-11-20T{:02}:{:02}:{:02}Z", 10 + second / 3_600, second / 60 % 60, second % 60);
        let is_canary = second >= 6_000 && second % 10 == 3;
        let (version, zone) = (if is_canary { "v4.13.0" } else { "v4.12.1" }, ["a", "b", "c"][second % 3]);
        let mut event = json!({"@timestamp": time, "message": format!("order {second} done"), "level": "info",
            "service": "payment", "version": version, "zone": zone, "ms": 10 + second % 50});
        if is_canary {
            event["message"] = format!("order {second} failed: pool exhausted").into();
            event["level"] = "error".into();
            event["ms"] = (5_000 + second % 40).into();
        }
        all += &(event.to_string() + "\n");
    }
    all
}

/// A server whose canary began to fail at 11:40.
pub(super) async fn house() -> House {
    let house = House::new();
    let reply = house.post("/api/v1/ingest?group=app", lines()).await;
    assert!(reply.status < 300, "{}", reply.text());
    house
}

async fn asked(house: &House, path: &str, body: &Value) -> Value {
    let reply = house.post(path, body.to_string()).await;
    assert!(reply.status < 300, "{path}: {}", reply.text());
    reply.json()
}

async fn refused(house: &House, path: &str, body: &Value) -> (u16, String) {
    let reply = house.post(path, body.to_string()).await;
    (reply.status, reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn marks_are_events_that_are_listed_where_they_overlap_the_range() {
    let house = House::new();
    let deploy = json!({"text": "deploy 1.4.2", "fields": {"service": "pay", "attempt": 2}});
    let made = asked(&house, "/api/v1/marks", &deploy).await;
    assert_eq!(
        (&made["at"], &made["group"], &made["until"]),
        (&json!("2026-11-20T12:00:00Z"), &json!("marks"), &Value::Null)
    );
    let migration = json!({"text": "migration", "at": "2026-11-20T10:00:00Z", "until": "2026-11-20T11:30:00Z"});
    asked(&house, "/api/v1/marks", &migration).await;
    let own = json!({"text": "flag on", "at": "2026-11-20T11:10:00Z", "group": "pay/marks"});
    asked(&house, "/api/v1/marks", &own).await;
    let listed = |parameters: &'static str| {
        let house = &house;
        async move {
            let found = house.get(&format!("/api/v1/marks?{parameters}")).await.json();
            let texts = found["marks"].as_array().expect("a list").iter().map(|mark| mark["text"].clone());
            texts.collect::<Vec<Value>>()
        }
    };
    assert_eq!(listed("").await, ["migration", "flag on", "deploy 1.4.2"]);
    assert_eq!(listed("from=2026-11-20T11:31:00Z").await, ["deploy 1.4.2"]);
    assert_eq!(listed("to=2026-11-20T11:00:00Z").await, ["migration"]);
    assert_eq!(listed("limit=1").await, ["deploy 1.4.2"]);
    for how in ["", "?compact=true"] {
        house.administer("POST", &format!("/api/v1/status/flush{how}"), "").await;
        let found = house.get("/api/v1/marks?from=now-5m").await.json();
        let mark = &found["marks"][0];
        assert_eq!(mark["fields"], json!({"service": "pay", "attempt": 2}), "{found}");
        assert_eq!(mark["text"], "deploy 1.4.2");
    }
    let query = json!({"query": "source \"marks\" | filter service = \"pay\" | stats count(*) as n"});
    assert_eq!(asked(&house, "/api/v1/query", &query).await["rows"], json!([[1]]));
}

#[tokio::test]
async fn marks_that_cannot_be_are_refused_and_keys_mark_within_their_groups() {
    let house = House::new();
    for (mark, said) in [
        (json!({"text": "  "}), "text has 0 bytes; a mark needs 1 to 2000"),
        (
            json!({"text": "x", "at": "2027-01-01"}),
            "at 2027-01-01T00:00:00Z is further in the future than limits.max_future permits",
        ),
        (json!({"text": "x", "at": "soon"}), "at: "),
        (
            json!({"text": "x", "at": "2026-11-20T11:00:00Z", "until": "2026-11-20T10:00:00Z"}),
            "until 2026-11-20T10:00:00Z is before at",
        ),
        (
            json!({"text": "x", "at": "2026-11-01", "until": "2026-11-20"}),
            "from at 2026-11-01T00:00:00Z until 2026-11-20T00:00:00Z are more than 7 days",
        ),
        (json!({"text": "x", "fields": {"@log": "y"}}), "fields: \"@log\" cannot be the name"),
        (json!({"text": "x", "fields": {"a": [1]}}), "fields: \"a\" is neither a text, a number nor a boolean"),
        (json!({"text": "x", "group": "app"}), "group \"app\" is no group of marks"),
        (json!({"text": "x", "when": "now"}), "the body is no mark: unknown field `when`"),
        (json!(["x"]), "the body is no mark: it is an array, not an object"),
    ] {
        let (status, message) = refused(&house, "/api/v1/marks", &mark).await;
        assert!(status == 400 && message.starts_with(said), "{mark}: {status} {message}");
    }
    let (_, key) = house.key("ingest", &["pay/*"]).await;
    let post = |body: &'static str| house.as_key(&key, "POST", "/api/v1/marks", body.to_owned());
    let foreign = post(r#"{"text":"x"}"#).await;
    assert!(foreign.status == 403 && foreign.text().contains("GROUP/marks"), "{}", foreign.text());
    assert_eq!(post(r#"{"text":"x","group":"pay/marks"}"#).await.status, 201);
    let (_, other) = house.key("read", &["web/*"]).await;
    let seen = house.as_key(&other, "GET", "/api/v1/marks", String::new()).await.json();
    assert_eq!(seen["marks"], json!([]));
}

#[tokio::test]
async fn what_differs_is_the_same_however_events_are_stored() {
    let house = house().await;
    let body = json!({"selection": {"query": "filter @level = \"error\"", "from": "2026-11-20T10:00:00Z", "to": "2026-11-20T12:00:00Z",
        "groups": ["app"]}, "baseline": "rest"});
    let found = |mut found: Value| {
        found.as_object_mut().expect("an object").remove("stats");
        for field in found["fields"].as_array_mut().expect("a list") {
            field["event"]["id"].take();
        }
        found
    };
    let hot = found(asked(&house, "/api/v1/differs", &body).await);
    assert_eq!((&hot["selection"], &hot["baseline"]), (&json!({"events": 120}), &json!({"events": 7_080})));
    let version = &hot["fields"][0];
    assert_eq!(version["field"], "version", "{hot:#}");
    assert_eq!(version["same_events"], json!(["ms", "@pattern"]));
    let of_canary = json!({"value": "v4.13.0", "selection": 120, "selection_share": 1.0, "baseline": 0, "baseline_share": 0.0, "lift": null});
    assert_eq!(version["values"][0], of_canary);
    assert_eq!(version["query"], "filter @level = \"error\" | filter version = \"v4.13.0\"");
    assert_eq!(version["event"]["text"], "order 7193 failed: pool exhausted");
    for how in ["", "?compact=true"] {
        house.administer("POST", &format!("/api/v1/status/flush{how}"), "").await;
        assert_eq!(found(asked(&house, "/api/v1/differs", &body).await), hot, "{how}");
    }
    let before = json!({"selection": {"query": "", "from": "2026-11-20T11:40:00Z", "to": "2026-11-20T12:00:00Z"}});
    let before = asked(&house, "/api/v1/differs", &before).await;
    assert_eq!(before["baseline"], json!({"events": 1_200}));
    let fields: Vec<&Value> =
        before["fields"].as_array().expect("a list").iter().map(|field| &field["field"]).collect();
    assert!(fields.contains(&&json!("version")), "{before:#}");
}

#[tokio::test]
async fn comparisons_that_cannot_be_are_refused_by_name() {
    let house = house().await;
    for (body, said) in [
        (json!({}), "the body is no comparison: selection is missing"),
        (json!([]), "the body is no comparison: it is no object"),
        (json!({"selection": {}, "baseline": "after"}), "the body is no comparison: baseline \"after\" is neither"),
        (json!({"selection": {"quer": ""}}), "the body is no comparison: selection: unknown field `quer`"),
        (json!({"selection": {}, "sample": 1}), "the body is no comparison: unknown member \"sample\""),
        (json!({"selection": {"query": "filter ("}}), ""),
        (
            json!({"selection": {"groups": ["a"]}, "baseline": {"groups": ["b"]}}),
            "selection and baseline are about different groups",
        ),
    ] {
        let (status, message) = refused(&house, "/api/v1/differs", &body).await;
        assert!(status == 400 && message.starts_with(said), "{body}: {status} {message}");
    }
    let empty = json!({"selection": {"query": "filter version = \"none\"", "from": "now-1h"}, "baseline": "rest"});
    let empty = asked(&house, "/api/v1/differs", &empty).await;
    assert_eq!((&empty["fields"], &empty["note"]), (&json!([]), &json!("the selection has no events")));
}

#[tokio::test]
async fn an_onset_has_its_time_its_rates_and_what_began_with_it() {
    let house = house().await;
    let mark = json!({"text": "deploy v4.13.0", "at": "2026-11-20T11:39:30Z", "fields": {"service": "payment"}});
    asked(&house, "/api/v1/marks", &mark).await;
    let body =
        json!({"query": "filter @level = \"error\"", "from": "2026-11-20T11:00:00Z", "to": "2026-11-20T12:00:00Z"});
    let found = asked(&house, "/api/v1/onset", &body).await;
    assert_eq!(found["began"], "2026-11-20T11:40:03Z", "{found:#}");
    assert_eq!((&found["ended"], &found["before_per_minute"]), (&Value::Null, &json!(0.0)));
    let rate = found["after_per_minute"].as_f64().expect("a number");
    assert!((5.0..7.0).contains(&rate), "{rate}");
    let kinds: Vec<(&str, &str)> = (found["also"].as_array().expect("a list").iter())
        .filter_map(|one| Some((one["kind"].as_str()?, one["at"].as_str()?)))
        .collect();
    assert_eq!(kinds, [("mark", "2026-11-20T11:39:30Z"), ("pattern", "2026-11-20T11:40:03Z")], "{found:#}");
    let quiet =
        json!({"query": "filter version = \"v4.12.1\"", "from": "2026-11-20T11:00:00Z", "to": "2026-11-20T11:30:00Z"});
    let quiet = asked(&house, "/api/v1/onset", &quiet).await;
    assert_eq!((&quiet["began"], &quiet["uncertainty_ms"], &quiet["also"]), (&Value::Null, &Value::Null, &json!([])));
}

#[tokio::test]
async fn a_first_look_names_the_call_that_fails_since_then() {
    let house = house().await;
    let mut lines = String::new();
    for n in 0..480 {
        let second = 4_800 + 5 * n;
        let time = format!("{:02}:{:02}:{:02}", 10 + second / 3_600, second / 60 % 60, second % 60);
        let fails = second >= 6_000 && n % 3 == 0;
        let (status, ms) = if fails { ("error", 5_000.0) } else { ("ok", 12.0) };
        let (trace, id) = (format!("{:032x}", n + 1), format!("{:016x}", n + 1));
        let more = json!({"db.system": "postgresql", "status": status});
        let call = super::traces::span((&trace, &id, ""), ("payment", "client", "SELECT"), (&time, ms), more);
        lines += &(call.to_string() + "\n");
    }
    assert_eq!(house.post("/api/v1/ingest?group=traces/payment", lines).await.status, 200);
    let body = json!({"query": "filter @level = \"error\"", "from": "2026-11-20T11:00:00Z",
        "to": "2026-11-20T12:00:00Z", "groups": ["app"]});
    for how in ["", "?compact=true"] {
        let found = asked(&house, "/api/v1/first-look", &body).await;
        let call = &found["calls"][0];
        assert_eq!((&call["from"], &call["to"]), (&json!("payment"), &json!("postgresql")), "{found:#}");
        assert_eq!((&call["failing"], &call["slower"], &call["last"]), (&json!(true), &json!(true), &json!(true)));
        assert!(call["error_share"].as_f64().is_some_and(|share| (0.3..0.36).contains(&share)), "{call}");
        assert_eq!(call["query"], r#"filter service = "payment" and kind = "client" and status = "error""#);
        let finding = found["findings"].as_array().into_iter().flatten().find(|one| one["kind"] == "call");
        let title = finding.and_then(|finding| finding["title"].as_str()).unwrap_or_default();
        assert!(title.starts_with("calls payment → postgresql: 33"), "{found:#}");
        // No day before has events.
        assert_eq!((&found["usual"], &found["partial"]), (&Value::Null, &json!(false)));
        house.administer("POST", &format!("/api/v1/status/flush{how}"), "").await;
    }
}

#[tokio::test]
async fn shares_percentiles_and_patterns_have_onsets_with_intervals() {
    let house = house().await;
    let mark = json!({"text": "deploy v4.13.0", "at": "2026-11-20T11:39:30Z"});
    asked(&house, "/api/v1/marks", &mark).await;
    let ask = |query: &'static str, of: Value| {
        let mut body =
            json!({"query": query, "from": "2026-11-20T11:00:00Z", "to": "2026-11-20T12:00:00Z", "groups": ["app"]});
        if of.is_object() {
            of.as_object().into_iter().flatten().for_each(|(name, value)| body[name] = value.clone());
        }
        body
    };
    let is_near = |text: &Value| {
        let at = text.as_str().expect("a time");
        ("2026-11-20T11:39:00Z".."2026-11-20T11:41:00Z").contains(&at)
    };
    let among = json!({"of": "share", "among": "filter service = \"payment\""});
    for (body, measure, before, after) in [
        (ask("filter @level = \"error\"", among), "share", 0.0..0.001, 0.08..0.12),
        (ask("filter @level = \"error\"", json!({"of": "share"})), "share", 0.0..0.001, 0.08..0.12),
        (ask("", json!({"of": "p95(ms)"})), "p95(ms)", 50.0..62.0, 4_900.0..5_100.0),
        (ask("stats pct(ms, 95) by bin(1m)", Value::Null), "p95(ms)", 50.0..62.0, 4_900.0..5_100.0),
    ] {
        let found = asked(&house, "/api/v1/onset", &body).await;
        let number = |name: &str| found[name].as_f64().expect("a number");
        assert_eq!((&found["measure"], &found["ended"]), (&json!(measure), &Value::Null), "{found:#}");
        assert!(is_near(&found["began"]) && is_near(&found["began_between"][0]), "{found:#}");
        assert!(is_near(&found["began_between"][1]) && found["before_per_minute"].is_null(), "{found:#}");
        assert!(before.contains(&number("before")) && after.contains(&number("after")), "{found:#}");
    }
    let found = asked(&house, "/api/v1/onset", &ask("", json!({"of": "patterns"}))).await;
    let told: Vec<&Value> = found["patterns"].as_array().expect("a list").iter().map(|one| &one["pattern"]).collect();
    assert_eq!(told, [&json!("order <*> failed: pool exhausted")], "{found:#}");
    let one = &found["patterns"][0];
    assert_eq!(
        (&one["began"], &one["began_between"][1]),
        (&json!("2026-11-20T11:40:03Z"), &json!("2026-11-20T11:40:03Z"))
    );
    assert_eq!((&one["events"], &one["before_per_minute"]), (&json!(120), &json!(0.0)));
    let query = one["query"].as_str().expect("a query").to_owned();
    let body = json!({"query": format!("{query} | stats count(*)"), "from": "2026-11-20T10:00:00Z", "groups": ["app"]});
    assert_eq!(asked(&house, "/api/v1/query", &body).await["rows"], json!([[120]]));
    let marks: Vec<&Value> = found["also"].as_array().expect("a list").iter().map(|one| &one["what"]).collect();
    assert_eq!(marks, [&json!("deploy v4.13.0")]);
}

#[tokio::test]
async fn onsets_that_cannot_be_are_refused_and_none_has_a_sentence() {
    let house = house().await;
    for (body, said) in [
        (json!([]), "the body is no question about an onset: it is no object"),
        (json!({"quer": ""}), "the body is no question about an onset: unknown field `quer`"),
        (json!({"of": 1}), "the body is no question about an onset: of is no text"),
        (json!({"of": "median"}), "unknown `of`: \"median\""),
        (json!({"of": "p100(ms)"}), "unknown `of`: \"p100(ms)\""),
        (json!({"among": "filter a = 1"}), "`among` is for shares"),
        (
            json!({"of": "share", "among": "source \"other\" | filter a = 1", "groups": ["app"]}),
            "query and among are about different groups",
        ),
        (json!({"query": "stats avg(ms)"}), "an onset compares count(*), shares and percentiles of a field"),
        (
            json!({"query": "stats count(*) by zone"}),
            "an onset is that of one series, and the query has one for each group",
        ),
        (json!({"query": "stats pct(ms, 95), count(*)"}), "an onset is that of one series, and stats computes several"),
        (json!({"query": "stats count(*)", "of": "share"}), "the query ends with stats"),
    ] {
        let (status, message) = refused(&house, "/api/v1/onset", &body).await;
        assert!(status == 400 && message.starts_with(said), "{body}: {status} {message}");
    }
    for (of, said) in [
        ("count", "the events came neither twice nor half as often as before, beyond chance"),
        ("share", "the share of these events among"),
        ("p50(ms)", "percentile 50 of ms, over"),
        ("p95(none)", "no event of the range has a number in none"),
        ("patterns", "none of 1 patterns came twice or half as often as before, beyond chance"),
    ] {
        let body = json!({"query": "filter zone = \"a\"", "from": "2026-11-20T10:30:00Z", "to": "2026-11-20T11:00:00Z", "of": of});
        let quiet = asked(&house, "/api/v1/onset", &body).await;
        let note = quiet["note"].as_str().expect("a sentence");
        assert!(note.starts_with(said) && quiet["began"].is_null() && quiet["also"].is_array(), "{of}: {quiet:#}");
    }
}

#[tokio::test]
async fn a_first_look_names_the_deploy_and_the_version() {
    let house = house().await;
    let mark = json!({"text": "deploy v4.13.0", "at": "2026-11-20T11:39:30Z", "fields": {"service": "payment"}});
    asked(&house, "/api/v1/marks", &mark).await;
    let found =
        asked(&house, "/api/v1/first-look", &json!({"query": "", "from": "2026-11-20T11:00:00Z", "groups": ["app"]}))
            .await;
    let best: Vec<&str> =
        found["findings"].as_array().expect("a list").iter().take(3).filter_map(|one| one["title"].as_str()).collect();
    assert!(best.contains(&"deploy v4.13.0 33 s before"), "{found:#}");
    assert!(
        best.iter().any(|title| title.starts_with("version = v4.13.0: 100% of these events, 0% of others")),
        "{best:?}"
    );
    assert_eq!(found["onset"]["began"], "2026-11-20T11:40:03Z");
    assert!(found["differs"]["fields"].is_array() && found["elapsed_ms"].is_number());
    let calm = json!({"query": "", "from": "2026-11-20T10:20:00Z", "to": "2026-11-20T10:50:00Z"});
    assert_eq!(asked(&house, "/api/v1/first-look", &calm).await["findings"], json!([]));
    for (body, status) in
        [(json!({"alert": "x"}), 404), (json!({"alert": 1}), 400), (json!({"alert": "x", "query": ""}), 400)]
    {
        assert_eq!(refused(&house, "/api/v1/first-look", &body).await.0, status, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_look_at_an_alert_finds_what_the_one_at_its_events_finds() {
    let house = House::with_clock(Limits::default(), Clock::system());
    let now = Clock::system().now();
    let at = |second: i64| Timestamp(now.0 - (2_400 - second) * Timestamp::SECOND).to_string();
    let event = |second: i64| {
        let is_bad = second >= 2_280 && second % 3 == 0;
        let (message, level) = if is_bad {
            (format!("order {second} failed: pool exhausted"), "error")
        } else {
            ("done".to_owned(), "info")
        };
        json!({"@timestamp": at(second), "message": message, "level": level, "service": "pay"}).to_string()
    };
    let rule = json!({"name": "new", "kind": "pattern", "query": "filter @level >= \"error\"", "groups": ["app"],
        "by": ["@log", "exception.type"], "window": "5m", "baseline": "24h"});
    assert_eq!(house.administer_json("/api/v1/rules", &rule).await.status, 201);
    for seconds in [0..2_300, 2_300..2_400] {
        let lines: Vec<String> = seconds.map(event).collect();
        assert_eq!(house.post("/api/v1/ingest?group=app", lines.join("\n")).await.status, 200);
    }
    let mut alert = Value::Null;
    for _ in 0..300 {
        let alerts = house.administer("GET", "/api/v1/alerts", "").await.json();
        alert = alerts["alerts"].as_array().into_iter().flatten().find(|one| one["state"] == "alarm").cloned().into();
        if !alert.is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(alert["labels"]["pattern"], "order <*> failed: pool exhausted", "{alert:#}");
    let of_alert = asked(&house, "/api/v1/first-look", &json!({"alert": alert["id"]})).await;
    let body = json!({"query": "filter @level >= \"error\"", "from": "now-30m", "groups": ["app"]});
    let of_query = asked(&house, "/api/v1/first-look", &body).await;
    assert!(of_query["onset"]["began"].is_string(), "{of_query:#}");
    assert_eq!(of_alert["onset"]["began"], of_query["onset"]["began"], "{of_alert:#}");
    assert!(of_alert["findings"].as_array().is_some_and(|all| !all.is_empty()), "{of_alert:#}");
    // What is shown are its events since they began, not since its window began.
    let url = alert["url"].as_str().expect("an address");
    let from = of_query["onset"]["began"].as_str().expect("a time");
    let shown =
        url.split("from=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default().replace("%3A", ":");
    assert!(Timestamp::parse_rfc3339(&shown) <= Timestamp::parse_rfc3339(from), "{url}: {from}");
}

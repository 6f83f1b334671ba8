//! Sentry's envelopes over HTTP.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::{House, Reply};

const ENVELOPE: &str = r#"{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc"}
{"type":"event"}
{"platform":"python","exception":{"values":[{"type":"PayError","value":"no money","stacktrace":{"frames":[{"abs_path":"/srv/pay.py","lineno":12,"function":"pay"}]}}]}}
{"type":"session"}
{}
"#;

async fn send(house: &House, uri: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let request = headers.iter().fold(Request::post(uri), |request, (name, value)| request.header(*name, *value));
    house.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

async fn rows(house: &House, query: &str) -> serde_json::Value {
    let query = json!({ "query": query, "from": "2026-11-20T00:00:00Z" });
    let found = house.post("/api/v1/query", query.to_string()).await;
    assert_eq!(found.status, 200, "{}", found.text());
    found.json()["rows"].clone()
}

#[tokio::test]
async fn an_error_is_stored_and_what_is_not_is_named() {
    let house = House::new();
    for uri in ["/api/42/envelope/", "/api/42/envelope?sentry_version=7"] {
        let reply = send(&house, uri, &[], ENVELOPE).await;
        let said = json!({"id": "9ec79c33ec9942ab8353589fcb2e04dc", "ignored": {"session": 1}});
        assert_eq!((reply.status, reply.json()), (200, said), "{reply:?}");
    }
    let found = rows(&house, "stats count(*) as n by @log, @level, exception.type, code.file.path").await;
    assert_eq!(found, json!([["sentry/42", "error", "PayError", "/srv/pay.py", 2]]));
}

#[tokio::test]
async fn what_is_wrong_is_said_as_sentry_says_it_and_costs_nobody_else() {
    let house = House::new();
    let body = "{}\n{\"type\":\"log\"}\n{\"items\":[{\"body\":\"a\"},[],{\"body\":\"b\"}]}\n";
    for _ in 0..2 {
        let reply = send(&house, "/api/1/envelope/", &[], body).await;
        assert_eq!(
            (reply.status, &reply.json()["detail"]),
            (400, &json!("1 events are invalid, the others are stored"))
        );
        assert!(reply.json()["causes"][0].as_str().is_some_and(|text| text.starts_with("event 2: ")), "{reply:?}");
    }
    assert_eq!(rows(&house, "stats count(*) as n by @message | sort @message").await, json!([["a", 1], ["b", 1]]));
    let check = async |uri: &str, headers: &[(&str, &str)], status: u16, word: &str| {
        let reply = send(&house, uri, headers, ENVELOPE).await;
        assert_eq!(reply.status, status, "{uri}: {reply:?}");
        assert!(reply.json()["detail"].as_str().is_some_and(|text| text.contains(word)), "{reply:?}");
    };
    check("/api/1/envelope/?sentry_key=secret", &[], 400, "never taken from an address").await;
    check("/api/1/envelope/?sampled=no", &[], 400, "sampled").await;
    check("/api/1/envelope/", &[("content-encoding", "br")], 415, "\"br\"").await;
}

#[tokio::test]
async fn the_public_key_of_a_dsn_is_a_key() {
    let house = House::new();
    let (_, key) = house.key("ingest", &["sentry/1"]).await;
    for (key, project, status) in [("wrong", 1, 401), (&*key, 1, 200), (&*key, 2, 403)] {
        let header = format!("Sentry sentry_key={key}, sentry_version=7, sentry_client=sentry.python/2");
        let reply = send(&house, &format!("/api/{project}/envelope/"), &[("x-sentry-auth", &header)], ENVELOPE).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
}

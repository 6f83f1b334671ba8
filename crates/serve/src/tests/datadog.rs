//! Datadog's intake of logs over HTTP.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::{House, Reply};

const ZLIB: &str = "78da1dcb310e80300885e1bb307b825ec5381021c5a1a501ec62bcbbd4f1fff2defe406377ac0c05b4336ce081717b269ba9\
    2d609bd7b9062e3a12443d3ab62592491458ff439f659812bcc70719b51d41";
const GZIP: &str = "1f8b08000000000002031dcb310e80300885e1bb307b825ec5381021c5a1a501ec62bcbbd4f1fff2defe406377ac0c05b433\
    6ce081717b269ba92d609bd7b9062e3a12443d3ab62592491458ff439f659812bcc707b748806c58000000";
const ZSTD: &str = "28b52ffd205825020082051011a06d0c532d8ea7af4d6b0420413caafa10636e986b212e3dbc873c6306a3c3aac87acbd0e0\
    c6d01ed692a2d31dec98737a78e1236f07eb6287f5905d554b1100";

async fn send(house: &House, uri: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
    let request = headers.iter().fold(Request::post(uri), |request, (name, value)| request.header(*name, *value));
    house.send(request.body(body.into()).expect("a request")).await
}

async fn rows(house: &House, query: &str) -> serde_json::Value {
    let query = json!({ "query": query, "from": "2026-11-20T00:00:00Z" });
    let found = house.post("/api/v1/query", query.to_string()).await;
    assert_eq!(found.status, 200, "{}", found.text());
    found.json()["rows"].clone()
}

#[tokio::test]
async fn logs_of_every_address_and_packing_are_stored() {
    let house = House::new();
    let body = r#"[{"message":"one","status":"error","service":"shop","hostname":"h","ddtags":"env:prod"}]"#;
    let sent = |reply: Reply| assert_eq!((reply.status, reply.json()), (202, json!({})), "{reply:?}");
    sent(send(&house, "/api/v2/logs", &[], body).await);
    sent(send(&house, "/v1/input?ddsource=java&ddtags=team:a,env:eu", &[], body).await);
    // The same, as zlib, gzip and zstd make it.
    for (encoding, packed) in [("deflate", ZLIB), ("gzip", GZIP), ("zstd", ZSTD)] {
        let packed = data_encoding::HEXLOWER.decode(packed.as_bytes()).expect("hex");
        sent(send(&house, "/api/v2/logs", &[("content-encoding", encoding)], packed.clone()).await);
        let cut =
            send(&house, "/api/v2/logs", &[("content-encoding", encoding)], packed[..packed.len() - 6].to_vec()).await;
        assert_eq!(cut.status, 400, "{encoding}");
        let more = send(&house, "/api/v2/logs", &[("content-encoding", encoding)], [&*packed, b"more"].concat()).await;
        assert_eq!(more.status, 400, "{encoding}");
    }
    sent(send(&house, "/api/v2/logs?service=raw", &[("content-type", "text/plain")], "one\ntwo\n").await);
    let found = rows(&house, "stats count(*) as n by @log, @logStream, @level, env, source | sort @log, n").await;
    assert_eq!(
        found,
        json!([
            ["raw", "", null, null, null, 2],
            ["shop", "h", "error", ["eu", "prod"], "java", 1],
            ["shop", "h", "error", "prod", null, 4],
        ])
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_as_datadog_says_it_and_costs_nobody_else() {
    let house = House::new();
    for _ in 0..2 {
        let reply = send(&house, "/api/v2/logs", &[], r#"[{"message":"a"},[],{"message":"b"},{"x":01}]"#).await;
        let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
        assert_eq!((reply.status, errors.len()), (400, 2), "{reply:?}");
        assert_eq!((&errors[0]["status"], &errors[0]["title"]), (&json!("400"), &json!("Bad Request")));
        assert!(errors[1]["detail"].as_str().is_some_and(|text| text.starts_with("event 4: ")), "{reply:?}");
    }
    assert_eq!(rows(&house, "stats count(*) as n by @message | sort @message").await, json!([["a", 1], ["b", 1]]));
    let check = async |uri: &str, headers: &[(&str, &str)], status: u16, word: &str| {
        let reply = send(&house, uri, headers, r#"[{"message":"x"}]"#).await;
        assert_eq!(reply.status, status, "{uri}: {reply:?}");
        assert!(reply.json()["errors"][0]["detail"].as_str().is_some_and(|text| text.contains(word)), "{reply:?}");
    };
    check("/api/v2/logs?index=x", &[], 400, "index").await;
    check("/api/v2/logs?dd-api-key=secret", &[], 400, "never taken from an address").await;
    check("/api/v2/logs", &[("content-type", "application/logplex-1")], 415, "logplex").await;
}

#[tokio::test]
async fn datadogs_header_is_a_key_and_can_be_validated() {
    let house = House::new();
    let (_, key) = house.key("ingest", &["*"]).await;
    for (key, status) in [("wrong", 401), (&*key, 202)] {
        let reply = send(&house, "/api/v2/logs", &[("dd-api-key", key)], r#"{"message":"x"}"#).await;
        assert_eq!(reply.status, status, "{reply:?}");
        let request = Request::get("/api/v1/validate").header("dd-api-key", key).body(Body::empty());
        let reply = house.send(request.expect("a request")).await;
        assert_eq!(reply.json()["valid"] == true, status == 202, "{reply:?}");
    }
}

//! What strangers try: guessing at every door, other sites' pages, names that would end a line.

use std::collections::BTreeMap;
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use data_encoding::BASE64;
use serde_json::json;

use super::signing::signed;
use super::{ADMIN_KEY, House, Reply, encoded};

/// A door, how a key is shown there, and what it answers to a wrong one and to the eleventh.
struct Door {
    name: &'static str,
    request: fn(&str) -> Request<Body>,
    wrong: (u16, &'static str),
    too_many: (u16, &'static str),
}

fn with_key(method: Method, uri: &str, authorization: String, body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(uri).header("authorization", authorization);
    request.header("content-type", "application/json").body(Body::from(body.to_owned())).expect("a request")
}

fn basic(user: &str, key: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{key}").as_bytes()))
}

const DOORS: [Door; 9] = [
    Door {
        name: "Bearer",
        request: |key| with_key(Method::GET, "/api/v1/groups", format!("Bearer {key}"), ""),
        wrong: (401, "bad-key"),
        too_many: (429, "too-many-failures"),
    },
    Door {
        name: "X-Catat-Key",
        request: |key| {
            Request::get("/api/v1/groups").header("x-catat-key", key).body(Body::empty()).expect("a request")
        },
        wrong: (401, "bad-key"),
        too_many: (429, "too-many-failures"),
    },
    Door {
        name: "Basic",
        request: |key| with_key(Method::POST, "/api/v1/ingest?group=a", basic("any", key), "{\"message\":\"a\"}"),
        wrong: (401, "bad-key"),
        too_many: (429, "too-many-failures"),
    },
    Door {
        name: "Loki",
        request: |key| with_key(Method::POST, "/loki/api/v1/push", basic("any", key), "{\"streams\":[]}"),
        wrong: (401, ""),
        too_many: (429, ""),
    },
    Door {
        name: "Elasticsearch",
        request: |key| {
            let pair = BASE64.encode(format!("id:{key}").as_bytes());
            with_key(Method::POST, "/elasticsearch/a/_doc", format!("ApiKey {pair}"), "{\"message\":\"a\"}")
        },
        wrong: (401, "security_exception"),
        too_many: (429, ""),
    },
    Door {
        name: "Splunk",
        request: |key| {
            with_key(Method::POST, "/services/collector/event", format!("Splunk {key}"), "{\"event\":\"a\"}")
        },
        wrong: (403, "Invalid token"),
        too_many: (503, "Server is busy"),
    },
    Door {
        name: "OTLP",
        request: |key| with_key(Method::POST, "/v1/logs", format!("Bearer {key}"), "{\"resourceLogs\":[]}"),
        wrong: (401, ""),
        too_many: (429, ""),
    },
    Door {
        name: "CloudWatch with a key",
        request: |key| {
            let mut request = with_key(Method::POST, "/cloudwatch/", format!("Bearer {key}"), "{}");
            request.headers_mut().insert("x-amz-target", "Logs_20140328.DescribeLogGroups".parse().expect("a value"));
            request
        },
        wrong: (400, "AccessDeniedException"),
        too_many: (400, "ThrottlingException"),
    },
    Door {
        name: "CloudWatch's signature",
        request: |id| of_signature(id, "secret"),
        wrong: (400, "UnrecognizedClientException"),
        too_many: (400, "ThrottlingException"),
    },
];

/// Returns a signed request, as a right pair would make it.
fn of_signature(id: &str, secret: &str) -> Request<Body> {
    let mut request = Request::post("/cloudwatch/").body(Body::from("{}")).expect("a request");
    *request.headers_mut() = signed(id, secret, "DescribeLogGroups", b"{}");
    request
}

fn seconds(reply: &Reply) -> Option<u64> {
    reply.header("retry-after").parse().ok()
}

#[tokio::test]
async fn ten_wrong_keys_a_minute_are_told_so_at_every_door_and_further_ones_are_to_wait() {
    for door in &DOORS {
        let house = House::new();
        let (_, right) = house.key("admin", &["*"]).await;
        let ask = async |key: &str| house.send((door.request)(key)).await;
        for n in 0..10 {
            for again in 0..3 {
                let reply = ask(&format!("wrong{n}")).await;
                let text = reply.text();
                assert_eq!(reply.status, door.wrong.0, "{} {n} {again}: {text}", door.name);
                assert!(text.contains(door.wrong.1) && seconds(&reply).is_none(), "{} {n}: {text}", door.name);
            }
        }
        let reply = ask("one more").await;
        assert_eq!(reply.status, door.too_many.0, "{}: {}", door.name, reply.text());
        assert!(reply.text().contains(door.too_many.1), "{}: {}", door.name, reply.text());
        assert!(seconds(&reply).is_some_and(|seconds| (1..=61).contains(&seconds)), "{}", door.name);
        let sound = house.get_with("/api/v1/groups", "authorization", &format!("Bearer {right}")).await;
        assert_eq!(sound.status, 200, "{}: a right key is no guess", door.name);
    }
}

#[tokio::test]
async fn wrong_signatures_with_a_known_id_are_counted_and_are_no_use_of_the_key() {
    let house = House::new();
    let order = json!({"name": "ci", "role": "read", "groups": ["*"]}).to_string();
    let made = house.administer("POST", "/api/v1/keys", order).await.json();
    let text = |name: &str| made[name].as_str().expect("it is there").to_owned();
    let (id, secret) = (text("access_key_id"), text("secret_access_key"));
    for n in 0..10 {
        let reply = house.send(of_signature(&id, &format!("guess{n}"))).await;
        assert_eq!(reply.json()["__type"], "InvalidSignatureException", "{n}");
    }
    let reply = house.send(of_signature(&id, "another")).await;
    assert_eq!(reply.json()["__type"], "ThrottlingException");
    assert!(seconds(&reply).is_some());
    let last_used = async || {
        let keys = house.administer("GET", "/api/v1/keys", "").await.json();
        keys["keys"][0]["last_used"].clone()
    };
    assert_eq!(last_used().await, json!(null));
    assert_eq!(house.send(of_signature(&id, &secret)).await.status, 200);
    assert!(last_used().await.is_string());
}

/// Returns all files below a directory that requests change, with what is in them.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_stem().is_some_and(|stem| stem == "issues") {
            // Counts of errors that were accepted, saved from time to time whether somebody asks or not.
        } else if !path.to_string_lossy().ends_with("-shm") {
            found.insert(path.to_string_lossy().into_owned(), std::fs::read(&path).expect("a file of ours"));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_only_asked_changes_nothing() {
    let house = House::new();
    house.fill().await;
    let lookup = house.administer("PUT", "/api/v1/lookups/a", "n\n1\n").await;
    assert_eq!(lookup.status, 200, "{}", lookup.text());
    let before = files(house.dir.path());
    let mut n = 0;
    for entry in crate::tests::entries().iter().filter(|entry| entry.method == "get") {
        if entry.path == "/api/v1/tail" || entry.path.ends_with("/tail") {
            continue;
        }
        let path = entry.path.replace("{name}", "a").replace("{id}", "1").replace("{index}", "web");
        for method in [Method::GET, Method::HEAD] {
            let request = Request::builder().method(method).uri(format!("{path}?_method=DELETE&query=stats+count(*)"));
            let request = request.header("x-catat-key", ADMIN_KEY).header("x-http-method-override", "DELETE");
            let reply = house.send(request.body(Body::empty()).expect("a request")).await;
            assert!(reply.status < 500 || reply.status == 503, "{path}: {}", reply.text());
        }
        n += 1;
    }
    assert!(n > 40, "{n} routes");
    let after = files(house.dir.path());
    // Rules are evaluated meanwhile, whoever asks.
    let is_of_rules = |name: &&String| name.ends_with("/alerts.state");
    let names = before.keys().chain(after.keys()).filter(|name| !is_of_rules(name));
    let changed: Vec<&String> = names.filter(|name| before.get(*name) != after.get(*name)).collect();
    assert_eq!(changed, Vec::<&String>::new());
}

#[tokio::test]
async fn no_other_sites_page_is_ever_given_leave_to_read() {
    let house = House::new();
    let allowing = |headers: &HeaderMap| headers.keys().any(|name| name.as_str().starts_with("access-control-"));
    for entry in crate::tests::entries() {
        let path = entry.path.replace("{name}", "a").replace("{id}", "1").replace("{index}", "web");
        let asked = entry.method.to_uppercase();
        for method in ["OPTIONS", "GET"] {
            let request = Request::builder().method(method).uri(&path).header("origin", "https://evil.example.org");
            let request = request.header("access-control-request-method", &asked).header("x-catat-key", ADMIN_KEY);
            let request = request.header("access-control-request-headers", "content-type, x-catat-key");
            let response = house.start(request.body(Body::empty()).expect("a request")).await;
            assert!(!allowing(response.headers()), "{method} {path}: {:?}", response.headers());
        }
    }
}

#[tokio::test]
async fn what_is_saved_as_a_file_is_never_shown_as_a_page() {
    let house = House::new();
    let event = r#"{"@timestamp":"2026-11-20T11:55:00Z","message":"=1+1","n":-5,"t":"-5","=x":"<script>"}"#;
    assert_eq!(house.post("/api/v1/ingest?group=a", event).await.status, 200);
    let uri = format!("/api/v1/query?query={}", encoded("fields @message, n, t, `=x`"));
    let table = house.get_with(&uri, "accept", "text/csv").await;
    assert_eq!(table.text(), "@message,n,t,'=x\r\n'=1+1,-5,-5,<script>\r\n");
    assert_eq!(table.header("content-disposition"), "attachment; filename=\"catat.csv\"");
    assert_eq!(table.header("x-content-type-options"), "nosniff");
    let raw = house.get_with(&uri, "accept", "text/csv;raw=true").await;
    assert_eq!(raw.text(), "@message,n,t,=x\r\n=1+1,-5,-5,<script>\r\n");
    let lines = house.get_with(&uri, "accept", "application/x-ndjson").await;
    assert_eq!(lines.header("content-disposition"), "attachment; filename=\"catat.ndjson\"");
    assert_eq!(house.administer("PUT", "/api/v1/lookups/a", "n\n1\n").await.status, 200);
    let lookup = house.get("/api/v1/lookups/a").await;
    assert_eq!(lookup.header("content-disposition"), "attachment; filename=\"lookup.csv\"");
    assert_eq!(house.get(&uri).await.header("content-disposition"), "");
}

#[tokio::test]
async fn names_with_line_ends_make_no_header_and_come_back_escaped() {
    let house = House::new();
    let evil = "a\r\nset-cookie: catat_session=x\r\n\r\n<html>\u{0}\u{1b}[2J\u{85}\u{2028}";
    let name = encoded(evil);
    for entry in crate::tests::entries() {
        let path = entry.path.replace("{name}", &name).replace("{id}", &name).replace("{index}", &name);
        let uri = format!("{path}?group={name}&stream={name}&name={name}&query={name}&index={name}&v={name}");
        let request = Request::builder().method(entry.method.to_uppercase().as_str()).uri(uri);
        let request = request.header("x-catat-key", ADMIN_KEY).header("x-request-id", "a\u{e9}");
        let response = house.start(request.body(Body::empty()).expect("a request")).await;
        let cookie = response.headers().get("set-cookie").map(|value| value.as_bytes().to_vec()).unwrap_or_default();
        assert!(!cookie.starts_with(b"catat_session=x"), "{}", entry.path);
        assert!(response.headers().values().all(|value| !value.as_bytes().iter().any(u8::is_ascii_control)));
    }
    let order = json!({"name": evil, "role": "read"}).to_string();
    assert_eq!(house.administer("POST", "/api/v1/keys", order).await.status, 400);
    let batch = Request::post("/api/v1/ingest?group=a").header("x-catat-batch", "a\tb").body(Body::from("{}"));
    assert!(house.send(batch.expect("a request")).await.status < 500);
    let shown = house.administer("GET", &format!("/api/v1/lookups/{name}"), "").await;
    assert!(shown.status == 404 || shown.status == 400, "{}", shown.status);
    assert!(!shown.body.iter().any(|byte| *byte < b' '), "{}", shown.text());
}

//! What somebody may reach: nothing of other groups shows anywhere, and nothing of them is changed.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio_stream::StreamExt;

use super::{ADMIN_KEY, House, Reply, encoded};

/// Stands in everything of one group, and in no request; and so of the other one.
const FOREIGN: &str = "zq81";
const OWN: &str = "qz72";

impl House {
    pub(super) async fn as_key(&self, key: &str, method: &str, uri: &str, body: String) -> Reply {
        let request = Request::builder().method(method).uri(uri).header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// An event in a group of one's own and one in another's.
    async fn fill_both(&self) {
        for (group, mark) in [("theirs", FOREIGN), ("mine", OWN)] {
            let event = format!(
                r#"{{"@timestamp":"2026-11-20T11:55:00Z","message":"secret {mark}","level":"error","field_{mark}":"value_{mark}","user":"{mark}"}}"#
            );
            let uri = format!("/api/v1/ingest?group={group}/{mark}&stream=stream-{mark}");
            assert_eq!(self.administer("POST", &uri, event).await.status, 200);
            let file = format!("file-{mark}");
            let header = json!({"source": format!("source-{mark}"), "file": file, "generation": 0, "start": 0, "host": format!("host-{mark}"), "path": format!("/var/log/{mark}")});
            let uri = format!("/api/v1/ingest?format=lines&group={group}/{mark}&stream=stream-{mark}");
            let line = format!("{header}\n{{\"message\":\"shipped {mark}\"}}\n");
            assert_eq!(self.administer("POST", &uri, line).await.status, 200);
            let told =
                json!({"last_error": mark, "files": [{"file": file, "group": format!("{group}/{mark}"), "size": 9}]});
            let uri = format!("/api/v1/sources/source-{mark}");
            assert_eq!(self.administer("POST", &uri, told.to_string()).await.status, 200);
        }
    }
}

/// Random numbers that are the same each time.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// Returns a number below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

const QUERIES: [&str; 14] = [
    "",
    "stats count(*) by @log",
    "fields @message, @log, @logStream, @id",
    "fields *",
    "stats count_distinct(user), values(user) by @logStream",
    "filter @any like \"secret\" | stats count(*)",
    "source logGroups(namePrefix: ['theirs'])",
    "fields @message | pattern @message",
    "filter user in (stats count(*) by user | fields user)",
    "stats count(*) as n by bin(5m), user | sort n desc",
    "dedup user | fields user",
    "filter @log like /theirs/",
    "join type=left left=a right=b where a.user = b.user (fields user, @message)",
    "anomaly @message",
];

const GROUPS: [&str; 5] = ["*", "theirs/*", "mine/*", "", "*s*"];

/// Returns a question at random, of any route that reads.
fn question(random: &mut Random) -> (&'static str, String, String) {
    let query = *random.pick(&QUERIES);
    let groups = *random.pick(&GROUPS);
    let parameters = format!("query={}&groups={}&from=now-1h&to=now", encoded(query), encoded(groups));
    let selector =
        encoded(random.pick::<&str>(&["{group=~\".+\"}", "{user=~\".+\"}", "{group=~\"theirs.*\"} |= \"s\""]));
    let get = |uri: String| ("GET", uri, String::new());
    match *random.pick(&(0..28).collect::<Vec<u32>>()) {
        0 | 1 => {
            let explain = *random.pick(&[true, false]);
            let ask = json!({"query": query, "groups": [groups], "from": "now-1h", "explain": explain});
            ("POST", "/api/v1/query".to_owned(), ask.to_string())
        }
        2 => get(format!("/api/v1/histogram?{parameters}")),
        3 => get(format!("/api/v1/patterns?{parameters}")),
        4 => get(format!("/api/v1/fields?groups={}&from=now-1h", encoded(groups))),
        5 => get(format!("/api/v1/fields/user/values?groups={}", encoded(groups))),
        6 => get("/api/v1/groups".to_owned()),
        7 => ("POST", "/api/v1/complete".to_owned(), json!({"query": query, "cursor": query.len()}).to_string()),
        8 => get("/loki/api/v1/labels".to_owned()),
        9 => get(format!("/loki/api/v1/label/{}/values", random.pick::<&str>(&["group", "user", "stream"]))),
        10 => get(format!("/loki/api/v1/series?match[]={selector}")),
        11 => get(format!("/loki/api/v1/query_range?query={selector}")),
        12 => {
            let paths =
                ["index/stats", "index/volume", "detected_labels", "detected_fields", "detected_field/user/values"];
            get(format!("/loki/api/v1/{}?query={selector}", random.pick::<&str>(&paths)))
        }
        13 => get((*random.pick(&["/api/v1/status", "/metrics", "/api/v1/rules", "/loki/api/v1/rules"])).to_owned()),
        14 => get((*random.pick(&["/api/v1/queries", "/api/v1/alerts", "/api/v1/sources"])).to_owned()),
        15 => get(format!("/loki/api/v1/patterns?query={selector}&start=1795172400&end=1795176000")),
        16 => get(format!("/api/v1/query?{parameters}&format=ndjson")),
        17 => get((*random.pick(&["/api/v1/lookups", "/api/openapi.json", "/api/v1/session"])).to_owned()),
        18 => get(format!("/api/v1/changes?{parameters}&baseline=1h")),
        19 => get(format!(
            "/elasticsearch/{}/_search?ignore_unavailable=true",
            encoded(random.pick::<&str>(&["*", "theirs/zq81", "*s*", "_all", "-x"]))
        )),
        20 => {
            let levels = json!({"users": {"terms": {"field": "user"}, "aggs": {"hits": {"top_hits": {}}}}});
            let ask = json!({"query": {"query_string": {"query": "secret"}}, "aggs": levels, "highlight": {"fields": {"*": {}}}});
            ("POST", "/elasticsearch/_search".to_owned(), ask.to_string())
        }
        21 => get((*random.pick(&["/elasticsearch/_mapping", "/elasticsearch/_field_caps", "/elasticsearch/_alias"]))
            .to_owned()),
        22 => get((*random.pick(&["/elasticsearch/_cat/indices", "/elasticsearch/_resolve/index/*"])).to_owned()),
        23 => {
            let text = random.pick::<&str>(&["FROM *", "FROM *s*", "FROM theirs*", "FROM \"theirs/*\", \"mine/*\""]);
            let ask =
                json!({"query": format!("{text} METADATA _index | WHERE user IS NOT NULL OR message LIKE \"*\"")});
            ("POST", "/elasticsearch/_query".to_owned(), ask.to_string())
        }
        24 => {
            let selection = json!({"query": query, "groups": [groups], "from": "now-1h"});
            let baseline = *random.pick(&["before", "rest"]);
            ("POST", "/api/v1/differs".to_owned(), json!({"selection": selection, "baseline": baseline}).to_string())
        }
        25 => get("/api/v1/marks?from=now-1h".to_owned()),
        26 => {
            let path = *random.pick(&["/api/v1/onset", "/api/v1/first-look"]);
            ("POST", path.to_owned(), json!({"query": query, "groups": [groups], "from": "now-1h"}).to_string())
        }
        _ => ("POST", "/api/v1/complete".to_owned(), json!({"query": "filter user = ", "cursor": 14}).to_string()),
    }
}

const RULES: &str = r#"groups:
  - name: all
    rules:
      - {name: of-zq81, groups: ["theirs/*"], query: "stats count(*) as n", condition: n > 0, window: 1h}
      - {name: of-qz72, groups: ["mine/*"], query: "stats count(*) as n", condition: n > 0, window: 1h}
      - {name: of-all-zq81-qz72, query: "stats count(*) as n", condition: n > 0, window: 1h}
"#;

/// Whoever may see everything asks first, so that whatever is kept of answers holds all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_other_groups_shows_in_any_answer() {
    let house = House::with_rules(RULES);
    house.fill_both().await;
    house.store.flush().expect("a flush");
    house.fill_both().await;
    let people = [("mine/*", FOREIGN, OWN), ("theirs/*", OWN, FOREIGN)];
    let mut keys = Vec::new();
    for (groups, ..) in people {
        keys.push(house.key("operate", &[groups]).await.1);
    }
    // Others ask at the same time.
    let now = super::now();
    let _running =
        [FOREIGN, OWN].map(|text| house.server.queries.start_for("key:other", &format!("filter {text}"), now));
    let mut random = Random(7);
    let (mut n_good, mut n_of_own) = (0, [0, 0]);
    for _ in 0..500 {
        let (method, uri, body) = question(&mut random);
        let whole = house.administer(method, &uri, body.clone()).await;
        assert!(whole.status < 500, "{method} {uri}: {}", whole.text());
        for (at, (groups, foreign, own)) in people.into_iter().enumerate() {
            let reply = house.as_key(&keys[at], method, &uri, body.clone()).await;
            let text = reply.text();
            assert!(reply.status < 500 && reply.status != 401, "{groups} {method} {uri}: {text}");
            assert!(!text.contains(foreign), "{groups} {method} {uri}: {text}");
            n_good += u32::from(reply.status == 200);
            n_of_own[at] += u32::from(text.contains(own));
        }
    }
    assert!(n_good > 500 && n_of_own.iter().all(|n| *n > 100), "most of it was asked well: {n_good} {n_of_own:?}");
    // It is there for those who may see it.
    let all = house.administer("POST", "/api/v1/query", json!({"query": "fields @message"}).to_string()).await;
    assert!(all.text().contains(FOREIGN) && all.text().contains(OWN), "{}", all.text());
}

#[tokio::test]
async fn rules_are_listed_for_whom_all_their_groups_exist() {
    let house = House::with_rules(RULES);
    let listed = async |groups: &[&str]| {
        let (_, key) = house.key("operate", groups).await;
        let rules = house.as_key(&key, "GET", "/api/v1/rules", String::new()).await.json();
        let names = rules["rules"].as_array().expect("rules").iter().map(|rule| rule["name"].to_string());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(listed(&["*"]).await, "\"of-zq81\" \"of-qz72\" \"of-all-zq81-qz72\"");
    assert_eq!(listed(&["mine/*"]).await, "\"of-qz72\"");
    // A part of what a rule looks at is not enough, since it speaks of all of it.
    assert_eq!(listed(&["mine/a"]).await, "");
    assert_eq!(listed(&["elsewhere"]).await, "");
    let (_, key) = house.key("read", &["mine/*"]).await;
    let get = async |uri: &str| house.as_key(&key, "GET", uri, String::new()).await;
    let shown = get("/prometheus/api/v1/rules?type=alert").await.json();
    let rule = &shown["data"]["groups"][0]["rules"][0];
    assert_eq!((&rule["name"], &rule["type"]), (&json!("of-qz72"), &json!("alerting")), "{shown}");
    assert_eq!(shown["data"]["groups"][0]["rules"].as_array().map(Vec::len), Some(1), "{shown}");
    for none in ["type=record", "rule_name=other", "rule_name[]=other", "file=other"] {
        let shown = get(&format!("/prometheus/api/v1/rules?{none}")).await.json();
        assert_eq!(shown["data"]["groups"], json!([]), "{none}");
    }
    assert_eq!(get("/prometheus/api/v1/rules?type=x").await.status, 400);
    assert_eq!(get("/prometheus/api/v1/alerts").await.json(), json!({"status": "success", "data": {"alerts": []}}));
    let written = get("/loki/api/v1/rules").await;
    let (file, groups) = written.json().as_object().and_then(|all| all.clone().into_iter().next()).expect("a file");
    assert_eq!(groups[0]["rules"][0]["alert"], "of-qz72", "{groups}");
    let name = groups[0]["name"].as_str().unwrap_or_default();
    let one = get(&format!("/loki/api/v1/rules/{}/{}", encoded(&file), encoded(name))).await.json();
    assert_eq!(one, groups[0]);
    assert_eq!(get(&format!("/loki/api/v1/rules/{}", encoded(&file))).await.status, 200);
    let none = get("/loki/api/v1/rules/elsewhere").await;
    assert_eq!((none.status, none.text().as_str()), (404, "no rule groups found\n"));
}

#[tokio::test]
async fn a_group_out_of_reach_answers_like_one_that_is_not_there() {
    let house = House::new();
    house.fill_both().await;
    let (_, key) = house.key("admin", &["mine/*"]).await;
    let theirs = encoded(&format!("theirs/{FOREIGN}"));
    let ask = async |group: &str| {
        let reply = house.as_key(&key, "GET", &format!("/api/v1/groups/{group}"), String::new()).await;
        (reply.status, reply.text().replace(&group.replace("%2F", "/"), "GROUP"))
    };
    assert_eq!(ask(&theirs).await, ask("theirs%2Fno").await);
    let change = json!({"retention": {"age": "1h"}}).to_string();
    let delete = json!({"query": "", "all_time": true}).to_string();
    for group in [theirs.as_str(), "theirs%2Fno"] {
        let uri = format!("/api/v1/groups/{group}");
        assert_eq!(house.as_key(&key, "PUT", &uri, change.clone()).await.status, 403, "{group}");
        assert_eq!(house.as_key(&key, "DELETE", &uri, String::new()).await.status, 403, "{group}");
        let uri = format!("{uri}/delete-events");
        assert_eq!(house.as_key(&key, "POST", &uri, delete.clone()).await.status, 403, "{group}");
        assert_eq!(house.as_key(&key, "GET", &uri, String::new()).await.json(), json!({"deletions": []}));
    }
    for path in ["/api/v1/status/flush", "/api/v1/status/confirm-clock"] {
        assert_eq!(house.as_key(&key, "POST", path, String::new()).await.status, 403, "{path}");
    }
    assert_eq!(house.as_key(&key, "GET", "/metrics", String::new()).await.status, 403);
    let wider = json!({"name": "x", "role": "read", "groups": ["*"]}).to_string();
    assert_eq!(house.as_key(&key, "POST", "/api/v1/keys", wider).await.status, 403);
    let (_, sender) = house.key("ingest", &["mine/*"]).await;
    for (group, status) in [("mine/b", 200), ("theirs/x", 403), ("mine", 403), ("catat/audit", 403)] {
        let uri = format!("/api/v1/ingest?group={group}");
        assert_eq!(house.as_key(&sender, "POST", &uri, r#"{"message":"x"}"#.into()).await.status, status, "{group}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_ends_what_is_open() {
    let house = House::new();
    house.fill_both().await;
    let (id, key) = house.key("read", &["*"]).await;
    let request = Request::get("/api/v1/tail").header("authorization", format!("Bearer {key}"));
    let mut stream = house.start(request.body(Body::empty()).expect("a request")).await.into_body().into_data_stream();
    assert!(stream.next().await.expect("it is live").is_ok());
    let (sender_id, sender) = house.key("ingest", &["*"]).await;

    // An upload that has begun.
    let (pieces, body) = tokio::sync::mpsc::channel::<Result<String, std::io::Error>>(1);
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(body));
    let upload = Request::post("/api/v1/ingest?group=late").header("x-catat-key", &sender);
    let upload = house.send(upload.body(body).expect("a request"));
    let ending = async {
        pieces.send(Ok("{\"message\":\"a\"}\n".into())).await.expect("it is read");
        for id in [&id, &sender_id] {
            assert_eq!(house.administer("DELETE", &format!("/api/v1/keys/{id}"), "").await.status, 200);
        }
        let _ = pieces.send(Ok("{\"message\":\"b\"}\n".into())).await;
        drop(pieces);
    };
    let (reply, ()) = tokio::join!(upload, ending);
    assert!((400..500).contains(&reply.status), "{} {}", reply.status, reply.text());
    assert_eq!(house.administer("GET", "/api/v1/groups/late", "").await.status, 404);
    let after = r#"{"message":"after it was revoked"}"#;
    house.administer("POST", "/api/v1/ingest?group=mine/a", after).await;
    while let Some(piece) = stream.next().await {
        let Ok(piece) = piece else { break };
        assert!(!String::from_utf8_lossy(&piece).contains("revoked"));
    }
}

#[tokio::test]
async fn what_administrators_do_is_written_down_and_seen_by_them_alone() {
    let house = House::new();
    house.fill().await;
    let (id, key) = house.key("operate", &["*"]).await;
    assert_eq!(house.administer("DELETE", "/api/v1/groups/db", "").await.status, 200);
    assert_eq!(house.get_with("/api/v1/groups", "x-catat-key", "wrong key").await.status, 401);
    house.administer("DELETE", &format!("/api/v1/keys/{id}"), "").await;
    let ask = json!({"query": "fields action, caller, key_id, group, @message", "groups": ["catat/*"]}).to_string();
    let mut found = Value::Null;
    for _ in 0..200 {
        found = house.administer("POST", "/api/v1/query", ask.clone()).await.json()["rows"].clone();
        if found.to_string().contains("key refused") {
            break;
        }
        tokio::task::yield_now().await;
    }
    let text = found.to_string();
    for expected in ["key made", "group deleted", "key revoked", "key refused", "admin.key", &id, "\"db\""] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    for secret in [&key[..], ADMIN_KEY, "wrong key"] {
        assert!(!text.contains(secret), "{text}");
    }
    let (_, reader) = house.key("operate", &["*"]).await;
    let seen = house.as_key(&reader, "POST", "/api/v1/query", ask).await;
    assert_eq!(seen.json()["rows"], json!([]));
    let unnamed = json!({"query": "filter ispresent(action)"}).to_string();
    assert_eq!(house.administer("POST", "/api/v1/query", unnamed).await.json()["rows"], json!([]));
}

#[tokio::test]
async fn who_guesses_keys_has_to_wait_and_who_has_one_does_not() {
    let house = House::new();
    let (_, key) = house.key("read", &["*"]).await;
    let mut statuses = Vec::new();
    for at in 0..12 {
        statuses.push(house.get_with("/api/v1/groups", "x-catat-key", &format!("guess {at}")).await.status);
    }
    assert_eq!((&statuses[..10], &statuses[10..]), (&[401; 10][..], &[429; 2][..]));
    let blocked = house.get_with("/api/v1/groups", "x-catat-key", "guess again").await;
    assert!(!blocked.header("retry-after").is_empty());
    assert_eq!(house.get_with("/api/v1/groups", "x-catat-key", &key).await.status, 200);
    assert_eq!(house.get_with("/-/healthy", "x-catat-key", "guess more").await.status, 200);
}

#[tokio::test]
async fn no_header_lets_anybody_in_and_none_is_a_fault_of_the_server() {
    let house = House::new();
    let (_, key) = house.key("read", &["*"]).await;
    let mut random = Random(11);
    let schemes =
        ["Bearer ", "bearer", "Basic ", "ApiKey ", "Splunk ", "AWS4-HMAC-SHA256 ", "", " ", "Bearer\t", "\u{c0}"];
    let pieces: [&str; 14] =
        ["catat_", &key[..22], &key[7..], "_", ":", "=", "\t", "é", "А", "%00", "AAAA", "Bearer ", "\u{200b}", "0"];
    for _ in 0..2_000 {
        let mut text = (*random.pick(&schemes)).to_owned();
        for _ in 0..*random.pick::<usize>(&[0, 1, 2, 5, 40]) {
            text.push_str(random.pick::<&str>(&pieces));
        }
        let name = *random.pick(&["authorization", "x-catat-key"]);
        let Ok(value) = axum::http::HeaderValue::from_bytes(text.as_bytes()) else { continue };
        let request = Request::get("/api/v1/groups").header(name, value);
        let status = house.send(request.body(Body::empty()).expect("a request")).await.status;
        assert!([400, 401, 429].contains(&status), "{name}: {text:?}: {status}");
    }
    let large = "x".repeat(1 << 20);
    assert_eq!(house.get_with("/api/v1/groups", "x-catat-key", &large).await.status, 429);
    let twice =
        Request::get("/api/v1/groups").header("authorization", "Bearer a").header("authorization", "Basic YTpi");
    assert_eq!(house.send(twice.body(Body::empty()).expect("a request")).await.status, 400);
    let in_address = house.get(&format!("/api/v1/groups?key={key}")).await;
    assert_eq!((in_address.status, in_address.json()["error"]["code"].as_str()), (400, Some("key-in-address")));
    assert!(!in_address.text().contains(&key));
}

#[tokio::test]
async fn names_of_groups_lead_nowhere_else() {
    let house = House::new();
    let payloads = [
        "../../etc/passwd", "..%2f..%2fx", "%252e%252e%252fx", "%25252e%25252e", "..\\..\\x", "a\0b", "/etc/passwd",
        "CON", "․․/x", "a/../../b", ".", "..", "\r\nSet-Cookie: a=b", "<script>", "=1+1",
    ];
    for payload in payloads.iter().map(|text| (*text).to_owned()).chain(["é".repeat(300), "/".repeat(600)]) {
        let uri = format!("/api/v1/ingest?group={}&stream={}", encoded(&payload), encoded(&payload));
        let reply = house.post(&uri, r#"{"message":"x"}"#).await;
        assert!([200, 400].contains(&reply.status), "{payload:?}: {}", reply.text());
        for method in ["GET", "PUT", "DELETE"] {
            for route in ["groups", "lookups", "keys"] {
                let reply = house.administer(method, &format!("/api/v1/{route}/{}", encoded(&payload)), "").await;
                assert!(reply.status < 500, "{method} {route} {payload:?}: {}", reply.text());
                assert!(reply.headers.get("set-cookie").is_none());
            }
        }
    }
    for group in house.store.groups() {
        let name = group.name.as_str();
        assert!(!name.split('/').any(|part| part == "." || part == ".."), "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/#-".contains(&b)), "{name}");
    }
}

//! TraceQL's metrics queries and ES|QL through the native route: their answers have the form of all others, and mistakes their
//! places.

use serde_json::{Value, json};

use super::{House, Reply, encoded};

/// The hour that all events of these tests are in.
const FROM: &str = "2026-11-20T11:00:00Z";
const TO: &str = "2026-11-20T12:00:00Z";

impl House {
    /// Asks in a language, about the hour; `more` are further members of the request.
    async fn asked_in(&self, language: &str, query: &str, more: Value) -> Reply {
        self.post("/api/v1/query", question(language, query, more).to_string()).await
    }
}

fn question(language: &str, query: &str, more: Value) -> Value {
    let mut question = json!({"query": query, "language": language, "from": FROM, "to": TO});
    for (name, value) in more.as_object().into_iter().flatten() {
        question[name] = value.clone();
    }
    question
}

/// Returns names and types of the columns.
fn columns(answer: &Value) -> Vec<String> {
    let columns = answer["columns"].as_array().cloned().unwrap_or_default();
    columns.iter().map(|column| format!("{}:{}", column["name"], column["type"]).replace('"', "")).collect()
}

#[tokio::test]
async fn metrics_queries_in_traceql_are_answered_as_rows() {
    let house = House::new();
    house.store_trace().await;
    let query = "{ kind = server } | count_over_time() by (resource.service.name)";
    let over_time = house.asked_in("traceql", query, json!({"step": "1h", "to": "2026-11-20T11:59:59Z"})).await;
    let over_time = over_time.json();
    assert_eq!(columns(&over_time), ["@timestamp:timestamp", "resource.service.name:string", "value:float"]);
    assert_eq!(over_time["rows"], json!([[TO, "pay", 1.0], [TO, "web", 1.0]]), "{over_time}");
    // Without a step: one value for the whole range.
    let at_once = house.asked_in("traceql", "{ } | count_over_time()", json!({})).await.json();
    assert_eq!(at_once["rows"], json!([[TO, "count_over_time", 6.0]]), "{at_once}");
    let ratio = "({ status = error } | count_over_time()) / ({ } | count_over_time()) * 6";
    let ratio = house.asked_in("traceql", ratio, json!({})).await.json();
    assert_eq!(ratio["rows"][0][2], 1.0, "{ratio}");
    let of_one = house.asked_in("traceql", "{ } | count_over_time()", json!({"groups": ["traces/pay"]})).await.json();
    assert_eq!(of_one["rows"][0][2], 3.0, "{of_one}");
    let variables = json!({"variables": {"service": ["web", "pay"]}});
    let query = "{ resource.service.name =~ \"$service\" } | count_over_time()";
    let filled = house.asked_in("traceql", query, variables).await.json();
    assert_eq!(filled["rows"][0][2], 5.0, "{filled}");
    let (_, key) = house.key("read", &["traces/pay"]).await;
    let body = question("traceql", "{ } | count_over_time()", json!({})).to_string();
    let narrow = house.as_key(&key, "POST", "/api/v1/query", body).await.json();
    assert_eq!(narrow["rows"][0][2], 3.0, "the other services do not exist for the key: {narrow}");
}

#[tokio::test]
async fn es_ql_is_answered_as_a_table_within_the_range() {
    let house = House::new();
    house.fill().await;
    let query = "FROM \"web/*\" | STATS n = COUNT(*), t = AVG(ms), newest = MAX(@timestamp) BY service | SORT service";
    let answer = house.asked_in("esql", query, json!({})).await.json();
    assert_eq!(columns(&answer), ["n:integer", "t:float", "newest:timestamp", "service:string"]);
    let rows = answer["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "{answer}");
    assert_eq!((rows[0][0].as_i64(), rows[0][1].as_f64(), &rows[0][3]), (Some(1), Some(41.0), &json!("api")));
    assert_eq!((rows[1][0].as_i64(), rows[1][1].as_f64(), &rows[1][3]), (Some(2), Some(26.0), &json!("web")));
    let later = house.asked_in("esql", query, json!({"from": "2026-11-20T11:53:00Z"})).await.json();
    assert_eq!((later["rows"].as_array().map(Vec::len), &later["rows"][0][3]), (Some(1), &json!("api")), "{later}");
    let cut = house.asked_in("esql", "FROM \"web/*\" | KEEP ms", json!({"limit": 2})).await.json();
    assert_eq!((cut["rows"].as_array().map(Vec::len), &cut["more"]), (Some(2), &json!(true)), "{cut}");
    let variables = json!({"variables": {"service": ["web", "x"]}});
    let query = "FROM \"web/*\" | WHERE service IN $service | STATS n = COUNT(*)";
    assert_eq!(house.asked_in("esql", query, variables).await.json()["rows"], json!([[2]]));
    let by_time = "FROM \"web/*\", db | STATS n = COUNT(*) BY t = BUCKET(@timestamp, $__range)";
    let by_time = house.asked_in("esql", by_time, json!({"variables": {}})).await.json();
    assert_eq!((columns(&by_time)[1].as_str(), by_time["rows"][0][0].as_i64()), ("t:timestamp", Some(5)), "{by_time}");
    let made = house.asked_in("esql", "ROW a = 1 | EVAL b = a + 1", json!({})).await.json();
    assert_eq!(made["rows"], json!([[1, 2]]), "{made}");
    let uri = format!(
        "/api/v1/query?query={}&language=esql&from={FROM}&to={TO}&format=csv",
        encoded("FROM db | STATS COUNT(*)")
    );
    let file = house.get(&uri).await;
    assert!(file.status == 200 && file.text().lines().nth(1) == Some("2"), "{}", file.text());
}

#[tokio::test]
async fn mistakes_in_traceql_and_es_ql_have_their_place_and_what_would_be_right() {
    let house = House::new();
    house.fill().await;
    for (language, query, more, expected) in [
        ("traceql", "{ status = error }", json!({}), json!({"code": "no-metric", "line": 1, "column": 1})),
        ("traceql", "{ } | compare({ status = error })", json!({}), json!({"code": "not-supported", "line": 1})),
        ("traceql", "{ } | rate(", json!({}), json!({"line": 1})),
        ("esql", "FROM \"web/*\" | WHERE mss > 1", json!({}), json!({"line": 1, "column": 22, "start": 21, "end": 24})),
        ("esql", "FROM nothing", json!({}), json!({"message": "Unknown index [nothing]", "line": 1, "column": 6})),
        ("esql", "FROM db | STATZ COUNT(*)", json!({}), json!({"line": 1, "column": 11})),
        ("esql", "FROM db", json!({"groups": ["db"]}), json!({"code": "unsupported"})),
        ("esql", "FROM db", json!({"step": "1m"}), json!({"code": "bad-parameter"})),
        ("esql", "FROM db", json!({"explain": true}), json!({"code": "unsupported"})),
        ("traceql", "{ } | rate()", json!({"step": "1ms"}), json!({"code": "bad-parameter"})),
        ("sql", "select 1", json!({}), json!({"code": "unknown-language"})),
    ] {
        let refused = house.asked_in(language, query, more).await;
        let error = refused.json()["error"].clone();
        assert_eq!(refused.status, 400, "{query}: {error}");
        for (name, value) in expected.as_object().into_iter().flatten() {
            assert_eq!(&error[name], value, "{query}: {error}");
        }
    }
    let traces = house.asked_in("traceql", "{ status = error }", json!({})).await.json();
    assert_eq!(traces["error"]["hint"], "add a function over time: | rate()");
    let unknown = house.asked_in("sql", "select 1", json!({})).await.json();
    assert!(unknown["error"]["hint"].as_str().is_some_and(|hint| hint.ends_with("promql, traceql, esql")), "{unknown}");
}

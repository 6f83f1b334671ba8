//! ES|QL over HTTP: shapes of answers and errors, formats, parameters, filters (what queries find is in
//! `tests/golden/esql.test`).

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, Reply};

impl House {
    async fn esql(&self, body: &Value) -> Reply {
        self.post("/elasticsearch/_query", body.to_string()).await
    }

    async fn esql_answer(&self, body: &Value) -> Value {
        let reply = self.esql(body).await;
        assert_eq!(reply.status, 200, "{body}: {}", reply.text());
        let mut answer = reply.json();
        assert!(answer["took"].is_u64(), "{answer}");
        answer.as_object_mut().expect("an object").remove("took");
        answer
    }

    async fn esql_error(&self, uri: &str, body: &Value) -> (u16, String, String) {
        let reply = self.post(uri, body.to_string()).await;
        let error = reply.json();
        let text = |name: &str| error["error"][name].as_str().expect("a text").to_owned();
        assert_eq!(error["status"], reply.status, "{error}");
        assert_eq!(error["error"]["root_cause"][0]["reason"], error["error"]["reason"]);
        (reply.status, text("type"), text("reason"))
    }
}

#[tokio::test]
async fn answers_have_columns_with_types_and_values() {
    let house = House::new();
    house.fill().await;
    let query = "FROM \"web/*\" | STATS n = COUNT(*), t = AVG(ms), newest = MAX(@timestamp) BY service | SORT service";
    assert_eq!(
        house.esql_answer(&json!({"query": query})).await,
        json!({
            "is_partial": false,
            "columns": [
                {"name": "n", "type": "long"}, {"name": "t", "type": "double"}, {"name": "newest", "type": "date"},
                {"name": "service", "type": "text"},
            ],
            "values": [
                [1, 41.0, "2026-11-20T11:53:30.000Z", "api"],
                [2, 26.0, "2026-11-20T11:52:00.000Z", "web"],
            ],
        })
    );
    let columnar = house.esql_answer(&json!({"query": query, "columnar": true})).await;
    assert_eq!(columnar["values"][0], json!([1, 2]));
    let reply = house.esql(&json!({"query": "FROM db | KEEP message"})).await;
    assert_eq!(reply.header("x-elastic-product"), "Elasticsearch");
    assert!(
        reply.header("warning").contains("No limit defined, adding default limit of [1000]"),
        "{:?}",
        reply.headers
    );
    let limited = house.esql(&json!({"query": "FROM db | KEEP message | LIMIT 5"})).await;
    assert_eq!(limited.header("warning"), "");
    assert_eq!(limited.json()["values"], json!([["ready"], ["slow query"]]));
}

#[tokio::test]
async fn columns_without_values_are_left_out_when_asked() {
    let house = House::new();
    house.fill().await;
    let body = json!({"query": "ROW a = 1, b = null"});
    let reply = house.post("/elasticsearch/_query?drop_null_columns=true", body.to_string()).await.json();
    assert_eq!(reply["all_columns"], json!([{"name": "a", "type": "integer"}, {"name": "b", "type": "null"}]));
    assert_eq!(reply["columns"], json!([{"name": "a", "type": "integer"}]));
    assert_eq!(reply["values"], json!([[1]]));
    let paths = house.post("/elasticsearch/_query?filter_path=columns.name", body.to_string()).await.json();
    assert_eq!(paths, json!({"columns": [{"name": "a"}, {"name": "b"}]}));
}

#[tokio::test]
async fn formats_are_those_of_elasticsearch() {
    let house = House::new();
    let query = json!({"query": "ROW a = 1.0, b = \"x,\\\"y\\\"\", c = [1, 2], d = null"}).to_string();
    let of = async |format: &str| house.post(&format!("/elasticsearch/_query?format={format}"), query.clone()).await;
    let csv = of("csv").await;
    assert_eq!(csv.text(), "a,b,c,d\r\n1.0,\"x,\"\"y\"\"\",\"[1, 2]\",\r\n");
    assert_eq!(csv.header("content-type"), "text/csv; charset=UTF-8; header=present");
    assert_eq!(of("csv&delimiter=%3B").await.text(), "a;b;c;d\r\n1.0;\"x,\"\"y\"\"\";[1, 2];\r\n");
    assert_eq!(of("tsv").await.text(), "a\tb\tc\td\n1.0\tx,\"y\"\t[1, 2]\t\n");
    let text = of("txt").await.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "       a       |       b       |       c       |       d       ");
    assert_eq!(lines[1], "---------------+---------------+---------------+---------------");
    assert_eq!(lines[2], "1.0            |x,\"y\"          |[1, 2]         |null           ");
    let request = Request::post("/elasticsearch/_query").header("accept", "text/csv; header=absent");
    let accepted = house.send(request.body(Body::from(query.clone())).expect("a request")).await;
    assert_eq!(accepted.text(), "1.0,\"x,\"\"y\"\"\",\"[1, 2]\",\r\n");
    for format in ["yaml", "cbor", "arrow", "csv&delimiter=ab"] {
        assert_eq!(of(format).await.status, 400, "{format}");
    }
}

#[tokio::test]
async fn parameters_and_filters_are_applied() {
    let house = House::new();
    house.fill().await;
    let count = async |body: Value| house.esql_answer(&body).await["values"][0][0].clone();
    let by_place = json!({"query": "FROM * | WHERE level == ? AND ms > ? | STATS COUNT(*)", "params": ["error", 40]});
    assert_eq!(count(by_place).await, 1);
    let by_name =
        json!({"query": "FROM * | WHERE ??f == ?l | STATS COUNT(*)", "params": [{"l": "error"}, {"f": "level"}]});
    assert_eq!(count(by_name).await, 2);
    let filter = json!({"bool": {"must": [{"match": {"message": "get"}}],
                                 "filter": [{"range": {"@timestamp": {"gte": "2026-11-20T11:52:00Z"}}}]}});
    assert_eq!(count(json!({"query": "FROM * | STATS COUNT(*)", "filter": filter})).await, 2);
    let missing = json!({"query": "ROW a = ?x", "params": [{"y": 1}]});
    let error = house.esql_error("/elasticsearch/_query", &missing).await;
    assert_eq!(error, (400, "parsing_exception".into(), "line 1:9: Unknown query parameter [x]".into()));
}

#[tokio::test]
async fn errors_are_those_of_elasticsearch() {
    let house = House::new();
    house.fill().await;
    let uri = "/elasticsearch/_query";
    for (query, kind, reason) in [
        ("FROM db | WERE a", "parsing_exception", "line 1:11: mismatched input 'were', did you mean [WHERE]?"),
        (
            "FROM db | KEEP mesage",
            "verification_exception",
            "Found 1 problem\nline 1:16: Unknown column [mesage], did you mean [message]?",
        ),
        ("FROM nowhere", "verification_exception", "Found 1 problem\nline 1:6: Unknown index [nowhere]"),
        ("FROM db,\n nowhere", "verification_exception", "Found 1 problem\nline 2:2: Unknown index [nowhere]"),
        ("FROM now*", "verification_exception", "Found 1 problem\nline 1:6: Unknown index [now*]"),
        ("FROM db | ENRICH x", "parsing_exception", "line 1:11: the command [ENRICH] is not supported here"),
    ] {
        let error = house.esql_error(uri, &json!({"query": query})).await;
        assert_eq!(error, (400, kind.to_owned(), reason.to_owned()), "{query}");
    }
    for (body, part) in [
        (json!({}), "[query] is required"),
        (json!({"query": "ROW a = 1", "foo": 1}), "unknown field [foo]"),
        (json!({"query": "ROW a = 1", "profile": true}), "[profile] with [true] is not supported"),
        (json!({"query": "ROW a = 1", "locale": "de"}), "[locale]"),
        (json!({"query": "ROW a = 1", "time_zone": "Asia/Jakarta"}), "[time_zone]"),
        (json!({"query": "ROW a = 1", "filter": {"nonsense": {}}}), "nonsense"),
    ] {
        let (status, _, reason) = house.esql_error(uri, &body).await;
        assert!(status == 400 && reason.contains(part), "{body}: {reason}");
    }
    let columnar = json!({"query": "ROW a = 1", "columnar": true});
    assert_eq!(house.post("/elasticsearch/_query?format=csv", columnar.to_string()).await.status, 400);
    let (_, _, reason) = house.esql_error("/elasticsearch/_query?fromat=csv", &json!({"query": "ROW a = 1"})).await;
    assert!(reason.contains("unrecognized parameter: [fromat] -> did you mean [format]?"), "{reason}");
}

#[tokio::test]
async fn queries_that_may_be_answered_later_are_answered_at_once() {
    let house = House::new();
    let body = json!({"query": "ROW a = 1", "wait_for_completion_timeout": "2s", "keep_on_completion": false});
    let reply = house.post("/elasticsearch/_query/async", body.to_string()).await.json();
    assert_eq!((&reply["is_running"], &reply["values"]), (&json!(false), &json!([[1]])));
    assert_eq!(house.get("/elasticsearch/_query/async/abc").await.status, 404);
    let kept = json!({"query": "ROW a = 1", "keep_on_completion": true});
    let (status, _, reason) = house.esql_error("/elasticsearch/_query/async", &kept).await;
    assert!(status == 400 && reason.contains("[keep_on_completion]"), "{reason}");
}

#[tokio::test]
async fn a_key_sees_the_indices_of_its_groups_only() {
    let house = House::new();
    house.fill().await;
    let (_, key) = house.key("read", &["db"]).await;
    let ask = async |query: &str| {
        let request = Request::post("/elasticsearch/_query").header("x-catat-key", &key);
        let body = Body::from(json!({"query": query}).to_string());
        house.send(request.body(body).expect("a request")).await
    };
    let counted = ask("FROM * | STATS c = COUNT(*)").await.json();
    assert_eq!(counted["values"], json!([[2]]));
    assert_eq!(ask("FROM * | KEEP ms").await.status, 400, "the field of another group");
    assert!(ask("FROM web/access").await.text().contains("Unknown index [web/access]"));
}

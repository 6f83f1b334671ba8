//! Dashboards: whose they are, who sees them, what they were, files, variables in queries, and data as a file.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sha2::Digest;

use super::{House, Reply};

impl House {
    async fn dashboard_as(&self, key: &str, method: &str, path: &str, body: &Value) -> Reply {
        let request = Request::builder().method(method).uri(format!("/api/v1/dashboards{path}"));
        let request = request.header("x-catat-key", key).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    async fn dashboard_names(&self, key: &str) -> Vec<String> {
        let reply = self.dashboard_as(key, "GET", "", &Value::Null).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let all = reply.json()["dashboards"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Asks by the native route, with what is around a query.
    async fn ask_natively(&self, key: &str, question: Value) -> Value {
        let request =
            Request::post("/api/v1/query").header("content-type", "application/json").header("x-catat-key", key);
        self.send(request.body(Body::from(question.to_string())).expect("a request")).await.json()
    }
}

fn document(title: &str, group: &str) -> Value {
    json!({"title": title, "range": {"from": "2026-11-20T11:00:00Z", "to": "2026-11-20T12:00:00Z"},
        "variables": [{"name": "service", "values": ["web", "api"]}],
        "panels": [{"id": "p", "kind": "table", "x": 0, "y": 0, "w": 24, "h": 8, "queries": [
            {"query": "filter service = $service | stats count(*) as n by @level | sort @level", "groups": [group]}]}]})
}

#[tokio::test]
async fn a_dashboard_is_its_owners_and_seen_by_who_reaches_its_groups() {
    let house = House::new();
    let (_, ani) = house.key("read", &["*"]).await;
    let (_, web) = house.key("read", &["web/*"]).await;
    let (_, db) = house.key("read", &["db"]).await;
    let made = house.dashboard_as(&ani, "PUT", "/pay", &document("Payments", "web/access")).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(made.json()["own"] == true && made.json()["version"] == 1 && made.json()["source"] == "store");
    assert_eq!(house.dashboard_names(&web).await, ["pay"]);
    assert_eq!(house.dashboard_names(&db).await, Vec::<String>::new());
    assert_eq!(house.dashboard_as(&db, "GET", "/pay", &Value::Null).await.status, 404);
    let mut change = document("Payments 2", "web/access");
    change["version"] = 1.into();
    assert_eq!(house.dashboard_as(&web, "PUT", "/pay", &change).await.status, 403);
    assert_eq!(house.dashboard_as(&web, "DELETE", "/pay", &Value::Null).await.status, 403);
    // Who does not see it learns no more than that the name is taken.
    assert_eq!(house.dashboard_as(&db, "PUT", "/pay", &change).await.json()["error"]["code"], "dashboard-exists");
    assert_eq!(house.dashboard_as(&ani, "PUT", "/pay", &change).await.status, 200);
    // A second change of the same version would undo the first unseen.
    assert_eq!(house.dashboard_as(&ani, "PUT", "/pay", &change).await.json()["error"]["code"], "dashboard-changed");
    let house = house.restarted();
    let versions = house.dashboard_as(&ani, "GET", "/pay/history", &Value::Null).await.json();
    assert_eq!([&versions["versions"][0]["version"], &versions["versions"][1]["version"]], [&json!(2), &json!(1)]);
    let first = house.dashboard_as(&ani, "GET", "/pay?version=1", &Value::Null).await.json();
    assert_eq!(first["title"], "Payments");
    // What was read goes back as it is: undo.
    let mut undone = first.clone();
    undone["version"] = 2.into();
    let undone = house.dashboard_as(&ani, "PUT", "/pay", &undone).await;
    assert!(undone.status == 200 && undone.json()["title"] == "Payments" && undone.json()["version"] == 3);
    assert_eq!(house.dashboard_as(&ani, "DELETE", "/pay", &Value::Null).await.status, 200);
    assert_eq!(house.dashboard_as(&ani, "GET", "/pay", &Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_dashboard_of_other_groups_shows_none_of_what_it_was_about() {
    let house = House::new();
    let (_, ani) = house.key("read", &["*"]).await;
    let (_, web) = house.key("read", &["web/*"]).await;
    house.dashboard_as(&ani, "PUT", "/x", &document("Of the database", "db")).await;
    let mut change = document("Of the web", "web/access");
    change["version"] = 1.into();
    assert_eq!(house.dashboard_as(&ani, "PUT", "/x", &change).await.status, 200);
    assert_eq!(house.dashboard_as(&web, "GET", "/x", &Value::Null).await.json()["title"], "Of the web");
    assert_eq!(house.dashboard_as(&web, "GET", "/x?version=1", &Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_bad_document_is_refused_with_the_path_of_the_mistake() {
    let house = House::new();
    let (_, ani) = house.key("read", &["*"]).await;
    let mut bad = document("Bad", "db");
    bad["panels"][0]["queries"][0]["query"] = "filter (".into();
    let reply = house.dashboard_as(&ani, "PUT", "/bad", &bad).await;
    assert_eq!(reply.status, 400);
    let message = reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.starts_with("panels[0].queries[0]: "), "{message}");
    for name in ["group:x", "a%2Fb", ".x", "import"] {
        let reply = house.dashboard_as(&ani, "PUT", &format!("/{name}"), &document("T", "db")).await;
        assert!(reply.status == 400 || reply.status == 405, "{name}: {}", reply.status);
    }
}

#[tokio::test]
async fn files_of_the_directory_are_dashboards_that_nobody_changes_here() {
    let house = House::new();
    let (_, ani) = house.key("admin", &["*"]).await;
    let dir = house.dir.path().join("dashboards");
    std::fs::create_dir_all(&dir).expect("a directory");
    std::fs::write(dir.join("web.json"), document("Of a file", "web/access").to_string()).expect("a file");
    std::fs::write(dir.join("broken.json"), "{").expect("a file");
    let list = house.dashboard_as(&ani, "GET", "", &Value::Null).await.json();
    assert_eq!(list["dashboards"][0]["source"], "file");
    assert!(list["problems"][0].as_str().is_some_and(|problem| problem.contains("broken.json")), "{list}");
    let change = house.dashboard_as(&ani, "PUT", "/web", &document("Other", "db")).await;
    assert_eq!(change.json()["error"]["code"], "dashboard-is-a-file");
}

#[tokio::test]
async fn variables_are_put_into_queries_and_data_is_a_file() {
    let house = House::new();
    house.fill().await;
    let (_, ani) = house.key("read", &["*"]).await;
    house.dashboard_as(&ani, "PUT", "/pay", &document("Payments", "web/access")).await;
    let path = "/pay/export?format=csv&panel=p";
    let csv = house.dashboard_as(&ani, "GET", path, &Value::Null).await;
    assert_eq!(csv.text(), "@level,n\r\ninfo,1\r\nerror,1\r\n");
    let of_api = house.dashboard_as(&ani, "GET", &format!("{path}&var.service=api"), &Value::Null).await;
    assert_eq!(of_api.text(), "@level,n\r\nerror,1\r\n");
    let hostile = of_service(&house, &ani, "web\" or @level = \"info").await;
    assert_eq!(hostile["rows"], json!([]), "{hostile}");
    let several = json!({"query": "filter service in $s | stats count(*) as n", "variables": {"s": ["web", "api"]},
        "from": "2026-11-20T11:00:00Z", "to": "2026-11-20T12:00:00Z"});
    assert_eq!(house.ask_natively(&ani, several).await["rows"], json!([[3]]));
    let missing = house.dashboard_as(&ani, "GET", "/pay/export?format=csv&panel=q", &Value::Null).await;
    assert_eq!(missing.status, 404);
    let misspelled = house.dashboard_as(&ani, "GET", &format!("{path}&var.servce=api"), &Value::Null).await;
    assert_eq!(misspelled.status, 400);
}

#[tokio::test]
async fn a_dashboard_with_its_data_is_one_file() {
    let house = House::new();
    house.fill().await;
    let (_, ani) = house.key("read", &["*"]).await;
    let (_, db) = house.key("read", &["db"]).await;
    let mut board = document("Payments of $service", "web/access");
    board["variables"] = json!([{"name": "service", "query": "stats count(*) as n by service | sort n desc",
        "groups": ["web/access"], "multiple": false}]);
    board["panels"][0]["link"] = "/".into();
    let mut course = board["panels"][0].clone();
    (course["id"], course["kind"]) = ("c".into(), "line".into());
    course["queries"][0]["query"] = "stats count(*) as n by bin($__interval), status".into();
    board["panels"].as_array_mut().expect("panels").push(course);
    assert_eq!(house.dashboard_as(&ani, "PUT", "/pay", &board).await.status, 201);
    let file = async |key: &str, more: &str| {
        house.dashboard_as(key, "GET", &format!("/pay/export?format=html{more}"), &Value::Null).await
    };
    let page = file(&ani, "").await;
    assert_eq!((page.status, page.header("content-disposition")), (200, "attachment; filename=\"pay.html\""));
    let text = page.text();
    assert!(text.contains("<h1>Payments of web</h1>"), "{text}");
    assert!(text.contains("<tr><td>info<td>1\n"), "{text}");
    assert!(text.contains("2026-11-20 11:00 to 2026-11-20 12:00 (UTC)"), "{text}");
    let data = data_of(&text);
    let answer = &data["panels"][0]["answers"][0];
    assert_eq!(
        (&answer["columns"][0]["name"], &answer["rows"][0]),
        (&json!("@level"), &json!(["info", 1])),
        "{answer}"
    );
    let course = &data["panels"][1]["answers"][0];
    assert_eq!(course["query"], "stats count(*) as n by bin(30s), status", "{course}");
    // The only script that may run is the one that draws, and it is there.
    let (_, script) = text.rsplit_once("<script>").expect("a script");
    let (script, _) = script.split_once("</script>").expect("its end");
    let digest = data_encoding::BASE64.encode(&sha2::Sha256::digest(script.as_bytes()));
    assert!(script.len() > 10_000 && text.contains(&format!("script-src 'sha256-{digest}'")), "{digest}");
    let indonesian = file(&ani, "&var.service=api&lang=id&time_zone=Asia/Jakarta").await.text();
    assert!(
        indonesian.contains("<h1>Payments of api</h1>") && indonesian.contains("2026-11-20 18:00 sampai"),
        "{indonesian}"
    );
    let data = data_of(&indonesian);
    assert_eq!(
        (&data["language"], &data["zone"], &data["texts"]["Time"]),
        (&json!("id"), &json!("Asia/Jakarta"), &json!("Waktu"))
    );
    assert_eq!(data["choices"]["service"], json!({"values": ["api"], "isAll": false}));
    assert_eq!(file(&db, "").await.status, 404);
    for wrong in ["&panel=p", "&var.servce=api", "&lang=fr", "&time_zone=x", "&from=now&to=now-1h"] {
        assert_eq!(file(&ani, wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_report_is_made_by_who_may_and_seen_within_its_authors_groups() {
    let house = House::new();
    house.fill().await;
    let (_, ani) = house.key("operate", &["web/*"]).await;
    let (_, reader) = house.key("read", &["web/*"]).await;
    let (_, other) = house.key("operate", &["db"]).await;
    let report =
        json!({"dashboard": "pay", "on": "monday", "at": "07:00", "time_zone": "Asia/Jakarta", "topic": "reports"});
    let asked = async |key: &str, method: &str, path: &str, body: &Value| {
        let request = Request::builder().method(method).uri(format!("/api/v1/reports{path}"));
        let request = request.header("x-catat-key", key).header("content-type", "application/json");
        house.send(request.body(Body::from(body.to_string())).expect("a request")).await
    };
    assert_eq!(asked(&reader, "PUT", "/weekly", &report).await.status, 403);
    let made = asked(&ani, "PUT", "/weekly", &report).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let shown = made.json();
    assert!(shown["next"].as_str().is_some_and(|next| next.ends_with("T00:00:00Z")), "{shown}");
    assert_eq!((&shown["channels"], &shown["last"]), (&json!([]), &Value::Null));
    let names = async |key: &str| {
        let all = asked(key, "GET", "", &Value::Null).await.json()["reports"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!((names(&reader).await, names(&other).await), (vec!["weekly".to_owned()], Vec::new()));
    assert_eq!(asked(&other, "DELETE", "/weekly", &Value::Null).await.status, 404);
    assert_eq!(asked(&other, "PUT", "/weekly", &report).await.status, 403);
    // The dashboard does not exist, for its author.
    assert_eq!(asked(&ani, "POST", "/weekly/send", &Value::Null).await.status, 404);
    house.dashboard_as(&ani, "PUT", "/pay", &document("Payments", "web/access")).await;
    assert_eq!(asked(&ani, "POST", "/weekly/send", &Value::Null).await.json(), json!({"queued": true}));
    let last = asked(&ani, "GET", "", &Value::Null).await.json()["reports"][0]["last"].clone();
    assert_eq!(last["deliveries"], json!([]), "no channel takes it: {last}");
    let mut wrong = report.clone();
    for (key, value) in [
        ("on", json!("never")),
        ("at", json!("7")),
        ("ledger", json!(true)),
        ("topic", json!("")),
        ("objective", json!("all")),
        ("x", json!(1)),
    ] {
        wrong[key] = value;
        let refused = asked(&ani, "PUT", "/weekly", &wrong).await;
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!("bad-report")), "{key}");
        wrong = report.clone();
    }
    assert_eq!(asked(&ani, "DELETE", "/weekly", &Value::Null).await.status, 200);
    assert_eq!(names(&ani).await, Vec::<String>::new());
}

/// Returns what the script of a file reads.
fn data_of(file: &str) -> Value {
    let (_, rest) = file.split_once("id=\"board-data\">").expect("data");
    let (data, _) = rest.split_once("</script>").expect("its end");
    serde_json::from_str(data).expect("JSON")
}

async fn of_service(house: &House, key: &str, service: &str) -> Value {
    let question = json!({"query": "filter service = $service | limit 9", "variables": {"service": service},
        "from": "2026-11-20T11:00:00Z", "to": "2026-11-20T12:00:00Z"});
    house.ask_natively(key, question).await
}

#[tokio::test]
async fn metric_queries_in_logql_have_a_row_for_each_sample() {
    let house = House::new();
    house.fill().await;
    let (_, key) = house.key("read", &["*"]).await;
    let range = json!({"language": "logql", "variables": {},
        "query": "sum by (level) (count_over_time({group=\"web/access\"}[$__range]))",
        "from": "2026-11-20T11:50:00Z", "to": "2026-11-20T12:00:00Z", "step": "10m"});
    let answer = house.ask_natively(&key, range).await;
    assert!(answer.get("error").is_none(), "{answer}");
    let columns: Vec<&str> =
        answer["columns"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!((columns.first(), columns.last()), (Some(&"@timestamp"), Some(&"value")), "{answer}");
    assert!(answer["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "{answer}");
    let lines = json!({"language": "logql", "query": "{group=\"web/access\"} |= \"failed\"", "step": "10m",
        "from": "2026-11-20T11:50:00Z", "to": "2026-11-20T12:00:00Z"});
    assert_eq!(house.ask_natively(&key, lines).await["rows"].as_array().map(Vec::len), Some(1));
}

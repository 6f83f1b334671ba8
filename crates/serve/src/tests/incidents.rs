//! Incidents and the ledger through the API, in every form, and what a key for some groups sees of them.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{ADMIN_KEY, House, Reply};

impl House {
    async fn incidents_as(&self, key: &str, method: &str, path: &str, body: &Value) -> Reply {
        let request = Request::builder().method(method).uri(format!("/api/v1/incidents{path}"));
        let request = request.header("x-catat-key", key).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    async fn incident(&self, body: Value) -> Value {
        let made = self.incidents_as(ADMIN_KEY, "POST", "", &body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    }

    async fn ledger(&self, parameters: &str, name: &str, value: &str) -> Reply {
        let request = Request::get(format!("/api/v1/ledger{parameters}"));
        let request = request.header("x-catat-key", ADMIN_KEY).header(name, value);
        self.send(request.body(Body::empty()).expect("a request")).await
    }
}

fn id_of(incident: &Value) -> String {
    incident["id"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_made_changed_and_written_down() {
    let house = House::new();
    house.fill().await;
    let made = house
        .incident(json!({"title": "Payments failed", "services": ["pay", "web"],
        "began": "2026-11-20T11:50:00Z"}))
        .await;
    let path = format!("/{}", id_of(&made));
    let event = house
        .administer(
            "POST",
            "/api/v1/query",
            json!({"query": "fields @id | filter @message like 'failed'",
        "from": "now-1h"})
            .to_string(),
        )
        .await
        .json();
    let pinned = json!({"kind": "event", "reference": event["rows"][0][0], "text": "forged"});
    let added = house.incidents_as(ADMIN_KEY, "POST", &format!("{path}/items"), &pinned).await;
    assert_eq!(added.status, 201, "{}", added.text());
    let item = &added.json()["items"][0];
    assert_eq!((&item["text"], &item["groups"]), (&json!("GET /c failed"), &json!("web/access")));
    assert_eq!((&item["at"], &item["by"]), (&json!("2026-11-20T11:53:30Z"), &json!("admin.key")));
    let times = json!({"detected": "2026-11-20T11:52:00Z", "mitigated": "now", "summary": "The pool was too small."});
    let changed = house.incidents_as(ADMIN_KEY, "PATCH", &path, &times).await.json();
    assert_eq!(
        (&changed["ttd_ms"], &changed["ttm_ms"], &changed["ttr_ms"]),
        (&json!(120_000), &json!(600_000), &json!(null))
    );
    assert_eq!((&changed["state"], &changed["version"]), (&json!("mitigated"), &json!(3)));
    let late = house.incidents_as(ADMIN_KEY, "PATCH", &path, &json!({"title": "x", "version": 1})).await;
    assert_eq!((late.status, &late.json()["error"]["code"]), (409, &json!("incident-conflict")));
    let text = house.incidents_as(ADMIN_KEY, "GET", &format!("{path}/post-mortem?lang=id"), &Value::Null).await;
    assert!(text.header("content-type").starts_with("text/markdown"));
    assert!(text.text().contains("## Linimasa") && text.text().contains("GET /c failed"), "{}", text.text());
    let listed = house.incidents_as(ADMIN_KEY, "GET", "?service=pay&state=mitigated", &Value::Null).await.json();
    assert_eq!(listed["incidents"].as_array().map(Vec::len), Some(1));
    let item = format!("{path}/items/{}", item["id"].as_str().unwrap_or_default());
    assert_eq!(house.incidents_as(ADMIN_KEY, "DELETE", &item, &Value::Null).await.status, 200);
    assert_eq!(house.incidents_as(ADMIN_KEY, "DELETE", &item, &Value::Null).await.status, 404);
    assert_eq!(house.restarted().incidents_as(ADMIN_KEY, "GET", &path, &Value::Null).await.status, 200);
    assert_eq!(house.incidents_as(ADMIN_KEY, "DELETE", &path, &Value::Null).await.status, 200);
    assert_eq!(house.incidents_as(ADMIN_KEY, "GET", &path, &Value::Null).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_is_json_a_table_and_a_page() {
    let house = House::new();
    house
        .incident(json!({"title": "a", "services": ["pay"], "began": "2026-11-10T10:00:00Z",
        "detected": "2026-11-10T10:01:00Z", "mitigated": "2026-11-10T10:10:00Z"}))
        .await;
    house
        .incident(json!({"title": "<i>b", "services": ["pay", "web"], "began": "2026-11-12T10:00:00Z",
        "detected": "2026-11-12T10:03:00Z", "remediated": "2026-11-12T11:00:00Z"}))
        .await;
    let ledger = house.ledger("?month=2026-11", "accept", "application/json").await.json();
    let pay = &ledger["services"][0];
    assert_eq!((&pay["service"], &pay["incidents"], &pay["ttd_ms"]), (&json!("pay"), &json!(2), &json!(120_000)));
    assert_eq!((&pay["ttm_ms"], &pay["ttr_ms"]), (&json!(600_000), &json!(3_600_000)));
    let expected = 1.0 - 70.0 / (19.5 * 1_440.0);
    assert!((pay["availability"].as_f64().unwrap_or_default() - expected).abs() < 1e-9, "{pay}");
    assert_eq!(house.ledger("?month=2026-10", "accept", "*/*").await.json()["services"], json!([]));
    // Of the whole month, not of what is over of it.
    assert_eq!(
        (&pay["objective"], &pay["budget_ms"], &pay["budget_left_ms"]),
        (&json!(99.9), &json!(2_592_000), &json!(-1_608_000))
    );
    let own = house.ledger("?month=2026-11&objective=99,pay%3D99.5", "accept", "*/*").await.json();
    let budgets: Vec<&Value> = own["services"].as_array().into_iter().flatten().map(|row| &row["budget_ms"]).collect();
    assert_eq!(budgets, [&json!(12_960_000), &json!(25_920_000)]);
    let csv = house.ledger("?month=2026-11", "accept", "text/csv").await;
    assert!(
        csv.text().starts_with("service,incidents,ttd_ms,") && csv.text().contains("\r\nweb,1,180000,,3600000,"),
        "{}",
        csv.text()
    );
    let page = house.ledger("?month=2026-11&format=html", "accept-language", "id-ID,en;q=0.5").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("<html lang=\"id\">") && page.text().contains("&lt;i&gt;b"), "{}", page.text());
    for parameters in
        ["?month=2026-13", "?month=x", "?lang=fr", "?format=pdf", "?objective=100", "?moth=2026-11", "?time_zone=Mars"]
    {
        assert_eq!(house.ledger(parameters, "accept", "*/*").await.status, 400, "{parameters}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_for_some_groups_sees_incidents_about_these() {
    let house = House::new();
    house.fill().await;
    let (_, narrow) = house.key("operate", &["web/*"]).await;
    let (_, other) = house.key("operate", &["db"]).await;
    let of_all = house.incident(json!({"title": "all", "services": ["pay"]})).await;
    let own = house.incidents_as(&narrow, "POST", "", &json!({"title": "web", "services": ["web"]})).await.json();
    assert_eq!(own["groups"], json!(["web/*"]));
    let titles = async |key: &str| {
        let listed = house.incidents_as(key, "GET", "", &Value::Null).await.json();
        let incidents = listed["incidents"].as_array().cloned().unwrap_or_default();
        incidents.iter().map(|one| one["title"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles(&narrow).await, ["web"]);
    assert_eq!(titles(&other).await, [""; 0]);
    for (method, path) in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/post-mortem")] {
        let path = format!("/{}{path}", id_of(&of_all));
        assert_eq!(
            house.incidents_as(&narrow, method, &path, &json!({"title": "x"})).await.status,
            404,
            "{method} {path}"
        );
    }
    // What lies outside cannot be pinned: not by the key, and not by others into an incident that it sees.
    let event = house
        .administer(
            "POST",
            "/api/v1/query",
            json!({"query": "fields @id", "groups": ["db"],
        "from": "now-1h"})
            .to_string(),
        )
        .await
        .json();
    let pinned = json!({"kind": "event", "reference": event["rows"][0][0]});
    let path = format!("/{}/items", id_of(&own));
    assert_eq!(house.incidents_as(&narrow, "POST", &path, &pinned).await.status, 404);
    assert_eq!(house.incidents_as(ADMIN_KEY, "POST", &path, &pinned).await.status, 400);
    assert_eq!(
        house.incidents_as(&narrow, "PATCH", &format!("/{}", id_of(&own)), &json!({"groups": ["*"]})).await.status,
        400
    );
}

//! Saved queries and views: whose they are, who sees them, and two changes at once.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, Reply};

impl House {
    async fn views_as(&self, key: &str, method: &str, path: &str, body: &Value) -> Reply {
        let request = Request::builder().method(method).uri(format!("/api/v1/views{path}"));
        let request = request.header("x-catat-key", key).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    async fn view_names(&self, key: &str) -> Vec<String> {
        let reply = self.views_as(key, "GET", "", &Value::Null).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let views = reply.json()["views"].as_array().cloned().unwrap_or_default();
        views.iter().map(|view| view["name"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

fn view(name: &str) -> Value {
    json!({"name": name, "view": {"q": "filter @level = \"error\"", "groups": "web/access"}})
}

fn with(mut of: Value, name: &str, value: impl Into<Value>) -> Value {
    of[name] = value.into();
    of
}

#[tokio::test]
async fn views_are_their_owners_unless_shared_and_only_about_groups_that_exist_for_who_sees_them() {
    let house = House::new();
    let (_, ani) = house.key("read", &["*"]).await;
    let (_, budi) = house.key("read", &["*"]).await;
    let (_, web) = house.key("read", &["web/*"]).await;
    let (_, db) = house.key("read", &["db"]).await;
    let made = house.views_as(&ani, "POST", "", &view("mine")).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(made.json()["own"] == true && made.json()["version"] == 1 && made.json().get("owner_id").is_none());
    let shared = house.views_as(&ani, "POST", "", &with(view("ours"), "shared", true)).await.json();
    let of_all = json!({"name": "of all", "shared": true, "star": true, "view": {"q": "stats count(*)"}});
    assert_eq!(house.views_as(&ani, "POST", "", &of_all).await.status, 201);
    assert_eq!(house.view_names(&ani).await, ["of all", "mine", "ours"]);
    assert_eq!(house.view_names(&budi).await, ["of all", "ours"]);
    assert_eq!(house.view_names(&web).await, ["ours"]);
    assert_eq!(house.view_names(&db).await, Vec::<String>::new());
    let path = format!("/{}", shared["id"].as_str().unwrap_or_default());
    for (key, status) in [(&web, 403), (&db, 404)] {
        assert_eq!(house.views_as(key, "PUT", &path, &view("taken")).await.status, status);
        assert_eq!(house.views_as(key, "DELETE", &path, &Value::Null).await.status, status);
    }
    assert_eq!(house.views_as(&ani, "DELETE", &path, &Value::Null).await.status, 200);
    assert_eq!(house.view_names(&budi).await, ["of all"]);
    // They outlive a restart.
    assert_eq!(house.restarted().view_names(&ani).await, ["of all", "mine"]);
}

#[tokio::test]
async fn of_two_changes_at_once_the_second_is_told_of_the_first() {
    let house = House::new();
    let (_, key) = house.key("read", &["*"]).await;
    let made = house.views_as(&key, "POST", "", &view("errors")).await.json();
    let path = format!("/{}", made["id"].as_str().unwrap_or_default());
    let change = |star: bool, version: u64| with(with(view("errors"), "star", star), "version", version);
    let changed = house.views_as(&key, "PUT", &path, &change(true, 1)).await;
    assert_eq!((changed.status, &changed.json()["version"]), (200, &json!(2)), "{}", changed.text());
    let late = house.views_as(&key, "PUT", &path, &change(false, 1)).await;
    assert_eq!((late.status, &late.json()["error"]["code"]), (409, &json!("view-changed")));
    assert_eq!(house.views_as(&key, "POST", "", &view("Errors")).await.json()["error"]["code"], "view-exists");
    let audit = house.administer("GET", "/api/v1/query?query=fields%20action,view&groups=catat/audit", "").await;
    assert!(audit.text().contains("view made") && audit.text().contains("view changed"), "{}", audit.text());
    assert!(!audit.text().contains("@level ="), "the audit does not say what is looked for");
}

#[tokio::test]
async fn what_cannot_be_a_view_is_refused() {
    let house = House::new();
    let (_, key) = house.key("read", &["*"]).await;
    let long = "x".repeat(70_000);
    for bad in [
        view(""),
        view("a\u{7}"),
        view(&"n".repeat(101)),
        with(view("a"), "tags", vec!["a,b"]),
        with(view("a"), "tags", (0..11).map(|n| n.to_string()).collect::<Vec<_>>()),
        with(view("a"), "view", json!({"q": long})),
        with(view("a"), "view", json!({"<a>": "b"})),
        with(with(view("a"), "chip", true), "view", json!({"q": " "})),
        with(view("a"), "unknown", 1),
    ] {
        let reply = house.views_as(&key, "POST", "", &bad).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
    }
    assert_eq!(house.views_as(&key, "PUT", "/0123456789abcdef", &view("a")).await.status, 404);
    for n in 0..200 {
        assert_eq!(house.views_as(&key, "POST", "", &view(&format!("v{n}"))).await.status, 201);
    }
    assert_eq!(house.views_as(&key, "POST", "", &view("one more")).await.json()["error"]["code"], "too-many-views");
}

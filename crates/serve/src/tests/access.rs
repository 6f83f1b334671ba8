//! Who is let in, and the headers that every answer carries.

use axum::body::Body;
use axum::http::Request;

use serde_json::json;

use super::{ADMIN_KEY, House};

#[tokio::test]
async fn every_route_refuses_a_foreign_host() {
    let house = House::new();
    for path in ["/", "/reference", "/metrics", "/-/healthy", "/api/v1/query", "/loki/api/v1/labels", "/nothing"] {
        assert_eq!(house.get_with(path, "host", "evil.example.org").await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_request_that_names_two_hosts_is_refused() {
    let house = House::new();
    let request = Request::get("/api/v1/groups").header("host", "localhost").header("host", "evil.example.org");
    assert_eq!(house.send(request.body(Body::empty()).expect("a request")).await.status, 400);
}

#[tokio::test]
async fn another_sites_page_changes_nothing_even_with_the_key() {
    let house = House::new();
    let request = Request::post("/api/v1/status/flush")
        .header("origin", "https://evil.example.org")
        .header("authorization", format!("Bearer {ADMIN_KEY}"));
    assert_eq!(house.send(request.body(Body::empty()).expect("a request")).await.status, 403);
}

#[tokio::test]
async fn admin_routes_need_the_admin_key() {
    let house = House::new();
    let refused = house.post("/api/v1/status/flush", "").await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["error"]["code"], "key-required");
    let request = Request::post("/api/v1/status/flush").header("x-catat-key", ADMIN_KEY);
    assert_eq!(house.send(request.body(Body::empty()).expect("a request")).await.status, 200);
}

#[tokio::test]
async fn the_page_is_given_for_its_own_routes_only() {
    let house = House::new();
    for path in [
        "/",
        "/alerts",
        "/dashboards",
        "/dashboards/group%3Aapp%2Fweb",
        "/groups",
        "/traces",
        "/map",
        "/first-look",
        "/issues",
        "/incidents",
        "/incidents/i1",
        "/ledger",
        "/trace/4bf92f3577b34da6a3ce929d0e0e4736",
    ] {
        let page = house.get_with(path, "accept", "text/html,*/*;q=0.8").await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
    }
    let reference = house.get("/reference").await;
    assert_eq!((reference.status, reference.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(reference.text().contains("id=\"stats\"") && !reference.text().contains("<!-- "));
    let again = house.get_with("/reference", "if-none-match", reference.header("etag")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let missing = house.get_with("/api/v1/qery", "accept", "text/html").await;
    assert_eq!((missing.status, missing.json()["error"]["code"].as_str()), (404, Some("not-found")));
    assert_eq!(house.get("/api/v1/ingest").await.status, 405);
}

#[tokio::test]
async fn a_key_is_made_shown_once_used_and_revoked() {
    let house = House::new();
    house.fill().await;
    let order = json!({"name": "ci", "role": "read", "groups": ["web/*"]}).to_string();
    assert_eq!(house.post("/api/v1/keys", order.clone()).await.status, 401);
    let made = house.administer("POST", "/api/v1/keys", order).await;
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"));
    let made = made.json();
    let (id, key) = (made["id"].as_str().expect("an id"), made["key"].as_str().expect("a key"));
    assert!(made["access_key_id"].is_string() && made["secret_access_key"].is_string());

    let bearer = format!("Bearer {key}");
    let groups = house.get_with("/api/v1/groups", "authorization", &bearer).await;
    assert_eq!(groups.json()["groups"].as_array().map(Vec::len), Some(1), "{}", groups.text());
    let refused = house.get_with("/api/v1/keys", "authorization", &bearer).await;
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (403, Some("not-allowed")));
    assert_eq!(house.get("/api/v1/groups").await.status, 401);
    for open in ["/-/healthy", "/-/ready", "/api/openapi.json", "/"] {
        assert_eq!(house.get(open).await.status, 200, "{open}");
        assert_eq!(house.get_with(open, "x-catat-key", "wrong").await.status, 200, "{open}");
    }
    let listed = house.administer("GET", "/api/v1/keys", "").await;
    assert!(listed.text().contains(id) && !listed.text().contains(key), "{}", listed.text());
    assert_eq!(listed.json()["keys"][0]["last_used"], super::now().to_string());

    assert_eq!(house.administer("DELETE", &format!("/api/v1/keys/{id}"), "").await.status, 200);
    assert_eq!(house.get_with("/api/v1/groups", "authorization", &bearer).await.status, 401);
    assert_eq!(house.administer("DELETE", &format!("/api/v1/keys/{id}"), "").await.status, 404);
    assert_eq!(house.get("/api/v1/groups").await.status, 401);
}

#[tokio::test]
async fn the_manual_is_served_searched_and_needs_no_key() {
    let house = House::new();
    assert_eq!(
        house.administer("POST", "/api/v1/keys", json!({"name": "a", "role": "read"}).to_string()).await.status,
        201
    );
    for path in ["/docs", "/docs/", "/docs/README.md", "/docs/running", "/docs/sending/", "/docs/sending/loki.md"] {
        let page = house.get(path).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        assert!(page.text().contains("href=\"docs/sending/loki\"") && !page.text().contains("<!-- "), "{path}");
        assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
    }
    let page = house.get("/docs/sending/loki").await;
    assert!(page.text().contains("<a href=\"docs/sending/loki\" aria-current=\"page\">"));
    let again = house.get_with("/docs/sending/loki", "if-none-match", page.header("etag")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let found = house.get("/docs?q=disk+full%22%3E%3Cscript%3E").await;
    assert!(found.status == 200 && !found.text().contains("<script>"), "{}", found.text());
    let found = house.get("/docs?q=disk+full").await;
    assert!(found.text().contains("href=\"docs/running#disk-full\"") && found.text().contains("value=\"disk full\""));
    assert_eq!(house.get("/docs?nothing=x").await.status, 400);
    for path in ["/docs/nothing", "/docs/../Cargo.toml", "/docs/a/b/c", "/docs/%3Cscript%3E"] {
        let missing = house.get(path).await;
        assert!(missing.status == 404 && !missing.text().contains("<script>"), "{path}");
    }
}

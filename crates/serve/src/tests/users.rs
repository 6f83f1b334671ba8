//! People: signing in and out, what a session may do, guessing, and whose password one may set.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::{ADMIN_KEY, House, Reply};

pub(super) const PASSWORD: &str = "correct horse battery";

impl House {
    pub(super) async fn add_user(&self, name: &str, role: &str, groups: &[&str]) {
        let user = json!({"name": name, "password": PASSWORD, "role": role, "groups": groups});
        let made = self.send(json_request("POST", "/api/v1/users", "", Some(ADMIN_KEY), &user.to_string())).await;
        assert_eq!((made.status, made.json()["name"].as_str()), (201, Some(name)), "{}", made.text());
        assert!(!made.text().contains("argon2") && !made.text().contains(PASSWORD));
    }

    async fn sign_in(&self, name: &str, password: &str) -> Reply {
        let credentials = json!({"name": name, "password": password}).to_string();
        self.send(json_request("POST", "/api/v1/session", "", None, &credentials)).await
    }

    /// Signs in and gives the cookie.
    pub(super) async fn cookie(&self, name: &str) -> String {
        let reply = self.sign_in(name, PASSWORD).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
    }

    async fn by_cookie(&self, method: &str, uri: &str, cookie: &str, body: &str) -> Reply {
        self.send(json_request(method, uri, cookie, None, body)).await
    }
}

fn json_request(method: &str, uri: &str, cookie: &str, key: Option<&str>, body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri).header("content-type", "application/json");
    if !cookie.is_empty() {
        request = request.header("cookie", cookie);
    }
    if let Some(key) = key {
        request = request.header("x-catat-key", key);
    }
    request.body(Body::from(body.to_owned())).expect("a request")
}

#[tokio::test]
async fn a_session_is_its_users_role_and_groups_until_it_is_signed_out_of() {
    let house = House::new();
    house.fill().await;
    house.add_user("ani", "read", &["web/*"]).await;
    let signed_in = house.sign_in("ani", PASSWORD).await;
    let cookie = signed_in.header("set-cookie").to_owned();
    for part in ["catat_session=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap_or_default();
    let who = house.by_cookie("GET", "/api/v1/session", cookie, "").await.json();
    assert_eq!(who, json!({"name": "ani", "role": "read", "groups": ["web/*"], "user": true, "sign_in": "password"}));
    let groups = house.by_cookie("GET", "/api/v1/groups", cookie, "").await.text();
    assert!(groups.contains("web/access") && !groups.contains("\"db\""), "{groups}");
    for (method, path) in
        [("GET", "/api/v1/users"), ("POST", "/api/v1/ingest?group=web/a"), ("PUT", "/api/v1/lookups/a")]
    {
        let refused = house.by_cookie(method, path, cookie, "{}").await.status;
        assert!(matches!(refused, 401 | 403), "{method} {path}: {refused}");
    }
    let gone = house.by_cookie("DELETE", "/api/v1/session", cookie, "").await;
    assert!(gone.status == 200 && gone.header("set-cookie").contains("Max-Age=0"));
    let who = house.by_cookie("GET", "/api/v1/session", cookie, "").await.json();
    assert_eq!(who["user"], false, "the cookie is worth nothing any more: {who}");
}

#[tokio::test]
async fn each_sign_in_is_a_new_session_and_ends_the_one_before() {
    let house = House::new();
    house.add_user("ani", "operate", &["*"]).await;
    // What a stranger put into the browser does not become a session.
    let fixed = "catat_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let credentials = json!({"name": "ani", "password": PASSWORD}).to_string();
    let first = house.by_cookie("POST", "/api/v1/session", fixed, &credentials).await;
    let first = first.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    assert_ne!(first, fixed);
    let second = house.by_cookie("POST", "/api/v1/session", &first, &credentials).await;
    let second = second.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    let is_user =
        async |cookie: &str| house.by_cookie("GET", "/api/v1/session", cookie, "").await.json()["user"] == true;
    assert!(!is_user(fixed).await && !is_user(&first).await && is_user(&second).await);
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_look_the_same_and_the_eleventh_is_refused() {
    let house = House::new();
    house.add_user("ani", "read", &["*"]).await;
    let wrong = house.sign_in("ani", "not her password").await;
    let unknown = house.sign_in("nobody", PASSWORD).await;
    assert_eq!((wrong.status, wrong.text()), (401, unknown.text()));
    assert_eq!(wrong.header("set-cookie"), "");
    for _ in 2..10 {
        assert_eq!(house.sign_in("nobody", "x").await.status, 401);
    }
    let refused = house.sign_in("ani", PASSWORD).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
}

#[tokio::test]
async fn a_removed_user_and_another_password_end_sessions() {
    let house = House::new();
    house.add_user("ani", "read", &["*"]).await;
    house.add_user("budi", "read", &["*"]).await;
    let (ani, budi) = (house.cookie("ani").await, house.cookie("budi").await);
    let is_user =
        async |cookie: &str| house.by_cookie("GET", "/api/v1/session", cookie, "").await.json()["user"] == true;
    let path = "/api/v1/users/ani/password";
    let other = json!({"password": "another one", "current": PASSWORD}).to_string();
    assert_eq!(house.by_cookie("PUT", path, &budi, &other).await.status, 403);
    assert_eq!(house.by_cookie("PUT", path, &ani, r#"{"password":"another one"}"#).await.status, 400);
    let wrong = r#"{"password":"another one","current":"guessed it"}"#;
    assert_eq!(house.by_cookie("PUT", path, &ani, wrong).await.status, 401);
    let changed = house.by_cookie("PUT", path, &ani, &other).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let renewed = changed.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    assert!(!is_user(&ani).await && is_user(&renewed).await);
    assert_eq!(house.sign_in("ani", PASSWORD).await.status, 401);
    assert_eq!(house.sign_in("ani", "another one").await.status, 200);
    assert_eq!(house.administer("DELETE", "/api/v1/users/ani", "").await.status, 200);
    assert!(!is_user(&renewed).await && is_user(&budi).await);
    assert_eq!(house.administer("DELETE", "/api/v1/users/ani", "").await.status, 404);
}

#[tokio::test]
async fn what_a_form_can_send_changes_nothing_in_the_name_of_who_is_signed_in() {
    let house = House::new();
    house.add_user("ani", "admin", &["*"]).await;
    let cookie = house.cookie("ani").await;
    for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"] {
        let request = Request::post("/api/v1/status/flush").header("cookie", &cookie).header("content-type", kind);
        assert_eq!(house.send(request.body(Body::empty()).expect("a request")).await.status, 415, "{kind}");
    }
    let request = Request::post("/api/v1/status/flush").header("cookie", &cookie);
    assert_eq!(house.send(request.body(Body::empty()).expect("a request")).await.status, 415);
    assert_eq!(house.by_cookie("POST", "/api/v1/status/flush", &cookie, "").await.status, 200);
}

#[tokio::test]
async fn users_are_refused_that_could_not_be_told_apart_or_signed_in() {
    let house = House::new();
    house.add_user("ani", "read", &["a/*"]).await;
    let status = async |user: serde_json::Value| {
        house.send(json_request("POST", "/api/v1/users", "", Some(ADMIN_KEY), &user.to_string())).await.status
    };
    assert_eq!(status(json!({"name": "ani", "password": PASSWORD, "role": "admin"})).await, 409);
    for name in ["", "a b", "../admin", "<script>", "ani\n", &"x".repeat(129)] {
        assert_eq!(status(json!({"name": name, "password": PASSWORD, "role": "read"})).await, 400, "{name:?}");
    }
    assert_eq!(status(json!({"name": "a", "password": "1234567", "role": "read"})).await, 400);
    assert_eq!(status(json!({"name": "a", "password": "x".repeat(1025), "role": "read"})).await, 400);
    assert_eq!(status(json!({"name": "a", "password": PASSWORD, "role": "ingest"})).await, 400);
    assert_eq!(status(json!({"name": "a", "password": PASSWORD, "role": "read", "groups": []})).await, 400);
    assert_eq!(status(json!({"name": "a", "password": PASSWORD, "role": "read", "is_root": true})).await, 400);
    let list = house.administer("GET", "/api/v1/users", "").await;
    assert_eq!(list.json()["users"].as_array().map(Vec::len), Some(1));
    assert!(!list.text().contains("argon2"), "{}", list.text());
    assert!(matches!(house.get("/api/v1/users").await.status, 401 | 403));
}

#[tokio::test]
async fn every_route_that_changes_something_refuses_another_sites_page() {
    let house = House::new();
    house.add_user("ani", "admin", &["*"]).await;
    let cookie = house.cookie("ani").await;
    let table = crate::tests::entries();
    let mutating = table.iter().filter(|entry| !matches!(entry.method, "get" | "head" | "options"));
    let mut n = 0;
    for entry in mutating {
        let path = entry.path.replace("{name}", "a").replace("{id}", "1");
        for (name, value) in
            [("origin", "https://evil.example.org"), ("origin", "null"), ("sec-fetch-site", "same-site")]
        {
            let mut request = json_request(&entry.method.to_uppercase(), &path, &cookie, Some(ADMIN_KEY), "{}");
            request.headers_mut().insert(name, value.parse().expect("a header value"));
            assert_eq!(house.send(request).await.status, 403, "{} {path} {name}: {value}", entry.method);
        }
        n += 1;
    }
    assert!(n >= 15, "{n} routes");
}

#[tokio::test]
async fn a_restart_asks_nobody_to_sign_in_again_but_those_who_may_not_go_on() {
    let house = House::new();
    for name in ["ani", "budi", "citra", "dewi"] {
        house.add_user(name, "read", &["web/*"]).await;
    }
    let mut cookies = Vec::new();
    for name in ["ani", "ani", "budi", "citra", "dewi"] {
        cookies.push(house.cookie(name).await);
    }
    let is_user = async |house: &House, cookie: &str| {
        house.by_cookie("GET", "/api/v1/session", cookie, "").await.json()["user"] == true
    };
    let again = house.restarted();
    for cookie in &cookies {
        assert!(is_user(&again, cookie).await, "{cookie}");
    }
    let who = again.by_cookie("GET", "/api/v1/session", &cookies[0], "").await.json();
    assert_eq!(who, json!({"name": "ani", "role": "read", "groups": ["web/*"], "user": true, "sign_in": "password"}));

    assert_eq!(again.by_cookie("DELETE", "/api/v1/session", &cookies[0], "").await.status, 200);
    assert_eq!(again.administer("DELETE", "/api/v1/users/budi", "").await.status, 200);
    let other = json!({"password": "another one"}).to_string();
    let path = "/api/v1/users/citra/password";
    assert_eq!(again.send(json_request("PUT", path, "", Some(ADMIN_KEY), &other)).await.status, 200);
    // As if somebody had changed the document of a user in the store itself, and nobody else.
    again.store.settings().remove("user", "dewi").expect("the store takes it");
    again.add_user("dewi", "admin", &["*"]).await;
    let last = again.restarted();
    let mut left = Vec::new();
    for cookie in &cookies {
        left.push(is_user(&last, cookie).await);
    }
    assert_eq!(left, [false, true, false, false, false]);
}

#[tokio::test]
async fn nothing_that_is_kept_of_a_session_is_good_for_signing_in() {
    let house = House::new();
    house.add_user("ani", "read", &["*"]).await;
    let cookie = house.cookie("ani").await;
    let token = cookie.strip_prefix("catat_session=").expect("a cookie");
    let kept = house.store.settings().all("sessions").expect("it is there");
    let [(name, json)] = &kept[..] else { panic!("one document: {kept:?}") };
    let entries: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert!(name == "ani" && !json.contains(token) && !json.contains(PASSWORD), "{json}");
    for part in ["hash", "password"] {
        let text = entries[0][part].as_str().expect("a text");
        assert_eq!(house.by_cookie("GET", "/api/v1/users", &format!("catat_session={text}"), "").await.status, 401);
    }
}

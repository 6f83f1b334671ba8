//! Signing in with an account at a provider, and at a proxy: what users, sessions, roles and refusals come of it.

#[path = "../../../oidc/src/tests/fake.rs"]
mod fake;

use std::collections::HashMap;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use self::fake::{CLIENT, Fake, SECRET};
use super::{House, Reply, encoded, now};
use crate::{OidcOptions, OidcProvider, ProxyUsers, RoleRules, SignIn};

const HOME: &str = "http://localhost:22828/";

fn roles(rules: &[&str]) -> RoleRules {
    RoleRules(rules.iter().map(|rule| rule.parse().expect("a rule")).collect())
}

/// How people sign in at a provider with this address.
fn with_provider(issuer: &str, rules: &[&str]) -> SignIn {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let provider = OidcProvider::new(OidcOptions {
        issuer: issuer.to_owned(),
        name: "Test".into(),
        client_id: CLIENT.into(),
        client_secret: Some(SECRET.into()),
        scopes: vec!["openid".into()],
        user_claim: "preferred_username".into(),
        groups_claim: "groups".into(),
        home: HOME.parse().expect("an address"),
        callback: format!("{HOME}api/v1/session/oidc/callback").parse().expect("an address"),
    });
    SignIn { roles: roles(rules), oidc: Some(provider.expect("an address").into()), proxy: None }
}

/// A house with a provider.
fn start(rules: &[&str]) -> (House, Fake) {
    let fake = Fake::start(now().0 / 1_000_000_000);
    let house = House::new().restarted_with(with_provider(&fake.url, rules));
    (house, fake)
}

/// Returns `name=value` of each cookie that an answer sets; one that it deletes is left out.
fn cookies(reply: &Reply) -> HashMap<String, String> {
    let set = reply.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let kept = set.filter(|cookie| !cookie.contains("Max-Age=0")).filter_map(|cookie| cookie.split(';').next());
    kept.filter_map(|cookie| cookie.split_once('='))
        .map(|(name, _)| name.to_owned())
        .zip(reply.headers.get_all("set-cookie").iter().filter_map(|value| Some(value.to_str().ok()?.to_owned())))
        .collect()
}

/// Returns the part of a cookie that a browser sends back.
fn sent(cookie: &str) -> String {
    cookie.split(';').next().unwrap_or_default().to_owned()
}

impl House {
    async fn with_cookie(&self, method: &str, uri: &str, cookie: &str) -> Reply {
        let request = Request::builder().method(method).uri(uri).header("cookie", cookie);
        self.send(request.header("content-type", "application/json").body(Body::empty()).expect("a request")).await
    }

    /// Goes to the provider and comes back, as a browser does; the answer to that.
    async fn through(&self, fake: &Fake, to: &str) -> Reply {
        self.through_with(fake, to, |_| {}).await
    }

    /// The same; `change` is what happens to the parameters on the way back.
    async fn through_with(&self, fake: &Fake, to: &str, change: impl FnOnce(&mut HashMap<String, String>)) -> Reply {
        let begun = self.get(&format!("/api/v1/session/oidc?to={}", encoded(to))).await;
        assert_eq!(begun.status, 303, "{}", begun.text());
        let cookie = sent(&cookies(&begun)["catat_sign_in"]);
        let mut back = fake.visit(begun.header("location"));
        change(&mut back);
        let query: Vec<String> = back.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = Request::get(format!("/api/v1/session/oidc/callback?{}", query.join("&")));
        // As Chromium sends it: the way here began at another site.
        let request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate");
        self.send(request.header("cookie", cookie).body(Body::empty()).expect("a request")).await
    }

    async fn who(&self, cookie: &str) -> Value {
        self.with_cookie("GET", "/api/v1/session", cookie).await.json()
    }
}

/// Returns the session of someone who was signed in.
fn session(reply: &Reply) -> String {
    assert_eq!(reply.header("location"), HOME, "{reply:?}");
    sent(&cookies(reply)["catat_session"])
}

/// Returns why someone was not.
fn problem(reply: &Reply) -> String {
    assert_eq!((reply.status, cookies(reply).contains_key("catat_session")), (303, false), "{reply:?}");
    reply.header("location").split_once("?sign_in_problem=").expect("a problem").1.to_owned()
}

#[tokio::test]
async fn an_account_becomes_a_user_with_a_session_like_any_other() {
    let (house, fake) = start(&["staff = read web/*"]);
    house.fill().await;
    let offered = house.get("/api/v1/session/providers").await.json();
    assert_eq!(offered, json!({"providers": [{"name": "Test", "path": "api/v1/session/oidc"}]}));
    let begun = house.get("/api/v1/session/oidc").await;
    let attempt = &cookies(&begun)["catat_sign_in"];
    for part in ["; Path=/api/v1/session/oidc/callback; ", "HttpOnly", "SameSite=Lax", "Max-Age=600"] {
        assert!(attempt.contains(part), "{part} in {attempt}");
    }
    assert_eq!(begun.header("cache-control"), "no-store");
    let back = house.through(&fake, "/alerts?x=1#y").await;
    assert_eq!((back.status, back.header("location")), (303, "http://localhost:22828/alerts?x=1#y"));
    let cookie = cookies(&back)["catat_session"].clone();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    let ended = back.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    assert!(ended.into_iter().any(|cookie| cookie.starts_with("catat_sign_in=;") && cookie.contains("Max-Age=0")));
    let cookie = sent(&cookie);
    let expected = json!({"name": "ani", "role": "read", "groups": ["web/*"], "user": true, "sign_in": "provider"});
    assert_eq!(house.who(&cookie).await, expected);
    let groups = house.with_cookie("GET", "/api/v1/groups", &cookie).await.text();
    assert!(groups.contains("web/access") && !groups.contains("\"db\""), "{groups}");
    assert_eq!(house.with_cookie("GET", "/api/v1/keys", &cookie).await.status, 403);
    let users = house.administer("GET", "/api/v1/users", "").await.json();
    assert_eq!((&users["users"][0]["name"], &users["users"][0]["sign_in"]), (&json!("ani"), &json!("provider")));
    let restarted = house.restarted();
    assert_eq!(restarted.who(&cookie).await, expected, "a restart ends no session");
    let parting = house.with_cookie("DELETE", "/api/v1/session", &cookie).await.json();
    assert!(parting["url"].as_str().is_some_and(|url| url.starts_with(&format!("{}/end?client_id=catat", fake.url))));
    assert_eq!(house.who(&cookie).await["user"], false);
}

#[tokio::test]
async fn nothing_of_the_provider_reaches_the_browser_or_the_disk() {
    let (house, fake) = start(&["* = read"]);
    let back = house.through(&fake, "/").await;
    let shown = format!("{:?}", back.headers);
    session(&back);
    let users = house.administer("GET", "/api/v1/users", "").await.text();
    let audited = house.administer_json("/api/v1/query", &json!({"query": "source \"catat/audit\""})).await.text();
    assert!(audited.contains("account accepted"), "{audited}");
    for secret in ["of-this-account", SECRET, "code-0", "eyJ"] {
        assert!(!shown.contains(secret) && !users.contains(secret) && !audited.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn roles_follow_the_groups_at_each_sign_in_and_end_older_sessions_with_another_role() {
    let (house, fake) = start(&["admins = admin", "staff = read"]);
    let first = session(&house.through(&fake, "").await);
    let same = session(&house.through(&fake, "").await);
    assert_eq!((&house.who(&first).await["role"], &house.who(&same).await["role"]), (&json!("read"), &json!("read")));
    fake.with(|script| script.claims["groups"] = json!(["staff", "admins"]));
    let risen = session(&house.through(&fake, "").await);
    assert_eq!(house.who(&risen).await["role"], "admin");
    assert_eq!((&house.who(&first).await["user"], &house.who(&same).await["user"]), (&json!(false), &json!(false)));
    let restarted = house.restarted();
    assert_eq!(
        (&restarted.who(&risen).await["role"], &restarted.who(&first).await["user"]),
        (&json!("admin"), &json!(false))
    );
    fake.with(|script| script.claims["groups"] = json!([]));
    assert_eq!(problem(&house.through(&fake, "").await), "no-role");
}

#[tokio::test]
async fn no_one_gets_a_role_that_no_rule_gives_not_even_the_first() {
    let (house, fake) = start(&["admins = admin"]);
    assert_eq!(problem(&house.through(&fake, "").await), "no-role");
    assert_eq!(house.administer("GET", "/api/v1/users", "").await.json()["users"], json!([]));
    // As a name, not as a group: neither passes for the other.
    let (house, fake) = start(&["user:ani = admin", "budi = admin"]);
    session(&house.through(&fake, "").await);
    fake.with(|script| {
        script.claims = json!({"sub": "2", "preferred_username": "budi", "groups": ["user:ani", "ani"]})
    });
    assert_eq!(problem(&house.through(&fake, "").await), "no-role");
}

#[tokio::test]
async fn a_name_belongs_to_who_had_it_first() {
    let (house, fake) = start(&["* = admin"]);
    house.add_user("ani", "read", &["*"]).await;
    assert_eq!(problem(&house.through(&fake, "").await), "account-name-taken");
    assert_eq!(house.who(&house.cookie("ani").await).await["role"], "read", "the password is as good as before");
    fake.with(|script| script.claims["preferred_username"] = json!("budi"));
    session(&house.through(&fake, "").await);
    fake.with(|script| script.claims["sub"] = json!("account-2"));
    assert_eq!(problem(&house.through(&fake, "").await), "account-name-taken", "another account of the same name");
    for name in ["a b", "../x", "ani\u{0}", "", &"x".repeat(129)] {
        fake.with(|script| script.claims["preferred_username"] = json!(name));
        let code = problem(&house.through(&fake, "").await);
        assert!(["bad-name", "no-account-name"].contains(&&*code), "{name:?}: {code}");
    }
}

#[tokio::test]
async fn a_user_of_a_provider_has_no_password_and_goes_when_an_administrator_says_so() {
    let (house, fake) = start(&["* = read"]);
    let cookie = session(&house.through(&fake, "").await);
    let put = house.administer_json_put("/api/v1/users/ani/password", &json!({"password": "a password of hers"})).await;
    assert_eq!((put.status, put.json()["error"]["code"].as_str()), (409, Some("no-password")));
    for password in ["", "provider:", "a password of hers"] {
        let body = json!({"name": "ani", "password": password});
        let request = Request::post("/api/v1/session").header("content-type", "application/json");
        let refused = house.send(request.body(Body::from(body.to_string())).expect("a request")).await;
        assert_eq!(refused.status, 401, "{password:?}");
    }
    assert_eq!(house.who(&cookie).await["user"], true);
    assert_eq!(house.administer("DELETE", "/api/v1/users/ani", "").await.status, 200);
    assert_eq!(house.who(&cookie).await["user"], false);
}

impl House {
    async fn administer_json_put(&self, uri: &str, body: &Value) -> Reply {
        let request =
            Request::put(uri).header("x-catat-key", super::ADMIN_KEY).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }
}

#[tokio::test]
async fn while_the_provider_is_away_the_page_says_so_and_passwords_and_keys_work() {
    let house = House::new().restarted_with(with_provider("http://127.0.0.1:1", &["* = read"]));
    house.add_user("ani", "read", &["*"]).await;
    assert_eq!(problem(&house.get("/api/v1/session/oidc?to=/alerts").await), "provider-unreachable");
    assert_eq!(house.who(&house.cookie("ani").await).await["user"], true);
    assert_eq!(house.administer("GET", "/api/v1/users", "").await.status, 200);
    let (_, key) = house.key("read", &["*"]).await;
    assert_eq!(house.get_with("/api/v1/groups", "x-catat-key", &key).await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_the_provider_has_a_code_for_the_page_and_passwords_work_meanwhile() {
    let (house, fake) = start(&["* = read"]);
    house.add_user("ani", "read", &["*"]).await;
    let cases = [
        (fake::Reply::Text("<html>".into()), "provider-bad-answer"),
        (fake::Reply::Endless, "provider-bad-answer"),
        (fake::Reply::Redirect("http://127.0.0.1:1/".into()), "provider-refused"),
        (fake::Reply::Status(401, json!({"error": "invalid_client"})), "provider-refused"),
        (fake::Reply::Silence, "provider-unreachable"),
    ];
    for (reply, code) in cases {
        fake.with(|script| script.replies.insert("/token", reply));
        let (reply, cookie) = tokio::join!(house.through(&fake, ""), house.cookie("ani"));
        assert_eq!(problem(&reply), code);
        assert_eq!(house.who(&cookie).await["user"], true, "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_signs_no_one_in_and_locks_no_one_out() {
    let (house, fake) = start(&["* = read"]);
    for query in ["", "?code=x&state=y", "?error=access_denied", "?state=a&state=b&code=%00", "?code=%ff"].repeat(3) {
        let callback = format!("/api/v1/session/oidc/callback{query}");
        let reply = house.get_with(&callback, "cookie", "catat_sign_in=AAAA.1.AAAA").await;
        assert_eq!(problem(&reply), "sign-in-expired", "{query}");
    }
    assert_eq!(fake.count("/token"), 0);
    session(&house.through(&fake, "").await);
}

#[tokio::test]
async fn guessed_codes_are_counted_as_guessed_passwords_are() {
    let (house, fake) = start(&["* = read"]);
    let guess = async || {
        let wrong = |parameters: &mut HashMap<String, String>| _ = parameters.insert("code".into(), "code-0".into());
        problem(&house.through_with(&fake, "", wrong).await)
    };
    session(&house.through(&fake, "").await);
    for n in 0..10 {
        assert_eq!(guess().await, "provider-refused", "{n}");
    }
    let asked = fake.count("/token");
    assert_eq!(guess().await, "too-many-attempts");
    assert_eq!(fake.count("/token"), asked, "the provider is left alone");
}

#[tokio::test]
async fn without_a_provider_there_is_none_to_sign_in_with() {
    let house = House::new();
    assert_eq!(house.get("/api/v1/session/providers").await.json(), json!({"providers": []}));
    for path in ["/api/v1/session/oidc", "/api/v1/session/oidc/callback?code=a&state=b"] {
        assert_eq!(house.get(path).await.status, 404, "{path}");
    }
}

/// A house whose proxy is in a network; requests of tests come from 127.0.0.1.
fn behind_proxy(network: &str) -> House {
    let [user, groups] = ["x-forwarded-user", "x-forwarded-groups"].map(|name| name.parse().expect("a header"));
    let proxy = ProxyUsers::new(user, Some(groups), vec![network.parse().expect("a network")]);
    let roles = roles(&["user:ani = admin", "staff = read web/*"]);
    House::new().restarted_with(SignIn { roles, oidc: None, proxy: Some(proxy) })
}

#[tokio::test]
async fn a_proxy_names_the_user_of_each_request() {
    let house = behind_proxy("127.0.0.0/8");
    house.key("read", &["*"]).await;
    let asked = async |user: &str, groups: &str, method: &str, path: &str, kind: &str| {
        let request = Request::builder().method(method).uri(path).header("x-forwarded-user", user);
        let request = request.header("x-forwarded-groups", groups).header("content-type", kind);
        house.send(request.body(Body::from("{}")).expect("a request")).await
    };
    let json_of = "application/json";
    let who = asked("budi", "x,staff", "GET", "/api/v1/session", json_of).await.json();
    assert_eq!(who, json!({"name": "budi", "role": "read", "groups": ["web/*"], "user": true, "sign_in": "proxy"}));
    assert_eq!(asked("ani", "", "GET", "/api/v1/users", json_of).await.status, 200);
    assert_eq!(asked("budi", "staff", "GET", "/api/v1/users", json_of).await.status, 403);
    let unknown = asked("eve", "x", "GET", "/api/v1/groups", json_of).await;
    assert_eq!((unknown.status, unknown.json()["error"]["code"].as_str()), (403, Some("no-role")));
    assert_eq!(asked("eve", "x", "GET", "/-/healthy", json_of).await.status, 200, "what needs no key is open");
    assert_eq!(house.get("/api/v1/groups").await.status, 401, "without the header nobody is signed in");
    // A browser sends what the proxy adds the header to: the same rules as for cookies.
    let form = asked("ani", "", "POST", "/api/v1/status/flush", "application/x-www-form-urlencoded").await;
    assert_eq!(form.status, 415);
    let foreign =
        Request::post("/api/v1/status/flush").header("x-forwarded-user", "ani").header("content-type", json_of);
    let foreign = foreign.header("origin", "https://evil.example.org").body(Body::empty()).expect("a request");
    assert_eq!(house.send(foreign).await.status, 403);
    // Its own key still says more.
    let (_, key) = house.key("ingest", &["*"]).await;
    let both = Request::get("/api/v1/users").header("x-forwarded-user", "ani").header("x-catat-key", key);
    assert_eq!(house.send(both.body(Body::empty()).expect("a request")).await.status, 403);
}

#[tokio::test]
async fn the_header_from_elsewhere_is_worth_nothing_and_is_counted() {
    let house = behind_proxy("192.0.2.0/24");
    let (_, key) = house.key("read", &["*"]).await;
    for _ in 0..2 {
        assert_eq!(house.get_with("/api/v1/users", "x-forwarded-user", "ani").await.status, 401);
    }
    // Nor does it help to say that one comes from the proxy: the peer of the connection counts.
    let forged = Request::get("/api/v1/users").header("x-forwarded-user", "ani").header("x-forwarded-for", "192.0.2.1");
    assert_eq!(house.send(forged.body(Body::empty()).expect("a request")).await.status, 401);
    let page = house.get_with("/metrics", "x-catat-key", &key).await.text();
    assert!(page.contains("\ncatat_proxy_headers_ignored_total 3\n"), "{page}");
}

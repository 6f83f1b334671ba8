//! `/api/v1/session`: sign in, sign out, and who one is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{ConnectInfo, Extension};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use types::GroupScope;

use door::access::SignInWay;
use door::guard::SessionEnd;
use door::listen::OverTls;
use door::users::{SignedIn, cookie_of, set_cookie, user_of};
use door::{Caller, HandlerServer, Problem, Role, SentJson, Shared};

/// A body: names, passwords, patterns of groups.
pub(super) type Body = SentJson<{ 64 << 10 }>;

/// Who asks from where; neither is there in a test without a socket.
pub(crate) type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// Whether the connection is one under TLS.
pub(crate) type Under = Option<Extension<OverTls>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    name: String,
    password: String,
}

pub(crate) async fn post(
    server: Shared,
    peer: Peer,
    under: Under,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Credentials { name, password } = body.read()?;
    let who = check(&server, &peer, name, password).await?;
    let description = describe(&who.caller);
    // Whoever had this browser before is not to go on in it.
    let before = cookie_of(&headers).and_then(|token| server.sessions.end(token));
    let token = begin(&server, who, before).await?;
    let (cookie, parting) = with_cookie(&token, &under, &headers);
    Ok((parting, cookie, Json(description)).into_response())
}

pub(crate) async fn get(server: Shared) -> Result<Response, Problem> {
    if server.caller.role == Role::None && !server.caller.sends {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "key-required", "nobody is signed in");
        return Err(problem.hint("sign in with POST /api/v1/session, or send a key"));
    }
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(describe(&server.caller))).into_response())
}

pub(crate) async fn delete(server: Shared, under: Under, headers: HeaderMap) -> Response {
    let mut url = None;
    if let Some(caller) = cookie_of(&headers).and_then(|token| server.sessions.end(token)) {
        if let (Some(SignInWay::Provider), Some(provider)) = (caller.way, &server.app.sign_in.oidc) {
            url = provider.sign_out_url(server.now()).await.map(String::from);
        }
        // What could not be kept is in the log.
        let _ = server.look_up(move |server| server.keep_sessions(&caller)).await;
    }
    let (cookie, parting) = with_cookie("", &under, &headers);
    (parting, cookie, Json(json!({"signed_out": true, "url": url}))).into_response()
}

/// Begins a session, and keeps that; gives its token. `before` is who had one in the same browser.
pub(crate) async fn begin(server: &Shared, who: SignedIn, before: Option<Arc<Caller>>) -> Result<String, Problem> {
    let (caller, password) = (who.caller.clone(), who.password.clone());
    let token = server.sessions.begin(who, server.now())?;
    let begun = token.clone();
    let work = move |server: &Shared| {
        // Looked at when the session is there: whoever removes the user from now on ends it.
        if !server.users.still_has(server.settings(), &caller, &password)? {
            server.sessions.end(&begun);
            return Err(bad_credentials());
        }
        before.iter().for_each(|before| server.keep_sessions(before));
        server.keep_sessions(&caller);
        Ok(())
    };
    server.look_up(work).await??;
    Ok(token)
}

fn bad_credentials() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "bad-credentials", "the name or the password is wrong")
}

/// Who says this name and this password. Failures are counted, and all look the same.
pub(crate) async fn check(server: &Shared, peer: &Peer, name: String, password: String) -> Result<SignedIn, Problem> {
    let address = peer.as_ref().map(|peer| peer.0.0.ip());
    server.sign_ins.begin(address, Some(&name), Instant::now())?;
    let (of_thread, said) = (server.clone(), name.clone());
    let work = move || {
        let found = of_thread.users.verify(of_thread.settings(), &said, &password)?;
        if let Some(SignedIn { caller, .. }) = &found {
            of_thread.audit(&caller.name, "password accepted", &json!({"address": address.map(|a| a.to_string())}));
        }
        Ok(found)
    };
    let found = server.passwords.run(work).await.and_then(|found| found);
    match found {
        Ok(Some(who)) => {
            server.sign_ins.succeeded(address, Some(&name));
            Ok(who)
        }
        Ok(None) => {
            tracing::warn!(?address, "sign-in failed");
            server.whole().audit_refusal(address, "bad-credentials");
            Err(bad_credentials())
        }
        // No fault of whoever signs in.
        Err(problem) => {
            server.sign_ins.succeeded(address, Some(&name));
            Err(problem)
        }
    }
}

/// Headers that hand over a token. A proxy that ends TLS before us says so, and it is its client's own cookie.
pub(crate) fn with_cookie(
    token: &str,
    under: &Under,
    headers: &HeaderMap,
) -> ([(HeaderName, HeaderValue); 2], Extension<SessionEnd>) {
    let is_encrypted = under.is_some() || headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let cookie = HeaderValue::from_str(&set_cookie(token, is_encrypted));
    // A token is base64, which every header value may hold.
    let cookie = cookie.unwrap_or(HeaderValue::from_static("catat_session=; Path=/; Max-Age=0"));
    let no_store = HeaderValue::from_static("no-store");
    ([(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, no_store)], Extension(SessionEnd))
}

fn describe(caller: &Caller) -> Value {
    let user = user_of(caller);
    let groups: Vec<&str> = match &caller.scope {
        GroupScope::All => vec!["*"],
        GroupScope::Matching(patterns) => patterns.iter().map(|pattern| pattern.as_str()).collect(),
    };
    json!({
        "name": user.unwrap_or(&caller.name), "role": caller.role.name(), "groups": groups, "user": user.is_some(),
        "sign_in": caller.way.map(SignInWay::name),
    })
}

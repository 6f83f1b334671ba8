//! `/api/v1/session`: sign in, sign out, and who one is.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use types::GroupScope;

use crate::state::Call;
use door::access::SignInWay;
use door::guard::SessionEnd;
use door::listen::OverTls;
use door::users::{SignedIn, cookie_of, set_cookie, user_of};
use door::{Caller, Outcome, Problem, Reply, RequestBody, Result, Role, Shared};

/// A body: names, passwords, patterns of groups.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    name: String,
    password: String,
}

pub(crate) fn post(Call { server, parts, .. }: Call, body: RequestBody) -> Outcome {
    let Credentials { name, password } = body.json()?;
    Ok(Reply::later(async move {
        let who = check(&server, address(&parts), name, password).await?;
        let description = describe(&who.caller);
        // The session that this browser had before ends.
        let before = cookie_of(&parts.headers).and_then(|token| server.sessions.end(token));
        let token = begin(&server, who, before).await?;
        Ok(with_cookie(Reply::json(&description), &token, &parts))
    }))
}

pub(crate) fn get(Call { server, .. }: Call) -> Outcome {
    if server.caller.role == Role::None && !server.caller.sends {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "key-required", "nobody is signed in");
        return Err(problem.hint("sign in with POST /api/v1/session, or send a key"));
    }
    Ok(Reply::json(&describe(&server.caller)).not_stored())
}

pub(crate) fn delete(Call { server, parts, .. }: Call) -> Outcome {
    Ok(Reply::later(async move {
        let mut url = None;
        if let Some(caller) = cookie_of(&parts.headers).and_then(|token| server.sessions.end(token)) {
            if let (Some(SignInWay::Provider), Some(provider)) = (caller.way, &server.app.sign_in.oidc) {
                url = provider.sign_out_url(server.now()).await.map(String::from);
            }
            // What could not be kept is in the log.
            let of_thread = server.clone();
            let _ = server.lookups.run(move || of_thread.keep_sessions(&caller)).await;
        }
        Ok(with_cookie(Reply::json(&json!({"signed_out": true, "url": url})), "", &parts))
    }))
}

/// Begins a session, and keeps that; gives its token. `before` is who had one in the same browser.
pub(crate) async fn begin(server: &Shared, who: SignedIn, before: Option<Arc<Caller>>) -> Result<String> {
    let (caller, password) = (who.caller.clone(), who.password.clone());
    let token = server.sessions.begin(who, server.now())?;
    let (begun, of_thread) = (token.clone(), server.clone());
    let work = move || {
        let server = &of_thread;
        // Looked at when the session is there: whoever removes the user from now on ends it.
        if !server.users.still_has(server.settings(), &caller, &password)? {
            server.sessions.end(&begun);
            return Err(bad_credentials());
        }
        before.iter().for_each(|before| server.keep_sessions(before));
        server.keep_sessions(&caller);
        Ok(())
    };
    server.lookups.run(work).await??;
    Ok(token)
}

fn bad_credentials() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "bad-credentials", "the name or the password is wrong")
}

/// Who says this name and this password. Failures are counted, and all look the same.
pub(crate) async fn check(
    server: &Shared,
    address: Option<IpAddr>,
    name: String,
    password: String,
) -> Result<SignedIn> {
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

/// Returns the address that a request comes from; there is none in a test without a socket.
pub(crate) fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
}

/// Returns the cookie with a token. A proxy that ends TLS before us says so, and it is its client's own cookie.
pub(crate) fn cookie(token: &str, parts: &Parts) -> HeaderValue {
    let is_forwarded = parts.headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let cookie = set_cookie(token, is_forwarded || parts.extensions.get::<OverTls>().is_some());
    // A token is base64, which every header value may hold.
    HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static("catat_session=; Path=/; Max-Age=0"))
}

/// Returns an answer that hands over a token.
pub(crate) fn with_cookie(reply: Reply, token: &str, parts: &Parts) -> Reply {
    let mut reply = reply.with_header(header::SET_COOKIE, cookie(token, parts)).not_stored();
    if let Reply::Whole(response) = &mut reply {
        response.extensions_mut().insert(SessionEnd);
    }
    reply
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

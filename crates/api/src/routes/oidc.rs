//! `/api/v1/session/oidc`: sign in with an account at a provider.
//!
//! Both steps answer a browser that navigates: with an address, never with an error. What is wrong is a code in the page's
//! address, for which the page has the words; the details are in the log and, as a refusal, in the audit log.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::session;
use crate::state::{Call, Routes};
use ::oidc::{Account, COOKIE_LIFE_S, Provider, ProviderAnswer, Url};
use door::users::{SignedIn, caller_name, cookie_named, no_role};
use door::{Outcome, Problem, Reply, Result, Role, Shared};

/// The cookie of a sign-in under way.
const COOKIE: &str = "catat_sign_in";

/// The parameter with which the page is told why a sign-in failed.
const PROBLEM: &str = "sign_in_problem";

/// Failures that are no attempt to guess: the provider's own, and answers that it was not asked about, as any page can send a browser
/// here.
const UNCOUNTED: [&str; 3] = ["provider-unreachable", "provider-busy", "sign-in-expired"];

/// Adds the routes.
pub(super) fn add(routes: Routes) -> Routes {
    routes.get("/api/v1/session/providers", Role::None, providers).get("/api/v1/session/oidc", Role::None, begin).get(
        "/api/v1/session/oidc/callback",
        Role::None,
        finish,
    )
}

/// Lists the providers that people may sign in with.
fn providers(Call { server, .. }: Call) -> Outcome {
    let provider = |provider: &Arc<Provider>| json!({"name": provider.name(), "path": "api/v1/session/oidc"});
    let providers: Vec<Value> = server.app.sign_in.oidc.iter().map(provider).collect();
    Ok(Reply::json(&json!({"providers": providers})))
}

fn provider_of(server: &Shared) -> Result<&Arc<Provider>> {
    let none = || Problem::not_found("no provider is configured").hint("set oidc.issuer");
    server.app.sign_in.oidc.as_ref().ok_or_else(none)
}

/// Sends a browser to the provider.
fn begin(Call { server, parameters, .. }: Call) -> Outcome {
    let provider = provider_of(&server)?.clone();
    Ok(Reply::later(async move {
        let begun = provider.begin(parameters.get("to").unwrap_or_default(), server.now()).await;
        Ok(match begun {
            Ok((url, cookie)) => redirect(&provider, url.as_str(), &[attempt_cookie(&provider, &cookie)]),
            Err(error) => {
                tracing::warn!(%error, "sign-in with the provider not begun");
                redirect_with(&provider, provider.home().clone(), error.code(), &[])
            }
        })
    }))
}

/// Signs in a browser that comes back from the provider.
fn finish(call: Call) -> Outcome {
    let provider = provider_of(&call.server)?.clone();
    Ok(Reply::later(async move { Ok(finish_with(&provider, call).await) }))
}

async fn finish_with(provider: &Provider, Call { server, parameters, parts, .. }: Call) -> Reply {
    let address = session::address(&parts);
    let mut to = provider.home().clone();
    let parameter = |name: &str| parameters.get(name).map(str::to_owned);
    let answer = ProviderAnswer {
        code: parameter("code"),
        state: parameter("state"),
        iss: parameter("iss"),
        error: parameter("error"),
        error_description: parameter("error_description"),
    };
    let signed_in = async {
        // Each attempt is a request to the provider: many from one address have to wait.
        server.sign_ins.begin(address, None, Instant::now())?;
        let attempted = provider.finish(cookie_named(&parts.headers, COOKIE), &answer, server.now()).await;
        to = attempted.to;
        let account = attempted.account.map_err(|error| Problem::bad_request(error.code(), error.to_string()))?;
        session::begin(&server, admit(&server, account, address).await?, None).await
    };
    let signed_in = signed_in.await;
    if signed_in.as_ref().map_or_else(|problem| UNCOUNTED.contains(&problem.code), |_| true) {
        server.sign_ins.succeeded(address, None);
    }
    let ended = attempt_cookie(provider, "");
    match signed_in {
        Ok(token) => redirect(provider, to.as_str(), &[session::cookie(&token, &parts), ended]),
        Err(problem) => {
            tracing::warn!(problem = problem.message, ?address, "sign-in with the provider failed");
            server.whole().audit_refusal(address, problem.code);
            redirect_with(provider, to, problem.code, &[ended])
        }
    }
}

/// Returns the user of an account, with the role that the rules give it now.
async fn admit(server: &Shared, account: Account, address: Option<IpAddr>) -> Result<SignedIn> {
    let grant = server.app.sign_in.roles.grant(&account.name, &account.groups);
    let grant = grant.ok_or_else(|| no_role(&account.name))?.clone();
    let of_thread = server.clone();
    let work = move || {
        let server = &of_thread;
        let (who, is_changed) = server.users.admit_account(server.settings(), &account, &grant, server.now())?;
        if is_changed {
            server.sessions.end_of(&caller_name(&account.name));
        }
        let details = json!({
            "address": address.map(|address| address.to_string()), "account": account.subject,
            "role": grant.role.name(), "groups": grant.groups,
        });
        server.audit(&who.caller.name, "account accepted", &details);
        Ok(who)
    };
    server.lookups.run(work).await?
}

/// Returns the cookie of a sign-in under way; an empty value deletes it. `Lax`, since the browser comes back to it from another
/// site; the session's own cookie is `Strict`, which the page's requests send all the same.
fn attempt_cookie(provider: &Provider, value: &str) -> HeaderValue {
    let callback = provider.callback();
    let secure = if callback.scheme() == "https" { "; Secure" } else { "" };
    let age_s = if value.is_empty() { 0 } else { COOKIE_LIFE_S };
    let path = callback.path();
    let cookie = format!("{COOKIE}={value}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={age_s}{secure}");
    // Base64, dots, digits and the path of an address are what header values may hold.
    HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static("catat_sign_in=; Max-Age=0"))
}

fn redirect_with(provider: &Provider, mut to: Url, code: &str, cookies: &[HeaderValue]) -> Reply {
    to.query_pairs_mut().append_pair(PROBLEM, code);
    redirect(provider, to.as_str(), cookies)
}

/// Returns an answer that sends a browser elsewhere.
fn redirect(provider: &Provider, to: &str, cookies: &[HeaderValue]) -> Reply {
    let location = HeaderValue::from_str(to).or_else(|_| HeaderValue::from_str(provider.home().as_str()));
    let location = location.unwrap_or(HeaderValue::from_static("/"));
    let reply = Reply::from(StatusCode::SEE_OTHER).with_header(header::LOCATION, location).not_stored();
    cookies.iter().fold(reply, |reply, cookie| reply.with_header(header::SET_COOKIE, cookie.clone()))
}

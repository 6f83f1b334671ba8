//! Who may ask what: the checks that every request passes before any route sees it.
//!
//! Holds for every route: the `Host` is ours, no other site's page changes anything, no proxy brings strangers
//! in without a key, a key in an address is refused. A caller is the owner of the admin key or of a key of their own
//! ([`Keys`]); until the first such key is made, somebody on loopback may do what needs the role `operate`, whatever
//! else they carry, and after that may be given some time to go on sending. What a caller may do is decided once, here and in [`require`], before a handler runs.

mod attempts;
mod caller;
mod credentials;
mod key_problem;
mod keys;
mod proxies;
mod rate;
mod revocable_body;
mod validity;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use subtle::ConstantTimeEq;
use types::{Secret, Timestamp};

use self::credentials::Credentials;
use crate::problem::{Problem, Result};
use crate::tls::ClientNames;

pub use self::attempts::{Attempts, network_of};
pub use self::caller::{Caller, Role, SignInWay, Standing};
pub use self::keys::{KeyError, KeyOrder, KeyView, Keys, NewKey, covers, grace_ns_of};
pub use self::proxies::{TrustedProxies, is_allowed};
pub use self::rate::Bucket;
pub use self::revocable_body::{KeyRevoked, RevocableBody};
pub use self::validity::Validity;

/// Marks a request that another node of the fleet has handed over, to which it came under a name of that node: this node
/// answers it, or nobody does. It holds what the caller is there.
#[derive(Clone, Copy, Debug)]
pub struct HandedOver(pub Standing);

/// What access is decided by.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The key in `admin.key`; without one nobody is admin.
    pub admin_key: Option<Secret>,
    /// Addresses that the server listens on.
    pub addresses: Vec<IpAddr>,
    /// Further names by which it may be called, `[server] hosts`.
    pub hosts: Vec<String>,
    /// Whether clients without a key are let in from elsewhere than loopback (`--insecure-allow-anonymous`).
    pub allow_anonymous: bool,
    /// Whether people reach it by an address of its own (`[server] public_url`), so that a proxy may bring strangers in from
    /// loopback that does not say so.
    pub is_public: bool,
    /// Proxies that say from whom a request comes.
    pub proxies: TrustedProxies,
}

impl Access {
    /// Finds out what the caller may do, or why it may do nothing at all. `session` is whom a cookie belongs to; a key
    /// says more.
    pub fn admit(
        &self,
        keys: &Keys,
        attempts: &Attempts,
        session: Option<Arc<Caller>>,
        request: &Request,
        now: Timestamp,
    ) -> Result<Arc<Caller>> {
        let headers = request.headers();
        let handed_over = request.extensions().get::<HandedOver>();
        if handed_over.is_none() {
            self.check_host(request.uri(), headers)?;
        }
        check_origin(request.method(), headers)?;
        credentials::check_address(request.uri())?;
        match handed_over {
            Some(HandedOver(Standing::Admin)) => return Ok(Arc::new(Caller::admin())),
            Some(HandedOver(Standing::Local)) => {
                if let Some(caller) = keys.anonymous().caller(now) {
                    return Ok(caller);
                }
            }
            _ => {}
        }
        let credentials = credentials::of(headers)?;
        if let Credentials::Key(text) = &credentials {
            if self.is_admin_key(text.reveal()) {
                return Ok(Arc::new(Caller::admin()));
            }
            if let Some(caller) = keys.find(text.reveal(), now)? {
                return Ok(caller);
            }
        }
        if let (Credentials::None, Some(caller)) = (&credentials, session) {
            check_form(request.method(), headers)?;
            return Ok(caller);
        }
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        let is_proxied = is_proxied(headers);
        let is_near = self.allow_anonymous || !self.is_public && peer.is_some_and(|peer| peer.is_loopback());
        // Of a request through a proxy it would be the proxy's.
        let names = request.extensions().get::<ClientNames>().filter(|_| !is_proxied);
        let names = names.filter(|_| credentials == Credentials::None);
        if let Some(caller) = names.map_or(Ok(None), |ClientNames(names)| keys.find_named(names, now))? {
            return Ok(caller);
        }
        let anonymous = keys.anonymous().caller(now).filter(|_| !is_proxied && is_near);
        if let Some(caller) = anonymous.filter(|_| !is_meant(&credentials, keys, headers)) {
            return Ok(caller);
        }
        match credentials {
            Credentials::Key(text) => Err(attempts.refuse(peer, text.reveal().as_bytes(), now)),
            // Only the route that they are for can check a signature: it covers the body.
            Credentials::Signature => Ok(Arc::default()),
            Credentials::None if is_proxied => {
                let message = "a request that comes through a proxy needs a key";
                Err(Problem::new(StatusCode::UNAUTHORIZED, "key-required", message))
            }
            Credentials::None => names.map_or_else(|| Ok(Arc::default()), |names| Err(unknown_certificate(names))),
        }
    }

    /// Against DNS rebinding: the name by which we are called must be one that only we have.
    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<()> {
        if headers.get_all(header::HOST).iter().nth(1).is_some() {
            return Err(Problem::bad_request("bad-host", "a request names one host"));
        }
        let named = uri.host().or_else(|| headers.get(header::HOST)?.to_str().ok());
        let host = without_port(named.unwrap_or_default());
        if self.is_ours(host) {
            return Ok(());
        }
        let message = format!("host {host:?} is not one that this server answers to");
        let problem = Problem::forbidden("host-not-allowed", message);
        Err(problem.hint("use the address it listens on, or list the name under [server] hosts"))
    }

    fn is_ours(&self, host: &str) -> bool {
        if self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            return true;
        }
        let is_everywhere = self.addresses.iter().any(IpAddr::is_unspecified);
        let is_loopback = is_everywhere || self.addresses.iter().any(IpAddr::is_loopback);
        if host.eq_ignore_ascii_case("localhost") {
            return is_loopback;
        }
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) if address.is_loopback() => is_loopback,
            Ok(address) => is_everywhere || self.addresses.contains(&address),
            Err(_) => false,
        }
    }

    fn is_admin_key(&self, given: &str) -> bool {
        let Some(expected) = &self.admin_key else { return false };
        let expected = expected.reveal();
        !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(given.as_bytes()))
    }
}

/// Reports whether credentials were meant to be good. Agents that cannot be told to send none send any, and until there is a
/// key all are as good.
fn is_meant(credentials: &Credentials, keys: &Keys, headers: &HeaderMap) -> bool {
    !keys.admits_anonymous()
        && match credentials {
            Credentials::Key(text) => text.reveal().starts_with(keys::PREFIX),
            Credentials::Signature => credentials::access_key_id(headers).is_some_and(|id| keys.has(id)),
            Credentials::None => false,
        }
}

fn unknown_certificate(ClientNames(names): &ClientNames) -> Problem {
    let message = format!("no key with the role ingest is called as the client certificate is: {}", names.join(", "));
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "unknown-certificate", message);
    problem.hint("catat keys create --role ingest --name NAME makes one, or send another key")
}

/// Reports whether a proxy forwarded the request: then the peer of the connection is not the sender.
fn is_proxied(headers: &HeaderMap) -> bool {
    ["forwarded", "via", "x-real-ip"].iter().any(|name| headers.contains_key(*name))
        || headers.keys().any(|name| name.as_str().starts_with("x-forwarded-"))
}

/// Refuses a caller who may not do what needs `needed`.
pub fn require(caller: &Caller, needed: Role) -> Result<()> {
    if caller.may(needed) {
        return Ok(());
    }
    let message = match needed {
        Role::None | Role::Any => "this needs a key".to_owned(),
        role => format!("this needs a key with the role {}", role.name()),
    };
    if caller.is_known() {
        let problem = Problem::forbidden("not-allowed", message);
        return Err(problem.hint(format!("this one has the role {}", caller.role.name())));
    }
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "key-required", message);
    Err(match needed {
        Role::Admin => problem.hint("send the key in admin.key of the data directory as Authorization: Bearer"),
        _ => problem.hint("send it as Authorization: Bearer KEY; catat keys create makes one"),
    })
}

/// Refuses what the page of another site makes a browser ask: it may read nothing of ours (the browser sees to that, except on a
/// websocket), must not change anything, and is not to keep the server busy.
fn check_origin(method: &Method, headers: &HeaderMap) -> Result<()> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if method.is_safe() && !headers.contains_key(header::UPGRADE) {
        // Other sites may link to a page here. Whatever else they make a browser request only costs work.
        let is_asked_elsewhere = text("sec-fetch-site") == Some("cross-site")
            && text("sec-fetch-mode").is_some_and(|mode| mode != "navigate");
        let message = "a page of another site may link here, and ask nothing else";
        return if is_asked_elsewhere { Err(Problem::forbidden("foreign-origin", message)) } else { Ok(()) };
    }
    let is_foreign_site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let is_foreign_origin = text("origin").is_some_and(|origin| {
        let of_origin = origin.split_once("://").map(|(_, host)| host);
        of_origin.is_none() || of_origin != text("host")
    });
    if is_foreign_site || is_foreign_origin {
        let message = "a page of another site may change nothing here, and open no websocket";
        return Err(Problem::forbidden("foreign-origin", message));
    }
    Ok(())
}

/// Returns what a form of another page could send, changes nothing in the name of whoever is signed in: browsers ask before
/// they send JSON, or another method, across sites.
fn check_form(method: &Method, headers: &HeaderMap) -> Result<()> {
    if method != Method::POST || is_json(headers) {
        return Ok(());
    }
    let message = "whoever is signed in by a cookie sends JSON, and the content type says so";
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "json-required", message);
    Err(problem.hint("send Content-Type: application/json, or use a key"))
}

/// Refuses a request whose content type is not JSON: a form on another site's page cannot send that.
pub fn require_json(headers: &HeaderMap) -> Result<()> {
    if is_json(headers) {
        return Ok(());
    }
    let message = "the body has to be JSON, and its content type has to say so";
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "json-required", message);
    Err(problem.hint("send Content-Type: application/json"))
}

/// Reports whether the body is said to be JSON.
pub fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests;

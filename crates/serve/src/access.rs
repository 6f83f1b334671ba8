//! Who may ask what (DESIGN.md §8): the checks that every request passes before any route sees it.
//!
//! Holds for every route: the `Host` is ours, no other site's page changes anything, no proxy brings strangers
//! in without a key. A caller is either the owner of the admin key, or somebody without a key, who has the role
//! `operate` on loopback. Keys of their own for senders and readers do not exist yet.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use data_encoding::BASE64;
use subtle::ConstantTimeEq;
use types::GroupScope;

use crate::problem::Problem;

/// What a caller may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Nothing but what needs no key: health, the page's shell.
    None,
    /// Send events.
    Ingest,
    /// Ask.
    Read,
    /// Silences, rules, channels.
    Operate,
    /// Everything.
    Admin,
}

/// Who asks, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What they may do.
    pub role: Role,
    /// Whether they may send events; a role that may ask does not say so.
    pub sends: bool,
    /// The groups that exist for them.
    pub scope: GroupScope,
    /// What they are called in lists and records: `anonymous`, `admin.key`, `key:NAME`, `user:NAME`.
    pub name: Arc<str>,
}

impl Default for Caller {
    /// Somebody who may do nothing but what needs no key.
    fn default() -> Self {
        Self { role: Role::None, sends: false, scope: GroupScope::Matching(Vec::new()), name: "anonymous".into() }
    }
}

impl Caller {
    /// The owner of the admin key.
    fn admin() -> Self {
        Self { role: Role::Admin, sends: true, scope: GroupScope::All, name: "admin.key".into() }
    }

    /// Somebody on this machine, as long as nobody has made a key.
    fn local() -> Self {
        Self { role: Role::Operate, sends: true, scope: GroupScope::All, name: "anonymous".into() }
    }

    /// Within what the ids of their batches are unique: of their own for each key. What comes without a key of its own
    /// is one sender, as it was before there were keys.
    pub(crate) fn batch_scope(&self) -> &str {
        if self.name.contains(':') { &self.name } else { "" }
    }

    /// Whether they may do what needs `role`.
    pub fn may(&self, role: Role) -> bool {
        if role == Role::Ingest { self.sends } else { self.role >= role }
    }
}

impl Role {
    /// The role's name in the API description.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }
}

/// What access is decided by.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The key in `admin.key`; without one nobody is admin.
    pub admin_key: Option<String>,
    /// Addresses that the server listens on.
    pub addresses: Vec<IpAddr>,
    /// Further names by which it may be called, `[server] hosts`.
    pub hosts: Vec<String>,
    /// Whether clients without a key are let in from elsewhere than loopback (`--insecure-allow-anonymous`).
    pub allow_anonymous: bool,
}

impl Access {
    /// Finds out what the caller may do, or why it may do nothing at all.
    pub(crate) fn admit(&self, request: &Request) -> Result<Caller, Problem> {
        let headers = request.headers();
        self.check_host(request.uri(), headers)?;
        check_origin(request.method(), headers)?;
        if self.has_admin_key(headers) {
            return Ok(Caller::admin());
        }
        let proxied = ["forwarded", "via", "x-real-ip"].iter().any(|name| headers.contains_key(*name))
            || headers.keys().any(|name| name.as_str().starts_with("x-forwarded-"));
        if proxied {
            let message = "a request that comes through a proxy needs a key";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "key-required", message));
        }
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let is_local = peer.is_some_and(|peer| peer.0.ip().to_canonical().is_loopback());
        Ok(if is_local || self.allow_anonymous { Caller::local() } else { Caller::default() })
    }

    /// Against DNS rebinding: the name by which we are called must be one that only we have.
    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        if headers.get_all(header::HOST).iter().nth(1).is_some() {
            return Err(Problem::bad_request("bad-host", "a request names one host"));
        }
        let named = uri.host().or_else(|| headers.get(header::HOST)?.to_str().ok());
        let host = without_port(named.unwrap_or_default());
        if self.is_ours(host) {
            return Ok(());
        }
        let message = format!("host {host:?} is not one that this server answers to");
        let problem = Problem::new(StatusCode::FORBIDDEN, "host-not-allowed", message);
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

    fn has_admin_key(&self, headers: &HeaderMap) -> bool {
        let (Some(expected), Some(given)) = (&self.admin_key, key_of(headers)) else { return false };
        !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(given.as_bytes()))
    }
}

/// Refuses a caller who may not do what needs `needed`.
pub(crate) fn require(caller: &Caller, needed: Role) -> Result<(), Problem> {
    if caller.may(needed) {
        return Ok(());
    }
    let message = format!("this needs a key with the role {}", needed.name());
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "key-required", message);
    Err(match needed {
        Role::Admin => problem.hint("send the key in admin.key of the data directory as Authorization: Bearer"),
        _ => problem,
    })
}

/// A page of another site may read nothing of ours (the browser sees to that) and must not change anything.
fn check_origin(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_foreign_site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let is_foreign_origin = text("origin").is_some_and(|origin| {
        let of_origin = origin.split_once("://").map(|(_, host)| host);
        of_origin.is_none() || of_origin != text("host")
    });
    if is_foreign_site || is_foreign_origin {
        let message = "a request from another site's page may not change anything here";
        return Err(Problem::new(StatusCode::FORBIDDEN, "foreign-origin", message));
    }
    Ok(())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

/// The key that a request carries, in any of the forms that clients can send.
fn key_of(headers: &HeaderMap) -> Option<String> {
    if let Some(key) = headers.get("x-catat-key") {
        return Some(key.to_str().ok()?.to_owned());
    }
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "apikey" => Some(rest.to_owned()),
        "basic" => {
            let pair = String::from_utf8(BASE64.decode(rest.as_bytes()).ok()?).ok()?;
            pair.split_once(':').map(|(_, password)| password.to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn access(address: &str) -> Access {
        Access {
            admin_key: Some("secret".into()),
            addresses: vec![address.parse().expect("an address")],
            hosts: vec!["logs.example.org".into()],
            allow_anonymous: false,
        }
    }

    fn admit(method: &str, headers: &[(&str, &str)]) -> Result<Role, u16> {
        let mut request = Request::builder().method(method).uri("/api/v1/query");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        access("127.0.0.1").admit(&request).map(|caller| caller.role).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn only_names_that_are_ours_are_answered() {
        let check = |listens: &str, host: &str| access(listens).is_ours(without_port(host));
        assert!(check("127.0.0.1", "localhost:22828"));
        assert!(check("127.0.0.1", "127.0.0.1"));
        assert!(check("127.0.0.1", "[::1]:22828"));
        assert!(check("127.0.0.1", "LOGS.example.org:80"));
        assert!(check("0.0.0.0", "192.0.2.7:22828"));
        assert!(!check("127.0.0.1", "192.0.2.7"));
        assert!(!check("127.0.0.1", "evil.example.org:22828"));
        assert!(!check("127.0.0.1", "localhost.example.org"));
        assert!(!check("192.0.2.7", "localhost"));
        assert!(!check("127.0.0.1", ""));
    }

    #[test]
    fn pages_of_other_sites_may_not_change_anything() {
        let host = ("host", "localhost:22828");
        assert_eq!(admit("POST", &[host]), Ok(Role::Operate));
        assert_eq!(admit("POST", &[host, ("origin", "http://localhost:22828")]), Ok(Role::Operate));
        assert_eq!(admit("POST", &[host, ("origin", "http://localhost:3000")]), Err(403));
        assert_eq!(admit("POST", &[host, ("origin", "null")]), Err(403));
        assert_eq!(admit("DELETE", &[host, ("sec-fetch-site", "cross-site")]), Err(403));
        assert_eq!(admit("DELETE", &[host, ("sec-fetch-site", "cross-site"), ("x-catat-key", "secret")]), Err(403));
        assert_eq!(admit("GET", &[host, ("origin", "http://evil.example.org")]), Ok(Role::Operate));
    }

    #[test]
    fn a_proxy_needs_a_key() {
        let host = ("host", "127.0.0.1");
        assert_eq!(admit("GET", &[host, ("x-forwarded-for", "192.0.2.1")]), Err(401));
        assert_eq!(admit("GET", &[host, ("via", "1.1 proxy")]), Err(401));
        assert_eq!(admit("GET", &[host, ("via", "1.1 proxy"), ("authorization", "Bearer secret")]), Ok(Role::Admin));
    }

    #[test]
    fn the_admin_key_is_known_in_every_form() {
        let host = ("host", "localhost");
        for form in ["Bearer secret", "bearer  secret", "ApiKey secret", "Basic dXNlcjpzZWNyZXQ="] {
            assert_eq!(admit("GET", &[host, ("authorization", form)]), Ok(Role::Admin), "{form}");
        }
        assert_eq!(admit("GET", &[host, ("x-catat-key", "secret")]), Ok(Role::Admin));
        assert_eq!(admit("GET", &[host, ("authorization", "Bearer wrong")]), Ok(Role::Operate));
        assert_eq!(require(&Caller::local(), Role::Admin).map_err(|p| p.status.as_u16()), Err(401));
    }
}

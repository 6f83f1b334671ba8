//! Who a request is from by the word of a proxy that signs people in: `[sign_in] proxy_…`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderName;
use ipnet::IpNet;

use super::accounts::caller_by_proxy;
use super::role_rules::RoleRules;
use crate::access::{Caller, HandedOver, Standing};
use crate::problem::{Problem, Result};

/// Longest list of groups that a proxy may send.
const GROUPS_MAX: usize = 1000;

/// The proxy's headers, and where the proxy is. Clones count together.
#[derive(Clone, Debug)]
pub struct ProxyUsers {
    /// The header with a person's name.
    pub user_header: HeaderName,
    /// The header with their groups, separated by commas.
    pub groups_header: Option<HeaderName>,
    /// Networks from which the headers count.
    pub networks: Vec<IpNet>,
    /// Requests from elsewhere that had one of the headers.
    pub n_ignored: Arc<AtomicU64>,
}

impl ProxyUsers {
    /// Makes the rule for proxies in some networks.
    pub fn new(user_header: HeaderName, groups_header: Option<HeaderName>, networks: Vec<IpNet>) -> Self {
        Self { user_header, groups_header, networks, n_ignored: Arc::default() }
    }

    /// Returns the user whom a trusted proxy names. Removes the headers of anyone else. The peer must still be that of the
    /// connection.
    ///
    /// # Errors
    /// If the name is none, or no rule gives it a role.
    pub(crate) fn caller_of(&self, rules: &RoleRules, request: &mut Request) -> Result<Option<Arc<Caller>>> {
        let headers = [Some(&self.user_header), self.groups_header.as_ref()];
        if !headers.iter().flatten().any(|name| request.headers().contains_key(*name)) {
            return Ok(None);
        }
        if !self.trusts(request) {
            headers.into_iter().flatten().for_each(|name| while request.headers_mut().remove(name).is_some() {});
            if self.n_ignored.fetch_add(1, Ordering::Relaxed) == 0 {
                let header = self.user_header.as_str();
                tracing::warn!(
                    header,
                    "header ignored: it came from outside sign_in.proxy_networks; later ones are counted"
                );
            }
            return Ok(None);
        }
        let texts = |name: &HeaderName| {
            let values = request.headers().get_all(name).into_iter();
            values.map(|value| value.to_str().unwrap_or("?").to_owned()).collect::<Vec<String>>()
        };
        let users = texts(&self.user_header);
        let [user] = &users[..] else {
            // Some proxies send an empty one, or none, for people who are not signed in.
            return if users.is_empty() { Ok(None) } else { Err(repeated(&self.user_header)) };
        };
        if user.is_empty() {
            return Ok(None);
        }
        let groups = self.groups_header.as_ref().map(texts).unwrap_or_default();
        let groups = groups.iter().flat_map(|groups| groups.split(',')).map(|group| group.trim().to_owned());
        let groups: Vec<String> = groups.take(GROUPS_MAX).collect();
        let grant = rules.grant(user, &groups).ok_or_else(|| no_role(user))?;
        caller_by_proxy(user, grant).map(|caller| Some(Arc::new(caller)))
    }

    fn trusts(&self, request: &Request) -> bool {
        // Another node has looked at where it came from.
        if let Some(HandedOver(standing)) = request.extensions().get::<HandedOver>() {
            return *standing == Standing::Proxied;
        }
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        peer.is_some_and(|peer| self.networks.iter().any(|network| network.contains(&peer)))
    }
}

fn repeated(name: &HeaderName) -> Problem {
    Problem::bad_request("bad-name", format!("the proxy sends the header {name} more than once"))
}

/// Returns the problem of a person to whom no rule gives a role.
pub fn no_role(user: &str) -> Problem {
    let user: String = user.chars().take(128).collect();
    let problem = Problem::forbidden("no-role", format!("{user:?} has no role on this server"));
    problem.hint("an administrator gives roles with sign_in.roles")
}

#[cfg(test)]
mod tests;

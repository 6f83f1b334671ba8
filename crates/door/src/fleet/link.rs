//! What a node says to others with: who they are, the secret, and which of them do not answer.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::HeaderMap;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use storage::{FleetOptions, NodeStatus, Store};
use types::{Hold, Secret};

use crate::access::HandedOver;
use crate::problem::{Problem, Result};

/// The path at which a node answers parts of queries.
pub(super) const PART_PATH: &str = "/api/v1/fleet/part";

/// The path at which a node tells what shippers reported to it of their scrapes.
pub const SCRAPES_PATH: &str = "/api/v1/fleet/scrapes";

/// The path at which a node tells what shippers reported to it of themselves and their files.
pub const SOURCES_PATH: &str = "/api/v1/fleet/sources";

/// Paths at which only nodes are answered.
const NODE_PATHS: [&str; 3] = [PART_PATH, SCRAPES_PATH, SOURCES_PATH];

/// The header with the code that authenticates what a node says.
pub(super) const CODE_HEADER: &str = "catat-node-code";

/// Bytes of such a code.
pub(super) const CODE_BYTES: usize = 32;

/// After this long without a sign of life a node is given nothing.
const SILENT_S: f64 = 15.0;

/// How long a node is left alone that did not answer.
const SUSPECTED: Duration = Duration::from_secs(5);

/// How long connecting to a node may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a connection between nodes is kept without a request. Shorter than the server's own time, so that no request
/// meets its end.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Marks requests that came to the listener for nodes.
#[derive(Clone, Copy, Debug)]
pub struct NodeListener;

/// What a node says to others with.
pub struct FleetLink {
    pub(super) options: FleetOptions,
    secret: Secret,
    pub(super) client: reqwest::Client,
    /// Whether other nodes have a listener of their own here.
    has_listener: bool,
    /// Nodes that did not answer lately, and until when they are left alone.
    suspected: Mutex<HashMap<String, Instant>>,
}

impl FleetLink {
    /// Returns the name of this node.
    pub fn node(&self) -> &str {
        &self.options.node
    }

    /// Makes the link of a node with the secret of its fleet.
    ///
    /// # Errors
    /// If there is no client of HTTPS.
    pub fn new(options: FleetOptions, secret: Secret) -> Result<Self, String> {
        let client = || {
            let client = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).pool_idle_timeout(IDLE_TIMEOUT);
            client.redirect(reqwest::redirect::Policy::none())
        };
        // Nodes may speak HTTP to each other on machines without certificates of authorities.
        let client =
            client().build().or_else(|_| client().tls_certs_only([]).build()).map_err(|error| error.to_string())?;
        Ok(Self { options, secret, client, has_listener: false, suspected: Mutex::default() })
    }

    /// Makes it the link of a node with a listener for other nodes alone.
    #[must_use]
    pub fn with_listener(self) -> Self {
        Self { has_listener: true, ..self }
    }

    /// Refuses requests that came to the wrong listener: of nodes at that for users, of users at that for nodes.
    pub(crate) fn check_listener(&self, request: &Request) -> Result<()> {
        let is_question = NODE_PATHS.contains(&request.uri().path());
        let is_of_node = is_question || request.extensions().get::<HandedOver>().is_some();
        if request.extensions().get::<NodeListener>().is_some() {
            let problem = || Problem::not_found("only nodes of the fleet are answered here");
            return if is_of_node {
                Ok(())
            } else {
                Err(problem().hint("ask the address in [server] listen of this node"))
            };
        }
        let problem = || Problem::not_found("nodes of the fleet are not answered here");
        let is_wrong = self.has_listener && is_of_node;
        if is_wrong { Err(problem().hint("ask the address in [fleet] listen of this node")) } else { Ok(()) }
    }

    /// Returns the code of something of a kind that a node says.
    pub fn code(&self, kind: &str, parts: &[&[u8]]) -> [u8; CODE_BYTES] {
        self.mac(kind, parts).finalize().into_bytes().into()
    }

    /// Reports whether something was said by a node, with the code in the headers.
    pub fn is_from_node(&self, headers: &HeaderMap, kind: &str, parts: &[&[u8]]) -> bool {
        let code = headers.get(CODE_HEADER).and_then(|code| HEXLOWER.decode(code.as_bytes()).ok());
        code.is_some_and(|code| self.mac(kind, parts).verify_slice(&code).is_ok())
    }

    pub(super) fn mac(&self, kind: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.secret.reveal().as_bytes()).expect("HMAC takes keys of any length");
        for part in [kind.as_bytes()].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac
    }

    /// Returns the nodes other than this one that have a role and can be asked, by name.
    pub(super) fn others(&self, store: &Store, role: &str) -> Vec<NodeStatus> {
        let mut suspected = self.suspected.hold();
        suspected.retain(|_, until| *until > Instant::now());
        let mut others = self.alive(store);
        others.retain(|node| {
            let takes_work = node.does(role) && !node.is_draining && !suspected.contains_key(&node.name);
            takes_work && !node.address.is_empty()
        });
        others
    }

    /// Returns the nodes other than this one that were heard of lately, by name.
    pub(super) fn alive(&self, store: &Store) -> Vec<NodeStatus> {
        let Some((epoch, nodes)) = store.nodes() else { return Vec::new() };
        let is_other = |node: &&NodeStatus| node.epoch != epoch && node.name != self.options.node;
        let is_alive = |node: &&NodeStatus| is_other(node) && node.silent_s < SILENT_S;
        let mut alive: Vec<NodeStatus> = nodes.iter().filter(is_alive).cloned().collect();
        // One that was just killed and started again is listed twice.
        alive.sort_by(|a, b| a.name.cmp(&b.name).then(b.epoch.cmp(&a.epoch)));
        alive.dedup_by(|a, b| a.name == b.name);
        alive
    }

    /// Leaves a node alone for a while.
    pub(super) fn suspect(&self, node: &str, problem: &str) {
        tracing::warn!(node, problem, "another node does not answer; what it would do is done elsewhere");
        let mut suspected = self.suspected.hold();
        suspected.insert(node.to_owned(), Instant::now() + SUSPECTED);
    }
}

/// Returns an error with the innermost of its causes, which says more.
pub(super) fn cause_of(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    format!("{error}: {innermost}")
}

//! Callers and what they may do.

use std::sync::Arc;

use alert::Author;
use types::{GroupPattern, GroupScope};

use super::rate::Bucket;
use super::validity::Validity;

types::named! {
    /// What a caller may do; each role may do what those before it may.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Role {
        /// Nothing but what needs no key: health, the page's shell.
        None = "none",
        /// Whatever any key may do: ask who is there, as senders and readers both do.
        Any = "any",
        /// Send events.
        Ingest = "ingest",
        /// Ask.
        Read = "read",
        /// Silences, rules, channels.
        Operate = "operate",
        /// Everything.
        Admin = "admin",
    }
}

/// What somebody is called of whom nothing is known.
const ANONYMOUS: &str = "anonymous";

/// What the owner of the admin key is called.
const ADMIN: &str = "admin.key";

types::named! {
    /// What a caller is at one node of a fleet alone: the others know neither its admin key nor who is on its machine.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Standing {
        /// Nothing: what the request shows holds at every node.
        Shown = "",
        /// On the node's machine, before there is a key or while sending without one may go on.
        Local = "local",
        /// Someone whom a proxy of the node named.
        Proxied = "proxied",
        /// The owner of the node's admin key.
        Admin = "admin",
    }
}

types::named! {
    /// How a user signed in.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum SignInWay {
        /// With a password that catat keeps.
        Password = "password",
        /// With an account at a provider of OpenID Connect.
        Provider = "provider",
        /// At a proxy that names them in each request.
        Proxy = "proxy",
    }
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
    /// Until when they may do it; answers under way end with it.
    pub validity: Validity,
    /// What their key may send in a time.
    pub bucket: Option<Arc<Bucket>>,
    /// Within what the ids of their batches are unique: of their own for each key and those that took its place. What
    /// comes without a key of its own is one sender, as it was before there were keys.
    pub batches: Arc<str>,
    /// How they signed in; `None` for keys and strangers.
    pub way: Option<SignInWay>,
}

impl Default for Caller {
    /// Somebody who may do nothing but what needs no key.
    fn default() -> Self {
        let scope = GroupScope::Matching(Vec::new());
        let (validity, batches) = (Validity::default(), Arc::from(""));
        Self {
            role: Role::None,
            sends: false,
            scope,
            name: ANONYMOUS.into(),
            validity,
            bucket: None,
            batches,
            way: None,
        }
    }
}

impl Caller {
    /// Returns the owner of the admin key.
    pub(super) fn admin() -> Self {
        Self { role: Role::Admin, sends: true, scope: GroupScope::All, name: ADMIN.into(), ..Self::default() }
    }

    /// Returns the caller as the author of something that outlives the request, such as a rule. Only an administrator's rules see
    /// the groups that are kept for administrators.
    pub fn author(&self) -> Author {
        let is_admin = self.role == Role::Admin;
        let scope = match &self.scope {
            GroupScope::All if !is_admin => GroupScope::Matching(vec![GroupPattern::new("*")]),
            scope => scope.clone(),
        };
        Author { name: self.name.to_string(), scope, is_admin }
    }

    /// Returns a node of the fleet that asks on behalf of a caller whom it has checked.
    pub fn node() -> Self {
        Self { role: Role::Read, scope: GroupScope::All, name: "node".into(), ..Self::default() }
    }

    /// Returns the server itself, for work that nobody has asked for.
    pub(crate) fn server() -> Self {
        Self { role: Role::Read, scope: GroupScope::All, name: "server".into(), ..Self::default() }
    }

    /// Somebody on this machine, as long as nobody has made a key.
    pub(super) fn local(validity: Validity) -> Self {
        Self { role: Role::Operate, sends: true, scope: GroupScope::All, validity, ..Self::default() }
    }

    /// Somebody on this machine who may still send after the first key was made.
    pub(super) fn local_sender(validity: Validity) -> Self {
        Self { role: Role::Ingest, ..Self::local(validity) }
    }

    /// Reports whether the caller sends without a key.
    pub fn sends_unknown(&self) -> bool {
        self.sends && !self.is_known()
    }

    /// Returns what the caller is at this node alone.
    pub(crate) fn standing(&self) -> Standing {
        match (&*self.name, self.role) {
            _ if self.way == Some(SignInWay::Proxy) => Standing::Proxied,
            (ADMIN, _) => Standing::Admin,
            (ANONYMOUS, _) if self.sends => Standing::Local,
            _ => Standing::Shown,
        }
    }

    /// Returns an identity that survives a rotation of the key.
    pub fn identity(&self) -> Arc<str> {
        if self.batches.is_empty() { self.name.clone() } else { self.batches.clone() }
    }

    /// Reports whether the caller is identified.
    pub fn is_known(&self) -> bool {
        &*self.name != ANONYMOUS
    }

    /// Reports whether the caller may do what needs `role`.
    pub fn may(&self, role: Role) -> bool {
        if role == Role::Ingest { self.sends } else { self.role >= role }
    }
}

//! What all routes share: the rooms behind the door, the gates to them, and what goes on right now.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use alert::Alerts;
use alert::metrics::Metrics;
use axum::http::Extensions;
use execute::{MemoryPool, PartialCache, PartialReason, SpillSpace};
use ingest::{GroupNotes, Intake, Sender};
use plan::Plan;
use storage::{Clock, GroupStatus, Settings, Snapshot, Store, StoreError, Subscription};
use tokio::sync::watch;
use types::{GroupName, GroupPattern, Hold, Limits, TimeRange, Timestamp};

use crate::access::{Access, Attempts, Caller, Keys, Role, covers};
use crate::audit::Audit;
use crate::body::BodyBudget;
use crate::finding::Examine;
use crate::fleet::FleetLink;
use crate::intake_gates::IntakeGates;
use crate::opaque::Opaque;
use crate::own_samples::OwnSamples;
use crate::problem::{Problem, Result};
use crate::protection;
use crate::queries::{Queries, QueryTerms, RunningQuery, Ticket};
use crate::query_admission::{self, GateLimits, QueryAdmission};
use crate::scoped_store::ScopedStore;
use crate::tables::Tables;
use crate::tls::Tls;
use crate::traffic::Traffic;
use crate::users::{ProxyUsers, RoleRules, Sessions, SignIns, Users, user_of};
use crate::work::Gate;

/// Requests of one kind that may wait for a place, and for how long: about what a page or a dashboard that opens
/// asks at once, and half the time after which people reload.
const WAITING_MAX: usize = 256;
const WAITING_TIME_MAX: Duration = Duration::from_secs(15);

/// Long queries that may wait for a place. Each holds what it has found so far.
const LONG_WAITING_MAX: usize = 32;

/// Passwords that are looked at at once: each takes 19 MiB and a processor.
const PASSWORDS_MAX: u32 = 2;
const PASSWORDS_WAITING_MAX: usize = 32;

/// Live tails at once; each has a thread of its own while it lasts.
const TAILS_MAX: u32 = 64;

/// Damages that are remembered: enough to see what is going on, and no disk can fill the memory with them.
const DAMAGES_MAX: usize = 100;

/// Reads settings again that can change at run time, or says what is wrong with them.
pub type Reload = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The parts of the server that the executable creates.
pub struct App {
    /// Stores the events of senders.
    pub intake: Arc<Intake>,
    /// Rules and alerts.
    pub alerts: Arc<Alerts>,
    /// Metrics made of events.
    pub metrics: Arc<Metrics>,
    /// Partial results that queries share.
    pub cache: Arc<PartialCache>,
    /// The disk for queries that do not fit their memory; without it they are refused.
    pub spill: Option<Arc<SpillSpace>>,
    /// Groups beside the store; nothing where the settings name none.
    pub archives: Option<Box<dyn execute::Archives>>,
    /// Limits of requests and queries.
    pub limits: Limits,
    /// Reads settings again; nothing where there are none to read.
    pub reload: Option<Reload>,
    /// Examines the machine; nothing where that is not known.
    pub examine: Option<Examine>,
    /// Admission of callers without a key, and of hosts.
    pub access: Access,
    /// Sign-in with a provider and by a proxy.
    pub sign_in: SignIn,
    /// Keys of senders and readers.
    pub keys: Arc<Keys>,
    /// The certificate of the door; without one it speaks plain HTTP.
    pub tls: Option<Arc<Tls>>,
    /// The way to the other nodes of the fleet; none on a machine of its own, and where nodes have no secret.
    pub fleet: Option<Arc<FleetLink>>,
    /// What the server writes as samples by itself.
    pub own_samples: OwnSamples,
    /// The directory of dashboards that are files; none where there is none.
    pub dashboards_dir: Option<std::path::PathBuf>,
    /// The file with the slices of service maps, which can be made again from spans.
    pub map_file: std::path::PathBuf,
    /// The clock, the same as the store's.
    pub clock: Clock,
    /// Threads that one query may use.
    pub n_threads: usize,
    /// The version, such as `0.1.0`.
    pub version: String,
}

/// How people sign in besides with passwords.
#[derive(Debug, Default)]
pub struct SignIn {
    /// Who has which role.
    pub roles: RoleRules,
    /// The provider of OpenID Connect.
    pub oidc: Option<Arc<oidc::Provider>>,
    /// The proxy that signs people in.
    pub proxy: Option<ProxyUsers>,
}

/// The state behind every route.
pub struct Server(Opaque<ServerState>);

impl Deref for Server {
    type Target = ServerState;

    fn deref(&self) -> &ServerState {
        &self.0
    }
}

/// What the server consists of.
pub struct ServerState {
    /// The parts that the executable created.
    pub app: App,
    store: Arc<Store>,
    /// When the server started.
    pub started: Timestamp,
    /// Becomes true when the server closes.
    pub closing: watch::Receiver<bool>,
    /// The queries that run now.
    pub queries: Queries,
    /// Counts of requests.
    pub traffic: Traffic,
    /// Failed attempts to use a key.
    pub attempts: Attempts,
    /// What the audit log holds of the last minute.
    pub audit: Audit,
    /// The memory of bodies under way.
    pub bodies: BodyBudget,
    /// Admission of senders' requests.
    pub intake: IntakeGates,
    /// Queries: bounded in memory, and in threads by the processors they would compete for.
    pub reads: Arc<QueryAdmission>,
    /// Short tasks that read no events.
    pub lookups: Gate,
    /// Parts of queries that other nodes have been asked. They wait for nothing that waits for them.
    pub parts: Gate,
    /// Live tails.
    pub tails: Gate,
    /// Users of the page.
    pub users: Users,
    /// Users who are signed in.
    pub sessions: Sessions,
    /// Failed attempts to sign in.
    pub sign_ins: SignIns,
    /// Checks of passwords.
    pub passwords: Gate,
    /// The memory of all queries.
    pub memory: Arc<MemoryPool>,
    /// Uploaded tables.
    pub tables: Tables,
    /// Damage that queries found. The store itself knows only the damage found when it was opened.
    damages: Mutex<BTreeSet<String>>,
    /// The protocol families' state of groups.
    group_holders: Mutex<Vec<GroupHolder>>,
    snapshot_filter: OnceLock<fn(Snapshot) -> Snapshot>,
}

/// Removes a protocol family's state of a deleted group; reports whether the family had created the group.
type GroupHolder = Arc<dyn Fn(&Server, &GroupName) -> Result<bool, StoreError> + Send + Sync>;

/// The server as one caller sees it: the argument of handlers.
///
/// Events and groups are read through it, so that no caller sees anything out of scope.
#[derive(Clone)]
pub struct Shared {
    server: Arc<Server>,
    /// The caller.
    pub caller: Arc<Caller>,
    /// Where the groups are noted that a caller without a key sends to.
    noted: Option<Arc<GroupNotes>>,
}

impl Deref for Shared {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// The server as one caller sees it, with the state of the family that the route belongs to.
pub struct FamilyServer<T> {
    shared: Shared,
    /// The family's state.
    pub state: Opaque<T>,
}

impl<T> FamilyServer<T> {
    /// Puts a family's state beside the server as a caller sees it.
    pub fn new(shared: Shared, state: impl Into<Opaque<T>>) -> Self {
        Self { shared, state: state.into() }
    }

    /// Returns the server as another caller sees it, whom only a handler could identify.
    pub fn as_caller(&self, caller: Arc<Caller>) -> Self {
        Self { shared: self.shared.as_caller(caller), state: self.state.clone() }
    }
}

impl<T> Clone for FamilyServer<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), state: self.state.clone() }
    }
}

impl<T> Deref for FamilyServer<T> {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Shared {
    /// Returns the server as the caller of a request sees it. One that did not pass the guard has no rights.
    pub fn of_request(server: &Arc<Server>, found: &Extensions) -> Self {
        let caller = found.get::<Arc<Caller>>().cloned().unwrap_or_default();
        Self { server: server.clone(), caller, noted: found.get().cloned() }
    }

    /// Returns the server as it sees itself, for work that nobody has asked for.
    pub fn of_server(server: Arc<Server>) -> Self {
        Self { server, caller: Arc::new(Caller::server()), noted: None }
    }

    /// Returns the server without its caller, for work that outlives the request.
    pub fn whole(&self) -> &Arc<Server> {
        &self.server
    }

    /// Returns the server as another caller sees it, whom only a handler could identify.
    pub fn as_caller(&self, caller: Arc<Caller>) -> Self {
        Self { server: self.server.clone(), caller, noted: None }
    }

    /// Returns the caller as a sender of events.
    pub fn sender<'s>(&'s self, batch_id: Option<&'s str>) -> Sender<'s> {
        let (within, groups) = (&self.caller.scope, self.noted.as_deref());
        Sender { name: &self.caller.batches, within, batch_id, now: self.now(), groups }
    }

    /// Returns the store as the caller sees it: the way to events and groups for whatever a caller asks.
    pub fn store(&self) -> ScopedStore<'_> {
        ScopedStore { store: &self.server.store, caller: &self.caller }
    }

    /// Returns the events of some groups at one instant, of those within the caller's scope.
    pub fn snapshot(&self, groups: &[GroupPattern], range: TimeRange) -> Snapshot {
        self.store().snapshot(groups, range)
    }

    /// Feeds what is accepted from now on in these groups, of those within the caller's scope.
    pub fn subscribe(&self, groups: Vec<GroupPattern>, capacity_batches: usize) -> Subscription {
        self.store().subscribe(groups, capacity_batches)
    }

    /// Returns the groups within the caller's scope, sorted by name; the server's own one is not listed.
    pub fn groups(&self) -> Vec<GroupStatus> {
        self.store().groups()
    }

    /// Reports whether a group exists for the caller.
    pub fn reaches(&self, group: &str) -> bool {
        self.caller.scope.admits(group)
    }

    /// Reports whether all groups that these patterns match exist for the caller; no patterns match all groups.
    pub fn reaches_all(&self, patterns: &[String]) -> bool {
        let scope = &self.caller.scope;
        scope.is_everything() || !patterns.is_empty() && patterns.iter().all(|pattern| covers(scope, pattern))
    }

    /// Refuses to change a group that does not exist for the caller.
    pub fn must_reach(&self, group: &GroupName) -> Result<()> {
        let refusal = || ingest::IngestError::OutOfScope(ingest::OutOfScope(group.clone())).into();
        self.reaches(group.as_str()).then_some(()).ok_or_else(refusal)
    }

    /// Refuses to delete anything of a group that does not exist for the caller, is protected, or says what was done.
    /// Blocks.
    pub fn must_be_deletable(&self, group: &GroupName) -> Result<()> {
        self.must_reach(group)?;
        if group.as_str() != ingest::AUDIT_GROUP {
            return protection::check(self.settings(), group);
        }
        let message = format!("{group} is the audit log; its events cannot be deleted by hand");
        let problem = Problem::forbidden("group-reserved", message);
        Err(problem.hint("set a retention for the group; older events are then deleted automatically"))
    }

    /// Refuses what concerns all groups to a caller for whom only some exist.
    pub fn must_reach_everything(&self) -> Result<()> {
        if self.caller.scope.is_everything() {
            return Ok(());
        }
        Err(Problem::forbidden("group-out-of-scope", "this needs a key for all groups; this key is limited to some"))
    }

    /// Reports whether the caller's key is no longer valid.
    pub fn has_ended(&self) -> bool {
        !self.caller.validity.is_valid_at(self.now())
    }

    /// Enters a query of the caller.
    pub fn start_query(&self, text: &str) -> Ticket {
        self.queries.start_for(&self.caller.identity(), text, self.now())
    }

    /// Enters a query of the caller whose plan is known.
    pub fn start_planned(&self, text: &str, plan: &Plan) -> Ticket {
        let terms = QueryTerms { is_light: query_admission::is_expected_light(plan), ..QueryTerms::default() };
        self.start_on(text, terms)
    }

    /// Enters a query of the caller on some terms.
    pub fn start_on(&self, text: &str, terms: QueryTerms) -> Ticket {
        self.queries.start_on(&self.caller.identity(), text, self.now(), terms)
    }

    /// Reports whether the caller may see and stop a query: their own, or any.
    pub fn may_see_query(&self, running: &RunningQuery) -> bool {
        *running.owner == *self.caller.identity()
            || self.caller.role == Role::Admin && self.caller.scope.is_everything()
    }
}

impl Server {
    /// Makes the server of `app` on `store`; `closing` becomes true when it is to end. Blocks.
    pub fn new(store: Arc<Store>, app: App, closing: watch::Receiver<bool>) -> Arc<Self> {
        let long_max = u32::try_from(app.n_threads.max(2)).unwrap_or(u32::MAX);
        let reads_max = long_max.saturating_mul(2);
        let room = |places, waiting_max| GateLimits { places, waiting_max, patience: WAITING_TIME_MAX };
        let reads = QueryAdmission::new(room(reads_max, WAITING_MAX), room(long_max, LONG_WAITING_MAX));
        let (users, sessions) = (Users::default(), Sessions::default());
        if let Err(error) = users.resume_sessions(store.settings(), &sessions, app.clock.now()) {
            tracing::warn!(%error, "sessions not read; all users must sign in again");
        }
        let gate = |name, running_max| Gate::new(name, running_max, WAITING_MAX, WAITING_TIME_MAX);
        let state = ServerState {
            started: app.clock.now(),
            queries: Queries::default(),
            traffic: Traffic::default(),
            attempts: Attempts::default(),
            audit: Audit::default(),
            bodies: BodyBudget::default(),
            intake: IntakeGates::new(app.limits.body_bytes_max, app.n_threads),
            reads: Arc::new(reads),
            lookups: gate("the store", 8),
            parts: gate("parts of queries", reads_max),
            tails: Gate::new("live tail", TAILS_MAX, 0, Duration::ZERO),
            users,
            sessions,
            sign_ins: SignIns::default(),
            passwords: Gate::new("sign-in", PASSWORDS_MAX, PASSWORDS_WAITING_MAX, WAITING_TIME_MAX),
            memory: MemoryPool::new(app.limits.queries_memory_bytes),
            tables: Tables::default(),
            closing,
            damages: Mutex::default(),
            group_holders: Mutex::default(),
            snapshot_filter: OnceLock::new(),
            store,
            app,
        };
        Arc::new(Self(Arc::new(state).into()))
    }

    /// Registers `holder`, which removes its state of a group that is deleted.
    pub fn add_group_holder(
        &self,
        holder: impl Fn(&Self, &GroupName) -> Result<bool, StoreError> + Send + Sync + 'static,
    ) {
        self.group_holders.hold().push(Arc::new(holder));
    }

    /// Removes the state of a group in every protocol family; reports whether one had created the group.
    pub(crate) fn forget_group(&self, group: &GroupName) -> Result<bool, StoreError> {
        let holders = self.group_holders.hold().clone();
        holders.iter().try_fold(false, |is_held, holder| Ok(holder(self, group)? || is_held))
    }

    /// Changes every snapshot that queries are given. Tests put defects into snapshots with it.
    pub fn set_snapshot_filter(&self, filter: fn(Snapshot) -> Snapshot) {
        // One that was set before stays.
        let _ = self.snapshot_filter.set(filter);
    }

    /// Returns a snapshot as queries are given it.
    pub(crate) fn filtered(&self, snapshot: Snapshot) -> Snapshot {
        match self.snapshot_filter.get() {
            Some(filter) => filter(snapshot),
            None => snapshot,
        }
    }

    /// Saves the sessions of the caller's user. Blocks.
    pub fn keep_sessions(&self, caller: &Caller) {
        user_of(caller).into_iter().for_each(|name| self.keep_sessions_of(name));
    }

    /// Saves the sessions of the user `name`. A failure is logged: after a restart, the user may have to sign in again.
    pub fn keep_sessions_of(&self, name: &str) {
        if let Err(error) = self.users.keep_sessions(self.settings(), &self.sessions, name) {
            tracing::warn!(%error, "sessions not saved");
        }
    }

    /// Returns what people have set.
    pub fn settings(&self) -> Settings<'_> {
        self.store.settings()
    }

    /// Returns the whole store, whatever a caller may see: for what the server does by itself, and for groups that the caller
    /// was already found to reach.
    pub fn whole_store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Returns the time by the store's clock.
    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// Records and logs damage that a query found, each once.
    pub fn note_damage(&self, reasons: &[PartialReason]) {
        // The store itself reports an object store that cannot be reached; that is no damage.
        let is_damage = |reason: &&PartialReason| reason.code == "damaged" && !storage::is_unreachable(&reason.message);
        for reason in reasons.iter().filter(is_damage) {
            // Held for one look-up; a panic in between leaves a set that is as good.
            let mut damages = self.damages.hold();
            if damages.len() < DAMAGES_MAX && damages.insert(reason.message.clone()) {
                tracing::error!(damage = reason.message, "query found damage; its answer is partial");
            }
        }
    }

    /// Returns what queries found damaged since the start.
    pub fn damages_found(&self) -> Vec<String> {
        self.damages.hold().iter().cloned().collect()
    }
}

//! Subscription filters: what matches is posted to an address of the web.
//!
//! Documents of kind `cloudwatch-subscription` in the control store, `GROUP:NAME`. Each holds the sequence of the last
//! event that was delivered. `destinationArn` is the address itself, `http://` or `https://`; what is posted there is the
//! JSON that Amazon's receivers get, compressed with gzip. Addresses hold secrets, so that only those who may set them are
//! shown them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use alert::{PostError, Poster, check_address};
use chrono_tz::Tz;
use execute::Tail;
use plan::{Expr, Operator};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use storage::{Clock, Store, StoreError};
use tokio::sync::watch;
use types::{GroupName, Secret};

use super::OperationRequest;
use super::answer::CloudWatchProblem;
use super::delivery::{Delivery, WAIT_MIN, control_message};
use super::describe::{page_of, with_next};
use super::events::plan_of;
use super::filters::{document_name, filter_name, last_sequence};
use super::groups::milliseconds;
use super::input::{Input, constraint};
use door::access::Role;
use door::exposition::Kind;
use door::exposition::Page;
use door::problem::Problem;

const KIND: &str = "cloudwatch-subscription";

/// Filters of a group, as Amazon has it, and in all: each has a thread.
const OF_GROUP_MAX: usize = 2;
const FILTERS_MAX: usize = 64;

/// Filters of a page.
const PAGE_MAX: usize = 50;

/// Longest address.
const ADDRESS_CHARS_MAX: usize = 2_000;

/// The filters, and their threads.
pub struct Subscriptions {
    pub(super) inner: Arc<Inner>,
    /// Addresses are tried one after the other.
    trying: tokio::sync::Mutex<()>,
}

/// What threads share.
pub(super) struct Inner {
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) closing: watch::Receiver<bool>,
    poster: OnceLock<Result<Poster, String>>,
    /// By group and name. Held by whoever changes documents.
    workers: Mutex<BTreeMap<String, Worker>>,
}

struct Worker {
    thread: JoinHandle<()>,
    progress: Arc<Progress>,
}

/// How a filter gets on.
#[derive(Default)]
pub(super) struct Progress {
    /// Its thread is to end.
    pub(super) is_over: AtomicBool,
    counts: Mutex<Counts>,
}

#[derive(Clone, Default)]
struct Counts {
    n_events: u64,
    n_failures: u64,
    /// Why nothing is delivered at this moment.
    problem: Option<String>,
}

/// A filter, and how far it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Filter {
    pub(super) group: String,
    pub(super) name: String,
    pattern: String,
    destination: String,
    role: Option<String>,
    distribution: Option<String>,
    created: i64,
    /// The last event that was delivered or did not match.
    pub(super) sequence: u64,
    pub(super) n_events: u64,
    /// The sequence that is written down.
    #[serde(skip)]
    pub(super) kept: u64,
}

impl Progress {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn delivered(&self, n_events: u64) {
        let mut counts = self.counts();
        counts.n_events += n_events;
        counts.problem = None;
    }

    /// Notes a failure; `true` for the first after a success.
    pub(super) fn failed(&self, error: &PostError) -> bool {
        let mut counts = self.counts();
        counts.n_failures += 1;
        counts.problem.replace(error.to_string()).is_none()
    }
}

impl Inner {
    fn workers(&self) -> MutexGuard<'_, BTreeMap<String, Worker>> {
        // What a panic leaves are handles all the same.
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts a body to where a filter delivers. Blocks.
    pub(super) fn post(&self, filter: &Filter, body: &[u8]) -> Result<(), PostError> {
        let headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
        match self.poster.get_or_init(Poster::new) {
            Ok(poster) => poster.post(&Secret::from(filter.destination.as_str()), &headers, body.to_vec()),
            Err(reason) => Err(PostError::Retry { after: None, reason: reason.clone() }),
        }
    }

    /// Writes down how far a filter is, unless another has taken its place. Where that fails, its last events are
    /// delivered again after a restart.
    pub(super) fn keep_position(&self, filter: &Filter, progress: &Progress) {
        let _held = self.workers();
        if progress.is_over.load(Ordering::Relaxed) {
            return;
        }
        if let Err(problem) = filter.keep(&self.store) {
            let (group, filter) = (&filter.group, &filter.name);
            tracing::warn!(
                group,
                filter,
                reason = problem.parts().2,
                "how far a subscription filter is could not be kept"
            );
        }
    }

    fn filters(&self) -> Result<Vec<Filter>, StoreError> {
        let documents = self.store.settings(KIND)?;
        // A document of another version, or one that was spoilt, delivers nothing.
        let mut all: Vec<Filter> = documents.iter().filter_map(|(_, json)| serde_json::from_str(json).ok()).collect();
        all.sort_by_key(Filter::key);
        Ok(all)
    }

    /// Starts the thread of a filter in place of one that is there.
    fn start(
        self: &Arc<Self>,
        workers: &mut BTreeMap<String, Worker>,
        filter: &Filter,
    ) -> Result<(), CloudWatchProblem> {
        let group = GroupName::new(&filter.group).ok_or_else(CloudWatchProblem::no_group)?;
        let progress = Arc::new(Progress::default());
        progress.counts().n_events = filter.n_events;
        let of_thread = Filter { kept: filter.sequence, ..filter.clone() };
        let delivery = Delivery {
            inner: self.clone(),
            filter: of_thread,
            group,
            tail: filter.tail()?,
            progress: progress.clone(),
            done: BTreeSet::new(),
            wait: WAIT_MIN,
        };
        let thread = std::thread::Builder::new().name("subscription".into()).spawn(move || delivery.run());
        let thread = thread.map_err(|error| Problem::internal(error.to_string()))?;
        if let Some(before) = workers.insert(filter.key(), Worker { thread, progress }) {
            before.end();
        }
        Ok(())
    }
}

impl Worker {
    /// Lets the thread end as soon as it can: what it is posting may still arrive.
    fn end(&self) {
        self.progress.is_over.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
    }
}

impl Subscriptions {
    /// Takes up delivery where it stopped. Blocks.
    pub(crate) fn start(store: &Arc<Store>, clock: &Clock, closing: &watch::Receiver<bool>) -> Self {
        let inner = Arc::new(Inner {
            store: store.clone(),
            clock: clock.clone(),
            closing: closing.clone(),
            poster: OnceLock::new(),
            workers: Mutex::default(),
        });
        let mut workers = inner.workers();
        let started = inner
            .filters()
            .map_err(CloudWatchProblem::from)
            .and_then(|filters| filters.iter().try_for_each(|filter| inner.start(&mut workers, filter)));
        if let Err(problem) = started {
            tracing::error!(reason = problem.parts().2, "subscription filters cannot be read and deliver nothing");
        }
        drop(workers);
        Self { inner, trying: tokio::sync::Mutex::default() }
    }

    /// Ends all threads and waits for them.
    pub fn stop(&self) {
        let workers = std::mem::take(&mut *self.inner.workers());
        workers.values().for_each(Worker::end);
        for worker in workers.into_values() {
            worker.thread.join().expect("a delivery does not panic");
        }
    }

    /// Tries the address of a filter, and takes the filter up. Blocks.
    fn put(&self, mut filter: Filter) -> Result<(), CloudWatchProblem> {
        let inner = &self.inner;
        let now_ms = milliseconds(inner.clock.now());
        inner.post(&filter, &control_message(now_ms)).map_err(|error| {
            let message = format!(
                "Could not deliver test message to specified destination: {error}. Check if the destination is valid."
            );
            CloudWatchProblem::parameter(message)
        })?;
        let mut workers = inner.workers();
        let all = inner.filters()?;
        let others = all.iter().filter(|other| other.key() != filter.key());
        if others.clone().filter(|other| other.group == filter.group).count() >= OF_GROUP_MAX
            || others.count() >= FILTERS_MAX
        {
            let message = format!("Resource limit exceeded: {OF_GROUP_MAX} of a group, {FILTERS_MAX} in all.");
            return Err(CloudWatchProblem::new("LimitExceededException", message));
        }
        match all.iter().find(|other| other.key() == filter.key()) {
            // Another address or pattern goes on where the one before stopped.
            Some(before) => (filter.sequence, filter.n_events) = (before.sequence, before.n_events),
            None => filter.sequence = last_sequence(&inner.store, &filter.group),
        }
        filter.keep(&inner.store)?;
        inner.start(&mut workers, &filter)
    }

    /// Takes filters away; `false` where there is none.
    fn remove(&self, is_meant: impl Fn(&Filter) -> bool) -> Result<bool, StoreError> {
        let mut workers = self.inner.workers();
        let meant: Vec<Filter> = self.inner.filters()?.into_iter().filter(|filter| is_meant(filter)).collect();
        for filter in &meant {
            if let Some(worker) = workers.remove(&filter.key()) {
                worker.end();
            }
            self.inner.store.remove_setting(KIND, &filter.key())?;
        }
        Ok(!meant.is_empty())
    }

    /// Takes the filters of a group away, which is no more.
    pub(super) fn forget(&self, group: &GroupName) -> Result<(), StoreError> {
        self.remove(|filter| filter.group == group.as_str()).map(|_| ())
    }

    /// Writes how filters get on onto the page of metrics.
    pub(crate) fn write(&self, page: &mut Page) {
        let workers = self.inner.workers();
        if workers.is_empty() {
            return;
        }
        type Number = fn(&Counts) -> f64;
        let families: [(&str, Kind, &str, Number); 3] = [
            ("events_total", Kind::Counter, "Events that a subscription filter has delivered.", |counts| {
                counts.n_events as f64
            }),
            ("failures_total", Kind::Counter, "Posts of it that were not taken.", |counts| counts.n_failures as f64),
            ("failing", Kind::Gauge, "1 while its receiver does not take what it posts.", |counts| {
                f64::from(u8::from(counts.problem.is_some()))
            }),
        ];
        for (name, kind, help, number) in families {
            let name = format!("catat_subscription_filter_{name}");
            page.family(&name, kind, help);
            for (key, worker) in workers.iter() {
                let (group, filter) = key.rsplit_once(':').unwrap_or((key, ""));
                page.sample(&name, &[("group", group), ("filter", filter)], number(&worker.progress.counts()));
            }
        }
    }
}

impl OperationRequest {
    pub(super) async fn put_subscription_filter(&self, input: Input) -> Result<Json, CloudWatchProblem> {
        self.require(&[Role::Operate])?;
        let group = self.known_group(&input).await?;
        self.change(&group)?;
        let filter = filter_of(&input, &group, milliseconds(self.server.now()))?;
        let _turn = self.server.state.subscriptions.trying.lock().await;
        let server = self.server.clone();
        let work = move || {
            let told = json!({"group": filter.group, "filter": filter.name});
            server.state.subscriptions.put(filter)?;
            server.audit_own("subscription filter put", &told);
            Ok(Json::Null)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Problem::internal(error.to_string()))?
    }

    pub(super) async fn describe_subscription_filters(&self, input: Input) -> Result<Json, CloudWatchProblem> {
        self.require(&[Role::Operate])?;
        let group = self.known_group(&input).await?;
        self.reach(&group)?;
        let prefix = input.text("filterNamePrefix")?.unwrap_or_default();
        let most = input.number("limit", PAGE_MAX, PAGE_MAX)?;
        let server = self.server.clone();
        let mut found = self.server.lookups.run(move || server.state.subscriptions.inner.filters()).await??;
        found.retain(|filter| filter.group == group.as_str() && filter.name.starts_with(prefix));
        let (page, next) = page_of(&found, most, &input)?;
        let workers = self.server.state.subscriptions.inner.workers();
        let problem_of = |filter: &Filter| workers.get(&filter.key())?.progress.counts().problem.clone();
        let shown: Vec<Json> = page.iter().map(|filter| filter.to_json(problem_of(filter))).collect();
        Ok(with_next(json!({"subscriptionFilters": shown}), next))
    }

    pub(super) async fn delete_subscription_filter(&self, input: Input) -> Result<Json, CloudWatchProblem> {
        self.require(&[Role::Operate])?;
        let group = self.known_group(&input).await?;
        self.change(&group)?;
        let key = document_name(group.as_str(), input.needed("filterName")?);
        let server = self.server.clone();
        let work = move || -> Result<(), CloudWatchProblem> {
            if !server.state.subscriptions.remove(|filter| filter.key() == key)? {
                let message = "The specified subscription filter does not exist.";
                return Err(CloudWatchProblem::new("ResourceNotFoundException", message));
            }
            server.audit_own("subscription filter deleted", &json!({"filter": key}));
            Ok(())
        };
        self.server.lookups.run(work).await??;
        Ok(Json::Null)
    }
}

/// The filter that is asked for.
fn filter_of(input: &Input, group: &GroupName, created: i64) -> Result<Filter, CloudWatchProblem> {
    let destination = input.needed("destinationArn")?;
    if destination.chars().count() > ADDRESS_CHARS_MAX {
        let message = format!("destinationArn has {ADDRESS_CHARS_MAX} characters at most.");
        return Err(CloudWatchProblem::parameter(message));
    }
    check_address(destination).map_err(|reason| {
        let message = format!("destinationArn is an address of the web that is posted to (https://…) here: {reason}");
        CloudWatchProblem::parameter(message)
    })?;
    let distribution = input.text("distribution")?;
    if let Some(other) = distribution.filter(|other| !matches!(*other, "Random" | "ByLogStream")) {
        return Err(constraint(other, "distribution", "Member must satisfy enum value set: [Random, ByLogStream]"));
    }
    for member in ["fieldSelectionCriteria", "emitSystemFields"] {
        if input.is_given(member) {
            return Err(CloudWatchProblem::parameter(format!("{member} is not supported here.")));
        }
    }
    let filter = Filter {
        group: group.as_str().to_owned(),
        name: filter_name(input)?.to_owned(),
        pattern: input.needed("filterPattern")?.to_owned(),
        destination: destination.to_owned(),
        role: input.text("roleArn")?.map(str::to_owned),
        distribution: distribution.map(str::to_owned),
        created,
        sequence: 0,
        n_events: 0,
        kept: 0,
    };
    // Mistakes of the pattern are told at once.
    filter.tail()?;
    Ok(filter)
}

impl Filter {
    fn key(&self) -> String {
        document_name(&self.group, &self.name)
    }

    fn keep(&self, store: &Store) -> Result<(), CloudWatchProblem> {
        let json = serde_json::to_string(self).map_err(|error| Problem::internal(error.to_string()))?;
        Ok(store.put_setting(KIND, &self.key(), &json)?)
    }

    /// What finds the events: their messages and streams.
    fn tail(&self) -> Result<Tail, CloudWatchProblem> {
        let mut plan = plan_of(&self.pattern)?;
        plan.edit(|operators| {
            if let Some(Operator::Project { columns, .. }) = operators.last_mut() {
                *columns = ["@message", "@logStream"].map(|name| (name.into(), Expr::Field(name.into()))).to_vec();
            }
        });
        Tail::new(&plan, Tz::UTC).map_err(|error| CloudWatchProblem::parameter(error.to_string()))
    }

    fn to_json(&self, problem: Option<String>) -> Json {
        let mut shown = json!({
            "filterName": self.name, "logGroupName": self.group, "filterPattern": self.pattern,
            "destinationArn": self.destination, "distribution": self.distribution.as_deref().unwrap_or("ByLogStream"),
            "creationTime": self.created,
        });
        if let Some(role) = &self.role {
            shown["roleArn"] = role.clone().into();
        }
        if let Some(problem) = problem {
            // No client reads it, and whoever looks at an answer sees why nothing arrives.
            shown["deliveryProblem"] = problem.into();
        }
        shown
    }
}

//! The running deliveries of subscription filters, and what their threads share: the store, the clock, the HTTP client.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;

use alert::{PostError, Poster, Reach};
use storage::{Clock, Store};
use tokio::sync::watch;
use types::{Hold, Secret};

use super::filter::Filter;
use super::forms::{Body, Form, JSON};
use super::message::{Line, Refusal, control_message};

/// The deliveries by group and name of their filter, and what their threads share.
pub(super) struct Workers {
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) closing: watch::Receiver<bool>,
    /// Whether the server ends.
    pub(super) is_stopping: AtomicBool,
    reach: Reach,
    poster: OnceLock<Result<Poster, String>>,
    /// Locked while the documents of filters change.
    by_filter: Mutex<BTreeMap<String, Worker>>,
}

/// The thread of a delivery, and its progress.
pub(super) struct Worker {
    pub(super) thread: JoinHandle<()>,
    pub(super) progress: Arc<Progress>,
    /// Its filter without the position.
    pub(super) definition: Filter,
}

/// The progress of a delivery, which its thread reports.
pub(super) struct Progress {
    /// Asks the thread to end.
    pub(super) is_over: AtomicBool,
    counts: Mutex<DeliveryCounts>,
}

/// What a delivery has done since the start.
#[derive(Clone, Default)]
pub(super) struct DeliveryCounts {
    pub(super) n_events: u64,
    pub(super) n_failures: u64,
    pub(super) n_refused: u64,
    /// The reason why nothing is delivered at present.
    pub(super) problem: Option<String>,
}

impl Progress {
    /// Returns the progress of a filter that has delivered some events already.
    pub(super) fn new(n_events: u64) -> Self {
        let counts = DeliveryCounts { n_events, ..DeliveryCounts::default() };
        Self { is_over: AtomicBool::new(false), counts: Mutex::new(counts) }
    }

    pub(super) fn counts(&self) -> MutexGuard<'_, DeliveryCounts> {
        self.counts.hold()
    }

    /// Counts events that were delivered, and those that are left out because the receiver refuses them.
    pub(super) fn delivered(&self, n_events: u64, n_refused: u64) {
        let mut counts = self.counts();
        counts.n_events += n_events;
        counts.n_refused += n_refused;
        counts.problem = None;
    }

    /// Counts a failure. Returns `true` for the first after a success.
    pub(super) fn failed(&self, error: &PostError) -> bool {
        let mut counts = self.counts();
        counts.n_failures += 1;
        counts.problem.replace(error.to_string()).is_none()
    }
}

impl Workers {
    pub(super) fn new(store: &Arc<Store>, clock: &Clock, closing: &watch::Receiver<bool>, reach: Reach) -> Self {
        Self {
            store: store.clone(),
            clock: clock.clone(),
            closing: closing.clone(),
            is_stopping: AtomicBool::new(false),
            reach,
            poster: OnceLock::new(),
            by_filter: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Worker>> {
        // What a panic leaves are handles all the same.
        self.by_filter.hold()
    }

    /// Reports whether other nodes may deliver as well.
    pub(super) fn is_of_fleet(&self) -> bool {
        self.store.nodes().is_some()
    }

    /// Posts to the destination of a filter; returns the answer where it matters. Blocks.
    fn post(&self, form: Form, Body { url, content_type, bytes }: Body) -> Result<Vec<u8>, PostError> {
        let headers = [("Content-Type", content_type), ("Content-Encoding", "gzip")];
        match self.poster.get_or_init(|| Poster::new(self.reach)) {
            Ok(poster) if form.has_verdict() => poster.ask(&Secret::from(url), &headers, bytes),
            Ok(poster) => poster.post(&Secret::from(url), &headers, bytes).map(|()| Vec::new()),
            Err(reason) => Err(PostError::Retry { after: None, reason: reason.clone() }),
        }
    }

    /// Tries the destination of a filter. Blocks.
    pub(super) fn probe(&self, filter: &Filter, now_ms: i64) -> Result<(), PostError> {
        let (form, url) = Form::of(&filter.destination);
        let body = match form {
            Form::Syslog(_) => return self.deliver(filter, &[]).map(drop),
            Form::CloudWatch => Body { url: url.to_owned(), content_type: JSON, bytes: control_message(now_ms) },
            _ => form.body(filter, &[]),
        };
        match self.post(form, body) {
            // Many refuse a post without events, which shows that they are there.
            Err(PostError::Refused(reason))
                if form.has_fields() && [" 400", " 422"].iter().any(|status| reason.contains(status)) =>
            {
                Ok(())
            }
            posted => posted.map(drop),
        }
    }

    /// Posts events to the destination of a filter; returns which of them are refused for good. Blocks.
    pub(super) fn deliver(&self, filter: &Filter, lines: &[&Line]) -> Result<Option<Refusal>, PostError> {
        let (form, address) = Form::of(&filter.destination);
        match form {
            Form::Syslog(transport) => transport.deliver(address, self.reach, (filter, lines)),
            form => form.verdict(&self.post(form, form.body(filter, lines))?),
        }
    }

    /// Saves the position of a filter, also if another destination or pattern was set meanwhile: then its delivery ends, and
    /// the next one continues there. Returns `false` if it could not be saved, so that the last events are delivered again
    /// after a restart, or by the next node.
    pub(super) fn save_position(&self, filter: &mut Filter, progress: &Progress) -> bool {
        let _held = self.lock();
        match filter.save_position(self.store.settings()) {
            Ok(is_in_place) => {
                if !is_in_place {
                    progress.is_over.store(true, Ordering::Relaxed);
                }
                true
            }
            Err(problem) => {
                let (group, filter) = (&filter.group, &filter.name);
                tracing::warn!(group, filter, reason = problem.parts().2, "subscription filter position not saved");
                false
            }
        }
    }
}

impl Worker {
    /// Asks the thread to end as soon as it can. What it is posting may still arrive.
    pub(super) fn end(&self) {
        self.progress.is_over.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
    }
}

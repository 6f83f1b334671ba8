//! Remote write: what the page of metrics shows of events is sent on to a Prometheus, or to whatever speaks its protocol.
//!
//! At each interval the samples of the page are saved with their time, and wait to be sent, oldest first; the receiver
//! wants samples in their order. Where it is away they wait, a bounded number of bytes, of which the oldest go first. A
//! thread of its own sends, so that a receiver that hangs delays nothing but what it is sent.

mod wire;

use std::collections::VecDeque;
use std::sync::Mutex;

use data_encoding::BASE64;
use types::{Hold, Secret, Timestamp};

pub(super) use self::wire::{NamedSample, samples_of_page};
use super::family::{Family, FamilyKind, Sample};
use crate::{PostError, Poster};

/// Bytes that wait to be sent, packed: some hours of a hundred series, ten minutes of ten thousand.
const WAITING_BYTES_MAX: usize = 16 << 20;

/// Samples that are sent at once, as Prometheus itself has it.
const SAMPLES_MAX: usize = 2_000;

/// The first wait after a failure, and the longest.
const WAIT_NS_MIN: i64 = Timestamp::SECOND / 2;
const WAIT_NS_MAX: i64 = Timestamp::MINUTE;

/// Where to, and what.
#[derive(Clone, Debug)]
pub struct RemoteWrite {
    /// The receiver's address.
    pub url: Secret,
    /// How often.
    pub interval_ns: i64,
    /// Whether what catat counts of itself is sent as well.
    pub is_own_sent: bool,
    /// The credentials for the receiver.
    pub credentials: Option<Credentials>,
    /// The value of the label `instance`, which identifies this server.
    pub instance: String,
}

/// How the sender authenticates.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A token.
    Bearer(Secret),
    /// A name and a password.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// A request that waits.
struct QueuedRequest {
    body: Vec<u8>,
    n_samples: u64,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<QueuedRequest>,
    n_bytes: usize,
    n_sent: u64,
    n_dropped: u64,
    n_failures: u64,
    /// How long is waited after the next failure, and until when after the last.
    wait_ns: i64,
    not_before: Option<Timestamp>,
    problem: Option<String>,
}

/// What is sent, and what waits for it. It has no thread and no clock.
pub(super) struct RemoteQueue {
    pub(super) settings: RemoteWrite,
    // What a panic leaves are bodies and counts all the same.
    state: Mutex<State>,
}

impl RemoteQueue {
    pub(super) fn new(settings: RemoteWrite) -> Self {
        Self { settings, state: Mutex::new(State { wait_ns: WAIT_NS_MIN, ..State::default() }) }
    }

    /// Writes samples down to be sent.
    pub(super) fn push(&self, samples: &[NamedSample], now: Timestamp) {
        let mut state = self.state.hold();
        for some in samples.chunks(SAMPLES_MAX) {
            let body = wire::request(some, &self.settings.instance, now);
            state.n_bytes += body.len();
            state.waiting.push_back(QueuedRequest { body, n_samples: some.len() as u64 });
        }
        while state.n_bytes > WAITING_BYTES_MAX {
            let Some(oldest) = state.waiting.pop_front() else { break };
            state.n_bytes -= oldest.body.len();
            state.n_dropped += oldest.n_samples;
        }
    }

    /// Returns what is to be sent now.
    fn next(&self, now: Timestamp) -> Option<Vec<u8>> {
        let state = self.state.hold();
        // A clock that was set back must not silence it.
        let rests = |until: Timestamp| now < until && until.0.saturating_sub(now.0) <= WAIT_NS_MAX;
        let oldest = state.waiting.front().filter(|_| !state.not_before.is_some_and(rests));
        oldest.map(|waiting| waiting.body.clone())
    }

    /// Takes down how it went. What the receiver refuses is not sent again: it would refuse it for ever.
    fn settle(&self, body: &[u8], sent: &Result<(), PostError>, now: Timestamp) {
        let mut state = self.state.hold();
        if let Err(PostError::Retry { after, .. }) = sent {
            let asked = after.map_or(0, |after| i64::try_from(after.as_nanos()).unwrap_or(WAIT_NS_MAX));
            let wait_ns = state.wait_ns.max(asked).min(WAIT_NS_MAX);
            state.not_before = Some(Timestamp(now.0.saturating_add(wait_ns)));
            state.wait_ns = state.wait_ns.saturating_mul(2).min(WAIT_NS_MAX);
        } else {
            (state.wait_ns, state.not_before) = (WAIT_NS_MIN, None);
            // It may have had to make room meanwhile.
            if let Some(done) = state.waiting.pop_front_if(|waiting| waiting.body == body) {
                state.n_bytes -= done.body.len();
                let count = if sent.is_ok() { &mut state.n_sent } else { &mut state.n_dropped };
                *count += done.n_samples;
            }
        }
        let problem = sent.as_ref().err().map(ToString::to_string);
        state.n_failures += u64::from(problem.is_some());
        if let Some(reason) = problem.as_ref().filter(|_| state.problem.is_none()) {
            tracing::warn!(reason, "remote write failed; retrying");
        }
        state.problem = problem;
    }

    /// Sends what can be sent now, as long as `goes_on`. Blocks.
    pub(super) fn send(&self, poster: &Poster, clock: &dyn Fn() -> Timestamp, goes_on: &dyn Fn() -> bool) {
        while let Some(body) = self.next(clock()).filter(|_| goes_on()) {
            let authorization = self.settings.credentials.as_ref().map(Credentials::header);
            let mut headers = vec![
                ("Content-Type", "application/x-protobuf"),
                ("Content-Encoding", "snappy"),
                ("X-Prometheus-Remote-Write-Version", "0.1.0"),
            ];
            headers.extend(authorization.as_ref().map(|header| ("Authorization", header.reveal())));
            let sent = poster.post(&self.settings.url, &headers, body.clone());
            self.settle(&body, &sent, clock());
        }
    }

    /// Returns its own metrics.
    pub(super) fn families(&self) -> Vec<Family> {
        let state = self.state.hold();
        let family = |name: &str, kind, help: &str, value: f64| Family {
            name: format!("catat_remote_write_{name}"),
            help: help.into(),
            kind,
            samples: vec![Sample { value, ..Sample::default() }],
        };
        let (counter, gauge) = (FamilyKind::Counter, FamilyKind::Gauge);
        vec![
            family("samples_total", counter, "Samples that the receiver accepted.", state.n_sent as f64),
            family(
                "dropped_samples_total",
                counter,
                "Samples dropped: the receiver refused them, or too many waited for it.",
                state.n_dropped as f64,
            ),
            family("failures_total", counter, "Attempts to send that failed.", state.n_failures as f64),
            family("waiting_bytes", gauge, "Bytes waiting to be sent.", state.n_bytes as f64),
        ]
    }
}

impl Credentials {
    fn header(&self) -> Secret {
        let text = match self {
            Self::Bearer(token) => format!("Bearer {}", token.reveal()),
            Self::Basic { user, password } => {
                format!("Basic {}", BASE64.encode(format!("{user}:{}", password.reveal()).as_bytes()))
            }
        };
        Secret::from(text.as_str())
    }
}

/// Returns the samples of families, by their whole names. What is no number just now is left out.
pub(super) fn named(families: &[Family]) -> Vec<NamedSample> {
    let of_family = |family: &Family| {
        let named = |sample: &Sample| NamedSample {
            name: format!("{}{}", family.name, sample.end),
            labels: sample.labels.clone(),
            value: sample.value,
            exemplar: sample.exemplar.clone(),
        };
        family.samples.iter().map(named).collect::<Vec<_>>()
    };
    families.iter().flat_map(of_family).filter(|named| !named.value.is_nan()).collect()
}

#[cfg(test)]
mod tests;

//! Noise: messages that are a large part of a group and say little. What is a warning or worse is never noise, whatever its
//! text, and neither is a text with a word of failure.

use std::collections::BTreeMap;

use pattern::patterns_of;
use serde_json::{Value as Json, json};

use super::candidate::{Candidate, Kind, NOISE_SHARE_MIN, Reason, WORTH_EVENTS_MIN, name};
use crate::profile::{MESSAGE, Profile, TextProfile};
use crate::template::{SHOWN, Template};

/// Share from which on one message is worth sampling, or dropping where it is always the same.
const FREQUENT_SHARE_MIN: f64 = 0.25;
const CONSTANT_SHARE_MIN: f64 = 0.1;

/// One of how many is kept.
const SAMPLED: u64 = 10;

/// Most messages of one group that are looked at.
const MESSAGES_MAX: usize = 12;

/// What requests contain that ask whether a service is well.
const HEALTH_CHECKS: [&str; 12] = [
    "/healthz", "/health", "/livez", "/readyz", "/ready", "/-/healthy", "/-/ready", "/ping", "kube-probe",
    "elb-healthchecker", "heartbeat", "health check",
];

/// Words that are not in noise.
const FAILURES: [&str; 14] = [
    "error", "fail", "fatal", "panic", "exception", "denied", "refused", "timeout", "timed out", "unauthorized",
    "forbidden", "abort", "corrupt", "critical",
];

/// A message with all its events.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// The field that has the text.
    pub(super) field: &'static str,
    pub(super) pattern: String,
    pub(super) n_events: u64,
    /// Those that are less than a warning.
    pub(super) n_quiet: u64,
    /// Those of levels debug and trace.
    pub(super) n_debug: u64,
    /// Some of their texts.
    pub(super) samples: Vec<String>,
}

impl Message {
    pub(super) fn template(&self) -> Option<Template> {
        Template::new(&self.pattern, self.samples.iter().map(String::as_str))
    }

    /// Returns the condition for the message's text.
    pub(super) fn matches(&self, regex: &str) -> Json {
        if self.field == MESSAGE { json!(regex) } else { json!({self.field: regex}) }
    }

    fn contains(&self, words: &[&str]) -> bool {
        let lower = |text: &str| text.to_lowercase();
        let holds = |text: &str| words.iter().any(|word| lower(text).contains(word));
        holds(&self.pattern) || self.samples.iter().any(|sample| holds(sample))
    }
}

/// Returns the most frequent messages of a group, those with most events first.
pub(super) fn messages(profile: &Profile) -> Vec<Message> {
    let mut by_field: BTreeMap<&'static str, Vec<(&str, &TextProfile)>> = BTreeMap::new();
    for ((field, masked), text) in &profile.texts {
        by_field.entry(field).or_default().push((masked, text));
    }
    let mut messages = Vec::new();
    for (field, mut texts) in by_field {
        texts.sort_unstable_by_key(|(masked, _)| *masked);
        let masked: Vec<&str> = texts.iter().map(|(masked, _)| *masked).collect();
        let (patterns, pattern_of) = patterns_of(&masked);
        let none =
            |pattern: String| Message { field, pattern, n_events: 0, n_quiet: 0, n_debug: 0, samples: Vec::new() };
        let mut of_field: Vec<Message> = patterns.into_iter().map(none).collect();
        for ((_, text), place) in texts.iter().zip(pattern_of) {
            let message = &mut of_field[place as usize];
            message.n_events += text.n_events();
            message.n_quiet += text.n_quiet();
            message.n_debug += debug_events(text);
            message.samples.extend(text.samples.iter().take(64 - message.samples.len().min(64)).cloned());
        }
        messages.extend(of_field);
    }
    messages.sort_by(|a, b| b.n_events.cmp(&a.n_events).then_with(|| a.pattern.cmp(&b.pattern)));
    messages.truncate(MESSAGES_MAX);
    messages
}

fn debug_events(text: &TextProfile) -> u64 {
    let is_debug = |code: &u8| types::Level::of_code(*code).is_some_and(|level| level < types::Level::Info);
    text.levels.iter().filter(|(code, _)| is_debug(code)).map(|(_, count)| count).sum()
}

pub(super) fn candidates(group: &str, profile: &Profile, messages: &[Message]) -> Vec<Candidate> {
    let share = |count: u64| count as f64 / profile.n_events.max(1) as f64;
    let n_debug: u64 = profile.texts.values().map(debug_events).sum();
    let is_debug = share(n_debug) >= NOISE_SHARE_MIN;
    let mut all = Vec::new();
    if is_debug {
        all.push(debug(group));
    }
    for message in messages {
        // Events of levels debug and trace are suggested together.
        let n_events = message.n_quiet - if is_debug { message.n_debug } else { 0 };
        if n_events < WORTH_EVENTS_MIN.min(profile.n_events / 4) || share(n_events) < NOISE_SHARE_MIN {
            continue;
        }
        if message.contains(&FAILURES) {
            continue;
        }
        let is_constant = !message.pattern.contains(SHOWN);
        let found = if message.contains(&HEALTH_CHECKS) && all_are(message, &HEALTH_CHECKS) {
            Some((Kind::Drop, Reason::HealthCheck))
        } else if is_constant {
            (share(n_events) >= CONSTANT_SHARE_MIN).then_some((Kind::Drop, Reason::Constant))
        } else {
            (share(n_events) >= FREQUENT_SHARE_MIN).then_some((Kind::Sample, Reason::Frequent))
        };
        all.extend(found.and_then(|(kind, reason)| of_message(group, message, kind, reason)));
    }
    all
}

/// Reports whether each text that is known contains one of some words.
fn all_are(message: &Message, words: &[&str]) -> bool {
    message.samples.iter().all(|sample| words.iter().any(|word| sample.to_lowercase().contains(word)))
}

fn debug(group: &str) -> Candidate {
    Candidate {
        kind: Kind::Drop,
        reason: Reason::Debug,
        pattern: None,
        fields: Vec::new(),
        definition: json!({
            "name": name(Reason::Debug, group, "debug"),
            "match": {"group": group, "level": ["trace", "debug"]},
            "steps": [{"drop": "event"}],
        }),
    }
}

fn of_message(group: &str, message: &Message, kind: Kind, reason: Reason) -> Option<Candidate> {
    let regex = message.template()?.regex()?;
    let step =
        if kind == Kind::Drop { json!({"drop": "event"}) } else { json!({"sample": SAMPLED, "by": message.field}) };
    Some(Candidate {
        kind,
        reason,
        pattern: Some(message.pattern.clone()),
        fields: Vec::new(),
        definition: json!({
            "name": name(reason, group, &message.pattern),
            "match": {
                "group": group,
                "matches": message.matches(&regex),
                "not": {"level": ["warn", "error", "fatal"]},
            },
            "steps": [step],
        }),
    })
}

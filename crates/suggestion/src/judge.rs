//! What may be worth a pipeline, and what the counts of its dry run must be for it to be shown.

mod fields;
mod noise;
mod secrets;
mod split;

use serde_json::Value as Json;

use crate::profile::Profile;

/// Smaller groups are left alone: what is in them costs nothing.
const EVENTS_MIN: u64 = 100;

/// Events from which on anything but a secret is worth a pipeline.
const WORTH_EVENTS_MIN: u64 = 500;

/// Smallest shares of the group's events that are worth it.
const NOISE_SHARE_MIN: f64 = 0.05;
const FIELDS_SHARE_MIN: f64 = 0.1;
const SPLIT_SHARE_MIN: f64 = 0.1;

/// A group of which nearly all is of one kind is not mixed.
const SPLIT_SHARE_MAX: f64 = 0.95;

/// What a suggestion is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Secrets to mask.
    Mask,
    /// Noise to drop.
    Drop,
    /// Noise of which a part is enough.
    Sample,
    /// Fields to extract.
    Fields,
    /// A group to split.
    Split,
}

impl Kind {
    /// Returns the name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Drop => "drop",
            Self::Sample => "sample",
            Self::Fields => "fields",
            Self::Split => "split",
        }
    }

    /// Reports whether events are no longer where they were: dropped, sampled or routed.
    pub fn takes_away(self) -> bool {
        matches!(self, Self::Drop | Self::Sample | Self::Split)
    }
}

/// Why something is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// E-mail addresses.
    Email,
    /// Card numbers with a right check digit.
    Card,
    /// Tokens, keys, passwords.
    Token,
    /// Events for developers.
    Debug,
    /// Requests that only ask whether a service is well.
    HealthCheck,
    /// A text that is always the same.
    Constant,
    /// One message that is a large part of the group.
    Frequent,
    /// JSON in the text.
    Json,
    /// `key=value`.
    KeyValue,
    /// Places that vary, with a word before them.
    Variables,
    /// Several services.
    Services,
    /// Several formats.
    Formats,
}

impl Reason {
    /// Returns the name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Card => "card",
            Self::Token => "token",
            Self::Debug => "debug",
            Self::HealthCheck => "health_check",
            Self::Constant => "constant",
            Self::Frequent => "frequent",
            Self::Json => "json",
            Self::KeyValue => "key_value",
            Self::Variables => "variables",
            Self::Services => "services",
            Self::Formats => "formats",
        }
    }

    /// Returns what is suggested, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Email => "mask e-mail addresses",
            Self::Card => "mask card numbers",
            Self::Token => "mask tokens, keys and passwords",
            Self::Debug => "drop events of levels debug and trace",
            Self::HealthCheck => "drop health checks",
            Self::Constant => "drop a text that never changes",
            Self::Frequent => "keep one of ten events of the most frequent message",
            Self::Json => "extract fields from JSON within the message",
            Self::KeyValue => "extract key=value fields",
            Self::Variables => "extract the variables of a message",
            Self::Services => "split by service",
            Self::Formats => "split by format",
        }
    }
}

/// A pipeline that may be worth it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// What it does.
    pub kind: Kind,
    /// Why.
    pub reason: Reason,
    /// The pattern that it is about, if it is about one.
    pub pattern: Option<String>,
    /// Fields that it makes, or the field that it splits by.
    pub fields: Vec<String>,
    /// Its definition.
    pub definition: Json,
}

/// Events and bytes that a dry run counted in the whole range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events.
    pub n_events: u64,
    /// Bytes of their texts and fields.
    pub n_bytes: u64,
}

/// What a dry run counted for one candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Events that would be dropped, sampled out, routed or changed.
    pub concerned: Totals,
}

/// Reports whether a group has too few events for suggestions.
pub fn tiny(n_events: u64) -> bool {
    n_events < EVENTS_MIN
}

/// Returns what may be suggested for `group`, in the order in which it is shown.
pub fn candidates(group: &str, profile: &Profile) -> Vec<Candidate> {
    if tiny(profile.n_events) {
        return Vec::new();
    }
    let mut all = secrets::candidates(group);
    if profile.n_events >= WORTH_EVENTS_MIN {
        let messages = noise::messages(profile);
        all.extend(noise::candidates(group, profile, &messages));
        all.extend(fields::candidates(group, profile, &messages));
        all.extend(split::candidates(group, profile));
    }
    all
}

/// Reports whether a candidate is worth showing: of secrets every one, of the rest what is a large part of the group.
pub fn is_worth(candidate: &Candidate, outcome: &Outcome, all: &Totals) -> bool {
    let concerned = outcome.concerned;
    let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
    let share = share(concerned.n_events, all.n_events).max(share(concerned.n_bytes, all.n_bytes));
    let share_min = match candidate.kind {
        Kind::Mask => return concerned.n_events > 0,
        Kind::Drop | Kind::Sample => NOISE_SHARE_MIN,
        Kind::Fields => FIELDS_SHARE_MIN,
        Kind::Split => SPLIT_SHARE_MIN,
    };
    concerned.n_events >= WORTH_EVENTS_MIN.min(all.n_events / 4) && share >= share_min
}

/// Returns the name of a made pipeline: the same for the same suggestion.
fn name(reason: Reason, group: &str, of: &str) -> String {
    let id = pattern::id_of(&format!("{group}\n{of}"));
    let mut group: String = group.chars().filter(|character| !character.is_control()).collect();
    group.truncate(60);
    format!("{} {group} {}", reason.name().replace('_', "-"), &id[..6])
}

#[cfg(test)]
mod tests;

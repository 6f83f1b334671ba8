//! A pipeline that may be worth it: what it does, why, and from which size on.

use serde_json::Value as Json;

/// Events from which on anything but a secret is worth a pipeline.
pub(super) const WORTH_EVENTS_MIN: u64 = 500;

/// Smallest shares of the group's events that are worth it.
pub(super) const NOISE_SHARE_MIN: f64 = 0.05;
pub(super) const FIELDS_SHARE_MIN: f64 = 0.1;
pub(super) const SPLIT_SHARE_MIN: f64 = 0.1;

/// A group of which nearly all is of one kind is not mixed.
pub(super) const SPLIT_SHARE_MAX: f64 = 0.95;

types::named! {
    /// What a suggestion is about.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Kind {
        /// Secrets to mask.
        Mask = "mask",
        /// Noise to drop.
        Drop = "drop",
        /// Frequent noise: a sample of it is enough.
        Sample = "sample",
        /// Fields to extract.
        Fields = "fields",
        /// A group to split.
        Split = "split",
    }
}

impl Kind {
    /// Reports whether events are no longer where they were: dropped, sampled or routed.
    pub fn takes_away(self) -> bool {
        matches!(self, Self::Drop | Self::Sample | Self::Split)
    }
}

types::named! {
    /// Why something is suggested.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Reason {
        /// E-mail addresses.
        Email = "email",
        /// Card numbers with a right check digit.
        Card = "card",
        /// Tokens, keys, passwords.
        Token = "token",
        /// Events for developers.
        Debug = "debug",
        /// Requests that only ask whether a service is well.
        HealthCheck = "health_check",
        /// A text that is always the same.
        Constant = "constant",
        /// One message that is a large part of the group.
        Frequent = "frequent",
        /// JSON in the text.
        Json = "json",
        /// `key=value`.
        KeyValue = "key_value",
        /// Places that vary, with a word before them.
        Variables = "variables",
        /// Several services.
        Services = "services",
        /// Several formats.
        Formats = "formats",
    }
}

impl Reason {
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

/// Returns the name of a made pipeline: the same for the same suggestion.
pub(super) fn name(reason: Reason, group: &str, of: &str) -> String {
    let id = pattern::id_of(&format!("{group}\n{of}"));
    let group: String = group.chars().filter(|character| !character.is_control()).take(60).collect();
    format!("{} {group} {}", reason.name().replace('_', "-"), &id[..6])
}

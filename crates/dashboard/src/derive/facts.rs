//! What is known of a group, service or host, and what its events are told by.

use std::collections::BTreeSet;

use plan::insights_text::quoted;
use plan::{HOST_FIELDS, SERVICE_FIELDS};

use super::insights::{escaped, field, regex};

/// What a derived dashboard is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A log group.
    Group(String),
    /// The events that name a service.
    Service(String),
    /// The events that name a host, and its samples.
    Host(String),
}

/// Which of a subject's events something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Log lines.
    Lines,
    /// Spans.
    Spans,
    /// Samples of metrics.
    Samples,
}

/// What is known of a subject in a range of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The subject.
    pub subject: Subject,
    /// Its log lines.
    pub lines: EventFacts,
    /// Its spans.
    pub spans: EventFacts,
    /// Its samples.
    pub samples: SampleFacts,
}

/// What is known of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFacts {
    /// The groups that have them.
    pub groups: Vec<String>,
    /// How many there are.
    pub n_events: u64,
    /// The fields that they have.
    pub fields: Vec<FieldFacts>,
    /// Those of [`conditions`] that an event meets.
    pub found: BTreeSet<String>,
}

/// A field that events have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldFacts {
    /// Its name.
    pub name: String,
    /// How many distinct values it has, where they were counted.
    pub n_distinct: Option<u64>,
}

/// What is known of samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleFacts {
    /// The groups that have them.
    pub groups: Vec<String>,
    /// The names of the metrics.
    pub names: BTreeSet<String>,
    /// The label that names the service or host; none for a group.
    pub label: Option<String>,
    /// Those of [`conditions`] that a sample meets.
    pub found: BTreeSet<String>,
}

impl Subject {
    /// Reads `group:NAME`, `service:NAME` or `host:NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty())?;
        let name = name.to_owned();
        match kind {
            "group" => Some(Self::Group(name)),
            "service" => Some(Self::Service(name)),
            "host" => Some(Self::Host(name)),
            _ => None,
        }
    }

    /// Returns the kind: `group`, `service`, `host`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Group(_) => "group",
            Self::Service(_) => "service",
            Self::Host(_) => "host",
        }
    }

    /// Returns the name of the group, service or host.
    pub fn name(&self) -> &str {
        match self {
            Self::Group(name) | Self::Service(name) | Self::Host(name) => name,
        }
    }

    /// Returns the condition that its events meet, in Insights QL; none for a group, whose events all do.
    pub fn condition(&self) -> Option<String> {
        let any = |fields: &[&str]| {
            let equals = |name: &&str| format!("{} = {}", field(name), quoted(self.name()));
            format!("({})", fields.iter().map(equals).collect::<Vec<_>>().join(" or "))
        };
        match self {
            Self::Group(_) => None,
            Self::Service(_) => Some(any(&SERVICE_FIELDS)),
            Self::Host(_) => Some(any(&HOST_FIELDS)),
        }
    }

    /// Returns the labels that may name it in samples.
    pub fn labels(&self) -> &'static [&'static str] {
        match self {
            Self::Group(_) => &[],
            Self::Service(_) => &["service", "service_name", "app", "application", "container", "job"],
            Self::Host(_) => &["instance", "host", "hostname", "node", "host_name"],
        }
    }

    /// Returns the condition that its samples meet where this label names it. The port of an instance is no part of a host.
    pub fn sample_condition(&self, label: &str) -> String {
        let name = self.name();
        match self {
            Self::Host(_) if label == "instance" => {
                let pattern = regex(&format!("^{}(:[0-9]+)?$", escaped(name)));
                format!("instance like {pattern}")
            }
            _ => format!("{} = {}", field(label), quoted(name)),
        }
    }
}

impl EventFacts {
    /// Returns the first of some fields that events have.
    pub(super) fn first_of<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// Reports whether events have a field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// Returns the number of distinct values of a field, where it is known.
    pub(super) fn n_distinct(&self, name: &str) -> u64 {
        self.fields.iter().find(|field| field.name == name).and_then(|field| field.n_distinct).unwrap_or_default()
    }
}

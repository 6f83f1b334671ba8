//! The fields of a span that a query can name.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

/// A field of a span.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// A field that every span, or its trace, has.
    Intrinsic(Intrinsic),
    /// A field that its sender gave it.
    Attribute {
        /// Where the query looks for it.
        scope: Scope,
        /// Its name as it was sent.
        name: Arc<str>,
    },
    /// `parent.x`: a field of the parent of a span.
    Parent(Box<Field>),
}

types::named! {
    /// Where a query looks for an attribute.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Scope {
        /// `.x`: a span, its resource or its instrumentation scope.
        Any = "",
        /// `span.x`
        Span = "span",
        /// `resource.x`
        Resource = "resource",
        /// `instrumentation.x`
        Instrumentation = "instrumentation",
        /// `event.x`
        Event = "event",
        /// `link.x`
        Link = "link",
    }
}

/// A field with a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named as in the language")]
pub enum Intrinsic {
    Name,
    Duration,
    Status,
    StatusMessage,
    Kind,
    SpanId,
    ParentId,
    ChildCount,
    TraceId,
    TraceDuration,
    RootName,
    RootService,
    EventName,
    EventTimeSinceStart,
    LinkTraceId,
    LinkSpanId,
    InstrumentationName,
    InstrumentationVersion,
    NestedSetLeft,
    NestedSetRight,
    NestedSetParent,
}

/// Intrinsic fields by the names that a query writes, the name of labels first.
const INTRINSICS: [(&str, Intrinsic); 21] = [
    ("name span:name", Intrinsic::Name),
    ("duration span:duration", Intrinsic::Duration),
    ("status span:status", Intrinsic::Status),
    ("statusMessage span:statusMessage", Intrinsic::StatusMessage),
    ("kind span:kind", Intrinsic::Kind),
    ("span:id", Intrinsic::SpanId),
    ("span:parentID", Intrinsic::ParentId),
    ("span:childCount", Intrinsic::ChildCount),
    ("trace:id", Intrinsic::TraceId),
    ("traceDuration trace:duration", Intrinsic::TraceDuration),
    ("rootName trace:rootName", Intrinsic::RootName),
    ("rootServiceName trace:rootService", Intrinsic::RootService),
    ("event:name", Intrinsic::EventName),
    ("event:timeSinceStart", Intrinsic::EventTimeSinceStart),
    ("link:traceID", Intrinsic::LinkTraceId),
    ("link:spanID", Intrinsic::LinkSpanId),
    ("instrumentation:name", Intrinsic::InstrumentationName),
    ("instrumentation:version", Intrinsic::InstrumentationVersion),
    ("nestedSetLeft", Intrinsic::NestedSetLeft),
    ("nestedSetRight", Intrinsic::NestedSetRight),
    ("nestedSetParent", Intrinsic::NestedSetParent),
];

impl Intrinsic {
    /// Returns the field of a name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let mut all = INTRINSICS.iter();
        all.find(|(names, _)| names.split(' ').any(|known| known == name)).map(|(_, intrinsic)| *intrinsic)
    }

    /// Returns all names.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        INTRINSICS.iter().flat_map(|(names, _)| names.split(' '))
    }

    /// Returns the name that Tempo gives the field in its answers.
    pub(crate) fn name(self) -> &'static str {
        let names = INTRINSICS.iter().find(|(_, intrinsic)| *intrinsic == self);
        names.and_then(|(names, _)| names.split(' ').next()).unwrap_or_default()
    }
}

/// A list inside a span that fields belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Members {
    /// Its events.
    Events,
    /// Its links.
    Links,
}

impl Field {
    /// Returns the list whose members have the field, if it is not the span's own.
    pub(crate) fn members(&self) -> Option<Members> {
        match self {
            Self::Attribute { scope: Scope::Event, .. }
            | Self::Intrinsic(Intrinsic::EventName | Intrinsic::EventTimeSinceStart) => Some(Members::Events),
            Self::Attribute { scope: Scope::Link, .. }
            | Self::Intrinsic(Intrinsic::LinkTraceId | Intrinsic::LinkSpanId) => Some(Members::Links),
            _ => None,
        }
    }
}

/// As Tempo names the field in its answers: `.x`, `span.x`, `name`, `span:id`.
impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (scope, name) = match self {
            Self::Intrinsic(intrinsic) => return f.write_str(intrinsic.name()),
            // `.x` of the parent is written `parent.x`.
            Self::Parent(of_parent) => {
                let dot = if matches!(**of_parent, Self::Attribute { scope: Scope::Any, .. }) { "" } else { "." };
                return write!(f, "parent{dot}{of_parent}");
            }
            Self::Attribute { scope, name } => (scope.name(), name),
        };
        write!(f, "{scope}.")?;
        let is_plain = |c: char| !c.is_whitespace() && !"{}()=~!<>&|^,\"".contains(c);
        // `.5` is a number.
        let is_number = scope.is_empty() && name.starts_with(|c: char| c.is_ascii_digit());
        if name.chars().all(is_plain) && !name.is_empty() && !is_number {
            return f.write_str(name);
        }
        write!(f, "\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

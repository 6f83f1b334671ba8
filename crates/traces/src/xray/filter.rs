//! Filter expressions: the conditions on the traces to list.
//!
//! The subset of X-Ray's language that is about spans (AWS X-Ray developer guide, *Use filter expressions*). The rest, root
//! causes and groups, is refused by name. A comparison with a value that is missing is false; if a trace has several
//! values, one is enough.

pub(crate) mod candidates;
pub(crate) mod evaluate;
pub(crate) mod parse;

use plan::Comparison;

/// A filter expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    /// All of these, at least one.
    All(Vec<Filter>),
    /// Any of these, at least one.
    Any(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// Requests ended, or did not end, like this.
    Outcome(Outcome, bool),
    /// A number.
    Number(NumberKey, Comparison, f64),
    /// A text.
    Text(TextKey, TextTest),
    /// An annotation.
    Annotation(String, AnnotationTest),
    /// A service takes part, with a segment like this.
    Service(Node, Option<Box<Filter>>),
    /// A service calls another, with a segment of the called one like this.
    Edge(Node, Node, Option<Box<Filter>>),
}

types::named! {
    /// How a request ended.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Outcome {
        /// Neither an error nor throttled nor a fault.
        Ok = "ok",
        /// An error of the caller.
        Error = "error",
        /// Too many requests.
        Throttle = "throttle",
        /// An error of the service.
        Fault = "fault",
        /// A segment is in progress.
        Partial = "partial",
    }
}

types::named! {
    /// A keyword with a number.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum NumberKey {
        /// Seconds that the root segment took.
        ResponseTime = "responsetime",
        /// Seconds from the first start to the last end.
        Duration = "duration",
        /// The status of the response.
        HttpStatus = "http.status",
    }
}

types::named! {
    /// A keyword with a text.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum TextKey {
        /// The address of the request.
        HttpUrl = "http.url",
        /// The method of the request.
        HttpMethod = "http.method",
        /// The program of the caller.
        HttpUserAgent = "http.useragent",
        /// The address of the caller.
        HttpClientIp = "http.clientip",
        /// The user of any segment.
        User = "user",
        /// The name of any service.
        Name = "name",
        /// The id of any machine.
        InstanceId = "instance.id",
        /// The availability zone of any machine.
        AvailabilityZone = "availabilityzone",
    }
}

/// A condition on a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TextTest {
    Equal(String),
    NotEqual(String),
    Contains(String),
    BeginsWith(String),
    EndsWith(String),
}

/// A condition on an annotation; values of another type do not fulfil it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AnnotationTest {
    Number(Comparison, f64),
    Text(TextTest),
    Boolean(bool),
}

/// A service by its name and its type, as far as they are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    /// The name.
    pub(crate) name: Option<String>,
    /// The type.
    pub(crate) kind: Option<String>,
}

#[cfg(test)]
mod tests;

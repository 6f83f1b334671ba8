//! Formats of log lines, and what a line of one says: access logs, syslog, flow logs, the headers of logging libraries.
//!
//! A reader is a pass over the line by hand: no expression, no allocation, time linear in the line. It gives parts,
//! which are places in the line ([`Parts`]), so that the query language, pipelines and the way in can all take from it
//! what each needs. A line that does not fit a format in every point is not of that format: recognition asks for the
//! form, never for a likelihood, so that the same line is read alike whatever came before it and however lines are cut
//! into requests.
//!
//! What an event keeps as fields is less than what a line says: its time and message, threads and zones stay in the text, where
//! `parse` of a query or a pipeline finds them.
//!
//! What names a shape has and which fields each gives is written in `tests/shapes.txt`, line by line.

mod access;
mod application;
mod cloud;
mod columns;
mod cursor;
mod guess;
mod logfmt;
mod parts;
mod recognise;
mod request;
mod security;
mod server;
mod syslog;
mod table;

pub use columns::LineColumns;
pub(crate) use cursor::is_source;
pub(crate) use logfmt::{at_end as pairs_at_end, read as read_pairs};
pub(crate) use parts::{PartLayer, PartSink, Programs};
pub use parts::{PartValue, Parts};
pub use syslog::SyslogHeader;
pub(crate) use syslog::data_end;

types::named! {
    /// The format of a line.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Shape {
        /// `START`, `END` and `REPORT` lines of a Lambda function.
        Lambda = "lambda",
        /// A VPC flow log in its default form.
        Vpc = "vpc",
        /// An access log with client, user, time, request, status and size.
        CommonLog = "clf",
        /// The same with referrer and agent, perhaps with the time that it took; a virtual host may stand before it.
        CombinedLog = "combined",
        /// RFC 3164 or 5424, with or without priority.
        Syslog = "syslog",
        /// `key=value` pairs.
        Logfmt = "logfmt",
        /// What a container runtime writes around a line: `TIME stdout F text`.
        Cri = "cri",
        /// `E1120 06:47:13.123456 7 file.go:12] text`.
        Klog = "klog",
        /// `TIME<tab>level<tab>logger<tab>file.go:12<tab>text`.
        Zap = "zap",
        /// `TIME LEVEL [thread] logger - text`, in the orders and with the marks that logging libraries use.
        Application = "application",
        /// `ERROR:logger:text`, Python's form without a time.
        PythonBasic = "python",
        /// The error log of nginx.
        NginxError = "nginx-error",
        /// The error log of Apache.
        ApacheError = "apache-error",
        /// PostgreSQL's usual prefix.
        Postgres = "postgres",
        /// A request or connection as HAProxy logs it, perhaps behind a syslog header.
        Haproxy = "haproxy",
        /// `7:M 20 Nov 2026 06:47:13.123 * text`.
        Redis = "redis",
        /// Envoy's access log in its usual form, with Istio's additions.
        Envoy = "envoy",
        /// The access log of Squid in its own form.
        Squid = "squid",
        /// A request as uWSGI logs it.
        Uwsgi = "uwsgi",
        /// A request in quotes and its status within a text; a line of Amazon's load balancers.
        Request = "request",
        /// ArcSight's Common Event Format.
        Cef = "cef",
        /// QRadar's Log Event Extended Format.
        Leef = "leef",
        /// PostgreSQL's `csvlog`.
        PostgresCsv = "postgres-csv",
        /// W3C's extended format, whose columns a line `#Fields:` names.
        W3c = "w3c",
    }
}

impl Shape {
    /// The shape of a name; `common` is `clf`.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = if name == "common" { "clf" } else { name };
        Self::named(name)
    }
}

#[cfg(test)]
mod tests;

//! Formats of log lines, and what a line of one says: access logs, syslog, flow logs, the headers of logging libraries.
//!
//! A reader is a pass over the line by hand: no expression, no allocation, time linear in the line. It gives parts,
//! which are places in the line ([`Parts`]), so that the query language, pipelines and the way in can all take from it
//! what each needs. A line that does not fit a format in every point is not of that format: recognition asks for the
//! form, never for a likelihood, so that the same line is read alike whatever came before it and however lines are cut
//! into requests.
//!
//! What an event keeps as fields is less than what a line says. Threads, processes, referrers and agents of ten thousand
//! real access lines would make the store larger by a third and more; they stay in the text, where `parse` of a query
//! or a pipeline finds them.
//!
//! What names a shape has and which fields each gives is written in `tests/shapes.txt`, line by line.

mod access;
mod application;
mod cloud;
mod cursor;
mod guess;
mod logfmt;
mod parts;
mod server;
mod syslog;

pub use cloud::VpcColumns;
pub use parts::{PartValue, Parts};

/// The format of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `START`, `END` and `REPORT` lines of a Lambda function.
    Lambda,
    /// A VPC flow log in its default form.
    Vpc,
    /// An access log with client, user, time, request, status and size.
    CommonLog,
    /// The same with referrer and agent, perhaps with the time that it took; a virtual host may stand before it.
    CombinedLog,
    /// RFC 3164 or 5424, with or without priority.
    Syslog,
    /// `key=value` pairs.
    Logfmt,
    /// What a container runtime writes around a line: `TIME stdout F text`.
    Cri,
    /// `E1120 06:47:13.123456 7 file.go:12] text`.
    Klog,
    /// `TIME<tab>level<tab>logger<tab>file.go:12<tab>text`.
    Zap,
    /// `TIME LEVEL [thread] logger - text`, in the orders and with the marks that logging libraries use.
    Application,
    /// `ERROR:logger:text`, Python's form without a time.
    PythonBasic,
    /// The error log of nginx.
    NginxError,
    /// The error log of Apache.
    ApacheError,
    /// PostgreSQL's usual prefix.
    Postgres,
    /// A request as HAProxy logs it, behind a syslog header.
    Haproxy,
    /// `7:M 20 Nov 2026 06:47:13.123 * text`.
    Redis,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 16] = [
        Self::Lambda,
        Self::Vpc,
        Self::CommonLog,
        Self::CombinedLog,
        Self::Syslog,
        Self::Logfmt,
        Self::Cri,
        Self::Klog,
        Self::Zap,
        Self::Application,
        Self::PythonBasic,
        Self::NginxError,
        Self::ApacheError,
        Self::Postgres,
        Self::Haproxy,
        Self::Redis,
    ];

    /// Its name, as `parse` and pipelines spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Vpc => "vpc",
            Self::CommonLog => "clf",
            Self::CombinedLog => "combined",
            Self::Syslog => "syslog",
            Self::Logfmt => "logfmt",
            Self::Cri => "cri",
            Self::Klog => "klog",
            Self::Zap => "zap",
            Self::Application => "application",
            Self::PythonBasic => "python",
            Self::NginxError => "nginx-error",
            Self::ApacheError => "apache-error",
            Self::Postgres => "postgres",
            Self::Haproxy => "haproxy",
            Self::Redis => "redis",
        }
    }

    /// The shape of a name; `common` is `clf`.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = if name == "common" { "clf" } else { name };
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }

    /// Reads a line of this shape; where it is not of it, `parts` is empty.
    pub fn read(self, line: &str, parts: &mut Parts) -> bool {
        parts.clear();
        let mut found = parts.of(line);
        let fits = match self {
            Self::Lambda => cloud::lambda(line, &mut found),
            Self::Vpc => cloud::vpc(line, &mut found),
            Self::CommonLog => access::common(line, &mut found),
            Self::CombinedLog => access::combined(line, &mut found),
            Self::Syslog => syslog::read(line, &mut found),
            Self::Logfmt => logfmt::read(line, &mut found),
            Self::Cri => cloud::cri(line, &mut found),
            Self::Klog => application::klog(line, &mut found),
            Self::Zap => application::zap(line, &mut found),
            Self::Application => application::read(line, &mut found).or_else(|| application::ruby(line, &mut found)),
            Self::PythonBasic => application::python_basic(line, &mut found),
            Self::NginxError => server::nginx_error(line, &mut found),
            Self::ApacheError => server::apache_error(line, &mut found),
            Self::Postgres => server::postgres(line, &mut found),
            Self::Haproxy => server::haproxy(line, &mut found),
            Self::Redis => server::redis(line, &mut found),
        };
        let fits = fits.is_some();
        if !fits {
            parts.clear();
        }
        fits
    }

    /// Reads a flow log whose columns a header line has named; where it has others, `parts` is empty.
    pub(crate) fn read_vpc(columns: &VpcColumns, line: &str, parts: &mut Parts) -> bool {
        parts.clear();
        let fits = cloud::vpc_with(columns, line, &mut parts.of(line)).is_some();
        if !fits {
            parts.clear();
        }
        fits
    }

    /// Whether a field may hold `literal` in a line whose bytes do not, whatever the case of its letters.
    pub fn is_computed(literal: &str) -> bool {
        syslog::is_computed(literal)
    }

    /// Finds the shape that a line fits and reads it.
    pub fn recognise(line: &str, parts: &mut Parts) -> Option<Self> {
        parts.clear();
        // Only a shape whose header has several lines looks at more than the first.
        let first_line = &line[..memchr::memchr(b'\n', line.as_bytes()).unwrap_or(line.len())];
        let lines = |shape: Shape| if shape == Self::Logfmt { first_line } else { line };
        let mut candidates = guess::candidates(first_line).iter().copied();
        candidates.find(|shape| guess::may_be(*shape, first_line) && shape.read(lines(*shape), parts))
    }
}

#[cfg(test)]
mod tests;

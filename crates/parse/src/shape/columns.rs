//! Columns that a header line has named: flow logs, and W3C's extended format (IIS, CloudFront, proxies).

use std::sync::{Arc, LazyLock};

use types::Level;

use super::Shape;
use super::cloud::{self, VpcColumns};
use super::parts::PartSink;

/// Columns of a W3C line that are read.
const COLUMNS_MAX: usize = 256;

/// Columns of lines whose header is in another file or was not sent: IIS 7 and later, IIS 6 and earlier, CloudFront.
const USUAL_COLUMNS: [&str; 3] = [
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status \
     sc-substatus sc-win32-status time-taken",
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus \
     sc-win32-status time-taken",
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) \
     cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken \
     x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status \
     fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len \
     sc-range-start sc-range-end",
];

static USUAL: LazyLock<[W3cColumns; 3]> =
    LazyLock::new(|| USUAL_COLUMNS.map(|names| W3cColumns { names: names_of(names), date: None }));

/// Reads a line without a header by the usual columns.
pub(super) fn usual<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let is_tabbed = line.as_bytes().get(10) == Some(&b'\t');
    let mark = if is_tabbed { '\t' } else { ' ' };
    let mut words = line.split(mark).skip(2);
    let address = words.nth(if is_tabbed { 2 } else { 0 })?;
    let is_method = words.next()?.bytes().all(|byte| byte.is_ascii_uppercase());
    address.parse::<std::net::IpAddr>().ok().filter(|_| is_method)?;
    // Later versions append columns.
    let known = if is_tabbed { &USUAL[2..] } else { &USUAL[..2] };
    known.iter().find_map(|columns| {
        let n_columns = if is_tabbed { line.split(mark).count() } else { columns.names.len() };
        found.attempt(|found| columns.read(n_columns, line, found))
    })
}

/// Returns the names of the fields for the columns of a header.
fn names_of(header: &str) -> Arc<[Box<str>]> {
    let name = |name: &str| NAMES.iter().find(|(known, _)| *known == name).map_or(name, |(_, field)| field).into();
    header.split_ascii_whitespace().take(COLUMNS_MAX).map(name).collect()
}

/// W3C's names and those of the fields of other access logs that they are; others keep their own name.
const NAMES: [(&str, &str); 23] = [
    ("c-ip", "client"),
    ("cs-username", "user"),
    ("cs-method", "method"),
    ("cs-uri-stem", "path"),
    ("cs-uri-query", "query"),
    ("cs-version", "protocol"),
    ("cs-protocol-version", "protocol"),
    ("sc-status", "status"),
    ("sc-bytes", "bytes"),
    ("cs(User-Agent)", "user_agent"),
    ("cs(Referer)", "referer"),
    ("cs(Host)", "vhost"),
    ("cs-host", "vhost"),
    ("time-taken", "duration_ms"),
    // Zeek's.
    ("id.orig_h", "client"),
    ("id.orig_p", "clientPort"),
    ("id.resp_h", "server"),
    ("id.resp_p", "serverPort"),
    ("uri", "path"),
    ("host", "vhost"),
    ("referrer", "referer"),
    ("status_code", "status"),
    ("response_body_len", "bytes"),
];

/// The columns of the lines that follow a header line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineColumns {
    /// Those of flow logs.
    Vpc(VpcColumns),
    /// Those of `#Fields:`.
    W3c(W3cColumns),
}

/// What the lines say that begin with `#`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct W3cColumns {
    /// Names of fields, but for dates and times.
    names: Arc<[Box<str>]>,
    /// The day of lines that have only a time.
    date: Option<Box<str>>,
}

impl LineColumns {
    /// The columns after a line that may be a header; those before it where it is none.
    pub fn after(columns: Option<Self>, line: &str) -> Option<Self> {
        let Some(directive) = line.strip_prefix('#') else {
            return VpcColumns::of_header(line).map(Self::Vpc).or(columns);
        };
        let (mut names, mut date) = match &columns {
            Some(Self::W3c(w3c)) => (w3c.names.clone(), w3c.date.clone()),
            _ => ([].into(), None),
        };
        if let Some(fields) = directive.strip_prefix("Fields:") {
            names = names_of(fields);
        } else if let Some(fields) = directive.strip_prefix("fields\t") {
            (names, date) = (names_of(fields), None);
        } else if let Some(day) = directive.strip_prefix("Date:") {
            date = day.split_ascii_whitespace().next().map(Into::into);
        } else {
            return columns;
        }
        Some(Self::W3c(W3cColumns { names, date }))
    }

    /// Reads a line with these columns; returns its shape.
    pub(super) fn read<'t>(&self, line: &'t str, found: &mut PartSink<'t, '_>) -> Option<Shape> {
        match self {
            Self::Vpc(columns) => cloud::vpc_with(columns, line, found).map(|()| Shape::Vpc),
            Self::W3c(columns) => columns.read(columns.names.len(), line, found).map(|()| Shape::W3c),
        }
    }
}

impl W3cColumns {
    /// Reads a line that has the first `n_columns` columns.
    fn read<'t>(&self, n_columns: usize, line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
        let line = line.trim_end_matches(['\r', '\n']);
        if line.starts_with('#') || self.names.len() < 2 {
            return None;
        }
        let mark = if line.contains('\t') { '\t' } else { ' ' };
        let (mut date, mut time) = (self.date.as_deref(), None);
        found.columns(&self.names);
        let mut rest = line;
        for (column, name) in self.names.iter().take(n_columns).enumerate() {
            if rest.is_empty() {
                return None;
            }
            // A value in quotes may have blanks.
            let value = match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
                Some((quoted, behind)) => {
                    rest = behind.strip_prefix(mark).unwrap_or(behind);
                    quoted
                }
                None => {
                    let (value, behind) = rest.split_once(mark).unwrap_or((rest, ""));
                    rest = behind;
                    value
                }
            };
            match &**name {
                "date" => date = Some(value),
                "time" => time = Some(value),
                "ts" => found.time(value),
                _ if value == "-" || value.is_empty() || value == "(empty)" => {}
                "duration_ms" if value.contains('.') => found.seconds(value),
                "status" => {
                    found.level(value.parse().ok().and_then(Level::of_http_status));
                    found.column(column, value, true);
                }
                _ => found.column(column, value, is_number(name)),
            }
        }
        let has_clock = time.is_none_or(|time| time.contains(':'));
        if !rest.is_empty() || !has_clock {
            return None;
        }
        // The format has times in UTC.
        if let (Some(date), Some(time)) = (date, time) {
            found.time_of(format!("{date}T{time}Z"));
        }
        Some(())
    }
}

/// Whether a column has numbers only.
fn is_number(name: &str) -> bool {
    matches!(
        name,
        "bytes"
            | "duration_ms"
            | "cs-bytes"
            | "s-port"
            | "c-port"
            | "sc-substatus"
            | "sc-win32-status"
            | "clientPort"
            | "serverPort"
            | "orig_bytes"
            | "resp_bytes"
            | "request_body_len"
    )
}

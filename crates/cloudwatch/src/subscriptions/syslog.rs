//! Events as messages of syslog (RFC 5424).
//!
//! ```text
//! relp://HOST:PORT, relp+tls://          the receiver says of each message that it has it
//! syslog+tcp://HOST:PORT, syslog+tls://  it has all of them when it closes its side after ours (RFC 6587, RFC 5425)
//! ```
//!
//! The id of an event is the parameter `id` of its structured data. Source of RELP:
//! <https://github.com/rsyslog/librelp/blob/master/doc/relp.html>.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write as _};

use alert::{Connection, PostError, Reach};
use serde_json::{Map, Value as Json};
use types::{Level, Value, ensure};

use super::filter::Filter;
use super::message::{Line, Refusal, json_of};

/// The number of an enterprise in examples (RFC 5612): catat has none.
const ENTERPRISE: u32 = 32473;

/// Limits of RFC 5424.
const APP_NAME_CHARS_MAX: usize = 48;
const HOST_CHARS_MAX: usize = 255;
const PARAMETER_CHARS_MAX: usize = 32;

/// The parameter with the fields whose names can be none, as an object.
const OTHERS: &str = "others";

/// Digits behind the seconds.
const TIME_DIGITS: u8 = 6;

/// Fields that name the host of an event.
const HOST_FIELDS: [&str; 3] = ["host", "hostname", "host.name"];

/// Messages that wait for their answers at once; librelp allows 128.
const WINDOW: usize = 100;

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Bytes of a number or a command in the head of an answer.
const WORD_BYTES_MAX: usize = 32;

/// How messages are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transport {
    /// By RELP, and not one after the other behind their lengths.
    pub(super) is_relp: bool,
    pub(super) is_tls: bool,
}

impl Transport {
    /// Delivers events to `HOST:PORT`; returns which of them are refused for good. Blocks.
    pub(super) fn deliver(
        self,
        address: &str,
        reach: Reach,
        (filter, lines): (&Filter, &[&Line]),
    ) -> Result<Option<Refusal>, PostError> {
        let messages = lines.iter().map(|line| message(filter, line));
        let sent = Connection::open(address, self.is_tls, reach).and_then(|connection| {
            if self.is_relp { Relp::new(connection).send(messages) } else { send_counted(connection, messages) }
        });
        sent.map_err(|error| {
            let is_late = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
            let reason = if is_late { "the receiver timed out".to_owned() } else { error.to_string() };
            PostError::Retry { after: None, reason }
        })
    }
}

fn send_counted(mut connection: Connection, messages: impl Iterator<Item = String>) -> io::Result<Option<Refusal>> {
    let mut body = String::new();
    for message in messages {
        let _ = write!(body, "{} {message}", message.len());
    }
    connection.write_all(body.as_bytes())?;
    connection.finish()?;
    Ok(None)
}

/// A session of RELP.
struct Relp {
    connection: BufReader<Connection>,
    n_sent: usize,
}

impl Relp {
    fn new(connection: Connection) -> Self {
        Self { connection: BufReader::new(connection), n_sent: 0 }
    }

    fn send(mut self, mut messages: impl Iterator<Item = String>) -> io::Result<Option<Refusal>> {
        self.put("open", "relp_version=0\nrelp_software=catat\ncommands=syslog")?;
        let opened = self.answer()?;
        ensure!(opened.starts_with("200"), io::Error::other(format!("the receiver does not open RELP: {opened}")));
        let mut found: Option<Refusal> = None;
        loop {
            let before = self.n_sent;
            messages.by_ref().take(WINDOW).try_for_each(|message| self.put("syslog", &message))?;
            if self.n_sent == before {
                break;
            }
            for _ in before..self.n_sent {
                let reason = self.answer()?;
                if !reason.starts_with("200") {
                    found = Some(Refusal { n: found.map_or(1, |found| found.n + 1), reason });
                }
            }
        }
        // What was sent is there, whatever becomes of the end.
        let _ = self.put("close", "");
        Ok(found)
    }

    fn put(&mut self, command: &str, data: &str) -> io::Result<()> {
        self.n_sent += 1;
        let space = if data.is_empty() { "" } else { " " };
        let frame = format!("{} {command} {}{space}{data}\n", self.n_sent, data.len());
        self.connection.get_mut().write_all(frame.as_bytes())
    }

    /// Reads what the receiver says of a message.
    fn answer(&mut self) -> io::Result<String> {
        let (number, _) = self.word()?;
        let (command, _) = self.word()?;
        let (length, end) = self.word()?;
        let not_understood = || io::Error::other(format!("the receiver says {number:?} {command:?} in RELP"));
        let is_of_sent = number.parse().is_ok_and(|number: usize| number > 0 && number <= self.n_sent);
        ensure!(command == "rsp" && is_of_sent, not_understood());
        let length =
            length.parse::<usize>().ok().filter(|length| *length <= ANSWER_BYTES_MAX).ok_or_else(not_understood)?;
        let mut data = vec![0; if end == b' ' { length + 1 } else { 0 }];
        self.connection.read_exact(&mut data)?;
        Ok(String::from_utf8_lossy(&data).trim_end().to_owned())
    }

    /// Reads a word of a head, and the byte behind it.
    fn word(&mut self) -> io::Result<(String, u8)> {
        let mut word = String::new();
        while word.len() < WORD_BYTES_MAX {
            let byte = *self.connection.fill_buf()?.first().ok_or(io::ErrorKind::UnexpectedEof)?;
            self.connection.consume(1);
            match byte {
                b' ' | b'\n' => return Ok((word, byte)),
                byte => word.push(byte.into()),
            }
        }
        Err(io::Error::other("the receiver does not speak RELP"))
    }
}

/// An event as a message.
fn message(filter: &Filter, line: &Line) -> String {
    let mut text = format!("<{}>1 ", 8 + severity(line.level));
    line.id.timestamp.write_rfc3339(TIME_DIGITS, &mut text);
    let is_host = |text: &str| text.len() <= HOST_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let field = |name: &&str| line.fields.iter().find(|(known, _)| **known == **name);
    let host = HOST_FIELDS.iter().find_map(|name| match &field(name)?.1 {
        Value::String(text) if is_host(text) && !text.is_empty() => Some(&**text),
        _ => None,
    });
    let app = filter.group.chars().take(APP_NAME_CHARS_MAX);
    let app: String = app.map(|char| if char.is_ascii_graphic() { char } else { '_' }).collect();
    let _ = write!(text, " {} {app} - - [catat@{ENTERPRISE}", host.unwrap_or("-"));
    let id = line.id.encode();
    let parts = [("id", &*id), ("group", &*filter.group), ("stream", &*line.stream)];
    parts.into_iter().for_each(|(name, value)| put_parameter(name, value, &mut text));
    line.level.into_iter().for_each(|level| put_parameter("level", level.name(), &mut text));
    text.push(']');
    let (own, others): (Vec<_>, Vec<_>) = line.fields.iter().partition(|(name, _)| is_parameter(name));
    if !line.fields.is_empty() {
        let _ = write!(text, "[fields@{ENTERPRISE}");
        own.into_iter().for_each(|(name, value)| put_parameter(name, &value.to_string(), &mut text));
        if !others.is_empty() {
            let others: Map<String, Json> =
                others.into_iter().map(|(name, value)| (name.to_string(), json_of(value))).collect();
            put_parameter(OTHERS, &Json::Object(others).to_string(), &mut text);
        }
        text.push(']');
    }
    text.push(' ');
    text + &line.message
}

/// The severity of RFC 5424; of an event without a level it is that of a notice.
fn severity(level: Option<Level>) -> u8 {
    match level {
        Some(Level::Fatal) => 2,
        Some(Level::Error) => 3,
        Some(Level::Warn) => 4,
        None => 5,
        Some(Level::Info) => 6,
        Some(Level::Debug | Level::Trace) => 7,
    }
}

fn is_parameter(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"');
    (1..=PARAMETER_CHARS_MAX).contains(&name.len()) && name.bytes().all(is_allowed)
}

fn put_parameter(name: &str, value: &str, text: &mut String) {
    let _ = write!(text, " {name}=\"");
    for char in value.chars() {
        if matches!(char, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(char);
    }
    text.push('"');
}

#[cfg(test)]
mod tests;

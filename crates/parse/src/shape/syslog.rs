//! Syslog lines, of RFC 5424 and RFC 3164, with or without priority, as relays send and files have them.

use types::Level;

use super::cursor::{enclosed, word};
use super::parts::PartSink;

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// Structured data that is read; what comes behind is left.
const STRUCTURED_MAX: usize = 64;

/// Whether the name of a facility or severity holds `literal`: it stands in no line, only its number does.
pub(super) fn is_computed(literal: &str) -> bool {
    let literal = literal.to_ascii_lowercase();
    FACILITIES.iter().chain(&SEVERITIES).any(|name| name.contains(&*literal))
}

/// A syslog message of either form.
pub(super) fn read<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let message = header(line, found)?;
    found.again("message", message);
    Some(())
}

/// What stands before the message of a syslog line; returns the message.
pub(super) fn header<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<&'t str> {
    let mut rest = line.trim_start_matches('\u{feff}');
    if rest.starts_with('<') {
        let priority = enclosed(&mut rest, b'<', b'>')?;
        let priority: usize = priority.parse().ok().filter(|priority| *priority < 192)?;
        found.known("facility", FACILITIES[priority / 8]);
        found.known("severity", SEVERITIES[priority % 8]);
        found.level(Level::of_syslog((priority % 8) as u8));
    }
    match rest.strip_prefix("1 ") {
        Some(rest) => rfc5424(rest, found),
        None => rfc3164(rest, found),
    }
}

/// Whether a line without a priority has more of the form than a time and some words: a program's name, and behind a
/// time that programs write too, its process.
pub(super) fn is_sure(line: &str) -> bool {
    if line.starts_with('<') {
        return true;
    }
    let Some((time, mut rest)) = traditional_time(line).or_else(|| iso_time(line)) else { return false };
    let Some(host) = word(&mut rest) else { return false };
    let (program, process, message) = tag(rest);
    let is_iso = time.as_bytes()[0].is_ascii_digit();
    let has_offset = time.bytes().rev().take(6).any(|byte| matches!(byte, b'+' | b'-'));
    message.is_some()
        && !host.ends_with(':')
        && !program.is_empty()
        && (!is_iso || !process.is_empty() || (has_offset && program.starts_with(|c: char| c.is_ascii_lowercase())))
}

fn rfc5424<'t>(mut rest: &'t str, found: &mut PartSink<'t, '_>) -> Option<&'t str> {
    found.again("timestamp", word(&mut rest)?);
    found.text("hostname", word(&mut rest)?);
    found.text("appname", word(&mut rest)?);
    found.text("procid", word(&mut rest)?);
    found.text("msgid", word(&mut rest)?);
    match rest.strip_prefix('-') {
        Some(behind) => rest = behind.strip_prefix(' ').unwrap_or(behind),
        None => {
            let mut n_elements = 0;
            while rest.starts_with('[') && n_elements < STRUCTURED_MAX {
                element(&mut rest, found)?;
                n_elements += 1;
            }
        }
    }
    Some(rest.trim_start_matches('\u{feff}'))
}

/// One element of structured data: `[id name="value" …]`.
fn element<'t>(rest: &mut &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut inner = rest.strip_prefix('[')?;
    let end = inner.find([' ', ']'])?;
    let id = &inner[..end];
    inner = inner[end..].trim_start_matches(' ');
    if inner.starts_with(']') {
        found.member(id, None);
    }
    while !inner.starts_with(']') {
        let (name, behind) = inner.split_once('=')?;
        inner = behind;
        found.member(id, Some((name, enclosed(&mut inner, b'"', b'"')?)));
        inner = inner.trim_start_matches(' ');
    }
    let behind = &inner[1..];
    *rest = behind.strip_prefix(' ').unwrap_or(behind);
    Some(())
}

fn rfc3164<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<&'t str> {
    let (timestamp, mut rest) = traditional_time(line).or_else(|| iso_time(line))?;
    found.again("timestamp", timestamp);
    // Programs that write to their own machine name no host.
    let has_host =
        !rest.split(' ').next().unwrap_or_default().ends_with(':') && !rest.starts_with("last message repeated ");
    if has_host {
        found.text("hostname", word(&mut rest)?);
    }
    let (program, process, message) = tag(rest);
    match message.filter(|_| !program.is_empty()) {
        Some(message) => {
            found.text("appname", program);
            found.again("procid", process);
            Some(message)
        }
        None => Some(rest),
    }
}

/// The program, its process and what it says. The tag ends at the first sign that no program's name has; without a
/// colon behind it there is none.
fn tag(rest: &str) -> (&str, &str, Option<&str>) {
    let end = rest.find(|c: char| c == '[' || c == ':' || c.is_whitespace()).unwrap_or(rest.len());
    let (program, behind) = rest.split_at(end);
    let (process, behind) = match behind.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((process, behind)) => (process, behind),
        None => ("", behind),
    };
    let message = behind.strip_prefix(':').map(|message| message.strip_prefix(' ').unwrap_or(message));
    (program, process, message)
}

/// `Nov  2 06:00:01`, perhaps with a fraction or a year, and what follows.
fn traditional_time(line: &str) -> Option<(&str, &str)> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    if !MONTHS.contains(&line.get(..3)?) || line.as_bytes().get(3) != Some(&b' ') {
        return None;
    }
    let end = crate::time::time_end(line.as_bytes())?;
    let (time, rest) = line.split_at_checked(end)?;
    // Minutes alone are no clock of syslog.
    let has_seconds = time.bytes().filter(|byte| *byte == b':').count() == 2;
    has_seconds.then_some((time, rest.strip_prefix(' ')?))
}

/// `2026-11-20T06:00:00.5+01:00` and what follows.
fn iso_time(line: &str) -> Option<(&str, &str)> {
    let (time, rest) = line.split_once(' ')?;
    let is_time = time.len() <= 40 && types::Timestamp::parse_rfc3339(time).is_some();
    is_time.then_some((time, rest))
}

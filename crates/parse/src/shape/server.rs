//! What servers write about themselves: nginx, Apache, PostgreSQL, HAProxy, Redis.

use types::Level;

use super::cursor::{blanks, digits, enclosed, is_digits, mark, time, word};
use super::parts::PartSink;

/// `2026/11/20 06:47:13 [error] 7#8: *9 text, client: 192.0.2.1, server: x, request: "GET / HTTP/1.1", host: "x"`.
pub(super) fn nginx_error<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line;
    let at = time(&mut rest, found.times)?;
    mark(&mut rest, " ")?;
    let level = Level::parse(enclosed(&mut rest, b'[', b']')?)?;
    let process = digits(&mut rest)?;
    mark(&mut rest, "#")?;
    let thread = digits(&mut rest)?;
    mark(&mut rest, ": ")?;
    found.time_at_head(at);
    found.whole("pid", process);
    found.again("tid", thread);
    if let Some(mut behind) = rest.strip_prefix('*')
        && let Some(connection) = digits(&mut behind)
    {
        found.again("connection", connection);
        rest = behind.strip_prefix(' ').unwrap_or(behind);
    }
    let (message, context) = match crate::find::find_short(rest.as_bytes(), b", client: ") {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest, ""),
    };
    found.again("message", message);
    nginx_context(context, found);
    found.level(Some(level));
    Some(())
}

/// `, name: value` after `, name: "value"`.
fn nginx_context<'t>(mut rest: &'t str, found: &mut PartSink<'t, '_>) {
    const NAMES: [&str; 7] = ["client", "server", "request", "upstream", "host", "referrer", "subrequest"];
    while let Some((name, behind)) = rest.strip_prefix(", ").and_then(|rest| rest.split_once(": ")) {
        let Some(name) = NAMES.iter().find(|known| **known == name) else { return };
        rest = behind;
        let value = match rest.starts_with('"').then(|| enclosed(&mut rest, b'"', b'"')).flatten() {
            Some(quoted) => quoted,
            None => {
                let end = crate::find::find_short(rest.as_bytes(), b", ").unwrap_or(rest.len());
                let (value, behind) = rest.split_at(end);
                rest = behind;
                value
            }
        };
        let name = match *name {
            "host" => "vhost",
            "referrer" => "referer",
            name => name,
        };
        found.text(name, value);
        if name == "request" {
            super::request::line(value, found);
        }
    }
}

/// `[Fri Nov 20 06:47:13.25 2026] [core:error] [pid 7:tid 8] [client 192.0.2.1:5] AH00128: text`.
pub(super) fn apache_error<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line;
    let mut at = enclosed(&mut rest, b'[', b']')?;
    let whole = at;
    time(&mut at, found.times).filter(|_| at.is_empty() && !whole.contains(','))?;
    found.time_at_head(whole);
    let kind = enclosed(&mut rest, b'[', b']')?;
    let (module, level) = kind.rsplit_once(':').unwrap_or(("", kind));
    // `trace1` to `trace8` are one level.
    let level = Level::parse(level.trim_end_matches(|c: char| c.is_ascii_digit()))?;
    found.text("module", module);
    while let Some(inside) = rest.starts_with('[').then(|| enclosed(&mut rest, b'[', b']')).flatten() {
        if let Some(process) = inside.strip_prefix("pid ") {
            let (process, thread) = process.split_once(":tid ").unwrap_or((process, ""));
            found.whole("pid", process);
            found.again("tid", thread);
        } else if let Some(client) = inside.strip_prefix("client ").or_else(|| inside.strip_prefix("remote ")) {
            found.text("client", client);
        } else {
            break;
        }
    }
    // An error of the system may stand before the client.
    if rest.starts_with('(')
        && let Some((_, client)) = rest.split_once(": [client ")
    {
        found.text("client", client.split(']').next().unwrap_or_default());
    }
    if let Some((code, behind)) = rest.split_once(": ")
        && code.strip_prefix("AH").is_some_and(is_digits)
    {
        found.text("code", code);
        rest = behind;
    }
    found.again("message", rest);
    found.level(Some(level));
    Some(())
}

/// `2026-11-20 06:47:13.123 UTC [77] bob@shop ERROR:  text`.
pub(super) fn postgres<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line;
    let at = time(&mut rest, found.times)?;
    mark(&mut rest, " ")?;
    // Zones by other names than UTC are no part of the time that is read.
    if rest.starts_with(|c: char| c.is_ascii_uppercase()) {
        word(&mut rest).filter(|zone| zone.len() <= 5)?;
    }
    let process = enclosed(&mut rest, b'[', b']')?;
    let (process, _) = process.split_once('-').unwrap_or((process, ""));
    if !is_digits(process) {
        return None;
    }
    mark(&mut rest, ": ").unwrap_or(());
    let mut kind = word(&mut rest)?;
    let mut who = "";
    if !kind.ends_with(':') {
        (who, kind) = (kind, word(&mut rest)?);
    }
    let kind = kind.strip_suffix(':')?;
    let level = match kind {
        "LOG" => Some(Level::Info),
        "STATEMENT" | "DETAIL" | "HINT" | "CONTEXT" | "QUERY" | "LOCATION" => None,
        "DEBUG1" | "DEBUG2" | "DEBUG3" | "DEBUG4" | "DEBUG5" => Some(Level::Debug),
        "INFO" | "NOTICE" | "WARNING" | "ERROR" | "FATAL" | "PANIC" => Level::parse(kind),
        _ => return None,
    };
    found.time_at_head(at);
    found.whole("pid", process);
    if let Some((user, database)) = who.split_once('@') {
        found.text("user", user);
        found.text("database", database);
    }
    blanks(&mut rest);
    found.again("message", rest);
    found.level(level);
    Some(())
}

/// `192.0.2.1:5 [20/Nov/2026:06:47:13.123] fe be/srv 0/0/1/2/3 200 512 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`, or without status,
/// cookies and request a connection; perhaps behind a syslog header.
pub(super) fn haproxy<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line;
    let is_bare = rest.split(' ').nth(1).is_some_and(|time| time.starts_with('['));
    if !is_bare {
        rest = super::syslog::SyslogHeader::of_line(line, found.times)?.fill_around(found);
    }
    let (client, port) = word(&mut rest)?.rsplit_once(':').filter(|(_, port)| is_digits(port))?;
    let at = enclosed(&mut rest, b'[', b']')?;
    let frontend = word(&mut rest)?;
    let (backend, server) = word(&mut rest)?.split_once('/')?;
    let timers = word(&mut rest)?;
    let took = timers.rsplit('/').next()?;
    let is_http = match timers.split('/').count() {
        5 => true,
        3 => false,
        _ => return None,
    };
    let status = if is_http { word(&mut rest)? } else { "" };
    let bytes = word(&mut rest)?.trim_start_matches('+');
    if !is_digits(bytes) || (is_http && status.len() != 3 && status != "-1") {
        return None;
    }
    if is_http {
        // Captured cookies.
        word(&mut rest)?;
        word(&mut rest)?;
    }
    // How the session ended, connections, queues, and captured headers in braces.
    let state = word(&mut rest)?;
    word(&mut rest)?;
    word(&mut rest).filter(|queues| queues.contains('/'))?;
    while rest.starts_with('{') {
        enclosed(&mut rest, b'{', b'}')?;
    }
    found.time_at_head(at);
    found.text("client", client);
    found.whole("clientPort", port);
    found.text("frontend", frontend.trim_end_matches('~'));
    found.text("backend", backend);
    found.text("server", server);
    found.whole("duration_ms", took.trim_start_matches('+'));
    found.whole("status", status);
    found.whole("bytes", bytes);
    found.text("state", state.trim_matches('-'));
    // A long request is cut before its quote.
    let request = enclosed(&mut rest, b'"', b'"').or_else(|| rest.strip_prefix('"')).unwrap_or_default();
    super::request::line(request, found);
    found.level(if is_http { status.parse().ok().and_then(Level::of_http_status) } else { Some(Level::Info) });
    Some(())
}

/// `7:M 20 Nov 2026 06:47:13.123 * text`.
pub(super) fn redis<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line;
    let process = digits(&mut rest)?;
    mark(&mut rest, ":")?;
    let role = word(&mut rest).filter(|role| role.len() == 1)?;
    let at = time(&mut rest, found.times)?;
    mark(&mut rest, " ")?;
    let level = match word(&mut rest)? {
        "." => Level::Debug,
        "-" | "*" => Level::Info,
        "#" => Level::Warn,
        _ => return None,
    };
    found.whole("pid", process);
    if !matches!(role, "M" | "S" | "C" | "X") {
        return None;
    }
    found.text("role", role);
    found.time_at_head(at);
    found.again("message", rest);
    found.level(Some(level));
    Some(())
}

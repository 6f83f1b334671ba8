//! Access logs: `clf` and `combined`, as Apache and nginx write them and as their users and other servers extend them.

use types::Level;

use super::cursor::{enclosed, is_digits, word};
use super::parts::PartSink;
use super::request;

/// The common format.
pub(super) fn common<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line.trim_start();
    access(&mut rest, found)
}

/// The combined format, and what servers are told to write behind it.
pub(super) fn combined<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line.trim_start();
    access(&mut rest, found)?;
    // A time in seconds may stand before the referrer, which may be missing without quotes.
    let seconds = |word: &&str| word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if rest.starts_with(|c: char| c.is_ascii_digit())
        && let Some(took) = rest.split(' ').next().filter(seconds)
    {
        found.seconds(took);
        word(&mut rest);
    }
    match rest.strip_prefix("- \"") {
        Some(_) => rest = &rest[2..],
        None => found.quoted("referer", enclosed(&mut rest, b'"', b'"')?),
    }
    // A line that was cut ends within the last text.
    let agent = enclosed(&mut rest, b'"', b'"').or_else(|| rest.strip_prefix('"'))?;
    found.quoted("user_agent", agent);
    extensions(rest, found);
    Some(())
}

/// The address that a proxy saw in quotes; a time in seconds, which has a point, or with its unit; Traefik's number, router and
/// server. Whole numbers may be anything: microseconds, bytes of the request, a port.
fn extensions<'t>(mut rest: &'t str, found: &mut PartSink<'t, '_>) {
    if rest.starts_with('"') {
        found.text("forwarded", enclosed(&mut rest, b'"', b'"').unwrap_or_default());
    }
    let mut n_words = 0;
    while n_words < 4 && !rest.starts_with('"') {
        let Some(value) = word(&mut rest) else { return };
        let seconds = value.strip_prefix("rt=").or_else(|| value.strip_prefix("request_time=")).unwrap_or(value);
        if seconds.contains('.') && seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return found.seconds(seconds);
        }
        n_words += 1;
    }
    let router = enclosed(&mut rest, b'"', b'"');
    let server = enclosed(&mut rest, b'"', b'"');
    if let (Some(router), Some(server), Some(took)) =
        (router, server, rest.strip_suffix("ms").filter(|ms| is_digits(ms)))
    {
        found.text("router", router);
        found.text("upstream", server);
        found.whole("duration_ms", took);
    }
}

fn access<'t>(rest: &mut &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    // Django's own server names no client; what writes a log anew puts a time of its own in front.
    if let Some((_, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once("] "))
        && !behind.starts_with('"')
    {
        *rest = behind;
    }
    if !rest.starts_with('[') {
        client_and_user(rest, found)?;
    }
    let time = match enclosed(rest, b'[', b']') {
        Some(time) => time,
        None => unbracketed_time(rest)?,
    };
    let is_time = time.len() >= 19 && time.as_bytes()[0].is_ascii_digit() || !time.contains(' ');
    if !is_time {
        return None;
    }
    found.again("time", time);
    found.time(time);
    let Some(quoted) = enclosed(rest, b'"', b'"') else {
        // A line that was cut ends within the request.
        let request = std::mem::take(rest).strip_prefix('"')?;
        return request::line(request, found).filter(|()| request.contains(" /"));
    };
    if request::line(quoted, found).is_none() {
        found.text("path", quoted);
    }
    let status = word(rest)?;
    let is_status = status.len() == 3 && is_digits(status) || status == "-";
    *rest = request::without_reason(rest);
    let bytes = if rest.is_empty() { "-" } else { rest.split(' ').next()? };
    if !is_status {
        return None;
    }
    found.whole("status", status);
    if bytes == "-" || is_digits(bytes) {
        word(rest);
        found.whole("bytes", bytes);
    } else if !bytes.starts_with(['/', '"']) {
        return None;
    }
    found.level(status.parse().ok().and_then(Level::of_http_status));
    Some(())
}

/// What stands before the time: `[vhost] client ident user`.
fn client_and_user<'t>(rest: &mut &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let first = word(rest)?;
    let mut second = word(rest)?;
    // Kubernetes' ingress names the address that a proxy saw.
    let behind = rest.strip_prefix('[').and_then(|rest| rest.strip_prefix(first)?.strip_prefix("] "));
    if let Some(behind) = behind.filter(|_| second == "-") {
        *rest = behind;
        second = word(rest)?;
    }
    // A virtual host stands before the client, which is then followed by two more words before the time.
    let has_host = !rest.starts_with('[') && second != "-" && is_client(second) && {
        let mut ahead = *rest;
        word(&mut ahead).is_some() && word(&mut ahead).is_some() && ahead.starts_with('[')
    };
    let (client, ident) = if has_host {
        found.text("vhost", first);
        (second, word(rest)?)
    } else if second.contains(['.', ':']) {
        // Lighttpd has the host that was asked for there.
        found.text("vhost", second);
        (first, "-")
    } else {
        (first, second)
    };
    // A user may have blanks in it: it ends where the time begins.
    let end = match rest.split_once(" [") {
        _ if rest.starts_with('[') => 0,
        Some((user, _)) => user.len(),
        None => crate::find::find_short(rest.as_bytes(), b" \"")?.checked_sub(TIME_BYTES)?,
    };
    let (user, behind) = rest.split_at_checked(end)?;
    *rest = behind.trim_start_matches(' ');
    found.text("client", client);
    found.text("ident", ident);
    found.text("user", user.trim_end_matches(' '));
    Some(())
}

/// Bytes of `20/Nov/2026:06:00:00 +0000`.
const TIME_BYTES: usize = 26;

/// The time as PHP's process manager writes it, without brackets.
fn unbracketed_time<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let (time, behind) = rest.split_at_checked(TIME_BYTES)?;
    *rest = behind.strip_prefix(' ').filter(|_| crate::time::time_end(time.as_bytes()) == Some(TIME_BYTES))?;
    Some(time)
}

/// Whether a word is an address of a client that stands behind a virtual host.
fn is_client(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')) && word.contains(['.', ':'])
}

//! Access logs: `clf` and `combined`, as Apache and nginx write them and as their users extend them.

use types::Level;

use super::cursor::{enclosed, word};
use super::parts::PartSink;

/// The common format.
pub(super) fn common<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line.trim_start();
    access(&mut rest, found)
}

/// The combined format. What may follow is the time that the request took, in seconds with a point or in microseconds,
/// and more in quotes, such as the address that a proxy saw.
pub(super) fn combined<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line.trim_start();
    access(&mut rest, found)?;
    found.again("referrer", enclosed(&mut rest, b'"', b'"')?);
    found.again("agent", enclosed(&mut rest, b'"', b'"')?);
    if rest.starts_with('"') {
        found.text("forwarded", enclosed(&mut rest, b'"', b'"').unwrap_or_default());
    }
    if let Some(took) = word(&mut rest) {
        let took = took.strip_prefix("rt=").unwrap_or(took);
        if took.as_bytes().first().is_some_and(u8::is_ascii_digit) {
            found.number("took", took);
        }
    }
    Some(())
}

pub(crate) fn access<'t>(rest: &mut &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let first = word(rest)?;
    let second = word(rest)?;
    // A virtual host stands before the client, which is then followed by two more words before the time.
    let has_host = !rest.starts_with('[') && second != "-" && is_client(second) && {
        let mut ahead = *rest;
        word(&mut ahead).is_some() && word(&mut ahead).is_some() && ahead.starts_with('[')
    };
    let (client, ident) = if has_host {
        found.text("vhost", first);
        (second, word(rest)?)
    } else {
        (first, second)
    };
    // A user may have blanks in it: it ends where the time begins.
    let (user, behind) = rest.split_once(" [")?;
    *rest = &rest[rest.len() - behind.len() - 1..];
    let time = enclosed(rest, b'[', b']')?;
    let request = enclosed(rest, b'"', b'"')?;
    let (status, bytes) = (word(rest)?, word(rest)?);
    let is_status = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    let is_size = bytes == "-" || bytes.bytes().all(|byte| byte.is_ascii_digit());
    if !is_status || !is_size {
        return None;
    }
    let (method, target) = request.split_once(' ').unwrap_or(("", request));
    let (path, protocol) = match target.rsplit_once(' ') {
        Some((path, protocol)) if protocol.starts_with("HTTP/") => (path, protocol),
        _ => (target, ""),
    };
    found.text("client", client);
    found.text("ident", ident);
    found.text("user", user);
    found.again("time", time);
    found.text("method", method);
    found.text("path", path);
    found.text("protocol", protocol);
    found.whole("status", status);
    found.whole("bytes", bytes);
    found.level(status.parse().ok().and_then(Level::of_http_status));
    Some(())
}

/// Whether a word is an address of a client that stands behind a virtual host.
fn is_client(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')) && word.contains(['.', ':'])
}

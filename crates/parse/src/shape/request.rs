//! Requests as proxies and application servers log them: Envoy, Squid, uWSGI, and those within a text.

use types::Level;

use super::cursor::{digits, enclosed, is_digits, mark, word};
use super::parts::PartSink;
use crate::colour;

/// Bytes of a text in which a request is looked for.
const TEXT_BYTES_MAX: usize = 2_048;

/// Bytes before the path of a request without quotes.
const BARE_BYTES_MAX: usize = 96;

/// Methods of requests without quotes.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// `GET /path HTTP/1.1`, perhaps with colours around it, and perhaps without the protocol.
pub(super) fn line<'t>(request: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let (method, target) = without_colours(request).split_once(' ')?;
    let (path, protocol) = match target.rsplit_once(' ') {
        Some((path, protocol)) if protocol.starts_with("HTTP/") || is_protocol(protocol) => (path, protocol),
        _ => (target, ""),
    };
    if !(1..=32).contains(&method.len()) {
        return None;
    }
    found.text("method", method);
    found.text("path", path);
    found.text("protocol", protocol);
    Some(())
}

/// `HTTP/1.1`, and other protocols that requests are written in.
fn is_protocol(word: &str) -> bool {
    let (name, version) = word.split_once('/').unwrap_or_default();
    let is_name = (3..=5).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase());
    is_name && version.starts_with(|c: char| c.is_ascii_digit())
}

/// A text without escape sequences of a terminal at its ends.
fn without_colours(mut text: &str) -> &str {
    while text.starts_with("\u{1b}[") {
        text = &text[colour::end(text.as_bytes(), 0)..];
    }
    while let Some((before, codes)) = text.strip_suffix('m').and_then(|text| text.rsplit_once("\u{1b}[")) {
        if !codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';') {
            break;
        }
        text = before;
    }
    text
}

/// `192.0.2.1:50582 - "GET /path HTTP/1.1" 200 12` within a text of another form, and the lines of Amazon's load balancers.
pub(super) fn any<'t>(text: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let may_have = |mark: u8| !found.times.lacks(text, mark) && memchr::memchr(mark, text.as_bytes()).is_some();
    // Most lines have neither bars nor quotes.
    let (has_bars, has_quotes) = (may_have(b'|'), may_have(b'"'));
    if has_bars && found.attempt(|found| barred(text, found)).is_some() {
        return Some(());
    }
    if !has_quotes {
        return if found.times.lacks(text, b'/') { None } else { found.attempt(|found| bare(text, found)) };
    }
    if found.attempt(|found| balancer(text, found)).is_some() {
        return Some(());
    }
    let status = in_text(text, found)?;
    level_of_status(text, status, found);
    Some(())
}

/// The level of a request is that of its status, unless the text has one.
pub(super) fn level_of_status(text: &str, status: &str, found: &mut PartSink<'_, '_>) {
    if crate::level_of_text(text).is_none() {
        found.level(status.parse().ok().and_then(Level::of_http_status));
    }
}

/// `[GIN] 2026/11/20 - 06:47:13 | 200 | 8.29µs | 192.0.2.1 | GET "/path"`, `06:47:13 | 200 | 1ms | 192.0.2.1 | GET | /path | -`: the
/// columns of Go's web frameworks.
fn barred<'t>(text: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut columns = text.split('|').map(|column| without_colours(column.trim())).skip(1);
    let mut next = || columns.next().map(str::trim);
    let status = next().filter(|status| is_status(status))?;
    let (took, client) = (next()?, next()?);
    let request = next()?;
    let (method, path) = match request.split_once(' ') {
        Some((method, path)) => (without_colours(method), without_colours(path.trim()).trim_matches([' ', '"'])),
        None => (request, next()?),
    };
    if !METHODS.contains(&method) || !path.starts_with('/') {
        return None;
    }
    found.text("client", client);
    found.text("method", method);
    found.text("path", path);
    found.whole("status", status);
    if let Some(millis) = millis_of(took) {
        found.millis(millis);
    }
    level_of_status(text, status, found);
    Some(())
}

/// The milliseconds of `8.29µs`, `1.5ms` or `2s`.
fn millis_of(took: &str) -> Option<f64> {
    let digits = took.trim_end_matches(|c: char| c.is_alphabetic());
    let unit = match &took[digits.len()..] {
        "ns" => 1e-6,
        "µs" | "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        _ => return None,
    };
    digits.parse::<f64>().ok().filter(|number| (0.0..1e9).contains(number)).map(|number| number * unit)
}

fn is_status(text: &str) -> bool {
    text.len() == 3 && is_digits(text) && matches!(text.as_bytes()[0], b'1'..=b'5')
}

/// `GET /path 200 12 - 1.351 ms`, `192.0.2.1 - GET /path HTTP/1.1 404 12`: a request without quotes before its status, which
/// no word of a sentence follows.
fn bare<'t>(text: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let slash = crate::find::find_short(&text.as_bytes()[..text.len().min(BARE_BYTES_MAX)], b" /")?;
    let before = text[..slash].trim_end_matches(|c: char| c.is_ascii_uppercase());
    let method = text.get(before.len()..slash).filter(|method| METHODS.contains(method))?;
    let (path, mut rest) = text[slash + 1..].split_once(' ')?;
    let protocol = if rest.starts_with("HTTP/") { word(&mut rest)? } else { "" };
    let rest = &rest[rest.len() - colour::without_leading(rest.as_bytes()).len()..];
    let status = rest.get(..3).filter(|status| is_status(status))?;
    let behind = &rest[3..];
    let next = colour::without_leading(behind.as_bytes());
    if !behind.is_empty() && !matches!(next, [] | [b' ', b'0'..=b'9' | b'-' | b'A'..=b'Z', ..]) {
        return None;
    }
    let client = before.split(' ').next().unwrap_or_default();
    if is_address(client) {
        found.text("client", client);
    }
    found.text("method", method);
    found.text("path", path);
    found.text("protocol", protocol);
    found.whole("status", status);
    level_of_status(text, status, found);
    Some(())
}

/// `[https ]TIME name 192.0.2.1:2817 10.0.0.7:80 0.001 0.086 0.000 200 200 34 366 "GET http://shop.example/ HTTP/1.1" "agent"`.
fn balancer<'t>(text: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = text;
    if rest.starts_with(|c: char| c.is_ascii_lowercase()) {
        word(&mut rest)?;
    }
    let time = word(&mut rest)?;
    let name = word(&mut rest)?;
    let (client, port) = word(&mut rest)?.rsplit_once(':').filter(|(_, port)| is_digits(port))?;
    let upstream = word(&mut rest)?;
    let mut times = [0.0; 3];
    for seconds in &mut times {
        *seconds = word(&mut rest)?.parse::<f64>().ok().filter(|seconds| (-1.0..1e6).contains(seconds))?;
    }
    let status = word(&mut rest).filter(|status| is_digits(status) && status.len() == 3)?;
    word(&mut rest)?;
    let (received, sent) = (word(&mut rest)?, word(&mut rest)?);
    line(enclosed(&mut rest, b'"', b'"')?, found)?;
    found.quoted("user_agent", enclosed(&mut rest, b'"', b'"').unwrap_or_default());
    found.time(time);
    found.text("balancer", name);
    found.text("client", client);
    found.whole("clientPort", port);
    found.text("upstream", upstream);
    // -1 stands for a request that no server took.
    if times.iter().all(|seconds| *seconds >= 0.0) {
        found.millis((times.iter().sum::<f64>() * 1e6).round() / 1e3);
    }
    found.whole("status", status);
    found.whole("bytes_received", received);
    found.whole("bytes", sent);
    found.level(status.parse().ok().and_then(Level::of_http_status));
    Some(())
}

/// `192.0.2.1:50582 - "GET /path HTTP/1.1" 200 12` within a text; returns the status.
pub(super) fn in_text<'t>(text: &'t str, found: &mut PartSink<'t, '_>) -> Option<&'t str> {
    if found.times.lacks(text, b'"') {
        return None;
    }
    let head = &text.as_bytes()[..text.len().min(TEXT_BYTES_MAX)];
    memchr::memchr(b'"', head)?;
    let protocol = crate::find::find_short(head, b" HTTP/")?;
    let start = memchr::memrchr(b'"', &head[..protocol])?;
    let mut rest = &text[start..];
    let request = enclosed(&mut rest, b'"', b'"')?;
    // Chi has the client behind the request: `"GET / HTTP/1.1" from 192.0.2.1:44176 - 200 2B in 12µs`.
    let from = rest.strip_prefix("from ").and_then(|behind| behind.split_once(" - "));
    rest = from.map_or(rest, |(_, behind)| behind);
    let status = rest.split([' ', ',']).next().filter(|status| status.len() == 3 && is_digits(status))?;
    line(request, found)?;
    // An access log's line may be the text of another form.
    let before = from.map_or(&text[..start], |(client, _)| client).trim_end_matches(['-', ' ']);
    let before =
        before.strip_suffix(']').and_then(|before| before.rsplit_once(" - - [")).map_or(before, |(before, _)| before);
    let client = before.rsplit(' ').next().unwrap_or_default().trim_start_matches('/');
    if let Some((address, port)) =
        client.rsplit_once(':').filter(|(address, port)| is_digits(port) && is_address(address))
    {
        found.text("client", address);
        found.whole("clientPort", port);
    } else if is_address(client) {
        found.text("client", client);
    }
    found.whole("status", status);
    let mut behind = without_reason(rest.get(status.len() + 1..).unwrap_or_default());
    if let (Some(bytes), Some(referer), Some(agent)) = (digits(&mut behind), quoted(&mut behind), quoted(&mut behind)) {
        found.whole("bytes", bytes);
        found.quoted("referer", referer);
        found.quoted("user_agent", agent);
    }
    Some(status)
}

/// Returns what follows the reason phrase of a status: `12` of `Not Found 12`.
pub(super) fn without_reason(mut rest: &str) -> &str {
    while rest.starts_with(|c: char| c.is_ascii_uppercase()) {
        rest = rest.split_once(' ').unwrap_or_default().1;
    }
    rest
}

/// A blank and a text in quotes.
fn quoted<'t>(rest: &mut &'t str) -> Option<&'t str> {
    mark(rest, " \"")?;
    let end = memchr::memchr(b'"', rest.as_bytes())?;
    let (inside, behind) = rest.split_at(end);
    *rest = &behind[1..];
    Some(inside)
}

fn is_address(text: &str) -> bool {
    text.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

/// `[2026-11-20T06:47:13.123Z] "GET / HTTP/1.1" 200 - 0 91 12 11 "forwarded" "agent" "id" "authority" "upstream"`: Envoy's, in which
/// Istio has up to three words more behind the flags.
pub(super) fn envoy<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line;
    let time = enclosed(&mut rest, b'[', b']')?;
    let request = enclosed(&mut rest, b'"', b'"')?;
    let status = word(&mut rest).filter(|status| is_digits(status) && status.len() <= 3)?;
    let flags = word(&mut rest)?;
    for _ in 0..3 {
        match rest.bytes().next()? {
            b'0'..=b'9' => break,
            b'"' => enclosed(&mut rest, b'"', b'"')?,
            _ => word(&mut rest)?,
        };
    }
    let [received, sent, took] = [word(&mut rest)?, word(&mut rest)?, word(&mut rest)?];
    word(&mut rest)?;
    if !is_digits(received) || !is_digits(sent) {
        return None;
    }
    found.time(time);
    self::line(request.trim_matches(['-', ' ']), found);
    found.whole("status", status);
    found.text("flags", flags);
    found.whole("bytes_received", received);
    found.whole("bytes", sent);
    found.whole("duration_ms", took);
    for name in ["forwarded", "user_agent", "request_id", "vhost", "upstream"] {
        found.quoted(name, enclosed(&mut rest, b'"', b'"').unwrap_or_default());
    }
    found.level(status.parse().ok().and_then(Level::of_http_status));
    Some(())
}

/// `1795157233.123     33 192.0.2.1 TCP_MISS/200 44399 GET http://shop.example/ ann HIER_DIRECT/198.51.100.2 text/html`.
pub(super) fn squid<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut words = line.split_ascii_whitespace();
    let mut next = || words.next();
    let (time, took, client, result, bytes) = (next()?, next()?, next()?, next()?, next()?);
    let (method, url, user, hierarchy) = (next()?, next()?, next()?, next()?);
    let (cache, status) = result.split_once('/').filter(|(_, status)| status.len() == 3 && is_digits(status))?;
    let (hierarchy, server) = hierarchy.split_once('/')?;
    if !is_digits(took.trim_start_matches('-'))
        || !is_digits(bytes)
        || cache.bytes().any(|byte| byte.is_ascii_lowercase())
    {
        return None;
    }
    found.time(time);
    found.text("client", client);
    found.whole("duration_ms", took);
    found.text("cache", cache);
    // A request without an answer has none.
    if status != "000" {
        found.whole("status", status);
    }
    found.whole("bytes", bytes);
    found.text("method", method);
    found.text("path", url);
    found.text("user", user);
    found.text("hierarchy", hierarchy);
    found.text("server", server);
    found.text("content_type", next().unwrap_or_default());
    found.level(status.parse().ok().and_then(Level::of_http_status));
    Some(())
}

/// `[pid: 7|app: 0|req: 1/1] 192.0.2.1 (ann) {24 vars in 247 bytes} [Fri Nov 20 06:47:13 2026] GET / => generated 2 bytes in 0 msecs
/// (HTTP/1.1 200) …`.
pub(super) fn uwsgi<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line.strip_prefix("[pid: ")?;
    let process = digits(&mut rest)?;
    let (_, behind) = rest.split_once("] ")?;
    rest = behind;
    let client = if rest.starts_with('(') { "" } else { word(&mut rest)? };
    let user = enclosed(&mut rest, b'(', b')')?;
    enclosed(&mut rest, b'{', b'}')?;
    let time = enclosed(&mut rest, b'[', b']')?;
    let method = word(&mut rest)?;
    let (path, mut rest) = rest.split_once(" => generated ")?;
    let bytes = digits(&mut rest)?;
    mark(&mut rest, " bytes in ")?;
    let took = digits(&mut rest)?;
    let is_micros = rest.starts_with(" micros");
    let (protocol, status) = rest.split_once(" (")?.1.split_once(')')?.0.split_once(' ')?;
    found.time(time);
    found.whole("pid", process);
    found.text("client", client);
    found.text("user", user);
    found.text("method", method);
    found.text("path", path);
    found.text("protocol", protocol);
    found.whole("status", status);
    found.whole("bytes", bytes);
    found.whole(if is_micros { "duration_us" } else { "duration_ms" }, took);
    found.level(status.parse().ok().and_then(Level::of_http_status));
    Some(())
}

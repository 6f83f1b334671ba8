//! Which shapes a line may have, by what it begins with.

use super::Shape;
use crate::find::first_of;
use crate::signs::sign;
use crate::time::TimeMemo;

/// The shapes to try, in order. Where a line may have several, the one that asks for more comes first.
pub(super) fn candidates(line: &str, times: &TimeMemo) -> &'static [Shape] {
    use Shape::*;
    let b = line.as_bytes();
    let has = |mark: u8| times.learn_signs(b) & sign(mark) == 0;
    let (Some(first), Some(second)) = (b.first(), b.get(1)) else { return &[] };
    match (first, second) {
        (b'<', b'0'..=b'9') => &[Syslog],
        (b'R' | b'S' | b'E' | b'I', b'E' | b'T' | b'N') if is_lambda(b) => &[Lambda],
        (b'I' | b'W' | b'E' | b'F', b'0'..=b'9') => &[Klog],
        (b'C', b'E') if b.starts_with(b"CEF:") => &[Cef],
        (b'L', b'E') if b.starts_with(b"LEEF:") => &[Leef],
        (b'0'..=b'9', _) => of_digit(b, has),
        (b'A'..=b'Z', b',') if b.get(3) == Some(&b'[') => &[Application],
        (b'[', b'A'..=b'Z') => &[ApacheError],
        (b'[', b'0'..=b'9') if has(b'"') && is_access(b) => &[Envoy, CombinedLog, CommonLog],
        (b'[', b'0'..=b'9') => &[Application],
        (b'[', b'p') if b.starts_with(b"[pid: ") => &[Uwsgi],
        (b'C' | b'D' | b'E' | b'I' | b'N' | b'T' | b'W', b'A'..=b'Z') if is_level_start(b) => {
            &[PythonBasic, Application]
        }
        (b'A'..=b'Z', b'a' | b'e' | b'p' | b'u' | b'c' | b'o') if b.get(3) == Some(&b' ') => {
            &[Syslog, Application, Logfmt]
        }
        (b'a'..=b'z' | b'A'..=b'Z' | b':' | b'-', _) => {
            if has(b'"') && is_access(b) {
                &[CombinedLog, CommonLog, Logfmt]
            } else if has(b'[') && is_proxied(b) {
                &[Haproxy, Logfmt]
            } else {
                &[Logfmt]
            }
        }
        _ => &[],
    }
}

fn of_digit(b: &[u8], has: impl Fn(u8) -> bool) -> &'static [Shape] {
    use Shape::*;
    let n_digits = b.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    match (n_digits, b.get(n_digits)) {
        (1, Some(b' ')) => &[Vpc],
        (4, Some(b'-')) => match b.get(10) {
            Some(b'T') => &[Cri, Zap, Syslog, Application, Logfmt],
            _ if has_columns(b) => &[PostgresCsv],
            Some(b'\t') => &[W3c, Zap, Application, Logfmt],
            Some(b' ') if b.get(19) == Some(&b' ') && is_of_address(b) => &[W3c, Postgres, Zap, Application, Logfmt],
            _ => &[Postgres, Zap, Application, Logfmt],
        },
        (4, Some(b'/')) => &[NginxError, Application],
        (10, Some(b'.')) => &[Squid],
        (1..=8, Some(b':')) if b.get(n_digits + 1).is_some_and(u8::is_ascii_uppercase) => &[Redis],
        // Most lines that an address begins are of access logs.
        (1..=3, Some(b'.')) if is_access(b) => &[CombinedLog, CommonLog],
        _ if has(b'"') && is_access(b) => &[CombinedLog, CommonLog],
        _ if has(b'[') && is_proxied(b) => &[Haproxy],
        (2 | 6, Some(b'-' | b'/' | b' ' | b':')) | (8, Some(b'T')) => &[Application],
        _ => &[],
    }
}

/// Whether a text in quotes follows the time among what an access log begins with, which is in brackets or ends with its zone.
fn is_access(b: &[u8]) -> bool {
    crate::find::find_short(&b[..b.len().min(512)], b" \"").is_some_and(|at| {
        let is_zone = |zone: &[u8]| matches!(zone[0], b'+' | b'-') && zone[1..].iter().all(u8::is_ascii_digit);
        at > 0 && b[at - 1] == b']' || at > 5 && is_zone(&b[at - 5..at])
    })
}

/// Whether a client's port and a time in brackets come first.
fn is_proxied(b: &[u8]) -> bool {
    crate::find::find_short(&b[..b.len().min(64)], b" [").is_some_and(|at| {
        at > 0 && b[at - 1].is_ascii_digit() && b.get(at + 4) == Some(&b'/') && b[..at].contains(&b':')
    })
}

/// Reports whether an address, a method and a path follow the time.
fn is_of_address(b: &[u8]) -> bool {
    b.get(20).is_some_and(u8::is_ascii_hexdigit)
        && crate::find::find_short(&b[..b.len().min(80)], b" /").is_some_and(|at| b[at - 1].is_ascii_uppercase())
}

/// Whether a column follows the time and its zone.
fn has_columns(b: &[u8]) -> bool {
    let head = &b[..b.len().min(40)];
    let at = first_of(head, b',', b',');
    at > 22 && at < head.len() && b[at - 1].is_ascii_alphanumeric()
}

fn is_lambda(b: &[u8]) -> bool {
    [&b"REPORT RequestId: "[..], b"START RequestId: ", b"END RequestId: ", b"INIT_START "]
        .iter()
        .any(|start| b.starts_with(start))
}

fn is_level_start(b: &[u8]) -> bool {
    let end = b.iter().take(9).position(|byte| !byte.is_ascii_uppercase()).unwrap_or(0);
    b.get(..end).and_then(|word| std::str::from_utf8(word).ok()).is_some_and(|word| types::Level::parse(word).is_some())
}

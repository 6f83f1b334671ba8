//! What the rules of masks look for: places of addresses, card numbers, secrets and IP addresses in a text.
//!
//! Each finder first asks for the form by a regular expression, then for what no expression can say (check digits, what
//! stands around it). Every pass is linear in the text.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Takes each place that is found.
pub type Take<'t> = dyn FnMut(Range<usize>) + 't;

/// Finds all places of one kind.
pub type Find = fn(&str, &mut Take<'_>);

/// The kinds, by the names that they have in definitions.
pub const RULES: [(&str, Find); 4] = [("email", emails), ("card", cards), ("token", tokens), ("ip", addresses)];

fn regex(source: &str) -> Regex {
    Regex::new(source).expect("a test compiles every expression of this file")
}

/// E-mail addresses, the sign in them perhaps as `%40`.
pub fn emails(text: &str, take: &mut Take<'_>) {
    static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
        regex(concat!(
            r"[\p{L}\p{N}_](?:[\p{L}\p{N}.!#$%&*^|~+_-]*[\p{L}\p{N}_+-])?(?:@|%40)",
            r"[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?)*\.\p{L}[\p{L}-]*\p{L}"
        ))
    });
    if memchr::memchr2(b'@', b'%', text.as_bytes()).is_some() {
        EMAIL.find_iter(text).for_each(|found| take(found.range()));
    }
}

/// Payment card numbers: right length, issuer and check digit, in one piece or in groups.
pub fn cards(text: &str, take: &mut Take<'_>) {
    static RUN: LazyLock<Regex> = LazyLock::new(|| regex("[0-9](?:[ -]?[0-9]){12,}"));
    for run in RUN.find_iter(text) {
        let mut groups: Vec<Range<usize>> = Vec::new();
        for (at, byte) in run.as_str().bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
            let at = run.start() + at;
            debug_assert!(byte.is_ascii_digit());
            match groups.last_mut() {
                Some(last) if last.end == at => last.end += 1,
                _ => groups.push(at..at + 1),
            }
        }
        let mut first = 0;
        while first < groups.len() {
            match card_from(text, &groups[first..]) {
                Some(n_groups) => {
                    take(groups[first].start..groups[first + n_groups - 1].end);
                    first += n_groups;
                }
                None => first += 1,
            }
        }
    }
}

/// How many of the groups make up a card number, the first included; the longest that does.
fn card_from(text: &str, groups: &[Range<usize>]) -> Option<usize> {
    let (mut digits, mut found) = (Vec::with_capacity(19), None);
    for (index, group) in groups.iter().enumerate() {
        digits.extend(text.as_bytes()[group.clone()].iter().map(|byte| byte - b'0').take(20));
        if digits.len() > 19 {
            break;
        }
        // In groups: four digits first, then four to six, the last may be shorter.
        let is_grouped = groups[0].len() == 4 && (group.len() >= 3 || index >= 4);
        if index > 0 && !is_grouped {
            break;
        }
        let place = groups[0].start..group.end;
        if is_card(&digits) && stands_alone(text, &place) {
            found = Some(index + 1);
        }
    }
    found
}

/// Whether no longer word or number goes on before or behind the place.
fn stands_alone(text: &str, place: &Range<usize>) -> bool {
    let b = text.as_bytes();
    let mut before = b[..place.start].iter().rev();
    let is_free_before = match before.next() {
        Some(b'.') => !before.next().is_some_and(u8::is_ascii_digit),
        Some(b'-') => !before.next().is_some_and(u8::is_ascii_alphanumeric),
        Some(byte) => !byte.is_ascii_alphanumeric(),
        None => true,
    };
    let mut behind = b[place.end..].iter();
    let is_free_behind = match behind.next() {
        Some(b'.' | b'-') => !behind.next().is_some_and(u8::is_ascii_alphanumeric),
        Some(byte) => !byte.is_ascii_alphanumeric(),
        None => true,
    };
    is_free_before && is_free_behind
}

/// Issuer and length belong together, and the check digit is right (Luhn).
fn is_card(digits: &[u8]) -> bool {
    if digits.len() < 13 {
        return false;
    }
    let prefix = |n: usize| digits[..n].iter().fold(0u32, |number, digit| number * 10 + u32::from(*digit));
    let n = digits.len();
    let is_issued = match prefix(4) {
        // Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro.
        4000..=4999 => matches!(n, 13 | 16 | 19),
        5100..=5599 | 2221..=2720 => n == 16,
        3400..=3499 | 3700..=3799 => n == 15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => n == 14 || n == 16,
        6011 | 6440..=6599 => matches!(n, 16..=19),
        3528..=3589 => matches!(n, 16..=19),
        6200..=6299 | 8100..=8171 => matches!(n, 16..=19),
        5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => true,
        _ => false,
    };
    let sum = digits.iter().rev().enumerate().fold(0u32, |sum, (place, digit)| {
        let doubled = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
        sum + if doubled > 9 { doubled - 9 } else { doubled }
    });
    is_issued && sum % 10 == 0 && digits.iter().any(|digit| *digit != digits[0])
}

/// Keys whose value is a secret.
const SECRET_KEYS: &str = concat!(
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret|api[_-]?key|apikey|access[_-]?key|secret[_-]?(?:access[_-]?)?key|",
    r"private[_-]?key|account[_-]?key|signing[_-]?key|encryption[_-]?key|credentials?|authorization|",
    r"session[_-]?(?:id|key|token)|(?:set-)?cookie|(?:access|refresh|id|auth|bearer|csrf|xsrf|api|client|security)[_-]?token|",
    r"client[_-]?secret|x-amz-signature|token)"
);

/// Whether the last part of a field's name says that its value is a secret.
pub fn is_secret_name(name: &str) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| regex(&format!("(?i)^(?:.*[._-])?{SECRET_KEYS}$")));
    NAME.is_match(name)
}

/// Tokens, keys and passwords: those that have a form of their own, and what stands behind a key that says so.
pub fn tokens(text: &str, take: &mut Take<'_>) {
    static FORMS: LazyLock<Regex> = LazyLock::new(|| {
        regex(concat!(
            r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*",
            r"|\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ABIA|ACCA)[A-Z2-7]{16}\b",
            r"|\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,})",
            r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bsk-[A-Za-z0-9_-]{20,}|\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
            r"|\bAIza[0-9A-Za-z_-]{35}",
            r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
        ))
    });
    static SCHEME: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)\b(?:bearer|basic)\s+([A-Za-z0-9._~+/-]{8,}=*)"));
    static URL: LazyLock<Regex> = LazyLock::new(|| regex(r#"://[^\s/:@"']*:([^\s/@"']+)@"#));
    FORMS.find_iter(text).for_each(|found| take(found.range()));
    for (finder, is_sure) in [(&*SCHEME, false), (&*URL, true)] {
        for found in finder.captures_iter(text).filter_map(|captures| captures.get(1)) {
            if is_sure || looks_random(found.as_str()) {
                take(found.range());
            }
        }
    }
    values_of_keys(text, take);
}

/// `password=…`, `"token": "…"`, `Authorization: Basic …`.
fn values_of_keys(text: &str, take: &mut Take<'_>) {
    static VALUE: LazyLock<Regex> = LazyLock::new(|| {
        regex(&format!(
            concat!(
                r#"(?i)(?:^|[^a-z0-9])({})(?:\\*["'])?(\s*(?:=|:|=>)\s*)"#,
                r#"(?:(?:bearer|basic|digest|token|negotiate)\s+)?"#,
                r#"(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|\\+"([^"\\]*)|([^\s"'\\&,;)}}\]{{\[]+))"#
            ),
            SECRET_KEYS
        ))
    });
    for captures in VALUE.captures_iter(text) {
        let Some(found) = (3..=6).find_map(|group| captures.get(group)) else { continue };
        let (key, sign) = (captures.get(1), captures.get(2));
        // `unexpected token: end of line`: prose has a blank behind its colon, and words.
        let is_bare = captures.get(6).is_some() && sign.is_some_and(|sign| sign.as_str().ends_with(' '));
        let is_prose = is_bare && key.is_some_and(|key| key.as_str().eq_ignore_ascii_case("token"));
        let value = found.as_str();
        let says_nothing = matches!(value, "" | "null" | "nil" | "none" | "None" | "true" | "false" | "undefined")
            || value.bytes().all(|byte| byte == b'*');
        if !says_nothing && (!is_prose || looks_random(value)) {
            take(found.range());
        }
    }
}

/// Whether a word is none that people write: it has digits, or capital letters within.
fn looks_random(word: &str) -> bool {
    let b = word.as_bytes();
    let is_mixed = b.iter().any(u8::is_ascii_lowercase) && b.iter().skip(1).any(u8::is_ascii_uppercase);
    b.iter().any(u8::is_ascii_digit) || is_mixed || b.ends_with(b"=")
}

/// IP addresses of both versions.
pub fn addresses(text: &str, take: &mut Take<'_>) {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| regex(r"[0-9A-Fa-f:.]*[.:][0-9A-Fa-f:.]+"));
    for found in ADDRESS.find_iter(text) {
        let b = text.as_bytes();
        let is_inner = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if is_inner(b[..found.start()].last()) || is_inner(b.get(found.end())) {
            continue;
        }
        // What stands around it: the end of a sentence, a port.
        let start = found.start() + (found.as_str().len() - found.as_str().trim_start_matches('.').len());
        let core = text[start..found.end()].trim_end_matches('.');
        if let Some(n_bytes) = address_length(core) {
            take(start..start + n_bytes);
        }
    }
}

/// The length of the address that a text begins with, and has a port or nothing behind.
fn address_length(text: &str) -> Option<usize> {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if has_digit && text.parse::<Ipv6Addr>().is_ok() {
        return Some(text.len());
    }
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    if is_ipv4(host) && port.trim_end_matches(':').bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(host.len());
    }
    let without = text.trim_end_matches(':');
    (has_digit && without.len() + 1 == text.len() && without.parse::<Ipv6Addr>().is_ok()).then_some(without.len())
}

fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests;

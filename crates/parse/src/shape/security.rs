//! What security devices write: ArcSight's Common Event Format, and QRadar's Log Event Extended Format.

use types::Level;

use super::cursor::is_digits;
use super::parts::PartSink;

/// Pairs that are read.
const PAIRS_MAX: usize = 500;

/// `CEF:0|vendor|product|version|class|name|severity|key=value with blanks key=value`.
pub(super) fn cef<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    const NAMES: [&str; 6] =
        ["deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "deviceSeverity"];
    let mut rest = line.strip_prefix("CEF:")?;
    is_digits(header_piece(&mut rest)?.trim_matches([' ', '.'])).then_some(())?;
    let mut severity = "";
    for name in NAMES {
        severity = header_piece(&mut rest)?;
        found.barred(name, severity);
    }
    level(severity, found);
    let mut pairs = Vec::new();
    let mut rest = rest.trim();
    while let Some(equals) = unguarded_equals(rest).filter(|_| pairs.len() < PAIRS_MAX) {
        // A value ends where the word before the next sign of equality begins.
        let value = rest[equals + 1..].trim_start_matches(' ');
        let end = unguarded_equals(value).map_or_else(|| value.len(), |next| value[..next].rfind(' ').unwrap_or(0));
        let (value, behind) = value.split_at(end);
        pairs.push((&rest[..equals], value.trim_end()));
        rest = behind.trim_start();
    }
    extension(&pairs, found);
    Some(())
}

/// `LEEF:2.0|vendor|product|version|event|^|key=value^key=value`: a tab where version 2 names no other sign.
pub(super) fn leef<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line.strip_prefix("LEEF:")?;
    let version = header_piece(&mut rest)?;
    for name in ["deviceVendor", "deviceProduct", "deviceVersion", "eventId"] {
        found.barred(name, header_piece(&mut rest)?);
    }
    let mut mark = '\t';
    if version.starts_with('2')
        && let Some((sign, behind)) = rest.split_once('|').filter(|(sign, _)| sign.len() <= 5 && !sign.contains('='))
    {
        rest = behind;
        let code = sign.trim_start_matches(['0', '\\']).strip_prefix(['x', 'X']);
        let code = code.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        mark = code.or(sign.chars().next()).unwrap_or('\t');
    }
    let pairs: Vec<_> = rest.split(mark).take(PAIRS_MAX).filter_map(|pair| pair.split_once('=')).collect();
    let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| (key.trim(), value.trim_end())).collect();
    if let Some((_, severity)) = pairs.iter().find(|(key, _)| *key == "sev") {
        level(severity, found);
    }
    extension(&pairs, found);
    Some(())
}

/// A piece of a header, up to the next bar that no backslash stands before.
fn header_piece<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let mut is_escaped = false;
    let end = rest.bytes().position(|byte| {
        let was_escaped = std::mem::take(&mut is_escaped);
        is_escaped = byte == b'\\' && !was_escaped;
        byte == b'|' && !was_escaped
    })?;
    let (piece, behind) = rest.split_at(end);
    *rest = &behind[1..];
    Some(piece)
}

/// The first sign of equality behind a key, which no backslash stands before.
fn unguarded_equals(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'=', bytes).find(|at| {
        let key = bytes[..*at].rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let is_sign =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'[' | b']' | b':');
        !key.is_empty() && key.iter().all(is_sign)
    })
}

/// Gives the pairs as fields: also under its label what `cs1Label` names, and the time that the device says.
fn extension<'t>(pairs: &[(&'t str, &'t str)], found: &mut PartSink<'t, '_>) {
    for (key, value) in pairs {
        if value.is_empty() || key.len() > 64 {
            continue;
        }
        found.barred_pair(key, value);
        if let Some(base) = key.strip_suffix("Label")
            && let Some((_, labelled)) = pairs.iter().find(|(name, _)| *name == base)
        {
            found.barred_pair(value, labelled);
        }
    }
    let time = ["rt", "devTime", "end", "start"].iter().find_map(|name| pairs.iter().find(|(key, _)| key == name));
    if let Some((_, time)) = time {
        found.time(time);
    }
}

/// Takes a severity of 0 to 10, or in words, where no header says a level that its device means.
fn level(severity: &str, found: &mut PartSink<'_, '_>) {
    if found.has_no_level() {
        found.level(match severity.trim() {
            "0" | "1" | "2" | "3" | "Low" | "Unknown" => Some(Level::Info),
            "4" | "5" | "6" | "Medium" => Some(Level::Warn),
            "7" | "8" | "High" => Some(Level::Error),
            "9" | "10" | "Very-High" => Some(Level::Fatal),
            word => Level::parse(word),
        });
    }
}

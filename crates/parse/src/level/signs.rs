//! Levels in the forms of single programs: letters, digits and states that mean a level nowhere else.

use types::Level;

use super::place::Place;
use super::words::{any_level, upper_level, word_before_colon};

/// What a line says by its first bytes; `Some(None)` where it is one that has no level.
pub(super) fn of_start(line: &[u8]) -> Option<Option<Level>> {
    match line.first()? {
        letter @ (b'I' | b'W' | b'E' | b'F') if line.get(1).is_some_and(u8::is_ascii_digit) => {
            glog(*letter, line).map(Some)
        }
        b'<' => priority(line).map(Some),
        b'=' if line.len() > 8 && line[1].is_ascii_uppercase() => erlang(line).map(Some),
        b'#' if line.get(1) == Some(&b' ') => Some(None),
        // A heading, unless it ends at a word with a colon.
        mark @ (b'-' | b'=' | b'*' | b'#' | b'_') if line.starts_with(&[*mark; 3]) => {
            let n_marks = line.iter().take_while(|byte| *byte == mark).count();
            let word = line[n_marks..].trim_ascii_start().split(|byte| *byte == b' ').next()?;
            if line.get(n_marks) == Some(&b'<') {
                None
            } else {
                Some(word.strip_suffix(b":").and_then(|word| upper_level(word).or_else(|| word_before_colon(word))))
            }
        }
        _ => None,
    }
}

/// The level that a command line gives what it says of its input, or of itself, by its first words: `parse error: `,
/// `Error, `, `npm warn`, `E: `.
pub(super) fn of_command(word: &[u8], place: &Place<'_>) -> Option<Level> {
    match word {
        b"Error," => Some(Level::Error),
        b"E:" | b"W:" => letter(word[0]),
        // Java's loggers on themselves.
        b"log4j:WARN" | b"SLF4J(W):" => Some(Level::Warn),
        b"log4j:ERROR" | b"SLF4J(E):" => Some(Level::Error),
        b"npm" => any_level(place.next()),
        _ => is_kind_of_error(word, place).then_some(Level::Error),
    }
}

/// The first word of `runtime error: text`.
pub(super) fn is_kind_of_error(word: &[u8], place: &Place<'_>) -> bool {
    const KINDS: [&[u8]; 9] =
        [b"parse", b"syntax", b"runtime", b"type", b"internal", b"compile", b"compilation", b"system", b"unexpected"];
    KINDS.iter().any(|kind| word.eq_ignore_ascii_case(kind)) && place.next() == b"error:"
}

/// `a.c:3:5: runtime error: text`, after which the program goes on: its report has the level.
pub(super) fn is_of_sanitizer(line: &[u8], at: usize) -> bool {
    let mut parts = line[..at].trim_ascii_end().rsplit(|byte| *byte == b':').skip(1);
    let mut has_number = || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    line[at..].starts_with(b"runtime") && has_number() && has_number()
}

/// `E1120 06:47:13.1`, `E20261120 06:47:13.1`, `E261120 06:47:13.1`.
pub(super) fn glog(letter_byte: u8, line: &[u8]) -> Option<Level> {
    let n_digits = line[1..].iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    let behind = line.get(1 + n_digits..)?.strip_prefix(b" ")?.trim_ascii_start();
    let is_clock = behind.get(1..3).is_none_or(|pair| behind[0].is_ascii_digit() && pair.contains(&b':'));
    if matches!(n_digits, 4 | 6 | 8) && is_clock { letter(letter_byte) } else { None }
}

/// `<34>text`.
fn priority(line: &[u8]) -> Option<Level> {
    let end = line.iter().take(5).position(|byte| *byte == b'>')?;
    let priority: u8 = std::str::from_utf8(&line[1..end]).ok()?.parse().ok()?;
    if priority <= 191 && line[1].is_ascii_digit() { Level::of_syslog(priority % 8) } else { None }
}

/// `=ERROR REPORT==== 20-Nov-2026::06:47:13 ===`.
fn erlang(line: &[u8]) -> Option<Level> {
    let (word, behind) = line[1..].split_at(line[1..].iter().position(|byte| *byte == b' ')?);
    if !behind.starts_with(b" REPORT===") {
        return None;
    }
    upper_level(word).or(match word {
        b"CRASH" | b"SUPERVISOR" => Some(Level::Error),
        _ => Some(Level::Info),
    })
}

/// The letters of glog, Android, CUPS, MongoDB and others.
pub(crate) fn letter(letter: u8) -> Option<Level> {
    Some(match letter {
        b'V' | b'T' => Level::Trace,
        b'D' => Level::Debug,
        b'I' | b'N' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        b'F' | b'C' | b'A' | b'X' => Level::Fatal,
        _ => return None,
    })
}

/// `E 20261120 06:47:13 module:12` in brackets, of Tornado and Jupyter.
pub(super) fn letter_and_time(inside: &[u8]) -> Option<Level> {
    let is_time = inside.len() > 8 && inside[1] == b' ' && inside[2].is_ascii_digit() && inside[3..].contains(&b':');
    if is_time { letter(inside[0]) } else { None }
}

/// `,  0]` behind the time of Samba: its debug level.
pub(super) fn samba(behind: &[u8]) -> Option<Level> {
    let behind = behind.strip_prefix(b",")?.trim_ascii_start();
    let n_digits = behind.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    let digits = std::str::from_utf8(&behind[..n_digits]).ok()?;
    if !matches!(behind.get(n_digits), Some(b']' | b',')) {
        return None;
    }
    Some(match digits.parse::<u8>().ok()? {
        0 => Level::Error,
        1 => Level::Warn,
        2..=5 => Level::Info,
        _ => Level::Debug,
    })
}

/// The mask of SSSD: `0x0010`.
pub(super) fn mask(inside: &[u8]) -> Option<Level> {
    let digits = inside.strip_prefix(b"0x").filter(|digits| matches!(digits.len(), 4 | 5))?;
    Some(match u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()? {
        0x10 | 0x20 => Level::Fatal,
        0x40 => Level::Error,
        0x80 => Level::Warn,
        0x100 | 0x3f7c0 => Level::Info,
        0x200 => Level::Debug,
        0x400..=0x2_0000 => Level::Trace,
        _ => return None,
    })
}

/// `%LINK-3-UPDOWN:`, `%ASA-6-302013:`: the digit is syslog's.
pub(super) fn cisco(word: &[u8]) -> Option<Level> {
    let mut parts = word[1..].split(|byte| *byte == b'-');
    let is_name = |part: &[u8]| part.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'0'..=b'9' | b'_'));
    parts.next().filter(|facility| facility.first().is_some_and(u8::is_ascii_uppercase) && is_name(facility))?;
    // A second facility may stand before the digit.
    let digit = parts.by_ref().take(2).find(|part| part.len() == 1)?[0];
    let mnemonic = parts.next()?.split(|byte| *byte == b':').next()?;
    if mnemonic.is_empty() || !is_name(mnemonic) { None } else { Level::of_syslog(digit.wrapping_sub(b'0')) }
}

/// `SERVICE ALERT: host;service;CRITICAL;HARD;…`: the state is the level. `Some(None)` where there is none.
pub(super) fn nagios(text: &[u8]) -> Option<Option<Level>> {
    let colon = text.iter().take(40).position(|byte| *byte == b':')?;
    let (title, behind) = text.split_at(colon);
    let is_upper = title.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b' ');
    let has = |word: &[u8]| title.split(|byte| *byte == b' ').any(|found| found == word);
    if !is_upper || !(has(b"SERVICE") || has(b"HOST")) || !behind.contains(&b';') {
        return None;
    }
    let state =
        behind.split(|byte| *byte == b';').take(6).find_map(|part| match part.split(|b| *b == b' ').next()? {
            b"OK" | b"UP" | b"RECOVERY" => Some(Level::Info),
            b"WARNING" | b"UNKNOWN" => Some(Level::Warn),
            b"CRITICAL" | b"DOWN" | b"UNREACHABLE" => Some(Level::Error),
            _ => None,
        });
    Some(state)
}

/// `shop-WARNING **: 06:47:13.760: text`, `shop-Message: 06:47:13.752: text` of GLib, for the word before the mark.
pub(super) fn glib(place: &Place<'_>) -> Option<Level> {
    let kind = &place.bare[place.bare.iter().rposition(|byte| *byte == b'-')? + 1..];
    let behind = place.behind.strip_prefix(b" **:").unwrap_or(place.behind).strip_prefix(b" ")?;
    let is_clock = behind.first()?.is_ascii_digit() && behind.get(2) == Some(&b':') && behind.get(12) == Some(&b':');
    match kind {
        b"Message" if is_clock => Some(Level::Info),
        _ => upper_level(kind).filter(|_| is_clock),
    }
}

/// `shop.py:2: DeprecationWarning: text`, for the word behind the place.
pub(super) fn python_warning(before: &[u8], place: &Place<'_>) -> Option<Level> {
    let is_warning = place.has_colon && place.bare.len() > 7 && place.bare.ends_with(b"Warning");
    let file = before.strip_suffix(b": ").filter(|_| is_warning)?;
    super::place::is_place(file).then_some(Level::Warn)
}

/// ` Warning:  text`, ` Fatal error:  text` behind `PHP`.
pub(super) fn php(text: &[u8]) -> Option<Level> {
    let colon = text.iter().take(40).position(|byte| *byte == b':')?;
    let kind = std::str::from_utf8(&text[..colon]).ok()?.trim();
    match kind {
        "Notice" => Some(Level::Info),
        "Deprecated" | "Strict Standards" => Some(Level::Warn),
        kind if kind.ends_with("error") => Some(Level::Error),
        kind if kind.ends_with("arning") => Some(Level::Warn),
        _ => None,
    }
}

/// `Fatal error:`, `Parse error:`, as PHP and others print them.
pub(super) fn is_error_of_language(text: &[u8]) -> bool {
    [&b"Fatal error"[..], b"fatal error", b"FATAL ERROR", b"Parse error"].iter().any(|start| {
        text.strip_prefix(*start).is_some_and(|behind| behind.starts_with(b":") || behind.starts_with(b" :"))
    })
}

/// `Error: 9002, Severity: 17, State: 2.` of SQL Server; up to 10 it only informs.
pub(super) fn sql_server(text: &[u8]) -> Option<Level> {
    let text = std::str::from_utf8(&text[..text.len().min(60)]).ok()?;
    let digits = text.split_once(", Severity: ")?.1.split(',').next()?;
    Some(match digits.parse::<u8>().ok()? {
        ..=10 => Level::Info,
        11..=19 => Level::Error,
        20.. => Level::Fatal,
    })
}

/// What PostgreSQL adds to a message in lines of their own.
pub(super) fn is_detail(word: &[u8]) -> bool {
    matches!(word, b"STATEMENT" | b"DETAIL" | b"HINT" | b"QUERY" | b"LOCATION")
}

/// `LOG5[ui]:`, `LOG3:`: the digit is syslog's.
pub(super) fn stunnel(word: &[u8]) -> Option<Level> {
    let (digit, behind) = word.strip_prefix(b"LOG")?.split_first()?;
    if matches!(behind.first(), Some(b'[' | b':')) { Level::of_syslog(digit.wrapping_sub(b'0')) } else { None }
}

/// `In(14)`, `Er(11)`: the letters and the priority of syslog, which say the same.
pub(super) fn vmware(word: &[u8]) -> Option<Level> {
    const LETTERS: [&[u8]; 8] = [b"Em", b"Al", b"Cr", b"Er", b"Wa", b"No", b"In", b"Db"];
    let digits = word.get(2..)?.strip_prefix(b"(")?.strip_suffix(b")")?;
    let priority: u8 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    if LETTERS[usize::from(priority % 8)] == &word[..2] { Level::of_syslog(priority % 8) } else { None }
}

/// The mark behind the time of a line of Redis.
pub(super) fn redis(line: &[u8], mark: &[u8]) -> Option<Level> {
    match (mark, is_redis(line)) {
        (b".", true) => Some(Level::Debug),
        (b"-" | b"*", true) => Some(Level::Info),
        (b"#", true) => Some(Level::Warn),
        _ => None,
    }
}

/// Whether a line begins with `7:M ` or `[7] `.
pub(super) fn is_redis(line: &[u8]) -> bool {
    let digits = line.strip_prefix(b"[").unwrap_or(line);
    let n_digits = digits.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    let behind = &digits[n_digits..];
    n_digits > 0
        && if digits.len() < line.len() { behind.starts_with(b"] ") } else { matches!(behind, [b':', _, b' ', ..]) }
}

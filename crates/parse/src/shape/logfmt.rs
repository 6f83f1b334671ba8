//! `key=value` pairs, values in quotes where they have blanks: logfmt, and what others make of it: audit records, packets that a
//! firewall logs, pairs with bars between them, pairs behind a time.

use super::parts::PartSink;

/// Pairs of lines with bars.
const BARRED_MIN: usize = 3;

/// Pairs after words of a text, behind a syslog header.
const BEHIND_WORDS_MIN: usize = 3;

/// Pairs for each word between them: devices have names of two words.
const PAIRS_PER_WORD: usize = 2;

/// Words before pairs.
const WORDS_MAX: usize = 3;

/// Pairs none of which has a usual name.
const UNUSUAL_MIN: usize = 4;

/// Reads the pairs of a text and passes over words that are none; a text without a pair is of another form.
pub(crate) fn read<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut n_pairs = 0;
    let mut take = |pair: Option<Pair<'t>>| {
        if let Some(pair) = pair {
            if is_time(&pair, found) {
                found.time(pair.value);
            }
            found.pair(pair.key, pair.value, pair.is_escaped);
            n_pairs += 1;
        }
        true
    };
    if is_barred(line) {
        let mut rest = line;
        while let Some((key, behind)) = rest.split_once('=') {
            let mut bars = behind.match_indices('|').map(|(at, _)| at);
            let end = bars.find(|at| is_barred_pair(&behind[at + 1..])).unwrap_or(behind.len());
            take(Some(Pair { key, value: &behind[..end], is_escaped: false, is_quoted: false }));
            rest = behind.get(end + 1..).unwrap_or_default();
        }
    } else {
        each(line, take);
    }
    (n_pairs > 0).then_some(())
}

/// Reports whether a pair is the time of its line, at any place in it.
fn is_time(pair: &Pair<'_>, found: &PartSink<'_, '_>) -> bool {
    let may_be = matches!(pair.key.as_bytes().first(), Some(b't' | b'@')) && pair.value.len() > "2026-11-20".len();
    may_be
        && matches!(pair.key, "time" | "ts" | "timestamp" | "@timestamp" | "t")
        && found.times.time_end(pair.value.as_bytes()) == Some(pair.value.len())
}

/// Reads a line that is surely made of pairs.
pub(super) fn recognise<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    if found.times.lacks(line, b'=') {
        return None;
    }
    memchr::memchr(b'=', line.as_bytes())?;
    if line.starts_with("type=") && line.contains(" msg=audit(") {
        return audit(line, found);
    }
    if is_barred(line) || is_all_pairs(line, found.has_header()) {
        return read(line, found);
    }
    packet(line).and_then(|pairs| read(pairs, found))
}

/// The pairs that follow the time at the head of a line, or few words behind a syslog header.
pub(super) fn behind_words<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    if found.times.lacks(line, b'=') {
        return None;
    }
    memchr::memchr(b'=', line.as_bytes())?;
    let text = match found.has_header() {
        true => line,
        false => line.get(found.times.time_end(line.as_bytes())?..)?.trim_start_matches([' ', ':', ']']),
    };
    let (mut n_words, mut n_pairs, mut n_between) = (0, 0, 0);
    let is_whole = each(text, |pair| {
        match pair {
            Some(pair) if is_key(pair.key) => n_pairs += 1,
            None if n_pairs > 0 && found.has_header() => n_between += 1,
            _ => n_words += 1,
        }
        n_words <= WORDS_MAX && (n_pairs == 0 || pair.is_some() || found.has_header())
    });
    let is_whole = is_whole && n_between * PAIRS_PER_WORD <= n_pairs;
    let fits = if found.has_header() { n_pairs >= BEHIND_WORDS_MIN } else { n_words == 0 && n_pairs >= 2 };
    if is_whole && fits { read(text, found) } else { None }
}

/// Whether a line is pairs from end to end, one of which has a name that lines of logs have, or at least many.
fn is_all_pairs(line: &str, is_nested: bool) -> bool {
    const USUAL: [&str; 8] = ["level", "lvl", "msg", "message", "time", "ts", "severity", "t"];
    let (mut n_pairs, mut is_usual) = (0, is_nested);
    each(line, |pair| {
        let is_pair = pair.is_some_and(|pair| is_key(pair.key));
        is_usual |= pair.is_some_and(|pair| USUAL.contains(&pair.key));
        n_pairs = if is_pair { n_pairs + 1 } else { 0 };
        is_pair
    }) && n_pairs >= 2
        && (is_usual || n_pairs >= UNUSUAL_MIN)
}

/// Whether a line is pairs with bars between them, which few values have in them too.
fn is_barred(line: &str) -> bool {
    let may_be = memchr::memchr2(b'|', b' ', line.as_bytes()).is_some_and(|at| line.as_bytes()[at] == b'|');
    if !may_be || !is_barred_pair(line) {
        return false;
    }
    let n_pieces = line.split('|').count();
    let n_pairs = line.split('|').filter(|piece| is_barred_pair(piece)).count();
    n_pairs >= BARRED_MIN && (n_pieces - n_pairs) * 4 <= n_pairs
}

/// Whether a text begins with a pair.
fn is_barred_pair(piece: &str) -> bool {
    piece.split_once('=').is_some_and(|(key, _)| !key.is_empty() && is_key(key))
}

/// Returns the pairs of a packet as Linux' firewalls log it; its flags are words between the pairs.
pub(super) fn packet(line: &str) -> Option<&str> {
    let head = &line.as_bytes()[..line.len().min(512)];
    let start = crate::find::find_short(head, b"IN=")?;
    let is_whole = [&b" OUT="[..], b" SRC=", b" DST=", b" PROTO="]
        .iter()
        .all(|mark| crate::find::find_short(&head[start..], mark).is_some());
    if is_whole { line.get(start..) } else { None }
}

/// A record of the audit daemon, in which texts with blanks are hexadecimal digits, and programs say pairs within quotes.
fn audit<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let is_arguments = line.starts_with("type=EXECVE ");
    each(line, |pair| {
        let Some(Pair { key, value, is_quoted, .. }) = pair else { return true };
        let value = value.trim_end_matches('\'');
        if let Some(stamp) = value.strip_prefix("audit(").filter(|_| key == "msg") {
            found.time(stamp.split(':').next().unwrap_or_default());
        }
        let is_text = matches!(
            key,
            "comm" | "exe" | "proctitle" | "name" | "cwd" | "acct" | "path" | "dir" | "data" | "cmd" | "key" | "ocomm"
        ) || (is_arguments
            && key.strip_prefix('a').is_some_and(|digits| digits.starts_with(|c: char| c.is_ascii_digit())));
        let is_hexadecimal = value.len() >= 2
            && value.len().is_multiple_of(2)
            && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
        if is_text && !is_quoted && is_hexadecimal {
            found.hexadecimal(key, value);
        } else if value != "?" {
            found.pair(key, value, false);
        }
        true
    });
    Some(())
}

/// Reads the pairs that a message ends with, as Go's `slog`, structlog and others write them after the text:
/// `stored n=7 user="Ann B"`. A single pair may be part of a sentence, so it is read only after two blanks.
pub(crate) fn at_end<'t>(message: &'t str, found: &mut PartSink<'t, '_>) {
    let message = message.trim_end();
    if message.ends_with('}') {
        return hash(message, found);
    }
    let last = memchr::memrchr(b' ', message.as_bytes()).map_or(message, |blank| &message[blank..]);
    if memchr::memchr3(b'=', b'"', b'\'', last.as_bytes()).is_none() {
        return;
    }
    let (mut start, mut n_pairs) = (0, 0);
    each(message, |pair| {
        let pair = pair.filter(|pair| is_plain_key(pair.key) && (pair.is_quoted || is_plain_value(pair.value)));
        if n_pairs == 0
            && let Some(pair) = pair
        {
            start = pair.key.as_ptr().addr() - message.as_ptr().addr();
        }
        n_pairs = if pair.is_some() { n_pairs + 1 } else { 0 };
        true
    });
    if n_pairs > 1 || n_pairs == 1 && message[..start].ends_with("  ") {
        let _ = read(&message[start..], found);
    }
}

/// Reads the Ruby hash that a message ends with, as Logstash writes it: `stopped {:pipeline=>"main", :events=>7}`.
fn hash<'t>(message: &'t str, found: &mut PartSink<'t, '_>) {
    let Some((_, inside)) = message[..message.len() - 1].split_once("{:") else { return };
    let mut rest = inside;
    while let Some((key, value)) = rest.split_once("=>").filter(|(key, _)| is_key(key)) {
        let (value, is_escaped) = match value.strip_prefix('"') {
            Some(quoted) => {
                let (value, is_escaped, behind) = quoted_value(quoted);
                rest = behind;
                (value, is_escaped)
            }
            None => {
                let end = value.find(", :").unwrap_or(value.len());
                rest = &value[end..];
                (&value[..end], false)
            }
        };
        found.pair(key, value, is_escaped);
        rest = rest.strip_prefix(", :").unwrap_or_default();
    }
}

/// Reports whether a key is a name, not an option, a path or an address.
fn is_plain_key(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic()) && is_key(key) && !key.contains('/')
}

/// Reports whether a value without quotes has no mark of a sentence, a list or a bracket at its end.
fn is_plain_value(value: &str) -> bool {
    !value.is_empty() && !value.contains('"') && !value.ends_with([',', ';', ')', ']', '}', '\'', '.'])
}

fn is_key(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'/'))
}

#[derive(Clone, Copy)]
struct Pair<'t> {
    key: &'t str,
    value: &'t str,
    is_escaped: bool,
    is_quoted: bool,
}

/// What parts pairs: blanks, and the sign that the audit daemon writes before names for its numbers.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || c == '\u{1d}'
}

/// Gives `take` each pair, or `None` for a word that is none, until it says that it has enough; returns whether it
/// never did.
fn each<'t>(line: &'t str, mut take: impl FnMut(Option<Pair<'t>>) -> bool) -> bool {
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || is_gap(c)).unwrap_or(rest.len());
        let key = &rest[..end];
        let Some(after) = rest[end..].strip_prefix('=') else {
            if !take(None) {
                return false;
            }
            rest = rest[end..].trim_start_matches(is_gap);
            continue;
        };
        // Pairs within quotes are pairs of the line.
        if key == "msg" && after.starts_with('\'') {
            rest = &after[1..];
            continue;
        }
        let (value, is_escaped, tail) = match after.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted),
            None => single_quoted(after).unwrap_or_else(|| {
                let end = after.find(is_gap).unwrap_or(after.len());
                let value = &after[..end];
                // A comma may separate pairs.
                (value.strip_suffix(',').filter(|value| !value.is_empty()).unwrap_or(value), false, &after[end..])
            }),
        };
        let is_quoted = !value.as_ptr().eq(&after.as_ptr());
        if !take((!key.is_empty()).then_some(Pair { key, value, is_escaped, is_quoted })) {
            return false;
        }
        rest = if is_quoted { tail.strip_prefix(',').unwrap_or(tail) } else { tail }.trim_start_matches(is_gap);
    }
    true
}

/// Returns a value in single quotes as Python writes it, whether it has escapes, and the rest of the text; `None`
/// unless a gap or the end follows.
fn single_quoted(text: &str) -> Option<(&str, bool, &str)> {
    let inside = text.strip_prefix('\'')?;
    let end = memchr::memchr_iter(b'\'', inside.as_bytes()).find(|end| {
        let is_escaped = inside[..*end].ends_with('\\');
        !is_escaped && (inside.len() == end + 1 || inside[end + 1..].starts_with(is_gap))
    })?;
    Some((&inside[..end], inside[..end].contains('\\'), &inside[end + 1..]))
}

/// The text up to the closing quote, whether it has escapes, and what comes after it.
fn quoted_value(quoted: &str) -> (&str, bool, &str) {
    let bytes = quoted.as_bytes();
    let (mut at, mut is_escaped) = (0, false);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return (&quoted[..at], is_escaped, &quoted[at + 1..]);
        }
        is_escaped = true;
        at += 2;
    }
    (quoted, is_escaped, "")
}

//! Takes what varies out of a text.
//!
//! A *word* is a maximal run of ASCII letters, digits and non-ASCII characters. Words that hold a digit vary, and so
//! do UUIDs and long hexadecimal numbers without one; names of months and days next to them vary with them, units
//! belong to the number before them. Wildcards joined by `. - _ , / %` are one, so that addresses, versions and dates
//! are; three or more joined by colons are one, so that times are, while an address and its port are two. Three or more
//! words with wildcards in a row are a list, which is one as well. White space counts as one space, and of several
//! lines the first one counts; of the report of a program that died, the line that says of what.
//!
//! Nothing here looks at which digits a word has: two texts that differ in digits alone have one mask. That is what
//! lets the examples of a segment's templates stand for the messages.

use parse::exception::headline;

/// Stands for a wildcard in masked texts. Log texts practically never hold it; where one does, it is a wildcard.
pub(crate) const WILDCARD: char = '\u{1}';

/// Masked bytes of a text that count; the rest is one wildcard.
const MASKED_BYTES_MAX: usize = 1024;

/// Longer words are encoded data.
const WORD_BYTES_MAX: usize = 64;

/// Words with wildcards in a row that are a list.
const LIST_MIN: usize = 3;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const UNITS: [&str; 19] = [
    "B", "KB", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "ns", "us", "µs", "ms", "s", "sec", "secs",
    "second", "seconds",
];

/// Reports whether a byte is a sign: a token by itself.
pub(crate) fn is_sign_byte(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'=' | b':' | b',' | b'(' | b')' | b'[' | b']' | b'"' | b'\'' | b';' | b'|' | b'{' | b'}' | b'<' | b'>'
    )
}

/// Returns the text without what varies.
pub fn mask(text: &str) -> String {
    let headline = if text.contains('\n') { headline(text) } else { None };
    mask_first_line(headline.unwrap_or(text))
}

fn mask_first_line(text: &str) -> String {
    let mut masked = MaskedText { out: String::with_capacity(text.len().min(MASKED_BYTES_MAX)), is_time: false };
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() && masked.out.len() < MASKED_BYTES_MAX {
        let byte = bytes[at];
        if is_word_byte(byte) {
            let end = at + bytes[at..].iter().take_while(|byte| is_word_byte(**byte)).count();
            // Words end beside ASCII bytes, and a UUID is ASCII.
            at = match uuid_end(bytes, at, end) {
                Some(end) => {
                    masked.wildcard();
                    end
                }
                None => {
                    masked.word(&text[at..end]);
                    end
                }
            };
            continue;
        }
        at += 1;
        match byte {
            b'\n' if masked.out.len() > 1 => {
                if text[at..].trim().is_empty() {
                    break;
                }
                masked.space();
                masked.wildcard();
                break;
            }
            1 => masked.wildcard(),
            byte if byte.is_ascii_whitespace() => masked.space(),
            byte => masked.out.push(char::from(byte)),
        }
    }
    if masked.out.len() >= MASKED_BYTES_MAX {
        masked.wildcard();
    }
    without_lists(masked.out.trim_end())
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Returns where the UUID that begins with the word `at..end` ends, if there is one.
fn uuid_end(bytes: &[u8], at: usize, end: usize) -> Option<usize> {
    if end - at != 8 {
        return None;
    }
    let uuid = bytes.get(at..at + 36)?;
    let is_part = |(place, byte): (usize, &u8)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    let ends_there = bytes.get(at + 36).is_none_or(|byte| !is_word_byte(*byte));
    (ends_there && uuid.iter().enumerate().all(is_part)).then_some(at + 36)
}

/// A masked text while it grows.
struct MaskedText {
    out: String,
    /// Whether the wildcard at the end is several that colons joined.
    is_time: bool,
}

impl MaskedText {
    fn space(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }

    fn word(&mut self, word: &str) {
        let bytes = word.as_bytes();
        let is_long_hex = || {
            bytes.len() >= 16 && bytes.len().is_multiple_of(2) && bytes.iter().all(|byte| (b'a'..=b'f').contains(byte))
        };
        if bytes.len() > WORD_BYTES_MAX || bytes.iter().any(u8::is_ascii_digit) || is_long_hex() {
            return self.wildcard();
        }
        let follows_number = self.out.strip_suffix(' ').is_some_and(|before| before.ends_with(WILDCARD));
        if follows_number && UNITS.contains(&word) {
            self.out.pop();
            return;
        }
        self.out.push_str(word);
    }

    fn wildcard(&mut self) {
        self.drop_date_names();
        let joins = |sign: char| matches!(sign, '.' | '-' | '_' | ',' | '/' | '%' | '+');
        let mut backwards = self.out.chars().rev();
        match (backwards.next(), backwards.next()) {
            (Some(WILDCARD), _) => return,
            (Some(sign), Some(WILDCARD)) if joins(sign) => {
                self.out.pop();
                return;
            }
            (Some(':'), Some(WILDCARD)) => {
                let before = &self.out[..self.out.len() - 2];
                if self.is_time {
                    self.out.pop();
                    return;
                }
                if before.strip_suffix(':').is_some_and(|before| before.ends_with(WILDCARD)) {
                    self.out.truncate(self.out.len() - 3);
                    self.is_time = true;
                    return;
                }
            }
            (Some('-' | '+'), before) if before.is_none_or(|sign| " =:([,".contains(sign)) => {
                self.out.pop();
            }
            _ => {}
        }
        self.is_time = false;
        self.out.push(WILDCARD);
    }

    /// Names of a month and of a day of the week before a number belong to it.
    fn drop_date_names(&mut self) {
        for mark in ['/', '-'] {
            let month = self.out.strip_suffix(mark).and_then(|rest| strip_name(rest, &MONTHS));
            if let Some(length) = month.and_then(|rest| rest.strip_suffix(mark)).map(str::len)
                && self.out[..length].ends_with(WILDCARD)
            {
                // The mark that is left joins the wildcards.
                self.out.truncate(length + 1);
                return;
            }
        }
        let month = self.out.strip_suffix(' ').and_then(|rest| strip_name(rest, &MONTHS));
        let Some(before) = month.filter(|rest| rest.chars().next_back().is_none_or(|sign| !sign.is_alphanumeric()))
        else {
            return;
        };
        let day = before.strip_suffix(' ').map(|rest| rest.strip_suffix(',').unwrap_or(rest));
        let before_day = day.and_then(|rest| strip_name(rest, &DAYS));
        let is_whole = |rest: &&str| rest.chars().next_back().is_none_or(|sign| !sign.is_alphanumeric());
        let length = before_day.filter(is_whole).unwrap_or(before).len();
        self.out.truncate(length);
    }
}

fn strip_name<'t>(text: &'t str, names: &[&str]) -> Option<&'t str> {
    names.iter().find_map(|name| text.strip_suffix(name))
}

/// Makes lists of wildcards one wildcard, and fills in values that are empty.
fn without_lists(masked: &str) -> String {
    let mut out = String::with_capacity(masked.len() + 8);
    let mut rest = masked;
    while !rest.is_empty() {
        let (token, after) = rest.split_at(token_length(rest));
        if has_wildcard(token)
            && let Some((length, separator)) = list(rest)
        {
            out.push(WILDCARD);
            out.push_str(separator);
            rest = &rest[length..];
            continue;
        }
        out.push_str(token);
        let is_empty_value = token == "=" && after.chars().next().is_none_or(|sign| " ,;)]".contains(sign));
        let is_empty_list = token == "(" && after.starts_with(')') && out.ends_with(" (");
        if is_empty_value || is_empty_list {
            out.push(WILDCARD);
        }
        rest = after;
    }
    out
}

/// Returns the length of the token at the start of a text: a sign, or all up to the next one.
pub(crate) fn token_length(text: &str) -> usize {
    // Each masked text goes through here, so signs are looked for as bytes, which all of them are.
    match text.bytes().position(is_sign_byte) {
        Some(0) => 1,
        Some(end) => end,
        None => text.len(),
    }
}

fn has_wildcard(token: &str) -> bool {
    token.bytes().any(|byte| char::from(byte) == WILDCARD)
}

/// Returns the length of the list that the text begins with, if it does, and what separates it from what follows.
fn list(text: &str) -> Option<(usize, &str)> {
    let (mut length, mut n_items) = (0, 0);
    while length < text.len() {
        let rest = &text[length..];
        let token = &rest[..token_length(rest)];
        if !has_wildcard(token) {
            break;
        }
        let after = &rest[token.len()..];
        let separator = match after.as_bytes() {
            [b',', b' ', ..] => &after[..2],
            [b',' | b' ', ..] => &after[..1],
            [] => "",
            _ => break,
        };
        n_items += 1;
        length += token.len() + separator.len();
    }
    if n_items < LIST_MIN {
        return None;
    }
    // The last separator read is between the list and what follows.
    Some((length, list_end(&text[..length])))
}

fn list_end(list: &str) -> &str {
    let items = list.trim_end_matches([',', ' ']);
    &list[items.len()..]
}

#[cfg(test)]
mod tests;

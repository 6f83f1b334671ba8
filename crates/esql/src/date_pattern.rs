//! Patterns of dates in Java's letters, as ours and as regular expressions.

use std::fmt::Write;

/// A pattern.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DatePattern {
    /// In strftime letters.
    pub(super) letters: String,
    /// What texts of the pattern look like.
    pub(super) source: String,
    /// Which of year, month, day, hour and minute it has.
    has: [bool; 5],
    has_zone: bool,
    is_half_day: bool,
    has_half: bool,
}

/// Reads a pattern; letters that have no counterpart are errors.
pub(super) fn read(pattern: &str) -> Result<DatePattern, String> {
    let mut made = DatePattern::default();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if c == '\'' {
            let (literal, after) =
                quoted(rest).ok_or_else(|| format!("Invalid format: [{pattern}]: a quote is open"))?;
            made.literal(&literal);
            rest = after;
            continue;
        }
        let length = if c.is_ascii_alphabetic() { rest.chars().take_while(|other| *other == c).count() } else { 1 };
        if c.is_ascii_alphabetic() {
            made.letter(c, length).ok_or_else(|| {
                let letters: String = std::iter::repeat_n(c, length).collect();
                format!("the letters [{letters}] in the date pattern [{pattern}] are not supported")
            })?;
        } else if matches!(c, '[' | ']' | '{' | '}' | '#') {
            return Err(format!("the sign [{c}] in the date pattern [{pattern}] is not supported"));
        } else {
            made.literal(&c.to_string());
        }
        rest = &rest[c.len_utf8() * length..];
    }
    Ok(made)
}

/// Returns a literal in single quotes and what follows; two quotes are one.
fn quoted(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix("''") {
        return Some(("'".into(), rest));
    }
    let inner = &text[1..];
    let end = inner.find('\'')?;
    Some((inner[..end].to_owned(), &inner[end + 1..]))
}

impl DatePattern {
    fn literal(&mut self, text: &str) {
        self.letters.push_str(&text.replace('%', "%%"));
        self.source.push_str(&regex::escape(text));
    }

    fn letter(&mut self, letter: char, length: usize) -> Option<()> {
        let part = match letter {
            'y' | 'u' => Some(0),
            'M' | 'L' => Some(1),
            'd' => Some(2),
            'H' | 'h' | 'K' | 'k' => Some(3),
            'm' => Some(4),
            _ => None,
        };
        let (letters, source) = match (letter, length) {
            ('y' | 'u', 4) => ("%Y", "[0-9]{4}"),
            ('y' | 'u', 2) => ("%y", "[0-9]{2}"),
            ('M' | 'L', 1) => ("%-m", "[0-9]{1,2}"),
            ('M' | 'L', 2) => ("%m", "[0-9]{2}"),
            ('M' | 'L', 3) => ("%b", "[A-Z][a-z]{2}"),
            ('M' | 'L', 4) => ("%B", "[A-Z][a-z]+"),
            ('d', 1) => ("%-d", "[0-9]{1,2}"),
            ('d', 2) => ("%d", "[0-9]{2}"),
            ('D', 3) => ("%j", "[0-9]{3}"),
            ('H', 1) => ("%-H", "[0-9]{1,2}"),
            ('H', 2) => ("%H", "[0-9]{2}"),
            ('h', 1) => ("%-I", "[0-9]{1,2}"),
            ('h', 2) => ("%I", "[0-9]{2}"),
            ('m', 1) => ("%-M", "[0-9]{1,2}"),
            ('m', 2) => ("%M", "[0-9]{2}"),
            ('s', 1) => ("%-S", "[0-9]{1,2}"),
            ('s', 2) => ("%S", "[0-9]{2}"),
            ('S', 3) => ("%3f", "[0-9]{3}"),
            ('S', 6) => ("%6f", "[0-9]{6}"),
            ('S', 9) => ("%9f", "[0-9]{9}"),
            ('a', 1) => ("%p", "[AP]M"),
            ('E', 1..=3) => ("%a", "[A-Z][a-z]{2}"),
            ('E', 4) => ("%A", "[A-Z][a-z]+"),
            ('X', 3) => ("Z", "(?:Z|[+-][0-9]{2}:[0-9]{2})"),
            ('x', 3) => ("%:z", "[+-][0-9]{2}:[0-9]{2}"),
            ('Z', 1..=3) | ('x', 2) => ("%z", "[+-][0-9]{4}"),
            _ => return None,
        };
        if let Some(part) = part {
            self.has[part] = true;
        }
        self.has_zone |= matches!(letter, 'X' | 'x' | 'Z');
        self.is_half_day |= letter == 'h';
        self.has_half |= letter == 'a';
        self.letters.push_str(letters);
        self.source.push_str(source);
        Some(())
    }

    /// Returns what must follow texts and the letters so that a whole date is there: month, day and time may be
    /// left out from the end.
    pub(super) fn completed(&self) -> Result<(String, String), String> {
        let [year, month, day, hour, minute] = self.has;
        let has_day_of_year = self.letters.contains("%j");
        let is_readable = year && (month || !day) && (hour || !minute) && self.is_half_day == self.has_half;
        if !is_readable {
            return Err(
                "parsing dates by a pattern without a year, or with parts before those that it lacks, is not supported"
                    .into(),
            );
        }
        let (mut text, mut letters) = (String::new(), String::new());
        let mut add = |more: &str, as_letters: &str| {
            let _ = write!(text, " {more}");
            let _ = write!(letters, " {as_letters}");
        };
        if !has_day_of_year && !month {
            add("01", "%m");
        }
        if !has_day_of_year && !day {
            add("01", "%d");
        }
        if !hour {
            add("00", "%H");
        }
        if !minute {
            add("00", "%M");
        }
        Ok((text, letters))
    }

    /// Reports whether texts have a zone, and it is written as one of those that our letters read.
    pub(super) fn letters_for_reading(&self) -> String {
        // A literal `Z` came of `XXX`, which reads offsets too.
        if self.has_zone && self.source.contains("(?:Z|") {
            self.letters.replacen('Z', "%#z", 1)
        } else {
            self.letters.clone()
        }
    }
}

#[cfg(test)]
mod tests;

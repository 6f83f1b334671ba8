//! What the bytes of an event must hold for its conditions to be fulfilled, so that all other events of a file need not
//! even be parsed.
//!
//! A screen only ever lets too much through. Texts in JSON may be written with escapes, so that where a condition is
//! on a field, every place with a backslash is let through as well; numbers, lists and objects may be spelled otherwise
//! than they are shown, so that only literals are looked for that have letters and nothing that spelling could change.

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

use evaluate::Probe;
use plan::Operator;

/// Shorter texts are nearly everywhere.
const LITERAL_BYTES_MIN: usize = 3;

/// Finds events that may fulfil conditions, in text as it is in files.
#[derive(Clone, Debug)]
pub struct Screen {
    search: Search,
    literal: String,
}

#[derive(Clone, Debug)]
enum Search {
    Text(Box<Finder<'static>>),
    Expression(Regex),
}

impl Screen {
    /// Returns the screen of a plan's conditions on events, where one of them allows for it.
    pub(crate) fn of(operators: &[Operator]) -> Option<Self> {
        let filters = operators.iter().map_while(|operator| match operator {
            Operator::Filter(condition) => Some(condition),
            _ => None,
        });
        let screens = filters.filter_map(Probe::of).filter_map(|probe| Self::of_probe(&probe));
        // What is looked for byte by byte first; of those, what is longest and thus rarest.
        screens.max_by_key(|screen| (matches!(screen.search, Search::Text(_)), screen.literal.len()))
    }

    fn of_probe(probe: &Probe) -> Option<Self> {
        let is_message = &probe.field == "@message";
        let literal = if is_message { &probe.literal } else { without_escape(&probe.literal) };
        let is_usable = is_message || (is_spelled_one_way(literal) && literal.len() >= LITERAL_BYTES_MIN);
        // Bytes that are no UTF-8 are shown as this character.
        // What fields of recognised lines hold need not are there.
        let is_computed = !is_message && parse::Shape::is_computed(literal);
        if !is_usable || is_computed || literal.contains('\u{fffd}') {
            return None;
        }
        let search = match (is_message, probe.ignores_case) {
            (true, false) => Search::Text(Box::new(Finder::new(literal).into_owned())),
            (_, ignores_case) => {
                let mut pattern = regex::escape(literal);
                if !is_message {
                    // Audit records have texts as hexadecimal digits.
                    pattern.push_str(r"|\\|msg=audit\(");
                }
                let built =
                    RegexBuilder::new(&pattern).case_insensitive(ignores_case).unicode(!literal.is_ascii()).build();
                Search::Expression(built.ok()?)
            }
        };
        Some(Self { search, literal: literal.to_owned() })
    }

    /// Returns the first place from `from` on that lies in an event which may fulfil the conditions.
    pub fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        match &self.search {
            Search::Text(finder) => finder.find(text.get(from..)?).map(|place| from + place),
            Search::Expression(regex) => regex.find_at(text, from).map(|found| found.start()),
        }
    }
}

/// Reports whether a value that holds `literal` surely holds it in a JSON text as well, unless there are escapes.
fn is_spelled_one_way(literal: &str) -> bool {
    let is_usual =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@' | '.' | '/' | ' ') || !c.is_ascii();
    // `1e3` is shown as 1000; an address has too many dots for a number.
    let is_no_number = literal.chars().any(|c| !matches!(c, '0'..='9' | '.' | '-' | 'e' | 'E'));
    literal.chars().all(is_usual) && (is_no_number || literal.matches('.').count() > 1)
}

/// `literal` without what may be the end of an escape: lists are shown with escapes for control characters, which may
/// are in the file as they are.
fn without_escape(literal: &str) -> &str {
    let bytes = literal.as_bytes();
    let is_escape = |length: usize| match bytes.get(..length) {
        Some([b'n' | b'r' | b't']) => true,
        Some(tail) => {
            b"u00".ends_with(&tail[..length.saturating_sub(2)]) && is_hex_end(&tail[length.saturating_sub(2)..])
        }
        None => false,
    };
    let n_escape = (1..=5).rev().find(|length| is_escape(*length)).unwrap_or(0);
    &literal[n_escape..]
}

/// Reports whether an escape of a control character may end with these one or two digits.
fn is_hex_end(digits: &[u8]) -> bool {
    let is_hex = |digit: &u8| digit.is_ascii_hexdigit();
    match digits {
        [last] => is_hex(last),
        [first, last] => matches!(first, b'0' | b'1') && is_hex(last),
        _ => false,
    }
}

#[cfg(test)]
mod tests;

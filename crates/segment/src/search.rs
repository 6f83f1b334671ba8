//! Looks for a text in stored columns without making their values.
//!
//! How values are stored says much about the texts that they can hold: packed hex holds hex digits, addresses hold
//! digits and points, a dictionary is searched once for all rows. What remains is searched as one piece of memory.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use types::{RowSet, Strings, TimeForm, Timestamp, Value};

use crate::bytes::{Cursor, Damage, Decoded};
use crate::moment;
use crate::spelled::{AddressNeedle, Digits};
use crate::strings;
use crate::template::{is_word_byte, pack_hex, words};

/// Most characters of an IPv4 address.
const ADDRESS_BYTES_MAX: usize = 15;

/// Which numbers behind a prefix make a text that holds a needle.
pub(crate) enum InNumbered {
    None,
    All,
    Within(Digits),
    AtBegin(Digits),
    Unknown,
}

/// A literal looked for in many texts at once.
pub(crate) struct Needle {
    literal: String,
    ignores_case: bool,
    /// Whether texts have to begin, and to end, with it.
    begins: bool,
    ends: bool,
    finder: memchr::memmem::Finder<'static>,
    /// Made once somebody asks addresses.
    address: OnceLock<AddressNeedle>,
}

impl Needle {
    /// Prepares a literal.
    pub(crate) fn new(literal: &str, ignores_case: bool) -> Self {
        Self::part_of(literal, ignores_case, false, false)
    }

    /// Prepares a literal that texts have to hold, or even to begin or to end with.
    pub(crate) fn part_of(literal: &str, ignores_case: bool, begins: bool, ends: bool) -> Self {
        let literal = if ignores_case { literal.to_ascii_lowercase() } else { literal.to_owned() };
        let finder = memchr::memmem::Finder::new(&literal).into_owned();
        Self { literal, ignores_case, begins, ends, finder, address: OnceLock::new() }
    }

    /// The pieces of words in it that no variables but texts, quoted texts, hex numbers and UUIDs, and raw messages, can
    /// hold: those with a digit, which stand in no template, and the whole where it is one.
    pub(crate) fn pieces(&self) -> Vec<Self> {
        let pieces = words(&self.literal).map(|word| Self::new(word, self.ignores_case));
        let is_asked = |piece: &Self| piece.has_digit() || piece.literal.len() == self.literal.len();
        pieces.filter(|piece| piece.stands_in_texts_or_hex_only() && is_asked(piece)).collect()
    }

    /// Tells whether there is a digit in it; a word with one stands in no template.
    pub(crate) fn has_digit(&self) -> bool {
        self.literal.bytes().any(|byte| byte.is_ascii_digit())
    }

    /// Tells whether no variables but texts, quoted texts, hex numbers and UUIDs, and raw messages, can hold it.
    fn stands_in_texts_or_hex_only(&self) -> bool {
        let is_word = self.literal.bytes().all(is_word_byte);
        // Integers and addresses are made of digits.
        let has_other = self.literal.bytes().any(|byte| !byte.is_ascii_digit());
        let is_letters = |part: &[u8]| part[0].is_ascii_alphabetic();
        let mut letters = self.literal.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
        let may_be_in_time = letters.all(|part| !is_letters(part) || moment::may_be_letters(part, true))
            && self.literal.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_word && has_other && !may_be_in_time
    }

    /// Tells whether a quoted text that holds a part of it may end within it.
    pub(crate) fn has_quote(&self) -> bool {
        self.literal.contains('"')
    }

    /// Whether upper and lower case are the same.
    pub(crate) fn ignores_case(&self) -> bool {
        self.ignores_case
    }

    /// What is looked for, in lower case where that is the same.
    pub(crate) fn literal(&self) -> &str {
        &self.literal
    }

    /// Tells whether it is made of lower-case hex digits.
    pub(crate) fn is_lower_hex(&self) -> bool {
        is_lower_hex(&self.literal)
    }

    /// Tells whether an IPv4 address may hold it.
    pub(crate) fn may_be_in_address(&self) -> bool {
        self.literal.len() <= ADDRESS_BYTES_MAX && self.consists_of(b".") && self.n_points() < 4
    }

    fn n_points(&self) -> usize {
        self.literal.bytes().filter(|byte| *byte == b'.').count()
    }

    /// Finds it in addresses, anchors heeded.
    pub(crate) fn in_addresses(&self) -> &AddressNeedle {
        self.address.get_or_init(|| AddressNeedle::new(self))
    }

    /// The digits that it consists of, without regard to anchors; `None` where it has others, or too many.
    pub(crate) fn digits(&self) -> Option<Digits> {
        Digits::of(&self.literal)
    }

    /// Whether a prefix, which does not end with a digit, and a number behind it hold it.
    pub(crate) fn in_numbered(&self, prefix: &str) -> InNumbered {
        if self.is_anchored() {
            return InNumbered::Unknown;
        }
        if self.is_in(prefix) {
            return InNumbered::All;
        }
        let lowered = if self.ignores_case { prefix.to_ascii_lowercase() } else { prefix.to_owned() };
        let before = self.literal.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = Digits::of(&self.literal[before.len()..]);
        match digits {
            Some(digits) if before.is_empty() => InNumbered::Within(digits),
            Some(digits) if lowered.ends_with(before) => InNumbered::AtBegin(digits),
            // More digits than are looked for at once.
            None if lowered.ends_with(before) => InNumbered::Unknown,
            _ => InNumbered::None,
        }
    }

    /// Tells whether a prefix with digits behind it may hold it.
    pub(crate) fn may_be_in_numbered(&self, prefix: &[u8]) -> bool {
        let lowered = if self.ignores_case { prefix.to_ascii_lowercase() } else { prefix.to_vec() };
        let before_digits = self.literal.trim_end_matches(|c: char| c.is_ascii_digit());
        self.finder.find(&lowered).is_some() || lowered.ends_with(before_digits.as_bytes())
    }

    /// Tells whether a text holds it.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.is_in_bytes(text.as_bytes())
    }

    /// Tells whether the bytes of a text hold it.
    pub(crate) fn is_in_bytes(&self, text: &[u8]) -> bool {
        let length = self.literal.len();
        if self.is_anchored() {
            let first =
                if self.begins { text.get(..length) } else { text.len().checked_sub(length).map(|at| &text[at..]) };
            let is_same = |part: &[u8]| match self.ignores_case {
                true => part.eq_ignore_ascii_case(self.literal.as_bytes()),
                false => part == self.literal.as_bytes(),
            };
            return first.is_some_and(is_same) && (text.len() == length || !(self.begins && self.ends));
        }
        match self.ignores_case {
            true => self.finder.find(&text.to_ascii_lowercase()).is_some(),
            false => self.finder.find(text).is_some(),
        }
    }

    /// Whether texts have to begin or to end with it.
    fn is_anchored(&self) -> bool {
        self.begins || self.ends
    }

    /// Whether texts have to begin with it, and whether they have to end with it.
    pub(crate) fn anchors(&self) -> (bool, bool) {
        (self.begins, self.ends)
    }

    fn consists_of(&self, other: &[u8]) -> bool {
        self.literal.bytes().all(|byte| byte.is_ascii_digit() || other.contains(&byte))
    }

    /// Tells whether the text of a number may hold it.
    pub(crate) fn may_be_in_number(&self) -> bool {
        self.consists_of(b".-+eE") && self.n_points() < 2
    }

    /// Tells whether a time spelled in a form may hold it.
    pub(crate) fn may_be_in_time(&self, form: TimeForm) -> bool {
        match form {
            TimeForm::Rfc3339 { digits } => {
                let mut shape = String::new();
                Timestamp(0).write_rfc3339(digits, &mut shape);
                let fits = |(of_shape, byte): (&u8, &u8)| match of_shape {
                    b'0'..=b'9' => byte.is_ascii_digit(),
                    other => byte.eq_ignore_ascii_case(other),
                };
                let length = self.literal.len().max(1);
                shape.as_bytes().windows(length).any(|window| window.iter().zip(self.literal.as_bytes()).all(fits))
            }
            TimeForm::Epoch { .. } => self.may_be_in_number(),
        }
    }

    /// Tells whether lower-case hex texts may hold it, given their bytes packed two digits each.
    pub(crate) fn may_be_in_hex(&self, packed: &[u8]) -> bool {
        self.may_be_in_packed(packed, 2)
    }

    /// The same where each text has `n_bytes`: one that is not longer than it begins where the text begins.
    pub(crate) fn may_be_in_hex_of(&self, packed: &[u8], n_bytes: usize) -> bool {
        let n_digits = n_bytes.saturating_mul(2);
        self.literal.len() <= n_digits
            && self.may_be_in_packed(packed, if self.literal.len() == n_digits { 1 } else { 2 })
    }

    fn may_be_in_packed(&self, packed: &[u8], n_places: usize) -> bool {
        if !self.is_lower_hex() {
            return false;
        }
        // Its first digit stands first or second in a byte; what does not fill a byte at either end is left out.
        (0..n_places).any(|skipped| {
            let mut wanted = Vec::new();
            pack_hex(&mut wanted, self.literal.get(skipped..).unwrap_or_default());
            wanted.is_empty() || memchr::memmem::find(packed, &wanted).is_some()
        })
    }

    /// Gives the number of each text that holds a needle of hex digits, and dashes between them, of texts that are kept as
    /// packed bytes: which of them a byte belongs to, which bytes are its own, and how it is spelled.
    pub(crate) fn find_packed(
        &self,
        packed: &[u8],
        place_at: impl Fn(usize) -> usize,
        range_of: impl Fn(usize) -> Range<usize>,
        spell: impl Fn(&mut Vec<u8>, &[u8]),
        found: &mut dyn FnMut(u32),
    ) {
        // Dashes are not kept; whether they stand where the needle has them is seen once a text is spelled.
        let digits: String = self.literal.split('-').collect();
        if !is_lower_hex(&digits) {
            return;
        }
        let mut spelled = Vec::new();
        let mut hits: Vec<u32> = Vec::new();
        // Its first digit stands first or second in a byte; what does not fill a byte at either end is left out.
        for skipped in 0..2 {
            let mut wanted = Vec::new();
            pack_hex(&mut wanted, digits.get(skipped..).unwrap_or_default());
            let finder = memchr::memmem::Finder::new(&wanted);
            let mut from = 0;
            while from < packed.len() {
                let hit = if wanted.is_empty() { Some(0) } else { finder.find(&packed[from..]) };
                let Some(hit) = hit else { break };
                let place = place_at(from + hit);
                let Some(bytes) = packed.get(range_of(place)) else { break };
                spelled.clear();
                spell(&mut spelled, bytes);
                if self.is_in_bytes(&spelled) {
                    hits.push(place as u32);
                    from = range_of(place).end;
                } else {
                    from = if wanted.is_empty() { range_of(place).end } else { from + hit + 1 };
                }
            }
        }
        hits.sort_unstable();
        hits.dedup();
        hits.into_iter().for_each(found);
    }

    /// Gives the number of each text that holds the needle.
    pub(crate) fn find_in(&self, texts: &Strings, mut found: impl FnMut(u32)) {
        if self.is_anchored() {
            let holds = (0u32..).zip(texts.iter()).filter(|(_, text)| self.is_in(text));
            return holds.for_each(|(place, _)| found(place));
        }
        let lowered;
        let haystack = if self.ignores_case {
            lowered = texts.text().to_ascii_lowercase();
            lowered.as_bytes()
        } else {
            texts.text().as_bytes()
        };
        self.find_between(haystack, texts.ends(), &mut found);
    }

    /// The same in the bytes of texts whose lengths are given; nothing is made of them where the needle is nowhere.
    pub(crate) fn find_in_bytes(&self, bytes: &[u8], lengths: &[i64], found: &mut dyn FnMut(u32)) {
        if self.is_anchored() {
            let mut rest = bytes;
            for (place, length) in (0u32..).zip(lengths) {
                let Some((text, after)) = rest.split_at_checked(*length as usize) else { return };
                if self.is_in_bytes(text) {
                    found(place);
                }
                rest = after;
            }
            return;
        }
        let lowered;
        let haystack = if self.ignores_case {
            lowered = bytes.to_ascii_lowercase();
            &lowered
        } else {
            bytes
        };
        if self.finder.find(haystack).is_none() {
            return;
        }
        // Lengths whose sum is that of the bytes; anything else is noticed by whoever reads the texts.
        let mut last = 0u32;
        let end = |length: &i64| {
            last = last.wrapping_add(*length as u32);
            last
        };
        let ends: Vec<u32> = lengths.iter().map(end).collect();
        self.find_between(haystack, &ends, found);
    }

    fn find_between(&self, haystack: &[u8], ends: &[u32], mut found: impl FnMut(u32)) {
        let (mut from, mut place) = (0, 0);
        while let Some(at) = haystack.get(from..).and_then(|rest| self.finder.find(rest)) {
            let at = from + at;
            place += ends[place..].partition_point(|end| *end as usize <= at);
            let Some(end) = ends.get(place).map(|end| *end as usize) else { return };
            if at + self.literal.len() <= end {
                found(place as u32);
                from = end;
            } else {
                from = at + 1;
            }
        }
    }
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Rows of a column section that may hold a needle, and whether all of them certainly do. The layout is that of
/// [`column`](crate::column); `present` are the rows that have a value.
pub(crate) fn find(
    bytes: &[u8],
    present: &RowSet,
    dictionary: Option<&Arc<Vec<Value>>>,
    needle: &Needle,
) -> Decoded<(RowSet, bool)> {
    let n = present.count();
    let none = RowSet::none(present.n_rows());
    if bytes.is_empty() {
        return Ok((none, true));
    }
    let mut cursor = Cursor::new(bytes);
    let texts = match cursor.byte()? {
        0 => {
            let values = dictionary.ok_or(Damage("a dictionary is missing"))?;
            let holds = |value: &Value| if let Value::String(text) = value { needle.is_in(text) } else { true };
            let holds = RowSet::of(values.len(), |code| holds(&values[code]));
            let is_exact = values.iter().all(|value| matches!(value, Value::String(_)));
            return Ok((rows_with_code(&mut cursor, present, &holds)?, is_exact));
        }
        1 => {
            let n_values = cursor.varint()? as usize;
            if n_values > n {
                return Err(Damage("a dictionary is too large"));
            }
            if cursor.byte()? != 0 {
                return Ok((present.clone(), false));
            }
            let Some(holds) = find_texts(&mut cursor, n_values, needle)? else { return Ok((none, true)) };
            return Ok((rows_with_code(&mut cursor, present, &holds)?, true));
        }
        2..=4 if !needle.may_be_in_number() => None,
        tag @ (2 | 3) => {
            // A single digit may be the exponent of a decimal.
            let digits = needle.digits().filter(|_| tag == 2 || needle.literal.len() > 1);
            let Some(digits) = digits else { return Ok((present.clone(), false)) };
            return find_digits(&mut cursor, present, tag, digits);
        }
        4 => return Ok((present.clone(), false)),
        5 => find_texts(&mut cursor, n, needle)?,
        6 if cursor.byte()? == 0 => find_texts(&mut cursor, n, needle)?,
        6 => return Ok((present.clone(), false)),
        _ => return Err(Damage("unknown kind of column")),
    };
    Ok((texts.map_or(none, |places| present.select(&places)), true))
}

/// Tells whether a column section may hold a needle, as far as its bytes tell before it is known how many values it has.
pub(crate) fn may_hold(bytes: &[u8], needle: &Needle) -> bool {
    match bytes {
        [] => false,
        // Packed hex: the bytes per text, then those of all texts.
        [5, 1, n_bytes @ 0..0x80, packed @ ..] => needle.may_be_in_hex_of(packed, usize::from(*n_bytes)),
        [5, 1, packed @ ..] => needle.may_be_in_hex(packed),
        [5, 2, ..] => needle.may_be_in_address(),
        _ => true,
    }
}

/// The rows whose code is in `wanted`.
fn rows_with_code(cursor: &mut Cursor<'_>, present: &RowSet, wanted: &RowSet) -> Decoded<RowSet> {
    if wanted.is_empty() {
        return Ok(RowSet::none(present.n_rows()));
    }
    let codes = cursor.codes(present.count())?;
    Ok(present.select(&RowSet::of(codes.len(), |place| wanted.contains(codes[place] as usize))))
}

/// The rows whose number holds digits, and whether all of them certainly do. Decimals are told by what they are scaled to:
/// their spelling has the same digits, less zeros at the end, and at the beginning of small ones zeros that are missing there.
fn find_digits(cursor: &mut Cursor<'_>, present: &RowSet, tag: u8, digits: Digits) -> Decoded<(RowSet, bool)> {
    let is_whole = tag == 2;
    if !is_whole {
        cursor.byte()?;
    }
    let digits = if is_whole { digits } else { digits.without_zeros() };
    let numbers = cursor.integers(present.count())?;
    let holds = RowSet::of_slice(&numbers, |number| digits.are_in(number.unsigned_abs()));
    Ok((present.select(&holds), is_whole))
}

/// Which of `n` *texts* hold the needle; `None` where none does.
fn find_texts(cursor: &mut Cursor<'_>, n: usize, needle: &Needle) -> Decoded<Option<RowSet>> {
    let mut places = Vec::new();
    strings::find_texts(cursor, n, needle, &mut |place| places.push(place as usize))?;
    Ok((!places.is_empty()).then(|| RowSet::of_places(n, places.into_iter())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::Column;

    use super::*;
    use crate::column::{RunDictionary, decode_run_dictionary, encode};

    fn check(values: Vec<Option<Value>>, literal: &str, ignores_case: bool) {
        check_encoded(&values, literal, ignores_case, RunDictionary::default());
        // A dictionary that is full sends values into the block.
        let mut full = RunDictionary::default();
        let texts = Column::of_values((0..2000).map(|i| Some(Value::text(format!("{i} filler")))).collect());
        encode(&texts, &texts.presence(), &mut full);
        check_encoded(&values, literal, ignores_case, full);
    }

    fn check_encoded(values: &[Option<Value>], literal: &str, ignores_case: bool, mut dictionary: RunDictionary) {
        let column = Column::of_values(values.to_vec());
        let present = column.presence();
        let bytes = encode(&column, &present, &mut dictionary);
        let run = dictionary.encode().map(|bytes| decode_run_dictionary(&bytes).expect("just written"));
        let needle = Needle::new(literal, ignores_case);
        let (rows, is_exact) = find(&bytes, &present, run.as_ref(), &needle).expect("just written");
        for (row, value) in values.iter().enumerate() {
            let text = value.as_ref().map(ToString::to_string).unwrap_or_default();
            let holds = match ignores_case {
                true => text.to_ascii_lowercase().contains(&literal.to_ascii_lowercase()),
                false => text.contains(literal),
            };
            let holds = holds && value.is_some();
            assert!(rows.contains(row) || !holds, "{literal} is in {text}");
            assert!(!is_exact || rows.contains(row) == holds, "{literal} in {text}");
        }
        assert!(may_hold(&bytes, &needle) || rows.is_empty(), "{literal} in {values:?}");
    }

    proptest! {
        #[test]
        fn no_row_that_holds_the_text_is_left_out(
            hex in prop::collection::vec("[0-9a-f]{8}", 1..20),
            addresses in prop::collection::vec("(1?[1-9]{1,2}\\.){3}1?[1-9]{1,2}", 1..20),
            words in prop::collection::vec("[a-cA-C]{0,4}", 1..200),
            numbers in prop::collection::vec(-3000i64..3000, 1..20),
            literal in "[0-9a-cA.]{1,3}",
            ignores_case in any::<bool>(),
        ) {
            let text = |text: String| Some(Value::text(text));
            let mixed = numbers.iter().map(|n| (n % 7 != 0).then_some(Value::Float(*n as f64 / 8.0)));
            let mixed: Vec<_> = mixed.chain(words.iter().cloned().map(text)).collect();
            check(hex.into_iter().map(text).collect(), &literal, ignores_case);
            check(addresses.into_iter().map(text).collect(), &literal, ignores_case);
            check(words.into_iter().map(text).chain([None]).collect(), &literal, ignores_case);
            check(numbers.into_iter().map(|n| Some(Value::Integer(n))).collect(), &literal, ignores_case);
            check(mixed, &literal, ignores_case);
        }

        #[test]
        fn pieces_of_values_are_found(
            hex in prop::collection::vec("[0-9a-f]{16}", 1..20),
            addresses in prop::collection::vec("(1?[1-9]{1,2}\\.){3}1?[1-9]{1,2}", 1..20),
            users in prop::collection::vec("u[1-9][0-9]{0,7}", 2..20),
            numbers in prop::collection::vec((any::<i64>(), 0u32..18), 1..20),
            scale in 0i32..9, from in 0usize..6, length in 1usize..18, more in "[0-9a.]?", ignores_case in any::<bool>(),
        ) {
            let whole: Vec<i64> = numbers.iter().map(|(number, n)| number / 10i64.pow(*n)).collect();
            let decimals = whole.iter().map(|number| Some(Value::Float((number % 10_000_000) as f64 / 10f64.powi(scale))));
            let texts = |texts: Vec<String>| texts.into_iter().map(|text| Some(Value::text(text))).collect::<Vec<_>>();
            let columns = [
                texts(hex), texts(addresses), texts(users), decimals.collect(),
                whole.iter().map(|number| Some(Value::Integer(*number))).collect(),
            ];
            for values in columns {
                let chosen = values[length % values.len()].as_ref().map(ToString::to_string).unwrap_or_default();
                let piece: String = chosen.chars().skip(from).take(length).collect();
                for literal in [chosen.clone() + &more, more.clone() + &chosen, piece].iter().filter(|text| !text.is_empty()) {
                    check(values.clone(), literal, ignores_case);
                }
            }
        }

        #[test]
        fn damaged_columns_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), n in 0usize..40) {
            let _ = find(&bytes, &RowSet::all(n), None, &Needle::new("ab", false));
        }
    }
}

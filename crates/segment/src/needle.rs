//! A text looked for in stored columns without making their values.
//!
//! The encoding of a column limits the texts in it: packed hex contains hex digits, addresses contain digits and
//! dots, a dictionary is searched once for all rows. Other texts are searched as one piece of memory.

use std::ops::Range;
use std::sync::OnceLock;

use types::{Strings, TimeForm, Timestamp};

use crate::anchor::Anchor;
use crate::digits::{AddressNeedle, Digits, DigitsNeedle};
use crate::template::pack_hex;
use crate::time_text;
use crate::words::{is_word_byte, words};

/// Most characters of an IPv4 address.
const ADDRESS_BYTES_MAX: usize = 15;

/// Which numbers, appended to a prefix, make a text that contains a needle.
pub(crate) enum NumberedMatch {
    None,
    All,
    Within(Digits),
    AtBegin(Digits),
    Unknown,
}

/// A literal looked for in many texts at once.
pub(crate) struct Needle {
    pub(super) literal: String,
    /// Whether upper and lower case are the same.
    pub(crate) ignores_case: bool,
    /// Where texts must hold it.
    anchor: Anchor,
    finder: memchr::memmem::Finder<'static>,
    /// Created on first use.
    address: OnceLock<AddressNeedle>,
}

impl Needle {
    /// Prepares a literal.
    pub(crate) fn new(literal: &str, ignores_case: bool) -> Self {
        Self::anchored(literal, ignores_case, Anchor::Anywhere)
    }

    /// Prepares a literal that texts must hold at `anchor`.
    pub(crate) fn anchored(literal: &str, ignores_case: bool, anchor: Anchor) -> Self {
        let literal = if ignores_case { literal.to_ascii_lowercase() } else { literal.to_owned() };
        let finder = memchr::memmem::Finder::new(&literal).into_owned();
        Self { literal, ignores_case, anchor, finder, address: OnceLock::new() }
    }

    /// Returns the pieces of words in it that no variables but texts, quoted texts, hex numbers and UUIDs, and raw messages, can
    /// hold: those with a digit, which occur in no template, and the whole where it is one.
    pub(crate) fn pieces(&self) -> Vec<Self> {
        let pieces = words(&self.literal).map(|word| Self::new(word, self.ignores_case));
        let is_asked = |piece: &Self| piece.has_digit() || piece.literal.len() == self.literal.len();
        pieces.filter(|piece| piece.stands_in_texts_or_hex_only() && is_asked(piece)).collect()
    }

    /// Reports whether there is a digit in it; a word with one occurs in no template.
    pub(crate) fn has_digit(&self) -> bool {
        self.literal.bytes().any(|byte| byte.is_ascii_digit())
    }

    /// Reports whether no variables but texts, quoted texts, hex numbers and UUIDs, and raw messages, can hold it.
    fn stands_in_texts_or_hex_only(&self) -> bool {
        let is_word = self.literal.bytes().all(is_word_byte);
        // Integers and addresses are made of digits.
        let has_other = self.literal.bytes().any(|byte| !byte.is_ascii_digit());
        let is_letters = |part: &[u8]| part[0].is_ascii_alphabetic();
        let mut letters = self.literal.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
        // Beside digits a time has no letters but these: names stand between blanks or slashes.
        let has_digit = self.has_digit();
        let may_be = |part: &[u8]| match has_digit {
            true => matches!(part, b"T" | b"t" | b"Z" | b"z"),
            false => time_text::may_be_letters(part, true),
        };
        let may_be_in_time = letters.all(|part| !is_letters(part) || may_be(part))
            && self.literal.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_word && has_other && !may_be_in_time
    }

    /// Reports whether a quoted text that holds a part of it may end within it.
    pub(crate) fn has_quote(&self) -> bool {
        self.literal.contains('"')
    }

    /// Returns what is looked for, in lower case where that is the same.
    pub(crate) fn literal(&self) -> &str {
        &self.literal
    }

    /// Reports whether it is made of lower-case hex digits.
    pub(crate) fn is_lower_hex(&self) -> bool {
        is_lower_hex(&self.literal)
    }

    /// Reports whether an IPv4 address may hold it.
    pub(crate) fn may_be_in_address(&self) -> bool {
        self.literal.len() <= ADDRESS_BYTES_MAX && self.consists_of(b".") && self.n_points() < 4
    }

    fn n_points(&self) -> usize {
        self.literal.bytes().filter(|byte| *byte == b'.').count()
    }

    /// Finds it in addresses, anchors respected.
    pub(crate) fn in_addresses(&self) -> &AddressNeedle {
        self.address.get_or_init(|| AddressNeedle::new(&self.literal, self.anchor))
    }

    /// Returns the digits that it consists of, without regard to anchors; `None` if it has others, or too many.
    pub(crate) fn digits(&self) -> Option<Digits> {
        Digits::of(&self.literal)
    }

    /// Reports whether a prefix, which does not end with a digit, and a number after it contain it.
    pub(crate) fn in_numbered(&self, prefix: &str) -> NumberedMatch {
        if self.is_anchored() {
            return NumberedMatch::Unknown;
        }
        if self.is_in(prefix) {
            return NumberedMatch::All;
        }
        let lowered = if self.ignores_case { prefix.to_ascii_lowercase() } else { prefix.to_owned() };
        let before = self.literal.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = Digits::of(&self.literal[before.len()..]);
        match digits {
            Some(digits) if before.is_empty() => NumberedMatch::Within(digits),
            Some(digits) if lowered.ends_with(before) => NumberedMatch::AtBegin(digits),
            // More digits than are looked for at once.
            None if lowered.ends_with(before) => NumberedMatch::Unknown,
            _ => NumberedMatch::None,
        }
    }

    /// Reports whether a prefix followed by digits may contain it.
    pub(crate) fn may_be_in_numbered(&self, prefix: &[u8]) -> bool {
        let lowered = if self.ignores_case { prefix.to_ascii_lowercase() } else { prefix.to_vec() };
        let before_digits = self.literal.trim_end_matches(|c: char| c.is_ascii_digit());
        self.finder.find(&lowered).is_some() || lowered.ends_with(before_digits.as_bytes())
    }

    /// Reports whether a text holds it.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.is_in_bytes(text.as_bytes())
    }

    /// Reports whether the bytes of a text hold it.
    pub(crate) fn is_in_bytes(&self, text: &[u8]) -> bool {
        let length = self.literal.len();
        if self.is_anchored() {
            let first = if self.anchor.is_at_start() {
                text.get(..length)
            } else {
                text.len().checked_sub(length).map(|at| &text[at..])
            };
            let is_same = |part: &[u8]| match self.ignores_case {
                true => part.eq_ignore_ascii_case(self.literal.as_bytes()),
                false => part == self.literal.as_bytes(),
            };
            return first.is_some_and(is_same) && (text.len() == length || self.anchor != Anchor::Both);
        }
        match self.ignores_case {
            true => self.finder.find(&text.to_ascii_lowercase()).is_some(),
            false => self.finder.find(text).is_some(),
        }
    }

    /// Reports whether texts have to begin or to end with it.
    pub(crate) fn is_anchored(&self) -> bool {
        self.anchor != Anchor::Anywhere
    }

    /// Finds it in numbers, anchors respected; `None` if it is not made of digits, or of too many.
    pub(crate) fn in_numbers(&self) -> Option<DigitsNeedle> {
        DigitsNeedle::of(&self.literal, self.anchor)
    }

    fn consists_of(&self, other: &[u8]) -> bool {
        self.literal.bytes().all(|byte| byte.is_ascii_digit() || other.contains(&byte))
    }

    /// Reports whether the text of a number may hold it.
    pub(crate) fn may_be_in_number(&self) -> bool {
        self.consists_of(b".-+eE") && self.n_points() < 2
    }

    /// Reports whether a time spelled in a form may hold it.
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

    /// Reports whether lower-case hex texts may hold it, given their bytes packed two digits each.
    pub(crate) fn may_be_in_hex(&self, packed: &[u8]) -> bool {
        self.may_be_in_packed(packed, 2)
    }

    /// Reports whether texts of `n_bytes` hex digits each may hold it: a text as long as the needle begins where the needle begins.
    pub(crate) fn may_be_in_hex_of(&self, packed: &[u8], n_bytes: usize) -> bool {
        let n_digits = n_bytes.saturating_mul(2);
        self.literal.len() <= n_digits
            && self.may_be_in_packed(packed, if self.literal.len() == n_digits { 1 } else { 2 })
    }

    fn may_be_in_packed(&self, packed: &[u8], n_places: usize) -> bool {
        if !self.is_lower_hex() {
            return false;
        }
        // Its first digit is the first or second of a byte; what does not fill a byte at either end is left out.
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
        // Dashes are not kept; whether they match those of the needle is checked on the spelled text.
        let digits: String = self.literal.split('-').collect();
        if !is_lower_hex(&digits) {
            return;
        }
        let mut spelled = Vec::new();
        let mut hits: Vec<u32> = Vec::new();
        // Its first digit is the first or second of a byte; what does not fill a byte at either end is left out.
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

    /// Finds it in the bytes of texts whose lengths are given; decodes nothing if the needle is nowhere.
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
        // Lengths whose sum is that of the bytes; any other sum is reported when the texts are read.
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

/// Reports whether a text is made of lower-case hex digits.
pub(crate) fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

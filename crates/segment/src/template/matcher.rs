//! Tells which templates can hold a text.

use super::kind::{KINDS, Kind, Slot};
use super::pieces::Template;
use crate::digits::Digits;
use crate::needle::Needle;
use crate::time_text::{self, Form};
use crate::words::is_word_byte;

/// A set of kinds of variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u16);

impl Kinds {
    /// Adds a kind.
    pub(crate) fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u8;
    }

    /// Adds all kinds of `other`.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Reports whether a kind is among them.
    pub(crate) fn has(self, kind: Kind) -> bool {
        self.0 >> kind as u8 & 1 == 1
    }

    /// Returns the kinds.
    pub(crate) fn iter(self) -> impl Iterator<Item = Kind> {
        KINDS.into_iter().filter(move |kind| self.has(*kind))
    }
}

/// Reports whether a message of a template holds a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TemplateMatch {
    /// Certainly not.
    No,
    /// Perhaps, and if so then within one of the variables of these kinds.
    Within(Kinds),
    /// The message has to be read.
    Perhaps,
    /// Certainly, whatever the variables are.
    Yes,
}

impl TemplateMatch {
    /// Reports whether columns have to be asked for parts of the literal; where it lies within one variable that is no time,
    /// variables of its kind are searched for all of it instead.
    pub(crate) fn is_for_columns(self) -> bool {
        match self {
            Self::Perhaps => true,
            Self::Within(kinds) => kinds.has(Kind::Time),
            Self::No | Self::Yes => false,
        }
    }
}

/// A literal prepared for asking templates: a bit-parallel automaton over its first 64 bytes (Baeza-Yates and
/// Gonnet, "A new approach to text searching", 1992), in which a variable matches any bytes of its kind.
///
/// A quoted text may hold anything. It ends at a quote on either side, so that a literal without one lies within it
/// or outside; such a literal is looked for in the quoted texts themselves, and here they match nothing. Any other
/// text of a field may hold anything and stand beside anything; literals that lie within it are looked for in the field.
pub(crate) struct LiteralMatcher {
    /// Its first 64 bytes.
    pub(super) literal: Vec<u8>,
    pub(super) ignores_case: bool,
    /// Bit `i` of `masks[b]`: byte `b` may be at place `i` of the literal.
    pub(super) masks: Box<[u64; 256]>,
    /// Bit `i`: the letters around place `i` may occur in a time.
    names: u64,
    digits: u64,
    hex: u64,
    words: u64,
    points: u64,
    dashes: u64,
    has_quote: bool,
    /// The last place of the literal.
    pub(super) last: u64,
    pub(super) is_whole: bool,
    /// Kinds, times left out, whose variables may contain all of the literal.
    within: Kinds,
}

impl LiteralMatcher {
    /// Prepares a literal, which must not be empty.
    pub(crate) fn new(literal: &str, ignores_case: bool) -> Self {
        let bytes = &literal.as_bytes()[..literal.len().min(64)];
        let mut masks = Box::new([0u64; 256]);
        for (place, byte) in bytes.iter().enumerate() {
            masks[usize::from(*byte)] |= 1 << place;
            if ignores_case {
                masks[usize::from(byte.to_ascii_lowercase())] |= 1 << place;
                masks[usize::from(byte.to_ascii_uppercase())] |= 1 << place;
            }
        }
        let admitted = |admits: &dyn Fn(u8) -> bool| {
            (0..=255u8).filter(|byte| admits(*byte)).fold(0, |mask, byte| mask | masks[usize::from(byte)])
        };
        Self {
            names: places_of_names(bytes, ignores_case),
            digits: admitted(&|byte| byte.is_ascii_digit()),
            hex: admitted(&|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
            words: admitted(&is_word_byte),
            points: admitted(&|byte| byte == b'.'),
            dashes: admitted(&|byte| byte == b'-'),
            has_quote: literal.contains('"'),
            within: kinds_within(literal, ignores_case),
            last: 1 << (bytes.len() - 1),
            is_whole: bytes.len() == literal.len(),
            masks,
            literal: bytes.to_vec(),
            ignores_case,
        }
    }

    /// Returns the places of the literal that may be in a variable.
    pub(super) fn places(&self, slot: Slot) -> u64 {
        match slot.kind {
            Kind::Integer => self.digits,
            Kind::Address => self.digits | self.points,
            Kind::Hex => self.hex,
            Kind::Uuid => self.hex | self.dashes,
            Kind::Text => self.words,
            Kind::Time => slot.form.map_or(u64::MAX, |form| self.places_in_time(form)),
            Kind::Quoted => u64::MAX * u64::from(self.has_quote),
            Kind::Any | Kind::Json => u64::MAX,
        }
    }

    fn places_in_time(&self, form: Form) -> u64 {
        let admits = |byte: u8| form.admits(byte) || (self.ignores_case && form.admits(byte.to_ascii_uppercase()));
        let names = if form.has_names() { self.names } else { 0 };
        let places = self.literal.iter().enumerate().filter(|(_, byte)| admits(**byte));
        places.fold(names, |mask, (place, _)| mask | 1 << place)
    }

    /// Reports whether all of the literal may lie within a variable that admits each of its bytes.
    pub(super) fn may_lie_within(&self, slot: Slot) -> bool {
        match (slot.kind, slot.form) {
            (Kind::Time, Some(form)) => !self.is_whole || form.may_hold(&self.literal, self.ignores_case),
            (kind, _) => self.within.has(kind),
        }
    }

    pub(crate) fn ask(&self, template: Template<'_>) -> TemplateMatch {
        // `states`: places of the literal reached with variables; `sure`: without any.
        let (mut states, mut sure) = (0u64, 0u64);
        let (mut perhaps, mut certainly) = (false, false);
        let mut within = Kinds::default();
        let mut at = 0;
        let bytes = template.bytes();
        for variable in template.variables().map(Some).chain([None]) {
            let end = variable.as_ref().map_or(bytes.len(), |(place, _)| place.start);
            for byte in &bytes[at..end] {
                let mask = self.masks[usize::from(*byte)];
                states = (states << 1 | 1) & mask;
                sure = (sure << 1 | 1) & mask;
                certainly |= sure & self.last != 0;
                perhaps |= states & self.last != 0;
            }
            let Some((place, slot)) = variable else { break };
            at = place.end;
            let mask = self.places(slot);
            sure = 0;
            let (entered, begun) = (closure((states << 1) & mask, mask), closure(1 & mask, mask));
            perhaps |= entered & self.last != 0;
            if begun & self.last != 0 {
                // What follows the places looked at may follow the variable.
                perhaps |= !self.is_whole;
                if self.may_lie_within(slot) {
                    within.insert(slot.kind);
                }
            }
            states = entered | begun;
        }
        match (certainly && self.is_whole, perhaps || certainly) {
            (true, _) => TemplateMatch::Yes,
            (false, true) => TemplateMatch::Perhaps,
            (false, false) if within != Kinds::default() => TemplateMatch::Within(within),
            (false, false) => TemplateMatch::No,
        }
    }
}

/// Returns the places reached from `states` in a variable, which may be of any length.
fn closure(mut states: u64, mask: u64) -> u64 {
    loop {
        let further = states | (states << 1) & mask;
        if further == states {
            return states;
        }
        states = further;
    }
}

/// Kinds, times left out, whose variables may contain all of `literal`.
fn kinds_within(literal: &str, ignores_case: bool) -> Kinds {
    let literal = if ignores_case { literal.to_ascii_lowercase() } else { literal.to_owned() };
    let needle = Needle::new(&literal, ignores_case);
    let mut kinds = Kinds::default();
    for kind in KINDS {
        let may_hold = match kind {
            Kind::Integer => Digits::of(&literal).is_some(),
            Kind::Address => needle.may_be_in_address(),
            Kind::Hex => needle.is_lower_hex(),
            Kind::Uuid => may_be_in_uuid(literal.as_bytes()),
            Kind::Text => literal.bytes().all(is_word_byte),
            // A time depends on its form, quoted texts and fields are searched by themselves.
            Kind::Time | Kind::Quoted | Kind::Any | Kind::Json => false,
        };
        if may_hold {
            kinds.insert(kind);
        }
    }
    kinds
}

/// Reports whether a UUID may hold a text.
fn may_be_in_uuid(text: &[u8]) -> bool {
    const SHAPE: &[u8; 36] = b"00000000-0000-0000-0000-000000000000";
    let fits = |(of_shape, byte): (&u8, &u8)| match of_shape {
        b'-' => *byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    SHAPE.windows(text.len().max(1)).any(|window| window.iter().zip(text).all(fits))
}

/// Returns places of the literal whose letters may be part of the name of a month or a weekday.
fn places_of_names(literal: &[u8], ignores_case: bool) -> u64 {
    let mut places = 0;
    let mut at = 0;
    for letters in literal.chunk_by(|a, b| a.is_ascii_alphabetic() == b.is_ascii_alphabetic()) {
        if letters[0].is_ascii_alphabetic() && letters.len() <= 3 && time_text::may_be_letters(letters, ignores_case) {
            (at..at + letters.len()).for_each(|place| places |= 1 << place);
        }
        at += letters.len();
    }
    places
}

#[cfg(test)]
mod tests;

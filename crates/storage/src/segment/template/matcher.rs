//! Tells which templates can hold a text.

use super::super::moment::{self, Form};
use super::{Kind, Slot, Template, is_word_byte};

/// Whether a message of a template holds a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Certainly not.
    No,
    /// Only a look at the variables tells.
    Perhaps,
    /// Certainly, whatever the variables are.
    Yes,
}

/// A literal prepared for asking templates: a bit-parallel automaton over its first 64 bytes (Baeza-Yates and
/// Gonnet, "A new approach to text searching", 1992), in which a variable stands for any bytes of its kind.
///
/// A quoted text may hold anything. It ends at a quote on either side, so that a literal without one lies within it
/// or outside; such a literal is looked for in the quoted texts themselves, and here they stand for nothing.
pub(crate) struct LiteralMatcher {
    /// Its first 64 bytes.
    pub(super) literal: Vec<u8>,
    pub(super) ignores_case: bool,
    /// Bit `i` of `masks[b]`: byte `b` may stand at place `i` of the literal.
    pub(super) masks: Box<[u64; 256]>,
    /// Bit `i`: the letters around place `i` may stand in a time.
    names: u64,
    digits: u64,
    hex: u64,
    words: u64,
    points: u64,
    dashes: u64,
    has_quote: bool,
    /// The last place of the literal.
    pub(super) last: u64,
    is_whole: bool,
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
            has_quote: bytes.contains(&b'"'),
            last: 1 << (bytes.len() - 1),
            is_whole: bytes.len() == literal.len(),
            masks,
            literal: bytes.to_vec(),
            ignores_case,
        }
    }

    /// The places of the literal that may stand in a variable.
    pub(super) fn places(&self, slot: Slot) -> u64 {
        match slot.kind {
            Kind::Integer => self.digits,
            Kind::Address => self.digits | self.points,
            Kind::Hex => self.hex,
            Kind::Uuid => self.hex | self.dashes,
            Kind::Text => self.words,
            Kind::Time => slot.form.map_or(u64::MAX, |form| self.places_in_time(form)),
            Kind::Quoted => u64::MAX * u64::from(self.has_quote),
        }
    }

    fn places_in_time(&self, form: Form) -> u64 {
        let admits = |byte: u8| form.admits(byte) || (self.ignores_case && form.admits(byte.to_ascii_uppercase()));
        let names = if form.has_names() { self.names } else { 0 };
        let places = self.literal.iter().enumerate().filter(|(_, byte)| admits(**byte));
        places.fold(names, |mask, (place, _)| mask | 1 << place)
    }

    pub(crate) fn ask(&self, template: &Template) -> Holds {
        // `states`: places of the literal reached with variables; `sure`: without any.
        let (mut states, mut sure) = (0u64, 0u64);
        let (mut perhaps, mut certainly) = (false, false);
        let mut at = 0;
        let bytes = template.bytes();
        let slots = template.slots.iter().map(Some).chain([None]);
        for slot in slots {
            let end = slot.map_or(bytes.len(), |(place, _)| place.start as usize);
            for byte in &bytes[at..end] {
                let mask = self.masks[usize::from(*byte)];
                states = (states << 1 | 1) & mask;
                sure = (sure << 1 | 1) & mask;
                certainly |= sure & self.last != 0;
                perhaps |= states & self.last != 0;
            }
            let Some((place, slot)) = slot else { break };
            at = place.end as usize;
            let mask = self.places(*slot);
            sure = 0;
            states = (states << 1 | 1) & mask;
            // A variable may be of any length: go on until nothing new is reached.
            loop {
                let further = states | ((states << 1 | 1) & mask);
                if further == states {
                    break;
                }
                states = further;
            }
            perhaps |= states & self.last != 0;
        }
        match (certainly && self.is_whole, perhaps || certainly) {
            (true, _) => Holds::Yes,
            (false, true) => Holds::Perhaps,
            (false, false) => Holds::No,
        }
    }
}

/// Places of the literal whose letters may be part of the name of a month or a weekday.
fn places_of_names(literal: &[u8], ignores_case: bool) -> u64 {
    let mut places = 0;
    let mut at = 0;
    for letters in literal.chunk_by(|a, b| a.is_ascii_alphabetic() == b.is_ascii_alphabetic()) {
        if letters[0].is_ascii_alphabetic() && letters.len() <= 3 && moment::may_be_letters(letters, ignores_case) {
            (at..at + letters.len()).for_each(|place| places |= 1 << place);
        }
        at += letters.len();
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Grain, Parts, split};
    use super::*;

    /// 2026-11-19T08:07:06Z.
    const NEAR: i64 = 1_795_075_626_000_000_000;

    fn template(message: &str, grain: Grain) -> Option<Template> {
        let mut parts = Parts::default();
        split(message, NEAR, grain, &mut parts).then(|| Template::new(parts.template, 2).expect("just made"))
    }

    fn check(message: &str, literal: &str, ignores_case: bool, expected: Holds) {
        let template = template(message, Grain::Fine).expect("no markers");
        assert_eq!(LiteralMatcher::new(literal, ignores_case).ask(&template), expected, "{literal} in {message}");
    }

    #[test]
    fn templates_say_yes_no_or_perhaps() {
        let message = "connection refused by 10.0.0.1";
        check(message, "nnection refu", false, Holds::Yes);
        check(message, "Refused", false, Holds::No);
        check(message, "Refused", true, Holds::Yes);
        check(message, "by 77", false, Holds::Perhaps);
        check(message, "by x", false, Holds::No);
        check(message, "10.0", false, Holds::Perhaps);
    }

    #[test]
    fn a_time_may_hold_what_it_could_be_spelled_with_and_nothing_else() {
        let message = "Nov 19 08:07:06 host up";
        check(message, "Dec 3", false, Holds::Perhaps);
        check(message, "dec 3", false, Holds::No);
        check(message, "dec 3", true, Holds::Perhaps);
        check(message, "12:00:00 host", false, Holds::Perhaps);
        check(message, "refused", false, Holds::No);
        check(message, "ar", false, Holds::Perhaps);
        check("2026-11-19 08:07:06 host up", "ar", false, Holds::No);
        check("2026-11-19T08:07:06.392Z up", "2Z up", false, Holds::Perhaps);
        check("2026-11-19T08:07:06.392Z up", "9T08", false, Holds::Perhaps);
    }

    fn holds(message: &str, literal: &str, ignores_case: bool) -> bool {
        match ignores_case {
            true => message.to_ascii_lowercase().contains(&literal.to_ascii_lowercase()),
            false => message.contains(literal),
        }
    }

    proptest! {
        #[test]
        fn what_a_message_holds_its_template_never_denies(
            message in "([a-f0-9 .:/x\u{e9}-]{0,20}|Nov [ 1]9 08:07:06|\"[a-c1 ]{0,6}\"|2026-11-1[0-9]T0[0-9]:07:06\\.1Z| Thu Nov 19 08:07:06 2026){0,5}",
            from in 0usize..80, length in 1usize..70, ignores_case in any::<bool>(), is_coarse in any::<bool>(),
        ) {
            let literal: String = message.chars().skip(from).take(length).collect();
            let grain = if is_coarse { Grain::Coarse } else { Grain::Fine };
            if let (Some(template), false) = (template(&message, grain), literal.is_empty()) {
                let said = LiteralMatcher::new(&literal, ignores_case).ask(&template);
                let may_be_quoted = template.has_quoted() && !literal.contains('"');
                prop_assert!(said != Holds::No || may_be_quoted, "{} in {}", literal, message);
                let other = LiteralMatcher::new("a 1", ignores_case).ask(&template);
                prop_assert!(other != Holds::Yes || holds(&message, "a 1", ignores_case));
            }
        }
    }
}

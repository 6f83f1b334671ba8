//! Numbers asked for what their texts hold, without writing them.
//!
//! The text of a whole number holds digits exactly where a power of ten tells so, and whether an address holds some is
//! a question to its four numbers, each of which has but 256 answers.

use super::search::Needle;

/// Most digits of a number.
const DIGITS_MAX: usize = 18;

/// A part of the text of a whole number that is written without leading zeros.
pub(crate) struct DigitsNeedle {
    number: u64,
    /// Ten to the number of digits.
    power: u64,
    /// The least number with so many digits; 0 where it is one.
    least: u64,
    starts_with_zero: bool,
    begins: bool,
    ends: bool,
}

impl DigitsNeedle {
    /// The same as a needle that is made of digits; `None` where no number holds it.
    pub(crate) fn new(needle: &Needle) -> Option<Self> {
        let digits = needle.literal().as_bytes();
        let is_usable = (1..=DIGITS_MAX).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        is_usable.then_some(())?;
        let number = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        let power = 10u64.pow(digits.len() as u32);
        let least = if digits.len() == 1 { 0 } else { power / 10 };
        let (begins, ends) = needle.anchors();
        Some(Self { number, power, least, starts_with_zero: digits[0] == b'0', begins, ends })
    }

    /// Tells whether the text of a number holds it.
    pub(crate) fn is_in(&self, number: i64) -> bool {
        let number = number.unsigned_abs();
        match (self.begins, self.ends) {
            (true, true) => number == self.number && !(self.starts_with_zero && self.power > 10),
            (false, true) => number >= self.least && number % self.power == self.number,
            (true, false) => {
                let mut rest = number;
                while rest >= self.power {
                    rest /= 10;
                }
                rest == self.number && !(self.starts_with_zero && self.power > 10)
            }
            (false, false) => {
                let mut rest = number;
                loop {
                    if rest >= self.least && rest % self.power == self.number {
                        return true;
                    }
                    rest /= 10;
                    if rest < self.least.max(1) {
                        return false;
                    }
                }
            }
        }
    }
}

/// Of each number of an address, which of its values fit.
type Fitting = [[bool; 256]; 4];

/// A part of the text of an IPv4 address.
pub(crate) struct AddressNeedle {
    /// One for each number of the address with which the part may begin, as far as any does.
    ways: Vec<Fitting>,
}

impl AddressNeedle {
    /// The same as a needle.
    pub(crate) fn new(needle: &Needle) -> Self {
        let (begins, ends) = needle.anchors();
        let parts: Vec<&str> = needle.literal().split('.').collect();
        let n_parts = parts.len();
        let fitting = |first: usize| {
            let mut fitting: Fitting = [[true; 256]; 4];
            for (place, part) in parts.iter().enumerate() {
                // A point stands between two parts; before the first and behind the last the number may go on.
                let whole_before = place > 0 || begins;
                let whole_after = place + 1 < n_parts || ends;
                let asked = Needle::part_of(part, false, whole_before, whole_after);
                for (number, fits) in fitting[first + place].iter_mut().enumerate() {
                    *fits = asked.is_in(&number.to_string());
                }
            }
            fitting
        };
        let last = 4usize.checked_sub(n_parts);
        let is_way = |first: &usize| (!begins || *first == 0) && (!ends || Some(*first) == last);
        let ways = last.map_or(0..0, |last| 0..last + 1).filter(is_way).map(fitting);
        Self { ways: ways.filter(|fitting| fitting.iter().all(|fits| fits.contains(&true))).collect() }
    }

    /// Tells whether the text of an address holds it.
    pub(crate) fn is_in(&self, address: u32) -> bool {
        let [a, b, c, d] = address.to_be_bytes().map(usize::from);
        self.ways.iter().any(|fits| fits[0][a] & fits[1][b] & fits[2][c] & fits[3][d])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::template::{push_address, push_integer};
    use super::*;

    fn text_of(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).expect("digits and points")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn numbers_hold_what_their_texts_hold(
            number in prop_oneof![0i64..1200, 0i64..1_000_000, 0i64..1_000_000_000_000_000_000],
            part in "0{0,2}[0-9]{1,4}", from in 0usize..19, length in 1usize..19,
            begins in any::<bool>(), ends in any::<bool>(),
        ) {
            let text = text_of(|out| push_integer(out, number));
            let cut: String = text.chars().skip(from).take(length).collect();
            for part in [part, cut, text.clone(), format!("0{text}")] {
                let needle = Needle::part_of(&part, false, begins, ends);
                let holds = DigitsNeedle::new(&needle).is_some_and(|digits| digits.is_in(number));
                prop_assert_eq!(holds, !part.is_empty() && needle.is_in(&text), "{} in {}", part, text);
            }
        }

        #[test]
        fn addresses_hold_what_their_texts_hold(
            numbers in prop::collection::vec(prop_oneof![0u8..12, any::<u8>()], 4),
            part in "[0-2.]{1,5}", from in 0usize..15, length in 1usize..16,
            begins in any::<bool>(), ends in any::<bool>(),
        ) {
            let address = numbers.iter().fold(0u32, |address, number| address << 8 | u32::from(*number));
            let text = text_of(|out| push_address(out, address));
            let cut: String = text.chars().skip(from).take(length).collect();
            for part in [part, cut, text.clone(), format!("{text}.1")] {
                let needle = Needle::part_of(&part, false, begins, ends);
                prop_assert_eq!(AddressNeedle::new(&needle).is_in(address), needle.is_in(&text), "{} in {}", part, text);
            }
        }
    }
}

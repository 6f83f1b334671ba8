//! Searches the decimal text of numbers without formatting them.
//!
//! Whether a whole number contains given digits follows from divisions by powers of ten; an address is four numbers
//! with 256 possible values each.

use crate::anchor::Anchor;

/// Digits looked for in the decimal spelling of numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digits {
    number: u64,
    /// Ten to the power of how many digits there are.
    power: u64,
    /// No smaller number holds them.
    least: u64,
}

/// Most digits looked for: their power of ten fits.
const DIGITS_MAX: usize = 18;

impl Digits {
    /// Takes a text; `None` if it holds anything but digits, or too many.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let is_usable = (1..=DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = if is_usable { text.parse().ok()? } else { return None };
        let power = 10u64.pow(text.len() as u32);
        // Digits with leading zeros must follow another digit, unless they are a single zero.
        let least = if text.len() == 1 { number } else { number.max(power / 10) };
        Some(Self { number, power, least })
    }

    /// Drops leading zeros, of which the spelling may have more.
    pub(crate) fn without_zeros(self) -> Self {
        let mut power = 1;
        while power <= self.number {
            power *= 10;
        }
        Self { power, least: self.number, ..self }
    }

    /// Reports whether they occur in a number that is spelled without zeros in front.
    pub(crate) fn are_in(self, number: u64) -> bool {
        let mut rest = number;
        while rest >= self.least {
            if rest % self.power == self.number {
                return true;
            }
            if rest < 10 {
                return false;
            }
            rest /= 10;
        }
        false
    }

    /// Reports whether such a number begins with them.
    pub(crate) fn begin(self, number: u64) -> bool {
        let mut rest = number;
        while rest >= self.power {
            rest /= 10;
        }
        rest == self.number && rest >= self.least
    }

    /// Reports whether such a number ends with them.
    fn end(self, number: u64) -> bool {
        number >= self.least && number % self.power == self.number
    }

    /// Reports whether such a number is made of them.
    fn are(self, number: u64) -> bool {
        number >= self.least && number == self.number
    }

    /// Reports whether they occur in a number that is spelled with `width` digits, zeros in front.
    pub(crate) fn are_in_padded(self, number: u64, width: u32) -> bool {
        let (mut rest, mut n_left) = (number, width);
        // Those that are left are as many as are looked for, or more.
        while 10u64.checked_pow(n_left).is_none_or(|power| power >= self.power) {
            if rest % self.power == self.number {
                return true;
            }
            let Some(fewer) = n_left.checked_sub(1) else { return false };
            (rest, n_left) = (rest / 10, fewer);
        }
        false
    }
}

/// Digits that whole numbers, written without leading zeros, must hold at an anchor.
pub(crate) struct DigitsNeedle {
    digits: Digits,
    anchor: Anchor,
}

impl DigitsNeedle {
    /// Takes a text; `None` if it holds anything but digits, or too many.
    pub(crate) fn of(text: &str, anchor: Anchor) -> Option<Self> {
        Some(Self { digits: Digits::of(text)?, anchor })
    }

    /// Reports whether the text of a number holds it.
    pub(crate) fn is_in(&self, number: i64) -> bool {
        let number = number.unsigned_abs();
        match self.anchor {
            Anchor::Both => self.digits.are(number),
            Anchor::End => self.digits.end(number),
            Anchor::Start => self.digits.begin(number),
            Anchor::Anywhere => self.digits.are_in(number),
        }
    }
}

/// Of each number of an address, which of its values fit.
type OctetSets = [[bool; 256]; 4];

/// A part of the text of an IPv4 address.
pub(crate) struct AddressNeedle {
    /// One for each number of the address with which the part may begin, as far as any does.
    ways: Vec<OctetSets>,
}

impl AddressNeedle {
    /// Takes the literal that addresses must hold at `anchor`.
    pub(crate) fn new(literal: &str, anchor: Anchor) -> Self {
        let parts: Vec<&str> = literal.split('.').collect();
        let n_parts = parts.len();
        // Few enough to be looked at: no address has more than four numbers.
        let of_part = |(place, part): (usize, &&str)| {
            // Parts are separated by a dot; before the first part and after the last the number may continue.
            let anchor = anchor.of_part(place == 0, place + 1 == n_parts);
            std::array::from_fn(|number| is_part_of(part, &number.to_string(), anchor))
        };
        let of_parts: Vec<[bool; 256]> = parts.iter().enumerate().take(4).map(of_part).collect();
        let fitting = |first: usize| {
            let mut fitting: OctetSets = [[true; 256]; 4];
            fitting[first..].iter_mut().zip(&of_parts).for_each(|(fits, part)| *fits = *part);
            fitting
        };
        let last = 4usize.checked_sub(n_parts);
        let is_way =
            |first: &usize| (!anchor.is_at_start() || *first == 0) && (!anchor.is_at_end() || Some(*first) == last);
        let ways = last.map_or(0..0, |last| 0..last + 1).filter(is_way).map(fitting);
        Self { ways: ways.filter(|fitting| fitting.iter().all(|fits| fits.contains(&true))).collect() }
    }

    /// Reports whether no address holds it.
    pub(crate) fn is_nowhere(&self) -> bool {
        self.ways.is_empty()
    }

    /// Reports whether the text of an address holds it.
    pub(crate) fn is_in(&self, address: u32) -> bool {
        let [a, b, c, d] = address.to_be_bytes().map(usize::from);
        self.ways.iter().any(|fits| fits[0][a] & fits[1][b] & fits[2][c] & fits[3][d])
    }
}

/// Reports whether a number holds `part` at `anchor`.
fn is_part_of(part: &str, number: &str, anchor: Anchor) -> bool {
    match anchor {
        Anchor::Both => number == part,
        Anchor::Start => number.starts_with(part),
        Anchor::End => number.ends_with(part),
        Anchor::Anywhere => number.contains(part),
    }
}

#[cfg(test)]
mod tests;

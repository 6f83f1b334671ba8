//! Numbers: whole ones as `i64`, decimals as `f64` where that gives the decimal back, else their digits.

use super::JsonError;
use super::scan::Scanner;
use crate::json::members::Token;

/// Powers of ten that an `f64` holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Significant digits of which every decimal comes back from an `f64`.
const DIGITS_SAFE: usize = 15;

impl Scanner<'_> {
    /// Reads a number at its sign or first digit.
    pub(super) fn number(&mut self) -> Result<Token, JsonError> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let whole_start = self.at;
        let mut mantissa = 0u64;
        self.digits(&mut mantissa)?;
        let n_whole = self.at - whole_start;
        if n_whole > 1 && self.bytes[whole_start] == b'0' {
            self.at = whole_start + 1;
            return Err(self.error("expected no digit after a leading zero"));
        }
        let mut n_fraction = 0;
        let mut is_whole = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            is_whole = false;
            let fraction_start = self.at;
            self.digits(&mut mantissa)?;
            n_fraction = self.at - fraction_start;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits(&mut 0)?;
            return Ok(self.decimal(start));
        }
        if is_whole {
            return Ok(self.whole(start, negative, n_whole, mantissa));
        }
        if n_whole + n_fraction <= DIGITS_SAFE {
            // Both numbers are exact, so the quotient is the closest there is (Clinger 1990).
            let number = mantissa as f64 / TENS[n_fraction];
            return Ok(Token::Float(if negative { -number } else { number }));
        }
        Ok(self.decimal(start))
    }

    /// At least one digit, added to `mantissa`, which means nothing beyond nineteen digits.
    fn digits(&mut self, mantissa: &mut u64) -> Result<(), JsonError> {
        let start = self.at;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            self.at += 1;
        }
        if self.at == start { Err(self.error("expected a digit")) } else { Ok(()) }
    }

    fn whole(&self, start: usize, negative: bool, n_digits: usize, mantissa: u64) -> Token {
        if negative && mantissa == 0 && n_digits == 1 {
            return Token::Float(-0.0);
        }
        let number = i128::from(mantissa) * if negative { -1 } else { 1 };
        match i64::try_from(number) {
            // Nineteen digits do not overflow the mantissa.
            Ok(number) if n_digits <= 19 => Token::Integer(number),
            _ => Token::Digits(self.span(start)),
        }
    }

    /// A decimal of many digits or with an exponent.
    fn decimal(&self, start: usize) -> Token {
        let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default();
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() && comes_back(text, number) => Token::Float(number),
            _ => Token::Digits(self.span(start)),
        }
    }
}

/// Tells whether the shortest decimal that means `number` is the one that was written.
fn comes_back(written: &str, number: f64) -> bool {
    let mut shown = zmij::Buffer::new();
    match (significant(written), significant(shown.format_finite(number))) {
        (Some((written, power)), Some((shown, power_shown))) => power == power_shown && written.eq(shown),
        _ => false,
    }
}

/// The digits of a decimal without zeros at either end, and the power of ten of the first one.
///
/// `None` where the exponent is beyond reason; a zero has no digits and the power 0.
fn significant(text: &str) -> Option<(impl Iterator<Item = u8>, i64)> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i64>().ok().filter(|e| e.abs() < 1 << 32)?),
        None => (text, 0),
    };
    let mantissa = mantissa.trim_start_matches('-');
    let n_whole = mantissa.find('.').unwrap_or(mantissa.len());
    let from_first = mantissa.trim_start_matches(['0', '.']);
    let n_before = mantissa.len() - from_first.len();
    // A point before the first digit is none of the zeros.
    let n_zeros = n_before - usize::from(n_before > n_whole);
    let digits = from_first.trim_end_matches(['0', '.']);
    let power = if digits.is_empty() { 0 } else { exponent + n_whole as i64 - n_zeros as i64 };
    Some((digits.bytes().filter(u8::is_ascii_digit), power))
}

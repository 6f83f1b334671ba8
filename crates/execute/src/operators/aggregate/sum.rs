//! Sums, means and deviations of numbers, exact until the very end.
//!
//! Decimals are kept as an expansion: numbers whose bits do not overlap and whose sum is exactly the sum of all that
//! were added (Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", 1997).
//! There are rarely more than three. So the answer is rounded once, and does not depend on the order in which rows
//! came or states were merged. Numbers of usual size are added as integers, in units so small that nothing is lost, which
//! takes a fifth of the time; their sum goes to the expansion in the end.

use types::Value;

use evaluate::Cell;
use plan::Number;
use types::codec::{Cursor, Decoded, put_count, put_decimal, put_wide};

/// The most parts of an expansion: the range of a double in pieces of its precision, and room for gaps.
const PARTS_MAX: usize = 64;

/// Units of 2^-80: numbers from 2^-28 (4e-9) to 2^33 are multiples of it, and thousands of the largest fit.
const UNIT_BITS: i32 = 80;

/// The value of one unit.
const UNIT: f64 = f64::from_bits((1023 - UNIT_BITS as u64) << 52);

/// Returns a number in units, where it is a multiple of one and not too large.
#[inline]
fn units_of(number: f64) -> Option<i128> {
    let bits = number.to_bits();
    // The number is its 53 bits times 2^(exponent − 1075).
    let exponent = (bits >> 52) as i32 & 0x7ff;
    let shift = exponent - 1075 + UNIT_BITS;
    if !(0..=60).contains(&shift) {
        return if number == 0.0 { Some(0) } else { None };
    }
    let units = i128::from(bits & ((1 << 52) - 1) | 1 << 52) << shift;
    Some(if number < 0.0 { -units } else { units })
}

/// Adds units as long as [`pieces`] can take the sum apart.
#[inline]
fn together(a: i128, b: i128) -> Option<i128> {
    a.checked_add(b).filter(|sum| sum.unsigned_abs() < 1 << 126)
}

/// The sum of decimals, exactly.
#[derive(Clone, Debug, Default)]
struct Expansion {
    /// What is not in the parts, in units.
    units: i128,
    /// Ascending in size, without overlap.
    parts: Vec<f64>,
    /// Whether a sum left the range of numbers; then there is none.
    is_beyond: bool,
}

/// Returns a sum and what rounding took from it.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// Returns a product and what rounding took from it (Dekker's way, which needs no fused operation).
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let split = |x: f64| {
        let shifted = 134_217_729.0 * x;
        let high = shifted - (shifted - x);
        (high, x - high)
    };
    let product = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
    (product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low)
}

impl Expansion {
    #[inline]
    fn add(&mut self, number: f64) {
        match units_of(number).and_then(|units| together(self.units, units)) {
            Some(sum) => self.units = sum,
            None => self.add_part(number),
        }
    }

    /// Returns the sum in parts alone.
    fn in_parts(&self) -> Self {
        let mut sum = Self { units: 0, ..self.clone() };
        pieces(self.units).into_iter().for_each(|piece| sum.add_part(piece * UNIT));
        sum
    }

    fn add_part(&mut self, number: f64) {
        let mut carried = number;
        let mut n_kept = 0;
        for index in 0..self.parts.len() {
            let (sum, rest) = two_sum(self.parts[index], carried);
            carried = sum;
            if rest != 0.0 {
                self.parts[n_kept] = rest;
                n_kept += 1;
            }
        }
        self.parts.truncate(n_kept);
        if !carried.is_finite() {
            self.is_beyond = true;
            self.parts.clear();
        } else if carried != 0.0 {
            self.parts.push(carried);
        }
    }

    fn add_product(&mut self, a: f64, b: f64) {
        let (product, rest) = two_product(a, b);
        if product.is_finite() && rest.is_finite() {
            self.add(product);
            self.add(rest);
        } else {
            self.is_beyond = true;
        }
    }

    fn add_whole(&mut self, whole: i128) {
        pieces(whole).into_iter().for_each(|piece| self.add(piece));
    }

    fn merge(&mut self, other: &Self) {
        self.is_beyond |= other.is_beyond;
        match together(self.units, other.units) {
            Some(sum) => self.units = sum,
            None => pieces(other.units).into_iter().for_each(|piece| self.add_part(piece * UNIT)),
        }
        other.parts.iter().for_each(|part| self.add_part(*part));
    }

    /// Returns the number nearest to the sum; of two as near the even one.
    fn rounded(&self) -> f64 {
        if self.is_beyond {
            return f64::NAN;
        }
        let sum = self.in_parts();
        let mut parts = sum.parts.iter().rev();
        let Some(mut high) = parts.next().copied() else { return 0.0 };
        let mut low = 0.0;
        for part in parts.by_ref() {
            (high, low) = two_sum(high, *part);
            if low != 0.0 {
                break;
            }
        }
        // Halfway between two numbers, what is further down decides.
        if let Some(next) = parts.next()
            && (low < 0.0) == (*next < 0.0)
        {
            let twice = low * 2.0;
            let rounded = high + twice;
            if rounded - high == twice {
                high = rounded;
            }
        }
        high
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let sum = self.in_parts();
        put_count(sum.parts.len() as u64, out);
        sum.parts.iter().for_each(|part| put_decimal(*part, out));
        out.push(self.is_beyond.into());
    }

    fn decode(reader: &mut Cursor<'_>) -> Decoded<Self> {
        let mut expansion = Self::default();
        // Added one by one: whatever was sent, no parts overlap.
        for _ in 0..reader.below(PARTS_MAX)? {
            let part = reader.decimal()?;
            expansion.add(part);
        }
        expansion.is_beyond |= reader.byte()? == 1;
        Ok(expansion)
    }
}

/// Returns numbers whose sum is `whole`: three of 53 bits hold any of them.
fn pieces(whole: i128) -> [f64; 3] {
    let high = whole as f64;
    let rest = whole.saturating_sub(high as i128);
    let middle = rest as f64;
    [high, middle, (rest - middle as i128) as f64]
}

/// A sum of numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    n_values: u64,
    n_decimals: u64,
    whole: i128,
    decimals: Expansion,
}

impl Sum {
    /// Adds a number; what is none is passed over.
    pub(crate) fn add(&mut self, cell: Cell<'_>) {
        match cell.number() {
            Some(Number::Integer(number)) => self.add_integer(number),
            Some(Number::Float(number)) => self.add_float(number),
            None => {}
        }
    }

    /// Adds a decimal.
    #[inline]
    pub(super) fn add_float(&mut self, number: f64) {
        self.decimals.add(number);
        self.n_decimals += 1;
        self.n_values += 1;
    }

    /// Adds a whole number.
    #[inline]
    pub(super) fn add_integer(&mut self, number: i128) {
        self.add_whole(number);
        self.n_values += 1;
    }

    fn add_whole(&mut self, number: i128) {
        // Numbers beyond i64 come as text of up to 38 digits; some of those could leave an i128.
        match self.whole.checked_add(number) {
            Some(sum) => self.whole = sum,
            None => {
                self.n_decimals += 1;
                self.decimals.add_whole(number);
            }
        }
    }

    /// Adds the numbers of another sum.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.n_values = self.n_values.saturating_add(other.n_values);
        self.n_decimals = self.n_decimals.saturating_add(other.n_decimals);
        self.add_whole(other.whole);
        self.decimals.merge(&other.decimals);
    }

    fn rounded(&self) -> f64 {
        let mut all = self.decimals.clone();
        all.add_whole(self.whole);
        all.rounded()
    }

    /// Returns the sum: whole where all numbers were and it fits, missing over nothing.
    pub(crate) fn total(&self) -> Option<Value> {
        match self.n_values {
            0 => None,
            _ if self.n_decimals == 0 => Number::Integer(self.whole).into_value(),
            _ => Number::Float(self.rounded()).into_value(),
        }
    }

    /// Returns the mean, missing over nothing.
    pub(crate) fn mean(&self) -> Option<Value> {
        let mean = self.rounded() / self.n_values as f64;
        (self.n_values > 0).then_some(Number::Float(mean)).and_then(Number::into_value)
    }

    /// Appends the state.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_count(self.n_values, out);
        put_count(self.n_decimals, out);
        put_wide(self.whole, out);
        self.decimals.encode(out);
    }

    /// Reads a state.
    pub(super) fn decode(reader: &mut Cursor<'_>) -> Decoded<Self> {
        Ok(Self {
            n_values: reader.varint()?,
            n_decimals: reader.varint()?,
            whole: reader.wide()?,
            decimals: Expansion::decode(reader)?,
        })
    }
}

/// Deviation from the mean, from the exact sums of numbers and of their squares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moments {
    n_values: u64,
    sum: Expansion,
    squares: Expansion,
}

impl Moments {
    /// Adds a number; what is none is passed over.
    pub(crate) fn add(&mut self, cell: Cell<'_>) {
        let Some(number) = cell.number() else { return };
        let number = number.as_float();
        self.n_values += 1;
        self.sum.add(number);
        self.squares.add_product(number, number);
    }

    /// Adds the numbers of others.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.n_values = self.n_values.saturating_add(other.n_values);
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
    }

    /// Returns the variance of a sample, missing for fewer than two numbers.
    pub(crate) fn variance(&self) -> Option<f64> {
        // n · Σx² − (Σx)² without rounding: nothing is lost where the two are nearly the same.
        let n_values = self.n_values as f64;
        let (sum, squares) = (self.sum.in_parts(), self.squares.in_parts());
        let mut apart = Expansion { is_beyond: sum.is_beyond || squares.is_beyond, ..Expansion::default() };
        squares.parts.iter().for_each(|part| apart.add_product(n_values, *part));
        for a in &sum.parts {
            sum.parts.iter().for_each(|b| apart.add_product(-a, *b));
        }
        let variance = apart.rounded() / n_values / (n_values - 1.0);
        (self.n_values >= 2 && variance.is_finite()).then_some(variance.max(0.0))
    }

    /// Appends the state.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_count(self.n_values, out);
        self.sum.encode(out);
        self.squares.encode(out);
    }

    /// Reads a state.
    pub(super) fn decode(reader: &mut Cursor<'_>) -> Decoded<Self> {
        Ok(Self { n_values: reader.varint()?, sum: Expansion::decode(reader)?, squares: Expansion::decode(reader)? })
    }
}

#[cfg(test)]
mod tests;

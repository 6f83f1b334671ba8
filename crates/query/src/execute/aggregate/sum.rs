//! Sums, means and deviations of numbers.

use types::Value;

use super::super::cell::Cell;
use super::super::number::Number;

/// A sum: whole numbers exactly, decimals with the rounding error of each addition kept (Neumaier, "Rundungs-
/// fehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54, 1974).
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    n_values: u64,
    n_decimals: u64,
    whole: i128,
    decimal: f64,
    error: f64,
}

impl Sum {
    /// Adds a number; what is none is passed over.
    pub(crate) fn add(&mut self, cell: Cell<'_>) {
        match cell.number() {
            Some(Number::Integer(number)) => {
                // Numbers beyond i64 come as text of up to 38 digits; some of those could leave an i128.
                match self.whole.checked_add(number) {
                    Some(sum) => self.whole = sum,
                    None => self.add_decimal(number as f64),
                }
                self.n_values += 1;
            }
            Some(Number::Float(number)) => {
                self.add_decimal(number);
                self.n_values += 1;
            }
            None => {}
        }
    }

    fn add_decimal(&mut self, number: f64) {
        self.n_decimals += 1;
        self.add_exactly(number);
    }

    fn add_exactly(&mut self, number: f64) {
        let sum = self.decimal + number;
        self.error += if self.decimal.abs() >= number.abs() {
            (self.decimal - sum) + number
        } else {
            (number - sum) + self.decimal
        };
        self.decimal = sum;
    }

    /// Adds the numbers of another sum.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.n_values += other.n_values;
        self.n_decimals += other.n_decimals;
        match self.whole.checked_add(other.whole) {
            Some(sum) => self.whole = sum,
            None => {
                self.n_decimals += 1;
                self.add_exactly(other.whole as f64);
            }
        }
        self.add_exactly(other.decimal);
        self.error += other.error;
    }

    fn decimal_total(&self) -> f64 {
        (self.whole as f64) + (self.decimal + self.error)
    }

    /// The sum: whole where all numbers were and it fits, missing over nothing.
    pub(crate) fn total(&self) -> Option<Value> {
        match self.n_values {
            0 => None,
            _ if self.n_decimals == 0 => Number::Integer(self.whole).into_value(),
            _ => Number::Float(self.decimal_total()).into_value(),
        }
    }

    /// The mean, missing over nothing.
    pub(crate) fn mean(&self) -> Option<Value> {
        let mean = self.decimal_total() / self.n_values as f64;
        (self.n_values > 0).then_some(Number::Float(mean)).and_then(Number::into_value)
    }
}

/// Mean and squared deviation, merged as in Chan, Golub, LeVeque, "Updating Formulae and a Pairwise Algorithm
/// for Computing Sample Variances", 1979.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moments {
    n_values: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds a number; what is none is passed over.
    pub(crate) fn add(&mut self, cell: Cell<'_>) {
        let Some(number) = cell.number() else { return };
        let number = number.as_float();
        self.n_values += 1;
        let before = number - self.mean;
        self.mean += before / self.n_values as f64;
        self.squares += before * (number - self.mean);
    }

    /// Adds the numbers of others.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.n_values == 0 {
            return;
        }
        let (here, there) = (self.n_values as f64, other.n_values as f64);
        let apart = other.mean - self.mean;
        self.n_values += other.n_values;
        self.mean += apart * there / (here + there);
        self.squares += other.squares + apart * apart * here * there / (here + there);
    }

    /// The variance of a sample, missing for fewer than two numbers.
    pub(crate) fn variance(&self) -> Option<f64> {
        let variance = self.squares / (self.n_values as f64 - 1.0);
        (self.n_values >= 2 && variance.is_finite()).then_some(variance.max(0.0))
    }
}

//! Sums whose rounding errors are compensated.

/// A sum with its compensation, by Neumaier's variant of Kahan's method, which Prometheus uses.
///
/// `value` is the plain sum; `value + lost` is the compensated one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub(crate) value: f64,
    pub(crate) lost: f64,
}

impl Sum {
    pub(crate) fn new(value: f64) -> Self {
        Self { value, lost: 0.0 }
    }

    #[inline]
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.value + term;
        if sum.is_infinite() {
            self.lost = 0.0;
        } else if self.value.abs() >= term.abs() {
            self.lost += (self.value - sum) + term;
        } else {
            self.lost += (term - sum) + self.value;
        }
        self.value = sum;
    }

    pub(crate) fn total(self) -> f64 {
        self.value + self.lost
    }
}

/// A mean that is a sum divided by the count until the sum overflows, and incremental from then on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mean {
    sum: Sum,
    count: f64,
    incremental: bool,
}

impl Mean {
    pub(crate) fn new(first: f64) -> Self {
        Self { sum: Sum::new(first), count: 1.0, incremental: false }
    }

    pub(crate) fn add(&mut self, term: f64) {
        self.count += 1.0;
        if !self.incremental {
            let mut sum = self.sum;
            sum.add(term);
            if !sum.value.is_infinite() {
                self.sum = sum;
                return;
            }
            self.incremental = true;
            let n = self.count - 1.0;
            self.sum = Sum { value: self.sum.value / n, lost: self.sum.lost / n };
        }
        let share = (self.count - 1.0) / self.count;
        self.sum = Sum { value: share * self.sum.value, lost: share * self.sum.lost };
        self.sum.add(term / self.count);
    }

    pub(crate) fn total(self) -> f64 {
        if self.incremental { self.sum.total() } else { self.sum.value / self.count + self.sum.lost / self.count }
    }
}

/// Reports whether two numbers differ by no more than the fraction `tolerance` of their mean size.
///
/// NaN equals NaN, except that a stale marker only equals another one.
pub(crate) fn almost_equal(a: f64, b: f64, tolerance: f64) -> bool {
    if crate::value::is_stale(a) || crate::value::is_stale(b) {
        return crate::value::is_stale(a) && crate::value::is_stale(b);
    }
    if (a.is_nan() && b.is_nan()) || a == b {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < tolerance * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < tolerance
}

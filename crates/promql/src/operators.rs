//! Binary operators on single values, and between a vector and a scalar.

use std::sync::Arc;

use crate::annotations::Remarks;
use crate::context::Context;
use crate::error::Result;
use crate::histogram::{Histogram, Keep, ResetHint};
use crate::syntax::{Operator, Span};
use crate::value::{NONE, Series, Value, is_none, stored};

/// Computes an arithmetic operator, or 1 and 0 of a comparison.
pub(crate) fn scalars(operator: Operator, a: f64, b: f64) -> f64 {
    match operator {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mul => a * b,
        Operator::Div => a / b,
        Operator::Mod => a % b,
        Operator::Pow => a.powf(b),
        Operator::Atan2 => a.atan2(b),
        _ => f64::from(u8::from(compare(operator, a, b))),
    }
}

pub(crate) fn compare(operator: Operator, a: f64, b: f64) -> bool {
    match operator {
        Operator::Equal => a == b,
        Operator::NotEqual => a != b,
        Operator::Greater => a > b,
        Operator::Less => a < b,
        Operator::GreaterEqual => a >= b,
        Operator::LessEqual => a <= b,
        _ => false,
    }
}

/// What an operator makes of two values.
pub(crate) enum Outcome {
    /// The types do not go together; there is a remark.
    Refused,
    /// A value, and whether a comparison holds.
    Value(Value, bool),
}

/// An operator where it stands.
pub(crate) struct Operation<'a> {
    pub(crate) operator: Operator,
    pub(crate) span: &'a Span,
}

impl Operation<'_> {
    /// Computes; a comparison yields its left value.
    pub(crate) fn apply(&self, left: &Value, right: &Value, remarks: &mut Remarks) -> Outcome {
        let operator = self.operator;
        match (left, right) {
            (Value::Float(a), Value::Float(b)) if operator.is_comparison() => {
                Outcome::Value(Value::Float(*a), compare(operator, *a, *b))
            }
            (Value::Float(_), Value::Float(_)) if operator.is_trim() => self.refuse("float", "float", remarks),
            (Value::Float(a), Value::Float(b)) => Outcome::Value(Value::Float(scalars(operator, *a, *b)), true),
            (Value::Float(a), Value::Histogram(b)) if operator == Operator::Mul => scaled(b, |h| h.times(*a)),
            (Value::Histogram(a), Value::Float(b)) if operator == Operator::Mul => scaled(a, |h| h.times(*b)),
            (Value::Histogram(a), Value::Float(b)) if operator == Operator::Div => scaled(a, |h| h.divided(*b)),
            (Value::Histogram(a), Value::Float(b)) if operator == Operator::TrimUpper => {
                Outcome::Value(a.as_ref().clone().trimmed(*b, Keep::Below).into(), true)
            }
            (Value::Histogram(a), Value::Float(b)) if operator == Operator::TrimLower => {
                Outcome::Value(a.as_ref().clone().trimmed(*b, Keep::Above).into(), true)
            }
            (Value::Histogram(a), Value::Histogram(b)) => self.histograms(a, b, remarks),
            (Value::Float(_), Value::Histogram(_)) => self.refuse("float", "histogram", remarks),
            (Value::Histogram(_), Value::Float(_)) => self.refuse("histogram", "float", remarks),
        }
    }

    fn refuse(&self, left: &str, right: &str, remarks: &mut Remarks) -> Outcome {
        let text = self.operator.text();
        let what = "incompatible sample types encountered for binary operator";
        remarks.info(self.span, &format!("{what} {text:?}: {left} {text} {right}"));
        Outcome::Refused
    }

    fn histograms(&self, a: &Arc<Histogram>, b: &Arc<Histogram>, remarks: &mut Remarks) -> Outcome {
        let (result, noun) = match self.operator {
            Operator::Add => (a.plus(b), "addition"),
            Operator::Sub => (a.minus(b).map(|(h, noticed)| (h.with_hint(ResetHint::Gauge), noticed)), "subtraction"),
            Operator::Equal => return Outcome::Value(Value::Histogram(a.clone()), a.same(b)),
            Operator::NotEqual => return Outcome::Value(Value::Histogram(a.clone()), !a.same(b)),
            _ => return self.refuse("histogram", "histogram", remarks),
        };
        let Ok((histogram, noticed)) = result else {
            let text = self.operator.text();
            let message = format!("incompatible bucket layout encountered for binary operator {text}");
            remarks.warn(self.span, &message);
            return Outcome::Refused;
        };
        if noticed.collision {
            remarks.collision(self.span, noun);
        }
        if noticed.reconciled {
            remarks.reconciled(self.span, noun);
        }
        Outcome::Value(histogram.compact().into(), true)
    }

    /// Computes between each series of a vector and a scalar, which stands on the left if `swap` is set.
    pub(crate) fn vector_scalar(
        &self,
        context: &Context<'_>,
        mut vector: Vec<Series>,
        scalar: &[f64],
        swap: bool,
        return_bool: bool,
    ) -> Result<Vec<Series>> {
        let mut remarks = context.remarks().fresh();
        for series in &mut vector {
            context.check()?;
            if series.histograms.is_empty() && !self.operator.is_trim() {
                self.floats(series, scalar, swap, return_bool);
            } else {
                for (step, number) in scalar.iter().enumerate() {
                    self.one(series, step, *number, (swap, return_bool), &mut remarks);
                }
            }
            if self.operator.is_arithmetic() || return_bool {
                context.drop_name(series);
            }
        }
        context.remarks().merge(remarks);
        vector.retain(Series::has_any);
        context.unite(vector, self.span)
    }

    /// The frequent case: one loop over floats.
    fn floats(&self, series: &mut Series, scalar: &[f64], swap: bool, return_bool: bool) {
        let operator = self.operator;
        for (value, number) in series.floats.iter_mut().zip(scalar) {
            if is_none(*value) {
                continue;
            }
            let (a, b) = if swap { (*number, *value) } else { (*value, *number) };
            if !operator.is_comparison() || return_bool {
                *value = stored(scalars(operator, a, b));
            } else if !compare(operator, a, b) {
                *value = NONE;
            }
        }
    }

    fn one(
        &self,
        series: &mut Series,
        step: usize,
        number: f64,
        (swap, return_bool): (bool, bool),
        remarks: &mut Remarks,
    ) {
        let Some(value) = series.get(step) else { return };
        let scalar = Value::Float(number);
        let (left, right) = if swap { (&scalar, &value) } else { (&value, &scalar) };
        let outcome = self.apply(left, right, remarks);
        series.floats[step] = NONE;
        if let Some(histogram) = series.histograms.get_mut(step) {
            *histogram = None;
        }
        match outcome {
            Outcome::Value(_, holds) if return_bool => {
                series.set(step, Value::Float(f64::from(u8::from(holds))));
            }
            // A comparison keeps the value of the vector, on whichever side it stands.
            Outcome::Value(_, true) if self.operator.is_comparison() => series.set(step, value),
            Outcome::Value(result, true) => series.set(step, result),
            _ => {}
        }
    }
}

fn scaled(histogram: &Histogram, by: impl Fn(Histogram) -> Histogram) -> Outcome {
    Outcome::Value(by(histogram.clone()).compact().into(), true)
}

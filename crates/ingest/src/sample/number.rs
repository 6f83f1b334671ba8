//! What a sample holds; numbers that no column of numbers holds, as texts.

/// What a sample holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SampleValue<'v> {
    /// A number.
    Float(f64),
    /// A native histogram, as the text that queries read it from.
    Histogram(&'v str),
}

/// The NaN that marks the end of a series. Source: Prometheus' `model/value`.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Numbers that no column of numbers holds, as the field `value` has them.
const STALE_TEXT: &str = "stale";

/// Returns a number as the field `value` has it where a column of numbers cannot: `NaN`, `+Inf`, `-Inf` or `stale`.
pub fn text_of_number(value: f64) -> &'static str {
    if value.to_bits() == STALE_BITS {
        STALE_TEXT
    } else if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

/// Returns the number that a text of [`text_of_number`] stands for.
pub fn number_of_text(text: &str) -> Option<f64> {
    match text {
        STALE_TEXT => Some(f64::from_bits(STALE_BITS)),
        "NaN" => Some(f64::NAN),
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

//! Decimals as whole numbers of a power of ten.

/// Powers of ten by scale.
pub(super) const POWERS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// Returns a decimal times 10^scale, where that is a whole number that the division turns back.
pub(super) fn scaled(value: f64, scale: u8) -> Option<i64> {
    let factor = POWERS[usize::from(scale)];
    let scaled = round(value * factor);
    let fits = scaled.abs() < 9_007_199_254_740_992.0;
    // The way back starts from the integer: -0.0 becomes 0 and is noticed.
    (fits && (scaled as i64 as f64 / factor).to_bits() == value.to_bits()).then_some(scaled as i64)
}

/// Rounds to a whole number; of numbers halfway between two, either is right. Without a call into a library for each value.
fn round(value: f64) -> f64 {
    // Adding and subtracting 1.5 × 2^52 rounds a number below 2^51 to a whole one.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    if value.abs() < 2_251_799_813_685_248.0 { (value + SHIFT) - SHIFT } else { value.round() }
}

#[cfg(test)]
mod tests;

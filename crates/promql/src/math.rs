//! Functions of single numbers.

/// Returns the function of this name that needs nothing but a number.
pub(crate) fn find(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "sqrt" => f64::sqrt,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => |v: f64| if v.abs() > HYPERBOLIC_ONE_SIDED { half_exp(v.abs()).copysign(v) } else { v.sinh() },
        "cosh" => |v: f64| if v.abs() > HYPERBOLIC_ONE_SIDED { half_exp(v.abs()) } else { v.cosh() },
        "tanh" => f64::tanh,
        "asinh" => |v: f64| if v.abs() > HYPERBOLIC_LARGE { large_asinh(v.abs()).copysign(v) } else { v.asinh() },
        "acosh" => |v: f64| if v > HYPERBOLIC_LARGE { large_asinh(v) } else { v.acosh() },
        "atanh" => f64::atanh,
        "deg" => |v| v * 180.0 / std::f64::consts::PI,
        "rad" => |v| v * std::f64::consts::PI / 180.0,
        "sgn" => |v| {
            if v < 0.0 {
                -1.0
            } else if v > 0.0 {
                1.0
            } else {
                v
            }
        },
        "minute" => |v| day_time(v, 60, 60),
        "hour" => |v| day_time(v, 3600, 24),
        "day_of_week" => |v| (days(v) + 4).rem_euclid(7) as f64,
        "day_of_month" => |v| date(v).day as f64,
        "day_of_year" => |v| (days(v) - days_before(date(v).year, 1) + 1) as f64,
        "days_in_month" => |v| month_days(&date(v)) as f64,
        "month" => |v| date(v).month as f64,
        "year" => |v| date(v).year as f64,
        _ => return None,
    })
}

/// From here on the inverse hyperbolic functions are the logarithm of twice the number, which itself may not fit.
const HYPERBOLIC_LARGE: f64 = 268_435_456.0;

fn large_asinh(value: f64) -> f64 {
    value.ln() + std::f64::consts::LN_2
}

/// From here on `sinh` and `cosh` are half of the exponential function, as in Go: they overflow where that does.
const HYPERBOLIC_ONE_SIDED: f64 = 21.0;

fn half_exp(value: f64) -> f64 {
    value.exp() * 0.5
}

/// Returns the least of two numbers as Go does: NaN wins, and -0 is less than 0.
pub(crate) fn min(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        if a.is_sign_negative() { a } else { b }
    } else {
        a.min(b)
    }
}

/// Returns the greatest of two numbers as Go does: NaN wins, and 0 is more than -0.
pub(crate) fn max(a: f64, b: f64) -> f64 {
    -min(-a, -b)
}

struct Date {
    year: i64,
    month: i64,
    day: i64,
}

/// Days from the start of Go's count of absolute time to the epoch.
const DAYS_TO_EPOCH: i64 = 106_751_991_073_094;

/// Returns seconds of Go's count of absolute time, with what it makes of NaN and of numbers that do not fit.
fn absolute(value: f64) -> u64 {
    let fits = (i64::MIN as f64..-(i64::MIN as f64)).contains(&value);
    let seconds = if fits { value as i64 } else { i64::MIN };
    (seconds as u64).wrapping_add(DAYS_TO_EPOCH as u64 * 86_400)
}

fn days(value: f64) -> i64 {
    (absolute(value) / 86_400) as i64 - DAYS_TO_EPOCH
}

fn day_time(value: f64, unit: u64, modulus: u64) -> f64 {
    (absolute(value) / unit % modulus) as f64
}

/// Converts days since the epoch into a date of the Gregorian calendar. Source: Hinnant, chrono-compatible date algorithms.
fn date(value: f64) -> Date {
    let shifted = days(value) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    Date { year: era * 400 + year + i64::from(month <= 2), month, day }
}

/// Returns the days from the epoch to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn month_days(date: &Date) -> i64 {
    let (year, month) = if date.month == 12 { (date.year + 1, 1) } else { (date.year, date.month + 1) };
    days_before(year, month) - days_before(date.year, date.month)
}

#[cfg(test)]
mod tests;

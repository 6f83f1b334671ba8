//! Constants of a query.

use std::fmt::{self, Display, Formatter};

use plan::escape::quoted;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A whole number.
    Integer(i64),
    /// A finite decimal number.
    Float(f64),
    /// Nanoseconds.
    Duration(i64),
    /// A text.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
    /// `unset`, `ok` or `error`.
    Status(&'static str),
    /// `server`, `client`, …
    Kind(&'static str),
}

/// Names of statuses.
const STATUSES: [&str; 3] = ["unset", "ok", "error"];

/// Names of kinds.
const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];

/// Units of durations, in nanoseconds, the greatest first.
const UNITS: [(&str, i64); 11] = [
    ("y", 365 * 24 * HOUR_NS),
    ("w", 7 * 24 * HOUR_NS),
    ("d", 24 * HOUR_NS),
    ("h", HOUR_NS),
    ("m", HOUR_NS / 60),
    ("s", HOUR_NS / 3_600),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ns", 1),
];

const HOUR_NS: i64 = 3_600_000_000_000;

impl Literal {
    /// Returns the constant that a word means.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let known = |names: &[&'static str]| names.iter().copied().find(|name| *name == word);
        Some(match word {
            "true" => Self::Boolean(true),
            "false" => Self::Boolean(false),
            "minInt" => Self::Integer(i64::MIN),
            "maxInt" => Self::Integer(i64::MAX),
            _ => known(&STATUSES).map(Self::Status).or_else(|| known(&KINDS).map(Self::Kind))?,
        })
    }

    /// Returns all words that mean constants.
    pub(crate) fn words() -> impl Iterator<Item = &'static str> {
        ["true", "false", "nil", "minInt", "maxInt"].into_iter().chain(STATUSES).chain(KINDS)
    }

    /// Reads a number; `None` if it does not fit into 64 bits.
    pub(crate) fn of_number(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self::Integer);
        }
        text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Float)
    }

    /// Reads a duration such as `1h30m`; `None` if its nanoseconds do not fit into 64 bits.
    pub(crate) fn of_duration(text: &str) -> Option<Self> {
        let (mut sum, mut rest) = (0i128, text);
        while !rest.is_empty() {
            let n_digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, after) = rest.split_at(n_digits);
            let n_unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
            let unit = UNITS.iter().find(|(unit, _)| *unit == &after[..n_unit])?.1;
            // Whole numbers exactly; of decimals the part after the point may be rounded to a nanosecond.
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
            let fraction: f64 = format!("0.{fraction}0").parse().ok()?;
            sum = sum
                .checked_add(whole.checked_mul(unit.into())?)?
                .checked_add((fraction * unit as f64).round() as i128)?;
            rest = &after[n_unit..];
        }
        i64::try_from(sum).ok().map(Self::Duration)
    }

    /// Returns the negative number or duration; `None` if the constant is not a number, or has no negative.
    pub(crate) fn negated(&self) -> Option<Self> {
        Some(match self {
            Self::Integer(number) => Self::Integer(number.checked_neg()?),
            Self::Float(number) => Self::Float(-number),
            Self::Duration(length) => Self::Duration(length.checked_neg()?),
            _ => return None,
        })
    }
}

/// As a query writes it.
impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(i64::MIN) => f.write_str("minInt"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => write!(f, "{number:.1}"),
            Self::Float(number) if number.abs() < 1e-4 || number.abs() >= 1e15 => write!(f, "{number:e}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Duration(length) => write_duration(*length, f),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Boolean(truth) => write!(f, "{truth}"),
            Self::Status(word) | Self::Kind(word) => f.write_str(word),
        }
    }
}

fn write_duration(length: i64, f: &mut Formatter<'_>) -> fmt::Result {
    if length < 0 {
        f.write_str("-")?;
    }
    let mut rest = length.unsigned_abs();
    if rest == 0 {
        return f.write_str("0s");
    }
    for (unit, unit_ns) in UNITS.iter().filter(|(unit, _)| !matches!(*unit, "y" | "w" | "d" | "µs" | "μs")) {
        let count = rest / unit_ns.unsigned_abs();
        if count > 0 {
            write!(f, "{count}{unit}")?;
        }
        rest %= unit_ns.unsigned_abs();
    }
    Ok(())
}

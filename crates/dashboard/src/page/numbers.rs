//! Numbers with their units, as the page writes them: `1.2 MB`, `12 %`, `350 ms`.

use types::Locale;

use crate::document::{Grade, Panel, Threshold};

/// Whole numbers below this are written with all of their digits.
const WHOLE_MAX: f64 = 1e6;

const BYTES: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const BITS: [&str; 5] = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];

/// How numbers of a panel are written.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'a> {
    pub(super) locale: Locale,
    pub(super) unit: &'a str,
    pub(super) decimals: Option<u8>,
}

impl<'a> Numbers<'a> {
    pub(super) fn of(panel: &'a Panel, locale: Locale) -> Self {
        Self { locale, unit: panel.unit.as_deref().unwrap_or_default(), decimals: panel.decimals }
    }

    /// Writes a number with its unit.
    pub(super) fn text(self, n: f64) -> String {
        let is_plain = self.decimals.is_none() && n.fract() == 0.0 && n.abs() < WHOLE_MAX;
        let (per_second, per_minute) = (self.locale.text("/s", "/dtk"), self.locale.text("/min", "/mnt"));
        if !n.is_finite() {
            return if n.is_nan() { "–" } else { ["−∞", "+∞"][usize::from(n > 0.0)] }.to_owned();
        }
        match self.unit {
            "" | "none" | "count" if is_plain => self.grouped(n, 0, 0),
            "" | "none" | "count" => self.digits(n),
            "percent" => format!("{} %", self.digits(n)),
            "ratio" => format!("{} %", self.digits(n * 100.0)),
            "bytes" => self.scaled(n, &BYTES),
            "bytes/s" => format!("{}{per_second}", self.scaled(n, &BYTES)),
            "bits/s" => self.scaled(n, &BITS),
            "ms" => self.duration(n),
            "s" => self.duration(n * 1e3),
            "ns" => self.duration(n / 1e6),
            "per_second" => format!("{}{per_second}", self.digits(n)),
            "per_minute" => format!("{}{per_minute}", self.digits(n)),
            other => format!("{} {other}", self.digits(n)),
        }
    }

    /// Writes the marks of an axis, with as many digits as tell them apart.
    pub(super) fn marks(self, marks: &[f64]) -> Vec<String> {
        let all = |numbers: Self| marks.iter().map(|mark| numbers.text(*mark)).collect::<Vec<_>>();
        let is_apart = |texts: &Vec<String>| texts.windows(2).all(|pair| pair[0] != pair[1]);
        let decimals = std::iter::once(self.decimals).chain((1..=9).map(Some));
        decimals.map(|decimals| all(Self { decimals, ..self })).find(is_apart).unwrap_or_else(|| all(self))
    }

    fn scaled(self, n: f64, signs: &[&str]) -> String {
        let (mut value, mut at) = (n, 0);
        while value.abs() >= 999.5 && at + 1 < signs.len() {
            value /= 1e3;
            at += 1;
        }
        format!("{} {}", self.digits(value), signs[at])
    }

    /// Writes a time in the unit that suits it.
    fn duration(self, ms: f64) -> String {
        let t = |english, indonesian| self.locale.text(english, indonesian);
        let (size, unit) = match ms.abs() {
            n if n > 0.0 && n < 0.001 => (1e-6, "ns"),
            n if n > 0.0 && n < 1.0 => (1e-3, "µs"),
            n if n < 1e3 => (1.0, t("ms", "md")),
            n if n < 6e4 => (1e3, t("s", "dtk")),
            n if n < 3.6e6 => (6e4, t("min", "mnt")),
            n if n < 1.728e8 => (3.6e6, t("h", "jam")),
            _ => (8.64e7, t("d", "hari")),
        };
        format!("{} {unit}", self.digits(ms / size))
    }

    /// Writes a number of four digits, or with the decimals that were asked for.
    fn digits(self, n: f64) -> String {
        if let Some(decimals) = self.decimals {
            return self.grouped(n, usize::from(decimals), usize::from(decimals));
        }
        let size = n.abs();
        for (least, of, sign) in [(1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")] {
            if size >= least {
                return format!("{} {sign}", self.short(n / of));
            }
        }
        if size != 0.0 && size < 1e-4 { format!("{n:.2e}") } else { self.short(n) }
    }

    fn short(self, n: f64) -> String {
        let power = if n == 0.0 { 0 } else { n.abs().log10().floor() as i32 };
        let most = (3 - power).clamp(0, 8);
        self.grouped(n, 0, usize::try_from(most).unwrap_or_default())
    }

    /// Writes a number with so many digits behind the point, in groups of three before it.
    fn grouped(self, n: f64, least: usize, most: usize) -> String {
        let text = format!("{n:.most$}");
        let (whole, behind) = text.split_once('.').unwrap_or((&text, ""));
        let kept = behind.trim_end_matches('0').len().max(least.min(behind.len()));
        let (point, comma) = match self.locale {
            Locale::English => ('.', ','),
            Locale::Indonesian => (',', '.'),
        };
        let is_zero = !text.contains(|c: char| ('1'..='9').contains(&c));
        let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
        let mut out = if is_zero { String::new() } else { sign.to_owned() };
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                out.push(comma);
            }
            out.push(digit);
        }
        if kept > 0 {
            out.push(point);
            out.push_str(&behind[..kept]);
        }
        out
    }
}

/// Returns the grade of a number: that of the highest threshold which it reaches.
pub(super) fn grade_of(n: f64, thresholds: &[Threshold]) -> Option<Grade> {
    thresholds.iter().rev().find(|threshold| n >= threshold.value).map(|threshold| threshold.level)
}

/// Returns the class of a grade, and its word: a colour alone tells nothing to those who do not see it.
pub(super) fn grade_words(grade: Grade, locale: Locale) -> (&'static str, &'static str) {
    let (class, english, indonesian) = match grade {
        Grade::Ok => ("ok", "fine", "baik"),
        Grade::Info => ("info", "notice", "perlu diperhatikan"),
        Grade::Warn => ("warn", "warning", "waspada"),
        Grade::Error => ("error", "bad", "buruk"),
        Grade::Fatal => ("fatal", "critical", "kritis"),
    };
    (class, locale.text(english, indonesian))
}

#[cfg(test)]
mod tests;

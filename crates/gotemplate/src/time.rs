//! Times as Go prints them, and durations as Prometheus reads them.

/// Returns a time in seconds since the epoch as Go prints one in UTC: `2015-06-08 10:00:00.5 +0000 UTC`.
pub(crate) fn text(seconds: f64) -> String {
    // Prometheus keeps ms.
    let ms = (seconds * 1e3) as i64;
    let (days, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
    let fraction = match of_day % 1_000 {
        0 => String::new(),
        ms => format!(".{ms:03}").trim_end_matches('0').to_owned(),
    };
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction} +0000 UTC")
}

/// Returns the date of a day since the epoch. Source: Hinnant, chrono-compatible low-level date algorithms.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Reads a duration such as `1h30m` as seconds: units from the longest to the shortest, each once.
pub(crate) fn duration(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 7] = [
        ("y", 31_536_000.0),
        ("w", 604_800.0),
        ("d", 86_400.0),
        ("h", 3_600.0),
        ("m", 60.0),
        ("s", 1.0),
        ("ms", 0.001),
    ];
    if text == "0" {
        return Some(0.0);
    }
    let (mut rest, mut first_unit, mut seconds) = (text, 0, 0.0);
    while !rest.is_empty() {
        let n_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: f64 = rest[..n_digits].parse().ok()?;
        let after = &rest[n_digits..];
        let unit_length = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let place = UNITS[first_unit..].iter().position(|(unit, _)| *unit == &after[..unit_length])? + first_unit;
        seconds += number * UNITS[place].1;
        (first_unit, rest) = (place + 1, &after[unit_length..]);
    }
    (!text.is_empty()).then_some(seconds)
}

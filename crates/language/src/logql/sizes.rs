//! Sizes in bytes and durations as Loki spells them.

const SECOND_NS: i64 = 1_000_000_000;

/// Spells a size in the largest unit of 1000 that leaves a whole: `900B`, `1.5MB`, `117kB`.
pub fn spell_size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 10 {
        return format!("{bytes}B");
    }
    let (mut power, mut unit) = (0, 1u64);
    while power < 6 && bytes / unit >= 1000 {
        unit *= 1000;
        power += 1;
    }
    let value = (bytes as f64 / unit as f64 * 10.0 + 0.5).floor() / 10.0;
    if value < 10.0 { format!("{value:.1}{}", UNITS[power]) } else { format!("{value:.0}{}", UNITS[power]) }
}

/// Spells a window as Prometheus does: units that are zero are left out, `1h30m`.
pub(super) fn spell_window(ns: i64) -> String {
    const UNITS: [(&str, i64, bool); 7] = [
        ("y", 31_536_000_000, true),
        ("w", 604_800_000, true),
        ("d", 86_400_000, false),
        ("h", 3_600_000, false),
        ("m", 60_000, false),
        ("s", 1_000, false),
        ("ms", 1, false),
    ];
    let mut rest = ns / 1_000_000;
    let mut text = String::new();
    for (unit, length, is_exact) in UNITS {
        if rest >= length && (!is_exact || rest % length == 0) {
            text.push_str(&format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Spells a duration as Go does: `1m0s`, `1.5s`, `500ms`.
pub(super) fn spell_duration(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.saturating_abs();
    let fraction = |unit: i64| format!("{}", ns as f64 / unit as f64);
    match ns {
        0 => "0s".to_owned(),
        _ if ns < 1_000 => format!("{sign}{ns}ns"),
        _ if ns < 1_000_000 => format!("{sign}{}µs", fraction(1_000)),
        _ if ns < SECOND_NS => format!("{sign}{}ms", fraction(1_000_000)),
        _ => {
            let (minutes, rest) = (ns / (60 * SECOND_NS), ns % (60 * SECOND_NS));
            let seconds = format!("{}s", rest as f64 / SECOND_NS as f64);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
            }
        }
    }
}

#[cfg(test)]
mod tests;

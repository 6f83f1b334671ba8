//! Names of metrics and labels in Prometheus' alphabet.
//!
//! Source: OpenTelemetry's specification "Prometheus and OpenMetrics Compatibility", and the defaults of Prometheus' receiver.

/// What a metric is, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    /// A sum that only rises.
    Counter,
    /// A sum that may fall.
    UpDownCounter,
    Histogram,
    ExponentialHistogram,
    Summary,
}

/// Words for units of UCUM.
const UNITS: [(&str, &str); 27] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
    ("", ""),
];

/// Words for what a unit is divided by.
const UNITS_DIVIDED_BY: [(&str, &str); 7] =
    [("s", "second"), ("m", "minute"), ("h", "hour"), ("d", "day"), ("w", "week"), ("mo", "month"), ("y", "year")];

/// Returns the name of a metric: words joined by underscores, with its unit, `total` for counters and `ratio` for gauges of
/// unit 1. `None` if nothing is left of it.
pub(super) fn metric_name(name: &str, unit: &str, kind: Kind) -> Option<String> {
    let mut words: Vec<&str> =
        name.split(|letter| !is_of_metric_name(letter)).filter(|word| !word.is_empty()).collect();
    let (main, divided_by) = unit_words(unit);
    if !main.is_empty() && !words.contains(&main.as_str()) {
        // Prometheus keeps the underscore at the end of a unit such as `mm[Hg]`, unless more of the unit follows.
        words.push(if divided_by.is_empty() { &main } else { main.trim_end_matches('_') });
    }
    if !divided_by.is_empty() && !words.contains(&divided_by.as_str()) {
        words.push(&divided_by);
    }
    let last = match kind {
        Kind::Counter => Some("total"),
        Kind::Gauge if unit == "1" => Some("ratio"),
        _ => None,
    };
    if let Some(last) = last {
        words.retain(|word| *word != last);
        words.push(last);
    }
    let joined = words.join("_");
    let begins_with_digit = joined.starts_with(|letter: char| letter.is_ascii_digit());
    (!joined.is_empty()).then(|| if begins_with_digit { format!("_{joined}") } else { joined })
}

/// Returns a unit as words: of what, and `per_` what. The first ends in an underscore where the unit ends in no letter or digit.
pub(super) fn unit_words(unit: &str) -> (String, String) {
    let (main, divided_by) = unit.split_once('/').unwrap_or((unit, ""));
    let word = |text: &str, words: &[(&str, &str)]| {
        // Text in braces is an annotation and no part of the unit.
        let unit = if text.contains(['{', '}']) { "" } else { text.trim() };
        let unit = words.iter().find(|(known, _)| *known == unit).map_or(unit, |(_, word)| word);
        let mut joined = String::new();
        for letter in unit.chars() {
            if is_of_metric_name(letter) {
                joined.push(letter);
            } else if !joined.is_empty() && !joined.ends_with('_') {
                joined.push('_');
            }
        }
        joined
    };
    let divided_by = word(divided_by, &UNITS_DIVIDED_BY);
    let divided_by = divided_by.trim_end_matches('_');
    let divided_by = if divided_by.is_empty() { String::new() } else { format!("per_{divided_by}") };
    (word(main, &UNITS), divided_by)
}

/// Returns the name of the label of an attribute, or why there is none: nothing is left of its name but underscores.
///
/// Source: the `LabelNamer` of Prometheus' `otlptranslator`.
pub(super) fn label_name(attribute: &str) -> Result<String, String> {
    let valid = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    let name: String = attribute.chars().map(valid).collect();
    match name.as_bytes() {
        [b'0'..=b'9', ..] => Ok(format!("key_{name}")),
        [b'_', b'_', ..] if !name.bytes().all(|byte| byte == b'_') => Ok(name),
        [] | [b'_', b'_', ..] => {
            let shown = &attribute[..attribute.floor_char_boundary(100)];
            Err(format!("the name of attribute {shown:?} has no ASCII letter or digit, which a label needs"))
        }
        [b'_', ..] => Ok(format!("key{name}")),
        _ => Ok(name),
    }
}

fn is_of_metric_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == ':'
}

#[cfg(test)]
mod tests;

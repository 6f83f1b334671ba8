//! Dynamic labels: `${LABEL} max ${MAX}` with statistics of the datapoints and properties of the metric.
//!
//! Source: Amazon CloudWatch, "Use dynamic labels". Those with times are refused by name.

use super::math::Series;

/// Returns a label with its parts replaced.
///
/// # Errors
/// The part that is not supported.
pub(super) fn dynamic(label: &str, series: &Series) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = label;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((part, after)) = after.split_once('}') else {
            return Err(format!("the label {label:?} has ${{ without }}"));
        };
        out.push_str(&value_of(part.trim(), series)?);
        rest = after;
    }
    Ok(out + rest)
}

fn value_of(part: &str, series: &Series) -> Result<String, String> {
    let values = || series.points.values().copied();
    let number = |value: Option<f64>| Ok(value.map_or_else(|| "--".to_owned(), shown));
    match part {
        "LABEL" => Ok(series.label.clone()),
        "AVG" => number((!series.points.is_empty()).then(|| values().sum::<f64>() / series.points.len() as f64)),
        "SUM" => number((!series.points.is_empty()).then(|| values().sum())),
        "MIN" => number(values().reduce(f64::min)),
        "MAX" => number(values().reduce(f64::max)),
        "FIRST" => number(values().next()),
        "LAST" => number(values().next_back()),
        "DATAPOINT_COUNT" => Ok(series.points.len().to_string()),
        _ => {
            let quoted = part.strip_prefix("PROP(").and_then(|rest| rest.strip_suffix(')'));
            let name = quoted.map(|name| name.trim().trim_matches(['\'', '"']));
            match name {
                Some(name) if series.properties.contains_key(name) => Ok(series.properties[name].clone()),
                // A dimension that one of several metrics does not have.
                Some(name) if name.starts_with("Dim.") => Ok(String::new()),
                _ => Err(format!("the part ${{{part}}} of a label is not supported here")),
            }
        }
    }
}

/// Returns a number with at most three decimals.
fn shown(value: f64) -> String {
    let text = format!("{value:.3}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests;

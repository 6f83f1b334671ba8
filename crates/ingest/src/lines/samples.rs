//! Samples in the shipper's form: a line is `LABELS VALUE TIME`, the labels as a JSON object of texts, the value a number, `NaN`,
//! `+Inf`, `-Inf` or `stale`, the time in ms since the epoch.
//!
//! ```text
//! {"__name__":"up","instance":"db1:9100","job":"node"} 1 1795210709000
//! ```
//!
//! The labels say which group a sample belongs to; that of the file is not used.

use types::Timestamp;

use crate::sample::{SampleWriter, SeriesLabels, label_pairs, number_of_text};
use crate::{Collector, IngestError};

/// Adds the sample of a line; returns why it is refused.
///
/// # Errors
/// If the samples collected need more memory than a request may hold.
pub(super) fn add(collector: &mut Collector<'_>, line: &[u8]) -> Result<Result<(), String>, IngestError> {
    let received = collector.received();
    let latest = received.at.0.saturating_add(received.limits.future_ns_max) / Timestamp::MILLISECOND;
    let (labels, value, time) = match parsed(line, received.limits) {
        Ok(parsed) => parsed,
        Err(problem) => return Ok(Err(problem)),
    };
    if time > latest {
        let time = Timestamp(time.saturating_mul(Timestamp::MILLISECOND));
        return Ok(Err(format!("the sample is of the future, {time}; check the clock of its sender")));
    }
    let mut writer = match SampleWriter::new(collector, &labels) {
        Ok(writer) => writer,
        // A job outside of a key's scope keeps no other job's samples out.
        Err(error @ IngestError::OutOfScope(_)) => return Ok(Err(error.to_string())),
        Err(error) => return Err(error),
    };
    Ok(writer.add(time, value)?.map_err(|refusal| refusal.to_string()))
}

fn parsed(line: &[u8], limits: &types::Limits) -> Result<(SeriesLabels, f64, i64), String> {
    let bad = || "not a sample: LABELS VALUE TIME is expected".to_owned();
    let text = std::str::from_utf8(line).map_err(|_| bad())?;
    let (rest, time) = text.rsplit_once(' ').ok_or_else(bad)?;
    let (labels, value) = rest.rsplit_once(' ').ok_or_else(bad)?;
    let time = time.parse().map_err(|_| bad())?;
    let value = number_of_text(value).or_else(|| value.parse().ok().filter(|value: &f64| value.is_finite()));
    let pairs = label_pairs(labels).ok_or_else(bad)?;
    let labels = SeriesLabels::new(pairs.into_iter().map(|(name, value)| (name.into(), value.into())), limits)?;
    Ok((labels, value.ok_or_else(bad)?, time))
}

#[cfg(test)]
mod tests {
    use types::Limits;

    use super::*;
    use crate::sample::STALE_BITS;

    #[test]
    fn a_line_is_labels_a_value_and_a_time() {
        let check = |line: &str| parsed(line.as_bytes(), &Limits::default());
        let (labels, value, time) = check(r#"{"job":"a b","__name__":"up"} 0.5 1795210709000"#).expect("a sample");
        assert_eq!((labels.text(), value, time), (r#"{"__name__":"up","job":"a b"}"#, 0.5, 1_795_210_709_000));
        assert_eq!(labels.group().as_str(), "metrics/a_b");
        let (_, value, _) = check(r#"{"__name__":"up"} stale 1"#).expect("a sample");
        assert_eq!(value.to_bits(), STALE_BITS);
        for bad in [
            "",
            "up 1 1",
            r#"{"__name__":"up"} 1"#,
            r#"{"__name__":"up"} one 1"#,
            r#"{"__name__":"up"} inf 1"#,
            r#"{"__name__":"up"} 1 1.5"#,
            r#"{"__name__":1} 1 1"#,
            r#"{"job":"x"} 1 1"#,
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}

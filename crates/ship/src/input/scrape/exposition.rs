//! Samples of a page of metrics: Prometheus' text format 0.0.4; of OpenMetrics what is the same, exemplars left out.
//!
//! ```text
//! # TYPE http_requests_total counter
//! http_requests_total{method="post",path="C:\\DIR\n"} 1027 1395066363000
//! ```
//!
//! A line that is no sample does not keep the others out.
//!
//! Source: Prometheus, "Exposition formats"; OpenMetrics 1.0.

use std::borrow::Cow;

use types::Timestamp;

/// Most labels of a sample.
const LABELS_MAX: usize = 128;

/// One number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample<'t> {
    pub(super) name: Cow<'t, str>,
    pub(super) labels: Vec<(Cow<'t, str>, Cow<'t, str>)>,
    pub(super) value: f64,
    /// When it was measured, where the page says so.
    pub(super) time: Option<Timestamp>,
}

/// The unit of timestamps on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeUnit {
    /// Prometheus' format.
    Milliseconds,
    /// OpenMetrics.
    Seconds,
}

/// Reads the samples of a page; of a line that is none its number, from 1.
pub(super) fn samples(page: &str, unit: TimeUnit) -> impl Iterator<Item = Result<Sample<'_>, usize>> {
    let lines = page.split('\n').enumerate().map(|(index, line)| (index + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(move |(number, line)| sample_of(line, unit).ok_or(number))
}

fn sample_of(line: &str, unit: TimeUnit) -> Option<Sample<'_>> {
    let name_end = line.find(|c: char| !is_name_char(c)).unwrap_or(line.len());
    let (name, rest) = line.split_at(name_end);
    let mut sample = Sample { name: name.into(), labels: Vec::new(), value: 0.0, time: None };
    let rest = match rest.trim_start().strip_prefix('{') {
        Some(labels) => read_labels(labels, &mut sample)?,
        None => rest,
    };
    if sample.name.is_empty() || sample.name.starts_with(|c: char| c.is_ascii_digit()) || !rest.starts_with([' ', '\t'])
    {
        return None;
    }
    let mut words = rest.split_ascii_whitespace();
    sample.value = words.next()?.parse().ok()?;
    if let Some(word) = words.next().filter(|word| *word != "#") {
        sample.time = Some(time_of(word, unit)?);
        // What follows is an exemplar or nothing.
        if words.next().is_some_and(|word| word != "#") {
            return None;
        }
    }
    Some(sample)
}

/// Reads labels up to the brace that ends them; returns what follows. A name may stand in quotes, also that of the sample.
fn read_labels<'t>(labels: &'t str, sample: &mut Sample<'t>) -> Option<&'t str> {
    let mut rest = labels.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some(after);
        }
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_text(quoted)?,
            None => {
                let end = rest.find(|c: char| !is_name_char(c))?;
                (rest.get(..end).filter(|name| !name.is_empty())?.into(), rest.get(end..)?)
            }
        };
        let after = after.trim_start();
        let after = match after.strip_prefix('=') {
            Some(value) => {
                let (value, after) = quoted_text(value.trim_start().strip_prefix('"')?)?;
                sample.labels.push((name, value));
                after
            }
            None if sample.name.is_empty() => {
                sample.name = name;
                after
            }
            None => return None,
        };
        let after = after.trim_start();
        rest = after.strip_prefix(',').map(str::trim_start).or_else(|| after.starts_with('}').then_some(after))?;
        if sample.labels.len() > LABELS_MAX {
            return None;
        }
    }
}

/// Reads a text up to the quote that ends it; returns what follows.
fn quoted_text(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find(['"', '\\'])?;
    if let Some(after) = text.get(end..)?.strip_prefix('"') {
        return Some((text.get(..end)?.into(), after));
    }
    let mut plain = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((plain.into(), characters.as_str())),
            '\\' => match characters.next()? {
                'n' => plain.push('\n'),
                escaped @ ('"' | '\\') => plain.push(escaped),
                // Others stand for themselves, as Prometheus reads them.
                other => plain.extend(['\\', other]),
            },
            other => plain.push(other),
        }
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.')
}

fn time_of(word: &str, unit: TimeUnit) -> Option<Timestamp> {
    let micros_of_one = match unit {
        TimeUnit::Milliseconds => 1_000,
        TimeUnit::Seconds => 1_000_000,
    };
    let micros = match word.parse::<i64>() {
        Ok(whole) => whole.checked_mul(micros_of_one)?,
        // What of it is exact: seconds of our time leave 22 bits of a float after the point. Beyond any time it saturates.
        Err(_) => (word.parse::<f64>().ok()? * micros_of_one as f64).round() as i64,
    };
    micros.checked_mul(1_000).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Name, labels, value and time of each sample, as text; of a line that is none its number.
    fn check(page: &str, expected: &[&str]) {
        let shown: Vec<String> = samples(page, TimeUnit::Milliseconds)
            .map(|sample| match sample {
                Err(number) => format!("line {number}"),
                Ok(Sample { name, labels, value, time }) => {
                    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
                    let time = time.map(|time| format!(" @{time}")).unwrap_or_default();
                    format!("{name}[{}] {value}{time}", labels.join(","))
                }
            })
            .collect();
        assert_eq!(shown, expected, "{page}");
    }

    #[test]
    fn samples_have_names_labels_values_and_times() {
        let page = "# HELP http_requests_total The total.\n# TYPE http_requests_total counter\n\
                    http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\nup 1\n\n\
                    \t node_load1 \t 0.5 \r\nx{} 1\nx{a=\"b\",} 2\nx { a = \"b\" , c=\"d\" } 3\nmemory 1.458255915e9 -3982045\n";
        let expected = [
            r#"http_requests_total[method="post",code="200"] 1027 @2014-03-17T14:26:03Z"#,
            "up[] 1",
            "node_load1[] 0.5",
            "x[] 1",
            r#"x[a="b"] 2"#,
            r#"x[a="b",c="d"] 3"#,
            "memory[] 1458255915 @1969-12-31T22:53:37.955Z",
        ];
        check(page, &expected);
    }

    #[test]
    fn values_may_be_no_numbers_and_histograms_have_an_infinite_bucket() {
        check(
            "a NaN\nb{le=\"+Inf\"} +Inf\nc -Inf\nd 4.7560473e+03\n",
            &["a[] NaN", r#"b[le="+Inf"] inf"#, "c[] -inf", "d[] 4756.0473"],
        );
    }

    #[test]
    fn escapes_are_read_as_prometheus_writes_them() {
        check(
            r#"x{path="C:\\DIR\\F.TXT",error="Cannot \"open\":\n\"F\"\d"} 1.5"#,
            &[r#"x[path="C:\\DIR\\F.TXT",error="Cannot \"open\":\n\"F\"\\d"] 1.5"#],
        );
        check("x{text=\"},{a=\\\"b\\\"} 9\",} 1\n", &[r#"x[text="},{a=\"b\"} 9"] 1"#]);
    }

    #[test]
    fn of_open_metrics_what_is_the_same_is_read() {
        let page = "# TYPE foo counter\nfoo_total 17.0 1520879607.789\nfoo_bucket{le=\"0.1\"} 8 # {trace_id=\"KOO5\"} 0.067\n\
                    foo_bucket{le=\"1\"} 9 1520879607 # {} 0.67\n# EOF\n";
        let found: Vec<_> = samples(page, TimeUnit::Seconds).map(|sample| sample.expect("a sample")).collect();
        let times: Vec<Option<i64>> = found.iter().map(|sample| sample.time.map(|time| time.0 / 1_000_000)).collect();
        assert_eq!(times, [Some(1_520_879_607_789), None, Some(1_520_879_607_000)]);
        check("{\"my.metric\",\"a b\"=\"c\"} 1\n", &[r#"my.metric[a b="c"] 1"#]);
    }

    #[test]
    fn a_line_that_is_no_sample_is_told_by_its_number_and_does_not_keep_the_others_out() {
        let page =
            "<html>\na 1\nb\nc{x=\"1\" 2\nd{x=1} 2\n9e 1\nf one\ng 1 soon\nh 1 2 3\ni{\"j\"} 1\nk{x=\"\\\"} 1\nl 2";
        let lines = [
            "line 1", "a[] 1", "line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "line 9", "line 10",
            "line 11", "l[] 2",
        ];
        check(page, &lines);
    }

    proptest! {
        #[test]
        fn any_page_is_read_to_its_end(page in r#"([a-z_:{}="\\,# \n0-9.e+NaIf-]|\PC){0,200}"#) {
            let n_lines = page.split('\n').count();
            prop_assert!(samples(&page, TimeUnit::Seconds).count() <= n_lines);
        }
    }
}

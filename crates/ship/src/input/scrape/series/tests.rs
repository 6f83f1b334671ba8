//! Pages after each other, and the samples, markers and counts that Prometheus would make of them.

use std::path::Path;

use definition::Node;
use serde_json::{Value, json};

use super::super::job::JobDefaults;
use super::*;

/// Returns what becomes of pages that are fetched at 1,000, 2,000, … ms: samples, and a line with the counts.
fn scraped(mut job: Value, pages: &[Option<&str>]) -> String {
    job["job_name"] = "j".into();
    let job = Job::of_prometheus(&Node::root("job", &job), &JobDefaults::default(), Path::new("")).expect("a job");
    let target: LabelSet = [("job".into(), "j".into()), ("instance".into(), "i".into())].into();
    let mut series = SeriesState::default();
    let mut shown = String::new();
    for (number, page) in pages.iter().enumerate() {
        let time = (number as i64 + 1) * 1_000;
        let samples = match page {
            Some(page) => series.page(page, Format::Text, time, &job, &target),
            None => {
                let mut samples = PageSamples { error: Some("down".into()), ..PageSamples::default() };
                series.end(time, &mut samples.lines);
                samples
            }
        };
        shown.push_str(&samples.lines);
        let PageSamples { n_scraped, n_kept, n_added, error, .. } = samples;
        shown.push_str(&format!("= {n_scraped} {n_kept} {n_added} {}\n", error.unwrap_or_default()));
    }
    shown.replace(r#","instance":"i","job":"j""#, "")
}

fn check(job: Value, pages: &[Option<&str>], expected: &[&str]) {
    let shown = scraped(job, pages);
    let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
    assert_eq!(shown, expected);
}

#[test]
fn series_that_are_gone_end_with_a_marker_and_new_ones_are_counted() {
    check(
        json!({}),
        &[Some("a 1\nb 2\n"), Some("b 3\nc NaN\n"), None, None, Some("b 4\n"), Some("b 5\na 6\n")],
        &[
            r#"{"__name__":"a"} 1.0 1000"#,
            r#"{"__name__":"b"} 2.0 1000"#,
            "= 2 2 2",
            r#"{"__name__":"b"} 3.0 2000"#,
            r#"{"__name__":"c"} NaN 2000"#,
            r#"{"__name__":"a"} stale 2000"#,
            "= 2 2 1",
            r#"{"__name__":"b"} stale 3000"#,
            r#"{"__name__":"c"} stale 3000"#,
            "= 0 0 0 down",
            "= 0 0 0 down",
            // Prometheus remembers the series of the last page over failures.
            r#"{"__name__":"b"} 4.0 5000"#,
            "= 1 1 0",
            r#"{"__name__":"b"} 5.0 6000"#,
            r#"{"__name__":"a"} 6.0 6000"#,
            "= 2 2 1",
        ],
    );
}

#[test]
fn a_page_with_a_mistake_gives_nothing_but_markers() {
    check(
        json!({}),
        &[Some("a 1\nb 2\n"), Some("a 2\n<html>\n"), Some("a 3\nb 4\n")],
        &[
            r#"{"__name__":"a"} 1.0 1000"#,
            r#"{"__name__":"b"} 2.0 1000"#,
            "= 2 2 2",
            // As in Prometheus, what the page had before its mistake has no marker.
            r#"{"__name__":"b"} stale 2000"#,
            "= 1 1 0 line 2, column 1: a name is expected: letters, digits, _ and :, not a digit first, or any text in quotes",
            r#"{"__name__":"a"} 3.0 3000"#,
            r#"{"__name__":"b"} 4.0 3000"#,
            "= 2 2 0",
        ],
    );
}

#[test]
fn times_on_a_page_are_honored_and_such_series_have_no_markers() {
    let pages = [Some("a 1 77\nb 2\n"), Some("b 3\n")];
    let rest = [r#"{"__name__":"b"} 2.0 1000"#, "= 2 2 2", r#"{"__name__":"b"} 3.0 2000"#];
    let with = |first: &'static str, last: &[&'static str]| [&[first], &rest[..], last].concat();
    check(json!({}), &pages, &with(r#"{"__name__":"a"} 1.0 77"#, &["= 1 1 0"]));
    let marker = r#"{"__name__":"a"} stale 2000"#;
    check(json!({"honor_timestamps": false}), &pages, &with(r#"{"__name__":"a"} 1.0 1000"#, &[marker, "= 1 1 0"]));
    let tracked = json!({"track_timestamps_staleness": true});
    check(tracked, &pages, &with(r#"{"__name__":"a"} 1.0 77"#, &[marker, "= 1 1 0"]));
}

#[test]
fn of_two_samples_of_a_series_the_first_counts() {
    check(json!({}), &[Some("a 1\na 2\n")], &[r#"{"__name__":"a"} 1.0 1000"#, "= 2 2 1"]);
    check(json!({}), &[Some("a 1 5\na 2 6\n")], &[r#"{"__name__":"a"} 1.0 5"#, r#"{"__name__":"a"} 2.0 6"#, "= 2 2 1"]);
}

#[test]
fn limits_fail_the_whole_scrape() {
    let page = [Some("a{x=\"123\"} 1\nb 2\nc 3\n")];
    check(json!({"sample_limit": 2}), &page, &["= 3 3 2 more than 2 samples (sample_limit)"]);
    check(json!({"label_limit": 3}), &page, &["= 1 0 0 a sample of \"a\" has 4 labels, more than 3 (label_limit)"]);
    check(
        json!({"label_name_length_limit": 7}),
        &page,
        &["= 1 0 0 \"a\" has a label whose name is longer than 7 bytes (label_name_length_limit)"],
    );
    check(
        json!({"label_value_length_limit": 2}),
        &page,
        &["= 1 0 0 the label \"x\" of \"a\" is longer than 2 bytes (label_value_length_limit)"],
    );
    check(json!({"sample_limit": 3}), &page, &scraped(json!({}), &page).lines().map(str::trim_end).collect::<Vec<_>>());
}

#[test]
fn samples_are_relabelled_after_the_target_has_labelled_them() {
    check(
        json!({"metric_relabel_configs": [
            {"source_labels": ["__name__"], "regex": "go_.*", "action": "drop"},
            {"source_labels": ["__name__", "job"], "regex": "(.*);j", "target_label": "__name__", "replacement": "x_$1"},
        ]}),
        &[Some("go_gc 1\na{job=\"own\"} 2\n")],
        &[r#"{"__name__":"x_a","exported_job":"own"} 2.0 1000"#, "= 2 1 1"],
    );
    check(
        json!({"honor_labels": true}),
        &[Some("a{job=\"own\",instance=\"\"} 2\n")],
        &[r#"{"__name__":"a","job":"own"} 2.0 1000"#, "= 1 1 1"],
    );
    check(
        json!({"metric_relabel_configs": [{"regex": "__name__", "action": "labeldrop"}]}),
        &[Some("a 1\n")],
        &[r#"= 1 0 0 relabelling left a sample without a name: {"instance":"i","job":"j"}"#],
    );
}

#[test]
fn bounds_of_buckets_and_quantiles_are_written_as_in_openmetrics() {
    let page = "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1000000\"} 1\nh_bucket{le=\"+Inf\"} 1\n\
                # TYPE s summary\ns{quantile=\"0.50\"} 1\ng{le=\"1\"} 1\n";
    check(
        json!({}),
        &[Some(page)],
        [
            r#"{"__name__":"h_bucket","instance":"i","job":"j","le":"1.0"} 1.0 1000"#,
            r#"{"__name__":"h_bucket","instance":"i","job":"j","le":"1e+06"} 1.0 1000"#,
            r#"{"__name__":"h_bucket","instance":"i","job":"j","le":"+Inf"} 1.0 1000"#,
            r#"{"__name__":"s","instance":"i","job":"j","quantile":"0.5"} 1.0 1000"#,
            r#"{"__name__":"g","instance":"i","job":"j","le":"1"} 1.0 1000"#,
            "= 5 5 5",
        ]
        .map(|line| line.replace(r#","instance":"i","job":"j""#, ""))
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice(),
    );
    let numbers = [0.0, 0.005, 0.00001, 2.5, 100_000.0, 1e21, 12_345_678.0].map(openmetrics_number);
    assert_eq!(numbers, ["0.0", "0.005", "1e-05", "2.5", "100000.0", "1e+21", "1.2345678e+07"]);
}

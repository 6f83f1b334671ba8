//! Pages as text against their samples as text; mistakes with their places.

use proptest::prelude::*;

use super::*;

/// Returns families and samples as lines.
fn shown_page(text: &str, format: Format) -> String {
    let families = match read(text, format, 1_000) {
        Ok(families) => families,
        Err(error) => return error.to_string(),
    };
    let mut out = String::new();
    for Family { name, metadata, samples } in families {
        out.push_str(&format!("{name} {} {:?} {:?}\n", metadata.kind, metadata.help, metadata.unit));
        for sample in samples {
            out.push_str(&format!("  {} {:?} {} {:?}\n", sample.name, sample.labels, sample.value, sample.time));
            if let Some(exemplar) = sample.exemplar {
                out.push_str(&format!("    {:?} {} {:?}\n", exemplar.labels, exemplar.value, exemplar.time));
            }
        }
    }
    out
}

#[test]
fn the_example_of_prometheus_is_read() {
    let page = r#"# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
# TYPE h histogram
h_bucket{le="+Inf",} 3
h_sum NaN
h_count 3
# TYPE s summary
s{ quantile = "0.5" } 4.7e1
s_count 2
s_other 1
{"a.b", "c.d"="é"} -Inf
"#;
    let expected = r#"http_requests_total counter "The total number of HTTP requests." ""
  http_requests_total [("method", "post"), ("code", "200")] 1027 Some(1395066363000)
msdos_file_access_time_seconds unknown "" ""
  msdos_file_access_time_seconds [("path", "C:\\DIR\\FILE.TXT"), ("error", "Cannot find file:\n\"FILE.TXT\"")] 1458255915 None
metric_without_timestamp_and_labels unknown "" ""
  metric_without_timestamp_and_labels [] 12.47 None
something_weird unknown "" ""
  something_weird [("problem", "division by zero")] inf Some(-3982045)
h histogram "" ""
  h_bucket [("le", "+Inf")] 3 None
  h_sum [] NaN None
  h_count [] 3 None
s summary "" ""
  s [("quantile", "0.5")] 47 None
  s_count [] 2 None
s_other unknown "" ""
  s_other [] 1 None
a.b unknown "" ""
  a.b [("c.d", "é")] -inf None
"#;
    assert_eq!(shown_page(page, Format::Text), expected);
}

#[test]
fn openmetrics_has_seconds_units_exemplars_and_an_end() {
    let page = "# TYPE took_seconds histogram\n# UNIT took_seconds seconds\n# HELP took_seconds A \\\"b\\\"\n\
        took_seconds_bucket{le=\"1\"} 2 # {trace_id=\"x\"} 0.5 1.5\ntook_seconds_created 1.5 1520879607.789\n# EOF\n";
    let expected = "took_seconds histogram \"A \\\"b\\\"\" \"seconds\"\n  \
        took_seconds_bucket [(\"le\", \"1\")] 2 None\n    [(\"trace_id\", \"x\")] 0.5 Some(1500)\n  took_seconds_created [] 1.5 Some(1520879607789)\n";
    assert_eq!(shown_page(page, Format::OpenMetrics), expected);
    for (page, error) in [
        ("a 1\n", "line 2, column 1: the page ends without \"# EOF\"; it may be cut off"),
        ("# EOF\na 1\n", "line 2, column 1: \"# EOF\" must be the last line"),
        ("a 1 x\n# EOF", "line 1, column 5: \"x\" is no time in seconds"),
        ("a 1 # x\n# EOF", "line 1, column 7: \"{\" is expected: an exemplar is labels in braces, a value and a time"),
        ("a 1 # {b=\"c\"} x\n# EOF", "line 1, column 15: \"x\" is no number"),
        ("a 1 # {\"b\"} 1\n# EOF", "line 1, column 12: an exemplar has labels and no name"),
        (
            "a 1 2 # {} 1 2 3\n# EOF",
            "line 1, column 16: the line should end here: an exemplar is labels, a value and a time",
        ),
    ] {
        assert_eq!(shown_page(page, Format::OpenMetrics), error);
    }
}

#[test]
fn exemplars_may_have_no_labels_and_no_time() {
    let page = "# TYPE a counter\na_total 1 5 # {} -2e3\na_total{b=\"#\"} 2 # { } NaN 0.0005\n# EOF\n";
    let expected = "a counter \"\" \"\"\n  a_total [] 1 Some(5000)\n    [] -2000 None\n  \
        a_total [(\"b\", \"#\")] 2 None\n    [] NaN Some(1)\n";
    assert_eq!(shown_page(page, Format::OpenMetrics), expected);
}

#[test]
fn mistakes_have_their_place() {
    for (page, error) in [
        ("a", "line 1, column 2: \"\" is no number"),
        ("a 1\nb one", "line 2, column 3: \"one\" is no number"),
        ("é 1", "line 1, column 1: a name is expected"),
        ("1a 1", "line 1, column 1: a name is expected"),
        ("a{b=\"é\",c} 1", "line 1, column 10: \"=\" is expected"),
        ("a{b=c} 1", "line 1, column 5: a text in quotes is expected"),
        ("a{b=\"c} 1", "line 1, column 5: the quote does not end"),
        ("a{b=\"c\" d=\"e\"} 1", "line 1, column 9: \",\" or \"}\" is expected"),
        ("{a=\"b\"} 1", "line 1, column 8: the sample has no name"),
        ("a 1 1.5", "line 1, column 5: \"1.5\" is no time in whole ms"),
        ("a 1 2 3", "line 1, column 7: the line should end here"),
        ("a 1 # {x=\"y\"} 1", "line 1, column 5: the line should end here"),
        ("a{b=\"1\",c=\"\",b=\"2\"} 1", "line 1, column 20: the label \"b\" is there twice"),
        ("b 1\na{__name__=\"x\"} 1", "line 2, column 16: the sample has two names: the label \"__name__\" is one"),
        ("a{\"\"=\"x\"} 1", "line 1, column 10: a name of the sample or of a label is empty"),
        ("{\"\"} 1", "line 1, column 5: a name of the sample or of a label is empty"),
        ("a 1e309", "line 1, column 3: \"1e309\" is no number within the range of 64-bit floats"),
        ("a -1e309", "line 1, column 3: \"-1e309\" is no number within the range of 64-bit floats"),
        ("a +NaN", "line 1, column 3: \"+NaN\" is no number"),
        ("a -nan", "line 1, column 3: \"-nan\" is no number"),
        ("# TYPE a thing", "line 1, column 10: \"thing\" is no type"),
    ] {
        let said = shown_page(page, Format::Text);
        assert!(said.starts_with(error), "{page}: {said}");
    }
    let error = read("a 1\nb 2\nc 3", Format::Text, 2).expect_err("too many samples").to_string();
    assert_eq!(error, "line 3, column 1: the page has more than 2 samples");
}

#[test]
fn numbers_are_those_of_prometheus() {
    for (text, value) in
        [("+Inf", f64::INFINITY), ("-inf", f64::NEG_INFINITY), ("Infinity", f64::INFINITY), ("1e-400", 0.0)]
    {
        assert_eq!(number_of(text), Some(value), "{text}");
    }
    assert!(number_of("nan").is_some_and(f64::is_nan));
    for text in ["1e309", "+NaN", "-nan", "0x1p3", "1_0", "", "."] {
        assert_eq!(number_of(text), None, "{text}");
    }
}

#[test]
fn a_label_of_an_exemplar_may_be_there_twice() {
    let page = "a_total 1 # {b=\"1\",b=\"2\"} 1\n# EOF\n";
    assert!(read(page, Format::OpenMetrics, 1).is_ok());
}

#[test]
fn content_types_name_formats() {
    let of = |kind: &str| (Format::of_content_type(kind), Format::is_named_by(kind));
    assert_eq!(of("text/plain; version=0.0.4"), (Some(Format::Text), true));
    assert_eq!(of("Application/OpenMetrics-Text;version=1.0.0"), (Some(Format::OpenMetrics), true));
    assert_eq!(of("application/vnd.google.protobuf; encoding=delimited"), (None, true));
    for kind in ["", "text/html", "application/json"] {
        assert_eq!(of(kind), (Some(Format::Text), false), "{kind}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(?s)([#{}\",=\\\\ \n]|EOF|TYPE|a|1|é){0,40}") {
        for format in [Format::Text, Format::OpenMetrics] {
            let _ = read(&text, format, 100);
        }
    }

    #[test]
    fn names_and_values_of_any_characters_come_back(name in ".{1,8}", value in "(?s).{0,8}") {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        prop_assume!(!value.contains('\r') && !name.contains('\r'));
        let page = format!("{{\"{}\",\"{}\"=\"{}\"}} 1", quoted(&name), quoted(&name), quoted(&value));
        let families = read(&page, Format::Text, 1).expect("a page");
        prop_assert_eq!(&families[0].samples[0].name, &name);
        prop_assert_eq!(&families[0].samples[0].labels, &vec![(name, value)]);
    }
}

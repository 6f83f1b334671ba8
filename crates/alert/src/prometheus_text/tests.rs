//! Texts filled in, compared with what Prometheus makes of them.

use proptest::prelude::*;

use super::{PROMETHEUS, Sample, parse, render};
use crate::labels::Labels;

/// Fills in a template of an alert of the instance `db1:9100` in the job `node`.
fn rendered(template: &str, value: f64) -> String {
    let labels: Labels =
        [("instance", "db1.example.org:9100"), ("job", "node")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
    let query = |query: &str| match query {
        "up" => Ok([("a", 1.0), ("b", 0.5)]
            .map(|(host, value)| (Labels::from([("host".into(), host.into())]), value))
            .to_vec()),
        "none" => Ok(Vec::new()),
        _ => Err("no such series".to_owned()),
    };
    let sample = Sample::new(&labels, value, "http://catat/x", 0.0, &query);
    parse(template).map_or_else(|error| format!("refused: {error}"), |read| render(&read, &sample))
}

#[test]
fn what_people_write_is_filled_in() {
    for (template, value, expected) in [
        ("{{ $value }} of {{ $labels.instance }}", 0.5, "0.5 of db1.example.org:9100"),
        ("{{$value}} {{ .Value }} {{.Labels.job}}", 1e6, "1e+06 1e+06 node"),
        ("{{ $labels.missing }}.", 0.0, "."),
        ("{{ $value | humanizePercentage }}", 0.123456, "12.35%"),
        ("{{ humanize $value }}", 1_234_567.0, "1.235M"),
        ("{{ $value | humanize1024 }}B", 1_572_864.0, "1.5MiB"),
        ("{{ $value | humanizeDuration }}", 93_784.5, "1d 2h 3m 4s"),
        ("{{ $value | humanizeDuration }}", 0.0042, "4.2ms"),
        ("{{ $value | humanizeTimestamp }}", 1_435_065_584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
        ("{{ printf \"%.2f\" $value }}", 2.0 / 3.0, "0.67"),
        ("{{ $value | printf \"%.1f%%\" }}", 12.34, "12.3%"),
        ("{{ printf \"%d\" $value }}", 3.0, "%!d(float64=3)"),
        ("{{ printf \"%5.1f|%-6s|%+d|%05d\" $value \"ab\" 3 42 }}", 1.25, "  1.2|ab    |+3|00042"),
        ("{{ if gt $value 0.9 }}high{{ else if gt $value 0.5 }}middle{{ else }}low{{ end }}", 0.6, "middle"),
        ("{{ if eq $labels.job \"node\" \"db\" }}yes{{ end }}", 0.0, "yes"),
        ("{{ with query \"up\" }}{{ . | first | value | humanize }}{{ end }}", 0.0, "1"),
        ("{{ range query \"up\" }}{{ .Labels.host }}={{ .Value }} {{ end }}", 0.0, "a=1 b=0.5 "),
        ("{{ range query \"none\" }}x{{ else }}nothing{{ end }}", 0.0, "nothing"),
        ("{{ range $i, $s := query \"up\" }}{{ $i }}{{ label \"host\" $s }}{{ end }}", 0.0, "0a1b"),
        ("{{ (query \"up\" | first).Value }}", 0.0, "1"),
        ("a {{- /* note */ -}} b {{- 1 -}}  c", 0.0, "ab1c"),
        ("{{ $x := $labels.job | toUpper }}{{ $x }}", 0.0, "NODE"),
        ("{{ index $labels \"instance\" | stripPort | stripDomain }}", 0.0, "db1"),
        ("{{ $labels.instance | stripDomain }}", 0.0, "db1:9100"),
        ("{{ reReplaceAll \"(.*):(.*)\" \"$2 $1\" $labels.instance }}", 0.0, "9100 db1.example.org"),
        ("{{ reReplaceAll `\\Qd\\E(\\w)` \"$01${a-b}$1\" \"éd1\" }} {{ match `\\d` \"٣\" }}", 0.0, "é${a-b}1 false"),
        ("{{ and true $labels.job }} {{ or \"\" 7 }} {{ not 0 }}", 0.0, "node 7 true"),
        (
            "{{ externalURL }}{{ pathPrefix }} {{ graphLink \"a + b\" }}",
            0.0,
            "http://catat/x/x /graph?g0.expr=a+%2B+b&g0.tab=0",
        ),
        ("{{ `raw {{` }} {{ \"q\\\"\" }}", 0.0, "raw {{ q\""),
        ("{{ parseDuration \"1h30m\" }}", 0.0, "5400"),
        ("{{ len (query \"up\") }} {{ len \"abc\" }}", 0.0, "2 3"),
    ] {
        assert_eq!(rendered(template, value), expected, "{template}");
    }
}

#[test]
fn mistakes_are_refused_when_the_template_is_read() {
    for (template, expected) in [
        ("{{ $valeu }}", "undefined variable \"$valeu\""),
        ("{{ humanise $value }}", "function \"humanise\" not defined"),
        ("{{ $value", "unclosed action"),
        ("{{ if $value }}", "unexpected end: a block without {{end}}"),
        ("{{ end }}", "unexpected {{end}}"),
        ("{{ define \"x\" }}{{ end }}", "{{define}} is not supported"),
        ("{{ }}", "missing value for command"),
        ("{{ break }}", "{{break}} outside {{range}}"),
        ("{{ \"a }}", "unterminated quoted string"),
        ("{{ $value | 3 }}", "only a function can follow `|`"),
        ("{{ 1..2 }}", "bad number syntax: \"1..2\""),
    ] {
        assert_eq!(rendered(template, 0.0), format!("refused: {expected}"), "{template}");
    }
}

#[test]
fn what_fails_while_it_is_filled_in_says_so_in_the_text() {
    for (template, expected) in [
        ("{{ query \"bad\" }}", "error calling query: no such series"),
        ("{{ query \"none\" | first | value }}", "error calling first: first() called on vector with no elements"),
        ("{{ if eq $value 0 }}{{ end }}", "error calling eq: incompatible types for comparison"),
        (
            "{{ .Nothing }}",
            "can't evaluate field Nothing in type struct { Labels map[string]string; ExternalLabels map[string]string; \
             ExternalURL string; Value interface {} }",
        ),
        ("{{ toUpper 1 }}", "wrong type for value; expected string; got int"),
        ("{{ range 100000 }}{{ end }}", "template takes more than 50000 steps"),
    ] {
        assert_eq!(rendered(template, 0.0), format!("<error expanding template: {expected}>"), "{template}");
    }
    assert!(rendered("{{ range 40000 }}xxxxxxxxxx{{ end }}", 0.0).len() <= PROMETHEUS.text_bytes_max + 3);
}

proptest! {
    #[test]
    fn no_text_ends_the_reader(text in "(\\{\\{|\\}\\}|[-|()$.,:= \"`'\\\\a-z0-9/*]){0,40}") {
        let _ = rendered(&text, 1.0);
    }
}

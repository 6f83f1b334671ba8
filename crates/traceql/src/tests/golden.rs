//! `tests/queries.txt`: queries, and what they become.
//!
//! A case is a query, then lines with two spaces in front: its canonical form and the condition that leads to its traces, or
//! its error. `UPDATE_GOLDEN=1` rewrites the file.

use std::fmt::Write;
use std::path::Path;

use types::Timestamp;

use crate::{MetricsPlan, metrics_plan, parse, prefilter};

/// Returns what a query becomes, as lines of the file.
fn meaning(text: &str) -> String {
    let query = match parse(text) {
        Ok(query) => query,
        Err(error) => return format!("  error: {error}\n"),
    };
    let canonical = query.to_string();
    let again = parse(&canonical).expect("a canonical form that can be read");
    assert_eq!(again.to_string(), canonical, "{text}");
    assert_eq!(again.pipeline, query.pipeline, "{text}");
    assert_eq!(again.metric, query.metric, "{text}");
    let mut out = format!("  query: {canonical}\n");
    let found = prefilter(&query);
    let exactness = if found.is_exact { "exactly" } else { "first" };
    let _ = writeln!(out, "  {exactness}: {}", found.condition);
    if !query.is_metrics() {
        return out;
    }
    match metrics_plan(&query, Timestamp(0), Timestamp(60_000_000_000), Some(15_000_000_000)) {
        Ok(MetricsPlan::Series(series)) => {
            series.plan.to_string().lines().for_each(|line| _ = writeln!(out, "  plan: {line}"));
        }
        Ok(MetricsPlan::Compare(compare)) => {
            let _ = writeln!(out, "  selected: {}", compare.selected);
            let plan = compare.values(&"a".into(), 20).to_string();
            plan.lines().for_each(|line| _ = writeln!(out, "  plan: {line}"));
        }
        Ok(MetricsPlan::Arithmetic(plan)) => {
            let mut n_plans = 0;
            let series = plan.series(&mut |_| {
                n_plans += 1;
                Ok::<_, std::convert::Infallible>(Vec::new())
            });
            let _ = writeln!(out, "  plans: {n_plans}, {:?}", series.map(|series| series.len()));
        }
        Err(error) => _ = writeln!(out, "  no plan: {error}"),
    }
    out
}

#[test]
fn queries_become_what_the_file_shows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/queries.txt");
    let text = std::fs::read_to_string(&path).expect("the file of the queries");
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.starts_with("  ")) {
        out.push_str(line);
        out.push('\n');
        if !line.is_empty() && !line.starts_with('#') {
            out.push_str(&meaning(line));
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &out).expect("the file can be written");
    }
    let first = text.lines().zip(out.lines()).find(|(expected, found)| expected != found);
    assert_eq!(first, None, "the first line that differs: as in the file, as found");
    assert_eq!(text.lines().count(), out.lines().count());
}

#[test]
fn fields_of_an_answer_are_those_that_the_query_names_once_each() {
    let query =
        parse("({ .a = 1 } | select(span.b)) && { .a > 2 && kind = server } | by(.c) | sum(.d) > 1 | select(name, .a)");
    let query = query.expect("a query");
    let fields: Vec<String> = query.fields().into_iter().map(ToString::to_string).collect();
    assert_eq!(fields, [".a", "span.b", "kind", ".c", ".d", "name"]);
    let metric = parse("{} | compare({ .x = 1 }) with (exemplars=5, exemplars=7)").expect("a query");
    assert_eq!(metric.fields().len(), 1);
    assert_eq!(metric.hint("exemplars"), Some(&crate::Literal::Integer(7)));
    assert_eq!(metric.hint("most_recent"), None);
}

#[test]
fn a_field_alone_is_read_and_stored_under_a_name() {
    let check = |text: &str, expected: Result<Option<&str>, &str>| {
        let found = crate::Field::parse(text).map(|field| crate::span_view::stored_field(&field));
        let expected = expected.map(|name| name.map(Into::into)).map_err(str::to_owned);
        assert_eq!(found.map_err(|error| error.to_string()), expected, "{text}");
    };
    check("resource.service.name", Ok(Some("service")));
    check(".http.status_code", Ok(Some("http.status_code")));
    check("span.name", Ok(Some("attributes.name")));
    check("span:name", Ok(Some("name")));
    check("trace:duration", Ok(None));
    check("event.x", Ok(None));
    check("nam", Err("there is no field `nam` at 1:1; did you mean name, or the attribute .nam?"));
    check("", Err("the query ends where a field such as .x or name was expected at 1:1"));
}

#[test]
fn examples_of_the_manual_are_read() {
    let page = include_str!("../../../../docs/reading/traceql.md");
    let examples = page.split("```traceql\n").nth(1).and_then(|rest| rest.split("```").next()).expect("examples");
    assert!(examples.lines().count() > 3);
    examples.lines().for_each(|line| assert!(parse(line).is_ok(), "{line}"));
}

#[test]
fn hostile_texts_end_in_errors() {
    let check = |text: String, code: &str| {
        let error = parse(&text).expect_err("a text that is no query");
        assert_eq!(error.code, code, "{text:.60}");
    };
    check("(".repeat(5_000), "nested-too-deeply");
    check(format!("{{ {} }}", "(".repeat(60_000)), "nested-too-deeply");
    check(format!("{{ .a = {}1 }}", "2^".repeat(10_000)), "nested-too-deeply");
    check(format!("{{ {} .a }}", "!".repeat(10_000)), "too-many-operators");
    check(format!("{{ .a = 1 {} }}", "+ 1 ".repeat(10_000)), "too-many-operators");
    check(vec!["{ .a = 1 }"; 2_000].join(" >> "), "too-many-operators");
    check(" ".repeat(100_000), "query-too-long");
    check(format!("{{ name =~ \"{}\" }}", "(a{1000}){1000}"), "invalid-pattern");
    check("{ name = \"\u{1F30B}".into(), "unclosed-text");
    let brackets = format!("{}{{}}{}", "(".repeat(60), ")".repeat(60));
    assert!(parse(&brackets).is_ok());
}

//! Plans, run over stored spans, against evaluation.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use plan::{Expr, Operator, Plan};
use proptest::prelude::*;
use types::{BatchBuilder, BatchRun, GroupName, Run, TimeRange, Timestamp, Value};

use super::random::{Fields, condition, query, spans_of, trace_fields};
use crate::syntax::{Metric, MetricFunction, Pipeline, Query, Spansets, Stage};
use crate::{ComparePlan, MetricsPlan, Trace, ValueCount, metrics_plan, parse, prefilter, search};

/// A run of spans, each a nanosecond after the one before.
fn run_of(spans: &[Fields], first: i64, apart: i64) -> Arc<dyn Run> {
    let mut builder = BatchBuilder::new();
    for (place, fields) in spans.iter().enumerate() {
        builder.set_timestamp(Timestamp(first + place as i64 * apart));
        fields.iter().for_each(|(name, value)| builder.field_value(name, value.clone()));
        builder.field_integer("place", place as i64);
        builder.commit();
    }
    let group = GroupName::new("traces/x").expect("a valid name");
    Arc::new(BatchRun::new(group, 0, Arc::new(builder.finish())))
}

fn rows(plan: &Plan, run: Arc<dyn Run>, range: TimeRange) -> Vec<Vec<Option<Value>>> {
    let cancelled = AtomicBool::new(false);
    let request = execute::Request {
        range,
        limit: None,
        time_zone: chrono_tz::UTC,
        now: Timestamp(0),
        memory_bytes_max: 64 << 20,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 1,
        progress: None,
        support: execute::Support::default(),
    };
    execute::execute(plan, &[run], &request).expect("an answer").rows
}

/// Returns the places of spans for which a condition of a plan holds.
fn kept(condition: &Expr, spans: &[Fields]) -> Vec<u32> {
    let columns = vec![("place".into(), Expr::Field("place".into()))];
    let plan = Plan::new(vec![Operator::Filter(condition.clone()), Operator::Project { columns, is_events: false }]);
    let all = TimeRange { from: Timestamp(0), to: Timestamp(i64::MAX) };
    let place = |row: Vec<Option<Value>>| match row.first() {
        Some(Some(Value::Integer(place))) => *place as u32,
        other => panic!("{other:?}"),
    };
    let mut places: Vec<u32> = rows(&plan, run_of(spans, 1_000, 1), all).into_iter().map(place).collect();
    places.sort_unstable();
    places
}

fn of_stages(stages: Vec<Stage>) -> Query {
    Query { text: String::new(), pipeline: Pipeline { stages }, metric: None, arithmetic: None, hints: Vec::new() }
}

proptest! {
    #[test]
    fn prefilter_finds_every_span_of_a_selection(fields in trace_fields(6), condition in condition()) {
        let query = of_stages(vec![Stage::Spansets(Spansets::Filter(condition))]);
        let spans = spans_of(&fields);
        let found: Vec<u32> = search(&query, &Trace::new(&spans)).into_iter().flat_map(|spanset| spanset.spans).collect();
        let prefilter = prefilter(&query);
        let kept = kept(&prefilter.condition, &fields);
        if prefilter.is_exact {
            prop_assert_eq!(&kept, &found, "{}\n{}", query, prefilter.condition);
        }
        // A condition of roots alone leads to the trace by another span.
        prop_assert!(found.is_empty() || !kept.is_empty(), "{}\n{}", query, prefilter.condition);
    }

    #[test]
    fn prefilter_loses_no_trace(fields in trace_fields(8), query in query()) {
        let spans = spans_of(&fields);
        let found = search(&query, &Trace::new(&spans));
        let prefilter = prefilter(&query);
        let kept = kept(&prefilter.condition, &fields);
        prop_assert!(found.is_empty() || !kept.is_empty(), "{}\n{}", query, prefilter.condition);
    }

    #[test]
    fn metrics_count_the_spans_that_a_search_finds(fields in trace_fields(8), condition in condition()) {
        let mut query = of_stages(vec![Stage::Spansets(Spansets::Filter(condition))]);
        let spans = spans_of(&fields);
        let n_found: usize = search(&query, &Trace::new(&spans)).iter().map(|spanset| spanset.spans.len()).sum();
        query.metric = Some(Metric { function: MetricFunction::Count, by: Vec::new(), second: Vec::new(), span: Default::default() });
        if let Ok(MetricsPlan::Series(series)) = metrics_plan(&query, Timestamp(0), Timestamp(1_000_000), None) {
            let found = series.series(&rows(&series.plan, run_of(&fields, 1_000, 1), series.range));
            let n_counted: f64 = found.iter().flat_map(|series| &series.points).map(|(_, value)| value).sum();
            prop_assert_eq!(n_counted, n_found as f64, "{}", query);
        }
    }
}

/// Spans at 1 s, 2 s, … with a service, a duration in milliseconds and a size.
fn measured() -> Vec<Fields> {
    let span = |(service, duration, size): (&str, f64, Value)| -> Fields {
        vec![
            ("@type".into(), Value::text("span")),
            ("service".into(), Value::text(service)),
            ("duration_ms".into(), Value::Float(duration)),
            ("size".into(), size),
            ("status".into(), Value::text(if duration > 250.0 { "error" } else { "ok" })),
        ]
    };
    [
        ("a", 100.0, Value::Integer(1)),
        ("a", 200.0, Value::Integer(8)),
        ("b", 300.0, Value::text("9")),
        ("a", 400.0, Value::Integer(9)),
        ("b", 0.0, Value::Float(0.25)),
        ("a", 1024.0, Value::Integer(-5)),
    ]
    .map(span)
    .into()
}

/// Checks the series of a metrics query with steps of three seconds.
fn check(text: &str, expected: &[(&str, &[(i64, f64)])]) {
    let query = parse(text).expect("a query");
    let second = 1_000_000_000;
    let found = metrics_plan(&query, Timestamp(second / 2), Timestamp(6 * second), Some(3 * second));
    let Ok(MetricsPlan::Series(series)) = found else { panic!("{found:?}") };
    let rows = rows(&series.plan, run_of(&measured(), second, second), series.range);
    let shown = |(name, value): &(String, Option<Value>)| {
        format!("{name}={}", value.as_ref().map_or("nil".into(), ToString::to_string))
    };
    let found: Vec<(String, Vec<(i64, f64)>)> = series
        .series(&rows)
        .iter()
        .map(|series| {
            let labels: Vec<String> = series.labels.iter().map(shown).collect();
            // Sums and scales of decimals are rounded to what a reader sees.
            let point = |(time, value): &(Timestamp, f64)| (time.0 / second, (value * 1e6).round() / 1e6);
            (labels.join(" "), series.points.iter().map(point).collect())
        })
        .collect();
    let expected: Vec<(String, Vec<(i64, f64)>)> =
        expected.iter().map(|(labels, points)| ((*labels).to_owned(), points.to_vec())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn series_are_those_that_were_worked_out_by_hand() {
    // A point has the spans after the one before it, up to its own instant: 1 s, 2 s and 3 s belong to 3 s.
    check("{} | count_over_time()", &[("__name__=count_over_time", &[(3, 3.0), (6, 3.0)])]);
    check(
        "{} | rate() by (resource.service.name)",
        &[
            ("resource.service.name=a", &[(3, 0.666667), (6, 0.666667)]),
            ("resource.service.name=b", &[(3, 0.333333), (6, 0.333333)]),
        ],
    );
    check("{ duration > 250ms } | count_over_time() by (status, .none)", &[("status=error", &[(3, 1.0), (6, 2.0)])]);
    check("{} | max_over_time(duration)", &[("__name__=max_over_time", &[(3, 0.3), (6, 1.024)])]);
    check("{} | sum_over_time(.size)", &[("__name__=sum_over_time", &[(3, 9.0), (6, 4.25)])]);
    check("{} | avg_over_time(duration) by (.none)", &[(".none=nil", &[(3, 0.2), (6, 0.474667)])]);
    check(
        "{ .size > 0 } | quantile_over_time(duration, 0, 1)",
        &[("p=0.0", &[(3, 0.1), (6, 0.0)]), ("p=1.0", &[(3, 0.2), (6, 0.4)])],
    );
    check(
        "{} | histogram_over_time(.size)",
        &[
            ("__bucket=0.25", &[(6, 1.0)]),
            ("__bucket=1.0", &[(3, 1.0)]),
            ("__bucket=16.0", &[(6, 1.0)]),
            ("__bucket=8.0", &[(3, 1.0)]),
        ],
    );
    check(
        "{} | count_over_time() by (resource.service.name) | topk(1)",
        &[("resource.service.name=a", &[(3, 2.0), (6, 2.0)])],
    );
    check(
        "{} | max_over_time(duration) by (resource.service.name) | bottomk(1) < 250ms",
        &[("resource.service.name=a", &[(3, 0.2)]), ("resource.service.name=b", &[(6, 0.0)])],
    );
    check("{} | count_over_time() > 3", &[]);
}

#[test]
fn durations_are_counted_between_powers_of_two() {
    let query = parse("{} | histogram_over_time(duration)").expect("a query");
    let found = metrics_plan(&query, Timestamp(0), Timestamp(10_000_000_000), None);
    let Ok(MetricsPlan::Series(series)) = found else { panic!("{found:?}") };
    let found = series.series(&rows(&series.plan, run_of(&measured(), 1, 1), series.range));
    let bucket = |labels: &[(String, Option<Value>)]| match &labels[0].1 {
        Some(Value::Float(seconds)) => (seconds * 1e9).round() as u64,
        other => panic!("{other:?}"),
    };
    let mut counts: Vec<(u64, f64)> = found.iter().map(|series| (bucket(&series.labels), series.points[0].1)).collect();
    counts.sort_by_key(|(bucket, _)| *bucket);
    assert_eq!(counts, [(1, 1.0), (1 << 27, 1.0), (1 << 28, 1.0), (1 << 29, 2.0), (1 << 30, 1.0)]);
}

#[test]
fn exemplars_are_spans_of_other_traces_at_points_of_their_series() {
    let mut spans = measured();
    for (place, span) in spans.iter_mut().enumerate() {
        span.push(("trace_id".into(), Value::text(if place < 2 { "one".to_owned() } else { format!("t{place}") })));
        span.push(("span_id".into(), Value::text(format!("s{place}"))));
    }
    let check = |text: &str, most: usize, expected: &[&str]| {
        let query = parse(text).expect("a query");
        let planned = metrics_plan(&query, Timestamp(0), Timestamp(6_000_000_000), Some(3_000_000_000));
        let Ok(MetricsPlan::Series(plan)) = planned else { panic!("{planned:?}") };
        let run = || run_of(&spans, 1_000_000_000, 1_000_000_000);
        let mut all = plan.series(&rows(&plan.plan, run(), plan.range));
        plan.add_exemplars(&rows(&plan.newest_spans(100), run(), plan.range), most, &mut all);
        let shown = all.iter().map(|series| {
            let exemplars = series.exemplars.iter();
            let exemplars = exemplars
                .map(|one| format!("{}s {}/{} {}", one.time.0 / 1_000_000_000, one.trace_id, one.span_id, one.value));
            let labels: Vec<String> =
                series.labels.iter().filter_map(|(_, value)| Some(value.as_ref()?.to_string())).collect();
            format!("{}: {}", labels.join(" "), exemplars.collect::<Vec<_>>().join(", "))
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected, "{text}");
    };
    check(
        "{} | count_over_time() by (resource.service.name)",
        10,
        &["a: 2s one/s1 2, 4s t3/s3 2, 6s t5/s5 2", "b: 3s t2/s2 1, 5s t4/s4 1"],
    );
    check("{} | max_over_time(duration)", 2, &["max_over_time: 5s t4/s4 0, 6s t5/s5 1.024"]);
    check(
        "{} | quantile_over_time(duration, 0.1, 1)",
        10,
        &["0.1: 5s t4/s4 0", "1.0: 2s one/s1 0.2, 3s t2/s2 0.3, 4s t3/s3 0.4, 6s t5/s5 1.024"],
    );
    check("{} | rate() > 2", 10, &[]);
    check("{} | rate()", 0, &["rate: "]);
}

#[test]
fn compared_spans_are_those_selected_and_all_others() {
    let query = parse("{ .size != nil } | compare({ status = error }, 5, 2000000000, 4000000000)").expect("a query");
    let found = metrics_plan(&query, Timestamp(0), Timestamp(10_000_000_000), None);
    let Ok(MetricsPlan::Compare(compare)) = found else { panic!("{found:?}") };
    let fields = measured();
    let ask =
        |compare: &ComparePlan, plan: &Plan| rows(plan, run_of(&fields, 1_000_000_000, 1_000_000_000), compare.range);
    let name = |name: &str| plan::Name::from(name);
    let places = |compare: &ComparePlan| {
        let rows = ask(compare, &compare.values(&name("place"), 100));
        let mut found: Vec<(bool, i64, i64)> = rows
            .iter()
            .map(|row| match compare.value(row).expect("a count") {
                ValueCount { is_selected, value: Some(Value::Integer(place)), count, .. } => {
                    (is_selected, place, count)
                }
                other => panic!("{other:?}"),
            })
            .collect();
        found.sort_unstable();
        found
    };
    let (others, selected) =
        ([(false, 0, 1), (false, 1, 1), (false, 4, 1), (false, 5, 1)], [(true, 2, 1), (true, 3, 1)]);
    assert_eq!(places(&compare), [&others[..], &selected[..]].concat());
    assert_eq!((places(&compare.side(true)), places(&compare.side(false))), (selected.to_vec(), others.to_vec()));
    let two = compare.with_values(&name("place"), &[Value::Integer(1), Value::Integer(3)]);
    assert_eq!(places(&two), [(false, 1, 1), (true, 3, 1)]);
    let totals = ask(&compare, &compare.totals(&[name("nowhere"), name("size")]));
    let mut totals: Vec<(bool, i64, i64)> = totals
        .iter()
        .map(|row| {
            let (none, all) = (compare.total(row, 0).expect("a count"), compare.total(row, 1).expect("a count"));
            (all.is_selected, none.count, all.count)
        })
        .collect();
    totals.sort_unstable();
    assert_eq!(totals, [(false, 0, 4), (true, 0, 2)]);
    let stepped = metrics_plan(&query, Timestamp(0), Timestamp(6_000_000_000), Some(4_000_000_000));
    let Ok(MetricsPlan::Compare(stepped)) = stepped else { panic!("{stepped:?}") };
    let rows = ask(&stepped, &stepped.totals(&[name("size")]));
    let mut points: Vec<(i64, bool, i64)> = rows
        .iter()
        .filter_map(|row| stepped.total(row, 0))
        .map(|total| (total.time.0 / 1_000_000_000, total.is_selected, total.count))
        .collect();
    points.sort_unstable();
    assert_eq!(points, [(4, false, 2), (4, true, 2), (8, false, 2)]);
    assert_eq!(compare.most, 5);
}

/// Values of an attribute of each type, those that read as another among them.
fn values_of_each_type() -> Vec<Option<Value>> {
    let list = |items: &[Value]| Value::List(Arc::new(items.iter().cloned().map(Some).collect()));
    let texts = ["x", "1", "1.0", "01", "true", "false", "", "[\"x\"]", "2026-01-01"].map(Value::text);
    let numbers =
        [Value::Integer(1), Value::Float(1.5), Value::Integer(0), Value::Integer(i64::MAX), Value::Float(-1.0)];
    let booleans = [Value::Boolean(true), Value::Boolean(false)];
    let lists = [
        list(&[]),
        list(&[Value::text("x"), Value::text("1")]),
        list(&[Value::Integer(1), Value::Integer(2)]),
        list(&[Value::Boolean(true)]),
        list(&[list(&[Value::text("x")]), Value::Float(1.5)]),
    ];
    let all = texts.into_iter().chain(numbers).chain(booleans).chain(lists);
    all.map(Some).chain([None, Some(Value::Object(Arc::default()))]).collect()
}

#[test]
fn every_comparison_with_every_type_is_exact() {
    let values = values_of_each_type();
    let fields: Vec<Fields> = values
        .iter()
        .map(|value| {
            let value = value.clone().map(|value| ("a".into(), value));
            value.into_iter().chain([("@type".into(), Value::text("span"))]).collect()
        })
        .collect();
    let spans = spans_of(&fields);
    let trace = Trace::new(&spans);
    let literals = [
        "\"x\"", "\"1\"", "\"1.0\"", "\"true\"", "\"\"", "\"[\\\"x\\\"]\"", "\"2026-01-01\"", "1", "1.5", "0", "1s",
        "maxInt",
    ];
    let mut conditions: Vec<String> =
        vec![".a".into(), "!.a".into(), "!!.a".into(), ".a = nil".into(), ".a != nil".into()];
    for literal in literals {
        conditions.extend(["=", "!=", "<", "<=", ">", ">="].map(|sign| format!(".a {sign} {literal}")));
        conditions.push(format!("{literal} < .a"));
    }
    for truth in ["true", "false", "ok", "server"] {
        conditions.extend([format!(".a = {truth}"), format!(".a != {truth}")]);
    }
    for pattern in ["x|1", ".*", "", "tr.*|[0-9.]+"] {
        conditions.extend([format!(".a =~ {pattern:?}"), format!(".a !~ {pattern:?}")]);
    }
    for condition in conditions {
        for text in [format!("{{ {condition} }}"), format!("{{ !({condition}) }}")] {
            let query = parse(&text).expect("a query");
            let found: Vec<u32> = search(&query, &trace).into_iter().flat_map(|spanset| spanset.spans).collect();
            let prefilter = prefilter(&query);
            assert!(prefilter.is_exact, "{text}");
            assert_eq!(kept(&prefilter.condition, &fields), found, "{text}\n{}", prefilter.condition);
        }
    }
}

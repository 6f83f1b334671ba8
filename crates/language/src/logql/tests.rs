//! LogQL to plans, and metric queries over steps.

mod language;
mod pushed;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono_tz::Tz;
use types::{
    BatchBuilder, BatchRun, Column, FieldSummary, GroupName, Level, MinuteCounts, Narrowed, RowSet, Run, RunInfo,
    ScanError, TextProbe, TimeRange, Timestamp, Value,
};

use super::*;
use execute::{Answer, ExecuteError, Request, Support, execute};
use plan::Plan;

#[track_caller]
fn log_query(query: &str) -> LogQuery {
    match parse(query) {
        Ok(Query::Log(log)) => log,
        other => panic!("{query}: {other:?}"),
    }
}

/// Checks the lines that a query gives of the events of [`runs`] from 60 s to 90 s, oldest first, and their level.
#[track_caller]
fn check_lines(query: &str, expected: &[(&str, Option<&str>)]) {
    let second = Timestamp::SECOND;
    let range = TimeRange { from: Timestamp(60 * second), to: Timestamp(90 * second) };
    let found = answer(&log_query(query).plan(Direction::Forward, 10), range).expect(query);
    let text = |value: &Option<Value>| value.as_ref().map(ToString::to_string);
    let lines: Vec<_> = found.rows.iter().map(|row| (text(&row[1]).unwrap_or_default(), text(&row[4]))).collect();
    let expected: Vec<_> =
        expected.iter().map(|(line, level)| ((*line).to_owned(), level.map(str::to_owned))).collect();
    assert_eq!(lines, expected, "{query}");
}

#[test]
fn lines_and_labels_are_made_anew() {
    let (error, info) = (Some("error"), Some("info"));
    check_lines(
        "{} | line_format \"{{.took}}: {{ __line__ | ToUpper }}\"",
        &[("6: É FAILED", error), ("7: DONE", info), ("8: DONE", info)],
    );
    check_lines(
        "{level=\"info\"} | line_format `{{ .nothing | default \"-\" }}{{ printf \"%s!\" .level }}`",
        &[("-info!", info), ("-info!", info)],
    );
    check_lines("{level=\"error\"} | pattern `<a> <b>` | line_format `{{.b}} {{.a}}`", &[("failed é", error)]);
    check_lines("{level=\"error\"} | label_format level=`{{.level}}s` | drop group", &[("é failed", Some("errors"))]);
    check_lines("{level=\"error\"} | drop level", &[("é failed", None)]);
    check_lines("{} | drop level=\"info\" | took < 8", &[("é failed", error), ("done", None)]);
    check_lines("{} | took < 8 | keep level=\"info\"", &[("é failed", None), ("done", info)]);
    check_lines("{} | keep level | took < 8", &[]);
    check_lines("{} | took = 6 | line_format \"\\x1b[31mred\\x1b[0m\" | decolorize", &[("red", error)]);
    check_lines("{} | took = 6 | line_format `{\"_entry\":\"in\"}` | unpack", &[("in", error)]);
    let json = "{} | took = 6 | line_format `{\"a\":{\"b\":\"deep\"}}` | json c=\"a.b\" | line_format `{{.c}}`";
    check_lines(json, &[("deep", error)]);
    check_lines("{} | took = 6 | label_format ad=`10.1.2.3` | ad = ip(\"10.0.0.0/8\")", &[("é failed", error)]);
    check_lines("{} | took = 6 | label_format ad=`10.1.2.3` | ad != ip(\"10.1.2.3\")", &[]);
}

/// Events every 10 s from 0: `error` at every third, else `info`; `took` is the number of the event.
fn runs() -> Vec<Arc<dyn Run>> {
    let mut builder = BatchBuilder::new();
    for number in 0..12i64 {
        builder.set_timestamp(Timestamp(number * 10 * Timestamp::SECOND));
        builder.set_message(if number % 3 == 0 { "é failed" } else { "done" });
        builder.set_level(Some(if number % 3 == 0 { Level::Error } else { Level::Info }));
        builder.field_integer("took", number);
        builder.commit();
    }
    let group = GroupName::new("app").expect("a good name");
    vec![Arc::new(BatchRun::new(group, 1, Arc::new(builder.finish())))]
}

fn answer(plan: &Plan, range: TimeRange) -> Result<Answer, ExecuteError> {
    answer_of(plan, range, &runs())
}

fn answer_of(plan: &Plan, range: TimeRange, runs: &[Arc<dyn Run>]) -> Result<Answer, ExecuteError> {
    let cancelled = AtomicBool::new(false);
    let request = Request {
        range,
        limit: None,
        time_zone: Tz::UTC,
        now: Timestamp(0),
        memory_bytes_max: 64 << 20,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 1,
        progress: None,
        support: Support::default(),
    };
    execute(plan, runs, &request)
}

/// Checks a metric query at 30 s, 60 s, 90 s, 120 s: each series as `{labels} v v v v`, `_` where there is none.
#[track_caller]
fn check_metric(query: &str, expected: &[&str]) {
    let second = Timestamp::SECOND;
    let steps = Steps { start: Timestamp(30 * second), end: Timestamp(120 * second), step_ns: 30 * second };
    let Ok(Query::Metric(metric)) = parse(query) else { panic!("{query}: {:?}", parse(query)) };
    let series = run_metric(&metric, steps, |plan, range| answer(plan, range).map(|answer| answer.rows));
    let shown: Vec<String> = series.expect(query).iter().map(|series| shown(series, steps)).collect();
    assert_eq!(shown, expected, "{query}");
}

fn shown(series: &Series, steps: Steps) -> String {
    let labels: Vec<String> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let value = |step: i64| {
        let at = Timestamp(steps.start.0 + step * steps.step_ns);
        series.points.iter().find(|point| point.at == at).map_or("_".to_owned(), |point| point.value.to_string())
    };
    let values: Vec<String> = (0..4).map(value).collect();
    format!("{{{}}} {}", labels.join(","), values.join(" "))
}

#[test]
fn windows_are_open_at_their_start_and_closed_at_their_end() {
    // (0, 30] holds 10 20 30, (90, 120] holds 100 110.
    check_metric("sum(count_over_time({}[30s]))", &["{} 3 3 3 2"]);
    check_metric("sum(count_over_time({}[1m]))", &["{} 4 6 6 5"]);
    check_metric("sum(count_over_time({}[10s]))", &["{} 1 1 1 _"]);
    check_metric("sum(count_over_time({}[45s]))", &["{} 4 5 5 4"]);
    check_metric("sum(count_over_time({}[30s] offset 30s))", &["{} 1 3 3 3"]);
    check_metric("sum(count_over_time({group=\"none\"}[30s]))", &[]);
}

#[test]
fn the_histogram_of_explore_counts_by_level() {
    check_metric(
        "sum by (level, detected_level) (count_over_time({group=\"app\"} |= \"done\" [30s]))",
        &["{detected_level=info,level=info} 2 2 2 2"],
    );
    check_metric(
        "sum(rate({} [30s])) by (level)",
        &[
            "{level=error} 0.03333333333333333 0.03333333333333333 0.03333333333333333 _",
            "{level=info} 0.06666666666666667 0.06666666666666667 0.06666666666666667 0.06666666666666667",
        ],
    );
    let asked = std::cell::Cell::new(0);
    let Ok(Query::Metric(metric)) = parse("sum by (level) (count_over_time({} [30s]))") else {
        panic!("a metric query")
    };
    let steps = Steps { start: Timestamp(0), end: Timestamp(120 * Timestamp::SECOND), step_ns: 30 * Timestamp::SECOND };
    let rows = |plan: &Plan, range| {
        asked.set(asked.get() + 1);
        answer(plan, range).map(|answer| answer.rows)
    };
    run_metric(&metric, steps, rows).expect("an answer");
    assert_eq!(asked.get(), 1);
}

/// A run of whose events only times and levels can be read.
struct Closed(Arc<dyn Run>);

impl Run for Closed {
    fn info(&self) -> &RunInfo {
        self.0.info()
    }

    fn n_blocks(&self) -> usize {
        self.0.n_blocks()
    }

    fn block_rows(&self, block: usize) -> usize {
        self.0.block_rows(block)
    }

    fn block_times(&self, block: usize) -> (Timestamp, Timestamp) {
        self.0.block_times(block)
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
        self.0.fields()
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        self.0.minutes()
    }

    fn narrow(&self, _: usize, _: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        panic!("an index was asked")
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        assert!(names.iter().all(|name| ["@timestamp", "@level"].contains(name)), "an event was read: {names:?}");
        self.0.read(block, names, rows)
    }
}

/// Returns what a metric query gives by minute, as its labels, the start of the minute and the number; of events only
/// times and levels may be read.
fn by_minute(query: &str, steps: Steps) -> Vec<(String, i64, i64)> {
    let closed: Vec<Arc<dyn Run>> = runs().into_iter().map(|run| Arc::new(Closed(run)) as Arc<dyn Run>).collect();
    let Ok(Query::Metric(metric)) = parse(query) else { panic!("{query}: {:?}", parse(query)) };
    let rows = |plan: &Plan, range| answer_of(plan, range, &closed).map(|answer| answer.rows);
    let mut found = Vec::new();
    for series in run_metric(&metric, steps, rows).expect(query) {
        let labels: Vec<&str> = series.labels.iter().map(|(_, value)| value.as_str()).collect();
        let minute = |point: &Point| point.at.0 / Timestamp::MINUTE - 1;
        found.extend(series.points.iter().map(|point| (labels.join(" "), minute(point), point.value as i64)));
    }
    found.sort();
    found
}

#[test]
fn a_histogram_of_whole_minutes_reads_no_event_but_those_at_its_edges() {
    let minute = Timestamp::MINUTE;
    let steps = Steps { start: Timestamp(0), end: Timestamp(2 * minute), step_ns: minute };
    let histogram = |selector: &str| {
        format!("sum by (level, detected_level) (count_over_time({selector} |= `` | drop __error__ [1m]))")
    };
    // The event of minute 0 is the last one of the window before it.
    let both = |level: &str| format!("{level} {level}");
    let (error, info) = (both("error"), both("info"));
    let expected =
        vec![(error.clone(), -1, 1), (error.clone(), 0, 2), (error, 1, 1), (info.clone(), 0, 4), (info.clone(), 1, 4)];
    assert_eq!(by_minute(&histogram("{}"), steps), expected);
    // What is asked of groups and levels is known of each minute, too.
    assert_eq!(by_minute(&histogram("{group=\"app\"}"), steps), expected);
    assert_eq!(by_minute(&histogram("{group=~\"a.+|b\", level!=\"\"}"), steps), expected);
    let infos: Vec<_> = expected.iter().filter(|(level, ..)| *level == info).cloned().collect();
    assert_eq!(by_minute(&histogram("{level=\"info\"}"), steps), infos);
    assert_eq!(by_minute(&histogram("{group=\"other\"}"), steps), []);
    let all = "sum(count_over_time({}[2m])) + sum(count_over_time({level=\"error\"}[1m] offset 1m))";
    let late = Steps { start: Timestamp(minute), ..steps };
    assert_eq!(by_minute(all, late), [(String::new(), 0, 8), (String::new(), 1, 13)]);
}

#[test]
fn windows_do_not_depend_on_the_step() {
    let minute = Timestamp::MINUTE;
    for (query, expected) in [
        ("sum(count_over_time({}[1m]))", 6.0),
        ("sum(count_over_time({}[2m]))", 7.0),
        ("sum by (level) (count_over_time({level=\"error\"}[1m]))", 2.0),
        ("quantile_over_time(0.5, {} | unwrap took [1m]) by (group)", 3.5),
        ("stddev_over_time({} | unwrap took [1m]) by ()", (35.0f64 / 12.0).sqrt()),
        ("avg_over_time({} | unwrap took [90s]) by ()", 3.0),
        ("first_over_time({} | unwrap took [1m]) by ()", 1.0),
        ("last_over_time({} | unwrap took [1m]) by ()", 6.0),
        // 5 rises in 50 s, to both ends of the window.
        ("sum(rate_counter({} | keep took | unwrap took [1m]))", 0.1),
    ] {
        let Ok(Query::Metric(metric)) = parse(query) else { panic!("{query}: {:?}", parse(query)) };
        for step_s in [1, 7, 15, 20, 30, 60, 90, 600] {
            let step_ns = step_s * Timestamp::SECOND;
            let start = Timestamp(minute - minute / step_ns * step_ns);
            let steps = Steps { start, end: Timestamp(minute), step_ns };
            let rows = |plan: &Plan, range| answer(plan, range).map(|answer| answer.rows);
            let series = run_metric(&metric, steps, rows).expect(query);
            let point = series[0].points.iter().find(|point| point.at.0 == minute).expect(query);
            assert!((point.value - expected).abs() < 1e-9, "{query} {step_s}: {}", point.value);
        }
    }
}

#[test]
fn functions_of_windows_take_bytes_and_values() {
    check_metric("sum(bytes_over_time({}[30s]))", &["{} 17 17 17 8"]);
    check_metric(
        "sum by (level) (sum_over_time({} | unwrap took [30s]))",
        &["{level=error} 3 6 9 _", "{level=info} 3 9 15 21"],
    );
    check_metric("max(max_over_time({} | unwrap took [1m]))", &["{} 3 6 9 11"]);
    check_metric("avg_over_time({} | unwrap took [1m]) by (group)", &["{group=app} 1.5 3.5 6.5 9"]);
    check_metric("quantile_over_time(0.5, {} | unwrap took [1m]) by (group)", &["{group=app} 1.5 3.5 6.5 9"]);
    check_metric("last_over_time({} | unwrap took [30s]) by ()", &["{} 3 6 9 11"]);
    check_metric("sum(sum_over_time({} | unwrap nothing [30s]))", &[]);
}

#[test]
fn series_are_merged_and_calculated_with() {
    check_metric("vector(1)+vector(1)", &["{} 2 2 2 2"]);
    check_metric("2 + 3 * 2 ^ 2 ^ 1 - 4", &["{} 10 10 10 10"]);
    check_metric("(sum(count_over_time({}[30s])) - 1) * 10", &["{} 20 20 20 10"]);
    check_metric("sum(count_over_time({}[30s])) > 2", &["{} 3 3 3 _"]);
    check_metric("2 < sum(count_over_time({}[30s]))", &["{} 3 3 3 _"]);
    check_metric("sum(count_over_time({}[30s])) > bool 2", &["{} 1 1 1 0"]);
    check_metric("sum(count_over_time({level=\"error\"}[30s])) / sum(count_over_time({}[30s])) * 3", &["{} 1 1 1 _"]);
    check_metric("topk(1, sum by (level) (count_over_time({}[30s])))", &["{level=info} 2 2 2 2"]);
    check_metric(
        "bottomk(1, sum by (level) (count_over_time({}[30s])))",
        &["{level=error} 1 1 1 _", "{level=info} _ _ _ 2"],
    );
    check_metric("count(count_over_time({}[30s]))", &["{} 2 2 2 1"]);
    check_metric("avg(count_over_time({}[30s]))", &["{} 1.5 1.5 1.5 2"]);
    // A label that is dropped is not the one that minutes are counted by.
    check_metric("sum by (level) (count_over_time({} | drop level [30s]))", &["{} 3 3 3 2"]);
    let levels = ["{detected_level=error,group=app} 1 1 1 _", "{detected_level=info,group=app} 2 2 2 2"];
    check_metric("count_over_time({}[30s])", &levels);
    check_metric("stddev(sum by (level) (count_over_time({}[30s])))", &["{} 0.5 0.5 0.5 0"]);
    check_metric(
        "sum by (level) (count_over_time({}[30s])) and on (level) sum by (level) (count_over_time({level=\"error\"}[30s]))",
        &["{level=error} 1 1 1 _"],
    );
    check_metric(
        "sum by (level) (count_over_time({}[30s])) unless sum by (level) (count_over_time({level=\"error\"}[30s]))",
        &["{level=info} 2 2 2 2"],
    );
    check_metric("sum(count_over_time({level=\"error\"}[30s])) or vector(0)", &["{} 1 1 1 0"]);
    check_metric(
        "sum by (level) (count_over_time({}[30s])) / on () group_left sum(count_over_time({}[30s])) * 3",
        &["{level=error} 1 1 1 _", "{level=info} 2 2 2 3"],
    );
    check_metric(
        "label_replace(sum by (level) (count_over_time({}[30s])), \"first\", \"$1\", \"level\", \"(e).*\")",
        &["{first=e,level=error} 1 1 1 _", "{level=info} 2 2 2 2"],
    );
    check_metric("absent_over_time({level=\"error\"}[30s])", &["{level=error} _ _ _ 1"]);
    check_metric(
        "stddev_over_time({} | unwrap took [30s]) by ()",
        &["{} 0.816496580927726 0.816496580927726 0.816496580927726 0.5"],
    );
    check_metric("sum without (detected_level) (count_over_time({}[30s]))", &["{group=app} 3 3 3 2"]);
}

#[test]
fn too_many_steps_are_refused() {
    let Ok(Query::Metric(metric)) = parse("sum(count_over_time({}[7s]))") else { panic!("a metric query") };
    let run = |end: i64, step_ns: i64| {
        let steps = Steps { start: Timestamp(0), end: Timestamp(end), step_ns };
        run_metric(&metric, steps, |plan, range| answer(plan, range).map(|answer| answer.rows))
    };
    assert!(matches!(run(i64::MAX, 1), Err(MetricError::TooManySteps(_))));
    assert_eq!(run(-1, 1).expect("no step"), []);
}

#[test]
fn log_queries_give_events_with_the_labels_of_their_stream() {
    let log = log_query("{level=\"error\"} |= \"failed\"");
    let rows = answer(&log.plan(Direction::Forward, 2), TimeRange::ALL).expect("an answer");
    let names: Vec<&str> = rows.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["@timestamp", "@message", "group", "stream", "level", "service_name", "host"]);
    let times: Vec<Option<Value>> = rows.rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(
        times,
        [Some(Value::Timestamp(Timestamp(0))), Some(Value::Timestamp(Timestamp(30 * Timestamp::SECOND)))]
    );
    let newest = answer(&log.plan(Direction::Backward, 1), TimeRange::ALL).expect("an answer");
    assert_eq!(newest.rows[0][0], Some(Value::Timestamp(Timestamp(90 * Timestamp::SECOND))));
}

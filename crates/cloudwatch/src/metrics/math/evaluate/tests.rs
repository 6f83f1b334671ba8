//! Expressions and the datapoints that they give. A period is a minute; times are its numbers.

use super::*;
use crate::metrics::math::DatapointBudget;

fn series(label: &str, points: &[(i64, f64)]) -> Series {
    let points = points.iter().map(|(minute, value)| (minute * 60_000, *value)).collect();
    Series { label: label.to_owned(), points, period_ms: 60_000, ..Series::default() }
}

fn shown(value: &MathValue) -> String {
    let of_series = |series: &Series| {
        let points: Vec<String> =
            series.points.iter().map(|(time, value)| format!("{}:{value}", time / 60_000)).collect();
        points.join(" ")
    };
    match value {
        MathValue::Number(number) => number.to_string(),
        MathValue::Series(series) => of_series(series),
        MathValue::List(list) => format!("[{}]", list.iter().map(of_series).collect::<Vec<_>>().join(", ")),
    }
}

/// What a request has besides an expression.
struct RequestFixture {
    metrics: Vec<(String, Series)>,
    range: (i64, i64),
    shift_ms: i64,
}

impl RequestFixture {
    fn new() -> Self {
        let metric = |id: &str, points: &[(i64, f64)]| (id.to_owned(), series(id, points));
        let coarse = Series { period_ms: 300_000, ..series("c", &[(0, 1.0)]) };
        let metrics = vec![
            metric("m1", &[(0, 1.0), (1, 4.0), (3, -9.0)]),
            metric("m2", &[(0, 2.0), (3, 0.0)]),
            metric("err1", &[]),
            ("c".to_owned(), coarse),
        ];
        Self { metrics, range: (0, 240_000), shift_ms: 0 }
    }

    fn check(&self, text: &str, expected: &str) {
        let of = |text: &str| Expression::read(text).expect("an expression");
        let (doubled, circle) = (of("m1 * 2"), of("circle + 1"));
        let expressions = [("e1".to_owned(), &doubled), ("circle".to_owned(), &circle)];
        let search = |wanted: &str, statistic: &str, period: i64| {
            Ok(vec![series(&format!("{wanted} {statistic} {period}"), &[(0, 7.0)]), series("", &[(1, 8.0)])])
        };
        let band = |_: &Expression, of: &Series, n: f64| {
            let bound = |sign: f64| series("", &[(0, of.points.len() as f64 + sign * n)]);
            Ok(vec![bound(1.0), bound(-1.0)])
        };
        let Self { metrics, range, shift_ms } = self;
        let (range, shift_ms) = (*range, *shift_ms);
        let request = MathRequest {
            metrics,
            range,
            period_ms: 60_000,
            shift_ms,
            budget: &DatapointBudget::default(),
            search: &search,
            band: &band,
        };
        let evaluator = Evaluator { request, expressions: &expressions };
        let value = Expression::read(text).and_then(|expression| evaluator.value(&expression, 0));
        assert_eq!(value.map_or_else(|problem| problem.to_string(), |value| shown(&value)), expected, "{text}");
    }
}

fn check(text: &str, expected: &str) {
    RequestFixture::new().check(text, expected);
}

#[test]
fn operations_are_done_where_one_has_a_datapoint() {
    check("m1 + 1", "0:2 1:5 3:-8");
    check("10 - m1", "0:9 1:6 3:19");
    check("m1 / m2", "0:0.5");
    check("-m1 ^ 2", "0:-1 1:-16 3:-81");
    check("m2 - m1", "0:1 1:-4 3:9");
    check("m2 * m1 + err1", "0:2 1:0 3:0");
    check("e1 - m1", "0:1 1:4 3:-9");
    check("[m1, m2] * 2", "[0:2 1:8 3:-18, 0:4 3:0]");
    check("m2 - [m1, m2]", "[0:1 1:-4 3:9, 0:0 3:0]");
    check("m1 > 1 AND m1 < 5", "0:0 1:1 3:0");
    check("m1 == 4 || m2 == 2", "0:1 1:1 3:0");
    check("[m1] + [m2]", "an operation between two lists of series is not possible");
    check("m1 + c", "periods of 60 s and 300 s in one expression are not supported; use the same for all");
    check("m9", "\"m9\" is not the Id of a query of this request");
    check("circle", "expressions use each other in a circle");
}

#[test]
fn series_are_aggregated_to_numbers_and_lists_to_series() {
    check("SUM(m1)", "-4");
    check("AVG([m1, m2])", "0:1.5 1:2 3:-4.5");
    check("AVG(m1) * 3", "-4");
    check("MIN(m1) + MAX(m1)", "-5");
    check("STDDEV([m1, m2])", "0:0.5 1:0 3:4.5");
    check("SUM(METRICS('m'))", "0:3 1:4 3:-9");
    check("SUM(m9)", "\"m9\" is not the Id of a query of this request");
    check("METRIC_COUNT(METRICS())", "4");
    check("DATAPOINT_COUNT(m1)", "3");
    check("DATAPOINT_COUNT(err1)", "0");
    check("DATAPOINT_COUNT([m1, m2, err1])", "0:2 1:1 3:2");
    check("SUM([m1, m2]) / DATAPOINT_COUNT([m1, m2])", "0:1.5 1:4 3:-4.5");
    check("m1 / SUM(err1)", "");
    check("SUM(m1, m2)", "SUM takes one argument; several series go into a list, [m1, m2]");
    check("SUM(1)", "SUM takes a series or a list of series");
}

#[test]
fn datapoints_are_changed_one_by_one_or_with_the_one_before() {
    check("abs(m1)", "0:1 1:4 3:9");
    check("CEIL(m1 / 10)", "0:1 1:1 3:-0");
    check("FLOOR(m1 / 10)", "0:0 1:0 3:-1");
    check("LOG10(m2 * 50)", "0:2");
    check("LOG(m2 / 2)", "0:0");
    check("DIFF(m1)", "1:3 3:-13");
    check("DIFF_TIME(m1)", "1:60 3:120");
    check("RATE(m1 * 60)", "1:3 3:-6.5");
    check("RUNNING_SUM([m1, m2])", "[0:1 1:5 3:-4, 0:2 3:2]");
    check("m1 * 0 + PERIOD(m1)", "0:60 1:60 3:60");
    check("TIME_SERIES(5)", "0:5 1:5 2:5 3:5");
}

#[test]
fn gaps_are_filled_and_datapoints_chosen() {
    check("FILL(m1, 0)", "0:1 1:4 2:0 3:-9");
    check("FILL(m1, REPEAT)", "0:1 1:4 2:4 3:-9");
    check("FILL(m2, LINEAR)", "0:2 1:1.3333333333333335 2:0.6666666666666667 3:0");
    check("FILL(m2, m1)", "0:2 1:4 3:0");
    check("FILL(err1, 0)", "0:0 1:0 2:0 3:0");
    check("IF(m1 > 0, 1, 0)", "0:1 1:1 3:0");
    check("IF(m1 > 0, m2, m1)", "0:2 1:0 3:-9");
    check("IF(m1 > 0, m1)", "0:1 1:4");
    check("IF(1 > 2, m1, m2)", "0:2 3:0");
    check("IF(1 > 2, m1)", "");
    check("IF(m1)", "IF takes a condition, a value and, if wanted, another value");
}

#[test]
fn tables_of_the_reference_hold() {
    let metrics = [
        ("a", "30 20 0 0"),
        ("b", "20 - 20 -"),
        ("metric1", "1 1 0 0 -"),
        ("metric2", "30 - 0 0 30"),
        ("metric3", "0 0 20 - 20"),
    ];
    let metric = |(id, values): &(&str, &str)| {
        let points: Vec<(i64, f64)> =
            (0..).zip(values.split(' ')).filter_map(|(minute, value)| Some((minute, value.parse().ok()?))).collect();
        ((*id).to_owned(), series(id, &points))
    };
    let asked = RequestFixture { metrics: metrics.iter().map(metric).collect(), range: (0, 300_000), shift_ms: 0 };
    asked.check("(a < b)", "0:0 1:0 2:1 3:0");
    asked.check("(a >= 30)", "0:1 1:0 2:0 3:0");
    asked.check("(a > 15 AND b > 15)", "0:1 1:0 2:0 3:0");
    asked.check("IF(metric1, metric2, metric3)", "0:30 1:0 2:20");
    asked.check("IF(metric1, 5, metric3)", "0:5 1:5 2:20");
    asked.check("IF(metric1, metric2, 5)", "0:30 1:0 2:5 3:5");
    asked.check("IF(metric1, metric2)", "0:30 1:0");
}

#[test]
fn functions_of_time_have_a_datapoint_for_each_period() {
    check("MINUTE(m1)", "0:0 1:1 2:2 3:3");
    check("EPOCH(m2 * 7)", "0:0 1:60 2:120 3:180");
    check("[HOUR(err1), DAY(err1)]", "[0:0 1:0 2:0 3:0, 0:4 1:4 2:4 3:4]");
    check("[DATE(err1), MONTH(err1)]", "[0:1 1:1 2:1 3:1, 0:1 1:1 2:1 3:1]");
    check("year(c) + MINUTE(c)", "0:1970");
    check("IF(MINUTE(m1) >= 2, m1, 7)", "0:7 1:7 2:0 3:-9");
    check("MINUTE(m1) * m1", "0:0 1:4 2:0 3:-27");
    check("HOUR(5)", "HOUR takes one series");
    check("DAY([m1])", "DAY takes one series");
    check("DATE(m1, m2)", "DATE takes one series");
    check("EPOCH()", "EPOCH takes one series");
    check("YEAR(m9)", "\"m9\" is not the Id of a query of this request");
    check(
        "MINUTE(m1) + MINUTE(c)",
        "periods of 60 s and 300 s in one expression are not supported; use the same for all",
    );
}

/// The first Sunday of 1970 ends with minute 5759. A period is an hour or a day.
#[test]
fn functions_of_time_follow_the_calendar() {
    const HOUR: i64 = 60;
    let hourly = Series { period_ms: HOUR * 60_000, ..series("h", &[(5700, 0.5)]) };
    let daily = Series { period_ms: 24 * HOUR * 60_000, ..series("d", &[]) };
    let metrics = vec![("h".to_owned(), hourly), ("d".to_owned(), daily)];
    let night = RequestFixture { metrics, range: (5650 * 60_000, 5821 * 60_000), shift_ms: 0 };
    night.check("HOUR(h)", "5640:22 5700:23 5760:0 5820:1");
    night.check("DAY(h)", "5640:7 5700:7 5760:1 5820:1");
    night.check("DATE(h) * 100 + MONTH(h)", "5640:401 5700:401 5760:501 5820:501");
    night.check("IF(DAY(h) < 6 AND HOUR(h) >= 1, 1, h)", "5700:0.5 5820:1");
    night.check("DAY(d)", "4320:7 5760:1");
    // Data that are 22 and a half hours later than their times.
    let late = RequestFixture { shift_ms: 1350 * 60_000, ..night };
    late.check("HOUR(d) + MINUTE(d) / 60", "4320:22.5 5760:22.5");
    late.check("DAY(h)", "5640:1 5700:1 5760:1 5820:1");
    late.check("EPOCH(d) / 60", "4320:5670 5760:7110");
}

#[test]
fn functions_that_make_datapoints_have_a_limit() {
    let over = |n_minutes: i64| RequestFixture { range: (0, n_minutes * 60_000), ..RequestFixture::new() };
    let refused = "functions would make more than 2097152 datapoints, here one for each period of 60 s; ask for a shorter range or a \
                   longer period";
    for text in ["HOUR(m1)", "TIME_SERIES(1)", "FILL([m2, m1], 0)"] {
        over((1 << 21) + 1).check(text, refused);
    }
    let years = over(1 << 20);
    years.check("DATAPOINT_COUNT(HOUR(c))", "209716");
    years.check("[HOUR(m1), MINUTE(m1), DAY(m1)]", refused);
}

#[test]
fn lists_are_sorted_cut_and_searched() {
    check("SORT([m1, m2, err1], AVG, DESC)", "[0:2 3:0, 0:1 1:4 3:-9, ]");
    check("SORT([m1, m2, err1], MIN, ASC, 1)", "[0:1 1:4 3:-9]");
    check("SLICE(METRICS(), 1, 3)", "[0:2 3:0, ]");
    check("SORT(m1, MEDIAN, ASC)", "SORT sorts by AVG, MIN, MAX or SUM");
    check("SLICE([m1, m2, err1], 1)", "[0:2 3:0, ]");
    check("FIRST([m1, m2])", "0:1 1:4 3:-9");
    check("LAST([m1, m2])", "0:2 3:0");
    check("REMOVE_EMPTY([err1, m2])", "[0:2 3:0]");
    check("SUM(SEARCH('{NS,A} Errors', 'Sum', 60))", "0:7 1:8");
    check("SEARCH(m1)", "SEARCH takes a search in quotes, a statistic in quotes and a period in s");
}

#[test]
fn what_is_not_done_is_refused_by_name() {
    for name in ["DB_PERF_INSIGHTS", "LAMBDA", "SERVICE_QUOTA"] {
        check(&format!("{name}(m1)"), &format!("the function {name} is not supported here"));
    }
    check("insight_rule_metric('a', 'b')", "the function INSIGHT_RULE_METRIC is not supported here");
    check("MEDIAN(m1)", "MEDIAN is not a function of metric math");
}

#[test]
fn a_band_is_two_series_the_upper_bound_first() {
    check("ANOMALY_DETECTION_BAND(m1)", "[0:5, 0:1]");
    check("anomaly_detection_band(m1, 0.5)", "[0:3.5, 0:2.5]");
    check("FIRST(ANOMALY_DETECTION_BAND(e1 + 1, 1)) - m2", "0:2 3:0");
    let usage = "ANOMALY_DETECTION_BAND takes one series and, if wanted, a number of deviations above 0";
    for wrong in ["", "m1, 0", "m1, m2", "[m1, m2], 2", "7", "m1, 1, 2"] {
        check(&format!("ANOMALY_DETECTION_BAND({wrong})"), usage);
    }
}

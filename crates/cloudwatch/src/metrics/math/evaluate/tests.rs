//! Expressions and the datapoints that they give. A period is a minute; times are its numbers.

use super::*;

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

fn check(text: &str, expected: &str) {
    let metric = |id: &str, points: &[(i64, f64)]| (id.to_owned(), series(id, points));
    let coarse = Series { period_ms: 300_000, ..series("c", &[(0, 1.0)]) };
    let of = |text: &str| Expression::read(text).expect("an expression");
    let metrics = [
        metric("m1", &[(0, 1.0), (1, 4.0), (3, -9.0)]),
        metric("m2", &[(0, 2.0), (3, 0.0)]),
        metric("err1", &[]),
        ("c".to_owned(), coarse),
    ];
    let (doubled, circle) = (of("m1 * 2"), of("circle + 1"));
    let expressions = [("e1".to_owned(), &doubled), ("circle".to_owned(), &circle)];
    let search = |wanted: &str, statistic: &str, period: i64| {
        Ok(vec![series(&format!("{wanted} {statistic} {period}"), &[(0, 7.0)]), series("", &[(1, 8.0)])])
    };
    let band = |_: &Expression, of: &Series, n: f64| {
        let bound = |sign: f64| series("", &[(0, of.points.len() as f64 + sign * n)]);
        Ok(vec![bound(1.0), bound(-1.0)])
    };
    let request =
        MathRequest { metrics: &metrics, range: (0, 240_000), period_ms: 60_000, search: &search, band: &band };
    let evaluator = Evaluator { request, expressions: &expressions };
    let value = Expression::read(text).and_then(|expression| evaluator.value(&expression, 0));
    assert_eq!(value.map_or_else(|problem| problem.to_string(), |value| shown(&value)), expected, "{text}");
}

#[test]
fn operations_are_done_where_both_have_a_datapoint() {
    check("m1 + 1", "0:2 1:5 3:-8");
    check("10 - m1", "0:9 1:6 3:19");
    check("m1 / m2", "0:0.5");
    check("-m1 ^ 2", "0:-1 1:-16 3:-81");
    check("e1 - m1", "0:1 1:4 3:-9");
    check("[m1, m2] * 2", "[0:2 1:8 3:-18, 0:4 3:0]");
    check("m2 - [m1, m2]", "[0:1 3:9, 0:0 3:0]");
    check("m1 > 1 AND m1 < 5", "0:0 1:1 3:0");
    check("m1 == 4 || m2 == 2", "0:1 3:0");
    check("[m1] + [m2]", "an operation between two lists of series is not possible");
    check("m1 + c", "periods of 60 s and 300 s in one expression are not supported; use the same for all");
    check("m9", "\"m9\" is not the Id of a query of this request");
    check("circle", "expressions use each other in a circle");
}

#[test]
fn series_are_aggregated_to_numbers_and_lists_to_series() {
    check("SUM(m1)", "-4");
    check("AVG([m1, m2])", "0:1.5 1:4 3:-4.5");
    check("MIN(m1) + MAX(m1)", "-5");
    check("STDDEV([m1, m2])", "0:0.5 1:0 3:4.5");
    check("SUM(METRICS('m'))", "0:3 1:4 3:-9");
    check("SUM(m9)", "\"m9\" is not the Id of a query of this request");
    check("METRIC_COUNT(METRICS())", "4");
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
    check("IF(m1 > 0, m2, m1)", "0:2 3:-9");
    check("IF(m1 > 0, m1)", "0:1 1:4");
    check("IF(1 > 2, m1, m2)", "0:2 3:0");
    check("IF(m1)", "IF takes a condition, a value and, if wanted, another value");
}

#[test]
fn lists_are_sorted_cut_and_searched() {
    check("SORT([m1, m2, err1], AVG, DESC)", "[0:2 3:0, 0:1 1:4 3:-9, ]");
    check("SORT([m1, m2, err1], MIN, ASC, 1)", "[0:1 1:4 3:-9]");
    check("SLICE(METRICS(), 1, 3)", "[0:2 3:0, ]");
    check("SORT(m1, MEDIAN, ASC)", "SORT sorts by AVG, MIN, MAX or SUM");
    check("SLICE([m1, m2], 1)", "0:2 3:0");
    check("FIRST([m1, m2])", "0:1 1:4 3:-9");
    check("LAST([m1, m2])", "0:2 3:0");
    check("REMOVE_EMPTY([err1, m2])", "[0:2 3:0]");
    check("SUM(SEARCH('{NS,A} Errors', 'Sum', 60))", "0:7 1:8");
    check("SEARCH(m1)", "SEARCH takes a search in quotes, a statistic in quotes and a period in s");
}

#[test]
fn what_is_not_done_is_refused_by_name() {
    check("DATE(m1)", "the function DATE is not supported here");
    check("insight_rule_metric('a', 'b')", "the function INSIGHT_RULE_METRIC is not supported here");
    check("MEDIAN(m1)", "MEDIAN is not a function of metric math");
}

#[test]
fn a_band_is_two_series_the_upper_bound_first() {
    check("ANOMALY_DETECTION_BAND(m1)", "[0:5, 0:1]");
    check("anomaly_detection_band(m1, 0.5)", "[0:3.5, 0:2.5]");
    check("FIRST(ANOMALY_DETECTION_BAND(e1 + 1, 1)) - m2", "0:2");
    let usage = "ANOMALY_DETECTION_BAND takes one series and, if wanted, a number of deviations above 0";
    for wrong in ["", "m1, 0", "m1, m2", "[m1, m2], 2", "7", "m1, 1, 2"] {
        check(&format!("ANOMALY_DETECTION_BAND({wrong})"), usage);
    }
}

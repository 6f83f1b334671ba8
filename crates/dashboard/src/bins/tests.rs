//! Widths of bins in each language.

use super::*;

const RANGE: TimeRange = TimeRange {
    from: Timestamp(1_000_000_007 * Timestamp::MILLISECOND),
    to: Timestamp(1_000_000_007 * Timestamp::MILLISECOND + 20 * Timestamp::MINUTE),
};

fn options(time_zone: Tz) -> ParseOptions {
    ParseOptions { now: RANGE.to, time_zone }
}

fn minutes_of(language: Language, text: &str) -> Option<f64> {
    let width_ns = width_ns(language, text, RANGE, &options(Tz::UTC))?;
    Some(width_ns as f64 / Timestamp::MINUTE as f64)
}

fn query(language: Language, query: &str) -> PanelQuery {
    PanelQuery { language, query: query.to_owned(), ..PanelQuery::default() }
}

fn bins_of(expression: Option<&str>, queries: &[PanelQuery], range: TimeRange, zone: Tz) -> Option<Bins> {
    let expression = expression.map(str::to_owned);
    let texts: Vec<String> = queries.iter().map(|query| query.query.clone()).collect();
    let panel = Panel { expression, queries: queries.to_vec(), ..Panel::default() };
    Bins::of(&panel, &texts, range, &options(zone))
}

#[test]
fn the_width_of_bins_is_that_of_the_plan_and_in_esql_that_of_the_text() {
    for (text, expected) in [
        ("filter a = 1 | stats count(*) by bin(1m)", Some(1.0)),
        ("stats count(*) as n by host, bin(90s) as t # bin(1h)", Some(1.5)),
        ("fields datefloor(@timestamp, 2h) as t | stats count(*) by t", Some(120.0)),
        ("stats count(*) as n by bin(1m) as t, host | stats max(n) by t", Some(1.0)),
        ("timechart count(*) by host", Some(5.0)),
        ("timechart span=30s count(*)", Some(0.5)),
        ("stats count(*)", None),
        ("stats count(*) as n by bin(1m) | stats max(n)", None),
        ("fields @timestamp, bin(1m) as t", None),
        ("stats count(*) by bin(1d)", None),
        ("stats count(*) by bin(500ms)", None),
        ("stats count(*) by", None),
    ] {
        assert_eq!(minutes_of(Language::Insights, text), expected, "{text}");
    }
    for (text, expected) in [
        ("FROM a | STATS COUNT(*) BY BUCKET(@timestamp, 5 minutes)", Some(5.0)),
        (
            "FROM a | STATS n = COUNT(*) BY t = DATE_TRUNC(1 hour, @timestamp) // BUCKET(@timestamp, 1 minute)",
            Some(60.0),
        ),
        ("FROM a | WHERE m == \"\\\" BUCKET(x, 1 s)\" | STATS COUNT(*) BY TBUCKET(2m)", Some(2.0)),
        ("FROM a | STATS COUNT(*) BY BUCKET(@timestamp, 20, 1, 2)", None),
        ("FROM a | STATS COUNT(*) BY BUCKET(@timestamp, 1 day)", None),
        ("FROM a | EVAL t = DATE_TRUNC(1 minute, @timestamp)", None),
    ] {
        assert_eq!(minutes_of(Language::Esql, text), expected, "{text}");
    }
    assert_eq!(minutes_of(Language::Promql, "bin(1m)"), None);
}

#[test]
fn an_expression_asks_for_series_at_the_ends_of_bins_of_one_width() {
    let rates = query(Language::Promql, "increase(x[1m])");
    let by = |width: &str| query(Language::Insights, &format!("stats count(*) by bin({width})"));
    let of = |expression: Option<&str>, queries: &[PanelQuery]| bins_of(expression, queries, RANGE, Tz::UTC);
    let expected = Bins { from: Timestamp(1_000_080 * Timestamp::SECOND), width_s: 60 };
    assert_eq!(of(Some("a / b"), &[by("1m"), rates.clone()]), Some(expected));
    let whole = TimeRange { from: Timestamp(1_000_020 * Timestamp::SECOND), ..RANGE };
    assert_eq!(bins_of(Some("a / b"), &[by("1m"), rates.clone()], whole, Tz::UTC), Some(expected));
    assert_eq!(of(Some("a / b"), &[by("15m"), rates.clone()]), None, "two bins, both cut");
    assert_eq!(of(Some("a / b"), &[by("1m"), by("60s"), rates.clone()]), Some(expected));
    assert_eq!(of(None, &[by("1m"), rates.clone()]), None);
    assert_eq!(of(Some("a / b"), &[by("1m")]), None);
    assert_eq!(of(Some("a / b"), &[by("1m"), by("5m"), rates.clone()]), None);
    assert_eq!(of(Some("a / b"), &[query(Language::Insights, "stats count(*)"), rates.clone()]), None);
    let (hours, day) = ([by("1h"), rates.clone()], TimeRange { from: Timestamp(0), to: Timestamp(Timestamp::DAY) });
    assert!(bins_of(Some("a / b"), &hours, day, Tz::Asia__Jakarta).is_some());
    assert_eq!(bins_of(Some("a / b"), &hours, day, Tz::Asia__Kolkata), None);
    let in_utc = [query(Language::Esql, "FROM a | STATS COUNT(*) BY BUCKET(@timestamp, 1 hour)"), rates.clone()];
    assert!(bins_of(Some("a / b"), &in_utc, day, Tz::Asia__Kolkata).is_some());
    let month = TimeRange { from: Timestamp(0), to: Timestamp(30 * Timestamp::DAY) };
    assert_eq!(bins_of(Some("a / b"), &[by("1m"), rates], month, Tz::UTC), None);
}

#[test]
fn a_query_for_lines_in_logql_has_no_series() {
    let is_series = |text: &str| query(Language::Logql, text).is_series();
    assert!(is_series(" # {\nsum(rate({app=\"a\"}[1m]))"));
    assert!(!is_series("# sum\n {app=\"a\"}"));
    assert!(!query(Language::Insights, "stats count(*)").is_series());
}

//! Means, overlaps and months.

use super::*;

fn at(text: &str) -> i64 {
    Timestamp::parse_rfc3339(text).expect("a time").0
}

fn incident(service: &str, times: [Option<&str>; 4]) -> Incident {
    let [began, detected, mitigated, remediated] = times.map(|time| time.map(at));
    let created = began.unwrap_or_else(|| at("2026-11-15T00:00:00Z"));
    Incident { services: vec![service.into()], began, detected, mitigated, remediated, created, ..Incident::default() }
}

fn of(incidents: &[Incident], month: &str, now: &str) -> Vec<LedgerRow> {
    let month = Month::parse(month, Tz::UTC).expect("a month");
    ledger(incidents, month, &Objectives::default(), Timestamp(at(now))).services
}

#[test]
fn means_count_from_the_beginning_and_what_is_unknown_is_left_out() {
    let incidents = [
        incident(
            "pay",
            [
                Some("2026-11-10T10:00:00Z"),
                Some("2026-11-10T10:01:00Z"),
                Some("2026-11-10T10:10:00Z"),
                Some("2026-11-10T12:00:00Z"),
            ],
        ),
        incident("pay", [Some("2026-11-20T10:00:00Z"), Some("2026-11-20T10:03:00Z"), None, None]),
        incident("web", [None, Some("2026-11-20T10:03:00Z"), None, None]),
    ];
    let rows = of(&incidents, "2026-11", "2026-11-20T10:20:00Z");
    assert_eq!(rows.len(), 2);
    let pay = &rows[0];
    assert_eq!((pay.incidents, pay.ttd_ms, pay.ttm_ms, pay.ttr_ms), (2, Some(120_000), Some(600_000), Some(7_200_000)));
    // Ten minutes, and twenty of the one that goes on.
    assert_eq!(pay.downtime_ms, 30 * 60 * 1_000);
    let elapsed_minutes = 19.0 * 1_440.0 + 620.0;
    assert!((pay.availability.expect("known") - (1.0 - 30.0 / elapsed_minutes)).abs() < 1e-12);
    let web = &rows[1];
    assert_eq!((web.incidents, web.ttd_ms, web.availability), (1, None, None));
}

#[test]
fn overlaps_count_once_and_months_share_an_incident_that_spans_them() {
    let both = [
        incident("pay", [Some("2026-10-31T23:00:00Z"), None, Some("2026-11-01T01:00:00Z"), None]),
        incident("pay", [Some("2026-11-01T00:30:00Z"), None, Some("2026-11-01T02:00:00Z"), None]),
    ];
    let hours = |month: &str| {
        let row = of(&both, month, "2026-12-24T00:00:00Z").remove(0);
        (row.incidents, row.downtime_ms / 3_600_000)
    };
    assert_eq!((hours("2026-10"), hours("2026-11")), ((1, 1), (1, 2)));
    assert!(of(&both, "2026-12", "2026-12-24T00:00:00Z").is_empty());
    let november = of(&both, "2026-11", "2026-12-24T00:00:00Z").remove(0);
    assert!((november.availability.expect("known") - (1.0 - 2.0 / 720.0)).abs() < 1e-12);
    // A thousandth of thirty days are 43 minutes and 12 seconds.
    assert_eq!((november.objective, november.budget_ms), (99.9, 2_592_000));
    assert_eq!(november.budget_left_ms, 2_592_000 - 7_200_000);
}

#[test]
fn months_are_read_exactly_and_begin_where_their_zone_says() {
    for bad in ["2026-13", "2026-1", "26-11", "2026-11-01", "2026/11", "1969-12", "2262-01", "+026-11", ""] {
        assert_eq!(Month::parse(bad, Tz::UTC), None, "{bad}");
    }
    let jakarta = Month::parse("2026-11", Tz::Asia__Jakarta).expect("a month");
    assert_eq!(jakarta.range(), (at("2026-10-31T17:00:00Z"), at("2026-11-30T17:00:00Z")));
    assert_eq!(Month::of(Timestamp(at("2026-11-30T18:00:00Z")), Tz::Asia__Jakarta).name(), "2026-12");
    let december = Month::parse("2026-12", Tz::UTC).expect("a month");
    assert_eq!(december.range().1, at("2027-01-01T00:00:00Z"));
}

//! Paths as services and tools write them.

use proptest::prelude::*;
use types::{TimeRange, Timestamp, Value, civil_from_days};

use super::{fields, may_have_events};

fn may(path: &str, from: &str, to: &str) -> bool {
    let time = |text: &str| Timestamp::parse_iso8601(text).expect("a time");
    may_have_events(path, TimeRange { from: time(from), to: time(to) })
}

#[test]
fn days_in_paths_leave_out_what_lies_more_than_a_day_away() {
    let of_one_day = [
        "2026/11/30/a.gz",
        "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/30/x.json.gz",
        "logs/2026/11/30/06/a.parquet",
        "year=2026/month=11/day=30/a.parquet",
        "year=2026/month=11/day=30/hour=6/a.parquet",
        "region=eu/dt=2026-11-30/a.parquet",
        "123456789012_CloudTrail_eu-west-1_20261130T0600Z_abcDEF.json.gz",
        "123456789012_elasticloadbalancing_us-east-2_my-lb_20261130T2340Z_172.160.001.192_20sg8hgm.log",
        "E123.2026-11-30-06.abcdef.gz",
    ];
    for path in of_one_day {
        assert!(may(path, "2026-11-30T05:00:00Z", "2026-11-30T07:00:00Z"), "{path}");
        assert!(may(path, "2026-11-29T00:00:00Z", "2026-11-29T01:00:00Z"), "{path}");
        assert!(may(path, "2026-12-01T23:00:00Z", "2026-12-01T23:30:00Z"), "{path}");
        assert!(!may(path, "2026-11-27T00:00:00Z", "2026-11-28T23:00:00Z"), "{path}");
        assert!(!may(path, "2026-12-03T00:00:00Z", "2026-12-04T00:00:00Z"), "{path}");
    }
}

#[test]
fn what_a_path_does_not_say_for_sure_leaves_out_nothing() {
    let unsure = [
        "a.log", "2026/a.log", "app.log-20261130.gz", "events-2026-11-30.csv", "v2/8080/12/a.log", "2026/13/40/a.log",
        "region=20261130/a.log", "0000/11/30/a.log", "month=11/day=30/a.log",
    ];
    for path in unsure {
        assert!(may(path, "1999-01-01T00:00:00Z", "1999-01-02T00:00:00Z"), "{path}");
    }
    // Where a name says when a file begins, only a part of an export is known to end soon.
    assert!(may("20261130T060000Z.log", "2027-06-01T00:00:00Z", "2027-06-02T00:00:00Z"));
    assert!(may("20261130T060000Z.ndjson.zst", "2026-12-02T00:00:00Z", "2026-12-02T01:00:00Z"));
    assert!(!may("20261130T060000Z.ndjson.zst", "2027-06-01T00:00:00Z", "2027-06-02T00:00:00Z"));
    assert!(!may("20261130T060000Z.ndjson.zst", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"));
    // Two days span all days between them.
    assert!(may("2026/11/30/dt=2026-12-20/a", "2026-12-10T00:00:00Z", "2026-12-11T00:00:00Z"));
    assert!(may("2026/11/a.gz", "2026-11-15T00:00:00Z", "2026-11-16T00:00:00Z"));
    assert!(!may("year=2026/a.gz", "2027-11-15T00:00:00Z", "2027-11-16T00:00:00Z"));
}

#[test]
fn folders_with_a_name_and_a_value_are_fields() {
    let found = fields("s3://b/@log=x/region=eu/account=012345678901/month=03/n=12/a=b.parquet");
    let found: Vec<(&str, Value)> = found.iter().map(|(name, value)| (&**name, value.clone())).collect();
    let expected = [
        ("account", Value::text("012345678901")),
        ("month", Value::Integer(3)),
        ("n", Value::Integer(12)),
        ("region", Value::text("eu")),
    ];
    assert_eq!(found, expected);
}

proptest! {
    /// No file is left out that has an event of the range, as long as its events lie at most a day to each side of its folder.
    #[test]
    fn a_range_with_an_event_of_a_file_never_leaves_it_out(
        day in 0i64..60_000,
        (late, before, behind) in (-Timestamp::DAY..2 * Timestamp::DAY, 0i64..40 * Timestamp::DAY, 1i64..40 * Timestamp::DAY),
    ) {
        let (year, month, of_month) = civil_from_days(day);
        let event = day * Timestamp::DAY + late;
        let range = TimeRange { from: Timestamp(event.saturating_sub(before)), to: Timestamp(event.saturating_add(behind)) };
        for path in [
            format!("{year}/{month:02}/{of_month:02}/a.gz"),
            format!("x/{year}/{month:02}/a.gz"),
            format!("year={year}/a.parquet"),
            format!("year={year}/month={month}/day={of_month}/a.parquet"),
            format!("dt={year}-{month:02}-{of_month:02}/b/a.parquet"),
            format!("1_CloudTrail_eu_{year}{month:02}{of_month:02}T0605Z_x.json.gz"),
            format!("{year}{month:02}{of_month:02}T060000Z.ndjson.zst"),
        ] {
            prop_assert!(may_have_events(&path, range), "{} {:?}", path, range);
        }
    }
}

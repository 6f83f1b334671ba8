//! Intervals of ranges.

use super::*;

#[test]
fn an_interval_suits_its_range() {
    let of = |seconds: i64| {
        let range = TimeRange { from: Timestamp(0), to: Timestamp(seconds * Timestamp::SECOND) };
        let built_in = built_ins(range, None);
        ["__interval", "__rate_interval", "__range"].map(|name| match &built_in[name] {
            Choice::One(value) => value.clone(),
            other => format!("{other:?}"),
        })
    };
    assert_eq!(of(60), ["1s", "60s", "60s"]);
    assert_eq!(of(3_600), ["30s", "60s", "3600s"]);
    assert_eq!(of(86_400), ["600s", "615s", "86400s"]);
    assert_eq!(of(365 * 86_400), ["604800s", "604815s", "31536000s"]);
    assert_eq!(of(10_000 * 604_800), ["30844800s", "30844815s", "6048000000s"]);
}

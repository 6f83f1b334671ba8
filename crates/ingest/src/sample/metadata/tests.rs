//! Descriptions of metrics that wait to be taken.

use super::*;

#[test]
fn the_last_description_of_a_metric_waits_until_it_is_taken() {
    let descriptions = MetricDescriptions::default();
    let said = |metric: &str, help: &str| MetricDescription {
        metric: metric.to_owned(),
        help: help.to_owned(),
        ..MetricDescription::default()
    };
    descriptions.note(vec![said("up", "a"), said("", "x"), said(&"n".repeat(2_000), "x"), said("up", "b")]);
    descriptions.note(vec![said("long", &"é".repeat(4_000))]);
    let taken = descriptions.take();
    assert_eq!(taken.iter().map(|one| &*one.metric).collect::<Vec<_>>(), ["long", "up"]);
    assert_eq!((taken[0].help.len(), &*taken[1].help), (4 << 10, "b"));
    assert_eq!(descriptions.take(), []);
}

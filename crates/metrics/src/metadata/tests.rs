//! Metrics that a caller may see.

use super::*;

#[test]
fn a_caller_is_shown_the_metrics_of_series_that_they_may_read() {
    let state = MetricsState::default();
    for (metric, kind) in [("latency", "histogram"), ("up", "gauge"), ("secret", "gauge")] {
        state.note(metric, Metadata { kind, help: metric.to_owned(), unit: String::new() });
    }
    let readable = state.families_of(["latency_bucket", "up", "other"].into_iter());
    let up = json!([{"type": "gauge", "help": "up", "unit": ""}]);
    let latency = json!([{"type": "histogram", "help": "latency", "unit": ""}]);
    assert_eq!(shown(readable.iter(), None, usize::MAX), json!({"latency": latency, "up": up}));
    assert_eq!(shown(readable.iter(), Some("up"), usize::MAX), json!({"up": up}));
    assert_eq!(shown(readable.iter(), Some("secret"), usize::MAX), json!({}));
    assert_eq!(shown(readable.iter(), None, 1), json!({"latency": latency}));
}

#[test]
fn a_limit_is_a_number() {
    let check = |text: &str| limit_of(&Parameters(vec![("limit".to_owned(), text.to_owned())])).ok();
    assert_eq!(
        [check("2"), check("0"), check("-1"), check("")],
        [Some(2), Some(0), Some(usize::MAX), Some(usize::MAX)]
    );
    assert_eq!(check("x"), None);
}

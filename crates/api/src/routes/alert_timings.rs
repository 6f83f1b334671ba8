//! How the evaluations of rules go, on `/metrics`; the one label is the rule's name.

use alert::EvaluationTiming;

use door::Server;
use door::exposition::{Kind, Page};

/// A family: its name, what kind of number it is, what it says, and how it is read.
type Family = (&'static str, Kind, &'static str, fn(&EvaluationTiming) -> Option<f64>);

const FAMILIES: [Family; 6] = [
    (
        "catat_rule_evaluations_total",
        Kind::Counter,
        "Evaluations of a rule, those of missed turns included.",
        |timing| Some(timing.n_evaluations as f64),
    ),
    ("catat_rule_evaluation_failures_total", Kind::Counter, "Evaluations of a rule that gave nothing.", |timing| {
        Some(timing.n_failures as f64)
    }),
    ("catat_rule_evaluation_seconds_total", Kind::Counter, "Time that evaluations of a rule took.", |timing| {
        Some(seconds(timing.duration_ns_total))
    }),
    (
        "catat_rule_evaluation_duration_seconds",
        Kind::Gauge,
        "Time that the last evaluation of a rule took.",
        |timing| Some(seconds(timing.duration_ns)),
    ),
    ("catat_rule_evaluation_lag_seconds", Kind::Gauge, "How late the last turn of a rule began.", |timing| {
        Some(seconds(timing.lag_ns))
    }),
    (
        "catat_rule_last_success_timestamp_seconds",
        Kind::Gauge,
        "When a rule was evaluated last that could be, since the Unix epoch.",
        |timing| timing.last_success.map(|at| seconds(at.0)),
    ),
];

fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}

pub(crate) fn write(server: &Server, page: &mut Page) {
    let timings = server.app.alerts.timings();
    for (name, kind, help, read) in FAMILIES {
        page.family(name, kind, help);
        for (rule, timing) in &timings {
            if let Some(value) = read(timing) {
                page.sample(name, &[("rule", rule)], value);
            }
        }
    }
}

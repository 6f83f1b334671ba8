//! Fields of the events that a query lets through.

use super::super::matched_fields::matched_fields_within;
use super::*;

fn found(text: &str, runs: &[Arc<dyn Run>], cells_max: usize) -> FieldSummaries {
    Asked::default().with(|request| matched_fields_within(&plan(text), runs, request, cells_max)).expect("an answer")
}

#[test]
fn fields_of_matching_events_are_counted_exactly() {
    let runs = [hot(0, 20_000), hot(20_000, 100)];
    let all = |text| found(text, &runs, usize::MAX);
    let summaries = all("filter n < 10 | stats count(*) by host");
    let rows: Vec<_> = summaries.fields.iter().map(|f| (&*f.name, f.n_events, f.share, f.approximate)).collect();
    assert_eq!(rows, [("host", 10, 1.0, false), ("n", 10, 1.0, false)]);
    assert_eq!(summaries.n_events, 10);
    assert_eq!(summaries.fields[1].types, ["integer"]);
    assert!(all("filter n < 0").fields.is_empty());
    let range = TimeRange { from: Timestamp(5 * SECOND), to: Timestamp(8 * SECOND) };
    let asked = Asked { range, ..Asked::default() };
    let some = asked.with(|request| matched_fields(&plan("filter host != \"h6\""), &runs, request)).expect("an answer");
    assert_eq!((some.n_events, some.fields[0].n_events), (3, 3), "events beside the range are not counted");
}

#[test]
fn behind_the_budget_counts_grow_in_proportion_and_say_so() {
    let runs = [hot(0, 100), hot(100, 300)];
    let summaries = found("filter n >= 0", &runs, 1);
    assert_eq!(summaries.n_events, 400);
    let rows: Vec<_> = summaries.fields.iter().map(|f| (&*f.name, f.n_events, f.approximate)).collect();
    assert_eq!(rows, [("host", 400, true), ("n", 400, true)]);
}

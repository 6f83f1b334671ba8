//! Names that tell series apart.

use super::*;
use crate::document::PanelQuery;

fn series(name: &str, labels: &[(&str, &str)]) -> PanelSeries {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    PanelSeries { name: name.to_owned(), labels, ..PanelSeries::default() }
}

fn names(label: Option<&str>, all: Vec<PanelSeries>) -> Vec<String> {
    let query = PanelQuery { label: label.map(str::to_owned), ..PanelQuery::default() };
    let panel = Panel { queries: vec![query], ..Panel::default() };
    named_series(&panel, vec![all]).into_iter().map(|one| one.name).collect()
}

#[test]
fn series_are_called_by_what_tells_them_apart() {
    let hosts =
        || vec![series("n", &[("host", "web-10"), ("dc", "a")]), series("n", &[("host", "web-9"), ("dc", "a")])];
    assert_eq!(names(None, hosts()), ["web-9", "web-10"]);
    assert_eq!(names(Some("{dc}/{host}"), hosts()), ["a/web-9", "a/web-10"]);
    assert_eq!(names(Some("{dc}"), hosts()), ["a", "a (2)"]);
    assert_eq!(names(None, vec![series("count(*)", &[])]), ["count(*)"]);
    let levels = vec![series("n", &[("l", "info")]), series("n", &[("l", "error")])];
    assert_eq!(names(None, levels), ["error", "info"]);
    let measures = vec![series("p50", &[("h", "a")]), series("p95", &[("h", "a")])];
    assert_eq!(names(None, measures), ["p50", "p95"]);
}

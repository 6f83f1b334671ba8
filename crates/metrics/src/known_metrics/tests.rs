//! Only changes are written.

use super::*;

#[test]
fn only_what_changes_is_written() {
    let metadata = |help: &str| Metadata { kind: "counter", help: help.to_owned(), unit: String::new() };
    let mut known = KnownMetrics::default();
    known.note("a_total", metadata("x"));
    let number = document_of("a_total");
    assert_eq!(std::mem::take(&mut known.changed), BTreeSet::from([number]));
    known.note("a_total", metadata("x"));
    assert_eq!(known.changed, BTreeSet::new());
    known.note("a_total", metadata("y"));
    assert_eq!(known.changed, BTreeSet::from([number]));
    let document = known.document(number);
    let mut other = KnownMetrics::default();
    other.note("a_total", metadata("of another node"));
    other.add(document);
    assert_eq!(other.metrics["a_total"], metadata("of another node"), "the own word counts");
    assert_eq!(known.metrics["a_total"], metadata("y"));
}

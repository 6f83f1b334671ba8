//! Labels and groups of exemplars.

use super::*;

fn exemplar(labels: &[(&'static str, &'static str)]) -> Exemplar<'static> {
    let labels = labels.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value))).collect();
    Exemplar { labels, ..Exemplar::default() }
}

#[test]
fn labels_of_exemplars_are_few_and_named_once() {
    let text = exemplar(&[("trace_id", "4bf9"), ("a", "b")]).text();
    assert_eq!(text.as_deref(), Ok(r#"{"a":"b","trace_id":"4bf9"}"#));
    assert!(exemplar(&[("a", "b"), ("a", "c")]).text().is_err_and(|error| error.contains("twice")));
    let long: &'static str = Box::leak("é".repeat(128).into_boxed_str());
    assert!(exemplar(&[("a", long)]).text().is_err_and(|error| error.contains("129 characters")));
    assert_eq!(exemplar(&[]).text().as_deref(), Ok("{}"));
}

#[test]
fn exemplars_of_a_job_have_a_group() {
    let group = group_of_exemplars(&GroupName::new("metrics/a/b").expect("a name"));
    assert_eq!(group.as_str(), "exemplars/a/b");
}

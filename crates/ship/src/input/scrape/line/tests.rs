//! When the description of a metric is written.

use super::*;

#[test]
fn what_pages_say_of_a_metric_is_written_when_it_changes_and_from_time_to_time() {
    let (mut descriptions, start) = (Descriptions::default(), Instant::now());
    let mut said = |help: &str, seconds: u64| {
        let metadata = Metadata { kind: "gauge", help: help.to_owned(), unit: String::new() };
        let mut lines = String::new();
        descriptions.push(&mut lines, "up", &metadata, start + Duration::from_secs(seconds));
        lines
    };
    let line = "# {\"metadata\":{\"help\":\"a\\nb\",\"metric\":\"up\",\"type\":\"gauge\",\"unit\":\"\"}}\n";
    assert_eq!(said("a\nb", 0), line);
    assert_eq!(said("a\nb", 299), "");
    assert!(said("other", 299).contains("other"));
    assert_eq!(said("a\nb", 300), line);
    assert!(said(&"é".repeat(5_000), 0).len() < 5_000);
}

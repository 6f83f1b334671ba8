//! The timeline and the lines in it.

use super::*;

fn item(kind: ItemKind, at: i64, text: &str) -> IncidentItem {
    IncidentItem { kind, at: at * Timestamp::SECOND, text: text.into(), by: "ann".into(), ..IncidentItem::default() }
}

#[test]
fn the_timeline_is_in_order_and_log_lines_stay_data() {
    let mut event = item(ItemKind::Event, 60, "db away\n```\n# not a heading\u{1b}[31m");
    event.url = Some("/?q=x".into());
    let incident = Incident {
        title: "Payments | failed".into(),
        services: vec!["pay".into()],
        began: Some(0),
        detected: Some(90 * Timestamp::SECOND),
        created_by: "ann".into(),
        items: vec![item(ItemKind::Note, 120, "pool is larger now"), event],
        ..Incident::default()
    };
    let text = post_mortem(&incident, "http://logs", Locale::English);
    let expected = "# Payments \\| failed

| | |
|---|---|
| Services | pay |
| Began | 1970-01-01T00:00:00Z |
| Detected | 1970-01-01T00:01:30Z (1 min 30 s after) |
| Mitigated | – |
| Repaired | – |
| Reported by | ann |

## Summary

*To be written.*

## Timeline

* **1970-01-01T00:01:00Z** Log line (ann)

  ````text
  db away
  ```
  # not a heading\\u{1b}[31m
  ````
  <http://logs/?q=x>

* **1970-01-01T00:02:00Z** Note (ann): pool is larger now

## Cause

*To be written.*

## What went well

*To be written.*

## What went wrong

*To be written.*

## Actions

*To be written.*
";
    assert_eq!(text, expected);
    assert!(post_mortem(&incident, "", Locale::Indonesian).contains("## Linimasa"));
}

//! Counts are those of the events counted one by one.

use std::collections::BTreeMap;

use execute::{CountedValue, Reach, condition_counts, value_counts};
use proptest::prelude::*;
use types::{Level, Value};

use crate::lab::{DAY, Draft, HOUR, SECOND, ask, runs_of};
use crate::text::equal;

fn draft(at: usize, (kind, text, number): (u8, u8, i64)) -> Draft {
    let group = if kind % 2 == 0 { "a" } else { "b" };
    let level = if kind % 3 == 0 { Level::Error } else { Level::Info };
    let draft = Draft::new(DAY + at as i64 * SECOND, group, level, format!("event {at}"));
    match kind % 5 {
        0 => draft,
        1 => draft.field("text", format!("t{}", text % 4)),
        2 => draft.number("number", number),
        3 => draft.field("text", format!("t{}", text % 4)).number("number", number),
        // One field with values of two types.
        _ => draft.number("text", number),
    }
}

/// Counts by field and value, values as they are shown.
type Counts = BTreeMap<(String, String), u64>;

fn one_by_one(drafts: &[Draft], is_wanted: impl Fn(&Draft) -> bool) -> Counts {
    let mut counts = Counts::new();
    for draft in drafts.iter().filter(|draft| is_wanted(draft)) {
        for (name, value) in &draft.fields {
            *counts.entry(((*name).to_owned(), value.to_string())).or_default() += 1;
        }
        *counts.entry(("@log".into(), draft.group.into())).or_default() += 1;
        *counts.entry(("@level".into(), draft.level.name().into())).or_default() += 1;
    }
    counts
}

proptest! {
    #[test]
    fn every_event_is_counted_once(
        events in proptest::collection::vec((any::<u8>(), any::<u8>(), -5_i64..5), 1..200),
        part in 0_usize..200,
    ) {
        let drafts: Vec<Draft> = events.into_iter().enumerate().map(|(at, event)| draft(at, event)).collect();
        let runs = runs_of(&drafts);
        let end = DAY + part as i64 * SECOND;
        for (query, is_error) in [("fields @message", false), ("filter @level = 'error' | fields @message", true)] {
            let found = ask(query, (0, part as i64 * SECOND), |set| value_counts(set.plan, &runs, set.request).expect("counts"));
            let mut counts = Counts::new();
            for (name, field) in &found.fields {
                for (value, count) in field.values_from(1) {
                    let shown = value.value().to_string();
                    *counts.entry((name.to_string(), shown)).or_default() += count;
                    prop_assert_eq!(field.count(&value), count);
                }
                prop_assert!(!field.is_cut && field.n_events <= found.n_events);
            }
            counts.retain(|(name, _), _| name != "@logStream");
            let is_wanted = |draft: &Draft| draft.at < end && (!is_error || draft.level == Level::Error);
            prop_assert_eq!(counts, one_by_one(&drafts, is_wanted));
        }
    }

    #[test]
    fn a_part_taken_away_leaves_the_rest(events in proptest::collection::vec((any::<u8>(), any::<u8>(), -5_i64..5), 1..100)) {
        let drafts: Vec<Draft> = events.into_iter().enumerate().map(|(at, event)| draft(at, event)).collect();
        let runs = runs_of(&drafts);
        let counted = |query: &str| ask(query, (0, HOUR), |set| value_counts(set.plan, &runs, set.request).expect("counts"));
        let mut rest = counted("fields @message");
        rest.subtract(&counted("filter @level = 'error' | fields @message"));
        let others = counted("filter @level != 'error' | fields @message");
        prop_assert_eq!(rest.n_events, others.n_events);
        for (name, field) in &others.fields {
            for (value, count) in field.values_from(1) {
                prop_assert_eq!(rest.fields[name].count(&value), count, "{} {:?}", name, value);
            }
            prop_assert_eq!(rest.fields[name].numbers.ordered(), field.numbers.ordered());
        }
    }

    #[test]
    fn conditions_that_hold_together_are_counted(events in proptest::collection::vec((any::<u8>(), any::<u8>(), -5_i64..5), 1..100)) {
        let drafts: Vec<Draft> = events.into_iter().enumerate().map(|(at, event)| draft(at, event)).collect();
        let runs = runs_of(&drafts);
        let conditions = [equal("text", Some(Value::text("t1"))), equal("@log", Some(Value::text("b"))), equal("text", None)];
        let found = ask("fields @message", (0, HOUR), |set| {
            condition_counts(set.plan, &runs, set.request, &conditions, Reach::All).expect("counts")
        });
        let has = |draft: &&Draft, text: &str| draft.fields.iter().any(|(name, value)| *name == "text" && value.to_string() == text);
        let n = |is_wanted: &dyn Fn(&&Draft) -> bool| drafts.iter().filter(is_wanted).count() as u64;
        prop_assert_eq!(found.count(0b001), n(&|draft| has(draft, "t1")));
        prop_assert_eq!(found.count(0b011), n(&|draft| has(draft, "t1") && draft.group == "b"));
        prop_assert_eq!(found.count(0b100), n(&|draft| !draft.fields.iter().any(|(name, _)| *name == "text")));
        let newest = drafts.iter().filter(|draft| has(draft, "t1")).map(|draft| draft.at).max();
        prop_assert_eq!(found.events[0].as_ref().map(|event| event.time.0), newest);
    }
}

#[test]
fn values_are_told_apart_by_their_type() {
    let drafts = [draft(0, (4, 0, 7)), Draft::new(DAY, "a", Level::Info, "x").field("text", "7")];
    let runs = runs_of(&drafts);
    let found = ask("fields @message", (0, HOUR), |set| value_counts(set.plan, &runs, set.request).expect("counts"));
    let text = &found.fields["text"];
    assert_eq!((text.count(&CountedValue::Integer(7)), text.count(&CountedValue::Text("7".into()))), (1, 1));
    assert_eq!(text.n_values(), 2);
}

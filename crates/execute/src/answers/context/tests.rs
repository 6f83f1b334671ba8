//! What is around an event, whatever is at the same instant.

use std::sync::Arc;

use types::{BatchBuilder, BatchRun, GroupName, Run, Timestamp, Value};

use super::*;
use crate::tests::{Asked, plan, shown};

const SECOND: i64 = Timestamp::SECOND;

/// Returns events of a group at these seconds, in this order of acceptance; `n` is their place in it.
fn run(group: u32, seconds: &[i64]) -> Arc<dyn Run> {
    let mut builder = BatchBuilder::new();
    for (n, second) in seconds.iter().enumerate() {
        builder.set_timestamp(Timestamp(second * SECOND));
        builder.set_message(&format!("g{group} {n}"));
        builder.set_stream(["a", "b"][n % 2]);
        builder.field_integer("n", n as i64);
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (0..seconds.len() as u64).collect();
    let name = GroupName::new(&format!("g{group}")).expect("a valid name");
    Arc::new(BatchRun::new(name, group, Arc::new(batch)))
}

/// Two groups; many events share an instant.
fn runs() -> Vec<Arc<dyn Run>> {
    vec![run(2, &[1, 5, 5, 5, 5, 9]), run(1, &[2, 5, 5, 5, 8, 8])]
}

fn id(group_id: u32, second: i64, sequence: u64) -> EventId {
    EventId { group_id, timestamp: Timestamp(second * SECOND), sequence }
}

fn neighbours(text: &str, id: EventId, stream: Option<&str>, side: Side, most: u64) -> Vec<String> {
    let around = ContextAnchor { id, stream: stream.map(Name::from) };
    let plan = context_plan(&plan(text), &around, side, most).expect("filters alone");
    let answer =
        Asked::default().with(|request| crate::answers::run::execute(&plan, &runs(), request)).expect("an answer");
    shown(&answer)
}

#[test]
fn neighbours_go_by_time_then_group_then_acceptance() {
    let text = "fields @message";
    let before = neighbours(text, id(2, 5, 2), None, Side::Before, 9);
    assert_eq!(before, ["g2 1", "g1 3", "g1 2", "g1 1", "g1 0", "g2 0"]);
    let after = neighbours(text, id(1, 5, 2), None, Side::After, 9);
    assert_eq!(after, ["g1 3", "g2 1", "g2 2", "g2 3", "g2 4", "g1 4", "g1 5", "g2 5"]);
    for most in 0..8 {
        let nearest = neighbours(text, id(1, 5, 2), None, Side::After, most);
        assert_eq!(nearest, after[..most as usize], "{most} of an instant are the first of it");
    }
}

#[test]
fn filters_and_the_stream_choose_and_order_and_number_are_the_side_s() {
    let at = id(2, 5, 2);
    assert_eq!(neighbours("fields @message", at, Some("b"), Side::Before, 2), ["g2 1", "g1 3"]);
    let text = "filter n < 2 | sort n desc | limit 1 | fields @message, n + 1 as m";
    assert_eq!(neighbours(text, at, None, Side::Before, 9), ["g2 1 2", "g1 1 2", "g1 0 1", "g2 0 1"]);
    let own = event_plan(&plan(text), at).expect("filters alone");
    let answer =
        Asked::default().with(|request| crate::answers::run::execute(&own, &runs(), request)).expect("an answer");
    assert_eq!(shown(&answer), ["g2 2 3"], "whatever the filters say");
}

#[test]
fn what_is_no_choice_of_events_is_refused() {
    let around = ContextAnchor { id: id(1, 1, 1), stream: None };
    for text in
        ["stats count(*)", "dedup n", "fields @message | fields n as `@timestamp`", "parse json", "pattern @message"]
    {
        let refused = context_plan(&plan(text), &around, Side::After, 1).expect_err(text);
        assert!(refused.to_string().starts_with("neighbours of an event are"), "{text}: {refused}");
    }
}

#[test]
fn answers_of_several_times_become_one() {
    let asked = |text: &str| Asked::default().answer(text, &runs()).expect("an answer");
    let mut answer = asked("filter n = 7 | fields @message, n");
    answer.append(asked("filter n = 1 | fields @message, n"));
    answer.append(asked("filter n = 2 | fields @message, n / 4"));
    assert_eq!(shown(&answer), ["g2 1 1", "g1 1 1", "g2 2 0.5", "g1 2 0.5"]);
    assert_eq!((answer.columns.len(), answer.ids.as_ref().map(Vec::len)), (2, Some(4)));
    assert_eq!(answer.columns[1].kind, crate::request::answer::ColumnKind::Float);
    assert_eq!(answer.stats.events_scanned, 36);
    assert!(answer.check_memory(usize::MAX).is_ok() && answer.check_memory(0).is_err());
    assert_eq!(answer.rows[0][1], Some(Value::Integer(1)));
}

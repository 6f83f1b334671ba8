//! Which events concern which rules, by their groups, levels, conditions and ages.

use types::{BatchBuilder, GroupName};

use super::*;
use crate::RuleSet;

const NOW: Timestamp = Timestamp(1_800_000_000 * Timestamp::SECOND);

fn rules(text: &str) -> Vec<Arc<Rule>> {
    let mut set = RuleSet::default();
    set.add("r.yaml", &format!("groups: [{{name: g, rules: [{text}]}}]")).unwrap();
    set.rules.into_iter().map(Arc::new).collect()
}

/// Returns events of one group that are so many seconds old when they are accepted now.
fn accepted(group: &str, events: &[(i64, Level, &str)]) -> Arc<AcceptedBatch> {
    let mut builder = BatchBuilder::new();
    for (age, level, message) in events {
        builder.set_timestamp(Timestamp(NOW.0 - age * Timestamp::SECOND));
        builder.set_message(message);
        builder.set_level(Some(*level));
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.ingestion_times = vec![NOW.0; events.len()].into();
    Arc::new(AcceptedBatch { group: GroupName::new(group).unwrap(), group_id: 1, batch: Arc::new(batch) })
}

fn touched(rules: &[Arc<Rule>], batch: &Arc<AcceptedBatch>) -> Vec<TriggeredRule> {
    Triggers::of(rules, NOW).touched(std::slice::from_ref(batch), NOW, &HashSet::new())
}

fn names(touched: &[TriggeredRule]) -> Vec<&str> {
    touched.iter().map(|touched| touched.rule.as_str()).collect()
}

#[test]
fn events_concern_the_rules_whose_groups_and_conditions_they_meet() {
    let rules = rules(
        "{name: errors, query: 'filter @level >= \"error\" | stats count(*) as count by @log', groups: ['app/*']}, \
         {name: fire, query: 'filter @message like /fire/ | fields 1 as x | sort x'}, \
         {name: named, query: 'source \"db\" | filter @level = \"error\"', groups: ['app/*']}",
    );
    let burning = [(0, Level::Error, "disk on fire")];
    assert_eq!(names(&touched(&rules, &accepted("app/a", &burning))), ["errors", "fire"]);
    assert_eq!(names(&touched(&rules, &accepted("db", &burning))), ["fire", "named"]);
    assert!(touched(&rules, &accepted("app/a", &[(0, Level::Warn, "disk is warm")])).is_empty());
    let found = touched(&rules, &accepted("app/a", &[(3, Level::Info, "x"), (1, Level::Fatal, "y")]));
    assert_eq!(found, [TriggeredRule { rule: "errors".into(), dues: vec![NOW], late: Vec::new() }]);
}

#[test]
fn rules_that_wait_already_are_not_looked_at() {
    let rules = rules("{name: a, query: 'filter @level = \"error\"'}, {name: b, query: 'filter @level = \"error\"'}");
    let triggers = Triggers::of(&rules, NOW);
    assert_eq!(triggers.all.len(), 1, "what begins alike is asked once");
    let batch = [accepted("app/a", &[(0, Level::Error, "x")])];
    let waiting = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    assert_eq!(triggers.touched(&batch, NOW, &waiting(&["a"])).len(), 2);
    assert!(triggers.touched(&batch, NOW, &waiting(&["a", "b"])).is_empty());
    for age in [-25_200, 400] {
        let beside = [accepted("app/a", &[(age, Level::Error, "x")])];
        let touched = triggers.touched(&beside, NOW, &waiting(&["a", "b"]));
        assert_eq!(touched.len(), 2, "its present window does not hold an event of the age {age}");
    }
}

#[test]
fn rules_that_choose_no_events_or_need_other_rows_wait_for_their_turn() {
    let rules = rules(
        "{name: all, query: 'stats count(*) as count by @log'}, \
         {name: sub, query: 'filter a in (source \"b\" | fields a)'}, \
         {name: late-filter, query: 'stats count(*) as n by @log | filter n > 3'}, \
         {name: off, query: 'filter a = 1', enabled: false}",
    );
    let triggers = Triggers::of(&rules, NOW);
    assert_eq!(triggers.rules().count(), 0);
}

#[test]
fn back_filled_events_never_trigger_and_late_ones_ask_for_the_window_that_ends_with_them() {
    let rules = rules("{name: errors, query: 'filter @level = \"error\"', window: 2m}");
    let of = |ages: &[i64]| {
        let events: Vec<_> = ages.iter().map(|age| (*age, Level::Error, "x")).collect();
        touched(&rules, &accepted("a", &events))
    };
    let at = |age: i64| Timestamp(NOW.0 - age * Timestamp::SECOND);
    assert!(of(&[421, 3_600, 86_400]).is_empty(), "older than the window and five minutes");
    assert_eq!(of(&[120])[0], TriggeredRule { rule: "errors".into(), dues: vec![NOW], late: Vec::new() });
    assert_eq!(of(&[121])[0], TriggeredRule { rule: "errors".into(), dues: Vec::new(), late: vec![at(121)] });
    // Windows of two minutes that end 130 and 300 seconds ago hold all four.
    assert_eq!(of(&[420, 300, 250, 130, 500])[0].late, [at(300), at(130)]);
    // A sender whose clock is ahead: not before its event is in the window.
    assert_eq!(of(&[-7])[0].dues, [at(-7)]);
    assert_eq!(of(&[-25_200, 0, -7])[0].dues, [NOW, at(-7), at(-25_200)]);
}

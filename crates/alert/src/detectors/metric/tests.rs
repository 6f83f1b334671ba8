//! Series as label sets with a number.

use std::sync::Mutex;

use types::Timestamp;

use super::super::{HistoryCache, answer};
use super::*;
use crate::evaluate::{Sets, evaluate};
use crate::{Ask, RuleSet};

/// Gives the same rows to every question, and notes what it was asked.
struct Listed {
    rows: Vec<(&'static str, i64)>,
    ranges: Mutex<Vec<TimeRange>>,
}

impl Ask for Listed {
    fn ask(&self, question: &Question<'_>) -> Result<Table, String> {
        self.ranges.lock().unwrap().push(question.range);
        let row = |(host, n): &(&str, i64)| {
            vec![Some(Value::text(*host)), Some(Value::Integer(*n)), Some(Value::Integer(*n))]
        };
        Ok(Table { columns: Vec::new(), rows: self.rows.iter().map(row).collect(), partial: None })
    }
}

fn rule(more: &str) -> Rule {
    let mut set = RuleSet::default();
    let query = r#"sum by (host) (count_over_time({group="app"} |= "refused" [10m]))"#;
    let text = format!("groups: [{{name: g, rules: [{{name: r, language: logql, query: '{query}', {more}}}]}}]");
    set.add("r.yaml", &text).unwrap();
    set.rules.remove(0)
}

fn judged(rule: &Rule, ask: &Listed) -> String {
    let now = Timestamp(1_000 * Timestamp::MINUTE);
    let (compiled, table) = answer(
        rule,
        &DetectorInput { ask, now, n_rows_max: 10, memory: &HistoryCache::default(), fires: &|_| false, base_url: "" },
    )
    .unwrap();
    let done = evaluate(rule, &compiled, &table, &Sets::new(), now);
    let sets = done.sets.values().map(|set| {
        format!("{}={:?}:{}", set.labels["host"], set.state, set.value.as_ref().unwrap_or(&serde_json::Value::Null))
    });
    sets.collect::<Vec<_>>().join(" ")
}

#[test]
fn labels_of_series_are_label_sets_and_the_number_is_the_value() {
    let ask = Listed { rows: vec![("a", 3), ("b", 12)], ranges: Mutex::default() };
    assert_eq!(judged(&rule("condition: value > 5"), &ask), "b=Alarm:12");
    assert_eq!(judged(&rule("condition: value > 5 or host = \"a\""), &ask), "a=Alarm:3 b=Alarm:12");
    assert_eq!(judged(&rule(""), &ask), "a=Alarm:3 b=Alarm:12");
    let range = ask.ranges.lock().unwrap()[0];
    assert_eq!(range.to.0 - range.from.0, 10 * Timestamp::MINUTE, "the query's own window");
}

#[test]
fn what_has_no_number_is_well() {
    let ask = Listed { rows: Vec::new(), ranges: Mutex::default() };
    assert_eq!(judged(&rule("condition: value > 5"), &ask), "");
}

//! Rules in each language: what is counted, and where a mistake is.

use types::Value;

use super::*;
use crate::RuleSet;
use crate::compile::compiled_rule::{CompiledRule, FIRES};

fn compiled(query: &str, condition: Option<&str>) -> CompiledRule {
    let mut set = RuleSet::default();
    let condition = condition.map(|text| format!("condition: '{text}'")).unwrap_or_default();
    let text = format!("groups: [{{name: g, rules: [{{name: r, query: '{query}', {condition}}}]}}]");
    set.add("r.yaml", &text).unwrap();
    compile(&set.rules[0], Timestamp(0)).unwrap()
}

fn columns(compiled: &CompiledRule) -> Vec<&str> {
    shown(compiled.plan.operators()).iter().map(|(name, _)| &**name).collect()
}

#[test]
fn events_are_counted_and_the_count_is_the_value() {
    let rule = compiled("filter @level >= \"error\"", Some("count > 5"));
    assert_eq!(columns(&rule), ["count", FIRES]);
    assert_eq!((rule.value, rule.is_count), (Some(0), true));
    assert!(rule.labels.is_empty());
    let without = compiled("filter @level >= \"error\" # comment", None);
    assert_eq!(columns(&without), ["count", FIRES]);
}

#[test]
fn every_language_that_gives_events_is_counted() {
    let queries = [
        ("insights", "filter status >= 500"),
        ("logql", "{group=\"app\"} |= \"refused\""),
        ("lucene", "status:[500 TO 599]"),
        ("kql", "status >= 500"),
        ("filter-pattern", "{ $.status >= 500 }"),
    ];
    for (language, query) in queries {
        let mut set = RuleSet::default();
        let rule = format!("{{name: r, language: {language}, query: '{query}', condition: count > 5}}");
        set.add("r.yaml", &format!("groups: [{{name: g, rules: [{rule}]}}]")).unwrap();
        let rule = compile(&set.rules[0], Timestamp(0)).unwrap();
        assert_eq!((columns(&rule), rule.is_count), (vec!["count", FIRES], true), "{language}");
        let plan = rule.events_plan(&[Some(Value::Integer(7)), Some(Value::Boolean(true))]);
        assert!(matches!(plan.operators()[0], Operator::Filter(_)), "{language}: {:?}", plan.operators());
        let shown = crate::language::shown(set.rules[0].language, query).unwrap();
        assert!(
            language::parse_insights(&shown, &ParseOptions { now: Timestamp(0), time_zone: chrono_tz::UTC }).is_ok()
        );
    }
}

#[test]
fn mistakes_of_every_language_keep_their_place() {
    let queries = [("logql", "{group=\"app\"} |~", "1:"), ("lucene", "status:[500 TO", "1:"), ("kql", "(a", "1:")];
    for (language, query, place) in queries {
        let mut set = RuleSet::default();
        let rule = format!("{{name: r, language: {language}, query: '{query}'}}");
        let refused = set.add("r.yaml", &format!("groups: [{{name: g, rules: [{rule}]}}]")).unwrap_err();
        let refused = refused[0].to_string();
        assert!(refused.contains("query: ") && refused.contains(&format!(" at {place}")), "{refused}");
    }
    let mut set = RuleSet::default();
    let rule = "groups: [{name: g, rules: [{name: r, language: sql, query: select 1}]}]";
    let refused = set.add("r.yaml", rule).unwrap_err()[0].to_string();
    let known = "language: unknown \"sql\"; known: insights, logql, lucene, kql, filter-pattern, promql";
    assert!(refused.contains(known), "{refused}");
}

#[test]
fn group_columns_make_labels_and_the_condition_names_the_value() {
    let rule = compiled("stats avg(ms) as mean, max(ms) as worst by service, @log", Some("worst > 100"));
    assert_eq!(rule.labels.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["service", "@log"]);
    assert_eq!(columns(&rule)[rule.value.unwrap()], "worst");
    assert!(!rule.is_count);
}

#[test]
fn count_is_the_number_of_rows_where_no_column_has_that_name() {
    let rule = compiled("stats avg(ms) as mean by service", Some("count > 3"));
    assert_eq!(columns(&rule), ["count", FIRES]);
    let named = compiled("stats count(*) as count by service", Some("count > 3"));
    assert_eq!(named.labels.len(), 1);
}

#[test]
fn a_query_that_names_times_of_its_own_is_refused_with_its_place() {
    let mut set = RuleSet::default();
    let query = "source \"app/*\" start=-1d | filter a = 1";
    let text = format!("groups: [{{name: g, rules: [{{name: r, query: '{query}'}}]}}]");
    let refused = format!("{:?}", set.add("r.yaml", &text).unwrap_err());
    assert!(refused.contains("`start` has no place in a rule") && refused.contains("16"), "{refused}");
    let within = "filter a in (source \"b\" start=-1d | fields a)";
    assert_eq!(compiled(within, None).labels.len(), 0);
}

#[test]
fn the_events_of_a_row_are_those_of_its_groups() {
    let rule = compiled("filter level = \"x\" | stats count(*) as count by service", Some("count > 3"));
    let row = [Some(Value::text("api")), Some(Value::Integer(4)), Some(Value::Boolean(true))];
    let plan = rule.events_plan(&row);
    let n_filters = plan.operators().iter().filter(|operator| matches!(operator, Operator::Filter(_))).count();
    assert_eq!(n_filters, 2);
    assert!(rule.fires(&row));
    assert!(!rule.fires(&[Some(Value::Boolean(false))]));
}

//! Functions of time in expressions of alarms.

use alert::Table;
use serde_json::json;

use super::super::super::parameters::Parameters;
use super::*;

/// A store without data.
struct Empty;

impl Ask for Empty {
    fn ask(&self, _: &Question<'_>) -> Result<Table, String> {
        Ok(Table::default())
    }

    fn visit(&self, _: &Question<'_>, _: &dyn BlockVisitor) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
}

/// Returns the times of the periods, in ms, and the values of an expression over a metric without data.
fn evaluated(expression: &str, period_s: i64, now: &str) -> Vec<(i64, Option<f64>)> {
    let metric = json!({"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": period_s, "Stat": "Sum"});
    let definition = json!({
        "EvaluationPeriods": 1, "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold", "Metrics": [
            {"Id": "m1", "MetricStat": metric, "ReturnData": false},
            {"Id": "e1", "Expression": expression},
        ],
    });
    let alarm = MetricAlarm::read(&Parameters::new(&definition)).map_err(|problem| problem.parts().2.to_owned());
    let question = AlarmQuestion {
        name: "a",
        definition: &definition,
        groups: &[],
        scope: &GroupScope::All,
        memory: None,
        ask: &Empty,
        state_of: &|_| None,
        now: Timestamp::parse_rfc3339(now).expect("a time"),
    };
    let (filters, config) = (&|_: Option<&str>| Ok(Vec::new()), &|_: &str| Ok(BandConfig::default()));
    let inputs = AlarmInputs { filters, config, models: &ModelCache::default() };
    let found = periods(&alarm.expect("an alarm"), &question, &inputs).expect("periods");
    found.into_iter().map(|period| (period.time, period.value)).collect()
}

#[test]
fn functions_of_time_see_the_times_of_the_periods() {
    // 2026-11-27 is a Friday; periods of a day end at 09:41.
    let now = "2026-11-27T09:41:30Z";
    let days = |expression: &str| evaluated(expression, 86_400, now).into_iter().map(|(_, value)| value);
    assert!(days("HOUR(m1) * 100 + MINUTE(m1)").eq([Some(941.0); 3]));
    assert!(days("DAY(m1)").eq([2.0, 3.0, 4.0].map(Some)));
    assert!(days("IF(DAY(m1) == 3, DATE(m1))").eq([None, Some(25.0), None]));
    for period_s in [10, 60, 300, 3_600] {
        let found = evaluated("EPOCH(m1) * 1000", period_s, now);
        assert!(found.len() == 3 && found.iter().all(|(time, value)| *value == Some(*time as f64)), "{found:?}");
    }
}

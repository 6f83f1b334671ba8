//! Statistics of one kind in a request.

use super::*;

#[test]
fn a_request_has_statistics_of_one_kind() {
    let kind = |statistics: Value, extended: Value| {
        let input = json!({
            "Namespace": "n", "MetricName": "m", "StartTime": 0, "EndTime": 600, "Period": 60,
            "Statistics": statistics, "ExtendedStatistics": extended,
        });
        StatisticsRequest::read(&input).err().map(|problem| problem.parts().1)
    };
    assert_eq!(kind(json!(["Sum", "Average"]), json!([])), None);
    assert_eq!(kind(json!(null), json!(["p0.0", "p99"])), None);
    assert_eq!(kind(json!(["Sum"]), json!(["p99"])), Some("InvalidParameterCombinationException"));
    assert_eq!(kind(json!(null), json!(null)), Some("MissingRequiredParameterException"));
}

//! The parameters of each operation that have an effect here, or that change no answer of a server with one account.
//! All others are refused by name: those of the services' models that are not supported, and those that no model has.
//!
//! A line is an operation with its members; those of a structure, or of the structures in a list, follow in braces.

use serde_json::Value;

/// Operations of CloudWatch Logs with a body of JSON. `sequenceToken`, `entity`, `interleaved` and `unmask` have no
/// effect on any answer: nothing is masked here.
const LOGS: &str = "
CreateLogGroup logGroupName tags logGroupClass deletionProtectionEnabled
CreateLogStream logGroupName logStreamName
DeleteLogGroup logGroupName
DeleteLogStream logGroupName logStreamName
DeleteMetricFilter logGroupName filterName
DeleteQueryDefinition queryDefinitionId
DeleteRetentionPolicy logGroupName
DeleteSubscriptionFilter logGroupName filterName
DescribeLogGroups logGroupNamePrefix logGroupNamePattern logGroupIdentifiers logGroupClass nextToken limit accountIdentifiers includeLinkedAccounts
DescribeLogStreams logGroupName logGroupIdentifier logStreamNamePrefix orderBy descending nextToken limit
DescribeMetricFilters logGroupName filterNamePrefix nextToken limit metricName metricNamespace
DescribeQueries logGroupName status maxResults nextToken queryLanguage
DescribeQueryDefinitions queryLanguage queryDefinitionNamePrefix maxResults nextToken
DescribeSubscriptionFilters logGroupName filterNamePrefix nextToken limit
FilterLogEvents logGroupName logGroupIdentifier logStreamNames logStreamNamePrefix startTime endTime filterPattern nextToken limit startFromHead interleaved unmask
GetLogEvents logGroupName logGroupIdentifier logStreamName startTime endTime nextToken limit startFromHead unmask
GetLogGroupFields logGroupName logGroupIdentifier time
GetLogRecord logRecordPointer unmask
GetQueryResults queryId nextToken maxItems
ListLogGroups logGroupNamePattern logGroupClass logGroupTags{key values} nextToken limit accountIdentifiers includeLinkedAccounts
ListTagsForResource resourceArn
ListTagsLogGroup logGroupName
PutLogGroupDeletionProtection logGroupIdentifier deletionProtectionEnabled
PutMetricFilter logGroupName filterName filterPattern metricTransformations{metricName metricNamespace metricValue defaultValue dimensions unit}
PutQueryDefinition queryLanguage name queryDefinitionId logGroupNames queryString clientToken parameters{name defaultValue description}
PutRetentionPolicy logGroupName retentionInDays
PutSubscriptionFilter logGroupName filterName filterPattern destinationArn roleArn distribution
StartLiveTail logGroupIdentifiers logStreamNames logStreamNamePrefixes logEventFilterPattern
StartQuery queryLanguage logGroupName logGroupNames logGroupIdentifiers startTime endTime queryString limit
StopQuery queryId
TagLogGroup logGroupName tags
TagResource resourceArn tags
TestMetricFilter filterPattern logEventMessages
UntagLogGroup logGroupName tags
UntagResource resourceArn tagKeys
";

/// Operations of CloudWatch's metrics. `Action` and `Version` belong to the query protocol; labels with times, which
/// alone have a zone, are refused.
const METRICS: &str = "
DeleteAlarms AlarmNames
DeleteAnomalyDetector AnomalyDetectorId Namespace MetricName Dimensions{Name Value} Stat SingleMetricAnomalyDetector{AccountId Namespace MetricName Dimensions{Name Value} Stat} MetricMathAnomalyDetector{MetricDataQueries{Id MetricStat{Metric{Namespace MetricName Dimensions{Name Value}} Period Stat Unit} Expression Label ReturnData Period AccountId}}
DeleteDashboards DashboardNames
DescribeAlarmHistory AlarmName AlarmTypes HistoryItemType StartDate EndDate MaxRecords NextToken ScanBy
DescribeAlarms AlarmNames AlarmNamePrefix AlarmTypes ChildrenOfAlarmName ParentsOfAlarmName StateValue ActionPrefix MaxRecords NextToken
DescribeAlarmsForMetric MetricName Namespace Statistic ExtendedStatistic Dimensions{Name Value} Period Unit
DescribeAnomalyDetectors AnomalyDetectorIds NextToken MaxResults Namespace MetricName Dimensions{Name Value} AnomalyDetectorTypes
DisableAlarmActions AlarmNames
EnableAlarmActions AlarmNames
GetDashboard DashboardName
GetMetricData MetricDataQueries{Id MetricStat{Metric{Namespace MetricName Dimensions{Name Value}} Period Stat Unit} Expression Label ReturnData Period AccountId} StartTime EndTime NextToken ScanBy MaxDatapoints LabelOptions{Timezone}
GetMetricStatistics Namespace MetricName Dimensions{Name Value} StartTime EndTime Period Statistics ExtendedStatistics Unit
ListDashboards DashboardNamePrefix NextToken
ListMetrics Namespace MetricName Dimensions{Name Value} NextToken RecentlyActive IncludeLinkedAccounts OwningAccount
ListTagsForResource ResourceARN
PutAnomalyDetector Namespace MetricName Dimensions{Name Value} Stat Configuration{ExcludedTimeRanges{StartTime EndTime} MetricTimezone} MetricCharacteristics{PeriodicSpikes} SingleMetricAnomalyDetector{AccountId Namespace MetricName Dimensions{Name Value} Stat} MetricMathAnomalyDetector{MetricDataQueries{Id MetricStat{Metric{Namespace MetricName Dimensions{Name Value}} Period Stat Unit} Expression Label ReturnData Period AccountId}}
PutCompositeAlarm ActionsEnabled AlarmActions AlarmDescription AlarmName AlarmRule InsufficientDataActions OKActions Tags{Key Value}
PutDashboard DashboardName DashboardBody
PutMetricAlarm AlarmName AlarmDescription ActionsEnabled OKActions AlarmActions InsufficientDataActions MetricName Namespace Statistic ExtendedStatistic Dimensions{Name Value} Period Unit EvaluationPeriods DatapointsToAlarm Threshold ComparisonOperator TreatMissingData EvaluateLowSampleCountPercentile Metrics{Id MetricStat{Metric{Namespace MetricName Dimensions{Name Value}} Period Stat Unit} Expression Label ReturnData Period AccountId} Tags{Key Value} ThresholdMetricId
PutMetricData Namespace MetricData{MetricName Dimensions{Name Value} Timestamp Value StatisticValues{SampleCount Sum Minimum Maximum} Values Counts Unit StorageResolution} StrictEntityValidation
SetAlarmState AlarmName StateValue StateReason StateReasonData
TagResource ResourceARN Tags{Key Value}
UntagResource ResourceARN TagKeys
";

/// The services that have members here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Logs,
    Metrics,
}

/// Returns what is wrong with a member of a request that its operation does not use, by its place. An operation without
/// a line is refused elsewhere. A member without content is as good as none.
pub(super) fn refusal(service: Service, operation: &str, input: &Value) -> Option<String> {
    let lines = if service == Service::Logs { LOGS } else { METRICS };
    let of_operation = |line: &'static str| line.strip_prefix(operation)?.strip_prefix(' ');
    let place = unused(lines.lines().find_map(of_operation)?, input)?;
    Some(format!("The parameter {place} of {operation} is not supported here."))
}

/// Returns the place of a member that is not in a list.
fn unused(list: &str, value: &Value) -> Option<String> {
    let members = match value {
        Value::Array(items) => return items.iter().find_map(|item| unused(list, item)),
        Value::Object(members) => members,
        _ => return None,
    };
    members.iter().filter(|(_, value)| !is_empty(value)).find_map(|(name, value)| {
        if matches!(&**name, "Action" | "Version") && value.is_string() {
            return None;
        }
        match Members(list).find(|(known, _)| known == name) {
            None => Some(name.clone()),
            Some((_, "")) => None,
            Some((_, inner)) => unused(inner, value).map(|place| format!("{name}.{place}")),
        }
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The members in a list, each with those of its structure.
struct Members<'l>(&'l str);

impl<'l> Iterator for Members<'l> {
    type Item = (&'l str, &'l str);

    fn next(&mut self) -> Option<Self::Item> {
        let list = self.0.trim_start();
        let (name, rest) = list.split_at(list.find([' ', '{']).unwrap_or(list.len()));
        self.0 = rest;
        let Some(inner) = rest.strip_prefix('{') else { return (!name.is_empty()).then_some((name, "")) };
        let mut depth = 1;
        let end = inner.bytes().position(|byte| {
            depth += i32::from(byte == b'{') - i32::from(byte == b'}');
            depth == 0
        })?;
        self.0 = inner.get(end + 1..)?;
        Some((name, inner.get(..end)?))
    }
}

#[cfg(test)]
mod tests;

//! CloudWatch's metrics: data that is put, and statistics of them.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::cloudwatch::NOW_MS;
use super::{House, Reply};

/// An hour before now, in s: the start of an hour.
const START: i64 = NOW_MS / 1000 - 3600;

impl House {
    async fn metrics_operation(&self, operation: &str, input: Value) -> Reply {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        let request = Request::post("/cloudwatch").header("x-amz-target", target);
        self.send(request.body(Body::from(input.to_string())).expect("a request")).await
    }

    async fn put_data(&self, data: Value) {
        let reply = self.metrics_operation("PutMetricData", json!({"Namespace": "Shop/€", "MetricData": data})).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    async fn put_form(&self, form: &str) -> Reply {
        let request = Request::post("/cloudwatch").header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).expect("a request")).await
    }

    async fn statistics(&self, more: Value) -> Value {
        let mut input = json!({"Namespace": "Shop/€", "MetricName": "latency", "StartTime": START,
            "EndTime": START + 3600, "Period": 3600, "Statistics": ["SampleCount", "Sum", "Minimum", "Maximum", "Average"]});
        for (name, value) in more.as_object().expect("members") {
            input[name] = value.clone();
        }
        self.metrics_operation("GetMetricStatistics", input).await.json()
    }
}

fn dimension(name: &str, value: &str) -> Value {
    json!([{"Name": name, "Value": value}])
}

#[tokio::test]
async fn all_values_of_one_time_count_and_units_are_apart() {
    let house = House::new();
    house
        .put_data(json!([
            {"MetricName": "latency", "Timestamp": START, "Unit": "Seconds", "Value": 1},
            {"MetricName": "latency", "Timestamp": START, "Unit": "Seconds", "Value": 1},
            {"MetricName": "latency", "Timestamp": START, "Unit": "Seconds", "Values": [2.5, 7], "Counts": [2, 0]},
            {"MetricName": "latency", "Timestamp": START + 3599, "Unit": "Seconds",
                "StatisticValues": {"SampleCount": 2, "Sum": 13, "Minimum": 3, "Maximum": 10}},
            {"MetricName": "latency", "Timestamp": START + 3600, "Unit": "Seconds", "Value": 100},
            {"MetricName": "latency", "Timestamp": START, "Unit": "Count", "Value": 8},
            {"MetricName": "latency", "Timestamp": START, "Value": 9, "Dimensions": dimension("value", "a\"b")},
        ]))
        .await;
    let seconds = json!({"Timestamp": START, "Unit": "Seconds", "SampleCount": 6.0, "Sum": 20.0, "Minimum": 1.0,
        "Maximum": 10.0, "Average": 20.0 / 6.0});
    let count = json!({"Timestamp": START, "Unit": "Count", "SampleCount": 1.0, "Sum": 8.0, "Minimum": 8.0,
        "Maximum": 8.0, "Average": 8.0});
    assert_eq!(house.statistics(json!({})).await, json!({"Label": "latency", "Datapoints": [count, seconds]}));
    assert_eq!(house.statistics(json!({"Unit": "Seconds"})).await["Datapoints"], json!([seconds]));
    let other = house.statistics(json!({"Dimensions": dimension("value", "a\"b"), "Statistics": ["Sum"]})).await;
    assert_eq!(other["Datapoints"], json!([{"Timestamp": START, "Unit": "None", "Sum": 9.0}]));
    // The statistic set has no percentiles; the minute before it has.
    let extended = json!({"Unit": "Seconds", "Period": 60, "Statistics": null, "ExtendedStatistics": ["p75", "tm50"]});
    let found = house.statistics(extended).await;
    let expected = json!([{"Timestamp": START, "Unit": "Seconds", "ExtendedStatistics": {"p75": 2.5, "tm50": 1.0}}]);
    assert_eq!(found["Datapoints"], expected);
    let listed = house.metrics_operation("ListMetrics", json!({"Namespace": "Shop/€"})).await.json();
    let with = |dimensions: Value| json!({"Namespace": "Shop/€", "MetricName": "latency", "Dimensions": dimensions});
    assert_eq!(listed["Metrics"], json!([with(json!([])), with(dimension("value", "a\"b"))]));
}

#[tokio::test]
async fn data_of_queries_come_page_by_page_in_either_order() {
    let house = House::new();
    let datum = |n: i64| json!({"MetricName": "orders", "Timestamp": START + 60 * n, "Value": n});
    house.put_data((0..5).map(datum).collect()).await;
    let stat = |name: &str, stat: &str| {
        json!({"Period": 60, "Stat": stat,
        "Metric": {"Namespace": "Shop/€", "MetricName": name}})
    };
    let mut input = json!({"StartTime": START + 30, "EndTime": START + 240, "ScanBy": "TimestampAscending",
        "MetricDataQueries": [{"Id": "a", "MetricStat": stat("orders", "Sum")},
            {"Id": "hidden", "MetricStat": stat("orders", "Sum"), "ReturnData": false},
            {"Id": "b", "Label": "none", "MetricStat": stat("none", "p50")}]});
    let a = |times: &[i64], status: &str| {
        let times: Vec<i64> = times.iter().map(|n| START + 60 * n).collect();
        let values: Vec<f64> = times.iter().map(|time| ((time - START) / 60) as f64).collect();
        json!({"Id": "a", "Label": "orders", "Timestamps": times, "Values": values, "StatusCode": status, "Messages": []})
    };
    let b =
        json!({"Id": "b", "Label": "none", "Timestamps": [], "Values": [], "StatusCode": "Complete", "Messages": []});
    let whole = house.metrics_operation("GetMetricData", input.clone()).await.json();
    assert_eq!(whole, json!({"MetricDataResults": [a(&[0, 1, 2, 3], "Complete"), b], "Messages": []}));
    input["MaxDatapoints"] = 3.into();
    input["ScanBy"] = "TimestampDescending".into();
    let first = house.metrics_operation("GetMetricData", input.clone()).await.json();
    assert_eq!(first["MetricDataResults"], json!([a(&[3, 2, 1], "PartialData")]));
    input["NextToken"] = first["NextToken"].clone();
    let second = house.metrics_operation("GetMetricData", input).await.json();
    assert_eq!(second, json!({"MetricDataResults": [a(&[0], "Complete"), b], "Messages": []}));
}

#[tokio::test]
async fn a_call_counts_once_and_a_request_again_counts_again() {
    let house = House::new();
    let time = START.to_string();
    let form = format!(
        "Action=PutMetricData&Version=2010-08-01&Namespace=Shop/%E2%82%AC&MetricData.member.1.MetricName=latency\
        &MetricData.member.1.Value=2&MetricData.member.1.Timestamp={time}"
    );
    for _ in 0..2 {
        let reply = house.put_form(&form).await;
        assert!(reply.text().contains("<PutMetricDataResponse"), "{}", reply.text());
    }
    for _ in 0..2 {
        let request = Request::post("/cloudwatch")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("amz-sdk-invocation-id", "8a6c");
        assert_eq!(house.send(request.body(Body::from(form.clone())).expect("a request")).await.status, 200);
    }
    assert_eq!(house.statistics(json!({})).await["Datapoints"][0]["Sum"], 6.0);
    let form = "Action=GetMetricStatistics&Namespace=Shop/%E2%82%AC&MetricName=latency&StartTime=2000-01-01T00:00:00Z\
        &EndTime=2100-01-01T00:00:00Z&Period=31536000";
    let xml = house.put_form(&format!("{form}&ExtendedStatistics.member.1=p50")).await.text();
    assert!(xml.contains("<entry><key>p50</key><value>2.0</value></entry>"), "{xml}");
    let xml = house.put_form(&format!("{form}&Statistics.member.1=Sum")).await.text();
    assert!(xml.contains("<Sum>6.0</Sum>"), "{xml}");
    assert!(xml.contains("<Timestamp>20") && xml.contains("Z</Timestamp>"), "{xml}");
    assert!(house.put_form("Action=PutMetricStream").await.text().contains("<Code>InvalidAction</Code>"));
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_of_the_request_is_stored() {
    let house = House::new();
    let good = json!({"MetricName": "latency", "Timestamp": START, "Value": 1});
    for (bad, code, place) in [
        (json!({"MetricName": "m"}), "MissingRequiredParameterException", "MetricData.member.2.Value"),
        (json!({"MetricName": "m", "Value": 1, "Values": [1]}), "InvalidParameterCombinationException", "Value"),
        (json!({"MetricName": "m", "Value": "NaN"}), "InvalidParameterValueException", "MetricData.member.2.Value"),
        (json!({"MetricName": "m", "Value": 1e200}), "InvalidParameterValueException", "2^360"),
        (json!({"MetricName": "m", "Values": [1], "Counts": [1, 2]}), "InvalidParameterValueException", "length"),
        (json!({"MetricName": "m", "Value": 1, "Unit": "Furlong"}), "InvalidParameterValueException", "Furlong"),
        (
            json!({"MetricName": "m", "Value": 1, "Timestamp": START + 999_999}),
            "InvalidParameterValueException",
            "Timestamp",
        ),
        (
            json!({"MetricName": "m", "Value": 1, "Dimensions": [{"Name": "a"}]}),
            "MissingRequiredParameterException",
            "Dimensions.member.1.Value",
        ),
    ] {
        let input = json!({"Namespace": "Shop/€", "MetricData": [good, bad]});
        let reply = house.metrics_operation("PutMetricData", input).await;
        let json = reply.json();
        assert_eq!((reply.status, json["__type"].as_str()), (400, Some(code)), "{json}");
        assert!(json["message"].as_str().is_some_and(|message| message.contains(place)), "{json} has no {place}");
    }
    assert_eq!(house.statistics(json!({})).await["Datapoints"], json!([]));
    for more in [json!({"Period": 7}), json!({"Statistics": ["p50"]}), json!({"EndTime": START}), json!({"Period": 1})]
    {
        assert!(house.statistics(more.clone()).await["__type"].is_string(), "{more}");
    }
    for query in [json!({"Id": "e", "Expression": "m1 + 1"}), json!({"Id": "Upper"}), json!({"Id": "a"})] {
        let input = json!({"StartTime": START, "EndTime": START + 60, "MetricDataQueries": [query]});
        assert_eq!(house.metrics_operation("GetMetricData", input).await.status, 400, "{query}");
    }
    let (_, reader) = house.key("read", &["web/*"]).await;
    let request = Request::post("/cloudwatch").header("x-amz-target", "GraniteServiceVersion20100801.PutMetricData");
    let request = request.header("x-catat-key", &reader).body(Body::from("{}")).expect("a request");
    assert_eq!(house.send(request).await.json()["__type"], "AccessDeniedException");
}

#[tokio::test]
async fn a_minute_counts_as_a_whole_where_the_range_ends_in_it() {
    let house = House::new();
    let datum = |second: i64, value: i64| json!({"MetricName": "latency", "Timestamp": START + second, "Value": value});
    house.put_data(json!([datum(10, 1), datum(50, 10), datum(110, 100)])).await;
    let sums = async |end: i64| {
        let range = json!({"EndTime": START + end, "Period": 60, "Statistics": ["Sum"]});
        let found = house.statistics(range).await;
        let stat = json!({"Metric": {"Namespace": "Shop/€", "MetricName": "latency"}, "Period": 60, "Stat": "Sum"});
        let data = json!({"StartTime": START, "EndTime": START + end, "ScanBy": "TimestampAscending",
            "MetricDataQueries": [{"Id": "m", "MetricStat": stat}]});
        let data = house.metrics_operation("GetMetricData", data).await.json();
        let points = found["Datapoints"].as_array().expect("datapoints").iter();
        let points: Vec<f64> = points.filter_map(|point| point["Sum"].as_f64()).collect();
        assert_eq!(data["MetricDataResults"][0]["Values"], json!(points), "{end}");
        points
    };
    assert_eq!(sums(30).await, [11.0]);
    assert_eq!(sums(60).await, [11.0]);
    assert_eq!(sums(90).await, [11.0, 100.0]);
}

#[tokio::test]
async fn metrics_of_other_accounts_are_refused() {
    let house = House::new();
    let stat = json!({"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "Sum"});
    let query = |account: &str| {
        json!({"StartTime": START, "EndTime": START + 60,
        "MetricDataQueries": [{"Id": "m", "AccountId": account, "MetricStat": stat}]})
    };
    assert_eq!(house.metrics_operation("GetMetricData", query("000000000000")).await.status, 200);
    for (operation, input) in
        [("GetMetricData", query("123456789012")), ("ListMetrics", json!({"OwningAccount": "123456789012"}))]
    {
        let reply = house.metrics_operation(operation, input).await;
        assert!(reply.status == 400 && reply.text().contains("metrics of other accounts"), "{}", reply.text());
    }
}

#[tokio::test]
async fn lines_of_the_embedded_format_may_be_the_message_of_a_record() {
    let house = House::new();
    let about = json!({"Timestamp": START * 1000, "CloudWatchMetrics": [
        {"Namespace": "Shop/€", "Dimensions": [[]], "Metrics": [{"Name": "latency"}]}]});
    let line = json!({"_aws": about, "latency": [1, 2]}).to_string();
    let records: Vec<String> = ["message", "@message", "log"].map(|name| json!({ name: line }).to_string()).into();
    let request = Request::post("/api/v1/ingest?group=app&format=ndjson").body(Body::from(records.join("\n")));
    assert_eq!(house.send(request.expect("a request")).await.status, 200);
    let found = house.statistics(json!({"Statistics": ["Sum", "SampleCount"]})).await;
    assert_eq!(found["Datapoints"], json!([{"Timestamp": START, "Unit": "None", "Sum": 9.0, "SampleCount": 6.0}]));
}

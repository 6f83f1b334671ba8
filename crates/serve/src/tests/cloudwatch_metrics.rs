//! CloudWatch's metric filters with dimensions, and the list of the metrics that they make.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::cloudwatch::{NOW_MS, error};
use super::{House, Reply};

impl House {
    async fn put_metric(&self, name: &str, pattern: &str, value: &str, dimensions: Value) -> Reply {
        let transformation =
            json!({"metricName": name, "metricNamespace": "pay", "metricValue": value, "dimensions": dimensions});
        let input = json!({"logGroupName": "/ecs/pay", "filterName": name, "filterPattern": pattern,
            "metricTransformations": [transformation]});
        self.operation("PutMetricFilter", input).await
    }

    /// Returns a filter of properties and one of columns, and events that they count.
    async fn with_metrics() -> Self {
        let house = Self::new();
        house.make_stream().await;
        let by_path = json!({"Path": "$.http.path", "verb-of": "$.verb"});
        assert_eq!(house.put_metric("requests", "{ $.ms >= 0 }", "$.ms", by_path).await.status, 200);
        let columns = "[ip, verb = GET, ..., size]";
        assert_eq!(house.put_metric("bytes", columns, "$size", json!({"ip": "$ip"})).await.status, 200);
        let texts = [
            r#"{"ms":2,"verb":"GET","http":{"path":"/a"}}"#,
            r#"{"ms":3,"verb":"GET","http":{"path":"/a"}}"#,
            r#"{"ms":4,"verb":"PUT","http":{"path":"/\"b\""}}"#,
            // Without one of the dimensions.
            r#"{"ms":5,"verb":"PUT"}"#,
            "10.0.0.1 GET /x 12",
            "10.0.0.1 GET /y z 30",
        ];
        house.put_texts(&texts).await;
        house
    }

    /// Six hundred more sets of dimensions.
    async fn put_many_paths(&self) {
        let many = (0..600).map(|n| format!(r#"{{"ms":1,"verb":"GET","http":{{"path":"/{n}"}}}}"#));
        let many: Vec<String> = many.collect();
        self.put_texts(&many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }

    /// Values on the page of metrics, from the name of the filter on.
    async fn metric_values(&self) -> Vec<String> {
        let page = self.administer("GET", "/metrics", "").await.text();
        let lines = page.lines().filter(|line| line.starts_with("catat_metric_filter_value{"));
        lines.map(|line| line.rsplit_once("filter=").map_or("", |(_, rest)| rest).to_owned()).collect()
    }

    async fn metrics_listed(&self, input: Value) -> Value {
        self.of_metrics("ListMetrics", input).await
    }

    async fn of_metrics(&self, operation: &str, input: Value) -> Value {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        let request = Request::post("/cloudwatch").header("x-amz-target", target);
        self.send(request.body(Body::from(input.to_string())).expect("a request")).await.json()
    }
}

#[tokio::test]
async fn metrics_have_dimensions_taken_from_properties_and_columns_up_to_a_bound() {
    let house = House::with_metrics().await;
    let expected = [
        r#""bytes",dimension_ip="10.0.0.1"} 42"#,
        r#""requests",dimension_Path="/\"b\"",dimension_verb_of="PUT"} 4"#,
        r#""requests",dimension_Path="/a",dimension_verb_of="GET"} 5"#,
    ];
    assert_eq!(house.metric_values().await, expected);
    assert_eq!(house.restarted().metric_values().await, expected);
    house.put_many_paths().await;
    let found = house.metric_values().await;
    // Five hundred sets, that of the rest, and that of the other filter.
    assert_eq!(found.len(), 502);
    assert!(found.contains(&r#""requests",dimension_Path="(other)",dimension_verb_of="(other)"} 102"#.to_owned()));

    let described = house.operation("DescribeMetricFilters", json!({"metricName": "requests"})).await.json();
    let by_path = json!({"Path": "$.http.path", "verb-of": "$.verb"});
    assert_eq!(described["metricFilters"][0]["metricTransformations"][0]["dimensions"], by_path);
    for (value, dimensions) in [
        ("$.", json!({})),
        ("$none", json!({})),
        ("1", json!({"a": "plain"})),
        ("1", json!({"a": "$.a", "b": "$.b", "c": "$.c", "d": "$.d"})),
    ] {
        let refused = house.put_metric("bad", "[ip, ...]", value, dimensions).await;
        assert_eq!(error(&refused).1, "InvalidParameterException", "{value}");
    }
    let gone = house.administer("DELETE", "/api/v1/groups/%2Fecs%2Fpay", "").await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    assert_eq!(house.store.settings().all("cloudwatch-metric").expect("settings"), []);
}

#[tokio::test]
async fn metrics_that_filters_make_are_listed_page_by_page_within_reach() {
    let house = House::with_metrics().await;
    house.put_many_paths().await;
    assert_eq!(house.metric_values().await.len(), 502);
    let dimensions = json!([{"Name": "ip", "Value": "10.0.0.1"}]);
    let bytes = json!([{"Namespace": "pay", "MetricName": "bytes", "Dimensions": dimensions}]);
    assert_eq!(house.metrics_listed(json!({"MetricName": "bytes"})).await, json!({"Metrics": bytes}));
    let by_name = json!({"Namespace": "pay", "Dimensions": [{"Name": "ip"}]});
    assert_eq!(house.metrics_listed(by_name).await["Metrics"], bytes);
    for nothing in [json!({"Dimensions": [{"Name": "ip", "Value": "x"}]}), json!({"Namespace": "AWS/Billing"})] {
        assert_eq!(house.metrics_listed(nothing).await, json!({"Metrics": []}));
    }
    let page = house.metrics_listed(json!({"Namespace": "pay"})).await;
    assert_eq!(page["Metrics"].as_array().map(Vec::len), Some(500));
    let rest = house.metrics_listed(json!({"Namespace": "pay", "NextToken": page["NextToken"]})).await;
    assert_eq!((rest["Metrics"].as_array().map(Vec::len), &rest["NextToken"]), (Some(2), &Value::Null));

    let form = "Action=ListMetrics&MetricName=requests&Dimensions.member.1.Name=Path&Dimensions.member.1.Value=%2Fa";
    let of_form = Request::post("/cloudwatch").header("content-type", "application/x-www-form-urlencoded");
    let xml = house.send(of_form.body(Body::from(form)).expect("a request")).await.text();
    let dimension = |name: &str, text: &str| format!("<member><Name>{name}</Name><Value>{text}</Value></member>");
    let dimensions = format!("{}{}", dimension("Path", "/a"), dimension("verb-of", "GET"));
    assert!(xml.contains(&format!("<Dimensions>{dimensions}</Dimensions>")), "{xml}");

    let (_, reader) = house.key("read", &["web/*"]).await;
    let request = Request::post("/cloudwatch").header("x-amz-target", "GraniteServiceVersion20100801.ListMetrics");
    let request = request.header("x-catat-key", &reader).body(Body::from("{}")).expect("a request");
    assert_eq!(house.send(request).await.json(), json!({"Metrics": []}));
}

#[tokio::test]
async fn metrics_that_filters_make_have_the_data_of_stored_events() {
    let house = House::with_metrics().await;
    let transformation =
        json!({"metricName": "slow", "metricNamespace": "pay", "metricValue": "1", "defaultValue": 0.5});
    let slow = json!({"logGroupName": "/ecs/pay", "filterName": "slow", "filterPattern": "{ $.ms > 4 }",
        "metricTransformations": [transformation]});
    assert_eq!(house.operation("PutMetricFilter", slow).await.status, 200);
    let earlier = NOW_MS - 120_000;
    let events = json!([{"timestamp": earlier, "message": "quiet"}]);
    let put = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1", "logEvents": events});
    assert_eq!(house.operation("PutLogEvents", put).await.status, 200);
    let values = async |query: Value| {
        let (start, end) = (NOW_MS / 1000 - 3600, NOW_MS / 1000 + 60);
        let input =
            json!({"StartTime": start, "EndTime": end, "ScanBy": "TimestampAscending", "MetricDataQueries": [query]});
        let found = house.of_metrics("GetMetricData", input).await;
        let results = found["MetricDataResults"].as_array().unwrap_or_else(|| panic!("{found}")).clone();
        results.iter().map(|one| format!("{} {}", one["Label"], one["Values"])).collect::<Vec<_>>()
    };
    let stat = |name: &str, dimensions: Value, stat: &str, period: i64| {
        let metric = json!({"Namespace": "pay", "MetricName": name, "Dimensions": dimensions});
        json!({"Id": "m", "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}})
    };
    let path = |path: &str, verb: &str| json!([{"Name": "Path", "Value": path}, {"Name": "verb-of", "Value": verb}]);
    assert_eq!(values(stat("requests", path("/a", "GET"), "Sum", 60)).await, ["\"requests\" [5.0]"]);
    assert_eq!(values(stat("requests", path("/a", "GET"), "SampleCount", 60)).await, ["\"requests\" [2.0]"]);
    assert_eq!(values(stat("requests", json!([]), "Sum", 60)).await, ["\"requests\" []"]);
    // The minute without a match has the default value.
    assert_eq!(values(stat("slow", json!([]), "Sum", 60)).await, ["\"slow\" [0.5,1.0]"]);
    let search = json!({"Id": "m", "Expression": "SEARCH('{pay,Path,verb-of} requests', 'Maximum', 3600)"});
    assert_eq!(values(search).await, ["\"/\\\"b\\\" PUT\" [4.0]", "\"/a GET\" [3.0]"]);
    let input = json!({"Namespace": "pay", "MetricName": "bytes", "Dimensions": [{"Name": "ip", "Value": "10.0.0.1"}],
        "StartTime": NOW_MS / 1000 - 3600, "EndTime": NOW_MS / 1000, "Period": 3600, "Statistics": ["Average"]});
    let found = house.of_metrics("GetMetricStatistics", input).await;
    assert_eq!(found["Datapoints"][0]["Average"], 21.0, "{found}");
    // The default value is at the start of its minute, and there alone.
    let slow = |from: i64, to: i64| {
        json!({"StartTime": NOW_MS / 1000 + from, "EndTime": NOW_MS / 1000 + to,
            "MetricDataQueries": [stat("slow", json!([]), "Sum", 10)]})
    };
    for (from, to, expected) in [(-120, -100, json!([0.5])), (-110, -100, json!([])), (-10, 0, json!([1.0]))] {
        let found = house.of_metrics("GetMetricData", slow(from, to)).await;
        assert_eq!(found["MetricDataResults"][0]["Values"], expected, "{from} to {to}: {found}");
    }
    // Who may not read the events is shown none of their values.
    for (scope, expected) in [("metrics/*", json!([])), ("/ecs/*", json!([1.0]))] {
        let (_, reader) = house.key("read", &[scope]).await;
        let request =
            Request::post("/cloudwatch").header("x-amz-target", "GraniteServiceVersion20100801.GetMetricData");
        let body = Body::from(slow(-10, 0).to_string());
        let found = house.send(request.header("x-catat-key", &reader).body(body).expect("a request")).await.json();
        assert_eq!(found["MetricDataResults"][0]["Values"], expected, "{scope}: {found}");
    }
}

//! The Loki API as Grafana's data source uses it.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, encoded};

/// The hour before now, in nanoseconds as Grafana sends it.
const RANGE: &str = "start=1795172400000000000&end=1795176000000000000";

async fn range(house: &House, query: &str, more: &str) -> Value {
    let reply = house.get(&format!("/loki/api/v1/query_range?query={}&{RANGE}{more}", encoded(query))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["data"].clone()
}

#[tokio::test]
async fn save_and_test_gets_the_two_it_asks_for() {
    let house = House::new();
    let uri = "/loki/api/v1/query?query=vector(1)%2Bvector(1)&direction=backward&time=4000000000";
    let reply = house.get(uri).await;
    let result = json!({"resultType": "vector", "result": [{"metric": {}, "value": [4_000_000_000u64, "2"]}]});
    let answer = reply.json();
    assert_eq!(reply.status, 200);
    assert_eq!(answer["status"], "success");
    assert_eq!(answer["data"]["resultType"], result["resultType"]);
    assert_eq!(answer["data"]["result"][0]["metric"], json!({}));
    assert_eq!(answer["data"]["result"][0]["value"][0].as_f64(), Some(4e9));
    assert_eq!(answer["data"]["result"][0]["value"][1], "2");
}

#[tokio::test]
async fn lines_come_in_streams_newest_first_or_oldest_first() {
    let house = House::new();
    house.fill().await;
    let data = range(&house, r#"{group="web/access"} |= "GET" != "/a""#, "").await;
    assert_eq!(data["resultType"], "streams");
    let streams = data["result"].as_array().expect("streams");
    assert_eq!(streams.len(), 2, "{data}");
    assert_eq!(streams[0]["stream"]["group"], "web/access");
    assert_eq!(streams[0]["stream"]["filename"], "web-1");
    assert_eq!(streams[0]["stream"]["detected_level"], "error");
    assert_eq!(streams[0]["stream"]["service_name"], "api");
    assert_eq!(streams[0]["values"], json!([["1795175610000000000", "GET /c failed"]]));

    let first = range(&house, r#"{group=~".+"}"#, "&direction=forward&limit=1").await;
    assert_eq!(first["result"][0]["values"], json!([["1795175460000000000", "GET /a"]]));
    let last = range(&house, r#"{group=~".+"}"#, "&direction=backward&limit=1").await;
    assert_eq!(last["result"][0]["values"][0][1], "ready");
}

#[tokio::test]
async fn metadata_stands_apart_when_it_is_asked_for() {
    let house = House::new();
    house.fill().await;
    let uri = format!("/loki/api/v1/query_range?query={}&{RANGE}", encoded(r#"{group="web/access"} |= "/a""#));
    let reply = house.get_with(&uri, "x-loki-response-encoding-flags", "categorize-labels").await;
    let data = reply.json()["data"].clone();
    assert_eq!(data["encodingFlags"], json!(["categorize-labels"]));
    let line = &data["result"][0]["values"][0];
    assert_eq!(line[2]["structuredMetadata"]["ms"], "12", "{data}");
    assert_eq!(line[2].get("parsed"), None);

    let made = r#"{group="web/access"} |= "/a" | pattern `<verb> <path>` | line_format `{{.path}}` | drop level, ms"#;
    let uri = format!("/loki/api/v1/query_range?query={}&{RANGE}", encoded(made));
    let reply = house.get_with(&uri, "x-loki-response-encoding-flags", "categorize-labels").await;
    let stream = reply.json()["data"]["result"][0].clone();
    assert_eq!(stream["values"][0][1], "/a", "{stream}");
    assert_eq!(stream["values"][0][2]["parsed"], json!({"verb": "GET", "path": "/a"}));
    assert!(stream["values"][0][2]["structuredMetadata"].get("ms").is_none(), "{stream}");
    assert!(stream["stream"].get("level").is_none(), "{stream}");
    let plain = range(&house, made, "").await;
    assert_eq!(plain["result"][0]["stream"]["verb"], "GET", "{plain}");
}

#[tokio::test]
async fn volumes_are_counted_by_level() {
    let house = House::new();
    house.fill().await;
    let query = r#"sum by (level) (count_over_time({group=~".+"}[5m]))"#;
    let data = range(&house, query, "&step=300000ms").await;
    assert_eq!(data["resultType"], "matrix");
    let mut totals: Vec<(String, i64)> = Vec::new();
    for series in data["result"].as_array().expect("series") {
        let values = series["values"].as_array().expect("values");
        let total = values.iter().filter_map(|v| v[1].as_str()?.parse::<i64>().ok()).sum();
        totals.push((series["metric"]["level"].as_str().unwrap_or_default().to_owned(), total));
    }
    totals.sort();
    assert_eq!(totals, [("error".into(), 2), ("info".into(), 2), ("warn".into(), 1)], "{data}");
}

#[tokio::test]
async fn the_histogram_above_a_search_is_counted_as_grafana_asks_for_it() {
    let house = House::new();
    house.fill().await;
    let query = r#"sum by (level, detected_level) (count_over_time({group=~".+"} |= `` | drop __error__[5m]))"#;
    let data = range(&house, query, "&step=300000ms").await;
    assert_eq!(data["result"].as_array().map(Vec::len), Some(3), "{data}");
    assert_eq!(data["result"][0]["metric"], json!({"level": "error", "detected_level": "error"}), "{data}");
}

#[tokio::test]
async fn parameters_of_a_post_stand_in_its_form_or_its_address() {
    let house = House::new();
    house.fill().await;
    let form = format!("query={}&{RANGE}", encoded(r#"{group="db"}"#));
    let post = async |uri: &str, kind: &'static str, body: String| {
        let request = Request::post(uri).header("content-type", kind).body(Body::from(body)).expect("a request");
        let reply = house.send(request).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["data"]["result"].as_array().map(Vec::len)
    };
    let uri = "/loki/api/v1/query_range";
    assert_eq!(post(uri, "application/x-www-form-urlencoded", form.clone()).await, Some(2));
    assert_eq!(post(&format!("{uri}?{form}"), "application/json", String::new()).await, Some(2));
    assert_eq!(post(&format!("{uri}?{RANGE}"), "application/x-www-form-urlencoded", form).await, Some(2));
    let head = Request::head(format!("/loki/api/v1/labels?{RANGE}")).body(Body::empty()).expect("a request");
    assert_eq!(house.send(head).await.status, 200);
    assert_eq!(house.get(&format!("/loki/api/v1/label?{RANGE}")).await.status, 200);
}

#[tokio::test]
async fn labels_values_and_series_are_discovered() {
    let house = House::new();
    house.fill().await;
    let get = async |uri: String| {
        let reply = house.get(&uri).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["data"].clone()
    };
    let names = get(format!("/loki/api/v1/labels?{RANGE}")).await;
    assert_eq!(names, json!(["filename", "group", "service_name"]));
    assert_eq!(get(format!("/loki/api/v1/label/group/values?{RANGE}")).await, json!(["db", "web/access"]));
    assert_eq!(get(format!("/loki/api/v1/label/level/values?{RANGE}")).await, json!([]), "a level is no label");
    assert_eq!(get(format!("/loki/api/v1/label/ms/values?{RANGE}")).await, json!([]), "a field is no label");
    let matching = encoded(r#"{service_name="api"}"#);
    let series = get(format!("/loki/api/v1/series?match[]={matching}&{RANGE}")).await;
    assert_eq!(series.as_array().map(Vec::len), Some(1), "{series}");
    assert_eq!(series[0]["group"], "web/access");
    let uri = format!("/loki/api/v1/index/stats?query={}&{RANGE}", encoded(r#"{group="db"}"#));
    let stats = house.get(&uri).await.json();
    assert_eq!((&stats["entries"], &stats["streams"]), (&json!(2), &json!(1)), "{stats}");
}

#[tokio::test]
async fn pushed_lines_keep_their_labels_and_are_stored_once() {
    let house = House::new();
    let body = json!({"streams": [{
        "stream": {"app": "pay", "env": "prod"},
        "values": [
            ["1795175460000000000", "level=warn slow"],
            ["1795175461000000000", "{\"order\":7}", {"trace_id": "abc"}],
        ],
    }]});
    for _ in 0..2 {
        let request = Request::post("/loki/api/v1/push").header("content-type", "application/json");
        let reply = house.send(request.body(Body::from(body.to_string())).expect("a request")).await;
        assert_eq!(reply.status, 204, "{}", reply.text());
    }
    let data = range(&house, r#"{app="pay"} |= "slow""#, "").await;
    let stream = &data["result"][0]["stream"];
    let labels = json!({"app": "pay", "env": "prod", "service_name": "pay", "detected_level": "warn"});
    assert_eq!(stream, &labels);
    assert_eq!(
        range(&house, r#"{env="prod"} | trace_id="abc""#, "").await["result"][0]["values"][0][1],
        "{\"order\":7}"
    );
}

/// Pushes lines of the job `shop`, one a second, and gives what a query shows of each, oldest first: its labels that are
/// not those of every line, and the line.
async fn shown(lines: &[&str], query: &str) -> Vec<(Value, String)> {
    let house = House::new();
    let line = |(at, line): (usize, &&str)| json!([(1_795_175_460_000_000_000 + at * 1_000_000_000).to_string(), line]);
    let values: Vec<Value> = lines.iter().enumerate().map(line).collect();
    let body = json!({"streams": [{"stream": {"job": "shop"}, "values": values}]});
    let request = Request::post("/loki/api/v1/push").header("content-type", "application/json");
    assert_eq!(house.send(request.body(Body::from(body.to_string())).expect("a request")).await.status, 204);
    let mut found = Vec::new();
    for stream in range(&house, query, "&direction=forward").await["result"].as_array().expect("streams") {
        let mut labels = stream["stream"].clone();
        ["job", "service_name", "detected_level"].iter().for_each(|name| {
            labels.as_object_mut().expect("labels").remove(*name);
        });
        for value in stream["values"].as_array().expect("values") {
            found.push((value[0].to_string(), labels.clone(), value[1].as_str().unwrap_or_default().to_owned()));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.into_iter().map(|(_, labels, line)| (labels, line)).collect()
}

#[tokio::test]
async fn lines_name_their_labels() {
    let deep = r#"{"order":7,"user":{"first-name":"ann","tags":["a"]},"job":"mine","none":null,"empty":""}"#;
    let labels = json!({"order": "7", "user_first_name": "ann", "job_extracted": "mine", "empty": ""});
    assert_eq!(shown(&[deep], r#"{group="shop"} | json"#).await, [(labels.clone(), deep.to_owned())]);
    for query in [r#"| json | user_first_name="ann""#, r#"| json | order > 6 | __error__ = """#] {
        assert_eq!(
            shown(&[deep], &format!("{{group=\"shop\"}} {query}")).await,
            [(labels.clone(), deep.to_owned())],
            "{query}"
        );
    }
    let kept = shown(&[deep], r#"{group="shop"} | json | keep order, user_first_name | drop order"#).await;
    assert_eq!(kept[0].0, json!({"user_first_name": "ann"}));
    let renamed = shown(&[deep], r#"{group="shop"} | json | label_format n=order | drop user_first_name"#).await;
    assert_eq!(renamed[0].0, json!({"n": "7", "job_extracted": "mine", "empty": ""}));
    let pairs = r#"a=1 b="x y" alone c="#;
    assert_eq!(shown(&[pairs], r#"{group="shop"} | logfmt"#).await[0].0, json!({"a": "1", "b": "x y"}));
    let empty = shown(&[pairs], r#"{group="shop"} | logfmt --keep-empty"#).await;
    assert_eq!(empty[0].0, json!({"a": "1", "b": "x y", "alone": "", "c": ""}));
    let packed = shown(&[r#"{"_entry":"the line","pod":"p1"}"#], r#"{group="shop"} | unpack"#).await;
    assert_eq!(packed, [(json!({"pod": "p1"}), "the line".to_owned())]);
    // A line that names too many labels gets the first of them.
    let many: Vec<String> = (0..2000).map(|n| format!("k{n}=v")).collect();
    let many = shown(&[&many.join(" ")], r#"{group="shop"} | logfmt"#).await;
    assert_eq!(many[0].0.as_object().map(serde_json::Map::len), Some(1000));
}

#[tokio::test]
async fn what_cannot_be_read_is_told() {
    let lines = [r#"{"took":"12"}"#, "no json", r#"{"took":"long"}"#];
    let errors = async |query: &str| -> Vec<String> {
        let found = shown(&lines, &format!("{{group=\"shop\"}} {query}")).await;
        found.iter().map(|(labels, _)| labels["__error__"].as_str().unwrap_or("-").to_owned()).collect()
    };
    assert_eq!(errors("| json").await, ["-", "JSONParserErr", "-"]);
    assert_eq!(errors("| json | drop __error__").await, ["-", "-", "-"]);
    assert_eq!(errors("| json | __error__ = \"\"").await, ["-", "-"]);
    assert_eq!(errors("| json | __error__ != \"\"").await, ["JSONParserErr"]);
    assert_eq!(errors("| json | took > 5 | __error__ = \"LabelFilterErr\"").await, ["LabelFilterErr"]);
    assert_eq!(errors("| json | took > 5 | __error__ !~ `Label.*`").await, ["-"]);
    assert_eq!(errors("| logfmt --strict").await, ["LogfmtParserErr", "-", "LogfmtParserErr"]);
}

#[tokio::test]
async fn agents_push_protobuf() {
    let house = House::new();
    // A request of one stream with the labels {job="a"} and one entry, at 1795175460 s, with the line "hello".
    let message = b"\x0a\x1c\x0a\x09{job=\"a\"}\x12\x0f\x0a\x06\x08\xa4\xe8\x80\xd8\x06\x12\x05hello";
    // One literal is a block of Snappy, too.
    let block = [&[message.len() as u8, ((message.len() - 1) << 2) as u8], &message[..]].concat();
    let push = async |block: Vec<u8>| {
        let request = Request::post("/loki/api/v1/push").header("content-type", "application/x-protobuf");
        let reply = house.send(request.body(Body::from(block)).expect("a request")).await;
        (reply.status, reply.text())
    };
    assert_eq!(push(block.clone()).await, (204, String::new()));
    let data = range(&house, r#"{job="a"}"#, "").await;
    assert_eq!(data["result"][0]["values"], json!([["1795175460000000000", "hello"]]), "{data}");
    assert_eq!(push(block[..20].to_vec()).await.0, 400);
}

#[tokio::test]
async fn mistakes_are_plain_text() {
    let house = House::new();
    let reply = house.get("/loki/api/v1/query_range?query=%7Bgroup").await;
    assert_eq!((reply.status, reply.header("content-type")), (400, "text/plain; charset=utf-8"));
    assert!(reply.text().starts_with("parse error at line 1, col "), "{}", reply.text());
    let reply = house.get("/loki/api/v2alpha/tail").await;
    assert_eq!((reply.status, &*reply.text()), (404, "there is nothing at /loki/api/v2alpha/tail\n"));
    let push = async |body: &str| house.post("/loki/api/v1/push", body.to_owned()).await.status;
    assert_eq!(push("{").await, 400);
    assert_eq!(push(r#"{"streams":[{"stream":{},"values":[["x","y"]]}]}"#).await, 400);
    assert_eq!(house.get("/ready").await.text(), "ready\n");
    assert!(house.get("/loki/api/v1/status/buildinfo").await.json()["version"].is_string());
}

#[tokio::test]
async fn numbers_without_labels_are_scalars_and_instants_have_no_lines() {
    let house = House::new();
    let scalar = house.get("/loki/api/v1/query?query=1%2B1&time=4000000000").await.json()["data"].clone();
    assert_eq!((&scalar["resultType"], &scalar["result"]), (&json!("scalar"), &json!([4_000_000_000_000u64, "2"])));
    let undefined = house.get("/loki/api/v1/query?query=vector(1)/0&time=4000000000").await.json();
    assert_eq!(undefined["data"]["result"][0]["value"][1], "NaN");
    let refused = house.get(&format!("/loki/api/v1/query?query={}", encoded(r#"{group="app"}"#))).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("not supported as an instant query type"), "{}", refused.text());
}

#[tokio::test]
async fn an_interval_leaves_out_lines_that_are_too_close() {
    let house = House::new();
    let line = |second: u64| {
        json!([format!("{}", 1_795_172_400_000_000_000u64 + second * 1_000_000_000), format!("l{second}")])
    };
    let values: Vec<Value> = (0..2_500).map(line).collect();
    let body = json!({"streams": [{"stream": {"app": "thin"}, "values": values}]}).to_string();
    let request = Request::post("/loki/api/v1/push").header("content-type", "application/json");
    assert_eq!(house.send(request.body(Body::from(body)).expect("a request")).await.status, 204);
    let lines = async |more: &str| -> Vec<String> {
        let data = range(&house, r#"{app="thin"}"#, more).await;
        let values = data["result"][0]["values"].as_array().expect("lines").clone();
        values.iter().map(|value| value[1].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(lines("&interval=20m").await, ["l2499", "l1299", "l99"]);
    assert_eq!(lines("&interval=600&direction=forward").await, ["l0", "l600", "l1200", "l1800", "l2400"]);
    assert_eq!(lines("&interval=600&direction=forward&limit=2").await, ["l0", "l600"]);
}

//! CloudWatch's pages of events, its fields and records.

use serde_json::{Value, json};

use super::House;
use super::cloudwatch::{NOW_MS, error};

impl House {
    async fn send_numbers(&self) {
        self.make_stream().await;
        let other = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/2"});
        assert_eq!(self.operation("CreateLogStream", other).await.status, 200);
        for stream in ["web/1", "web/2"] {
            // Two of each millisecond, so that pages end between events of one instant.
            let event = |n: i64| {
                let level = if n % 5 == 0 { "ERROR" } else { "INFO" };
                json!({"timestamp": NOW_MS - 60_000 + n / 2, "message": format!("{level} {stream} number {n}")})
            };
            let events: Vec<Value> = (0..25).map(event).collect();
            let put = json!({"logGroupName": "/ecs/pay", "logStreamName": stream, "logEvents": events});
            assert_eq!(self.operation("PutLogEvents", put).await.status, 200);
        }
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        let reply = self.operation(operation, input).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        if reply.body.is_empty() { Value::Null } else { reply.json() }
    }

    /// Returns all pages of `FilterLogEvents`.
    async fn filtered(&self, mut input: Value) -> (Vec<Value>, usize) {
        input["logGroupName"] = "/ecs/pay".into();
        let (mut events, mut n_pages) = (Vec::new(), 0);
        loop {
            let page = self.ok("FilterLogEvents", input.clone()).await;
            events.extend(page["events"].as_array().expect("events").iter().cloned());
            n_pages += 1;
            assert!(n_pages < 100, "pages without an end");
            if page["nextToken"].is_null() {
                return (events, n_pages);
            }
            input["nextToken"] = page["nextToken"].clone();
        }
    }
}

fn numbers(events: &[Value]) -> Vec<i64> {
    let number = |event: &Value| event["message"].as_str()?.rsplit(' ').next()?.parse().ok();
    events.iter().map(|event| number(event).expect("a number")).collect()
}

#[tokio::test]
async fn events_of_a_group_come_once_each_page_by_page_in_either_direction() {
    let house = House::new();
    house.send_numbers().await;
    let (all, _) = house.filtered(json!({})).await;
    assert_eq!(all.len(), 50);
    let times: Vec<i64> = all.iter().filter_map(|event| event["timestamp"].as_i64()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let (paged, n_pages) = house.filtered(json!({"limit": 7})).await;
    assert_eq!((paged, n_pages), (all.clone(), 8));
    let (mut backwards, _) = house.filtered(json!({"limit": 7, "startFromHead": false})).await;
    backwards.reverse();
    assert_eq!(backwards, all);
    let expected = json!({"logStreamName": "web/1", "timestamp": NOW_MS - 60_000, "ingestionTime": NOW_MS,
        "message": "ERROR web/1 number 0", "eventId": all[0]["eventId"]});
    assert_eq!(all[0], expected);

    let (errors, _) = house.filtered(json!({"filterPattern": "ERROR -\"number 0\"", "limit": 3})).await;
    assert_eq!(numbers(&errors), [5, 5, 10, 10, 15, 15, 20, 20]);
    let (of_one, _) = house.filtered(json!({"logStreamNames": ["web/2"], "filterPattern": "ERROR"})).await;
    assert_eq!(numbers(&of_one), [0, 5, 10, 15, 20]);
    assert_eq!(house.filtered(json!({"logStreamNamePrefix": "web/"})).await.0.len(), 50);
    let columns = json!({"filterPattern": "[level = ERROR, stream = *1, word, n > 5]"});
    assert_eq!(numbers(&house.filtered(columns).await.0), [10, 15, 20]);
    // The end belongs to the range here: two events of two streams.
    let instant = json!({"startTime": NOW_MS - 60_000 + 3, "endTime": NOW_MS - 60_000 + 3});
    assert_eq!(house.filtered(instant).await.0.len(), 4);
}

#[tokio::test]
async fn a_stream_is_walked_forwards_and_backwards_to_its_ends() {
    let house = House::new();
    house.send_numbers().await;
    let get = async |more: Value| {
        let mut input = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1", "limit": 10});
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        let page = house.ok("GetLogEvents", input).await;
        let found = numbers(page["events"].as_array().expect("events"));
        (found, page["nextForwardToken"].clone(), page["nextBackwardToken"].clone())
    };
    // Without a direction the newest come, oldest of them first.
    let (newest, forward, backward) = get(json!({})).await;
    assert_eq!(newest, (15..25).collect::<Vec<_>>());
    let (nothing, again, _) = get(json!({"nextToken": forward})).await;
    assert_eq!((nothing, &again), (Vec::new(), &forward));
    let (before, _, backward) = get(json!({"nextToken": backward})).await;
    assert_eq!(before, (5..15).collect::<Vec<_>>());
    let (first, _, backward) = get(json!({"nextToken": backward})).await;
    assert_eq!(first, (0..5).collect::<Vec<_>>());
    let (nothing, forward, again) = get(json!({"nextToken": backward})).await;
    assert_eq!((nothing, &again), (Vec::new(), &backward));
    // From the end one gets back to where one came from.
    assert_eq!(get(json!({"nextToken": forward})).await.0, (0..10).collect::<Vec<_>>());
    let (head, forward, _) = get(json!({"startFromHead": true})).await;
    assert_eq!(head, (0..10).collect::<Vec<_>>());
    assert_eq!(get(json!({"startFromHead": true, "nextToken": forward})).await.0, (10..20).collect::<Vec<_>>());
    // The end of the range does not belong to it.
    let range = json!({"startTime": NOW_MS - 60_000 + 3, "endTime": NOW_MS - 60_000 + 4});
    assert_eq!(get(range).await.0, [6, 7]);

    // Who waits at the end of an empty stream gets what comes.
    let empty = json!({"logGroupName": "/ecs/pay", "logStreamName": "late"});
    house.ok("CreateLogStream", empty.clone()).await;
    let page = house.ok("GetLogEvents", empty.clone()).await;
    assert_eq!(page["events"], json!([]));
    let event = json!([{"timestamp": NOW_MS, "message": "late 1"}]);
    house.ok("PutLogEvents", json!({"logGroupName": "/ecs/pay", "logStreamName": "late", "logEvents": event})).await;
    let waited = json!({"logGroupName": "/ecs/pay", "logStreamName": "late", "nextToken": page["nextForwardToken"]});
    assert_eq!(numbers(house.ok("GetLogEvents", waited).await["events"].as_array().expect("events")), [1]);
}

#[tokio::test]
async fn pages_end_at_their_bytes_too() {
    let house = House::new();
    house.make_stream().await;
    for n in 0..4 {
        let text = format!("{} {n}", "x".repeat(400_000));
        let events = json!([{"timestamp": NOW_MS - 1000 + n, "message": text}]);
        let put = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1", "logEvents": events});
        assert_eq!(house.operation("PutLogEvents", put).await.status, 200);
    }
    let (events, n_pages) = house.filtered(json!({})).await;
    assert_eq!((numbers(&events), n_pages), (vec![0, 1, 2, 3], 2));
}

#[tokio::test]
async fn fields_and_records_are_those_of_the_events() {
    let house = House::new();
    house.fill().await;
    let fields = house.ok("GetLogGroupFields", json!({"logGroupName": "web/access"})).await;
    let fields = fields["logGroupFields"].as_array().expect("fields").clone();
    assert!(fields.contains(&json!({"name": "@message", "percent": 100})), "{fields:?}");
    assert!(fields.contains(&json!({"name": "ms", "percent": 100})), "{fields:?}");
    let early = json!({"logGroupName": "web/access", "time": NOW_MS / 1000 - 86_400});
    assert_eq!(house.ok("GetLogGroupFields", early).await, json!({"logGroupFields": []}));

    let page = house.ok("FilterLogEvents", json!({"logGroupName": "web/access", "filterPattern": "failed"})).await;
    let pointer = &page["events"][0]["eventId"];
    let record = house.ok("GetLogRecord", json!({"logRecordPointer": pointer})).await["logRecord"].clone();
    let expected = [
        ("@log", "web/access"),
        ("@logStream", "web-1"),
        ("@level", "error"),
        ("@timestamp", "2026-11-20 11:53:30.000"),
        ("ms", "41"),
        ("service", "api"),
    ];
    for (name, text) in expected {
        assert_eq!(record[name], text, "{record}");
    }
    assert_eq!(&record["@ptr"], pointer);
}

#[tokio::test]
async fn what_is_not_there_or_not_theirs_is_refused() {
    let house = House::new();
    house.fill().await;
    let kind = async |operation: &str, input: Value| error(&house.operation(operation, input).await).1;
    let parameter = "InvalidParameterException";
    let group = |more: Value| {
        let mut input = more;
        input["logGroupName"] = "web/access".into();
        input
    };
    for input in [
        json!({"nextToken": "f/x"}),
        json!({"filterPattern": "{ $.a = "}),
        json!({"startTime": 5, "endTime": 4}),
        json!({"logStreamNames": ["a"], "logStreamNamePrefix": "a"}),
        json!({"logStreamNames": []}),
        json!({"limit": 10_001}),
    ] {
        assert_eq!(kind("FilterLogEvents", group(input.clone())).await, parameter, "{input}");
    }
    assert_eq!(kind("GetLogRecord", json!({"logRecordPointer": "x"})).await, parameter);
    let missing = "ResourceNotFoundException";
    let gone = "0".repeat(32);
    assert_eq!(kind("GetLogRecord", json!({"logRecordPointer": gone})).await, missing);
    assert_eq!(kind("FilterLogEvents", json!({"logGroupName": "nowhere"})).await, missing);
    assert_eq!(kind("GetLogGroupFields", json!({"logGroupName": "nowhere"})).await, missing);
    assert_eq!(kind("GetLogEvents", group(json!({"logStreamName": "nothing"}))).await, missing);
    assert_eq!(kind("FilterLogEvents", group(json!({"logStreamNames": ["web-1", "nothing"]}))).await, missing);

    let found = house.ok("FilterLogEvents", json!({"logGroupName": "db"})).await;
    let pointer = json!({"logRecordPointer": found["events"][0]["eventId"]});
    let (_, key) = house.key("read", &["web/*"]).await;
    let of_key = async |operation: &str, input: Value| error(&house.operation_of(&key, operation, input).await).1;
    assert_eq!(of_key("GetLogRecord", pointer).await, missing);
    let of_db = json!({"logGroupName": "db"});
    let of_stream = json!({"logGroupName": "db", "logStreamName": "s"});
    let asked = [("FilterLogEvents", of_db.clone()), ("GetLogEvents", of_stream), ("GetLogGroupFields", of_db)];
    for (operation, input) in asked.clone() {
        assert_eq!(of_key(operation, input).await, "AccessDeniedException", "{operation}");
    }
    let (_, sender) = house.key("ingest", &["*"]).await;
    for (operation, input) in asked.into_iter().chain([("GetLogRecord", json!({"logRecordPointer": gone}))]) {
        let denied = error(&house.operation_of(&sender, operation, input).await).1;
        assert_eq!(denied, "AccessDeniedException", "{operation}");
    }
}

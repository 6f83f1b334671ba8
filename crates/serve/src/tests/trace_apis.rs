//! Traces through the APIs of Tempo, Jaeger and Zipkin, with the requests of Grafana's data sources.

use serde_json::{Value, json};

use super::traces::{TRACE, span};
use super::{House, encoded};

/// The hour before now, in seconds.
const SECONDS: &str = "start=1795172400&end=1795176000";

impl House {
    async fn answer(&self, uri: &str) -> Value {
        let reply = self.get(uri).await;
        assert_eq!(reply.status, 200, "{uri}: {}", reply.text());
        reply.json()
    }
}

/// Returns the content of the first field with this number in a protobuf message.
fn field(message: &[u8], number: u64) -> Vec<u8> {
    let mut at = 0;
    let varint = |at: &mut usize| {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = message[*at];
            *at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    while at < message.len() {
        let tag = varint(&mut at);
        let from = at;
        let content = match tag & 7 {
            0 => {
                varint(&mut at);
                from..at
            }
            1 => {
                at += 8;
                from..at
            }
            2 => {
                let length = usize::try_from(varint(&mut at)).expect("a length");
                let from = at;
                at += length;
                from..at
            }
            other => panic!("wire type {other}"),
        };
        if tag >> 3 == number {
            return message[content].to_vec();
        }
    }
    panic!("no field {number}")
}

#[tokio::test]
async fn tempo_gives_a_trace_as_protobuf_and_as_json() {
    let house = House::new();
    house.store_trace().await;
    for (path, is_second) in [("traces", false), ("v2/traces", true)] {
        let uri = format!("/tempo/api/{path}/{TRACE}?{SECONDS}");
        let reply = house.get_with(&uri, "accept", "application/protobuf").await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/protobuf"));
        let trace = if is_second { field(&reply.body, 1) } else { reply.body };
        let of_resource = field(&trace, 1);
        let attribute = field(&field(&of_resource, 1), 1);
        assert_eq!(
            (field(&attribute, 1), field(&field(&attribute, 2), 1)),
            (b"service.name".to_vec(), b"pay".to_vec())
        );
        let span = field(&field(&of_resource, 2), 2);
        assert_eq!(field(&span, 1)[..2], [0x4b, 0xf9]);
        assert_eq!(
            (field(&span, 2), field(&span, 4)),
            (vec![0, 0, 0, 0, 0, 0, 0, 0xb1], vec![0, 0, 0, 0, 0, 0, 0, 0xa2])
        );
        assert_eq!((field(&span, 5), field(&span, 6)), (b"POST /pay".to_vec(), vec![2]));
        let time = |number| u64::from_le_bytes(field(&span, number).try_into().expect("eight bytes"));
        assert_eq!((time(7), time(8) - time(7)), (1_795_175_699_900_000_000, 150_000_000));
    }
    let first = house.answer(&format!("/tempo/api/traces/{TRACE}")).await;
    let batches = first["batches"].as_array().expect("batches");
    assert_eq!(batches.len(), 4, "web has two resources, one of them with a host: {first}");
    let second = house.answer(&format!("/tempo/api/v2/traces/{TRACE}")).await;
    assert_eq!(second["trace"]["resourceSpans"], first["batches"]);
    let web = batches.iter().find(|batch| batch["resource"]["attributes"][0]["value"]["stringValue"] == "web");
    let web = &web.expect("the batch of web")["scopeSpans"][0]["spans"][0];
    assert_eq!((&web["spanId"], &web["kind"]), (&json!("AAAAAAAAAKE="), &json!("SPAN_KIND_SERVER")));
    assert_eq!(web["status"], json!({"code": "STATUS_CODE_ERROR", "message": "upstream failed"}));
    assert_eq!(web["endTimeUnixNano"], "1795175700285500000");
    assert_eq!(web["events"][0]["timeUnixNano"], "1795175700100000001");
    assert!(
        web["attributes"]
            .as_array()
            .expect("attributes")
            .contains(&json!({"key": "http.response.status_code", "value": {"intValue": "503"}}))
    );
    let missing = house.get("/tempo/api/v2/traces/ffff").await;
    assert_eq!((missing.status, missing.header("content-type")), (404, "text/plain; charset=utf-8"));
}

#[tokio::test]
async fn tempo_answers_save_and_test_searches_and_the_builder() {
    let house = House::new();
    house.store_trace().await;
    assert_eq!(house.get("/tempo/api/echo").await.text(), "echo");
    assert_eq!(house.get("/tempo/ready").await.status, 200);
    assert!(house.answer("/tempo/api/status/buildinfo").await["version"].is_string());
    let search = async |more: &str| {
        let found = house.answer(&format!("/tempo/api/search?{SECONDS}&{more}")).await;
        found["traces"].as_array().expect("traces").clone()
    };
    let all = search("limit=20&spss=3&q=%7B%7D").await;
    assert_eq!(all[0]["traceID"], TRACE);
    assert_eq!((&all[0]["rootServiceName"], &all[0]["rootTraceName"]), (&json!("web"), &json!("GET /cart")));
    assert_eq!((&all[0]["startTimeUnixNano"], &all[0]["durationMs"]), (&json!("1795175699900000000"), &json!(3112)));
    assert_eq!(all[0]["serviceStats"]["web"], json!({"spanCount": 2, "errorCount": 1}));
    let tags = |text: &str| format!("tags={}", encoded(text));
    assert_eq!(search(&tags("service.name=web http.response.status_code=503 error=true")).await.len(), 1);
    assert_eq!(search(&tags("service.name=pay error=true")).await.len(), 0);
    assert_eq!(search(&tags("name=\"GET /cart\"")).await.len(), 1);
    assert_eq!(search("minDuration=3s&maxDuration=3112001us").await.len(), 1);
    assert_eq!(search("minDuration=4s").await.len(), 0);
    for bad in ["q=%7B", "q=%7B%7D%7Crate()", "tags=a", "minDuration=x", "limit=x", "what=1"] {
        let reply = house.get(&format!("/tempo/api/search?{SECONDS}&{bad}")).await;
        assert_eq!((reply.status, reply.header("content-type")), (400, "text/plain; charset=utf-8"), "{bad}");
    }
    let names = house.answer(&format!("/tempo/api/search/tags?{SECONDS}")).await;
    assert!(names["tagNames"].as_array().expect("names").contains(&json!("http.response.status_code")), "{names}");
    let scopes = house.answer(&format!("/tempo/api/v2/search/tags?{SECONDS}")).await;
    assert_eq!(scopes["scopes"][0], json!({"name": "resource", "tags": ["host.name", "service.name"]}));
    assert_eq!(scopes["scopes"][2]["name"], "intrinsic");
    let values = async |path: &str| house.answer(&format!("/tempo/api/{path}?{SECONDS}")).await["tagValues"].clone();
    assert_eq!(values("search/tag/service.name/values").await, json!(["mail", "pay", "web"]));
    assert_eq!(
        values("v2/search/tag/resource.service.name/values").await[2],
        json!({"type": "string", "value": "mail"})
    );
    assert_eq!(values("v2/search/tag/status/values").await[0], json!({"type": "keyword", "value": "unset"}));
    let roots = json!([{"type": "string", "value": "GET /cart"}, {"type": "string", "value": "receipt"}]);
    assert_eq!(values("v2/search/tag/rootName/values").await, roots);
    assert_eq!(values("search/tag/rootServiceName/values").await, json!(["mail", "web"]));
    let code = values("v2/search/tag/span.http.response.status_code/values").await;
    assert_eq!(code, json!([{"type": "int", "value": "503"}]));
    assert_eq!(values("v2/search/tag/.name/values").await, json!([{"type": "string", "value": "orders"}]));
    let mail = encoded("{ resource.service.name = \"mail\" }");
    let scopes = house.answer(&format!("/tempo/api/v2/search/tags?{SECONDS}&q={mail}")).await;
    assert_eq!(scopes["scopes"][1], json!({"name": "span", "tags": ["level", "message"]}), "{scopes}");
    // Grafana's editor sends the query as it is while a value is being chosen.
    for unfinished in
        ["{ resource.service.name = \"mail\" && name = }", "{resource.service.name=\"mail\" && name=\"\"}"]
    {
        let uri = format!("/tempo/api/v2/search/tag/name/values?{SECONDS}&q={}", encoded(unfinished));
        assert_eq!(
            house.answer(&uri).await["tagValues"],
            json!([{"type": "string", "value": "receipt"}]),
            "{unfinished}"
        );
    }
    let limited = house.answer(&format!("/tempo/api/v2/search/tags?{SECONDS}&limit=1&scope=resource")).await;
    assert_eq!(limited["scopes"], json!([{"name": "resource", "tags": ["host.name"]}]));
    let limited = house.answer(&format!("/tempo/api/search/tag/service.name/values?{SECONDS}&limit=2")).await;
    assert_eq!(limited["tagValues"].as_array().map(Vec::len), Some(2));
    for part in ["q=%7B%7D", "span_pruning=true"] {
        assert_eq!(house.get(&format!("/tempo/api/v2/traces/{TRACE}?{part}")).await.status, 400, "{part}");
    }
}

#[tokio::test]
async fn items_of_lists_are_values_that_match() {
    let house = House::new();
    let lists = [json!({"roles": ["admin", "audit"]}), json!({"roles": ["audit"]}), json!({"roles": "guest"})];
    let spans: Vec<Value> = lists
        .into_iter()
        .enumerate()
        .map(|(number, more)| {
            let id = format!("{:016x}", number + 1);
            span((TRACE, &id, ""), ("web", "server", "GET /"), ("11:55:00", 5.0), more)
        })
        .collect();
    house.store_spans(&spans).await;
    for tag in ["roles", "span.roles", "parent.roles"] {
        let found = house.answer(&format!("/tempo/api/search/tag/{tag}/values?{SECONDS}")).await;
        assert_eq!(found["tagValues"], json!(["admin", "audit", "guest"]), "{tag}");
    }
    let query = encoded("{ .roles = \"audit\" }");
    let found = house.answer(&format!("/tempo/api/search?{SECONDS}&q={query}")).await;
    assert_eq!(found["traces"][0]["spanSet"]["matched"], 2, "{found}");
    let body = json!({"attributes": {"roles": "admin"}, "from": "2026-11-20T11:00:00Z", "to": "2026-11-20T12:00:00Z"});
    let found = house.post("/api/v1/traces/search", body.to_string()).await.json();
    assert_eq!(found["traces"].as_array().map(Vec::len), Some(1), "{found}");
}

#[tokio::test]
async fn names_and_values_of_events_and_links_are_listed() {
    let house = House::new();
    let exception = |kind: &str| {
        json!({"name": "exception", "timestamp": "2026-11-20T11:55:00Z",
            "attributes": {"exception.type": kind, "stack": ["a", "b"]}})
    };
    let link = json!({"trace_id": "0b", "span_id": "0c", "attributes": {"why": "batch"}});
    let lists = [
        json!({"events": [exception("Timeout"), {"name": "retry"}], "links": [link]}),
        json!({"events": [exception("Refused"), exception("Timeout")]}),
        json!({}),
    ];
    let spans: Vec<Value> = lists
        .into_iter()
        .enumerate()
        .map(|(number, more)| {
            let (id, service) = (format!("{:016x}", number + 1), ["web", "mail", "pay"][number]);
            span((TRACE, &id, ""), (service, "server", "GET /"), ("11:55:00", 5.0), more)
        })
        .collect();
    house.store_spans(&spans).await;
    let scopes = house.answer(&format!("/tempo/api/v2/search/tags?{SECONDS}")).await;
    assert_eq!(scopes["scopes"][3], json!({"name": "event", "tags": ["exception.type", "stack"]}));
    assert_eq!(scopes["scopes"][4], json!({"name": "link", "tags": ["why"]}));
    let names = house.answer(&format!("/tempo/api/search/tags?{SECONDS}&scope=event")).await;
    assert_eq!(names["tagNames"], json!(["exception.type", "stack"]));
    let values = async |tag: &str, more: &str| {
        house.answer(&format!("/tempo/api/v2/search/tag/{tag}/values?{SECONDS}{more}")).await["tagValues"].clone()
    };
    let texts =
        |texts: &[&str]| -> Value { texts.iter().map(|text| json!({"type": "string", "value": text})).collect() };
    assert_eq!(values("event.exception.type", "").await, texts(&["Timeout", "Refused"]));
    assert_eq!(values("event.stack", "&limit=1").await, texts(&["a"]));
    assert_eq!(values("event:name", "").await, texts(&["exception", "retry"]));
    assert_eq!(values("link.why", "").await, texts(&["batch"]));
    let of_mail = format!("&q={}", encoded("{ resource.service.name = \"mail\" }"));
    assert_eq!(values("event:name", &of_mail).await, texts(&["exception"]));
    let scopes = house.answer(&format!("/tempo/api/v2/search/tags?{SECONDS}&scope=link{of_mail}")).await;
    assert_eq!(scopes["scopes"], json!([]));
}

#[tokio::test]
async fn tempo_answers_traceql() {
    let house = House::new();
    house.store_trace().await;
    house
        .store_spans(&[span(
            ("0a", "0000000000000001", ""),
            ("web", "server", "GET /cart"),
            ("11:56:00", 3.0),
            json!({}),
        )])
        .await;
    let search = async |query: &str| {
        let found = house.answer(&format!("/tempo/api/search?{SECONDS}&limit=20&spss=3&q={}", encoded(query))).await;
        found["traces"].as_array().expect("traces").clone()
    };
    assert_eq!(search("{}").await.len(), 2);
    let found = search("{ .http.response.status_code = 503 && duration > 200ms }").await;
    assert_eq!((found.len(), &found[0]["traceID"]), (1, &json!(TRACE)));
    let spans = &found[0]["spanSets"][0];
    assert_eq!((&spans["matched"], &spans["spans"][0]["spanID"]), (&json!(1), &json!("00000000000000a1")));
    assert_eq!(spans["spans"][0]["durationNanos"], "285500000");
    assert!(
        spans["spans"][0]["attributes"]
            .as_array()
            .expect("attributes")
            .contains(&json!({"key": ".http.response.status_code", "value": {"intValue": "503"}})),
        "{spans}"
    );
    let below = search("{ resource.service.name = \"web\" } >> { .db.system = \"postgresql\" }").await;
    assert_eq!((below.len(), &below[0]["spanSet"]["matched"]), (1, &json!(1)));
    assert_eq!(search("{ .db.system = \"postgresql\" } >> { name = \"GET /cart\" }").await.len(), 0);
    assert_eq!(search("{ kind = client } | count() > 1").await.len(), 1);
    assert_eq!(search("{ name = \"GET /cart\" } | count() > 1").await.len(), 0);
    let bad = house.get(&format!("/tempo/api/search?q={}", encoded("{ duration = \"x\" }"))).await;
    assert_eq!((bad.status, bad.text().starts_with("line 1, column ")), (400, true), "{}", bad.text());
    let values =
        format!("/tempo/api/v2/search/tag/name/values?{SECONDS}&q={}", encoded("{ resource.service.name = \"mail\" }"));
    assert_eq!(house.answer(&values).await["tagValues"], json!([{"type": "string", "value": "receipt"}]));

    let series = async |path: &str, query: &str| {
        house.answer(&format!("/tempo/api/metrics/{path}?{SECONDS}&q={}", encoded(query))).await["series"].clone()
    };
    let counted = series("query_range", "{ kind = server } | count_over_time() by (resource.service.name)").await;
    assert_eq!(counted.as_array().map(Vec::len), Some(2), "{counted}");
    assert_eq!(counted[1]["labels"], json!([{"key": "resource.service.name", "value": {"stringValue": "web"}}]));
    assert_eq!(counted[1]["promLabels"], "{resource.service.name=\"web\"}");
    let sum: f64 = counted[1]["samples"].as_array().expect("samples").iter().filter_map(|s| s["value"].as_f64()).sum();
    assert!((sum - 2.0).abs() < 1e-9, "{counted}");
    let once = series("query", "{ kind = server } | count_over_time()").await;
    assert_eq!(once[0]["value"], 3.0, "{once}");
}

#[tokio::test]
async fn jaeger_gives_services_operations_traces_and_dependencies() {
    let house = House::new();
    house.store_trace().await;
    assert_eq!(house.answer("/jaeger/api/services").await["data"], json!(["mail", "pay", "web"]));
    let names = house.answer("/jaeger/api/services/pay/operations").await;
    assert_eq!(names["data"], json!(["POST /pay", "SELECT", "send receipt"]));
    let kinds = house.answer("/jaeger/api/operations?service=pay&spanKind=client").await;
    assert_eq!(kinds["data"], json!([{"name": "SELECT", "spanKind": "client"}]));
    let tags = encoded(r#"{"error":"true","http.response.status_code":"503"}"#);
    let times = "limit=20&start=1795172400000000&end=1795176000000000&lookback=1h";
    let uri = format!("/jaeger/api/traces?service=web&operation=GET%20%2Fcart&tags={tags}&minDuration=200ms&{times}");
    let found = house.answer(&uri).await;
    let trace = &found["data"][0];
    assert_eq!((&trace["traceID"], trace["spans"].as_array().map(Vec::len)), (&json!(TRACE), Some(6)), "{found}");
    let cart = trace["spans"].as_array().expect("spans").iter().find(|span| span["spanID"] == "00000000000000a1");
    let cart = cart.expect("the root");
    assert_eq!((&cart["startTime"], &cart["duration"]), (&json!(1_795_175_700_000_000_i64), &json!(285_500)));
    assert!(cart["tags"].as_array().expect("tags").contains(&json!({"key": "error", "type": "bool", "value": true})));
    assert_eq!(cart["logs"][0]["timestamp"], 1_795_175_700_100_000_i64);
    assert_eq!(cart["logs"][0]["fields"][0], json!({"key": "event", "type": "string", "value": "exception"}));
    let process = cart["processID"].as_str().expect("a process");
    assert_eq!(trace["processes"][process]["serviceName"], "web");
    let mail = trace["spans"].as_array().expect("spans").iter().find(|span| span["spanID"] == "00000000000000c1");
    assert_eq!(mail.expect("the message")["references"][0]["refType"], "FOLLOWS_FROM");
    assert_eq!(house.answer(&format!("/jaeger/api/traces/{TRACE}")).await["data"][0], *trace);
    let calls = house.answer("/jaeger/api/dependencies?endTs=1795176000000&lookback=3600000").await;
    let call = |parent: &str, child: &str| json!({"parent": parent, "child": child, "callCount": 1});
    assert_eq!(calls["data"], json!([call("pay", "mail"), call("web", "pay")]));
    let missing = house.get("/jaeger/api/traces/ffff").await;
    assert_eq!((missing.status, &missing.json()["errors"][0]["code"]), (404, &json!(404)));
    assert_eq!(house.get("/jaeger/api/traces").await.json()["errors"][0]["code"], 400);
    assert_eq!(house.get("/jaeger/api/operations?service=pay&spanKind=up").await.status, 400);
    let metrics = house.get("/jaeger/api/metrics/latencies?service=pay&quantile=0.95").await;
    assert_eq!((metrics.status, &metrics.json()["errors"][0]["code"]), (400, &json!(400)));
    // As Grafana asks: without times, for two days.
    house
        .store_spans(&[span(("0b", "0000000000000001", ""), ("web", "server", "old"), ("02:00:00", 1.0), json!({}))])
        .await;
    let found =
        async |more: &str| house.answer(&format!("/jaeger/api/traces?service=web{more}")).await["total"].clone();
    assert_eq!((found("").await, found("&lookback=1h").await), (json!(2), json!(1)));
    assert_eq!((found("&lookback=custom").await, found("&end=1795150000000000").await), (json!(2), json!(1)));
}

#[tokio::test]
async fn zipkin_gives_names_traces_and_dependencies() {
    let house = House::new();
    house.store_trace().await;
    house
        .store_spans(&[span(
            ("0000000000000000000000000000000a", "0000000000000001", ""),
            ("web", "internal", "tick"),
            ("11:58:00", 0.0001),
            json!({}),
        )])
        .await;
    assert_eq!(house.answer("/zipkin/api/v2/services").await, json!(["mail", "pay", "web"]));
    assert_eq!(house.answer("/zipkin/api/v2/spans?serviceName=mail").await, json!(["receipt"]));
    assert_eq!(house.answer("/zipkin/api/v2/remoteServices?serviceName=web").await, json!(["pay.internal"]));
    let keys = house.answer("/zipkin/api/v2/autocompleteKeys").await;
    assert!(keys.as_array().expect("keys").contains(&json!("db.system")), "{keys}");
    assert!(keys.as_array().expect("keys").contains(&json!("name")), "an attribute that is called as a field: {keys}");
    let values = async |tag: &str| house.answer(&format!("/zipkin/api/v2/autocompleteValues?key={tag}")).await;
    assert_eq!((values("db.system").await, values("name").await), (json!(["postgresql"]), json!(["orders"])));
    assert_eq!(
        (values("nowhere").await, house.get("/zipkin/api/v2/autocompleteValues").await.status),
        (json!([]), 400)
    );
    let search = async |query: &str| {
        let uri = format!("/zipkin/api/v2/traces?endTs=1795176000000&lookback=3600000&limit=10&{query}");
        house.answer(&uri).await.as_array().expect("traces").clone()
    };
    assert_eq!(search("").await.len(), 2);
    let query = format!("serviceName=web&annotationQuery={}", encoded("error and http.response.status_code=503"));
    let found = search(&query).await;
    assert_eq!(found.len(), 1);
    let cart = found[0].as_array().expect("spans").iter().find(|span| span["id"] == "00000000000000a1");
    let cart = cart.expect("the root");
    assert_eq!((&cart["timestamp"], &cart["duration"]), (&json!(1_795_175_700_000_000_i64), &json!(285_500)));
    assert_eq!((&cart["kind"], &cart["localEndpoint"]["serviceName"]), (&json!("SERVER"), &json!("web")));
    assert_eq!(
        (&cart["tags"]["error"], &cart["tags"]["http.response.status_code"]),
        (&json!("upstream failed"), &json!("503"))
    );
    assert_eq!(search("remoteServiceName=pay.internal").await.len(), 1);
    assert_eq!(
        (search("annotationQuery=exception").await.len(), search("annotationQuery=nothing").await.len()),
        (1, 0)
    );
    assert_eq!(search("annotationQuery=db.system").await.len(), 1);
    assert_eq!(house.get("/zipkin/api/v2/traces?lookback=-5").await.status, 400);
    assert_eq!(search("minDuration=285500&maxDuration=285500").await.len(), 1);
    let tick = house.answer("/zipkin/api/v2/trace/a").await;
    assert_eq!((&tick[0]["duration"], tick[0].get("kind")), (&json!(1), None));
    let many = house.answer(&format!("/zipkin/api/v2/traceMany?traceIds=a,{TRACE},ffff")).await;
    assert_eq!(many.as_array().map(Vec::len), Some(2));
    let calls = house.answer("/zipkin/api/v2/dependencies?endTs=1795176000000&lookback=3600000").await;
    let call = |parent: &str, child: &str| json!({"parent": parent, "child": child, "callCount": 1, "errorCount": 0});
    assert_eq!(calls, json!([call("pay", "mail"), call("web", "pay")]));
    assert_eq!(house.get("/zipkin/api/v2/trace/ffff").await.status, 404);
}

/// The data sources that Grafana is provisioned with.
const SOURCES: &str = include_str!("../../../../config/grafana/provisioning/datasources/catat.yaml");

#[tokio::test]
async fn grafana_goes_from_a_span_to_the_lines_of_its_trace() {
    let house = House::new();
    house.store_trace().await;
    let queries: Vec<&str> = SOURCES.lines().filter_map(|line| line.trim().strip_prefix("query: ")).collect();
    assert_eq!(queries.len(), 3, "Tempo, Jaeger and Zipkin");
    for query in queries {
        let query = query.trim_matches('\'').replace("$${__trace.traceId}", TRACE);
        // A minute before and after the trace, as milliseconds with zeros behind.
        let range = "start=1795175639900000000&end=1795175763012000000&limit=1000&direction=backward";
        let uri = format!("/loki/api/v1/query_range?{range}&query={}", encoded(&query));
        let found = house.get_with(&uri, "x-loki-response-encoding-flags", "categorize-labels").await.json();
        let streams = found["data"]["result"].as_array().expect("streams").iter();
        let lines: Vec<&Value> = streams.flat_map(|stream| stream["values"].as_array().expect("values")).collect();
        assert_eq!(lines.len(), 1, "the line with trace_id, and no span: {found}");
        // The way back: the field that links a line to its trace.
        assert_eq!((&lines[0][1], &lines[0][2]["structuredMetadata"]["trace_id"]), (&json!("no money"), &json!(TRACE)));
    }
}

/// Requests as Grafana's data sources and Traces Drilldown send them, by their public sources: addresses, and what is read of the
/// answers.
#[tokio::test]
async fn requests_of_grafana_are_answered() {
    let house = House::new();
    house.store_trace().await;
    let recorded = [
        (
            "/tempo/api/search?q=%7Bresource.service.name%3D%22web%22%7D&limit=20&spss=3&start=1795172400&end=1795176000",
            "/traces/0/spanSets/0/spans/0/spanID",
        ),
        (
            "/tempo/api/search?q=%7BnestedSetParent%3C0%20%26%26%20status%3Derror%7D%20%7C%20select(status%2C%20resource.service.name%2C%20name%2C%20nestedSetParent%2C%20nestedSetLeft%2C%20nestedSetRight)&limit=200&spss=200&start=1795172400&end=1795176000",
            "/traces/0/spanSets/0/spans/0/attributes/0/key",
        ),
        ("/tempo/api/v2/search/tags?start=1795172400&end=1795176000&limit=5000", "/scopes/0/tags/0"),
        ("/tempo/api/v2/search/tags?scope=span&q=%7BnestedSetParent%3C0%7D", "/scopes/0/tags/0"),
        (
            "/tempo/api/v2/search/tag/resource.service.name/values?q=%7BnestedSetParent%3C0%7D&start=1795172400&end=1795176000",
            "/tagValues/0/value",
        ),
        ("/tempo/api/v2/search/tag/.http.response.status_code/values?limit=5000", "/tagValues/0/type"),
        (
            "/tempo/api/metrics/query_range?q=%7BnestedSetParent%3C0%20%26%26%20true%7D%20%7C%20rate()%20by(resource.service.name)&start=1795172400&end=1795176000&step=30s&exemplars=100",
            "/series/0/samples/0/timestampMs",
        ),
        (
            "/tempo/api/metrics/query_range?q=%7BnestedSetParent%3C0%7D%20%7C%20histogram_over_time(duration)&start=1795172400&end=1795176000&step=15s",
            "/series/0/labels/0/value/doubleValue",
        ),
        (
            "/tempo/api/metrics/query_range?q=%7BnestedSetParent%3C0%7D%20%7C%20quantile_over_time(duration%2C%200.9)%20with(sample%3Dtrue)&start=1795172400&end=1795176000&step=15s",
            "/series/0/labels/0/value/doubleValue",
        ),
        (
            "/tempo/api/metrics/query_range?q=%7BnestedSetParent%3C0%20%26%26%20true%7D%20%7C%20compare(%7Bstatus%20%3D%20error%7D%2C%2010)&start=1795172400&end=1795176000&step=3600s",
            "/series/0/labels/1/key",
        ),
        (
            "/tempo/api/metrics/query_range?q=%7Btrue%7D%20%7C%20compare(%7Bduration%20%3E%3D%2010ms%20%26%26%20duration%20%3C%3D%201s%7D%2C%2010%2C%201795175000000000000%2C%201795176000000000000)&start=1795172400&end=1795176000&step=3600s",
            "/series/0/labels/1/key",
        ),
        (
            "/tempo/api/metrics/query?q=%7Bstatus%3Derror%7D%20%7C%20count_over_time()%20by(resource.service.name)&start=1795172400&end=1795176000",
            "/series/0/value",
        ),
        ("/tempo/api/status/buildinfo", "/version"),
        ("/jaeger/api/services", "/data/0"),
        ("/jaeger/api/services/web/operations", "/data/0"),
        (
            "/jaeger/api/traces?limit=20&operation=GET+%2Fcart&service=web&tags=%7B%22error%22%3A%22true%22%7D&minDuration=100ms&maxDuration=1s&start=1795172400000000&end=1795176000000000&lookback=custom",
            "/data/0/processes/p1/serviceName",
        ),
        (
            "/jaeger/api/traces/4bf92f3577b34da6a3ce929d0e0e4736?start=1795172400000000&end=1795176000000000",
            "/data/0/spans/0/spanID",
        ),
        ("/jaeger/api/dependencies?endTs=1795176000000&lookback=3600000", "/data/0/callCount"),
        ("/zipkin/api/v2/services", "/0"),
        ("/zipkin/api/v2/spans?serviceName=web", "/0"),
        (
            "/zipkin/api/v2/traces?serviceName=web&spanName=GET%20%2Fcart&endTs=1795176000000&lookback=3600000",
            "/0/0/traceId",
        ),
        ("/zipkin/api/v2/trace/4bf92f3577b34da6a3ce929d0e0e4736", "/0/localEndpoint/serviceName"),
    ];
    for (address, member) in recorded {
        let answer = house.answer(address).await;
        assert!(answer.pointer(member).is_some_and(|value| !value.is_null()), "{address} has no {member}: {answer}");
    }
}

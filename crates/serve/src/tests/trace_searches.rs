//! Searches for traces that look at many candidates, what answers say that are not whole, and comparisons of spans.

use serde_json::{Value, json};
use types::Limits;

use super::traces::{TRACE, span};
use super::{House, encoded};

/// The hour before now, in seconds, and a microsecond at its end.
const SECONDS: &str = "start=1795172400&end=1795176000";

/// A trace of more spans than are read at once.
const LONG: &str = "0000000000000000000000000000beef";

/// A trace before all others: a root of 30 seconds and two spans below it.
const OLD: &str = "00000000000000000000000000000001";

impl House {
    async fn found(&self, uri: &str) -> Value {
        let reply = self.get(uri).await;
        assert_eq!(reply.status, 200, "{uri}: {}", reply.text());
        reply.json()
    }

    async fn store_lines(&self, service: &str, spans: &[Value]) {
        let lines: Vec<String> = spans.iter().map(Value::to_string).collect();
        let reply = self.post(&format!("/api/v1/ingest?group=traces/{service}"), lines.join("\n")).await;
        assert_eq!((reply.status, &reply.json()["accepted"]), (200, &json!(spans.len())), "{}", reply.text());
    }

    /// Stores [`OLD`], then `n` traces of one span after it.
    async fn store_many(&self, n: usize) {
        let root = (OLD, "00000000000000a1", "");
        let below = |id| (OLD, id, "00000000000000a1");
        self.store_lines(
            "shop",
            &[
                span(root, ("shop", "server", "GET /"), ("11:05:00", 30_000.0), json!({"status": "error"})),
                span(below("00000000000000a2"), ("shop", "client", "SELECT"), ("11:05:01", 5.0), json!({})),
                span(below("00000000000000a3"), ("shop", "client", "SELECT"), ("11:05:02", 5.0), json!({})),
            ],
        )
        .await;
        let one = |n: usize| {
            let (id, time) = (format!("{:032x}", n + 0x1000), format!("11:{:02}:{:02}", 10 + n / 60 % 45, n % 60));
            let ids = (&*id, "00000000000000a1", "");
            span(ids, ("shop", "server", "GET /"), (&time, 1.0), json!({"n": n}))
        };
        self.store_lines("shop", &(0..n).map(one).collect::<Vec<_>>()).await;
    }

    /// Stores [`LONG`], whose 21,000 spans begin at one instant.
    async fn store_long(&self) {
        let step = |n: usize| {
            let (id, parent) = (format!("{:016x}", n + 1), if n == 0 { "" } else { "0000000000000001" });
            span((LONG, &id, parent), ("deep", "internal", "step"), ("11:58:00", 1.0), json!({}))
        };
        self.store_lines("deep", &(0..21_000).map(step).collect::<Vec<_>>()).await;
    }
}

fn ids(found: &Value) -> Vec<&str> {
    found["traces"].as_array().expect("traces").iter().filter_map(|trace| trace["traceID"].as_str()).collect()
}

#[tokio::test]
async fn searches_go_on_to_older_traces_until_enough_match() {
    let house = House::new();
    house.store_many(2_500).await;
    let search = async |more: &str| house.found(&format!("/tempo/api/search?{SECONDS}&limit=20&{more}")).await;
    for query in [
        "{ traceDuration > 5s }",
        "{ kind = server } >> { kind = client }",
        "{ resource.service.name = \"shop\" } | count() > 2",
        "{} | max(duration) > 20s",
        "{ .n != nil } || { traceDuration > 5s && kind = client }",
    ] {
        let found = search(&format!("q={}", encoded(query))).await;
        let is_whole = found["metrics"]["completedJobs"] == found["metrics"]["totalJobs"];
        assert!(is_whole && found.get("status").is_none(), "{query}: {found}");
        if query.contains("||") {
            assert_eq!(ids(&found).len(), 20, "{query}");
            assert_eq!(found["metrics"]["inspectedTraces"].as_u64().map(|n| n < 2_501), Some(true), "{query}");
        } else {
            assert_eq!(ids(&found), [OLD], "{query}: {found}");
            assert_eq!(found["metrics"]["inspectedTraces"], 2_501, "{query}");
        }
    }
    assert_eq!(ids(&search("minDuration=5s").await), [OLD]);
    assert_eq!(ids(&search(&format!("minDuration=5s&tags={}", encoded("name=SELECT"))).await), [OLD]);
    assert_eq!(ids(&search("maxDuration=5s&limit=1000").await).len(), 20, "the first limit counts");
    let all = house.found(&format!("/tempo/api/search?{SECONDS}&limit=1000&q=%7B%7D")).await;
    assert_eq!(ids(&all).len(), 1_000);
}

#[tokio::test]
async fn ids_that_read_as_one_number_are_two_traces() {
    let house = House::new();
    let ids = ["00000000000000000000000000001800", "000000000000000000000000000018e2"];
    for (id, name) in ids.into_iter().zip(["first", "second"]) {
        let one = span((id, "00000000000000a1", ""), ("web", "server", name), ("11:50:00", 1.0), json!({}));
        house.store_lines("web", &[one]).await;
    }
    for (id, name) in ids.into_iter().zip(["first", "second"]) {
        let spans = house.found(&format!("/zipkin/api/v2/trace/{id}")).await;
        assert_eq!((spans.as_array().map(Vec::len), &spans[0]["name"]), (Some(1), &json!(name)));
    }
}

#[tokio::test]
async fn traces_of_many_spans_do_not_hide_others() {
    let house = House::new();
    house.store_many(30).await;
    house.store_long().await;
    let native = async |order: &str| {
        let found = house.post("/api/v1/traces/search", json!({"order": order, "limit": 40}).to_string()).await.json();
        let ids = found["traces"].as_array().expect("traces").iter().map(|trace| trace["trace_id"].clone());
        (ids.collect::<Vec<_>>(), found["partial"].clone())
    };
    let (newest, is_partial) = native("newest").await;
    assert_eq!((newest.len(), &newest[0], is_partial), (32, &json!(LONG), json!(false)));
    let (slowest, is_partial) = native("slowest").await;
    assert_eq!((slowest.len(), &slowest[0], is_partial), (32, &json!(OLD), json!(false)));
    // Of the long trace alone not all spans are read; it does not keep others from being whole.
    let query = encoded("{} | count() > 2");
    let found = house.found(&format!("/tempo/api/search?{SECONDS}&q={query}")).await;
    assert_eq!((ids(&found), &found["status"]), (vec![LONG, OLD], &json!("PARTIAL")), "{found}");
    assert_eq!(found["metrics"]["completedJobs"], 0);
    assert!(found["message"].as_str().is_some_and(|message| message.contains("more than 20000 spans")), "{found}");
}

#[tokio::test]
async fn a_span_of_many_fields_does_not_end_searches_that_read_a_trace_of_many_spans() {
    const WIDE: &str = "0000000000000000000000000000face";
    let house = House::with_limits(Limits { query_memory_bytes: 64 << 20, ..Limits::default() });
    house.store_long().await;
    let fields: serde_json::Map<String, Value> = (0..900).map(|n| (format!("field{n}"), json!(n))).collect();
    let ids_of_wide = (WIDE, "00000000000000a1", "");
    let wide = span(ids_of_wide, ("deep", "internal", "wide"), ("11:59:00", 1.0), Value::Object(fields));
    house.store_lines("deep", &[wide]).await;
    let query = encoded("{} | count() > 0");
    let found = house.found(&format!("/tempo/api/search?{SECONDS}&q={query}")).await;
    assert_eq!((ids(&found), &found["status"]), (vec![WIDE, LONG], &json!("PARTIAL")), "{found}");
    let jaeger = house.found("/jaeger/api/traces?service=deep&start=1795172400000000&end=1795176000000000").await;
    assert_eq!(jaeger["data"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_list_has_newer_traces_next_to_one_of_many_spans() {
    let house = House::new();
    house.store_long().await;
    let newer = ("00000000000000000000000000000fee", "00000000000000a1", "");
    house.store_lines("deep", &[span(newer, ("deep", "internal", "step"), ("11:59:00", 1.0), json!({}))]).await;
    let counts = |traces: &Value, list: &dyn Fn(&Value) -> Option<usize>| -> Vec<Option<usize>> {
        traces.as_array().expect("traces").iter().map(list).collect()
    };
    let cut = format!("trace {LONG} has 21000 spans; only the 19999 oldest were read");
    let jaeger = house.found("/jaeger/api/traces?service=deep").await;
    let found = counts(&jaeger["data"], &|trace| trace["spans"].as_array().map(Vec::len));
    assert_eq!((found, &jaeger["errors"][0]["msg"]), (vec![Some(1), Some(19_999)], &json!(cut)));
    let zipkin = house.get("/zipkin/api/v2/traces?serviceName=deep").await;
    let found = counts(&zipkin.json(), &|trace| trace.as_array().map(Vec::len));
    assert_eq!((found, zipkin.header("warning")), (vec![Some(1), Some(19_999)], &*format!("199 catat \"{cut}\"")));
}

#[tokio::test]
async fn tempo_answers_about_parents_and_arithmetic() {
    let house = House::new();
    house.store_many(30).await;
    let query = encoded("{ parent.name = \"GET /\" && parent.status = error } | select(parent.duration)");
    let found = house.found(&format!("/tempo/api/search?{SECONDS}&q={query}")).await;
    assert_eq!((ids(&found), &found["traces"][0]["spanSet"]["matched"]), (vec![OLD], &json!(2)), "{found}");
    let query = encoded("({ status = error } | count_over_time()) / ({} | count_over_time()) * 100");
    let found = house.found(&format!("/tempo/api/metrics/query_range?{SECONDS}&step=7200s&q={query}")).await;
    let series = &found["series"][0];
    let sample = series["samples"][0]["value"].as_f64().expect("a value");
    assert!((sample - 100.0 / 33.0).abs() < 1e-9, "{found}");
    let name = "((count_over_time / count_over_time) * 100.0)";
    assert_eq!(series["labels"][0]["value"]["stringValue"], name, "{found}");
}

#[tokio::test]
async fn answers_that_are_not_whole_say_so_in_every_api() {
    let house = House::new();
    house.store_long().await;
    let jaeger = house.found("/jaeger/api/traces?service=deep").await;
    assert_eq!((&jaeger["errors"][0]["code"], jaeger["total"].as_u64()), (&json!(206), Some(1)));
    assert_eq!(house.found("/jaeger/api/services").await["errors"], Value::Null);
    let cut = "199 catat \"the trace has 21000 spans; only the 20000 oldest are shown\"";
    for uri in [format!("/zipkin/api/v2/trace/{LONG}"), format!("/tempo/api/traces/{LONG}")] {
        assert_eq!(house.get(&uri).await.header("warning"), cut, "{uri}");
    }
    let search = house.get("/zipkin/api/v2/traces?serviceName=deep").await;
    assert!(search.header("warning").contains("more than 20000 spans"), "{}", search.header("warning"));
    assert_eq!(house.get("/zipkin/api/v2/services").await.header("warning"), "");
    let ids = house.found(&format!("/jaeger/api/traces?traceID={OLD}&traceID={LONG}")).await;
    let not_found = json!({"code": 404, "msg": "trace not found", "traceID": OLD});
    assert_eq!((&ids["errors"][0]["code"], &ids["errors"][1]), (&json!(206), &not_found), "{}", ids["errors"]);
}

#[tokio::test]
async fn searches_that_run_out_of_time_say_so() {
    let house = House::with_limits(Limits { query_timeout_ns: 0, ..Limits::default() });
    house.store_trace().await;
    let tempo = house.get(&format!("/tempo/api/search?{SECONDS}&q=%7B%7D")).await;
    assert_eq!((tempo.status, tempo.text().contains("ran out of time")), (400, true), "{}", tempo.text());
    for path in ["traces?service=web", "services", "services/web/operations", "dependencies"] {
        let jaeger = house.found(&format!("/jaeger/api/{path}")).await;
        assert_eq!(jaeger["errors"][0]["code"], 206, "{path}: {jaeger}");
    }
    for path in ["traces", "services", "spans?serviceName=web", "remoteServices", "dependencies?endTs=1795176000000"] {
        let zipkin = house.get(&format!("/zipkin/api/v2/{path}")).await;
        assert!(zipkin.header("warning").starts_with("199 catat \"the query ran out of time"), "{path}");
    }
    let values = house.found(&format!("/tempo/api/v2/search/tag/name/values?{SECONDS}")).await;
    assert_eq!((&values["metrics"]["completedJobs"], &values["metrics"]["totalJobs"]), (&json!(0), &json!(1)));
    let native = house.post("/api/v1/traces/search", "{}").await.json();
    assert_eq!((&native["partial"], &native["partial_reasons"][0]["code"]), (&json!(true), &json!("timeout")));
    let query = encoded("{} | rate()");
    assert_eq!(house.get(&format!("/tempo/api/metrics/query_range?{SECONDS}&q={query}")).await.status, 500);
}

/// Sums the points of each series. A series has two labels; the first is its kind.
fn sums(answer: &Value) -> Vec<String> {
    let series = answer["series"].as_array().expect("series");
    let sum = |one: &Value| {
        let [kind, label] = one["labels"].as_array().expect("labels").as_slice() else { panic!("{one}") };
        assert_eq!(kind["key"], "__meta_type");
        let samples = one["samples"].as_array().expect("samples").iter();
        let sum: f64 = samples.filter_map(|sample| sample["value"].as_f64()).sum();
        let value = label["value"].as_object().and_then(|value| value.values().next()).expect("a value");
        format!(
            "{} {}={value} {sum}",
            kind["value"]["stringValue"].as_str().unwrap_or_default(),
            label["key"].as_str().unwrap_or_default()
        )
    };
    series.iter().map(sum).collect()
}

#[tokio::test]
async fn compare_counts_values_among_selected_spans_and_the_others() {
    let house = House::new();
    house.store_trace().await;
    house.store_many(30).await;
    let ask = async |query: &str, more: &str| {
        house.found(&format!("/tempo/api/metrics/query_range?{SECONDS}&q={}{more}", encoded(query))).await
    };
    // As Traces Drilldown asks: root spans, one step.
    let found = ask("{nestedSetParent<0 && true} | compare({status = error}, 2)", "&step=3600s").await;
    let all = sums(&found);
    let of = |name: &str| all.iter().filter(|line| line.contains(name)).map(String::as_str).collect::<Vec<_>>();
    assert_eq!(
        of(" resource.service.name="),
        [
            "baseline resource.service.name=\"shop\" 30",
            "baseline resource.service.name=\"mail\" 1",
            "selection resource.service.name=\"shop\" 1",
            "selection resource.service.name=\"web\" 1",
            "baseline_total resource.service.name=\"nil\" 31",
            "selection_total resource.service.name=\"nil\" 2",
        ],
        "{all:?}"
    );
    assert_eq!(
        of(" span.n="),
        ["baseline span.n=\"0\" 1", "baseline span.n=\"1\" 1", "baseline_total span.n=\"nil\" 30"]
    );
    assert_eq!(
        of(" span.http.response.status_code="),
        [
            "selection span.http.response.status_code=\"503\" 1",
            "selection_total span.http.response.status_code=\"nil\" 1"
        ]
    );
    assert_eq!(of(" statusMessage=").len(), 2);
    for unwanted in ["trace_id", "span_id", "duration", "parent", "events", "service.name=\"nil\" 33"] {
        assert_eq!(of(unwanted), Vec::<&str>::new());
    }
    assert_eq!(found.get("status"), None);

    // With times of the selection in nanoseconds, and steps.
    let (from, to) = (1_795_175_100_000_000_000_i64, 1_795_176_000_000_000_000_i64);
    let found = ask(&format!("{{kind = server}} | compare({{true}}, 10, {from}, {to})"), "&step=15m").await;
    let totals: Vec<String> = sums(&found).into_iter().filter(|line| line.contains("total name=")).collect();
    assert_eq!(totals, ["baseline_total name=\"nil\" 31", "selection_total name=\"nil\" 2"], "{found}");
    let times = |value: &str| {
        let series = found["series"].as_array().expect("series").iter();
        let one = series.into_iter().find(|one| one["labels"][1]["value"]["stringValue"] == value).expect("a series");
        one["samples"].as_array().map(Vec::len)
    };
    assert_eq!((times("GET /"), times("GET /cart")), (Some(1), Some(1)));

    let once = house
        .found(&format!("/tempo/api/metrics/query?{SECONDS}&q={}", encoded("{} | compare({kind = client}, 1)")))
        .await;
    let series = once["series"].as_array().expect("series");
    let selected: Vec<&Value> =
        series.iter().filter(|one| one["labels"][0]["value"]["stringValue"] == "selection").collect();
    let names = selected.iter().find(|one| one["labels"][1]["key"] == "name").expect("names");
    assert_eq!((&names["labels"][1]["value"]["stringValue"], &names["value"]), (&json!("SELECT"), &json!(3.0)));
    assert_eq!(
        names.as_object().map(|one| one.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["labels".into(), "value".into()])
    );
}

#[tokio::test]
async fn metrics_have_exemplars_and_ranges_in_every_form() {
    let house = House::new();
    house.store_trace().await;
    house.store_many(30).await;
    let uri = |more: &str| {
        format!(
            "/tempo/api/metrics/query_range?q={}&{more}",
            encoded("{ kind = server } | rate() by (resource.service.name)")
        )
    };
    let exemplars = async |more: &str| {
        let found = house.found(&uri(more)).await;
        let series = found["series"].as_array().expect("series").clone();
        series.iter().flat_map(|one| one["exemplars"].as_array().expect("exemplars").clone()).collect::<Vec<_>>()
    };
    assert_eq!(exemplars(SECONDS).await, Vec::<Value>::new());
    let found = exemplars(&format!("{SECONDS}&step=60s&exemplars=100")).await;
    assert!(found.len() > 5, "{found:?}");
    let of_web = found.iter().find(|one| one["labels"][0]["value"]["stringValue"] == TRACE).expect("the trace");
    assert_eq!((&of_web["labels"][0]["key"], &of_web["labels"][1]["key"]), (&json!("trace:id"), &json!("span:id")));
    assert!(of_web["timestampMs"] == "1795175699900" || of_web["timestampMs"] == "1795175700000", "{of_web}");
    assert_eq!(exemplars(&format!("{SECONDS}&step=60s&exemplars=2")).await.len(), 2);

    let count = async |more: &str| house.found(&uri(more)).await["series"].as_array().map(Vec::len);
    let whole = count(SECONDS).await;
    assert_eq!(whole, Some(3));
    assert_eq!(count("start=2026-11-20T11:00:00Z&end=1795176000000000000").await, whole);
    assert_eq!(count("since=1h").await, whole);
    assert_eq!(count("since=20m&step=10s").await, Some(2));
    for bad in
        ["since=1h&start=1795172400", "start=yesterday", "start=1795176000&end=1795172400", "step=0", "exemplars=x"]
    {
        assert_eq!(house.get(&uri(bad)).await.status, 400, "{bad}");
    }
}

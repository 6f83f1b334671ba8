//! `catat import`: histories of servers that speak Elasticsearch's and Loki's protocols, and of files, each event once whenever it is
//! killed.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::lab::{self, Random};
use crate::server::{Ran, Server, catat, run};

/// More than the spans of one request have.
const N_EVENTS: u64 = 13_000;

const FIRST_MS: u64 = 1_760_000_000_000;

/// Nobody checks them.
const AWS_KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIATEST"), ("AWS_SECRET_ACCESS_KEY", "secret")];

/// Ten seconds apart, and many at one instant.
fn time_ms(serial: u64) -> u64 {
    FIRST_MS + if serial < 9_000 { serial * 10_000 } else { 9_000 * 10_000 + serial / 2_000 }
}

fn fill_with_documents(source: &Server) {
    for part in 0..13 {
        let serials = part * N_EVENTS / 13..(part + 1) * N_EVENTS / 13;
        let document = |serial: u64| {
            let index = if serial.is_multiple_of(2) { "shop" } else { "pay" };
            let action = json!({"create": {"_index": index, "_id": format!("id-{serial}")}});
            let document = json!({"@timestamp": time_ms(serial), "message": format!("order {serial}\npaid"), "serial": serial,
                "user": {"id": serial % 7}, "tags": ["a", "b"], "share": serial as f64 / 7.0});
            format!("{action}\n{document}\n")
        };
        let body: String = serials.map(document).collect();
        let answer = source.post("/elasticsearch/_bulk", &[("content-type", "application/x-ndjson")], body);
        assert_eq!(answer.json()["errors"], false, "{}", answer.body);
    }
}

fn fill_with_lines(source: &Server) {
    for part in 0..13 {
        let serials = part * N_EVENTS / 13..(part + 1) * N_EVENTS / 13;
        let line = |serial: u64| {
            let nanoseconds = format!("{}", time_ms(serial) * 1_000_000 + serial % 1_000);
            json!([nanoseconds, format!("order {serial} \"paid\""), {"serial": serial.to_string()}])
        };
        let of_pod = |pod: u64| {
            let values: Vec<Value> = serials.clone().filter(|serial| serial % 3 == pod).map(line).collect();
            json!({"stream": {"job": "shop", "pod": format!("pod-{pod}")}, "values": values})
        };
        let body = json!({"streams": [of_pod(0), of_pod(1), of_pod(2)]}).to_string();
        let answer = source.post("/loki/api/v1/push", &[("content-type", "application/json")], body);
        assert_eq!(answer.status, 204, "{}", answer.body);
    }
}

/// Kills imports at moments of a seed, and lets one end.
fn import(scratch: &Path, to: &Server, arguments: &[&str]) -> Ran {
    let command = || {
        let mut command = catat(scratch);
        command.args(["import", "--url", &to.url]).args(arguments).envs(AWS_KEYS);
        command
    };
    let mut random = Random::new(lab::seed());
    let n_done =
        || std::fs::read_to_string(scratch.join("moving/done.ndjson")).unwrap_or_default().matches("\n{").count();
    for _ in 0..lab::rounds(3) {
        let mut child = command().stderr(Stdio::null()).spawn().expect("it starts");
        let wanted = n_done() + random.below(2) as usize;
        while child.try_wait().expect("our child").is_none() && n_done() <= wanted {
            std::thread::yield_now();
        }
        // It may have ended.
        let _ = child.kill();
        child.wait().expect("our child ends");
    }
    run(command(), "")
}

fn servers() -> (tempfile::TempDir, Server, Server) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let [from, to] = ["from", "to"].map(|name| {
        let dir = scratch.path().join(name);
        std::fs::create_dir(&dir).expect("room");
        Server::serve(&dir)
    });
    (scratch, from, to)
}

const EVERYTHING: &str = "stats count(*) as n, count_distinct(serial) as d, sum(serial) as s by @log | sort @log";

#[test]
fn documents_are_imported_once_with_their_fields() {
    let (scratch, from, to) = servers();
    fill_with_documents(&from);
    let source = format!("{}/elasticsearch", from.url);
    let arguments = ["elasticsearch", &source, "--index", "shop,pay", "--dir", "moving"];
    let told = run_dry(scratch.path(), &to, &arguments[..4]);
    assert!(told.contains("shop → group shop: 6500 documents") && told.contains("13000 events from"), "{told}");
    assert_eq!(to.count(), 0);
    let ran = import(scratch.path(), &to, &arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("nothing is missing"), "{}", ran.err);
    assert_eq!(to.rows(EVERYTHING), from.rows(EVERYTHING), "{}", ran.err);
    let fields =
        "filter serial in [5, 8999, 12999] | fields @timestamp, @log, @message, user.id, tags.1, share | sort serial";
    assert_eq!(to.rows(fields), from.rows(fields));
    // Without what the directory knows they are the same events all the same.
    let ran = import(scratch.path(), &to, &["elasticsearch", &source, "--index", "shop,pay", "--dir", "again"]);
    assert_eq!((ran.code, to.rows(EVERYTHING)), (0, from.rows(EVERYTHING)), "{}", ran.err);
}

fn run_dry(scratch: &Path, to: &Server, arguments: &[&str]) -> String {
    let mut command = catat(scratch);
    command.args(["import", "--url", &to.url]).args(arguments).arg("--dry-run").envs(AWS_KEYS);
    run(command, "").err
}

#[test]
fn lines_are_imported_once_with_labels_and_metadata() {
    let (scratch, from, to) = servers();
    fill_with_lines(&from);
    let arguments =
        ["loki", &from.url, "--match", "{job=\"shop\"}", "--from", "2025-10-01T00:00:00Z", "--dir", "moving"];
    let ran = import(scratch.path(), &to, &arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("nothing is missing"), "{}", ran.err);
    assert_eq!(to.rows(EVERYTHING), from.rows(EVERYTHING), "{}", ran.err);
    let fields = "filter serial in [\"5\", \"8999\", \"12999\"] | fields @timestamp, @log, @message, pod, serial | sort @timestamp";
    assert_eq!(to.rows(fields), from.rows(fields));
    // The last span was sent before an interruption, and has a line more now: that one alone is stored.
    to.flush();
    let journal = scratch.path().join("moving/done.ndjson");
    let done = std::fs::read_to_string(&journal).expect("what is done");
    let last = done.trim_end().rfind('\n').expect("a line");
    std::fs::write(&journal, &done[..last]).expect("it is ours");
    let late = json!([format!("{}", time_ms(N_EVENTS - 1) * 1_000_000), "a late \u{e9} line", {"serial": "late"}]);
    let late = json!({"streams": [{"stream": {"job": "shop", "pod": "pod-0"}, "values": [late]}]}).to_string();
    assert_eq!(from.post("/loki/api/v1/push", &[("content-type", "application/json")], late).status, 204);
    let ran = import(scratch.path(), &to, &arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(to.rows(EVERYTHING), from.rows(EVERYTHING), "{}", ran.err);
    let missing = json!({"query": "filter serial = \"77\"", "reason": "a test", "all_time": true}).to_string();
    assert_eq!(delete(&to, &missing), 200);
    let ran = import(scratch.path(), &to, &arguments);
    assert!(ran.code == 4 && ran.err.contains("fewer events here"), "a hole is told: {}", ran.err);
}

/// Deletes events of the group `shop`; returns the status.
fn delete(server: &Server, body: &str) -> u16 {
    let headers =
        [("authorization", &*server.admin()), ("content-type", "application/json")].map(|(a, b)| (a, b.to_owned()));
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server.post("/api/v1/groups/shop/delete-events", &headers, body).status
}

#[test]
fn a_source_that_is_none_or_away_is_named() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let to = Server::serve(scratch.path());
    let own = run_dry(scratch.path(), &to, &["elasticsearch", &to.url, "--from", "now", "--to", "now-1h"]);
    assert!(own.contains("the range is empty"), "{own}");
    let nothing = run_dry(scratch.path(), &to, &["elasticsearch", &format!("{}/elasticsearch", to.url)]);
    assert!(nothing.contains("no events"), "{nothing}");
    let refused = run_dry(scratch.path(), &to, &["loki", &to.url, "--match", "{job=", "--from", "now-1h"]);
    assert!(refused.contains("400"), "{refused}");
}

fn packed(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).expect("memory");
    packer.finish().expect("memory")
}

/// An instant of the archive as text.
fn time(serial: u64) -> String {
    types::Timestamp(time_ms(serial) as i64 * 1_000_000).to_string()
}

/// Files of all kinds with 13,000 events, whose records have serial numbers.
fn fill_with_files(dir: &Path) {
    let write = |name: &str, bytes: Vec<u8>| {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("room");
        std::fs::write(path, bytes).expect("room");
    };
    let record = |serial: u64| json!({"ts": time(serial), "msg": format!("order {serial}"), "serial": serial});
    let records =
        |serials: std::ops::Range<u64>| serials.map(|serial| format!("{}\n", record(serial))).collect::<String>();
    write("plain.ndjson", records(0..3_000).into_bytes());
    write("year=2025/region=eu/a.json.gz", packed(&records(3_000..5_000)));
    let listed: Vec<Value> = (5_000..7_000).map(record).collect();
    write("trail.json.gz", packed(&json!({"Records": listed}).to_string()));
    let row = |serial: u64| format!("{},\"order {serial}, \"\"paid\"\"\",{serial}\n", time(serial));
    write("splunk.csv", format!("_time,_raw,serial\n{}", (7_000..10_000).map(row).collect::<String>()).into_bytes());
    let trace = |serial: u64| {
        let time = time(serial);
        format!(
            "{time} ERROR order failed serial={serial}\njava.lang.IllegalStateException: no\n\tat shop.Order.pay(Order.java:7)\n"
        )
    };
    write("app.log", (10_000..13_000).map(trace).collect::<String>().into_bytes());
}

#[test]
fn files_are_imported_once_wherever_it_is_killed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let to = Server::serve(scratch.path());
    fill_with_files(&scratch.path().join("old"));
    let arguments = ["archive", "old", "--group", "shop", "--dir", "moving"];
    let told = run_dry(scratch.path(), &to, &arguments[..4]);
    assert!(
        told.contains("13000 events from 2025-10-09T08:00:00Z") && told.contains("group shop: 13000 events"),
        "{told}"
    );
    assert_eq!(to.count(), 0);
    let ran = import(scratch.path(), &to, &arguments);
    assert!(ran.code == 0 && ran.err.contains("nothing is missing"), "{}", ran.err);
    assert_eq!(
        to.rows(EVERYTHING),
        [[json!("shop"), json!(13_000), json!(10_000), json!(9_999 * 5_000)]],
        "{}",
        ran.err
    );
    let fields = "filter serial in [77, 4000, 6000, 8000] or @message like \"serial=12000\" | sort @timestamp | fields serial, @timestamp, @message, region, @level";
    let message = |serial: u64| json!(format!("order {serial}"));
    let expected = [
        [json!(77), json!(time(77)), message(77), Value::Null, Value::Null],
        [json!(4000), json!(time(4000)), message(4000), json!("eu"), Value::Null],
        [json!(6000), json!(time(6000)), message(6000), Value::Null, Value::Null],
        [json!(8000), json!(time(8000)), json!("order 8000, \"paid\""), Value::Null, Value::Null],
    ];
    let rows = to.rows(fields);
    assert_eq!(rows[..4], expected);
    assert!(
        rows[4][2].as_str().is_some_and(|text| text.ends_with("Order.java:7)")) && rows[4][4] == "error",
        "{rows:?}"
    );
    assert_eq!(to.rows("filter serial = 4000 | fields year"), [[json!(2025)]]);
    // The ledger of shippers knows nothing of it, and the same directory goes on with nothing.
    assert!(!to.get("/api/v1/sources", &[]).body.contains("import-"));
    assert_eq!((run_again(scratch.path(), &to, &arguments).code, to.count()), (0, 13_000));
}

fn run_again(scratch: &Path, to: &Server, arguments: &[&str]) -> Ran {
    let mut command = catat(scratch);
    command.args(["import", "--url", &to.url]).args(arguments);
    run(command, "")
}

#[test]
fn what_of_an_archive_cannot_be_read_or_has_changed_is_named() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let to = Server::serve(scratch.path());
    let old = scratch.path().join("old");
    fill_with_files(&old);
    let broken = packed(&(0..9_000).map(|n| format!("{} line {n} of {}\n", time(n), n * 7_919)).collect::<String>());
    std::fs::write(old.join("broken.log.gz"), &broken[..broken.len() / 2]).expect("room");
    // What is no record between records is text; what begins with an empty line, or is Docker's, is as a shipper would send it.
    let mixed = "\n{\"ts\":\"2025-10-01T00:00:00Z\",\"msg\":\"begun\"}\n\nTraceback (most recent call last):\n";
    std::fs::write(old.join("mixed.log"), mixed).expect("room");
    let docker =
        format!("{}\n", json!({"log": "ERROR of a container\n", "stream": "stderr", "time": "2025-10-02T00:00:00Z"}));
    std::fs::write(old.join("x-json.log"), docker).expect("room");
    std::fs::write(old.join("packed.log.bz2"), b"BZh91AY&SY").expect("room");
    std::fs::write(old.join("owners.csv"), "team,owner\nshop,ani\n").expect("room");
    let written = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let owners = std::fs::File::options().append(true).open(old.join("owners.csv")).expect("it is there");
    owners.set_modified(written).expect("it is ours");
    let arguments = ["archive", "old", "--dir", "moving"];
    let ran = run_again(scratch.path(), &to, &arguments);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("broken.log.gz") && ran.err.contains("packed.log.bz2: packed in a way"), "{}", ran.err);
    assert!(ran.err.contains("nothing is missing"), "{}", ran.err);
    let of_mixed = to.rows("filter @logStream = \"mixed.log\" | sort @timestamp | fields @message");
    assert!(of_mixed.iter().any(|row| row[0].as_str().is_some_and(|text| text.contains("Traceback"))), "{of_mixed:?}");
    let docker = to.rows("filter @logStream = \"x-json.log\" | fields @message, @level");
    assert_eq!(docker, [[json!("ERROR of a container"), json!("error")]]);
    assert_eq!(to.rows("filter ispresent(serial) | stats count(*)"), [[json!(10_000)]]);
    assert_eq!(to.rows("filter owner = \"ani\" | fields @timestamp"), [[json!("2023-11-14T22:13:20Z")]]);
    assert!(to.rows("filter @message like /line/ | stats count(*)")[0][0].as_u64() > Some(1_000));
    std::fs::write(old.join("plain.ndjson"), "other\n").expect("room");
    let ran = run_again(scratch.path(), &to, &arguments);
    assert!(ran.code == 2 && ran.err.contains("plain.ndjson is another file"), "{} {}", ran.code, ran.err);
}

/// Answers as VictoriaLogs does, of events ten seconds apart, in no order.
fn victorialogs() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = String::new();
            let mut reader = std::io::BufReader::new(stream.try_clone().expect("a socket"));
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|n_bytes| n_bytes > 0) {}
            let body = victorialogs_answer(head.split_whitespace().nth(1).unwrap_or_default());
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // A client that was killed reads nothing.
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    url
}

fn victorialogs_answer(path: &str) -> String {
    let url = reqwest::Url::parse(&format!("http://x{path}")).expect("a path");
    let parameter =
        |name: &str| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    let query = parameter("query").expect("a query");
    let range = query.strip_prefix("_time:[").and_then(|rest| rest.split_once("] (app:shop)")).expect("a range").0;
    let [from, to] = range.split_once(", ").map(|(from, to)| [from, to]).expect("two ends");
    let [from, to] = [from, to].map(|end| types::Timestamp::parse_rfc3339(end).expect("a time").0);
    let instant = |serial: u64| time_ms(0) as i64 * 1_000_000 + serial as i64 * 10_000_000_007;
    let serials = (0..N_EVENTS).filter(|serial| (from..=to).contains(&instant(*serial)));
    let Some(step) = parameter("step") else {
        let line = |serial: u64| {
            let time = types::Timestamp(instant(serial)).to_string();
            format!(
                "{}\n",
                json!({"_time": time, "_msg": format!("order {serial}"), "app": "shop", "serial": serial.to_string()})
            )
        };
        return serials
            .map(|serial| (serial * 7_919 % N_EVENTS, line(serial)))
            .collect::<std::collections::BTreeMap<_, _>>()
            .into_values()
            .collect();
    };
    let step = types::parse_duration_ns(&step).expect("a step");
    let mut hits = std::collections::BTreeMap::<i64, u64>::new();
    serials.for_each(|serial| *hits.entry(instant(serial).div_euclid(step) * step).or_default() += 1);
    let times: Vec<String> = hits.keys().map(|begin| types::Timestamp(*begin).to_string()).collect();
    json!({"hits": [{"fields": {}, "timestamps": times, "values": hits.values().collect::<Vec<_>>()}]}).to_string()
}

#[test]
fn events_of_victorialogs_are_imported_once_with_their_fields() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let to = Server::serve(scratch.path());
    let source = victorialogs();
    let ran = import(
        scratch.path(),
        &to,
        &["victorialogs", &source, "--match", "app:shop", "--group", "shop", "--dir", "moving"],
    );
    assert!(ran.code == 0 && ran.err.contains("nothing is missing"), "{}", ran.err);
    let counted = to.rows("stats count(*), count_distinct(serial), min(@timestamp) by @log, app");
    let first = types::Timestamp(time_ms(0) as i64 * 1_000_000).to_string();
    assert_eq!(
        counted,
        [[json!("shop"), json!("shop"), json!(N_EVENTS), json!(N_EVENTS), json!(first)]],
        "{}",
        ran.err
    );
    assert_eq!(to.rows("filter serial = \"7\" | fields @message"), [[json!("order 7")]]);
}

#[test]
fn a_log_group_is_imported_once_with_its_streams() {
    let (scratch, from, to) = servers();
    let ask = |operation: &str, body: Value| {
        let target = format!("Logs_20140328.{operation}");
        let headers = [("x-amz-target", &*target), ("content-type", "application/x-amz-json-1.1")];
        let answer = from.post("/cloudwatch", &headers, body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    let group = "/aws/lambda/shop";
    ask("CreateLogGroup", json!({"logGroupName": group}));
    for stream in 0..3 {
        let name = format!("2025/10/09/[$LATEST]{stream}");
        ask("CreateLogStream", json!({"logGroupName": group, "logStreamName": name}));
        // A batch is of a day at most.
        let serials: Vec<u64> = (stream..N_EVENTS).step_by(3).collect();
        for part in serials.chunks(1_500) {
            let event = |serial: &u64| json!({"timestamp": time_ms(*serial), "message": format!("{{\"serial\":{serial},\"text\":\"paid\"}}")});
            let events: Vec<Value> = part.iter().map(event).collect();
            ask("PutLogEvents", json!({"logGroupName": group, "logStreamName": name, "logEvents": events}));
        }
    }
    let source = format!("{}/cloudwatch", from.url);
    let arguments = ["cloudwatch", &source, "--log-group", group, "--from", "2025-10-01T00:00:00Z", "--dir", "moving"];
    let ran = import(scratch.path(), &to, &arguments);
    assert!(ran.code == 0 && ran.err.contains("nothing is missing"), "{}", ran.err);
    let everything =
        "stats count(*) as n, count_distinct(serial) as d, sum(serial) as s by @log, @logStream | sort @logStream";
    assert_eq!(to.rows(everything), from.rows(everything), "{}", ran.err);
    let ran = run_dry(scratch.path(), &to, &["cloudwatch", &source, "--log-group", "other", "--from", "now-1h"]);
    assert!(ran.contains("has no log group other"), "{ran}");
}

#[test]
fn alarms_and_searches_of_others_are_made_on_the_server() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let apply = |name: &str, text: String| {
        let file = scratch.path().join(name);
        std::fs::write(&file, text).expect("scratch is writable");
        let mut command = catat(scratch.path());
        command.args(["import-config", "--apply", "--url", &server.url]).arg(file);
        run(command, "")
    };
    let source = json!({"query": {"query": "took > 5", "language": "kuery"}, "filter": []}).to_string();
    let search = json!({"title": "slow ones", "kibanaSavedObjectMeta": {"searchSourceJSON": source}});
    let searches = apply("searches.ndjson", json!({"type": "search", "id": "s", "attributes": search}).to_string());
    assert_eq!(searches.code, 0, "{}", searches.err);
    let views = server.get("/api/v1/views", &[]).json();
    assert_eq!(views.pointer("/views/0/view/q"), Some(&json!("filter took > 5")), "{views}");
    let alarm = json!({
        "AlarmName": "many", "Namespace": "Shop", "MetricName": "Errors", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold", "StateValue": "OK",
    });
    // One that needs another comes before it here.
    let composites = [("all", "ALARM(any)"), ("any", "ALARM(many)")];
    let composites = composites.map(|(name, rule)| json!({"AlarmName": name, "AlarmRule": rule}));
    let filter = json!({
        "filterName": "errors", "logGroupName": "app/new", "filterPattern": "ERROR", "creationTime": 1,
        "metricTransformations": [{"metricName": "Errors", "metricNamespace": "Shop", "metricValue": "1"}],
    });
    let list = json!({"MetricAlarms": [alarm], "CompositeAlarms": composites, "metricFilters": [filter]});
    let alarms = apply("alarms.json", list.to_string());
    assert_eq!(alarms.code, 0, "{}", alarms.err);
    let rules = server.get("/api/v1/rules", &[]).json();
    let names = rules["rules"].as_array().into_iter().flatten().filter(|rule| rule["kind"] == "alarm");
    assert_eq!(names.map(|rule| rule["name"].clone()).collect::<Vec<_>>(), ["all", "any", "many"], "{rules}");
    let lonely = json!({"CompositeAlarms": [{"AlarmName": "lonely", "AlarmRule": "ALARM(nobody)"}]});
    let refused = apply("lonely.json", lonely.to_string());
    assert!(
        refused.code != 0 && refused.err.contains("lonely: not made") && refused.err.contains("nobody"),
        "{}",
        refused.err
    );
}

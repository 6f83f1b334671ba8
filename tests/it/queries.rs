//! Queries of death: what would need a machine of its own is answered soon, with the name of the limit where there is
//! no answer, while events go on being accepted and the server's memory stays what it is.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::corpus_facts::corpus;
use crate::lab::signal;
use crate::server::{ALL_TIME, Launch, Server, client};

/// How long any of them may take here: four times their limit, for a test shares its machine with others.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// What queries may hold; the rest of the server stays below the same again and some room.
const SETTINGS: &str = "[limits]\nquery_memory = \"32MiB\"\nquery_timeout = \"5s\"\n";

/// More than this nothing here may make the server hold.
const RESIDENT_BYTES_MAX: u64 = 768 << 20;

/// What must come of a query.
#[derive(Clone, Copy)]
enum Outcome {
    /// Refused with 400; the message says this.
    Refused(&'static str),
    /// Refused with 413: longer than any query that is read.
    TooLarge,
    /// Ended at a limit, whose name the message says.
    Limited(&'static str),
    /// Answered, whole or partial.
    Answered,
    /// Answered, or ended at a limit of memory or time, as the machine allows.
    Either,
}

use Outcome::{Answered, Either, Limited, Refused, TooLarge};

fn repeated(part: impl Fn(usize) -> String, between: &str, n_bytes: usize) -> String {
    let mut text = String::new();
    for n in 0.. {
        let next = part(n);
        if text.len() + between.len() + next.len() > n_bytes {
            break;
        }
        text += if n > 0 { between } else { "" };
        text += &next;
    }
    text
}

/// T-QOD-1: regular expressions.
fn regexes() -> Vec<(String, Outcome)> {
    let like = |regex: &str| format!("filter @message like /{regex}/ | stats count(*)");
    let alternatives = |n_bytes| repeated(|n| format!("w{n}x"), "|", n_bytes);
    vec![
        (like("*"), Refused("regular expression")),
        (like("("), Refused("regular expression")),
        (like("a{1000}{1000}"), Refused("regular expression")),
        (like("((a{100}){100}){100}"), Refused("regular expression")),
        (like("(?:\\w{1000}|x){20}"), Refused("regular expression")),
        (like("\\w{500}"), Refused("regular expression")),
        (like("(a*)*b"), Answered),
        (like("(x+x+)+y"), Answered),
        (like(".*.*.*.*.*=.*"), Answered),
        (like(&"x".repeat(1 << 20)), TooLarge),
        (like(&"x".repeat(100_000)), Refused("65536")),
        (like(&alternatives(60_000)), Either),
        (like(&"(".repeat(2_000)), Refused("")),
        (format!("parse @message /{}/", "(?<a>.*?)".repeat(2)), Refused("")),
        (repeated(|n| format!("filter @message like /{n}.*[a-z]{{50}}/"), "\n", 30_000), Refused("regular expression")),
    ]
}

/// T-QOD-2 and T-QOD-3: long texts, many rows, many groups.
fn large() -> Vec<(String, Outcome)> {
    let list = |n_bytes| repeated(|n| n.to_string(), ",", n_bytes);
    vec![
        (format!("filter status in [{}] | stats count(*)", list(7_000_000)), TooLarge),
        (format!("filter status in [{}] | stats count(*)", list(900_000)), Refused("65536")),
        (format!("filter status in [{}] | stats count(*)", list(60_000)), Answered),
        (
            format!("filter {} | stats count(*)", repeated(|n| format!("status = {n}"), " or ", 900_000)),
            Refused("65536"),
        ),
        (format!("filter {} | stats count(*)", repeated(|n| format!("status = {n}"), " or ", 60_000)), Answered),
        (format!("filter {} | stats count(*)", repeated(|n| format!("@message like \"{n}\""), " or ", 30_000)), Either),
        (format!("filter {}status = 200{}", "(".repeat(200), ")".repeat(200)), Refused("nested")),
        ("limit 1000000000".to_owned(), Answered),
        ("limit 99999999999999999999".to_owned(), Refused("too large")),
        ("sort @message".to_owned(), Either),
        ("sort @message desc, @id | limit 1000000000".to_owned(), Either),
        ("fields @message, @message as a | sort a | tail 1000000".to_owned(), Either),
        ("stats list(@message)".to_owned(), Either),
        ("stats values(@message), count_distinct(@id) by @logStream".to_owned(), Either),
        ("stats count(*) by @id".to_owned(), Either),
        ("stats count_distinct(@message), pct(strlen(@message), 99) by @id, @message".to_owned(), Either),
        (
            "fields replace(replace(@message, \"e\", @message), \"e\", @message) as big | stats max(strlen(big))"
                .to_owned(),
            Either,
        ),
        ("stats count(*) by bin(1ms), @id".to_owned(), Either),
        ("timechart span=1s count(*)".to_owned(), Limited("")),
        ("timechart span=1s count(*) by @id".to_owned(), Limited("")),
        ("filter not @message like \"x\" and @message like \"\" | stats count(*)".to_owned(), Answered),
        ("dedup @id, @message".to_owned(), Either),
        ("filter @any like /[a-z0-9]{3}.*[0-9]$/ | stats count(*)".to_owned(), Either),
    ]
}

/// The resident memory of a process in bytes.
fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line about memory");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).expect("a number") << 10
}

fn filled() -> (tempfile::TempDir, Server) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Launch::configured(scratch.path(), SETTINGS).start();
    let (text, _) = corpus(40_000, 7);
    let lines: Vec<&str> = text.lines().collect();
    for (index, part) in lines.chunks(10_000).enumerate() {
        server.ingest("bench", part.join("\n"));
        if index == 2 {
            server.flush();
        }
    }
    (scratch, server)
}

/// Asks, and says what is wrong with how it was answered.
fn judge(server: &Server, query: &str, outcome: Outcome) -> Result<String, String> {
    let started = Instant::now();
    let answer = server.try_query(query);
    let took = started.elapsed();
    let start: String = query.chars().take(70).collect();
    let body = answer.json();
    let message = body["error"]["message"].as_str().unwrap_or_default().to_owned();
    let line = format!("{start}: {} in {took:?} {message}", answer.status);
    let is_limit = |status: u16| matches!(status, 422 | 429 | 503 | 504);
    let names_limit = message.contains("memory") || message.contains("more than") || message.contains("at most");
    let is_right = match outcome {
        Refused(text) => answer.status == 400 && message.to_lowercase().contains(text) && !message.is_empty(),
        Limited(text) => (is_limit(answer.status) || answer.status == 400) && names_limit && message.contains(text),
        TooLarge => answer.status == 413 && message.contains("larger than"),
        Answered => answer.status == 200,
        Either => answer.status == 200 || (is_limit(answer.status) && names_limit),
    };
    let is_whole = answer.status != 200 || body["partial"] == false || body["partial_reasons"][0]["code"].is_string();
    if is_right && is_whole && took < ANSWERED_WITHIN { Ok(line) } else { Err(line) }
}

/// Tells the sender to stop when it goes.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Sends small batches until told to stop; gives how many events were acknowledged and how long each batch took.
fn keep_sending(url: &str, stop: &AtomicBool) -> (u64, Vec<Duration>) {
    let (http, mut n_events, mut took) = (client(), 0, Vec::new());
    while !stop.load(Relaxed) {
        let body: String = (0..20).map(|n| format!("{{\"message\":\"beside {n}\",\"k\":{n}}}\n")).collect();
        let started = Instant::now();
        let request = http.post(format!("{url}/api/v1/ingest?group=beside&format=ndjson")).body(body);
        let answer = request.send().expect("the server answers");
        assert_eq!(answer.status(), 200);
        took.push(started.elapsed());
        n_events += 20;
        std::thread::park_timeout(Duration::from_millis(10));
    }
    took.sort();
    (n_events, took)
}

#[test]
fn queries_of_death_name_their_limit_and_nobody_else_notices() {
    let (_scratch, server) = filled();
    let stop = AtomicBool::new(false);
    let mut wrong = Vec::new();
    let (n_sent, took) = std::thread::scope(|scope| {
        // Also when something here panics: the sender would go on for ever.
        let stopping = Stopping(&stop);
        let sender = scope.spawn(|| keep_sending(&server.url, &stop));
        let mut highest = 0;
        for (query, outcome) in regexes().into_iter().chain(large()) {
            match judge(&server, &query, outcome) {
                Ok(line) => println!("{line}"),
                Err(line) => wrong.push(line),
            }
            highest = highest.max(resident_bytes(server.pid()));
        }
        drop(stopping);
        println!("resident: at most {} MiB", highest >> 20);
        assert!(highest < RESIDENT_BYTES_MAX, "{} MiB", highest >> 20);
        sender.join().expect("the sender is answered")
    });
    println!("{n_sent} events sent meanwhile, p99 of a batch {:?}", took[took.len() * 99 / 100]);
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), server.transcript());
    assert_eq!(server.value("filter @log = \"beside\" | stats count(*)"), json!(n_sent));
    assert_eq!(server.value("filter @log = \"bench\" | stats count(*)"), json!(40_000));
}

#[test]
fn a_histogram_of_five_centuries_by_the_second_is_no_work() {
    let (_scratch, server) = filled();
    for buckets in ["15778800000", "1000000", "0", "-1", "x"] {
        let path =
            format!("/api/v1/histogram?query=&from={}&to={}&buckets={buckets}&by=@level", ALL_TIME.0, ALL_TIME.1);
        let started = Instant::now();
        let answer = server.get(&path, &[]);
        assert!(started.elapsed() < ANSWERED_WITHIN, "{buckets}");
        let body = answer.json();
        match answer.status {
            200 => {
                let buckets = body["buckets"].as_array().expect("a list of buckets");
                assert!(buckets.len() <= 20_000, "{}", buckets.len());
                assert_eq!(buckets.iter().filter_map(|bucket| bucket["total"].as_u64()).sum::<u64>(), 40_000);
            }
            400 => {
                assert!(body["error"]["message"].as_str().is_some_and(|message| message.contains("bucket")), "{body}")
            }
            status => panic!("{status} {body}"),
        }
    }
}

#[test]
fn what_all_queries_hold_together_is_bounded_and_given_back() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Launch::configured(scratch.path(), "[query]\nmemory_total = \"8MiB\"\nspill = \"0\"\n").start();
    server.ingest("bench", corpus(40_000, 7).0);
    for _ in 0..3 {
        let answer = server.try_query("stats count(*) by @id, @message");
        let body = answer.json();
        // It does not fit however quiet the server is, so that coming again is of no use.
        assert_eq!((answer.status, &body["error"]["code"]), (422, &json!("query-memory")), "{body}");
        assert!(body["error"]["message"].as_str().is_some_and(|text| text.contains("query.memory_total")), "{body}");
        assert_eq!(server.value("stats count(*)"), json!(40_000));
        server.until("all memory is given back", || (held_bytes(&server) == 0.0).then_some(()));
    }
}

#[test]
fn groups_that_do_not_fit_into_memory_are_all_counted_and_leave_no_file() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let data = scratch.path().join("data");
    let launch = || Launch::configured(scratch.path(), "[query]\nmemory_total = \"8MiB\"\n").on(&data);
    let server = launch().start();
    let spill = data.join("spill");
    server.ingest("bench", corpus(40_000, 7).0);
    assert_eq!(server.value("stats count(*) as n by @id, @message | stats sum(n)"), json!(40_000));
    let answer = server.try_query("stats count(*) by @id, @message").json();
    assert_eq!((answer["rows"].as_array().map(Vec::len), &answer["more"]), (Some(10_000), &json!(true)));
    assert_eq!(std::fs::read_dir(&spill).expect("it is there").count(), 0);
    drop(server);
    std::fs::write(spill.join("1-1.spill"), "left by a killed server").expect("room");
    let server = launch().start();
    assert_eq!(std::fs::read_dir(&spill).expect("it is there").count(), 0);
    assert_eq!(server.value("stats count(*)"), json!(40_000));
}

fn held_bytes(server: &Server) -> f64 {
    let page = server.get("/metrics", &[]).body;
    let line = page.lines().find(|line| line.starts_with("catat_query_memory_bytes")).expect("a gauge of memory");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// Work on rows behind the scan that takes far longer than a test may.
const LONG: &str = "stats count(*) as n by bin(1s) as t | fillmissing | sort n desc, t | autoregress n p=1-20";

/// Ten days, of which a chart by the second has 864,000 rows.
fn long_body(query: &str) -> String {
    json!({"query": query, "from": "2026-11-12T00:00:00Z", "to": "2026-11-22T00:00:00Z"}).to_string()
}

fn running(server: &Server) -> Vec<String> {
    let body = server.get("/api/v1/queries", &[]).json();
    let queries = body["queries"].as_array().into_iter().flatten();
    queries.filter_map(|query| query["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_query_is_cancelled_wherever_it_is_and_leaves_nothing_behind() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let settings = "[limits]\nquery_memory = \"1GiB\"\n[query]\nmemory_total = \"4GiB\"\n";
    let server = Launch::configured(scratch.path(), settings).start();
    server.ingest("bench", corpus(2_000, 7).0);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| server.post("/api/v1/query", &[], long_body(LONG)));
        // Rows are held: it is behind the scan.
        server.until("it works on rows", || (held_bytes(&server) > (32 << 20) as f64).then_some(()));
        let cancelled = Instant::now();
        for id in running(&server) {
            assert!(
                server.try_delete(&format!("/api/v1/queries/{id}")).is_some_and(|answer| answer.status().is_success())
            );
        }
        let answer = asked.join().expect("no panic");
        let took = cancelled.elapsed();
        println!("the answer of a cancelled query came after {took:?}");
        assert!(took < Duration::from_secs(5), "{took:?}");
        let body = answer.json();
        assert_eq!(body["partial_reasons"][0]["code"], "cancelled", "{body}");
        assert_eq!(body["rows"], json!([]), "rows that not everything was done to are not shown");
    });
    // Clients that go away, forty of them, ten at a time.
    for _ in 0..4 {
        let connections: Vec<_> = (0..10).map(|_| ask_and_go(&server)).collect();
        server.until("some of them run", || (!running(&server).is_empty()).then_some(()));
        drop(connections);
    }
    server.until("nobody is left", || running(&server).is_empty().then_some(()));
    server.until("all memory is given back", || (held_bytes(&server) == 0.0).then_some(()));
    assert_eq!(server.value("stats count(*)"), json!(2_000));
}

#[test]
fn a_query_under_way_when_the_server_stops_is_cancelled_and_answered() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let settings = "[limits]\nquery_memory = \"1GiB\"\n[query]\nmemory_total = \"4GiB\"\n";
    let server = Launch::configured(scratch.path(), settings).start();
    server.ingest("bench", corpus(2_000, 7).0);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| server.post("/api/v1/query", &[], long_body(LONG)));
        server.until("it works on rows", || (held_bytes(&server) > (32 << 20) as f64).then_some(()));
        signal(server.pid(), "-TERM");
        let body = asked.join().expect("it is not cut off").json();
        assert_eq!(body["partial_reasons"][0]["code"], "cancelled", "{body}");
    });
}

/// A connection on which a long query was asked, and whose answer nobody reads.
fn ask_and_go(server: &Server) -> std::net::TcpStream {
    use std::io::Write;
    let address = server.url.trim_start_matches("http://").trim_end_matches('/');
    let mut connection = std::net::TcpStream::connect(address).expect("the server listens");
    let body = long_body(LONG);
    let head = format!(
        "POST /api/v1/query HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all((head + &body).as_bytes()).expect("the server reads");
    connection
}

#[test]
fn limits_of_a_request_are_held_whatever_the_query_says() {
    let (_scratch, server) = filled();
    for query in ["limit 1000000000", "fields @message | sort @timestamp | limit 1000000000"] {
        let answer = server.try_query(query).json();
        let rows = answer["rows"].as_array().map_or(0, Vec::len);
        assert_eq!(rows, 10_000, "{query}");
        assert!(
            answer["more"] == Value::Bool(true) && answer["warnings"][0].is_object(),
            "{query}: {}",
            answer["warnings"]
        );
    }
}

#[test]
fn experimental_promql_is_refused_until_a_setting_enables_it() {
    let query = "/prometheus/api/v1/query?query=sort_by_label(vector(1),%22a%22)";
    let rule = "groups:\n- name: g\n  rules:\n  - record: a\n    expr: sort_by_label(up, \"job\")\n";
    for (setting, status, code) in [("", 400, 2), ("[query]\npromql_experimental = true\n", 200, 0)] {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let server = Launch::configured(scratch.path(), setting).start();
        let answer = server.get(query, &[]);
        assert_eq!(answer.status, status, "{}", answer.json());
        let path = scratch.path().join("rule.yaml");
        std::fs::write(&path, rule).expect("scratch is writable");
        std::fs::write(scratch.path().join("catat.toml"), setting).expect("scratch is writable");
        let mut command = crate::server::catat(scratch.path());
        command.args(["rules", "check", "--config", "catat.toml"]).arg(&path);
        let ran = crate::server::run(command, "");
        assert!(ran.code == code && (code == 0 || ran.err.contains("experimental")), "{} {}", ran.code, ran.err);
    }
}

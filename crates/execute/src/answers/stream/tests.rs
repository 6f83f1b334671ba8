//! Tests of `stream`.

use std::sync::atomic::AtomicBool;

use parse::{ArrivalContext, Piece, Zone, batches_of_piece};
use types::{BatchBuilder, BatchRun, GroupName, GroupPattern, Level, Limits, Run, ScanError, TimeRange, Timestamp};

use super::*;
use crate::answers::run::execute;
use crate::operators::feed::Feed;
use language::{ParseOptions, parse_insights};

/// Runs on their way, and a place where something cannot be read.
struct Passing(Mutex<Vec<Result<Arc<dyn Run>, ScanError>>>);

impl Feed for Passing {
    fn next(&self) -> Result<Option<Arc<dyn Run>>, ScanError> {
        self.0.lock().expect("nobody panicked").pop().transpose()
    }
}

/// Returns a run of every `step`th event; a time occurs several times.
fn run(first: i64, step: i64, n_events: i64) -> Arc<dyn Run> {
    let mut builder = BatchBuilder::new();
    for n in (first..).step_by(step as usize).take(n_events as usize) {
        builder.set_timestamp(Timestamp(n / 3 * Timestamp::SECOND));
        builder.set_message(&format!("message {n}"));
        builder.set_level(Level::of_code((n % 8) as u8));
        builder.field_integer("n", n);
        builder.field_text("host", &format!("h{}", n % 5));
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (first as u64..).step_by(step as usize).take(batch.len()).collect();
    Arc::new(BatchRun::new(GroupName::new("g").expect("a valid name"), 1, Arc::new(batch)))
}

fn with_request<T>(limit: Option<usize>, memory_bytes_max: usize, ask: impl FnOnce(&Request<'_>) -> T) -> T {
    ask(&Request {
        range: TimeRange { from: Timestamp(5 * Timestamp::SECOND), to: Timestamp(20_000 * Timestamp::SECOND) },
        limit,
        time_zone: chrono_tz::Tz::UTC,
        now: Timestamp(0),
        memory_bytes_max,
        deadline: None,
        cancelled: &AtomicBool::new(false),
        n_threads: 2,
        progress: None,
        support: crate::request::parameters::Support::default(),
    })
}

fn plan(text: &str) -> Plan {
    parse_insights(text, &ParseOptions { now: Timestamp(0), time_zone: chrono_tz::Tz::UTC }).expect("a valid query")
}

fn passing(runs: &[Arc<dyn Run>]) -> Box<dyn Feed> {
    Box::new(Passing(Mutex::new(runs.iter().cloned().map(Ok).collect())))
}

#[test]
fn what_passes_by_is_answered_as_what_stays() {
    let runs: Vec<Arc<dyn Run>> = (0..5).map(|first| run(first, 5, 8_000)).collect();
    for text in [
        "",
        "filter n % 100 = 3 | fields n, host",
        "limit 7",
        "sort @timestamp asc | limit 7",
        "sort host, n desc | limit 1001",
        "sort host desc | fields n",
        "fields n * 2 as m | filter m > 30000 | sort m | limit 3",
        "stats count(*), sum(n), first(n), latest(host), values(host, 3) by @level",
        "stats pct(n, 50) as p by bin(1h) | sort p desc | limit 2",
        "stats count(*) as c by n % 1000 as m, host | sort c desc, m, host | limit 5",
        "stats avg(n) as a, max(n) as m by n % 100 as p | fields a * 2 as twice, p | sort twice, p desc | limit 3",
        "filter host in (source \"g\" | filter n = 17 | fields host) | stats count(*)",
        "tail 3",
        "dedup host | fields host, n",
        "fields @timestamp as t, n | stats max(t) by n % 2",
    ] {
        for limit in [None, Some(10)] {
            let whole = with_request(limit, 1 << 26, |request| {
                crate::answers::subquery::execute_with_subqueries(&plan(text), &runs, request, &mut |_| runs.clone())
                    .expect("an answer")
            });
            let passed = with_request(limit, 1 << 26, |request| {
                execute_stream(&plan(text), &mut |_, _| passing(&runs), request).expect("an answer")
            });
            assert_eq!(passed.rows, whole.rows, "{text}");
            assert_eq!((passed.columns, passed.ids, passed.more), (whole.columns, whole.ids, whole.more), "{text}");
        }
    }
}

/// Returns the events of a text, of which no more was read than is asked for.
fn read(text: &str, asked: &FeedRequest) -> Box<dyn Feed> {
    let limits = Limits::default();
    let at = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time");
    let received = ArrivalContext { at, modified: None, previous: None, zone: Zone::UTC, limits: &limits };
    let find = |text: &[u8], from: usize| asked.screen.as_ref().and_then(|screen| screen.find(text, from));
    let screen = asked.screen.as_ref().map(|_| &find as &parse::Screen<'_>);
    let piece =
        Piece { text: text.as_bytes(), offset: 0, previous: None, columns: None, profile: parse::Profile::default() };
    let mut runs: Vec<Arc<dyn Run>> = Vec::new();
    batches_of_piece(&piece, &received, screen, &asked.wanted, &mut |batch| {
        let group = GroupName::new("g").expect("a valid name");
        runs.push(Arc::new(BatchRun::new(group, 1, Arc::new(batch))));
    });
    passing(&runs)
}

#[test]
fn what_is_asked_for_is_enough_for_the_answer() {
    let text = r#"2026-11-20T06:00:00Z WARN plain status=500
{"ts":"2026-11-20T06:00:01Z","level":"error","req":{"method":"GET","n":1},"items":[{"id":7},{"id":9}],"service":"a","message":"text ERROR","status":503,"path":"/x"}
{"time":"2026-11-20T06:00:02Z","severity":"warning","msg":"hello needle","a.b":2.5,"@rest":"u","@foo":3}
	at A.b(A.java:1)
{"broken":1,
{"service":"only","status":"404","method":"GET","path":"/p"}
{"timestamp":"2999-99-99","service":"bad time","message":null}
{"level_name":"debug","req":"text","service":["l","m"],"message":7}
"#;
    for query in [
        "stats count(*) by service, status",
        "stats count(*) by req",
        "stats count(*) by req.method, items.0.id",
        "stats count(*) by @level",
        "stats count(*) by @message",
        "stats count(*) by level, severity, message, msg, a.b, a",
        "stats count(*) by @foo, _rest, @timestampRejected, @encoding, @log, bin(1h)",
        "stats count(*) by timestamp, time, ts",
        "stats min(@timestamp), latest(service), earliest(path), sum(status), count(req), values(service, 5)",
        "filter ispresent(req) | fields req, req.n, items.1.id, @id",
        "filter @any like \"needle\" | fields service, msg",
        "filter service = \"only\" | fields @timestamp, status, @message",
        "filter status >= 500 and @level = \"error\" | fields path",
        "fields status * 2 as d, concat(service, \"-x\") as s | stats sum(d) by s",
        "parse @message \"* WARN *\" as a, b | fields b, status",
        "parse @message logfmt | stats count(*) by status",
        "unnest items into i | fields i.id",
        "sort service | limit 4",
        "dedup @level",
        "limit 3",
        "pattern @message",
        "pattern message",
    ] {
        let ask = |take_all: bool| {
            with_request(None, 1 << 26, |request| {
                let request = Request { range: TimeRange::ALL, ..*request };
                let mut feed_of = |_: &[GroupPattern], asked: FeedRequest| {
                    let all = FeedRequest { screen: None, wanted: WantedParts::default(), untimed: None };
                    read(text, if take_all { &all } else { &asked })
                };
                execute_stream(&plan(query), &mut feed_of, &request).expect("an answer")
            })
        };
        let (all, asked) = (ask(true), ask(false));
        assert!(!all.rows.is_empty(), "{query}");
        assert_eq!((asked.columns, asked.rows), (all.columns, all.rows), "{query}");
    }
}

#[test]
fn what_cannot_be_read_makes_the_answer_partial_and_ends_nothing() {
    let error = ScanError { file: "a.gz".into(), offset: 3, problem: "it breaks off".into() };
    let feed = || Box::new(Passing(Mutex::new(vec![Ok(run(0, 1, 100)), Err(error.clone()), Ok(run(100, 1, 100))])));
    let answer = with_request(None, 1 << 26, |request| {
        execute_stream(&plan("stats count(*)"), &mut |_, _| feed(), request).expect("an answer")
    });
    assert_eq!(answer.rows, [[Some(Value::Integer(185))]]);
    assert_eq!(answer.partial_reasons[0].message, "a.gz: it breaks off at byte 3");
}

#[test]
fn rows_that_need_too_much_memory_are_refused_and_a_limit_helps() {
    let runs: Vec<Arc<dyn Run>> = (0..5).map(|first| run(first, 5, 8_000)).collect();
    let ask = |text: &str| {
        with_request(None, 1 << 20, |request| execute_stream(&plan(text), &mut |_, _| passing(&runs), request))
    };
    assert!(matches!(ask(""), Err(crate::request::error::ExecuteError::Memory { .. })));
    assert!(matches!(ask("limit 1000000000"), Err(crate::request::error::ExecuteError::Memory { .. })));
    assert_eq!(ask("limit 100").expect("an answer").rows.len(), 100);
    assert!(with_request(None, 1 << 20, |request| execute(&plan("limit 1"), &runs, request)).is_ok());
}

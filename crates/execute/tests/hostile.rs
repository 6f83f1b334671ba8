//! Hostile texts: whatever bytes come as a query, in any dialect, there is a plan or an error with its place inside
//! the text, soon, and never a panic; what is accepted can be run within its limits.
//!
//! A run prints its seed; `CATAT_FUZZ_SEED` repeats it, `CATAT_FUZZ_TEXTS` makes it longer.

#[path = "golden/case.rs"]
#[allow(dead_code, reason = "only the queries are taken here")]
mod case;
#[path = "equivalence/random.rs"]
mod random;
#[path = "golden/records.rs"]
mod records;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use execute::execute;
use execute::{ExecuteError, Request, Support};
use language::{ParseOptions, format_insights, logql, parse_deletion, parse_filter_pattern, parse_insights};
use parse::{ArrivalContext, Zone};
use plan::QueryErrors;
use plan::has_subqueries;
use types::{BatchRun, Column, GroupName, Limits, Run, TimeRange, Timestamp, Value};

use random::Random;

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000 * Timestamp::SECOND;

/// Texts of an ordinary run.
const TEXTS: u64 = 6_000;

/// How long any text may take to be read. Tests are built without optimisation and share the machine.
const READ_WITHIN: Duration = Duration::from_secs(if cfg!(debug_assertions) { 8 } else { 1 });

/// Longest query.
const QUERY_BYTES_MAX: usize = 64 << 10;

const LOGQL: [&str; 12] = [
    r#"{group="a", level=~"err|warn"} |= "x" != "y" | json | status >= 500"#,
    r#"sum by (level) (rate({group="a"} |~ "re(gex)?" [5m])) / 2"#,
    r#"topk(3, sum(count_over_time({a="b"} | logfmt | line_format "{{.x}}" [1m])) by (host))"#,
    r#"{a!="b"} | pattern "<ip> - <_>" | ip != "10.0.0.1" or bytes > 10KB"#,
    r#"quantile_over_time(0.99, {a="b"} | unwrap duration(took) [1h]) by (host)"#,
    r#"{a="b"} | regexp "(?P<m>\\d+)" | label_format x=m | drop m"#,
    r#"avg_over_time({a=~".+"} | json | unwrap bytes(size) | __error__="" [5m] offset 1h)"#,
    r#"sum(rate({a="b"}[1m])) > bool 3 and on (host) vector(1)"#,
    r#"{a="b"} | decolorize | took > 1m30s"#,
    r#"absent_over_time({a="b"}[10m])"#,
    r#"{job="`x`"} |= `raw \n` | keep a, b"#,
    "# comment\n{a=\"b\"} # end",
];

const FILTER_PATTERNS: [&str; 8] = [
    "ERROR -DEBUG ?WARN ?FATAL \"exact phrase\"",
    "%AUTHORIZED%",
    "{ $.status >= 500 && $.path = \"/api*\" }",
    "{ ($.a IS NULL) || ($.b[0].c NOT EXISTS) }",
    "{ $.x = 1.5e3 && $.y IS TRUE }",
    "[ip, user, ts, request, status = 4*, bytes > 1000]",
    "[..., status_code = 4* || status_code = 5*]",
    "{ $.a != \"x\" || ( $.b < -3 && $.c = %re% ) }",
];

/// What queries are made of, and what breaks parsers.
const TOKENS: [&str; 64] = [
    "(", ")", "[", "]", "{", "}", "|", "||", ",", ".", "..", "\"", "'", "`", "/", "\\", "\\\"", "#", "\n", "\r\n",
    "\t", "*", "+", "-", "^", "%", "=", "==", "!=", "=~", "!~", "<", ">", "<=", " and ", " or ", " not ", " in ",
    " like ", " between ", " as ", " by ", " desc", "stats ", "fields ", "filter ", "parse @message ", "sort ",
    "limit ", "count(*)", "bin(5m)", "9223372036854775808", "1e999", "0.", "5m", "99999999999999999999y", "null",
    "@any", "é", "🌋", "\u{0}", "\u{feff}", "\u{202e}", "ß",
];

fn variable(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

fn golden_queries() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of the cases")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let tests = files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "test"));
    tests
        .flat_map(|path| case::read(&std::fs::read_to_string(path).expect("a readable file")))
        .map(|case| case.query)
        .collect()
}

/// Another text made of some that are queries.
fn mutated(random: &mut Random, queries: &[String]) -> String {
    let mut bytes = random.of(queries).into_bytes();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(12)).min(bytes.len());
        match random.below(8) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.insert(at, random.next() as u8),
            2 | 3 => drop(bytes.splice(at..at, random.of(&TOKENS).bytes())),
            4 => {
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            5 => {
                let other = random.of(queries).into_bytes();
                let from = random.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            6 => drop(bytes.splice(at..end, random.of(&TOKENS).repeat(1 + random.below(40)).into_bytes())),
            _ => drop(bytes.splice(at..end, random.of(&TOKENS).bytes())),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text of nothing but tokens or bytes.
fn noise(random: &mut Random) -> String {
    let n = random.below(30);
    if random.once_in(2) {
        return (0..n).map(|_| random.of(&TOKENS)).collect();
    }
    String::from_utf8_lossy(&(0..n).map(|_| random.next() as u8).collect::<Vec<u8>>()).into_owned()
}

/// Checks that errors lie inside the text.
fn check_places(text: &str, errors: &QueryErrors) {
    assert!(!errors.0.is_empty(), "an error says nothing: {text:?}");
    let n_utf16 = text.encode_utf16().count();
    let lines: Vec<&str> = text.split('\n').collect();
    for error in &errors.0 {
        assert!(error.start <= error.end && error.end <= n_utf16, "{error:?} of {text:?}");
        let line = lines.get(error.line.wrapping_sub(1));
        let line = line.unwrap_or_else(|| panic!("line of {error:?} is not in {text:?}"));
        assert!((1..=line.chars().count() + 1).contains(&error.column), "{error:?} of {text:?}");
        assert!(!error.message.is_empty() && error.message.len() < 2_000, "{error:?}");
    }
}

fn options() -> ParseOptions {
    ParseOptions { now: Timestamp(NOW), time_zone: Tz::UTC }
}

fn run() -> Arc<dyn Run> {
    let text: String = (0..60)
        .map(|n| {
            format!(
                "{{\"@timestamp\":\"2026-11-20T0{}:00:00Z\",\"message\":\"a {n}\",\"a\":{n},\"f\":[1,{{\"x\":2}}]}}\n",
                n % 10
            )
        })
        .collect();
    let limits = Limits::default();
    let received =
        ArrivalContext { at: Timestamp(NOW), modified: None, previous: None, zone: Zone::UTC, limits: &limits };
    let mut batch = records::batch_of_records(&text, &received).expect("a batch");
    let n_rows = batch.len();
    batch.sequences = (0..n_rows as u64).collect();
    batch.ingestion_times = vec![NOW; n_rows].into();
    batch.streams = Column::constant(Value::text("s"), n_rows);
    Arc::new(BatchRun::new(GroupName::new("a").expect("a valid name"), 1, Arc::new(batch)))
}

/// Returns how long this thread has run on a processor: what else the machine does takes none of it.
fn processor_time() -> Duration {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the time of a thread");
    let ns = line.split_whitespace().next().and_then(|ns| ns.parse().ok()).expect("nanoseconds come first");
    Duration::from_nanos(ns)
}

/// Reads a text as every dialect and runs what is a query.
fn try_text(text: &str, runs: &[Arc<dyn Run>]) -> bool {
    let mut slow = Vec::new();
    let timed = |dialect: &str, read: &mut dyn FnMut() -> Option<QueryErrors>, slow: &mut Vec<String>| {
        let started = processor_time();
        read().iter().for_each(|errors| check_places(text, errors));
        let took = processor_time().saturating_sub(started);
        if took > READ_WITHIN {
            slow.push(format!("{dialect} took {took:?}"));
        }
    };
    let mut plan = Err(QueryErrors(Vec::new()));
    let mut read = || {
        plan = parse_insights(text, &options());
        plan.as_ref().err().cloned()
    };
    timed("insights", &mut read, &mut slow);
    timed("deletion", &mut || parse_deletion(text, &options()).err(), &mut slow);
    timed("filter pattern", &mut || parse_filter_pattern(text).err(), &mut slow);
    timed("logql", &mut || logql::parse(text).err(), &mut slow);
    timed("format", &mut || format_insights(text).err(), &mut slow);
    let start: String = text.chars().take(100).collect();
    assert!(slow.is_empty(), "{} bytes of {start:?}: {slow:?}", text.len());
    let Ok(plan) = plan else { return false };
    assert!(!plan.to_string().is_empty(), "{text:?}");
    if has_subqueries(&plan) {
        return true;
    }
    let cancelled = AtomicBool::new(false);
    let request = Request {
        range: TimeRange::ALL,
        limit: Some(100),
        time_zone: Tz::UTC,
        now: Timestamp(NOW),
        memory_bytes_max: 16 << 20,
        deadline: Some(Instant::now() + Duration::from_secs(2)),
        cancelled: &cancelled,
        n_threads: 1,
        progress: None,
        support: Support::default(),
    };
    let answer = execute(&plan, runs, &request);
    assert!(!matches!(answer, Err(ExecuteError::Panicked)), "{text:?}");
    true
}

#[test]
fn no_text_breaks_a_parser() {
    let (seed, n_texts) = (variable("CATAT_FUZZ_SEED", 1), variable("CATAT_FUZZ_TEXTS", TEXTS));
    let mut queries = golden_queries();
    queries.extend(LOGQL.iter().chain(&FILTER_PATTERNS).map(|query| (*query).to_owned()));
    let runs = [run()];
    let mut n_accepted = 0;
    queries.iter().for_each(|query| n_accepted += u64::from(try_text(query, &runs)));
    assert!(n_accepted > 100, "the golden queries are accepted");
    let mut n_accepted = 0;
    for number in 0..n_texts {
        let mut random = Random::new((seed << 32) + number);
        let text = if random.once_in(5) { noise(&mut random) } else { mutated(&mut random, &queries) };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| try_text(&text, &runs)));
        match outcome {
            Ok(accepted) => n_accepted += u64::from(accepted),
            Err(_) => panic!("seed {seed}, text {number}: {text:?}"),
        }
    }
    println!("seed {seed}: {n_texts} texts, {n_accepted} of them queries");
    assert!(n_accepted > n_texts / 50, "some are queries, so that running is tried too");
}

/// Texts that are long, deep or both, up to and beyond the longest that is taken.
fn monsters() -> Vec<String> {
    let fill = |before: &str, part: &str, after: &str| {
        let n = (QUERY_BYTES_MAX - before.len() - after.len()) / part.len();
        format!("{before}{}{after}", part.repeat(n))
    };
    let nested =
        |n: usize, open: &str, inner: &str, close: &str| format!("filter {}{inner}{}", open.repeat(n), close.repeat(n));
    let mut texts = vec![
        fill("filter ", "(", ""),
        fill("filter a = 1", " and a = 1", ""),
        fill("filter a = 1", " or a = 1", ""),
        fill("filter ", "not ", "a"),
        fill("fields ", "-", "a"),
        fill("fields 1", " ^ 1", ""),
        fill("fields 1", " + 1", ""),
        fill("fields ", "[", ""),
        fill("fields a", ", a", ""),
        fill("filter a in [1", ", 1", "]"),
        fill("filter ", "a in (", ""),
        fill("filter a in [", "(", ""),
        fill("filter ", "abs(", ""),
        fill("fields ", "if(a, ", ""),
        fill("filter ", "a between ", "1"),
        fill("parse @message \"", "*", "\" as a"),
        fill("parse @message \"x", "*y", "\" as a"),
        fill("parse ", "abs(", "a) \"*\" as b"),
        fill("", "|", ""),
        fill("", "#\n", ""),
        fill("", "\n", ""),
        fill("", "fields a\n", ""),
        fill("fields \"", "\\\"", ""),
        fill("fields \"", "\\u{1F30B}", "\""),
        fill("filter a like /", "(a|", "/"),
        fill("", "filter a like /x/\n", ""),
        fill("", "🌋", ""),
        fill("", "word ", ""),
        fill("\"", "phrase ", "\""),
        fill("stats count(*)", ", count(*)", ""),
        fill("stats count(*) by a", ", a", ""),
        fill("filter a", " like \"x\" and b", ""),
        fill("fields 1", "0", ""),
        fill("limit 1", "0", ""),
        fill("fields `", "x", "`"),
        fill("fields ", "a.", "b"),
        fill("fields a", ".0", " as b"),
        fill("fields a", ".0", " as b\nstats count(*) by b\nfields b"),
        fill("{", "a=\"b\",", "c=\"d\"}"),
        fill("{a=\"b\"}", " |= \"x\"", ""),
        fill("", "sum(", ""),
        fill("{ ", "($.a = 1) && ", "($.b = 2) }"),
        fill("{ ", "(", ""),
        fill("[", "a, ", "b]"),
        "x".repeat(QUERY_BYTES_MAX * 2),
        "filter a = \"".to_owned() + &"x".repeat(1 << 20) + "\"",
    ];
    for n in [20, 120, 127, 128, 129, 200, 1_000, 10_000] {
        texts.push(nested(n, "(", "a", ")"));
        texts.push(nested(n, "not (", "a", ")"));
        texts.push(nested(n, "abs(", "a", ")"));
        texts.push(nested(n, "a in (", "1", ")"));
        texts.push(nested(n, "a in [", "1", "]"));
        texts.push(nested(n, "if(a, b, ", "c", ")"));
        texts.push(nested(n, "a in (source \"g\" | filter ", "b", ")"));
        texts.push(nested(n, "(a and (b or ", "c", "))"));
        texts.push(format!("{}{{a=\"b\"}}{}", "(".repeat(n), ")".repeat(n)));
        texts.push(format!("{}rate({{a=\"b\"}}[1m]){}", "sum(".repeat(n), ")".repeat(n)));
        texts.push(format!("{{ {}$.a = 1{} }}", "(".repeat(n), ")".repeat(n)));
    }
    texts
}

#[test]
fn long_and_deep_texts_are_answered_soon() {
    let runs = [run()];
    let mut problems = Vec::new();
    for text in monsters() {
        if let Err(problem) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| try_text(&text, &runs))) {
            let said = problem.downcast_ref::<String>().cloned();
            problems.push(said.unwrap_or_else(|| format!("{:?}", problem.downcast_ref::<&str>())));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn nesting_is_taken_to_its_limit_and_refused_beyond() {
    let brackets = |n: usize| format!("filter {}a = 1{}", "(".repeat(n), ")".repeat(n));
    assert!(parse_insights(&brackets(120), &options()).is_ok());
    for n in [130, 200, 20_000] {
        let errors = parse_insights(&brackets(n), &options()).expect_err("too deep");
        assert!(errors.to_string().contains("nested"), "{errors}");
    }
    let long = format!("filter a = \"{}\"", "x".repeat(QUERY_BYTES_MAX));
    let errors = parse_insights(&long, &options()).expect_err("too long");
    assert!(errors.to_string().contains("65536"), "{errors}");
}

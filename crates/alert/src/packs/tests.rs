//! Each pack by lines that must make it fire, and by near ones that must not.

use types::Value;

use super::*;
use crate::detectors::tests::{Line, Told, World};
use crate::{Rule, RuleSet};

fn rules_of(pack: &str) -> Vec<Rule> {
    let mut set = RuleSet::default();
    set.add(pack, Pack::find(pack).unwrap().text).unwrap();
    set.rules
}

/// `n` lines within the tenth minute; `{}` in them is their number.
fn lines(group: &str, n: usize, text: &str) -> Vec<Line> {
    let line = |i: usize| (9.0 + 0.9 * i as f64 / n as f64, group.to_owned(), text.replace("{}", &i.to_string()));
    (0..n).map(line).collect()
}

/// Evaluates each rule of a pack until the thirteenth minute, which is longer than their `for`; what fires of each, its
/// label values and `=` its value.
fn check(pack: &str, told: &[Vec<Line>], expected: &[&str]) {
    let all: Vec<Line> = told.concat();
    let rules = rules_of(pack);
    let shown: Vec<String> = rules
        .into_iter()
        .map(|rule| {
            let mut world = World::of_lines(rule, &all);
            [10.0, 11.0, 12.0].map(|minute| world.at(minute))[2].clone()
        })
        .collect();
    assert_eq!(shown, expected, "{pack}");
}

#[test]
fn packs_are_right_and_say_what_they_are_for() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/rules/packs");
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), PACKS.len(), "every file is a pack");
    let mut set = RuleSet::default();
    for pack in PACKS {
        set.add(pack.name, pack.text).unwrap();
        assert!(pack.about().ends_with('.'), "{}", pack.name);
    }
    for rule in &set.rules {
        assert!(rule.annotations.contains_key("summary") && rule.labels.contains_key("severity"), "{}", rule.name);
    }
}

#[test]
fn errors_by_service() {
    let error = r#"{"level":"error","service":"cart","message":"no stock {}"}"#;
    check("errors-by-service", &[lines("shop", 25, error)], &["cart=25"]);
    check("errors-by-service", &[lines("shop", 19, error)], &[""]);
    check("errors-by-service", &[lines("shop", 90, &error.replace("\"error\"", "\"warn\""))], &[""]);
    check("errors-by-service", &[lines("old", 25, "ERROR something {} broke")], &["old=25"]);
}

#[test]
fn http_5xx_ratio() {
    let request = |status: u16| {
        format!(r#"203.0.113.7 - - [20/Nov/2026:00:08:00 +0000] "GET /p/{{}} HTTP/1.1" {status} 512 "-" "curl/8""#)
    };
    let [good, bad, absent] = [200, 503, 404].map(request);
    check("http-5xx-ratio", &[lines("web", 90, &good), lines("web", 10, &bad)], &["web=0.1"]);
    check("http-5xx-ratio", &[lines("web", 96, &good), lines("web", 4, &bad)], &[""]);
    check("http-5xx-ratio", &[lines("web", 50, &good), lines("web", 50, &absent)], &[""]);
    check("http-5xx-ratio", &[lines("web", 10, &bad)], &[""]);
}

#[test]
fn slow_p95() {
    let took = |ms: u32| format!(r#"{{"message":"request {{}}","duration_ms":{ms}}}"#);
    check("slow-p95", &[lines("api", 90, &took(40)), lines("api", 10, &took(2500))], &["api=2500.0"]);
    check("slow-p95", &[lines("api", 98, &took(40)), lines("api", 2, &took(2500))], &[""]);
    check("slow-p95", &[lines("api", 20, &took(2500))], &[""]);
    check("slow-p95", &[lines("api", 80, r#"{"message":"r","request_time":1.5}"#)], &["api=1500.0"]);
}

#[test]
fn ssh_brute_force() {
    let failed = "Nov 20 00:08:00 gate sshd[4242]: Failed password for root from 203.0.113.9 port 5{} ssh2";
    let invalid = "Nov 20 00:08:00 gate sshd[4242]: Invalid user admin{} from 198.51.100.4";
    let accepted = "Nov 20 00:08:00 gate sshd[4242]: Accepted password for root from 203.0.113.9 port 5{} ssh2";
    let key = "Nov 20 00:08:00 gate sshd[4242]: Accepted publickey for ops from 203.0.113.9 port 5{} ssh2";
    check("ssh-brute-force", &[lines("auth", 25, failed)], &["203.0.113.9=25", ""]);
    check("ssh-brute-force", &[lines("auth", 30, invalid)], &["198.51.100.4=30", ""]);
    check("ssh-brute-force", &[lines("auth", 15, failed), lines("auth", 1, accepted)], &["", "203.0.113.9=1"]);
    check("ssh-brute-force", &[lines("auth", 3, failed), lines("auth", 30, accepted)], &["", ""]);
    check("ssh-brute-force", &[lines("auth", 15, failed), lines("auth", 40, key)], &["", ""]);
}

#[test]
fn oom_kill() {
    let killed = "Nov 20 00:08:00 db7 kernel: [12345.6] Out of memory: Killed process 1234 (postgres) total-vm:9999kB";
    check("oom-kill", &[lines("kern", 1, killed)], &["db7/postgres=1"]);
    check("oom-kill", &[lines("kern", 1, "Nov 20 00:08:00 db7 kernel: Killed process watcher started")], &[""]);
    check("oom-kill", &[lines("app", 1, "worker ran out of memory budget, spilling to disk")], &[""]);
}

#[test]
fn disk_full() {
    let full = "Nov 20 00:08:00 db7 postgres[77]: could not extend file: No space left on device";
    check("disk-full", &[lines("pg", 2, full)], &["pg/db7=2"]);
    check("disk-full", &[lines("node", 1, "Error: ENOSPC: cannot write")], &["node=1"]);
    check("disk-full", &[lines("pg", 5, "disk usage at 40 percent, space left: 120 GB")], &[""]);
}

#[test]
fn vpc_traffic() {
    let flow = |port: &str, action: &str| {
        format!("2 123456789010 eni-1 192.0.2.77 10.0.0.5 40000 {port} 6 3 180 1795132800 1795132860 {action} OK")
    };
    let scan = lines("flow", 40, &flow("1{}", "REJECT"));
    check("vpc-traffic", &[scan], &["", "192.0.2.77=40"]);
    check("vpc-traffic", &[lines("flow", 120, &flow("22", "REJECT"))], &["192.0.2.77=120", ""]);
    check("vpc-traffic", &[lines("flow", 200, &flow("1{}", "ACCEPT"))], &["", ""]);
}

#[test]
fn certificate_expiry() {
    let check_line = |line: &str, expected: &str| check("certificate-expiry", &[lines("tls", 1, line)], &[expected]);
    check_line("certificate for example.org expires in 12 days", "tls=1");
    check_line("x509: certificate has expired or is not yet valid", "tls=1");
    check_line("certificate for example.org expires in 80 days", "");
    check_line("certificate renewed, the old one would have expired on Friday", "");
    check_line("session expired for user 7", "");
}

#[test]
fn a_job_that_did_not_report() {
    let done = |job: &str, day: f64| -> Line {
        (day * 1440.0, "jobs".to_owned(), format!(r#"{{"job":"{job}","message":"finished in 31 s"}}"#))
    };
    let all: Vec<Line> = [done("backup", 0.1), done("backup", 1.1), done("report", 1.1), done("report", 2.1)].into();
    let mut world = World::of_lines(rules_of("job-did-not-report").remove(0), &all);
    assert_eq!(world.at(2.0 * 1440.0), "");
    assert_eq!(world.at(2.5 * 1440.0), "backup=120960");
    assert_eq!(world.at(5.5 * 1440.0), "report=293760", "the other is forgotten");
}

/// A span: minutes since the beginning, group, fields.
type SpanEvent = (f64, String, Vec<(&'static str, Value)>);

/// Spans of a service at so many a minute; `of` gives the duration and the status of each by its number.
fn spans(
    service: &str,
    kind: &str,
    minutes: std::ops::Range<u32>,
    rate: u32,
    of: fn(u32) -> (f64, &'static str),
) -> Vec<SpanEvent> {
    let span = |i: u32| {
        let (duration_ms, status) = of(i);
        let texts = [("@type", "span"), ("service", service), ("kind", kind), ("status", status)];
        let mut fields: Vec<(&str, Value)> = texts.map(|(name, value)| (name, Value::text(value))).into();
        fields.push(("duration_ms", Value::Float(duration_ms)));
        fields.push(("trace_id", Value::text(format!("{i:032x}"))));
        (f64::from(minutes.start) + (f64::from(i) + 0.5) / f64::from(rate), format!("traces/{service}"), fields)
    };
    (0..(minutes.end - minutes.start) * rate).map(span).collect()
}

#[test]
fn traces() {
    let good = |_: u32| (40.0, "unset");
    let all = [
        spans("cart", "server", 0..60, 30, good),
        spans("pay", "server", 0..40, 30, good),
        spans("pay", "server", 40..60, 30, |i| (40.0, if i % 10 == 0 { "error" } else { "ok" })),
        spans("search", "server", 0..40, 30, good),
        spans("search", "server", 40..60, 30, |i| (if i % 5 == 0 { 6000.0 } else { 40.0 }, "unset")),
        spans("mail", "consumer", 0..40, 30, good),
        // No requests, and too few of them.
        spans("report", "internal", 0..60, 30, |_| (9000.0, "error")),
        spans("admin", "server", 0..60, 1, |_| (9000.0, "error")),
    ]
    .concat();
    let events: Vec<Told<'_>> =
        all.iter().map(|(minute, group, fields)| (*minute, group.as_str(), "info", "span", &fields[..])).collect();
    let shown: Vec<String> = rules_of("traces")
        .into_iter()
        .map(|rule| {
            let name = rule.name.clone();
            let mut world = World::new(rule, &events);
            assert_eq!(world.at(39.0), "", "{name} before");
            format!("{name}: {}", [57.0, 58.0, 59.0].map(|minute| world.at(minute))[2])
        })
        .collect();
    let expected = [
        "service errors: pay=0.1",
        "service slow p95: search=6000.0",
        "service slow p99: search=6000.0",
        "service apdex: search=0.8",
        "service error budget: pay=32.2",
        "service sends no spans: mail=1141",
    ];
    assert_eq!(shown, expected);
}

//! Which deaths are a loop, and what is said of it.

use super::*;
use types::EventId;

const TRACE: &str =
    "Traceback (most recent call last):\n  File \"/srv/a.py\", line 9, in run\n    f()\nValueError: gone";
const PANIC: &str = "panic: gone\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/a.go:9 +0x1\n";
const EXIT: &str = "shop.service: Main process exited, code=killed, status=11/SEGV";
const RESULT: &str = "shop.service: Failed with result 'signal'.";

/// An afternoon, in seconds since the epoch: 2026-11-28 15:00 UTC.
const START: f64 = 1_795_878_000.0;

fn event(at: f64, text: &str, host: &str, pid: &str) -> ErrorEvent {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let id = EventId { group_id: 1, timestamp: Timestamp(((START + at) * 1e9) as i64), sequence: 1 };
    let service = some(if text.contains("shop.service") { "systemd" } else { "pay" });
    let (trace, kind, version, trace_id) = (None, None, None, None);
    ErrorEvent { id, text: text.into(), trace, kind, service, host: some(host), version, trace_id, pid: some(pid) }
}

fn now() -> Timestamp {
    Timestamp(((START + 10_000.0) * 1e9) as i64)
}

/// Counts what is told at some seconds.
fn deaths(told: &[(f64, &str)]) -> Deaths {
    let mut deaths = Deaths::default();
    for (at, text) in told {
        deaths.count(&event(*at, text, "", ""), now());
    }
    deaths
}

/// Returns what is said of the loops: since when in seconds, number, usual time between deaths in seconds.
fn shown(deaths: &Deaths) -> Vec<(f64, u64, f64)> {
    let since = |one: &DeathSeries| one.since as f64 / 1e9 - START;
    deaths.loops().into_iter().map(|one| (since(one).round(), one.count, one.every_ms() as f64 / 1e3)).collect()
}

fn check(name: &str, text: &str, times: &[f64], expected: &[(f64, u64, f64)]) {
    let told: Vec<(f64, &str)> = times.iter().map(|at| (*at, text)).collect();
    assert_eq!(shown(&deaths(&told)), expected, "{name}");
}

#[test]
fn deaths_that_follow_each_other_are_a_loop_and_other_errors_none() {
    check("three deaths", EXIT, &[0.0, 40.0, 80.0], &[]);
    check("four deaths", EXIT, &[0.0, 40.0, 80.0, 121.0], &[(0.0, 4, 40.0)]);
    check("a program that lives for different times", EXIT, &[0.0, 5.0, 600.0, 640.0, 2000.0], &[(0.0, 5, 595.0)]);
    check("a program that lived for hours before", EXIT, &[-9000.0, 0.0, 40.0, 80.0, 120.0], &[(0.0, 4, 40.0)]);
    check("deaths once a day", EXIT, &[0.0, 86_400.0, 172_800.0, 259_200.0, 345_600.0], &[]);
    check("panics", PANIC, &[0.0, 10.0, 30.0, 70.0], &[(0.0, 4, 20.0)]);
    check("lines without a time that arrive at once", EXIT, &[0.0, 0.01, 0.02, 0.5, 1.3, 2.1], &[]);
    check("equal times", EXIT, &[0.0; 20], &[]);
    let steady = [0.0, 60.2, 120.1, 180.9, 240.3, 300.4];
    check("traces at steady times", TRACE, &steady, &[(0.0, 6, 60.1)]);
    check("too few of them", TRACE, &steady[..5], &[]);
    let doubling = [0.0, 11.0, 32.0, 73.0, 154.0, 315.0, 616.0, 917.0];
    check("a delay that doubles up to its limit", TRACE, &doubling, &[(0.0, 8, 81.0)]);
    check("traces at any times", TRACE, &[0.0, 3.0, 50.0, 53.0, 300.0, 301.5, 340.0, 500.0, 504.0], &[]);
    let late = [0.0, 3.0, 50.0, 110.0, 170.0, 230.0, 290.0, 350.0];
    check("steady from some time on", TRACE, &late, &[(3.0, 7, 60.0)]);
    check("the line of a logger", "2026-11-28 15:00:00 ERROR pay failed", &steady, &[]);
    let logged = format!("2026-11-28 15:00:00 ERROR pay failed\n{TRACE}");
    check("a trace that was logged", &logged, &steady, &[]);
}

#[test]
fn what_the_kubelet_repeats_while_it_waits_is_one_death() {
    let mut told = Vec::new();
    for n in 0..4 {
        let line = "back-off 5m0s restarting failed container=app pod=web_shop(7f)";
        told.extend((0..24).map(|nth| (f64::from(n) * 310.0 + f64::from(nth) * 12.0, line)));
    }
    assert_eq!(shown(&deaths(&told)), [(0.0, 4, 310.0)]);
}

#[test]
fn two_lines_about_a_death_are_one_death() {
    let both = |n: i32| [(f64::from(n) * 40.0, EXIT), (f64::from(n) * 40.0 + 0.01, RESULT)];
    let told: Vec<(f64, &str)> = (0..5).flat_map(both).collect();
    assert_eq!(shown(&deaths(&told)), [(0.0, 5, 40.0)]);
    let failed: Vec<(f64, &str)> = (0..5).map(|n| (f64::from(n) * 40.0, RESULT)).collect();
    assert_eq!(shown(&deaths(&failed)), [(0.0, 5, 40.0)], "a unit may fail without a main process");
}

#[test]
fn late_and_repeated_lines_change_nothing() {
    let mut told = vec![(0.0, EXIT), (40.0, EXIT), (80.0, EXIT), (120.0, EXIT)];
    let before = deaths(&told);
    told.extend([(40.0, EXIT), (-3000.0, EXIT), (120.0, EXIT)]);
    assert_eq!(deaths(&told), before);
}

#[test]
fn hosts_and_programs_are_told_apart_and_bounded() {
    let mut deaths = Deaths::default();
    for n in 0..5 {
        for host in ["a", "b"] {
            let at = f64::from(n) * 40.0 + if host == "a" { 0.0 } else { 13.0 };
            deaths.count(&event(at, EXIT, host, ""), now());
        }
    }
    let hosts: Vec<Option<&str>> = deaths.loops().iter().map(|one| one.host.as_deref()).collect();
    assert_eq!(hosts, [Some("b"), Some("a")]);
    assert_eq!(deaths.loops()[0].program.as_deref(), Some("shop.service"));
    for n in 0..1000 {
        deaths.count(&event(500.0 + f64::from(n), EXIT, &format!("h{n}"), ""), now());
    }
    assert_eq!(deaths.series.len(), PROGRAMS_MAX);
    for n in 0..1000 {
        deaths.count(&event(2000.0 + 10.0 * f64::from(n), EXIT, "c", ""), now());
    }
    assert_eq!(deaths.loops()[0].gaps_ms.len(), GAPS_MAX);
}

#[test]
fn a_process_that_writes_several_traces_lives() {
    let loops = |pid: &dyn Fn(i32) -> String| {
        let mut deaths = Deaths::default();
        (0..9).for_each(|n| _ = deaths.count(&event(f64::from(n) * 60.0, TRACE, "a", &pid(n)), now()));
        deaths.loops().len()
    };
    assert_eq!(loops(&|_| "77".into()), 0);
    assert_eq!(loops(&|n| n.to_string()), 1);
}

#[test]
fn a_loop_is_told_once_and_is_over_after_some_times_without_a_death() {
    let mut deaths = Deaths::default();
    let mut told = Vec::new();
    for n in 0..8 {
        if deaths.count(&event(f64::from(n) * 40.0, EXIT, "", ""), now()) {
            deaths.note_told(now());
            told.push(n);
        }
    }
    assert_eq!(told, [3]);
    let loops = deaths.loops();
    let after = |s: f64| Timestamp(((START + 280.0 + s) * 1e9) as i64);
    assert!(loops[0].lasts(after(100.0)) && !loops[0].lasts(after(130.0)));
    assert_eq!(loops[0].sentence(Some("systemd")), "shop.service restarts every 40 s since 2026-11-28 15:00 UTC");
    assert!(loops[0].sentence(Some("shop.service")).starts_with("restarts every 40 s"));
}

#[test]
fn what_is_saved_is_read_again() {
    let told: Vec<(f64, &str)> = (0..5).map(|n| (f64::from(n) * 40.0, EXIT)).collect();
    let before = deaths(&told);
    let saved = serde_json::to_string(&before).expect("JSON");
    assert_eq!(serde_json::from_str::<Deaths>(&saved).expect("the same"), before, "{saved}");
}

//! Every system call that touches the disk fails once, or is the last one: the first, the second, the third …
//!
//! A run without a fault tells which calls there are. Then the n-th call of a kind is answered with an error, or the
//! process is killed at it. No event that was acknowledged may be missing afterwards, no acknowledgement may have
//! come before its sync, nothing may panic, and the next start has to work by itself. The short form takes some n of
//! each kind, spread over the run, the long form (`CATAT_FAULT_ROUNDS`) all of them.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use crate::lab::acknowledgements::check;
use crate::lab::oracle::{Oracle, Verdict};
use crate::lab::{Random, is_long, strace};
use crate::server::{Launch, Server, client};

/// Small files, so that the run has every kind of step.
const SETTINGS: &str = "[storage]\nwal_segment_bytes = \"1MiB\"\nflush_bytes = \"2MiB\"\n";

/// A call and what is made of it.
#[derive(Clone, Copy, Debug)]
struct Fault {
    call: &'static str,
    effect: &'static str,
    /// The only file of the data directory that it happens to; all where there is none.
    file: Option<&'static str>,
    /// It happens to every later call as well.
    lasts: bool,
}

impl Fault {
    const fn of(call: &'static str, effect: &'static str) -> Fault {
        Fault { call, effect, file: None, lasts: false }
    }

    const fn for_ever(self) -> Fault {
        Fault { lasts: true, ..self }
    }

    const fn at(self, file: &'static str) -> Fault {
        Fault { file: Some(file), ..self }
    }
}

/// Runs of each kind in the short form, and the parts of a run that they are taken from.
const SAMPLES: usize = 1;
const PARTS: usize = 6;

const CATALOG: &str = "catalog.sqlite-wal";

const ERRORS: [Fault; 14] = [
    Fault::of("fdatasync", "error=EIO"),
    Fault::of("fdatasync", "error=EIO").for_ever(),
    Fault::of("fsync", "error=EIO"),
    Fault::of("fsync", "error=EIO").at(CATALOG),
    Fault::of("fsync", "error=EIO").at(CATALOG).for_ever(),
    Fault::of("pwrite64", "error=EIO"),
    Fault::of("pwrite64", "error=ENOSPC"),
    Fault::of("pwrite64", "error=ENOSPC").at(CATALOG),
    Fault::of("rename", "error=EIO"),
    Fault::of("unlink", "error=EIO"),
    Fault::of("unlink", "error=EACCES"),
    Fault::of("ftruncate", "error=EIO"),
    Fault::of("mkdir", "error=ENOSPC"),
    Fault::of("openat", "error=EMFILE"),
];

const KILLS: [Fault; 8] = [
    Fault::of("fdatasync", "signal=SIGKILL"),
    Fault::of("fsync", "signal=SIGKILL"),
    Fault::of("fsync", "signal=SIGKILL").at(CATALOG),
    Fault::of("pwrite64", "signal=SIGKILL"),
    Fault::of("pwrite64", "signal=SIGKILL").at(CATALOG),
    Fault::of("rename", "signal=SIGKILL"),
    Fault::of("unlink", "signal=SIGKILL"),
    Fault::of("write", "signal=SIGKILL"),
];

/// Everything that makes the store write: batches, flushes, compaction, a deleted group, a limit.
fn work(server: &Server, oracle: &Oracle) {
    let (http, mut random) = (client(), Random::new(5));
    for step in 0..4 {
        for producer in [0, 1, 0, 1] {
            oracle.send(&http, &server.url, producer, &mut random);
        }
        let _ = server.try_post("/api/v1/ingest?group=doomed&format=ndjson", &[], "{\"message\":\"x\"}\n");
        server.try_flush(true);
        if step == 1 {
            let _ = server.try_delete("/api/v1/groups/doomed");
        }
    }
}

/// What a run with one fault came to.
struct Swept {
    n_injected: usize,
    verdict: Option<Verdict>,
    oracle: Oracle,
    said: String,
    trace: String,
}

/// One run under `strace` with these options, up to its end.
fn run(launch: &Launch, scratch: &Path, options: &[&str]) -> Swept {
    let trace = scratch.join("trace");
    let oracle = Oracle::new(2);
    let starting = strace::traced(launch.clone(), &trace, options).spawn();
    let pid = starting.pid();
    let (said, verdict) = match starting.listening() {
        Ok(mut server) => {
            work(&server, &oracle);
            let is_alive = server.try_get("/-/healthy").is_some_and(|answer| answer.status() == 200);
            let verdict = is_alive.then(|| oracle.verify(&server));
            server.kill();
            (server.transcript(), verdict)
        }
        Err(refused) => {
            let is_killed = options.iter().any(|option| option.contains("SIGKILL"));
            assert!(is_killed || refused.code == Some(2), "{options:?}: {refused:?}");
            assert!(is_killed || refused.said.contains("data"), "{options:?}: it says where: {refused:?}");
            (refused.said, None)
        }
    };
    let trace = strace::whole_trace(&trace, pid);
    Swept { n_injected: trace.matches("(INJECTED)").count(), verdict, oracle, said, trace }
}

/// Numbers of the calls of one kind that touch the data directory. `strace` counts for each thread by itself, so that
/// a fault happens to the n-th call of every thread that gets so far, and a kill at the first of them.
fn numbers(trace: &str, fault: &Fault) -> Vec<usize> {
    let place = fault.file.map_or("/data/".to_owned(), |file| format!("/data/{file}"));
    let mut n_calls: HashMap<&str, usize> = HashMap::new();
    let mut numbers = BTreeSet::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let is_call = call.trim_start().strip_prefix(fault.call).is_some_and(|rest| rest.starts_with('('));
        // Where only calls at one file are traced, only they are counted.
        if !is_call || (fault.file.is_some() && !line.contains(&place)) {
            continue;
        }
        let number = n_calls.entry(thread).or_default();
        *number += 1;
        if line.contains(&place) {
            numbers.insert(*number);
        }
    }
    numbers.into_iter().collect()
}

/// All of them, or a few from the middles of equal parts; which parts goes on from kind to kind.
fn sample(numbers: &[usize], kind: usize) -> Vec<usize> {
    if is_long() {
        return numbers.to_vec();
    }
    let part = |idx: usize| numbers.get(numbers.len() * (2 * idx + 1) / (2 * PARTS)).copied();
    (0..SAMPLES).filter_map(|idx| part((kind + idx * PARTS / SAMPLES) % PARTS)).collect()
}

/// Injects `fault` into its `number`-th call, and starts once more without; how often the fault happened.
fn inject(fault: Fault, number: usize) -> usize {
    let what = format!("{fault:?} number {number}");
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let launch = Launch::configured(scratch.path(), SETTINGS);
    let traced = format!("trace=fsync,fdatasync,read,recvfrom,write,writev,sendto,{}", fault.call);
    let when = if fault.lasts { format!("{number}+") } else { number.to_string() };
    let injected = format!("inject={}:{}:when={when}", fault.call, fault.effect);
    let file = fault.file.map(|file| scratch.path().join("data").join(file).display().to_string());
    let only = file.as_ref().map(|file| ["-P", file.as_str()]);
    let options = ["-y", "-s", "24", "-e", &traced, "-e", &injected];
    let swept = run(&launch, scratch.path(), &[&options[..], only.as_ref().map_or(&[], |only| &only[..])].concat());
    assert!(!swept.said.contains("panicked"), "{what}\n{}", swept.said);
    assert_eq!(check(&swept.trace).n_early, 0, "{what}: acknowledged before it was synced");
    if let Some(verdict) = &swept.verdict {
        // What cannot be read is missing for a moment, and the answer says so.
        assert!(verdict.is_clean() || verdict.incomplete.is_some(), "{what}: {verdict}\n{}", swept.said);
    }
    let server = launch.start();
    swept.oracle.assert_kept(&server, &what);
    // A signal takes the call with it, so that the trace may end before it says so.
    let is_killed = fault.effect.starts_with("signal") && swept.verdict.is_none();
    swept.n_injected.max(usize::from(is_killed))
}

fn sweep(faults: &[Fault]) {
    if !strace::is_there() {
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let launch = Launch::configured(scratch.path(), SETTINGS);
    let all = "trace=fsync,fdatasync,pwrite64,write,rename,unlink,ftruncate,mkdir,openat";
    let untouched = run(&launch, scratch.path(), &["-y", "-s", "200", "-e", all]);
    let (mut n_runs, mut n_happened, mut failed) = (0, 0, Vec::new());
    for (kind, fault) in faults.iter().enumerate() {
        let numbers = numbers(&untouched.trace, fault);
        let sample = sample(&numbers, kind);
        eprintln!("{fault:?}: {sample:?} of {} numbers", numbers.len());
        for number in sample {
            n_runs += 1;
            // One that fails does not hide the others.
            match std::panic::catch_unwind(|| inject(*fault, number)) {
                Ok(n_injected) => n_happened += usize::from(n_injected > 0),
                Err(_) => failed.push((fault, number)),
            }
        }
    }
    eprintln!("{n_runs} runs, {n_happened} with their fault");
    assert!(failed.is_empty(), "{failed:?}");
    // Which call is the last one depends on the moment.
    assert!(n_happened * 10 >= n_runs * 8, "faults are to happen: {n_happened} of {n_runs}");
}

#[test]
fn a_call_that_fails_loses_nothing_that_was_acknowledged() {
    sweep(&ERRORS);
}

#[test]
fn a_call_that_is_the_last_one_loses_nothing_that_was_acknowledged() {
    sweep(&KILLS);
}

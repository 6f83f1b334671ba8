//! The shipper's threads with a server in this process.

use std::sync::atomic::AtomicU64;
use std::sync::{Condvar, mpsc};

use super::*;
use crate::DeliverError;
use crate::status::{FileStatus, Status};

/// A server that answers as told and passes on what it took.
struct Scripted {
    answers: Mutex<Vec<DeliverError>>,
    taken: Mutex<mpsc::Sender<String>>,
}

impl Deliver for Scripted {
    fn deliver(&self, batch: &FileBatch) -> Result<crate::DeliveryReceipt, DeliverError> {
        if let Some(error) = self.answers.hold().pop() {
            return Err(error);
        }
        let text = String::from_utf8_lossy(&batch.bytes).into_owned();
        self.taken.hold().send(text).unwrap();
        Ok(crate::DeliveryReceipt::default())
    }
}

fn start(dir: &std::path::Path, answers: Vec<DeliverError>) -> (Shipper, mpsc::Receiver<String>) {
    let (taken, received) = mpsc::channel();
    let options = FollowOptions::new(vec![dir.join("log")], dir.join("state"));
    let server = Scripted { answers: Mutex::new(answers), taken: Mutex::new(taken) };
    (Shipper::start(options, Arc::new(server)).unwrap().0, received)
}

fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("log")).unwrap();
    dir
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn what_is_written_arrives_and_a_restart_sends_only_what_is_new() {
    let dir = directory();
    std::fs::write(dir.path().join("log/a.log"), "one\n").unwrap();
    let (shipper, received) = start(dir.path(), Vec::new());
    assert_eq!(received.recv_timeout(LONG).unwrap(), "one\n");
    std::fs::write(dir.path().join("log/b.log"), "two\n").unwrap();
    assert_eq!(received.recv_timeout(LONG).unwrap(), "two\n");
    shipper.stop();
    assert_eq!(shipper.status().bytes_delivered, 8);
    assert_eq!(shipper.status().files.iter().map(FileStatus::lag_bytes).sum::<u64>(), 0);
    drop(shipper);
    std::fs::write(dir.path().join("log/c.log"), "three\n").unwrap();
    let (_shipper, received) = start(dir.path(), Vec::new());
    assert_eq!(received.recv_timeout(LONG).unwrap(), "three\n");
}

#[test]
fn a_failing_server_is_asked_again_and_a_refused_batch_set_aside() {
    let dir = directory();
    std::fs::write(dir.path().join("log/a.log"), "one\n").unwrap();
    let retry = DeliverError::Retry { after: None, reason: "down".into() };
    let refused = DeliverError::Refused("400 Bad Request".into());
    let (shipper, received) = start(dir.path(), vec![refused, retry.clone(), retry]);
    while shipper.status().n_refused == 0 {
        std::thread::yield_now();
    }
    std::fs::write(dir.path().join("log/b.log"), "two\n").unwrap();
    assert_eq!(received.recv_timeout(LONG).unwrap(), "two\n");
    shipper.stop();
    let names = std::fs::read_dir(dir.path().join("state/dead-letter")).unwrap();
    let kept: Vec<_> = names.map(|entry| entry.unwrap().path()).filter(|p| p.extension().unwrap() == "lines").collect();
    assert_eq!(kept.len(), 1);
    assert!(std::fs::read_to_string(&kept[0]).unwrap().ends_with("}\none\n"));
}

#[test]
fn what_is_masked_is_not_in_the_batch_that_is_set_aside() {
    let dir = directory();
    std::fs::write(dir.path().join("log/a.log"), "password=hunter2 x\n").unwrap();
    let definitions = serde_json::json!([{"paths": dir.path().join("log"), "mask": "token"}]);
    let mut options = Options::from(FollowOptions::new(Vec::new(), dir.path().join("state")));
    options.add(crate::inputs_of(&definitions).unwrap());
    let (taken, _received) = mpsc::channel();
    let refused = DeliverError::Refused("400 Bad Request".into());
    let server = Scripted { answers: Mutex::new(vec![refused]), taken: Mutex::new(taken) };
    let (shipper, _) = Shipper::start(options, Arc::new(server)).unwrap();
    while shipper.status().n_refused == 0 {
        std::thread::yield_now();
    }
    shipper.stop();
    let kept = std::fs::read_dir(dir.path().join("state/dead-letter")).unwrap().map(|entry| entry.unwrap().path());
    let text: String = kept.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(text.contains("password=******* x") && !text.contains("hunter2"), "{text}");
}

/// A server that takes everything and keeps what it is told.
#[derive(Default)]
struct Deliveries {
    reports: Mutex<Vec<crate::SourceReport>>,
    has_batch: Stop,
}

impl Deliver for Deliveries {
    fn deliver(&self, _: &FileBatch) -> Result<crate::DeliveryReceipt, DeliverError> {
        self.has_batch.set();
        Ok(crate::DeliveryReceipt::default())
    }

    fn report(&self, report: &crate::SourceReport) -> Result<(), DeliverError> {
        self.reports.hold().push(report.clone());
        Ok(())
    }
}

#[test]
fn the_last_that_a_shipper_tells_is_that_it_has_stopped_and_how_far_it_got() {
    let dir = directory();
    std::fs::write(dir.path().join("log/a.log"), "one\n").unwrap();
    let server = Arc::new(Deliveries::default());
    let options = FollowOptions::new(vec![dir.path().join("log")], dir.path().join("state"));
    let (shipper, _) = Shipper::start(options, server.clone()).unwrap();
    while !server.has_batch.is_set() {
        server.has_batch.wait(LONG);
    }
    shipper.stop();
    drop(shipper);
    let reports = server.reports.hold();
    let (last, before) = reports.split_last().unwrap();
    assert!(last.has_stopped && before.iter().all(|report| !report.has_stopped));
    assert_eq!((last.bytes_delivered, last.files[0].size, last.files[0].offset), (4, 4, 4));
}

#[test]
fn stopping_does_not_wait_for_a_server_that_is_down() {
    /// Fails for ever and says when it was asked for the first time.
    struct Down(Mutex<bool>, Condvar);
    impl Deliver for Down {
        fn deliver(&self, _: &FileBatch) -> Result<crate::DeliveryReceipt, DeliverError> {
            *self.0.hold() = true;
            self.1.notify_all();
            Err(DeliverError::Retry { after: Some(Duration::from_secs(200)), reason: "down".into() })
        }
    }
    let dir = directory();
    std::fs::write(dir.path().join("log/a.log"), "one\n").unwrap();
    let server = Arc::new(Down(Mutex::new(false), Condvar::new()));
    let options = FollowOptions::new(vec![dir.path().join("log")], dir.path().join("state"));
    let (shipper, discovery) = Shipper::start(options, server.clone()).unwrap();
    assert_eq!(discovery.files.len(), 1);
    let asked = server.1.wait_while(server.0.hold(), |asked| !*asked).unwrap();
    drop(asked);
    let before = Instant::now();
    shipper.stop();
    assert!(before.elapsed() < Duration::from_secs(20));
    drop(shipper);
    let (_shipper, received) = start(dir.path(), Vec::new());
    assert_eq!(received.recv_timeout(LONG).unwrap(), "one\n");
}

#[test]
fn lines_of_an_input_arrive_once_also_when_the_server_was_away_and_their_files_go() {
    /// Makes the lines that are asked for, and continues after the last that was kept.
    struct Counting(u64);
    impl Input for Counting {
        fn run(&mut self, sink: &Sink) -> Result<(), crate::InputError> {
            let last = sink.last_line()?.map_or(0, |line| String::from_utf8_lossy(&line).trim().parse().unwrap());
            for number in last + 1..=self.0 {
                sink.line(format!("{number:>1000}").as_bytes())?;
            }
            Ok(())
        }
    }
    let dir = directory();
    let run = |n: u64, answers: Vec<DeliverError>| {
        let (taken, received) = mpsc::channel();
        let follow = FollowOptions::new(vec![dir.path().join("log")], dir.path().join("state"));
        let file = crate::FileInput { name: "numbers".into(), ..crate::FileInput::default() };
        let inputs = vec![InputOptions { file, input: Box::new(Counting(n)), buffer_bytes: 1 << 30 }];
        let server = Scripted { answers: Mutex::new(answers), taken: Mutex::new(taken) };
        (Shipper::start(Options { follow, inputs }, Arc::new(server)).unwrap().0, received)
    };
    let mut numbers: Vec<u64> = Vec::new();
    let mut receive = |received: &mpsc::Receiver<String>, up_to: u64| {
        while numbers.last().is_none_or(|last| *last < up_to) {
            let text = received.recv_timeout(LONG).unwrap();
            numbers.extend(text.lines().map(|line| line.trim().parse::<u64>().unwrap()));
        }
        assert!(numbers.iter().copied().eq(1..=up_to), "each line once, in order");
    };
    let down = DeliverError::Retry { after: None, reason: "down".into() };
    let (shipper, received) = run(10_000, vec![down]);
    receive(&received, 10_000);
    shipper.stop();
    drop(shipper);
    let (shipper, received) = run(25_000, Vec::new());
    receive(&received, 25_000);
    shipper.stop();
    assert_eq!(shipper.status().inputs[0].lines, 15_000);
    assert!(shipper.status().inputs[0].has_ended);
    let files = std::fs::read_dir(dir.path().join("state/spool/numbers")).unwrap();
    assert!(files.count() <= 1, "what the server has is removed but for the newest");
}

/// A server that refuses pieces for what is in them, or for their size, and keeps the others.
struct Picky {
    /// Text that is not wanted.
    poison: &'static str,
    bytes_max: usize,
    kept: Mutex<Vec<(u64, String)>>,
    n_asked: AtomicU64,
}

impl Deliver for Picky {
    fn deliver(&self, batch: &FileBatch) -> Result<crate::DeliveryReceipt, DeliverError> {
        self.n_asked.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(&batch.bytes).into_owned();
        if batch.bytes.len() > self.bytes_max {
            return Err(DeliverError::TooLarge("413 Payload Too Large".into()));
        }
        if text.contains(self.poison) {
            return Err(DeliverError::Refused("422 Unprocessable Entity".into()));
        }
        self.kept.hold().push((batch.header.start, text));
        Ok(crate::DeliveryReceipt::default())
    }
}

/// Ships `text` to a server that refuses; returns what it kept as one text, the requests, and what was set aside.
fn ship_to(poison: &'static str, bytes_max: usize, text: &str) -> (String, u64, Vec<String>) {
    let dir = directory();
    std::fs::write(dir.path().join("log/a.log"), text).unwrap();
    let server = Picky { poison, bytes_max, kept: Mutex::default(), n_asked: AtomicU64::new(0) };
    let server = Arc::new(server);
    let options = FollowOptions::new(vec![dir.path().join("log")], dir.path().join("state"));
    let (shipper, _) = Shipper::start(options, server.clone()).unwrap();
    let is_done = |status: Status| status.files.iter().any(|file| file.offset == text.len() as u64);
    let deadline = Instant::now() + LONG;
    while !is_done(shipper.status()) {
        assert!(Instant::now() < deadline, "it does not end: {:?}", shipper.status());
        std::thread::yield_now();
    }
    shipper.stop();
    let mut kept = std::mem::take(&mut *server.kept.hold());
    kept.sort_unstable();
    let mut aside = Vec::new();
    for entry in std::fs::read_dir(dir.path().join("state/dead-letter")).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.extension().unwrap() == "lines" {
            assert!(std::fs::read_to_string(path.with_extension("reason")).unwrap().starts_with('4'));
            let body = std::fs::read_to_string(&path).unwrap();
            aside.push(body.split_once('\n').unwrap().1.to_string());
        }
    }
    assert_eq!(shipper.status().n_refused, aside.len() as u64);
    (kept.into_iter().map(|(_, text)| text).collect(), server.n_asked.load(Ordering::Relaxed), aside)
}

#[test]
fn the_event_that_a_server_does_not_want_is_set_aside_alone_and_all_others_arrive() {
    let line = |n: u64| format!("line {n:04} of many{}\n", if n == 777 { " POISON" } else { "" });
    let text: String = (0..1000).map(line).collect();
    let (kept, n_asked, aside) = ship_to("POISON", usize::MAX, &text);
    assert_eq!(aside, [line(777)]);
    assert_eq!(kept, text.replace(&line(777), ""));
    assert!(n_asked <= 30, "{n_asked} requests to find one line of 1000");
    let traces = "ERROR one\n at a\n at b\nERROR two\n at POISON\n at b\nERROR three\n at a\n";
    let (kept, _, aside) = ship_to("POISON", usize::MAX, traces);
    assert_eq!(aside, ["ERROR two\n at POISON\n at b\n"]);
    assert_eq!(kept, "ERROR one\n at a\n at b\nERROR three\n at a\n");
}

#[test]
fn a_server_with_a_smaller_limit_gets_smaller_pieces_and_is_not_asked_again_and_again() {
    let line = format!("{}\n", "x".repeat(999));
    let text = line.repeat(4000);
    let (kept, n_asked, aside) = ship_to("POISON", 200_000, &text);
    assert!(kept == text && aside.is_empty());
    assert!(n_asked < 60, "{n_asked} requests for 4 MB in pieces of at most 200 kB");
    let long = format!("{}\n", "x".repeat(300_000));
    let (kept, _, aside) = ship_to("POISON", 200_000, &format!("{line}{long}{line}"));
    assert!(kept == line.repeat(2) && aside == [long]);
}

#[test]
fn a_server_that_wants_nothing_does_not_hold_a_file_up_line_by_line() {
    let text = "short line\n".repeat(50_000);
    let (kept, n_asked, aside) = ship_to("line", usize::MAX, &text);
    assert!(kept.is_empty() && n_asked < 1_000, "{n_asked} requests");
    assert_eq!(aside.iter().map(String::len).sum::<usize>(), text.len());
}

#[test]
fn a_report_says_how_the_shipper_beside_it_stands_and_changes_nothing() {
    let dir = directory();
    let state = dir.path().join("state");
    assert!(crate::Report::read(&state).is_err() && !state.exists());
    std::fs::write(dir.path().join("log/a.log"), "one\n").unwrap();
    let (shipper, received) = start(dir.path(), Vec::new());
    assert_eq!(received.recv_timeout(LONG).unwrap(), "one\n");
    assert!(crate::Report::read(&state).unwrap().is_running);
    shipper.stop();
    drop(shipper);
    std::fs::write(dir.path().join("log/a.log"), "one\ntwo\n").unwrap();
    let report = crate::Report::read(&state).unwrap();
    assert_eq!((report.is_running, report.bytes_waiting, report.n_elsewhere), (false, 4, 0));
    assert_eq!((report.files.len(), report.files[0].offset, report.told.bytes_delivered), (1, 4, 4));
    std::fs::write(state.join("status.json"), "no JSON").unwrap();
    assert_eq!(crate::Report::read(&state).unwrap().told, crate::ShipperReport::default());
}

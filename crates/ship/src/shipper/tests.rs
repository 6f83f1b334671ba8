//! The shipper's threads with a server in this process.

use std::sync::Condvar;
use std::sync::mpsc;

use super::*;

/// A server that answers as told and passes on what it took.
struct Scripted {
    answers: Mutex<Vec<DeliverError>>,
    taken: Mutex<mpsc::Sender<String>>,
}

impl Deliver for Scripted {
    fn deliver(&self, batch: &FileBatch) -> Result<crate::Delivered, DeliverError> {
        if let Some(error) = locked(&self.answers).pop() {
            return Err(error);
        }
        let text = String::from_utf8_lossy(&batch.bytes).into_owned();
        locked(&self.taken).send(text).unwrap();
        Ok(crate::Delivered::default())
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
fn stopping_does_not_wait_for_a_server_that_is_down() {
    /// Fails for ever and says when it was asked for the first time.
    struct Down(Mutex<bool>, Condvar);
    impl Deliver for Down {
        fn deliver(&self, _: &FileBatch) -> Result<crate::Delivered, DeliverError> {
            *locked(&self.0) = true;
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
    let asked = server.1.wait_while(locked(&server.0), |asked| !*asked).unwrap();
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
    /// Makes the lines that are asked for, and goes on after the last that was kept.
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

//! Lines of inputs, on their way to disk.

use super::*;

impl Sink {
    /// Returns where the lines are kept.
    pub(crate) fn dir(&self) -> std::path::PathBuf {
        self.inner.hold().spool.dir.to_owned()
    }
}

fn sink(dir: &Path, when_full: WhenFull, bytes_max: u64) -> Sink {
    Sink::new("input".into(), when_full, Spool::open(dir.into(), bytes_max).unwrap(), Arc::new(Stop::default()))
}

fn kept(sink: &Sink) -> Vec<u8> {
    let mut paths: Vec<_> = std::fs::read_dir(sink.dir()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn what_a_program_prints_is_kept_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), WhenFull::Wait, u64::MAX);
    let arguments = ["printf", r"one\ntwo\nhalf"].map(String::from).to_vec();
    Command { arguments, every: None }.run_once(&sink).unwrap();
    assert_eq!(kept(&sink), b"one\ntwo\nhalf\n");
    assert_eq!(sink.status().lines, 3);
}

#[test]
fn a_program_that_fails_is_named_with_its_status_and_what_it_printed_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), WhenFull::Wait, u64::MAX);
    let arguments = ["ls", "/", "/nowhere/at/all"].map(String::from).to_vec();
    let error = Command { arguments, every: None }.run_once(&sink).unwrap_err().to_string();
    assert!(error.starts_with("ls / /nowhere/at/all: exit status"), "{error}");
    assert!(!kept(&sink).is_empty());
    let absent = Command { arguments: vec!["no-such-program-here".into()], every: None };
    assert!(absent.run_once(&sink).unwrap_err().to_string().contains("no-such-program-here"));
}

#[test]
fn a_program_that_prints_again_works_while_it_still_runs() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), WhenFull::Wait, 1 << 20);
    sink.fails("exit status: 1".into());
    let printing = ["sh", "-c", "echo works; exit 3"].map(String::from).to_vec();
    Command { arguments: printing, every: None }.run_once(&sink).unwrap_err();
    assert_eq!(sink.status().last_error, None);
    sink.fails("exit status: 1".into());
    Command { arguments: vec!["false".into()], every: None }.run_once(&sink).unwrap_err();
    assert_eq!(sink.status().last_error.as_deref(), Some("exit status: 1"));
}

#[test]
fn a_program_that_fails_is_run_again_at_its_time_and_no_sooner() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), WhenFull::Wait, 1 << 20);
    let arguments = ["sh", "-c", "echo x; exit 3"].map(String::from).to_vec();
    let mut command = Command { arguments, every: Some(Duration::from_secs(3600)) };
    std::thread::scope(|scope| {
        let running = scope.spawn(|| command.run(&sink));
        while sink.status().last_error.is_none() && !running.is_finished() {
            std::thread::yield_now();
        }
        sink.stop.set();
        running.join().unwrap().unwrap();
    });
    assert_eq!(sink.status().lines, 1);
}

#[test]
fn measurements_go_on_when_the_buffer_is_full_and_what_goes_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), WhenFull::GiveUpOldest, 1 << 20);
    let line = vec![b'x'; 1023];
    for _ in 0..(32 << 10) {
        sink.line(&line).unwrap();
    }
    sink.flush().unwrap();
    let (status, kept) = (sink.status(), kept(&sink).len() as u64);
    assert_eq!(status.given_up.bytes + kept, 32 << 20);
    assert_eq!(status.given_up.lines, status.given_up.bytes >> 10);
    assert!(kept <= (9 << 20) + FLUSH_BYTES as u64, "{kept}");
}

#[test]
fn lines_that_can_wait_wait_for_room_and_go_on_when_the_server_has_some() {
    let dir = tempfile::tempdir().unwrap();
    let sink = Arc::new(sink(dir.path(), WhenFull::Wait, 1 << 20));
    let n_lines = 8 << 10;
    let writer = sink.clone();
    let writing = std::thread::spawn(move || {
        for _ in 0..n_lines {
            writer.line(&[b'x'; 1023]).unwrap();
        }
        writer.flush().unwrap();
    });
    let full = 1 << 20;
    while (kept(&sink).len() as u64) < full {
        std::thread::yield_now();
    }
    // However often it is tried, no more is written than was there when it was full.
    for _ in 0..100 {
        sink.flush_if_room().unwrap();
        assert!(kept(&sink).len() as u64 <= full + FLUSH_BYTES as u64);
        assert!(sink.status().lines < n_lines);
    }
    // The server takes everything: the newest file stays where it is, and counts no longer.
    while !writing.is_finished() {
        for entry in std::fs::read_dir(sink.dir()).unwrap() {
            let path = entry.unwrap().path();
            sink.acknowledged(&path, std::fs::metadata(&path).unwrap().len());
        }
    }
    writing.join().unwrap();
    assert_eq!((sink.status().lines, sink.status().given_up), (n_lines, LossCount::default()));
}

#[test]
fn a_heartbeat_says_what_it_is_and_who_beats() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), WhenFull::GiveUpOldest, u64::MAX);
    sink.stop.set();
    let mut heartbeat = heartbeat::Heartbeat::new(Duration::from_secs(1));
    heartbeat.run(&sink).unwrap();
    assert_eq!(sink.status().lines, 0, "a shipper that stops beats no more");
    heartbeat.beat(&sink).unwrap();
    sink.flush().unwrap();
    let line: serde_json::Value = serde_json::from_slice(&kept(&sink)).unwrap();
    assert_eq!((&line["message"], &line["version"]), (&"heartbeat".into(), &env!("CARGO_PKG_VERSION").into()));
    assert!(line["uptime"].is_u64() && line["@timestamp"].is_string());
}

#[test]
fn a_program_that_says_nothing_ends_with_the_shipper_and_what_it_started_does_too() {
    let dir = tempfile::tempdir().unwrap();
    let sink = Arc::new(sink(dir.path(), WhenFull::Wait, u64::MAX));
    let stopping = sink.clone();
    // The program has ended when it is stopped; what it started holds its output open.
    let script = "sleep 1000 & echo started";
    let mut command = Command { arguments: ["sh", "-c", script].map(String::from).to_vec(), every: None };
    let running = std::thread::spawn(move || command.run(&sink));
    while stopping.status().lines == 0 {
        std::thread::yield_now();
    }
    stopping.stop.set();
    let outcome = running.join().unwrap();
    assert!(matches!(outcome, Err(InputError::Stopping)), "{outcome:?}");
}

#[test]
fn standard_input_that_says_nothing_does_not_keep_the_shipper_and_what_came_is_kept() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path(), WhenFull::Wait, u64::MAX);
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"one\nhalf").unwrap();
    sink.stop.set();
    stdin::copy_until_stopped(reader, "a pipe", &sink).unwrap();
    assert_eq!(kept(&sink), b"one\nhalf\n");
    drop(writer);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let sink =
        Sink::new("input".into(), WhenFull::Wait, Spool::open(dir.path().join("b"), u64::MAX).unwrap(), Arc::default());
    let long = [b"x".repeat(100_000), b"\n".to_vec()].concat().repeat(3);
    let expected = long.clone();
    let writing = std::thread::spawn(move || writer.write_all(&long).unwrap());
    stdin::copy_until_stopped(reader, "a pipe", &sink).unwrap();
    writing.join().unwrap();
    assert_eq!(kept(&sink), expected);
}

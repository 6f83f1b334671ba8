//! Logs that are rotated in every way while a test does something to those who read them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;

use serde_json::json;
use ship::torture::{Progress, Rotation, Tally, Writer, WriterSummary};

use crate::server::{ALL_TIME, Server};

const OF_WRITERS: &str = "filter @message like /^w=/ | parse @message /^w=(?<kind>[a-z-]+) /";

/// Writers at work, one for each kind of rotation; they stop when this is dropped.
pub(crate) struct Rotating {
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<std::io::Result<WriterSummary>>>,
}

impl Rotating {
    /// Begins to write below `logs`.
    pub(crate) fn start(logs: &Path) -> Rotating {
        let mut rotating = Rotating { progress: Arc::default(), stop: Arc::default(), threads: Vec::new() };
        for rotation in Rotation::ALL {
            let mut writer = Writer::new(logs, rotation, rotating.progress.clone()).expect("scratch is writable");
            let stop = rotating.stop.clone();
            rotating.threads.push(std::thread::spawn(move || writer.write(&stop)));
        }
        rotating
    }

    /// Waits until so many more lines are stored. Writers are told of them: some wait for it to take something away.
    pub(crate) fn wait_for_more(&self, server: &Server, n_more: u64) {
        let enough = self.note(server) + n_more;
        server.until("it reads on", || (self.note(server) >= enough).then_some(()));
    }

    fn note(&self, server: &Server) -> u64 {
        let counts = server.rows(&format!("{OF_WRITERS} | stats count(*) by kind"));
        let mut n_all = 0;
        for row in counts {
            let (kind, n_lines) = (row[0].as_str().expect("a kind"), row[1].as_u64().expect("a number"));
            self.progress.note(kind, n_lines);
            n_all += n_lines;
        }
        n_all
    }

    /// Ends the writing, and returns what there is.
    pub(crate) fn stop(mut self) -> Vec<WriterSummary> {
        self.stop.store(true, Relaxed);
        let joined = self.threads.drain(..).map(|thread| thread.join().expect("no writer panics"));
        joined.collect::<Result<_, _>>().expect("scratch is writable")
    }
}

impl Drop for Rotating {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}

/// Every line that was written is stored once and whole.
pub(crate) fn assert_each_line_once(server: &Server, written: &[WriterSummary]) {
    let all: u64 = written.iter().map(|written| written.lines).sum();
    server.until("every line is there", || {
        let n = server.value(&format!("{OF_WRITERS} | stats count(*) as n")).as_u64()?;
        assert!(n <= all, "{n} lines of {all}: {:?}\n{}", tally(server, written).verdicts(), server.transcript());
        (n == all).then_some(())
    });
    let tally = tally(server, written);
    assert!(tally.is_exact(), "{:?} {:?}", tally.verdicts(), &tally.strange);
}

/// All that is stored, compared with what was written.
fn tally(server: &Server, written: &[WriterSummary]) -> Tally {
    let mut tally = Tally::new(written);
    let headers = [("content-type", "application/json"), ("accept", "application/x-ndjson")];
    let query = "filter @message like /w=/ | fields @message";
    let request = json!({"query": query, "from": ALL_TIME.0, "to": ALL_TIME.1});
    let answer = server.post("/api/v1/query", &headers, request.to_string());
    for row in answer.body.lines().filter(|line| line.starts_with('[')) {
        let [text]: [String; 1] = serde_json::from_str(row).expect("a row has one text");
        tally.take(&text);
    }
    tally
}

//! Lines of a scratch directory, before and after a shipper has seen them.

use regex::Regex;
use types::Timestamp;

use super::*;
use crate::Follower;
use crate::boundary::Multiline;

struct Scratch {
    dir: tempfile::TempDir,
    options: FollowOptions,
}

impl Scratch {
    /// Returns a directory with the file `logs/a.log`, and an input for it.
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().expect("a scratch directory");
        std::fs::create_dir(dir.path().join("logs")).expect("scratch");
        std::fs::write(dir.path().join("logs/a.log"), text).expect("scratch");
        let mut options = FollowOptions::new(vec![dir.path().join("logs")], dir.path().join("state"));
        options.host = "web-1".into();
        Self { dir, options }
    }

    fn trace(&self, number: u64) -> LineTrace {
        LineTrace::new(&self.options, &self.dir.path().join("logs/a.log"), number).expect("a line")
    }

    /// Returns the stage at which the line ended, with its sentence.
    fn end(&self, number: u64) -> (&'static str, String) {
        let trace = self.trace(number);
        let end = trace.stages.into_iter().find(|stage| stage.outcome == LineOutcome::Stopped).expect("an end");
        (end.name, end.text)
    }

    fn input(&mut self) -> &mut FileInput {
        &mut self.options.inputs[0]
    }

    fn rules(&mut self, json: &serde_json::Value) {
        let node = definition::Node::root("input", json);
        self.input().rules = crate::Rules::of(&node).expect("rules");
    }
}

const TRACE: &str = "first\nERROR x\n\tat a.B\n\tat a.C\nlast\n";

#[test]
fn a_line_is_traced_with_the_event_that_it_is_part_of() {
    let scratch = Scratch::new(TRACE);
    for number in 2..=4 {
        let event = scratch.trace(number).event.expect("an event");
        assert_eq!((&*event.text, event.range.clone()), ("ERROR x\n\tat a.B\n\tat a.C\n", 6..30));
    }
    let trace = scratch.trace(5);
    assert_eq!(trace.event.as_ref().map(|event| &*event.text), Some("last\n"));
    let names: Vec<&str> = trace.stages.iter().map(|stage| stage.name).collect();
    assert_eq!(names, ["file", "input", "event", "shipper"]);
    assert_eq!(trace.stages[3].outcome, LineOutcome::Unknown);
    assert_eq!(trace.event.and_then(|event| event.identity), None);
}

#[test]
fn an_expression_of_the_input_decides_where_events_begin() {
    let mut scratch = Scratch::new("#a\nb\n\nc\n#d\n");
    scratch.input().multiline = Multiline::Start(Regex::new("^#").expect("valid"));
    let trace = scratch.trace(4);
    assert_eq!(trace.event.map(|event| event.range), Some(0..8));
    assert_eq!(trace.stages[2].text, "part of the event of lines 1 to 4");
}

#[test]
fn a_file_that_no_input_takes_is_named_with_the_reason() {
    let mut scratch = Scratch::new(TRACE);
    let logs = scratch.dir.path().join("logs");
    scratch.input().excluded = vec![logs.join("*.log")];
    assert_eq!(scratch.end(1), ("input", "the input \"files\" excludes it".to_owned()));
    scratch.input().paths = vec![logs.join("*.txt")];
    scratch.input().excluded = Vec::new();
    assert!(scratch.end(1).1.starts_with("no input names this file"), "{:?}", scratch.end(1));
}

#[test]
fn rules_of_the_input_end_or_mask_a_line() {
    let mut scratch = Scratch::new("GET /healthz\nuser=bob@example.com in\n\nplain\n");
    scratch.rules(&serde_json::json!({"drop": "healthz", "mask": "email"}));
    assert_eq!(scratch.end(1), ("rules", "`drop` of the input \"files\" matches: it is not sent".to_owned()));
    let masked = scratch.trace(2).event.expect("an event");
    assert_eq!(masked.text, "user=*************** in\n");
    assert_eq!(scratch.trace(4).stages[3].outcome, LineOutcome::Passed);
    scratch.rules(&serde_json::json!({"keep": "healthz"}));
    assert_eq!(scratch.end(4).1, "no `keep` of the input \"files\" matches: it is not sent");
}

#[test]
fn what_was_acknowledged_is_told_from_what_is_waiting() {
    let scratch = Scratch::new("one\ntwo\n");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    let path = scratch.dir.path().join("logs/a.log");
    let file = std::fs::File::options().append(true).open(&path).expect("the file");
    file.set_modified(old).expect("the file");
    let now = crate::shipper::now();
    let (mut follower, _) = Follower::open(scratch.options.clone(), now).expect("a follower");
    let waits = scratch.trace(1);
    assert_eq!(waits.stages.last().map(|stage| stage.outcome), Some(LineOutcome::Waiting));
    let mut at = now;
    while follower.n_files() > 0 {
        let batches = follower.poll_once(at);
        if batches.is_empty() {
            at = Timestamp(at.0 + Timestamp::SECOND);
            assert!(at.0 - now.0 < 60 * Timestamp::SECOND, "nothing is read");
            continue;
        }
        batches.iter().for_each(|batch| follower.acknowledge(batch, at));
        break;
    }
    follower.save(at).expect("it is saved");
    std::fs::write(&path, "one\ntwo\nthree\n").expect("the file");
    assert_eq!(scratch.trace(2).stages.last().map(|stage| stage.outcome), Some(LineOutcome::Passed));
    let third = scratch.trace(3);
    assert_eq!(third.stages.last().map(|stage| stage.outcome), Some(LineOutcome::Waiting));
    assert!(third.event.is_some_and(|event| event.identity.is_some()));
}

#[test]
fn lines_that_are_not_there_and_files_that_are_no_text_are_refused() {
    let scratch = Scratch::new("one\ntwo");
    let path = scratch.dir.path().join("logs/a.log");
    let error = |number| LineTrace::new(&scratch.options, &path, number).expect_err("no line").to_string();
    assert!(error(3).ends_with("has 2 lines; lines are counted from 1"), "{}", error(3));
    assert!(error(0).contains("has 2 lines"));
    assert!(scratch.trace(2).stages[2].text.contains("no line end yet"));
    std::fs::write(&path, "one\n").expect("scratch");
    assert!(error(2).ends_with("has 1 line; lines are counted from 1"), "{}", error(2));
    std::fs::write(&path, b"\x1f\x8b\x08 gzip").expect("scratch");
    assert!(error(1).contains("compressed"), "{}", error(1));
}

//! A trial on stored events counts what the pipeline then does to the same events when they arrive.

use std::sync::Arc;

use serde_json::json;
use storage::{Options, Store};
use tempfile::TempDir;
use types::{GroupPattern, TimeRange};

use super::*;
use crate::{Encoding, Format, IngestRequest, Intake, Sender};

struct House {
    intake: Intake,
    store: Arc<Store>,
    _dir: TempDir,
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").unwrap()
}

fn group() -> GroupName {
    GroupName::new("shop/web").unwrap()
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let (store, _) = Store::open(Options::new(dir.path().join("data"))).unwrap();
        Self { intake: Intake::new(store.clone(), Limits::default(), 0), store, _dir: dir }
    }

    fn send(&self, body: &str, format: Format) {
        let request = IngestRequest {
            body: body.as_bytes(),
            encoding: Encoding::Identity,
            format,
            group: group(),
            stream: "web-1".into(),
            fields: &[],
            sender: Sender { name: "", within: &GroupScope::All, batch_id: None, now: now(), groups: None },
        };
        self.intake.ingest(request).unwrap();
    }

    fn trial(&self, definition: &Json) -> TrialCounts {
        let group = group();
        let candidates = [Pipelines::compile_one(definition).unwrap()];
        let current = self.intake.pipelines();
        let trial = self.intake.trial(&current, &candidates, &group, now());
        let snapshot = self.store.snapshot(&[GroupPattern::new(group.as_str())], TimeRange::ALL);
        let mut counts = TrialCounts::default();
        for run in &snapshot.runs {
            for block in 0..run.n_blocks() {
                counts.merge(trial.block(&**run, block, &RowSet::all(run.block_rows(block))).unwrap());
            }
        }
        counts
    }
}

/// Lines, JSON lines and records, with and without levels.
fn send_all(house: &House) {
    let lines: Vec<String> = (0..200).map(|n| format!("INFO GET /healthz 200 {n}")).collect();
    house.send(&lines.join("\n"), Format::Text);
    let lines: Vec<String> =
        (0..100).map(|n| format!("paid user=u{n} amount={n}.50 card 4111 1111 1111 1111")).collect();
    house.send(&lines.join("\n"), Format::Text);
    let lines: Vec<String> =
        (0..50).map(|n| format!(r#"{{"msg":"mail to a{n}@example.org","level":"debug","status":{n}}}"#)).collect();
    house.send(&lines.join("\n"), Format::Text);
    let records: Vec<String> = (0..50)
        .map(|n| {
            format!(
                r#"{{"@timestamp":"2026-11-20T11:00:{:02}Z","message":"token=abc{n}def","password":"x{n}"}}"#,
                n % 60
            )
        })
        .collect();
    house.send(&records.join("\n"), Format::Ndjson);
}

/// Checks that the trial on stored events is what the pipeline does to the same events when they arrive.
fn check(definition: &Json) -> TrialOutcome {
    let before = House::new();
    send_all(&before);
    let tried = before.trial(definition);
    assert_eq!(tried.n_events, 400);
    let outcome = tried.outcomes[0].clone();
    let after = House::new();
    after.intake.make_pipeline(definition, "ann", now()).unwrap();
    send_all(&after);
    let status = after.intake.pipelines().status().remove(0);
    assert_eq!(
        (outcome.matched, outcome.dropped, outcome.sampled_out, outcome.masked, outcome.routed, outcome.failed),
        (status.events, status.dropped, status.sampled_out, status.masked, status.routed, status.failed),
        "{definition}"
    );
    // A pipeline that does nothing counts what is stored.
    let counter = json!({"name": "none", "match": {"group": "shop/web"}, "steps": [{"drop": ["nothing"]}]});
    let stored = after.trial(&counter);
    if outcome.routed == 0 {
        assert_eq!(stored.n_events, 400 - outcome.dropped - outcome.sampled_out, "{definition}");
        assert_eq!(stored.n_bytes, tried.n_bytes - outcome.bytes_before + outcome.bytes_after, "{definition}");
    } else {
        assert_eq!(stored.n_events, 400 - outcome.routed, "{definition}");
    }
    outcome
}

#[test]
fn what_is_counted_is_what_happens_to_new_events() {
    let group = "shop/web";
    let dropped = check(&json!({
        "name": "health", "match": {"group": group, "matches": r"^INFO GET /healthz [0-9]+ [0-9]+$"}, "steps": [{"drop": "event"}],
    }));
    assert_eq!((dropped.dropped, dropped.bytes_after, dropped.examples.len()), (200, 0, EXAMPLES_MAX));
    let sampled = check(&json!({"name": "some", "match": {"group": group}, "steps": [{"sample": 10}]}));
    assert!(sampled.sampled_out > 300 && sampled.sampled_out < 400, "{sampled:?}");
    for (rule, masked) in [("card", 100), ("email", 50), ("token", 50)] {
        let outcome = check(&json!({"name": rule, "match": {"group": group}, "steps": [{"mask": [rule]}]}));
        assert_eq!((outcome.matched, outcome.masked), (400, masked), "{rule}");
        assert!(outcome.examples.iter().all(|example| example.after.is_some()));
    }
    let parsed = check(&json!({
        "name": "pay",
        "match": {"group": group, "matches": "^paid"},
        "steps": [{"parse": r"grok:paid user=%{NOTSPACE:user} amount=%{NUMBER:amount:float}"}],
    }));
    assert_eq!((parsed.changed, parsed.failed), (100, 0));
    assert!(parsed.bytes_after > parsed.bytes_before);
    let routed = check(&json!({
        "name": "mail", "match": {"group": group, "matches": {"msg": "^mail"}}, "steps": [{"route": "shop/mail"}],
    }));
    assert_eq!((routed.routed, routed.bytes_after), (50, routed.bytes_before));
    let debug = check(&json!({"name": "d", "match": {"group": group, "level": "debug"}, "steps": [{"drop": "event"}]}));
    assert_eq!(debug.dropped, 50);
}

#[test]
fn events_that_pipelines_of_now_drop_or_stop_are_not_counted() {
    let house = House::new();
    send_all(&house);
    let health = json!({"name": "health", "match": {"matches": "healthz"}, "steps": [{"drop": "event"}]});
    let paid = json!({"name": "paid", "match": {"matches": "^paid"}, "steps": [{"mask": "card"}], "stop": true});
    house.intake.configure_pipelines(&json!([health, paid])).unwrap();
    let all = house.trial(&json!({"name": "all", "steps": [{"drop": "event"}]}));
    assert_eq!((all.n_events, all.outcomes[0].dropped), (100, 100));
}

#[test]
fn made_pipelines_survive_a_restart_and_are_the_last() {
    let house = House::new();
    let configured = json!([{"name": "file", "steps": [{"set": {"a": 1}}]}]);
    house.intake.configure_pipelines(&configured).unwrap();
    let made = |name: &str| json!({"name": name, "match": {"has": ["a"]}, "steps": [{"drop": "event"}]});
    house.intake.make_pipeline(&made("z"), "ann", now()).unwrap();
    house.intake.make_pipeline(&made("b"), "ann", Timestamp(now().0 + 1)).unwrap();
    let names = |intake: &Intake| -> Vec<String> {
        intake.pipelines().status().into_iter().map(|status| status.name).collect()
    };
    assert_eq!(names(&house.intake), ["file", "z", "b"]);
    let taken = house.intake.make_pipeline(&made("file"), "ann", now());
    assert!(matches!(taken, Err(crate::MakePipelineError::Taken(_))), "{taken:?}");
    assert!(house.intake.make_pipeline(&json!({"name": "x", "steps": [{"mask": "emial"}]}), "ann", now()).is_err());
    // Another node of the same store, or the same one after a restart.
    let other = Intake::new(house.store.clone(), Limits::default(), 0);
    other.configure_pipelines(&configured).unwrap();
    assert_eq!(names(&other), ["file", "z", "b"]);
    assert_eq!(other.made_pipelines()[0].made_by, "ann");
    // What one of them changes holds for the other when it looks.
    house.intake.remove_pipeline("z").unwrap();
    other.follow_pipelines().unwrap();
    assert_eq!(
        (names(&house.intake), names(&other)),
        (vec!["file".into(), "b".into()], vec!["file".into(), "b".into()])
    );
    assert!(matches!(house.intake.remove_pipeline("file"), Err(crate::MakePipelineError::Unknown(_))));
    // A name that the configuration takes later is refused, and nothing changes.
    let clash = other.configure_pipelines(&json!([made("b")])).unwrap_err();
    assert!(clash.contains("another pipeline with the name \"b\"") && clash.contains("rename"), "{clash}");
    assert_eq!(names(&other), ["file", "b"]);
}

#[test]
fn a_stored_pipeline_that_cannot_be_read_is_not_passed_over() {
    let house = House::new();
    house
        .store
        .settings()
        .put("pipeline", "new", r#"{"definition":{"name":"new","steps":[{"future":1}]},"made_by":"ann","made_at":"x"}"#)
        .unwrap();
    let error = house.intake.configure_pipelines(&json!([])).unwrap_err();
    assert!(error.contains("made through the API"), "{error}");
    house.store.settings().put("pipeline", "new", "{}").unwrap();
    assert!(house.intake.configure_pipelines(&json!([])).unwrap_err().contains("\"new\" cannot be read"));
}

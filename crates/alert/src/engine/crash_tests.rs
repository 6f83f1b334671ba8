//! Kills between evaluate, persist, send and record: whatever the order, each alert is sent at least once, repeats
//! carry the same id, and no end comes before its beginning (T-ALR-2).
//!
//! `CATAT_FAULT_ROUNDS` says how many histories there are; each has 25 turns, most of which end in a kill.

use std::collections::{BTreeMap, BTreeSet};

use plan::Operator;
use types::{Timestamp, Value};

use super::*;
use crate::post::PostError;
use crate::{Ask, ChannelSettings, Question, Table};

pub(super) const RULE: &str = "groups: [{name: g, rules: [{name: r, query: 'filter a = 1 | stats count(*) as count by @log', \
                    condition: count > 0, interval: 60s}]}]";

/// The log groups, of which each has alerts of its own.
const LOGS: [&str; 2] = ["a", "b"];

/// What holds now, of each log group.
pub(super) struct Truth(pub(super) Mutex<[bool; 2]>);

impl Ask for Truth {
    fn ask(&self, question: &Question<'_>) -> Result<Table, String> {
        let fires = |operator: &Operator| match operator {
            Operator::Project { columns, .. } => columns.last().is_some_and(|(name, _)| &**name == "__fires"),
            _ => false,
        };
        if !question.plan.operators().last().is_some_and(fires) {
            return Ok(Table::default());
        }
        let holds = *self.0.lock().unwrap();
        let row = |log: &str| vec![Some(Value::text(log)), Some(Value::Integer(1)), Some(Value::Boolean(true))];
        let rows = LOGS.iter().zip(holds).filter(|(_, holds)| *holds).map(|(log, _)| row(log)).collect();
        Ok(Table { columns: vec!["@log".into(), "count".into(), "__fires".into()], rows, partial: None })
    }
}

/// What a receiver got: per log group, beginnings and ends in the order in which they first came.
#[derive(Default)]
struct Heard {
    told: BTreeMap<String, Vec<(String, String)>>,
    ids: BTreeMap<(String, String, String), String>,
    n_posts: usize,
}

impl Heard {
    fn hear(&mut self, message: &Json) {
        self.n_posts += 1;
        let alerts = message["alerts"].as_array().cloned().unwrap_or_else(|| vec![message.clone()]);
        for alert in alerts {
            let text = |at: &str| alert.pointer(at).and_then(Json::as_str).unwrap_or_default().to_string();
            let (log, status, starts_at) = (text("/labels/@log"), text("/status"), text("/starts_at"));
            let told = self.told.entry(log.clone()).or_default();
            if status == "resolved" {
                let began = ("firing".to_string(), starts_at.clone());
                assert!(told.contains(&began), "the end of what never began: {alert}");
            }
            let known = (status.clone(), starts_at.clone());
            if !told.contains(&known) {
                told.push(known);
            }
            let id = self.ids.entry((log, status, starts_at)).or_insert_with(|| text("/id"));
            assert_eq!(*id, text("/id"), "one firing, two ids");
        }
    }
}

struct Scene {
    dir: tempfile::TempDir,
    engine: RuleEngine,
    truth: Truth,
    heard: Heard,
    now: Timestamp,
    seed: u64,
}

fn opened(dir: &std::path::Path, now: Timestamp) -> RuleEngine {
    RuleEngine::open(None, rules(), Vec::new(), &Options::new(dir.into()), now).unwrap()
}

/// Returns a rule, and a channel.
pub(super) fn rules() -> RuleSet {
    let mut rules = RuleSet::default();
    rules.add("r.yaml", RULE).unwrap();
    let settings = ChannelSettings {
        name: "hook".into(),
        kind: "webhook".into(),
        url: Some("http://127.0.0.1:9/".into()),
        ..ChannelSettings::default()
    };
    rules.channels.push(Channel::new(settings).unwrap());
    rules
}

impl Scene {
    fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::parse_rfc3339("2026-11-20T06:00:00Z").unwrap();
        let truth = Truth(Mutex::new([false; 2]));
        Self { engine: opened(dir.path(), now), dir, truth, heard: Heard::default(), now, seed }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    fn kill(&mut self) {
        self.engine = opened(self.dir.path(), self.now);
    }

    /// Until `end`, nothing can be written.
    fn block(&self) {
        let _ = std::fs::create_dir(self.dir.path().join("alerts.tmp"));
    }

    fn unblock(&self) {
        let _ = std::fs::remove_dir(self.dir.path().join("alerts.tmp"));
    }

    fn evaluate(&mut self) {
        let now = self.now;
        self.engine.evaluate_due(&self.truth, &|| now);
    }

    /// Posts the next notification. Returns `false` if there is none.
    fn post(&mut self, recorded: Option<Result<(), PostError>>) -> bool {
        let channel = self.engine.active_rules().channel("hook").cloned().unwrap();
        let Some(notification) = self.engine.due_notification(&channel, self.now) else { return false };
        if !matches!(recorded, Some(Err(_))) {
            self.heard.hear(&notification.message());
        }
        if let Some(result) = recorded {
            self.engine.settle("hook", &notification.id, &result, self.now);
        }
        true
    }

    /// One turn with a kill somewhere in it.
    fn turn(&mut self) {
        self.now = Timestamp(self.now.0 + Timestamp::MINUTE);
        let fails = || PostError::Retry { after: None, reason: "answered 500".into() };
        match self.random(8) {
            0 => self.evaluate(),
            // Evaluated, and killed before it is on disk.
            1 => {
                self.block();
                self.evaluate();
                self.unblock();
                self.kill();
            }
            // On disk, and killed before it is sent.
            2 => {
                self.evaluate();
                self.kill();
            }
            // Sent, and killed before that is recorded.
            3 => {
                self.evaluate();
                self.post(None);
                self.kill();
            }
            // Sent and recorded, but that is not on disk.
            4 => {
                self.evaluate();
                self.post(None);
                self.block();
                self.post(Some(Ok(())));
                self.unblock();
                self.kill();
            }
            5 => {
                self.evaluate();
                self.post(Some(Ok(())));
                self.kill();
            }
            // Refused, and killed.
            6 => {
                self.evaluate();
                self.post(Some(Err(fails())));
                self.kill();
            }
            // Killed while it writes.
            _ => {
                self.evaluate();
                std::fs::write(self.dir.path().join("alerts.tmp"), b"{\"format\":\"cat").unwrap();
                self.kill();
            }
        }
        if self.random(3) == 0 {
            self.post(Some(Ok(())));
        }
    }
}

#[test]
fn alerts_survive_kills_at_every_step_of_their_way() {
    let n_rounds = std::env::var("CATAT_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10u64);
    for seed in 0..n_rounds {
        let mut scene = Scene::new(seed);
        let mut n_began = [0usize; 2];
        for turn in 0..25 {
            // What begins or ends stays so for five turns, so that a turn that was killed is not the only one to see it.
            if turn % 5 == 0 {
                let flips = scene.random(4);
                let mut holds = scene.truth.0.lock().unwrap();
                for at in 0..2 {
                    if flips & (1 << at) != 0 {
                        holds[at] = !holds[at];
                        n_began[at] += usize::from(holds[at]);
                    }
                }
                drop(holds);
                // One turn in which nothing is in the way.
                scene.now = Timestamp(scene.now.0 + Timestamp::MINUTE);
                scene.evaluate();
            }
            scene.turn();
        }
        *scene.truth.0.lock().unwrap() = [false; 2];
        for _ in 0..200 {
            scene.now = Timestamp(scene.now.0 + Timestamp::MINUTE);
            scene.evaluate();
            while scene.post(Some(Ok(()))) {}
        }
        assert_eq!(scene.engine.n_waiting(), 0, "seed {seed}");
        for (log, n_began) in LOGS.iter().zip(n_began) {
            let told = scene.heard.told.remove(*log).unwrap_or_default();
            let starts: BTreeSet<&String> = told.iter().map(|(_, starts_at)| starts_at).collect();
            assert_eq!(starts.len(), n_began, "seed {seed}, {log}: every alert, and none twice: {told:?}");
            let pairs: Vec<_> =
                told.chunks(2).map(|pair| (pair[0].0.as_str(), pair.get(1).map(|end| end.0.as_str()))).collect();
            assert!(pairs.iter().all(|pair| *pair == ("firing", Some("resolved"))), "seed {seed}, {log}: {told:?}");
        }
    }
}

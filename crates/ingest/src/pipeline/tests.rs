//! Golden cases: pipelines and lines, and what becomes of them; mistakes; and that what is masked is nowhere on the disk.
//!
//! The cases are in `tests/pipelines/*.txt`: `=== what it is about`, the pipelines as JSON, `---`, lines as they are sent,
//! `---`, for each line its event or its fate. `UPDATE_GOLDEN=1` writes what comes out; read it before you keep it.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use parse::{Extras, Zone};
use storage::{Options, Store};
use tempfile::TempDir;
use types::{GroupPattern, GroupScope, RowSet, TimeRange, Timestamp};

use super::*;
use crate::{Encoding, Format, IngestRequest, Intake, Sender};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").unwrap()
}

/// Returns what a case's pipelines make of its lines; `? ` before a line says that it is a record.
fn outcome(definitions: &str, lines: &str) -> String {
    let definitions: Json = serde_json::from_str(definitions).unwrap_or_else(|error| panic!("{error}: {definitions}"));
    let pipelines = match Pipelines::compile(&definitions) {
        Ok(pipelines) => pipelines,
        Err(errors) => return errors.iter().map(|error| format!("{error}\n")).collect(),
    };
    let limits = Limits::default();
    let run = DryRun {
        pipelines: &pipelines,
        limits: &limits,
        zone: Zone::UTC,
        now: now(),
        modified: None,
        extras: Extras::default(),
        format: None,
    };
    let sample = |line: &'static str| match line.strip_prefix("? ") {
        Some(record) => Sample { bytes: record.as_bytes(), is_record: true },
        None => Sample { bytes: line.as_bytes(), is_record: false },
    };
    let lines: &'static str = lines.to_owned().leak();
    let group = GroupName::new("app/web").unwrap();
    let mut shown = String::new();
    for answer in run.run(&group, "web-1", lines.lines().map(sample)) {
        let fate = answer["fate"].as_str().unwrap_or_default();
        if fate != "kept" {
            let _ = writeln!(shown, "{fate}");
            continue;
        }
        let Json::Object(mut event) = answer["event"].clone() else { panic!("{answer}") };
        // What every case would repeat.
        event.retain(|name, value| {
            let usual = match name.as_str() {
                "@timestamp" => now().to_string(),
                "@log" => "app/web".to_owned(),
                "@logStream" => "web-1".to_owned(),
                _ => return true,
            };
            *value != usual
        });
        let _ = writeln!(shown, "{}", Json::Object(event));
    }
    shown
}

#[test]
fn golden_cases_come_out_as_they_are_written() {
    let updates = std::env::var_os("UPDATE_GOLDEN").is_some();
    for name in ["steps", "masks", "mistakes"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/pipelines/{name}.txt"));
        let file = std::fs::read_to_string(&path).unwrap();
        let (head, cases) = file.split_once("=== ").unwrap();
        let mut made = head.to_owned();
        for case in cases.split("\n=== ") {
            let (title, rest) = case.split_once('\n').unwrap();
            let rest = format!("{}\n", rest.trim_end());
            let mut parts = rest.splitn(3, "---\n");
            let (definitions, lines) = (parts.next().unwrap(), parts.next().unwrap_or_default());
            let outcome = outcome(definitions, lines);
            let expected = parts.next().unwrap_or_default();
            if !updates {
                assert_eq!(outcome.trim_end(), expected.trim_end(), "{name}: {title}");
            }
            let _ = write!(made, "=== {title}\n{definitions}---\n{lines}---\n{outcome}\n");
        }
        if updates {
            std::fs::write(&path, made.trim_end().to_owned() + "\n").unwrap();
        }
    }
}

struct House {
    intake: Intake,
    store: Arc<Store>,
    dir: TempDir,
}

impl House {
    fn new(definitions: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let (store, _) = Store::open(Options::new(dir.path())).unwrap();
        let intake = Intake::new(store.clone(), Limits { event_bytes_max: 64, ..Limits::default() }, Zone::UTC);
        intake.set_pipelines(Pipelines::compile(&serde_json::from_str(definitions).unwrap()).unwrap());
        Self { intake, store, dir }
    }

    fn send(&self, format: Format, body: &str, within: &GroupScope) -> u64 {
        let sender = Sender { name: "", within, batch_id: None, now: now(), groups: None };
        let (group, stream) = (GroupName::new("app/web").unwrap(), String::from("s"));
        let request = IngestRequest {
            body: body.as_bytes(),
            encoding: Encoding::Identity,
            format,
            group,
            stream,
            fields: &[],
            sender,
        };
        self.intake.ingest(request).unwrap().accepted
    }

    /// Group, text, parts and fields of every event.
    fn events(&self) -> Vec<String> {
        let snapshot = self.store.snapshot(&[GroupPattern::new("*")], TimeRange::ALL);
        let mut events = Vec::new();
        for run in snapshot.runs {
            let names: Vec<String> = run.fields().unwrap().iter().map(|field| field.name.to_string()).collect();
            let names: Vec<&str> =
                ["@log", "@message", "@logStream"].into_iter().chain(names.iter().map(|n| &**n)).collect();
            for block in 0..run.n_blocks() {
                let n_rows = run.block_rows(block);
                let columns = run.read(block, &names, &RowSet::all(n_rows)).unwrap();
                for row in 0..n_rows {
                    let shown = names
                        .iter()
                        .zip(&columns)
                        .filter_map(|(name, column)| Some(format!("{name}={}", column.value(row)?)));
                    events.push(shown.collect::<Vec<_>>().join(" "));
                }
            }
        }
        events.sort();
        events
    }

    /// Reports whether a text stands in any file of the data directory.
    fn is_on_disk(&self, text: &str) -> bool {
        fn look(dir: &Path, text: &[u8]) -> bool {
            std::fs::read_dir(dir).unwrap().flatten().any(|entry| {
                let path = entry.path();
                if path.is_dir() {
                    return look(&path, text);
                }
                let bytes = std::fs::read(&path).unwrap_or_default();
                path.to_string_lossy().as_bytes().windows(text.len()).any(|window| window == text)
                    || memchr::memmem::find(&bytes, text).is_some()
            })
        }
        look(self.dir.path(), text.as_bytes())
    }
}

const MASKS: &str = r#"[{"name": "privacy", "steps": [{"mask": ["email", "card", "token", "ip"]}]}]"#;

#[test]
fn what_is_masked_is_nowhere_in_the_data_directory() {
    let bodies = [
        (Format::Ndjson, "{\"message\":\"zz hello\",\"to\":[\"SECRETWORD@example.org\",{\"SECRETWORD@example.org\":1}]}".to_owned()),
        (Format::Ndjson, "{\"message\":\"zz\",\"password\":\"SECRETWORD\",\"o\":{\"SECRETWORD@example.org\":1}}".to_owned()),
        (Format::Text, "zz {\"to\":\"SECRETWORD\\u0040example.org\"}".to_owned()),
        (Format::Text, "{\"zz\":1,\"to\":\"SECRETWORD\\u0040example.org\"}".to_owned()),
        (Format::Text, format!("zz password=SECRETWORD {}", "x".repeat(200))),
        // Split into parts of 64 bytes right inside of it.
        (Format::Text, format!("{} SECRETWORD@example.org {}", "y".repeat(55), "x".repeat(200))),
        (Format::Ndjson, format!("{{\"message\":\"zz\",\"deep\":{}\"SECRETWORD@example.org\"{}}}", "[".repeat(70), "]".repeat(70))),
        (Format::Lines, "{\"source\":\"a\",\"file\":\"f\",\"generation\":0,\"start\":0,\"fields\":{\"owner\":\"SECRETWORD@example.org\"}}\nzz token=SECRETWORD\n".to_owned()),
    ];
    for (format, body) in bodies {
        let open = House::new(r#"[{"name": "other", "match": {"group": "other"}, "steps": [{"drop": "event"}]}]"#);
        open.send(format, &body, &GroupScope::All);
        // Without this the test could not fail.
        assert!(open.events().concat().contains("SECRETWORD") || open.is_on_disk("SECRETWORD"), "{body}");
        let house = House::new(MASKS);
        assert_eq!(house.send(format, &body, &GroupScope::All), 1, "{body}");
        assert!(!house.is_on_disk("SECRETWORD"), "in the log: {body}");
        house.store.flush().unwrap();
        assert!(!house.is_on_disk("SECRETWORD"), "in a segment: {body}");
        let events = house.events().concat();
        assert!(!events.contains("SECRETW") && (events.contains("zz") || events.contains("yyy")), "{events}");
    }
}

#[test]
fn a_group_that_a_sender_names_is_within_its_scope() {
    let definitions = r#"[{"name": "by-app", "steps": [{"route": "{app}"}]},
        {"name": "fixed", "match": {"fields": {"kind": "audit"}}, "steps": [{"route": "security"}]}]"#;
    let house = House::new(definitions);
    let within = GroupScope::Matching(vec![GroupPattern::new("app/*")]);
    let lines = [
        r#"{"message":"a","app":"app/shop"}"#,
        r#"{"message":"b","app":"payroll"}"#,
        r#"{"message":"c","app":"catat/audit"}"#,
        r#"{"message":"d","kind":"audit"}"#,
        r#"{"message":"e"}"#,
    ];
    assert_eq!(house.send(Format::Ndjson, &lines.join("\n"), &within), 5);
    let groups: Vec<String> =
        house.events().iter().map(|event| event.split(" @logStream").next().unwrap().to_owned()).collect();
    assert_eq!(
        groups,
        [
            "@log=app/shop @message=a",
            "@log=app/web @message=b",
            "@log=app/web @message=c",
            "@log=app/web @message=e",
            "@log=security @message=d",
        ]
    );
    house.send(Format::Ndjson, r#"{"message":"f","app":"catat/audit"}"#, &GroupScope::All);
    assert!(house.events().iter().any(|event| event.starts_with("@log=app/web @message=f")));
    let status = house.intake.pipelines().status();
    assert_eq!((status[0].routed, status[0].failed, status[1].routed), (1, 5, 1));
}

#[test]
fn new_pipelines_of_the_same_name_go_on_counting() {
    let house = House::new(MASKS);
    house.send(Format::Text, "by a@example.org", &GroupScope::All);
    house.intake.set_pipelines(Pipelines::compile(&serde_json::from_str(MASKS).unwrap()).unwrap());
    house.send(Format::Text, "plain", &GroupScope::All);
    let status = house.intake.pipelines().status();
    assert_eq!((status[0].events, status[0].masked), (2, 1));
}

#[test]
fn one_in_n_is_kept_and_the_same_ones_every_time() {
    let house = House::new(r#"[{"name": "less", "steps": [{"sample": 10, "by": "trace"}]}]"#);
    let lines: String = (0..2_000).map(|n| format!("{{\"message\":\"x\",\"trace\":\"t{}\"}}\n", n / 2)).collect();
    assert_eq!(house.send(Format::Ndjson, &lines, &GroupScope::All), 2_000);
    let kept = house.events().len();
    assert!((120..=280).contains(&kept), "{kept}");
    assert_eq!(kept % 2, 0, "both events of a trace, or none");
    assert_eq!(house.intake.pipelines().status()[0].sampled_out, 2_000 - kept as u64);
}

#[test]
fn streams_stay_with_their_events_when_others_are_routed_between_them() {
    let house = House::new(r#"[{"name": "a", "match": {"contains": "move"}, "steps": [{"route": "b"}]}]"#);
    let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now: now(), groups: None };
    let mut collector = house.intake.collect(&sender);
    let (a, b) = (
        collector.group(&GroupName::new("a").unwrap()).unwrap(),
        collector.group(&GroupName::new("b").unwrap()).unwrap(),
    );
    collector.set_stream(a, "sa");
    collector.set_stream(b, "sb");
    for (place, text) in [(b, "1"), (a, "move 2"), (b, "3"), (a, "4")] {
        collector
            .add(place, crate::RawEvent::Text(text.as_bytes()), &crate::EventMetadata::default())
            .unwrap()
            .unwrap();
    }
    house.intake.accept(collector, b"x", &sender).unwrap();
    assert_eq!(
        house.events(),
        [
            "@log=a @message=4 @logStream=sa",
            "@log=b @message=1 @logStream=sb",
            "@log=b @message=3 @logStream=sb",
            "@log=b @message=move 2 @logStream=sa",
        ]
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_a_mask_panic_or_leaves_an_address(before in r#"[ -~é"\\]{0,40}"#, after in r#"[ -~é"\\]{0,40}"#) {
        let limits = Limits::default();
        let pipelines = Pipelines::compile(&serde_json::from_str(MASKS).unwrap()).unwrap();
        let run = DryRun { pipelines: &pipelines, limits: &limits, zone: Zone::UTC, now: now(), modified: None, extras: Extras::default(), format: None };
        let line = format!("{before} somebody@example.org {after}");
        let group = GroupName::new("g").unwrap();
        let shown = run.run(&group, "", [Sample { bytes: line.as_bytes(), is_record: false }].into_iter());
        proptest::prop_assert!(!shown[0]["event"].to_string().contains("somebody@example"), "{}", shown[0]["event"]);
    }
}

//! The ledger over the shipper's form: what is missing is named to the byte.

use serde_json::{Value, json};
use storage::{Clock, Options};
use tempfile::TempDir;
use types::{GroupPattern, Limits};

use super::*;
use crate::sources::report::TEXT_CHARS_MAX;
use crate::{Encoding, Format, IngestRequest, Intake, Sender};

const NOW: Timestamp = Timestamp(1_795_176_000 * Timestamp::SECOND);

fn after(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * Timestamp::SECOND)
}

struct House {
    intake: Intake,
    store: std::sync::Arc<Store>,
    _dir: TempDir,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().expect("a scratch directory");
        let options = Options { clock: Clock::new(|| NOW), ..Options::new(dir.path().join("data")) };
        let (store, _) = Store::open(options).expect("a new store opens");
        Self { intake: Intake::new(store.clone(), Limits::default(), parse::Zone::UTC), store, _dir: dir }
    }

    /// Returns the same store with an intake that has just begun.
    fn restarted(self) -> Self {
        let intake = Intake::new(self.store.clone(), Limits::default(), parse::Zone::UTC);
        Self { intake, ..self }
    }

    /// Ships bytes `from..to` of a file of lines of ten bytes.
    fn ship(&self, header: Value, from: usize, to: usize, now: Timestamp) {
        let mut line = json!({"source": "s", "file": "f", "generation": 0, "host": "web1", "path": "/var/log/app.log"});
        line["start"] = from.into();
        let members = header.as_object().expect("an object").clone();
        line.as_object_mut().expect("an object").extend(members);
        let body = format!("{line}\n{}", "line of 9\n".repeat((to - from) / 10));
        let request = IngestRequest {
            body: body.as_bytes(),
            encoding: Encoding::Identity,
            format: Format::Lines,
            group: types::group_name_of_outside("app"),
            stream: "web1:/var/log/app.log".into(),
            fields: &[],
            sender: Sender { name: "", within: &GroupScope::All, batch_id: None, now, groups: None },
        };
        self.intake.ingest(request).expect("it is stored");
    }

    fn report(&self, mut report: Value, now: Timestamp) {
        report["host"] = "web1".into();
        let taken = self.intake.sources.report("s", report.to_string().as_bytes(), &GroupScope::All, now);
        taken.expect("a good report");
    }

    fn view(&self, within: &GroupScope, now: Timestamp) -> Value {
        serde_json::to_value(self.intake.sources.view(&self.store, within, now)).expect("it is JSON")
    }

    /// Returns the one file of the one source.
    fn file(&self, now: Timestamp) -> Value {
        self.view(&GroupScope::All, now)["sources"][0]["files"][0].clone()
    }
}

/// Returns a report of one file.
fn told(generation: u64, size: u64, offset: u64) -> Value {
    let file = json!({"file": "f", "generation": generation, "path": "/var/log/app.log", "group": "app", "size": size, "offset": offset});
    json!({"version": "1.2.3", "started": "2026-11-20T11:00:00Z", "files": [file]})
}

#[test]
fn a_range_that_was_skipped_is_named_to_the_byte_until_it_arrives() {
    let house = House::new();
    house.ship(json!({}), 0, 100, NOW);
    house.ship(json!({}), 200, 300, NOW);
    house.report(told(0, 340, 300), NOW);
    let file = house.file(NOW);
    assert_eq!(
        (&file["gaps"], &file["gap_bytes"], &file["complete"]),
        (&json!([[100, 200]]), &json!(100), &json!(false))
    );
    assert_eq!((&file["size"], &file["offset"], &file["lag_bytes"]), (&json!(340), &json!(300), &json!(40)));
    let named = [&file["path"], &file["group"], &file["stream"]];
    assert_eq!(named, ["/var/log/app.log", "app", "web1:/var/log/app.log"]);
    house.ship(json!({}), 100, 200, NOW);
    assert_eq!(house.file(NOW)["gaps"], json!([]));
    assert_eq!(house.file(NOW)["complete"], json!(false), "40 bytes are still to come");
    house.ship(json!({}), 300, 340, NOW);
    assert_eq!(house.file(NOW)["complete"], json!(true));
}

#[test]
fn what_the_shipper_left_out_at_its_start_is_no_gap() {
    let house = House::new();
    house.ship(json!({"begin": 50}), 100, 200, NOW);
    assert_eq!(house.file(NOW)["gaps"], json!([[50, 100]]));
    house.ship(json!({"begin": 50}), 50, 100, NOW);
    assert_eq!(house.file(NOW)["gaps"], json!([]));
}

#[test]
fn what_was_acknowledged_and_is_not_here_is_a_gap() {
    let house = House::new();
    house.ship(json!({}), 0, 100, NOW);
    house.report(told(0, 150, 130), NOW);
    let file = house.file(NOW);
    assert_eq!((&file["gaps"], &file["lag_bytes"]), (&json!([[100, 130]]), &json!(20)));
}

#[test]
fn the_end_of_a_file_that_is_gone_is_a_gap_and_no_lag() {
    let house = House::new();
    house.ship(json!({}), 0, 100, NOW);
    house.report(told(0, 150, 100), NOW);
    assert_eq!(house.file(NOW)["gaps"], json!([]));
    house.report(json!({"files": [], "files_left_out": 1}), after(10));
    assert_eq!(house.file(after(10))["lag_bytes"], json!(50), "it may be one of those that are not named");
    house.report(json!({"files": []}), after(20));
    let file = house.file(after(20));
    assert_eq!(
        (&file["gaps"], &file["lag_bytes"], &file["complete"]),
        (&json!([[100, 150]]), &json!(0), &json!(false))
    );
}

#[test]
fn what_was_lost_with_a_file_is_known_after_a_restart() {
    let house = House::new();
    house.ship(json!({}), 0, 100, NOW);
    let mut gone = told(0, 150, 100);
    gone["files"][0]["is_gone"] = true.into();
    house.report(gone, after(61));
    house.intake.sources.look_after(&house.store, after(61)).expect("it is kept");
    assert_eq!(house.file(after(61))["gaps"], json!([[100, 150]]));
    let house = house.restarted();
    assert_eq!(house.file(after(62))["gaps"], json!([[100, 150]]));
    house.report(told(0, 150, 100), after(63));
    assert_eq!(house.file(after(63))["gaps"], json!([]), "it is there again");
    house.report(json!({"files": []}), after(130));
    house.intake.sources.look_after(&house.store, after(130)).expect("it is kept");
    assert_eq!(house.restarted().file(after(131))["gaps"], json!([[100, 150]]));
}

#[test]
fn a_file_is_called_as_its_latest_generation_is() {
    let house = House::new();
    house.ship(json!({"generation": 1}), 0, 100, NOW);
    house.ship(json!({"path": "/var/log/app.log.1"}), 0, 100, NOW);
    assert_eq!(house.file(NOW)["path"], "/var/log/app.log");
    house.ship(json!({"generation": 1, "path": "/var/log/moved.log"}), 100, 110, NOW);
    assert_eq!(house.file(NOW)["path"], "/var/log/moved.log");
}

#[test]
fn gaps_of_an_earlier_generation_stay_with_the_file() {
    let house = House::new();
    house.ship(json!({}), 0, 100, NOW);
    house.ship(json!({}), 150, 200, NOW);
    house.ship(json!({"generation": 1}), 0, 50, NOW);
    house.report(told(1, 50, 50), NOW);
    let file = house.file(NOW);
    assert_eq!((&file["generation"], &file["generations"], &file["complete"]), (&json!(1), &json!(2), &json!(true)));
    assert_eq!(file["earlier"][0]["gaps"], json!([[100, 150]]));
    house.ship(json!({}), 100, 150, NOW);
    assert_eq!(house.file(NOW)["earlier"], json!([]));
}

#[test]
fn a_shipper_is_down_when_it_was_silent_for_half_a_minute() {
    let house = House::new();
    let state = |house: &House, now| house.view(&GroupScope::All, now)["sources"][0]["state"].clone();
    house.ship(json!({}), 0, 100, NOW);
    assert_eq!(state(&house, NOW), "unknown");
    house.report(told(0, 100, 100), after(1));
    assert_eq!(state(&house, after(30)), "up");
    assert_eq!(state(&house, after(31)), "down");
    house.report(told(0, 100, 100), after(100));
    assert_eq!(state(&house, after(100)), "up");
    house.intake.sources.keep_changes(&house.store, after(100)).expect("it is kept");
    let house = house.restarted();
    assert_eq!(state(&house, after(101)), "unknown", "nobody was there to hear it");
    house.ship(json!({}), 100, 110, after(102));
    assert_eq!(state(&house, after(140)), "down");
}

#[test]
fn what_sources_are_called_survives_a_restart() {
    let house = House::new();
    house.ship(json!({"begin": 50}), 50, 100, NOW);
    house.ship(json!({"begin": 50}), 110, 120, after(61));
    let before = house.view(&GroupScope::All, after(61));
    assert_eq!(before["sources"][0]["first_seen"], NOW.to_string());
    let house = house.restarted();
    let mut expected = before;
    expected["sources"][0]["rate_bytes_per_s"] = 0.into();
    expected["sources"][0]["files"][0]["rate_bytes_per_s"] = 0.into();
    // Where only time has passed, an hour may.
    expected["sources"][0]["last_seen"] = NOW.to_string().into();
    expected["sources"][0]["files"][0]["last_seen"] = NOW.to_string().into();
    assert_eq!(house.view(&GroupScope::All, after(61)), expected);
    assert_eq!(expected["sources"][0]["files"][0]["gaps"], json!([[100, 110]]));
}

#[test]
fn files_of_groups_out_of_reach_are_neither_shown_nor_named() {
    let house = House::new();
    house.ship(json!({}), 0, 100, NOW);
    house.report(
        json!({"last_error": "secret", "inputs": [{"name": "secret"}], "files": told(0, 100, 100)["files"]}),
        NOW,
    );
    let only = |pattern: &str| GroupScope::Matching(vec![GroupPattern::new(pattern)]);
    let seen = house.view(&only("app"), NOW);
    assert_eq!(seen["sources"][0]["files"][0]["path"], "/var/log/app.log");
    assert!(!seen.to_string().contains("secret") && seen["forgotten"].is_null());
    assert_eq!(house.view(&only("other"), NOW)["sources"], json!([]));
    let report = told(0, 1000, 1000).to_string();
    let taken = house.intake.sources.report("s", report.as_bytes(), &only("other"), NOW);
    assert_eq!(taken.expect("a good report"), 0);
    assert_eq!(house.file(NOW)["size"], json!(100));
}

#[test]
fn whole_files_are_forgotten_after_a_day_and_those_with_gaps_after_a_month() {
    let house = House::new();
    house.ship(json!({"file": "whole"}), 0, 100, NOW);
    house.ship(json!({"file": "torn"}), 0, 100, NOW);
    house.ship(json!({"file": "torn"}), 110, 200, after(1_200));
    let files = |now| {
        house.intake.sources.look_after(&house.store, now).expect("it is kept");
        house.view(&GroupScope::All, now)["sources"][0]["files"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(files(after(1_300)), 2);
    assert_eq!(files(after(86_000)), 2);
    assert_eq!(files(after(87_000)), 1);
    assert_eq!(files(after(29 * 86_400)), 1);
    assert_eq!(files(after(31 * 86_400)), 0);
    let view = house.view(&GroupScope::All, after(31 * 86_400));
    assert_eq!((&view["sources"], &view["forgotten"]), (&json!([]), &json!(1)));
    // What is forgotten is the name: the bytes are known.
    let missing = house.store.missing(&storage::SourcePosition {
        source: "s".into(),
        file: "torn".into(),
        generation: 0,
        range: 0..200,
    });
    assert!(matches!(&missing[..], [gap] if *gap == (100..110)), "{missing:?}");
    assert!(house.store.settings().all(stored_names::KIND).expect("settings").is_empty());
}

#[test]
fn files_of_a_shipper_that_is_away_are_known_for_a_month() {
    let house = House::new();
    house.ship(json!({}), 0, 100, NOW);
    house.intake.sources.look_after(&house.store, NOW).expect("it is kept");
    house.intake.sources.look_after(&house.store, after(20 * 86_400)).expect("it is kept");
    assert_eq!(house.file(after(20 * 86_400))["path"], "/var/log/app.log");
}

#[test]
fn a_clock_that_is_put_back_stops_nothing() {
    let house = House::new();
    house.ship(json!({}), 0, 100, after(1_000_000));
    house.report(told(0, 100, 100), after(1_000_000));
    house.ship(json!({}), 100, 200, NOW);
    assert_eq!(house.view(&GroupScope::All, NOW)["sources"][0]["state"], "down");
    house.report(told(0, 200, 200), after(1));
    let source = house.view(&GroupScope::All, after(1))["sources"][0].clone();
    assert_eq!((&source["state"], &source["last_seen"]), (&json!("up"), &json!(after(1).to_string())));
    assert!(source["rate_bytes_per_s"].as_u64().is_some_and(|rate| rate < 10), "{source}");
    house.ship(json!({"path": "/var/log/new.log"}), 200, 300, after(61));
    assert_eq!(house.restarted().file(after(61))["path"], "/var/log/new.log");
}

#[test]
fn a_rate_is_that_of_the_last_half_minute_or_so() {
    let house = House::new();
    for second in 0..300 {
        house.ship(json!({}), second * 1000, second * 1000 + 1000, after(second as i64));
    }
    let rate = |now| house.file(now)["rate_bytes_per_s"].as_u64().unwrap_or(0);
    assert!((950..=1020).contains(&rate(after(299))), "{}", rate(after(299)));
    assert!(rate(after(299 + 300)) < 1);
}

#[test]
fn what_is_hostile_is_refused_or_cut() {
    let sources = Sources::default();
    let report = |source: &str, json: &[u8]| sources.report(source, json, &GroupScope::All, NOW);
    for bad in [&b""[..], b"[]x", b"{\"files\":[{}]}", b"{\"host\":1}", b"\xff"] {
        assert!(report("s", bad).is_err(), "{bad:?}");
    }
    assert!(report("", b"{}").is_err() && report(&"x".repeat(2000), b"{}").is_err());
    let long = json!({"host": "h".repeat(5000), "files": [{"file": "f", "group": "é/☃", "path": "é".repeat(5000)}]});
    assert_eq!(report("s", long.to_string().as_bytes()).expect("it is cut"), 1);
    let known = sources.known.hold();
    assert_eq!(known.sources["s"].host.len(), TEXT_CHARS_MAX);
    assert_eq!(known.sources["s"].files["f"].path.chars().count(), TEXT_CHARS_MAX);
    drop(known);
    let n_files = 2_500;
    let many: Vec<Value> = (0..n_files).map(|n| json!({"file": n.to_string(), "group": "g"})).collect();
    assert_eq!(report("many", json!({ "files": many }).to_string().as_bytes()).expect("the first"), 2_000);
}

#[test]
fn there_is_an_end_to_what_is_remembered() {
    let sources = Sources::default();
    for batch in 0..26 {
        let files: Vec<Value> = (0..2_000).map(|n| json!({"file": n.to_string(), "group": "g"})).collect();
        let report = json!({ "files": files }).to_string();
        sources.report(&batch.to_string(), report.as_bytes(), &GroupScope::All, after(batch)).expect("good");
    }
    let known = sources.known.hold();
    let n_files: usize = known.sources.values().map(|source| source.files.len()).sum();
    assert!((FILES_MAX * 8 / 10..=FILES_MAX).contains(&n_files), "{n_files}");
    assert_eq!(n_files, known.n_files);
    assert_eq!(known.sources["25"].files.len(), 2_000, "those heard of last stay");
    drop(known);
    for n in 0..SOURCES_MAX + 5 {
        sources.report(&format!("s{n}"), b"{}", &GroupScope::All, NOW).expect("good");
    }
    assert_eq!(sources.known.hold().sources.len(), SOURCES_MAX);
}

#[test]
fn a_shipper_that_said_that_it_stopped_is_not_down_until_it_is_heard_of_anew() {
    let mut house = House::new();
    let state = |house: &House, now| house.view(&GroupScope::All, now)["sources"][0]["state"].clone();
    house.report(told(0, 100, 100), NOW);
    let mut last = told(0, 120, 110);
    last["has_stopped"] = true.into();
    last["given_up"] = json!({"lines": 3, "bytes": 30});
    house.report(last, after(1));
    assert_eq!(state(&house, after(1)), "stopped");
    assert_eq!(state(&house, after(1_000)), "stopped");
    assert_eq!(house.view(&GroupScope::All, after(1))["sources"][0]["given_up"]["lines"], 3);
    assert_eq!(house.file(after(1_000))["lag_bytes"], 10);
    house.intake.sources.keep_changes(&house.store, after(1_000)).expect("it is kept");
    house = house.restarted();
    assert_eq!(state(&house, after(2_000)), "stopped");
    house.report(told(0, 120, 120), after(2_001));
    assert_eq!(state(&house, after(2_001)), "up");
    assert_eq!(state(&house, after(3_000)), "down");
}

#[test]
fn what_is_held_of_a_file_is_named_to_who_asks_and_its_shipper_to_who_has_the_content() {
    let house = House::new();
    let content = json!({"content": {"from": 0, "hash": "h100"}});
    house.ship(content, 0, 100, NOW);
    let held = |house: &House, question: Value, within: &GroupScope| {
        let mut body = json!({"host": "web1", "group": "app", "path": "/var/log/app.log.1", "size": 500});
        body.as_object_mut().expect("an object").extend(question.as_object().expect("an object").clone());
        let ranges = house.intake.held("other", body.to_string().as_bytes(), within, NOW).expect("a good question");
        json!(ranges)
    };
    let named = held(&house, json!({}), &GroupScope::All);
    let id = named[0]["id"].as_str().expect("it has a name").to_owned();
    let expected = json!([{"id": id, "begin": 0, "end": 100, "comparable": true, "held": false}]);
    assert_eq!(named, expected);
    for other in
        [json!({"host": "web2"}), json!({"group": "b"}), json!({"path": "/var/log/b.log"}), json!({"size": 99})]
    {
        assert_eq!(held(&house, other.clone(), &GroupScope::All), json!([]), "{other}");
    }
    let claim = |hash: &str| json!({"claims": [{"id": id, "hash": hash}]});
    assert_eq!(held(&house, claim("h99"), &GroupScope::All), expected);
    let house = {
        house.intake.sources.keep_changes(&house.store, NOW).expect("the control store is there");
        house.restarted()
    };
    let right = held(&house, claim("h100"), &GroupScope::All);
    assert_eq!(
        (&right[0]["held"], &right[0]["file"], &right[0]["path"]),
        (&json!(true), &json!("f"), &json!("/var/log/app.log"))
    );
    let narrow = GroupScope::Matching(vec![GroupPattern::new("b/*")]);
    assert_eq!(held(&house, json!({}), &narrow), json!([]));
    // A batch that does not tell its content makes nothing of what is known before it.
    house.ship(json!({}), 100, 200, NOW);
    assert_eq!(held(&house, json!({}), &GroupScope::All)[0]["end"], 100);
    house.report(
        json!({"files": [{"file": "f", "group": "app", "size": 200, "offset": 200,
        "content": {"from": 0, "hash": "h200"}}]}),
        NOW,
    );
    assert_eq!(held(&house, json!({}), &GroupScope::All)[0]["end"], 200);
    house.intake.sources.forget_content("app");
    house.ship(json!({"content": {"from": 0, "hash": "h300"}}), 200, 300, NOW);
    assert_eq!(held(&house, json!({}), &GroupScope::All)[0]["comparable"], false, "what was deleted may be sent again");
}

#[test]
fn nodes_show_what_the_shipper_told_last_to_any_of_them() {
    let house = House::new();
    let only = |pattern: &str| GroupScope::Matching(vec![GroupPattern::new(pattern)]);
    // Two nodes of one store.
    let other = Intake::new(house.store.clone(), Limits::default(), parse::Zone::UTC);
    let tell = |node: &Intake, source: &str, report: Value, now: Timestamp| {
        let taken = node.sources.report(source, report.to_string().as_bytes(), &GroupScope::All, now);
        taken.expect("a good report");
    };
    let view = |within: &GroupScope, now: Timestamp| {
        let told = serde_json::to_vec(&other.sources.told(now)).expect("it is JSON");
        let told: ToldSources = serde_json::from_slice(&told).expect("as it was written");
        let view = house.intake.sources.view_with(vec![told], &house.store, within, now);
        serde_json::to_value(view).expect("it is JSON")["sources"].clone()
    };
    house.ship(json!({}), 0, 100, NOW);
    tell(&house.intake, "s", told(0, 150, 100), after(1));
    let mut later = told(0, 200, 100);
    later["version"] = "2".into();
    later["inputs"] = json!([{"name": "journal", "lines": 7}]);
    later["files"][0]["last_error"] = "no route".into();
    tell(&other, "s", later, after(60));
    tell(&other, "z", json!({"host": "web2", "has_stopped": true}), after(60));
    let seen = view(&GroupScope::All, after(61));
    let (first, second) = (&seen[0], &seen[1]);
    assert_eq!((&first["state"], &first["version"], &first["host"]), (&json!("up"), &json!("2"), &json!("web1")));
    assert_eq!((&first["lag_bytes"], &first["gap_bytes"]), (&json!(100), &json!(0)), "{first}");
    assert_eq!((&first["inputs"][0]["lines"], &first["files"][0]["last_error"]), (&json!(7), &json!("no route")));
    assert_eq!((&first["first_seen"], &first["last_seen"]), (&json!(NOW.to_string()), &json!(after(60).to_string())));
    assert_eq!((&second["host"], &second["state"]), (&json!("web2"), &json!("stopped")));
    assert_eq!(house.view(&GroupScope::All, after(61))["sources"][0]["state"], "down", "what the node knows alone");
    // Back to the first node.
    tell(&house.intake, "s", told(0, 100, 100), after(70));
    let seen = view(&GroupScope::All, after(71));
    assert_eq!((&seen[0]["version"], &seen[0]["lag_bytes"]), (&json!("1.2.3"), &json!(0)), "{seen}");
    assert_eq!(seen[0]["files"][0]["last_error"], Value::Null);
    // A source that the caller may not see stays hidden, whichever node it reports to.
    assert_eq!(view(&only("elsewhere"), after(71)), json!([]));
    let narrow = view(&only("app"), after(71));
    assert_eq!((narrow.as_array().map(Vec::len), &narrow[0]["inputs"]), (Some(1), &json!([])));
}

//! Bodies as agents shape them, and as nobody should.

use std::collections::HashSet;
use std::sync::Arc;

use storage::{Options, Store};
use types::{GroupPattern, GroupScope, Limits, Timestamp};

use super::*;

fn terms(index: Option<&str>) -> BulkTerms<'_> {
    BulkTerms { index, pipeline: None, is_lenient: false, has_pipeline: &|name| name == "known" }
}

#[test]
fn what_follows_an_action_is_passed_over_for_clients_of_version_8_alone() {
    for rest in [",\"attempts\":0}", "} {\"a\":1}", ""] {
        let body = format!("{{\"index\":{{\"_index\":\"a\",\"pipeline\":null}}{rest}\n{{\"x\":1}}\n");
        let lenient = BulkTerms { is_lenient: true, ..terms(None) };
        let items = read(body.as_bytes(), &lenient).expect("an action");
        assert_eq!((items.len(), &*items[0].index, items[0].source), (1, "a", &b"{\"x\":1}"[..]), "{body}");
        let refused = read(body.as_bytes(), &terms(None)).map(|_| ()).expect_err("one key alone").to_string();
        assert!(refused.contains("END_OBJECT"), "{refused}");
    }
}

#[test]
fn an_unknown_pipeline_costs_its_document() {
    let body = "{\"index\":{\"_index\":\"a\"}}\n{}\n{\"index\":{\"_index\":\"a\",\"pipeline\":\"known\"}}\n{}\n";
    let outcomes = |pipeline| {
        let items = read(body.as_bytes(), &BulkTerms { pipeline, ..terms(None) }).expect("actions");
        items.into_iter().map(|item| item.outcome).collect::<Vec<_>>()
    };
    let refused = Outcome::Refused(Refusal::NoPipeline("other".into()));
    assert_eq!(outcomes(Some("other")), [refused, Outcome::Created]);
    assert_eq!(outcomes(None), [Outcome::Created, Outcome::Created]);
}

fn shown(body: &[u8], index: Option<&str>) -> Result<Vec<String>, String> {
    let items = read(body, &terms(index)).map_err(|error| error.to_string())?;
    let show = |item: &Item<'_>| {
        let id = item.id.as_deref().unwrap_or("-");
        let source = String::from_utf8_lossy(item.source);
        let refusal =
            if let Outcome::Refused(refusal) = &item.outcome { format!(" !{refusal}") } else { String::new() };
        format!("{} {} {id} {source}{refusal}", item.action.name(), item.index)
    };
    Ok(items.iter().map(show).collect())
}

fn check(body: &str, expected: &[&str]) {
    let shown = shown(body.as_bytes(), None).expect("a bulk request");
    assert_eq!(shown, expected, "{body}");
}

#[test]
fn bodies_of_known_agents_are_read() {
    // Filebeat, to a data stream.
    check(
        "{\"create\":{\"_index\":\"filebeat-8.19.0\"}}\n{\"@timestamp\":\"2026-11-20T11:51:00.000Z\",\"message\":\"m\"}\n",
        &["create filebeat-8.19.0 - {\"@timestamp\":\"2026-11-20T11:51:00.000Z\",\"message\":\"m\"}"],
    );
    // Logstash names no id, a routing of nothing, and retries.
    check(
        "{\"index\":{\"_id\":null,\"_index\":\"logstash-2026.11.20\",\"routing\":null}}\n{\"message\":\"m\"}\n",
        &["index logstash-2026.11.20 - {\"message\":\"m\"}"],
    );
    // Fluent Bit and rsyslog, of old.
    check(
        "{\"create\":{\"_index\":\"fluent-bit\",\"_type\":\"_doc\",\"_id\":\"f1\"}}\n{\"log\":\"l\"}\n",
        &["create fluent-bit f1 {\"log\":\"l\"}"],
    );
    check(
        "{\"index\":{\"_index\": \"system\",\"_type\":\"events\"}}\n{\"msgnum\":\"1\"}\n{\"index\":{\"_index\": \"system\",\"_type\":\"events\"}}\n{\"msgnum\":\"2\"}\n",
        &["index system - {\"msgnum\":\"1\"}", "index system - {\"msgnum\":\"2\"}"],
    );
    // Client libraries: op_type in the action, names with escapes, CRLF, no last newline.
    check(
        "{\"index\":{\"_index\":\"a\\u0062\",\"op_type\":\"create\",\"_id\":12}}\r\n{\"x\":1}\r\n\r\n{\"delete\":{\"_index\":\"a\",\"_id\":\"1\"}}\r\n{\"index\":{\"_index\":\"a\"}}\n{}",
        &[
            "create ab 12 {\"x\":1}",
            "delete a 1  !delete is not possible: events never change; only index and create are",
            "index a - {}",
        ],
    );
}

#[test]
fn a_line_that_is_no_action_costs_itself_and_its_document() {
    let body = "{\"index\":{\"_index\":\"a\"}}\n{\"n\":1}\n{\"idnex\":{}}\n{\"n\":2}\n{\"index\":{}}\n{\"n\":3}\nno\n{\"create\":{\"_index\":\"a\"}}\n{\"n\":4}\n{\"create\":{}}\n";
    let shown = shown(body.as_bytes(), Some("d")).expect("a bulk request");
    assert_eq!(shown.len(), 6);
    assert_eq!(shown[0], "index a - {\"n\":1}");
    assert!(shown[1].starts_with("index d -  !line 3 of the body is no action: unknown variant"), "{}", shown[1]);
    assert_eq!(shown[2], "index d - {\"n\":3}");
    assert!(shown[3].starts_with("index d -  !line 7 of the body is no action"), "{}", shown[3]);
    assert_eq!(shown[4], "create a - {\"n\":4}");
    assert_eq!(shown[5], "create d -  !document is missing");
}

#[test]
fn a_body_cut_anywhere_loses_no_more_than_what_was_cut() {
    let one = |n: usize| format!("{{\"create\":{{\"_index\":\"a\",\"_id\":\"{n}\"}}}}\n{{\"n\":{n}}}\n");
    let body: String = (0..4).map(one).collect();
    let whole = shown(body.as_bytes(), None).expect("a bulk request");
    let mut n_bytes = 0;
    for n in 0..4 {
        let one = one(n);
        for cut in 0..one.len() {
            let Ok(read) = shown(&body.as_bytes()[..n_bytes + cut], None) else {
                assert_eq!(n, 0);
                continue;
            };
            assert_eq!(read[..n], whole[..n], "cut at {}", n_bytes + cut);
            assert!(read.len() <= n + 1);
        }
        n_bytes += one.len();
    }
}

#[test]
fn hostile_bodies_are_refused() {
    let deep = format!("{{\"index\":{}\n{{}}\n", "{\"a\":".repeat(100_000));
    for body in
        ["", "\n", "\u{0}", "{}", "null\n{}\n", "{\"index\":{},\"create\":{}}\n{}\n", "{\"index\":7}\n{}\n", &deep]
    {
        assert!(shown(body.as_bytes(), Some("a")).is_err(), "{:.40}", body);
    }
    assert!(shown(b"\xff\xfe\n\xff", Some("a")).is_err());
    let many = "{\"index\":{}}\n{}\n".repeat(ACTIONS_MAX + 1);
    assert!(matches!(read(many.as_bytes(), &terms(Some("a"))), Err(IngestError::TooManyActions { .. })));
}

#[test]
fn a_document_may_not_have_an_id_beside_its_own() {
    let check = |document: &str| action::has_own_id(document.as_bytes());
    assert!(check("{\"_id\":1}") && check("{\"a\":{\"_id\":1},\"@id\":\"x\"}") && check("{\"\\u005fid\":1}"));
    assert!(!check("{\"a\":{\"_id\":1}}") && !check("{\"a\":\"_id\\\"\"}") && !check("[\"_id\"]"));
}

struct House {
    intake: Intake,
    counter: DocumentCounter,
    store: Arc<Store>,
    _dir: tempfile::TempDir,
}

const NOW: Timestamp = Timestamp(1_795_176_000 * Timestamp::SECOND);

fn house() -> House {
    let dir = tempfile::TempDir::new().expect("a scratch directory");
    let (store, _) = Store::open(Options::new(dir.path().join("data"))).expect("a new store opens");
    House {
        intake: Intake::new(store.clone(), Limits::default(), 0),
        counter: DocumentCounter::default(),
        store,
        _dir: dir,
    }
}

impl House {
    fn documents<'a>(&'a self, sender: &'a Sender<'a>) -> DocumentIntake<'a> {
        DocumentIntake { intake: &self.intake, counter: &self.counter, sender, check: &|_, _, _| None }
    }

    fn outcomes(&self, body: &str, within: &GroupScope) -> Vec<Outcome> {
        let sender = Sender { name: "", within, batch_id: None, now: NOW, groups: None };
        let items = self.documents(&sender).bulk(body.as_bytes(), &terms(None)).expect("it is stored");
        items.items.into_iter().map(|item| item.outcome).collect()
    }
}

const ONE: &str = "{\"create\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{\"message\":\"one\"}\n";

#[test]
fn an_id_on_its_way_into_the_store_is_busy_until_its_fate_is_known() {
    let house = house();
    let group = group_name_of_outside("a");
    let mut others = read(ONE.as_bytes(), &terms(None)).expect("a bulk request");
    let claimed = ids::settle(&house.intake, &mut others, &[Some((0, group))]);
    assert_eq!(house.outcomes(ONE, &GroupScope::All), [Outcome::Busy]);
    drop(claimed);
    assert_eq!(house.outcomes(ONE, &GroupScope::All), [Outcome::Created]);
    assert_eq!(house.outcomes(ONE, &GroupScope::All), [Outcome::Exists]);
}

#[test]
fn claims_are_given_back_when_the_store_refuses() {
    let house = house();
    house.store.close().expect("it closes");
    let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now: NOW, groups: None };
    for _ in 0..2 {
        // Were the id still claimed, nothing would be left to store, and nothing be refused.
        assert!(matches!(house.documents(&sender).bulk(ONE.as_bytes(), &terms(None)), Err(IngestError::Store(_))));
    }
}

#[test]
fn a_refused_document_leaves_its_id_to_the_next() {
    let house = house();
    let body = "{\"create\":{\"_index\":\"a\",\"_id\":\"1\"}}\nbroken\n".to_owned() + ONE + ONE;
    let outcomes = house.outcomes(&body, &GroupScope::All);
    assert!(matches!(outcomes[0], Outcome::Refused(Refusal::NoRecord(_))));
    assert_eq!(outcomes[1..], [Outcome::Created, Outcome::Exists]);
}

#[test]
fn nothing_is_told_or_stored_out_of_reach() {
    let house = house();
    assert_eq!(house.outcomes(ONE, &GroupScope::All), [Outcome::Created]);
    let within = GroupScope::Matching(vec![GroupPattern::new("b")]);
    let outcomes = house.outcomes(&(ONE.to_owned() + "{\"index\":{\"_index\":\"b\"}}\n{\"n\":1}\n"), &within);
    assert!(matches!(outcomes[0], Outcome::Refused(Refusal::OutOfScope(_))));
    assert_eq!(outcomes[1], Outcome::Created);
}

#[test]
fn racing_requests_create_an_id_once() {
    let house = house();
    let body: String =
        (0..50).map(|n| format!("{{\"create\":{{\"_index\":\"a\",\"_id\":\"{n}\"}}}}\n{{\"n\":{n}}}\n")).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // Whoever is told to come back does.
                while house.outcomes(&body, &GroupScope::All).contains(&Outcome::Busy) {}
            });
        }
    });
    let snapshot = house.store.snapshot(&[GroupPattern::new("a")], types::TimeRange::ALL);
    let n_events: u64 = snapshot.runs.iter().map(|run| run.info().n_events).sum();
    assert_eq!(n_events, 50);
}

/// Ids of each form that columns keep in a way of its own.
fn id(form: usize, n: u64) -> String {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match form {
        0 => format!("{mixed:016x}{n:016x}"),
        1 => n.to_string(),
        2 => format!("user-{n}"),
        3 => format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255),
        4 => format!("{}é{mixed}", n % 7),
        _ => format!("{mixed:X}_{}", mixed % 97),
    }
}

#[test]
fn ids_are_known_whatever_became_of_their_events() {
    for form in 0..6 {
        let house = house();
        let mut known = HashSet::new();
        let mut seed = 7 + form as u64;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        for _ in 0..60 {
            let n_asked = [1, 5, 40, 300][draw(4) as usize];
            let ids: Vec<String> = (0..n_asked).map(|_| id(form, draw(4_000))).collect();
            let body: String = ids
                .iter()
                .map(|id| format!("{{\"create\":{{\"_index\":\"a\",\"_id\":\"{id}\"}}}}\n{{\"message\":\"x\"}}\n"))
                .collect();
            let outcomes = house.outcomes(&body, &GroupScope::All);
            for (id, outcome) in ids.into_iter().zip(outcomes) {
                let expected = if known.contains(&id) { Outcome::Exists } else { Outcome::Created };
                assert_eq!(outcome, expected, "{id} of form {form}");
                known.insert(id);
            }
            match draw(6) {
                0 => house.store.flush().expect("it flushes"),
                1 => house.store.compact().expect("it is compacted"),
                _ => {}
            }
        }
    }
}

#[test]
fn ids_are_read_once() {
    let house = house();
    let n_read_of_first = || {
        let snapshot = house.store.snapshot(&[GroupPattern::new("a")], types::TimeRange::ALL);
        snapshot.runs[0].bytes_read()
    };
    let mut n_read = Vec::new();
    for request in 0..3 {
        let line = |n: u64| format!("{{\"create\":{{\"_index\":\"a\",\"_id\":\"{}\"}}}}\n{{\"n\":1}}\n", id(5, n));
        let body: String = (request * 3_000..(request + 1) * 3_000).map(line).collect();
        assert!(house.outcomes(&body, &GroupScope::All).iter().all(|outcome| *outcome == Outcome::Created));
        n_read.push(n_read_of_first());
    }
    assert!(n_read[0] == 0 && n_read[1] > 0 && n_read[2] == n_read[1], "{n_read:?}");
}

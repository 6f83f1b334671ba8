//! Entries on their way to events.

use storage::{Options, Store};
use types::{GroupPattern, GroupScope, Limits};

use super::*;

const NOW: Timestamp = Timestamp(1_795_176_000_000_000_000);

struct House {
    intake: Intake,
    store: std::sync::Arc<Store>,
    _dir: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::TempDir::new().expect("a scratch directory");
        let clock = storage::Clock::new(|| NOW);
        let (store, _) = Store::open(Options { clock, ..Options::new(dir.path().join("data")) }).expect("it opens");
        Self { intake: Intake::new(store.clone(), Limits::default(), 0), store, _dir: dir }
    }

    fn send(&self, stream: &[u8]) -> Result<JournalAnswer, IngestError> {
        let (mut reader, mut entries) = (JournalReader::new(1 << 20), JournalEntries::default());
        reader.feed(stream, &mut entries);
        reader.finish(&mut entries).expect("a whole stream");
        let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now: NOW, groups: None };
        let group = GroupName::new("journal").expect("a name");
        ingest_journal(&self.intake, &entries, &group, &sender, &|_, _| false).map(|(answer, _)| answer)
    }

    /// Some fields of all events, in order.
    fn shown(&self, names: &[&str]) -> Vec<String> {
        let snapshot = self.store.snapshot(&[GroupPattern::new("journal")], TimeRange::ALL);
        let mut shown = Vec::new();
        for run in &snapshot.runs {
            for block in 0..run.n_blocks() {
                let n_rows = run.block_rows(block);
                let columns = run.read(block, names, &types::RowSet::all(n_rows)).expect("a good block");
                for row in 0..n_rows {
                    let texts = columns.iter().map(|c| c.value(row).map_or("-".into(), |value| value.to_string()));
                    shown.push(texts.collect::<Vec<_>>().join(" | "));
                }
            }
        }
        shown
    }
}

fn entry(number: u64, rest: &str) -> String {
    let time = 1_795_175_000_000_000 + number;
    format!("__CURSOR=s=a;i={number}\n__REALTIME_TIMESTAMP={time}\n_HOSTNAME=web-1\n{rest}\n\n")
}

fn counts(answer: &JournalAnswer) -> (u64, u64, u64, u64) {
    (answer.n_stored, answer.n_known, answer.n_left_out, answer.n_malformed)
}

#[test]
fn an_entry_is_an_event_of_its_message_time_level_and_fields() {
    let house = House::new();
    let fields =
        "_SYSTEMD_UNIT=nginx.service\n_PID=12\nPRIORITY=3\nMESSAGE=it broke\n_SOURCE_REALTIME_TIMESTAMP=1\n__SEQNUM=1";
    let stream = entry(1, fields);
    assert_eq!(house.send(stream.as_bytes()).map(|answer| counts(&answer)), Ok((1, 0, 0, 0)));
    let names = ["@message", "@level", "@timestamp", "@logStream", "host", "unit", "_SYSTEMD_UNIT", "_PID", "PRIORITY"];
    assert_eq!(
        house.shown(&names),
        ["it broke | error | 2026-11-20T11:43:20.000001Z | web-1 | web-1 | nginx.service | nginx.service | 12 | 3"]
    );
    assert_eq!(house.shown(&["__CURSOR", "__SEQNUM", "_SOURCE_REALTIME_TIMESTAMP"]), ["s=a;i=1 | - | 1"]);
}

#[test]
fn entries_that_come_again_are_stored_once() {
    let house = House::new();
    let stream = |range: std::ops::Range<u64>| range.map(|n| entry(n, &format!("MESSAGE=m{n}"))).collect::<String>();
    assert_eq!(house.send(stream(0..100).as_bytes()).map(|answer| counts(&answer)), Ok((100, 0, 0, 0)));
    assert_eq!(house.send(stream(50..120).as_bytes()).map(|answer| counts(&answer)), Ok((20, 50, 0, 0)));
    house.store.flush().expect("it is flushed");
    assert_eq!(house.send(stream(118..121).as_bytes()).map(|answer| counts(&answer)), Ok((1, 2, 0, 0)));
    let twice = [entry(200, "MESSAGE=a"), entry(200, "MESSAGE=a")].concat();
    assert_eq!(house.send(twice.as_bytes()).map(|answer| counts(&answer)), Ok((1, 1, 0, 0)));
    // Without a cursor nobody can tell.
    assert_eq!(house.send(b"MESSAGE=a\n\nMESSAGE=a\n\n").map(|answer| counts(&answer)), Ok((2, 0, 0, 0)));
    assert_eq!(house.shown(&["@message"]).len(), 124);
}

#[test]
fn entries_from_far_ahead_are_known_again_too() {
    let house = House::new();
    let stream = "__CURSOR=s=a;i=1\n__REALTIME_TIMESTAMP=3795175000000000\nMESSAGE=early\n\n";
    assert_eq!(house.send(stream.as_bytes()).map(|answer| counts(&answer)), Ok((1, 0, 0, 0)));
    let both = [stream.to_owned(), entry(1, "MESSAGE=m")].concat();
    assert_eq!(house.send(both.as_bytes()).map(|answer| counts(&answer)), Ok((0, 2, 0, 0)));
}

#[test]
fn what_another_request_is_about_to_store_is_to_come_again() {
    let house = House::new();
    let group = GroupName::new("journal").expect("a name");
    let mut others = house.intake.claims.none();
    house.intake.claims.claim(&group, ["s=a;i=1"].into_iter(), &mut others);
    let stream = entry(1, "MESSAGE=m");
    assert_eq!(house.send(stream.as_bytes()), Err(IngestError::OnItsWay));
    drop(others);
    assert_eq!(house.send(stream.as_bytes()).map(|answer| counts(&answer)), Ok((1, 0, 0, 0)));
}

#[test]
fn what_a_service_prints_says_its_own_level() {
    let house = House::new();
    let printed = |n, message: &str| entry(n, &format!("_TRANSPORT=stdout\nPRIORITY=6\nMESSAGE={message}"));
    let stream = [
        printed(1, "ERROR it broke"),
        printed(2, "nothing special"),
        printed(3, r#"{"level":"warn","message":"m","took":3}"#),
        entry(4, "_TRANSPORT=journal\nPRIORITY=6\nMESSAGE=ERROR is what it is about"),
    ];
    house.send(stream.concat().as_bytes()).expect("they are stored");
    assert_eq!(house.shown(&["@level", "took"]), ["error | -", "info | -", "warn | 3", "info | -"]);
}

#[test]
fn no_message_speaks_for_the_journal() {
    let house = House::new();
    let stream = entry(1, "_SYSTEMD_UNIT=evil.service\nMESSAGE={\"_SYSTEMD_UNIT\":\"sshd.service\",\"unit\":\"own\"}");
    let own = entry(2, "_SYSTEMD_UNIT=app.service\nMESSAGE={\"unit\":\"own\"}");
    house.send([stream, own].concat().as_bytes()).expect("they are stored");
    assert_eq!(house.shown(&["_SYSTEMD_UNIT", "unit"]), ["evil.service | evil.service", "app.service | own"]);
}

#[test]
fn a_broken_entry_is_named_and_others_are_stored() {
    let house = House::new();
    let stream = [entry(1, "MESSAGE=a"), "lower=1\n\n".into(), entry(3, "MESSAGE=c")].concat();
    let answer = house.send(stream.as_bytes()).expect("the others are stored");
    assert_eq!(counts(&answer), (2, 0, 0, 1));
    assert_eq!((answer.refused[0].line, answer.refused[0].error.contains("\"lower\"")), (2, true));
}

/// Entries of a process, one for each line, with numbers from `number` on.
fn printed(pid: u32, number: u64, report: &str) -> Vec<String> {
    let fields =
        |line| format!("_TRANSPORT=stdout\n_SYSTEMD_UNIT=pump.service\n_PID={pid}\nPRIORITY=6\nMESSAGE={line}");
    report.split('\n').enumerate().map(|(n, line)| entry(number + 2 * n as u64, &fields(line))).collect()
}

const PYTHON: &str =
    "Traceback (most recent call last):\n  File \"/srv/pump.py\", line 7, in fill\n    x()\nValueError: tank 7";
const GO: &str = "panic: tank 7\ngoroutine 1 [running]:\nmain.fill(...)\n\t/srv/pump.go:8\nexit status 2";
const JAVA: &str = "Exception in thread \"main\" shop.Dry: tank 7\n\tat shop.Tank.level(Tank.java:7)\nCaused by: java.lang.Error: x\n\t... 1 more";

#[test]
fn a_death_in_as_many_entries_as_lines_is_one_event_of_its_process() {
    for (report, shown) in [(PYTHON, "error | ValueError"), (GO, "fatal | panic"), (JAVA, "error | shop.Dry")] {
        let house = House::new();
        let both = printed(7, 0, report).into_iter().zip(printed(8, 1, report));
        let stream: String = both.flat_map(|(one, other)| [one, other]).collect();
        let n_entries = 2 * report.split('\n').count() as u64;
        assert_eq!(house.send(stream.as_bytes()).map(|answer| counts(&answer)), Ok((n_entries, 0, 0, 0)));
        assert_eq!(house.shown(&["@level", "exception.type"]), [shown, shown]);
        assert_eq!(house.shown(&["@message", "_PID"]), [7, 8].map(|pid| format!("{report} | {pid}")));
    }
}

#[test]
fn entries_that_were_joined_are_known_again_wherever_sending_goes_on() {
    let house = House::new();
    let entries = printed(7, 0, PYTHON);
    house.send(entries[..3].concat().as_bytes()).expect("they are stored");
    for from in 0..3 {
        let stream = entries[from..3].concat();
        assert_eq!(house.send(stream.as_bytes()).map(|answer| counts(&answer)), Ok((0, 3 - from as u64, 0, 0)));
    }
    house.store.flush().expect("it is flushed");
    assert_eq!(house.send(entries.concat().as_bytes()).map(|answer| counts(&answer)), Ok((1, 3, 0, 0)));
    assert_eq!(house.shown(&["@message"]).len(), 2);
}

#[test]
fn entries_far_apart_and_those_of_others_are_not_joined() {
    let house = House::new();
    let late = entry(5_000_000, "_SYSTEMD_UNIT=pump.service\n_PID=7\nPRIORITY=6\nMESSAGE=  File \"late.py\"");
    let stream =
        [printed(7, 0, "Traceback (most recent call last):"), printed(8, 1, "  File \"x.py\""), vec![late]].concat();
    house.send(stream.concat().as_bytes()).expect("they are stored");
    assert_eq!(house.shown(&["@message"]).len(), 3);
}

#[test]
fn events_that_may_grow_are_given_back_and_others_are_stored() {
    let house = House::new();
    let stream = [printed(7, 0, PYTHON).concat(), printed(8, 1, "on").concat()].concat();
    let (mut reader, mut entries) = (JournalReader::new(1 << 20), JournalEntries::default());
    reader.feed(stream.as_bytes(), &mut entries);
    reader.finish(&mut entries).expect("a whole stream");
    let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now: NOW, groups: None };
    let group = GroupName::new("journal").expect("a name");
    let (answer, held) = ingest_journal(&house.intake, &entries, &group, &sender, &|_, _| true).expect("stored");
    assert_eq!((answer.n_stored, held.events.values().copied().collect::<Vec<_>>()), (1, vec![4]));
    let (answer, held) = ingest_journal(&house.intake, &held.entries, &group, &sender, &|_, _| false).expect("stored");
    assert_eq!((answer.n_stored, answer.n_known, held.entries.is_empty()), (4, 0, true));
    assert_eq!(house.shown(&["@message"]), [PYTHON, "on"]);
}

#[test]
fn an_event_of_too_many_entries_continues_in_one_that_says_so() {
    let house = House::new();
    let frames: String = (0..1_200).map(|n| format!("\n\tat a.B.c(B.java:{n})")).collect();
    house.send(printed(7, 0, &format!("java.lang.Error: deep{frames}")).concat().as_bytes()).expect("stored");
    assert_eq!(house.shown(&["continued"]), ["-", "true"]);
}

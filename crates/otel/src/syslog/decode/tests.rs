//! Messages of many dialects into a real store.

use std::sync::Arc;

use parse::Zone;
use storage::{Options, Store};
use tempfile::TempDir;
use types::{GroupPattern, Limits, RowSet, TimeRange};

use super::*;

struct House {
    intake: Intake,
    store: Arc<Store>,
    _dir: TempDir,
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time")
}

impl House {
    fn new(event_bytes_max: usize) -> Self {
        let dir = TempDir::new().expect("a scratch directory");
        let (store, _) = Store::open(Options::new(dir.path().join("data"))).expect("a new store opens");
        let limits = Limits { event_bytes_max, ..Limits::default() };
        Self { intake: Intake::new(store.clone(), limits, Zone::UTC), store, _dir: dir }
    }

    fn take(&self, frames: &[(&[u8], u64)]) -> IngestAnswer {
        let mut chunk = SyslogChunk::new("10.0.0.9".into(), SyslogFrames::default());
        frames.iter().for_each(|(frame, n_cut)| chunk.frames.push(frame, *n_cut));
        ingest_syslog(&self.intake, &[chunk], now()).expect("they are taken")
    }

    /// Returns the values of `names` of all events, as `group: values`, sorted.
    fn events(&self, names: &[&str]) -> Vec<String> {
        let mut events = Vec::new();
        for run in self.store.snapshot(&[GroupPattern::new("*")], TimeRange::ALL).runs {
            for block in 0..run.n_blocks() {
                let n_rows = run.block_rows(block);
                let columns = run.read(block, names, &RowSet::all(n_rows)).expect("a block that is whole");
                for row in 0..n_rows {
                    let shown = |value: Option<types::Value>| value.map_or("-".into(), |value| value.to_string());
                    events.push(columns.iter().map(|c| shown(c.value(row))).collect::<Vec<_>>().join(" | "));
                }
            }
        }
        events.sort();
        events
    }
}

#[test]
fn a_message_becomes_an_event_of_its_application() {
    let house = House::new(1 << 20);
    let answer = house.take(&[
        (b"<34>Nov 20 06:47:13 web-1 su[7]: failed", 0),
        (br#"<14>1 2026-11-20T06:47:13Z w - - ID [a@1 b="\]"]"#, 0),
        (b"hello \xff", 0),
        (b"<11>Nov 20 06:47:13 sshd[9]: no host", 0),
    ]);
    assert_eq!(answer.accepted, 4);
    assert_eq!(
        house.events(&[
            "@log",
            "@logStream",
            "@level",
            "hostname",
            "appname",
            "procid",
            "msgid",
            "facility",
            "severity"
        ]),
        [
            "syslog | 10.0.0.9 | - | - | - | - | - | - | -",
            "syslog | w | info | w | - | - | ID | user | info",
            "syslog/sshd | 10.0.0.9 | error | - | sshd | 9 | - | user | err",
            "syslog/su | web-1 | fatal | web-1 | su | 7 | - | auth | crit",
        ]
    );
    assert_eq!(
        house.events(&["@message", "a@1.b", "@encoding", "@timestamp"]),
        [
            "<11>Nov 20 06:47:13 sshd[9]: no host | - | - | 2026-11-20T06:47:13Z",
            "<14>1 2026-11-20T06:47:13Z w - - ID [a@1 b=\"\\]\"] | ] | - | 2026-11-20T06:47:13Z",
            "<34>Nov 20 06:47:13 web-1 su[7]: failed | - | - | 2026-11-20T06:47:13Z",
            "hello \u{fffd} | - | lossy | 2026-11-20T12:00:00Z",
        ]
    );
}

#[test]
fn a_group_has_the_name_of_a_program_or_none_and_their_number_is_limited() {
    let house = House::new(1 << 20);
    let frames: Vec<String> = (0..GROUPS_MAX + 40).map(|n| format!("<14>Nov 20 06:47:13 web-1 job{n}: done")).collect();
    let (first, second) = frames.split_at(GROUPS_MAX / 2);
    for frames in [first, second, &frames] {
        house.take(&frames.iter().map(|frame| (frame.as_bytes(), 0)).collect::<Vec<_>>());
    }
    assert_eq!(house.store.groups().len(), GROUPS_MAX + 1);
    let texts = [
        r#"<134>{"action":"deny","user":"ann"}"#,
        "<134>CEF:0|Example|Gate|1|7|Denied|3|suser=ann",
        "<134>Nov 20 06:47:13 gate-1 LEEF:1.0|Example|Gate|1|7|usrName=ann",
        "<134>1 2026-11-20T06:47:13Z gate-1 words of a text: and more",
        "<134>Error: it failed",
        "<134>http://shop.example/ was asked",
    ];
    let house = House::new(1 << 20);
    house.take(&texts.map(|text| (text.as_bytes(), 0)));
    assert_eq!(house.events(&["@log", "appname"]), ["syslog | -"; 6]);
    assert_eq!(house.events(&["user", "suser", "usrName"])[..3], ["- | - | -", "- | - | -", "- | - | -"]);
}

#[test]
fn a_long_frame_is_split_and_what_was_cut_off_is_counted() {
    let house = House::new(40);
    house.take(&[(b"<14>Nov 20 06:47:13 web-1 app: 0123456789abcdefghijklmnopqrstuvwxyz", 9)]);
    let parts = house.events(&["@part", "@message", "cutBytes"]);
    assert_eq!(parts, ["1 | <14>Nov 20 06:47:13 web-1 app: 012345678 | 9", "2 | 9abcdefghijklmnopqrstuvwxyz | -"]);
}

//! Messages of many dialects into a real store.

use crate::house::House;
use crate::sockets::Door;
use crate::sockets::sink::GROUPS_MAX;

#[test]
fn a_message_becomes_an_event_of_its_application() {
    let house = House::limited(1 << 20);
    let answer = house.take(
        Door::Syslog,
        &[
            (b"<34>Nov 20 06:47:13 web-1 su[7]: failed", 0),
            (br#"<14>1 2026-11-20T06:47:13Z w - - ID [a@1 b="\]"]"#, 0),
            (b"hello \xff", 0),
            (b"<11>Nov 20 06:47:13 sshd[9]: no host", 0),
        ],
    );
    assert_eq!(answer.answer.accepted, 4);
    assert_eq!(
        house.events(&[
            "@log", "@logStream", "@level", "hostname", "appname", "procid", "msgid", "facility", "severity"
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
    let house = House::limited(1 << 20);
    let frames: Vec<String> = (0..GROUPS_MAX + 40).map(|n| format!("<14>Nov 20 06:47:13 web-1 job{n}: done")).collect();
    let (first, second) = frames.split_at(GROUPS_MAX / 2);
    for frames in [first, second, &frames] {
        house.take(Door::Syslog, &frames.iter().map(|frame| (frame.as_bytes(), 0)).collect::<Vec<_>>());
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
    let house = House::limited(1 << 20);
    house.take(Door::Syslog, &texts.map(|text| (text.as_bytes(), 0)));
    assert_eq!(house.events(&["@log", "appname"]), ["syslog | -"; 6]);
    assert_eq!(house.events(&["user", "suser", "usrName"])[..3], ["- | - | -", "- | - | -", "- | - | -"]);
}

#[test]
fn a_long_frame_is_split_and_what_was_cut_off_is_counted() {
    let house = House::limited(40);
    house.take(Door::Syslog, &[(b"<14>Nov 20 06:47:13 web-1 app: 0123456789abcdefghijklmnopqrstuvwxyz", 9)]);
    let parts = house.events(&["@part", "@message", "cutBytes"]);
    assert_eq!(parts, ["1 | <14>Nov 20 06:47:13 web-1 app: 012345678 | 9", "2 | 9abcdefghijklmnopqrstuvwxyz | -"]);
}

//! Deaths and entries that arrive as one message for each line.

use types::{Batch, Level, Limits, Timestamp};

use crate::text::batches_of_text;
use crate::{ArrivalContext, Zone};

/// Reports of runtimes.
const DEATHS: [&str; 7] = [
    "Traceback (most recent call last):\n  File \"/srv/pump.py\", line 7, in <module>\n    fill()\nValueError: tank 7",
    "panic: tank 7\n\ngoroutine 1 [running]:\nmain.fill(...)\n\t/srv/pump.go:8\nmain.main()\n\t/srv/pump.go:19 +0xf\nexit status 2",
    "Exception in thread \"main\" shop.Overflow: tank 7\n\tat shop.Tank.fill(Tank.java:7)\n\tat shop.Main.main(Main.java:3)\nCaused by: java.io.IOException: dry\n\t... 2 more",
    "thread 'main' (15) panicked at src/tank.rs:5:5:\ntank 7\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
    "=================================================================\n==28==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x7b\nREAD of size 4 at 0x7b thread T0\n    #0 0x56 in fill /srv/tank.c:6\nSUMMARY: AddressSanitizer: heap-buffer-overflow /srv/tank.c:6 in fill",
    "/srv/pump.js:9\n    throw e;\n    ^\n\nError: tank 7\n    at fill (/srv/pump.js:9:11)\n\nNode.js v26.1.0",
    "2026-11-20 06:47:13,250 ERROR [main] pump - lost\nshop.Dry: no water\n\tat shop.Tank.level(Tank.java:7)",
];

/// How a message of the process `pid` with `text` is written in each form.
const FORMS: [fn(u32, &str) -> String; 6] = [
    |pid, text| format!("<14>Nov 20 06:47:13 web-1 pump[{pid}]: {text}"),
    |pid, text| format!("<14>2026-11-20T06:47:13.25+01:00 web-1 pump[{pid}]: {text}"),
    |pid, text| format!("<14>1 2026-11-20T06:47:13Z web-1 pump {pid} - - {text}"),
    |pid, text| format!("<14>1 2026-11-20T06:47:13Z web-1 pump {pid} ID [meta x=\"a ] b\"] \u{feff}{text}"),
    |pid, text| {
        let text = serde_json::Value::from(text).to_string();
        format!(
            r#"{{"unit":"pump.service","_TRANSPORT":"stdout","__REALTIME_TIMESTAMP":"1795157233500000","message":{text},"PRIORITY":"6","_PID":"{pid}","_SYSTEMD_UNIT":"pump.service","__CURSOR":"s=1;i={pid}"}}"#
        )
    },
    |pid, text| {
        let text = serde_json::Value::from(text).to_string();
        format!(
            r#"{{ "_PID" : "{pid}", "PRIORITY" : "6", "MESSAGE" : {text}, "_TRANSPORT" : "stdout", "__REALTIME_TIMESTAMP" : "1795157233500000" }}"#
        )
    },
];

fn read(lines: &[String]) -> Vec<Batch> {
    let limits = Limits::default();
    let at = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time");
    let received = ArrivalContext { at, modified: None, previous: None, zone: Zone::UTC, limits: &limits };
    let mut batches = Vec::new();
    batches_of_text(lines.join("\n").as_bytes(), &received, &mut |batch| batches.push(batch));
    batches
}

/// Each event as its level, the type of its exception and the number of its lines.
fn shown(lines: &[String]) -> Vec<(Option<Level>, String, usize)> {
    let mut shown = Vec::new();
    for batch in read(lines) {
        for row in 0..batch.len() {
            let kind = batch.field("exception.type").value(row).map_or(String::new(), |value| value.to_string());
            let message = batch.messages.get(row);
            let n_lines = message.split('\n').count().max(message.split("\\n").count());
            shown.push((Level::of_code(batch.levels.get(row)), kind, n_lines));
        }
    }
    shown
}

/// The lines of several programs, one of each in turn.
fn in_turn(programs: &[Vec<String>]) -> Vec<String> {
    let n_lines = programs.iter().map(Vec::len).max().unwrap_or_default();
    (0..n_lines).flat_map(|line| programs.iter().filter_map(move |lines| lines.get(line).cloned())).collect()
}

#[test]
fn a_death_in_as_many_messages_as_lines_is_one_event_in_every_form() {
    for form in FORMS {
        for report in DEATHS {
            let lines: Vec<String> = report.split('\n').map(|line| form(7, line)).collect();
            assert_eq!(shown(&lines), shown(&[report.to_owned()]), "{}", lines.join("\n"));
        }
    }
}

#[test]
fn a_death_in_a_file_of_a_syslog_daemon_is_one_event() {
    for head in [
        "Nov 20 06:47:13 web-1 pump[7]: ",
        "Nov 20 06:47:13 web-1 pump: ",
        "2026-11-20T06:47:13.250+00:00 web-1 pump[7]: ",
    ] {
        for report in DEATHS.iter().filter(|report| !report.starts_with("2026")) {
            let lines: Vec<String> =
                report.split('\n').map(|line| format!("{head}{}", line.replace('\t', "#011"))).collect();
            let other = "Nov 20 06:47:13 web-1 cron[8]: on".to_owned();
            let (death, on) = (shown(&[(*report).to_owned()]), shown(std::slice::from_ref(&other)));
            let all: Vec<String> = [&other].into_iter().chain(&lines).chain([&other]).cloned().collect();
            assert_eq!(shown(&all), [&*on, &*death, &*on].concat(), "{}", all.join("\n"));
            let one = [format!("{head}{}", report.replace('\n', "#012").replace('\t', "#011"))];
            let is_certain = report.contains("\n\t") || report.contains("\n  ");
            assert!(!is_certain || shown(&one) == death, "{:?}", shown(&one));
        }
    }
    for lines in [
        ["Nov 20 06:47:13 web-1 pump[7]: fixed #012", "Nov 20 06:47:13 web-1 pump[7]:   and #011"],
        [
            "Nov 20 06:47:13 web-1 pump[7]: panic: dry#012#012main.main()#012#011/srv/a.go:7",
            "Nov 20 06:47:13 web-1 pump[7]: on",
        ],
        ["2026-11-20T06:47:13Z ERROR pump[7]: panic: dry", "2026-11-20T06:47:13Z ERROR pump[7]: panic: dry"],
        ["Nov 20 06:47:13 web-1 pump[7]: panic: dry", "Nov 20 06:47:13 web-2 pump[7]: goroutine 1 [running]:"],
    ] {
        assert_eq!(shown(&lines.map(str::to_owned)).len(), 2, "{lines:?}");
    }
}

#[test]
fn lines_of_two_programs_in_turn_are_an_event_of_each() {
    for form in FORMS {
        for report in DEATHS {
            let of = |pid| report.split('\n').map(|line| form(pid, line)).collect::<Vec<_>>();
            let lines = in_turn(&[of(7), of(8), vec![form(9, "a"), form(9, "b")]]);
            let death = shown(&[report.to_owned()]);
            let found = shown(&lines);
            assert_eq!(found.iter().filter(|event| **event == death[0]).count(), 2, "{found:?} {}", lines.join("\n"));
            assert_eq!(found.len(), 4, "{found:?}");
        }
    }
}

#[test]
fn lines_of_devices_that_name_no_process_are_events_of_their_own() {
    let of_devices = [
        "<189>57: core-sw1: 004211: Nov 26 09:41:07.250: %LINK-3-UPDOWN: Interface Gi1/0/9, changed state to down",
        "<189>91: core-sw1: 2d03h: %SYS-5-RESTART: System restarted",
        "<189>Nov 26 09:41:08 fw-1 edge: 2026-11-26 09:41:08 ERROR link down",
        "<189>Nov 26 09:41:08 fw-1 edge: link up",
        "<189>1 2026-11-26T09:41:08Z fw-1 edge - - - 2026-11-26 09:41:08 ERROR link down",
        "<189>1 2026-11-26T09:41:08Z fw-1 edge - - - link up",
    ];
    let lines: Vec<String> = of_devices.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(shown(&lines).len(), of_devices.len(), "{:?}", shown(&lines));
    let piped: Vec<String> =
        DEATHS[0].split('\n').map(|line| format!("<13>Nov 26 09:41:08 web-1 pump: {line}")).collect();
    let of_program = |line: &str| {
        let text = serde_json::Value::from(line).to_string();
        format!(r#"{{"SYSLOG_IDENTIFIER":"pump","MESSAGE":{text},"__REALTIME_TIMESTAMP":"1795157233500000"}}"#)
    };
    let written: Vec<String> = DEATHS[0].split('\n').map(of_program).collect();
    for lines in [piped, written] {
        assert_eq!(shown(&lines), [(Some(Level::Error), "ValueError".to_owned(), 4)]);
    }
}

#[test]
fn a_priority_that_was_chosen_for_a_text_stays() {
    let message = |priority: u8, text: &str| format!("<{priority}>Nov 26 09:41:08 web-1 pump[7]: {text}");
    let quoted = ["it broke", "  File \"a.py\", line 7", "and went on"];
    for (priority, of_quoted, of_death) in [
        (15, Level::Debug, Level::Debug),
        (14, Level::Info, Level::Error),
        (13, Level::Info, Level::Error),
        (12, Level::Warn, Level::Warn),
        (11, Level::Error, Level::Error),
        (10, Level::Fatal, Level::Fatal),
    ] {
        let level = |text: &str| shown(&[message(priority, text)]).first().and_then(|(level, ..)| *level);
        assert_eq!(level(quoted[0]), Some(of_quoted), "{priority}");
        let lines: Vec<String> = DEATHS[0].split('\n').map(|line| message(priority, line)).collect();
        assert_eq!(shown(&lines), [(Some(of_death), "ValueError".to_owned(), 4)], "{priority}");
        let mut quoted = quoted.map(|line| message(priority, line));
        quoted[2] = quoted[2].replace("pump[7]", "pump[8]");
        assert_eq!(shown(&quoted)[0].0, Some(of_quoted), "{priority} {:?}", shown(&quoted));
    }
}

//! Messages of syslog and of the journal, in files of our own or of others.

use super::*;

/// A line of the process `pid` as a message of syslog, and as an entry of the journal.
const FORMS: [fn(u32, &str) -> String; 2] = [
    |pid, text| format!("<14>Nov 20 06:47:13 web-1 pump[{pid}]: {text}\n"),
    |pid, text| {
        let text = serde_json::Value::from(text);
        format!(
            "{{\"__CURSOR\":\"s=1\",\"__REALTIME_TIMESTAMP\":\"1795157233500000\",\"message\":{text},\"_PID\":\"{pid}\"}}\n"
        )
    },
];

const DEATH: [&str; 4] =
    ["Traceback (most recent call last):", "  File \"/srv/pump.py\", line 7", "    fill()", "ValueError: x"];

fn is_one_of(event: &str, form: fn(u32, &str) -> String, lines: &[(u32, &str)]) -> bool {
    event == lines.iter().map(|(pid, line)| form(*pid, line)).collect::<String>().trim_end()
}

#[test]
fn a_death_is_one_stretch_however_slowly_others_write_between_and_others_stay_by_themselves() {
    for form in FORMS {
        let mut bench = Bench::new(&[("a.log", "")]);
        for line in DEATH {
            bench.append("a.log", &(form(7, line) + &form(8, "on")));
            bench.run(600);
        }
        bench.run(3_000);
        let [stretch, last] = &bench.events[..] else { panic!("{:?}", bench.events) };
        let expected = DEATH.iter().flat_map(|line| [(7, *line), (8, "on")]).collect::<Vec<_>>();
        assert!(is_one_of(stretch, form, &expected[..7]) && is_one_of(last, form, &expected[7..]), "{stretch}");
        let texts: Vec<_> =
            parse::texts(stretch.as_bytes()).map(|text| String::from_utf8_lossy(&text).into_owned()).collect();
        assert_eq!((texts.len(), &texts[0]), (4, &form(7, &DEATH.join("\n")).trim_end().to_owned()), "{texts:?}");
    }
}

#[test]
fn an_event_waits_as_long_as_entries_do_while_others_write_on() {
    for form in FORMS {
        let mut bench = Bench::new(&[("a.log", "")]);
        bench.append("a.log", &form(7, DEATH[0]));
        for _ in 0..8 {
            bench.run(100);
            bench.append("a.log", &form(8, "on"));
        }
        assert!(bench.events.is_empty(), "{:?}", bench.events);
        for _ in 0..6 {
            bench.run(100);
            bench.append("a.log", &form(8, "on"));
        }
        assert!(bench.events.len() > 8, "{:?}", bench.events);
        // What comes later than that is an event of its own.
        bench.append("a.log", &form(7, DEATH[1]));
        bench.run(3_000);
        assert_eq!(bench.events.iter().filter(|event| event.contains('\n')).count(), 0, "{:?}", bench.events);
    }
}

#[test]
fn a_program_that_writes_on_and_on_holds_nobody_up_for_long() {
    let form = FORMS[0];
    let mut bench = Bench::new(&[("a.log", "")]);
    bench.append("a.log", &(form(7, "steps:") + &form(8, "on")));
    for _ in 0..12 {
        bench.run(500);
        bench.append("a.log", &form(7, "  step"));
    }
    assert!(bench.events.iter().any(|event| event.contains("on")), "{:?}", bench.events);
}

#[test]
fn a_restart_in_the_midst_of_a_death_loses_nothing_and_repeats_nothing() {
    for form in FORMS {
        let mut bench = Bench::new(&[("a.log", "")]);
        for (n, line) in DEATH.into_iter().enumerate() {
            bench.append("a.log", &(form(7, line) + &form(8, "on")));
            bench.run(300);
            if n == 1 {
                bench.start();
            }
        }
        bench.run(3_000);
        assert_eq!(bench.events.len(), 2, "{:?}", bench.events);
        assert_eq!(bench.n_sent_twice, 0);
    }
}

#[test]
fn a_rule_for_one_program_leaves_what_others_wrote_between() {
    for form in FORMS {
        let rules = r#"{"drop": "tank dry"}"#;
        let rules: serde_json::Value = serde_json::from_str(rules).expect("an object");
        let rules = crate::rules::Rules::of(&definition::Node::root("input", &rules)).expect("rules");
        let lines = [form(7, "ERROR pump:"), form(8, "on"), form(7, "  tank dry")];
        let mut bytes = lines.concat().into_bytes();
        let place = crate::rules::SourcePosition { file: "a", generation: 0, start: 0 };
        let n_bytes = bytes.len() as u64;
        rules.apply(&mut bytes, Some(&[n_bytes]), place);
        assert_eq!(String::from_utf8_lossy(&bytes).trim(), lines[1].trim());
    }
}

//! What definitions mean, and that a mistake is told with its place.

use serde_json::json;

use super::*;

fn one(definition: Json) -> DefinedInput {
    inputs_of(&json!([definition])).expect("valid").pop().expect("one")
}

fn check_error(definitions: Json, expected: &str) {
    let errors: Vec<String> = inputs_of(&definitions).err().unwrap_or_default().iter().map(|e| e.to_string()).collect();
    assert_eq!(errors, [expected]);
}

#[test]
fn what_is_not_said_is_usual() {
    let input = one(json!({"paths": "/a"}));
    let expected = FileInput { name: "files".into(), paths: vec!["/a".into()], ..FileInput::default() };
    assert_eq!(format!("{:?}", input.file), format!("{expected:?}"));
    assert_eq!((input.kind, input.input.is_some()), ("files", false));
    assert_eq!(one(json!({"type": "stdin"})).buffer_bytes, 1 << 30);
}

#[test]
fn everything_that_is_said_is_taken() {
    let input = one(json!({
        "name": "web", "paths": ["/a", "/b/*.log"], "exclude": ["/a/x"], "group": "web/x", "stream": "s",
        "fields": {"env": "prod", "rack": 7}, "zone": "Asia/Jakarta", "backlog": "7d",
    }));
    let file = input.file;
    assert_eq!((&*file.name, file.paths.len(), file.excluded.len()), ("web", 2, 1));
    assert_eq!((file.fields["rack"].as_str(), file.zone.as_deref()), ("7", Some("Asia/Jakarta")));
    assert_eq!(file.backlog, Some(Backlog { bytes_max: None, age_ns_max: Some(7 * 86_400_000_000_000) }));
    let command = one(json!({"type": "command", "command": ["df", "-k"], "every": "30s", "buffer": "2MiB"}));
    assert_eq!((command.buffer_bytes, command.input.is_some()), (2 << 20, true));
}

#[test]
fn backlogs_are_all_none_a_size_or_an_age() {
    let backlog = |text: &str| one(json!({"paths": "/a", "backlog": text})).file.backlog;
    assert_eq!(backlog("all"), Some(Backlog::ALL));
    assert_eq!(backlog("none"), Some(Backlog { bytes_max: Some(0), age_ns_max: None }));
    assert_eq!(backlog("1MiB"), Some(Backlog { bytes_max: Some(1 << 20), age_ns_max: None }));
}

#[test]
fn mistakes_name_their_place_and_what_would_be_right() {
    let unknown = "input[0].path: unknown key \"path\"; did you mean \"paths\"?";
    check_error(json!([{"path": "/a"}]), unknown);
    check_error(json!([{"type": "file"}]), "input[0].type: unknown type \"file\"; did you mean \"files\"?");
    let known = "name, type, group, stream, fields, zone, format, multiline, hold, drop, keep, sample, mask, buffer";
    check_error(
        json!([{"type": "stdin", "every": "1s"}]),
        &format!("input[0].every: unknown key \"every\"; known here: {known}"),
    );
    check_error(
        json!([{"paths": "/a"}, {"paths": "/b"}]),
        "input[1]: there is another input with the name \"files\"; give each a \"name\" of its own",
    );
    check_error(
        json!([{"type": "stdin"}, {"type": "stdin", "name": "b"}]),
        "input[1].type: standard input can be read by one input alone",
    );
    for name in ["", "..", "a/b", ".hidden", "a b"] {
        let text = "a name has 1 to 64 of A-Z a-z 0-9 . _ - and does not begin with a period";
        check_error(json!([{"paths": "/a", "name": name}]), &format!("input[0].name: {text}"));
    }
    check_error(
        json!([{"paths": "/a", "zone": "Mars/Base"}]),
        "input[0].zone: unknown time zone \"Mars/Base\"; write UTC, +07:00 or Asia/Jakarta",
    );
    check_error(json!([{"type": "command", "command": []}]), "input[0].command: names no program");
    let group = "input[0].group: \"a b\" is no name of a group: it has 1–512 of A-Z a-z 0-9 . _ / # -";
    check_error(json!([{"paths": "/a", "group": "a b"}]), group);
}

#[test]
fn doubts_are_said_and_are_no_errors() {
    let definitions = json!([{"paths": "/no/such/*.log"}, {"name": "b", "paths": "/no/such/*.log"}]);
    let doubts = doubts_about(&inputs_of(&definitions).expect("valid"));
    assert_eq!(doubts.len(), 3, "{doubts:?}");
    assert!(doubts.iter().any(|doubt| doubt.contains("belongs to the input \"files\" before it")), "{doubts:?}");
}

#[test]
fn what_is_no_file_has_a_group_by_its_name_unless_it_says_one() {
    let group = |definition: Json| one(definition).file.group.map(|group| group.as_str().to_owned());
    assert_eq!(group(json!({"type": "stdin"})).as_deref(), Some("stdin"));
    assert_eq!(group(json!({"type": "heartbeat", "name": "alive"})).as_deref(), Some("alive"));
    assert_eq!(group(json!({"type": "host_metrics"})).as_deref(), Some("metrics/host"));
    assert_eq!(group(json!({"type": "host_metrics", "group": "x"})).as_deref(), Some("x"));
    assert_eq!(group(json!({"paths": "/a"})), None);
    let too_often = json!([{"type": "heartbeat", "every": "10ms"}]);
    check_error(too_often, "input[0].every: must be at least 1s");
}

#[test]
fn logs_of_containers_are_where_they_usually_are_unless_it_is_said_where() {
    let file = one(json!({"type": "containers"})).file;
    assert!(file.is_of_containers && file.paths.len() == 5 && file.group.is_none(), "{file:?}");
    let file = one(json!({"type": "containers", "paths": "/host/pods", "group": "all", "backlog": "none"})).file;
    assert_eq!(
        (file.paths, file.group.map(|group| group.to_string())),
        (vec!["/host/pods".into()], Some("all".into()))
    );
}

#[test]
fn the_journal_is_asked_for_units_matches_and_a_beginning() {
    let shown = |definition: Json| inputs_of(&json!([definition])).map(|inputs| inputs[0].input.is_some());
    let all =
        json!({"type": "journal", "units": ["ssh", "cron"], "matches": ["_UID=0", "+", "A_2=x=y"], "directory": "/x"});
    assert_eq!(shown(all), Ok(true));
    for since in ["boot", "all", "now", "7d"] {
        assert_eq!(shown(json!({"type": "journal", "since": since})), Ok(true));
    }
    for bad in ["--file=/etc/shadow", "-f", "=x", "unit"] {
        let text = "write \"_TRANSPORT=kernel\", or \"+\" between two of which one is enough";
        let expected = format!("input[0].matches: \"{bad}\" is not a match; {text}");
        check_error(json!([{"type": "journal", "matches": [bad]}]), &expected);
    }
    let text = "is not a starting point; write \"boot\", \"all\", \"now\" or an age such as 7d";
    check_error(json!([{"type": "journal", "since": "later"}]), &format!("input[0].since: \"later\" {text}"));
}

#[test]
fn syslog_listens_at_one_door_and_each_message_of_it_is_an_event() {
    let input = one(json!({"type": "syslog", "udp": "0.0.0.0:514", "allow": ["10.0.0.0/8", "fd00::/8"]}));
    let is_start = |line: &str| matches!(&input.file.multiline, Multiline::Start(start) if start.is_match(line));
    assert!(is_start("<34>x") && !is_start("  at <34>x") && !is_start("<a>"));
    assert_eq!(input.file.group.map(|group| group.to_string()).as_deref(), Some("syslog"));
    let lines = one(json!({"type": "syslog", "tcp": "[::]:514", "multiline": "none"})).file.multiline;
    assert!(matches!(lines, Multiline::None));
    let check = |more: Json, expected: &str| {
        let mut definition = json!({"type": "syslog"});
        definition.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        check_error(json!([definition]), expected);
    };
    check(json!({}), "input[0]: \"udp\" or \"tcp\" is missing: an address such as \"0.0.0.0:514\"");
    let one_of = "input[0].tcp: one of \"udp\" and \"tcp\"; make another input for the other";
    check(json!({"udp": "[::]:1", "tcp": "[::]:1"}), one_of);
    check(json!({"udp": "514"}), "input[0].udp: must be an address and a port, such as \"0.0.0.0:514\"");
    check(json!({"udp": "[::]:1", "allow": "all"}), "input[0].allow: must be a network such as \"10.0.0.0/8\"");
}

#[test]
fn a_page_of_metrics_has_an_address_and_is_not_waited_for_longer_than_until_the_next() {
    let url = "http://127.0.0.1:9100/metrics";
    let input = one(json!({"type": "scrape", "name": "node", "url": url, "every": "5s"}));
    assert_eq!(input.file.group.map(|group| group.to_string()).as_deref(), Some("metrics/node"));
    let late = json!([{"type": "scrape", "url": url, "every": "5s", "timeout": "6s"}]);
    check_error(late, "input[0].timeout: must not be longer than \"every\", nor 0");
    for bad in ["127.0.0.1:9100", "ftp://a/b", "http://"] {
        check_error(
            json!([{"type": "scrape", "url": bad}]),
            "input[0].url: must begin with http:// or https:// and name a host",
        );
    }
}

#[test]
fn packed_files_are_read_where_that_is_asked_for() {
    assert!(!one(json!({"paths": "/x"})).file.unpacks);
    assert!(one(json!({"paths": "/x", "compressed": true})).file.unpacks);
    assert!(one(json!({"type": "containers", "compressed": true})).file.unpacks);
    check_error(json!([{"paths": "/x", "compressed": "yes"}]), "input[0].compressed: must be true or false");
}

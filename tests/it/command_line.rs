//! The command line as a person and a script meet it: output forms, exit codes, errors with a caret.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::server::{ALL_TIME, Lines, PATIENCE, Ran, Server, catat, ndjson, printed, run, undisturbed};

fn query(server: &Server, arguments: &[&str]) -> Ran {
    let mut command = catat(server.data_dir.parent().expect("it lies in the scratch directory"));
    command.args(["query", "--url", &server.url, "--from", ALL_TIME.0, "--to", ALL_TIME.1]).args(arguments);
    run(command, "")
}

fn with_events() -> (tempfile::TempDir, Server) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest(
        "demo",
        ndjson([
            json!({"timestamp": "2026-11-19T10:00:00Z", "level": "info", "message": "begin", "ms": 1}),
            json!({"timestamp": "2026-11-19T10:00:01Z", "level": "error", "message": "no, \"disk\"", "ms": 2.5}),
        ]),
    );
    (scratch, server)
}

#[test]
fn query_prints_ndjson_into_a_pipe() {
    let (_scratch, server) = with_events();
    let ran = query(&server, &["fields message, ms | sort ms asc"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let rows: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect();
    assert_eq!(rows, [json!({"message": "begin", "ms": 1}), json!({"message": "no, \"disk\"", "ms": 2.5})]);
}

#[test]
fn query_prints_csv_json_lines_and_a_table_when_asked() {
    let (_scratch, server) = with_events();
    let text = "fields message, ms | sort ms asc";
    let csv = query(&server, &["-o", "csv", text]);
    assert_eq!(csv.out.lines().collect::<Vec<_>>(), ["message,ms", "begin,1", "\"no, \"\"disk\"\"\",2.5"]);
    let whole: Value = serde_json::from_str(&query(&server, &["-o", "json", text]).out).expect("one JSON document");
    assert!(whole.to_string().contains("begin"), "{whole}");
    for form in ["table", "lines"] {
        let ran = query(&server, &["-o", form, text]);
        assert!(ran.code == 0 && ran.out.contains("begin"), "{form}: {} {}", ran.out, ran.err);
    }
}

#[test]
fn typo_is_shown_with_a_caret_and_exit_code_two() {
    let (_scratch, server) = with_events();
    let ran = query(&server, &["fields message | stast count(*)"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains('^') && ran.err.contains("stats"), "{}", ran.err);
    assert!(ran.out.is_empty(), "{}", ran.out);
}

#[test]
fn explain_shows_a_question_of_another_language_in_insights() {
    let (_scratch, server) = with_events();
    let ran = query(&server, &["--explain", "--language", "logql", "{ms=\"1\"} |= \"begin\""]);
    assert!(ran.code == 0 && ran.out.starts_with("in Insights:\nfilter ms = "), "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("events scanned"), "{}", ran.out);
    let ran = query(&server, &["--explain", "--language", "lucene", "level:error"]);
    assert!(ran.out.starts_with("in Insights:\nfilter @level = \"error\"\n"), "{} {}", ran.out, ran.err);
    // What cannot be said in Insights is told with what is nearest to it.
    let ran = query(&server, &["--explain", "--language", "logql", "sum by (level) (count_over_time({}[5m]))"]);
    assert!(ran.code == 2 && ran.err.contains("stats count(*) as count by bin(5m)"), "{} {}", ran.out, ran.err);
    let ran = query(&server, &["--explain", "filter ms = 1"]);
    assert!(ran.code == 0 && !ran.out.contains("in Insights"), "{} {}", ran.out, ran.err);
}

#[test]
fn exit_codes_tell_no_match_and_no_server() {
    let (scratch, server) = with_events();
    assert_eq!(query(&server, &["filter message = \"nothing like it\""]).code, 0);
    assert_eq!(query(&server, &["--exit-on-empty", "filter message = \"nothing like it\""]).code, 1);
    let mut command = catat(scratch.path());
    // Port 1 is reserved and nobody listens there.
    command.args(["query", "--url", "http://127.0.0.1:1", "fields message"]);
    let ran = run(command, "");
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("127.0.0.1:1"), "{}", ran.err);
    let mut command = catat(scratch.path());
    command.args(["query", "--no-such-flag"]);
    assert_eq!(run(command, "").code, 2);
}

#[test]
fn files_and_standard_input_are_queried_without_a_server() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let text = "{\"message\":\"a\",\"ms\":4}\n{\"message\":\"b\",\"ms\":6}\n";
    std::fs::write(scratch.path().join("plain.log"), text).expect("scratch is writable");
    let packed = zstd::encode_all(text.as_bytes(), 3).expect("memory takes it");
    std::fs::write(scratch.path().join("packed.log.zst"), packed).expect("scratch is writable");
    let mut command = catat(scratch.path());
    command.args(["query", "--file", "plain.log", "--file", "packed.log.zst", "stats sum(ms) as s, count(*) as n"]);
    let ran = run(command, "");
    assert_eq!(ran.out.trim(), r#"{"s":20,"n":4}"#, "{}", ran.err);
    let mut command = catat(scratch.path());
    command.args(["query", "-", "stats max(ms) as m"]);
    assert_eq!(run(command, text).out.trim(), r#"{"m":6}"#);
    let mut command = catat(scratch.path());
    command.args(["query", "--file", "-", "stats max(ms) as m"]);
    assert_eq!(run(command, text).out.trim(), r#"{"m":6}"#);
    let mut command = catat(scratch.path());
    command.args(["query", "filter", "ms > 4"]);
    let ran = run(command, "");
    assert!(ran.code == 2 && ran.err.contains("quote the query"), "{}", ran.err);
}

#[test]
fn piped_input_is_read_only_where_it_is_named() {
    // A script's standard input is often a pipe that has nothing to do with the question.
    let (scratch, server) = with_events();
    let text = "nothing to do with it\nsecond line\nthird line\n";
    for by_environment in [false, true] {
        let mut command = catat(scratch.path());
        command.args(["query", "--from", ALL_TIME.0, "stats count(*) as n"]);
        match by_environment {
            true => command.env("CATAT_URL", &server.url),
            false => command.args(["--url", &server.url]),
        };
        let ran = run(command, text);
        assert_eq!(ran.out.trim(), r#"{"n":2}"#, "{}", ran.err);
    }
    let mut command = catat(scratch.path());
    command.args(["query", "stats count(*) as n"]).env("CATAT_URL", "http://127.0.0.1:1");
    let ran = run(command, text);
    assert!(ran.code == 3 && ran.err.contains("catat query - 'QUERY'"), "{}", ran.err);
}

#[test]
fn files_that_are_no_text_are_named_with_what_reads_them() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let cases: [(&[u8], &str); 4] = [
        (b"\x7fELF\x02\x01\x01\0", "not a text file"),
        (b"BZh91AY&SY", "bzip2 -dc"),
        (b"\xfd7zXZ\0\0\x04", "xz -dc"),
        (b"\xff\xfea\0", "iconv -f UTF-16"),
    ];
    for (bytes, hint) in cases {
        std::fs::write(scratch.path().join("file"), bytes).expect("scratch is writable");
        let mut command = catat(scratch.path());
        command.args(["query", "--file", "file", "stats count(*) as n"]);
        let ran = run(command, "");
        assert!(ran.code != 0 && ran.err.contains(hint), "{} {}", ran.code, ran.err);
    }
}

#[test]
fn send_takes_standard_input_with_group_and_fields() {
    let (scratch, server) = with_events();
    let mut command = catat(scratch.path());
    command.args(["send", "--url", &server.url, "--group", "batch/nightly", "--field", "job=backup"]);
    let ran = run(command, "started\nfinished\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(server.value("filter @log = \"batch/nightly\" and job = \"backup\" | stats count(*) as n"), 2);
}

#[test]
fn lookups_are_uploaded_shown_and_used() {
    let (scratch, server) = with_events();
    let text = "name,meaning\nbegin,it starts\n";
    std::fs::write(scratch.path().join("words.csv"), text).expect("scratch is writable");
    let lookups = |arguments: &[&str]| {
        let mut command = catat(scratch.path());
        command.args(["lookups", "--url", &server.url]).args(arguments);
        run(command, "")
    };
    assert_eq!(lookups(&["put", "words", "words.csv"]).code, 0);
    let listed = lookups(&[]);
    assert_eq!(
        listed.out.trim(),
        r#"{"name":"words","columns":["name","meaning"],"rows":1,"bytes":29}"#,
        "{}",
        listed.err
    );
    assert_eq!(lookups(&["show", "words"]).out, text);
    let looked_up = "lookup words name as message output meaning | sort ms | display meaning";
    assert_eq!(query(&server, &["-o", "csv", looked_up]).out, "meaning\nit starts\n\n");
    assert_eq!(lookups(&["delete", "words"]).code, 0);
    assert_eq!(query(&server, &[looked_up]).code, 2);
    let mut command = catat(scratch.path());
    command.args([
        "query",
        "-",
        "--lookup",
        "words=words.csv",
        "lookup words name as message output meaning | display meaning",
    ]);
    let ran = run(command, "{\"message\":\"begin\"}\n");
    assert_eq!(ran.out.trim(), r#"{"meaning":"it starts"}"#, "{}", ran.err);
}

#[test]
fn check_accepts_the_documented_configuration() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/catat.toml");
    let mut command = catat(scratch.path());
    command.args(["check", "--config", documented]);
    let ran = run(command, "");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// What `catat check --sample` says of lines on standard input, as JSON.
fn sampled(arguments: &[&str], lines: &str) -> Value {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut command = catat(scratch.path());
    command.args(["check", "--sample", "-", "-o", "json"]).args(arguments);
    let ran = run(command, lines);
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).expect("one JSON document")
}

#[test]
fn check_shows_what_lines_become_and_where_that_stands_in_them() {
    let lines = "<11>Nov 20 2026 06:47:13 web-1 shop: no tea\n\n{\"ts\":1795157233,\"level\":\"warn\"}\nERROR broken\n  at A.b\n";
    let said = sampled(&[], lines);
    let told = |at: usize| {
        let event = &said["events"][at];
        let of = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or("-").to_owned();
        let line = event["line"].as_u64().expect("every event says its line");
        (line, of("/recognised/as"), of("/recognised/time"), of("/event/@level"), of("/recognised/level"))
    };
    let owned = |line, parts: [&str; 4]| {
        let [shape, time, level, because] = parts.map(str::to_owned);
        (line, shape, time, level, because)
    };
    let of_text = "\"Nov 20 2026 06:47:13\" in the text";
    assert_eq!(told(0), owned(1, ["syslog", of_text, "error", "field severity"]));
    assert_eq!(told(1), owned(3, ["json", "field ts", "warn", "field level"]));
    let of_before = "none in the event: that of the event before it";
    assert_eq!(told(2), owned(4, ["text", of_before, "error", "a word of the text"]));
    assert_eq!(said["events"][2]["event"]["@timestamp"], "2026-11-20T06:47:13Z");
    let expected = json!({
        "lines": 5, "has_more": false, "events": 3, "fates": {"kept": 3}, "groups": {"default": 3},
        "shapes": {"syslog": 1, "json": 1, "text": 1}, "levels": {"error": 2, "warn": 1}, "without_time": 1,
    });
    assert_eq!(said["summary"], expected);
    let said = sampled(&["--lines", "1", "--group", "web"], lines);
    assert_eq!((&said["summary"]["has_more"], &said["summary"]["groups"]), (&json!(true), &json!({"web": 1})));
}

#[test]
fn check_shows_what_pipelines_do_to_lines_and_writes_nothing() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let settings = "[[pipeline]]\nname = \"p\"\nmatch = { group = \"web\" }\n[[pipeline.steps]]\nmask = [\"email\"]\n\
        [[pipeline.steps]]\ndrop = \"event\"\nwhen = { contains = \"health\" }\n[[pipeline.steps]]\nroute = \"shop\"\n";
    std::fs::write(scratch.path().join("catat.toml"), settings).expect("scratch is writable");
    std::fs::write(scratch.path().join("a.log"), "mail ann@example.org\nGET /health\n").expect("scratch is writable");
    let mut command = catat(scratch.path());
    command.args(["check", "--config", "catat.toml", "--sample", "a.log", "--group", "web"]);
    let ran = run(command, "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [
        "1   text  → shop",
        "p/1",
        "masked",
        "routed, @log: web → shop",
        "2   text  dropped",
        "2 lines, 2 events: 1 dropped, 1 kept",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "colours are for terminals: {}", ran.out);
    let mut files: Vec<_> =
        std::fs::read_dir(scratch.path()).expect("scratch").map(|e| e.expect("a file").file_name()).collect();
    files.sort();
    assert_eq!(files, ["a.log", "catat.toml"]);
    let mut command = catat(scratch.path());
    command.args(["check", "--sample", "missing.log"]);
    assert_eq!(run(command, "").code, 2);
}

#[test]
fn help_names_the_commands() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut command = catat(scratch.path());
    command.arg("--help");
    let ran = run(command, "");
    for name in ["up", "serve", "query", "tail", "send", "check", "completions", "man"] {
        assert!(ran.out.contains(name), "{name}: {}", ran.out);
    }
}

#[test]
fn licences_are_printed_with_their_texts() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let ran = printed(scratch.path(), &["licenses"]);
    for part in ["| tantivy ", "| preact ", "Permission is hereby granted, free of charge", "Apache License"] {
        assert!(ran.code == 0 && ran.out.contains(part), "{part}: {}", ran.err);
    }
}

#[test]
fn version_names_the_commit_and_the_formats_on_disk() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let [short, long] = ["-V", "--version"].map(|flag| printed(scratch.path(), &[flag]).out);
    assert!(short.starts_with("catat ") && long.starts_with(short.trim_end()), "{short}{long}");
    let formats = long.lines().nth(1).and_then(|line| line.strip_prefix("formats on disk: ")).expect("a second line");
    for name in ["store", "write-ahead log", "segment", "catalog", "control store"] {
        let version = formats.split(", ").find_map(|format| format.strip_prefix(name)?.trim().parse::<u64>().ok());
        assert!(version.is_some_and(|version| version > 0), "{name}: {long}");
    }
    // Without a repository the version stands alone.
    let Some((commit, _)) = short.split_once('(').and_then(|(_, rest)| rest.split_once(')')) else { return };
    assert!(commit.len() >= 7 && commit.chars().all(|digit| digit.is_ascii_hexdigit()), "{short}");
}

#[test]
fn reports_of_the_ledger_and_of_dashboards_are_made_listed_sent_and_deleted() {
    let (scratch, server) = with_events();
    let reports = |arguments: &[&str]| {
        let mut command = catat(scratch.path());
        command.args(["reports", "--url", &server.url, "--tz", "Asia/Jakarta"]).args(arguments);
        run(command, "")
    };
    let put =
        |arguments: &[&str]| reports(&[&["put"][..], arguments, &["--at", "07:00", "--topic", "bosses"]].concat());
    let made = put(&["month", "--ledger", "--objective", "99.9,pay=99.95", "--on", "1", "--lang", "id"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.err.contains("no channel of type email names the topic bosses"), "{}", made.err);
    let row: Value = serde_json::from_str(&made.out).expect("a row");
    assert_eq!((&row["ledger"], &row["dashboard"]), (&json!(true), &Value::Null));
    assert!(row["next"].as_str().is_some_and(|next| next.ends_with("-01T07:00:00+07:00")), "{row}");
    let weekly = ["weekly", "--dashboard", "pay", "--on", "monday", "--from", "now-7d", "--paused"];
    let made = put(&[&weekly[..], &["--var", "host=a", "--var", "host=b"]].concat());
    assert_eq!(made.code, 0, "{}", made.err);
    let rows: Vec<Value> = reports(&[]).out.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    assert_eq!(rows.iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["month", "weekly"]);
    let kept = server.get("/api/v1/reports", &[]).json()["reports"].clone();
    assert_eq!((&kept[0]["lang"], &kept[0]["time_zone"]), (&json!("id"), &json!("Asia/Jakarta")));
    assert_eq!(kept[0]["objective"], "99.9,pay=99.95");
    assert_eq!((&kept[1]["enabled"], &kept[1]["next"]), (&json!(false), &Value::Null));
    assert_eq!(kept[1]["variables"], json!({"host": ["a", "b"]}));
    assert_eq!(kept[1]["range"], json!({"from": "now-7d", "to": "now"}));
    assert_eq!(reports(&["send", "month"]).code, 0);
    for wrong in [
        &["x", "--on", "1"][..],
        &["x", "--ledger", "--dashboard", "pay", "--on", "1"],
        &["x", "--ledger", "--on", "never"],
    ] {
        assert_eq!(put(wrong).code, 2, "{wrong:?}");
    }
    assert_eq!([reports(&["delete", "month"]).code, reports(&["delete", "weekly"]).code], [0, 0]);
    assert_eq!(reports(&["list"]).out, "");
}

#[test]
fn every_noun_has_a_list_and_users_and_keys_take_the_same_verbs() {
    let (scratch, server) = with_events();
    let data_dir = server.data_dir.to_str().expect("it is UTF-8");
    for noun in ["groups", "keys", "users", "rules", "sources", "lookups", "dashboards", "reports"] {
        let ran = printed(scratch.path(), &[noun, "list", "--data-dir", data_dir]);
        assert_eq!(ran.code, 0, "{noun}: {}", ran.err);
        let help = printed(scratch.path(), &[noun, "--help"]).out;
        assert!(help.lines().any(|line| line.trim_start().starts_with("list ")), "{noun}: {help}");
    }
    let mut command = catat(scratch.path());
    command.args(["users", "create", "ann", "--data-dir", data_dir]);
    assert_eq!(run(command, "correct horse battery\n").code, 0);
    assert_eq!(printed(scratch.path(), &["users", "delete", "ann", "--data-dir", data_dir]).code, 0);
    let key = printed(scratch.path(), &["keys", "create", "--name", "a", "--role", "read", "--data-dir", data_dir]);
    let key: Value = serde_json::from_str(&key.out).expect("a key");
    let id = key["id"].as_str().expect("an id");
    assert_eq!(printed(scratch.path(), &["keys", "delete", id, "--data-dir", data_dir]).code, 0);
}

#[test]
fn tail_shows_the_last_events_first_and_then_each_new_one_once() {
    let (scratch, server) = with_events();
    server.ingest("demo", ndjson([json!({"timestamp": "2026-11-19T10:00:02Z", "level": "error", "message": "third"})]));
    let mut command = catat(scratch.path());
    command.args(["tail", "--url", &server.url, "-n", "2", "--count", "3", "filter @level >= \"info\""]);
    let lines = Lines::of(command);
    let next = || {
        let line = lines.next_within(PATIENCE).expect("an event is shown");
        serde_json::from_str::<Value>(&line).expect("a JSON line")["@message"].clone()
    };
    assert_eq!([next(), next()], ["no, \"disk\"", "third"]);
    server.ingest("demo", ndjson([json!({"level": "info", "message": "fourth"})]));
    assert_eq!(next(), "fourth");
}

#[test]
fn times_of_lists_are_local_for_people_and_utc_for_programs() {
    let (scratch, server) = with_events();
    let listed = |more: &[&str], zone: &str| {
        let mut command = catat(scratch.path());
        command.args(["groups", "list", "--url", &server.url]).args(more).env("TZ", zone);
        let ran = run(command, "");
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    assert!(listed(&["-o", "table"], "Asia/Jakarta").contains("2026-11-19T17:00:00+07:00"));
    assert!(listed(&["-o", "table", "--utc"], "Asia/Jakarta").contains("2026-11-19T10:00:00Z"));
    assert!(listed(&["-o", "table", "--tz", "Asia/Tokyo"], "Asia/Jakarta").contains("2026-11-19T19:00:00+09:00"));
    assert!(listed(&[], "Asia/Jakarta").contains("\"first\":\"2026-11-19T10:00:00Z\""));
}

#[test]
fn a_table_fits_the_terminal_and_levels_have_colours_unless_nobody_wants_them() {
    let (scratch, server) = with_events();
    let long = format!("long {}", "x".repeat(200));
    server.ingest("demo", ndjson([json!({"timestamp": "2026-11-19T10:00:03Z", "level": "error", "message": long})]));
    let shown = |no_color: &str| {
        let query = "fields @timestamp, @level, message, ms";
        let ask =
            format!("stty cols 70; exec \"$0\" query --url {} --from {} -o table '{query}'", server.url, ALL_TIME.0);
        let quoted = ask.replace("$0", env!("CARGO_BIN_EXE_catat"));
        let mut command = undisturbed(Command::new("script"), scratch.path());
        command.args(["-qec", &quoted, "/dev/null"]).env("TERM", "xterm").env("NO_COLOR", no_color);
        command.stdin(Stdio::null()).output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Ok(coloured) = shown("") else { return eprintln!("left out: there is no script") };
    assert!(coloured.contains("\u{1b}[31merror") && coloured.contains("x…"), "{coloured}");
    let plain = shown("1").expect("there is a script");
    assert!(!plain.contains('\u{1b}') && plain.contains("begin"), "{plain}");
    assert!(plain.lines().all(|line| line.trim_end().chars().count() <= 70), "{plain}");
}

#[test]
fn check_reports_mistakes_in_settings_rules_and_certificates_at_once() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let write = |name: &str, text: &str| std::fs::write(scratch.path().join(name), text).expect("scratch is writable");
    std::fs::create_dir(scratch.path().join("rules")).expect("scratch is writable");
    for (file, key) in [("a", "nothing"), ("b", "other")] {
        let rule = format!("{{name: {file}, query: stats count(*), {key}: here}}");
        write(&format!("rules/{file}.yaml"), &format!("groups:\n  - name: {file}\n    rules:\n      - {rule}\n"));
    }
    let settings = "[server]\nlisten = \"here\"\ntls_cert = \"no.pem\"\ntls_key = \"no.key\"\n[alerts]\nrules_dir = \"rules\"\n\
                    intervall = \"1m\"\n[storage]\ndir = \"data\"\n";
    write("catat.toml", settings);
    let ran = printed(scratch.path(), &["check", "--config", "catat.toml"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    for mistake in ["catat.toml:2: ", "did you mean \"alerts.interval\"", "no.pem", "\"nothing\"", "\"other\""] {
        assert!(ran.err.contains(mistake), "{mistake}: {}", ran.err);
    }
    assert!(ran.err.lines().all(|line| line.starts_with("catat: ") || line.starts_with(' ')), "{}", ran.err);
}

#[test]
fn a_reader_of_standard_error_that_goes_away_ends_nothing_with_a_panic() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    std::fs::write(scratch.path().join("a.log"), "one\ntwo\n").expect("scratch is writable");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = catat(scratch.path());
    command.args(["query", "--file", "a.log", "sort ("]).stderr(writer);
    assert_eq!(command.status().expect("our own executable").code(), Some(2));
}

#[test]
fn a_noun_without_a_verb_lists() {
    let (_scratch, server) = with_events();
    for noun in ["groups", "lookups", "rules", "sources", "keys", "users", "dashboards", "reports"] {
        let print = |verb: &[&str]| {
            let mut command = catat(server.data_dir.parent().expect("it lies in the scratch directory"));
            command.args([noun]).args(verb).args(["--url", &server.url, "--data-dir"]).arg(&server.data_dir);
            let ran = run(command, "");
            assert_eq!(ran.code, 0, "{noun} {verb:?}: {}", ran.err);
            ran.out
        };
        assert_eq!(print(&[]), print(&["list"]), "{noun}");
    }
}

//! Files and standard input, queried without a server: what is read, in which order it is shown, and what an answer says
//! where something cannot be read.

use std::io::Write;
use std::path::Path;

use crate::server::{Ran, catat, run};

fn write(scratch: &Path, name: &str, bytes: &[u8]) {
    let path = scratch.join(name);
    std::fs::create_dir_all(path.parent().expect("it lies in the scratch directory")).expect("scratch is writable");
    std::fs::write(path, bytes).expect("scratch is writable");
}

fn query(scratch: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut command = catat(scratch);
    command.arg("query").args(arguments);
    run(command, input)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).expect("memory takes it");
    packer.finish().expect("memory takes it")
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).expect("memory takes it")
}

/// A line per second from second `first` on, every `step`th; long enough that some thousand do not fit into one piece.
fn lines(first: usize, step: usize, n_lines: usize) -> String {
    let line = |second: usize| {
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let level = if second.is_multiple_of(7) { "ERROR" } else { "INFO" };
        format!(
            "2026-11-20T{hour:02}:{minute:02}:{:02}Z {level} event number={second} {}\n",
            second % 60,
            "x".repeat(200)
        )
    };
    (first..).step_by(step).take(n_lines).map(line).collect()
}

#[test]
fn files_of_all_kinds_are_merged_by_time() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    write(scratch.path(), "logs/a.log", lines(0, 3, 20_000).as_bytes());
    write(scratch.path(), "logs/deeper/b.log.1.gz", &gzip(&lines(1, 3, 20_000)));
    write(scratch.path(), "logs/c.log.zst", &zstd(&lines(2, 3, 20_000)));
    write(scratch.path(), "logs/no-text", &[0, 159, 0, 0, 0, 1, 0, 0]);
    let counted = ["--file", "logs", "stats count(*) as n, min(@timestamp) as a, max(@timestamp) as b"];
    let ran = query(scratch.path(), &counted, "");
    let expected = r#"{"n":60000,"a":"2026-11-20T00:00:00Z","b":"2026-11-20T16:39:59Z"}"#;
    assert_eq!((ran.out.trim(), ran.code), (expected, 0), "{}", ran.err);
    let parsed = "parse @message \"number=* \" as n | fields n";
    for (sort, expected) in [("", "59999 59998 59997 59996"), ("| sort @timestamp asc", "0 1 2 3")] {
        let ran = query(scratch.path(), &["--file", "logs", &format!("{parsed} {sort} | limit 4")], "");
        let shown: Vec<&str> = ran.out.lines().map(|line| line.split('"').nth(3).unwrap_or_default()).collect();
        assert_eq!(shown.join(" "), expected, "{}", ran.err);
    }
}

#[test]
fn a_filter_finds_the_same_whether_all_is_parsed_or_only_what_may_match() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut text = lines(0, 1, 30_000);
    // Among lines with times, those without one belong to the line before, whether that one matches or not.
    let before = lines(29_999, 1, 1);
    text.push_str("without a time: needle\n\tat frame\nno needle's time\n");
    write(scratch.path(), "a.log", format!("{text}{}", lines(30_000, 1, 10)).as_bytes());
    // The second form cannot be looked for in the bytes.
    for filter in ["@message like \"needle\"", "concat(@message, \"\") like \"needle\""] {
        let ran = query(scratch.path(), &["--file", "a.log", &format!("filter {filter}")], "");
        let joined = format!("{}\\nwithout a time: needle\\n\\tat frame\\nno needle's time", before.trim_end());
        let expected = format!("{{\"@timestamp\":\"2026-11-20T08:19:59Z\",\"@message\":\"{joined}\"}}\n");
        assert_eq!(ran.out, expected, "{filter}: {}", ran.err);
    }
}

#[test]
fn patterns_name_files_and_groups_name_files_too() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    for name in ["app/a.log", "app/b.log", "app/c.txt", "web/a.log"] {
        write(scratch.path(), name, b"2026-11-20T06:00:00Z one\n");
    }
    let n_events = |arguments: &[&str]| query(scratch.path(), arguments, "").out;
    assert_eq!(n_events(&["--file", "app/*.log", "stats count(*) as n"]).trim(), r#"{"n":2}"#);
    assert_eq!(n_events(&["--file", "**/a.log", "stats count(*) as n"]).trim(), r#"{"n":2}"#);
    assert_eq!(n_events(&["--file", ".", "source \"app/*\" | stats count(*) as n"]).trim(), r#"{"n":3}"#);
    let missing = query(scratch.path(), &["--file", "app/*.json", "stats count(*)"], "");
    assert_eq!(missing.code, 2, "{}", missing.err);
    let missing = query(scratch.path(), &["--file", "absent.log", "--file", "app", "stats count(*)"], "");
    assert!(missing.code == 2 && missing.err.contains("absent.log"), "{} {}", missing.code, missing.err);
}

#[test]
fn a_packed_file_that_breaks_off_makes_the_answer_partial() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let packed = gzip(&lines(0, 1, 20_000));
    write(scratch.path(), "broken.log.gz", &packed[..packed.len() / 2]);
    write(scratch.path(), "whole.log", lines(50_000, 1, 10).as_bytes());
    let ran = query(
        scratch.path(),
        &["--file", "broken.log.gz", "whole.log", "stats count(*) as n, max(@timestamp) as b"],
        "",
    );
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("broken.log.gz"), "{}", ran.err);
    assert!(ran.out.contains("2026-11-20T13:53:29Z") && !ran.out.contains("\"n\":10,"), "{}", ran.out);
}

#[test]
fn standard_input_is_read_once_more_for_each_query_inside() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let text = "{\"id\":1,\"state\":\"failed\"}\n{\"id\":2,\"state\":\"ok\"}\n{\"id\":1,\"state\":\"ok\"}\n";
    let inner = "filter id in (source \"stdin\" | filter state = \"failed\" | fields id) | stats count(*) as n";
    let ran = query(scratch.path(), &["-", inner], text);
    assert_eq!(ran.out.trim(), r#"{"n":2}"#, "{}", ran.err);
    let ran = query(scratch.path(), &["-", "pattern @message | stats sum(`@sampleCount`) as n"], text);
    assert_eq!(ran.out.trim(), r#"{"n":3}"#, "{}", ran.err);
    let ran = query(scratch.path(), &["-", "stats max(id) as n"], &text.repeat(100_000));
    assert_eq!(ran.out.trim(), r#"{"n":2}"#, "{}", ran.err);
}

#[test]
fn flow_logs_are_read_by_their_header_line_in_every_piece_of_a_file() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut text = "action srcaddr dstport start\n".to_owned();
    for n in 0..60_000 {
        text.push_str(&format!(
            "{} 192.0.2.{} 443 {}\n",
            if n % 4 == 0 { "REJECT" } else { "ACCEPT" },
            n % 250,
            1_794_157_233 + n
        ));
    }
    write(scratch.path(), "flow.log", text.as_bytes());
    write(scratch.path(), "flow.log.zst", &zstd(&text));
    for file in ["flow.log", "flow.log.zst"] {
        let question = "filter action = \"REJECT\" | stats count(*) as n, max(start) as last, max(@timestamp) as at";
        let ran = query(scratch.path(), &["--file", file, question], "");
        let expected = r#"{"n":15000,"last":1794217229,"at":"2026-11-09T09:40:29Z"}"#;
        assert_eq!(ran.out.trim(), expected, "{file}: {}", ran.err);
    }
}

#[test]
fn what_container_runtimes_wrote_in_parts_is_found_as_the_program_wrote_it() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let lines = [
        "2026-11-20T06:47:13.1Z stdout P the nee",
        "2026-11-20T06:47:13.2Z stderr F {\"level\":\"warn\",\"n\":7}",
        "2026-11-20T06:47:13.3Z stdout F dle \"here\"",
        r#"{"log":"a nee","stream":"stdout","time":"2026-11-20T06:47:14Z"}"#,
        r#"{"log":"dle \"here\" n=8\n","stream":"stdout","time":"2026-11-20T06:47:15Z"}"#,
    ];
    write(scratch.path(), "pod.log", (lines.join("\n") + "\n").as_bytes());
    let ask = |question: &str| query(scratch.path(), &["--file", "pod.log", question], "").out;
    let found = ask("filter @message like \"needle \\\"here\\\"\" | fields @message, stream | sort @timestamp");
    let expected = concat!(
        r#"{"@message":"the needle \"here\"","stream":"stdout"}"#,
        "\n",
        r#"{"@message":"a needle \"here\" n=8","stream":"stdout"}"#,
    );
    assert_eq!(found.trim(), expected);
    assert_eq!(ask("filter n = 7 | fields @level, stream").trim(), r#"{"@level":"warn","stream":"stderr"}"#);
    assert_eq!(ask("stats count(*) as n").trim(), r#"{"n":3}"#);
}

/// A beginning that is written with its end is the whole range, as at the server.
#[test]
fn formats_beside_the_configuration_read_files_too() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let format = "name = \"till\"\ntitle = \"Tills\"\nlines = [\"{time} till-{till:int} <{level}> {message}\"]\n\
                  [levels]\nerror = [\"TORN\"]\n[[sample]]\ntext = \"2026-11-20 06:47:13 till-7 <TORN> x\"\n\
                  time = \"2026-11-20T06:47:13Z\"\nlevel = \"error\"\n";
    write(scratch.path(), "etc/catat.toml", b"");
    write(scratch.path(), "etc/formats/till.toml", format.as_bytes());
    write(scratch.path(), "till.log", b"2026-11-20 06:47:13 till-7 <TORN> the drawer is jammed\n");
    let fields = "fields @level, till";
    let ran = query(scratch.path(), &["--file", "till.log", "--config", "etc/catat.toml", fields], "");
    assert_eq!((ran.out.trim(), ran.code), (r#"{"@level":"error","till":7}"#, 0), "{}", ran.err);
    write(scratch.path(), "etc/catat.toml", b"[server]\nlisten = 7\n");
    let ran = query(scratch.path(), &["--file", "till.log", "--config", "etc/catat.toml", fields], "");
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn a_range_is_written_in_one() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    write(scratch.path(), "a.log", b"2026-11-20T06:30:00Z inside\n2026-11-20T07:30:00Z after\n");
    let asked = |from: &str| query(scratch.path(), &["--file", "a.log", "--from", from, "stats count(*) as n"], "");
    assert_eq!(asked("2026-11-20 06:00..07:00").out.trim(), r#"{"n":1}"#);
    assert_eq!(asked("2026-11-20 06:00").out.trim(), r#"{"n":2}"#);
    let wrong = asked("2026-11-20 06:00..soon");
    assert!(wrong.code == 2 && wrong.err.contains("\"soon\" is no time"), "{} {}", wrong.code, wrong.err);
}

#[test]
fn a_field_that_no_line_has_is_named_with_the_nearest() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let line = |number: usize| format!("{{\"message\":\"served\",\"timeMs\":{number},\"user\":\"user{number}\"}}\n");
    write(scratch.path(), "app.log", (0..1000).map(line).collect::<String>().as_bytes());
    for (text, expected) in [
        ("stats avg(timems)", "did you mean `timeMs`?"),
        ("filter usr = \"user7\" | stats count(*)", "did you mean `user`?"),
        ("filter user = user7", "a text is written in quotes: \"user7\""),
    ] {
        let ran = query(scratch.path(), &["--file", "app.log", text], "");
        assert!(ran.err.contains(expected), "{text}: {}", ran.err);
    }
    let ran = query(scratch.path(), &["--file", "app.log", "stats avg(timeMs) by user | limit 1"], "");
    assert!(!ran.err.contains("field"), "{}", ran.err);
}

#[test]
fn a_time_of_day_is_of_the_day_on_which_its_file_was_written_for_query_and_check_alike() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    write(scratch.path(), "a.log", b"06:47:13.268 [warning] careful\n");
    // 20 November 2026, 06:50.
    let written = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_157_400);
    let file = std::fs::File::options().append(true).open(scratch.path().join("a.log")).expect("it was written");
    file.set_modified(written).expect("times can be set");
    let asked = query(scratch.path(), &["--file", "a.log", "-o", "ndjson", "--", "fields @timestamp"], "");
    let mut check = catat(scratch.path());
    check.args(["check", "--sample", "a.log", "-o", "ndjson"]);
    for ran in [asked, run(check, "")] {
        assert!(ran.out.contains("\"@timestamp\":\"2026-11-20T06:47:13.268Z\""), "{}{}", ran.out, ran.err);
    }
}

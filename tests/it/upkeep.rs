//! A store looks after itself: small segments are put together, and what is too old or too much goes.

use std::path::Path;

use serde_json::{Value, json};

use crate::server::{Server, ndjson};

/// Ten events of one day of November 2026, a minute apart.
fn day(day: u32) -> String {
    ndjson((0..10).map(|i| json!({"time": format!("2026-11-{day:02}T10:0{i}:00Z"), "message": format!("{day}-{i}")})))
}

/// All files below a directory that end in `.seg`.
fn segments(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let count = |path: &Path| {
        if path.is_dir() { segments(path) } else { usize::from(path.extension().is_some_and(|e| e == "seg")) }
    };
    entries.map(|entry| count(&entry.path())).sum()
}

/// How many whole hours ago that day of November 2026 began.
fn hours_since(server: &Server, day: u32) -> i64 {
    let now = server.get("/api/v1/status", &[]).json()["now"].as_str().expect("a time").to_owned();
    let date = |text: &str| -> i64 {
        let (year, rest): (i64, &str) = (text[..4].parse().expect("a year"), &text[5..]);
        let (month, day): (i64, i64) = (rest[..2].parse().expect("a month"), rest[3..5].parse().expect("a day"));
        // Days of the civil calendar, counted from March so that leap days come last.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day
    };
    let hour: i64 = now[11..13].parse().expect("an hour");
    (date(&now) - date(&format!("2026-11-{day:02}"))) * 24 + hour
}

#[test]
fn many_flushes_end_in_few_segments_with_the_same_events() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    for _ in 0..9 {
        server.ingest("app", day(19));
        server.flush();
    }
    let rows = || Value::from(server.rows("fields @timestamp, @message, @id | sort @id").len());
    assert_eq!((server.count(), rows()), (90, json!(90)));
    assert!(segments(&server.data_dir) < 6, "{} segments", segments(&server.data_dir));
    server.kill();
    let server = server.restart();
    assert_eq!(server.count(), 90);
    let ready = server.get("/-/ready", &[]);
    assert_eq!(ready.status, 200, "{}", ready.body);
}

#[test]
fn a_group_keeps_what_its_age_allows_and_says_so() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    std::fs::write(scratch.path().join("catat.toml"), "[retention]\nsize = \"never\"\n").expect("a scratch file");
    let mut server = Server::serve(scratch.path());
    for day_of_month in [1, 2, 3] {
        server.ingest("a/b", day(day_of_month));
        server.ingest("other", day(day_of_month));
        server.flush();
    }
    let path = "/api/v1/groups/a%2Fb";
    let wrong = server.put(path, &json!({"retention": {"age": "soon"}}));
    assert_eq!((wrong.status, server.count()), (400, 60), "{}", wrong.body);
    let unkeyed = server.get(path, &[]).json();
    assert_eq!(unkeyed["retention"], json!({"age": null, "size": null}), "{unkeyed}");

    // What goes ends between nine and ten of the second of November, whose events are of ten o'clock.
    let age = format!("{}h", hours_since(&server, 2) - 9);
    let group = server.put(path, &json!({"retention": {"age": age, "size": null}}));
    assert_eq!((group.status, group.json()["events"].clone()), (200, json!(20)), "{}", group.body);
    assert_eq!(server.count(), 50);
    assert!(server.stop().success());
    let server = server.restart();
    assert_eq!(server.get(path, &[]).json()["retention"]["age"], group.json()["retention"]["age"]);
    assert_eq!(server.count(), 50);

    let late = server.post("/api/v1/ingest?group=a/b&format=ndjson", &[], "{\"time\":\"2020-01-01T00:00:00Z\"}\n");
    assert_eq!(late.status, 400, "{}", late.body);
    assert!(late.body.contains("retention"), "{}", late.body);

    let group = server.put(path, &json!({"retention": null}));
    assert_eq!((group.status, group.json()["events"].clone()), (200, json!(30)), "{}", group.body);
    assert_eq!(server.count(), 60);
}

/// The path of the only segment below a directory.
fn only_segment(dir: &Path) -> std::path::PathBuf {
    let mut pending = vec![dir.to_owned()];
    while let Some(next) = pending.pop() {
        for entry in std::fs::read_dir(next).expect("a directory").flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "seg") {
                return path;
            }
            pending.extend(path.is_dir().then_some(path));
        }
    }
    panic!("there is no segment");
}

#[test]
fn a_byte_that_flips_on_the_disk_is_found_while_the_server_runs() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    std::fs::write(scratch.path().join("catat.toml"), "[storage]\nscrub_interval = \"1s\"\n").expect("a scratch file");
    let server = Server::serve(scratch.path());
    server.ingest("app", day(19));
    server.flush();
    let path = only_segment(&server.data_dir);
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let mut bytes = std::fs::read(&path).expect("a segment");
    bytes[70] ^= 1;
    std::fs::write(&path, &bytes).expect("writable");
    let ready = server.until("it is found", || Some(server.get("/-/ready", &[])).filter(|ready| ready.status == 503));
    assert!(ready.body.contains(&name), "{}", ready.body);
    let status = server.get("/api/v1/status", &[]).json();
    assert!(status["damaged"][0].as_str().is_some_and(|text| text.contains(&name)), "{status}");
    assert_eq!(status["scrub"]["damaged"], 1);
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("catat_damaged_files 1\n") && metrics.contains("catat_damaged_file{file="), "{metrics}");
    let asked = json!({"query": "stats count(*)", "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"});
    let answer = server.post("/api/v1/query", &[("content-type", "application/json")], asked.to_string()).json();
    assert_eq!(answer["partial"], true, "{answer}");
    assert!(answer["partial_reasons"].to_string().contains(&name), "{answer}");
    assert!(path.exists());
}

//! `catat export`: every event with all its fields, once, whenever it is killed.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::lab::{self, Random};
use crate::server::{Ran, Server, catat, ndjson, run};

/// Days with events, and events of each.
const N_DAYS: i64 = 24;
const DAY_EVENTS: i64 = 40;

const FIRST_MS: i64 = 1_760_000_000_000;
const DAY_MS: i64 = 24 * 3_600_000;

fn export(server: &Server, arguments: &[&str]) -> Ran {
    let mut command = catat(server.data_dir.parent().expect("it lies in the scratch directory"));
    command.args(["export", "--url", &server.url]).args(arguments);
    run(command, "")
}

fn fill(server: &Server) {
    for day in 0..N_DAYS {
        let event = |n: i64| {
            let serial = day * DAY_EVENTS + n;
            let mut event = json!({"time": FIRST_MS + day * DAY_MS + n * 1000, "message": format!("event \"{serial}\"\n"), "serial": serial});
            event[format!("only_of_{}", serial % 7)] = json!(serial as f64 / 3.0);
            event
        };
        server.ingest(["shop", "app/pay"][day as usize % 2], ndjson((0..DAY_EVENTS).map(event)));
    }
}

/// The events of an export, as the files have them, which must be those of its checksums.
fn exported(dir: &Path) -> Vec<Value> {
    let sums = std::fs::read_to_string(dir.join("SHA256SUMS")).expect("checksums");
    let check =
        std::process::Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(dir).status();
    assert!(check.expect("sha256sum").success(), "{sums}");
    let mut events = Vec::new();
    for line in sums.lines() {
        let file = std::fs::File::open(dir.join(line.split_once("  ").expect("two columns").1)).expect("a part");
        let text = zstd::decode_all(file).expect("it is whole");
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        events.extend(lines.map(|line| serde_json::from_slice::<Value>(line).expect("JSON")));
    }
    events
}

fn serials(events: &[Value]) -> Vec<i64> {
    events.iter().filter_map(|event| event["serial"].as_i64()).collect()
}

#[test]
fn events_are_exported_once_with_all_fields_however_often_it_is_killed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    fill(&server);
    server.flush();
    let dir = scratch.path().join("out");
    let path = dir.to_str().expect("UTF-8");
    let mut random = Random::new(lab::seed());
    for _ in 0..lab::rounds(6) {
        let mut command = catat(scratch.path());
        command.args(["export", "--url", &server.url, path]).stderr(std::process::Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let wanted = random.below(N_DAYS as u64 - 1) as usize;
        let n_parts =
            || std::fs::read_to_string(dir.join("parts.ndjson")).unwrap_or_default().matches("sha256").count();
        while child.try_wait().expect("our child").is_none() && n_parts() < wanted {
            std::thread::yield_now();
        }
        // It may have ended.
        let _ = child.kill();
        child.wait().expect("our child ends");
    }
    // What comes when it has begun is no part of it.
    server.ingest("shop", ndjson([json!({"time": FIRST_MS, "message": "late", "serial": 1_000_000})]));
    let ran = export(&server, &[path]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("the server counts as many"), "{}", ran.err);
    let events = exported(&dir);
    assert_eq!(serials(&events), (0..N_DAYS * DAY_EVENTS).collect::<Vec<_>>(), "each once, oldest first");
    for event in &events {
        let serial = event["serial"].as_i64().expect("a number");
        assert_eq!(event[format!("only_of_{}", serial % 7)], json!(serial as f64 / 3.0), "{event}");
        assert_eq!(event["message"], format!("event \"{serial}\"\n"), "{event}");
        assert_eq!(event["@log"], ["shop", "app/pay"][(serial / DAY_EVENTS) as usize % 2], "{event}");
    }
    let other = export(&server, &["--group", "shop", path]);
    assert!(other.code == 2 && other.err.contains("another export"), "{}", other.err);
    let again = export(&server, &[path]);
    assert_eq!((again.code, again.err.contains("are there already")), (0, true), "{}", again.err);
}

#[test]
fn a_choice_of_events_goes_into_tables_and_deleted_ones_are_told() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    fill(&server);
    let dir = scratch.path().join("tables");
    let path = dir.to_str().expect("UTF-8");
    let csv = ["--format", "csv", "--compression", "none", "--group", "app/*", path, "filter serial >= 900"];
    let ran = export(&server, &csv);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let files = std::fs::read_dir(&dir).expect("a directory").filter_map(Result::ok);
    let tables: BTreeMap<_, _> = files
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "csv"))
        .map(|file| (file.file_name(), std::fs::read_to_string(file.path()).expect("text")))
        .collect();
    let heads: Vec<&str> = tables.values().filter_map(|table| table.lines().next()).collect();
    assert!(!heads.is_empty() && heads.iter().all(|head| head.starts_with("@timestamp,@message,")), "{heads:?}");
    let n_rows: usize = tables.values().map(|table| table.matches("\"event \"\"").count()).sum();
    let wanted = (900..N_DAYS * DAY_EVENTS).filter(|serial| (serial / DAY_EVENTS) % 2 == 1).count();
    assert_eq!(n_rows, 2 * wanted, "as the text and as the field: {}", ran.err);
    for query in ["stats count(*)", "limit 3", "source \"app\" start=-1d", "dedup serial"] {
        let refused = export(&server, &["elsewhere", query]);
        assert!(refused.code == 2 && refused.err.contains("each event by itself"), "{query}: {}", refused.err);
    }
    let mistake = export(&server, &["elsewhere", "filter serial >"]);
    assert!(mistake.code == 2 && mistake.err.contains('^'), "{}", mistake.err);
    let occupied = export(&server, &[scratch.path().to_str().expect("UTF-8")]);
    assert!(occupied.code == 2 && occupied.err.contains("is not empty"), "{}", occupied.err);
}

#[test]
fn parquet_files_hold_what_the_server_holds() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    fill(&server);
    let (exact, beyond) = (1_i64 << 53, (1_i64 << 53) + 1);
    let several = [
        json!(1),
        json!(1.5),
        json!("one"),
        json!(true),
        json!([1, "a"]),
        json!(exact),
        json!(beyond),
        json!({"a": null}),
    ];
    let several = several.iter().enumerate().map(|(n, value)| json!({"time": FIRST_MS + n as i64, "several": value}));
    server.ingest("shop", ndjson(several));
    let dir = scratch.path().join("columns");
    let path = dir.to_str().expect("UTF-8");
    let ran = export(&server, &["--format", "parquet", path]);
    assert!(ran.code == 0 && ran.err.contains("the server counts as many"), "{}", ran.err);
    for query in [
        "stats count(*) as n, sum(serial) as total, count_distinct(@message) as texts, min(@timestamp) as first, max(@timestamp) as last",
        "filter serial = 7 | fields @timestamp, @message, message, only_of_0, serial",
        "stats count(*) as n, sum(only_of_3) as total by serial % 2 as odd | sort odd asc",
        "filter ispresent(several) and several = 1.5 | fields several",
    ] {
        let mut command = catat(scratch.path());
        command.args(["query", "--file", &format!("{path}/*.parquet"), "--", query]);
        let (of_files, of_server) = (run(command, ""), server.query(query));
        assert_eq!(of_files.code, 0, "{}", of_files.err);
        let of_files: Vec<serde_json::Value> =
            of_files.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let columns: Vec<&str> =
            of_server["columns"].as_array().expect("columns").iter().filter_map(|c| c["name"].as_str()).collect();
        let of_server: Vec<serde_json::Value> = of_server["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| {
                let cells = columns.iter().zip(row.as_array().expect("cells")).filter(|(_, cell)| !cell.is_null());
                cells.map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect::<serde_json::Map<_, _>>().into()
            })
            .collect();
        assert_eq!(of_files, of_server, "{query}");
    }
    let refused = export(&server, &["--format", "parquet", "--compression", "gzip", "elsewhere"]);
    assert!(refused.code == 2 && refused.err.contains("compressed inside"), "{}", refused.err);
}

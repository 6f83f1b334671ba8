//! Hostile and broken input: reported, marked or refused, never a crash, never silently cut.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::Server;

const INGEST: &str = "/api/v1/ingest?group=bad&format=ndjson";

#[test]
fn broken_json_lines_are_named_and_good_ones_go_in() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let body = "{\"message\":\"one\"}\n{\"message\":\n\n[1,2]\n{\"message\":\"five\"}\nnull\n{\"a\":1}trailing\n";
    let answer = server.ingest("bad", body);
    assert_eq!(answer["accepted"], 2, "{answer}");
    let lines: Vec<u64> = answer["rejected"]
        .as_array()
        .expect("rejected is a list")
        .iter()
        .map(|entry| {
            assert!(entry["error"].as_str().is_some_and(|text| !text.is_empty()), "{entry}");
            entry["line"].as_u64().expect("a line number")
        })
        .collect();
    assert_eq!(lines, [2, 4, 6, 7], "{answer}");
    assert_eq!(server.count(), 2);
}

#[test]
fn body_without_one_good_line_is_a_400() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let answer = server.post(INGEST, &[], "{{{\n]\n");
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(server.count(), 0);
}

#[test]
fn invalid_utf8_is_kept_with_replacement_and_marked() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let answer = server.post(INGEST, &[], b"{\"message\":\"caf\xe9 open\"}\n".to_vec());
    assert_eq!(answer.json()["accepted"], 1, "{}", answer.body);
    let answer = server.post("/api/v1/ingest?group=bad&format=text", &[], b"plain \xff\xfe line\n".to_vec());
    assert_eq!(answer.json()["accepted"], 1, "{}", answer.body);
    let mut rows = server.rows("fields @message, @encoding");
    rows.sort_by_key(|row| row[0].to_string());
    assert_eq!(
        rows,
        [[json!("caf\u{fffd} open"), json!("lossy")], [json!("plain \u{fffd}\u{fffd} line"), json!("lossy")]]
    );
}

#[test]
fn nul_bytes_are_kept() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("bad", "{\"message\":\"a\\u0000b\"}\n");
    assert_eq!(server.rows("fields @message"), [[json!("a\0b")]]);
    let answer = server.post("/api/v1/ingest?group=bad&format=text", &[], b"nul \0 inside\n".to_vec());
    assert_eq!(answer.json()["accepted"], 1, "{}", answer.body);
    assert_eq!(server.value("stats count(*) as n | display n"), 2);
    assert_eq!(server.rows("fields @message | filter @message like \"nul\""), [[json!("nul \0 inside")]]);
}

#[test]
fn ten_megabyte_line_is_split_into_parts_and_nothing_is_lost() {
    const LINE_BYTES: usize = 10_000_000;
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let line = "0123456789".repeat(LINE_BYTES / 10) + "\n";
    let answer = server.post("/api/v1/ingest?group=bad&format=text", &[], line);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["accepted"], 1, "records are counted, not parts");
    let rows =
        server.rows("stats count(*) as n, sum(strlen(@message)) as bytes, count(@part) as parts, max(@part) as last");
    let n_parts = LINE_BYTES.div_ceil(1 << 20);
    assert_eq!(rows, [[json!(n_parts), json!(LINE_BYTES), json!(n_parts), json!(n_parts)]]);
    server.flush();
    assert_eq!(server.value("stats sum(strlen(@message)) as bytes"), LINE_BYTES);
}

#[test]
fn five_thousand_fields_keep_a_thousand_and_the_rest_as_text() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let fields: Vec<String> = (0..5000).map(|idx| format!("\"field{idx}\":{idx}")).collect();
    server.ingest("bad", format!("{{\"message\":\"wide\",{}}}\n", fields.join(",")));
    let rows = server.rows("fields @message, field0, @fieldsDropped, @rest");
    assert_eq!(rows[0][..2], [json!("wide"), json!(0)]);
    let dropped = rows[0][2].as_u64().expect("a count");
    assert!((3990..=4010).contains(&dropped), "{dropped}");
    assert!(rows[0][3].as_str().is_some_and(|rest| rest.contains("\"field4999\":4999")), "nothing is silently cut");
}

#[test]
fn thousand_deep_nesting_is_accepted_with_its_depth_as_text() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    for (open, close) in [("{\"a\":", "}"), ("[", "]")] {
        let deep = format!("{{\"message\":\"deep\",\"d\":{}1{}}}\n", open.repeat(1000), close.repeat(1000));
        assert_eq!(server.ingest("bad", deep)["accepted"], 1);
    }
    assert_eq!(server.count(), 2);
    let rows = server.rows("fields @fieldsDropped, @rest | filter ispresent(@rest)");
    assert!(!rows.is_empty(), "what lies deeper than the limit is in @rest");
    let hostile = format!("{{\"d\":{}\n", "[".repeat(200_000));
    let answer = server.post(INGEST, &[], hostile);
    assert!([200, 400].contains(&answer.status), "{}", answer.status);
    assert_eq!(server.get("/-/healthy", &[]).status, 200);
}

#[test]
fn times_out_of_range_become_arrival_time_and_keep_the_original() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest(
        "bad",
        "{\"timestamp\":\"1969-07-20T20:17:40Z\",\"message\":\"moon\"}\n{\"timestamp\":\"2300-01-01T00:00:00Z\",\"message\":\"far\"}\n",
    );
    let rows = server.rows("fields message, @timestampRejected, @timestamp, @ingestionTime | sort message desc");
    for (row, (message, original)) in
        rows.iter().zip([("moon", "1969-07-20T20:17:40Z"), ("far", "2300-01-01T00:00:00Z")])
    {
        assert_eq!(row[..2], [json!(message), json!(original)]);
        let (at, arrival) = (row[2].as_str().unwrap_or(""), row[3].as_str().unwrap_or(""));
        assert_eq!(at[..16], arrival[..16], "the minute of arrival");
    }
    assert_eq!(rows.len(), 2);
}

#[test]
fn gzip_bomb_is_refused_within_ten_seconds() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    member.write_all(&vec![b' '; 64 << 20]).expect("memory takes it");
    let member = member.finish().expect("memory takes it");
    // Members may follow each other, so 4 GiB of blanks need no more time here than 64 MiB.
    let bomb = member.repeat(64);
    let started = Instant::now();
    let answer = server.post(INGEST, &[("content-encoding", "gzip")], bomb);
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(server.get("/-/ready", &[]).status, 200);
}

#[test]
fn broken_compression_and_unknown_encoding_are_client_errors() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let answer = server.post(INGEST, &[("content-encoding", "gzip")], "this is no gzip");
    assert_eq!(answer.status, 400, "{}", answer.body);
    let answer = server.post(INGEST, &[("content-encoding", "br")], "whatever");
    assert_eq!(answer.status, 415, "{}", answer.body);
    assert_eq!(server.count(), 0);
}

#[test]
fn query_typo_is_located_and_has_a_hint() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let answer = server.try_query("fields @message\n| stast count(*) by @level");
    assert_eq!(answer.status, 400, "{}", answer.body);
    let error = &answer.json()["error"];
    assert_eq!((&error["line"], &error["column"]), (&json!(2), &json!(3)), "{error}");
    assert_eq!((&error["start"], &error["end"]), (&json!(18), &json!(23)), "{error}");
    assert!(format!("{}{}", error["message"], error["hint"]).contains("stats"), "{error}");
    assert!(error["code"].as_str().is_some_and(|code| !code.is_empty()), "{error}");
}

#[test]
fn unknown_function_names_its_neighbour() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let answer = server.try_query("stats cuont(*)");
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("did you mean") && answer.body.contains("count"), "{}", answer.body);
}

#[test]
fn exploding_regex_is_a_located_error_and_a_nested_one_stays_linear() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("bad", json!({"message": "a".repeat(60_000) + "!"}).to_string());
    let started = Instant::now();
    let answer = server.try_query("filter @message like /((((a{100}){100}){100}){100})/");
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.json()["error"]["line"], 1, "{}", answer.body);
    assert_eq!(server.rows("fields @id | filter @message like /^(a+)+$/"), Vec::<Vec<serde_json::Value>>::new());
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn deeply_nested_and_endless_queries_are_errors() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    for query in [
        format!("filter {}a = 1{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("filter {} a", "not ".repeat(15_000)),
        "fields @message | ".repeat(10_000),
        format!("filter a = \"{}\"", "x".repeat(100_000)),
    ] {
        let answer = server.try_query(&query);
        assert_eq!(answer.status, 400, "{} … {}", &query[..20], answer.body);
    }
    assert_eq!(server.get("/-/healthy", &[]).status, 200);
}

//! Answers as files: `format=` of a question.

use std::io::Read;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio_stream::StreamExt;
use types::Limits;

use super::{House, encoded};

const QUERY: &str = "fields @timestamp, @message, ms | sort @timestamp asc";

async fn export(house: &House, parameters: &str) -> super::Reply {
    house.get(&format!("/api/v1/query?query={}&from=now-1h&{parameters}", encoded(QUERY))).await
}

#[tokio::test]
async fn every_format_has_all_rows_in_the_zone_that_is_shown_and_a_name_with_the_range() {
    let house = House::new();
    house.fill().await;
    let first = "2026-11-20T18:51:00+07:00";
    let named = "attachment; filename=\"catat-20261120T180000+0700-20261120T190059+0700";
    for (format, kind, ending, n_lines, begins) in [
        ("csv", "text/csv; charset=utf-8", "csv", 6, format!("@timestamp,@message,ms\r\n{first},GET /a,12\r\n")),
        ("tsv", "text/tab-separated-values; charset=utf-8", "tsv", 6, format!("@timestamp\t@message\tms\n{first}\t")),
        (
            "ndjson",
            "application/x-ndjson",
            "ndjson",
            5,
            format!(r#"{{"@timestamp":"{first}","@message":"GET /a","ms":12}}"#),
        ),
        ("text", "text/plain; charset=utf-8", "txt", 5, format!("{first}  GET /a  ms=12\n")),
    ] {
        let zone = "time_zone=Asia/Jakarta";
        let reply = export(&house, &format!("{zone}&format={format}")).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, kind), "{}", reply.text());
        assert_eq!(reply.header("content-disposition"), format!("{named}.{ending}\""));
        assert_eq!(reply.text().lines().count(), n_lines, "{}", reply.text());
        assert!(reply.text().starts_with(&begins), "{}", reply.text());
        let path = format!("/api/v1/query?query={}&{zone}&from=now-1h&format={format}&gzip=true", encoded(QUERY));
        // What is packed is not packed again on its way.
        let packed = house.get_with(&path, "accept-encoding", "gzip").await;
        assert_eq!(packed.header("content-encoding"), "");
        assert_eq!(packed.header("content-type"), "application/gzip");
        assert_eq!(packed.header("content-disposition"), format!("{named}.{ending}.gz\""));
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*packed.body).read_to_string(&mut text).expect("a whole file");
        assert_eq!(text, reply.text());
    }
}

#[tokio::test]
async fn a_wish_that_cannot_be_met_is_refused_before_a_file_begins() {
    let house = House::new();
    house.fill().await;
    for (parameters, part) in
        [("format=xlsx", "csv, tsv, ndjson, text"), ("gzip=true", "format=csv"), ("format=csv&gzip=2", "gzip")]
    {
        let reply = export(&house, parameters).await;
        assert_eq!(reply.status, 400);
        assert!(reply.text().contains(part) && reply.header("content-disposition").is_empty(), "{}", reply.text());
    }
    let mistake = house.get("/api/v1/query?query=stats%20conut(*)&format=csv").await;
    assert_eq!((mistake.status, mistake.json()["error"]["column"].as_u64()), (400, Some(7)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_any_length_goes_through_little_memory() {
    const EVENTS: usize = 24_000;
    // All rows together take some 8 MiB.
    let limits = Limits { query_memory_bytes: 2 << 20, queries_memory_bytes: 2 << 20, ..Limits::default() };
    let house = House::with_limits(limits);
    let line =
        |n: usize| format!("{{\"@timestamp\":\"2026-11-20T11:50:00Z\",\"message\":\"{n:06} {}\"}}\n", "x".repeat(150));
    for part in 0..6 {
        let body: String = (part * EVENTS / 6..(part + 1) * EVENTS / 6).map(line).collect();
        assert_eq!(house.post("/api/v1/ingest?group=a", body).await.status, 200);
    }
    house.store.flush().expect("a flush");
    let uri = "/api/v1/query?query=fields%20@timestamp,@message&format=ndjson&gzip=true";
    let response = house.start(Request::get(uri).body(Body::empty()).expect("a request")).await;
    let mut pieces = response.into_body().into_data_stream();
    let (mut packed, mut n_pieces) = (Vec::new(), 0);
    while let Some(piece) = pieces.next().await {
        packed.extend(piece.expect("the file does not break off"));
        n_pieces += 1;
    }
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*packed).read_to_string(&mut text).expect("a whole file");
    assert_eq!(text.lines().count(), EVENTS);
    assert!(n_pieces > 10, "{n_pieces}");
}

#[tokio::test]
async fn all_fields_of_the_events_stand_behind_the_columns_of_the_query() {
    let house = House::new();
    house.fill().await;
    let odd = r#"{"@timestamp":"2026-11-20T11:56:00Z","message":"odd","a`b":1,"deep":{"er":[1,{"x":null}]},"big":12345678901234567890}"#;
    assert_eq!(house.post("/api/v1/ingest?group=odd", odd).await.status, 200);
    let ask = async |query: &str, more: &str| {
        house.get(&format!("/api/v1/query?query={}&from=now-1h&all_fields=true{more}", encoded(query))).await
    };
    let file = ask("filter @log != \"db\" | sort @timestamp asc", "&format=ndjson").await;
    assert_eq!(file.status, 200, "{}", file.text());
    let rows: Vec<Value> = file.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 4);
    let first = rows[0].as_object().expect("an object");
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    let of_all = ["@timestamp", "@message", "@ingestionTime", "@level", "@log", "@logStream", "@id"];
    assert!(of_all.iter().all(|name| names.contains(name)), "{names:?}");
    assert_eq!((&first["ms"], &first["service"], &first["@log"]), (&json!(12), &json!("web"), &json!("web/access")));
    assert_eq!((&rows[3]["a`b"], &rows[3]["deep.er"]), (&json!(1), &json!([1, {"x": null}])), "{}", rows[3]);
    assert!(file.text().contains(r#""big":"12345678901234567890""#), "every digit: {}", file.text());
    // What the query computes stays, and a table has a column for each name.
    let table = ask("fields ms * 2 as twice | filter service = \"api\"", "&format=csv").await;
    let head = table.text().lines().next().unwrap_or_default().to_owned();
    assert!(head.starts_with("twice,@timestamp,") && head.contains(",ms,service"), "{head}");
    assert!(head.matches("@message").count() == 1, "{head}");
    let plain = ask("limit 1", "").await.json();
    assert_eq!(plain["rows"][0].as_array().map(Vec::len), plain["columns"].as_array().map(Vec::len));
    for (query, more) in [("stats count(*)", "&format=csv"), ("stats count(*)", ""), ("up", "&language=promql")] {
        let refused = ask(query, more).await;
        assert_eq!((refused.status, refused.text().contains("rows are events")), (400, true), "{}", refused.text());
    }
    let elsewhere = house.get("/api/v1/histogram?query=&all_fields=true").await;
    assert_eq!(elsewhere.status, 400, "only where it has an effect: {}", elsewhere.text());
}

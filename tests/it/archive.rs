//! Archives, asked in place: what an answer says over folders and buckets of other programs' files.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::object_store::Moto;
use crate::server::{ALL_TIME, Launch, Ran, Server, catat, client, ndjson, run};

const CLOUDTRAIL: &str = r#"{"Records": [
    {"eventTime": "2026-11-20T06:00:00Z", "eventName": "GetObject", "userIdentity": {"userName": "ann"}},
    {"eventTime": "2026-11-20T06:00:01Z", "eventName": "PutObject", "errorCode": "AccessDenied"}]}"#;

fn write(scratch: &Path, name: &str, bytes: &[u8]) {
    let path = scratch.join(name);
    std::fs::create_dir_all(path.parent().expect("it lies in the scratch directory")).expect("scratch is writable");
    std::fs::write(path, bytes).expect("scratch is writable");
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).expect("memory takes it");
    packer.finish().expect("memory takes it")
}

fn query(scratch: &Path, arguments: &[&str]) -> Ran {
    let mut command: Command = catat(scratch);
    command.arg("query").args(arguments);
    run(command, "")
}

#[test]
fn services_of_amazon_are_one_archive() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let day = "aws/2026/11/20";
    write(scratch.path(), &format!("{day}/1_CloudTrail_eu_20261120T0605Z_x.json.gz"), &gzip(CLOUDTRAIL));
    let flow = "version vpc-id srcaddr bytes ecs-cluster-name start end action\n\
                7 vpc-1 192.0.2.1 4249 blue 1795154400 1795154460 ACCEPT\n";
    write(scratch.path(), &format!("{day}/flow.log.gz"), &gzip(flow));
    let cloudfront = "#Version: 1.0\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\n\
                      2026-11-20\t06:00:03\t192.0.2.1\tGET\t/a.html\t200\n";
    write(scratch.path(), &format!("{day}/E1.2026-11-20-06.x.gz"), &gzip(cloudfront));
    let elb = "2026-11-20T06:00:02.543957Z lb 192.0.2.1:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 \
               \"GET http://www.example.com:80/ HTTP/1.1\" \"curl/7.38.0\" - -\n";
    write(
        scratch.path(),
        &format!("{day}/1_elasticloadbalancing_eu_lb_20261120T0605Z_192.0.2.9_x.log"),
        elb.as_bytes(),
    );
    let rows = |query_text: &str| {
        let ran = query(scratch.path(), &["--file", "aws", "--", query_text]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    let calls = rows(
        "filter ispresent(eventName) | sort @timestamp asc | fields @timestamp, eventName, userIdentity.userName, errorCode",
    );
    let expected = "{\"@timestamp\":\"2026-11-20T06:00:00Z\",\"eventName\":\"GetObject\",\"userIdentity.userName\":\"ann\"}\n\
                    {\"@timestamp\":\"2026-11-20T06:00:01Z\",\"eventName\":\"PutObject\",\"errorCode\":\"AccessDenied\"}\n";
    assert_eq!(calls, expected);
    let flows = rows("filter action = \"ACCEPT\" | fields srcAddr, bytes, ecsClusterName");
    assert_eq!(flows.trim(), r#"{"srcAddr":"192.0.2.1","bytes":4249,"ecsClusterName":"blue"}"#);
    let requests = rows("filter status = 200 | stats count(*) as n by client, method");
    assert_eq!(requests.trim(), r#"{"client":"192.0.2.1","method":"GET","n":2}"#);
}

#[test]
fn days_in_paths_leave_out_files_and_say_so() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    for day in 10..20 {
        let line = format!("{{\"time\":\"2026-11-{day}T12:00:00Z\",\"n\":{day}}}\n");
        write(scratch.path(), &format!("logs/year=2026/month=11/day={day}/a.ndjson.gz"), &gzip(&line));
    }
    let counted = "stats count(*) as n, min(day) as first, max(day) as last";
    let whole = query(scratch.path(), &["--file", "logs", "--", counted]);
    assert_eq!((whole.out.trim(), &*whole.err), (r#"{"n":10,"first":10,"last":19}"#, ""));
    let range = ["--from", "2026-11-15T00:00:00Z", "--to", "2026-11-15T23:00:00Z"];
    let part = query(scratch.path(), &[&["--file", "logs"], &range[..], &["--", counted]].concat());
    assert_eq!(part.out.trim(), r#"{"n":1,"first":15,"last":15}"#);
    assert!(part.err.contains("7 files left out by the days in their paths"), "{}", part.err);
    let of_day = query(scratch.path(), &["--file", "logs", "--", "filter day = 12 and month = 11 | fields n, year"]);
    assert_eq!(of_day.out.trim(), r#"{"n":12,"year":2026}"#, "{}", of_day.err);
    // A file that is named is read, whatever its path says.
    let named = "logs/year=2026/month=11/day=19/a.ndjson.gz";
    write(scratch.path(), named, &gzip("{\"time\":\"2026-11-15T12:00:00Z\"}\n"));
    let late = query(scratch.path(), &[&["--file", named], &range[..], &["--", "stats count(*) as n"]].concat());
    assert_eq!(late.out.trim(), r#"{"n":1}"#, "{}", late.err);
}

#[test]
fn a_broken_member_is_named_and_the_rest_goes_through_once() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let rows = |first: usize| (first..first + 1_000).map(|n| format!("2026-11-20T06:00:00Z,{n}\n")).collect::<String>();
    write(scratch.path(), "a/1.csv", format!("time,n\n{}", rows(0)).as_bytes());
    let broken = gzip(&format!("time,n\n{}", rows(1_000)));
    write(scratch.path(), "a/2.csv.gz", &broken[..broken.len() - 9]);
    write(scratch.path(), "a/3.csv", format!("time,n\n{}2026-11-20T06:00:00Z,3000,x\n", rows(2_000)).as_bytes());
    write(scratch.path(), "a/4.parquet", b"PAR1 is all that there is of it PAR1");
    write(scratch.path(), "a/5.json", CLOUDTRAIL.split_at(CLOUDTRAIL.len() - 20).0.as_bytes());
    let ran = query(
        scratch.path(),
        &["--file", "a", "--", "stats count(*) as n, count_distinct(n) as d by ispresent(n) as has | sort has"],
    );
    assert_eq!(ran.code, 4, "{}", ran.err);
    for name in ["a/2.csv.gz", "a/3.csv", "a/4.parquet", "a/5.json"] {
        assert!(ran.err.contains(name), "{name}: {}", ran.err);
    }
    assert!(!ran.err.contains("a/1.csv") && ran.err.contains("line 1002"), "{}", ran.err);
    // Of the broken ones what could be read: of the list the first record.
    assert!(ran.out.contains("\"n\":1,") || ran.out.contains("\"n\":1}"), "{}", ran.out);
    let n: usize = (2_001..=3_001).find(|n| ran.out.contains(&format!("\"n\":{n},\"d\":{n}"))).expect("each row once");
    assert!(n > 2_001, "{}", ran.out);
}

#[test]
fn journals_are_read_as_journalctl_prints_them() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    write(scratch.path(), "j/a.journal", b"LPKSHHRH\0\0\0\0");
    write(scratch.path(), "j/b.journal", b"LPKSHHRH\0\0\0\0broken");
    // One of our own: it prints two entries, and breaks off in the second file.
    let entry = r#"{"__REALTIME_TIMESTAMP":"1796000000000000","PRIORITY":"3","MESSAGE":"disk full"}"#;
    let script = format!(
        "#!/bin/sh\nfor file; do :; done\necho '{entry}'\necho '{entry}'\n\
         case $file in *b.journal) echo 'Bad message' >&2; exit 1;; esac\n"
    );
    write(scratch.path(), "bin/journalctl", script.as_bytes());
    std::fs::set_permissions(scratch.path().join("bin/journalctl"), std::fs::Permissions::from_mode(0o755))
        .expect("it is ours");
    let asked = |path: &str| {
        let mut command = catat(scratch.path());
        command.args(["query", "--file", "j", "--", "stats count(*) as n, min(@timestamp) as t by @level"]);
        command.env("PATH", path);
        run(command, "")
    };
    let ran = asked(&format!("{}:/usr/bin:/bin", scratch.path().join("bin").display()));
    let row = r#"{"@level":"error","n":4,"t":"2026-11-30T00:53:20Z"}"#;
    assert_eq!((ran.code, ran.out.trim()), (4, row), "{}", ran.err);
    assert!(ran.err.contains("b.journal: journalctl: Bad message"), "{}", ran.err);
    let without = asked("/nonexistent");
    assert!(without.code == 4 && without.err.contains("journalctl not found"), "{}", without.err);
}

#[test]
fn a_bucket_is_one_group() {
    let Some(moto) = Moto::start() else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    for (key, body) in [
        ("trail/2026/11/20/a.json.gz", gzip(CLOUDTRAIL)),
        ("trail/2026/11/10/b.json.gz", gzip(&CLOUDTRAIL.replace("11-20", "11-10"))),
        ("other/c.log", b"2026-11-20T06:00:00Z other\n".to_vec()),
    ] {
        let put = client().put(format!("{}/logs/{key}", moto.url)).body(body).send().expect("it answers");
        assert!(put.status().is_success());
    }
    let ask = |arguments: &[&str]| {
        let mut command = catat(scratch.path());
        let variables = [("AWS_ENDPOINT_URL", &*moto.url), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")];
        command.envs(variables).envs([("AWS_ACCESS_KEY_ID", "an-id"), ("AWS_SECRET_ACCESS_KEY", "a-secret")]);
        command.arg("query").args(arguments);
        run(command, "")
    };
    let all = ask(&["--file", "s3://logs/trail/", "--", "stats count(*) as n by @log"]);
    assert_eq!(all.out.trim(), r#"{"@log":"logs/trail","n":4}"#, "{}", all.err);
    let of_day =
        ask(&["--file", "s3://logs/trail", "--from", "2026-11-20", "--to", "2026-11-21", "--", "stats count(*) as n"]);
    assert_eq!(of_day.out.trim(), r#"{"n":2}"#, "{}", of_day.err);
    assert!(of_day.err.contains("1 file left out"), "{}", of_day.err);
    let matching = ask(&["--file", "s3://logs/**/*.log", "--", "stats count(*) as n"]);
    assert_eq!(matching.out.trim(), r#"{"n":1}"#, "{}", matching.err);
    let missing = ask(&["--file", "s3://logs/absent", "--", "stats count(*) as n"]);
    assert!(missing.code == 2 && missing.err.contains("s3://logs/absent"), "{} {}", missing.code, missing.err);
}

/// Asks a server about archives over all time.
fn asked(server: &Server, path: &str, groups: &str, headers: &[(&str, &str)], query: &str) -> Value {
    let (from, to) = ALL_TIME;
    let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = server.get(&format!("{path}?groups={groups}&from={from}&to={to}&query={query}"), headers);
    assert_eq!(answer.status, 200, "{}\n{}", answer.body, server.transcript());
    answer.json()
}

/// Writes an archive of 3,000 events in three files, one of them broken at its end, and two of a day each.
fn write_orders(scratch: &Path) {
    let line = |n: usize| {
        let (level, day) = (if n.is_multiple_of(10) { "error" } else { "info" }, 10 + n / 1000);
        format!("{{\"time\":\"2026-11-{day}T12:00:00Z\",\"level\":\"{level}\",\"message\":\"order {n}\",\"n\":{n}}}\n")
    };
    for (day, first) in [(10, 0), (11, 1_000), (12, 2_000)] {
        let text: String = (first..first + 1_000).map(line).collect();
        write(scratch, &format!("orders/2026/11/{day}/a.ndjson.gz"), &gzip(&text));
    }
    let broken = gzip(&(0..5_000).map(|n| format!("{{\"lost\":{n}}}\n")).collect::<String>());
    write(scratch, "orders/2026/11/12/b.ndjson.gz", &broken[..broken.len() / 2]);
}

/// The columns of the one row of an answer.
fn only_row(answer: &Value) -> &Value {
    assert_eq!(answer["rows"].as_array().map(Vec::len), Some(1), "{answer}");
    &answer["rows"][0]
}

#[test]
fn a_server_answers_from_archives_that_it_holds_and_from_those_that_pass_by() {
    let counted = "filter ispresent(n) | stats count(*), sum(n), count_distinct(@id)";
    for memory in ["128MiB", "64KiB"] {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        write_orders(scratch.path());
        let settings =
            format!("[archives]\ngroups = [\"orders={}/orders\"]\nmemory = \"{memory}\"\n", scratch.path().display());
        let server = Launch::configured(scratch.path(), &settings).start();
        server.ingest("app", ndjson([json!({"message": "hot"})]));

        let whole = asked(&server, "/api/v1/query", "archive/orders", &[], counted);
        assert_eq!(*only_row(&whole), json!([3_000, 4_498_500, 3_000]), "{memory}");
        assert_eq!(whole["partial"], true, "the broken file is named: {whole}");
        let reasons = whole["partial_reasons"].to_string();
        assert!(reasons.contains("b.ndjson.gz") && !reasons.contains("left out"), "{memory}: {reasons}");

        let newest = asked(&server, "/api/v1/query", "archive/orders", &[], "filter n > 2990 | limit 3");
        assert_eq!(newest["rows"].as_array().map(Vec::len), Some(3), "{newest}");
        let day = "groups=archive/*&from=2026-11-10T00:00:00Z&to=2026-11-10T23:00:00Z&query=stats%20count(*)";
        let of_day = server.get(&format!("/api/v1/query?{day}"), &[]).json();
        assert_eq!((only_row(&of_day), &of_day["partial"]), (&json!([1_000]), &json!(false)), "{of_day}");

        let joined = "filter n < 3 | join type=inner left=a right=b where a.n = b.n ( source \"archive/orders\" | filter n < 2 | fields n ) | stats count(*)";
        let joined = asked(&server, "/api/v1/query", "archive/orders", &[], joined);
        assert_eq!(*only_row(&joined), json!([2]), "{joined}");

        let bars = asked(&server, "/api/v1/histogram", "archive/orders", &[], "filter ispresent(n)");
        let total: u64 =
            bars["buckets"].as_array().expect("buckets").iter().filter_map(|bar| bar["total"].as_u64()).sum();
        let fields = asked(&server, "/api/v1/fields", "archive/orders", &[], "");
        if memory == "128MiB" {
            assert_eq!(total, 3_000, "{bars}");
            assert!(fields["fields"].to_string().contains(r#""name":"n""#), "{fields}");
        } else {
            // It says what it does not do.
            assert_eq!((total, &bars["partial_reasons"][0]["code"]), (0, &json!("archive-too-large")), "{bars}");
            assert_eq!(fields["partial_reasons"][0]["code"], "archive-too-large", "{fields}");
        }

        // The events around one, which its id finds.
        let one = asked(&server, "/api/v1/query", "archive/orders", &[], "filter n = 1500 | fields @id");
        let id = only_row(&one)[0].as_str().expect("an id").to_owned();
        let around = server.get(&format!("/api/v1/context?id={id}&before=2&after=1"), &[]);
        let shown = around.json()["rows"].to_string();
        assert!(
            ["order 1498", "order 1499", "order 1500", "order 1501"].iter().all(|text| shown.contains(text)),
            "{shown}"
        );

        // Who does not name it does not read it, and both can be asked together.
        for (groups, expected) in [("*", 1), ("app", 1), ("app,archive/orders", 3_001)] {
            let counted = "filter ispresent(n) or @message = \"hot\" | stats count(*)";
            let found = asked(&server, "/api/v1/query", groups, &[], counted);
            assert_eq!(*only_row(&found), json!([expected]), "{groups}: {found}");
        }
        let groups = server.get("/api/v1/groups", &[]).json();
        let listed =
            groups["groups"].as_array().expect("groups").iter().find(|group| group["name"] == "archive/orders");
        assert!(listed.is_some_and(|group| group["archive"].to_string().contains("/orders")), "{groups}");
    }
}

#[test]
fn archives_are_within_the_scope_of_keys_and_named_if_they_cannot_be_read() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    write_orders(scratch.path());
    std::fs::remove_file(scratch.path().join("orders/2026/11/12/b.ndjson.gz")).expect("it was written");
    let settings = "[archives]\ngroups = [\"orders=orders\", \"gone=nowhere\"]\n";
    let server = Launch::configured(scratch.path(), settings).start();
    let key = |groups: &str| {
        let made = json!({"name": groups, "role": "read", "groups": [groups]}).to_string();
        let headers = [("authorization", &*server.admin()), ("content-type", "application/json")];
        let made = server.post("/api/v1/keys", &headers, made).json();
        format!("Bearer {}", made["key"].as_str().unwrap_or_else(|| panic!("{made}")))
    };
    let count = |key: &str, groups: &str| {
        let headers = [("authorization", key)];
        asked(&server, "/api/v1/query", groups, &headers, "stats count(*) as n")
    };
    assert_eq!(*only_row(&count(&key("archive/orders"), "archive/orders")), json!([3_000]));
    let outside = count(&key("app/*"), "archive/orders");
    assert!(outside["rows"] == json!([]) || outside["rows"] == json!([[0]]), "{outside}");
    assert!(outside["warnings"].to_string().contains("unknown-group"), "{outside}");
    let gone = count(&server.admin(), "archive/gone");
    assert!(gone["partial_reasons"].to_string().contains("nowhere"), "{gone}");
    let doctor = server.get("/api/v1/doctor", &[("authorization", &*server.admin())]).json();
    assert!(!doctor.to_string().contains("nowhere"), "no damage of the store: {doctor}");
}

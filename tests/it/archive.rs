//! Archives, asked in place: what an answer says over folders and buckets of other programs' files.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::object_store::Moto;
use crate::server::{Ran, catat, client, run};

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

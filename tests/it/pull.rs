//! `catat pull`: each object of a bucket once, listed or told of by a queue, whenever it is killed.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::lab::{self, Random};
use crate::object_store::Moto;
use crate::server::{Ran, Server, catat, client, run};

/// Lines of each object.
const LINES: u64 = 300;

fn put(moto: &Moto, key: &str, body: Vec<u8>) {
    let put = client().put(format!("{}/logs/{key}", moto.url)).body(body).send().expect("it answers");
    assert!(put.status().is_success());
}

/// An object with events of its own; every third has text that says no time in its first line.
fn put_orders(moto: &Moto, key: &str, number: u64) {
    let line = |n: u64| match number % 3 {
        0 => format!("serial={n} and no time\n"),
        _ => format!("2026-11-{:02}T06:00:00Z order serial={n}\n", 1 + number % 28),
    };
    let text: String = (number * LINES..(number + 1) * LINES).map(line).collect();
    put(moto, key, zstd::bulk::compress(text.as_bytes(), 1).expect("memory takes it"));
}

fn pull(scratch: &Path, server: &Server, moto: &Moto, arguments: &[&str]) -> Command {
    let mut command = catat(scratch);
    let variables = [("AWS_ENDPOINT_URL", &*moto.url), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")];
    command.envs(variables).envs([("AWS_ACCESS_KEY_ID", "an-id"), ("AWS_SECRET_ACCESS_KEY", "a-secret")]);
    command.args(["pull", "--url", &server.url, "--dir", "pulled", "--group", "orders", "--once"]).args(arguments);
    command
}

fn whole(command: Command) -> Ran {
    let ran = run(command, "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran
}

/// Runs a pull a few times, killed at drawn moments, and then to its end.
fn killed(make: &dyn Fn() -> Command) -> Ran {
    let mut random = Random::new(lab::seed());
    for _ in 0..lab::rounds(6) {
        let mut command = make();
        let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
        lab::some_moment(20 + random.below(300));
        // It may have ended.
        let _ = child.kill();
        child.wait().expect("our child ends");
    }
    whole(make())
}

const COUNTED: &str =
    "parse @message \"serial=*\" as rest | parse rest /^(?<serial>\\d+)/ | stats count(*), count_distinct(serial)";

#[test]
fn objects_are_pulled_once_as_they_come() {
    let Some(moto) = Moto::start() else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    // A bucket may be empty before the first object comes, but it has to be there.
    let early = whole(pull(scratch.path(), &server, &moto, &["s3://logs/app"]));
    assert_eq!(early.err, "");
    let elsewhere = tempfile::tempdir().expect("a scratch directory");
    let nowhere = run(pull(elsewhere.path(), &server, &moto, &["s3://absent/app"]), "");
    assert!(nowhere.code != 0 && nowhere.err.contains("s3://absent/app"), "{}", nowhere.err);
    for number in 0..12 {
        put_orders(&moto, &format!("app/{number}.log.zst"), number);
    }
    let broken =
        zstd::bulk::compress("2026-11-20T06:00:00Z broken\n".repeat(9).as_bytes(), 1).expect("memory takes it");
    put(&moto, "app/x.log.zst", broken[..broken.len() - 4].to_vec());
    let make = || pull(scratch.path(), &server, &moto, &["s3://logs/app"]);
    let ran = killed(&make);
    let all = "filter @message like /serial=/ | ".to_owned() + COUNTED;
    assert_eq!(server.rows(&all), [[json!(12 * LINES), json!(12 * LINES)]], "{}", ran.err);
    // One broken object was named, by the run that met it, and is not asked for again; one that comes is.
    put_orders(&moto, "app/late/12.log.zst", 12);
    put_orders(&moto, "elsewhere/13.log.zst", 13);
    let again = whole(make());
    assert!(again.err.contains("1 object, 300 events stored"), "{}", again.err);
    assert_eq!(server.rows(&all), [[json!(13 * LINES), json!(13 * LINES)]], "{}", again.err);
    // Lines without a time are of when their object was put, and not of the lines of the object before.
    let earliest = server.value("filter @message like /no time/ | stats min(@timestamp)");
    assert!(earliest.as_str().is_some_and(|time| time > "2026-11-29"), "{earliest}");
    let quiet = whole(make());
    assert_eq!(quiet.err, "");
    // A few positions, however many objects.
    let other = run(pull(scratch.path(), &server, &moto, &["s3://logs/other"]), "");
    assert!(other.code == 2 && other.err.contains("another pull"), "{}", other.err);
    // What is done is done with one store.
    let fresh = tempfile::tempdir().expect("a scratch directory");
    let another = Server::serve(fresh.path());
    let moved = run(pull(scratch.path(), &another, &moto, &["s3://logs/app"]), "");
    assert!(moved.code == 2 && moved.err.contains("another server's store"), "{}", moved.err);
    let files = run(pull(scratch.path(), &server, &moto, &["/var/log"]), "");
    assert!(files.code == 2 && files.err.contains("catat ship"), "{}", files.err);
}

#[test]
fn a_queue_tells_of_objects_and_keeps_what_is_none() {
    let Some(moto) = Moto::start() else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let sqs = |body: String| {
        let authorization = "AWS4-HMAC-SHA256 Credential=an-id/20261120/us-east-1/sqs/aws4_request";
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", authorization)];
        let asked = headers.iter().fold(client().post(&moto.url), |asked, (name, value)| asked.header(*name, *value));
        let answer = asked.body(body).send().expect("it answers");
        let (status, text) = (answer.status(), answer.text().expect("a document"));
        assert!(status.is_success(), "{text}");
        text
    };
    let between = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{text}"));
        rest.split_once('<').map_or_else(String::new, |(value, _)| value.to_owned())
    };
    let made =
        sqs("Action=CreateQueue&QueueName=new-logs&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=0".into());
    let queue = between(&made, "QueueUrl");
    let tell = |body: &str| {
        let encoded: String = body.bytes().map(|byte| format!("%{byte:02X}")).collect();
        sqs(format!("Action=SendMessage&QueueUrl={queue}&MessageBody={encoded}"));
    };
    let record = |key: &str| json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "logs"}, "object": {"key": key}}});
    for number in 0..8 {
        put_orders(&moto, &format!("app/day 1/{number}.log.zst"), number);
        let key = format!("app/day+1/{number}.log.zst");
        // Queues tell of some things twice.
        (0..1 + number % 2).for_each(|_| tell(&json!({"Records": [record(&key)]}).to_string()));
    }
    put_orders(&moto, "other/99.log.zst", 99);
    tell(&json!({"Records": [record("other/99.log.zst"), record("app/gone.log.zst")]}).to_string());
    tell(r#"{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "logs"}"#);
    tell("hello");
    let make = || pull(scratch.path(), &server, &moto, &["s3://logs/app/", "--queue", &queue]);
    let ran = killed(&make);
    assert!(ran.err.contains("a message stays in the queue: it is no JSON"), "{}", ran.err);
    let all = "filter @message like /serial=/ | ".to_owned() + COUNTED;
    assert_eq!(server.rows(&all), [[json!(8 * LINES), json!(8 * LINES)]], "{}", ran.err);
    let attributes =
        sqs(format!("Action=GetQueueAttributes&QueueUrl={queue}&AttributeName.1=ApproximateNumberOfMessages"));
    assert_eq!(between(&attributes, "Value"), "1", "the one that is none: {attributes}");
}

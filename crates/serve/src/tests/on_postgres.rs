//! Every operation of every door once with the control store in PostgreSQL, whose session waits for answers: no panic,
//! and no fault of the server.

#[path = "../../../database/src/postgres/testing.rs"]
mod postgres_server;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use storage::{Clock, Databases, Options, Store};
use tempfile::TempDir;
use types::Limits;

use self::postgres_server::Server;
use super::{ADMIN_KEY, House, now};
use alert::RuleSet;

/// The operations of CloudWatch and their members.
const MEMBERS: &str = include_str!("../../../cloudwatch/src/members.rs");

fn on_postgres() -> Option<(Server, House)> {
    let database = Server::start(&["fsync=off"])?;
    let dir = Arc::new(TempDir::new().expect("a scratch directory"));
    let (clock, limits) = (Clock::new(now), Limits::default());
    let control = Some(database.url().parse().expect("a URL"));
    let databases = Databases { catalog: None, control };
    let options = Options { clock: clock.clone(), databases, ..Options::new(dir.path().join("data")) };
    let (store, _) = Store::open(options).expect("a new store opens");
    let house = House::on(store, limits, clock, None, dir, RuleSet::default());
    Some((database, house))
}

/// Returns what is asked of a route: something in the place of its variables, and a body that has a chance to be read.
fn asked(method: &str, path: &str) -> (String, &'static str) {
    let place = |part: &str| match part {
        "{index}" | "{group}" => "db".to_owned(),
        part if part.starts_with('{') => "x".to_owned(),
        part => part.to_owned(),
    };
    let path = path.split('/').map(place).collect::<Vec<_>>().join("/");
    let body = match (method, path.rsplit('/').next()) {
        ("get" | "delete" | "head", _) => "",
        (_, Some("_bulk")) => "{\"index\":{}}\n{\"message\":\"a\"}\n",
        (_, Some("_msearch")) => "{}\n{}\n",
        (_, Some("_query")) => "{\"query\":\"FROM db\"}",
        _ => "{}",
    };
    (path, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_of_every_door_answers_with_the_control_store_in_postgres() {
    let Some((_database, house)) = on_postgres() else { return };
    house.fill().await;
    let found = house.get_with("/elasticsearch/db/_search", "x-catat-key", ADMIN_KEY).await;
    assert_eq!((found.status, &found.json()["hits"]["total"]["value"]), (200, &json!(2)));
    let mut wrong = Vec::new();
    for entry in crate::tests::entries() {
        let (path, body) = asked(entry.method, entry.path);
        let reply = house.start(request(&entry.method.to_uppercase(), &path, "", body)).await;
        let status = reply.status().as_u16();
        wrong.extend((status == 500 || status > 503).then(|| format!("{} {path}: {status}", entry.method)));
    }
    for (target, input) in named_operations() {
        let reply = house.send(request("POST", "/cloudwatch", &target, &input)).await;
        wrong.extend((reply.status >= 500).then(|| format!("{target} {}: {}", reply.status, reply.text())));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Returns the operations that a header names, at one route, with something for their members.
fn named_operations() -> Vec<(String, String)> {
    let (logs, metrics) = MEMBERS.split_once("const METRICS").expect("both services");
    let of_service = |text: &'static str, prefix: &'static str| {
        let lines = text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
        lines.map(move |line| {
            let (operation, members) = line.split_once(' ').unwrap_or((line, ""));
            let given = members.split(' ').filter_map(|name| Some((name.to_owned(), example(name)?)));
            (format!("{prefix}{operation}"), given.collect::<serde_json::Map<_, _>>())
        })
    };
    let all = of_service(logs, "Logs_20140328.").chain(of_service(metrics, "GraniteServiceVersion20100801."));
    all.map(|(target, input)| (target, serde_json::Value::from(input).to_string())).collect()
}

/// Returns a value of a member that operations need.
fn example(member: &str) -> Option<serde_json::Value> {
    Some(match member {
        "logGroupName" | "resourceArn" => json!("db"),
        "logStreamName" | "filterName" | "name" => json!("s"),
        "filterPattern" => json!("a"),
        "queryString" => json!("fields @message"),
        "startTime" | "endTime" => json!(1),
        "retentionInDays" => json!(7),
        "destinationArn" => json!("https://example.org/"),
        "tagKeys" | "AlarmNames" | "logEventMessages" => json!(["a"]),
        "Namespace" | "MetricName" | "AlarmName" | "DashboardName" => json!("a"),
        "DashboardBody" => json!("{\"widgets\": []}"),
        "StartTime" => json!(1_795_170_000),
        "EndTime" => json!(1_795_176_000),
        "Stat" => json!("Sum"),
        "StateValue" => json!("OK"),
        "StateReason" => json!("r"),
        _ => return None,
    })
}

fn request(method: &str, path: &str, target: &str, body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("x-catat-key", ADMIN_KEY);
    let request = request.header("content-type", "application/json").header("x-amz-target", target);
    request.body(Body::from(body.to_owned())).expect("a request")
}

//! CloudWatch's subscription filters, with receivers that take what they get, fail, hang, and come back.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::House;
use super::cloudwatch::{NOW_MS, error};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Takes,
    Fails,
    Hangs,
}

/// A receiver on a port of its own.
struct Receiver {
    address: String,
    manner: Arc<Mutex<Manner>>,
    /// Connections that are held without an answer.
    held: Arc<Mutex<Vec<TcpStream>>>,
    taken: mpsc::Receiver<Value>,
    refused: mpsc::Receiver<()>,
}

impl Receiver {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}/logs", listener.local_addr().expect("an address"));
        let (manner, held) = (Arc::new(Mutex::new(Manner::Takes)), Arc::new(Mutex::new(Vec::new())));
        let ((to_taken, taken), (to_refused, refused)) = (mpsc::channel(), mpsc::channel());
        let (of_thread, of_thread_held) = (manner.clone(), held.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let manner = *of_thread.lock().unwrap_or_else(PoisonError::into_inner);
                meet(stream, manner, &of_thread_held, &to_taken, &to_refused);
            }
        });
        Self { address, manner, held, taken, refused }
    }

    fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
        self.held.lock().unwrap().clear();
    }

    /// Returns the next message that was taken.
    fn next(&self) -> Value {
        self.taken.recv_timeout(PATIENCE).expect("a message")
    }

    /// Texts of events that were taken, each once, until one of them is `last`.
    fn texts_until(&self, last: &str) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        while texts.last().is_none_or(|text| text != last) {
            let message = self.next();
            let events = message["logEvents"].as_array().expect("events").iter();
            for text in events.map(|event| event["message"].as_str().expect("a text").to_owned()) {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        texts
    }
}

/// Reads one request and does with it what a receiver of this manner does.
fn meet(
    mut stream: TcpStream,
    manner: Manner,
    held: &Mutex<Vec<TcpStream>>,
    taken: &Sender<Value>,
    refused: &Sender<()>,
) {
    let Some((head, body)) = read_request(&mut stream) else { return };
    if manner == Manner::Takes {
        assert!(head.contains("content-encoding: gzip") && head.contains("content-type: application/json"), "{head}");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).expect("gzip");
        // It is counted as taken before the answer goes out, as the answer may be lost.
        let _ = taken.send(serde_json::from_str(&text).expect("JSON"));
    } else {
        let _ = refused.send(());
    }
    match manner {
        Manner::Hangs => held.lock().unwrap_or_else(PoisonError::into_inner).push(stream),
        Manner::Takes => _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        Manner::Fails => {
            _ = stream.write_all(b"HTTP/1.1 503 Away\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let n_body: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + n_body {
                return Some((head, bytes[end + 4..].to_vec()));
            }
        }
        match stream.read(&mut piece) {
            Ok(n @ 1..) => bytes.extend(&piece[..n]),
            _ => return None,
        }
    }
}

impl House {
    async fn put_subscription(&self, name: &str, pattern: &str, address: &str) -> super::Reply {
        let input = json!({"logGroupName": "/ecs/pay", "filterName": name, "filterPattern": pattern,
            "destinationArn": address});
        self.operation("PutSubscriptionFilter", input).await
    }

    async fn subscriptions(&self) -> Value {
        self.operation("DescribeSubscriptionFilters", json!({"logGroupName": "/ecs/pay"})).await.json()
    }

    pub(super) async fn put_texts(&self, texts: &[&str]) {
        let event = |text: &&str| json!({"timestamp": NOW_MS - 1000, "message": text});
        let events: Vec<Value> = texts.iter().map(event).collect();
        let put = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1", "logEvents": events});
        assert_eq!(self.operation("PutLogEvents", put).await.status, 200);
    }

    /// Waits until a line of the page of metrics is there.
    async fn until_metric(&self, line: &str) {
        let began = Instant::now();
        loop {
            let page = self.administer("GET", "/metrics", "").await.text();
            if page.lines().any(|found| found == line) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "no {line} in {page}");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn destinations_on_this_machine_are_refused_unless_they_are_allowed() {
    let (house, receiver) = (House::new(), Receiver::new());
    house.operation("CreateLogGroup", json!({"logGroupName": "/ecs/pay"})).await;
    for address in [receiver.address.clone(), receiver.address.replace("127.0.0.1", "localhost")] {
        let refused = house.put_subscription("near", "", &address).await;
        assert!(refused.status == 400 && refused.text().contains("private"), "{}", refused.text());
    }
    assert_eq!(house.subscriptions().await["subscriptionFilters"], json!([]));
    assert!(receiver.taken.try_recv().is_err() && receiver.refused.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_matches_is_delivered_after_a_message_that_tries_the_address() {
    let (house, receiver) = (House::reaching_near(), Receiver::new());
    house.make_stream().await;
    house.put_texts(&["ERROR before"]).await;
    let made = house.put_subscription("errors", "ERROR", &receiver.address).await;
    assert_eq!((made.status, made.text()), (200, String::new()));
    assert_eq!(receiver.next()["messageType"], "CONTROL_MESSAGE");
    house.put_texts(&["ERROR one", "INFO two", "ERROR three"]).await;
    let message = receiver.next();
    let head = json!({"messageType": "DATA_MESSAGE", "owner": "000000000000", "logGroup": "/ecs/pay",
        "logStream": "web/1", "subscriptionFilters": ["errors"]});
    for (member, value) in head.as_object().expect("an object") {
        assert_eq!(&message[member], value, "{member}");
    }
    let events = message["logEvents"].as_array().expect("events");
    let texts: Vec<&str> = events.iter().filter_map(|event| event["message"].as_str()).collect();
    assert_eq!(texts, ["ERROR one", "ERROR three"]);
    assert_eq!((events[0]["id"].as_str().map(str::len), &events[0]["timestamp"]), (Some(32), &json!(NOW_MS - 1000)));
    let labels = "{group=\"/ecs/pay\",filter=\"errors\"}";
    house.until_metric(&format!("catat_subscription_filter_events_total{labels} 2")).await;
    let shown = &house.subscriptions().await["subscriptionFilters"][0];
    let expected = json!({"filterName": "errors", "logGroupName": "/ecs/pay", "filterPattern": "ERROR",
        "destinationArn": receiver.address, "distribution": "ByLogStream", "creationTime": NOW_MS});
    assert_eq!(*shown, expected);

    let input = json!({"logGroupName": "/ecs/pay", "filterName": "errors"});
    assert_eq!(house.operation("DeleteSubscriptionFilter", input.clone()).await.status, 200);
    assert_eq!(error(&house.operation("DeleteSubscriptionFilter", input).await).1, "ResourceNotFoundException");
    assert_eq!(house.subscriptions().await, json!({"subscriptionFilters": []}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_fails_and_hangs_loses_nothing_and_delays_no_other_also_across_a_restart() {
    let (house, good, bad) = (House::reaching_near(), Receiver::new(), Receiver::new());
    house.make_stream().await;
    for (name, receiver) in [("good", &good), ("bad", &bad)] {
        assert_eq!(house.put_subscription(name, "", &receiver.address).await.status, 200);
        assert_eq!(receiver.next()["messageType"], "CONTROL_MESSAGE");
    }
    bad.behave(Manner::Fails);
    house.put_texts(&["one", "secret"]).await;
    assert_eq!(good.texts_until("secret"), ["one", "secret"]);
    bad.refused.recv_timeout(PATIENCE).expect("an attempt");
    // What is deleted before its turn is not delivered.
    let order = json!({"query": "filter @message = \"secret\"", "from": "now-1h", "to": "now", "reason": "no"});
    let deleted = house.administer("POST", "/api/v1/groups/%2Fecs%2Fpay/delete-events", order.to_string()).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    house.until_metric("catat_subscription_filter_failing{group=\"/ecs/pay\",filter=\"bad\"} 1").await;
    let filters = house.subscriptions().await["subscriptionFilters"].clone();
    assert_eq!(filters[0]["deliveryProblem"], "answered 503 Service Unavailable", "{filters}");
    assert_eq!(filters[1]["deliveryProblem"], Value::Null);

    bad.behave(Manner::Hangs);
    bad.refused.recv_timeout(PATIENCE).expect("an attempt");
    house.put_texts(&["two"]).await;
    assert_eq!(good.texts_until("two").last().map(String::as_str), Some("two"));

    // What hangs is let go, so that the end need not wait for it.
    bad.behave(Manner::Fails);
    house.families.cloudwatch.subscriptions.stop();
    house.put_texts(&["three"]).await;
    house.store.flush().expect("it flushes");
    house.put_texts(&["four"]).await;
    bad.behave(Manner::Takes);
    let house = house.restarted();
    assert_eq!(bad.texts_until("four"), ["one", "two", "three", "four"]);
    assert!(good.texts_until("four").ends_with(&["three".to_owned(), "four".to_owned()]));
    house.until_metric("catat_subscription_filter_failing{group=\"/ecs/pay\",filter=\"bad\"} 0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_are_bounded_go_with_their_group_and_post_nowhere_near() {
    let (house, receiver) = (House::reaching_near(), Receiver::new());
    house.make_stream().await;
    let parameter = "InvalidParameterException";
    let refused =
        async |name: &str, pattern: &str, address: &str| error(&house.put_subscription(name, pattern, address).await).1;
    let arn = "arn:aws:lambda:eu-west-1:000000000000:function:f";
    for address in [arn, "ftp://example.org/", "http://169.254.169.254/latest", "http://[::ffff:a9fe:a9fe]/"] {
        assert_eq!(refused("a", "", address).await, parameter, "{address}");
    }
    assert_eq!(refused("a", "{ $.a", &receiver.address).await, parameter);
    assert_eq!(refused("a:b", "", &receiver.address).await, parameter);
    receiver.behave(Manner::Fails);
    let untaken = house.put_subscription("a", "", &receiver.address).await;
    assert!(untaken.text().contains("Could not deliver test message"), "{}", untaken.text());
    assert_eq!(error(&untaken).1, parameter);
    receiver.behave(Manner::Takes);
    for name in ["a", "b", "a"] {
        assert_eq!(house.put_subscription(name, "", &receiver.address).await.status, 200);
    }
    assert_eq!(refused("c", "", &receiver.address).await, "LimitExceededException");

    let (_, operator) = house.key("operate", &["web/*"]).await;
    let (_, reader) = house.key("read", &["/ecs/*"]).await;
    for key in [&operator, &reader] {
        let asked = json!({"logGroupName": "/ecs/pay"});
        let denied = house.operation_of(key, "DescribeSubscriptionFilters", asked).await;
        assert_eq!(error(&denied).1, "AccessDeniedException");
        let put = json!({"logGroupName": "/ecs/pay", "filterName": "d", "filterPattern": "", "destinationArn": receiver.address});
        assert_eq!(error(&house.operation_of(key, "PutSubscriptionFilter", put).await).1, "AccessDeniedException");
    }
    let gone = house.administer("DELETE", "/api/v1/groups/%2Fecs%2Fpay", "").await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    let page = house.administer("GET", "/metrics", "").await.text();
    assert!(!page.contains("catat_subscription_filter"), "{page}");
    assert_eq!(house.store.settings().all("cloudwatch-subscription").expect("settings"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_delivers_nothing_until_it_is_promoted_and_then_what_came_meanwhile() {
    let (house, receiver) = (House::reaching_near(), Receiver::new());
    house.make_stream().await;
    assert_eq!(house.put_subscription("all", "", &receiver.address).await.status, 200);
    assert_eq!(receiver.next()["messageType"], "CONTROL_MESSAGE");
    let mark = house.dir.path().join("data/COPY");
    std::fs::write(&mark, "catat copy\nformat 1\ntaken 2026-11-20T11:00:00Z\n").expect("room");
    house.put_texts(&["one"]).await;
    assert!(receiver.taken.recv_timeout(Duration::from_secs(1)).is_err(), "the original delivers it");
    assert!(house.store.copy_taken().is_some());
    std::fs::remove_file(&mark).expect("it was there");
    assert_eq!(receiver.texts_until("one"), ["one"]);
}

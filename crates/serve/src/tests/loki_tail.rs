//! Loki's tail on real websockets.

use std::net::SocketAddr;

use axum::http::{HeaderValue, Request, Uri};
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use types::Timestamp;

use super::revocation::PATIENCE;
use super::socket::open;
use super::{ADMIN_KEY, House, encoded};

type Socket = WebSocketStream<TcpStream>;

/// Opens a tail with one more header; the status and the text of a refusal are the error.
async fn tail(address: SocketAddr, parameters: &str, header: (&'static str, &str)) -> Result<Socket, (u16, String)> {
    let uri: Uri = format!("ws://localhost:{}/loki/api/v1/tail?{parameters}", address.port()).parse().expect("a URI");
    let mut request: Request<()> = uri.into_client_request().expect("a request");
    request.headers_mut().insert(header.0, HeaderValue::from_str(header.1).expect("a header"));
    let stream = TcpStream::connect(address).await.expect("the door is open");
    match client_async(request, stream).await {
        Ok((socket, response)) => {
            assert_eq!(response.status(), 101);
            Ok(socket)
        }
        Err(Error::Http(response)) => {
            let text = String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned();
            Err((response.status().as_u16(), text))
        }
        Err(error) => panic!("{error}"),
    }
}

const PLAIN: (&str, &str) = ("user-agent", "test");

/// Returns the next frame.
async fn frame(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(PATIENCE, socket.next()).await.expect("a frame in time").expect("the socket is open");
        match message.expect("without an error") {
            Message::Text(text) => return serde_json::from_str(&text).expect("frames are JSON"),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Returns the lines of frames until there are `n` of them, each with its labels.
async fn lines(socket: &mut Socket, n: usize) -> Vec<(String, Value)> {
    let mut lines = Vec::new();
    while lines.len() < n {
        for stream in frame(socket).await["streams"].as_array().expect("streams") {
            let values = stream["values"].as_array().expect("values");
            let line = |value: &Value| (value[1].as_str().unwrap_or_default().to_owned(), stream["stream"].clone());
            lines.extend(values.iter().map(line));
        }
    }
    lines
}

fn texts(lines: &[(String, Value)]) -> Vec<&str> {
    lines.iter().map(|(line, _)| line.as_str()).collect()
}

/// Returns what the server says when it ends a socket: the code and the reason.
async fn parting(socket: &mut Socket) -> (u16, String) {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("it ends by itself") {
            Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), frame.reason.to_string()),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_begins_with_the_newest_lines_and_goes_on_with_new_ones() {
    let house = House::new();
    house.fill().await;
    let (address, _stop, _task) = open(&house).await;
    let selector = encoded(r#"{group=~"web/.*|db"}"#);
    let start = super::now().0 - Timestamp::HOUR;
    let mut socket =
        tail(address, &format!("query={selector}&limit=3&start={start}&delay_for=0"), PLAIN).await.expect("a tail");
    let first = lines(&mut socket, 3).await;
    assert_eq!(texts(&first), ["GET /c failed", "slow query", "ready"]);
    assert_eq!(first[0].1["service_name"], "api", "{first:?}");
    assert_eq!((&first[1].1["group"], &first[1].1["detected_level"]), (&json!("db"), &json!("warn")));
    let event = r#"{"@timestamp":"2026-11-20T11:59:59.5Z","message":"GET /live","level":"info"}"#;
    assert_eq!(house.post("/api/v1/ingest?group=web/access&stream=web-1", event).await.status, 200);
    assert_eq!(house.post("/api/v1/ingest?group=other", event).await.status, 200);
    let frame = frame(&mut socket).await;
    let labels = json!({
        "group": "web/access", "filename": "web-1", "detected_level": "info",
    });
    let expected = json!({"streams": [{"stream": labels, "values": [["1795175999500000000", "GET /live"]]}]});
    assert_eq!(frame, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stages_make_lines_and_labels_of_a_tail_too() {
    let house = House::new();
    let (address, _stop, _task) = open(&house).await;
    let query =
        encoded(r#"{group="web/access"} |= "GET" | pattern `<verb> <path>` | line_format `{{.path}}` | drop level"#);
    let mut socket = tail(address, &format!("query={query}&limit=0"), PLAIN).await.expect("a tail");
    house.fill().await;
    let found = lines(&mut socket, 3).await;
    assert_eq!(texts(&found), ["/a", "/b", "/c failed"]);
    assert_eq!((&found[0].1["verb"], found[0].1.get("level")), (&json!("GET"), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_are_held_back_come_in_the_order_of_their_times() {
    let house = House::new();
    let (address, _stop, _task) = open(&house).await;
    let query = encoded(r#"{group="db"}"#);
    let mut socket = tail(address, &format!("query={query}&limit=0&delay_for=1"), PLAIN).await.expect("a tail");
    for second in [3, 1, 2] {
        let event = format!(r#"{{"@timestamp":"2026-11-20T11:59:0{second}Z","message":"{second}"}}"#);
        assert_eq!(house.post("/api/v1/ingest?group=db", event).await.status, 200);
    }
    assert_eq!(texts(&lines(&mut socket, 3).await), ["1", "2", "3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_keep_up_is_told_how_much_it_missed() {
    let house = House::new();
    let (address, _stop, _task) = open(&house).await;
    let mut socket = tail(address, &format!("query={}&limit=0", encoded("{}")), PLAIN).await.expect("a tail");
    // First what fills the connection and the queue of frames, then more batches than the queue of the store holds.
    let event = |bytes: usize| format!(r#"{{"@timestamp":"2026-11-20T11:59:00Z","message":"{}"}}"#, "x".repeat(bytes));
    let sent = vec![event(900_000); 40].into_iter().chain(vec![event(1); 300]);
    let mut n_sent = 0;
    for event in sent {
        assert_eq!(house.post("/api/v1/ingest?group=db", event).await.status, 200);
        n_sent += 1;
    }
    let (mut n_seen, mut n_lost) = (0, 0);
    while n_seen + n_lost < n_sent {
        let frame = frame(&mut socket).await;
        let streams = frame["streams"].as_array().expect("streams");
        n_seen += streams.iter().map(|stream| stream["values"].as_array().map_or(0, Vec::len)).sum::<usize>();
        for entry in frame["dropped_entries"].as_array().into_iter().flatten() {
            let n: Option<usize> = entry["labels"]["dropped_lines"].as_str().and_then(|text| text.parse().ok());
            n_lost += n.unwrap_or_default();
            assert!(entry["timestamp"].as_str().is_some_and(|text| text.parse::<i64>().is_ok()), "{entry}");
        }
    }
    assert!(n_lost > 0 && n_seen + n_lost == n_sent, "{n_seen} seen, {n_lost} lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_tailed_is_refused_before_there_is_a_socket() {
    let house = House::new();
    let (address, _stop, _task) = open(&house).await;
    let refused = async |parameters: String, header| tail(address, &parameters, header).await.expect_err("a refusal");
    let of = |query: &str| format!("query={}", encoded(query));
    let (status, text) = refused(of("{group="), PLAIN).await;
    assert_eq!((status, text.starts_with("parse error at line 1")), (400, true), "{text}");
    assert_eq!(refused(of("rate({}[5m])"), PLAIN).await.0, 400);
    assert_eq!(refused(format!("{}&delay_for=6", of("{}")), PLAIN).await.0, 400);
    // Browsers let every page open sockets, and read them.
    assert_eq!(refused(of("{}"), ("origin", "https://elsewhere.example")).await.0, 403);
    assert_eq!(refused(of("{}"), ("sec-fetch-site", "cross-site")).await.0, 403);
    let own = format!("http://localhost:{}", address.port());
    assert!(tail(address, &of("{}"), ("origin", &own)).await.is_ok());
    let plain = house.get(&format!("/loki/api/v1/tail?{}", of("{}"))).await;
    assert_eq!((plain.status, plain.header("content-type")), (400, "text/plain; charset=utf-8"), "{}", plain.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_ends_with_the_key_and_shows_only_its_groups() {
    let house = House::new();
    let (address, _stop, _task) = open(&house).await;
    let (id, key) = house.key("read", &["db"]).await;
    let mut socket =
        tail(address, &format!("query={}&limit=0", encoded("{}")), ("x-catat-key", &key)).await.expect("a tail");
    for group in ["web", "db"] {
        let request =
            axum::http::Request::post(format!("/api/v1/ingest?group={group}")).header("x-catat-key", ADMIN_KEY);
        let event = r#"{"@timestamp":"2026-11-20T11:59:00Z","message":"m"}"#;
        assert_eq!(house.send(request.body(event.into()).expect("a request")).await.status, 200);
    }
    assert_eq!(lines(&mut socket, 1).await[0].1["group"], "db");
    assert_eq!(house.administer("DELETE", &format!("/api/v1/keys/{id}"), "").await.status, 200);
    assert_eq!(parting(&mut socket).await, (1008, "the key was revoked or expired".into()));
    assert_eq!(tail(address, "query={}", PLAIN).await.expect_err("no key").0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_says_too_much_or_goes_leaves_nothing_behind() {
    let house = House::new();
    let (address, _stop, _task) = open(&house).await;
    let n_free = house.server.tails.n_free();
    let mut loud = tail(address, &format!("query={}", encoded("{}")), PLAIN).await.expect("a tail");
    let silent = tail(address, &format!("query={}", encoded("{}")), PLAIN).await.expect("a tail");
    assert_eq!(house.server.tails.n_free(), n_free - 2);
    loud.send(Message::Text("x".repeat(100_000).into())).await.expect("it is sent");
    // Whether it still hears why it is cut off is a matter of what it had sent by then.
    while let Ok(Some(Ok(_))) = timeout(PATIENCE, loud.next()).await {}
    drop(silent);
    let given_back = async {
        while house.server.tails.n_free() < n_free {
            yield_now().await;
        }
    };
    timeout(PATIENCE, given_back).await.expect("their places are given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_are_told_when_the_server_closes_and_are_waited_for() {
    let house = House::new();
    let (address, stop, task) = open(&house).await;
    let mut socket = tail(address, &format!("query={}", encoded("{}")), PLAIN).await.expect("a tail");
    stop.send(()).expect("the door is open");
    assert_eq!(parting(&mut socket).await, (1001, "the server is shutting down".into()));
    drop(socket);
    timeout(PATIENCE, task).await.expect("nothing is left open").expect("no panic");
}

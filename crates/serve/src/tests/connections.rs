//! Many connections that say nothing, and heads of requests that say too much.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::House;
use door::{ConnectionSlots, listen};

pub(super) async fn open(house: &House) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let (router, closing) = (house.service(), house.closing.clone());
    tokio::spawn(listen::run(
        listener.into(),
        ConnectionSlots::of_process().0,
        None,
        router,
        closing,
        std::future::pending(),
    ));
    address
}

pub(super) async fn answer_to(address: std::net::SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the door is open");
    // The server may answer and close before it has everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn heads_of_too_many_headers_or_bytes_are_refused() {
    let house = House::new();
    let address = open(&house).await;
    let head = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let with = |headers: String| format!("{head}{headers}\r\n").into_bytes();
    let some: String = (0..90).map(|n| format!("X-{n}: a\r\n")).collect();
    assert!(answer_to(address, &with(some)).await.starts_with("HTTP/1.1 200"));
    let many: String = (0..200).map(|n| format!("X-{n}: a\r\n")).collect();
    assert!(answer_to(address, &with(many)).await.starts_with("HTTP/1.1 431"));
    let long = with(format!("X-Long: {}\r\n", "a".repeat(400_000)));
    // The answer may be lost: the connection is closed with bytes that nobody reads.
    let answer = answer_to(address, &long).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let nul = with("X-Nul: a\0b\r\n".to_owned());
    let answer = answer_to(address, &nul).await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn connections_that_say_nothing_do_not_keep_others_out() {
    let house = House::new();
    let address = open(&house).await;
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(TcpStream::connect(address).await.expect("the door is open"));
    }
    let request = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(answer_to(address, request).await.starts_with("HTTP/1.1 200"));
    drop(idle);
}

#[tokio::test]
async fn a_connection_that_ends_with_a_refusal_says_so() {
    let house = House::new();
    let address = open(&house).await;
    let ask = async |head: &str| {
        let mut stream = TcpStream::connect(address).await.expect("the door is open");
        stream.write_all(head.as_bytes()).await.expect("it is taken");
        let mut answer = vec![0; 4096];
        // Where it is not refused, the body is waited for.
        let read = timeout(Duration::from_secs(2), stream.read(&mut answer)).await;
        let n_bytes = read.map_or(0, |read| read.expect("it is answered"));
        String::from_utf8_lossy(&answer[..n_bytes]).to_ascii_lowercase()
    };
    // The body is still to come when they are refused.
    for path in ["/api/v1/ingest", "/elasticsearch/_bulk", "/loki/api/v1/push", "/api/v1/query", "/nothing"] {
        for (host, wanted) in [("localhost", "authorization: bearer wrong\r\n"), ("elsewhere", "")] {
            let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n{wanted}content-length: 100\r\n\r\n");
            let answer = ask(&head).await;
            let is_refused = answer.starts_with("http/1.1 4");
            assert!(!is_refused || answer.contains("connection: close\r\n"), "{path}: {answer}");
            assert!(is_refused || host == "localhost", "{path}: {answer}");
        }
    }
    let whole = ask("POST /api/v1/format HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}").await;
    assert!(whole.starts_with("http/1.1 ") && !whole.contains("connection: close"), "{whole}");
}

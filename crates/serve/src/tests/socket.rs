//! What only shows on a real connection: disconnecting, closing, bodies that are cut short.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, yield_now};
use tokio_stream::StreamExt;
use types::Limits;

use super::House;
use door::{ConnectionSlots, listen};

/// Returns a house with its door open; sending on the channel closes it.
pub(super) async fn open(house: &House) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel();
    let (router, closing) = (house.service(), house.closing.clone());
    let task = tokio::spawn(async move {
        listen::run(listener.into(), ConnectionSlots::of_process().0, None, router, closing, async move {
            let _ = stopped.await;
        })
        .await;
    });
    (address, stop, task)
}

async fn connect(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the door is open");
    stream.write_all(request.as_bytes()).await.expect("the request is taken");
    stream
}

async fn read_all(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.expect("an answer that ends well");
    String::from_utf8_lossy(&text).into_owned()
}

const QUERY: &str = "GET /api/v1/query?query=stats+count(*) HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn a_query_ends_when_its_client_goes_away() {
    let house = House::new();
    let (address, _stop, _task) = open(&house).await;
    // With every place taken the query waits, and is listed.
    let mut places = Vec::new();
    for _ in 0..house.server.app.n_threads * 2 {
        places.push(house.server.reads.quick.enter().await.expect("a place"));
    }
    let stream = connect(address, QUERY).await;
    while house.server.queries.counts().1 == 0 {
        yield_now().await;
    }
    let running = house.server.queries.list().remove(0);
    drop(stream);
    while house.server.queries.counts().1 > 0 {
        yield_now().await;
    }
    assert!(running.cancelled.load(std::sync::atomic::Ordering::Relaxed));
}

#[tokio::test]
async fn closing_lets_a_request_under_way_finish_and_ends_idle_connections() {
    let house = House::new();
    let (address, stop, task) = open(&house).await;
    let places: Vec<_> = tokio_stream::iter(0..house.server.app.n_threads * 2)
        .then(async |_| house.server.reads.quick.enter().await.expect("a place"))
        .collect()
        .await;
    let idle = connect(address, "").await;
    let asked = connect(address, QUERY).await;
    while house.server.queries.counts().1 == 0 {
        yield_now().await;
    }
    stop.send(()).expect("the door is open");
    assert_eq!(read_all(idle).await, "");
    drop(places);
    let answer = read_all(asked).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"rows\":[[0]]"), "{answer}");
    task.await.expect("the door closes in order");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_sender_of_too_much_hears_why() {
    let house = House::with_limits(Limits { body_bytes_max: 1_000_000, ..Limits::default() });
    let (address, _stop, _task) = open(&house).await;
    let head = "POST /api/v1/ingest?format=text HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let request = format!("{head}Content-Length: 1900000\r\n\r\n{}", "x".repeat(1_900_000));
    let answer = read_all(connect(address, &request).await).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body-too-large"), "{answer}");
}

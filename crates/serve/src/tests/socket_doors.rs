//! GELF, Fluentd's forward protocol, Lumberjack and lines on real sockets.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::House;
use super::syslog::{count, until};
use crate::SocketListeners;
use door::ConnectionSlots;
use otel::sockets::{self, Door};

/// How long an answer must not come.
const SILENCE: Duration = Duration::from_millis(300);

/// How long is waited for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

struct Open {
    tcp: SocketAddr,
    udp: SocketAddr,
    task: JoinHandle<()>,
}

fn open(house: &House, door: Door) -> Open {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let addresses = (tcp.local_addr().expect("it is bound"), udp.local_addr().expect("it is bound"));
    let listeners = SocketListeners { tcp: Some(tcp), udp: Some(udp), ..SocketListeners::default() };
    let places = ConnectionSlots::of_process().1;
    let task = sockets::start(door, house.server.clone(), &house.families.doors, listeners, places, &Arc::default())
        .expect("sockets that are bound");
    Open { tcp: addresses.0, udp: addresses.1, task }
}

impl Open {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.tcp).await.expect("the door is open")
    }

    async fn close(self, house: &House) {
        house.closing.send_replace(true);
        self.task.await.expect("no panic");
    }
}

async fn read(stream: &mut TcpStream, n_bytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; n_bytes];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut bytes)).await.expect("an answer").expect("an answer");
    bytes
}

#[tokio::test]
async fn a_chunk_is_acknowledged_when_it_is_stored_and_once_if_it_is_repeated() {
    let house = House::new();
    let door = open(&house, Door::Forward);
    let message = b"\x93\xa3app\x91\x92\xce\x69\x1e\xb3\x41\x81\xa7message\xa4text\x81\xa5chunk\xa2id";
    let all_places = house.server.intake.take_all().await;
    let mut stream = door.connect().await;
    stream.write_all(message).await.expect("it is taken");
    assert!(tokio::time::timeout(SILENCE, stream.read_u8()).await.is_err(), "nothing is stored yet");
    drop(all_places);
    assert_eq!(read(&mut stream, 8).await, b"\x81\xa3ack\xa2id");
    assert_eq!(count(&house, "@log = \"forward/app\" and message = \"text\"").await, 1);
    stream.write_all(message).await.expect("it is taken");
    assert_eq!(read(&mut stream, 8).await, b"\x81\xa3ack\xa2id");
    // One without an id is not acknowledged, and what is no message closes the connection.
    stream.write_all(b"\x93\xa3app\xce\x69\x1e\xb3\x41\x81\xa7message\xa4text").await.expect("it is taken");
    until(&house.families.doors.of(Door::Forward).n_stored, 2).await;
    stream.write_all(b"\xc1").await.expect("it is taken");
    assert!(matches!(stream.read(&mut [0; 8]).await, Ok(0) | Err(_)));
    until(&house.families.doors.of(Door::Forward).n_malformed, 1).await;
    door.close(&house).await;
    assert_eq!(count(&house, "@log = \"forward/app\"").await, 2);
    assert!(house.get("/metrics").await.text().contains("\ncatat_forward_messages_stored_total 2\n"));
}

#[tokio::test]
async fn a_window_is_acknowledged_when_all_its_events_are_stored() {
    let house = House::new();
    let door = open(&house, Door::Lumberjack);
    let event = |sequence: u8, text: &str| {
        let json = format!("{{\"message\":\"{text}\",\"@metadata\":{{\"beat\":\"filebeat\"}}}}");
        [&[b'2', b'J', 0, 0, 0, sequence, 0, 0, 0, json.len() as u8], json.as_bytes()].concat()
    };
    let mut stream = door.connect().await;
    stream.write_all(&[&b"2W\0\0\0\x02"[..], &event(1, "a")].concat()).await.expect("it is taken");
    assert!(tokio::time::timeout(SILENCE, stream.read_u8()).await.is_err(), "the window has another event");
    let all_places = house.server.intake.take_all().await;
    stream.write_all(&event(2, "b")).await.expect("it is taken");
    assert!(tokio::time::timeout(SILENCE, stream.read_u8()).await.is_err(), "nothing is stored yet");
    drop(all_places);
    assert_eq!(read(&mut stream, 6).await, b"2A\0\0\0\x02");
    assert_eq!(count(&house, "@log = \"lumberjack/filebeat\"").await, 2);
    // Two windows at once, the second without its last event.
    let windows = [&b"2W\0\0\0\x01"[..], &event(3, "c"), b"2W\0\0\0\x02", &event(4, "d")].concat();
    stream.write_all(&windows).await.expect("it is taken");
    assert_eq!(read(&mut stream, 6).await, b"2A\0\0\0\x03");
    door.close(&house).await;
    assert_eq!(count(&house, "@log = \"lumberjack/filebeat\"").await, 3);
}

#[tokio::test]
async fn lines_of_one_connection_that_are_one_event_are_joined() {
    let house = House::new();
    let door = open(&house, Door::Lines);
    let (mut one, mut other) = (door.connect().await, door.connect().await);
    let trace = "2026-11-20 06:47:13 ERROR pump: lost\njava.io.IOException: x\n\tat shop.Tank.level(Tank.java:7)\n";
    for line in trace.split_inclusive('\n') {
        one.write_all(line.as_bytes()).await.expect("it is taken");
        other.write_all(b"{\"level\":\"warn\",\"n\":7,\"message\":\"json\"}\n").await.expect("it is taken");
    }
    until(&house.families.doors.of(Door::Lines).n_stored, 3).await;
    drop((one, other));
    door.close(&house).await;
    assert_eq!(count(&house, "@log = \"lines\"").await, 4);
    assert_eq!(count(&house, "@level = \"error\" and @message like /Tank.java/").await, 1);
    assert_eq!(count(&house, "@level = \"warn\" and n = 7").await, 3);
}

#[tokio::test]
async fn gelf_comes_by_datagram_connection_and_request() {
    let house = House::new();
    let door = open(&house, Door::Gelf);
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let send = |datagram: &[u8]| sender.send_to(datagram, door.udp).expect("it is sent");
    let message = |text: &str| {
        format!("{{\"version\":\"1.1\",\"host\":\"web-1\",\"short_message\":\"{text}\",\"level\":3,\"_n\":7}}")
    };
    let split = message("in parts");
    for (number, part) in [(1, &split[20..]), (0, &split[..20])] {
        send(&[&[0x1e, 0x0f, 1, 2, 3, 4, 5, 6, 7, 8, number, 2], part.as_bytes()].concat());
    }
    send(b"no json");
    let mut stream = door.connect().await;
    stream.write_all(format!("{}\0{}\0", message("by"), message("connection")).as_bytes()).await.expect("it is taken");
    let answer = house.post("/gelf", message("by request")).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(house.post("/gelf", "{}").await.status, 400);
    // As graypy sends it.
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(message("by compressed request").as_bytes()).expect("a vector takes it");
    let body = encoder.finish().expect("a vector takes it");
    let request = Request::post("/gelf").header("content-encoding", "gzip,deflate");
    let request = request.body(Body::from(body)).expect("a valid request");
    assert_eq!(house.send(request).await.status, 202);
    until(&house.families.doors.of(Door::Gelf).n_stored, 3).await;
    until(&house.families.doors.of(Door::Gelf).n_malformed, 1).await;
    door.close(&house).await;
    assert_eq!(count(&house, "@log = \"gelf\" and @logStream = \"web-1\" and @level = \"error\" and n = 7").await, 5);
    assert_eq!(house.families.doors.of(Door::Gelf).n_lost.load(Ordering::Relaxed), 0);
}

//! Syslog on real sockets.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::House;
use crate::SocketListeners;
use door::ConnectionSlots;
use otel::sockets::{self, ConnectionLimiter, Door};

/// How long is waited for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

struct Doors {
    udp: SocketAddr,
    tcp: SocketAddr,
    task: JoinHandle<()>,
}

fn open(house: &House) -> Doors {
    open_with(house, ConnectionSlots::of_process().1, ConnectionLimiter::default())
}

fn open_with(house: &House, places: ConnectionSlots, limiter: ConnectionLimiter) -> Doors {
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addresses = (udp.local_addr().expect("it is bound"), tcp.local_addr().expect("it is bound"));
    let listeners = SocketListeners { udp: Some(udp), tcp: Some(tcp), ..SocketListeners::default() };
    let task = sockets::start(
        Door::Syslog,
        house.server.clone(),
        &house.families.doors,
        listeners,
        places,
        &Arc::new(limiter),
    )
    .expect("sockets that are bound");
    Doors { udp: addresses.0, tcp: addresses.1, task }
}

impl Doors {
    /// Closes the server's doors and waits until everything that came in is stored.
    async fn close(self, house: &House) {
        house.closing.send_replace(true);
        self.task.await.expect("no panic");
    }
}

/// Waits until so many are counted.
pub(super) async fn until(counter: &AtomicU64, n: u64) {
    let counted = async {
        while counter.load(Ordering::Relaxed) < n {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.unwrap_or_else(|_| panic!("{n} are not counted: {counter:?}"));
}

pub(super) async fn count(house: &House, condition: &str) -> u64 {
    let query = super::encoded(&format!("filter {condition} | stats count(*)"));
    house.get(&format!("/api/v1/query?query={query}&from=0&to=now")).await.json()["rows"][0][0].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn what_has_arrived_when_the_server_closes_is_stored() {
    let house = House::new();
    let doors = open(&house);
    let mut counted = TcpStream::connect(doors.tcp).await.expect("the door is open");
    counted.write_all(b"38 <11>Nov 20 06:47:13 web-1 app: counted").await.expect("it is taken");
    let mut ended = TcpStream::connect(doors.tcp).await.expect("the door is open");
    ended
        .write_all(b"<11>Nov 20 06:47:13 web-1 app: ended\n<11>Nov 20 06:47:13 web-1 app: cut o")
        .await
        .expect("taken");
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    sender.send_to(b"<14>1 2026-11-20T06:47:13Z web-2 db - - - datagram\n", doors.udp).expect("it is sent");
    until(&house.families.doors.of(Door::Syslog).n_connections, 2).await;
    doors.close(&house).await;
    let said = "@log = \"syslog/app\" and @level = \"error\" and hostname = \"web-1\" and severity = \"err\"";
    assert_eq!(count(&house, said).await, 3);
    assert_eq!(count(&house, "@message like /: (counted|ended|cut o)$/").await, 3);
    assert_eq!(count(&house, "@log = \"syslog/db\" and @logStream = \"web-2\"").await, 1);
    assert_eq!(house.families.doors.of(Door::Syslog).n_stored.load(Ordering::Relaxed), 4);
    let status = house.get("/api/v1/status").await.json();
    assert_eq!(status["syslog"]["messages_stored"], 4);
    assert!(house.get("/metrics").await.text().contains("\ncatat_syslog_messages_stored_total 4\n"));
}

#[tokio::test]
async fn no_name_of_a_program_leads_to_what_the_server_writes_down() {
    let house = House::new();
    let doors = open(&house);
    let mut stream = TcpStream::connect(doors.tcp).await.expect("the door is open");
    for name in ["catat/audit", "../catat/audit", "/../catat/audit", "..//catat//audit"] {
        let line = format!("<11>1 2026-11-20T06:47:13Z host {name} - - - forged\n");
        stream.write_all(line.as_bytes()).await.expect("it is taken");
    }
    drop(stream);
    until(&house.families.doors.of(Door::Syslog).n_stored, 4).await;
    doors.close(&house).await;
    assert_eq!(count(&house, "@log like /^syslog/").await, 4);
    let ask = super::encoded("filter @message like /forged/ | stats count(*)");
    let found = house.administer("GET", &format!("/api/v1/query?query={ask}&groups=catat/*&from=0"), "").await;
    assert_eq!(found.json()["rows"][0][0], 0, "{}", found.text());
}

#[tokio::test]
async fn a_frame_that_is_far_too_long_is_marked_and_those_behind_it_are_taken() {
    let house = House::new();
    let doors = open(&house);
    let mut stream = TcpStream::connect(doors.tcp).await.expect("the door is open");
    let mut bytes = b"<14>Nov 20 06:47:13 web-1 app: ".to_vec();
    bytes.resize(5 << 20, b'x');
    bytes.extend_from_slice(b"\n<14>Nov 20 06:47:13 web-1 app: next\n");
    stream.write_all(&bytes).await.expect("it is taken");
    drop(stream);
    until(&house.families.doors.of(Door::Syslog).n_stored, 2).await;
    doors.close(&house).await;
    assert_eq!(count(&house, &format!("cutBytes = {}", 1 << 20)).await, 1);
    assert_eq!(count(&house, "ispresent(@part)").await, 4);
    assert_eq!(count(&house, "@message like /next$/").await, 1);
}

/// Reports whether the other side has closed a connection by now.
async fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(tokio::time::timeout(Duration::from_millis(1), stream.read(&mut [0; 8])).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn a_silent_connection_is_closed_for_one_that_has_something_to_say_and_one_in_mid_message_is_not() {
    let house = House::new();
    // Sixteen places of its own, and none in common.
    let doors = open_with(&house, ConnectionSlots::of_files(0).1, ConnectionLimiter::sparing(Duration::ZERO));
    let message = |n: usize| format!("<14>Nov 20 06:47:13 web-1 app: message {n}\n");
    let mut streams = Vec::new();
    for n in 0..16 {
        let mut stream = TcpStream::connect(doors.tcp).await.expect("the door is open");
        let rest = if n == 0 { "<14>Nov 20 06:47:13 web-1 app: half" } else { "" };
        stream.write_all((message(n) + rest).as_bytes()).await.expect("it is taken");
        until(&house.families.doors.of(Door::Syslog).n_stored, n as u64 + 1).await;
        streams.push(stream);
    }
    let mut new = TcpStream::connect(doors.tcp).await.expect("the door is open");
    new.write_all(message(16).as_bytes()).await.expect("it is taken");
    until(&house.families.doors.of(Door::Syslog).n_stored, 17).await;
    assert_eq!(house.families.doors.of(Door::Syslog).n_closed.load(Ordering::Relaxed), 1);
    assert!(!is_closed(&mut streams[0]).await, "it is in the midst of a message");
    // The one that has been silent longest hears of it.
    assert!(matches!(streams[1].read(&mut [0; 8]).await, Ok(0)));
    assert!(!is_closed(&mut streams[15]).await && !is_closed(&mut new).await);
    streams[0].write_all(b" and half\n").await.expect("it is taken");
    doors.close(&house).await;
    assert_eq!(count(&house, "@message like /(message \\d+|half and half)$/").await, 18);
}

#[tokio::test]
async fn who_finds_no_place_and_nobody_silent_is_closed_and_the_others_stay() {
    let house = House::new();
    let doors = open_with(&house, ConnectionSlots::of_files(0).1, ConnectionLimiter::default());
    let mut streams = Vec::new();
    for _ in 0..16 {
        streams.push(TcpStream::connect(doors.tcp).await.expect("the door is open"));
    }
    until(&house.families.doors.of(Door::Syslog).n_connections, 16).await;
    let mut new = TcpStream::connect(doors.tcp).await.expect("the door is open");
    assert!(matches!(new.read(&mut [0; 8]).await, Ok(0) | Err(_)));
    for stream in &mut streams {
        assert!(!is_closed(stream).await);
    }
    assert_eq!(house.families.doors.of(Door::Syslog).n_closed.load(Ordering::Relaxed), 0);
    doors.close(&house).await;
}

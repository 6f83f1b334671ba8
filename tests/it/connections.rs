//! Very many connections: those that say nothing cost little, those beyond the last place are told so, and those that say
//! their thing too slowly are closed. Everybody else notices nothing of it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::doors::DOORS;
use crate::lab::{Memory, is_long};
use crate::server::{Launch, PATIENCE, Server};

/// Connections that are asked of this machine.
const IDLE: usize = 10_000;

/// How much memory one may cost that has asked something and is silent now, and one that has said nothing.
const BYTES_EACH_MAX: u64 = 24 << 10;

/// How soon a new request is answered beside them.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

const HEALTHY: &[u8] = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// How many files a process may open here: `current` and the most that it may ask for.
fn files(pid: &str) -> (usize, usize) {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("Linux says it");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("Linux says it");
    let mut numbers = line.split_whitespace().skip(3).map(|n| n.parse().unwrap_or(usize::MAX));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Connections at once that this process can hold, a few files left for the rest of it.
fn affordable() -> usize {
    files("self").0.saturating_sub(200)
}

fn address(server: &Server) -> SocketAddr {
    server.url.trim_start_matches("http://").parse().expect("an address")
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("the door is open");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

/// Asks on a connection that stays open; returns the head of the answer.
fn ask(stream: &mut TcpStream) -> String {
    let _ = stream.write_all(HEALTHY);
    let mut answer = [0; 2048];
    let n_bytes = stream.read(&mut answer).unwrap_or(0);
    String::from_utf8_lossy(&answer[..n_bytes]).into_owned()
}

/// A server that listens for syslog too, and where.
fn with_syslog() -> (tempfile::TempDir, Server, SocketAddr) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port is free");
    let server = Launch::configured(scratch.path(), &format!("[syslog]\ntcp = \"{free}\"\n")).start();
    (scratch, server, free)
}

/// Asserts that a new event is taken and a question is answered soon.
fn assert_serves(server: &Server) {
    let began = Instant::now();
    DOORS[0].send_good(server, "beside many");
    assert_eq!(server.get("/-/ready", &[]).status, 200);
    assert!(began.elapsed() < ANSWERED_WITHIN, "{:?}\n{}", began.elapsed(), server.transcript());
    eprintln!("a new event and a question beside them: {:?}", began.elapsed());
}

/// Says what each of some connections costs, and asserts that it is little.
fn assert_cheap(memory: &Memory, n_connections: usize, kind: &str) {
    let each = memory.rise() / n_connections as u64;
    eprintln!("{n_connections} {kind} connections: {each} bytes each, {} MiB in all", memory.peak() >> 20);
    assert!(each < BYTES_EACH_MAX, "{kind}: {each} bytes each");
}

#[test]
fn ten_thousand_silent_connections_cost_little_and_keep_nobody_out() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let (files, hard) = files(&server.pid().to_string());
    assert_eq!(files, hard, "the server raises its own limit of open files");
    // What the server has places for, and this process files.
    let n_idle = IDLE.min(files / 8 * 5 - 100).min(affordable());
    assert_serves(&server);
    let memory = Memory::of(server.pid());
    let mut idle: Vec<TcpStream> = (0..n_idle / 2).map(|_| connect(address(&server))).collect();
    assert_serves(&server);
    assert_cheap(&memory, n_idle / 2, "mute");
    let memory = Memory::of(server.pid());
    for _ in 0..n_idle / 2 {
        let mut stream = connect(address(&server));
        assert!(ask(&mut stream).starts_with("HTTP/1.1 200"));
        idle.push(stream);
    }
    assert_serves(&server);
    assert_cheap(&memory, n_idle / 2, "kept-alive");
    // They are all there still, the first ones as the last.
    assert!(ask(&mut idle[0]).starts_with("HTTP/1.1 200") && ask(&mut idle[n_idle - 2]).starts_with("HTTP/1.1 200"));
}

#[test]
fn silent_connections_for_syslog_cost_little_and_those_beyond_the_last_place_are_closed() {
    let (_scratch, server, syslog) = with_syslog();
    let n_places = (files(&server.pid().to_string()).0 / 8 * 5).min(16_384);
    let n_idle = IDLE.min(n_places - 10).min(affordable());
    assert_serves(&server);
    let memory = Memory::of(server.pid());
    let mut idle: Vec<TcpStream> = Vec::new();
    for n in 0..n_idle {
        let mut stream = connect(syslog);
        writeln!(stream, "<14>Nov 20 06:47:13 web-1 app: message {n}").expect("it is taken");
        idle.push(stream);
    }
    server.until("every message is stored", || (server.count() == n_idle as u64 + 1).then_some(()));
    assert_cheap(&memory, n_idle, "syslog");
    if affordable() > n_places + 10 {
        // One that was silent for a minute may be closed for another. Where many connect faster than they are accepted, one that
        // says nothing may never reach the server.
        idle.iter_mut().for_each(|stream| stream.write_all(b"\n").expect("it is taken"));
        let mut beyond: Vec<TcpStream> = Vec::new();
        for _ in n_idle..n_places + 10 {
            let mut stream = connect(syslog);
            // It may be closed already.
            let _ = stream.write_all(b"\n");
            beyond.push(stream);
        }
        let last = beyond.last_mut().expect("there is one");
        assert!(matches!(last.read(&mut [0; 8]), Ok(0) | Err(_)), "closed at once");
        server.until("it is said", || server.transcript().contains("connections refused").then_some(()));
    }
    assert_serves(&server);
    writeln!(idle[0], "<14>Nov 20 06:47:13 web-1 app: one more").expect("it is taken");
    server.until("it is stored", || (server.count() == n_idle as u64 + 3).then_some(()));
}

#[test]
fn who_finds_no_place_is_told_so_and_finds_one_when_others_go() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    // 256 files: 160 connections.
    let limited = ["sh", "-c", "ulimit -n 256; exec \"$@\"", "sh"];
    let server = Launch::new(scratch.path(), &["serve"]).under(&limited).start();
    let mut idle: Vec<TcpStream> = (0..200).map(|_| connect(address(&server))).collect();
    let answer = ask(&mut connect(address(&server)));
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("too-many-connections"), "{answer}");
    // Those that came first have their places.
    assert!(ask(&mut idle[0]).starts_with("HTTP/1.1 200"));
    drop(idle);
    server
        .until("there is room again", || ask(&mut connect(address(&server))).starts_with("HTTP/1.1 200").then_some(()));
    assert_serves(&server);
}

/// Sends `bytes` one a second; returns how long it took until the connection was closed, and what was answered.
fn drip(mut stream: TcpStream, begin: &[u8], bytes: u8) -> (Duration, String) {
    stream.write_all(begin).expect("the beginning is taken");
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a socket");
    let began = Instant::now();
    let (mut answer, mut buffer) = (String::new(), [0; 1024]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (began.elapsed(), answer),
            Ok(n_bytes) => answer.push_str(&String::from_utf8_lossy(&buffer[..n_bytes])),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if stream.write_all(&[bytes]).is_err() {
                    return (began.elapsed(), answer);
                }
            }
            Err(_) => return (began.elapsed(), answer),
        }
        assert!(began.elapsed() < Duration::from_secs(120), "nobody ends it");
    }
}

#[test]
fn a_head_that_takes_longer_than_ten_seconds_is_cut_off_and_an_idle_connection_is_not() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let mut idle = connect(address(&server));
    assert!(ask(&mut idle).starts_with("HTTP/1.1 200"));
    let (elapsed, answer) = drip(connect(address(&server)), b"GET /-/healthy HTTP/1.1\r\nX-Slow: ", b'a');
    assert!((9..20).contains(&elapsed.as_secs()) && answer.is_empty(), "{elapsed:?} {answer}");
    assert!(ask(&mut idle).starts_with("HTTP/1.1 200"));
}

#[test]
fn who_says_a_byte_a_second_is_cut_off_in_a_minute_or_so_and_holds_up_nobody() {
    if !is_long() {
        return eprintln!("left out: it takes 75 seconds (CATAT_FAULT_ROUNDS)");
    }
    let (_scratch, server, syslog) = with_syslog();
    let http = address(&server);
    let post = b"POST /api/v1/ingest?format=text HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n";
    let seconds = |(elapsed, answer): (Duration, String)| (elapsed.as_secs(), answer);
    std::thread::scope(|scope| {
        let body = scope.spawn(move || seconds(drip(connect(http), post, b'b')));
        let frame = scope.spawn(move || seconds(drip(connect(syslog), b"<14>Nov 20 06:47:13 web-1 app: ", b'c')));
        while !(body.is_finished() && frame.is_finished()) {
            assert_serves(&server);
            std::thread::park_timeout(Duration::from_secs(1));
        }
        let (body, frame) = (body.join(), frame.join());
        eprintln!("body {body:?}\nframe {frame:?}");
        let (body, frame) = (body.expect("no panic"), frame.expect("no panic"));
        assert!((55..70).contains(&body.0) && body.1.starts_with("HTTP/1.1 408"), "{body:?}");
        assert!((55..70).contains(&frame.0), "{frame:?}");
    });
    server.until("what came of the frame is stored", || {
        (server.value("filter @message like /ccc/ | stats count(*) as n") == 1).then_some(())
    });
}

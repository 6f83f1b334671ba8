//! Messages by datagram and connection, as they are kept.

use std::io::Write;
use std::sync::Arc;

use super::*;
use crate::spool::Spool;
use crate::stop::Stop;

/// Listens while `send` sends to the address; what was kept once `n_lines` were and the shipper has stopped.
fn listen(door: fn(SocketAddr) -> Listener, n_lines: u64, send: impl FnOnce(SocketAddr)) -> String {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let spool = Spool::open(dir.path().into(), u64::MAX).expect("a spool");
    let any = "127.0.0.1:0".parse().expect("an address");
    let syslog = Syslog { door: door(any), allow: Vec::new() };
    let sink = Sink::new("syslog".into(), syslog.when_full(), spool, Arc::new(Stop::default()));
    std::thread::scope(|scope| {
        match door(any) {
            Listener::Udp(address) => {
                let socket = UdpSocket::bind(address).expect("a port");
                let address = socket.local_addr().expect("an address");
                let (syslog, sink) = (&syslog, &sink);
                scope.spawn(move || syslog.receive(&socket, sink).expect("it listens"));
                send(address);
            }
            Listener::Tcp(address) => {
                let listener = TcpListener::bind(address).expect("a port");
                let address = listener.local_addr().expect("an address");
                let (syslog, sink) = (&syslog, &sink);
                scope.spawn(move || syslog.accept(listener, sink).expect("it listens"));
                send(address);
            }
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        while sink.status().lines < n_lines && Instant::now() < deadline {
            sink.stop.wait(Duration::from_millis(5));
        }
        sink.stop.set();
        sink.stop.wake();
    });
    assert_eq!(sink.status().lines, n_lines);
    sink.flush().expect("a spool");
    std::fs::read_to_string(dir.path().join("00000000000000000001.log")).expect("a file of the spool")
}

#[test]
fn datagrams_are_kept_as_they_came_and_begin_with_a_priority() {
    let kept = listen(Listener::Udp, 3, |address| {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        for message in ["<34>Oct 11 22:14:15 mymachine su: 'su root' failed\n", "no priority", "<1234>x", "\n\0"] {
            socket.send_to(message.as_bytes(), address).expect("sent");
        }
    });
    assert_eq!(kept, "<34>Oct 11 22:14:15 mymachine su: 'su root' failed\n<13>no priority\n<13><1234>x\n");
}

#[test]
fn connections_count_their_messages_or_end_them_and_one_of_several_lines_stays_together() {
    let kept = listen(Listener::Tcp, 5, |address| {
        for text in ["15 <34>1 a\n  at b\n12 <13>1 second", "<34>third\n<34>fourth\n", "<34>half"] {
            let mut stream = TcpStream::connect(address).expect("a connection");
            for piece in text.as_bytes().chunks(3) {
                stream.write_all(piece).expect("sent");
            }
        }
    });
    let mut messages: Vec<&str> = kept.split_inclusive('\n').collect();
    messages.sort_unstable();
    let expected = ["  at b\n", "<13>1 second\n", "<34>1 a\n", "<34>fourth\n", "<34>half\n", "<34>third\n"];
    assert_eq!(messages, expected);
    assert!(kept.contains("<34>1 a\n  at b\n"), "{kept}");
}

#[test]
fn what_has_arrived_when_the_shipper_stops_is_kept() {
    let (sent, wait) = std::sync::mpsc::channel();
    let kept = listen(Listener::Tcp, 2000, |address| {
        std::thread::spawn(move || {
            let mut stream = TcpStream::connect(address).expect("a connection");
            stream.write_all(&b"<34>x\n".repeat(2000)).expect("sent");
            sent.send(stream).expect("somebody waits");
        });
    });
    assert_eq!(kept, "<34>x\n".repeat(2000));
    drop(wait);
}

#[test]
fn loopback_and_listed_networks_may_send_and_nobody_else() {
    let allow = vec!["10.0.0.0/8".parse().expect("a network")];
    let syslog = Syslog { door: Listener::Udp("127.0.0.1:0".parse().expect("an address")), allow };
    let admits = |address: &str| syslog.admits(address.parse().expect("an address"));
    assert!(admits("127.0.0.1") && admits("::1") && admits("10.1.2.3") && admits("::ffff:10.1.2.3"));
    assert!(!admits("11.1.2.3") && !admits("2001:db8::1"));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let dir = tempfile::tempdir().expect("a scratch directory");
    let spool = Spool::open(dir.path().into(), u64::MAX).expect("a spool");
    let sink = Sink::new("syslog".into(), WhenFull::Wait, spool, Arc::new(Stop::default()));
    let error =
        Syslog { door: Listener::Tcp(address), allow: Vec::new() }.run(&sink).expect_err("it is taken").to_string();
    assert!(error.starts_with(&format!("syslog at {address}: Address already in use")), "{error}");
}

#[test]
fn datagrams_beyond_what_may_wait_are_counted() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let spool = Spool::open(dir.path().into(), u64::MAX).expect("a spool");
    let sink = Sink::new("syslog".into(), WhenFull::GiveUpOldest, spool, Arc::new(Stop::default()));
    let (queue, waiting) = Queue::new();
    let datagram = [b'x'; 60_000];
    for _ in 0..300 {
        assert!(queue.put(&datagram));
    }
    queue.close();
    waiting.iter().try_for_each(|datagram| queue.write(&datagram, &sink)).expect("a spool");
    let n_taken = (QUEUE_BYTES_MAX / cost(&datagram)) as u64;
    let lost = 300 - n_taken;
    let status = sink.status();
    assert_eq!((status.lines, status.given_up), (n_taken, LossCount { lines: lost, bytes: lost * 60_000 }));
    assert_eq!(queue.n_bytes.load(Ordering::Relaxed), 0);
    drop(waiting);
    assert!(!queue.put(&datagram), "nobody writes any more");
}

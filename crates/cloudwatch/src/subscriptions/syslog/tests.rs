//! What receivers of syslog get, and when an event counts as delivered.

use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use types::{EventId, Timestamp};

use super::*;

fn line(sequence: u64, fields: Vec<(std::sync::Arc<str>, Value)>) -> Line {
    Line {
        id: EventId { group_id: 1, timestamp: Timestamp(1_795_157_233_000_001_007), sequence },
        stream: "s".into(),
        message: "order 1\n  failed".into(),
        level: Some(Level::Error),
        fields,
    }
}

fn filter() -> Filter {
    Filter { group: "app/my shop".into(), ..Filter::default() }
}

/// Takes one connection with `serve`; returns its address.
fn receiver<T: Send + 'static>(serve: impl FnOnce(TcpStream) -> T + Send + 'static) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    (address, std::thread::spawn(move || serve(listener.accept().expect("a sender").0)))
}

fn deliver(is_relp: bool, address: &str, n_lines: u64) -> Result<Option<Refusal>, PostError> {
    let lines: Vec<Line> = (0..n_lines).map(|sequence| line(sequence, Vec::new())).collect();
    let lines: Vec<&Line> = lines.iter().collect();
    Transport { is_relp, is_tls: false }.deliver(address, Reach::Anywhere, (&filter(), &lines))
}

#[test]
fn messages_have_time_level_host_text_id_and_all_fields() {
    let fields = vec![
        ("host".into(), Value::text("web-1")),
        ("n".into(), Value::Integer(7)),
        ("quote".into(), Value::text("a \"b\" [c] \\")),
        ("with space".into(), Value::Float(0.5)),
    ];
    let line = line(3, fields);
    let id = line.id.encode();
    let expected = format!(
        "<11>1 2026-11-20T06:47:13.000001Z web-1 app/my_shop - - \
         [catat@32473 id=\"{id}\" group=\"app/my shop\" stream=\"s\" level=\"error\"]\
         [fields@32473 host=\"web-1\" n=\"7\" quote=\"a \\\"b\\\" [c\\] \\\\\" others=\"{{\\\"with space\\\":0.5}}\"] \
         order 1\n  failed"
    );
    assert_eq!(message(&filter(), &line), expected);
}

#[test]
fn messages_stand_behind_their_lengths_and_are_there_once_the_receiver_closes() {
    let (address, received) = receiver(|mut stream| {
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("messages");
        text
    });
    assert_eq!(deliver(false, &address, 2), Ok(None));
    let one = message(&filter(), &line(0, Vec::new()));
    let other = message(&filter(), &line(1, Vec::new()));
    let expected = format!("{} {one}{} {other}", one.len(), other.len());
    assert_eq!(received.join().expect("it was served"), expected);
}

#[test]
fn a_receiver_that_breaks_off_gets_the_events_again() {
    let (address, _) = receiver(|mut stream| {
        // Closed with bytes that were not read, a connection is reset.
        let _ = stream.read_exact(&mut [0; 10]);
    });
    assert!(matches!(deliver(false, &address, 3_000), Err(PostError::Retry { .. })));
    let (address, _) = receiver(|mut stream| {
        stream.write_all(b"1 rsp 6 200 OK\n2 rsp 6 200 OK\n").expect("it is open");
        let _ = stream.read_exact(&mut [0; 100]);
    });
    assert!(matches!(deliver(true, &address, 300), Err(PostError::Retry { .. })));
}

/// Answers messages of RELP: the one with the number `refused` with no.
fn serve_relp(stream: &TcpStream, refused: usize) -> Vec<String> {
    let mut input = BufReader::new(stream);
    let mut taken = Vec::new();
    loop {
        let mut head = Vec::new();
        for _ in 0..3 {
            input.read_until(if head.ends_with(b"close ") { b'\n' } else { b' ' }, &mut head).expect("a head");
        }
        let head = String::from_utf8(head).expect("text");
        let words: Vec<&str> = head.split_whitespace().collect();
        let [number, command, length] = words[..] else { panic!("{head:?}") };
        if command == "close" {
            return taken;
        }
        let mut data = vec![0; length.parse::<usize>().expect("a length") + 1];
        input.read_exact(&mut data).expect("a message");
        let answer = if number == refused.to_string() { "500 no" } else { "200 OK" };
        (&*stream).write_all(format!("{number} rsp {} {answer}\n", answer.len()).as_bytes()).expect("it is open");
        if command == "syslog" {
            taken.push(String::from_utf8(data).expect("text").trim_end_matches('\n').to_owned());
        }
    }
}

#[test]
fn each_message_of_relp_is_answered_and_refused_ones_are_counted() {
    let (address, received) = receiver(|stream| serve_relp(&stream, 0));
    assert_eq!(deliver(true, &address, 250), Ok(None));
    let expected: Vec<String> = (0..250).map(|sequence| message(&filter(), &line(sequence, Vec::new()))).collect();
    assert_eq!(received.join().expect("it was served"), expected);
    let (address, _) = receiver(|stream| serve_relp(&stream, 5));
    assert_eq!(deliver(true, &address, 250), Ok(Some(Refusal { n: 1, reason: "500 no".into() })));
    let (address, _) = receiver(|stream| serve_relp(&stream, 1));
    assert!(deliver(true, &address, 1).is_err());
}

#[test]
fn near_receivers_are_refused_where_they_may_not_be_reached() {
    let transport = Transport { is_relp: true, is_tls: false };
    let refused = transport.deliver("127.0.0.1:1", Reach::Far, (&filter(), &[]));
    assert!(matches!(refused, Err(PostError::Retry { reason, .. }) if reason.contains("private network")));
}

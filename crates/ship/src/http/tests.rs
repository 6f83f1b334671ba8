//! What is sent, and what a server's answers mean.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use super::*;

fn batch() -> FileBatch {
    crate::batch::tests::batch("one\n", None)
}

fn deliver_to(urls: &[&str]) -> HttpDeliver {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let urls = urls.iter().map(|url| (*url).to_string()).collect();
    HttpDeliver::new(HttpOptions { urls, key: Some("secret".into()), ca_file: None, identity: None }).unwrap()
}

/// Delivers one batch to a server that answers `answer`; returns its outcome, the request's head and its body.
fn deliver(answer: &'static str) -> (Result<DeliveryReceipt, DeliverError>, String, Vec<u8>) {
    exchange(answer, |server| server.deliver(&batch()))
}

/// Lets `act` talk to a server that answers `answer`; returns what came of it, the request's head and its body.
fn exchange<T>(answer: &'static str, act: impl FnOnce(&HttpDeliver) -> T) -> (T, String, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        (head, body)
    });
    let outcome = act(&deliver_to(&[&url]));
    let (head, body) = server.join().unwrap();
    (outcome, head, body)
}

#[test]
fn a_report_is_posted_under_the_name_of_the_source_with_the_key() {
    let identity = crate::source_report::Identity { source: "ab12".into(), host: "h".into(), started: "t".into() };
    let report = identity.report(crate::Status::default());
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let (outcome, head, body) = exchange(answer, |server| server.report(&report));
    assert_eq!(outcome, Ok(()));
    assert!(head.starts_with("POST /api/v1/sources/ab12 HTTP/1.1"), "{head}");
    assert!(head.to_ascii_lowercase().contains("authorization: bearer secret"));
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["host"], &body["files_left_out"]), (&"h".into(), &0.into()));
    let refusal = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    let (outcome, ..) = exchange(refusal, |server| server.report(&report));
    assert!(matches!(outcome, Err(DeliverError::Retry { .. })), "{outcome:?}");
}

#[test]
fn a_batch_is_posted_compressed_with_its_place_and_the_key() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 41\r\n\r\n{\"accepted\":1,\"duplicate\":true,\"a\":[1,2]}";
    let (outcome, head, body) = deliver(answer);
    assert_eq!(outcome, Ok(DeliveryReceipt { duplicate: true, ..DeliveryReceipt::default() }));
    assert!(
        head.starts_with("POST /api/v1/ingest?format=lines&group=a%2Fb%23c&stream=h%3A%2Fvar%2Flog%2Fa+b HTTP/1.1")
    );
    assert!(head.to_ascii_lowercase().contains("authorization: bearer secret"));
    assert_eq!(zstd::bulk::decompress(&body, 1 << 20).unwrap(), batch().encode());
}

#[test]
fn answers_are_told_apart_by_what_may_help() {
    let busy = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    assert!(matches!(deliver(busy).0, Err(DeliverError::Retry { after: Some(after), .. }) if after.as_secs() == 7));
    let full = "HTTP/1.1 507 Insufficient Storage\r\ncontent-length: 0\r\n\r\n";
    assert!(matches!(deliver(full).0, Err(DeliverError::Retry { after: None, .. })));
    let no_key = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
    assert!(matches!(deliver(no_key).0, Err(DeliverError::Retry { .. })));
    let moved = "HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    assert!(matches!(deliver(moved).0, Err(DeliverError::Retry { .. })));
    let bad = "HTTP/1.1 400 Bad Request\r\ncontent-length: 36\r\n\r\n{\"error\":{\"message\":\"no such format\"}}";
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"accepted\":1";
    assert!(matches!(deliver(bad).0, Err(DeliverError::Refused(_))));
    assert!(matches!(deliver(cut).0, Err(DeliverError::Retry { .. })));
}

#[test]
fn only_an_answer_of_ours_is_an_acknowledgement() {
    let portal = "HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n<html>Welcome!</";
    assert!(matches!(deliver(portal).0, Err(DeliverError::Retry { reason, .. }) if reason.contains("Welcome")));
    let nothing = "HTTP/1.1 204 No Content\r\n\r\n";
    assert!(matches!(deliver(nothing).0, Err(DeliverError::Retry { .. })));
    assert!(matches!(deliver("SSH-2.0-OpenSSH\r\n").0, Err(DeliverError::Retry { .. })));
    let large = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n";
    assert!(matches!(deliver(large).0, Err(DeliverError::TooLarge(_))));
}

/// Returns a server that answers every request with `answer`, for as long as the test runs.
fn always(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn the_next_server_is_used_when_one_is_away_and_a_refusal_is_no_reason_to_change() {
    let good = always("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 14\r\n\r\n{\"accepted\":1}");
    let busy = always("HTTP/1.1 503 Busy\r\nconnection: close\r\nretry-after: 9\r\ncontent-length: 0\r\n\r\n");
    let no_key = always("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    let server = deliver_to(&["http://127.0.0.1:1", &busy, &good]);
    let first = server.deliver(&batch());
    assert!(matches!(first, Err(DeliverError::Retry { reason, .. }) if reason.starts_with("http://127.0.0.1:1: ")));
    assert!(matches!(server.deliver(&batch()), Err(DeliverError::Retry { after: None, .. })));
    for _ in 0..3 {
        server.deliver(&batch()).unwrap();
    }
    let server = deliver_to(&[&no_key, &good]);
    for _ in 0..2 {
        let outcome = server.deliver(&batch());
        assert!(matches!(outcome, Err(DeliverError::Retry { reason, .. }) if reason.contains("check the key")));
    }
}

#[test]
fn the_first_server_is_preferred_again_after_a_while() {
    let (choice, began) = (ServerChoice::of(3), Instant::now());
    let at = |seconds: u64| began + Duration::from_secs(seconds);
    assert_eq!(choice.next(at(0)), 0);
    choice.note(0, true, at(0));
    choice.note(0, true, at(1));
    assert_eq!(choice.next(at(2)), 1, "two attempts that failed at once move on once");
    assert_eq!((choice.next(at(60)), choice.next(at(61))), (1, 0));
    assert_eq!(choice.next(at(61)), 1, "one attempt finds out whether it is back");
    choice.note(0, true, at(62));
    assert_eq!((choice.next(at(121)), choice.next(at(122))), (1, 0));
    choice.note(0, false, at(122));
    assert_eq!(choice.next(at(122)), 0);
}

#[test]
fn what_is_no_address_or_no_authority_is_said_at_the_start() {
    let refusal = |urls: &[&str], ca_file: Option<&str>| {
        let urls = urls.iter().map(|url| (*url).to_string()).collect();
        match HttpDeliver::new(HttpOptions { urls, key: None, ca_file: ca_file.map(PathBuf::from), identity: None }) {
            Err(DeliverError::Refused(reason)) => reason,
            _ => panic!("it is taken"),
        }
    };
    assert!(refusal(&[], None).contains("name one"));
    assert!(refusal(&["http://a", "logs.example:22828"], None).contains("logs.example:22828"));
    assert!(refusal(&["https://a"], Some("/nowhere/ca.pem")).contains("/nowhere/ca.pem"));
}

#[test]
fn what_would_look_like_a_bomb_goes_unpacked() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"accepted\": 1 }";
    let monotonous = crate::batch::tests::batch(&"x".repeat(16 << 20), None);
    let (_, head, body) = exchange(answer, |server| server.deliver(&monotonous));
    assert!(head.to_ascii_lowercase().contains("content-encoding: identity"), "{head}");
    assert_eq!(body, monotonous.encode());
    // What is unfolded anyhow may be as monotonous as it likes.
    let shorter = crate::batch::tests::batch(&"x".repeat(6 << 20), None);
    let (_, head, body) = exchange(answer, |server| server.deliver(&shorter));
    assert!(head.to_ascii_lowercase().contains("content-encoding: zstd") && body.len() < 1 << 20, "{head}");
}

#[test]
fn a_long_body_arrives_as_it_is_packed_only_where_that_halves_it() {
    let mut random = crate::torture::Random::new(1);
    let text: String = (0..5 << 20).map(|_| char::from(b' ' + random.below(90) as u8)).collect();
    let long = crate::batch::tests::batch(&text, None);
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"accepted\": 1 }";
    let (_, head, body) = exchange(answer, |server| server.deliver(&long));
    assert!(head.to_ascii_lowercase().contains("content-encoding: identity"), "{head}");
    assert!(body == long.encode());
    // Nor is it packed to no purpose where only its beginning promises something.
    let late = crate::batch::tests::batch(&format!("{}{text}", " ".repeat(SAMPLE_BYTES)), None);
    let (_, head, body) = exchange(answer, |server| server.deliver(&late));
    assert!(head.to_ascii_lowercase().contains("content-encoding: identity") && body == late.encode(), "{head}");
    // A digit is half a byte and less.
    let digits: String = (0..6 << 20).map(|_| char::from(b'0' + random.below(8) as u8)).collect();
    let digits = crate::batch::tests::batch(&digits, None);
    let (_, head, body) = exchange(answer, |server| server.deliver(&digits));
    assert!(head.to_ascii_lowercase().contains("content-encoding: zstd") && body.len() > SENT_WHOLE_MAX, "{head}");
    assert!(zstd::decode_all(&body[..]).unwrap() == digits.encode());
}

//! What is sent, and what a server's answers mean.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use types::group_name_of_outside;

use super::*;
use crate::Header;
use crate::identity::{FileKey, Mark};

fn batch() -> FileBatch {
    FileBatch {
        group: group_name_of_outside("a/b#c"),
        stream: "h:/var/log/a b".into(),
        header: Header {
            source: "s".into(),
            file: "f".into(),
            generation: 0,
            start: 0,
            lengths: None,
            host: "h".into(),
            path: "/var/log/a b".into(),
            zone: None,
            modified: None,
            fields: Default::default(),
        },
        at: std::path::PathBuf::new(),
        bytes: Arc::new(b"one\n".to_vec()),
        key: FileKey { device: 0, inode: 0 },
        mark_after: Mark::default(),
    }
}

/// Delivers one batch to a server that answers `answer`; returns its outcome, the request's head and its body.
fn deliver(answer: &'static str) -> (Result<Delivered, DeliverError>, String, Vec<u8>) {
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
    let deliver = HttpDeliver::new(HttpOptions { url, key: Some("secret".into()) }).unwrap();
    let outcome = deliver.deliver(&batch());
    let (head, body) = server.join().unwrap();
    (outcome, head, body)
}

#[test]
fn a_batch_is_posted_compressed_with_its_place_and_the_key() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"accepted\":1,\"duplicate\":true,\"a\":[1,2]}";
    let (outcome, head, body) = deliver(answer);
    assert_eq!(outcome, Ok(Delivered { duplicate: false, high_water: None }));
    assert!(
        head.starts_with("POST /api/v1/ingest?format=lines&group=a%2Fb%23c&stream=h%3A%2Fvar%2Flog%2Fa+b HTTP/1.1")
    );
    assert!(head.to_ascii_lowercase().contains("authorization: bearer secret"));
    assert_eq!(zstd::bulk::decompress(&body, 1 << 20).unwrap(), batch().encode());
}

#[test]
fn answers_are_told_apart_by_what_may_help() {
    let _ = rustls::crypto::ring::default_provider().install_default();
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

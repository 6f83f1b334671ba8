//! Messages between nodes are trusted only with a valid code, and a node that makes no progress is given up.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::http::HeaderMap;
use data_encoding::HEXLOWER;
use execute::Peers;
use storage::{FleetOptions, NodeStatus};
use types::Timestamp;

use super::link::{CODE_HEADER, FleetLink};
use super::peers::{QueryPeers, UNDER_WAY};

fn link(secret: &str) -> FleetLink {
    // Another test may have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = FleetOptions {
        database: "postgres://db.example.org/catat".parse().expect("a URL"),
        node: "a".into(),
        address: "http://a".into(),
        roles: vec!["query".into()],
        zone: String::new(),
        linger: Duration::ZERO,
        object_bytes: 1 << 20,
    };
    FleetLink::new(options, secret.into()).expect("a client")
}

#[test]
fn codes_hold_for_what_was_said_and_for_one_secret() {
    let (one, other) = (link("one"), link("other"));
    let with_code = |code: &[u8]| {
        let mut headers = HeaderMap::new();
        headers.insert(CODE_HEADER, HEXLOWER.encode(code).parse().expect("a header"));
        headers
    };
    let headers = with_code(&one.code("part", &[b"ab", b"c"]));
    assert!(one.is_from_node(&headers, "part", &[b"ab", b"c"]));
    assert!(!other.is_from_node(&headers, "part", &[b"ab", b"c"]));
    for (kind, parts) in [("part", [&b"a"[..], b"bc"]), ("forward", [b"ab", b"c"]), ("part", [b"ab", b"d"])] {
        assert!(!one.is_from_node(&headers, kind, &parts), "{kind} {parts:?}");
    }
    assert!(!one.is_from_node(&HeaderMap::new(), "part", &[b"ab", b"c"]));
    assert!(!one.is_from_node(&with_code(&one.code("part", &[b"ab", b"c"])[..31]), "part", &[b"ab", b"c"]));
}

#[test]
fn questions_are_answered_to_nodes_for_a_minute() {
    let (one, other) = (link("one"), link("other"));
    let question: &[u8] = b"1000";
    let asked = |of: &FleetLink, path: &str| {
        let mut headers = HeaderMap::new();
        let code = HEXLOWER.encode(&of.code("ask", &[path.as_bytes(), question]));
        headers.insert(CODE_HEADER, code.parse().expect("a header"));
        headers
    };
    let answer = |headers: &HeaderMap, now: i64| {
        let answered = one.answer("/path", (headers, question), Timestamp(now), || b"told".to_vec());
        answered.map_err(|problem| problem.code)
    };
    let answered = answer(&asked(&one, "/path"), 2000).expect("a node asks");
    let code = one.code("ask", &[b"/path", question]);
    assert!(one.is_from_node(answered.headers(), "told", &[&code, b"told"]));
    assert_eq!(answer(&asked(&one, "/path"), 2000 + Timestamp::MINUTE).err(), Some("old-question"));
    for headers in [asked(&one, "/other"), asked(&other, "/path"), HeaderMap::new()] {
        assert_eq!(answer(&headers, 2000).err(), Some("not-a-node"));
    }
}

/// Starts a node that answers one request with a progress report every 100 ms, until the connection is closed.
fn node_that_counts(count: impl Fn(u64) -> u64 + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("it is asked");
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        for sign in 0.. {
            let frame = [&b"9\r\n"[..], &[UNDER_WAY], &count(sign).to_le_bytes(), b"\r\n"].concat();
            if stream.write_all(&frame).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    address
}

#[test]
fn a_node_that_makes_no_progress_is_given_up() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let ask = |address: String, n_signs_max: u64| {
        let node = NodeStatus {
            epoch: 2,
            name: "b".into(),
            address,
            roles: "query".into(),
            zone: String::new(),
            joined_s: 1.0,
            silent_s: 0.0,
            leases: Vec::new(),
            is_draining: false,
            is_drained: false,
            changes_behind: 0,
            reads_series: true,
        };
        let link = Arc::new(link("one"));
        let peers = QueryPeers { link, nodes: vec![node], runtime: runtime.handle().clone(), bytes_max: 1 << 20 };
        let n_signs = AtomicU64::new(0);
        let is_over = || n_signs.load(Relaxed) >= n_signs_max;
        let count = |_| {
            n_signs.fetch_add(1, Relaxed);
        };
        peers.ask(0, b"{}", &is_over, &count).expect_err("it never answers")
    };
    let problem = ask(node_that_counts(|_| 7), u64::MAX);
    assert!(problem.contains("has made no progress"), "{problem}");
    // A node that makes progress is not.
    let problem = ask(node_that_counts(|sign| sign + 1), 30);
    assert!(problem.contains("the query has ended"), "{problem}");
}

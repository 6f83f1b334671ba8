//! HTTP/2 on real connections: that everything works as over HTTP/1, and OTLP over gRPC.

use std::net::SocketAddr;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;
use types::Limits;

use super::connections::open;
use super::{ADMIN_KEY, House};

const EXPORT: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

async fn connect(house: &House) -> (SendRequest<Body>, SocketAddr) {
    let address = open(house).await;
    let stream = TcpStream::connect(address).await.expect("the door is open");
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2 is spoken");
    tokio::spawn(connection);
    (sender, address)
}

/// An answer over HTTP/2, read whole.
struct Whole {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: HeaderMap,
}

impl Whole {
    async fn of(response: Response<Incoming>) -> Self {
        let (parts, mut incoming) = response.into_parts();
        let (mut body, mut trailers) = (Vec::new(), HeaderMap::new());
        while let Some(frame) =
            std::future::poll_fn(|context| std::pin::Pin::new(&mut incoming).poll_frame(context)).await
        {
            match frame.expect("an answer that ends well").into_data() {
                Ok(data) => body.extend_from_slice(&data),
                Err(frame) => trailers.extend(frame.into_trailers().into_iter().flatten()),
            }
        }
        Self { status: parts.status.as_u16(), headers: parts.headers, body, trailers }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the number and the text that a call ended with, in trailers or in place of them.
    fn grpc(&self) -> (&str, &str) {
        let text = |name: &str| {
            let value = self.trailers.get(name).or_else(|| self.headers.get(name));
            value.and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        (text("grpc-status"), text("grpc-message"))
    }
}

async fn send(sender: &mut SendRequest<Body>, request: Request<Body>) -> Whole {
    Whole::of(sender.send_request(request).await.expect("an answer")).await
}

/// Calls a method with a message behind its prefix.
async fn call(sender: &mut SendRequest<Body>, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Whole {
    let mut request = Request::post(format!("http://localhost{path}"));
    for (name, value) in [("content-type", "application/grpc"), ("te", "trailers")].iter().chain(headers) {
        request = request.header(*name, *value);
    }
    send(sender, request.body(Body::from(body)).expect("a request")).await
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[flag][..], &length.to_be_bytes(), message].concat()
}

/// Returns a record of the message „card refused“, without a resource.
fn one_record() -> Vec<u8> {
    let nested = |number: u8, inner: &[u8]| [&[number << 3 | 2, inner.len() as u8][..], inner].concat();
    nested(1, &nested(2, &nested(2, &nested(5, &nested(1, b"card refused")))))
}

#[tokio::test]
async fn what_works_over_http_1_works_over_http_2() {
    let house = House::new();
    let (mut sender, address) = connect(&house).await;
    let post = |uri: &str, body: String| {
        let uri = format!("http://{address}{uri}");
        Request::post(uri).header("content-type", "application/json").body(Body::from(body)).expect("a request")
    };
    let sent = send(&mut sender, post("/api/v1/ingest?group=app", r#"{"message":"over two"}"#.into())).await;
    assert_eq!((sent.status, sent.text().contains("\"accepted\":1")), (200, true), "{}", sent.text());
    let query = json!({ "query": "filter @log = 'app' | fields @message", "from": "2026-11-20T00:00:00Z" });
    let found = send(&mut sender, post("/api/v1/query", query.to_string())).await;
    assert!(found.status == 200 && found.text().contains("over two"), "{}", found.text());
    assert!(found.headers.contains_key("x-content-type-options"));
    let elastic = send(&mut sender, post("/_bulk", "{\"index\":{\"_index\":\"docs\"}}\n{\"a\":1}\n".into())).await;
    assert_eq!((elastic.status, elastic.headers.contains_key("x-elastic-product")), (200, true));
}

#[tokio::test]
async fn a_live_tail_comes_over_http_2_beside_other_requests() {
    let house = House::new();
    let (mut sender, address) = connect(&house).await;
    let tail = Request::get(format!("http://{address}/api/v1/tail?query=filter+@log='app'")).body(Body::empty());
    let mut tail = sender.send_request(tail.expect("a request")).await.expect("an answer").into_body();
    let ingest = Request::post(format!("http://{address}/api/v1/ingest?group=app&format=text"));
    let sent = send(&mut sender, ingest.body(Body::from("fresh")).expect("a request")).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let mut seen = String::new();
    while !seen.contains("fresh") {
        let frame = std::future::poll_fn(|context| std::pin::Pin::new(&mut tail).poll_frame(context)).await;
        let data = frame.expect("it goes on").expect("it goes well").into_data();
        seen.push_str(&String::from_utf8_lossy(&data.unwrap_or_default()));
    }
}

#[tokio::test]
async fn the_authority_is_the_host_that_is_checked() {
    let house = House::new();
    let (mut sender, _) = connect(&house).await;
    let ask = |authority: &str, host: Option<&str>, origin: Option<&str>| {
        let mut request = Request::post(format!("http://{authority}/api/v1/ingest"));
        for (name, value) in [("host", host), ("origin", origin)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.body(Body::from("{\"message\":\"m\"}")).expect("a request")
    };
    for (authority, host, origin, expected) in [
        ("localhost:1", None, None, 200),
        ("localhost:1", Some("localhost:1"), None, 200),
        ("localhost:1", None, Some("http://localhost:1"), 200),
        ("localhost:1", None, Some("http://elsewhere.example"), 403),
        ("elsewhere.example", None, None, 403),
        ("elsewhere.example", Some("localhost:1"), None, 400),
        ("localhost:1", Some("elsewhere.example"), None, 400),
    ] {
        let answer = send(&mut sender, ask(authority, host, origin)).await;
        assert_eq!(answer.status, expected, "{authority} {host:?} {origin:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_exported_record_is_stored_before_the_call_ends_well() {
    let house = House::new();
    let (mut sender, _) = connect(&house).await;
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &one_record()).expect("it is packed");
        encoder.finish().expect("it is packed")
    };
    for (headers, body) in [
        (&[][..], framed(0, &one_record())),
        (&[("grpc-encoding", "gzip")][..], framed(1, &gzip)),
        (&[("grpc-encoding", "gzip")][..], framed(0, &one_record())),
    ] {
        let answer = call(&mut sender, EXPORT, headers, body).await;
        assert_eq!((answer.status, answer.trailers.get("grpc-status").map(|s| s.as_bytes())), (200, Some(&b"0"[..])));
        assert_eq!(answer.body, [0; 5]);
    }
    let query = json!({ "query": "stats count(*) as n by @log, @message", "from": "2026-11-20T00:00:00Z" });
    let found = house.post("/api/v1/query", query.to_string()).await;
    assert_eq!(found.json()["rows"], json!([["otlp", "card refused", 3]]), "{}", found.text());
}

#[tokio::test]
async fn calls_that_are_refused_end_with_a_status_and_a_reason() {
    let house = House::with_limits(Limits { body_bytes_max: 1_000, ..Limits::default() });
    let (mut sender, _) = connect(&house).await;
    let packed = [("grpc-encoding", "deflate")];
    for (path, headers, body, status, reason) in [
        (EXPORT, &[][..], framed(0, b"\x0a\x05x"), "3", "cut off"),
        (EXPORT, &[], b"\0\0".to_vec(), "3", "a message begins with 5 bytes"),
        (EXPORT, &[], framed(1, b""), "3", "grpc-encoding does not say how"),
        (EXPORT, &[("grpc-encoding", "gzip")], framed(1, b"no gzip"), "3", "no valid gzip"),
        (EXPORT, &packed, framed(1, b""), "12", "plain, or as gzip or zstd"),
        (EXPORT, &[], framed(0, &[0; 1_001]), "3", "larger than"),
        (
            "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
            &[],
            framed(0, b""),
            "12",
            "there is nothing",
        ),
        ("/grpc.health.v1.Health/Check", &[], framed(0, b""), "12", "there is nothing"),
        (EXPORT, &[("x-catat-key", "wrong"), ("via", "2 proxy")], framed(0, b""), "16", ""),
    ] {
        let answer = call(&mut sender, path, headers, body).await;
        let (said, why) = answer.grpc();
        assert!(answer.status == 200 && said == status && why.contains(reason), "{path} {headers:?}: {said} {why}");
        assert_eq!((answer.body.len(), answer.headers["content-type"].as_bytes()), (0, &b"application/grpc"[..]));
    }
    let traffic = house.administer("GET", "/metrics", "").await.text();
    assert!(traffic.lines().any(|line| line.contains("LogsService/Export") && line.contains("413")), "{traffic}");
}

#[tokio::test]
async fn who_is_to_come_back_is_told_when() {
    let house = House::new();
    let (mut sender, _) = connect(&house).await;
    house.store.close().expect("it closes");
    let answer = call(&mut sender, EXPORT, &[("x-catat-key", ADMIN_KEY)], framed(0, &one_record())).await;
    assert_eq!(answer.grpc().0, "14");
    let details = answer.headers.get("grpc-status-details-bin").expect("details").as_bytes();
    let details = data_encoding::BASE64_NOPAD.decode(details).expect("they are base64");
    let retry = b"type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x05";
    assert!(details.starts_with(&[1 << 3, 14]) && details.ends_with(retry), "{details:?}");
}

#[tokio::test]
async fn another_content_type_is_answered_as_http_does() {
    let house = House::new();
    let reply = house.post(EXPORT, "{}").await;
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (415, Some("unsupported-media-type")));
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused_and_others_go_on() {
    let house = House::new();
    let (mut sender, address) = connect(&house).await;
    let request = |size: usize| {
        let uri = format!("http://{address}/-/healthy");
        Request::get(uri).header("x-long", "a".repeat(size)).body(Body::empty()).expect("a request")
    };
    assert_eq!(send(&mut sender, request(10_000)).await.status, 200);
    let refused = sender.send_request(request(200_000)).await;
    assert!(refused.map_or(true, |response| response.status() == 431));
    let (mut other, _) = connect(&house).await;
    assert_eq!(send(&mut other, request(1)).await.status, 200);
}

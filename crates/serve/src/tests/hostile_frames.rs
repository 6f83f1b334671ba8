//! HTTP/2 by hand: frames that no proper client would send, and floods of proper ones (RFC 9113). Whoever sends them is
//! cut off; everybody else is answered.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::House;
use super::connections::{answer_to, open};

// Types of frames, flags, errors.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

/// Bytes that nobody takes to the end.
const FLOOD: usize = 4 << 20;

/// Returns a frame: length (3 bytes), type, flags, stream (4 bytes), payload.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Returns a head of `GET /-/healthy`, or of a `POST` that brings events, in HPACK (RFC 7541) without compression.
fn head(is_post: bool) -> Vec<u8> {
    let (method, path) = if is_post { (0x83, "/api/v1/ingest") } else { (0x82, "/-/healthy") };
    let text = |index: u8, text: &str| [&[index, text.len() as u8], text.as_bytes()].concat();
    [&[method, 0x86][..], &text(4, path), &text(1, "localhost")].concat()
}

/// Returns the number of the n-th stream of a client.
fn stream_of(n: u32) -> u32 {
    2 * n + 1
}

struct Frame {
    kind: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    /// Returns the number at this place of the payload.
    fn number(&self, at: usize) -> u32 {
        let bytes = self.payload[at..at + 4].try_into().expect("four bytes");
        u32::from_be_bytes(bytes)
    }
}

async fn next_frame(reader: &mut OwnedReadHalf) -> Option<Frame> {
    let mut head = [0; 9];
    reader.read_exact(&mut head).await.ok()?;
    let [l0, l1, l2, kind, _, s0, s1, s2, s3] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, l0, l1, l2]) as usize];
    reader.read_exact(&mut payload).await.ok()?;
    Some(Frame { kind, stream: u32::from_be_bytes([s0, s1, s2, s3]), payload })
}

/// Begins to speak HTTP/2 with settings of its own.
async fn begin(address: SocketAddr) -> (OwnedReadHalf, OwnedWriteHalf) {
    let (reader, mut writer) = TcpStream::connect(address).await.expect("the door is open").into_split();
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
    writer.write_all(&preface).await.expect("it is taken");
    (reader, writer)
}

/// Reads a connection to its end; returns the error with which the other side said goodbye, if it did.
async fn goodbye(mut reader: OwnedReadHalf) -> Option<u32> {
    let mut error = None;
    while let Some(frame) = next_frame(&mut reader).await {
        if frame.kind == GOAWAY {
            error = Some(frame.number(4));
        }
    }
    error
}

/// Sends the frames of 0, 1, 2… until the other side says goodbye or has had enough of them to say it; returns with
/// which error it did.
async fn flood(address: SocketAddr, frames: impl Fn(u32) -> Vec<u8>) -> Option<u32> {
    let (reader, mut writer) = begin(address).await;
    let sent = async {
        let (mut n_bytes, mut first) = (0, 0);
        while n_bytes < FLOOD {
            let burst: Vec<u8> = (first..first + 64).flat_map(&frames).collect();
            if writer.write_all(&burst).await.is_err() {
                break;
            }
            (n_bytes, first) = (n_bytes + burst.len(), first + 64);
        }
        // What was refused is still read for a moment, so all of it can be sent before the goodbye is heard. A side
        // that did not refuse it answers the end of the stream with an end of its own, and without that error.
        let _ = writer.shutdown().await;
    };
    tokio::join!(goodbye(reader), sent).0
}

async fn assert_others_are_answered(address: SocketAddr) {
    let answer = answer_to(address, b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn who_opens_requests_and_takes_them_back_without_end_is_cut_off() {
    let house = House::new();
    let address = open(&house).await;
    let taken_back = |n: u32| {
        let stream = stream_of(n);
        let opened = frame(HEADERS, END_STREAM | END_HEADERS, stream, &head(false));
        [opened, frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())].concat()
    };
    assert_eq!(flood(address, taken_back).await, Some(ENHANCE_YOUR_CALM));
    assert_others_are_answered(address).await;
}

#[tokio::test]
async fn a_head_that_goes_on_without_end_is_cut_off() {
    let house = House::new();
    let address = open(&house).await;
    // Empty continuations, and ones that bring headers.
    let brings = [&[0x00, 1, b'x', 100][..], &[b'y'; 100]].concat();
    for more in [Vec::new(), brings] {
        let goes_on = |n: u32| match n {
            0 => frame(HEADERS, END_STREAM, 1, &head(false)),
            _ => frame(CONTINUATION, 0, 1, &more),
        };
        assert_eq!(flood(address, goes_on).await, Some(ENHANCE_YOUR_CALM));
        assert_others_are_answered(address).await;
    }
}

#[tokio::test]
async fn a_head_that_unfolds_to_millions_of_bytes_is_refused() {
    let house = House::new();
    let address = open(&house).await;
    let (mut reader, mut writer) = begin(address).await;
    // One header of 3,900 bytes goes into the table, and is named ten thousand times, by a byte each.
    let length = [127, (3_900 - 127) as u8 | 0x80, ((3_900 - 127) >> 7) as u8];
    let bomb = [&head(false)[..], &[0x40, 1, b'x'], &length, &[b'y'; 3_900], &[0xbe; 10_000]].concat();
    writer.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &bomb)).await.expect("it is taken");
    while let Some(answer) = next_frame(&mut reader).await {
        // 0x88 is the status 200.
        assert!(answer.kind != HEADERS || answer.payload.first() != Some(&0x88), "it is not refused");
        if answer.stream == 1 || answer.kind == GOAWAY {
            break;
        }
    }
    assert_others_are_answered(address).await;
}

#[tokio::test]
async fn requests_beyond_those_that_one_connection_may_have_are_refused_one_by_one() {
    let house = House::new();
    let address = open(&house).await;
    let (mut reader, mut writer) = begin(address).await;
    let settings = next_frame(&mut reader).await.expect("the other side begins, too");
    assert_eq!((settings.kind, settings.payload.len() % 6), (SETTINGS, 0));
    let value_of = |id: u8| settings.payload.chunks(6).find(|pair| pair[..2] == [0, id]).map(|pair| pair[2..].to_vec());
    let limits = [(3, 128u32), (4, 512 << 10), (6, 64 << 10)];
    for (id, expected) in limits {
        assert_eq!(value_of(id), Some(expected.to_be_bytes().to_vec()), "setting {id}");
    }
    // Bodies that never come: 128 wait for them.
    for n in 0..140 {
        let opened = frame(HEADERS, END_HEADERS, stream_of(n), &head(true));
        writer.write_all(&opened).await.expect("it is taken");
    }
    let mut refused = Vec::new();
    while refused.len() < 12 {
        let answer = next_frame(&mut reader).await.expect("the connection goes on");
        if answer.kind == RST_STREAM {
            assert_eq!(answer.number(0), REFUSED_STREAM);
            refused.push(answer.stream);
        }
    }
    assert_eq!(refused, (128..140).map(stream_of).collect::<Vec<_>>());
    assert_others_are_answered(address).await;
}

#[tokio::test]
async fn who_breaks_the_rules_is_told_so_and_cut_off() {
    let house = House::new();
    let address = open(&house).await;
    let setting = |id: u8, value: u32| [&[0, id][..], &value.to_be_bytes()].concat();
    let wrong = [
        ("settings of a stream", frame(SETTINGS, 0, 1, &[])),
        ("half a setting", frame(SETTINGS, 0, 0, &[0; 5])),
        ("a window beyond all bounds", frame(SETTINGS, 0, 0, &setting(4, u32::MAX))),
        ("frames of no size", frame(SETTINGS, 0, 0, &setting(5, 1))),
        ("a frame that is too large", frame(HEADERS, END_HEADERS, 1, &[0; 20_000])),
        ("a window that grows by nothing", frame(WINDOW_UPDATE, 0, 0, &[0; 4])),
        ("data of no stream", frame(DATA, 0, 0, b"x")),
        ("data of a stream that is not open", frame(DATA, 0, 1, b"x")),
        ("a stream of the other side", frame(HEADERS, END_STREAM | END_HEADERS, 2, &head(false))),
        ("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, &[])),
        ("a header of no index", frame(HEADERS, END_STREAM | END_HEADERS, 1, &[0x80])),
        ("no frames", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100)),
    ];
    for (what, bytes) in wrong {
        let (reader, mut writer) = begin(address).await;
        writer.write_all(&bytes).await.expect("it is taken");
        let error = goodbye(reader).await;
        assert!(error.is_some_and(|error| error != 0), "{what}: {error:?}");
        assert_others_are_answered(address).await;
    }
}

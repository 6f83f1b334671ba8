//! Bodies that unfold to far more than was sent, or never end: refused soon, by a server that holds little of them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::doors::{self, DOORS, Door, varint};
use crate::lab::Memory;
use crate::server::{Answer, PATIENCE, Server};

/// Size of a bomb as it is sent.
const BOMB_BYTES: usize = 10 << 20;

/// How much a bomb may cost, itself included.
const MEMORY_MAX: u64 = 32 << 20;

/// How soon it is refused. Without optimisation, inflating alone takes many times as long.
const REFUSED_WITHIN: Duration = if cfg!(debug_assertions) { PATIENCE } else { Duration::from_secs(2) };

/// A bomb that no sender would take long to make: how it is packed, and its bytes.
struct Bomb {
    name: &'static str,
    encoding: &'static str,
    bytes: &'static [u8],
}

impl Bomb {
    fn new(name: &'static str, encoding: &'static str, bytes: Vec<u8>) -> Bomb {
        // Sent many times by many threads, for as long as the test lasts.
        Bomb { name, encoding, bytes: Box::leak(bytes.into()) }
    }
}

/// One gzip member of zeros: a piece that ends at a byte refers to nothing before it, so that it can stand there again
/// and again. A thousandth of what it unfolds to.
fn gzip_of_one_member() -> Bomb {
    let mut piece = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    piece.write_all(&vec![0; 4 << 20]).expect("memory takes it");
    piece.flush().expect("memory takes it");
    let piece = piece.get_ref();
    let head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff";
    Bomb::new("gzip", "gzip", [head, &*piece.repeat(BOMB_BYTES / piece.len())].concat())
}

/// 80 MiB of zeros as zlib, which the header calls `deflate`.
fn zlib() -> Bomb {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(80 << 20), &mut encoder).expect("memory");
    Bomb::new("zlib", "deflate", encoder.finish().expect("memory"))
}

/// Members of gzip one behind the other.
fn gzip_of_many_members() -> Bomb {
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    member.write_all(&vec![0; 1 << 20]).expect("memory takes it");
    let member = member.finish().expect("memory takes it");
    Bomb::new("gzip of many members", "gzip", member.repeat(BOMB_BYTES / member.len()))
}

/// One frame of Zstandard whose blocks say "128 KiB of zeros" in four bytes: 10 MiB are 320 GiB.
fn zstd(name: &'static str, window_log: u8, n_bytes: usize) -> Bomb {
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0, (window_log - 10) << 3];
    // The size, and that it is one byte repeated, and not the last block.
    let [low, middle, high, _] = (128u32 << 10 << 3 | 1 << 1).to_le_bytes();
    Bomb::new(name, "zstd", [&head[..], &[low, middle, high, 0].repeat(n_bytes / 4)].concat())
}

/// A few kilobytes that unfold to gigabytes.
fn small() -> Bomb {
    zstd("zstd of 64 KiB", 17, 64 << 10)
}

/// A server that has done all of its work once.
fn warm() -> (tempfile::TempDir, Server) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    doors::prepare(&server);
    DOORS.iter().for_each(|door| door.send_good(&server, "warm"));
    (scratch, server)
}

/// Drops a bomb at a door; returns the answer and what it cost in memory.
fn drop_at(server: &Server, door: &Door, bomb: &Bomb) -> (Answer, u64) {
    let memory = Memory::of(server.pid());
    let began = Instant::now();
    let answer = door.send(server, &[("content-encoding", bomb.encoding)], bomb.bytes);
    let (elapsed, rise) = (began.elapsed(), memory.rise());
    eprintln!("{} at {}: {} after {elapsed:.1?}, {} KiB", bomb.name, door.name, answer.status, rise >> 10);
    assert!(elapsed < REFUSED_WITHIN, "{} at {}: {elapsed:?}", bomb.name, door.name);
    assert!(rise <= MEMORY_MAX, "{} at {}: {rise} bytes", bomb.name, door.name);
    (answer, rise)
}

#[test]
fn a_bomb_at_any_door_is_refused_in_the_words_of_its_protocol_and_costs_little() {
    let (_scratch, server) = warm();
    let large = zstd("zstd of 10 MiB", 17, BOMB_BYTES);
    for door in DOORS.iter().filter(|door| door.content_type != "application/x-protobuf" || door.path == "/v1/logs") {
        let (answer, _) = drop_at(&server, door, &large);
        let words = door.assert_refused(&answer, door.too_large);
        assert!(words.contains("67108864"), "the limit is named: {words}");
        let (answer, _) = drop_at(&server, door, &small());
        let words = door.assert_refused(&answer, door.too_large);
        assert!(words.contains("200 times"), "the limit is named: {words}");
        door.send_good(&server, "after a bomb");
    }
}

#[test]
fn bombs_of_every_make_are_refused() {
    let (_scratch, server) = warm();
    let door = &DOORS[0];
    for bomb in [gzip_of_one_member(), gzip_of_many_members(), zlib()] {
        let (answer, _) = drop_at(&server, door, &bomb);
        door.assert_refused(&answer, door.too_large);
    }
    // More than a decoder of ours makes room for: refused before it has made any.
    let (answer, rise) = drop_at(&server, door, &zstd("zstd with a window of 2 GiB", 31, 1 << 10));
    door.assert_refused(&answer, (400, "bad-encoding"));
    assert!(rise < 8 << 20, "{rise}");
    for lists in ["gzip, gzip", "gzip,zstd", "br", "snappy"] {
        let answer = door.send(&server, &[("content-encoding", lists)], small().bytes);
        let words = door.assert_refused(&answer, (415, "unsupported-encoding"));
        assert!(words.contains(lists.split(',').next().unwrap_or("")), "{words}");
    }
    let answer = door.send(&server, &[("content-encoding", "gzip"), ("content-encoding", "gzip")], small().bytes);
    door.assert_refused(&answer, (415, "unsupported-encoding"));
    door.send_good(&server, "after all of them");
}

#[test]
fn a_block_of_snappy_is_not_believed_what_length_it_has() {
    let (_scratch, server) = warm();
    let door = DOORS.iter().find(|door| door.name == "loki protobuf").expect("it is listed");
    // Ten bytes that are said to be 4 GiB, 65 MiB, 60 MiB.
    for (said, status) in [(u64::from(u32::MAX), 413), (65 << 20, 413), (60 << 20, 400)] {
        let memory = Memory::of(server.pid());
        let answer = door.send(&server, &[], [&*varint(said), &[0; 10]].concat());
        door.assert_refused(&answer, (status, "text"));
        assert!(memory.rise() < 8 << 20, "{said}: {}", memory.rise());
    }
    door.send_good(&server, "after a lie");
}

#[test]
fn fifty_bombs_at_once_leave_room_for_good_senders() {
    let (_scratch, server) = warm();
    let bombs = [zstd("zstd", 17, BOMB_BYTES), gzip_of_one_member()];
    let memory = Memory::of(server.pid());
    let door = &DOORS[0];
    let mut times = Vec::new();
    std::thread::scope(|scope| {
        let throwers: Vec<_> = (0..50)
            .map(|n| {
                let (bomb, server) = (&bombs[n % 2], &server);
                scope.spawn(move || {
                    let answer = door.send(server, &[("content-encoding", bomb.encoding)], bomb.bytes);
                    // Too large, or too many of them at once, which is what its sender is told.
                    assert!(matches!(answer.status, 413 | 429), "{answer:?}");
                })
            })
            .collect();
        while throwers.iter().any(|thrower| !thrower.is_finished()) || times.len() < 10 {
            let began = Instant::now();
            door.send_good(&server, "meanwhile");
            times.push(began.elapsed());
        }
    });
    times.sort();
    let (median, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    let peak = memory.peak() >> 20;
    eprintln!("{} good requests meanwhile: median {median:?}, p99 {p99:?}; {peak} MiB", times.len());
    assert!(memory.peak() < 1 << 30, "{} bytes", memory.peak());
}

/// Sends a head, and then `piece` again and again until the server has enough of it; returns its answer.
fn pour(server: &Server, head: &str, piece: &[u8]) -> String {
    let address = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the door is open");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let request = format!("POST /api/v1/ingest?format=text HTTP/1.1\r\nHost: {address}\r\n{head}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the head is taken");
    let mut pouring = stream.try_clone().expect("a socket");
    std::thread::scope(|scope| {
        scope.spawn(move || while pouring.write_all(piece).is_ok() {});
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        // The first piece of the answer is its head, and the connection may be reset behind it.
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(n_bytes) if n_bytes > 0 => answer.extend_from_slice(&buffer[..n_bytes]),
                _ => break,
            }
        }
        let _ = stream.shutdown(std::net::Shutdown::Both);
        String::from_utf8_lossy(&answer).into_owned()
    })
}

#[test]
fn a_body_without_end_is_refused_however_it_is_announced() {
    let (_scratch, server) = warm();
    let chunk = [b"10000\r\n", &*vec![b'x'; 0x10000], b"\r\n"].concat();
    for (head, piece) in [
        ("Transfer-Encoding: chunked", &*chunk),
        ("Content-Length: 1099511627776", &*chunk),
        ("Content-Length: 99999999999999999999999", &*chunk),
        ("Content-Length: 5\r\nContent-Length: 7", b"xxxxxxx"),
    ] {
        let memory = Memory::of(server.pid());
        let began = Instant::now();
        let answer = pour(&server, head, piece);
        eprintln!("{head:?}: {:.40?} after {:.1?}, {} KiB", answer, began.elapsed(), memory.rise() >> 10);
        assert!(answer.starts_with("HTTP/1.1 4"), "{head}: {answer}");
        // A plain body is held as it is sent, up to the limit, beside the smaller buffers that it grew out of.
        assert!(memory.rise() < 160 << 20, "{head}: {}", memory.rise());
    }
    // Fewer bytes than were announced: the rest is what the next request begins with, which is none.
    let address = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the door is open");
    let head = format!("POST /api/v1/ingest?format=text HTTP/1.1\r\nHost: {address}\r\nContent-Length: 4\r\n\r\n");
    stream.write_all(format!("{head}one\nand more than that\r\n\r\n").as_bytes()).expect("it is taken");
    let mut answers = String::new();
    let _ = stream.read_to_string(&mut answers);
    assert!(answers.starts_with("HTTP/1.1 200") && answers.contains("HTTP/1.1 400"), "{answers}");
    assert_eq!(server.rows("filter @message like /and more/ | limit 1"), Vec::<Vec<serde_json::Value>>::new());
}

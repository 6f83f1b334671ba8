//! Datagrams in any order, twice, incomplete and invalid.

use super::*;

fn part(id: u8, number: u8, n_parts: u8, text: &[u8]) -> Vec<u8> {
    [&[0x1e, 0x0f][..], &[id; 8], &[number, n_parts], text].concat()
}

fn from() -> IpAddr {
    "10.0.0.9".parse().expect("an address")
}

#[test]
fn parts_in_any_order_are_one_message() {
    let (mut chunks, now) = (GelfChunks::default(), Instant::now());
    let mut add = |datagram: &[u8]| chunks.add(from(), datagram, now);
    assert_eq!(add(b"{whole}").as_deref(), Some(&b"{whole}"[..]));
    assert_eq!(add(&part(1, 2, 3, b"c")), None);
    assert_eq!(add(&part(2, 0, 2, b"x")), None);
    assert_eq!(add(&part(1, 0, 3, b"a")), None);
    assert_eq!(add(&part(1, 0, 3, b"again")), None);
    assert_eq!(add(&part(1, 1, 3, b"b")).as_deref(), Some(&b"abc"[..]));
    assert_eq!(add(&part(2, 1, 2, b"y")).as_deref(), Some(&b"xy"[..]));
    assert_eq!((chunks.take_incomplete(), chunks.n_bytes, chunks.sets.len()), (0, 0, 0));
}

#[test]
fn what_stays_incomplete_is_given_up_after_five_seconds_and_counted() {
    let (mut chunks, now) = (GelfChunks::default(), Instant::now());
    assert_eq!(chunks.add(from(), &part(1, 0, 2, b"a"), now), None);
    assert_eq!(chunks.add(from(), &part(1, 1, 2, b"b"), now + AGE_MAX), None);
    assert_eq!((chunks.take_incomplete(), chunks.take_incomplete()), (1, 0));
    for datagram in [&part(3, 2, 2, b"a")[..], &part(3, 0, 129, b"a"), &part(3, 0, 0, b"a"), &part(3, 0, 2, b"")] {
        assert_eq!(chunks.add(from(), datagram, now), None);
    }
    assert_eq!(chunks.take_incomplete(), 4);
}

#[test]
fn memory_is_bounded_by_giving_up_the_oldest() {
    let (mut chunks, now) = (GelfChunks::default(), Instant::now());
    for n in 0..1_000u64 {
        let mut datagram = part(0, 0, 128, &[b'x'; 60_000]);
        datagram[2..10].copy_from_slice(&n.to_le_bytes());
        assert_eq!(chunks.add(from(), &datagram, now), None);
        assert!(chunks.n_bytes <= BYTES_MAX + 128 * PART_COST + 60_000);
    }
    assert!(chunks.take_incomplete() > 700);
}

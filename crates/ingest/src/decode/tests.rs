//! Bodies at their limits, bombs, and bytes that are no UTF-8.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn several_members_and_frames_are_one_body() {
    let members = [gzip(b"one\n"), gzip(b"two\n")].concat();
    assert_eq!(decode(&members, Encoding::Gzip, 100), Ok(b"one\ntwo\n".into()));
    let frame = |text: &[u8]| zstd::stream::encode_all(text, 1).unwrap();
    let frames = [frame(b"one\n"), frame(b"two\n")].concat();
    assert_eq!(decode(&frames, Encoding::Zstd, 100), Ok(b"one\ntwo\n".into()));
}

#[test]
fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let zeros = vec![0; 10_000];
    for (encoding, body) in [
        (Encoding::Identity, zeros.clone()),
        (Encoding::Gzip, gzip(&zeros)),
        (Encoding::Zstd, zstd::stream::encode_all(zeros.as_slice(), 1).unwrap()),
    ] {
        assert_eq!(decode(&body, encoding, 10_000), Ok(Cow::Borrowed(zeros.as_slice())));
        assert_eq!(decode(&body, encoding, 9_999), Err(IngestError::TooLarge { bytes_max: 9_999 }));
    }
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let mut bomb = gzip(&vec![0; 4 << 20]);
    for _ in 0..4 {
        bomb = [bomb.clone(), bomb].concat();
    }
    assert_eq!(decode(&bomb, Encoding::Gzip, 1 << 20), Err(IngestError::TooLarge { bytes_max: 1 << 20 }));
}

#[test]
fn what_is_within_the_limit_is_whole_however_large() {
    // Nothing that repeats, so that it is no bomb.
    let mut number = 1u64;
    let numbers = std::iter::repeat_with(|| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (number >> 56) as u8
    });
    let text: Vec<u8> = numbers.take(100_000).collect();
    for (encoding, body) in
        [(Encoding::Gzip, gzip(&text)), (Encoding::Zstd, zstd::stream::encode_all(text.as_slice(), 1).unwrap())]
    {
        let unfolded = |bytes_max| unfold(&body, encoding, bytes_max, 1_000);
        assert!(unfolded(text.len()).unwrap() == text);
        let bytes_max = text.len() - 1;
        assert_eq!(unfolded(bytes_max), Err(IngestError::TooLarge { bytes_max }));
        assert!(matches!(
            unfold(&body[..body.len() - 9], encoding, text.len(), 1_000),
            Err(IngestError::BadEncoding { .. })
        ));
    }
}

#[test]
fn who_sends_little_cannot_make_much_of_it() {
    let zeros = vec![0; 100_000];
    let mut best = GzEncoder::new(Vec::new(), Compression::best());
    best.write_all(&zeros).unwrap();
    for (encoding, body) in [
        (Encoding::Gzip, best.finish().unwrap()),
        (Encoding::Zstd, zstd::stream::encode_all(zeros.as_slice(), 1).unwrap()),
    ] {
        let unfolded = |unproven_max| unfold(&body, encoding, 1 << 20, unproven_max).map(|decoded| decoded.len());
        assert_eq!(unfolded(zeros.len() - 1), Err(IngestError::Bomb { ratio_max: RATIO_MAX }));
        assert_eq!(unfolded(zeros.len()), Ok(zeros.len()), "little is not worth a refusal");
    }
}

#[test]
fn what_is_no_utf8_is_replaced_within_the_limit() {
    assert_eq!(lossy(b"caf\xc3\xa9", 5), Ok("caf\u{e9}".into()));
    assert_eq!(lossy(b"a\xffb\xe2\x82", 8), Ok("a\u{fffd}b\u{fffd}".into()));
    assert_eq!(lossy(b"a\xffb\xe2\x82", 7), Err(IngestError::TooLarge { bytes_max: 7 }));
}

#[test]
fn damaged_and_cut_bodies_are_refused() {
    let body = gzip(b"some text that is long enough to be cut");
    for broken in [body[..body.len() - 9].to_vec(), b"no gzip".to_vec()] {
        assert!(matches!(decode(&broken, Encoding::Gzip, 100), Err(IngestError::BadEncoding { encoding: "gzip", .. })));
    }
    let body = zstd::stream::encode_all(&b"some text"[..], 1).unwrap();
    for broken in [body[..body.len() - 3].to_vec(), b"no zstd at all".to_vec()] {
        assert!(matches!(decode(&broken, Encoding::Zstd, 100), Err(IngestError::BadEncoding { encoding: "zstd", .. })));
    }
}

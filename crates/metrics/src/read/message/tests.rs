//! Requests and the forms of answers that they accept.

use super::*;

/// Returns a request for the series `up` with types of responses.
fn request(kinds: &[u8]) -> Vec<u8> {
    let (mut matcher, mut query, mut request) = (Vec::new(), Vec::new(), Vec::new());
    matcher.extend([1 << 3, 2]);
    put_bytes(2, b"__name__", &mut matcher);
    put_bytes(3, b"u.", &mut matcher);
    query.push(1 << 3);
    put_varint(1_000, &mut query);
    query.push(2 << 3);
    put_varint(2_000, &mut query);
    put_bytes(3, &matcher, &mut query);
    put_bytes(1, &query, &mut request);
    kinds.iter().for_each(|kind| request.extend([2 << 3, *kind]));
    request
}

#[test]
fn a_request_is_read_and_streamed_chunks_alone_are_refused() {
    for kinds in [&[][..], &[0], &[1, 0]] {
        let read = queries(&request(kinds)).expect("a request");
        assert_eq!((read[0].start, read[0].end, read[0].matchers.len()), (1_000, 2_000, 1));
        assert!(read[0].matchers[0].accepts("up") && !read[0].matchers[0].accepts("down"));
    }
    assert_eq!(queries(&request(&[1])).expect_err("refused").code, "unsupported");
    let whole = request(&[0]);
    for end in 0..whole.len() {
        let _ = queries(&whole[..end]);
    }
}

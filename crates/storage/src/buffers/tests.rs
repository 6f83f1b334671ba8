//! Buffers that come back.

use super::*;

#[test]
fn a_buffer_comes_back_empty_and_neither_many_nor_large_ones_are_kept() {
    let buffers = Buffers::default();
    let mut first = buffers.take(100);
    first.extend_from_slice(b"of the request before");
    let place = first.as_ptr();
    buffers.give(first);
    let again = buffers.take(50);
    assert_eq!((again.as_ptr(), again.len()), (place, 0));
    buffers.give(Vec::with_capacity(BUFFER_BYTES_MAX + 1));
    (0..2 * BUFFERS_MAX).for_each(|_| buffers.give(Vec::with_capacity(10)));
    assert_eq!(buffers.0.hold().len(), BUFFERS_MAX);
    assert!(buffers.0.hold().iter().all(|buffer| buffer.capacity() == 10));
}

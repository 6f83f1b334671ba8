//! Buffers that are used again.

use super::*;

#[test]
fn what_was_given_back_is_used_again_unless_it_is_small_or_large_or_too_many() {
    let buffers = Buffers::new(2, 1 << 20);
    let kept = Vec::with_capacity(1 << 20);
    let place = kept.as_ptr();
    buffers.give(Vec::with_capacity(100));
    buffers.give(Vec::with_capacity(3 << 20));
    buffers.give(kept);
    assert_eq!(buffers.take(100).capacity(), 0);
    let again = buffers.take(1 << 20);
    assert_eq!(again.as_ptr(), place);
    assert_eq!(buffers.take(1 << 20).capacity(), 0);
    (0..3).for_each(|_| buffers.give(Vec::with_capacity(1 << 20)));
    assert_eq!(buffers.free.borrow().len(), 2);
}

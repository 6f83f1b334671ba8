//! What cannot differ enough.

use super::*;

#[test]
fn what_is_left_unjudged_cannot_differ_enough() {
    assert!(effect(SHARE_NOTABLE, 0.0) < EFFECT_MIN);
    assert!(effect(SHARE_NOTABLE * 1.02, 0.0) > EFFECT_MIN);
}

//! Fields that a label may mean.

use super::*;

#[test]
fn a_label_may_be_a_field_with_other_signs() {
    assert_eq!(spellings("a_b"), ["a_b", "a.b", "a-b"]);
    assert!(spellings("a_b_c").contains(&"a.b-c".to_owned()));
    assert_eq!(["__a", "a_b_c", "a_b_c_d_e"].map(|name| spellings(name).len()), [3, 9, 8]);
}

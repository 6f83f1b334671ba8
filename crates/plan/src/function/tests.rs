//! Names of functions.

use super::*;

#[test]
fn names_are_found_in_any_case_and_are_unique() {
    assert_eq!(Signature::find("ISPRESENT").map(|s| s.function), Some(Function::IsPresent));
    assert_eq!(Signature::find("strlenn"), None);
    for signature in SIGNATURES {
        assert_eq!(Signature::find(signature.name), Some(signature));
    }
    assert_eq!(Function::TimeBucket.name(), "timebucket");
}

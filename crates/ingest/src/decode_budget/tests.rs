//! How far a body may grow.

use super::*;

#[test]
fn a_body_may_take_so_many_times_its_bytes() {
    let mut budget = DecodeBudget::of_body(10);
    assert_eq!(budget.hold((16 << 20) + 80), Ok(()));
    assert_eq!(budget.hold(1), Err(IngestError::TooManyFields { bytes_max: (16 << 20) + 80 }));
    assert_eq!(budget.spend((64 << 20) + 640), Ok(()));
    assert!(budget.spend(1).is_err() && budget.spend(0).is_ok());
    assert_eq!(DecodeBudget::of_body(usize::MAX).spend(usize::MAX), Ok(()));
}

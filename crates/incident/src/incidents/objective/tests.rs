//! Objectives from their texts.

use super::*;

#[test]
fn services_have_their_own_objectives_and_what_is_none_is_refused() {
    let objectives = Objectives::parse("99.5, pay = 99.95 %,a=b=50").expect("objectives");
    assert_eq!(["web", "pay", "a=b"].map(|service| objectives.percent(service)), [99.5, 99.95, 50.0]);
    assert_eq!((objectives.budget("pay", 1_000_000), objectives.budget("web", 1_000_000)), (500, 5_000));
    assert_eq!(Objectives::parse(""), Ok(Objectives::default()));
    for bad in ["100", "0", "-1", "nan", "pay=", "high", "99,9;1", "inf"] {
        assert!(Objectives::parse(bad).is_err(), "{bad}");
    }
}

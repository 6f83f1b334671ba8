//! Timeouts and escaped names.

use super::*;

#[test]
fn a_timeout_is_seconds_or_a_duration() {
    let check = |text: &str| {
        let parameters = Parameters(vec![("timeout".to_owned(), text.to_owned())]);
        timeout_of(&parameters).map_err(|problem| (problem.status.as_u16(), problem.code))
    };
    assert_eq!(check("1m"), Ok(Some(Duration::from_secs(60))));
    assert_eq!(check("0.5"), Ok(Some(Duration::from_millis(500))));
    assert_eq!([check(""), check("-5")], [Ok(None), Ok(Some(Duration::ZERO))]);
    assert_eq!(check("abc"), Err((400, "bad-parameter")));
}

#[test]
fn names_escaped_for_an_address_are_read() {
    let names = ["up", "U__a_2e_b", "U__a__b", "U__broken_zz_", "U__x_"].map(unescaped);
    assert_eq!(names, ["up", "a.b", "a_b", "U__broken_zz_", "U__x_"]);
}

//! Tests of `restarts`.

use super::*;
use pattern::mask;

#[test]
fn a_unit_is_called_by_its_name() {
    let check = |text: &str, expected: &str| assert_eq!(unit_of(text), expected);
    check("Started nginx.service - A high performance web server.", "nginx.service");
    check("Nov 20 06:00:01 web-1 systemd[1]: Starting The Apache HTTP Server...", "The Apache HTTP Server");
    assert!(start(&mask("Started Session 42 of user root.")).is_none_or(|start| start == Start::Unit));
    assert!(PASSING_UNITS.iter().any(|passing| unit_of("Started Session 42 of user root.").starts_with(passing)));
}

//! Names of parameters that a route does not take.

use super::*;

#[test]
fn parameters_that_a_route_does_not_take_are_named() {
    let check = |route: &str, pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        check(route, "/elasticsearch/x/_search", &Parameters(pairs)).map_err(|problem| problem.message)
    };
    let search = "/elasticsearch/{index}/_search";
    assert_eq!(check(search, &[("q", "a"), ("size", "1"), ("pretty", "")]), Ok(()));
    assert_eq!(check("/elasticsearch/_bulk", &[("foo", "")]), Ok(()));
    for (pairs, expected) in [
        (&[("foo", "1")][..], "request [/x/_search] contains unrecognized parameter: [foo]"),
        (&[("foo", "1"), ("bar", "")], "request [/x/_search] contains unrecognized parameters: [foo], [bar]"),
        (&[("sise", "1")], "request [/x/_search] contains unrecognized parameter: [sise] -> did you mean [size]?"),
        (&[("form", "1")], "request [/x/_search] contains unrecognized parameter: [form] -> did you mean [from]?"),
        (&[("explain", "true")], "the parameter [explain] with [true] is not supported here"),
    ] {
        assert_eq!(check(search, pairs), Err(expected.to_owned()));
    }
}

//! What a projection needs of a record.

use super::*;

fn of(names: &[&str]) -> Projection {
    Projection::of(names.iter().map(|name| Arc::from(*name)))
}

#[test]
fn a_path_is_read_from_what_it_lies_in_and_an_object_from_its_members() {
    let wanted = of(&["items.0.id", "req"]);
    let fields = ["items", "items.0", "items.0.id", "req", "req.method", "@rest"];
    assert!(fields.iter().all(|name| wanted.has_field(name)));
    assert!(!["item", "items2", "request", "items.1", "id", ""].iter().any(|name| wanted.has_field(name)));
}

#[test]
fn any_needs_everything_and_a_level_needs_the_keys_that_tell_it() {
    assert!(of(&["@any"]).has_field("x") && of(&["@any"]).has_message() && of(&["@any"]).has_level());
    let wanted = of(&["@level"]);
    assert!(
        ["Severity", "status", "path", "_TRANSPORT"].iter().all(|name| wanted.has_key(name) && !wanted.has_field(name))
    );
    assert!(!of(&["n"]).has_key("status"));
}

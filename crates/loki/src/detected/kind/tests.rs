//! The order of types, and the spelling of sizes.

use super::*;

#[test]
fn types_are_told_in_the_order_of_loki() {
    let check = |value: &str, expected: &str| assert_eq!(kind(value), expected, "{value}");
    ["5", "-7", "+1"].iter().for_each(|value| check(value, "int"));
    ["1.5", "1e21", "NaN", ".5", "99999999999999999999"].iter().for_each(|value| check(value, "float"));
    ["true", "F"].iter().for_each(|value| check(value, "boolean"));
    ["39ms", "1m30s", "1.5h", "-2s"].iter().for_each(|value| check(value, "duration"));
    ["117kb", "1.5 MiB", "900B", "3g", "1,000"].iter().for_each(|value| check(value, "bytes"));
    ["", "ann", "1x", "s", "1kbb", "tRuE", "1 s", "éb"].iter().for_each(|value| check(value, "string"));
}

#[test]
fn sizes_are_listed_in_one_spelling() {
    let check = |value: &str, expected: &str| assert_eq!(listed(value), expected, "{value}");
    check("12KiB", "12kB");
    check("117kb", "117kB");
    check("1.5MB", "1.5MB");
    check("900B", "900B");
    check("5b", "5B");
    check("3.5gb", "3.5GB");
    check("117", "117");
    check("x", "x");
}

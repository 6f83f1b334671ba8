//! Wildcards as expressions.

use super::*;

fn check(pattern: &str, samples: &[&str], expected: &str) {
    let template = Template::new(pattern, samples.iter().copied()).expect("the samples have the pattern");
    let regex = template.regex().expect("it can be written");
    assert_eq!(regex, expected, "{pattern}");
    let compiled = compiled(&regex).expect("it is an expression");
    for sample in samples {
        assert!(compiled.is_match(sample), "{sample}");
    }
}

#[test]
fn wildcards_are_as_narrow_as_their_texts() {
    check(
        "GET /a took <*> ms",
        &["GET /a took 3 ms", "GET /a  took 17 ms"],
        r"(?s)^\s*GET\s+/a\s+took\s+[0-9]+\s+ms\s*$",
    );
    check("t=<*>", &["t=3", "t=3.5"], r"(?s)^\s*t=[0-9]+(?:\.[0-9]+)?\s*$");
    check("at <*>", &["at 10.1.2.3", "at 7"], r"(?s)^\s*at\s+[0-9][0-9.:,/+-]*\s*$");
    check("user <*> in", &["user a1 in", "user b in"], r"(?s)^\s*user\s+\S*\s+in\s*$");
    check("said <*>", &["said a b"], r"(?s)^\s*said\s+.*\s*$");
}

#[test]
fn metacharacters_and_control_characters_are_themselves() {
    let pattern = "a.b*(c)[d] {e}|^$\\ \u{1b}[31m+? #<*>";
    let sample = "a.b*(c)[d] {e}|^$\\ \u{1b}[31m+? #7";
    let template = Template::new(pattern, [sample].into_iter()).expect("it matches itself");
    let regex = compiled(&template.regex().expect("it can be written")).expect("it is an expression");
    assert!(regex.is_match(sample));
    assert!(!regex.is_match(&sample.replace("a.b", "axb")));
    assert!(Template::new("x <*>", ["y 1"].into_iter()).is_none());
    assert!(Template::new(&"<*> ".repeat(50), ["y 1"].into_iter()).is_none());
}

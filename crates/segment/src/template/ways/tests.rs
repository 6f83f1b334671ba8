//! Ways to match a literal with a template.

use super::super::{Granularity, Parts, TemplateText, split};
use super::*;

fn check(message: &str, literal: &str, expected: &[&str]) {
    let mut parts = Parts::default();
    assert!(split(message, 1_795_075_626_000_000_000, Granularity::Coarse, &mut parts));
    let text = TemplateText::of(&[parts.template]);
    let template = text.template(0).expect("just added");
    let shown = |(index, demand): &(u32, Requirement)| {
        let before = if demand.anchor.is_at_start() { "^" } else { "" };
        let after = if demand.anchor.is_at_end() { "$" } else { "" };
        format!("{index}:{before}{}{after}", &literal[demand.from.into()..demand.to.into()])
    };
    let found = ways(template, literal, false).expect("few");
    let found: Vec<String> = found.iter().map(|way| way.iter().map(shown).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(found, expected, "{literal} in {message}");
}

#[test]
fn a_literal_is_taken_apart_over_texts_and_variables() {
    let line = r#"10.0.0.1 - - [19/Nov/2026:08:07:06 +0000] "GET /a HTTP/1.1" 200 17"#;
    check(line, "- - [", &[""]);
    check(line, "7 - - [1", &["0:7$ 1:^1"]);
    check(line, "10.0.3.", &["0:10.0.3."]);
    check(line, "03/Nov", &["1:03/Nov"]);
    check(line, "00] \"GET /", &["2:00$ 3:^GET /"]);
    check(line, "HTTP/1.1\" 50", &["3:HTTP/1.1$ 4:^50"]);
    // A quote may also be the one that opens a text.
    check(line, "\" 404 1", &["3:^ 404 1", "4:^404$ 5:^1"]);
    check(line, "GET /", &[]);
    check("a 1 b 2 a 3", "a 2", &["0:^2", "2:^2"]);
    check("a 1-2", "1-2", &["0:1$ 1:^2"]);
}

#[test]
fn too_many_ways_are_not_told() {
    let message: String = (0..100).map(|number| format!("{number} ")).collect();
    let mut parts = Parts::default();
    assert!(split(&message, 0, Granularity::Fine, &mut parts));
    let text = TemplateText::of(&[parts.template]);
    let template = text.template(0).expect("just added");
    assert_eq!(ways(template, "7", false), None);
    assert_eq!(ways(template, &"7".repeat(256), false), None);
    assert_eq!(ways(template, "x", false), Some(Vec::new()));
}

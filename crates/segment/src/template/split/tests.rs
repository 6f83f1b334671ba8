//! Words, times and quoted texts as variables.

use super::super::TemplateText;
use super::*;

/// 2026-11-19T08:07:06Z.
const NEAR: i64 = 1_795_075_626_000_000_000;

fn check(message: &str, grain: Granularity, expected: &str) {
    let mut parts = Parts::default();
    assert!(split(message, NEAR, grain, &mut parts));
    let shown: Vec<String> = parts.variables.iter().map(|v| format!("{:?} {}", v.kind, v.text)).collect();
    let text = TemplateText::of(&[parts.template]);
    let template = text.template(0).expect("just added");
    let pieces = template.pieces().map(|piece| match piece {
        super::super::Piece::Literal(text) => text.to_owned(),
        super::super::Piece::Variable(_) => "*".to_owned(),
    });
    assert_eq!(format!("{} | {}", pieces.collect::<String>(), shown.join(", ")), expected);
}

#[test]
fn words_with_digits_are_variables() {
    let check = |message, expected| check(message, Granularity::Fine, expected);
    check("took 12 ms", "took * ms | Integer 12");
    check("from 10.0.3.255:8080", "from *:* | Address 10.0.3.255, Integer 8080");
    check("version 1.2.3.4.5", "version *.*.*.*.* | Integer 1, Integer 2, Integer 3, Integer 4, Integer 5");
    check("user u17 id 007", "user * id * | Text u17, Text 007");
    check("trace 0a1b2c3d4e5f", "trace * | Hex 0a1b2c3d4e5f");
    check("id abcdefab-cdef-abcd-efab-cdefabcdefab!", "id *! | Uuid abcdefab-cdef-abcd-efab-cdefabcdefab");
    check("999.1.1.1", "*.*.*.* | Integer 999, Integer 1, Integer 1, Integer 1");
    check("", " | ");
}

#[test]
fn times_are_one_variable() {
    let check = |message, expected| check(message, Granularity::Fine, expected);
    check("2026-11-19 08:07:06,1 - up", "* - up | Time 2026-11-19 08:07:06,1");
    check("at Nov 19 08:07:06: down", "at *: down | Time Nov 19 08:07:06");
    check("2026-11-19T08:07:06Z", "*Z | Time 2026-11-19T08:07:06");
    check("May I", "May I | ");
    check("2026-11-19", "*-*-* | Integer 2026, Integer 11, Integer 19");
}

#[test]
fn a_coarse_split_takes_quoted_texts_as_a_whole() {
    let check = |message, expected| check(message, Granularity::Coarse, expected);
    check(r#"1 "GET /a b" 2"#, r#"* "*" * | Integer 1, Quoted GET /a b, Integer 2"#);
    check(r#""" "-" "a 1"#, r#""" "*" "a * | Quoted -, Integer 1"#);
    check(r#"a"b "c"#, r#"a"*"c | Quoted b "#);
    check("\"odd \u{e9}\"", "\"*\" | Quoted odd \u{e9}");
}

#[test]
fn a_marker_byte_keeps_a_message_raw() {
    let mut parts = Parts::default();
    assert!(!split("odd \u{12}", 0, Granularity::Fine, &mut parts));
    assert!(!split("odd \u{17}", 0, Granularity::Fine, &mut parts));
    assert!(!split("odd \"a \u{17}\"", 0, Granularity::Coarse, &mut parts));
}

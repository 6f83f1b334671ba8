//! Where a pair ends.

use super::*;

#[test]
fn a_pair_ends_where_the_next_word_begins() {
    let check = |line: &str, expected: Result<(&str, &str), &str>, end: usize| {
        let mut at = 0;
        let read = logfmt_pair(line, &mut at);
        let read = read.as_ref().map(|(key, value)| (*key, &**value)).map_err(String::as_str);
        assert_eq!((read, at), (expected, end), "{line}");
    };
    check("a=1 b=2", Ok(("a", "1")), 3);
    check("alone b=2", Ok(("alone", "")), 5);
    check(r#"a="x \"y\" \' \n" b"#, Ok(("a", "x \"y\" ' \n")), 17);
    check("a=", Ok(("a", "")), 2);
    check("=1", Err("unexpected '='"), 0);
    check("a=b=c", Err("unexpected '='"), 3);
    check("x\"y", Err("unexpected '\"'"), 1);
    check(r#"a="\q" b"#, Err("invalid quoted value"), 6);
    check(r#"a="cut"#, Err("unterminated quoted value"), 6);
    check("\u{fffd}=1", Err("invalid key"), 3);
}

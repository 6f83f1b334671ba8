//! Conditions that find the lines of a pattern.

use super::*;

#[test]
fn lines_of_a_pattern_are_found_by_its_parts_in_order() {
    let holds = |pattern: &str, line: &str| match pattern_lines(pattern, None).expect("a condition") {
        Expr::Match(_, TextPattern::Regex(regex)) => regex.is_match(line),
        other => panic!("{other:?}"),
    };
    assert!(holds("GET /cart/<*> took <*> ms", "GET /cart/17  took 3 ms"));
    assert!(!holds("GET /cart/<*> took <*> ms", "GET /cart/17 took 3 ms and failed"));
    assert!(holds("GET /cart/<*> took…", "GET /cart/17 took 3 ms and failed"));
    let of_field = pattern_lines("refused by <*>", Some("{\"message\":\"refused by db\"}"));
    assert!(matches!(of_field, Some(Expr::Match(text, _)) if matches!(*text, Expr::Call(..))));
    let report = "Traceback (most recent call last):\n  File \"a.py\", line 3, in pay\nshop.Refused: order 17\n";
    let of_report = pattern_lines("shop.Refused: order <*>", Some(report));
    assert!(matches!(of_report, Some(Expr::Match(_, TextPattern::Regex(regex))) if regex.is_match(report)));
    for (message, start) in
        [(Some("GET /a 1"), "@message like /(?s)"), (None, "coalesce(message, msg, @message) like /(?ms)")]
    {
        let condition = pattern_lines("GET /a <*>", message).expect("a condition");
        let written = plan::insights_text::events_text(&[], &[], &[condition]);
        assert_eq!(written, Some(format!(r"filter {start}^\s*GET\s+\x2fa\s+.*\s*$/")));
    }
}

fn check(pattern: &str, others: &[&str], expected: &str, is_exact: bool) {
    let others: Vec<String> = others.iter().map(|other| other.replace('*', "\u{1}")).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let own = pattern.replace(SHOWN, "\u{1}");
    let texts = Texts { own: &[&own], others: &others };
    let found = condition(pattern, &Expr::Field("@message".into()), None, &texts).expect("a condition");
    let written = plan::insights_text::text(&found.expr).expect("words for it");
    assert_eq!((written.as_str(), found.is_exact), (expected, is_exact), "{pattern}");
}

#[test]
fn the_longest_part_that_nothing_else_has_is_the_condition() {
    check("pool exhausted after <*>", &["pool ready"], "@message like \"pool exhausted after\"", true);
    let others = ["connection to * lost", "* refused by peer"];
    let expected = "@message like \"connection to\" and @message like \"refused\"";
    check("connection to <*> refused", &others, expected, true);
}

#[test]
fn where_no_part_is_rare_the_whole_is_said_and_what_is_too_wide_says_so() {
    check("up <*>", &["going up *"], r"@message like /(?s)^\s*up\s+.*\s*$/", true);
    check("<*>", &["anything"], r"@message like /(?s)^\s*.*\s*$/", false);
}

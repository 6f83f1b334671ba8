//! Words as the standard analyser has them.

use super::*;

#[test]
fn texts_are_cut_where_words_end() {
    let check = |text: &str, expected: &[&str]| assert_eq!(words_of(text), expected, "{text}");
    check("Connection REFUSED by peer.", &["connection", "refused", "by", "peer"]);
    check("10.1.2.3:8080", &["10.1.2.3", "8080"]);
    check("web-1 /api/v1/users?id=7", &["web", "1", "api", "v1", "users", "id", "7"]);
    check("snake_case can't example.com", &["snake_case", "can't", "example.com"]);
    check("a.1 1.a 1,5 1;2 a,b", &["a", "1", "1", "a", "1,5", "1;2", "a", "b"]);
    check("level:error 12:30", &["level:error", "12", "30"]);
    check("__ _a_ a..b x.", &["_a_", "a", "b", "x"]);
    check("Größe 日本語 カタカナab", &["größe", "日", "本", "語", "カタカナ", "ab"]);
    check("e\u{301}te\u{301}", &["e\u{301}te\u{301}"]);
    check("", &[]);
    check("- .. ::", &[]);
    assert_eq!(words_of(&"a".repeat(300)).iter().map(String::len).collect::<Vec<_>>(), [255, 45]);
}

#[test]
fn patterns_are_words_one_after_the_other() {
    let check = |text: &str, pattern: &str, expected: bool| {
        let words = Words::of_text(pattern).expect("words");
        assert_eq!(words.match_text(text), expected, "{text} / {pattern}");
    };
    check("Connection refused by peer", "REFUSED by", true);
    check("connection was refused", "connection refused", false);
    check("a a b", "a b", true);
    check("snake_case", "case", false);
    check("disconnected", "connected", false);
    let prefix = vec![Word::Exact("new".into()), Word::Matching(Regex::new("^yor").expect("a regex"))];
    let prefix = Words::new(prefix).expect("words");
    assert!(prefix.match_text("in New York") && !prefix.match_text("york new"));
    assert!(Words::one_of(["b".to_owned(), "a".to_owned()]).match_text("x A"));
}

//! Tests of `parse`.

use super::*;

fn check(literals: &[&str], text: &str, expected: Option<&[&str]>) {
    let literals: Vec<String> = literals.iter().map(|literal| literal.to_string()).collect();
    let mut found = Vec::new();
    let is_match = Glob::new(&literals).find(text, &mut found);
    let found: Vec<&str> = found.into_iter().flatten().collect();
    assert_eq!(is_match.then_some(&*found), expected, "{literals:?} {text}");
}

#[test]
fn stars_are_lazy_and_the_last_takes_the_rest() {
    check(&["", " [", "] ", ""], "at [INFO] user=bob", Some(&["at", "INFO", "user=bob"]));
    check(&["user=", " size=", ""], "x user=bob size=7 done", Some(&["bob", "7 done"]));
    check(&["user=", " size=", " done"], "user=bob size=7", None);
    check(&["user=", " "], "user= size=3", Some(&[""]));
    check(&["[", "]"], "no structure", None);
    check(&["", "", ""], "ab", Some(&["", "ab"]));
}

#[test]
fn logfmt_reads_quotes_and_passes_over_words() {
    let shown = |text| shape_object(Shape::Logfmt, text).map(|value| value.to_string());
    let json = r#"{"level":"info","msg":"say \"hi\"","path":"/a?b=c","empty":""}"#;
    assert_eq!(shown(r#"level=info word msg="say \"hi\"" path=/a?b=c empty="#).as_deref(), Some(json));
    assert_eq!(shown("just words"), None);
    assert_eq!(shown(r#"a="open"#).as_deref(), Some(r#"{"a":"open"}"#));
    assert_eq!(shown("=x y"), None);
}

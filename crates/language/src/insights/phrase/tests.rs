//! Plain words and commands.

use super::*;

fn check(text: &str, expected: Option<(&[&str], &str)>) {
    let found = split(text);
    let found = found.as_ref().map(|phrase| (phrase.words.clone(), phrase.rest.trim()));
    let expected = expected.map(|(words, rest)| (words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>(), rest));
    assert_eq!(found, expected, "{text}");
}

#[test]
fn plain_words_are_told_from_commands() {
    check("connection refused", Some((&["connection", "refused"], "")));
    check("\"10.1.2.3\"", Some((&["10.1.2.3"], "")));
    check("u4711 | stats count(*)", Some((&["u4711"], "| stats count(*)")));
    check("# c\n db-1 down\nlimit 3", Some((&["db-1", "down"], "# c\n          \nlimit 3")));
    check("fields a", None);
    check("limit ten", None);
    check("order by s desc", None);
    check("order 66", Some((&["order", "66"], "")));
    check("", None);
    check("| filter a = 1", None);
    check("fliter a = 1", None);
    check("\"open", None);
    check("\"\"", None);
}

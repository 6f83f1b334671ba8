//! What Go 1.26 answers to the same expressions.

use regex::Regex;

use crate::{anchored, expand, rewritten};

#[test]
fn expressions_match_what_they_match_in_go() {
    let cases = [
        ("[a&&h]0", "&0", true),
        ("[a&&h]0", "h0", true),
        (r"h[\d&&1]", "h5", true),
        ("[h~~a]0", "~0", true),
        ("[a[b]", "[", true),
        ("[a[b]]", "b]", true),
        ("[a[b]]", "b", false),
        ("[[:alpha:]x]", "q", true),
        ("[[:alpha:]x]", ":", false),
        ("[[:^alpha:]]", "1", true),
        ("[]a]", "]", true),
        ("[^]a]", "]", false),
        (r"[\]a]", "]", true),
        ("[a-]", "-", true),
        (r"[\w-z]", "-", true),
        (r"[\w-z]", "`", false),
        (r"\<h0\>", "<h0>", true),
        (r"\<h0\>", "h0", false),
        (r"\Qa.b\E.", "a.bc", true),
        (r"\Qa.b\E.", "axbc", false),
        (r"h\060", "h0", true),
        (r"[\060\061]", "1", true),
        (r"\056", "x", false),
        (r"\x{e9}\x41", "éA", true),
        (r"\d", "٣", false),
        (r"\w+", "é", false),
        (r"\W", "é", true),
        (r"[\D]", "é", true),
        (r"a\sb", "a\u{a0}b", false),
        (r"a\sb", "a\u{b}b", false),
        (r"a.*\bb", "aéb", true),
        (r"é\Bé", "éé", true),
        (r"a\Bé", "aé", false),
        (r"\b{start}", "{start}", false),
        (r"\p{Greek}", "α", true),
        (r"\p{^Greek}", "α", false),
        (r"\P{^Greek}\pL", "αa", true),
        (r"\\d", r"\d", true),
        (r"(?i)k", "\u{212a}", true),
        (r"(?i-i:k)(?)", "K", false),
        (r"a(?i)b|c", "C", true),
        ("a{,3}", "a{,3}", true),
        ("a{01}", "a{01}", true),
        ("a{1, 2}", "a{1, 2}", true),
        (r#"{"a":1}"#, r#"{"a":1}"#, true),
        ("a{2}b{1,}c{1,3}?", "aabccc", true),
        ("a.b", "a\nb", true),
        ("(?-s)a.b", "a\nb", false),
        ("(?<n>a)", "a", true),
    ];
    for (expression, text, expected) in cases {
        let rewritten = anchored(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let regex = Regex::new(&rewritten).unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert_eq!(regex.is_match(text), expected, "{expression} {text}");
    }
}

#[test]
fn what_go_refuses_is_refused_in_its_words() {
    let cases = [
        ("a(b", "missing closing ): `a(b`"),
        ("a)b", "unexpected ): `a)b`"),
        ("x[a", "missing closing ]: `[a`"),
        (r"a\", "trailing backslash at end of expression: ``"),
        (r"(a)\1", r"invalid escape sequence: `\1`"),
        (r"\Z", r"invalid escape sequence: `\Z`"),
        (r"\u0041", r"invalid escape sequence: `\u`"),
        (r"\xg1", r"invalid escape sequence: `\xg1`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
        ("a*??", "invalid nested repetition operator: `*??`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("a|{2}", "missing argument to repetition operator: `{2}`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("(?:a{40}){30}", "invalid repeat count: `{30}`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        ("[[:word:][:x:]]", "invalid character class range: `[:x:]`"),
        (r"\p{Nope}", r"invalid character class range: `\p{Nope}`"),
        ("(?x)a b", "invalid or unsupported Perl syntax: `(?x`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?P<a-b>x)", "invalid named capture: `(?P<a-b>`"),
    ];
    for (expression, expected) in cases {
        let error = rewritten(expression).map_err(|error| error.to_string());
        assert_eq!(error, Err(expected.to_owned()), "{expression}");
    }
}

#[test]
fn replacements_are_filled_in_as_in_go() {
    let regex = Regex::new("(?P<n>a)(b)?(c)").unwrap();
    let groups = regex.captures("ac").unwrap();
    let cases = [
        ("$1-$3", "a-c"),
        ("$1x${1}x", "ax"),
        ("$n${n}$nx", "aa"),
        ("$2$4", ""),
        ("$$1$", "$1$"),
        ("$01${0}", "ac"),
        ("${n-a}${}${1", "${n-a}${}${1"),
        ("$1é$-", "$-"),
        ("${ n}", "${ n}"),
    ];
    for (replacement, expected) in cases {
        let mut out = String::new();
        expand(&groups, replacement, &mut out);
        assert_eq!(out, expected, "{replacement}");
    }
}

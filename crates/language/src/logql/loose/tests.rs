//! Ends of labels, and digits of sizes.

use super::*;

#[test]
fn expressions_of_texts_forget_the_ends_of_the_label() {
    let shown = |text: LooseText| match text {
        LooseText::Any => "*".to_owned(),
        LooseText::Present => "+".to_owned(),
        LooseText::Literal { text, is_whole, folds } => {
            format!("{}{text}{}", if folds { "~" } else { "" }, if is_whole { "$" } else { "" })
        }
    };
    let check = |expression: &str, expected: &str| {
        let texts = loose_texts(expression).map(|texts| texts.into_iter().map(shown).collect::<Vec<_>>().join(" "));
        assert_eq!(texts.as_deref().unwrap_or("exact"), expected, "{expression}");
    };
    check("0.*", "0");
    check(".*api.*", "api");
    check("warn|warning", "warn warning");
    check("info|error|err", "info$ error err");
    check("err.*|warn", "err warn$");
    check("a.*|b.*", "a b");
    check("(?i)err.*", "~err");
    check("(?i)err|warn", "~err$ ~warn$");
    check("b(ob|ananas)", "bob bananas");
    check("(ann)", "ann$");
    check("a\\.c.*", "a.c");
    check(".+", "+");
    check("ann|", "ann$ *");
    check("", "*");
    check("error", "error$");
    for exact in ["err[12]", "err1|err2", "5|6", "a.c", "a.*b.*c", "x.*y", "^a", "a{2}", "((a).*", "a)", "(?s)a.*"] {
        check(exact, "exact");
    }
}

#[test]
fn sizes_keep_two_or_three_digits() {
    let check = |bytes: u64, expected: f64| assert_eq!(rounded_size(bytes), expected, "{bytes}");
    check(204_800, 205_000.0);
    check(1_024, 1_000.0);
    check(1_500_000, 1_500_000.0);
    check(10_240, 10_000.0);
    check(7, 7.0);
    check(1_550, 1_600.0);
}

//! What becomes a wildcard, and which line counts.

use super::*;

fn check(text: &str, expected: &str) {
    assert_eq!(mask(text).replace(WILDCARD, "*"), expected, "{text}");
    let other = text.replace(|char: char| char.is_ascii_digit(), "4");
    assert_eq!(mask(&other), mask(text), "{text}");
}

#[test]
fn numbers_addresses_and_times_are_one_wildcard_each() {
    check("took 12 ms", "took *");
    check("took -1.5 of 20%", "took * of *%");
    check("from 10.0.3.255:8080", "from *:*");
    check("2026-11-20 08:07:06,123 up", "* * up");
    check("2026-11-20T08:07:06.1Z up", "* up");
    check("Thu Nov  9 08:07:06 2026 up", "* up");
    check("Nov 19 08:07:06 host up", "* * host up");
    check("[19/Nov/2026:08:07:06 +0000] x", "[* *] x");
    check("blk_1608 of abcdefab-cdef-abcd-efab-cdefabcdefab!", "blk_* of *!");
    check("id abcdefabcdefabcdef", "id *");
    check("May I", "May I");
}

#[test]
fn lists_are_one_and_empty_values_are_values() {
    check("delete blk_1 blk_2 blk_3 now", "delete * now");
    check("delete 1, 2, 3", "delete *");
    check("rhost= user=x", "rhost=* user=x");
    check("from () at x, f()", "from (*) at x, f()");
}

#[test]
fn of_a_report_the_line_counts_that_says_what_failed() {
    let python = |error: &str| {
        let frames = "  File \"/app/pay.py\", line 41, in run\n    charge(card)\n";
        format!("Traceback (most recent call last):\n{frames}{error}\n")
    };
    check(&python("shop.Refused: order 1234 of ann"), "shop.Refused: order * of ann");
    check(&python("KeyError: 'garden'"), "KeyError: 'garden'");
    let node = "/app/pay.js:3\n    throw new TypeError('no card')\n    ^\n\nTypeError: no card\n    at pay (/app/pay.js:3:9)\n";
    check(node, "TypeError: no card");
    let rust = "thread 'main' (77) panicked at src/send.rs:5:9:\nqueue 3 is full\nnote: run with `RUST_BACKTRACE=1`\n";
    check(rust, "queue * is full");
    let java = "Exception in thread \"main\" java.lang.Error: no shelf 3\n\tat shop.Pay.run(Pay.java:3)\n";
    check(java, "Exception in thread \"main\" java.lang.Error: no shelf * *");
    let logged = format!("order 7 failed\n{}", python("KeyError: 'a'"));
    check(&logged, "order * failed *");
    check(&python("KeyError: 1"), "KeyError: *");
}

#[test]
fn the_first_line_counts_and_so_does_the_beginning_of_a_long_one() {
    check("failed: x\n  at a.b(C.java)\n  at d", "failed: x *");
    check("one line\n", "one line");
    let long = "word ".repeat(1000);
    assert!(mask(&long).len() < MASKED_BYTES_MAX + 8);
    assert_eq!(mask(&long), mask(&format!("{long} and more")));
    check("", "");
    check("\n\n", "");
    check("{\n 1}", "{ *}");
}

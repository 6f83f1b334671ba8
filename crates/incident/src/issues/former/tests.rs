//! Traces of several languages, and what is left of them.

use super::*;

fn check(text: &str, expected: &[&str]) {
    let shown: Vec<String> =
        exceptions(text).iter().map(|one| format!("{}: {}", one.kind, one.frames.join(" < "))).collect();
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn types_and_functions_are_left_of_a_trace_of_the_jvm() {
    let text = "2026-11-20 12:00:00,123 ERROR [main] c.e.Web - request 17 failed\n\
        java.lang.IllegalStateException: order 17 is closed\n\
        \tat com.example.pay.Checkout.charge(Checkout.java:88) ~[pay-4.13.0.jar:?]\n\
        \tat com.example.pay.Checkout.lambda$run$3(Checkout.java:12)\n\
        \tat com.example.Web$$Lambda$14/0x0000000800c03000.apply(Unknown Source)\n\
        \tat java.base/java.lang.Thread.run(Thread.java:1583)\n\
        Caused by: java.net.SocketTimeoutException: connect timed out: db-7:5432\n\
        \tat java.base/sun.nio.ch.NioSocketImpl.timedFinishConnect(NioSocketImpl.java:546)\n\
        \t... 23 more\n";
    let expected = [
        "java.lang.IllegalStateException: com.example.pay.Checkout.charge < com.example.pay.Checkout.lambda$run$* \
         < com.example.Web.apply < java.lang.Thread.run",
        "java.net.SocketTimeoutException: sun.nio.ch.NioSocketImpl.timedFinishConnect",
    ];
    check(text, &expected);
}

#[test]
fn other_languages_have_traces_too() {
    check(
        "request failed\nTraceback (most recent call last):\n  File \"/srv/pay.py\", line 12, in <module>\n    main()\n  \
         File \"/srv/pay.py\", line 9, in charge\n    raise ValueError(n)\nValueError: 17 is not a number",
        &["ValueError: pay.py:charge < pay.py:<module>"],
    );
    check(
        "TypeError: Cannot read properties of undefined (reading 'id')\n    at charge (/srv/app/pay.js:10:5)\n    \
         at async Object.run [as handler] (file:///srv/app/index.mjs:3:1)\n    at /srv/node_modules/express/router.js:280:10",
        &["TypeError: charge < Object.run [as handler] < express/router.js"],
    );
    check(
        "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 17 [running]:\n\
         main.charge(0xc000012345, 0x5)\n\t/srv/pay.go:12 +0x1d\nmain.(*Server).serve(...)\n\t/srv/web.go:40\n",
        &["panic: main.charge < main.(*Server).serve"],
    );
    check(
        "thread 'main' panicked at src/pay.rs:12:5:\nno order 17\nstack backtrace:\n   0: rust_begin_unwind\n             \
         at /rustc/9fc6/library/std/src/panicking.rs:652:5\n   1: core::panicking::panic_fmt\n   2: \
         pay::charge::h0123456789abcdef\n             at ./src/pay.rs:12:5\n   3: pay::main",
        &["panic: pay::charge < pay::main"],
    );
    check(
        "/srv/pay.rb:12:in 'charge': undefined method 'id' for nil (NoMethodError)\n\tfrom /srv/web.rb:3:in 'run'",
        &["NoMethodError: pay.rb:charge < web.rb:run"],
    );
    check(
        "PHP Fatal error:  Uncaught TypeError: bad order in /srv/pay.php:12\nStack trace:\n#0 /srv/web.php(3): \
         Pay->charge(17)\n#1 {main}\n  thrown in /srv/pay.php on line 12",
        &["TypeError: Pay->charge"],
    );
    check(
        "Unhandled exception. System.InvalidOperationException: order 17\n ---> System.TimeoutException: db\n   at \
         Pay.Db.Open(String name) in /srv/Db.cs:line 7\n   --- End of inner exception stack trace ---\n   at \
         Pay.Checkout.Charge(Int32 n) in /srv/Checkout.cs:line 12",
        &["System.TimeoutException: Pay.Db.Open < Pay.Checkout.Charge"],
    );
}

#[test]
fn texts_without_frames_have_no_trace() {
    check("connect to db-7 failed: timeout", &[]);
    check("java.lang.IllegalStateException: order 17 is closed", &[]);
    check("failed at 12:30 (twice)\nat noon the server was away", &[]);
    check("", &[]);
}

#[test]
fn only_the_first_frames_count_and_recursion_counts_once() {
    let deep: String = (0..50).map(|n| format!("\tat a.B.call{n}(B.java:{n})\n")).collect();
    let found = exceptions(&format!("a.BadError: x\n{deep}\tat a.C.run(C.java:1)\n"));
    // All calls have one name without their numbers.
    assert_eq!(found, [Throwable { kind: "a.BadError".into(), frames: vec!["a.B.call*".into(), "a.C.run".into()] }]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in "(?s).{0,400}") {
        exceptions(&text);
    }
}

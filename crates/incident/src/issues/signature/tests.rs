//! Messages, traces and crashes that are one issue, and those that are not.

use super::*;
use types::Timestamp;

fn of_traced(text: &str, trace: &str) -> Signature {
    event(text, Some(trace.into())).signature()
}

fn of(text: &str) -> Signature {
    event(text, None).signature()
}

fn event(text: &str, trace: Option<String>) -> ErrorEvent {
    let id = EventId { group_id: 1, timestamp: Timestamp(0), sequence: 1 };
    let none = || None::<String>;
    let (kind, service, host, version) = (none(), none(), none(), none());
    ErrorEvent { id, text: text.into(), trace, kind, service, host, version, trace_id: none(), pid: none() }
}

#[test]
fn messages_that_differ_in_values_are_one_and_so_are_traces_that_differ_in_messages_and_lines() {
    assert_eq!(of("order 17 failed after 3 ms"), of("order 18 failed after 12 ms"));
    assert_ne!(of("order 17 failed"), of("order 17 refused"));
    let trace = |message: &str, line: u32| format!("a.BadError: {message}\n\tat a.B.run(B.java:{line})\n");
    let key = |one: Signature| if let Signature::Trace { key, .. } = one { key } else { String::new() };
    assert_eq!(key(of(&trace("no user alice", 3))), key(of(&trace("quota exceeded for bob", 99))));
    assert_ne!(of(&trace("x", 1)), of("a.OtherError: x\n\tat a.B.run(B.java:1)\n"));
    let Signature::Trace { title, .. } = of(&trace("x", 1)) else { panic!("a trace") };
    assert_eq!(title, "a.BadError: x in a.B.run");
}

/// Two runs of one crash: other values, lines, addresses, threads.
const TWO_RUNS: [[&str; 2]; 14] = [
    [
        "Traceback (most recent call last):\n  File \"/srv/a.py\", line 9, in run\n    f()\n  [Previous line repeated 9 more times]\nGone: k-1\n",
        "Traceback (most recent call last):\n  File \"/opt/v2/a.py\", line 12, in run\n    g()\nGone: k-2\nmore\n",
    ],
    [
        "  + Exception Group Traceback (most recent call last):\n  |   File \"/a.py\", line 1, in m\n  | ExceptionGroup: two (2 sub-exceptions)\n  +-+---- 1 ----\n    | Gone: 1\n    +---- 2 ----\n    | Barred: 2\n    +----\n",
        "  + Exception Group Traceback (most recent call last):\n  |   File \"/a.py\", line 7, in m\n  | ExceptionGroup: both (2 sub-exceptions)\n  +-+---- 1 ----\n    | Barred: 9\n    +---- 2 ----\n    | Gone: 7\n    +----\n",
    ],
    [
        "Exception in thread \"w-1\" a.Gone: k\n\tat a.B.lambda$run$3(B.java:1)\n\tat a.B$$Lambda$14/0x0001.run(Unknown Source)\n\tSuppressed: a.Shut: x\n\t\tat a.C.close(C.java:1)\n",
        "Exception in thread \"w-22\" a.Gone: other\n\tat a.B.lambda$run$7(B.java:99)\n\tat a.B$$Lambda$9/0x0fff.run(Unknown Source)\n\tat java.base/java.lang.Thread.run(Thread.java:1583)\n",
    ],
    [
        "panic: k-1 [recovered, repanicked]\n\ngoroutine 1 [running]:\nmain.guard.func1()\n\t/s/m.go:3 +0x1\npanic({0x1, 0x2})\n\t/usr/lib/go/src/runtime/panic.go:859 +0x1\nmain.send(0xc01)\n\t/s/m.go:9 +0x1\n",
        "panic: k-2\n\ngoroutine 77 [running]:\nmain.send(0xc02)\n\t/s/m.go:19 +0x99\ncreated by main.run in goroutine 1\n\t/s/m.go:1 +0x1\nexit status 2",
    ],
    [
        "\nthread 'main' (7) panicked at src/send.rs:5:5:\nno letter 81\nnote: run with `RUST_BACKTRACE=1`\n",
        "\nthread 'w' (9) panicked at src/send.rs:77:1:\nno letter 4\nnote: run with `RUST_BACKTRACE=1`\n",
    ],
    [
        "thread 'main' panicked at src/a.rs:5:5:\nx 1\nstack backtrace:\n   0: core::panicking::panic_fmt\n   1: a[0123456789abcdef]::send::{closure#0}\n   2: a::main::h0123456789abcdef\n",
        "thread 'main' panicked at src/a.rs:9:5:\nx 2\nstack backtrace:\n   0:     0x55d0 - std::panicking::begin\n   1:     0x55d1 - a[fedcba9876543210]::send::{closure#1}\n   2:     0x55d2 - a::main::hfedcba9876543210\n",
    ],
    [
        "Error: letter 1\n    at send (/srv/7f3a9c21b0/a.js:1:2)\n    at Object.<anonymous> (/srv/7f3a9c21b0/a.js:3:4)\n",
        "error: Uncaught (in promise) Error: letter 2\n    at \u{1b}[1msend\u{1b}[0m (file:///srv/a.js:9:9)\n    at Object.<anonymous> (/srv/a.js:33:4)\n    at node:internal/x:1:1\n",
    ],
    [
        "PHP Fatal error:  Uncaught Gone: k 1 in /srv/a.php:6\nStack trace:\n#0 /srv/a.php(8): send()\n#1 {main}\n  thrown in /srv/a.php on line 6\n",
        "[28-Nov-2026 09:14:02 UTC] PHP Fatal error:  Uncaught Gone: k 2 in /srv/a.php:16\nStack trace:\n#0 /srv/a.php(18): send('x')\n#1 {main}\n",
    ],
    [
        "a.rb:7:in 'block (2 levels) in send': k 1 (Gone)\n\tfrom a.rb:9:in '<main>'\n",
        "a.rb:17:in 'send': k 2 (Gone)\n\tfrom a.rb:19:in '<main>'\n",
    ],
    [
        "=ERROR REPORT==== 28-Nov-2026::09:14:02.1 ===\nError in process <0.83.0> with exit value:\n{badarith,[{mail,divide,2,[{file,\"mail.erl\"},{line,8}]}]}\n",
        "=ERROR REPORT==== 29-Nov-2026::09:14:02.2 ===\nError in process <0.99.0> with exit value:\n{badarith,[{mail,divide,2,[{file,\"mail.erl\"},{line,9}]}]}\n",
    ],
    [
        "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x7b at pc 0x56\n    #0 0x5647 in pick /s/p.c:6\n    #1 0x5648 in main /s/p.c:7\n",
        "==9==ERROR: AddressSanitizer: heap-use-after-free on address 0x8c at pc 0x99\n    #0 0x9999 in pick /s/p.c:16:3\n    #1 0x9998 in main /s/p.c:17:3\n",
    ],
    [
        "Fatal error: exception Mail.Lost(81, \"k\")\nRaised at Mail.check in file \"mail.ml\", line 5, characters 29-67\n",
        "Fatal error: exception Mail.Lost(4, \"j\")\nRaised at Mail.check in file \"mail.ml\", line 9, characters 2-6\n",
    ],
    [
        "lua: a.lua:5: letter 1\nstack traceback:\n\t[C]: in function 'error'\n\ta.lua:5: in local 'check'\n",
        "lua: a.lua:9: letter 2\nstack traceback:\n\t[C]: in function 'error'\n\ta.lua:9: in upvalue 'check'\n\t[C]: in ?\n",
    ],
    [
        "Unhandled LOST in thread #<SB-THREAD:THREAD tid=1 \"main thread\">:\n  k 1\n\n0: (SB-DEBUG::HOOK 1)\n1: (CHECK 81)\n2: (SEND 81)\n",
        "Unhandled LOST in thread #<SB-THREAD:THREAD tid=2 \"main thread\">:\n  k 2\n\n0: (SB-DEBUG::HOOK 2)\n1: (INVOKE-DEBUGGER 1)\n2: (CHECK 4)\n3: (SEND 4)\n",
    ],
];

#[test]
fn two_runs_of_a_crash_are_one_and_other_crashes_others() {
    let mut seen: Vec<Signature> = Vec::new();
    let key_of = |text: &str| match of(text) {
        Signature::Trace { key, .. } => Signature::Text(key),
        text => panic!("no trace: {text:?}"),
    };
    for [first, second] in TWO_RUNS {
        let key = key_of(first);
        assert_eq!(key, key_of(second), "{second}");
        assert!(!seen.contains(&key), "{first}");
        seen.push(key);
        for (name, other) in [
            ("send", "sent"),
            ("check", "checks"),
            ("Gone", "Went"),
            ("src/send.rs", "src/b.rs"),
            ("pick", "peck"),
            ("divide", "multiply"),
        ] {
            let changed = first.replace(name, other);
            assert!(changed == first || key_of(&changed) != seen[seen.len() - 1], "{changed}");
        }
    }
}

#[test]
fn the_message_tells_panics_apart_that_have_no_type() {
    let panic =
        |message: &str| of(&format!("panic: {message}\n\ngoroutine 1 [running]:\nmain.send(0x1)\n\t/s/m.go:9 +0x1\n"));
    assert_ne!(panic("runtime error: integer divide by zero"), panic("assignment to entry in nil map"));
    let thrown = |what: &str| {
        of(&format!("terminate called after throwing an instance of 'std::out_of_range'\n  what():  {what}\n"))
    };
    assert_ne!(thrown("vector::at"), thrown("map::at"));
    let key = |one: Signature| if let Signature::Trace { key, .. } = one { key } else { String::new() };
    assert_eq!(key(panic("no \"alice\" in 7")), key(panic("no \"bob\" in 8")));
    assert_eq!(
        key(thrown("open alice: No such file or directory")),
        key(thrown("open bob: No such file or directory"))
    );
    assert_eq!(key(panic("open /srv/a/x.txt: no 'alice'")), key(panic("open /srv/b.txt: no 'bob'")));
}

#[test]
fn the_message_tells_errors_apart_whose_type_says_nothing_but_not_its_last_word() {
    let thrown = |kind: &str, message: &str| match of(&format!("{kind}: {message}\n    at send (/srv/a.js:9:1)\n")) {
        Signature::Trace { key, base, .. } => (key, base),
        text => panic!("no trace: {text:?}"),
    };
    for kind in ["Error", "a.b.Exception", "RuntimeError", "AssertionError"] {
        let (key, base) = thrown(kind, "no letter for alice");
        assert_eq!((&key, &base), (&thrown(kind, "no letter for bob").0, &thrown(kind, "box is full").1), "{kind}");
        assert_ne!(key, thrown(kind, "box is full").0, "{kind}");
    }
    assert_eq!(thrown("LetterError", "no letter for alice"), thrown("LetterError", "box is full"));
    // What ends in a colon is no name.
    assert_ne!(thrown("Error", "the two are equal:").0, thrown("Error", "the two are unequal:").0);
}

#[test]
fn reports_that_begin_with_words_of_every_death_are_told_apart() {
    let key = |text: &str| if let Signature::Trace { key, .. } = of(text) { key } else { text.to_owned() };
    for [one, other, again] in [
        [
            "SIGABRT: abort\nPC=0x4 m=0\n\ngoroutine 1 [running]:\nmain.main()\n\t/s/m.go:8 +0x4\n",
            "SIGQUIT: quit\nPC=0x4 m=0\n\ngoroutine 1 [running]:\nmain.main()\n\t/s/m.go:8 +0x4\n",
            "SIGABRT: abort\nPC=0x9 m=7\n\ngoroutine 1 [running]:\nmain.main()\n\t/s/m.go:9 +0x4\n",
        ],
        [
            "<--- Last few GCs --->\n\n[7:0x1] 3 ms: Mark-Compact\n\nFATAL ERROR: Reached heap limit Allocation failed\n",
            "<--- Last few GCs --->\n\n[7:0x1] 3 ms: Mark-Compact\n\nFATAL ERROR: invalid array length Allocation failed\n",
            "<--- Last few GCs --->\n\n[9:0x2] 4 ms: Scavenge\n\nFATAL ERROR: Reached heap limit Allocation failed\n",
        ],
        [
            "a.rb: --> a.rb\nUnmatched `['\na.rb:3: syntax error, unexpected `return' (SyntaxError)\n",
            "a.rb: --> a.rb\nUnmatched `['\na.rb:3: syntax error, unexpected end-of-input (SyntaxError)\n",
            "a.rb: --> a.rb\nUnmatched `('\na.rb:9: syntax error, unexpected `return' (SyntaxError)\n",
        ],
        [
            "ERROR: Prolog initialisation failed:\nERROR: file `a.pl' does not exist\n",
            "ERROR: Prolog initialisation failed:\nERROR: Unknown message: lost(1)\n",
            "ERROR: Prolog initialisation failed:\nERROR: file `a.pl' does not exist\n",
        ],
        [
            "# shop\n./main.go:3:15: undefined: send\n",
            "# shop\n./main.go:3:15: missing return\n",
            "# shop\n./main.go:9:1: undefined: send\n",
        ],
        [
            "Backtrace:\n           1 (primitive-load \"/a.scm\")\nIn ice-9/eval.scm:\n    159:9  0 (_ 1)\n\nice-9/eval.scm:159:9: Wrong number of arguments to f\n",
            "Backtrace:\n           1 (primitive-load \"/a.scm\")\nIn ice-9/eval.scm:\n    159:9  0 (_ 1)\n\nice-9/eval.scm:159:9: In procedure /: Numerical overflow\n",
            "Backtrace:\n           1 (primitive-load \"/b.scm\")\nIn ice-9/eval.scm:\n   336:13  0 (_ 2)\n\nice-9/eval.scm:336:13: Wrong number of arguments to g\n",
        ],
    ] {
        assert_ne!(key(one), key(other), "{other}");
        assert_eq!(key(one), key(again), "{again}");
    }
}

#[test]
fn what_a_trace_says_counts_where_no_function_is_named() {
    let raised = |what: &str| of(&format!("object.Exception@pump.d(7): {what}\n----------------\npump.d:7 [0x7]\n"));
    let key = |one: Signature| if let Signature::Trace { key, .. } = one { key } else { String::new() };
    assert_eq!(key(raised("valve 7")), key(raised("valve 8")));
    assert_ne!(key(raised("valve 7")), key(raised("tank 7")));
    let unread = |trace: &str| {
        let Signature::Text(text) = of_traced("the worker died", trace) else { panic!("{trace}") };
        text
    };
    assert_eq!(unread("valve 7 at pump.pl line 7."), unread("valve 8 at pump.pl line 9."));
    assert_ne!(unread("valve 7 at pump.pl line 7."), unread("tank 7 at pump.pl line 7."));
}

#[test]
fn texts_have_the_patterns_that_they_match_from_end_to_end() {
    let holds = |text: &str, pattern: &str| has_pattern(&masked(text), pattern);
    assert!(holds("user carol not found", "user <*> not found"));
    assert!(holds("user carol of 7 not found", "user <*> of <*> not found"));
    assert!(!holds("user carol of 7 not found", "user <*> not found"));
    assert!(!holds("user carol not found twice", "user <*> not found"));
    assert!(!holds("user carol", "user <*>"));
    assert!(!holds("not found", "not found <*> not found"));
}

#[test]
fn titles_do_not_begin_with_the_time_of_a_line() {
    for (pattern, title) in [
        ("[<*> <*> <*>] [error] no child", "[error] no child"),
        ("<*> <*> LabSZ sshd[<*>]: error: gone", "LabSZ sshd[<*>]: error: gone"),
        ("<*> <*>", "<*> <*>"),
        ("<*> was lost", "<*> was lost"),
        ("no letter", "no letter"),
        ("", ""),
    ] {
        assert_eq!(without_time(pattern), title);
    }
}

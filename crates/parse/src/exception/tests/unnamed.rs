//! Reports whose first line names no exception, or names it in a place of its own.

use super::*;

#[test]
fn what_stands_before_the_frames_is_the_message() {
    check(
        "valve 7\n    while executing\n\"error x\"\n    (procedure \"open\" line 2)\n    (file \"a.tcl\" line 9)\n",
        &["error: valve 7 | open < a.tcl:9"],
    );
    check(
        "pump: valve 7\nis shut\nCallStack (from HasCallStack):\n  error, called at A.hs:7:1 in main:A\nHasCallStack backtrace:\n  collectBacktraces, called at libraries/a.hs:1:1 in ghc-internal:GHC\n",
        &["error: valve 7/is shut | A@A.hs:7"],
    );
    check(
        "open: valve 7\n  context...:\n   /srv/a.rkt:7:0: open\n   body of \"/srv/a.rkt\"\n",
        &["error: open: valve 7 | open@/srv/a.rkt:7 < /srv/a.rkt"],
    );
    check(
        "lua5.4: a.lua:7: valve 7\nstack traceback:\n\ta.lua:7: in local 'open'\n",
        &["error: valve 7 | open@a.lua:7"],
    );
}

#[test]
fn what_stands_at_another_place_is_found() {
    check(
        "/srv/a.js:7\nthrow 7;\n^\nvalve 7\n(Use `node --trace-uncaught ...` to show)\n\nNode.js v26.1.0\n",
        &["Error: valve 7 | /srv/a.js:7", "nodejs 26.1.0"],
    );
    check(
        "PHP Fatal error:  Uncaught Dry: valve 7\nis shut in /srv/a.php:7\nStack trace:\n#0 /srv/a.php(9): open()\n#1 {main}\n",
        &["Dry: valve 7/is shut | open@/srv/a.php:7 < {main}@/srv/a.php:9"],
    );
    check(
        "Fatal error: Uncaught Dry: valve 7 in /srv/a.php:7\nStack trace:\n#0 {main}\n",
        &["Dry: valve 7 | {main}@/srv/a.php:7"],
    );
    check("a.rb:7:in 'sleep': Interrupt\n\tfrom a.rb:9:in 'open'\n", &["Interrupt:  | sleep@a.rb:7 < open@a.rb:9"]);
    check(
        "terminate called after throwing an instance of 'Dry'\n  what():  valve 7\nrun.sh: line 1:    42 Aborted   ./pump\n",
        &["Dry: valve 7 | "],
    );
    check(
        "raised SHOP.DRY : valve 7\nLoad address: 0x55d0\nCall stack traceback locations:\n0x55d1 0x55d2\n",
        &["SHOP.DRY: valve 7 | "],
    );
    check(
        "Unhandled DRY in thread #<SB-THREAD:THREAD tid=7 \"main thread\" RUNNING\n                                    {1200C48003}>:\n  valve 7\n\n0: (OPEN 7)\n",
        &["DRY: valve 7 | OPEN", "thread main thread"],
    );
    check(
        "\nthread 'w' (8) panicked at src/a.rs:7:5:\nvalve 7\n\nthread 'main' (7) panicked at src/b.rs:9:5:\nlost w\n",
        &["panic: lost w | src/b.rs:9", "panic: valve 7 | src/a.rs:7", "thread main"],
    );
}

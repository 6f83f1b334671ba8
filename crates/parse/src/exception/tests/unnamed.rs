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

#[test]
fn perl_says_what_was_read_last_and_the_thread() {
    check(
        "valve 7 at a.pl line 7, <STDIN> line 3.\n\tmain::open(7) called at a.pl line 9 thread 2\n\tmain::run() called at a.pl line 12\n",
        &[": valve 7 | main::open@a.pl:7 < main::run@a.pl:9"],
    );
    check("xonsh: For full traceback set: $XONSH_SHOW_TRACEBACK = True\nDry: valve 7\n", &["Dry: valve 7 | "]);
}

#[test]
fn the_kernel_says_what_failed_and_where_the_processor_was() {
    let program = |text: &str| read(text).and_then(|trace| trace.program);
    let text = "Nov 20 06:47:13 h kernel: [12345.678901] BUG: kernel NULL pointer dereference, address: 0\n#PF: read access\nOops: 0000 [#1] SMP\n\
                CPU: 3 PID: 77 Comm: pump Tainted: G\nRIP: 0010:open_valve+0x1a/0x40 [tank]\nCode: 48\nCall Trace:\n <TASK>\n ? die+0x1/0x2\n vfs_read+0x9d/0x190\n\
                RIP: 0033:0x7f2b\n </TASK>\n";
    check(text, &["kernel BUG: kernel NULL pointer dereference, address: 0 | open_valve"]);
    assert_eq!(program(text), Some(("pump".to_owned(), 77)));
    check(
        "------------[ cut here ]------------\nWARNING: CPU: 1 PID: 77 at net/a.c:7 open_valve+0x7/0x8\nModules linked in: tank\n",
        &["kernel WARNING:  | open_valve@net/a.c:7"],
    );
    check("------------[ cut here ]------------\nkernel BUG at fs/a.c:7!\n", &["kernel BUG:  | fs/a.c:7"]);
    let hung = "[12345.678901] INFO: task pump w:77 blocked for more than 120 seconds.\n      Not tainted\ntask:pump\n";
    check(hung, &["hung task: pump w | "]);
    assert_eq!(program(hung), Some(("pump w".to_owned(), 77)));
}

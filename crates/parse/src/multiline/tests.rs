//! Which lines are one event.

use proptest::prelude::*;

use super::*;

/// Each string is an event; its lines come one after the other.
fn check(expected: &[&str]) {
    let text = expected.join("\n");
    let found: Vec<&str> = events(text.as_bytes(), 1 << 20).map(|range| &text[range]).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_report_is_no_part_of_an_entry_that_tells_no_trouble() {
    let entries = ["2026-11-20 06:47:13 INFO on\n2026-11-20 06:47:14 INFO on", "2026-11-20 06:47:15 INFO on"];
    for report in [
        "  + Exception Group Traceback (most recent call last):\n  |   File \"a.py\", line 7\n  | E: two\n  +-+--- 1 ---\n    | Dry: 7\n    +---",
        "  File \"a.py\", line 7\n    open(\n        ^\nSyntaxError: '(' was never closed",
        "7 | open(valve);\n         ^\nerror: valve 7\nis shut\n\n      at open (/srv/a.ts:7:1)\n\nBun v1.4.5 (Linux x64)",
        "error\u{1b}[0m: Uncaught Error: valve 7\nopen(valve);\n    ^\n    at open (file:///srv/a.ts:7:1)",
        "valve 7 at pump.pl line 7.\n\tmain::open(7) called at pump.pl line 9",
        "panic: shut since 06:47:12\n\ngoroutine 1 [running]:\nmain.open(0x7)\n\t/srv/a.go:7 +0x1d",
        "terminate called after throwing an instance of 'Dry'\n  what():  valve 7\nis shut\n\nand dry",
        "a.rb:7:in 'open': valve 7 (Dry)\n\nopen(valve)\n     ^^^^^\nDid you mean?  shut\n\tfrom a.rb:9:in '<main>'",
        "Exception in thread \"main\" shop.Dry: valve 7\nis shut\n\n\tat shop.Pump.open(Pump.java:7)",
        "lua5.4: a.lua:7: valve 7\nis shut\nstack traceback:\n\t[C]: in function 'error'\n[C]: in ?",
    ] {
        let expected: Vec<&str> = entries[0].split('\n').chain([report, entries[1]]).collect();
        check(&expected);
    }
}

#[test]
fn a_text_that_a_report_follows_is_told_from_the_entry_before() {
    for report in [
        "valve 7\n    while executing\n\"error valve\"\n    (procedure \"open\" line 7)",
        "valve 7\nis shut\n\nand dry\n    while executing\n\"error valve\"",
        "car: contract violation\n  expected: pair?\n  given: 7\n  context...:\n   body of \"/srv/a.rkt\"",
        "pump: valve 7\nCallStack (from HasCallStack):\n  error, called at A.hs:7:12 in main:Main",
        "SyntaxError: Export named 'valve' not found.\n\nBun v1.4.5 (Linux x64)",
    ] {
        for head in ["", "2026-11-20T06:47:15.5Z stderr F "] {
            let (before, after) = ("2026-11-20 06:47:13 INFO on", "2026-11-20 06:47:15 INFO on");
            let all = format!("{before}\n{before}\n{report}\n{after}");
            let all: Vec<String> = all.split('\n').map(|line| format!("{head}{line}")).collect();
            let n_report = report.split('\n').count();
            let expected =
                [&all[..1], &all[1..2], &all[2..2 + n_report], &all[2 + n_report..]].map(|lines| lines.join("\n"));
            check(&expected.each_ref().map(String::as_str));
        }
    }
    check(&["2026-11-20 06:47:13 INFO on", "2026-11-20 06:47:14 ERROR lost\nvalve 7\n    while executing\n\"open\""]);
    check(&["2026-11-20 06:47:13 INFO on", "2026-11-20 06:47:14 INFO on\nvalve 7\nvalve 8"]);
}

#[test]
fn lines_of_source_belong_to_the_places_that_they_show() {
    check(&[
        "thread 7 panic: valve 7\n/srv/a.zig:3:7: 0x1d in open (a.zig)\nfn open() void { @panic(v); }\n                 ^\n/srv/a.zig:9:7: 0x1d in main (a.zig)\npub fn main() void { open(); }",
        "pump is off",
    ]);
    check(&["a.zig:3:7: error: no valve\npub fn main() void { open(); }\n                     ^~~~", "pump is off"]);
}

#[test]
fn what_a_program_has_logged_and_dies_of_is_one_event() {
    check(&["2026/11/20 06:47:13 cannot open valve\npanic: cannot open valve\n\ngoroutine 1 [running]:\nmain.main()"]);
    check(&["2026/11/20 06:47:13 cannot open", "panic: cannot open valve\n\ngoroutine 1 [running]:\nmain.main()"]);
}

#[test]
fn a_program_that_dies_again_reports_again() {
    let reports = [
        "Traceback (most recent call last):\n  File \"a.py\", line 7, in open\nDry: valve 7",
        "panic: valve 7\n\ngoroutine 1 [running]:\nmain.open(0x7)\n\t/srv/a.go:7 +0x1d",
        "Exception in thread \"main\" shop.Dry: valve 7\n\tat shop.Pump.open(Pump.java:7)",
        "7 | open(valve);\n         ^\nerror: valve 7\n      at open (/srv/a.ts:7:1)\nBun v1.4.5 (Linux x64)",
        "/srv/a.js:7\n  throw e;\n  ^\n\nDry: valve 7\n    at open (/srv/a.js:7:1)\n\nNode.js v26.1.0",
        "terminate called after throwing an instance of 'Dry'\n  what():  valve 7",
    ];
    reports.into_iter().for_each(|report| check(&[report, report]));
}

#[test]
fn an_empty_line_before_a_report_is_part_of_it() {
    let line = |text: &str| format!("2026-11-20T06:47:13.5Z stderr F {text}");
    let of = |texts: &[&str]| texts.iter().map(|text| line(text)).collect::<Vec<String>>().join("\n");
    check(&[
        &of(&["", "thread 'main' (7) panicked at src/a.rs:7:5:", "valve 7"]),
        &of(&["2026-11-20 06:47:13 INFO on"]),
    ]);
    check(&[&of(&[""]), &of(&["ready"])]);
}

#[test]
fn a_stack_trace_belongs_to_the_line_that_logged_it() {
    check(&["ERROR one", "ERROR two\njava.lang.Error: x\n\tat A.b(A.java:1)\nCaused by: y\n\t... 3 more", "two"]);
    check(&[
        "2026-11-20 06:47:13 WARN slow\nTraceback (most recent call last):\n  File \"a.py\"\n    f()\nValueError: x",
        "ERROR: 2",
    ]);
    check(&[
        "2026-11-20 06:47:13 SEVERE [main] lost\nMailLost: 81\n\tat M.send(M.java:1)",
        "2026-11-20 06:47:14 INFO on",
    ]);
    check(&[
        "E, [2026-11-20T06:47:13.1 #86] ERROR -- m: lost (KeyError)\na.rb:7:in `f'\na.rb:9:in `<main>'",
        "W, [2026-11-20T06:47:14.1 #86]  WARN -- m: on",
    ]);
    check(&[
        "[2026-11-20 06:47:13] shop.ERROR: lost {\"exception\":\"[object] (E)\n[stacktrace]\n#0 /a.php(4): f()\n#1 {main}\n\"} ",
        "[2026-11-20 06:47:14] shop.INFO: on",
    ]);
    check(&[
        "2026-11-20 06:47:13 | ERROR | a - lost\nTraceback (most recent call last):\n\n> File \"a.py\", line 2\n    f()\n\nKeyError: 'k'",
        "2026-11-20 06:47:14 | INFO | a - on",
    ]);
    check(&[
        "2026-11-20 06:47:13 [error] lost\n╭──── Traceback ────╮\n│ a.py:3 in f       │\n╰───────────────────╯\nKeyError: 'k'",
        "2026-11-20 06:47:14 [info] on",
    ]);
    check(&[
        "2026-11-20T06:47:13Z ERROR lost\nException in thread pump:\nTraceback (most recent call last):\n  File \"a.py\"\nKeyError: 1",
        "2026-11-20T06:47:14Z INFO on",
    ]);
    check(&[
        "Exception in thread pump:\nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\nKeyError: 1",
        "pump is off",
    ]);
    check(&[
        "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\npump.Dry: 7 valves\nvalve\n  is shut [kind=valve]\nseen by ann",
        "WARNING: off",
    ]);
    check(&[
        "pump 2.4.0",
        "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\nKeyError: 1",
        "pump 2.4.0",
    ]);
}

#[test]
fn a_stack_trace_belongs_to_a_line_with_a_thread_and_a_level() {
    let trace = "java.lang.IllegalStateException: dry\n\tat J.main(J.java:2)";
    check(&["[main] INFO shop - on", &format!("[main] ERROR shop - pay\n{trace}"), "[main] WARN shop - slow"]);
    check(&["0    [main] INFO  shop - on", &format!("12   [main] ERROR shop - pay\n{trace}")]);
    check(&["[main] on", trace]);
    check(&["[web] PANIC: dry\ngoroutine 24 [running]:\nmain.main()\n\t/srv/main.go:3 +0x5e"]);
    check(&[
        "2026/11/20 06:47:13 [web-1/1] \"GET / HTTP/1.1\" from 192.0.2.1:4 - 200 2B",
        " panic: dry\n -> main.main",
    ]);
}

#[test]
fn the_dying_words_of_less_known_runtimes_are_one_event() {
    check(&[
        "----- Native stack trace -----\n\n 1: 0xd3a3c0  [node]\n\n----- JavaScript stack trace -----\n\n1: f (a.js:1:1)\n2: node:internal/main:28:49",
        "pump is off",
    ]);
    check(&[
        ";valve 7\n;To continue, call RESTART with an option number:\n; (RESTART 1) => Return to read-eval-print level 1.\n\n2 error> ",
        "pump is off",
    ]);
    check(&["trace (most recent call last):\n\t[1] a.rb:5\na.rb:3:in f: valve (Dry)", "pump is off"]);
    check(&[
        "*** Aborted at 1795916914 (unix time) ***\nPC: @                0x0 (unknown)\n*** SIGSEGV (@0x0) received by PID 7 from PID 0; stack trace: ***\n    @     0x55b0c03492d5 f()",
        "pump is off",
    ]);
    check(&[
        "==7== Memcheck, a memory error detector",
        "==7== Invalid read of size 4\n==7==    at 0x1: f (a.c:3)\n==7==  Address 0x2 is 4 bytes inside a block",
        "==7== ",
        "==7== Invalid free() / delete\n==7==    at 0x1: g (a.c:4)",
    ]);
    check(&[
        "Stack trace (most recent call last):\n#1    Object \"./a\", at 0x55, in f\nSegmentation fault (Address not mapped to object [(nil)])",
        "pump is off",
    ]);
    check(&[
        "File \"a.py\", line 6, in <module>\n    5    x\n--> 6    f(417)\n\nFile \"a.py\", line 5, in f\n--> 5        return d[n]\n\nKeyError: 417",
        "ERROR: off",
    ]);
    for report in [
        "a.jim:1: Error: valve 7\nin procedure 'main' called at file \"a.jim\", line 3\nat file \"a.jim\", line 1",
        "RUNTIME ERROR: valve 7\n\ta.jsonnet:1:19-40\tfunction <open>\n\tDuring manifestation",
        "Unhandled exception dry (7)\na.5c:2:     raise dry (n);\n    open (7)\na.5c:3:     open (7);",
        "assertion-violation: index out of range [vector-ref]\n                     (vector-ref '#(1 2) 7)",
        "valve 7\n/srv/a.sl:1:open:Run-Time Error\n/srv/a.sl:2:main:Run-Time Error",
        "Failed at: a.ls\nSyntaxError: unmatched `]` on line 1\nat a.ls\n    at carp (lexer.js:1226:9)",
        "xonsh: For full traceback set: $XONSH_SHOW_TRACEBACK = True\nValueError: valve 7",
        "/srv/a.coffee:2:14: error: unmatched OUTDENT\n  if n then (\n             ^",
        "error: valve 7\n-code 1 -level 0 -errorcode {PUMP DRY} -errorinfo {valve 7\n    while executing\n\"open $n \"} -errorline 1",
    ] {
        let entry = "2026-11-20 06:47:13 INFO on";
        check(&[entry, "2026-11-20 06:47:14 INFO on", report, entry]);
    }
}

#[test]
fn what_a_logger_or_a_tool_writes_below_its_line_is_part_of_it() {
    check(&[
        "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n--- <exception caught here> ---\n  File \"b.py\", line 3, in g\nbuiltins.TypeError: 7",
        "ERROR: off",
    ]);
    check(&[
        "2026-11-20 06:47:12 INFO [pump] on",
        "2026-11-20 06:47:13 ERROR [pump] lost\nError: valve\n    at f (a.js:1:1)",
        "2026-11-20 06:47:14 INFO [pump] on",
    ]);
    check(&[
        "[20/Nov/2026:06:47:13] HTTP \nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\nKeyError: 1",
        "[20/Nov/2026:06:47:13] HTTP \nRequest Headers:\n  HOST: 127.0.0.1",
    ]);
    check(&["dry 7\na.pike:1: /main()->open(7)\na.pike:9: /main()->main()", "pump is off"]);
    check(&[
        "in file included from *OS command line*:-1\na.fs:3: Division by zero\n>>>main<<<\nBacktrace:\n$7F594D3984D0 / \n$7F594D398520 open ",
        "pump is off",
    ]);
    check(&[
        "fish: Unknown command: open\na.fish (line 3): \n  open\n  ^~~^\nin function 'f'\n\tcalled on line 5 of file a.fish",
        "pump is off",
    ]);
    check(&[
        "node:events:486\n      throw er;\n      ^\n\nError: connect ECONNREFUSED\n    at f (a.js:1:1)\nEmitted 'error' event on Socket instance at:\n    at g (a.js:2:1) {\n  errno: -111\n}\n\nNode.js v26.0.0",
        "pump is off",
    ]);
    check(&[
        "multiprocessing.pool.RemoteTraceback: \n\"\"\"\nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\nKeyError: 1\n\"\"\"\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"a.py\", line 9, in g\nKeyError: 1",
    ]);
    check(&[
        "--- Logging error ---\nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\nTypeError: not all arguments\nCall stack:\n  File \"a.py\", line 9, in g\nMessage: 'a %d'\nArguments: (1, 2)",
        "pump is off",
    ]);
    check(&[
        "(node:12) [DEP9] DeprecationWarning: old\n(Use `node --trace-deprecation ...` to show where)",
        "pump is off",
    ]);
    check(&[
        "error[E0308]: mismatched types\n --> a.rs:1:25\n  |\n1 | fn main() {\n  |           ^ expected",
        "pump is off",
    ]);
    check(&[
        "2026-11-20 06:47:13 [shop.pump] INFO: Enabled pumps:\n['shop.pumps.A',\n 'shop.pumps.B']",
        "2026-11-20 06:47:14 [shop.pump] INFO: Enabled valves:\n[]",
        "2026-11-20 06:47:15 [shop.pump] INFO: on",
    ]);
    check(&[
        "pump:11/20/2026 06:47:13:515 PM UTC: Thread[http-80-8,5,main]\nERROR: dry 7",
        "pump:11/20/2026 06:47:14:515 PM UTC: Thread[http-80-8,5,main]\nWARNING: wet 7",
    ]);
    check(&[
        "2026-11-20T06:47:13Z INFO shop[4] Lost: (shop.Lost) {\n-->    bay = 14\n--> }",
        "2026-11-20T06:47:14Z INFO shop[4] on",
    ]);
}

#[test]
fn the_report_of_a_death_is_an_event_of_its_own() {
    check(&[
        "starting",
        "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: x\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\", line 3\nKeyError: 'k'",
        "starting",
    ]);
    check(&[
        "2026-11-20 06:47:13 INFO on",
        "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: x",
    ]);
    check(&[
        "starting",
        "panic: lost\n\ngoroutine 1 [running]:\nmain.f(...)\n\t/srv/a.go:8\nmain.main()\n\t/srv/a.go:19 +0xf\nexit status 2",
        "starting",
    ]);
    check(&[
        "/srv/a.js:9\n    throw e;\n    ^\n\nError: lost\n    at f (/srv/a.js:9:11) {\n  code: 'E'\n}\n\nNode.js v26.1.0",
        "starting",
    ]);
    check(&[
        "thread 'main' (15) panicked at src/a.rs:5:5:\nlost\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
        "starting",
    ]);
    check(&[
        "a.rb:4:in 'f': lost (KeyError)\n\tfrom a.rb:9:in '<main>'\na.rb:3:in 'g': cause (IOError)\n\tfrom a.rb:4:in 'f'",
        "starting",
    ]);
    check(&[
        "Fatal error: exception Failure(\"x\")\nRaised at F.f in file \"f.ml\", line 5\nCalled from F in file \"f.ml\", line 7",
        "on",
    ]);
    check(&[
        "PHP Fatal error:  Uncaught E: x in /a.php:6\nStack trace:\n#0 /a.php(8): f()\n#1 {main}\n\nNext F: y in /a.php:8\nStack trace:\n#0 {main}\n  thrown in /a.php on line 8",
        "on",
    ]);
    check(&[
        "=====================\n==28==ERROR: AddressSanitizer: heap-buffer-overflow\nREAD of size 4 at 0x7b thread T0\n    #0 0x56 in f /a.c:6\nSUMMARY: AddressSanitizer: x",
        "on",
    ]);
}

#[test]
fn an_exception_that_a_program_prints_below_the_line_of_its_logger_is_an_event_of_its_own() {
    let trace = "TypeError: valve 7\n    at open (/srv/pump.js:7:9)\n    at /srv/pump.js:9:1";
    let next = "2026-11-20 06:47:14 INFO next";
    check(&["2026-11-20 06:47:12 INFO on", "2026-11-20 06:47:13 INFO on", trace, next]);
    for (head, trace) in [
        ("2026-11-20 06:47:13 INFO valve:", trace),
        ("2026-11-20 06:47:13 INFO opening…", trace),
        ("2026-11-20 06:47:13 INFO open failed", trace),
        ("2026-11-20 06:47:13 WARN open again", trace),
        ("2026-11-20 06:47:13 INFO open again", "shop.Dry: valve 7\n\tat shop.Pump.open(Pump.java:7)"),
        ("2026-11-20 06:47:13 INFO open again", "TypeError: valve 7\n  as was said"),
    ] {
        check(&["2026-11-20 06:47:12 INFO on", &format!("{head}\n{trace}"), next]);
    }
}

#[test]
fn dated_lines_are_joined_where_the_kernel_wrote_them() {
    let events_of = |lines: &[&str]| {
        let dated: Vec<_> = lines.iter().map(|line| format!("[Fri Nov 20 06:47:13 2026] {line}")).collect();
        events(dated.join("\n").as_bytes(), 1 << 20).count()
    };
    const OOPS: [&str; 4] =
        ["BUG: kernel NULL pointer dereference, address: 8", "#PF: read access", "Call Trace:", " <TASK>"];
    assert_eq!(events_of(&[&["usb 1-1: new device"][..], &OOPS, &["eth0: link up", "eth0: link down"]].concat()), 4);
    assert_eq!(events_of(&["[error] BUG: kernel NULL pointer", "[error] #PF: read", "[notice] on"]), 3);
    assert_eq!(events_of(&["PHP Fatal error:  Uncaught E: x in /a.php:6", "Stack trace:", "    at a (b:1)"]), 3);
}

#[test]
fn what_the_kernel_writes_of_a_failure_is_one_event() {
    const OOPS: &str = "BUG: kernel NULL pointer dereference, address: 8\n#PF: read access\nPGD 0 P4D 0\nOops: 0000 [#1] SMP\nCPU: 3 PID: 77 Comm: pump\n\
        RIP: 0010:open+0x1a/0x40\nRAX: 0007\nCall Trace:\n <TASK>\n vfs_read+0x9d/0x190\n </TASK>\nModules linked in: tank\n---[ end trace 7 ]---";
    const OOM: &str = "pump invoked oom-killer: order=0\nCPU: 0 PID: 77 Comm: pump\nCall Trace:\n <TASK>\n </TASK>\nTasks state (in pages):\n[     77]     0    77 pump";
    const HUNG: &str = "INFO: task pump:77 blocked for more than 120 seconds.\n      Not tainted 6.1.0\ntask:pump state:D\nCall Trace:\n <TASK>";
    type Header = fn(usize, &str) -> String;
    let headers: [Header; 7] = [
        |_, line| format!("[Fri Nov 20 06:47:13 2026] {line}"),
        |n, line| format!("Nov 20 06:47:13 h kernel: [12345.67{n:04}] {line}"),
        |_, line| format!("2026-11-20T06:47:13.123456+00:00 h kernel: {line}"),
        |n, line| format!("<{}>Nov 20 06:47:13 h kernel: [12345.67{n:04}][   T77] {line}", n % 5),
        |n, line| format!("[12345.67{n:04}] {line}"),
        |n, line| format!("4,12{n:02},1234567{n:04},-;{line}"),
        |n, line| {
            format!(
                r#"{{"PRIORITY":"{}","SYSLOG_IDENTIFIER":"kernel","__REALTIME_TIMESTAMP":"1795000{n:04}","MESSAGE":"{line}"}}"#,
                n % 5
            )
        },
    ];
    let entries = ["usb 1-1: new device", OOPS, HUNG, HUNG, "eth0: link up", OOM, "eth0: link down"];
    for header in headers {
        let lines: Vec<&str> = entries.iter().flat_map(|entry| entry.split('\n')).collect();
        let text: Vec<String> = lines.iter().enumerate().map(|(n, line)| header(n, line)).collect();
        let text = text.join("\n");
        let found: Vec<_> =
            events(text.as_bytes(), 1 << 20).flat_map(|range| crate::texts(&text.as_bytes()[range])).collect();
        assert_eq!(found.len(), entries.len(), "{text}");
    }
}

#[test]
fn a_record_of_two_lines_is_one_event() {
    check(&["Nov 20, 2026 6:47:13 PM org.acme.App main\nSEVERE: broken", "INFO: next", "INFO: alone"]);
    check(&["Nov 20 06:47:13 host app: x", "INFO: y"]);
    check(&[
        "[2026/11/20 06:47:13.1,  0] lib/a.c:508(f)\n  f() failed",
        "[2026/11/20 06:47:14.1,  0] lib/b.c:5(g)\n  g() failed",
    ]);
    check(&["2026-11-20 06:47:13\nthe text below", "2026-11-20 06:47:14\nanother"]);
    check(&[
        "# Time: 261120  6:47:13\n# User@Host: a[a] @ b []\n# Query_time: 1.5\nSET timestamp=1795863956;\nselect 1;",
        "# User@Host: c[c] @ b []\nselect 2;",
        "# Time: 261120  6:47:14\n# User@Host: a[a]",
    ]);
    check(&[
        "2026-11-20 06:47:13.04 UTC,\"a\",\"select\n  1\nfrom \"\"t\"\"\",0",
        "2026-11-20 06:47:14.04 UTC,\"a\",0",
    ]);
}

#[test]
fn lines_with_names_below_a_time_with_one_are_its_record() {
    let install = "Start-Date: 2026-11-20  06:47:13\nCommandline: apt-get install tea\nEnd-Date: 2026-11-20  06:47:15";
    check(&[install, "Start-Date: 2026-11-20  07:00:00\nUpgrade: tea:amd64 (1, 2)\nEnd-Date: 2026-11-20  07:00:01"]);
    check(&["Date: 2026-11-20 06:47:13 on", "Note: this is another"]);
}

#[test]
fn padding_may_stand_before_the_head_of_an_entry() {
    check(&[
        "    12:20261120:064713.768 on",
        "  1234:20261120:064713.769 lost:\n\tis it there?",
        "    12:20261120:064713.770 on",
    ]);
    check(&[" 0(104) INFO: a", " 12(7) ERROR: b"]);
    check(&["   INFO 2026-11-20 06:47:13 a", "  ERROR 2026-11-20 06:47:14 b"]);
    check(&["2026-11-20 06:47:13.12 Server  SQL 2025\n\tMar 13 2026 14:53:45\n\tLinux", "2026-11-20 06:47:14.12 on"]);
    check(&["one", "  2026-11-20 06:47:13 two"]);
    check(&["   INFO: read the tree", "  DEBUG: of\n     two nodes", "WARNING: none"]);
    check(&[" INFO  Cart : stored", "ERROR  Cart : refused\n  by the bank", " WARN  Cart : slow"]);
}

#[test]
fn a_line_without_a_time_continues_one_where_all_have_one() {
    let head = "2026-11-20 06:47:13 [DEBUG] slow:\n<SELECT * FROM carts WHERE id = 1496222336>, 505 msec";
    check(&["2026-11-20 06:47:13 on", head, "2026-11-20 06:47:14 on"]);
    check(&["2026-11-20 06:47:13 [ERROR] got signal 11\nSorry, this is a bug.", "2026-11-20 06:47:14 on"]);
    check(&["> shop@1.0 start", "2026-11-20 06:47:13 on", "listening", "2026-11-20 06:47:14 on", "listening"]);
    let failed = "06:47:13.145 [main] ERROR shop - pay\njava.lang.IllegalStateException: dry\n\tat J.main(J.java:2)\n\
                  Caused by: java.lang.RuntimeException: cause\n\t... 2 more";
    check(&["06:47:13.145 [main] INFO shop - on", failed, "06:47:13.146 [main] INFO shop - two\nlines"]);
    check(&["00:00  INFO: on", "00:00  INFO: still on", "00:01  INFO: two\nlines"]);
    let built = "compiled with version: 14.2.0 on 02 March 2025 19:27:35";
    check(&["*** Starting tea on [Fri Nov 20 06:47:13 2026] ***", built, "os: Linux", "*** tea is on"]);
    check(&["2026-11-20 06:47:13 on", "INFO:     Started server process", "2026-11-20 06:47:14 on"]);
}

#[test]
fn plain_lines_are_events_and_empty_lines_are_none() {
    let check_lines = |lines: &[&str], expected: &[&str]| {
        let text = lines.join("\n");
        assert_eq!(events(text.as_bytes(), 1 << 20).map(|range| &text[range]).collect::<Vec<_>>(), expected);
    };
    check_lines(&["one", "", "two", "\r", "", "three"], &["one", "two", "three"]);
    check_lines(&["", ""], &[]);
    check_lines(&[], &[]);
    check_lines(&["  first", "second"], &["  first", "second"]);
    check_lines(&["{", "  \"a\": 1", "}", "{\"b\":2}"], &["{\n  \"a\": 1\n}", "{\"b\":2}"]);
    check(&[
        "the panic: is over", "Error in the hall", "goroutines are cheap", "connect 10.0.0.1:5432", "two at a time",
    ]);
}

#[test]
fn an_event_is_bounded_in_lines_and_bytes() {
    let text = format!("one\n{}", "  more\n".repeat(2 * LINES_MAX));
    assert_eq!(events(text.as_bytes(), 1 << 20).count(), 3);
    assert!(events(text.as_bytes(), 100).all(|range| range.len() <= 100));
    let long = "x".repeat(1000);
    assert_eq!(events(long.as_bytes(), 100).map(|range| range.len()).collect::<Vec<_>>(), [1000]);
}

#[test]
fn a_source_that_changes_its_form_is_learned_anew() {
    let timed = "2026-11-20 06:47:13 on\n".repeat(50);
    let plain = "listening\n".repeat(3000);
    let mut profile = Profile::default();
    profile.advance(timed.as_bytes(), 0);
    assert!(profile.score(0) > 0);
    profile.advance(plain.as_bytes(), timed.len() as u64);
    assert!(profile.score(0) < 0);
    profile.advance(timed.repeat(10).as_bytes(), (timed.len() + plain.len()) as u64);
    assert!(profile.score(0) > 0);
}

proptest! {
    #[test]
    fn a_profile_is_the_same_wherever_a_reader_takes_it_up(
        lines in prop::collection::vec(prop::sample::select(vec!["2026-11-20 06:47:13 on", "listening", "  x", ""]), 0..40),
        n in 1usize..200, from in 0usize..4000, cuts in prop::collection::vec(1usize..9000, 0..8),
    ) {
        let text = format!("{}\n", lines.join(&"\n2026-11-20T06:47:13Z padding".repeat(n)));
        let text = text.as_bytes();
        let end = memchr::memrchr(b'\n', &text[..text.len() - from.min(text.len() - 1)]).map_or(text.len(), |at| at + 1);
        let mut whole = Profile::default();
        let mut at = 0;
        for cut in cuts {
            let to = memchr::memchr(b'\n', &text[(at + cut).min(end)..end]).map_or(end, |n| (at + cut).min(end) + n + 1);
            whole.advance(&text[at..to], at as u64);
            at = to;
        }
        whole.advance(&text[at..end], at as u64);
        let start = (Profile::start_for(end as u64) as usize).saturating_sub(1);
        let mut taken_up = Profile::default();
        taken_up.advance(&text[start..end], start as u64);
        whole.enter(end as u64);
        taken_up.enter(end as u64);
        prop_assert_eq!(whole, taken_up);
    }

    #[test]
    fn any_bytes_are_cut_without_panic_or_loss(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
        let text = lines.join(&b'\n');
        let mut at = 0;
        for range in events(&text, 100) {
            prop_assert!(text[at..range.start].iter().all(|byte| matches!(byte, b'\n' | b'\r')));
            at = range.end;
        }
        prop_assert!(text[at..].iter().all(|byte| matches!(byte, b'\n' | b'\r')));
    }
}

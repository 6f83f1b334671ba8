//! Levels of reports, and texts that are none.

use super::*;

fn level(text: &str) -> Option<Level> {
    ReportLevel::of(text).map(|report| report.level)
}

fn check(text: &str, expected: Option<Level>) {
    assert_eq!(level(text), expected, "{text}");
}

#[test]
fn a_report_has_the_level_that_its_runtime_gives_it() {
    check("Traceback (most recent call last):\n  File \"a.py\"\nKeyError: 1", Some(Level::Error));
    check("  + Exception Group Traceback (most recent call last):\n  | E: x", Some(Level::Error));
    check("panic: lost\n\ngoroutine 1 [running]:", Some(Level::Fatal));
    check("thread 'main' (15) panicked at src/a.rs:5:5:\nlost", Some(Level::Error));
    check("Exception in thread \"main\" a.Lost: x\n\tat a.B.c(B.java:1)", Some(Level::Error));
    check("java.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)", Some(Level::Error));
    check("/srv/a.js:9\n    throw e;\n    ^\n\nError: x", Some(Level::Error));
    check("PHP Warning:  Undefined variable $a in /a.php on line 4", Some(Level::Warn));
    check("PHP Fatal error:  Uncaught E: x in /a.php:6", Some(Level::Error));
    check("a.rb:4:in 'f': lost (KeyError)\n\tfrom a.rb:9:in '<main>'", Some(Level::Error));
    check("** (RuntimeError) lost\n    a.exs:3: A.f/1", Some(Level::Error));
    check("Unhandled exception. System.Exception: x\n   at A.B()", Some(Level::Error));
    check("==================\n==28==ERROR: AddressSanitizer: x", Some(Level::Fatal));
    check("a.c:3:5: runtime error: signed integer overflow", Some(Level::Warn));
    check("terminate called after throwing an instance of 'E'\n  what():  x", Some(Level::Fatal));
    check("Fatal error: exception Not_found", Some(Level::Error));
    check("A/A.swift:3: Fatal error: Index out of range", Some(Level::Fatal));
    check("Pump.hx:1: characters 4-8 : Uncaught exception dry 7", Some(Level::Error));
    check("Exception in pump: dry 7", Some(Level::Error));
    check("Runtime error near line 7: UNIQUE constraint failed: tank.id (19)", Some(Level::Error));
    check("make[2]: *** [Makefile:7: pump] Error 1", Some(Level::Error));
    check("dry 7\n  in sub pump at pump.raku line 1\n  in block <unit> at pump.raku line 2", Some(Level::Error));
    check("BEGIN failed--compilation aborted at pump.pl line 1.\n  x", Some(Level::Error));
    check("----- Native stack trace -----\n\n 1: 0xd3a3c0  [node]", Some(Level::Fatal));
    check("fish: Unknown command: open\na.fish (line 3): \n  open\n  ^~~^", Some(Level::Error));
    check(
        "[2026-11-20 06:47:13] HTTP \nTraceback (most recent call last):\n  File \"a.py\"\nKeyError: 1",
        Some(Level::Error),
    );
    check("pump: command not found: open", Some(Level::Error));
    check("run.sh: line 3: open: command not found", Some(Level::Error));
    check("==7== Invalid read of size 4\n==7==    at 0x1: f (a.c:3)", Some(Level::Error));
    check("==7== ERROR SUMMARY: 0 errors from 0 contexts", None);
    check("open: Command not found.", Some(Level::Error));
    check("Dry: valve 7\n     open at pump.rb:3\n  <main> at pump.rb:5", Some(Level::Error));
    check("The pump: valve 7\n     open at pump.rb", None);
    check(";valve 7\n;To continue, call RESTART with an option number:", Some(Level::Error));
    check("; valve 7\n; is shut", None);
    check("js: \"pump.js\", line 2: exception from uncaught JavaScript throw: TypeError: 7", Some(Level::Error));
    check("CMake Error at CMakeLists.txt:4 (find_package):\n  By not providing", Some(Level::Error));
    check("CMake Warning at CMakeLists.txt:3 (message):\n  low", Some(Level::Warn));
    check("a.xml:1: parser error : Opening and ending tag mismatch\n<a><b></a>\n   ^", Some(Level::Error));
    check("sh: 1: open: not found", Some(Level::Error));
    check("run.sh: line 3:    42 Segmentation fault      (core dumped) ./a", Some(Level::Fatal));
}

#[test]
fn what_shells_compilers_and_small_runtimes_say_of_an_end_is_an_error() {
    for (text, expected) in [
        ("1 | \n2 | open(7);\n         ^\nerror: valve 7\n      at open (/srv/a.ts:2:1)", Level::Error),
        (
            "error\u{1b}[0m: Module not found \"file:///srv/b.mjs\".\n    at \u{1b}[36mfile:///srv/a.mjs:2:8",
            Level::Error,
        ),
        ("a.ml: valve 7\nsecond\nCallStack (from HasCallStack):\n  error, called at A.hs:7:1 in main:A", Level::Error),
        ("pump: thread blocked indefinitely in an MVar operation", Level::Error),
        ("/usr/bin/python3.14: can't open file '/srv/a.py': [Errno 2] No such file or directory", Level::Error),
        ("shop.Dry@src/pump.d(12): valve 7\n----------------\n??:? [0x557d]", Level::Error),
        ("Terminating due to java.lang.OutOfMemoryError: Java heap space", Level::Fatal),
        ("Error: Could not find or load main class shop.Pump", Level::Error),
        ("Exception: shop.Dry thrown from the UncaughtExceptionHandler in thread \"main\"", Level::Fatal),
        ("Could not cast value of type 'Swift.String' (0x7f) to 'Swift.Int' (0x7e).", Level::Fatal),
        ("Invalid memory access (signal 11) at address 0x7\n[0x55d0] main +27 in /srv/pump", Level::Fatal),
        ("fatal error encountered in SBCL pid 7 tid 7:\nControl stack exhausted", Level::Fatal),
        ("ERROR: -g main: Unknown message: dry(7)", Level::Error),
        ("panicked at src/pump.rs:7:5:\nvalve 7", Level::Error),
        ("caught signal 11\n/srv/pump(open+0x1d)[0x55d0c3]\n/srv/pump(+0x7)[0x55d0c4]", Level::Error),
        ("run.sh: line 3: VALVE: no valve was given", Level::Error),
        ("run.sh: line 3: warning: here-document at line 1 delimited by end-of-file", Level::Warn),
        ("gawk: pump.awk:7: fatal: division by zero attempted", Level::Error),
        ("mawk: pump.awk: line 7: syntax error at or near ;", Level::Error),
        ("syntax error at pump.pl line 7, near \"= ;\"\nExecution of pump.pl aborted", Level::Error),
        ("FAILED: [code=1] out/pump\ncc pump.c\nninja: build stopped: subcommand failed.", Level::Error),
        ("# shop/pump\n./pump.go:7:2: undefined: valve", Level::Error),
        ("pump.c: In function 'open':\npump.c:7:3: error: 'valve' undeclared", Level::Error),
        ("usage: pump [-h] [--valve N]\npump: error: argument --valve: invalid int value: 'x'", Level::Error),
        ("Warning: Undefined variable $valve in /srv/pump.php on line 7", Level::Warn),
        ("Exception: valve 7 in /srv/pump.php:7\nStack trace:\n#0 {main}", Level::Error),
        ("Error:\n   0: valve 7\n\nLocation:\n   src/main.rs:7", Level::Error),
        ("*****\nAPPLICATION FAILED TO START\n*****\n\nDescription:\n\nPort 7 was in use.", Level::Error),
        ("[UnhandledPromiseRejection: valve 7] {\n  code: 'X'\n}\n\nNode.js v26.1.0", Level::Error),
        ("npm error code ENOENT\nnpm error syscall open", Level::Error),
        ("╭── Traceback (most recent call last) ──╮\n│ a.py:7 in open │\n╰──╯\nDry: valve 7", Level::Error),
        ("[FATAL:pump.cc(7)] Check failed: valve.\n#0 0x7 open()", Level::Fatal),
        ("Syntax error compiling at (pump.clj:7:1).\nUnable to resolve symbol: valve", Level::Error),
        ("Error! Failed to eval: error({valve, 7}).", Level::Error),
        ("{error,badarith,[{pump,open,7,[]}]}\nRuntime terminating during boot ({badarith,[]})", Level::Error),
        ("pump.escript:7:9: Warning: no clause will ever match\n%    7| open(7)", Level::Warn),
        ("File \"pump.ml\", line 7, characters 1-3:\n7 | open\nError: valve", Level::Error),
        (
            "Timeout (0:00:07)!\nThread 0x00007f (most recent call first):\n  File \"a.py\", line 7 in open",
            Level::Error,
        ),
        ("open: contract violation\n  expected: pair?", Level::Error),
        ("CLR: Managed code called FailFast, saying \"valve 7\"", Level::Error),
        ("pump.sh: illegal option -- z", Level::Error),
        ("pump.f90:7:9:\n\n    7 | open\n      |  1\nError: valve", Level::Error),
        ("ERROR: /srv/pump.pl:7: user:main Unknown message: dry(7)", Level::Error),
    ] {
        check(text, Some(expected));
    }
    for text in [
        "1 | ann\n2 | bob",
        "# Valves\nopen 7",
        "usage: pump [-h]\n  -h  help",
        "error here and there\nmore",
        "../pump(7)",
    ] {
        check(text, None);
    }
}

#[test]
fn what_perl_and_small_languages_say_of_an_end_is_an_error() {
    for (text, expected) in [
        ("valve 7 at pump.pl line 7, <STDIN> line 3.", Level::Error),
        ("valve 7 at pump.pl line 7, <$pipe> chunk 3 thread 2.", Level::Error),
        ("valve 7 at pump.pl line 7 thread 1.\n\tmain::open(7) called at pump.pl line 9 thread 1", Level::Error),
        ("Use of uninitialized value $n at pump.pl line 7.\n\tmain::open(7) called at pump.pl line 9", Level::Warn),
        (
            "ls: cannot access '/x': No such file\nError: ls: cannot access\n\n    at file:///srv/a.mjs:2:8",
            Level::Error,
        ),
        ("RUNTIME ERROR: valve 7", Level::Error),
        ("valve 7\n/srv/pump.sl:7:open:Run-Time Error", Level::Error),
        ("yash: no such command `pump'", Level::Error),
    ] {
        check(text, Some(expected));
    }
}

#[test]
fn the_machine_tells_of_deaths() {
    check("Nov 20 06:47:13 h kernel: shop[12]: segfault at 0 ip 000055 sp 00007f error 4 in shop", Some(Level::Error));
    check("[123.4] Out of memory: Killed process 12 (shop) total-vm:1kB", Some(Level::Error));
    check(
        "Nov 20 06:47:13 h systemd[1]: shop.service: Main process exited, code=killed, status=9/KILL",
        Some(Level::Error),
    );
    check("Nov 20 06:47:13 h systemd[1]: shop.service: Failed with result 'signal'.", Some(Level::Error));
    check("Nov 20 06:47:13 h systemd[1]: Started shop.service.", None);
}

#[test]
fn the_kernel_tells_of_its_own_failures() {
    const OOPS: &str = "BUG: kernel NULL pointer dereference, address: 0000000000000008";
    for (text, level) in [
        (OOPS, Level::Error),
        ("[12345.678901] BUG: kernel NULL pointer dereference\nOops: 0000 [#1] SMP", Level::Error),
        ("[Fri Nov 20 06:47:13 2026] BUG: kernel NULL pointer dereference\nOops: 0000 [#1] SMP", Level::Error),
        ("4,1234,12345678901,-;BUG: kernel NULL pointer dereference\nOops: 0000 [#1] SMP", Level::Error),
        ("INFO: task pump:77 blocked for more than 120 seconds.\n      Not tainted 6.1.0", Level::Error),
        ("watchdog: BUG: soft lockup - CPU#2 stuck for 26s! [pump:77]", Level::Error),
        ("------------[ cut here ]------------\nWARNING: CPU: 1 PID: 77 at net/a.c:7 open+0x7/0x8", Level::Warn),
        ("------------[ cut here ]------------\nkernel BUG at fs/a.c:7!", Level::Error),
        ("pump invoked oom-killer: order=0\nCPU: 0 PID: 77 Comm: pump Not tainted 6.1.0", Level::Error),
        ("Kernel panic - not syncing: Fatal exception", Level::Fatal),
    ] {
        check(text, Some(level));
        assert_eq!(death(text), None, "{text}");
    }
    check("[Fri Nov 20 06:47:13 2026] panic: valve 7", None);
    ["CPU: 7 cores", "INFO: task pump is done", "BUG: see below", "[1.5] BUG"]
        .into_iter()
        .for_each(|line| check(line, None));
    // Its priority is that of most of its lines.
    assert_eq!(level_behind_header(Some(Level::Warn), ReportLevel::of(OOPS)), Some(Level::Error));
    assert_eq!(level_behind_header(Some(Level::Warn), ReportLevel::of("panic: valve 7")), Some(Level::Warn));
}

#[test]
fn prose_and_headings_are_no_deaths() {
    let lines = [
        "starting mailer 2.4.0",
        "panic is not an option",
        "the thread 'main' panicked at night",
        "=====================",
        "Error: none",
        "# Users",
        "errors: 0",
        "see a.js:9 for details",
        "/srv/a.js:9",
        "Traceback is on",
        "Aborted by the user",
        "ok: 3",
        "checked: no uncaught exception was seen",
        "Exception in the rule is allowed: see below",
        "steps\n  in the morning at nine on line 3 of the tram",
        "panic:lost",
        "",
    ];
    lines.into_iter().for_each(|line| check(line, None));
    check("=====================\n== tests ==", None);
    check("ValueError: a name\nand a line", None);
}

#[test]
fn who_tells_of_a_death_and_of_which_program() {
    let bare = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: x";
    for (text, expected) in [
        ("shop.service: Main process exited, code=killed, status=11/SEGV", Some((Signal::Exit, "shop.service"))),
        (
            "Nov 28 03:12:00 h systemd[1]: shop.service: Main process exited, code=exited, status=1/FAILURE",
            Some((Signal::Exit, "shop.service")),
        ),
        ("shop.service: Failed with result 'exit-code'.", Some((Signal::Result, "shop.service"))),
        ("kernel: shop[77]: segfault at 0 ip 00005 sp 00007 error 4", Some((Signal::Kernel, "shop"))),
        ("kernel: traps: shop[77] trap divide error ip:55 sp:7f error:0", Some((Signal::Kernel, "shop"))),
        ("kernel: Out of memory: Killed process 77 (shop worker) total-vm:1kB", Some((Signal::Kernel, "shop worker"))),
        ("systemd-coredump[9]: Process 77 (shop) of user 0 dumped core.", Some((Signal::Kernel, "shop"))),
        (
            "pod_workers.go:1301] \"Error syncing pod\" err=\"failed: \\\"back-off 5m0s restarting failed container=app pod=web_shop(7f)\\\"\"",
            Some((Signal::BackOff, "shop/web/app")),
        ),
        ("Back-off restarting failed container app in pod web_shop(7f)", None),
        ("kernel: oom-kill:constraint=CONSTRAINT_NONE,task=shop,pid=77", None),
        ("shop.service: Scheduled restart job, restart counter is at 7.", None),
        ("panic: lost\n\ngoroutine 1 [running]:\nmain.main()\n\t/s/m.go:1 +0x1\n", Some((Signal::Report, ""))),
        ("terminate called after throwing an instance of 'int'", Some((Signal::Report, ""))),
        (bare, Some((Signal::Trace, ""))),
        ("\nthread 'main' (7) panicked at src/send.rs:5:5:\nlost\n", Some((Signal::Trace, ""))),
        ("2026-11-28 12:00:01 ERROR shop: payment failed\nTraceback (most recent call last):\n  File \"a.py\"", None),
        ("Task exception was never retrieved\nfuture: <Task>\nTraceback (most recent call last):", None),
        ("=ERROR REPORT==== 28-Nov-2026\nError in process <0.83.0>", None),
        ("java.lang.Error: x\n\tat a.B.c(B.java:1)", None),
        ("PHP Warning:  x in /a.php on line 3", None),
        ("payment failed", None),
        ("", None),
    ] {
        let found = death(text).map(|death| (death.signal, death.program.unwrap_or_default()));
        assert_eq!(found.as_ref().map(|(signal, name)| (*signal, name.as_str())), expected, "{text}");
    }
}

#[test]
fn the_delay_of_a_restart_is_read() {
    for (delay, expected) in [
        ("10s", Some(10_000)),
        ("1m20s", Some(80_000)),
        ("5m0s", Some(300_000)),
        ("soon", None),
        ("99999999999999999999s", None),
    ] {
        let found = death(&format!("back-off {delay} restarting failed container=app pod=web_shop(7f)"));
        assert_eq!(found.and_then(|death| death.delay_ms), expected, "{delay}");
    }
}

#[test]
fn a_container_that_died_is_an_error() {
    for line in [
        "Back-off restarting failed container app in pod web-5d8f_shop(7f3a)",
        "Warning BackOff: Back-off restarting failed container",
        "reason: OOMKilled",
        "  Reason:       OOMKilled",
        "container app of pod web: OOMKilled (exit code 137)",
        "Reason:          CrashLoopBackOff",
    ] {
        check(line, Some(Level::Error));
    }
    check("state: Running", None);
    check("no pod was OOMKilled today", None);
}

#[test]
fn patterns_fit_beginnings() {
    for (pattern, line, expected) in [
        ("a~b", "a12b x", true),
        ("a~b", "ab", false),
        ("a@b", "a1b", true),
        ("a@b", "a 1b", false),
        ("a%b", "a 1b", true),
        ("a~$", "a1", true),
        ("a~$", "a1x", false),
        ("@.js:~$", "/a/b.js:12", true),
        ("@.js:~$", "b.js:12:3", false),
        ("a", "", false),
        ("@x", "x", false),
    ] {
        assert_eq!(matches(pattern, line.as_bytes()), expected, "{pattern} {line}");
    }
}

#[test]
fn no_death_is_missed_in_a_line_without_words_for_levels() {
    let bodies = table::OBITUARIES.iter().map(|(start, part, _)| format!("shop.service: {start}7{part} x"));
    let ends = table::OBITUARY_ENDS.iter().map(|end| format!("shop[7{}: x", String::from_utf8_lossy(end)));
    for line in bodies.chain(ends).chain(["in sub pay at pay.pl line 7.".to_owned(), "panic: x".to_owned()]) {
        let times = TimeMemo::default();
        let level = crate::level::level_in(&line, &times, &std::cell::Cell::new(false));
        let level = level.or_else(|| ReportLevel::of_known(&line, &times).map(|report| report.level));
        assert!(level >= Some(Level::Error), "{line}");
    }
}

#[test]
fn every_report_is_found_by_its_first_line() {
    for report in table::reports() {
        for pattern in &report.starts {
            let line = pattern.trim_end_matches('$').replace('@', "/x/pump").replace('~', "77").replace('%', "a b");
            let fits = |report: &&Report| report.starts.iter().any(|start| matches(start, line.as_bytes()));
            assert!(report_of(line.as_bytes()).filter(fits).is_some(), "{pattern} {line}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_looked_at_without_panic(text in "\\PC{0,60}", form in "[@#%~*:a-zE=\\n (\\[]{0,40}") {
        let _ = level(&text);
        let _ = level(&form);
        let _ = death(&text).or_else(|| death(&form));
    }
}

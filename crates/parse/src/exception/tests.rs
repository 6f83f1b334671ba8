//! Reports of each runtime, and what is read of them.

use super::*;

/// Each exception as `type: message | own frames < with ~ before those of libraries`, then thread and runtime.
fn shown(text: &str) -> Vec<String> {
    let Some(trace) = read(text) else { return Vec::new() };
    let frame = |frame: &Frame| {
        let place = frame.line.map_or_else(|| frame.file.clone(), |line| format!("{}:{line}", frame.file));
        let at = if place.is_empty() || frame.function.is_empty() { "" } else { "@" };
        format!("{}{}{at}{place}", if frame.is_own { "" } else { "~" }, frame.function)
    };
    let one = |one: &Exception| {
        let frames: Vec<String> = one.frames.iter().map(frame).collect();
        let member = if one.is_group { "group ".to_owned() } else { "".into() } + &"#".repeat(one.member.into());
        format!("{member}{}: {} | {}", one.kind, one.message.replace('\n', "/"), frames.join(" < "))
    };
    let mut lines: Vec<String> = trace.exceptions.iter().map(one).collect();
    lines.extend(trace.thread.map(|thread| format!("thread {thread}")));
    lines.extend(trace.runtime.map(|name| format!("{name} {}", trace.version.unwrap_or_default()).trim().to_owned()));
    lines
}

mod unnamed;

fn check(text: &str, expected: &[&str]) {
    assert_eq!(shown(text), expected, "{text}");
}

#[test]
fn python_has_any_type_and_the_innermost_frame_last() {
    check(
        "Exception in thread Thread-3 (refill):\nTraceback (most recent call last):\n  File \"/usr/lib/python3.14/threading.py\", line 1082, in _bootstrap_inner\n    self.run()\n  \
         File \"/opt/pump/tank.py\", line 12, in refill\n    raise Overflowed(n)\n          ^^^^^^^^^^^^^\nOverflowed: tank 7\nclose the valve\n",
        &[
            "Overflowed: tank 7/close the valve | refill@/opt/pump/tank.py:12 < ~_bootstrap_inner@/usr/lib/python3.14/threading.py:1082",
            "thread Thread-3 (refill)",
        ],
    );
    check(
        "2026-01-02 03:04:05 ERROR pump: no water\nTraceback (most recent call last):\n  File \"/opt/pump/tank.py\", line 3, in level\n    return f()\nKeyError: 'x'\n\n\
         During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"/opt/pump/main.py\", line 9, in <module>\n    run()\n\
         pump.errors.Dry: no level\n",
        &["pump.errors.Dry: no level | <module>@/opt/pump/main.py:9", "KeyError: 'x' | level@/opt/pump/tank.py:3"],
    );
    check(
        "  + Exception Group Traceback (most recent call last):\n  |   File \"/opt/pump/main.py\", line 4, in <module>\n  |     run()\n  | ExceptionGroup: pumps (2 sub-exceptions)\n  \
         +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File \"/opt/pump/tank.py\", line 3, in level\n    |     f()\n    | Dry: 7\n    \
         +---------------- 2 ----------------\n    | OSError: gone\n    | really\n    +------------------------------------\n",
        &[
            "group ExceptionGroup: pumps (2 sub-exceptions) | <module>@/opt/pump/main.py:4",
            "#Dry: 7 | level@/opt/pump/tank.py:3",
            "##OSError: gone/really | ",
        ],
    );
    check(
        "  File \"/opt/pump/tank.py\", line 3\n    def f(\n         ^\nSyntaxError: '(' was never closed\n",
        &["SyntaxError: '(' was never closed | /opt/pump/tank.py:3"],
    );
    check(
        "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f (most recent call first):\n  File \"/opt/pump/tank.py\", line 5 in level\n  File \"/opt/pump/main.py\", line 9 in <module>\n",
        &["Fatal Python error: Segmentation fault | level@/opt/pump/tank.py:5 < <module>@/opt/pump/main.py:9"],
    );
}

#[test]
fn jvm_causes_have_common_frames_and_suppressed_exceptions_are_no_causes() {
    check(
        "Exception in thread \"pump-1\" tank.Overflow: tank 7\n\tat tank.Valve.open(Valve.java:16)\n\tat tank.Main.main(Main.java:4)\n\tSuppressed: java.io.IOException: closed\n\t\tat tank.Pipe.close(Pipe.java:3)\n\t\
         Caused by: java.lang.Error: inner\n\t\t... 2 more\nCaused by: java.lang.NumberFormatException: For input\n\tat java.base/java.lang.Integer.parseInt(Integer.java:565)\n\tat app//tank.Valve.size(Valve.java:9)\n\t... 1 more\n",
        &[
            "tank.Overflow: tank 7 | tank.Valve.open@Valve.java:16 < tank.Main.main@Main.java:4",
            "java.lang.NumberFormatException: For input | ~java.lang.Integer.parseInt@Integer.java:565 < tank.Valve.size@Valve.java:9 < tank.Main.main@Main.java:4",
            "thread pump-1",
        ],
    );
    check(
        "09:00:01.5 [main] ERROR tank.Valve - stuck\nDry: no water\n\tat Valve.open(Valve.java:3)\n",
        &["Dry: no water | Valve.open@Valve.java:3"],
    );
    check(
        "org.postgresql.util.PSQLException: ERROR: duplicate key\n  Detail: Key (id)=(81) already exists.\n\tat tank.Db.save(Db.kt:3)\n",
        &["org.postgresql.util.PSQLException: ERROR: duplicate key | tank.Db.save@Db.kt:3"],
    );
    check(
        "Execution error (ArithmeticException) at tank.core/level (core.clj:5).\nDivide by zero\n\nFull report at:\n/tmp/clojure-1.edn\n",
        &["ArithmeticException: Divide by zero | core.clj:5"],
    );
}

#[test]
fn dot_net_puts_inner_exceptions_before_the_frames_of_outer_ones() {
    check(
        "Unhandled exception. System.InvalidOperationException: tank 7\n ---> Tank.DryException: pump\n   at Tank.Pump.Open(String name) in /srv/Pump.cs:line 7\n   \
         --- End of inner exception stack trace ---\n   at Tank.Valve.<RunAsync>d__3.MoveNext() in /srv/Valve.cs:line 12\n   at System.Threading.Tasks.Task.Run()\n",
        &[
            "System.InvalidOperationException: tank 7 | Tank.Valve.<RunAsync>d__3.MoveNext@/srv/Valve.cs:12 < ~System.Threading.Tasks.Task.Run",
            "Tank.DryException: pump | Tank.Pump.Open@/srv/Pump.cs:7",
        ],
    );
    check(
        "\nUnhandled Exception:\nTank.Dry: pump 3\n  at Tank.Pump.Open (System.Int32 n) [0x00007] in <a1b2c3d4e5f6>:0 \n  at (wrapper runtime-invoke) <Module>.x()\n\
         [ERROR] FATAL UNHANDLED EXCEPTION: Tank.Dry: pump 3\n  at Tank.Pump.Open (System.Int32 n) [0x00007] in <a1b2c3d4e5f6>:0 \n",
        &["Tank.Dry: pump 3 | Tank.Pump.Open"],
    );
}

#[test]
fn scripts_name_causes_groups_and_their_source() {
    check(
        "/srv/tank/valve.js:9\n    throw new Error('stuck: x', { cause: e });\n    ^\n\nError: valve 7 is stuck\n    at open (/srv/tank/valve.js:9:11)\n    ... 2 lines matching cause stack trace ...\n    \
         at node:internal/main/run_main_module:33:47 {\n  code: 'X',\n  [cause]: TypeError [ERR_X]: no pump\n      at Object.run [as handler] (/srv/tank/pump.js:4:13)\n      at /srv/node_modules/express/router.js:280:10\n}\n\nNode.js v26.10.0\n",
        &[
            "Error: valve 7 is stuck | open@/srv/tank/valve.js:9 < ~node:internal/main/run_main_module:33",
            "TypeError: no pump | Object.run [as handler]@/srv/tank/pump.js:4 < ~/srv/node_modules/express/router.js:280",
            "nodejs 26.10.0",
        ],
    );
    let plain = "error: Uncaught (in promise) RangeError: valve 7\n    throw new RangeError(n);\n          ^\n    at open (file:///srv/tank/valve.ts:3:9)\n    at async file:///srv/tank/main.ts:5:1\n";
    let expected = ["RangeError: valve 7 | open@/srv/tank/valve.ts:3 < /srv/tank/main.ts:5"];
    check(plain, &expected);
    let coloured = plain
        .replace("error:", "\u{1b}[0m\u{1b}[1m\u{1b}[31merror\u{1b}[0m:")
        .replace("open", "\u{1b}[1mopen\u{1b}[0m");
    check(&coloured, &expected);
    check(
        "3 | function open() {\n4 |   throw new Stuck(\"valve 7\");\n            ^\nStuck: valve 7\n      at open (/srv/tank/valve.js:4:9)\n      at loadAndEvaluateModule (2:1)\n\nBun v1.4.0 (Linux x64)\n",
        &["Stuck: valve 7 | open@/srv/tank/valve.js:4", "bun 1.4.0"],
    );
    check(
        "/srv/tank/valve.js:3\nlet open clos\n         ^^^^\n\nSyntaxError: Unexpected identifier 'clos'\n    at wrapSafe (node:internal/modules/cjs/loader:1515:18)\n\nNode.js v26.1.0\n",
        &[
            "SyntaxError: Unexpected identifier 'clos' | /srv/tank/valve.js:3 < ~wrapSafe@node:internal/modules/cjs/loader:1515",
            "nodejs 26.1.0",
        ],
    );
    check(
        "AggregateError: all pumps\n    at run (/srv/tank/main.js:3:9) {\n  [errors]: [\n    Error: one\n        at first (/srv/tank/a.js:1:1)\n    TypeError: two\n        at second (/srv/tank/b.js:2:2)\n  ]\n}\n",
        &[
            "group AggregateError: all pumps | run@/srv/tank/main.js:3",
            "#Error: one | first@/srv/tank/a.js:1",
            "##TypeError: two | second@/srv/tank/b.js:2",
        ],
    );
}

#[test]
fn in_go_the_function_that_panicked_counts() {
    check(
        "panic: tank 7 dry [recovered, repanicked]\n\ngoroutine 1 gp=0xc000002380 [running]:\nruntime/debug.Stack()\n\t/usr/lib/go/src/runtime/debug/stack.go:26 +0x5e\nmain.guard.func1()\n\t/srv/tank/main.go:13 +0x25\n\
         panic({0x52bcc0?, 0x32af5c2ca060?})\n\t/usr/lib/go/src/runtime/panic.go:859 +0x125\nmain.(*Valve).open(...)\n\t/srv/tank/valve.go:8\nnet/http.HandlerFunc.ServeHTTP(0x1)\n\t/usr/local/go/src/net/http/server.go:2294 +0x29\n\
         created by main.run in goroutine 1\n\t/srv/tank/main.go:19 +0xf\n\ngoroutine 2 [select]:\nmain.other()\n\t/srv/tank/other.go:3 +0x1\nexit status 2\n",
        &[
            "panic: tank 7 dry | main.(*Valve).open@/srv/tank/valve.go:8 < ~net/http.HandlerFunc.ServeHTTP@/usr/local/go/src/net/http/server.go:2294",
            "go",
        ],
    );
    check(
        "panic: first\n\tpanic: second\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/tank/main.go:19 +0xf\n",
        &["panic: second | ", "panic: first | main.main@/srv/tank/main.go:19", "go"],
    );
    check(
        "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\ntank/internal/valve.Open()\n\t/home/u/go/src/example.com/tank/valve.go:4 +0x1\n",
        &[
            "fatal error: all goroutines are asleep - deadlock! | tank/internal/valve.Open@/home/u/go/src/example.com/tank/valve.go:4",
            "go",
        ],
    );
}

#[test]
fn rust_has_a_place_with_and_without_a_backtrace() {
    check(
        "\nthread 'pump' (1503) panicked at src/valve.rs:5:9:\nindex out of bounds: the len is 3\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
        &["panic: index out of bounds: the len is 3 | src/valve.rs:5", "thread pump"],
    );
    check(
        "thread 'main' panicked at 'tank 7, empty', src/valve.rs:5:9\n",
        &["panic: tank 7, empty | src/valve.rs:5", "thread main"],
    );
    check(
        "thread 'main' (7) panicked at src/valve.rs:5:9:\nassertion `left == right` failed: x\n  left: 3\n right: 4\nstack backtrace:\n   0: __rustc::rust_begin_unwind\n             at /rustc/9fc6/library/std/src/panicking.rs:652:5\n   \
         1: core::panicking::panic_fmt\n   2: tank[a1b2c3d4e5f60718]::valve::open\n             at ./src/valve.rs:5:9\n   3: tank::main::h0123456789abcdef\n   4: core::ops::function::FnOnce::call_once\n   5: std::rt::lang_start\n",
        &[
            "panic: assertion `left == right` failed: x | tank::valve::open@./src/valve.rs:5 < tank::main",
            "thread main",
        ],
    );
    check(
        "thread 'main' has overflowed its stack\nfatal runtime error: stack overflow, aborting\n",
        &["stack overflow: fatal runtime error: stack overflow, aborting | ", "thread main"],
    );
    check(
        "Error: cannot open\n\nCaused by:\n    0: no valve\n    1: file is gone (os error 2)\n\nStack backtrace:\n   0: anyhow::error::from\n   1: tank::open\n             at ./src/main.rs:3:4\n",
        &["Error: cannot open | ", ": no valve | ", ": file is gone (os error 2) | tank::open@./src/main.rs:3"],
    );
}

#[test]
fn frames_of_php_and_perl_have_the_place_of_what_they_call() {
    check(
        "[02-Jan-2026 03:04:05 UTC] PHP Fatal error:  Uncaught Tank\\Dry: pump 7 in /srv/pump.php:6\nStack trace:\n#0 /srv/valve.php(8): Tank\\check()\n#1 [internal function]: Valve->open(Array)\n#2 {main}\n\nNext Stuck: valve 7 in /srv/valve.php:8\n\
         Stack trace:\n#0 /srv/main.php(10): open()\n#1 {main}\n  thrown in /srv/valve.php on line 8\n",
        &[
            "Stuck: valve 7 | open@/srv/valve.php:8 < {main}@/srv/main.php:10",
            "Tank\\Dry: pump 7 | Tank\\check@/srv/pump.php:6 < Valve->open@/srv/valve.php:8 < ~{main}@[internal function]",
        ],
    );
    check(
        "PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in /srv/pump.php on line 5\n",
        &[
            "Fatal error: Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) | /srv/pump.php:5",
        ],
    );
    check(
        "production.ERROR: dry {\"exception\":\"[object] (Tank\\\\Dry(code: 0): pump 7 at /srv/pump.php:12)\n[stacktrace]\n#0 /srv/vendor/laravel/x.php(3): run()\n#1 {main}\n\"}\n",
        &["Tank\\\\Dry: pump 7 | run@/srv/pump.php:12 < ~{main}@/srv/vendor/laravel/x.php:3"],
    );
    check(
        "pump 7 dry at /srv/pump.pl line 5.\n\tmain::check(7) called at /srv/pump.pl line 9\n\tmain::run() called at /srv/pump.pl line 12\n",
        &[": pump 7 dry | main::check@/srv/pump.pl:5 < main::run@/srv/pump.pl:9"],
    );
}

#[test]
fn ruby_and_crystal_have_the_type_in_brackets() {
    check(
        "/srv/tank/valve.rb:5:in 'rescue in Valve#open': stuck (Tank::Stuck)\n\tfrom /srv/tank/valve.rb:2:in 'Valve#open'\n\tfrom /var/lib/gems/3.3.0/gems/rack-3/lib/rack.rb:3:in 'call'\n/srv/tank/valve.rb:3:in 'Integer#/': divided by 0 (ZeroDivisionError)\n\tfrom /srv/tank/valve.rb:3:in 'Valve#open'\n",
        &[
            "Tank::Stuck: stuck | rescue in Valve#open@/srv/tank/valve.rb:5 < Valve#open@/srv/tank/valve.rb:2 < ~call@/var/lib/gems/3.3.0/gems/rack-3/lib/rack.rb:3",
            "ZeroDivisionError: divided by 0 | Integer#/@/srv/tank/valve.rb:3 < Valve#open@/srv/tank/valve.rb:3",
        ],
    );
    check(
        "E, [2026-01-02T03:04:05.1 #8] ERROR -- tank: valve 7 (Stuck::Error)\nvalve.rb:7:in `open'\nvalve.rb:9:in `<main>'\n",
        &["Stuck::Error: valve 7 | open@valve.rb:7 < <main>@valve.rb:9"],
    );
    check(
        "Unhandled exception: valve 7 (Stuck)\n  from valve.cr:5:3 in 'open'\n  from /usr/lib/crystal/main.cr:129:5 in 'main'\n",
        &["Stuck: valve 7 | open@valve.cr:5 < ~main@/usr/lib/crystal/main.cr:129"],
    );
    check(
        "valve.rb:3: [BUG] Segmentation fault at 0x00\nruby 3.3.5 (2024-09-03 revision ef084cc8f4) [x86_64-linux]\n\n",
        &["[BUG]: Segmentation fault at 0x00 | valve.rb:3", "ruby 3.3.5"],
    );
}

#[test]
fn the_beam_writes_terms_and_texts() {
    check(
        "=ERROR REPORT==== 2-Jan-2026::03:04:05 ===\nError in process <0.83.0> with exit value:\n{badarith,[{erlang,'div',\n                   [81,0],\n                   [{error_info,#{module => erl_erts_errors}}]},\n           {tank,level,2,[{file,\"tank.erl\"},{line,8}]},\n           {tank,run,1,[{file,\"tank.erl\"},{line,3}]}]}\n",
        &["badarith:  | tank:level/2@tank.erl:8 < tank:run/1@tank.erl:3"],
    );
    check(
        "escript: exception error: an error occurred\n  in function  tank:level/2 (tank.erl, line 7)\n  in call from erl_eval:do_apply/7 (erl_eval.erl:750)\n",
        &["error: an error occurred | tank:level/2@tank.erl:7 < ~erl_eval:do_apply/7@erl_eval.erl:750"],
    );
    check(
        "** (Tank.DryError) pump 7\n    (tank 0.1.0) lib/pump.ex:8: Tank.Pump.open/2\n    (elixir 1.20.0) lib/enum.ex:1: Enum.map/2\n    tank.exs:12: (file)\n",
        &["Tank.DryError: pump 7 | Tank.Pump.open/2@lib/pump.ex:8 < ~Enum.map/2@deps/lib/enum.ex:1 < tank.exs:12"],
    );
}

#[test]
fn compiled_programs_say_type_place_and_stack() {
    check(
        "tank/valve.swift:5: Fatal error: valve 7\n\n*** Program crashed: Illegal instruction at 0x000055 ***\n\nThread 0 \"tank\" crashed:\n\n0 [system] 0x00007f01 _assertionFailure(_:) + 100 in libswiftCore.so\n1 0x000055d0 open(_:) + 123 in tank at /srv/tank/valve.swift:5:9\n",
        &["Fatal error: valve 7 | ~_assertionFailure@/usr/lib/ < open@/srv/tank/valve.swift:5"],
    );
    check(
        "Fatal error: exception Tank.Dry(7, \"x\")\nRaised at Tank.check in file \"tank.ml\", line 5, characters 29-67\nCalled from Stdlib__List.iter in file \"list.ml\", line 110, characters 12-15\n",
        &["Tank.Dry: 7, \"x\" | Tank.check@tank.ml:5 < ~Stdlib__List.iter@list.ml:110"],
    );
    check(
        "tank: Uncaught exception ghc-internal:GHC.Internal.Exception.ErrorCall:\n\nvalve 7\n\nHasCallStack backtrace:\n  error, called at app/Main.hs:5:9 in main:Main\n  open, called at app/Main.hs:9:3 in main:Main\n",
        &["GHC.Internal.Exception.ErrorCall: valve 7 | open@app/Main.hs:5 < Main@app/Main.hs:9"],
    );
    check(
        "/srv/tank.nim(12) run\n/srv/tank.nim(5) open\n/usr/lib/nim/system/fatal.nim(53) sysFatal\nError: unhandled exception: index 7 not in 0 .. 2 [IndexDefect]\n",
        &[
            "IndexDefect: index 7 not in 0 .. 2 | ~sysFatal@/usr/lib/nim/system/fatal.nim:53 < open@/srv/tank.nim:5 < run@/srv/tank.nim:12",
        ],
    );
    check(
        "thread 1503 panic: index out of bounds: index 7, len 3\n/srv/tank.zig:5:12: 0x103a2b5 in open (tank)\n    return list[i];\n           ^\n/usr/lib/zig/std/start.zig:511:22: 0x103 in main (tank)\n",
        &["panic: index out of bounds: index 7, len 3 | open@/srv/tank.zig:5 < ~main@/usr/lib/zig/std/start.zig:511"],
    );
    check(
        "core.exception.ArrayIndexError@tank.d(5): index [7] is out of bounds\n----------------\n??:? onArrayIndexError [0x55d0]\ntank.d:5 int tank.open(int) [0x55d1]\ntank.d:9 _Dmain [0x55d2]\n",
        &[
            "core.exception.ArrayIndexError: index [7] is out of bounds | ~onArrayIndexError@??:? < tank.open@tank.d:5 < ~_Dmain@tank.d:9",
        ],
    );
    check(
        "terminate called after throwing an instance of 'std::out_of_range'\n  what():  vector::_M_range_check: 7\n",
        &["std::out_of_range: vector::_M_range_check: 7 | "],
    );
    check(
        "==28586==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x7b22 at pc 0x5647\nREAD of size 4 at 0x7b22 thread T0\n    #0 0x5647f23cc203 in open(int) /srv/tank.cc:6:3\n    #1 0x7f in __libc_start_main (/lib/x86_64-linux-gnu/libc.so.6+0x29d8f)\n\n0x7b22 is located 0 bytes after 12-byte region\nallocated by thread T0 here:\n    #0 0x55 in malloc (/srv/tank+0x1)\n    #1 0x55 in make /srv/tank.cc:2\n",
        &["heap-buffer-overflow: on address 0x7b22 at pc 0x5647 | open@/srv/tank.cc:6"],
    );
    check("tank: tank.c:5: open: Assertion `n < 3' failed.\n", &["Assertion: `n < 3' failed. | tank.c:5"]);
    check(
        "At line 5 of file tank.f90\nFortran runtime error: Index '7' above upper bound\n\nError termination. Backtrace:\n#0  0x55d0 in open\n\tat /srv/tank.f90:5\n#1  0x55d1 in MAIN__\n\tat /srv/tank.f90:9\n",
        &["Fortran runtime error: Index '7' above upper bound | open@/srv/tank.f90:5 < MAIN__@/srv/tank.f90:9"],
    );
}

#[test]
fn smaller_languages_have_frames_too() {
    check(
        "lua: tank.lua:5: valve 7\nstack traceback:\n\t[C]: in function 'error'\n\ttank.lua:5: in upvalue 'open'\n\ttank.lua:9: in main chunk\n\t[C]: in ?\n",
        &["error: valve 7 | open@tank.lua:5 < chunk@tank.lua:9"],
    );
    check(
        "Error in open(7) : valve 7\nCalls: run -> open -> stop\nExecution halted\n",
        &["Error: valve 7 | ~stop < open < run"],
    );
    check(
        "Unhandled SIMPLE-ERROR in thread #<SB-THREAD:THREAD tid=1503 \"main thread\" RUNNING {1001}>:\n  valve 7\n\nBacktrace for: #<SB-THREAD:THREAD>\n0: (SB-DEBUG::DEBUGGER-DISABLED-HOOK #<SIMPLE-ERROR {1}> :QUIT T)\n\
         1: (ERROR \"valve ~a\" 7)\n2: (OPEN-VALVE 7)\n3: ((LAMBDA (X) :IN RUN) 7)\n4: (SB-EXT:EVAL-TLF (RUN))\n",
        &["SIMPLE-ERROR: valve 7 | OPEN-VALVE < RUN", "thread main thread"],
    );
    check(
        "Backtrace:\nIn ice-9/boot-9.scm:\n  1752:10  2 (with-exception-handler _ _)\nIn tank.scm:\n      9:2  1 (run)\n      5:2  0 (open 7)\n\ntank.scm:5:2: In procedure open:\nvalve 7\n",
        &["error: valve 7 | open@tank.scm:5 < run@tank.scm:9 < ~with-exception-handler@ice-9/boot-9.scm:1752"],
    );
    check(
        "valve 7\n    while executing\n\"error x\"\n    (procedure \"open\" line 2)\n    invoked from within\n\"open 7\"\n    (file \"tank.tcl\" line 9)\n",
        &["error: valve 7 | open < tank.tcl:9"],
    );
    check(
        "Error: (car) bad argument type: 7\n\n\tCall history:\n\n\ttank.scm:9: run\t  \n\ttank.scm:5: chicken.base#error\t  \t<--\n",
        &["Error: (car) bad argument type: 7 | ~chicken.base#error@tank.scm:5 < run@tank.scm:9"],
    );
    check(
        "File \"tank.py\", line 9, in <module>\n    8    x\n--> 9    open(7)\n\nFile \"tank.py\", line 5, in open\n--> 5        return d[n]\n\nKeyError: 7",
        &["KeyError: 7 | open@tank.py:5 < <module>@tank.py:9"],
    );
    check("*** - valve 7\n", &["error: valve 7 | "]);
    check(
        "Dry: valve 7\n     open at tank.rb:3\n  <main> at tank.rb:5\n",
        &["Dry: valve 7 | open@tank.rb:3 < <main>@tank.rb:5"],
    );
    check(
        "(gjs:7): Gjs-CRITICAL **: 06:47:13.514: JS ERROR: TypeError: valve 7\nopen@tank.js:2:9\n@tank.js:5:1\n",
        &["TypeError: valve 7 | open@tank.js:2 < tank.js:5"],
    );
    check("trace (most recent call last):\n\t[1] tank.rb:5\ntank.rb:3:in open: valve 7 (Dry)\n", &["Dry: valve 7 | "]);
    check("valve 7\ntank.pike:5: /main()->open(7)\n", &[":  | open@tank.pike:5"]);
    check(
        "----- Native stack trace -----\n\n 1: 0xf50bdf v8::internal::Builtin_HandleApiCall(int) [node]\n\n----- JavaScript stack trace -----\n\n1: open (/srv/tank.js:1:25)\n2: Module._compile (node:internal/modules/cjs/loader:1521:14)\n",
        &[":  | open@/srv/tank.js:1 < ~Module._compile@node:internal/modules/cjs/loader:1521"],
    );
}

#[test]
fn what_is_no_trace_has_none() {
    for text in [
        "connect to db-7 failed: timeout",
        "java.lang.IllegalStateException: order 17 is closed",
        "failed at 12:30 (twice)\nat noon the server was away",
        "",
        "at home\nat work\nat sea",
        "  File is\n  File was",
        "1: first\n2: second\n3: (third)",
        "#1 fix the tap in main\n#2 see issue at hand",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "SELECT *\n  FROM pumps\n WHERE id = 7",
        "bad yaml\n  at line 5 column 3",
        "3 apples + 4 in all\n5 pears + 6 more",
        "name: x\nlist:\n  - a: 1\n  - b: (c)",
        "GET /a.rb:3 HTTP/1.1\nHost: x",
        "{\n  \"a\": 1\n}",
        "panic is no option\nkeep calm",
        "error: nothing\nfound",
    ] {
        check(text, &[]);
    }
}

#[test]
fn long_and_hostile_texts_are_read_in_bounds() {
    let deep = "\tat a.B.call(B.java:1)\n".repeat(100_000);
    let trace = read(&format!("a.BadError: x\n{deep}")).expect("a trace");
    assert!(trace.exceptions[0].frames.len() <= HEAD_LINES_MAX + TAIL_LINES_MAX);
    let python = "  File \"/srv/a.py\", line 1, in f\n".repeat(100_000);
    let trace = read(&format!("Traceback (most recent call last):\n{python}Lost: x\n")).expect("a trace");
    assert_eq!(trace.exceptions[0].kind, "Lost");
    let causes = "Caused by: a.BadError: x\n\tat a.B.c(B.java:1)\n\t... 900 more\n".repeat(5_000);
    assert!(read(&causes).is_some_and(|trace| trace.exceptions.len() <= 40));
    for hostile in [
        "\u{1b}[",
        "at (((((((",
        "#0 0x",
        "thread '",
        "Traceback (most recent call last)\n  + \n  +-",
        "{file,",
        "\u{1b}[é\n\tat é(é:1:1)",
    ] {
        read(&hostile.repeat(3));
        read(&format!("{hostile}\n").repeat(2_000));
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in "(?s).{0,400}") {
        read(&text);
    }

    #[test]
    fn any_mixture_of_signs_is_read(parts in proptest::collection::vec(0usize..24, 0..40)) {
        const SIGNS: [&str; 24] = [
            "Traceback (most recent call last):\n", "  File \"a.py\", line 1, in f\n", "E: x\n", "  + Exception Group Traceback (most recent call last):\n", "  +-+---- 1 ----\n", "    | ",
            "\tat a.B.c(B.java:1)\n", "Caused by: ", "\t... 9 more\n", "Suppressed: x\n", "panic: x\n", "goroutine 1 [running]:\n", "m.f()\n\t/a.go:1\n", "Next A: b in /c.php:1\n",
            "#0 /a.php(1): f()\n", "--- End of inner exception stack trace ---\n", " ---> X.Y: z\n", "[errors]: [\n", "Caused by:\n", "a.rb:1:in 'f': x (E)\n", "Calls: a -> b\n", "/a.js:1\n", "^\n", "{a,b,1,[{file,\"x\"},{line,1}]}",
        ];
        let text: String = parts.iter().map(|part| SIGNS[*part]).collect();
        read(&text);
    }
}

/// The fields that an event has of an exception, as JSON.
fn fields(line: &str, own: &[(&str, &str)]) -> serde_json::Value {
    let limits = types::Limits::default();
    let received = crate::ArrivalContext {
        at: types::Timestamp(0),
        modified: None,
        previous: None,
        zone: crate::Zone::UTC,
        limits: &limits,
    };
    let mut builder = types::BatchBuilder::new();
    let own: Vec<_> = own.iter().map(|(name, value)| ((*name).into(), types::Value::text(*value))).collect();
    crate::EventParser::new(received).text(
        line.as_bytes(),
        &crate::Extras { fields: &own, ..Default::default() },
        &mut builder,
    );
    let batch = builder.finish();
    let value = |name: &str| {
        let mut json = String::new();
        batch.field(name).value(0)?.write_json(&mut json);
        serde_json::from_str::<serde_json::Value>(&json).ok()
    };
    FIELDS
        .iter()
        .filter(|name| **name != "exception.stacktrace")
        .filter_map(|name| Some(((*name).to_owned(), value(name)?)))
        .collect()
}

#[test]
fn events_have_what_was_read_by_the_names_of_opentelemetry() {
    let jvm = "Exception in thread \"main\" tank.Stuck: valve 7\n\tat tank.Valve.open(Valve.java:16)\nCaused by: tank.Dry: x\n\tat tank.Pump.run(Pump.java:3)\n\t... 1 more";
    let expected = serde_json::json!({
        "exception.type": "tank.Stuck", "exception.message": "valve 7", "exception.causes": ["tank.Dry"], "code.function.name": "tank.Pump.run",
        "code.file.path": "Pump.java", "code.line.number": 3, "thread.name": "main",
    });
    assert_eq!(fields(jvm, &[]), expected);
    // A sender's own fields stay, and so do those of a record that has the trace.
    let own = fields(jvm, &[("exception.type", "Mine"), ("thread.name", "t")]);
    assert_eq!(
        (&own["exception.type"], &own["thread.name"], &own["code.line.number"]),
        (&"Mine".into(), &"t".into(), &3.into())
    );
    for key in ["stack", "exc_info", "exception.stacktrace", "stack_trace", "msg"] {
        let record = serde_json::json!({"level": "error", "code.line.number": 5, key: jvm});
        let read = fields(&record.to_string(), &[]);
        assert_eq!((&read["exception.type"], &read["code.line.number"]), (&"tank.Stuck".into(), &5.into()), "{key}");
    }
    let nested = serde_json::json!({"msg": "x", "err": {"stack": "Stuck: valve 7\n    at open (/srv/valve.js:3:9)"}});
    assert_eq!(fields(&nested.to_string(), &[])["code.file.path"], "/srv/valve.js");
    assert_eq!(fields("one line at a.b.C(C.java:3)", &[]), serde_json::json!({}));
}

#[test]
fn the_trace_of_a_text_is_shown_from_its_message() {
    let limits = types::Limits::default();
    let received = crate::ArrivalContext {
        at: types::Timestamp(0),
        modified: None,
        previous: None,
        zone: crate::Zone::UTC,
        limits: &limits,
    };
    let mut builder = types::BatchBuilder::new();
    crate::EventParser::new(received).text(
        b"tank.Dry: x\n\tat tank.Pump.run(Pump.java:3)",
        &crate::Extras::default(),
        &mut builder,
    );
    let batch = builder.finish();
    assert_eq!(batch.origins[0].text_key.as_deref(), Some("exception.stacktrace"));
    assert!(batch.fields.iter().all(|(name, _)| &**name != "exception.stacktrace"));
}

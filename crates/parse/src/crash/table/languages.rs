//! Crash reports of interpreters and managed runtimes.

use types::Level;

use crate::crash::report::{Next, PLAIN, Report};

pub(super) const REPORTS: &[Report] = &[
    // Python 3: uncaught, of a thread or a task, groups, syntax errors.
    Report {
        starts: &[
            "Traceback (most recent call last)",
            "Exception in thread @ (most recent call last)",
            "--- Logging error ---",
            "@RemoteTraceback:",
        ],
        goes_on: &[
            "\"\"\"",
            "Call stack:",
            "Message: ",
            "Arguments: ",
            "[SQL: ",
            "[parameters: ",
            "(Background on this error at: ",
            "Traceback (most recent call last)",
            "> File \"",
            "--- <exception caught here> ---",
            "During handling of the above exception",
            "The above exception was the direct cause",
        ],
        next: Next::Exception,
        ..PLAIN
    },
    Report {
        starts: &["File \"%\", line ~, in "],
        confirms: &["  "],
        goes_on: &["File \"", "--> "],
        next: Next::Exception,
        ..PLAIN
    },
    Report {
        starts: &["  + Exception Group Traceback"],
        goes_on: &["During handling of", "The above exception"],
        ..PLAIN
    },
    Report {
        starts: &[
            "Task exception was never retrieved",
            "Unhandled error in Deferred:",
            "Exception ignored in",
            "Exception in callback",
            "Unhandled exception in event loop",
            "Exception in thread Thread-",
            "Task was destroyed but it is pending",
            "Future exception was never retrieved",
        ],
        goes_on: &[
            "future: ",
            "task: ",
            "handle: ",
            "message: ",
            "Traceback (most recent call last)",
            "During handling of",
            "The above",
        ],
        next: Next::Exception,
        is_survived: true,
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["Fatal Python error: "],
        goes_on: &[
            "Python runtime state",
            "Current thread 0x",
            "Thread 0x",
            "Current thread's C stack",
            "Extension modules:",
            "Binary file",
            "<truncated",
            "Stack (most recent call first)",
            "Traceback (most",
            "Garbage-collecting",
        ],
        ..PLAIN
    },
    Report {
        starts: &["Exception in thread @:$"],
        confirms: &["Traceback (most recent call last)"],
        goes_on: &["Traceback (most recent call last)", "During handling of", "The above exception"],
        next: Next::Exception,
        ..PLAIN
    },
    // Node, Bun, Deno.
    Report {
        starts: &[
            "@.js:~$",
            "@.mjs:~$",
            "@.cjs:~$",
            "@.ts:~$",
            "@.mts:~$",
            "@.tsx:~$",
            "node:internal/@:~$",
            "node:@:~$",
            "Uncaught:$",
            "[eval]:~$",
            "evalmachine.<anonymous>:~$",
        ],
        confirms: &["%"],
        goes_on: &["^", "}", "]", "[cause]", "[errors]", "Thrown at:", "(Use `node ", "Emitted 'error' event"],
        ends: &["Node.js v~"],
        n_free: 8,
        ..PLAIN
    },
    Report {
        level: Level::Warn,
        starts: &["(node:~) [DEP", "(node:~) %Warning: "],
        goes_on: &["(Use `node "],
        is_survived: true,
        ..PLAIN
    },
    Report {
        starts: &["error: Uncaught", "error\u{1b}[0m: Uncaught", "error: Top-level await"],
        goes_on: &["Caused by: ", "throw ", "}", "^", "at "],
        ..PLAIN
    },
    Report {
        starts: &["~ | %", "~~ | %"],
        goes_on: &["~ | ", "~~ | ", "^", "error: ", "Bun v", "at ", "@Error: "],
        ends: &["Bun v~"],
        n_free: 1,
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["<--- Last few GCs --->", "FATAL ERROR: "],
        goes_on: &[
            "<--- JS stacktrace",
            "FATAL ERROR: ",
            "[~:0x",
            "----- Native stack trace",
            "~ ",
            "Aborted",
            "~: 0x",
        ],
        n_free: 0,
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["----- Native stack trace -----"],
        goes_on: &["----- JavaScript stack trace", "~: "],
        ..PLAIN
    },
    // Go.
    Report {
        level: Level::Fatal,
        starts: &[
            "panic: ",
            "fatal error: ",
            "runtime: goroutine stack exceeds",
            "unexpected fault address 0x",
            "SIGSEGV: ",
            "SIGABRT: ",
            "SIGQUIT: quit",
        ],
        goes_on: &[
            "goroutine ",
            "[signal ",
            "[recovered",
            "panic: ",
            "fatal error: ",
            "runtime: ",
            "runtime stack:",
            "created by ",
            "...additional frames",
            "@(0x",
            "@(...)",
            "@()",
            "@({0x",
            "@(",
            "r% 0x",
            "e% 0x",
            "cs % 0x",
            "fs % 0x",
            "gs % 0x",
            "signal arrived",
            "PC=",
            "m=",
            "sp=",
            "stack: frame=",
            "goexit",
            "[originating from",
            "(0x",
            "lr 0x",
            "pc 0x",
            "fault 0x",
            "[stack",
        ],
        ends: &["exit status ~"],
        ..PLAIN
    },
    Report {
        starts: &["goroutine ~ ["],
        goes_on: &["goroutine ", "created by ", "@(", "...additional frames"],
        is_survived: true,
        ..PLAIN
    },
    // Rust.
    Report {
        starts: &["thread '%' % panicked at ", "thread '%' panicked at ", "thread <unnamed> panicked at "],
        goes_on: &[
            "stack backtrace:",
            "thread '%' panicked",
            "thread '%' % panicked",
            "note: assertion",
            " left: ",
            "right: ",
            "left: ",
        ],
        ends: &[
            "note: Some details are omitted",
            "note: run with",
            "fatal runtime error: ",
            "Aborted",
            "thread caused non-unwinding panic",
        ],
        n_free: 3,
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &[
            "thread '%' has overflowed its stack",
            "thread '%' (~) has overflowed its stack",
            "memory allocation of ~ bytes failed",
            "fatal runtime error: ",
        ],
        goes_on: &["fatal runtime error: ", "stack backtrace:"],
        ends: &["Aborted"],
        ..PLAIN
    },
    // Java, Kotlin, Scala, Clojure, Groovy.
    Report {
        starts: &[
            "Exception in thread \"",
            "Uncaught exception ",
            "Execution error ",
            "Error occurred during initialization",
            "Error: A JNI error",
            "Error: Unable to initialize main class",
            "Syntax error (",
            "Syntax error macroexpanding",
            "Exception in Application ",
            "Unhandled Java exception: ",
        ],
        goes_on: &[
            "Caused by: ",
            "Suppressed: ",
            "... ",
            "at ",
            "Full report at:",
            "/tmp/",
            "\tat ",
            "[CIRCULAR REFERENCE",
            "java.",
            "#error",
        ],
        n_free: 1,
        ..PLAIN
    },
    Report { level: Level::Fatal, starts: &["Exception: java.lang.OutOfMemoryError thrown"], ..PLAIN },
    Report {
        level: Level::Fatal,
        starts: &["# A fatal error has been detected", "#$", "java.lang.OutOfMemoryError"],
        confirms: &["# A fatal error", "# There is insufficient", "Dumping heap", "\tat "],
        goes_on: &["#", "[error occurred", "[thread ", "Dumping heap", "Heap dump file", "[~.~s][warning]"],
        ends: &["Aborted"],
        ..PLAIN
    },
    // PHP.
    Report {
        starts: &["PHP Fatal error:  Uncaught ", "PHP Fatal error: Uncaught ", "Fatal error: Uncaught "],
        goes_on: PHP_TRACE,
        n_free: 2,
        ..PLAIN
    },
    Report {
        starts: &[
            "PHP Fatal error: ",
            "Fatal error: Allowed memory",
            "PHP Parse error: ",
            "PHP Recoverable fatal error: ",
            "Parse error: ",
        ],
        goes_on: PHP_TRACE,
        ..PLAIN
    },
    Report {
        level: Level::Warn,
        starts: &["PHP Warning: ", "PHP Notice: ", "PHP Deprecated: "],
        goes_on: PHP_TRACE,
        ..PLAIN
    },
    // Ruby.
    // mruby writes the innermost frame last.
    Report { starts: &["trace (most recent call last):"], goes_on: &["@:~:in "], ..PLAIN },
    Report {
        starts: &["@.rb:~:in ", "-e:~:in ", "@.ru:~:in "],
        goes_on: &["@:~:in ", "from ", "==>", "<internal:"],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["@: [BUG] "],
        goes_on: &[
            "ruby ~",
            "-- ",
            "c:~",
            "[NOTE]",
            "You may have",
            "Don't forget",
            "@:~:in ",
            "<internal:",
            "See ",
            "For details",
            "* ",
            "@(",
            "/",
        ],
        ..PLAIN
    },
    // Erlang, Elixir.
    Report {
        starts: &["=CRASH REPORT====", "=SUPERVISOR REPORT====", "=ERROR REPORT===="],
        goes_on: &["Error in process", "** ", "{", "}", "[", "]", "inet_config:", "Offender", "Reason"],
        n_free: 1,
        is_survived: true,
        ..PLAIN
    },
    Report {
        starts: &[
            "** (",
            "** exception ",
            "escript: exception ",
            "init terminating in do_boot",
            "{\"init terminating in do_boot\"",
            "Runtime terminating during boot",
            "Kernel pid terminated",
            "Crash dump is being written",
        ],
        goes_on: &[
            "Crash dump is being written",
            "** (",
            "in function ",
            "in call from",
            "done",
            "Kernel pid terminated",
            "({",
        ],
        ..PLAIN
    },
    // .NET, Mono.
    Report {
        starts: &[
            "Unhandled exception. ",
            "Unhandled Exception:",
            "[ERROR] FATAL UNHANDLED EXCEPTION",
            "Unhandled exception at ",
            "Process terminated. ",
        ],
        goes_on: &["--- End of ", "---> ", "[ERROR] FATAL UNHANDLED", "at ", "@Exception: ", "---"],
        n_free: 1,
        ends: &["Aborted"],
        ..PLAIN
    },
    // Swift.
    Report {
        level: Level::Fatal,
        starts: &[
            "Fatal error: ",
            "@.swift:~: Fatal error: ",
            "Swift/@: Fatal error: ",
            "*** Swift runtime failure",
            "💣 Program crashed",
            "*** Program crashed",
            "*** Signal ~: ",
        ],
        goes_on: SWIFT,
        ends: &["Backtrace took "],
        ..PLAIN
    },
    // OCaml, Haskell.
    Report {
        starts: &["Fatal error: exception "],
        goes_on: &["Raised at ", "Raised by ", "Re-raised at ", "Called from "],
        ..PLAIN
    },
    Report {
        starts: &[
            "@: Prelude.",
            "@: Uncaught exception ",
            "@: Non-exhaustive",
            "@.hs:~:~%: Non-exhaustive",
            "@: Maybe.fromJust",
        ],
        goes_on: &["CallStack (from HasCallStack)", "HasCallStack backtrace", "While handling"],
        n_free: 1,
        ..PLAIN
    },
    // Crystal, Nim, D, Zig.
    Report { starts: &["Unhandled exception:$"], goes_on: &["#", "<asynchronous suspension>"], n_free: 1, ..PLAIN },
    Report {
        starts: &["Caught: "],
        confirms: &["@Exception", "@Error", "\tat "],
        goes_on: &["Caused by: ", "@Exception: ", "@Error: "],
        ..PLAIN
    },
    Report { starts: &["Unhandled exception: "], goes_on: &["Caused by: ", "from ", "Unhandled exception"], ..PLAIN },
    Report {
        starts: &["Traceback (most recent call last)$", "Error: unhandled exception: ", "@.nim(~) "],
        goes_on: &["@.nim(~)", "[[reraised from:", "]]"],
        ends: &["Error: unhandled exception: "],
        ..PLAIN
    },
    Report {
        starts: &["core.exception.@", "object.Exception@", "object.Error@"],
        goes_on: &["----------------", "??:? ", "@.d:~ ", "/usr/"],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &[
            "thread ~ panic: ",
            "panic: reached unreachable",
            "General protection exception",
            "Segmentation fault at address",
            "error: @$",
        ],
        confirms: &["@.zig:", "%.zig:", "/"],
        goes_on: &["@.zig:~:~", "???:?:?", "aborting due to", "Unwind ", "^", "@: 0x"],
        ends: &["Aborted"],
        n_free: 0,
        ..PLAIN
    },
];

const PHP_TRACE: &[&str] = &["Stack trace:", "#", "Next ", "PHP Stack trace:", "PHP   #", "{main}", "thrown in "];

const SWIFT: &[&str] = &[
    "Thread ~ ",
    "Current stack trace:",
    "~ ",
    "Registers:",
    "Images ",
    "Crash",
    "r@ 0x",
    "[ra]",
    "Press space",
    "*** Signal ",
    "*** Swift",
    "Illegal instruction",
    "Trace/breakpoint trap",
    "x~ 0x",
    "0x",
    "*** Program crashed",
    "💣",
];

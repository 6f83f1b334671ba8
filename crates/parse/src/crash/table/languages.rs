//! Crash reports of managed runtimes and of compiled languages with runtimes of their own.

use types::Level;

use crate::crash::report::{Again, PLAIN, Report};

pub(super) const REPORTS: &[Report] = &[
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
            "...~ frames elided",
        ],
        ends: &["exit status ~"],
        again: Again::BehindFrames,
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
        goes_on: &["fatal runtime error: ", "stack backtrace:", "note: run with"],
        ends: &["Aborted"],
        ..PLAIN
    },
    Report { starts: &["panicked at @:~:~:$"], n_free: 1, ..PLAIN },
    Report {
        starts: &["Error:$", "Error: $"],
        confirms: &["   0: "],
        goes_on: &["Location:", "Caused by:", "Backtrace omitted", "Run with ", "Stack backtrace:"],
        ..PLAIN
    },
    // Java, Kotlin, Scala, Clojure, Groovy.
    Report {
        starts: &[
            "Error: Main method not found ",
            "Error: Could not find or load main class ",
            "Error: LinkageError occurred while loading main class ",
            "Unrecognized VM option ",
        ],
        goes_on: &[
            "Caused by: ",
            "or a JavaFX application",
            "Did you mean ",
            "Error: Could not create",
            "Error: A fatal",
        ],
        ..PLAIN
    },
    Report {
        starts: &[
            "Exception in thread \"",
            "Uncaught exception ",
            "Execution error ",
            "Error occurred during initialization",
            "Error: A JNI error",
            "Error: Unable to initialize main class",
            "Syntax error (",
            "Syntax error compiling ",
            "Syntax error macroexpanding",
            "Syntax error reading source at (",
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
        n_free: 8,
        again: Again::BehindFrames,
        ..PLAIN
    },
    // Spring shows it in a box.
    Report {
        starts: &["APPLICATION FAILED TO START$"],
        goes_on: &["*****", "Description:", "Action:"],
        n_free: 6,
        follows: true,
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &[
            "Exception: @ thrown from the UncaughtExceptionHandler",
            "Aborting due to java.lang.OutOfMemoryError",
            "Terminating due to java.lang.OutOfMemoryError",
        ],
        goes_on: &["#"],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["# A fatal error has been detected", "#$", "java.lang.OutOfMemoryError"],
        confirms: &["# A fatal error", "# There is insufficient", "Dumping heap", "\tat "],
        goes_on: &[
            "#",
            "[error occurred",
            "[thread ",
            "Dumping heap",
            "Heap dump file",
            "[~.~s][warning]",
            "Exception in thread \"",
            "Exception: java.lang.OutOfMemoryError",
            "Terminating due to java.lang.OutOf",
            "Aborting due to java.lang.OutOf",
        ],
        ends: &["Aborted"],
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
            "Error! Failed to eval: ",
            "{error,@,[{",
            "@.escript:~:~: syntax error",
            "No file named @.exs$",
        ],
        goes_on: &[
            "Crash dump is being written",
            "** (",
            "in function ",
            "in call from",
            "done",
            "Kernel pid terminated",
            "Runtime terminating",
            "escript: There were",
            "({",
        ],
        n_free: 4,
        ..PLAIN
    },
    Report { starts: &["Crash dump is being written"], goes_on: &["done"], follows: true, ..PLAIN },
    Report {
        level: Level::Warn,
        starts: &["@.escript:~:~: Warning: ", "@.erl:~:~: Warning: "],
        goes_on: &["%    ~|", "% "],
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
            "Cannot open assembly '",
            "CLR: Managed code called FailFast",
        ],
        goes_on: &["--- End of ", "---> ", "[ERROR] FATAL UNHANDLED", "at ", "@Exception: ", "---", "====="],
        n_free: 4,
        ends: &["Aborted"],
        ..PLAIN
    },
    // Swift.
    Report {
        level: Level::Fatal,
        starts: &[
            "Fatal error: ",
            "@.swift:~: Fatal error: ",
            "@.swift:~: Precondition failed",
            "@.swift:~: Assertion failed",
            "Swift/@: Fatal error: ",
            "*** Swift runtime failure",
            "💣 Program crashed",
            "*** Program crashed",
            "*** Signal ~: ",
            "Could not cast value of type '",
        ],
        goes_on: SWIFT,
        ends: &["Backtrace took "],
        ..PLAIN
    },
    // OCaml, Haskell.
    Report {
        starts: &["File \"%\", line ~, characters ~-~:$", "File \"%\", lines ~-~, characters ~-~:$"],
        confirms: &["~ |", "Error: "],
        goes_on: &["~ |", "^", "Error: ", "Hint: "],
        ..PLAIN
    },
    Report {
        starts: &["Fatal error: exception "],
        goes_on: &["Raised at ", "Raised by ", "Re-raised at ", "Called from "],
        ..PLAIN
    },
    Report {
        starts: &[
            "@: Prelude.",
            "@: Uncaught exception ",
            "@.hs:~:~: error",
            "@: Non-exhaustive",
            "@.hs:~:~%: Non-exhaustive",
            "@: Maybe.fromJust",
            "@: divide by zero$",
            "@: arithmetic overflow$",
            "@: <<loop>>$",
            "@: thread blocked indefinitely in ",
            "@: Stack space overflow: ",
            "@: Heap exhausted",
        ],
        goes_on: &["CallStack (from HasCallStack)", "HasCallStack backtrace", "While handling", "@: Use `+RTS"],
        n_free: 1,
        ..PLAIN
    },
    // Crystal, Nim, D, Zig.
    Report {
        starts: &["Showing last frame. Use --error-trace"],
        goes_on: &["In @:~:~", "Error: ", "Overloads are:", " - ", "^"],
        ..PLAIN
    },
    Report { starts: &["@.nim(~, ~) Error: "], ..PLAIN },
    Report { starts: &["Unhandled exception:$"], goes_on: &["#", "<asynchronous suspension>"], n_free: 1, ..PLAIN },
    Report {
        starts: &["Caught: "],
        confirms: &["@Exception", "@Error", "\tat "],
        goes_on: &["Caused by: ", "@Exception: ", "@Error: "],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["Invalid memory access (signal ~) at ", "Stack overflow (e.g., infinite or very deep recursion)"],
        goes_on: &["[0x"],
        ..PLAIN
    },
    Report {
        starts: &["Unhandled exception: ", "Unhandled exception in spawn: "],
        goes_on: &["Caused by: ", "from ", "Unhandled exception"],
        ..PLAIN
    },
    Report {
        starts: &["Traceback (most recent call last)$", "Error: unhandled exception: ", "@.nim(~) ", "fatal.nim(~)"],
        goes_on: &["@.nim(~)", "@.nim ", "SIGSEGV: ", "(~ calls omitted)", "[[reraised from:", "]]"],
        ends: &["Error: unhandled exception: "],
        ..PLAIN
    },
    Report {
        starts: &["core.exception.@", "object.Exception@", "object.Error@", "@Exception@.d(~)", "@Error@.d(~)"],
        goes_on: &["----------------", "??:? ", "@.d:~ ", "/usr/"],
        n_free: 3,
        ..PLAIN
    },
    Report {
        starts: &["@.d(~): "],
        confirms: &["----------------"],
        goes_on: &["----------------", "??:? ", "@.d:~ ", "/usr/"],
        ..PLAIN
    },
    Report {
        starts: &["@.zig:~:~: error: "],
        goes_on: &["@.zig:~:~: ", "^", "referenced by:", "error: "],
        quotes: &["@.zig:~:~: "],
        n_free: 1,
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
        quotes: &["@.zig:~:~: "],
        goes_on: &["@.zig:~:~", "???:?:?", "aborting due to", "Unwind ", "^", "@: 0x"],
        ends: &["Aborted"],
        n_free: 0,
        ..PLAIN
    },
];

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
    "Platform: ",
    "...",
    "rflags ",
    "cs 0x",
];

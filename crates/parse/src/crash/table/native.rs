//! Reports of native programs, of languages that few write, and of servers.

use types::Level;

use crate::crash::report::{Again, Next, PLAIN, Report};

pub(super) const REPORTS: &[Report] = &[
    // C and C++: the library, the sanitizers, assertions.
    Report {
        level: Level::Fatal,
        starts: &["terminate called after ", "terminate called without ", "libc++abi: "],
        goes_on: &["terminate called recursively", "/"],
        ends: &["Aborted", "@: line ~: "],
        n_free: 3,
        again: Again::Anywhere,
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &[
            "*** stack smashing detected",
            "*** buffer overflow detected",
            "*** Error in `",
            "double free or corruption",
            "free(): ",
            "malloc(): ",
            "malloc_consolidate(): ",
            "corrupted size vs. prev",
            "munmap_chunk(): ",
            "realloc(): invalid",
            "pure virtual method called",
            "Aborted (core dumped)",
            "Segmentation fault (core dumped)",
            "Aborted$",
            "Segmentation fault$",
            "Illegal instruction$",
            "Bus error$",
            "*** SIG",
            "*** Aborted at ",
        ],
        goes_on: &["terminate called ", "======= ", "/", "~-", "@ 0x", "PC: @", "*** SIG", "*** Signal ~ ("],
        ends: &["Aborted", "Segmentation fault"],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &[
            "@:~: %: Assertion '",
            "@: @:~: %: Assertion `",
            "@: @:~: %Assertion \"",
            "Assertion failed: ",
            "assertion failed: ",
        ],
        ends: &["Aborted", "@: line ~: "],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &[
            "==================",
            "==~==ERROR: ",
            "==~==WARNING: ",
            "WARNING: ThreadSanitizer",
            "ThreadSanitizer:DEADLYSIGNAL",
            "AddressSanitizer:DEADLYSIGNAL",
            "UndefinedBehaviorSanitizer:DEADLYSIGNAL",
            "MemorySanitizer:DEADLYSIGNAL",
        ],
        confirms: &["==~==ERROR: ", "==~==WARNING: ", "WARNING: @Sanitizer", "    #", "=====", "\tNative Crash"],
        goes_on: &[
            "Got a SIG",
            "a fatal error in the mono",
            "used by your application",
            "Memory around native",
            "0x@  ~ ",
            "==~==",
            "=====",
            "READ of size",
            "WRITE of size",
            "0x@ is located",
            "0x@ thread",
            "freed by thread",
            "previously allocated",
            "allocated by thread",
            "Address 0x",
            "Thread T",
            "HINT: ",
            "SUMMARY: ",
            "Shadow bytes",
            "Shadow byte",
            "Direct leak",
            "Indirect leak",
            "NOTE: ",
            "Memory access at",
            "AddressSanitizer",
            "ThreadSanitizer",
            "WARNING: ThreadSanitizer",
            "=>0x",
            "Exiting",
            "MS: ",
            "Register values",
            "r@ = 0x",
            "Uninitialized value",
            "UndefinedBehaviorSanitizer",
            "MemorySanitizer",
        ],
        ends: &["==~==ABORTING"],
        again: Again::BehindEnd,
        ..PLAIN
    },
    // Google's libraries, whose entry may stand before.
    Report { level: Level::Fatal, starts: &["[FATAL:"], goes_on: &["#"], ..PLAIN },
    Report {
        level: Level::Fatal,
        starts: &["*** Check failure stack trace"],
        ends: &["Aborted"],
        follows: true,
        ..PLAIN
    },
    // Valgrind: each error with its frames.
    Report {
        starts: &[
            "==~== Invalid ",
            "==~== Conditional jump ",
            "==~== Use of uninitialised ",
            "==~== Mismatched free",
            "==~== Syscall param ",
            "==~== Process terminating ",
        ],
        goes_on: &["==~==  "],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["Stack trace (most recent call last):"],
        goes_on: &["#"],
        ends: &["Segmentation fault (", "Aborted", "Bus error (", "Illegal instruction (", "Arithmetic exception ("],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["**$"],
        confirms: &["ERROR:@:~:", "@:ERROR:@:~:"],
        goes_on: &["ERROR:@:~:", "@:ERROR:@:~:"],
        ends: &["Bail out! "],
        ..PLAIN
    },
    Report {
        level: Level::Warn,
        starts: &["@:~:~: runtime error: "],
        goes_on: &["SUMMARY: UndefinedBehavior", "0x@: note: ", "^", "@: line ~: "],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &[
            "@: line ~: % Segmentation fault",
            "@: line ~: % Aborted",
            "@: line ~: % Killed",
            "@: line ~: % Bus error",
            "@: line ~: % Illegal instruction",
            "@: line ~: % Floating point exception",
        ],
        ..PLAIN
    },
    // Fortran, Ada, Pascal, COBOL.
    Report {
        starts: &[
            "At line ~ of file ",
            "Fortran runtime error: ",
            "Program received signal SIG",
            "ERROR STOP",
            "STOP ~",
        ],
        goes_on: &[
            "Fortran runtime error: ",
            "Backtrace for this error",
            "Error termination",
            "#",
            "At line ",
            "Segmentation fault",
            "Floating point exception",
        ],
        ..PLAIN
    },
    Report {
        starts: &["raised @ERROR : ", "raised @.@ : @:~ "],
        goes_on: &["Load address: ", "Call stack traceback", "[", "0x"],
        ..PLAIN
    },
    Report {
        starts: &["Execution of @ terminated by unhandled exception"],
        goes_on: &["raised ", "Load address: ", "Call stack", "[", "0x", "Exception name", "Message"],
        ..PLAIN
    },
    // What any program may say of itself: an exception that nothing has caught, make's failed rule.
    Report {
        starts: &[
            "@: %: Uncaught exception ",
            "@: % : Uncaught exception ",
            "@: uncaught exception ",
            "@: Unhandled exception ",
            "@: unhandled exception ",
            "Exception in @: ",
            "Runtime error (",
            "Runtime error near line ",
            "Parse error near line ",
            "@: *** ",
        ],
        goes_on: &["@: %Called from "],
        ..PLAIN
    },
    Report { starts: &["Runtime error ~ at ", "An unhandled exception occurred at "], goes_on: &["@: ", "$"], ..PLAIN },
    Report { starts: &["libcob: "], goes_on: &["libcob: "], ..PLAIN },
    // Perl, Lua, Tcl, R, Octave.
    Report {
        starts: &["syntax error at @ line ~, near ", "Can't open perl script "],
        goes_on: &["syntax error at @ line ~", "Execution of ", "BEGIN failed--"],
        ..PLAIN
    },
    Report {
        starts: &["lua: ", "lua5.~: ", "luajit: ", "@/lua: "],
        goes_on: &["stack traceback:", "[C]: "],
        n_free: 4,
        ..PLAIN
    },
    Report {
        starts: &["Error in @(%) :"],
        goes_on: &["Calls: ", "In addition: ", "In @(", "Traceback:", "~ ", "Backtrace:", "! "],
        ends: &["Execution halted"],
        n_free: 4,
        ..PLAIN
    },
    Report {
        starts: &["Error in ", "Error: "],
        confirms: &["  ", "Calls: ", "Execution halted", "    at "],
        goes_on: &["Calls: ", "In addition: ", "Traceback:", "~ ", "Backtrace:", "! "],
        ends: &["Execution halted"],
        n_free: 0,
        ..PLAIN
    },
    Report {
        level: Level::Warn,
        starts: &["Warning message:", "Warning messages:", "In addition: Warning"],
        goes_on: &["~: ", "In "],
        ..PLAIN
    },
    // Compilers.
    Report {
        starts: &["# @$"],
        confirms: &["./@.go:~:~: ", "@.go:~:~: "],
        goes_on: &["./@.go:~:~: ", "@.go:~:~: ", "too many errors"],
        ..PLAIN
    },
    Report {
        starts: &["@.f90:~:~:$", "@.f:~:~:$"],
        confirms: &["    ~ |", "   ~ |", "  ~ |"],
        goes_on: &["Error: ", "Fatal Error: ", "Warning: ", "@:~:~:$"],
        ..PLAIN
    },
    Report { starts: &["@.java:~: error: "], goes_on: &["~ error", "@.java:~: "], n_free: 1, ..PLAIN },
    Report { starts: &["@.go:~:~: ", "vet: @.go:~:~: "], goes_on: &["@.go:~:~: "], ..PLAIN },
    Report {
        starts: &["@: In function ", "@: In member function ", "@: At top level:", "@: In static member function "],
        confirms: &["@:~:~: error: ", "@:~:~: fatal error: "],
        goes_on: &["@:~:~: "],
        ..PLAIN
    },
    Report {
        starts: &["usage: ", "Usage: "],
        confirms: &["@: error: ", "@ @: error: ", "Try '"],
        goes_on: &["Try '", "Error: "],
        ends: &["@: error: ", "@ @: error: "],
        ..PLAIN
    },
    // CMake; libxml, which shows the line and a mark below it.
    Report { starts: &["CMake Error at ", "CMake Error: ", "CMake Error in "], ..PLAIN },
    Report { level: Level::Warn, starts: &["CMake Warning at ", "CMake Deprecation Warning at "], ..PLAIN },
    Report { starts: &["@:~: @ error : "], goes_on: &["^"], n_free: 1, ..PLAIN },
    Report { starts: &["js: \"%\", line ~: "], ..PLAIN },
    Report { starts: &["Script threw exception: "], goes_on: &["Called from method: ", "Target exception: "], ..PLAIN },
    Report {
        starts: &[";"],
        confirms: &[";To continue, call RESTART "],
        goes_on: &[";To continue, call RESTART ", "; (RESTART ", "~ error>"],
        ..PLAIN
    },
    // Lisps, Prolog.
    Report {
        starts: &[
            "Unhandled @ in thread ",
            "Unhandled @-ERROR",
            "debugger invoked on a ",
            "*** - ",
            "While evaluating the form starting at line ",
        ],
        goes_on: &["Unhandled @ in thread ", "Backtrace for: ", "~: ", "restarts (", "Type HELP", "debugger invoked"],
        ends: &["unhandled condition in --disable-debugger mode, quitting"],
        n_free: 2,
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["fatal error encountered in SBCL pid ", "Heap exhausted during "],
        goes_on: &[
            "fatal error encountered",
            "Control stack",
            "Tot ",
            "GC control ",
            "Heap exhausted",
            "Error opening",
            "Welcome to LDB",
            "Collection trigger",
            "Unhandled SB-",
            "~ bytes available",
            "PROCEED WITH",
            "Backtrace for: ",
            "~: (",
        ],
        ends: &["unhandled condition in --disable-debugger"],
        ..PLAIN
    },
    Report { level: Level::Warn, starts: &["; file: ", "; in: "], goes_on: &[";"], ..PLAIN },
    Report { starts: &["@.rkt:~:~: "], ..PLAIN },
    Report {
        starts: &[
            "@: contract violation$",
            "@: arity mismatch;$",
            "@: undefined;$",
            "@: cannot open ",
            "@: application: ",
        ],
        confirms: &[
            "  expected: ",
            " the expected",
            " cannot reference",
            "  module path: ",
            "  path: ",
            " expected a ",
        ],
        ..PLAIN
    },
    Report { starts: &["@.scm:~:~: In procedure "], n_free: 1, ..PLAIN },
    Report {
        starts: &["Backtrace:$"],
        goes_on: &["In ", "ERROR: In procedure", "In procedure ", "@:~:~: ", "Exception "],
        n_free: 1,
        ..PLAIN
    },
    Report {
        starts: &["Uncaught exception:", "uncaught exception:"],
        goes_on: &["Throw to key", "context...:"],
        ..PLAIN
    },
    Report {
        starts: &[";;; Stat of "],
        goes_on: &[";;; ", "Backtrace:", "ERROR: In procedure", "In procedure "],
        ..PLAIN
    },
    Report {
        starts: &[
            "ERROR: -g ",
            "ERROR: Prolog initialisation failed",
            "ERROR: @:~:~: ",
            "ERROR: @:~:$",
            "ERROR: @.pl:~: ",
            "ERROR: @.pro:~: ",
        ],
        goes_on: &["ERROR: ", "Warning: "],
        ..PLAIN
    },
    Report { starts: &["Warning: @:~:"], confirms: &["Warning:    Goal ("], goes_on: &["Warning: "], ..PLAIN },
    // Julia.
    Report {
        starts: &["ERROR: LoadError: ", "ERROR: @Error: ", "ERROR: @Exception: "],
        goes_on: &["Stacktrace:", "in expression starting at", "caused by: "],
        ..PLAIN
    },
    // Shells, and Forth.
    Report {
        starts: &[
            "@: command not found: ",
            "@: Command not found.$",
            "@: @: command not found$",
            "@: line ~: @: command not found$",
            "@: line ~: @: unbound variable$",
            "@: line ~: syntax error",
            "@: ~: @: not found$",
            "@.zsh:~: ",
            "@.sh: line ~: ",
            "@.sh: ~: ",
            "bash: line ~: ",
            "@/bash: line ~: ",
            "bash: @: No such file or directory$",
            "sh: ~: ",
            "zsh: can't open input file: ",
        ],
        goes_on: &["@: line ~: `"],
        ..PLAIN
    },
    Report {
        starts: &[
            "@: illegal option -- ",
            "@: invalid option -- ",
            "@: unrecognized option '",
            "@: option requires an argument -- ",
        ],
        goes_on: &["Try '", "usage: ", "Usage: "],
        ..PLAIN
    },
    Report { level: Level::Warn, starts: &["@.sh: line ~: warning: ", "bash: line ~: warning: "], ..PLAIN },
    Report {
        starts: &[
            "gawk: @:~: ",
            "gawk: fatal: ",
            "mawk: @: line ~: ",
            "mawk: line ~: ",
            "mawk: cannot open ",
            "awk: @:~: ",
            "awk: cmd. line:~: ",
            "awk: line ~: ",
            "awk: @: line ~: ",
        ],
        goes_on: &["gawk: ", "awk: "],
        ..PLAIN
    },
    Report { level: Level::Warn, starts: &["gawk: @:~: warning: ", "gawk: warning: "], ..PLAIN },
    Report { starts: &["FAILED: [code=~] "], ends: &["ninja: build stopped"], n_free: 8, ..PLAIN },
    Report { starts: &["npm error ", "npm ERR! "], goes_on: &["npm error", "npm ERR!"], ..PLAIN },
    Report { starts: &["ninja: error: ", "ninja: fatal: "], n_free: 1, ..PLAIN },
    Report {
        starts: &[
            "fish: Unknown command",
            "fish: Expected ",
            "math: Error: ",
            "@.fish (line ~): ",
            "source: Error encountered",
        ],
        goes_on: &[
            "warning: Error while reading file",
            "source: ",
            "^",
            "@.fish (line ~):",
            "in function '",
            "from sourcing file ",
            "'",
        ],
        ..PLAIN
    },
    Report {
        starts: &["in file included from *", "@.fs:~: "],
        goes_on: &["@.fs:~: ", ">>>", "Backtrace:", "$~"],
        ..PLAIN
    },
    // What follows a message: Haskell, Tcl, Racket, Perl, Lua, Julia.
    Report { starts: &["CallStack (from HasCallStack)", "HasCallStack backtrace"], follows: true, ..PLAIN },
    Report {
        starts: &["    while executing", "    while evaluating"],
        goes_on: &["\"", "invoked from within"],
        follows: true,
        ..PLAIN
    },
    Report {
        starts: &["  context...:", "\t@::@(%) called at ", "\teval {...} called at ", "stack traceback:"],
        goes_on: &["[C]: "],
        follows: true,
        ..PLAIN
    },
    Report { starts: &["@.pike:~: /"], goes_on: &["@.pike:~: "], follows: true, ..PLAIN },
    Report {
        starts: &["  File \"%\", line ~$", "  File \"%\", line ~, in"],
        confirms: &["    ", "@Error: "],
        next: Next::Exception,
        ..PLAIN
    },
    // Kubernetes tells of a container that died before.
    Report { starts: &["Back-off restarting failed container"], is_survived: true, ..PLAIN },
    // Servers that report their own death.
    Report {
        level: Level::Fatal,
        starts: &["=== REDIS BUG REPORT START", "=== VALKEY BUG REPORT START"],
        ends: &["=== REDIS BUG REPORT END", "=== VALKEY BUG REPORT END"],
        next: Next::All,
        ..PLAIN
    },
];

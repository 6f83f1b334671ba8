//! Reports of native programs, of languages that few write, and of servers.

use types::Level;

use crate::crash::report::{Next, PLAIN, Report};

pub(super) const REPORTS: &[Report] = &[
    // C and C++: the library, the sanitizers, assertions.
    Report {
        level: Level::Fatal,
        starts: &[
            "terminate called",
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
            "libc++abi: ",
            "Aborted (core dumped)",
            "Segmentation fault (core dumped)",
            "Aborted$",
            "Segmentation fault$",
            "Illegal instruction$",
            "Bus error$",
            "*** SIG",
            "*** Aborted at ",
        ],
        goes_on: &["terminate called", "what(): ", "======= ", "/", "~-", "@ 0x", "PC: @", "*** SIG"],
        ends: &["Aborted", "Segmentation fault"],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["@: @:~: %: Assertion `", "@: @:~: %Assertion \"", "Assertion failed: ", "assertion failed: "],
        ends: &["Aborted"],
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
        confirms: &["==~==ERROR: ", "==~==WARNING: ", "WARNING: @Sanitizer", "    #", "====="],
        goes_on: &[
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
        goes_on: &["SUMMARY: UndefinedBehavior", "0x@: note: ", "^"],
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
    Report { starts: &["lua: ", "lua5.~: ", "luajit: ", "@/lua: "], goes_on: &["stack traceback:", "[C]: "], ..PLAIN },
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
    Report { starts: &["error: "], confirms: &["error: called from"], goes_on: &["error: called from"], ..PLAIN },
    // Lisps, Prolog.
    Report {
        starts: &["Unhandled @ in thread ", "Unhandled @-ERROR", "debugger invoked on a ", "*** - "],
        goes_on: &["Backtrace for: ", "~: ", "restarts (", "Type HELP", "debugger invoked"],
        ends: &["unhandled condition in --disable-debugger mode, quitting"],
        n_free: 2,
        ..PLAIN
    },
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
        ],
        ..PLAIN
    },
    Report {
        starts: &["fish: Unknown command", "fish: Expected ", "math: Error: "],
        goes_on: &["@.fish (line ~):", "in function '", "from sourcing file ", "'"],
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
    Report { starts: &["  File \"%\", line ~$", "  File \"%\", line ~, in"], next: Next::Exception, ..PLAIN },
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

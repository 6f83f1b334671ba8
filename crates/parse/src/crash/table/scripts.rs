//! Crash reports of scripting languages.

use types::Level;

use crate::crash::report::{Again, Next, PLAIN, Report};

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
        again: Again::BehindFrames,
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
        starts: &["╭%Traceback (most recent call last)", "┌%Traceback (most recent call last)"],
        goes_on: &["│", "╰", "└", "╭", "┌", "The above exception", "During handling of"],
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
            "Internal Server Error: /",
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
        again: Again::BehindFrames,
        ..PLAIN
    },
    Report {
        starts: &[
            "@: can't open file '%': [Errno ~]",
            "@: Error while finding module specification for ",
            "@python: No module named ",
            "@python~: No module named ",
            "@python~.~: No module named ",
        ],
        ..PLAIN
    },
    Report {
        starts: &["Timeout (~:~:~"],
        confirms: &["Thread 0x", "Current thread 0x"],
        goes_on: &["Thread 0x", "Current thread 0x"],
        ..PLAIN
    },
    Report {
        level: Level::Fatal,
        starts: &["Fatal Python error: "],
        again: Again::BehindFrames,
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
            "[UnhandledPromiseRejection: ",
            "[eval]:~$",
            "evalmachine.<anonymous>:~$",
            "<anonymous_script>:~$",
            "[worker eval]:~$",
        ],
        confirms: &["%"],
        goes_on: &["^", "}", "]", "[cause]", "[errors]", "Thrown at:", "(Use `node ", "Emitted 'error' event"],
        ends: &["Node.js v~"],
        n_free: 8,
        again: Again::BehindEnd,
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
        starts: &["error: Uncaught (in worker ", "error\u{1b}[0m: Uncaught (in worker "],
        goes_on: &[
            "error: Uncaught",
            "\u{1b}[0m\u{1b}[1m\u{1b}[31merror\u{1b}[0m: Uncaught",
            "error\u{1b}[0m: Uncaught",
            "^",
        ],
        n_free: 8,
        ..PLAIN
    },
    Report {
        starts: &["error: Uncaught", "error\u{1b}[0m: Uncaught", "error: Top-level await"],
        goes_on: &["Caused by: ", "throw ", "}", "^", "at ", "+", "- "],
        n_free: 8,
        again: Again::BehindFrames,
        ..PLAIN
    },
    Report {
        starts: &["error: ", "error\u{1b}[0m: "],
        confirms: &["    at file:", "    at /", "    at \u{1b}", "  |$", "Bun v~", "error: called from"],
        goes_on: &["~ |", "Stack backtrace:", "error: called from"],
        ends: &["Bun v~"],
        ..PLAIN
    },
    Report {
        starts: &["~ |"],
        confirms: &["   %^"],
        goes_on: &["~ |", "^", "error: ", "note: ", "at ", "+", "- ", "@Error: ", "}"],
        ends: &["Bun v~"],
        n_free: 8,
        again: Again::BehindEnd,
        ..PLAIN
    },
    Report { starts: &["error$"], confirms: &["{"], goes_on: &["{", "}"], ends: &["Bun v~"], ..PLAIN },
    Report { starts: &["Bun v~.~.~ ("], follows: true, ..PLAIN },
    Report {
        level: Level::Fatal,
        starts: &["<--- Last few GCs --->", "FATAL ERROR: "],
        goes_on: &[
            "<--- JS stacktrace",
            "FATAL ERROR: ",
            "[~:0x",
            "@ [~:0x",
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
    // PHP.
    Report {
        starts: &[
            "PHP Fatal error:  Uncaught ",
            "PHP Fatal error: Uncaught ",
            "Fatal error: Uncaught ",
            "Exception: %.php:~$",
            "Error: %.php:~$",
            "@Exception: %.php:~$",
            "@Error: %.php:~$",
        ],
        goes_on: &["Stack trace:", "#", "Next ", "{main}", "thrown in ", "Fatal error: Uncaught "],
        n_free: 2,
        again: Again::BehindFrames,
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
        starts: &[
            "PHP Warning: ",
            "PHP Notice: ",
            "PHP Deprecated: ",
            "Warning: %.php on line ~$",
            "Notice: %.php on line ~$",
            "Deprecated: %.php on line ~$",
        ],
        goes_on: PHP_TRACE,
        ..PLAIN
    },
    // Ruby.
    // mruby writes the innermost frame last.
    Report { starts: &["trace (most recent call last):"], goes_on: &["@:~:in "], ..PLAIN },
    Report {
        starts: &["@.rb:~:in ", "-e:~:in ", "@.ru:~:in ", "<internal:@>:~:in "],
        goes_on: &["@:~:in ", "from ", "==>", "<internal:", "Did you mean?", "* #<", "^"],
        n_free: 4,
        ..PLAIN
    },
    Report { starts: &["ruby: No such file or directory -- "], ..PLAIN },
    Report {
        starts: &["@.rb: --> ", "@.rb:~: syntax error", "-e:~: syntax error"],
        goes_on: &["> ", "Unmatched ", "^", "@.rb:~: ", "-e:~: "],
        n_free: 2,
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
            "Total ractor count",
            "Ruby thread count",
            "@-@ r",
            "@-@ -",
        ],
        ..PLAIN
    },
];

const PHP_TRACE: &[&str] = &["Stack trace:", "#", "Next ", "PHP Stack trace:", "PHP   #", "{main}", "thrown in "];

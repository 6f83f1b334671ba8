//! Names of the exception fields of an event, and of the keys in which senders put a stack trace.

/// Fields that an event may get.
pub(crate) const FIELDS: [&str; 12] = [
    "exception.type",
    "exception.message",
    "exception.stacktrace",
    "exception.causes",
    "code.function.name",
    "code.file.path",
    "code.line.number",
    "thread.name",
    "process.runtime.name",
    "process.runtime.version",
    "process.executable.name",
    "process.pid",
];

/// The field that holds a trace.
pub(crate) const STACKTRACE: &str = "exception.stacktrace";

/// Keys in which senders put a trace, best first.
pub(crate) const TRACE_KEYS: [&str; 22] = [
    "exception.stacktrace",
    "exception.stack_trace",
    "exception.stack",
    "error.stack_trace",
    "error.stack",
    "error.stacktrace",
    "err.stack",
    "stack",
    "stack_trace",
    "stacktrace",
    "stackTrace",
    "traceback",
    "exc_info",
    "exc_text",
    "exception",
    "Exception",
    "@x",
    "error.traceback",
    "log.exception",
    "errorVerbose",
    "thrown.extendedStackTrace",
    "context.exception",
];

//! How commands end when they do not end well. Exit codes: 0 ok, 1 no match with `--exit-on-empty` (and failures
//! of no other kind), 2 usage or query error, 3 server unreachable, 4 partial result, 5 not allowed.

use std::process::ExitCode;

/// What most of a command returns.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command ends with another code than 0.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    /// One or more lines for standard error; empty where everything was said already.
    pub(crate) message: String,
    /// Whether the server has something else under the same id.
    pub(crate) is_conflict: bool,
}

impl Failure {
    fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), is_conflict: false }
    }

    /// Something went wrong that no other code is for.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self::new(1, message)
    }

    /// Returns the failure of `--exit-on-empty`: nothing matched.
    pub(crate) fn no_match() -> Self {
        Self::new(1, "")
    }

    /// Returns a failure of arguments, configuration or query.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(2, message)
    }

    /// No server answers.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(3, message)
    }

    /// Returns the failure of an incomplete answer, whose rows were printed.
    pub(crate) fn partial(message: impl Into<String>) -> Self {
        Self::new(4, message)
    }

    /// Returns the failure of a request that the key does not allow.
    pub(crate) fn not_allowed(message: impl Into<String>) -> Self {
        Self::new(5, message)
    }

    /// Reports whether the same request may succeed a moment later.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self.code, 1 | 3)
    }

    /// Returns the failure, which is one of an id that has another body already where that is so.
    pub(crate) fn of_conflict(self, is_conflict: bool) -> Self {
        Self { is_conflict, ..self }
    }

    /// Returns the failure with one more line of text.
    pub(crate) fn with(self, more: &str) -> Self {
        Self { message: format!("{}\n{more}", self.message), ..self }
    }

    /// Prints the message and returns the exit code.
    pub(crate) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            say!("catat: {}", self.message);
        }
        ExitCode::from(self.code)
    }
}

/// Returns the failure of an output; a closed pipe counts as success.
pub(crate) fn of_output(error: std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    Failure::other(format!("standard output: {error}"))
}

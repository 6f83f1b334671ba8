//! How commands end when they do not end well. Exit codes: 0 ok, 1 no match with `--exit-on-empty` (and failures
//! of no other kind), 2 usage or query error, 3 server unreachable, 4 partial result, 5 not allowed.

use std::process::ExitCode;

/// Why a command ends with another code than 0.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    /// One or more lines for standard error; empty where everything was said already.
    message: String,
}

impl Failure {
    fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Something went wrong that no other code is for.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self::new(1, message)
    }

    /// Nothing matched, and that was to be told by the exit code.
    pub(crate) fn no_match() -> Self {
        Self::new(1, "")
    }

    /// The arguments, the configuration or the query are wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(2, message)
    }

    /// No server answers.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(3, message)
    }

    /// The answer is not complete; what there is was printed.
    pub(crate) fn partial(message: impl Into<String>) -> Self {
        Self::new(4, message)
    }

    /// The key does not allow it.
    pub(crate) fn not_allowed(message: impl Into<String>) -> Self {
        Self::new(5, message)
    }

    /// Whether the same may work a moment later.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self.code, 1 | 3)
    }

    /// The same with something more to say, on a line of its own.
    pub(crate) fn with(self, more: &str) -> Self {
        Self { message: format!("{}\n{more}", self.message), ..self }
    }

    /// What is wrong.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Tells the user and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            say!("catat: {}", self.message);
        }
        ExitCode::from(self.code)
    }
}

/// A reader that closed the pipe wants no more: that is success.
pub(crate) fn of_output(error: std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    Failure::other(format!("standard output: {error}"))
}

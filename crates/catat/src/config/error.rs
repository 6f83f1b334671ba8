//! Mistakes in the configuration.

use crate::failure::Failure;

/// A mistake in the configuration, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub(crate) struct ConfigError {
    pub(crate) place: String,
    pub(crate) problem: String,
}

/// Returns a failure that names every mistake.
pub(crate) fn all_errors(errors: Vec<ConfigError>) -> Failure {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Failure::usage(lines.join("\ncatat: "))
}

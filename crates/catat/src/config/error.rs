//! Mistakes in the configuration.

/// A mistake in the configuration, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub(crate) struct ConfigError {
    pub(crate) place: String,
    pub(crate) problem: String,
}

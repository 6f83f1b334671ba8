//! Why a sign-in with a provider fails.

/// What signing in returns.
pub type Result<T, E = SignInError> = std::result::Result<T, E>;

/// Why someone was not signed in. Texts are for logs and administrators: some quote the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The provider cannot be reached, or is too slow.
    #[error("the provider does not answer: {0}")]
    Unreachable(String),
    /// What the provider answers cannot be used.
    #[error("the provider's answer cannot be used: {0}")]
    BadAnswer(String),
    /// The provider refuses the sign-in, or the person did.
    #[error("the provider refused the sign-in: {0}")]
    Refused(String),
    /// The answer belongs to no sign-in that this browser began in the last ten minutes.
    #[error("this sign-in did not begin in this browser, began more than 10 minutes ago, or was used before")]
    Stale,
    /// The ID token is not one for this sign-in.
    #[error("the ID token was refused: {0}")]
    BadToken(String),
    /// The account has no name that can be used.
    #[error("the provider sends no usable name: {0}")]
    NoName(String),
    /// Too many sign-ins wait for the provider.
    #[error("too many sign-ins wait for the provider")]
    Busy,
}

impl SignInError {
    /// Returns the stable code of the problem.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "provider-unreachable",
            Self::BadAnswer(_) => "provider-bad-answer",
            Self::Refused(_) => "provider-refused",
            Self::Stale => "sign-in-expired",
            Self::BadToken(_) => "bad-token",
            Self::NoName(_) => "no-account-name",
            Self::Busy => "provider-busy",
        }
    }
}

//! Errors of orders about keys as problems.

use axum::http::StatusCode;

use super::keys::KeyError;
use crate::problem::Problem;

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let message = error.to_string();
        match error {
            KeyError::Bad(_) => Self::bad_request("bad-key-order", message),
            KeyError::OutOfScope => Self::forbidden("group-out-of-scope", message),
            KeyError::Expired { .. } => {
                let problem = Self::new(StatusCode::UNAUTHORIZED, "key-expired", message);
                problem.hint("catat keys create makes another, which is to be put in its place")
            }
            KeyError::Ambiguous(_) => Self::new(StatusCode::UNAUTHORIZED, "unknown-certificate", message),
            KeyError::Unknown(_) => Self::not_found(message),
            KeyError::Store(error) => error.into(),
            KeyError::Random(_) => Self::internal(message),
        }
    }
}

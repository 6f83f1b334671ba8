//! The names of indices in an address.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

/// Names of indices as the address has them: a list, with patterns. Empty, for all indices, if the route has none.
pub(super) struct IndexNames(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for IndexNames {
    type Rejection = PathRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PathRejection> {
        let names: Option<Path<String>> = Option::from_request_parts(parts, state).await?;
        Ok(Self(names.map(|Path(names)| names).unwrap_or_default()))
    }
}

//! The parameters of a request.

use axum::extract::{FromRequest, Request};
use door::form_parameters::FormParameters;
use door::parameters::Parameters;

use crate::problem::LokiProblem;

/// Parameters from the form of a POST and from the address: clients use either.
pub(crate) struct LokiParameters(pub(crate) Parameters);

impl<S: Send + Sync> FromRequest<S> for LokiParameters {
    type Rejection = LokiProblem;

    async fn from_request(request: Request, state: &S) -> Result<Self, LokiProblem> {
        Ok(Self(FormParameters::from_request(request, state).await?.0))
    }
}

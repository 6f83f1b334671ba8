//! Parameters from the form of a POST and from the address: clients of Loki and Prometheus use either.

use axum::extract::{Form, FromRequest, Query, Request};
use axum::http::{Method, header};

use crate::parameters::Parameters;
use crate::problem::Problem;

/// The parameters of a request, those of its form first.
pub struct FormParameters(pub Parameters);

impl<S: Send + Sync> FromRequest<S> for FormParameters {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let unreadable = || Problem::bad_request("bad-parameter", "the parameters cannot be read");
        let of_address = Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map_err(|_| unreadable())?;
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let has_form = request.method() == Method::POST
            && content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let mut pairs = Vec::new();
        if has_form {
            let form = Form::<Vec<(String, String)>>::from_request(request, state).await;
            pairs = form.map_err(|_| unreadable())?.0;
        }
        pairs.extend(of_address.0);
        Ok(Self(Parameters(pairs)))
    }
}

//! Reads JSON bodies; an error names the kind of body and shows an example.

use std::fmt::Display;

use door::{Problem, Result};
use serde::de::DeserializeOwned;

/// A kind of body.
pub(crate) struct JsonBody {
    /// The name of the kind, such as `mark`.
    pub(crate) noun: &'static str,
    /// A valid body.
    pub(crate) example: &'static str,
}

impl JsonBody {
    /// Returns the error for a body that is not of this kind.
    pub(crate) fn bad(&self, problem: impl Display) -> Problem {
        let message = format!("the body is no {}: {problem}", self.noun);
        Problem::bad_request("bad-json", message).hint(format!("send {} as application/json", self.example))
    }

    /// Reads a JSON object.
    pub(crate) fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T> {
        // An array would be taken for the members in their order.
        types::ensure!(body.trim_ascii_start().first() != Some(&b'['), self.bad("it is an array, not an object"));
        serde_json::from_slice(body).map_err(|error| self.bad(error))
    }
}

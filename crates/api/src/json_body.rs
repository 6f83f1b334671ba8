//! Bodies of JSON whose errors say what a body is and show one.

use std::fmt::Display;

use door::problem::Problem;
use serde::de::DeserializeOwned;

/// A kind of body.
pub(crate) struct JsonBody {
    /// What it is, such as `mark`.
    pub(crate) noun: &'static str,
    /// What to send instead.
    pub(crate) example: &'static str,
}

impl JsonBody {
    /// Returns the error of a body that is none of this kind.
    pub(crate) fn bad(&self, problem: impl Display) -> Problem {
        let message = format!("the body is no {}: {problem}", self.noun);
        Problem::bad_request("bad-json", message).hint(format!("send {} as application/json", self.example))
    }

    /// Reads a JSON object.
    pub(crate) fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Problem> {
        // An array would be taken for the members in their order.
        if body.trim_ascii_start().first() == Some(&b'[') {
            return Err(self.bad("it is an array, not an object"));
        }
        serde_json::from_slice(body).map_err(|error| self.bad(error))
    }
}

//! Members of JSON objects, with the place of what is wrong.

use serde_json::{Map, Value as Json};

use crate::search_error::{Result, SearchError};

/// Returns the members of an object.
pub fn object<'j>(json: &'j Json, at: &str) -> Result<&'j Map<String, Json>> {
    json.as_object().ok_or_else(|| SearchError::parsing(at, "is no object"))
}

/// Returns the only member of an object.
pub fn only_member<'j>(json: &'j Json, at: &str) -> Result<(&'j str, &'j Json)> {
    let mut members = object(json, at)?.iter();
    match (members.next(), members.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        (None, _) => Err(SearchError::parsing(at, "is empty; a query has one name")),
        (_, Some((second, _))) => {
            Err(SearchError::parsing(at, format!("malformed query, expected one name but found [{second}] too")))
        }
    }
}

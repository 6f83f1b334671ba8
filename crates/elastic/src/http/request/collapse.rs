//! `collapse`: of several hits with the same value only the first is shown.

use language::dsl::{field_of, shown};
use language::search_error::{Result, SearchError};
use plan::Expr;
use serde_json::Value as Json;

use crate::{Cursor, Order};

/// The field by whose values hits are collapsed: as the request names it, and its values.
#[derive(Clone, Debug)]
pub(in crate::http) struct Collapse {
    pub(in crate::http) written: String,
    pub(in crate::http) value: Expr,
}

/// Reads `collapse`.
pub(in crate::http) fn collapse(body: &Json, order: &Order, cursor: Option<&Cursor>) -> Result<Option<Collapse>> {
    let Some(json) = body.get("collapse").filter(|json| !json.is_null()) else { return Ok(None) };
    let members = json.as_object().ok_or_else(|| SearchError::parsing("collapse", "is not an object"))?;
    if let Some(other) = members.keys().find(|name| !matches!(name.as_str(), "field" | "max_concurrent_group_searches"))
    {
        return Err(SearchError::parsing("collapse", format!("[{other}] is not supported")));
    }
    let Some(written) = members.get("field").and_then(Json::as_str) else {
        return Err(SearchError::parsing("collapse", "needs a [field]"));
    };
    let field = field_of(written);
    if cursor.is_some() && !order.is_of_field(&field) {
        let reason =
            "Cannot use [collapse] in conjunction with [search_after] unless the search is sorted on the same field.";
        return Err(SearchError::argument(reason));
    }
    Ok(Some(Collapse { written: written.to_owned(), value: shown(&field) }))
}

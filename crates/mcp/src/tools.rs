//! The tools: their names, arguments and results, and which native routes they ask.

mod call;
mod cause;
mod read;
mod schema;

use serde_json::Value as Json;

pub(crate) use self::call::CallError;
use self::call::{Call, ToolAnswer};
use crate::fit;
use crate::native::Native;
use crate::rpc::Params;

/// Returns the tools whose routes the server has.
pub(crate) fn offered(native: &Native) -> Vec<Json> {
    schema::all().filter(|(route, _)| native.has(route)).map(|(_, tool)| tool).collect()
}

/// Calls a tool, and fits its result into the room for it.
pub(crate) async fn call(name: &str, native: &Native, arguments: Params) -> Result<Json, CallError> {
    let tool = offered(native).into_iter().find(|tool| tool["name"] == name).ok_or(CallError::Unknown)?;
    let call = &Call::read(arguments)?;
    call.check_names(&tool)?;
    let ToolAnswer { mut answer, lists } = match name {
        "query" => read::query(native, call).await?,
        "patterns" => read::patterns(native, call).await?,
        "context" => read::context(native, call).await?,
        "trace" => read::trace(native, call).await?,
        "sources" => read::sources(native, call).await?,
        "differs" => cause::differs(native, call).await?,
        "onset" => cause::onset(native, call).await?,
        "first_look" => cause::first_look(native, call).await?,
        _ => return Err(CallError::Unknown),
    };
    fit::clean(&mut answer);
    fit::shorten(&mut answer, lists, fit::bytes_of(call.max_tokens));
    Ok(answer)
}

//! Pages of lists: the entries that token and limit select, and the token of the next page.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use super::answer::CloudWatchProblem;
use super::input::Input;

/// Returns a page of a list and the token of the next one. A token is the number of entries before its page.
pub(super) fn page_of<'l, T>(
    list: &'l [T],
    most: usize,
    input: &Input,
) -> Result<(&'l [T], Option<String>), CloudWatchProblem> {
    let start = match input.text("nextToken")? {
        None => 0,
        Some(token) => read_token(token)?.parse::<usize>().map_err(|_| bad_token())?,
    };
    let rest = list.get(start..).unwrap_or_default();
    let page = &rest[..rest.len().min(most)];
    let next = (rest.len() > page.len()).then(|| (start + page.len()).to_string());
    Ok((page, next))
}

/// Adds the token of the next page to an answer.
pub(super) fn with_next(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = BASE64URL_NOPAD.encode(next.as_bytes()).into();
    }
    answer
}

pub(super) fn read_token(token: &str) -> Result<String, CloudWatchProblem> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| bad_token())?;
    String::from_utf8(bytes).map_err(|_| bad_token())
}

fn bad_token() -> CloudWatchProblem {
    CloudWatchProblem::parameter("The specified nextToken is invalid.")
}

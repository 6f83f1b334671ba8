//! Pages of lists: the entries that token and limit select, and the token of the next page.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use super::answer::{CloudWatchProblem, Result};
use super::input::Input;

/// Returns a page of a list and the token of the next one. A token is the number of entries before its page.
pub(super) fn page_of<'l, T>(list: &'l [T], most: usize, input: &Input) -> Result<(&'l [T], Option<String>)> {
    Ok(page_from(list, start_of(input)?, most))
}

/// Returns the number of entries before the page that a request asks for.
pub(super) fn start_of(input: &Input) -> Result<usize> {
    let start = input.text("nextToken")?.map(|token| read_token(token)?.parse().map_err(|_| bad_token()));
    Ok(start.transpose()?.unwrap_or_default())
}

/// Returns the page of a list that starts at an entry, and the number of entries before the next one.
pub(super) fn page_from<T>(list: &[T], start: usize, most: usize) -> (&[T], Option<String>) {
    let rest = list.get(start..).unwrap_or_default();
    let page = &rest[..rest.len().min(most)];
    (page, (rest.len() > page.len()).then(|| (start + page.len()).to_string()))
}

/// Adds the token of the next page to an answer.
pub(super) fn with_next(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = token_of(next).into();
    }
    answer
}

/// Adds the token of the next page as the services other than logs name it.
pub(super) fn with_next_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    answer
}

/// Returns the token that [`read_token`] reads.
pub(super) fn token_of(next: String) -> String {
    BASE64URL_NOPAD.encode(next.as_bytes())
}

pub(super) fn read_token(token: &str) -> Result<String> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| bad_token())?;
    String::from_utf8(bytes).map_err(|_| bad_token())
}

fn bad_token() -> CloudWatchProblem {
    CloudWatchProblem::parameter("The specified nextToken is invalid.")
}

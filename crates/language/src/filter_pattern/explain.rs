//! What the grammar of filter patterns could not read, in words for the person who wrote it.

use pest::error::Error;

use super::grammar::Rule;
use plan::{QueryError, Span, alternatives, stop_of};

/// Turns the grammar's complaint about `text` into an error with its place.
pub(super) fn explain(error: &Error<Rule>, text: &str) -> QueryError {
    let (at, expected) = stop_of(error);
    let expected = expected.unwrap_or_default();
    let rest = text.get(at..).unwrap_or_default();
    let n_bytes = rest.chars().next().map_or(0, char::len_utf8);
    let span = Span { start: at, end: at + n_bytes };
    if let Some(error) = unfinished(rest, text, at) {
        return error;
    }
    let found = rest.chars().next().map_or_else(|| "the pattern ends".to_owned(), |sign| format!("`{sign}` stands"));
    let message = format!("{found} where {} was expected", phrase(expected));
    let error = QueryError::new("syntax", message, text, span);
    match hint(rest, text, expected) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Returns an opening quote or percent sign without its other half.
fn unfinished(rest: &str, text: &str, at: usize) -> Option<QueryError> {
    let (what, sign) = match rest.chars().next()? {
        '"' => ("this text has no closing \"", '"'),
        '%' => ("this regular expression has no closing %", '%'),
        _ => return None,
    };
    let is_open = !rest[1..].contains(sign);
    let span = Span { start: at, end: text.len() };
    is_open.then(|| QueryError::new("unclosed-text", what, text, span))
}

fn phrase(expected: &[Rule]) -> String {
    const ORDER: [&str; 9] = [
        "a property such as $.status",
        "a test such as = 500, IS NULL or NOT EXISTS",
        "a name after the dot, or an index such as [0]",
        "a number, a text or a %regular expression%",
        "a column",
        "&& or ||",
        "`)`",
        "`]`",
        "`}`",
    ];
    let kinds: Vec<&str> = expected.iter().filter_map(|rule| kind_of(*rule)).collect();
    let mut named: Vec<&str> = ORDER.into_iter().filter(|kind| kinds.contains(kind)).collect();
    if named.contains(&"a test such as = 500, IS NULL or NOT EXISTS") {
        named.retain(|kind| !kind.starts_with("a name after"));
    }
    alternatives(&named, "a term")
}

fn kind_of(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::selector | Rule::dollar | Rule::condition | Rule::nested | Rule::any_of | Rule::all_of => {
            "a property such as $.status"
        }
        Rule::sign | Rule::is_null | Rule::is_true | Rule::is_false | Rule::not_exists => {
            "a test such as = 500, IS NULL or NOT EXISTS"
        }
        Rule::member | Rule::any_member | Rule::index | Rule::any_index | Rule::in_brackets | Rule::dot => {
            "a name after the dot, or an index such as [0]"
        }
        Rule::value | Rule::bare | Rule::column_value | Rule::column_bare => {
            "a number, a text or a %regular expression%"
        }
        Rule::column | Rule::column_any | Rule::column_all | Rule::name | Rule::ellipsis => "a column",
        Rule::and | Rule::or => "&& or ||",
        Rule::close => "`)`",
        Rule::close_bracket => "`]`",
        Rule::close_brace => "`}`",
        _ => return None,
    })
}

fn hint(rest: &str, text: &str, expected: &[Rule]) -> Option<String> {
    let starts = |word: &str| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let is_json = text.trim_start().starts_with('{');
    if is_json && (starts("and ") || starts("or ") || rest.starts_with('&') || rest.starts_with('|')) {
        return Some("tests are joined by && and ||".to_owned());
    }
    if is_json && starts("exists") {
        return Some("write $.name = * for a property that exists".to_owned());
    }
    if is_json && starts("is ") {
        return Some("IS is followed by NULL, TRUE or FALSE".to_owned());
    }
    let expects_property = expected.iter().any(|rule| kind_of(*rule) == Some("a property such as $.status"));
    if expects_property && rest.starts_with(|c: char| c.is_alphabetic() || c == '.') {
        return Some("properties start with `$.`, such as { $.status = 500 }".to_owned());
    }
    if rest.starts_with('-') || rest.starts_with('?') {
        return Some("a term must follow, without a blank between".to_owned());
    }
    (rest.starts_with('{') || rest.starts_with('['))
        .then(|| "put a term with brackets into quotes, or begin the pattern with the bracket".to_owned())
}

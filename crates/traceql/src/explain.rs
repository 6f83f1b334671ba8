//! Explains syntax errors in the terms of the language.

use pest::error::Error;
use plan::{QueryError, Span, nearest, nested_too_deeply, one_of, stop_of};

use crate::grammar::Rule;

/// Words of the language that are followed by a bracket.
const FUNCTIONS: [&str; 20] = [
    "count", "avg", "min", "max", "sum", "by", "coalesce", "select", "rate", "count_over_time", "min_over_time",
    "max_over_time", "avg_over_time", "sum_over_time", "quantile_over_time", "histogram_over_time", "compare", "topk",
    "bottomk", "with",
];

/// Turns an error of the grammar into one of the query.
pub(crate) fn explain(error: &Error<Rule>, text: &str) -> QueryError {
    let (at, Some(positives)) = stop_of(error) else { return nested_too_deeply(text) };
    // A word with a bracket after it was read as a field: it is the word that is wrong.
    let is_call = text[at..].starts_with('(') && word_before(text, at) < at;
    let at = if is_call { word_before(text, at) } else { at };
    let rest = &text[at..];
    let n_word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let n_first = rest.chars().next().map_or(0, char::len_utf8);
    let span = Span { start: at, end: at + n_word.max(n_first) };
    if matches!(rest.chars().next(), Some('"' | '`')) && !rest[1..].contains(&rest[..1]) {
        return QueryError::new("unclosed-text", "this text has no closing quote", text, span);
    }
    let shown: String = text[span.start..span.end].chars().take(40).collect();
    let found = if rest.trim().is_empty() { "the query ends".to_owned() } else { format!("`{shown}` stands") };
    let message = match is_call {
        true => format!("`{shown}(…)` cannot stand here"),
        false => format!("{found} where {} was expected", one_of(positives, kind_of)),
    };
    let error = QueryError::new("syntax", message, text, span);
    match hint(text, at, &rest[..n_word]) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Returns where the word before `at` begins.
fn word_before(text: &str, at: usize) -> usize {
    text[..at].trim_end().trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len()
}

/// Returns a hint at what was probably meant.
fn hint(text: &str, at: usize, word: &str) -> Option<String> {
    let (before, rest) = (text[..at].trim_end(), &text[at..]);
    if rest.starts_with('=') && before.ends_with('=') {
        return Some("equality is one =".into());
    }
    if rest.starts_with('.') && before.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return Some("attributes begin with a dot or a scope: .http.status, span.http.status".into());
    }
    let near = nearest(word, FUNCTIONS).filter(|near| *near != word && word.len() > 2);
    if let Some(near) = near {
        return Some(format!("did you mean {near}()?"));
    }
    let is_metric = word.ends_with("_over_time") || matches!(word, "rate" | "compare");
    let is_rank = matches!(word, "topk" | "bottomk");
    match word {
        _ if is_metric => Some("a selection comes first, as in {} | rate()".into()),
        _ if is_rank => Some(format!("{word}(n) follows a function over time such as rate()")),
        "and" | "or" | "not" => Some("write && || !".into()),
        _ if before.is_empty() && !text.is_empty() => {
            Some("a query starts with a selection such as { status = error }".into())
        }
        _ => None,
    }
}

fn kind_of(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EOI => "the end",
        Rule::query | Rule::pipeline | Rule::filter | Rule::spansets | Rule::related => "a selection { … }",
        Rule::group | Rule::coalesce | Rule::select | Rule::kw_by | Rule::kw_select | Rule::kw_coalesce => "a stage",
        Rule::scalar_filter | Rule::bare_scalar | Rule::aggregate | Rule::aggregate_name => "a stage",
        Rule::metric | Rule::metric_name => "a function over time such as rate()",
        Rule::second | Rule::rank_name => "topk(n) or bottomk(n)",
        Rule::labels => "by (…)",
        Rule::hints | Rule::kw_with => "with (…)",
        Rule::hint => "a hint such as most_recent=true",
        Rule::set_sign => "&& or ||",
        Rule::relation_sign => "an operator between spansets",
        Rule::comparison_sign => "a comparison",
        Rule::sum_sign | Rule::product_sign => "arithmetic",
        Rule::logic | Rule::comparison | Rule::sum | Rule::product | Rule::unary | Rule::power => "a value",
        Rule::unary_sign | Rule::number | Rule::duration | Rule::constant | Rule::string => "a value",
        Rule::field | Rule::attribute | Rule::scoped | Rule::word => "a field such as .x or name",
        Rule::attribute_name | Rule::quoted_part | Rule::plain_part => "the name of an attribute",
        _ => return None,
    })
}

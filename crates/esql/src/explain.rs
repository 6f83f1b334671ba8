//! What the grammar could not read, and commands that are known and not supported, in words.

use pest::error::Error;

use super::error::EsqlError;
use super::grammar::Rule;
use plan::{alternatives, nearest, stop_of};

/// Commands that are supported.
const COMMANDS: [&str; 12] =
    ["FROM", "ROW", "WHERE", "EVAL", "STATS", "SORT", "LIMIT", "KEEP", "DROP", "RENAME", "DISSECT", "GROK"];

/// Commands of ES|QL that are not.
const REFUSED: [&str; 24] = [
    "MV_EXPAND", "LOOKUP JOIN", "LOOKUP", "JOIN", "LEFT JOIN", "RIGHT JOIN", "INNER JOIN", "ENRICH", "INLINESTATS",
    "INLINE STATS", "CHANGE_POINT", "FORK", "FUSE", "RERANK", "COMPLETION", "SAMPLE", "TS", "SHOW", "EXPLAIN",
    "PROMQL", "SET", "INSIST", "REGISTERED_DOMAIN", "URI_PARTS",
];

/// Returns the error of a command that has no rule.
pub(super) fn refused(name: &str) -> String {
    let squeezed = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if REFUSED.contains(&squeezed.as_str()) {
        return format!("the command [{squeezed}] is not supported here");
    }
    let first = squeezed.split(' ').next().unwrap_or_default();
    if REFUSED.contains(&first) {
        return format!("the command [{first}] is not supported here");
    }
    let hint = nearest(first, COMMANDS).map(|near| format!(", did you mean [{near}]?")).unwrap_or_default();
    let known: Vec<String> = COMMANDS.iter().map(|name| format!("'{}'", name.to_ascii_lowercase())).collect();
    match hint.is_empty() {
        true => format!("mismatched input '{}' expecting {{{}}}", first.to_ascii_lowercase(), known.join(", ")),
        false => format!("mismatched input '{}'{hint}", first.to_ascii_lowercase()),
    }
}

/// Turns the grammar's complaint into an error.
pub(super) fn explain(error: &Error<Rule>, text: &str) -> EsqlError {
    let (at, Some(positives)) = stop_of(error) else {
        return EsqlError::parsing(text, 0, "the query is nested too deeply to be read".into());
    };
    let rest = text.get(at..).unwrap_or_default();
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '@')).collect();
    let input = match (word.is_empty(), rest.chars().next()) {
        (false, _) => word,
        (true, Some(sign)) => sign.to_string(),
        (true, None) => "<EOF>".into(),
    };
    let expected = expected(positives);
    let message = match rest.strip_prefix('"').map(|inner| inner.lines().next().unwrap_or_default()) {
        Some(line) if !line.contains('"') => "token recognition error: this text has no closing '\"'".into(),
        Some(_) => format!("mismatched input '\"' or an unknown escape in a text, expecting {expected}"),
        None => format!("mismatched input '{input}', expecting {expected}"),
    };
    EsqlError::parsing(text, at, message)
}

/// Returns what could be there, in words.
fn expected(positives: &[Rule]) -> String {
    let mut names: Vec<&str> = positives.iter().filter_map(|rule| name_of(*rule)).collect();
    names.dedup();
    names.truncate(8);
    alternatives(&names, "something else")
}

fn name_of(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EOI => "the end of the query",
        Rule::query | Rule::from | Rule::row => "a source command such as FROM",
        Rule::index | Rule::plain_index => "an index",
        Rule::name | Rule::pattern => "a name of a column",
        Rule::string => "a string",
        Rule::literal | Rule::element => "a constant",
        Rule::whole | Rule::limit => "an integer",
        Rule::parameter => "a parameter",
        Rule::primary | Rule::span | Rule::call | Rule::list | Rule::cast | Rule::signed | Rule::value => "a value",
        Rule::product | Rule::product_sign | Rule::sum_sign | Rule::comparison_sign => "an operator",
        Rule::expression | Rule::both | Rule::negated | Rule::test => "a condition or value",
        Rule::field | Rule::fields | Rule::aggregate | Rule::aggregates => "a field",
        Rule::kw_by | Rule::groups => "BY",
        Rule::kw_as | Rule::assign => "AS",
        Rule::not => "NOT",
        Rule::type_name => "a type",
        Rule::refused | Rule::where_command | Rule::eval | Rule::stats | Rule::sort => "a command",
        _ => return None,
    })
}

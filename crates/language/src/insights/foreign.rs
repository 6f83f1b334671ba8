//! What people write who come from other query languages, and what it is called here.
//!
//! SQL, Splunk, Kusto, Kibana and LogQL name the same things differently. Nothing of theirs is accepted by these
//! tables: they only make the hint of an error, so that the right command is one look away.

/// Words and functions of other languages, one a row: the place, the word and the hint.
const HINTS: &str = include_str!("foreign.txt");

fn find(place: &str, word: &str) -> Option<&'static str> {
    HINTS.lines().find_map(|row| {
        let (name, hint) = row.strip_prefix(place)?.strip_prefix(' ')?.split_once(": ")?;
        name.eq_ignore_ascii_case(word).then_some(hint)
    })
}

/// Returns what to write instead of a word that is where a command must.
pub(super) fn command(word: &str) -> Option<&'static str> {
    find("command", word)
}

/// Returns what to write instead of a word that is after a complete expression.
pub(super) fn behind(word: &str) -> Option<&'static str> {
    find("behind", word)
}

/// Returns what to write instead of a function.
pub(super) fn function(name: &str) -> Option<&'static str> {
    let is_percentile = |prefix: &str| {
        let digits = name.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix));
        digits.is_some() && name.len() > prefix.len() && name[prefix.len()..].bytes().all(|b| b.is_ascii_digit())
    };
    if is_percentile("perc") || is_percentile("pctl") || is_percentile("q") {
        return find("function", "percentile");
    }
    find("function", name)
}

/// Returns what to write instead of signs that are where none is expected. `behind` says whether an expression is
/// complete.
pub(super) fn signs(rest: &str, behind: bool) -> Option<&'static str> {
    const ANYWHERE: &[(&str, &str)] = &[
        ("||", "write `or` and `and`"),
        ("&&", "write `or` and `and`"),
        ("|=", "a filter of its own holds a text: filter @message like \"part\""),
        ("|~", "a filter of its own matches: filter @message like /expression/"),
        ("|", "something is missing before this `|`"),
        ("--", "a comment starts with #"),
        ("//", "a comment starts with #"),
        (";", "commands are separated by `|` or stand on lines of their own"),
        ("“", "write straight quotes: \"text\""),
        ("”", "write straight quotes: \"text\""),
        ("„", "write straight quotes: \"text\""),
        ("‘", "write straight quotes: 'text'"),
        ("’", "write straight quotes: 'text'"),
        ("$", "there are no variables; put a field with other signs in its name in backticks"),
    ];
    const BEHIND: &[(&str, &str)] = &[
        ("~=", "write a =~ /expression/"),
        ("~", "write a =~ /expression/"),
        ("::", "write tonumber(a), toint(a) or tostring(a)"),
        (":", "write a = \"value\""),
        (".", "texts are put together by concat(a, b)"),
        ("[", "an element of a list is reached by its index: a.0"),
        (")", "there is no `(` to this `)`"),
        ("!", "write a != 1, or not like"),
        ("&", "write `and`"),
    ];
    const BEFORE: &[(&str, &str)] = &[
        ("!", "write `not`"),
        (">", "write a >= 1 or a <= 1, with the equals sign last"),
        ("<", "write a >= 1 or a <= 1, with the equals sign last"),
        ("!=", "write a != 1"),
        ("/", "a regular expression follows like, =~ or !~"),
        ("*", "a star means all only in count(*)"),
        ("{", "this looks like LogQL: choose that language next to the query"),
    ];
    let table = if behind { BEHIND } else { BEFORE };
    let mut all = ANYWHERE.iter().chain(table);
    all.find(|(sign, _)| rest.starts_with(sign)).map(|(_, hint)| *hint)
}

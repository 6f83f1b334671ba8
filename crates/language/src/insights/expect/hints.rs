//! What to write instead: hints from the place of a mistake, the words before it and what was expected there.

use super::rule_names::kind_of;
use crate::insights::aggregate_name::aggregate_without_brackets;
use crate::insights::command_names::is_command_word;
use crate::insights::foreign;
use crate::insights::grammar::Rule;
use crate::insights::pattern::length;
use plan::nearest;

/// Returns what a query may be that starts with a sign.
pub(super) fn at_start(rest: &str) -> Option<&'static str> {
    match rest.chars().next()? {
        '{' => Some("this looks like LogQL or a filter pattern: choose that language next to the query"),
        '[' => Some("this looks like a filter pattern: choose that language next to the query"),
        '*' => Some("an empty query shows everything; stats count(*) counts it"),
        '-' | '!' => Some("write filter not (a = 1), or filter @any not like \"word\""),
        '(' => Some("write filter before a condition"),
        '"' | '\'' => {
            Some("a text is a query of its own, or part of a filter: filter @any like \"a\" and @any like \"b\"")
        }
        _ => None,
    }
}

/// Returns a condition at the place of a command, told by what follows its first word.
pub(super) fn condition_without_filter(behind: &str) -> Option<&'static str> {
    let behind = behind.trim_start();
    let is_condition = behind.starts_with(['=', '!', '<', '>', ':', '~'])
        || ["like ", "in ", "in[", "in(", "between "].iter().any(|word| behind.starts_with(word));
    is_condition.then_some("write filter before a condition, such as filter status >= 500")
}

/// Where the grammar stopped.
pub(super) struct Place<'a> {
    /// The query before the place.
    pub before: &'a str,
    /// The word that is there, perhaps none.
    pub word: &'a str,
    /// The query from the place on.
    pub rest: &'a str,
    /// What could have stood there.
    pub expected: &'a [Rule],
}

impl Place<'_> {
    fn expects(&self, rule: Rule) -> bool {
        self.expected.contains(&rule)
    }

    fn expects_operand(&self) -> bool {
        self.expected.iter().any(|rule| kind_of(*rule) == Some("a field, a value or a function"))
    }

    fn expects_pattern(&self) -> bool {
        self.expected.iter().any(|rule| kind_of(*rule) == Some("a text with stars or a /regular expression/"))
    }

    /// Returns the last word before the place.
    fn last(&self) -> &str {
        let before = self.before.trim_end();
        before.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | ',' | '|')).next().unwrap_or_default()
    }

    /// Reports whether the present command begins with `word`.
    fn is_in(&self, word: &str) -> bool {
        let command = self.before.rsplit(['|', '\n']).next().unwrap_or_default().trim_start();
        command.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    }

    /// Returns the best hint there is.
    pub(super) fn hint(&self) -> Option<String> {
        if let Some(hint) = self.split_duration().or_else(|| self.condition_among_names()) {
            return Some(hint);
        }
        if let Some(hint) = self.of_command() {
            return Some(hint.to_owned());
        }
        if let Some(hint) = foreign::signs(self.rest, self.expects(Rule::comparison)) {
            return Some(hint.to_owned());
        }
        if self.expects(Rule::comparison) && !self.word.is_empty() {
            return self.behind_expression();
        }
        if self.expects(Rule::count) {
            return Some("write a number of rows such as 20".to_owned());
        }
        self.before_expression().or_else(|| self.unclosed())
    }

    /// Returns a hint for a number and a unit of time with a space between them.
    fn split_duration(&self) -> Option<String> {
        let number = self.before.trim_end().rsplit(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let is_apart = self.before.ends_with(char::is_whitespace) && !number.is_empty();
        let is_duration = is_apart && length(&format!("{number}{}", self.word)).is_ok();
        is_duration.then(|| format!("write {number}{} without the space", self.word))
    }

    /// Returns a hint for a condition or a calculation in a command that takes names of fields.
    fn condition_among_names(&self) -> Option<String> {
        let command = ["top", "rare", "dedup", "drop"].into_iter().find(|command| self.is_in(command))?;
        let sign = ["==", "!=", "<=", ">=", "=", "<", ">", "+", "*", "/", "%"]
            .into_iter()
            .find(|sign| self.rest.starts_with(sign))?;
        let name = self.before.trim_end().rsplit(|c: char| c.is_whitespace() || c == ',').next()?;
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '@');
        is_name.then(|| format!("{command} takes names; compute it first: eval x = {name} {sign} … | {command} x"))
    }

    /// Hints that the present command and its signs give.
    fn of_command(&self) -> Option<&'static str> {
        let before = self.before.trim_end();
        let starts = |sign: &str| self.rest.starts_with(sign);
        let is = |word: &str| self.word.eq_ignore_ascii_case(word);
        Some(match () {
            () if before.ends_with(',') && is("by") => "take away the comma before by",
            () if before.ends_with(',') => "one more must follow the comma, or take the comma away",
            () if self.before.ends_with('/') && starts("/") => "a comment starts with #",
            () if self.before.ends_with('|') && starts("|") => "write `or` and `and`",
            () if self.before.ends_with('|') && starts("=") => {
                "a filter of its own holds a text: filter @message like \"part\""
            }
            () if self.before.ends_with('|') && starts("~") => {
                "a filter of its own matches: filter @message like /expression/"
            }
            () if is("like") && self.expects_operand() => "write a like \"part\"",
            () if starts(",") && self.expects(Rule::kw_and) => "write between 1 and 5",
            () if self.is_in("limit") && !self.expects(Rule::count) => {
                "limit takes one number of rows and nothing else"
            }
            () if self.is_in("parse") && self.expects_pattern() => {
                "write the pattern in quotes: parse @message \"user=* took=*\" as user, took"
            }
            () if self.is_in("parse") && self.expects(Rule::kw_as) => "write `as` before the names",
            () if self.is_in("rename") && self.expects(Rule::kw_as) => "write rename a as b",
            () if self.is_in("eval") && self.expects(Rule::equals) => "write eval x = a + 1",
            () if self.is_in("eval") && starts("=") => "a name is given its value by one equals sign: eval x = a + 1",
            () if self.is_in("unnest") && self.expects(Rule::kw_into) => "write unnest items into item",
            () if self.is_in("dedup") && starts("(") => "compute it first: eval l = lower(a) | dedup l",
            () if (self.is_in("top") || self.is_in("rare")) && before.to_lowercase().ends_with(" by") => {
                "name what is counted before by: top 5 path by host"
            }
            () if starts("=") && before.ends_with(['=', '<', '>']) => "one operator is enough",
            () if starts("=") && self.last().eq_ignore_ascii_case("filter") => "a field is missing before the operator",
            _ => return None,
        })
    }

    /// Hints for a word after a complete expression.
    fn behind_expression(&self) -> Option<String> {
        if let Some(hint) = foreign::behind(self.word) {
            return Some(hint.to_owned());
        }
        let last = self.last();
        if last.eq_ignore_ascii_case("distinct") {
            return Some("write stats count_distinct(user), or dedup user".to_owned());
        }
        if let Some(hint) = self.unclosed() {
            return Some(match self.word.eq_ignore_ascii_case("as") {
                true => {
                    "a name follows the closing bracket; types are changed by toint(a), tonumber(a), tostring(a)".into()
                }
                false => hint,
            });
        }
        if is_command_word(self.word) {
            return Some(format!("put a `|` before `{}`", self.word));
        }
        if last.eq_ignore_ascii_case("bin") {
            return Some("write bin(5m)".to_owned());
        }
        if let Some(hint) = aggregate_without_brackets(last).filter(|_| self.expects(Rule::kw_by)) {
            return Some(hint);
        }
        let words = ["and", "or", "like", "in", "between", "as", "by", "asc", "desc"];
        if let Some(near) = nearest(self.word, words).filter(|_| self.word.len() > 1) {
            return Some(format!("did you mean \"{near}\"?"));
        }
        Some(match () {
            () if self.expects(Rule::kw_by) => "groups follow by: stats count(*) by host".to_owned(),
            () if self.expects(Rule::comma_sign) => {
                "put a comma between fields; commands are separated by `|` or stand on lines of their own".to_owned()
            }
            () => "commands are separated by `|` or stand on lines of their own".to_owned(),
        })
    }

    /// Hints for what is instead of an operand or a name.
    fn before_expression(&self) -> Option<String> {
        const RESERVED: [&str; 8] = ["and", "or", "not", "in", "like", "between", "as", "by"];
        let is = |word: &str| self.word.eq_ignore_ascii_case(word);
        let last = self.last();
        let was = |word: &str| last.eq_ignore_ascii_case(word);
        if self.expects_operand() && is("by") {
            return Some("write an aggregate first, such as count(*)".to_owned());
        }
        if (self.expects_operand() || self.expects(Rule::name)) && RESERVED.iter().any(|reserved| is(reserved)) {
            return Some(format!("a field of that name is written `{}` in backticks", self.word));
        }
        let hint = match () {
            () if was("like") || last == "=~" || last == "!~" => {
                "write a text in quotes, or an expression between slashes: /err|warn/"
            }
            () if was("in") => "write a list: in [\"a\", \"b\"]",
            () if was("source") => "write the names in quotes: source \"app/*\"",
            () if was("fields") || was("display") => "name fields: fields @timestamp, @message",
            () if was("filter") || was("where") => "write a condition: filter status >= 500",
            () if was("stats") => "write an aggregate: stats count(*) by host",
            () if was("sort") => "write a field: sort @timestamp desc",
            () if was("dedup") || was("drop") => "name fields, with commas between",
            () if was("as") || self.names_an_alias() => {
                "a name is one word; with other signs than letters, digits, _, @ and . it is put in backticks"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Reports whether the word before the place is a name after `as`.
    fn names_an_alias(&self) -> bool {
        let mut words = self.before.split_whitespace().rev();
        words.next().is_some() && words.next().is_some_and(|word| word.eq_ignore_ascii_case("as"))
    }

    /// Returns a bracket before the place that nothing closes.
    fn unclosed(&self) -> Option<String> {
        let mut open: Vec<(char, usize)> = Vec::new();
        let mut quote: Option<char> = None;
        let mut is_escaped = false;
        for (column, sign) in self.before.chars().enumerate() {
            match (quote, sign) {
                _ if is_escaped => is_escaped = false,
                (Some(_), '\\') => is_escaped = true,
                (Some(closing), sign) if sign == closing => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'' | '`') => quote = Some(sign),
                (None, '(' | '[') => open.push((sign, column)),
                (None, ')' | ']') => drop(open.pop()),
                _ => {}
            }
        }
        let (sign, _) = open.last()?;
        let closing = if *sign == '(' { ')' } else { ']' };
        Some(format!("a `{sign}` before this is not closed: write `{closing}`"))
    }
}

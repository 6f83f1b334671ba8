//! Where in a query a place is, told without reading the query: the command around it, those before, what is compared.
//!
//! Texts before a cursor are rarely whole, so this only counts brackets and looks for texts, regular expressions and
//! comments. What it gets wrong costs a suggestion, never an answer.

use super::super::command_names::is_command_word;

/// A place at the end of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Place<'a> {
    /// The commands before, of the query or subquery that the place is in.
    pub(super) earlier: &'a str,
    /// Where the command begins that the place is in.
    pub(super) command_start: usize,
    /// The sign before.
    pub(super) last: Option<Sign>,
    /// The field that a value at this place is compared with.
    pub(super) compared: Option<String>,
    command: &'a str,
    last_word: &'a str,
    /// The text of the command before the place.
    before: &'a str,
}

/// A place inside of `lookup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InLookup<'a> {
    /// The name of the table.
    Table,
    /// A column of the table: one that must be equal to a field, or one that is taken.
    Column { table: &'a str, is_taken: bool },
    /// The field that a column must be equal to.
    Field,
}

/// What is distinguished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Word,
    /// A text, regular expression or name in quotes.
    Quoted,
    Operator,
    Comma,
    Open,
    Close,
    Pipe,
}

#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) sign: Sign,
    pub(super) text: &'a str,
    pub(super) start: usize,
    /// Whether a newline is before.
    begins_line: bool,
}

/// An open bracket, or the query itself.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Where its commands begin, if it is a query.
    start: usize,
    command_start: usize,
    is_query: bool,
    /// The first of its tokens.
    first: usize,
}

impl Place<'_> {
    pub(super) fn command_is(&self, names: &[&str]) -> bool {
        names.iter().any(|name| name.eq_ignore_ascii_case(self.command))
    }

    /// Returns what of a `lookup` may be here, where it is one.
    pub(super) fn lookup(&self) -> Option<InLookup<'_>> {
        if !self.command_is(&["lookup"]) {
            return None;
        }
        let rest = self.before.trim_start().get("lookup".len()..)?.trim_start();
        let (table, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if table.is_empty() {
            return Some(InLookup::Table);
        }
        let is_taken =
            rest.split(|c: char| c.is_whitespace() || c == ',').any(|word| word.eq_ignore_ascii_case("output"));
        if self.follows_word(&["as"]) {
            return (!is_taken).then_some(InLookup::Field);
        }
        let begins = rest.trim().is_empty() || self.last == Some(Sign::Comma) || self.follows_word(&["output"]);
        begins.then(|| InLookup::Column { table: table.trim_matches(['"', '\'', '`']), is_taken })
    }

    pub(super) fn follows_word(&self, words: &[&str]) -> bool {
        self.last == Some(Sign::Word) && words.iter().any(|word| word.eq_ignore_ascii_case(self.last_word))
    }

    /// Reports whether the query begins here.
    pub(super) fn is_at_start(&self) -> bool {
        self.last.is_none()
    }
}

/// Finds the place at the end of `head`.
pub(super) fn place(head: &str) -> Place<'_> {
    let tokens = tokens(head);
    let mut levels = vec![Level { is_query: true, ..Level::default() }];
    for (index, token) in tokens.iter().enumerate() {
        let end = token.start + token.text.len();
        let before = index.checked_sub(1).map(|before| tokens[before].sign);
        let Some(level) = levels.last_mut() else { break };
        let begins_command = token.sign == Sign::Word
            && is_command_word(token.text)
            && level.is_query
            && token.begins_line
            && !matches!(before, Some(Sign::Comma | Sign::Operator | Sign::Open));
        if token.sign == Sign::Word && token.text.eq_ignore_ascii_case("source") && index == level.first {
            level.is_query = true;
        }
        if begins_command {
            level.command_start = token.start;
        }
        match token.sign {
            Sign::Pipe => {
                level.is_query = true;
                level.command_start = end;
            }
            Sign::Open => {
                levels.push(Level { start: end, command_start: end, is_query: false, first: index + 1 });
            }
            Sign::Close if levels.len() > 1 => {
                levels.pop();
            }
            _ => {}
        }
    }
    let query = levels.iter().rev().find(|level| level.is_query).copied().unwrap_or_default();
    let command = tokens.iter().find(|token| token.start >= query.command_start && token.sign == Sign::Word);
    Place {
        earlier: head[query.start..query.command_start].trim_end_matches(|c: char| c.is_whitespace() || c == '|'),
        command_start: query.command_start,
        last: tokens.last().map(|token| token.sign),
        compared: compared(&tokens),
        command: command.map_or("", |token| token.text),
        last_word: tokens.last().map_or("", |token| token.text),
        before: &head[query.command_start..],
    }
}

/// Returns the field before `=`, `like` or `in [ … ,` at the end.
fn compared(tokens: &[Token<'_>]) -> Option<String> {
    let mut at = tokens.len().checked_sub(1)?;
    let is = |at: usize, words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(tokens[at].text));
    if is(at, &["[", "(", ","]) {
        while !is(at, &["[", "("]) {
            let is_element = matches!(tokens[at].sign, Sign::Comma | Sign::Quoted | Sign::Word);
            at = at.checked_sub(1).filter(|_| is_element)?;
        }
        at = at.checked_sub(1).filter(|before| is(*before, &["in"]))?;
    } else if !is(at, &["=", "==", "!=", "<>", "<", "<=", ">", ">=", "like", "has"]) {
        return None;
    }
    at = at.checked_sub(1)?;
    if is(at, &["not"]) {
        at = at.checked_sub(1)?;
    }
    let field = tokens[at];
    let is_field = field.sign == Sign::Word || field.text.starts_with('`');
    is_field.then(|| field.text.trim_matches('`').to_owned())
}

/// Cuts a text into tokens; one that is not closed ends with the text.
pub(super) fn tokens(head: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let (mut at, mut begins_line) = (0, false);
    while let Some(first) = head[at..].chars().next() {
        let rest = &head[at..];
        let follows = |n: usize, words: &[&str]| {
            let token = tokens.len().checked_sub(n).map(|at| &tokens[at]);
            token.is_some_and(|token| words.iter().any(|word| word.eq_ignore_ascii_case(token.text)))
        };
        // After `parse` a field may be before it.
        let may_be_regex = follows(1, &["like", "parse", "=~", "!~"]) || follows(2, &["parse"]);
        let (sign, length) = match first {
            '\n' | '\r' => {
                begins_line = true;
                at += 1;
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '"' | '\'' => (Sign::Quoted, quoted(rest, first)),
            '`' => (Sign::Quoted, rest[1..].find('`').map_or(rest.len(), |end| end + 2)),
            '/' if may_be_regex => (Sign::Quoted, quoted(rest, '/')),
            c if is_word(c) => (Sign::Word, rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())),
            ',' => (Sign::Comma, 1),
            '(' | '[' => (Sign::Open, 1),
            ')' | ']' => (Sign::Close, 1),
            '|' => (Sign::Pipe, 1),
            _ if ["==", "!=", "<>", "<=", ">=", "=~", "!~"].iter().any(|sign| rest.starts_with(sign)) => {
                (Sign::Operator, 2)
            }
            c => (Sign::Operator, c.len_utf8()),
        };
        tokens.push(Token { sign, text: &rest[..length], start: at, begins_line });
        begins_line = false;
        at += length;
    }
    tokens
}

/// Returns the length of a text in quotes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@' | '.')
}

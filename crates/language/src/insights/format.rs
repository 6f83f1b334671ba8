//! One layout for every query: a command per line, `| ` before all but the first, one space where one belongs.
//!
//! Works on what the grammar has read, token by token, so that a new command needs nothing here. Comments stay where
//! they are: after a command, above it, or inside. The plan stays the same: a computed column without a name is called
//! by its text, so that text is left as it was written. Laying out twice changes nothing.

mod layout;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use pest::Parser;
use pest::iterators::Pair;

use super::aggregate_name::AggregateName;
use super::command_names::is_command_word;
use super::grammar::{Insights, Rule};
use super::{parse, phrase};
use layout::{Kind, Token};
use plan::QueryErrors;
use plan::function::Signature;

/// Gives a query in the one layout.
///
/// Errors: what the grammar cannot read, with its place. Names and functions are not checked.
pub fn format_insights(text: &str) -> Result<String, QueryErrors> {
    let phrase = phrase::split(text);
    let read = phrase.as_ref().map_or(text, |phrase| &*phrase.rest);
    parse::parse(read, text)?;
    let mut tokens = Tokens { text, at: 0, tokens: Vec::new(), begins_command: false };
    if let Some(phrase) = &phrase {
        tokens.gap(phrase.span.start);
        let written = text.get(phrase.span.start..phrase.span.end).unwrap_or_default().trim();
        let is_quoted = written.starts_with(['"', '\'']);
        let shown = if is_quoted { written.to_owned() } else { phrase.words.join(" ") };
        tokens.begins_command = true;
        tokens.push(Kind::Phrase, shown);
        tokens.at = phrase.span.end;
    }
    if let Ok(pairs) = Insights::parse(Rule::query, read) {
        tokens.read(pairs.flatten());
    }
    tokens.gap(text.len());
    Ok(layout::lay_out(&tokens.tokens))
}

/// Cuts a text into tokens, guided by what the grammar found.
struct Tokens<'a> {
    text: &'a str,
    /// Where the last token ends.
    at: usize,
    tokens: Vec<Token<'a>>,
    /// Whether the next token is the first of a command.
    begins_command: bool,
}

impl<'a> Tokens<'a> {
    fn read<'i>(&mut self, pairs: impl Iterator<Item = Pair<'i, Rule>>) {
        // Rules that the present pair is inside of, with their ends.
        let mut around: Vec<(Rule, usize)> = Vec::new();
        for pair in pairs {
            let (start, end, rule) = (pair.as_span().start(), pair.as_span().end(), pair.as_rule());
            if start < self.at || rule == Rule::EOI || rule == Rule::query {
                continue;
            }
            while around.last().is_some_and(|(_, end)| start >= *end) {
                around.pop();
            }
            if is_command(rule) {
                self.gap(start);
                self.begins_command = true;
            }
            let parent = around.last().map_or(Rule::query, |(rule, _)| *rule);
            if rule == Rule::item && is_named_by_its_text(&pair) {
                let written = self.text.get(start..end).unwrap_or_default().trim_end();
                self.gap(start);
                self.push(Kind::Word, written);
                self.at = start + written.len();
            } else if pair.clone().into_inner().next().is_none() && self.leaf(rule, parent, start, end) {
                self.at = end;
            } else {
                around.push((rule, end));
            }
        }
    }

    /// Takes a pair without parts; `false` where it is more than one token.
    fn leaf(&mut self, rule: Rule, parent: Rule, start: usize, end: usize) -> bool {
        let Some(written) = self.text.get(start..end) else { return false };
        let (kind, shown) = match rule {
            Rule::regex | Rule::string | Rule::field | Rule::name | Rule::number | Rule::duration | Rule::count => {
                (Kind::Word, Cow::Borrowed(written))
            }
            Rule::option_name | Rule::option_word | Rule::name_pattern | Rule::table_name => {
                (Kind::Word, Cow::Borrowed(written))
            }
            Rule::is_equal => (Kind::Binary, "=".into()),
            Rule::function => (Kind::Function, function_name(written)),
            Rule::comparison if written == "==" => (Kind::Binary, "=".into()),
            Rule::comparison if written == "<>" => (Kind::Binary, "!=".into()),
            Rule::comparison | Rule::arithmetic => (Kind::Binary, written.into()),
            Rule::equals if parent == Rule::assignment => (Kind::Binary, written.into()),
            Rule::equals => (Kind::Tight, written.into()),
            Rule::negate => (Kind::Prefix, written.into()),
            Rule::star => (Kind::Word, written.into()),
            Rule::comma_sign => (Kind::Comma, written.into()),
            Rule::open => (Kind::Open, written.into()),
            Rule::close => (Kind::Close, written.into()),
            Rule::pipe => (Kind::Pipe, written.into()),
            Rule::kw_and | Rule::kw_or if parent == Rule::logical => (Kind::Break, written.to_lowercase().into()),
            Rule::kw_by => (Kind::Break, "by".into()),
            _ if is_keyword(rule) => (Kind::Word, keyword(written).into()),
            _ if written == ":" => (Kind::Comma, written.into()),
            // What the grammar takes as one piece stays one.
            _ if !written.contains(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | '#')) => {
                (Kind::Word, known_word(written).into())
            }
            _ => return false,
        };
        self.gap(start);
        self.push(kind, shown);
        true
    }

    fn push(&mut self, kind: Kind, shown: impl Into<Cow<'a, str>>) {
        let begins_command = std::mem::take(&mut self.begins_command);
        self.tokens.push(Token { text: shown.into(), kind, begins_command });
    }

    /// Takes what stands up to `end` outside of the pairs: comments, words and signs that the grammar does not name.
    fn gap(&mut self, end: usize) {
        let mut after_newline = false;
        while let Some(rest) = self.text.get(self.at..end).filter(|rest| !rest.is_empty()) {
            let first = rest.chars().next().unwrap_or(' ');
            let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '.');
            let length = match first {
                '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
                '=' | '!' if rest[1..].starts_with('~') => 2,
                c if is_word(c) => rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            self.at += length;
            let written = &rest[..length];
            let kind = match first {
                '\n' | '\r' => {
                    after_newline = true;
                    continue;
                }
                c if c.is_whitespace() || c == '\u{feff}' => continue,
                '#' => Kind::Comment { own_line: after_newline || self.tokens.is_empty() },
                '(' | '[' => Kind::Open,
                ')' | ']' => Kind::Close,
                ',' | ':' => Kind::Comma,
                '|' => Kind::Pipe,
                '=' | '!' if length == 2 => Kind::Binary,
                '=' => Kind::Tight,
                _ => Kind::Word,
            };
            // A comment is no part of the command after it.
            let begins_command = self.begins_command && !matches!(kind, Kind::Comment { .. } | Kind::Pipe);
            self.begins_command &= !begins_command;
            let shown = if kind == Kind::Word { known_word(written).into() } else { written.trim_end().into() };
            self.tokens.push(Token { text: shown, kind, begins_command });
            after_newline = false;
        }
    }
}

/// Reports whether an item is a computed column that is called by its text.
fn is_named_by_its_text(item: &Pair<'_, Rule>) -> bool {
    let mut parts = item.clone().into_inner();
    let only = parts.next().filter(|_| parts.next().is_none());
    let Some(expr) = only else { return false };
    let mut operands = expr.into_inner();
    let is_field = operands.next().is_some_and(|operand| operand.as_rule() == Rule::field);
    !is_field || operands.next().is_some()
}

/// Rules of commands have their names.
fn is_command(rule: Rule) -> bool {
    is_command_word(&format!("{rule:?}"))
}

fn is_keyword(rule: Rule) -> bool {
    matches!(rule, Rule::ascending | Rule::descending) || format!("{rule:?}").starts_with("kw_")
}

/// Returns a keyword in small letters, with one space where it is two words.
fn keyword(written: &str) -> String {
    let words: Vec<String> = written.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").replace("filterindex", "filterIndex")
}

/// Returns a function's name in our letters.
fn function_name(written: &str) -> Cow<'_, str> {
    let aggregates = || AggregateName::all().chain(["bin"]).find(|name| name.eq_ignore_ascii_case(written));
    match Signature::find(written).map(|signature| signature.name).or_else(aggregates) {
        Some(name) => name.into(),
        None => written.into(),
    }
}

/// Returns a word that the grammar reads without naming it.
fn known_word(written: &str) -> String {
    const WORDS: [&str; 10] =
        ["json", "logfmt", "grok", "clf", "combined", "syslog", "vpc", "span", "logGroups", "namePrefix"];
    WORDS.iter().find(|word| word.eq_ignore_ascii_case(written)).map_or(written, |word| word).to_owned()
}

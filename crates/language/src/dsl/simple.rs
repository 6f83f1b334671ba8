//! `simple_query_string`: a query string in which nothing is a mistake.
//!
//! `+` is and, `|` is or, `-` is not, texts in quotes are phrases, a star at the end of a word stands for the rest of
//! it.

use serde_json::Value as Json;

use super::NESTING_MAX;
use super::defaults::defaults;
use super::members::object;
use super::reader::Reader;
use crate::logic::{never, not};
use crate::lucene::{Defaults, Target};
use crate::search_error::SearchError;
use plan::Expr;
use plan::balanced;
use plan::regular_expression::{REGEXES_MAX, compile_regex};

/// Longest text in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Reads the query.
pub(super) fn condition(reader: &Reader<'_>, body: &Json, at: &str) -> Result<Option<Expr>, SearchError> {
    let members = object(body, at)?;
    let Some(text) = members.get("query").and_then(Json::as_str) else {
        return Err(SearchError::parsing(at, "needs a [query]"));
    };
    if text.len() > TEXT_BYTES_MAX {
        return Err(SearchError::parsing(at, format!("the query has more than {TEXT_BYTES_MAX} bytes")));
    }
    let defaults = defaults(reader, members, at)?;
    if text.trim() == "*" {
        return Ok(None);
    }
    let mut reader = SimpleReader { rest: text, defaults: &defaults, n_prefixes: 0 };
    Ok(Some(reader.all(0).unwrap_or_else(never)))
}

struct SimpleReader<'a> {
    rest: &'a str,
    defaults: &'a Defaults,
    n_prefixes: usize,
}

impl SimpleReader<'_> {
    /// Reads clauses up to a closing bracket or the end.
    fn all(&mut self, nesting: usize) -> Option<Expr> {
        // Alternatives, each a row of clauses that must all hold.
        let mut alternatives: Vec<Vec<Expr>> = Vec::new();
        let mut joins_all = true;
        loop {
            self.rest = self.rest.trim_start();
            let Some(first) = self.rest.chars().next() else { break };
            match first {
                ')' => {
                    self.rest = &self.rest[1..];
                    if nesting > 0 {
                        break;
                    }
                }
                '+' => {
                    self.rest = &self.rest[1..];
                    joins_all = true;
                }
                '|' => {
                    self.rest = &self.rest[1..];
                    joins_all = false;
                }
                _ => {
                    if let Some(clause) = self.clause(nesting) {
                        match alternatives.last_mut() {
                            Some(row) if joins_all => row.push(clause),
                            _ => alternatives.push(vec![clause]),
                        }
                        joins_all = self.defaults.joins_all;
                    }
                }
            }
        }
        let rows: Vec<Expr> = alternatives.into_iter().map(|row| balanced(row, Expr::And)).collect();
        (!rows.is_empty()).then(|| balanced(rows, Expr::Or))
    }

    fn clause(&mut self, nesting: usize) -> Option<Expr> {
        let mut is_negative = false;
        while let Some(rest) = self.rest.strip_prefix('-') {
            is_negative = !is_negative;
            self.rest = rest.trim_start();
        }
        let found = match self.rest.chars().next()? {
            '(' if nesting < NESTING_MAX => {
                self.rest = &self.rest[1..];
                self.all(nesting + 1)
            }
            '"' => {
                let inner = &self.rest[1..];
                let end = inner.find('"').unwrap_or(inner.len());
                self.rest = inner.get(end + 1..).unwrap_or_default();
                let text = &inner[..end];
                self.of_targets(|target| target.phrase(text))
            }
            _ => {
                let is_end = |c: char| c.is_whitespace() || matches!(c, '|' | '+' | '(' | ')' | '"');
                let end =
                    self.rest.find(is_end).unwrap_or(self.rest.len()).max(usize::from(self.rest.starts_with('(')));
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                self.word(word.split('~').next().unwrap_or_default())
            }
        };
        found.map(|found| if is_negative { not(Some(found)) } else { found })
    }

    fn word(&mut self, word: &str) -> Option<Expr> {
        let prefix = word.strip_suffix('*').filter(|prefix| !prefix.is_empty());
        match prefix {
            Some(prefix) if self.n_prefixes < REGEXES_MAX => {
                self.n_prefixes += 1;
                self.of_targets(|target| {
                    let source = format!("(?s)^{}.*$", regex::escape(&target.normal(prefix)));
                    Some(target.matching(compile_regex(&source, false).ok()?))
                })
            }
            _ if word.is_empty() => None,
            _ => self.of_targets(|target| target.value(word)),
        }
    }

    fn of_targets(&self, condition: impl Fn(&Target) -> Option<Expr>) -> Option<Expr> {
        let found: Vec<Expr> = self.defaults.targets.iter().filter_map(condition).collect();
        (!found.is_empty()).then(|| balanced(found, Expr::Or))
    }
}

//! `simple_query_string`: a query string in which nothing is a mistake.
//!
//! `+` is and, `|` is or, both from left to right, `-` is not, texts in quotes are phrases, a star at the end of a word stands for the rest of
//! it.

use serde_json::Value as Json;

use super::NESTING_MAX;
use super::defaults::defaults;
use super::members::object;
use super::reader::Reader;
use crate::logic::{never, not};
use crate::lucene::{Defaults, Target};
use crate::search_error::{Result, SearchError};
use plan::{Expr, REGEXES_MAX, balanced, compile_regex};

/// Longest text in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Reads the query.
pub(super) fn condition(reader: &Reader<'_>, body: &Json, at: &str) -> Result<Option<Expr>> {
    let members = object(body, at)?;
    let text =
        members.get("query").and_then(Json::as_str).ok_or_else(|| SearchError::parsing(at, "needs a [query]"))?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(SearchError::parsing(at, format!("the query has more than {TEXT_BYTES_MAX} bytes")));
    }
    let defaults = defaults(reader, members, at)?;
    if text.trim() == "*" {
        return Ok(None);
    }
    let mut reader = SimpleReader { rest: text, defaults: &defaults, n_prefixes: 0, n_turns: 0 };
    let condition = reader.all(0).unwrap_or_else(never);
    if reader.n_turns > NESTING_MAX {
        return Err(SearchError::parsing(at, format!("[+] and [|] alternate more than {NESTING_MAX} times")));
    }
    Ok(Some(condition))
}

struct SimpleReader<'a> {
    rest: &'a str,
    defaults: &'a Defaults,
    n_prefixes: usize,
    /// How often the operator changed, which nests the condition.
    n_turns: usize,
}

/// How two conditions are joined.
type Join = fn(Box<Expr>, Box<Expr>) -> Expr;

fn join_of(joins_all: bool) -> Join {
    if joins_all { Expr::And } else { Expr::Or }
}

impl SimpleReader<'_> {
    /// Reads clauses up to a closing bracket or the end. Operators apply from left to right: what is before one is its
    /// first operand.
    fn all(&mut self, nesting: usize) -> Option<Expr> {
        // Clauses joined by the operator that joined the last two of them.
        let (mut row, mut joins_row): (Vec<Expr>, Join) = (Vec::new(), Expr::And);
        let mut written: Option<Join> = None;
        loop {
            self.rest = self.rest.trim_start();
            let Some(first) = self.rest.chars().next() else { break };
            if matches!(first, ')' | '+' | '|') {
                self.rest = &self.rest[1..];
                match first {
                    ')' if nesting > 0 => break,
                    ')' => {}
                    // The first of several operators counts, and one before all clauses does not.
                    sign => written = written.or((!row.is_empty()).then_some(join_of(sign == '+'))),
                }
                continue;
            }
            let Some(clause) = self.clause(nesting) else { continue };
            let join = written.take().unwrap_or(join_of(self.defaults.joins_all));
            if row.len() > 1 && !std::ptr::fn_addr_eq(join, joins_row) {
                self.n_turns += 1;
                row = vec![balanced(row, joins_row)];
            }
            if !row.is_empty() {
                joins_row = join;
            }
            row.push(clause);
        }
        (!row.is_empty()).then(|| balanced(row, joins_row))
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

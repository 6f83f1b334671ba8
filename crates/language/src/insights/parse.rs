//! Insights text to syntax tree, through the grammar in `grammar/insights.pest`.
//!
//! The grammar gives commands and flat rows of operands and operators; the tree is built here by precedence,
//! with a stack of our own, so that no text can make it recurse deeper than
//! [`NESTING_MAX`](super::grammar::NESTING_MAX).

mod rows;

use pest::Parser;
use pest::iterators::Pair;
use types::Value;

use super::grammar::{Insights, Rule};
use super::reader::Reader;
use super::syntax::{Command, CommandKind, FillClause, Item, Method, Name, Node, SortKey, Stats};
use super::{expression, recover, token};
use crate::grammar::span_of;
use crate::search_query::check_length;
use plan::{Format, QueryErrors, Result};

/// Reads a query. `text` is what is read, `shown` what places in errors refer to (they are equally long).
///
/// Errors: every mistake of grammar that could be found, else the first one of another kind.
pub(crate) fn parse(text: &str, shown: &str) -> Result<Vec<Command>, QueryErrors> {
    let reader = Reader { text: shown, n_around: 0 };
    check_length(shown)?;
    let mut pairs = Insights::parse(Rule::query, text).map_err(|error| recover::mistakes(&error, text, shown))?;
    let Some(query) = pairs.next() else { return Ok(Vec::new()) };
    let is_command = |pair: &Pair<'_, Rule>| !matches!(pair.as_rule(), Rule::pipe | Rule::EOI);
    let commands = query.into_inner().filter(is_command).map(|pair| reader.command(pair));
    Ok(commands.collect::<Result<_>>()?)
}

/// Returns the parts of `pair` that `rule` made.
fn parts<'i>(pair: Pair<'i, Rule>, rule: Rule) -> impl Iterator<Item = Pair<'i, Rule>> {
    pair.into_inner().filter(move |part| part.as_rule() == rule)
}

impl Reader<'_> {
    pub(crate) fn command(&self, pair: Pair<'_, Rule>) -> Result<Command> {
        let span = span_of(&pair);
        let kind = match pair.as_rule() {
            Rule::fields => CommandKind::Fields(self.items(pair)?),
            Rule::display => CommandKind::Display(self.items(pair)?),
            Rule::filter => CommandKind::Filter(self.only_expr(pair)?),
            Rule::stats => CommandKind::Stats(self.stats(pair)?),
            Rule::timechart => {
                let length = self.duration(&pair, Rule::span)?;
                CommandKind::Timechart { length, stats: self.stats(pair)? }
            }
            Rule::top | Rule::rare => self.ranking(pair)?,
            Rule::fillmissing => {
                let fillings = parts(pair, Rule::filling).map(|filling| self.filling(filling));
                CommandKind::FillMissing(fillings.collect::<Result<_, _>>()?)
            }
            Rule::filldown => CommandKind::FillDown(self.arguments(pair)?),
            Rule::unnest => self.unnest(pair)?,
            Rule::mvexpand => CommandKind::Expand(self.arguments(pair)?),
            Rule::addtotals => CommandKind::AddTotals(self.arguments(pair)?),
            Rule::outlier => CommandKind::Outlier(self.arguments(pair)?),
            Rule::autoregress => self.autoregress(pair)?,
            Rule::sessionize => self.sessionize(pair)?,
            Rule::pattern => self.patterns(pair)?,
            Rule::diff => self.diff(&pair),
            Rule::logcompare => self.logcompare(&pair)?,
            Rule::anomaly => CommandKind::Anomaly,
            Rule::lookup => self.lookup(pair)?,
            Rule::join => self.join(pair)?,
            Rule::appendcols => CommandKind::AppendColumns { options: self.options(&pair)?, other: self.other(pair)? },
            Rule::sort => {
                CommandKind::Sort(parts(pair, Rule::sort_key).map(|key| self.sort_key(key)).collect::<Result<_, _>>()?)
            }
            Rule::limit => CommandKind::Limit(self.count(pair)?),
            Rule::tail => CommandKind::Tail(self.count(pair)?),
            Rule::dedup => CommandKind::Dedup(parts(pair, Rule::name).map(|name| token::name(&name)).collect()),
            Rule::drop => CommandKind::Drop(parts(pair, Rule::name).map(|name| token::name(&name)).collect()),
            Rule::rename => CommandKind::Rename(parts(pair, Rule::renaming).filter_map(renaming).collect()),
            Rule::eval => {
                let assignments = parts(pair, Rule::assignment).map(|assignment| self.assignment(assignment));
                CommandKind::Eval(assignments.collect::<Result<_, _>>()?)
            }
            Rule::parse => self.parse_command(pair)?,
            Rule::source => self.source(pair)?,
            _ => return Err(self.error("syntax", "there is no command here", span)),
        };
        Ok(Command { kind, span })
    }

    fn items(&self, pair: Pair<'_, Rule>) -> Result<Vec<Item>> {
        parts(pair, Rule::item).map(|item| self.item(item)).collect()
    }

    fn item(&self, pair: Pair<'_, Rule>) -> Result<Item> {
        let alias = parts(pair.clone(), Rule::name).next().map(|name| token::name(&name));
        Ok(Item { expr: self.only_expr(pair)?, alias })
    }

    /// Returns the one expression among the parts of a pair.
    fn only_expr(&self, pair: Pair<'_, Rule>) -> Result<Node> {
        let span = span_of(&pair);
        match parts(pair, Rule::expr).next() {
            Some(expr) => expression::read(self, expr, 0),
            None => Err(self.error("syntax", "an expression is missing here", span)),
        }
    }

    fn stats(&self, pair: Pair<'_, Rule>) -> Result<Stats> {
        let by = match parts(pair.clone(), Rule::by).next() {
            Some(by) => self.items(by)?,
            None => Vec::new(),
        };
        let offset = self.duration(&pair, Rule::offset)?;
        Ok(Stats { items: self.items(pair)?, by, offset })
    }

    /// Returns the length of time in the part that `rule` made.
    fn duration(&self, pair: &Pair<'_, Rule>, rule: Rule) -> Result<Option<Node>> {
        let length = parts(pair.clone(), rule).flat_map(|part| parts(part, Rule::duration)).next();
        length.map(|length| expression::operand(self, length, 0)).transpose()
    }

    fn ranking(&self, pair: Pair<'_, Rule>) -> Result<CommandKind> {
        let rarest_first = pair.as_rule() == Rule::rare;
        let names = |pair| parts(pair, Rule::name).map(|name| token::name(&name)).collect();
        let has_count = parts(pair.clone(), Rule::count).next().is_some();
        let most = if has_count { Some(self.count(pair.clone())?) } else { None };
        let by = parts(pair.clone(), Rule::ranking_by).next().map(names).unwrap_or_default();
        Ok(CommandKind::Ranking { most, names: names(pair), by, rarest_first })
    }

    fn filling(&self, pair: Pair<'_, Rule>) -> Result<FillClause> {
        let names = parts(pair.clone(), Rule::name).map(|name| token::name(&name)).collect();
        let (mut value, mut is_negative) = (None, false);
        for part in parts(pair, Rule::filler).flat_map(Pair::into_inner) {
            match part.as_rule() {
                Rule::negate => is_negative = true,
                _ => value = expression::operand(self, part, 0)?.literal(),
            }
        }
        match (is_negative, &value) {
            (true, Some(Value::Integer(number))) => value = Some(Value::Integer(-number)),
            (true, Some(Value::Float(number))) => value = Some(Value::Float(-number)),
            _ => {}
        }
        Ok(FillClause { value, names })
    }

    fn unnest(&self, pair: Pair<'_, Rule>) -> Result<CommandKind> {
        let span = span_of(&pair);
        let list = parts(pair.clone(), Rule::parse_source).flat_map(Pair::into_inner).next();
        match (list, parts(pair, Rule::name).next()) {
            (Some(list), Some(name)) => {
                Ok(CommandKind::Unnest { list: expression::operand(self, list, 0)?, name: token::name(&name) })
            }
            _ => Err(self.error("syntax", "`unnest` needs a list and a name", span)),
        }
    }

    fn sort_key(&self, pair: Pair<'_, Rule>) -> Result<SortKey> {
        let descending = parts(pair.clone(), Rule::descending).next().is_some();
        Ok(SortKey { expr: self.only_expr(pair)?, descending })
    }

    fn count(&self, pair: Pair<'_, Rule>) -> Result<u64> {
        let span = span_of(&pair);
        let digits = parts(pair, Rule::count).next();
        let digits_span = digits.as_ref().map_or(span, span_of);
        match digits.and_then(|digits| digits.as_str().parse().ok()) {
            Some(count) => Ok(count),
            None => Err(self.error("number-too-large", "this number is too large", digits_span)),
        }
    }

    fn assignment(&self, pair: Pair<'_, Rule>) -> Result<(Name, Node)> {
        let span = span_of(&pair);
        match parts(pair.clone(), Rule::name).next() {
            Some(name) => Ok((token::name(&name), self.only_expr(pair)?)),
            None => Err(self.error("syntax", "a name is missing here", span)),
        }
    }

    fn parse_command(&self, pair: Pair<'_, Rule>) -> Result<CommandKind> {
        let span = span_of(&pair);
        let mut source = None;
        for part in pair.into_inner() {
            let first_name = || parts(part.clone(), Rule::name).next().map(|name| token::name(&name));
            let method = match part.as_rule() {
                Rule::parse_source => {
                    source =
                        part.into_inner().next().map(|operand| expression::operand(self, operand, 0)).transpose()?;
                    continue;
                }
                Rule::parse_glob => self.glob(part)?,
                Rule::parse_regex => match part.into_inner().next() {
                    Some(regex) => Method::Regex(token::pattern(self, &regex)?),
                    None => continue,
                },
                Rule::parse_grok => match parts(part, Rule::string).next() {
                    Some(text) => Method::Grok(token::pattern(self, &text)?),
                    None => continue,
                },
                Rule::parse_format => match format_of(&part) {
                    Some(format) => Method::Format { format, prefix: first_name() },
                    None => continue,
                },
                _ => continue,
            };
            return Ok(CommandKind::Parse { source, method });
        }
        Err(self.error("syntax", "`parse` needs a text with stars or a /regular expression/", span))
    }

    fn glob(&self, pair: Pair<'_, Rule>) -> Result<Method> {
        let span = span_of(&pair);
        let names = parts(pair.clone(), Rule::name).map(|name| token::name(&name)).collect();
        match parts(pair, Rule::string).next() {
            Some(text) => Ok(Method::Glob { text: token::string(self, &text)?, names, span: span_of(&text) }),
            None => Err(self.error("syntax", "a text with stars is missing here", span)),
        }
    }
}

fn format_of(pair: &Pair<'_, Rule>) -> Option<Format> {
    let written = parts(pair.clone(), Rule::format_name).next()?;
    Format::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(written.as_str()))
}

fn renaming(pair: Pair<'_, Rule>) -> Option<(Name, Name)> {
    let mut names = parts(pair, Rule::name).map(|name| token::name(&name));
    Some((names.next()?, names.next()?))
}

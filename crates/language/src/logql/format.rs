//! Queries in one layout, as Loki's `format_query` gives it: what has at most a hundred bytes stays on one line, the
//! rest is broken at stages and arguments.
//!
//! Done for log queries, range and vector aggregations. Operators, `vector`, `label_replace` and conditions of more
//! than two parts are refused by name.

use pest::Parser;
use pest::iterators::Pair;
use types::parse_duration_ns;

use super::explain;
use super::grammar::{LogQl, Rule};
use super::query::parse;
use super::reader::Reader;
use super::sizes::{spell_duration, spell_size, spell_window};
use crate::grammar::span_of;
use plan::escape::quoted;
use plan::units::size_bytes;
use plan::{QueryError, QueryErrors, Result};

/// Bytes of an expression that stays on one line.
const LINE_BYTES_MAX: usize = 100;

/// Lays out a query.
///
/// Errors: what cannot be read, and what this does not lay out, with the place.
pub fn format(text: &str) -> Result<String, QueryErrors> {
    parse(text)?;
    let mut pairs = LogQl::parse(Rule::query, text).map_err(|found| explain::explain(&found, text))?;
    let formatter = Formatter { reader: Reader::new(text, false) };
    let Some(query) = pairs.next().and_then(|query| query.into_inner().next()) else { return Ok(String::new()) };
    let tree = match query.as_rule() {
        Rule::log => formatter.log(query)?,
        _ => formatter.metric(query)?,
    };
    Ok(tree.pretty(0))
}

/// An expression that can be broken.
enum Tree {
    Log {
        selector: String,
        stages: Vec<Stage>,
    },
    Range {
        log: Box<Tree>,
        unwrap: Option<String>,
        filters: Vec<String>,
        window: i64,
        offset: i64,
    },
    /// A function over a range, which ends with its grouping.
    RangeCall {
        name: String,
        parameter: Option<String>,
        range: Box<Tree>,
        grouping: Option<Grouping>,
    },
    Aggregation {
        name: String,
        grouping: Option<Grouping>,
        parameter: Option<String>,
        inner: Box<Tree>,
    },
}

enum Stage {
    /// Line filters that follow each other; each with and without its alternatives.
    Lines(Vec<(String, String)>),
    /// A stage that no level indents.
    Decolorize,
    Other(String),
}

struct Grouping {
    word: &'static str,
    labels: Vec<String>,
}

fn indent(level: usize) -> String {
    "  ".repeat(level)
}

impl Stage {
    fn flat(&self) -> String {
        match self {
            Self::Lines(filters) => filters.iter().map(|(whole, _)| whole.as_str()).collect::<Vec<_>>().join(" "),
            Self::Decolorize => "| decolorize".to_owned(),
            Self::Other(text) => text.clone(),
        }
    }

    fn pretty(&self, level: usize) -> String {
        let flat = self.flat();
        match self {
            Self::Decolorize => flat,
            Self::Lines(filters) if flat.len() > LINE_BYTES_MAX => {
                let lines: Vec<String> = filters.iter().map(|(_, first)| indent(level) + first).collect();
                lines.join("\n")
            }
            _ => indent(level) + &flat,
        }
    }
}

impl Grouping {
    fn flat(&self) -> String {
        format!(" {} ({})", self.word, self.labels.join(","))
    }

    fn pretty(&self) -> String {
        if self.labels.is_empty() {
            return if self.word == "without" { " without".to_owned() } else { String::new() };
        }
        format!(" {} ({})", self.word, self.labels.join(", "))
    }
}

impl Tree {
    /// Returns the expression on one line.
    fn flat(&self) -> String {
        match self {
            Self::Log { selector, stages } => {
                let stages = stages.iter().map(Stage::flat);
                std::iter::once(selector.clone()).chain(stages).collect::<Vec<_>>().join(" ")
            }
            Self::Range { log, unwrap, filters, window, offset } => {
                let mut text = log.flat();
                unwrap.iter().chain(filters).for_each(|part| text.push_str(&format!(" {part}")));
                text.push_str(&format!("[{}]", spell_window(*window)));
                if *offset != 0 {
                    text.push_str(&format!(" offset {}{}", sign(*offset), spell_duration(offset.abs())));
                }
                text
            }
            Self::RangeCall { name, parameter, range, grouping } => {
                let parameter = parameter.iter().map(|number| format!("{number},")).collect::<String>();
                format!(
                    "{name}({parameter}{}){}",
                    range.flat(),
                    grouping.as_ref().map_or_else(String::new, Grouping::flat)
                )
            }
            Self::Aggregation { name, grouping, parameter, inner } => {
                let has_grouping = |grouping: &&Grouping| grouping.word == "without" || !grouping.labels.is_empty();
                let grouping = grouping.as_ref().filter(has_grouping).map_or_else(String::new, Grouping::flat);
                let parameter = parameter.iter().map(|number| format!("{number},")).collect::<String>();
                format!("{name}{grouping}({parameter}{})", inner.flat())
            }
        }
    }

    fn pretty(&self, level: usize) -> String {
        let flat = self.flat();
        match self {
            Self::Range { log, unwrap, filters, window, offset } => {
                let mut text = log.pretty(level);
                unwrap.iter().chain(filters).for_each(|part| text.push_str(&format!("\n{}{part}", indent(level + 1))));
                text.push_str(&format!(" [{}]", spell_window(*window)));
                if *offset != 0 {
                    text.push_str(&format!(" offset {}{}", sign(*offset), spell_window(offset.abs())));
                }
                text
            }
            _ if flat.len() <= LINE_BYTES_MAX => indent(level) + &flat,
            Self::Log { selector, stages } => {
                let lines = stages.iter().map(|stage| stage.pretty(level + 1));
                std::iter::once(indent(level) + selector).chain(lines).collect::<Vec<_>>().join("\n")
            }
            Self::RangeCall { name, parameter, range, grouping } => {
                let parameter = parameter.iter().map(|number| format!("{}{number},\n", indent(level + 1)));
                let (parameter, tail) = (parameter.collect::<String>(), grouping.as_ref().map(Grouping::pretty));
                let (head, range) = (indent(level), range.pretty(level + 1));
                format!("{head}{name}(\n{parameter}{range}\n{head}){}", tail.unwrap_or_default())
            }
            Self::Aggregation { name, grouping, parameter, inner } => {
                let parameter = parameter.iter().map(|number| format!("{}{number},\n", indent(level + 1)));
                let (parameter, grouping) = (parameter.collect::<String>(), grouping.as_ref().map(Grouping::pretty));
                let (head, inner) = (indent(level), inner.pretty(level + 1));
                format!("{head}{name}{}(\n{parameter}{inner}\n{head})", grouping.unwrap_or_default())
            }
        }
    }
}

struct Formatter<'a> {
    reader: Reader<'a>,
}

impl Formatter<'_> {
    fn unsupported(&self, pair: &Pair<'_, Rule>) -> QueryError {
        let message = "format_query does not lay out this part of a query";
        self.reader.error("not-formatted", message, span_of(pair))
    }

    fn quoted(&self, pair: &Pair<'_, Rule>) -> Result<String> {
        Ok(quoted(&self.reader.string(pair)?))
    }

    fn log(&self, pair: Pair<'_, Rule>) -> Result<Tree> {
        let (mut selector, mut stages) = (String::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::selector => selector = self.selector(part)?,
                _ => self.stage(part, &mut stages)?,
            }
        }
        Ok(Tree::Log { selector, stages })
    }

    fn selector(&self, pair: Pair<'_, Rule>) -> Result<String> {
        let matchers = pair.into_inner().filter(|part| part.as_rule() == Rule::matcher);
        let matchers: Vec<String> = matchers.map(|matcher| self.matcher(matcher)).collect::<Result<_, _>>()?;
        Ok(format!("{{{}}}", matchers.join(", ")))
    }

    fn matcher(&self, pair: Pair<'_, Rule>) -> Result<String> {
        let mut text = String::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::string => text.push_str(&self.quoted(&part)?),
                _ => text.push_str(part.as_str()),
            }
        }
        Ok(text)
    }

    fn stage(&self, pair: Pair<'_, Rule>, stages: &mut Vec<Stage>) -> Result<()> {
        let text = match pair.as_rule() {
            Rule::line_filter => {
                let filter = self.line_filter(pair)?;
                match stages.last_mut() {
                    Some(Stage::Lines(filters)) => filters.push(filter),
                    _ => stages.push(Stage::Lines(vec![filter])),
                }
                return Ok(());
            }
            Rule::decolorize => {
                stages.push(Stage::Decolorize);
                return Ok(());
            }
            Rule::label_filter => format!("| {}", self.conditions(pair)?),
            Rule::json => self.listed("json", pair)?,
            Rule::logfmt => self.listed("logfmt", pair)?,
            Rule::regexp => self.listed("regexp", pair)?,
            Rule::pattern => self.listed("pattern", pair)?,
            Rule::unpack => "| unpack".to_owned(),
            Rule::line_format => self.listed("line_format", pair)?,
            Rule::label_format => self.listed("label_format", pair)?,
            Rule::drop => self.listed("drop", pair)?,
            Rule::keep => self.listed("keep", pair)?,
            _ => return Err(self.unsupported(&pair)),
        };
        stages.push(Stage::Other(text));
        Ok(())
    }

    /// Returns a line filter, and the same without what follows `or`.
    fn line_filter(&self, pair: Pair<'_, Rule>) -> Result<(String, String)> {
        let (mut sign, mut texts) = (String::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::line_sign => sign = part.as_str().to_owned(),
                Rule::string => texts.push(self.quoted(&part)?),
                Rule::address => texts.push(self.address(part)?),
                Rule::kw_or => {}
                _ => return Err(self.unsupported(&part)),
            }
        }
        let first = texts.first().cloned().unwrap_or_default();
        Ok((format!("{sign} {}", texts.join(" or ")), format!("{sign} {first}")))
    }

    fn address(&self, pair: Pair<'_, Rule>) -> Result<String> {
        let text = pair.into_inner().find(|part| part.as_rule() == Rule::string);
        Ok(format!("ip({})", text.map_or_else(|| Ok("\"\"".to_owned()), |text| self.quoted(&text))?))
    }

    /// Returns a stage of a word, a text or flags, and a list.
    fn listed(&self, word: &str, pair: Pair<'_, Rule>) -> Result<String> {
        let (mut head, mut items) = (format!("| {word}"), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::string => head.push_str(&format!(" {}", self.quoted(&part)?)),
                Rule::logfmt_flag => head.push_str(&format!(" {}", part.as_str())),
                Rule::extraction => {
                    let name = part.clone().into_inner().next().map_or("", |name| name.as_str());
                    let path = part.clone().into_inner().find(|part| part.as_rule() == Rule::string);
                    let path = path.map_or_else(|| Ok(quoted(name)), |path| self.quoted(&path))?;
                    items.push(format!("{name}={path}"));
                }
                Rule::renaming => {
                    let parts: Vec<_> = part.clone().into_inner().collect();
                    let [name, value] = parts.as_slice() else { return Err(self.unsupported(&part)) };
                    let is_text = value.as_rule() == Rule::string;
                    let value = if is_text { self.quoted(value)? } else { value.as_str().to_owned() };
                    items.push(format!("{}={value}", name.as_str()));
                }
                Rule::chosen => items.push(self.matcher(part)?),
                Rule::comma => {}
                rule if format!("{rule:?}").starts_with("kw_") => {}
                _ => return Err(self.unsupported(&part)),
            }
        }
        Ok(if items.is_empty() { head } else { format!("{head} {}", items.join(",")) })
    }

    /// Returns a condition, or two of them.
    fn conditions(&self, pair: Pair<'_, Rule>) -> Result<String> {
        let whole = pair.clone();
        let (mut found, mut is_or) = (Vec::new(), false);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::condition => found.push(self.condition(part)?),
                Rule::kw_or => is_or = true,
                Rule::kw_and | Rule::comma => {}
                _ => return Err(self.unsupported(&part)),
            }
        }
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [left, right] => Ok(format!("( {left} {} {right} )", if is_or { "or" } else { "," })),
            _ => Err(self.unsupported(&whole)),
        }
    }

    fn condition(&self, pair: Pair<'_, Rule>) -> Result<String> {
        let parts: Vec<_> = pair.clone().into_inner().collect();
        let [name, sign, value] = parts.as_slice() else { return Err(self.unsupported(&pair)) };
        let (name, sign) = (name.as_str(), sign.as_str());
        let compared = if sign == "=" { "==" } else { sign };
        Ok(match value.as_rule() {
            Rule::string => format!("{name}{sign}{}", self.quoted(value)?),
            Rule::address => format!("{name}{sign}{}", self.address(value.clone())?),
            _ => format!("{name}{compared}{}", quantity(value.as_str()).ok_or_else(|| self.unsupported(value))?),
        })
    }

    fn metric(&self, pair: Pair<'_, Rule>) -> Result<Tree> {
        let whole = pair.clone();
        let mut parts = pair.into_inner();
        let (Some(operand), None) = (parts.next(), parts.next()) else { return Err(self.unsupported(&whole)) };
        match operand.as_rule() {
            Rule::paren => {
                let inner = operand.clone().into_inner().find(|part| part.as_rule() == Rule::metric);
                self.metric(inner.ok_or_else(|| self.unsupported(&operand))?)
            }
            Rule::range_call => self.range_call(operand),
            Rule::aggregation | Rule::sorted => self.aggregation(operand),
            _ => Err(self.unsupported(&operand)),
        }
    }

    fn aggregation(&self, pair: Pair<'_, Rule>) -> Result<Tree> {
        let (mut name, mut grouping, mut parameter, mut inner) = (String::new(), None, None, None);
        // Arguments of an aggregation are a pair of their own, those of a sort are not.
        let parts = pair.clone().into_inner().flat_map(|part| match part.as_rule() {
            Rule::arguments => part.into_inner().collect::<Vec<_>>(),
            _ => vec![part],
        });
        for part in parts {
            match part.as_rule() {
                Rule::aggregate_name | Rule::sort_name => name = part.as_str().to_ascii_lowercase(),
                Rule::grouping => grouping = Some(read_grouping(part)),
                Rule::number => parameter = Some(part.as_str().to_owned()),
                Rule::metric => inner = Some(Box::new(self.metric(part)?)),
                Rule::open | Rule::close | Rule::comma => {}
                _ => return Err(self.unsupported(&part)),
            }
        }
        let inner = inner.ok_or_else(|| self.unsupported(&pair))?;
        Ok(Tree::Aggregation { name, grouping, parameter, inner })
    }

    fn range_call(&self, pair: Pair<'_, Rule>) -> Result<Tree> {
        let (mut name, mut grouping, mut parameter, mut range) = (String::new(), None, None, None);
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::range_name => name = part.as_str().to_ascii_lowercase(),
                Rule::grouping => grouping = Some(read_grouping(part)),
                Rule::number => {
                    let number: f64 = part.as_str().parse().map_err(|_| self.unsupported(&part))?;
                    parameter = Some(number.to_string());
                }
                Rule::range => range = Some(Box::new(self.range(part)?)),
                Rule::open | Rule::close | Rule::comma => {}
                _ => return Err(self.unsupported(&part)),
            }
        }
        let range = range.ok_or_else(|| self.unsupported(&pair))?;
        Ok(Tree::RangeCall { name, parameter, range, grouping })
    }

    fn range(&self, pair: Pair<'_, Rule>) -> Result<Tree> {
        let (mut selector, mut stages, mut unwrap, mut filters) = (String::new(), Vec::new(), None, Vec::new());
        let (mut window, mut offset) = (0, 0);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::selector => selector = self.selector(part)?,
                Rule::window => (window, offset) = self.window(part)?,
                Rule::unwrap => unwrap = Some(self.unwrap(part)?),
                Rule::label_filter if unwrap.is_some() => filters.push(format!("| {}", self.conditions(part)?)),
                Rule::open | Rule::close => {}
                _ => self.stage(part, &mut stages)?,
            }
        }
        Ok(Tree::Range { log: Box::new(Tree::Log { selector, stages }), unwrap, filters, window, offset })
    }

    fn unwrap(&self, pair: Pair<'_, Rule>) -> Result<String> {
        let find = |rule| pair.clone().into_inner().find(|part| part.as_rule() == rule);
        let label = find(Rule::label).ok_or_else(|| self.unsupported(&pair))?;
        Ok(match find(Rule::conversion) {
            Some(conversion) => format!("| unwrap {}({})", conversion.as_str().to_ascii_lowercase(), label.as_str()),
            None => format!("| unwrap {}", label.as_str()),
        })
    }

    /// Length and offset of a window.
    fn window(&self, pair: Pair<'_, Rule>) -> Result<(i64, i64)> {
        let mut lengths = [0, 0];
        for part in pair.into_inner() {
            let at = match part.as_rule() {
                Rule::duration => 0,
                Rule::offset => 1,
                _ => continue,
            };
            let (sign, text) = part.as_str().strip_prefix('-').map_or((1, part.as_str()), |text| (-1, text));
            lengths[at] = sign * parse_duration_ns(text).map_err(|_| self.unsupported(&part))?;
        }
        Ok((lengths[0], lengths[1]))
    }
}

fn read_grouping(pair: Pair<'_, Rule>) -> Grouping {
    let word = if pair.as_str().to_ascii_lowercase().starts_with("without") { "without" } else { "by" };
    let labels = pair.into_inner().filter(|part| part.as_rule() == Rule::label);
    Grouping { word, labels: labels.map(|label| label.as_str().to_owned()).collect() }
}

/// Returns a number, a duration or a size in one spelling.
fn quantity(text: &str) -> Option<String> {
    if let Ok(number) = text.parse::<f64>() {
        return Some(number.to_string());
    }
    match parse_duration_ns(text) {
        Ok(ns) => Some(spell_duration(ns)),
        Err(_) => size_bytes(text).map(spell_size),
    }
}

/// Returns the sign of an offset.
fn sign(offset: i64) -> &'static str {
    if offset < 0 { "-" } else { "" }
}

#[cfg(test)]
mod tests;

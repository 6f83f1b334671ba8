//! Commands with `key=value` options, with tables, and with queries inside: pairs of the grammar to the syntax tree.

use pest::iterators::Pair;

use super::{Reader, Rule, parts, span_of};
use crate::insights::syntax::{Arguments, CommandKind, Name, Node, NodeKind, OtherQuery, Setting, Window};
use crate::insights::{expression, token};
use plan::Result;

impl Reader<'_> {
    pub(super) fn arguments(&self, pair: Pair<'_, Rule>) -> Result<Arguments> {
        let options = self.options(&pair)?;
        let names = parts(pair, Rule::name_pattern).map(|name| token::name(&name)).collect();
        Ok(Arguments { options, names })
    }

    pub(super) fn options(&self, pair: &Pair<'_, Rule>) -> Result<Vec<Setting>> {
        let mut options = Vec::new();
        for option in parts(pair.clone(), Rule::option) {
            let key = parts(option.clone(), Rule::option_name).next().map(|key| token::name(&key));
            let value = parts(option, Rule::option_value).flat_map(Pair::into_inner).next();
            if let (Some(key), Some(value)) = (key, value) {
                options.push(Setting { key, value: self.text_or_name(&value)? });
            }
        }
        Ok(options)
    }

    /// Returns a text in quotes, or a word as it is.
    fn text_or_name(&self, pair: &Pair<'_, Rule>) -> Result<Name> {
        match pair.as_rule() {
            Rule::string => Ok(Name { text: token::string(self, pair)?, span: span_of(pair) }),
            _ => Ok(token::name(pair)),
        }
    }

    pub(super) fn patterns(&self, pair: Pair<'_, Rule>) -> Result<CommandKind> {
        let span = span_of(&pair);
        match parts(pair, Rule::parse_source).flat_map(Pair::into_inner).next() {
            Some(text) => Ok(CommandKind::Pattern(expression::operand(self, text, 0)?)),
            None => Err(self.error("syntax", "`pattern` needs a field with texts", span)),
        }
    }

    pub(super) fn diff(&self, pair: &Pair<'_, Rule>) -> CommandKind {
        let named = parts(pair.clone(), Rule::earlier).next();
        let window = named.map_or(Window::Preceding, |named| {
            let length = match &*named.as_str().to_lowercase() {
                "previousday" => "1d",
                "previousweek" => "1w",
                _ => "1mo",
            };
            Window::Shift(Node { kind: NodeKind::Duration(length.into()), span: span_of(&named), depth: 1 })
        });
        CommandKind::Compare { command: "diff", window }
    }

    pub(super) fn logcompare(&self, pair: &Pair<'_, Rule>) -> Result<CommandKind> {
        let length = parts(pair.clone(), Rule::duration).next();
        match length.map(|length| expression::operand(self, length, 0)).transpose()? {
            Some(length) => Ok(CommandKind::Compare { command: "logcompare", window: Window::Shift(length) }),
            None => Err(self.error("syntax", "`logcompare timeshift` needs a length of time", span_of(pair))),
        }
    }

    pub(super) fn autoregress(&self, pair: Pair<'_, Rule>) -> Result<CommandKind> {
        let options = self.options(&pair)?;
        match parts(pair.clone(), Rule::name).next() {
            Some(field) => Ok(CommandKind::Autoregress { field: token::name(&field), alias: alias(&pair), options }),
            None => Err(self.error("syntax", "a name is missing here", span_of(&pair))),
        }
    }

    pub(super) fn sessionize(&self, pair: Pair<'_, Rule>) -> Result<CommandKind> {
        let pause = self.duration(&pair, Rule::maxspan)?;
        let alias = alias(&pair);
        let fields = parts(pair, Rule::name).map(|name| token::name(&name)).collect();
        Ok(CommandKind::Sessionize { fields, pause, alias })
    }

    pub(super) fn lookup(&self, pair: Pair<'_, Rule>) -> Result<CommandKind> {
        let span = span_of(&pair);
        let renamed = |rule| {
            parts(pair.clone(), rule).filter_map(|part| {
                let name = parts(part.clone(), Rule::name).next().map(|name| token::name(&name))?;
                let alias = alias(&part).unwrap_or_else(|| name.clone());
                Some((name, alias))
            })
        };
        let (keys, outputs) = (renamed(Rule::lookup_key).collect(), renamed(Rule::lookup_output).collect());
        match parts(pair.clone(), Rule::table).flat_map(Pair::into_inner).next() {
            Some(table) => Ok(CommandKind::Lookup { table: self.text_or_name(&table)?, keys, outputs }),
            None => Err(self.error("syntax", "the name of a table is missing here", span)),
        }
    }

    pub(super) fn join(&self, pair: Pair<'_, Rule>) -> Result<CommandKind> {
        let options = self.options(&pair)?;
        let pair_of = |key| {
            let mut names = parts(key, Rule::name).map(|name| token::name(&name));
            Some((names.next()?, names.next()?))
        };
        let keys = parts(pair.clone(), Rule::join_key).filter_map(pair_of).collect();
        Ok(CommandKind::Join { options, keys, other: self.other(pair)? })
    }

    /// Returns the query in brackets.
    pub(super) fn other(&self, pair: Pair<'_, Rule>) -> Result<OtherQuery> {
        let span = span_of(&pair);
        match parts(pair, Rule::other).next() {
            Some(other) => {
                let span = span_of(&other);
                Ok(OtherQuery { commands: expression::subquery(self, other)?, span })
            }
            None => Err(self.error("syntax", "a query in brackets is missing here", span)),
        }
    }

    /// Patterns of group names, and what else `source` says.
    pub(super) fn source(&self, pair: Pair<'_, Rule>) -> Result<CommandKind> {
        let options = self.options(&pair)?;
        let (mut groups, mut tests) = (Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::string => groups.push(token::string(self, &part)?),
                Rule::log_groups => {
                    for test in parts(part, Rule::group_test) {
                        tests.extend(parts(test.clone(), Rule::option_name).map(|name| token::name(&name)));
                        let is_prefix = tests.last().is_some_and(|name| name.text.eq_ignore_ascii_case("nameprefix"));
                        let elements = parts(test, Rule::list).flat_map(|list| parts(list, Rule::expr));
                        for prefix in elements.filter(|_| is_prefix) {
                            groups.push(format!("{}*", self.prefix(prefix)?));
                        }
                    }
                    if groups.is_empty() {
                        groups.push("*".to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(CommandKind::Source { groups, tests, options })
    }

    fn prefix(&self, element: Pair<'_, Rule>) -> Result<String> {
        let span = span_of(&element);
        let mut inner = element.into_inner();
        match (inner.next().filter(|only| only.as_rule() == Rule::string), inner.next()) {
            (Some(text), None) => token::string(self, &text),
            _ => Err(self.error("syntax", "a group name prefix is a text in quotes", span)),
        }
    }
}

fn alias(pair: &Pair<'_, Rule>) -> Option<Name> {
    parts(pair.clone(), Rule::alias).flat_map(|alias| parts(alias, Rule::name)).next().map(|name| token::name(&name))
}

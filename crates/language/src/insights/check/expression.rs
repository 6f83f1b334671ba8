//! Expressions: functions and their arguments, patterns, aggregates where they may stand.

use plan::{Expr, Function, Span, TextPattern, balanced, compile_regex, nearest};
use types::Value;

use super::checker::Checker;
use super::levels;
use crate::insights::aggregate_name::{AggregateName, aggregate_without_brackets};
use crate::insights::foreign;
use crate::insights::pattern::{self, BadLength};
use crate::insights::syntax::{Binary, Name, Node, NodeKind, Pattern};
use plan::each::{each, lifted};
use plan::function::{SIGNATURES, Signature};

/// Returns the name of a field without the stars that stand for every element of a list; `None` where it has none.
fn without_stars(name: &str) -> Option<plan::Name> {
    if !name.contains(".*") {
        return None;
    }
    let parts: Vec<&str> = name.split('.').filter(|part| *part != "*").collect();
    Some(parts.join(".").into())
}

impl Checker<'_> {
    /// Checks an expression. After a mistake the result stands for nothing and the query is refused in the end.
    pub(super) fn expr(&mut self, node: &Node) -> Expr {
        if let Some(column) = self.column_by_call(node) {
            return Expr::Field(column);
        }
        match &node.kind {
            NodeKind::Literal(value) => Expr::Literal(value.clone()),
            NodeKind::Duration(_) => {
                if self.length(node).is_some() {
                    let message = "a length of time can only stand in bin, datefloor and dateceil";
                    let hint = "write bin(5m) after `by`; compare numbers with parse_duration(\"5m\"), in milliseconds";
                    self.error_with_hint("misplaced-duration", message, node.span, hint);
                }
                Expr::Literal(None)
            }
            NodeKind::Field(name) => self.field(name, node.span),
            NodeKind::Call { name, arguments, has_star } => self.call(name, arguments, *has_star),
            NodeKind::Negate(operand) => Expr::Negate(Box::new(self.expr(operand))),
            NodeKind::Not(operand) => Expr::Not(Box::new(self.expr(operand))),
            NodeKind::And(nodes) => {
                let conditions = nodes.iter().map(|node| self.expr(node)).collect();
                balanced(conditions, Expr::And)
            }
            NodeKind::Or(nodes) => {
                let conditions = nodes.iter().map(|node| self.expr(node)).collect();
                balanced(conditions, Expr::Or)
            }
            NodeKind::Binary(operator, left, right) => self.binary(*operator, left, right, node.span),
            NodeKind::Like { value, pattern, negated } => {
                let value = self.expr(value);
                let pattern = self.text_pattern(pattern);
                negated_if(*negated, lifted(Expr::Match(Box::new(value), pattern)))
            }
            NodeKind::In { value, items, negated } => {
                let value = self.expr(value);
                let items: Vec<Expr> = items.iter().map(|item| self.expr(item)).collect();
                items.iter().for_each(|item| self.check_time(&value, item, node.span));
                let (value, items) = self.items_by_severity(value, items);
                negated_if(*negated, lifted(Expr::In(Box::new(value), items)))
            }
            NodeKind::InQuery { value, commands, negated } => {
                let value = self.expr(value);
                negated_if(*negated, self.in_query(value, commands, node.span))
            }
            NodeKind::Between { value, bounds, negated } => {
                let value = self.expr(value);
                let (low, high) = (self.expr(&bounds.0), self.expr(&bounds.1));
                self.check_time(&value, &low, node.span);
                self.check_time(&value, &high, node.span);
                negated_if(*negated, lifted(self.between(value, low, high)))
            }
        }
    }

    fn field(&mut self, name: &str, span: Span) -> Expr {
        let name = self.without_alias(name);
        if let Some(aggregation) = &self.aggregation
            && !aggregation.knows(name)
        {
            let message = format!("`{name}` is neither a group of this `stats` nor inside an aggregate");
            let hint = aggregate_without_brackets(name)
                .unwrap_or_else(|| format!("write an aggregate such as max({name}), or add {name} after `by`"));
            self.error_with_hint("not-aggregated", message, span, hint);
        }
        if let Some(plain) = without_stars(name)
            && !self.tables.last().is_some_and(|table| table.knows(name))
        {
            return each(&plain, Expr::Field(plain.clone()));
        }
        // Amazon's name of it.
        Expr::Field(if name == "@ptr" { "@id".into() } else { name.into() })
    }

    fn binary(&mut self, operator: Binary, left: &Node, right: &Node, span: Span) -> Expr {
        self.warn_of_comparison(operator, left, right, span);
        let (left, right) = (self.expr(left), self.expr(right));
        match operator {
            Binary::Compare(comparison) => {
                self.check_time(&left, &right, span);
                self.check_time(&right, &left, span);
                lifted(self.compared(comparison, left, right))
            }
            Binary::Arithmetic(operator) => Expr::Arithmetic(operator, Box::new(left), Box::new(right)),
        }
    }

    fn text_pattern(&mut self, pattern: &Pattern) -> TextPattern {
        if pattern.is_phrase {
            let words: Vec<String> = pattern.text.split_whitespace().map(str::to_owned).collect();
            if words.is_empty() {
                self.error("empty-phrase", "there are no words in this text", pattern.span);
            }
            return TextPattern::Phrase(words);
        }
        if !pattern.is_regex {
            self.warn_of_wildcards(&pattern.text, pattern.span);
            return TextPattern::Substring(pattern.text.clone());
        }
        if !self.may_compile(pattern.span) {
            return TextPattern::Substring(String::new());
        }
        match pattern::regex(pattern, self.text) {
            Ok(regex) => TextPattern::Regex(regex),
            Err(error) => {
                self.fail(error);
                TextPattern::Substring(String::new())
            }
        }
    }

    fn call(&mut self, name: &Name, arguments: &[Node], has_star: bool) -> Expr {
        if let Some(aggregate) = AggregateName::find(&name.text) {
            return self.aggregate_in_expression(aggregate, name, arguments, has_star);
        }
        if name.text.eq_ignore_ascii_case("bin") {
            return self.bin(name, arguments);
        }
        let Some(signature) = Signature::find(&name.text) else {
            self.unknown_function(name);
            return Expr::Literal(None);
        };
        let n_given = arguments.len();
        if has_star || n_given < signature.n_min || signature.n_max.is_some_and(|most| n_given > most) {
            self.wrong_arguments(name, signature.name, signature.arguments);
            return Expr::Literal(None);
        }
        let checked = arguments.iter().enumerate().map(|(index, node)| self.argument(signature.function, index, node));
        let checked: Vec<Expr> = checked.collect();
        if matches!(signature.function, Function::Greatest | Function::Least)
            && checked.iter().any(|argument| self.is_level(argument))
        {
            let severities = checked.into_iter().map(levels::severity).collect();
            return levels::level_name(Expr::Call(signature.function, severities));
        }
        Expr::Call(signature.function, checked)
    }

    /// Returns an argument; those that must be known beforehand are checked and put in their form.
    fn argument(&mut self, function: Function, index: usize, node: &Node) -> Expr {
        match (function, index) {
            (Function::DateFloor | Function::DateCeil, 1) => match self.length(node) {
                Some(length) => Expr::Duration(length),
                None => Expr::Literal(None),
            },
            (Function::RegexpExtract | Function::RegexpReplace, 1) => {
                let NodeKind::Literal(Some(Value::String(source))) = &node.kind else {
                    let message = "the pattern must be a regular expression in quotes";
                    self.error("pattern-not-constant", message, node.span);
                    return Expr::Literal(None);
                };
                if !self.may_compile(node.span) {
                    return Expr::Literal(None);
                }
                match compile_regex(source, false) {
                    Ok(regex) => Expr::Regex(regex),
                    Err((message, _)) => {
                        self.error("bad-regex", message, node.span);
                        Expr::Literal(None)
                    }
                }
            }
            _ => {
                self.check_argument(function, index, node);
                self.expr(node)
            }
        }
    }

    pub(super) fn wrong_arguments(&mut self, name: &Name, called: &str, arguments: &str) {
        let message = format!("wrong number of arguments of {called}");
        self.error_with_hint("wrong-arguments", message, name.span, format!("write {called}({arguments})"));
    }

    fn unknown_function(&mut self, name: &Name) {
        if self.is_full() {
            return;
        }
        let shown: String = name.text.chars().take(40).collect();
        let known = SIGNATURES.iter().map(|signature| signature.name).chain(AggregateName::all()).chain(["bin"]);
        let near = || nearest(&shown, known).map(|near| format!("did you mean \"{near}\"?"));
        let hint = foreign::function(&shown).map(str::to_owned).or_else(near);
        let message = format!("there is no function `{shown}`");
        match hint {
            Some(hint) => self.error_with_hint("unknown-function", message, name.span, hint),
            None => self.error("unknown-function", message, name.span),
        }
    }

    /// `bin(d)`: the start of the span of time that the event lies in.
    fn bin(&mut self, name: &Name, arguments: &[Node]) -> Expr {
        let [length] = arguments else {
            self.wrong_arguments(name, "bin", "5m");
            return Expr::Literal(None);
        };
        match self.length(length) {
            Some(length) => {
                let time = self.field("@timestamp", name.span);
                Expr::Call(Function::DateFloor, vec![time, Expr::Duration(length)])
            }
            None => Expr::Literal(None),
        }
    }

    /// Returns a length of time, or an error and nothing.
    pub(super) fn length(&mut self, node: &Node) -> Option<plan::Length> {
        let written = match &node.kind {
            NodeKind::Duration(written) => written.clone(),
            NodeKind::Literal(Some(Value::String(text))) if text.starts_with(|c: char| c.is_ascii_digit()) => {
                text.to_string()
            }
            _ => {
                let message = "a length of time such as 30s, 5m, 1h or 1d is expected here";
                self.error("duration-expected", message, node.span);
                return None;
            }
        };
        match pattern::length(&written) {
            Ok(length) => return Some(length),
            Err(BadLength::Unit(unit)) => {
                let unit: String = unit.chars().take(40).collect();
                let message = format!("`{unit}` is no unit of time");
                let hint = "units are ms, s, m, h, d, w, mo, q and y";
                self.error_with_hint("unknown-unit", message, node.span, hint);
            }
            Err(BadLength::Size) => {
                self.error("bad-duration", "this length of time is zero or too large", node.span);
            }
        }
        None
    }
}

fn negated_if(negated: bool, expr: Expr) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}

//! Mistakes in arguments that can be seen before a query runs: a text where a number belongs, a subnet that is none.

use chrono::format::{Item, StrftimeItems};
use types::{Level, Value};

use super::checker::Checker;
use crate::insights::syntax::{Binary, Node, NodeKind};
use plan::{Comparison, Function, Span};

/// Reports whether the argument of a function at this place must be a number.
fn takes_number(function: Function, index: usize) -> bool {
    use Function as F;
    match function {
        F::Abs | F::Ceil | F::Floor | F::Log | F::Sqrt | F::Log2 | F::Log10 | F::Exp | F::Sign => true,
        F::Round | F::Pow | F::FromMillis | F::FormatDuration | F::FormatBytes => true,
        F::Substring => index > 0,
        _ => false,
    }
}

/// Reports whether a text is a subnet such as `192.0.2.0/24`.
fn is_subnet(text: &str) -> bool {
    let Some((network, length)) = text.split_once('/') else { return false };
    let width = match network.parse() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u32>().is_ok_and(|length| length <= width)
}

fn is_date_format(letters: &str) -> bool {
    StrftimeItems::new(letters).all(|item| item != Item::Error)
}

impl Checker<'_> {
    /// Tells of an argument whose constant value can never do.
    pub(super) fn check_argument(&mut self, function: Function, index: usize, node: &Node) {
        let NodeKind::Literal(Some(value)) = &node.kind else { return };
        let text = if let Value::String(text) = value { Some(&**text) } else { None };
        if takes_number(function, index) && text.is_some_and(|text| text.parse::<f64>().is_err()) {
            let message = format!("{} takes a number here, not a text", function.name());
            return self.error("number-expected", message, node.span);
        }
        match (function, index) {
            (Function::IsIpInSubnet | Function::IsIpV4InSubnet | Function::IsIpV6InSubnet, 1)
                if !text.is_some_and(is_subnet) =>
            {
                let hint = "write an address and a length, such as \"192.0.2.0/24\" or \"2001:db8::/32\"";
                self.error_with_hint("bad-subnet", "this is no subnet", node.span, hint);
            }
            (Function::FormatDate | Function::ParseDate, 1) if !text.is_some_and(is_date_format) => {
                let hint = "write strftime letters, such as \"%Y-%m-%d %H:%M:%S\"";
                self.error_with_hint("bad-date-format", "this is no format of a time", node.span, hint);
            }
            _ => {}
        }
    }

    /// Warns of comparisons that do not say what they look like.
    pub(super) fn warn_of_comparison(&mut self, operator: Binary, left: &Node, right: &Node, span: Span) {
        let Binary::Compare(comparison) = operator else { return };
        let is_null = |node: &Node| matches!(node.kind, NodeKind::Literal(None));
        if is_null(left) || is_null(right) {
            let name = self.written(if is_null(left) { right.span } else { left.span });
            let (is, hint) = match comparison {
                Comparison::NotEqual => ("always", format!("write ispresent({name})")),
                _ => ("never", format!("write not ispresent({name})")),
            };
            let message = format!("a comparison with null is {is} true: what is missing equals nothing");
            return self.warn("comparison-with-null", message, span, Some(hint));
        }
        if let (NodeKind::Field(field), NodeKind::Field(word)) = (&left.kind, &right.kind)
            && ["level", "severity", "status"].iter().any(|name| field.to_lowercase().ends_with(name))
            && Level::parse(word).is_some()
        {
            let message = format!("`{word}` without quotes is a field, not a text");
            let hint = format!("write {field} {comparison} \"{word}\"");
            self.warn("word-without-quotes", message, right.span, Some(hint));
        }
    }

    /// Warns of wildcards that `like` does not know.
    pub(super) fn warn_of_wildcards(&mut self, text: &str, span: Span) {
        let is_wild = |sign: char| text.len() > 1 && (text.starts_with(sign) || text.ends_with(sign));
        let Some(sign) = ['%', '*'].into_iter().find(|sign| is_wild(*sign)) else { return };
        let message = format!("`like` looks for the text as it is: `{sign}` is no wildcard in it");
        let hint = format!("write like \"{}\", which finds it anywhere, or like /expression/", text.trim_matches(sign));
        self.warn("no-wildcard", message, span, Some(hint));
    }
}

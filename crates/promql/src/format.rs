//! Formats queries as Prometheus does: up to 100 bytes on one line, longer ones with a line for each part.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::error::ParseError;
use crate::histogram::plain;
use crate::labels::is_label_name;
use crate::matcher::Matcher;
use crate::parse::parse;
use crate::syntax::{At, Expr, Length, Many, Matching, Node, Selector};

/// The longest line that is not split, bytes.
const LINE_BYTES_MAX: usize = 100;

/// Returns a query in its usual layout: each part that is too long for a line on lines of its own.
///
/// Errors: what is wrong with which bytes.
pub fn format(text: &str) -> Result<String, ParseError> {
    Ok(Layout { text }.lines(&parse(text)?, 0))
}

struct Layout<'a> {
    text: &'a str,
}

impl Layout<'_> {
    /// Lays out a node that begins a line.
    fn lines(&self, node: &Node, level: usize) -> String {
        let flat = self.lay(node, None);
        if flat.len() > LINE_BYTES_MAX { self.lay(node, Some(level)) } else { "  ".repeat(level) + &flat }
    }

    /// Lays out a node: on one line, or on several at this level.
    fn lay(&self, node: &Node, level: Option<usize>) -> String {
        let indent = "  ".repeat(level.unwrap_or(0));
        let below = |inner: &Node| level.map_or_else(|| self.lay(inner, None), |level| self.lines(inner, level + 1));
        let list = |head: &str, inner: Vec<String>| match level {
            Some(_) => format!("{indent}{head}(\n{}\n{indent})", inner.join(",\n")),
            None => format!("{head}({})", inner.join(", ")),
        };
        match &node.expr {
            Expr::Number(number) => indent + &plain(*number),
            Expr::Text(text) => indent + &quoted(text),
            Expr::Computed(inner, durations) => self.timed(inner, level, durations),
            Expr::Selector(_) | Expr::Matrix(..) | Expr::Subquery { .. } => self.timed(node, level, &[]),
            Expr::Paren(inner) => list("", vec![below(inner)]),
            Expr::Negate(inner) => format!("{indent}-{}", self.beside(inner, level).trim_start()),
            Expr::Call(function, args) => list(function.name, args.iter().map(below).collect()),
            Expr::Aggregate { aggregation, param, inner, grouping } => {
                let mut head = aggregation.text().to_owned();
                if grouping.without || !grouping.labels.is_empty() {
                    let word = if grouping.without { "without" } else { "by" };
                    let _ = write!(head, " {word} ({}) ", names(&grouping.labels));
                }
                list(&head, param.iter().chain([inner]).map(|arg| below(arg)).collect())
            }
            Expr::Binary { operator, left, right, matching, return_bool } => {
                let space = if level.is_some() { "\n" } else { " " };
                let operator = operator.text().to_owned() + if *return_bool { " bool" } else { "" };
                format!("{}{space}{indent}{operator}{}{space}{}", below(left), matching_text(matching), below(right))
            }
        }
    }

    /// Lays out the operand of a minus or of a subquery, at the same level.
    fn beside(&self, inner: &Node, level: Option<usize>) -> String {
        level.map_or_else(|| self.lay(inner, None), |level| self.lines(inner, level))
    }

    /// Lays out a selector or a subquery; `computed` has the durations that are written as arithmetic.
    fn timed(&self, node: &Node, level: Option<usize>, computed: &[(Length, Node)]) -> String {
        let duration = |length: Length, ms: i64| {
            let found = computed.iter().find(|(of, _)| *of == length);
            found.map_or_else(|| duration_text(ms), |(_, duration)| self.lay(duration, None))
        };
        let indent = "  ".repeat(level.unwrap_or(0));
        let (text, shift) = match &node.expr {
            Expr::Selector(selector) => (indent + &self.selector(node, selector), selector.shift),
            Expr::Matrix(selector, range) => {
                let range = duration(Length::Range, *range);
                (format!("{indent}{}[{range}]", self.selector(node, selector)), selector.shift)
            }
            Expr::Subquery { inner, range, step, shift } => {
                let (range, step) = (duration(Length::Range, *range), step.map(|ms| duration(Length::Step, ms)));
                (format!("{}[{range}:{}]", self.beside(inner, level), step.unwrap_or_default()), *shift)
            }
            _ => return self.lay(node, level),
        };
        let offset = duration(Length::Offset, shift.offset);
        let offset = if offset == "0s" { String::new() } else { format!(" offset {offset}") };
        let modifier = shift.edges.modifier().map_or_else(String::new, |(word, _)| format!(" {word}"));
        let at = at_text(shift.at);
        // As Prometheus orders them.
        let is_range = matches!(node.expr, Expr::Matrix(..));
        if is_range { text + &modifier + &at + &offset } else { text + &at + &modifier + &offset }
    }

    /// Lays out a selector without its modifiers; its name is before the braces if it was written there.
    fn selector(&self, node: &Node, selector: &Selector) -> String {
        let is_named = !self.text[node.span.start..].starts_with('{');
        let name = selector.matchers.first().filter(|_| is_named).map_or("", |matcher| &*matcher.value);
        let label = |one: &Matcher| format!("{}{}{}", label_text(&one.name), one.operator(), quoted(&one.value));
        let mut labels: Vec<String> = selector.matchers.iter().skip(usize::from(is_named)).map(label).collect();
        labels.sort();
        if labels.is_empty() && is_named { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
    }
}

fn matching_text(matching: &Matching) -> String {
    let mut text = String::new();
    if matching.on || !matching.labels.is_empty() || matching.many != Many::None {
        let _ = write!(text, " {} ({})", if matching.on { "on" } else { "ignoring" }, names(&matching.labels));
    }
    if matching.many != Many::None {
        let side = if matching.many == Many::Left { "left" } else { "right" };
        let _ = write!(text, " group_{side} ({})", names(&matching.include));
    }
    let fills = match (matching.fill_left, matching.fill_right) {
        (Some(left), Some(right)) if left == right => [("fill", Some(left)), ("", None)],
        (left, right) => [("fill_left", left), ("fill_right", right)],
    };
    for (word, value) in fills.iter().filter_map(|(word, value)| Some((word, (*value)?))) {
        let _ = write!(text, " {word} ({})", plain(value));
    }
    text
}

fn at_text(at: Option<At>) -> String {
    match at {
        Some(At::Time(ms)) => format!(" @ {:.3}", ms as f64 / 1000.0),
        Some(At::Start) => " @ start()".to_owned(),
        Some(At::End) => " @ end()".to_owned(),
        None => String::new(),
    }
}

/// Spells a duration of ms; years and weeks only where nothing is left, since 90d is easier to read than 12w6d.
fn duration_text(ms: i64) -> String {
    const DAY: i64 = 86_400_000;
    const UNITS: [(&str, i64); 7] =
        [("y", 365 * DAY), ("w", 7 * DAY), ("d", DAY), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let (mut text, mut rest) = (if ms < 0 { "-" } else { "" }.to_owned(), ms.abs());
    for (unit, length) in UNITS {
        if rest >= length && (length <= DAY || rest % length == 0) {
            let _ = write!(text, "{}{unit}", rest / length);
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

fn names(labels: &[Arc<str>]) -> String {
    labels.iter().map(|label| label_text(label)).collect::<Vec<_>>().join(", ")
}

fn label_text(name: &str) -> String {
    if is_label_name(name) { name.to_owned() } else { quoted(name) }
}

/// Puts a text between quotes, with escapes where it needs them.
fn quoted(text: &str) -> String {
    let escapes = [("\\", "\\\\"), ("\"", "\\\""), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")];
    format!("\"{}\"", escapes.iter().fold(text.to_owned(), |text, (plain, escaped)| text.replace(plain, escaped)))
}

#[cfg(test)]
mod tests;

//! Conditions that mean something else to Loki than their text says.
//!
//! Loki turns expressions such as `err.*` and `warn|warning` into searches for texts, and forgets on the way that they
//! are about the whole label. Which ones it turns depends on the tree that Go's parser gives it: common beginnings of
//! alternatives are taken out, and alternatives of one character become a class, which is no text any more.

/// A text that a label has to hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum LooseText {
    /// Anything, also nothing.
    Any,
    /// At least one character.
    Present,
    /// A text, in any case where it folds; the label may hold more where it is not whole.
    Literal { text: String, is_whole: bool, folds: bool },
}

/// Returns the texts of an expression: a label matches if it holds one of them. `None` for expressions that Loki does not
/// simplify.
pub(super) fn loose_texts(expression: &str) -> Option<Vec<LooseText>> {
    let mut parser = Parser { rest: expression, n_nested: 0 };
    let (tree, mut texts) = (parser.alternatives(false)?, Vec::new());
    (parser.rest.is_empty() && simplify(&tree, &mut texts)).then_some(texts)
}

/// The part of Go's trees that Loki simplifies.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Empty,
    /// A text, and whether case does not count.
    Literal(String, bool),
    /// `.*`
    AnyStar,
    /// `.+`
    AnyPlus,
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Capture(Box<Node>),
}

/// Groups that are read; each may nest in the other.
const GROUPS_MAX: usize = 32;

struct Parser<'t> {
    rest: &'t str,
    n_nested: usize,
}

impl Parser<'_> {
    fn takes(&mut self, text: &str) -> bool {
        let after = self.rest.strip_prefix(text);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Reads as far as the end or a closing bracket.
    fn alternatives(&mut self, mut folds: bool) -> Option<Node> {
        self.n_nested += 1;
        let mut legs = Vec::new();
        while self.n_nested <= GROUPS_MAX {
            match self.sequence(&mut folds)? {
                Node::Alternate(nested) => legs.extend(nested),
                leg => legs.push(leg),
            }
            if !self.takes("|") {
                let has_class = legs.windows(2).any(|pair| pair.iter().all(is_character));
                return if has_class { None } else { collapsed(legs) };
            }
        }
        None
    }

    fn sequence(&mut self, folds: &mut bool) -> Option<Node> {
        let mut parts = Vec::new();
        while let Some(first) = self.rest.chars().next().filter(|first| !matches!(first, '|' | ')')) {
            if self.takes("(?i)") {
                *folds = true;
                continue;
            }
            let part = match first {
                '.' if self.takes(".*") => Node::AnyStar,
                '.' if self.takes(".+") => Node::AnyPlus,
                '(' if self.takes("(?i:") => self.group(true)?,
                '(' if self.takes("(?:") => self.group(*folds)?,
                '(' if self.takes("(") => Node::Capture(Box::new(self.group(*folds)?)),
                '\\' if self.takes("\\") => {
                    let escaped = self.rest.chars().next().filter(char::is_ascii_punctuation)?;
                    self.rest = &self.rest[1..];
                    Node::Literal(escaped.into(), *folds)
                }
                first if !".*+?([{^$\\".contains(first) => {
                    self.rest = &self.rest[first.len_utf8()..];
                    Node::Literal(first.into(), *folds)
                }
                _ => return None,
            };
            let _is_lazy = matches!(part, Node::AnyStar | Node::AnyPlus) && self.takes("?");
            if self.rest.starts_with(['*', '+', '?', '{']) {
                return None;
            }
            parts.push(part);
        }
        Some(concatenated(parts))
    }

    fn group(&mut self, folds: bool) -> Option<Node> {
        self.alternatives(folds).filter(|_| self.takes(")"))
    }
}

fn is_character(node: &Node) -> bool {
    matches!(node, Node::Literal(text, _) if text.chars().count() == 1)
}

fn concatenated(parts: Vec<Node>) -> Node {
    let mut flat: Vec<Node> = Vec::new();
    let nested = |part| if let Node::Concat(nested) = part { nested } else { vec![part] };
    for part in parts.into_iter().flat_map(nested) {
        match (flat.last_mut(), part) {
            (Some(Node::Literal(text, folds)), Node::Literal(more, same)) if *folds == same => text.push_str(&more),
            (_, part) => flat.push(part),
        }
    }
    match flat.len() {
        0 => Node::Empty,
        1 => flat.remove(0),
        _ => Node::Concat(flat),
    }
}

/// Takes common beginnings out of alternatives that follow each other. `None` where that gives a class of characters.
fn collapsed(legs: Vec<Node>) -> Option<Node> {
    let (mut out, mut start): (Vec<Node>, usize) = (Vec::new(), 0);
    while let Some(first) = legs.get(start) {
        let mut shared = leading(first).map(|(text, folds)| (text.to_owned(), folds));
        let mut end = start + 1;
        while let Some(both) = legs.get(end).and_then(|leg| common(shared.as_ref()?, leading(leg)?)) {
            (shared, end) = (Some(both), end + 1);
        }
        match shared.filter(|_| end > start + 1) {
            Some((prefix, folds)) => {
                let rest = legs[start..end].iter().map(|leg| without_prefix(leg, prefix.len())).collect();
                out.push(Node::Concat(vec![Node::Literal(prefix, folds), collapsed(rest)?]));
            }
            None => out.push(first.clone()),
        }
        start = end;
    }
    out.dedup_by(|a, b| *a == Node::Empty && *b == Node::Empty);
    match out.len() {
        _ if out.windows(2).any(|pair| pair.iter().all(is_character)) => None,
        1 => out.pop(),
        _ => Some(Node::Alternate(out)),
    }
}

/// Returns the text that a node begins with.
fn leading(node: &Node) -> Option<(&str, bool)> {
    match node {
        Node::Literal(text, folds) => Some((text, *folds)),
        Node::Concat(parts) => parts.first().filter(|part| matches!(part, Node::Literal(..))).and_then(leading),
        _ => None,
    }
}

fn common((text, folds): &(String, bool), (other, same): (&str, bool)) -> Option<(String, bool)> {
    let is_same = |(a, b): &(char, char)| a == b;
    let prefix: String = text.chars().zip(other.chars()).take_while(is_same).map(|(a, _)| a).collect();
    (*folds == same && !prefix.is_empty()).then_some((prefix, *folds))
}

fn without_prefix(node: &Node, n_bytes: usize) -> Node {
    match node {
        Node::Literal(text, _) if text.len() == n_bytes => Node::Empty,
        Node::Literal(text, folds) => Node::Literal(text[n_bytes..].to_owned(), *folds),
        Node::Concat(parts) => {
            let first = parts.first().map(|first| without_prefix(first, n_bytes)).filter(|first| *first != Node::Empty);
            let parts: Vec<Node> = first.into_iter().chain(parts.iter().skip(1).cloned()).collect();
            if let [only] = parts.as_slice() { only.clone() } else { Node::Concat(parts) }
        }
        other => other.clone(),
    }
}

fn uncaptured(node: &Node) -> &Node {
    if let Node::Capture(inner) = node { inner } else { node }
}

/// Adds the texts of a node; `false` where Loki finds none.
fn simplify(node: &Node, texts: &mut Vec<LooseText>) -> bool {
    match node {
        Node::Empty | Node::AnyStar => texts.push(LooseText::Any),
        Node::AnyPlus => texts.push(LooseText::Present),
        Node::Literal(text, folds) => {
            texts.push(LooseText::Literal { text: text.clone(), is_whole: true, folds: *folds });
        }
        Node::Alternate(legs) => return legs.iter().all(|leg| simplify(uncaptured(leg), texts)),
        Node::Concat(parts) => return simplify_concat(parts, None, texts),
        Node::Capture(inner) => return simplify(inner, texts),
    }
    true
}

/// A text with `.*` before or after it, or with alternatives that go on from it; `base` is what precedes it.
fn simplify_concat(parts: &[Node], base: Option<&str>, texts: &mut Vec<LooseText>) -> bool {
    let parts: Vec<&Node> = parts.iter().map(uncaptured).filter(|part| **part != Node::Empty).collect();
    let (mut base, mut folds, mut has_literal) = (base.map(str::to_owned), false, false);
    let n_before = texts.len();
    for part in parts.iter().filter(|_| parts.len() <= 3) {
        match (part, &base) {
            (Node::Literal(text, case), _) if !has_literal => {
                base = Some(base.unwrap_or_default() + text);
                (folds, has_literal) = (*case, true);
            }
            (Node::Alternate(legs), Some(base)) if simplify_legs(legs, (base, folds), texts) => {}
            (Node::AnyStar, _) => {}
            _ => return false,
        }
    }
    match base.filter(|_| parts.len() <= 3) {
        Some(text) if texts.len() == n_before => {
            texts.push(LooseText::Literal { text, is_whole: false, folds });
            true
        }
        text => text.is_some(),
    }
}

fn simplify_legs(legs: &[Node], (base, folds): (&str, bool), texts: &mut Vec<LooseText>) -> bool {
    legs.iter().all(|leg| {
        let more = match leg {
            Node::Empty | Node::AnyStar => "",
            Node::Literal(text, case) if folds || !case => text,
            Node::Concat(parts) => return simplify_concat(parts, Some(base), texts),
            _ => return false,
        };
        texts.push(LooseText::Literal { text: format!("{base}{more}"), is_whole: false, folds });
        true
    })
}

/// Returns a size with two or three digits: Loki writes a query anew before it runs it, and sizes so.
pub(super) fn rounded_size(bytes: u64) -> f64 {
    if bytes < 10 {
        return bytes as f64;
    }
    let unit = 1000f64.powi(bytes.ilog10() as i32 / 3);
    let tenths = (bytes as f64 / unit * 10.0 + 0.5).floor() / 10.0;
    if tenths < 10.0 { (tenths * 10.0).round() / 10.0 * unit } else { tenths.round_ties_even() * unit }
}

#[cfg(test)]
mod tests;

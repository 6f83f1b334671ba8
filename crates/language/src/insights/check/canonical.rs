//! The text of a node by which columns are distinguished.

use types::Value;

use crate::insights::syntax::{Binary, Node, NodeKind};

/// The text of a node without white space and with function names in small letters: two nodes with the same text
/// mean the same column.
pub(super) fn canonical(node: &Node, out: &mut String) {
    match &node.kind {
        NodeKind::Literal(Some(value)) => value.write_json(out),
        NodeKind::Literal(None) => out.push_str("null"),
        NodeKind::Duration(text) => out.push_str(&text.to_lowercase()),
        NodeKind::Field(name) => out.extend(["`", name, "`"]),
        NodeKind::Call { name, arguments, has_star } => {
            out.push_str(&name.text.to_lowercase());
            out.push_str(if *has_star { "(*" } else { "(" });
            canonical_list(arguments, ",", out);
            out.push(')');
        }
        NodeKind::Negate(operand) => {
            out.push('-');
            canonical(operand, out);
        }
        NodeKind::Not(operand) => {
            out.push_str("not ");
            canonical(operand, out);
        }
        NodeKind::And(nodes) => canonical_list(nodes, " and ", out),
        NodeKind::Or(nodes) => canonical_list(nodes, " or ", out),
        NodeKind::Binary(operator, left, right) => {
            out.push('(');
            canonical(left, out);
            match operator {
                Binary::Compare(comparison) => out.push_str(&comparison.to_string()),
                Binary::Arithmetic(arithmetic) => out.push_str(&arithmetic.to_string()),
            }
            canonical(right, out);
            out.push(')');
        }
        NodeKind::Like { value, pattern, negated } => {
            canonical(value, out);
            let mark = if pattern.is_regex { "~" } else { "" };
            let verb = if pattern.is_phrase { " has " } else { " like " };
            out.extend([not(*negated), verb, mark, if pattern.ignores_case { "i" } else { "" }]);
            Value::text(&*pattern.text).write_json(out);
        }
        NodeKind::In { value, items, negated } => {
            canonical(value, out);
            out.extend([not(*negated), " in ["]);
            canonical_list(items, ",", out);
            out.push(']');
        }
        NodeKind::InQuery { value, negated, .. } => {
            canonical(value, out);
            // Where it stands says which one it is: no two are taken for the same.
            out.extend([not(*negated), " in query ", &node.span.start.to_string()]);
        }
        NodeKind::Between { value, bounds, negated } => {
            canonical(value, out);
            out.extend([not(*negated), " between "]);
            canonical(&bounds.0, out);
            out.push_str(" and ");
            canonical(&bounds.1, out);
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { " not" } else { "" }
}

fn canonical_list(nodes: &[Node], between: &str, out: &mut String) {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            out.push_str(between);
        }
        let is_chain = matches!(node.kind, NodeKind::And(_) | NodeKind::Or(_));
        out.push_str(if is_chain { "(" } else { "" });
        canonical(node, out);
        out.push_str(if is_chain { ")" } else { "" });
    }
}

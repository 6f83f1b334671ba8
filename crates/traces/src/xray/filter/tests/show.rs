//! Filters in a canonical form.

use crate::xray::filter::{AnnotationTest, Filter, Node, NumberKey, TextKey, TextTest};
use plan::Comparison;

/// Writes a filter in a canonical form, which reads as the same filter.
pub(super) fn shown(filter: &Filter) -> String {
    let list = |filters: &[Filter], word: &str| {
        let parts: Vec<String> = filters.iter().map(shown).collect();
        format!("({})", parts.join(word))
    };
    let braces = |filter: &Option<Box<Filter>>| filter.as_ref().map_or(String::new(), |f| format!(" {{{}}}", shown(f)));
    match filter {
        Filter::All(filters) => list(filters, " AND "),
        Filter::Any(filters) => list(filters, " OR "),
        Filter::Not(filter) => format!("!({})", shown(filter)),
        Filter::Outcome(outcome, is) => format!("{} = {is}", format!("{outcome:?}").to_lowercase()),
        Filter::Number(key, order, number) => {
            let key = match key {
                NumberKey::ResponseTime => "responsetime",
                NumberKey::Duration => "duration",
                NumberKey::HttpStatus => "http.status",
            };
            format!("{key} {} {number}", sign(*order))
        }
        Filter::Text(key, test) => {
            let key = match key {
                TextKey::HttpUrl => "http.url",
                TextKey::HttpMethod => "http.method",
                TextKey::HttpUserAgent => "http.useragent",
                TextKey::HttpClientIp => "http.clientip",
                TextKey::User => "user",
                TextKey::Name => "name",
                TextKey::InstanceId => "instance.id",
                TextKey::AvailabilityZone => "availabilityzone",
            };
            format!("{key} {}", text_shown(test))
        }
        Filter::Annotation(name, test) => {
            let test = match test {
                AnnotationTest::Number(order, number) => format!("{} {number}", sign(*order)),
                AnnotationTest::Text(test) => text_shown(test),
                AnnotationTest::Boolean(is) => format!("= {is}"),
            };
            format!("annotation[{name}] {test}")
        }
        Filter::Service(node, filter) => {
            let node = if *node == Node::default() { String::new() } else { node_shown(node) };
            format!("service({node}){}", braces(filter))
        }
        Filter::Edge(from, to, filter) => format!("edge({}, {}){}", node_shown(from), node_shown(to), braces(filter)),
    }
}

fn sign(order: Comparison) -> &'static str {
    match order {
        Comparison::Equal => "=",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn text_shown(test: &TextTest) -> String {
    match test {
        TextTest::Equal(text) => format!("= {}", quoted(text)),
        TextTest::NotEqual(text) => format!("!= {}", quoted(text)),
        TextTest::Contains(text) => format!("CONTAINS {}", quoted(text)),
        TextTest::BeginsWith(text) => format!("BEGINSWITH {}", quoted(text)),
        TextTest::EndsWith(text) => format!("ENDSWITH {}", quoted(text)),
    }
}

fn node_shown(node: &Node) -> String {
    let mut parts = Vec::new();
    parts.extend(node.name.as_ref().map(|name| format!("name: {}", quoted(name))));
    parts.extend(node.kind.as_ref().map(|kind| format!("type: {}", quoted(kind))));
    format!("id({})", parts.join(", "))
}

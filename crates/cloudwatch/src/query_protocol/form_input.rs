//! Parameters of the query protocol: `MetricData.member.1.Value=3` as structures and lists.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Deepest nesting of parameters.
const DEPTH_MAX: usize = 16;

/// Structures, and lists by index, as they are put together.
#[derive(Default)]
struct Node {
    text: Option<String>,
    members: BTreeMap<String, Node>,
}

/// Returns the parameters of a form as an object; `None` if one is too deep, or a text and a structure as well.
///
/// The items of a list are in order of their numbers, without gaps.
pub(super) fn structured(pairs: Vec<(String, String)>) -> Option<Value> {
    let mut root = Node::default();
    for (name, text) in pairs {
        if name.split('.').count() > DEPTH_MAX {
            return None;
        }
        let mut node = &mut root;
        for part in name.split('.') {
            node = node.members.entry(part.to_owned()).or_default();
        }
        if node.text.replace(text).is_some() {
            return None;
        }
    }
    root.into_value()
}

impl Node {
    fn into_value(mut self) -> Option<Value> {
        match (self.text.take(), self.members.len()) {
            (Some(text), 0) => return Some(Value::String(text)),
            (Some(_), _) => return None,
            (None, 1) if self.members.contains_key("member") => {
                let items = self.members.remove("member")?;
                let numbered = |(name, node): (String, Self)| Some((name.parse::<u32>().ok()?, node));
                let items: BTreeMap<u32, Self> = items.members.into_iter().map(numbered).collect::<Option<_>>()?;
                return items.into_values().map(Self::into_value).collect::<Option<_>>().map(Value::Array);
            }
            (None, _) => {}
        }
        let members = self.members.into_iter().map(|(name, node)| Some((name, node.into_value()?)));
        members.collect::<Option<Map<_, _>>>().map(Value::Object)
    }
}

#[cfg(test)]
mod tests;

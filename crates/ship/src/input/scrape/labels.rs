//! Sets of labels: of targets, and of series.

use std::collections::BTreeMap;

/// The label that has the name of a metric.
pub(super) const METRIC_NAME: &str = "__name__";

/// Labels by name. None is empty.
pub(super) type LabelSet = BTreeMap<String, String>;

/// Sets a label; an empty value removes it.
pub(super) fn set(labels: &mut LabelSet, name: &str, value: String) {
    if value.is_empty() {
        labels.remove(name);
    } else {
        labels.insert(name.to_owned(), value);
    }
}

/// Returns the value of a label, or the empty text.
pub(super) fn get<'l>(labels: &'l LabelSet, name: &str) -> &'l str {
    labels.get(name).map_or("", String::as_str)
}

/// Returns the canonical text of labels: a JSON object in order of name.
pub(super) fn text_of(labels: &LabelSet) -> String {
    serde_json::to_string(labels).expect("names and values are strings, which JSON can say")
}

/// Adds the labels of a target to those of a sample.
///
/// Where both have a name, the target's label wins and the sample's becomes `exported_NAME`, unless `honors` is set: then the
/// sample's wins, and an empty one keeps the target's away. No label is empty afterwards.
pub(super) fn add_target(sample: &mut LabelSet, target: &LabelSet, honors: bool) {
    if honors {
        target.iter().filter(|(name, _)| !name.starts_with("__")).for_each(|(name, value)| {
            sample.entry(name.clone()).or_insert_with(|| value.clone());
        });
        sample.retain(|_, value| !value.is_empty());
        return;
    }
    let mut replaced: Vec<(String, String)> = Vec::new();
    for (name, value) in target.iter().filter(|(name, _)| !name.starts_with("__")) {
        if let Some(old) = sample.insert(name.clone(), value.clone()).filter(|old| !old.is_empty()) {
            replaced.push((name.clone(), old));
        }
    }
    sample.retain(|_, value| !value.is_empty());
    // Shorter names first, as in Prometheus: `a` gets `exported_a` before `exported_a` is moved out of the way.
    replaced.sort_by_key(|(name, _)| name.len());
    for (name, value) in replaced {
        let mut renamed = format!("exported_{name}");
        while sample.contains_key(&renamed) {
            renamed.insert_str(0, "exported_");
        }
        sample.insert(renamed, value);
    }
}

#[cfg(test)]
mod tests;

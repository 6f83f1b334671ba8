//! The documents of a rule file: only the first one is read, as in Prometheus.
//!
//! YAML allows `---` and `...` at the start of a line only between documents, so that a file is divided without parsing it.

const START: &str = "---";
const END: &str = "...";

/// Returns the text of the first document, and the line of the first one after it that has content, counted from 1.
pub(super) fn first(text: &str) -> (&str, Option<u64>) {
    let (mut is_begun, mut offset) = (false, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let bare = if index == 0 { line.trim_start_matches('\u{feff}') } else { line };
        match marker_of(bare) {
            Some(_) if is_begun => return (&text[..offset], content_from(text, index)),
            Some(marker) => is_begun = marker == START,
            None => is_begun |= has_content(bare) && !bare.starts_with('%'),
        }
        offset += line.len();
    }
    (text, None)
}

/// Returns the marker with which a line starts.
fn marker_of(line: &str) -> Option<&'static str> {
    let is_marked = |marker: &&str| {
        let rest = line.strip_prefix(marker);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
    };
    [START, END].into_iter().find(is_marked)
}

/// Returns the first line with content from the line at `index` on, counted from 1.
fn content_from(text: &str, index: usize) -> Option<u64> {
    let mut lines = text.lines().enumerate().skip(index);
    let is_content = |line: &str| has_content(marker_of(line).map_or(line, |marker| &line[marker.len()..]));
    lines.find(|(_, line)| is_content(line)).map(|(index, _)| index as u64 + 1)
}

fn has_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

#[cfg(test)]
mod tests;

//! Texts for HTML: shown as they are, whatever they hold.

/// Returns a text with the characters shown that are not seen, or turn the direction of others. It keeps its lines.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or(' ')),
            _ if is_hidden(c) => out.push_str(&format!("[U+{:X}]", c as u32)),
            _ => out.push(c),
        }
    }
    out
}

/// Reports whether a character above those of ASCII is not seen, or turns the direction of others.
pub(super) fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// Returns a text for HTML, with its lines.
pub(super) fn escaped(text: &str) -> String {
    let text = visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Returns a text as one line for HTML.
pub(super) fn line(text: &str) -> String {
    escaped(&text.replace('\n', " ↵ "))
}

#[cfg(test)]
mod tests;

//! How groups begin, with names and flags.

use crate::SyntaxError;

/// What a parenthesis begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// A group.
    Group,
    /// Flags for the rest of the enclosing group.
    Flags,
}

/// Copies the beginning of a group, or flags; returns which of them it is and what follows.
pub(crate) fn opening<'t>(text: &'t str, out: &mut String) -> Result<(Opening, &'t str), SyntaxError> {
    let named = ["(?P<", "(?<"].into_iter().find(|begin| text.len() > begin.len() && text.starts_with(begin));
    if let Some(begin) = named {
        let name = text[begin.len()..].split_once('>').map(|(name, _)| name);
        let name = name.ok_or_else(|| SyntaxError::new("invalid named capture", text))?;
        let (whole, after) = text.split_at(begin.len() + name.len() + 1);
        let is_valid = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_valid {
            return Err(SyntaxError::new("invalid named capture", whole));
        }
        out.push_str(whole);
        return Ok((Opening::Group, after));
    }
    if text.starts_with("(?") {
        return flags(text, out);
    }
    out.push('(');
    Ok((Opening::Group, &text[1..]))
}

/// Copies flags, each of them once, and the colon or parenthesis after them.
fn flags<'t>(text: &'t str, out: &mut String) -> Result<(Opening, &'t str), SyntaxError> {
    let (mut on, mut off) = (String::new(), None::<String>);
    let wrong = |end: usize| Err(SyntaxError::new("invalid or unsupported Perl syntax", &text[..end]));
    for (at, c) in text.char_indices().skip(2) {
        match c {
            'i' | 'm' | 's' | 'U' => off.as_mut().unwrap_or(&mut on).push(c),
            '-' if off.is_none() => off = Some(String::new()),
            ':' | ')' if off.as_ref().is_none_or(|off| !off.is_empty()) => {
                write_flags(&on, &off.unwrap_or_default(), c, out);
                let opening = if c == ':' { Opening::Group } else { Opening::Flags };
                return Ok((opening, &text[at + 1..]));
            }
            _ => return wrong(at + c.len_utf8()),
        }
    }
    wrong(text.len())
}

/// Writes flags; one that is set and cleared is cleared.
fn write_flags(on: &str, off: &str, end: char, out: &mut String) {
    let all = "imsU".chars();
    let on: String = all.clone().filter(|flag| on.contains(*flag) && !off.contains(*flag)).collect();
    let off: String = all.filter(|flag| off.contains(*flag)).collect();
    if end == ')' && on.is_empty() && off.is_empty() {
        return;
    }
    let sign = if off.is_empty() { "" } else { "-" };
    out.push_str(&format!("(?{on}{sign}{off}{end}"));
}

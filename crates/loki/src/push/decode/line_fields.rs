//! Which fields may be found in a line.

use parse::{LineColumns, Parts, Shape};

/// Reads lines of one request as the way in will read them.
#[derive(Default)]
pub(super) struct LineFields {
    parts: Parts,
    /// The columns that an earlier line named.
    columns: Option<LineColumns>,
}

impl LineFields {
    /// Returns whether a line may give a field with the name.
    pub(super) fn of<'l>(&'l mut self, line: &'l str) -> impl FnMut(&str) -> bool + 'l {
        let mut has_other_names = None;
        move |name| {
            // Known formats name the parts of a line with letters only, but for these.
            let may_be_other = name.bytes().all(|byte| byte.is_ascii_alphabetic())
                || matches!(name, "user_agent" | "duration_ms" | "duration_us" | "request_id" | "bytes_received");
            line.contains(name)
                || may_be_other && *has_other_names.get_or_insert_with(|| self.may_have_other_names(line))
        }
    }

    /// Reports whether parsing a line may produce fields whose names the line does not contain: a line of a known format, or
    /// a JSON object with escapes in its keys.
    fn may_have_other_names(&mut self, line: &str) -> bool {
        if line.starts_with(|first: char| first.is_ascii_lowercase() || first == '#') {
            self.columns = LineColumns::after(self.columns.take(), line);
        }
        self.columns.is_some()
            || line.trim_start().starts_with('{')
            || Shape::recognise(line, &mut self.parts).is_some()
    }
}

#[cfg(test)]
mod tests;

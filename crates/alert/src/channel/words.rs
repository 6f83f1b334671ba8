//! What all kinds of channels say of a notification: its title, its labels, its lines.

use serde_json::Value as Json;

/// Lines of events shown to people; the link leads to all.
const LINES_SHOWN: usize = 5;

/// Longest line shown.
const LINE_BYTES_MAX: usize = 300;

/// Whether a notification says that something begins.
pub(super) fn fires(notification: &Json) -> bool {
    notification["status"] == "firing"
}

/// A member that is a text; nothing where it is none.
pub(super) fn text<'a>(notification: &'a Json, name: &str) -> &'a str {
    notification[name].as_str().unwrap_or_default()
}

/// `[FIRING] errors: 3 errors in app/a`, on one line.
pub(super) fn title(notification: &Json) -> String {
    let state = if fires(notification) { "FIRING" } else { "RESOLVED" };
    let (rule, summary) = (text(notification, "rule"), summary(notification));
    let title = if summary.is_empty() { format!("[{state}] {rule}") } else { format!("[{state}] {rule}: {summary}") };
    one_line(&title)
}

/// What the rule says of the alert.
pub(super) fn summary(notification: &Json) -> &str {
    notification["annotations"]["summary"].as_str().unwrap_or_default()
}

/// Labels with their values; `alertname` is the rule, which the title has.
pub(super) fn labels(notification: &Json) -> impl Iterator<Item = (&str, &str)> {
    let members = notification["labels"].as_object().into_iter().flatten();
    let texts = members.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    texts.filter(|(name, _)| *name != "alertname")
}

/// The newest lines behind the alert, with their times, each cut to what one reads at a glance.
pub(super) fn lines(notification: &Json) -> Vec<String> {
    let events = notification["events"].as_array().into_iter().flatten().take(LINES_SHOWN);
    let line = |event: &Json| {
        let (time, message) = (text(event, "@timestamp"), text(event, "@message"));
        cut(&one_line(&format!("{time} {message}")), LINE_BYTES_MAX)
    };
    events.map(line).collect()
}

/// Control characters, line ends first of all, become blanks: a title is one line in every receiver's protocol.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text of so many bytes at most.
pub(super) fn cut(text: &str, n_bytes_max: usize) -> String {
    if text.len() <= n_bytes_max {
        return text.to_string();
    }
    let mut end = n_bytes_max.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

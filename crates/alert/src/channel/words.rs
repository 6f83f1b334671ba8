//! What all kinds of channels say of a notification: its title, its labels, its lines.

use std::borrow::Cow;

use parse::exception::headline;
use serde_json::Value as Json;

/// Lines of events shown to people; the link leads to all.
const LINES_SHOWN: usize = 5;

/// Further alerts of one message shown to people.
const OTHERS_SHOWN: usize = 20;

/// Longest line shown.
const LINE_BYTES_MAX: usize = 300;

/// Reports whether a notification is of firing alerts.
pub(crate) fn fires(notification: &Json) -> bool {
    notification["status"] == "firing"
}

/// Returns a member that is a text; nothing if it is none.
pub(super) fn text<'a>(notification: &'a Json, name: &str) -> &'a str {
    notification[name].as_str().unwrap_or_default()
}

/// Returns all alerts of a notification.
pub(super) fn alerts(notification: &Json) -> impl Iterator<Item = &Json> {
    let all = notification["alerts"].as_array().filter(|alerts| alerts.len() > 1);
    // The first one is in the notification itself, with more of its events.
    std::iter::once(notification).chain(all.into_iter().flatten().skip(1))
}

/// Returns a line for each alert beyond the first.
pub(super) fn others(notification: &Json) -> Vec<String> {
    let line = |alert: &Json| cut(&title(alert), LINE_BYTES_MAX);
    let mut lines: Vec<String> = alerts(notification).skip(1).take(OTHERS_SHOWN).map(line).collect();
    let n_more = alerts(notification).count().saturating_sub(1 + OTHERS_SHOWN);
    if n_more > 0 {
        lines.push(format!("and {n_more} more"));
    }
    lines
}

/// Returns what is known of the lines: where they come from, and their pattern.
pub(super) fn evidence(notification: &Json) -> Vec<String> {
    let mut lines = Vec::new();
    let counts = &notification["counts"];
    let counted = counts["values"].as_array().into_iter().flatten();
    let counted: Vec<String> = counted.map(|one| format!("{} {}", text(one, "value"), one["count"])).collect();
    if !counted.is_empty() {
        lines.push(cut(&one_line(&format!("by {}: {}", text(counts, "field"), counted.join(", "))), LINE_BYTES_MAX));
    }
    let pattern = &notification["pattern"];
    let pattern_text = pattern.as_str().unwrap_or_else(|| text(pattern, "text"));
    if !pattern_text.is_empty() {
        let said = match pattern["is_new"].as_bool() {
            Some(true) => "new pattern",
            Some(false) => "known pattern",
            None => "pattern",
        };
        lines.push(cut(&one_line(&format!("{said}: {pattern_text}")), LINE_BYTES_MAX));
    }
    lines.extend(how_often(pattern));
    lines.extend(first_look(&notification["first_look"]));
    lines
}

/// Returns when it began and the best findings, a line each.
fn first_look(found: &Json) -> Vec<String> {
    let began = Some(text(found, "began")).filter(|began| !began.is_empty()).map(|began| format!("began {began}"));
    let findings = found["findings"].as_array().into_iter().flatten();
    let findings = findings.map(|finding| cut(&one_line(&format!("• {}", text(finding, "title"))), LINE_BYTES_MAX));
    began.into_iter().chain(findings).collect()
}

/// Returns how often a pattern came, and in which time: in the window in which the alert began, and before that.
fn how_often(pattern: &Json) -> Option<String> {
    let (n, window) = (pattern["count"].as_u64()?, pattern["window"].as_str()?);
    let now = format!("{n} in {window} when it began");
    match (pattern["before"].as_u64(), pattern["baseline"].as_str()) {
        (Some(before), Some(baseline)) => Some(format!("{now}, {before} in the {baseline} before")),
        _ => Some(now),
    }
}

/// Returns a title such as `[FIRING] errors: 3 errors in app/a`, on one line.
pub(super) fn title(notification: &Json) -> String {
    let n_firing = alerts(notification).filter(|alert| fires(alert)).count();
    let state = match n_firing {
        0 => "RESOLVED".to_string(),
        1 => "FIRING".to_string(),
        n => format!("FIRING:{n}"),
    };
    let (rule, summary) = (text(notification, "rule"), summary(notification));
    let title = if summary.is_empty() { format!("[{state}] {rule}") } else { format!("[{state}] {rule}: {summary}") };
    one_line(&title)
}

/// Returns the annotations of the alert.
pub(super) fn summary(notification: &Json) -> &str {
    notification["annotations"]["summary"].as_str().unwrap_or_default()
}

/// Labels with their values; `alertname` is the rule, which the title has.
pub(super) fn labels(notification: &Json) -> impl Iterator<Item = (&str, &str)> {
    let members = notification["labels"].as_object().into_iter().flatten();
    let texts = members.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    texts.filter(|(name, _)| *name != "alertname")
}

/// Returns the newest lines behind the alert and the first of them, with their times, each cut to what one reads at a glance.
pub(super) fn lines(notification: &Json) -> Vec<String> {
    let events = notification["events"].as_array().into_iter().flatten().take(LINES_SHOWN);
    let line = |event: &Json| {
        let shown = format!("{} {}", text(event, "@timestamp"), said(event));
        cut(&one_line(&shown), LINE_BYTES_MAX)
    };
    let mut lines: Vec<String> = events.map(line).collect();
    let first = notification.get("first").filter(|first| first.is_object()).map(line);
    lines.extend(first.filter(|first| !lines.contains(first)).map(|first| format!("first: {first}")));
    lines
}

/// Returns what an event says. The end of a long trace is cut off, and often has what failed: that and its place come first.
fn said(event: &Json) -> Cow<'_, str> {
    let message = text(event, "@message");
    let failure = ["exception.type", "exception.message"].map(|name| text(event, name).lines().next());
    let failure: Vec<&str> = failure.into_iter().flatten().collect();
    if failure.is_empty() || !message.contains('\n') {
        return message.into();
    }
    let first = headline(message).or_else(|| message.lines().next()).unwrap_or_default();
    let is_said = failure.last().is_some_and(|message| first.contains(message));
    let mut said = if is_said { first.to_owned() } else { format!("{first}: {}", failure.join(": ")) };
    let (function, file) = (text(event, "code.function.name"), text(event, "code.file.path"));
    let line = &event["code.line.number"];
    let place = if line.is_number() { format!("{file}:{line}") } else { file.to_owned() };
    for (before, part) in [(" in ", function), (" at ", &*place)] {
        if !part.is_empty() {
            said += &format!("{before}{part}");
        }
    }
    said.into()
}

/// Replaces control characters, line ends above all, by blanks: a title is one line in every receiver's protocol.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Returns a text of so many bytes at most.
pub(super) fn cut(text: &str, n_bytes_max: usize) -> String {
    if text.len() <= n_bytes_max {
        return text.to_string();
    }
    let end = text.floor_char_boundary(n_bytes_max.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

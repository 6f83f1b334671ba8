//! A notification as a message of Slack, in the form that its relatives read as well: a text with an attachment
//! (<https://docs.slack.dev/messaging/formatting-message-text>, "legacy" attachments).

use serde_json::{Value as Json, json};

use super::words;

/// Longest text of an attachment; Slack folds more, and its relatives refuse it.
const TEXT_BYTES_MAX: usize = 3_000;

/// Most labels that are shown.
const FIELDS_MAX: usize = 10;

/// Returns the message.
pub(crate) fn message(notification: &Json) -> Json {
    let title = words::title(notification);
    let fires = words::fires(notification);
    let (others, evidence) = (words::others(notification), words::evidence(notification));
    let above: String = others.iter().chain(&evidence).map(|line| format!("{}\n", escaped(line))).collect();
    let lines = words::lines(notification);
    // Three grave accents would end the block of lines early.
    let shown = words::cut(&lines.join("\n").replace("```", "'''"), TEXT_BYTES_MAX);
    let text = if shown.is_empty() { above } else { format!("{above}```\n{}\n```", escaped(&shown)) };
    let link = |name: &str, said: &str| match words::text(notification, name) {
        "" => String::new(),
        url => format!("\n<{url}|{said}>"),
    };
    let text = text + &link("acknowledge_url", "Take it on") + &link("silence_url", "Silence it");
    let field =
        |(name, value): (&str, &str)| json!({"title": name, "value": escaped(&words::cut(value, 100)), "short": true});
    let fields: Vec<Json> = words::labels(notification).take(FIELDS_MAX).map(field).collect();
    json!({
        "text": escaped(&words::cut(&title, TEXT_BYTES_MAX)),
        "attachments": [{
            "fallback": words::cut(&title, TEXT_BYTES_MAX),
            "color": if fires { "danger" } else { "good" },
            "title": "Show the lines in catat",
            "title_link": words::text(notification, "url"),
            "text": text,
            "fields": fields,
            "mrkdwn_in": ["text"],
            "footer": "catat",
        }],
    })
}

/// Escapes the three characters that mean something to Slack, so that no log line mentions a person or a channel, or makes a link.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

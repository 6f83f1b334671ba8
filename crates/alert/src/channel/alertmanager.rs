//! A notification as an alert of Prometheus's Alertmanager
//! (<https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>, `POST /api/v2/alerts`).
//!
//! Alertmanager treats an alert as ended at its `endsAt`, so a firing one is sent again and again: see
//! [`RESEND_NS`]. If catat ends, its alerts end there a little later instead of staying for ever.

use serde_json::{Map, Value as Json, json};
use types::{Secret, Timestamp};

use super::words;
use crate::check_address;

/// How often a firing alert is sent again.
pub(crate) const RESEND_NS: i64 = Timestamp::MINUTE;

/// How long Alertmanager keeps an alert that is not sent again.
const BELIEVED_NS: i64 = 4 * RESEND_NS;

/// Returns the route below the base address.
pub(super) fn address(base: &Secret) -> Result<Secret, String> {
    let mut url = check_address(base.reveal())?;
    let path = url.path().trim_end_matches('/').to_string();
    if !path.ends_with("/api/v2/alerts") {
        url.set_path(&format!("{path}/api/v2/alerts"));
    }
    Ok(Secret::from(url.to_string()))
}

/// Returns an alert as it is at `now`.
pub(crate) fn alert(notification: &Json, now: Timestamp) -> Json {
    let ends_at = match notification["ends_at"].as_str() {
        Some(ends_at) => ends_at.to_string(),
        None => Timestamp(now.0.saturating_add(BELIEVED_NS)).to_string(),
    };
    json!({
        "labels": named(&notification["labels"]),
        "annotations": named(&notification["annotations"]),
        "startsAt": words::text(notification, "starts_at"),
        "endsAt": ends_at,
        "generatorURL": words::text(notification, "url"),
    })
}

/// Returns names as every version of Alertmanager takes them: `@log` becomes `log`. Empty values stand for none.
fn named(members: &Json) -> Map<String, Json> {
    let members = members.as_object().into_iter().flatten();
    let members = members.filter(|(_, value)| value.as_str().is_some_and(|text| !text.is_empty()));
    members.map(|(name, value)| (label_name(name), value.clone())).collect()
}

/// Returns `name` with every character outside of `[a-zA-Z_][a-zA-Z0-9_]*` replaced.
fn label_name(name: &str) -> String {
    let name = name.trim_start_matches('@');
    let mut label: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if label.is_empty() || label.starts_with(|c: char| c.is_ascii_digit()) {
        label.insert(0, '_');
    }
    label
}

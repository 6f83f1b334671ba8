//! What a message says of new objects: notifications of S3, by themselves, by SNS or by EventBridge (AWS, *Amazon S3 User Guide*,
//! "Event message structure" and "EventBridge event message structure").

use serde_json::Value;

/// An object as a message names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObjectName {
    pub(super) bucket: String,
    pub(super) key: String,
}

/// Returns the objects that a message says were put; the error says why it is no such message.
pub(super) fn objects(body: &str) -> Result<Vec<ObjectName>, String> {
    let message: Value = serde_json::from_str(body).map_err(|error| format!("it is no JSON: {error}"))?;
    if message["Type"] == "Notification"
        && let Some(inner) = message["Message"].as_str()
    {
        return objects(inner);
    }
    if message["Event"] == "s3:TestEvent" {
        return Ok(Vec::new());
    }
    if message["detail-type"] == "Object Created" {
        let detail = &message["detail"];
        return name(&detail["bucket"]["name"], detail["object"]["key"].as_str().map(str::to_owned))
            .map(|name| vec![name]);
    }
    let records = message["Records"].as_array().ok_or("it tells of no objects")?;
    let is_put = |record: &&Value| record["eventName"].as_str().is_some_and(|name| name.starts_with("ObjectCreated"));
    let of_record =
        |record: &Value| name(&record["s3"]["bucket"]["name"], record["s3"]["object"]["key"].as_str().map(decoded));
    records.iter().filter(is_put).map(of_record).collect()
}

fn name(bucket: &Value, key: Option<String>) -> Result<ObjectName, String> {
    let bucket = bucket.as_str().map(str::to_owned);
    bucket.zip(key).map(|(bucket, key)| ObjectName { bucket, key }).ok_or_else(|| "it names no object".to_owned())
}

/// Keys in records are written as in forms: `+` for a blank, `%2B` for `+`.
fn decoded(key: &str) -> String {
    reqwest::Url::parse(&format!("s3:?k={key}"))
        .ok()
        .and_then(|url| url.query_pairs().next().map(|(_, key)| key.into_owned()))
        .unwrap_or_else(|| key.to_owned())
}

#[cfg(test)]
mod tests;

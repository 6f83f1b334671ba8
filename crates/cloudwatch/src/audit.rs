//! What clients of these APIs set up, in the audit log.

use door::Shared;
use serde_json::{Map, Value};

/// Writes into the audit log that the caller has carried out an operation that changes something, with what the members of its
/// input name. Blocks.
pub(crate) fn operation(server: &Shared, operation: &str, input: &Value) {
    const NAMES: [&str; 12] = [
        "AlarmName", "AlarmNames", "Name", "TopicArn", "SubscriptionArn", "ResourceArn", "ResourceARN", "logGroupName",
        "filterName", "name", "queryDefinitionId", "resourceArn",
    ];
    let mut details: Map<String, Value> =
        NAMES.iter().filter_map(|name| Some(((*name).to_owned(), input.get(name)?.clone()))).collect();
    details.insert("operation".to_owned(), operation.into());
    server.audit_own("operation of CloudWatch's API", &details.into());
}

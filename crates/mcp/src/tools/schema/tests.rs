//! Every tool only reads.

use super::*;

#[test]
fn every_tool_only_reads_and_says_what_it_gives() {
    let tools: Vec<Json> = all().map(|(_, tool)| tool).collect();
    for tool in &tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert_eq!(tool["outputSchema"]["type"], "object");
        assert!(tool["outputSchema"]["properties"]["complete"].is_object(), "{tool}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false);
        assert!(tool["description"].as_str().is_some_and(|text| text.len() > 30), "{tool}");
    }
    let n_bytes = Json::from(tools).to_string().len();
    assert!(n_bytes < 18_000, "definitions take room in every conversation: {n_bytes} bytes");
}

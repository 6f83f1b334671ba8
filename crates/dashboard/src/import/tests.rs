//! How many panels an import takes.

use serde_json::{Value, json};
use types::Timestamp;

use super::{Format, import};

fn imported(format: Format, body: &Value) -> Result<usize, String> {
    import(format, body, Timestamp(0)).map(|import| import.dashboard.panels.len())
}

#[test]
fn more_panels_than_a_dashboard_has_are_refused_with_their_number() {
    let text = json!({"type": "text", "options": {"content": "hello"}, "gridPos": {"x": 0, "y": 0, "w": 4, "h": 4}});
    let unknown = json!({"type": "news"});
    let grafana = |taken: usize, refused: usize| {
        let panels = [vec![text.clone(); taken], vec![unknown.clone(); refused]].concat();
        imported(Format::Grafana, &json!({"title": "T", "panels": panels}))
    };
    // What is not taken does not count.
    assert_eq!(grafana(200, 50), Ok(200));
    let problem = |n: usize| Err(format!("{n} panels are too many: a dashboard has 200 at most; divide it"));
    assert_eq!(grafana(201, 50), problem(201));
    assert_eq!(grafana(0, 1_001), problem(1_001));
    let row = json!({"type": "row", "panels": vec![unknown.clone(); 1_000]});
    assert_eq!(imported(Format::Grafana, &json!({"panels": [row]})), problem(1_001));
    let widget = json!({"type": "text", "properties": {"markdown": "hello"}});
    let cloudwatch = |n: usize| imported(Format::CloudWatch, &json!({"widgets": vec![widget.clone(); n]}));
    assert_eq!((cloudwatch(200), cloudwatch(201)), (Ok(200), problem(201)));
}

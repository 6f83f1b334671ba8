//! Labels of lines.

use super::*;

#[test]
fn labels_are_those_pushed_else_those_of_the_event() {
    let text = |text: &str| Some(Value::text(text));
    let check = |stream: &str| {
        let labels = labels(&[text("g"), text(stream), text("error"), None, None, text("pay"), None]);
        labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(check("host:/var/log/x"), "filename=host:/var/log/x group=g service_name=pay");
    assert_eq!(check(r#"{level="warning", app="a"}"#), "app=a level=warning service_name=a");
}

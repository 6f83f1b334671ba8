//! The page asks for system fields by name.

use super::*;

#[test]
fn the_page_knows_all_system_fields_that_are_shown() {
    let source = include_str!("../../../../web/src/event.ts");
    let list = source.split("const SYSTEM = [").nth(1).and_then(|rest| rest.split("];").next()).expect("a list");
    let known: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    // `@ptr` is another name of `@id`; `@loki` is shown as labels.
    let shown = SYSTEM_FIELDS.iter().chain(&RARE_SYSTEM_FIELDS).filter(|name| !matches!(**name, "@ptr" | "@loki"));
    let missing: Vec<&&str> = shown.filter(|name| !known.contains(name)).collect();
    assert!(missing.is_empty(), "web/src/event.ts lacks {missing:?}");
    let made_up: Vec<&&str> = known.iter().filter(|name| !is_reserved(name) && **name != "@type").collect();
    assert!(made_up.is_empty(), "web/src/event.ts has {made_up:?}");
}

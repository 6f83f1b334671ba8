//! The fast path, which gives the same answers as the general one.

use serde_json::Value;

use super::*;

#[test]
fn the_short_way_says_what_the_long_one_says() {
    let item = Item::new(crate::bulk::Action::Index, "a\"b", Some("1"), Outcome::Created);
    let mut short = Vec::new();
    write_created(&mut short, &item, Timestamp(5), 7);
    let mut long = Vec::new();
    for key in KEYS {
        let mut one = Vec::new();
        let keys = KEYS.map(|known| known == key);
        write_item(&mut one, &item, &keys, Timestamp(5), 7);
        long.push(serde_json::from_slice::<Value>(&one).expect("an object"));
    }
    let long = long.into_iter().flat_map(|one| one.as_object().cloned().unwrap_or_default()).collect();
    assert_eq!(serde_json::from_slice::<Value>(&short).expect("an object"), Value::Object(long));
}

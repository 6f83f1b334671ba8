//! Committing an event to a batch: a text over the limit becomes several events.

use types::{BatchBuilder, Limits};

/// Sets the text and commits; a text over the limit becomes several events, the first of which has all fields.
///
/// Parts stand one behind the other and have the time of the first: `@partOf` follows from that.
pub fn commit_in_parts(text: &str, text_key: Option<&str>, limits: &Limits, builder: &mut BatchBuilder) {
    // Below four bytes a character might not fit into a part.
    let part_bytes_max = limits.event_bytes_max.max(4);
    if text.len() <= part_bytes_max {
        set_text(text, text_key, builder);
        builder.commit();
        return;
    }
    let timestamp = builder.timestamp();
    let mut rest = text;
    let mut part = 1;
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(rest.floor_char_boundary(part_bytes_max));
        set_text(head, text_key.filter(|_| part == 1), builder);
        builder.set_timestamp(timestamp);
        builder.field_integer("@part", part);
        builder.commit();
        rest = tail;
        part += 1;
    }
}

fn set_text(text: &str, text_key: Option<&str>, builder: &mut BatchBuilder) {
    builder.set_message(text);
    if let Some(key) = text_key {
        builder.set_text_key(key);
    }
}

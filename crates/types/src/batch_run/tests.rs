//! Batches out of order, and ids of texts.

use super::*;
use crate::{BatchBuilder, EventId};

#[test]
fn a_batch_out_of_order_is_a_run_in_order() {
    let mut builder = BatchBuilder::new();
    for time in [30, 10, 20] {
        builder.set_timestamp(Timestamp(time));
        builder.set_message(&format!("at {time}"));
        builder.field_integer("n", time);
        builder.commit();
    }
    let group = GroupName::new("g").expect("a valid name");
    let run = BatchRun::new(group, 1, Arc::new(builder.finish()));
    let rows = RowSet::of(3, |row| row > 0);
    let columns = run.read(0, &["@message", "n", "@id", "absent", "@log"], &rows).expect("memory cannot fail");
    assert_eq!(columns[0].value(0), Some(Value::text("at 20")));
    assert_eq!(columns[1].value(1), Some(Value::Integer(30)));
    let Some(Value::String(id)) = columns[2].value(1) else { panic!("an id is a text") };
    let id = EventId::decode(&id).expect("an id can be read back");
    assert_eq!((id.group_id, id.timestamp, id.sequence), (1, Timestamp(30), 0));
    assert_eq!(columns[3].value(0), None);
    assert_eq!(columns[4].value(0), Some(Value::text("g")));
    assert_eq!((run.info().first, run.info().last), (Timestamp(10), Timestamp(30)));
}

#[test]
fn parts_of_a_text_name_the_id_of_the_first() {
    let mut builder = BatchBuilder::new();
    for part in [0, 1, 2, 3] {
        builder.set_timestamp(Timestamp(5));
        if part > 0 {
            builder.field_integer("@part", part);
        }
        builder.commit();
    }
    let run = BatchRun::new(GroupName::new("g").expect("a valid name"), 1, Arc::new(builder.finish()));
    let columns = run.read(0, &["@id", "@partOf"], &RowSet::all(4)).expect("memory cannot fail");
    assert_eq!(columns[1].value(0), None);
    for row in 1..4 {
        assert_eq!(columns[1].value(row), columns[0].value(1));
    }
}

//! A time written alone.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_pen_writes_what_is_written_alone(
        form in "[a-n][ T:_-][a-d][.,:-][0-9]",
        times in prop::collection::vec((0i64..3, 0i64..1 << 40), 1..9),
    ) {
        let form = Form::of_bytes(form.as_bytes()).expect("made of known characters");
        let mut pen = TimeWriter::new(form);
        for (day, within) in times {
            let seconds = day * SECONDS_OF_DAY + within % SECONDS_OF_DAY;
            let units = seconds * (1_000_000_000 / form.unit_ns()) + within % 10;
            let mut alone = Vec::new();
            push(&mut alone, form, units);
            prop_assert_eq!(pen.spell(units), alone);
        }
    }
}

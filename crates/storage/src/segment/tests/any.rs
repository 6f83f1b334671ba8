//! A text looked for in every field at once.

use super::*;

/// The texts and numbers of an event as they are spelled, of lists too.
fn spelled(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::List(items) => items.iter().flatten().for_each(|item| spelled(item, out)),
        other => out.push(other.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_row_with_the_text_in_any_field_is_left_out(
        events in proptest::collection::vec(event(), 1..40), repeat in 1usize..40,
        which in 0usize..40, chosen in 0usize..8, from in 0usize..6, length in 1usize..6, ignores_case in any::<bool>(),
    ) {
        let events: Vec<Made> = std::iter::repeat_n(events, repeat).flatten().collect();
        let (_directory, segment) = written(&[batch(&events, 0)]);
        let run = segment.run(0, 0).expect("one run");
        let all = RowSet::all(run.block_rows(0));
        let names: Vec<String> = run.fields().expect("whole").iter().map(|field| field.name.to_string()).collect();
        let names: Vec<&str> = std::iter::once("@message").chain(names.iter().map(String::as_str)).collect();
        let columns = run.read(0, &names, &all).expect("whole");
        let texts_of = |row: usize| {
            let mut texts = Vec::new();
            columns.iter().filter_map(|column| column.value(row)).for_each(|value| spelled(&value, &mut texts));
            texts
        };
        let row = which % events.len();
        let texts = texts_of(row);
        let literal: String = texts[chosen % texts.len()].chars().skip(from).take(length).collect();
        if !literal.is_empty() && (!ignores_case || literal.is_ascii()) {
            let probe = TextProbe { field: ProbeField::Any, literal: &literal, ignores_case };
            let narrowed = run.narrow(0, &probe).expect("whole");
            let holds = |text: &String| match ignores_case {
                true => text.to_ascii_lowercase().contains(&literal.to_ascii_lowercase()),
                false => text.contains(&literal),
            };
            for row in all.iter() {
                let is_wanted = texts_of(row).iter().any(holds);
                prop_assert!(narrowed.rows.contains(row) || !is_wanted, "{:?} in {:?}", literal, texts_of(row));
                prop_assert!(!narrowed.exact || is_wanted);
            }
        }
    }
}

#[test]
fn a_text_that_is_nowhere_takes_two_small_sections_of_each_block() {
    let mut events = many(BLOCK_ROWS + 2000);
    for (row, event) in events.iter_mut().enumerate() {
        event.fields.push(("b.c", Value::text(format!("/shop/{}/{}", letters(row), letters(row * 31)))));
    }
    let (_directory, segment) = written(&[batch(&events, 0)]);
    let whole: u64 = segment.footprint().values().sum();
    let run = segment.run(0, 0).expect("one run");
    for literal in ["absent words", "zzgh-nowhere"] {
        let before = run.bytes_read();
        let probe = TextProbe { field: ProbeField::Any, literal, ignores_case: false };
        let found: usize = (0..2).map(|block| run.narrow(block, &probe).expect("whole").rows.count()).sum();
        assert_eq!(found, 0, "{literal}");
        let n_read = run.bytes_read() - before;
        assert!(n_read < whole / 4, "{n_read} of {whole} for {literal}");
    }
}

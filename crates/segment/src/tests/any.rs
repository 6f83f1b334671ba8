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
        let sent = names.iter().map(String::as_str).filter(|name| types::is_sent(name));
        let names: Vec<&str> = std::iter::once("@message").chain(sent).collect();
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
            let probe = TextProbe { field: ProbeField::Any, literal: &literal, ignores_case, is_whole: false };
            let narrowed = run.narrow(0, &probe).expect("whole");
            let holds = |text: &String| match ignores_case {
                true => text.to_ascii_lowercase().contains(&literal.to_ascii_lowercase()),
                false => text.contains(&literal),
            };
            for row in all.iter() {
                let is_wanted = texts_of(row).iter().any(holds);
                prop_assert!(narrowed.rows.contains(row) || !is_wanted, "{:?} in {:?}", literal, texts_of(row));
                prop_assert!(!narrowed.exact || narrowed.rows.contains(row) == is_wanted, "{:?} in {:?}", literal, texts_of(row));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_a_field_of_a_run_holds_the_run_never_denies(
        events in proptest::collection::vec(event(), 1..40), which in 0usize..40, from in 0usize..6, length in 1usize..6,
    ) {
        let (_directory, segment) = written(&[batch(&events, 0)]);
        let run = segment.run(0, 0).expect("one run");
        let rows = RowSet::of(events.len(), |row| row == which % events.len());
        let may_hold = |name: &str, literal: &str| {
            let probe = TextProbe { field: ProbeField::Named(name), literal, ignores_case: false, is_whole: false };
            run.may_hold(&probe).expect("whole")
        };
        for field in run.fields().expect("whole") {
            let value = run.read(0, &[&field.name], &rows).expect("whole")[0].value(0);
            let literal: String = value.map(|value| value.to_string()).unwrap_or_default().chars().skip(from).take(length).collect();
            prop_assert!(literal.is_empty() || may_hold(&field.name, &literal), "{:?} in {}", literal, field.name);
            if let Some((above, _)) = field.name.split_once('.') {
                prop_assert!(may_hold(above, "no such text"), "{} stands for an object", above);
            }
        }
        prop_assert!(!may_hold("absent", "text"));
    }
}

#[test]
fn of_an_id_that_a_run_lacks_no_block_is_asked() {
    let events: Vec<Made> = (0..4000).map(|n| event_of_ids(n / 4)).collect();
    let (_directory, segment) = written(&[batch(&events, 0)]);
    let run = segment.run(0, 0).expect("one run");
    let may_hold = |n: u64| {
        let literal = id(n, 32);
        run.may_hold(&TextProbe {
            field: ProbeField::Named("trace_id"),
            literal: &literal,
            ignores_case: false,
            is_whole: false,
        })
    };
    assert!((0..1000).all(|n| may_hold(n) == Ok(true)));
    let n_mistakes = (2000..3000).filter(|n| may_hold(*n) == Ok(true)).count();
    assert!(n_mistakes < 100, "{n_mistakes}");
}

/// Id number `n`: as many hex digits.
fn id(n: u64, n_digits: usize) -> String {
    let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{mixed:016x}{:016x}", mixed.rotate_left(23) ^ n)[..n_digits].to_owned()
}

/// Returns an event with ids, addresses and numbers in every place where they may stand.
fn event_of_ids(n: u64) -> Made {
    let (trace, span) = (id(n, 32), id(n, 16));
    let address = std::net::Ipv4Addr::from((n as u32 / 3).wrapping_mul(2_654_435_761));
    let uuid = format!("{}-{}-4{}-a{}-{}", &trace[..8], &trace[8..12], &trace[12..15], &trace[15..18], &trace[18..30]);
    let message = match n % 8 {
        0 => format!("trace {trace} done in {}ms", n * 37),
        1 => format!("request {uuid} of user u{} refused", 700_000 + n * 7),
        2 => format!("peer {address}:{} closed", 1024 + n),
        3 => format!("x{span}y and {}", trace.to_ascii_uppercase()),
        4 => format!("say \"{trace} {address}\" {}.{}.{}.{}.{}", n, n + 1, n + 2, n + 3, n + 4),
        5 => format!("2026-11-19T08:07:06.{:03}Z member:{} v1.{n}", n % 1000, 700_000 + n * 7),
        _ => "nothing to say".into(),
    };
    let mut made = Made { message, ..many(1).remove(0) };
    made.time = n as i64 * 1_000_000_007;
    made.fields = vec![
        ("trace_id", Value::text(&*trace)),
        ("span", Value::text(&*span)),
        ("user", Value::text(format!("u{}", 700_000 + n * 7))),
        ("client", Value::text(address.to_string())),
        ("request", Value::text(uuid)),
        ("bytes", Value::Integer(n as i64 * 1003 - 50)),
        ("took", Value::Float(n as f64 * 1.003 / 8.0)),
        ("ids", Value::List(Arc::new(vec![Some(Value::text(id(n + 1, 32))), Some(Value::Integer(n as i64))]))),
    ];
    made.fields.truncate(if n % 5 == 4 { 3 } else { 8 });
    made
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn ids_are_found_wherever_they_stand_and_nowhere_else(
        n_events in 1u64..60, first in 0u64..5000, chosen in any::<(u64, usize)>(),
        cut in (0usize..4, 0usize..40), longer in "[0-9a-fu.]{0,2}", case in 0usize..3,
    ) {
        let events: Vec<Made> = (first..first + n_events).map(event_of_ids).collect();
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
        let texts = texts_of(chosen.0 as usize % all.n_rows());
        let whole = &texts[chosen.1 % texts.len()];
        let words: Vec<&str> = whole.split(' ').collect();
        let word = words[chosen.1 / texts.len() % words.len()];
        // A whole id, a piece of one, one that is one character longer, in upper case.
        let pieces: Vec<String> = vec![
            whole.clone(),
            word.to_owned(),
            word.chars().skip(cut.0).take(cut.1).collect(),
            // Over the edges of words.
            whole.chars().skip(chosen.1 / 7 % whole.len().max(1)).take(cut.1).collect(),
            format!("{word}{longer}"),
            format!("{longer}{word}"),
        ];
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty() && piece.is_ascii()) {
            let literal = if case == 1 { piece.to_ascii_uppercase() } else { piece };
            let probe = TextProbe { field: ProbeField::Any, literal: &literal, ignores_case: case == 2, is_whole: false };
            let narrowed = run.narrow(0, &probe).expect("whole");
            let holds = |text: &String| match probe.ignores_case {
                true => text.to_ascii_lowercase().contains(&literal.to_ascii_lowercase()),
                false => text.contains(&literal),
            };
            for row in all.iter() {
                let (is_wanted, is_found) = (texts_of(row).iter().any(holds), narrowed.rows.contains(row));
                prop_assert!(is_found || !is_wanted, "{:?} in {:?}", literal, texts_of(row));
                prop_assert!(!narrowed.exact || is_found == is_wanted, "{:?} in {:?}", literal, texts_of(row));
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
        let probe = TextProbe { field: ProbeField::Any, literal, ignores_case: false, is_whole: false };
        let found: usize = (0..2).map(|block| run.narrow(block, &probe).expect("whole").rows.count()).sum();
        assert_eq!(found, 0, "{literal}");
        let n_read = run.bytes_read() - before;
        assert!(n_read < whole / 4, "{n_read} of {whole} for {literal}");
    }
}

#[test]
fn of_an_id_that_is_nowhere_a_block_of_repeated_ids_is_not_read() {
    let id = |number: usize| format!("{:016x}", (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut events = many(4000);
    for (row, event) in events.iter_mut().enumerate() {
        event.fields.push(("b.c", Value::text(id(row / 4))));
    }
    let (_directory, segment) = written(&[batch(&events, 0)]);
    let run = segment.run(0, 0).expect("one run");
    assert_eq!(run.n_blocks(), 1);
    let n_found = |number: usize| {
        let probe =
            TextProbe { field: ProbeField::Named("b.c"), literal: &id(number), ignores_case: false, is_whole: false };
        run.narrow(0, &probe).expect("whole").rows.count()
    };
    assert_eq!((0..1000).map(n_found).sum::<usize>(), 4000);
    let run = segment.run(0, 0).expect("one run");
    let before = run.bytes_read();
    assert_eq!(n_found(2000), 0);
    let n_read = run.bytes_read() - before;
    // A thousand packed ids take 8,000 bytes.
    assert!(n_read < 2500, "{n_read}");
}

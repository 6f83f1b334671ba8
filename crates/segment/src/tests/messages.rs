//! Messages of every kind: times, quoted texts, more templates than a run may have.

use super::*;

/// Lines as programs write them, and such as no one would.
fn line() -> impl Strategy<Value = String> {
    let time = prop_oneof![
        "(Jan|May|Nov) [ 123][0-9] 0[0-9]:5[0-9]:0[0-9]",
        "20(26|70)-11-[0-3][0-9][ T]2[0-9]:07:0[0-9]([.,][0-9]{1,4})?Z?",
        "[0-3][0-9]/Jan/1970:0[0-9]:00:0[0-9] \\+0000",
        "Thu Jan  1 00:00:0[0-9] 1970",
    ];
    let rest = prop_oneof![
        "(get|put) /[a-z]{1,4}/[0-9]{1,4} took [0-9]{1,3}ms from 10\\.0\\.[0-9]\\.[1-9]",
        "\"(GET|PUT) /[a-c]{1,2}/u[0-9]{1,2}\" [0-9]{3} \"-\" \"[ a-cZ\u{e9}]{0,5}\"",
        "sshd\\[[0-9]{3}\\]: u0[0-9] [0-9a-f]{8} said \"[a-c0-9]{0,3}",
        "1?[1-9]\\.0\\.[0-3]\\.1[0-9]{0,2} - - \"(GET|PUT) /v[12]/u/[0-9]{1,3} H/1\\.1\" [25]0[0-4] [0-9]{1,4} \"(-|c/8\\.[0-9])\"",
        "job [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8000-[0-9a-f]{12} of 0[0-9a-f]{9}: v1\\.[0-9]{1,2}\\.0",
        "\\PC{0,20}",
        "[a-f0-9\u{11}\u{16}\u{17}\" ]{0,20}",
    ];
    (proptest::option::of(time), rest).prop_map(|(time, rest)| match time {
        Some(time) => format!("{time} {rest}"),
        None => rest,
    })
}

/// Returns a piece of a line, and others that differ from it in one character or have one more.
fn needles(line: &str, from: usize, length: usize) -> Vec<String> {
    let piece: Vec<char> = line.chars().skip(from).take(length).collect();
    let changed = |place: usize, to: char| {
        let mut piece = piece.clone();
        if let Some(old) = piece.get_mut(place) {
            *old = if *old == to { '7' } else { to };
        }
        piece.into_iter().collect::<String>()
    };
    let middle = piece.len() / 2;
    let mut needles: Vec<String> = [(0, '1'), (middle, '0'), (middle, '.'), (piece.len().saturating_sub(1), '4')]
        .map(|(place, to)| changed(place, to))
        .into();
    needles.push(piece.iter().collect());
    needles.push(piece.iter().chain(&['0']).collect());
    needles.push(std::iter::once(&'1').chain(&piece).collect());
    needles
}

/// Returns events with so many templates before them that messages are split coarsely.
fn events(lines: &[String], is_crowded: bool) -> Vec<Made> {
    let made = |time: usize, message: String| Made { time: time as i64 * 1_500_000_000, message, ..many(1).remove(0) };
    let crowd = (0..if is_crowded { 130 } else { 0 }).map(|number| format!("the {} fell", letters(number)));
    crowd.chain(lines.iter().cloned()).enumerate().map(|(time, message)| made(time, message)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_line_is_rebuilt_and_found(
        lines in proptest::collection::vec(line(), 1..60), is_crowded in any::<bool>(), repeat in 1usize..3,
        which in 0usize..60, from in 0usize..60, length in 1usize..24, ignores_case in any::<bool>(),
    ) {
        let lines: Vec<String> = std::iter::repeat_n(lines, repeat).flatten().collect();
        let events = events(&lines, is_crowded);
        let (_directory, segment) = written(&[batch(&events, 0)]);
        let run = segment.run(0, 0).expect("one run");
        let messages = run.read(0, &["@message"], &RowSet::all(events.len())).expect("whole").remove(0);
        for (row, event) in events.iter().enumerate() {
            prop_assert_eq!(messages.value(row), Some(Value::text(&*event.message)));
        }
        let some = RowSet::of(events.len(), |row| row % 7 == which % 7);
        let part = run.read(0, &["@message"], &some).expect("whole").remove(0);
        for (place, row) in some.iter().enumerate() {
            prop_assert_eq!(part.value(place), Some(Value::text(&*events[row].message)));
        }
        for literal in needles(&lines[which % lines.len()], from, length) {
            if literal.is_empty() || (ignores_case && !literal.is_ascii()) {
                continue;
            }
            let probe = TextProbe { field: ProbeField::Message, literal: &literal, ignores_case, is_whole: false };
            let narrowed = run.narrow(0, &probe).expect("whole");
            let holds = |text: &str| match ignores_case {
                true => text.to_ascii_lowercase().contains(&literal.to_ascii_lowercase()),
                false => text.contains(&literal),
            };
            let expected = RowSet::of(events.len(), |row| holds(&events[row].message));
            prop_assert!(narrowed.exact);
            prop_assert_eq!(narrowed.rows, expected, "{:?}", literal);
        }
    }
}

/// Lines of one template, whose variables and quoted texts are stored packed each in its own way: by a prefix and
/// numbers, as hex digits, as addresses, with zeros in front, as a dictionary of texts or of packed ones.
fn packed_line(number: u64) -> String {
    let hex = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let address = std::net::Ipv4Addr::from(hex as u32 % 97 * 16_909_321);
    let (user, few, part) = (number % 1000, ["get", "put"][number as usize % 2], number % 5);
    format!(
        "u{user} said \"{hex:016x}\" at \"{address}\" \"{few}\" \"u{user}\" x{part} {part:03}ms \"{:08x}\" {number} {address} {hex:016x}.",
        part * 0x1234_5677
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pieces_over_the_edges_of_packed_columns_are_found_and_no_others(
        first in 0u64..100_000, n_lines in 20usize..120, is_crowded in any::<bool>(), ignores_case in any::<bool>(),
        pieces in proptest::collection::vec((0usize..120, 0usize..140, 1usize..40), 1..12),
    ) {
        let lines: Vec<String> = (first..).take(n_lines).map(packed_line).collect();
        let events = events(&lines, is_crowded);
        let (_directory, segment) = written(&[batch(&events, 0)]);
        let run = segment.run(0, 0).expect("one run");
        for (which, from, length) in pieces {
            let literals = needles(&lines[which % n_lines], from, length);
            for literal in literals.into_iter().filter(|literal| !literal.is_empty()) {
                let literal = if ignores_case { literal.to_ascii_uppercase() } else { literal };
                let probe = TextProbe { field: ProbeField::Message, literal: &literal, ignores_case, is_whole: false };
                let narrowed = run.narrow(0, &probe).expect("whole");
                let holds = |text: &str| match ignores_case {
                    true => text.to_ascii_lowercase().contains(&literal.to_ascii_lowercase()),
                    false => text.contains(&literal),
                };
                let expected = RowSet::of(events.len(), |row| holds(&events[row].message));
                prop_assert!(narrowed.exact);
                prop_assert_eq!(narrowed.rows, expected, "{:?}", literal);
            }
        }
    }
}

#[test]
fn times_in_lines_take_no_room_beside_those_of_events() {
    let line = |row: i64| {
        let (hour, minute, second) = (row / 3600 % 24, row / 60 % 60, row % 60);
        format!("2026-11-19 {hour:02}:{minute:02}:{second:02},000 worker is alive")
    };
    let events = |with_time: bool| -> Vec<Made> {
        let message = |row| if with_time { line(row) } else { "worker is alive".into() };
        let event = |row| Made { time: row * 1_000_000_000, message: message(row), ..many(1).remove(0) };
        (0..5000).map(|row| event(row * 7)).collect()
    };
    let bytes = |events: &[Made]| written(&[batch(events, 0)]).1.footprint().values().sum::<u64>();
    let (with, without) = (bytes(&events(true)), bytes(&events(false)));
    assert!(with < without + 150, "{with} and {without}");
}

#[test]
fn lines_with_quoted_texts_make_few_templates() {
    let line = |row: usize| {
        let (path, agent) = (letters(row), letters(row * 7919));
        Made { message: format!("\"GET /{path} now\" 200 \"{agent}\""), time: row as i64, ..many(1).remove(0) }
    };
    let events: Vec<Made> = (0..3000).map(line).collect();
    let (_directory, segment) = written(&[batch(&events, 0)]);
    let footprint = segment.footprint();
    assert_eq!(footprint["raw"], 0);
    assert!(footprint["templates"] < 2000, "{footprint:?}");
}

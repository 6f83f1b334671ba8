//! Messages whose values are fields of their events: JSON documents, and lines that were parsed.

use super::*;

/// A member of a document: where it stands, how it is spelled, and the field that it became.
type Member = (&'static str, String, Option<Value>);

fn text(name: &'static str, text: String) -> Member {
    (name, format!("\"{text}\""), Some(Value::text(text)))
}

fn members() -> impl Strategy<Value = Vec<Member>> {
    let few = prop_oneof!["get", "put", "a b", "x1"].prop_map(|kind| text("kind", kind));
    let ids = "u[1-9][0-9]{0,4}".prop_map(|user| text("user", user));
    let hex = "[0-9a-f]{16}".prop_map(|trace| text("trace_id", trace));
    let address = "1?[1-9]\\.0\\.[0-3]\\.1[0-9]?".prop_map(|client| text("net.client", client));
    let note = "[a-c0-9 ,:.\u{e9}]{0,12}".prop_map(|note| text("note", note));
    let time = "2026-11-19T08:07:0[0-9](\\.[0-9]{3})?Z".prop_map(|time| ("at", format!("\"{time}\""), None));
    // What the field does not give back: escapes, decimals with zeros behind, another spelling.
    let escaped = "[a-c\"\n\\\\]{1,6}".prop_map(|note| {
        let mut spelled = String::new();
        types::write_json_string(&note, &mut spelled);
        ("note", spelled, Some(Value::text(note)))
    });
    let decimal = (0i64..5000, any::<bool>()).prop_map(|(number, has_zeros)| {
        let value = number as f64 / 100.0;
        (
            "took",
            if has_zeros { format!("{value:.2}") } else { Value::Float(value).to_string() },
            Some(Value::Float(value)),
        )
    });
    let whole = (-900i64..900).prop_map(|number| ("net.bytes", number.to_string(), Some(Value::Integer(number))));
    let truth = any::<bool>().prop_map(|truth| ("is_ok", truth.to_string(), Some(Value::Boolean(truth))));
    let list = proptest::collection::vec("[a-c]{1,2}", 0..3).prop_flat_map(|items| {
        let spaces = prop_oneof!["", " "];
        spaces.prop_map(move |space| {
            let spelled = items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(&format!(",{space}"));
            let values = items.iter().map(|item| Some(Value::text(&**item))).collect();
            ("tags", format!("[{spelled}]"), Some(Value::List(Arc::new(values))))
        })
    });
    // A key with a digit, one without a field, one whose field says something else.
    let digit = "[a-c0-9]{0,3}".prop_map(|value| text("ipv4", value));
    let none = prop_oneof![
        Just(("gone", "null".to_owned(), None)),
        Just(("odd", "\"x9\"".to_owned(), Some(Value::text("x8"))))
    ];
    let text = prop_oneof![few, ids, hex, address, note, escaped, time];
    let other = prop_oneof![decimal, whole, truth, list, digit, none];
    proptest::collection::vec(prop_oneof![text, other], 0..6)
}

/// Writes the members as a document; those of `net` are an object in it.
fn document(mut members: Vec<Member>, is_spaced: bool) -> Made {
    let mut seen: Vec<&str> = Vec::new();
    members.retain(|(name, ..)| {
        !seen.contains(name) && {
            seen.push(name);
            true
        }
    });
    let (colon, comma) = if is_spaced { (": ", ", ") } else { (":", ",") };
    let written = |members: &[&Member]| {
        let member = |(name, spelled, _): &&Member| format!("\"{}\"{colon}{spelled}", name.trim_start_matches("net."));
        format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(comma))
    };
    let (net, mut outer): (Vec<&Member>, Vec<&Member>) =
        members.iter().partition(|(name, ..)| name.starts_with("net."));
    let net = ("net", written(&net), None);
    outer.push(&net);
    let message = written(&outer);
    let fields = members.iter().filter_map(|(name, _, value)| Some((*name, value.clone()?))).collect();
    Made { message, fields, keys: 0, ..many(1).remove(0) }
}

fn check(events: &[Made], literal: &str, ignores_case: bool) {
    let (_directory, segment) = written(&[batch(events, 0)]);
    let run = segment.run(0, 0).expect("one run");
    let all = RowSet::all(events.len());
    for rows in [all.clone(), RowSet::of(events.len(), |row| row % 3 == 1)] {
        let messages = run.read(0, &["@message"], &rows).expect("whole").remove(0);
        for (place, row) in rows.iter().enumerate() {
            assert_eq!(messages.value(place), Some(Value::text(&*events[row].message)));
        }
    }
    if literal.is_empty() || (ignores_case && !literal.is_ascii()) {
        return;
    }
    let holds = |text: &str| match ignores_case {
        true => text.to_ascii_lowercase().contains(&literal.to_ascii_lowercase()),
        false => text.contains(literal),
    };
    let expected = RowSet::of(events.len(), |row| holds(&events[row].message));
    let narrowed = run
        .narrow(0, &TextProbe { field: ProbeField::Message, literal, ignores_case, is_whole: false })
        .expect("whole");
    assert!(narrowed.exact);
    assert_eq!(narrowed.rows, expected, "{literal:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn documents_are_rebuilt_of_fields_and_found(
        all in proptest::collection::vec((members(), any::<bool>()), 1..30), repeat in 1usize..30,
        which in 0usize..30, from in 0usize..80, length in 1usize..24, ignores_case in any::<bool>(), more in "[0-9a-c\":,]{0,1}",
    ) {
        let events: Vec<Made> = all.into_iter().map(|(members, is_spaced)| document(members, is_spaced)).collect();
        let events: Vec<Made> = std::iter::repeat_n(events, repeat).flatten().collect();
        let piece: String = events[which % events.len()].message.chars().skip(from).take(length).collect();
        check(&events, &piece, ignores_case);
        check(&events, &format!("{piece}{more}"), ignores_case);
        check(&events, &format!("{more}{piece}"), ignores_case);
    }
}

/// Returns event number `n` of a service whose records have no message.
fn record(n: i64) -> Made {
    let (user, path, took) =
        (format!("u{}", n * 7919 % 10_000), format!("/shop/{}", n * 31 % 977), n as f64 * 37.0 % 9001.0 / 10.0);
    let message = format!(
        r#"{{"service":"cart","request":{{"path":"{path}","user":"{user}","retry":{}}},"took_ms":{}}}"#,
        n % 3 == 0,
        Value::Float(took)
    );
    let fields = vec![
        ("service", Value::text("cart")),
        ("request.path", Value::text(path)),
        ("request.user", Value::text(user)),
        ("request.retry", Value::Boolean(n % 3 == 0)),
        ("took_ms", Value::Float(took)),
    ];
    Made { message, fields, keys: 0, time: n * 1_000_000, ..many(1).remove(0) }
}

#[test]
fn a_record_takes_hardly_more_than_its_fields() {
    let records: Vec<Made> = (0..20_000).map(record).collect();
    let fields_alone: Vec<Made> = records.iter().map(|made| Made { message: "m".into(), ..made.clone() }).collect();
    let bytes = |events: &[Made]| written(&[batch(events, 0)]).1.footprint().values().sum::<u64>();
    let (whole, fields_alone) = (bytes(&records), bytes(&fields_alone));
    assert!(whole < fields_alone + 1000, "{whole} and {fields_alone}");
}

#[test]
fn a_piece_of_a_record_is_found_where_it_is() {
    let records: Vec<Made> = (0..300).map(record).collect();
    for literal in [
        "/shop/31\"",
        "u79",
        "\"retry\":true},\"took_ms\":3",
        "retry\":false",
        "cart",
        "12.",
        "path\":\"/sh",
        "nowhere",
        "9}",
    ] {
        check(&records, literal, false);
    }
}

/// Returns a line of an access log, with the fields that were taken out of it.
fn access((client, path, status, bytes, agent): (String, String, u16, Option<u32>, String), is_parsed: bool) -> Made {
    let size = bytes.map_or("-".into(), |bytes| bytes.to_string());
    let message =
        format!(r#"{client} - - [01/Jan/1970:00:00:07 +0000] "GET {path} HTTP/1.1" {status} {size} "-" "{agent}""#);
    let mut fields = vec![
        ("client", Value::text(client)),
        ("method", Value::text("GET")),
        ("path", Value::text(path)),
        ("protocol", Value::text("HTTP/1.1")),
        ("status", Value::Integer(status.into())),
    ];
    fields.extend(bytes.map(|bytes| ("bytes", Value::Integer(bytes.into()))));
    if !is_parsed {
        fields.truncate(1);
    }
    Made { message, fields, keys: 0, ..many(1).remove(0) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn parsed_lines_are_rebuilt_of_fields_and_found(
        lines in proptest::collection::vec((
            ("10\\.0\\.[0-3]\\.[1-9]|host[1-3]", "/[a-c]{1,2}/[0-9]{1,2}( x)?", 200u16..204, proptest::option::weighted(0.8, 0u32..300), "[a-c 0-9\u{e9}]{0,6}"),
            proptest::bool::weighted(0.9),
        ), 1..40),
        repeat in 1usize..30, which in 0usize..40, from in 0usize..80, length in 1usize..24, ignores_case in any::<bool>(),
        more in "[0-9a-c\" .]{0,1}",
    ) {
        let events: Vec<Made> = lines.into_iter().map(|(line, is_parsed)| access(line, is_parsed)).collect();
        let events: Vec<Made> = std::iter::repeat_n(events, repeat).flatten().collect();
        let piece: String = events[which % events.len()].message.chars().skip(from).take(length).collect();
        check(&events, &piece, ignores_case);
        check(&events, &format!("{piece}{more}"), ignores_case);
        check(&events, &format!("{more}{piece}"), ignores_case);
    }
}

#[test]
fn a_parsed_line_takes_hardly_more_than_the_line() {
    let line = |n: u32| {
        let client = format!("10.{}.{}.{}", n % 7, n * 31 % 250, n * 77 % 199);
        (
            client,
            format!("/shop/{}/{}", letters(n as usize % 97), n * 7919 % 10_007),
            200 + (n % 3) as u16,
            Some(n * 37 % 9001),
            letters(n as usize % 5),
        )
    };
    let bytes = |with_fields: bool| {
        let made = |n: u32| {
            let mut made = access(line(n), true);
            made.fields.truncate(if with_fields { 6 } else { 0 });
            Made { time: i64::from(n) * 1_000_000, ..made }
        };
        written(&[batch(&(0..20_000).map(made).collect::<Vec<_>>(), 0)]).1.footprint().values().sum::<u64>()
    };
    let (with, without) = (bytes(true), bytes(false));
    assert!(with * 100 < without * 115, "{with} and {without}");
}

//! Parts of lines: what belongs together, and that no byte gets lost.

use proptest::prelude::*;

use super::*;
use std::borrow::Cow;

use crate::texts;

const TIME: &str = "2026-11-20T06:47:13.123456789Z";

fn joined_texts(text: &[u8], bytes_max: usize) -> Vec<String> {
    let ranges = crate::events(text, bytes_max);
    let texts = ranges.flat_map(|range| texts(&text[range]).map(Cow::into_owned).collect::<Vec<_>>());
    texts.map(|text| String::from_utf8(text).expect("parts were text")).collect()
}

fn check(lines: &[&str], expected: &[&str]) {
    let lines: Vec<String> = lines.iter().map(|line| line.replace("T ", &format!("{TIME} "))).collect();
    let expected: Vec<String> = expected.iter().map(|line| line.replace("T ", &format!("{TIME} "))).collect();
    assert_eq!(joined_texts(lines.join("\n").as_bytes(), 1 << 20), expected);
}

#[test]
fn parts_of_a_line_are_put_together_by_stream() {
    check(&["T stdout P a", "T stdout P  b", "T stdout F c", "T stdout F d"], &["T stdout F a bc", "T stdout F d"]);
    check(&["T stdout P a", "T stderr F x", "T stdout F b"], &["T stdout F ab", "T stderr F x"]);
    check(
        &["T stdout P a", "T stderr P x", "T stdout F b", "T stderr F y", "T stdout F c"],
        &["T stdout F ab", "T stderr F xy", "T stdout F c"],
    );
    check(&["T stdout F a", "T stdout P:tag b", "T stdout F"], &["T stdout F a", "T stdout F:tag b"]);
}

#[test]
fn a_part_whose_rest_never_comes_stays_what_it_is() {
    check(&["T stdout P a", "plain", "T stdout F b"], &["T stdout P a", "plain", "T stdout F b"]);
    check(&["T stdout P a"], &["T stdout P a"]);
    check(&["T stdout Perhaps a", "T stdout F b"], &["T stdout Perhaps a", "T stdout F b"]);
}

#[test]
fn docker_ends_a_line_with_a_line_end_and_nothing_else() {
    let object = |log: &str| format!(r#"{{"log":"{log}","stream":"stdout","time":"{TIME}"}}"#);
    for (part, is_partial) in [("a", true), (r"a\n", false), (r"a\\n", true), (r"a\\\n", false), ("", true)] {
        let found = fragment(object(part).as_bytes()).map(|fragment| fragment.is_partial);
        assert_eq!(found, Some(is_partial), "{part}");
    }
    let lines = [object(r#"say \"#), object(r#"hi\"\n"#)];
    let lines = [lines[0].replace(r#"say \"#, r#"say \""#), lines[1].clone()].join("\n");
    assert_eq!(joined_texts(lines.as_bytes(), 1 << 20), [object(r#"say \"hi\"\n"#)]);
}

/// What a program wrote to a stream in one call, as a runtime cuts it: contents, the last of which is the end.
fn written() -> impl Strategy<Value = (usize, Vec<String>)> {
    let parts = prop::collection::vec("[ a-zé{}\":\\\\]{0,6}", 1..4);
    (
        0..2usize,
        parts.prop_map(|mut parts: Vec<String>| {
            parts[0].insert(0, 'x');
            parts
        }),
    )
}

proptest! {
    /// However the parts of both streams follow one another, and however short an event may be, each stream's bytes are
    /// there once and in order; where there is room each line is whole.
    #[test]
    fn joining_loses_no_byte(
        calls in prop::collection::vec(written(), 0..12),
        mix in prop::collection::vec(any::<bool>(), 0..60),
        bytes_max in prop::sample::select(vec![60usize, 200, 1 << 20]),
        is_docker in any::<bool>(),
    ) {
        let line = |stream: usize, content: &str, is_last: bool| {
            let name = STREAMS[stream];
            if is_docker {
                let log = serde_json::Value::from(format!("{content}{}", if is_last { "\n" } else { "" }));
                format!("{{\"log\":{log},\"stream\":\"{name}\",\"time\":\"{TIME}\"}}")
            } else {
                format!("{TIME} {name} {} {content}", if is_last { "F" } else { "P" })
            }
        };
        let mut queues: [std::collections::VecDeque<String>; 2] = Default::default();
        let mut whole: [Vec<String>; 2] = Default::default();
        for (stream, parts) in &calls {
            whole[*stream].push(line(*stream, &parts.concat(), true));
            let last = parts.len() - 1;
            queues[*stream].extend(parts.iter().enumerate().map(|(n, part)| line(*stream, part, n == last)));
        }
        let mut lines = Vec::new();
        let mut mix = mix.into_iter().cycle().chain(std::iter::repeat(false));
        while queues.iter().any(|queue| !queue.is_empty()) {
            let stream = usize::from(mix.next().unwrap_or(false));
            lines.extend(queues[stream].pop_front().or_else(|| queues[1 - stream].pop_front()));
        }
        let found = joined_texts(lines.join("\n").as_bytes(), bytes_max);
        let contents = |texts: &[String], stream: usize| -> String {
            let parts = texts.iter().map(|text| (text, fragment(text.as_bytes()).expect("a line of a runtime")));
            parts.filter(|(_, part)| part.source % 2 == stream as u64).map(|(text, part)| text[part.content].to_owned()).collect()
        };
        for (stream, lines) in whole.iter().enumerate() {
            prop_assert_eq!(contents(&found, stream), contents(lines, stream));
        }
        if bytes_max == 1 << 20 {
            let of = |stream: usize| -> Vec<&String> {
                found.iter().filter(|text| fragment(text.as_bytes()).is_some_and(|part| part.source % 2 == stream as u64)).collect()
            };
            for (stream, lines) in whole.iter().enumerate() {
                prop_assert_eq!(of(stream), lines.iter().collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn the_name_that_compose_writes_is_none_of_the_line() {
    let check = |line: &str, content: Option<&str>| {
        assert_eq!(compose(line, &TimeMemo::default()).map(|from| &line[from..]), content, "{line}");
    };
    check("shop-1  | {\"level\":\"info\"}", Some("{\"level\":\"info\"}"));
    check("my_shop_12 | text | more", Some("text | more"));
    check("\u{1b}[36mshop-1  |\u{1b}[0m text", Some("text"));
    check("database | {\"a\":1}", Some("{\"a\":1}"));
    check("database | text", None);
    check("INFO   | jvm 1    | 2026/11/20 06:47:13 | text", None);
    check("2026-11-20 | text", None);
    check("shop-1|text", None);
    check("shop-1 |text", None);
    check("\u{1b}| ", None);
    check("a |", None);
}

//! Lines put together: which are records, where batches end, and how one is halved.

use std::sync::mpsc::sync_channel;

use super::*;

/// Returns the batches that lines of inputs become, as kind, number of the first line, and text.
fn batched(format: InputFormat, inputs: &[&[&str]]) -> Vec<(Kind, u64, String)> {
    let (sender, lines) = sync_channel(10_000);
    for (input, texts) in inputs.iter().enumerate() {
        for (index, text) in texts.iter().enumerate() {
            let bytes = format!("{text}\n").into_bytes();
            let lines = vec![(index as u64 + 1, bytes.len())];
            sender.send(Ok(LineBlock { input, lines, bytes })).expect("the receiver is there");
        }
    }
    drop(sender);
    let mut batches = Batches::new(lines, format);
    std::iter::from_fn(|| batches.next().expect("no input fails"))
        .map(|batch| (batch.kind, batch.first_line(), String::from_utf8_lossy(batch.bytes()).into_owned()))
        .collect()
}

#[test]
fn objects_are_records_only_where_the_first_line_is_one() {
    let mixed = ["{\"a\":1}", "plain", "  more", "", "{\"a\":2}"];
    assert_eq!(
        batched(InputFormat::Auto, &[&mixed]),
        [
            (Kind::Records, 1, "{\"a\":1}\n".to_owned()),
            (Kind::Text, 2, "plain\n  more\n\n".to_owned()),
            (Kind::Records, 5, "{\"a\":2}\n".to_owned()),
        ]
    );
    let kinds = |batches: Vec<(Kind, u64, String)>| batches.into_iter().map(|(kind, ..)| kind).collect::<Vec<_>>();
    assert_eq!(kinds(batched(InputFormat::Auto, &[&["plain", "{\"a\":1}"]])), [Kind::Text]);
    assert_eq!(kinds(batched(InputFormat::Ndjson, &[&mixed])), [Kind::Records]);
    assert_eq!(kinds(batched(InputFormat::Text, &[&mixed])), [Kind::Text]);
    assert_eq!(kinds(batched(InputFormat::Auto, &[&["{}"], &["x"]])), [Kind::Records, Kind::Text]);
}

#[test]
fn a_full_batch_ends_where_an_event_ends_and_loses_nothing() {
    let long = "x".repeat(1000);
    let trace = ["java.lang.Error: y", "\tat A.b(A.java:1)", "\tat A.c(A.java:2)"];
    let lines: Vec<&str> = (0..6000).map(|n| if n % 4 == 0 { &*long } else { trace[n % 4 - 1] }).collect();
    let batches = batched(InputFormat::Text, &[&lines]);
    assert!(batches.len() > 1, "{}", batches.len());
    let whole: String = batches.iter().map(|(_, _, text)| text.as_str()).collect();
    assert_eq!(whole, lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    for (_, first, text) in &batches {
        assert!(!text.starts_with('\t'), "the batch from line {first} on begins within an event");
    }
}

#[test]
fn halves_are_cut_between_events_and_keep_the_numbers_of_lines() {
    let mut batch = Batch::new(0, Kind::Text);
    for (index, line) in ["a\n", "  b\n", "  c\n", "d\n", "e\n"].iter().enumerate() {
        batch.push(index as u64 + 7, line.as_bytes());
    }
    let (first, second) = batch.halves().expect("there are several events");
    assert_eq!((first.bytes(), first.first_line()), (&b"a\n  b\n  c\n"[..], 7));
    assert_eq!((second.bytes(), second.first_line(), second.line_number(2)), (&b"d\ne\n"[..], 10, 11));
    let (first, second) = first.halves().expect("an event of several lines is cut between lines");
    assert_eq!([first.bytes(), second.bytes()], [&b"a\n"[..], b"  b\n  c\n"]);
    assert!(first.halves().is_none(), "a line stays whole");
}

//! What texts are masked to, which patterns are mined from them, and how near real logs come to their known groups.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use proptest::prelude::*;

use super::mine::PatternAssignment;
use super::*;

fn mined(texts: &[&str]) -> PatternAssignment {
    mine(texts, &|| true).expect("nobody stops it")
}

fn patterns_of(texts: &[&str]) -> Vec<String> {
    let masked: Vec<String> = texts.iter().map(|text| mask(text)).collect();
    mined(&masked.iter().map(String::as_str).collect::<Vec<_>>()).patterns
}

fn check(texts: &[&str], expected: &[&str]) {
    assert_eq!(patterns_of(texts), expected);
}

#[test]
fn words_that_vary_become_wildcards_and_words_that_tell_messages_apart_stay() {
    check(
        &[
            "session opened for user root by (uid=0)",
            "session opened for user ann by (uid=7)",
            "session closed for user ann",
        ],
        &["session closed for user ann", "session opened for user <*> by (uid=<*>)"],
    );
    check(&["VM started (event)", "VM stopped (event)"], &["VM started (event)", "VM stopped (event)"]);
    check(&["cannot open /etc/a.conf", "cannot open /srv/b.conf", "cannot open /c.conf"], &["cannot open <*>"]);
    check(&["cannot open /etc/a.conf"], &["cannot open /etc/a.conf"]);
    check(
        &["read 5 bytes from disk now", "read 5 bytes (cached) from disk now"],
        &["read <*> bytes (cached) from disk now", "read <*> bytes from disk now"],
    );
    check(&["sent 5 bytes (5 KB) to a.b, done", "sent 9 bytes to host.b, done"], &["sent <*> bytes <*> to <*>, done"]);
    check(&[], &[]);
    check(&[""], &[""]);
}

/// Messages made of few words, so that many of them are alike.
fn message() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("failed".to_owned()),
        Just("user".to_owned()),
        Just("open".to_owned()),
        Just("=".to_owned()),
        Just("(".to_owned()),
        Just("/a/b.c".to_owned()),
        Just("12".to_owned()),
        Just("Nov 19 08:07:06".to_owned()),
        Just("é1".to_owned()),
        Just("\n".to_owned()),
        "[a-e]{1,3}",
        "[ -~]{0,4}",
    ];
    proptest::collection::vec(word, 0..8).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn patterns_depend_on_the_set_of_texts_and_not_on_their_order(texts in proptest::collection::vec(message(), 0..40)) {
        let masked: Vec<String> = texts.iter().map(|text| mask(text)).collect();
        let forwards: Vec<&str> = masked.iter().map(String::as_str).collect();
        let backwards: Vec<&str> = forwards.iter().rev().copied().collect();
        let (a, b) = (mined(&forwards), mined(&backwards));
        prop_assert_eq!(&a.patterns, &b.patterns);
        let mut of_b = b.pattern_of.clone();
        of_b.reverse();
        prop_assert_eq!(&a.pattern_of, &of_b);
        let shown: HashSet<u32> = a.pattern_of.iter().copied().collect();
        prop_assert_eq!(shown.len(), a.patterns.len(), "a pattern without a text");
    }

    #[test]
    fn masks_do_not_look_at_digits(text in message(), digit in "[0-9]") {
        let other: String = text.chars().map(|c| if c.is_ascii_digit() { digit.chars().next().unwrap_or('0') } else { c }).collect();
        prop_assert_eq!(mask(&text), mask(&other));
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let odd = String::from_utf8_lossy(&bytes).into_owned();
        let (a, b) = (mask(&text), mask(&odd));
        prop_assert!(mined(&[&a, &b]).pattern_of.len() == 2);
    }
}

/// Returns rows of a CSV file with quoted cells.
fn rows_of_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut is_quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, is_quoted) {
            ('"', true) if signs.peek() == Some(&'"') => cell.extend(signs.next()),
            ('"', _) => is_quoted = !is_quoted,
            (',', false) => row.push(std::mem::take(&mut cell)),
            ('\n', false) => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            ('\r', false) => {}
            (sign, _) => cell.push(sign),
        }
    }
    rows
}

/// Returns the share of lines whose group holds exactly the lines that it should.
fn grouping_accuracy(truth: &[String], found: &[u32]) -> f64 {
    let mut by_truth: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut by_found: HashMap<u32, Vec<usize>> = HashMap::new();
    for (line, (event, pattern)) in truth.iter().zip(found).enumerate() {
        by_truth.entry(event).or_default().push(line);
        by_found.entry(*pattern).or_default().push(line);
    }
    let groups: HashSet<&Vec<usize>> = by_truth.values().collect();
    let n_right: usize = by_found.values().filter(|lines| groups.contains(lines)).map(Vec::len).sum();
    n_right as f64 / truth.len().max(1) as f64
}

/// Real logs with the groups that people found in them, where they lie next to the repository.
#[test]
fn real_logs_are_grouped_as_people_group_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/loghub");
    let Ok(systems) = std::fs::read_dir(folder) else { return };
    let mut accuracies = Vec::new();
    for system in systems.filter_map(Result::ok) {
        let name = system.file_name().to_string_lossy().into_owned();
        let file = system.path().join(format!("{name}_2k.log_structured.csv"));
        let Ok(bytes) = std::fs::read(file) else { continue };
        let rows = rows_of_csv(&String::from_utf8_lossy(&bytes));
        let Some((head, rows)) = rows.split_first() else { continue };
        let place =
            |name: &str| head.iter().position(|cell| cell.trim_start_matches('\u{feff}') == name).expect("a column");
        let (content, event) = (place("Content"), place("EventId"));
        let masked: Vec<String> = rows.iter().map(|row| mask(&row[content])).collect();
        let mut distinct: Vec<&str> = masked.iter().map(String::as_str).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let mined = mined(&distinct);
        let of_line = |text: &String| mined.pattern_of[distinct.partition_point(|known| **known < **text)];
        let found: Vec<u32> = masked.iter().map(of_line).collect();
        let truth: Vec<String> = rows.iter().map(|row| row[event].clone()).collect();
        accuracies.push((grouping_accuracy(&truth, &found), name, distinct.len(), mined.patterns.len()));
    }
    if accuracies.is_empty() {
        return;
    }
    accuracies.sort_by(|a, b| a.1.cmp(&b.1));
    for (accuracy, name, n_masks, n_patterns) in &accuracies {
        println!("{name}: {accuracy:.3}, {n_masks} masks, {n_patterns} patterns");
    }
    let average = accuracies.iter().map(|(accuracy, ..)| accuracy).sum::<f64>() / accuracies.len() as f64;
    println!("average {average:.4}");
    assert!(average >= 0.95, "{average}");
}

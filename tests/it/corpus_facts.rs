//! The benchmark corpus keeps its promises: repeatable, in time order, needles counted, four kinds in their shares.

use serde_json::Value;

use crate::corpus::{Corpus, Facts};

/// The corpus of `n_events` under `seed` as text, with its facts.
pub(crate) fn corpus(n_events: usize, seed: u64) -> (String, Facts) {
    let corpus = Corpus::new(n_events, seed);
    let (mut bytes, mut facts) = (Vec::new(), Facts::default());
    for chunk_idx in 0..corpus.n_chunks() {
        corpus.write_chunk(chunk_idx, &mut bytes, &mut facts);
    }
    (String::from_utf8(bytes).expect("the corpus is made of ASCII words"), facts)
}

#[test]
fn same_seed_makes_same_bytes_and_another_seed_makes_others() {
    let (first, _) = corpus(2000, 42);
    assert_eq!(first, corpus(2000, 42).0);
    assert_ne!(first, corpus(2000, 43).0);
}

#[test]
fn facts_tell_what_the_lines_hold() {
    let (text, facts) = corpus(60_000, 42);
    assert_eq!(facts.n_events, 60_000);
    assert_eq!(facts.n_bytes, text.len());
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    for (&level, &count) in &facts.by_level {
        assert_eq!(events.iter().filter(|event| event["level"] == level).count(), count, "{level}");
    }
    for (&token, &count) in &facts.needles {
        assert_eq!(text.matches(token).count(), count, "{token}");
    }
    assert_eq!(facts.needles["needle0one8c41f"], 1);
}

#[test]
fn events_come_in_time_order_within_one_day() {
    let (text, _) = corpus(110_000, 7);
    let times: Vec<&str> = text.lines().map(|line| &line[14..37]).collect();
    assert!(times.is_sorted(), "to the millisecond, which all events have");
    assert!(times.iter().all(|time| time.starts_with("2026-11-19T")));
}

#[test]
fn kinds_have_their_shares() {
    let (_, facts) = corpus(100_000, 42);
    for (kind, share) in [("web", 0.40), ("app", 0.40), ("micro", 0.15), ("flow", 0.05)] {
        let have = facts.by_kind[kind] as f64 / 100_000.0;
        assert!((have - share).abs() < 0.01, "{kind}: {have}");
    }
}

#[test]
fn a_drawn_corpus_is_another_company_for_every_seed() {
    let drawn = |seed: u64| {
        let corpus = Corpus::drawn(20_000, seed);
        let (mut bytes, mut facts) = (Vec::new(), Facts::default());
        (0..corpus.n_chunks()).for_each(|chunk| corpus.write_chunk(chunk, &mut bytes, &mut facts));
        (String::from_utf8(bytes).expect("made of ASCII words"), facts, corpus.question())
    };
    let mut tokens = std::collections::BTreeSet::new();
    for seed in [1, 2, 7, 1 << 40] {
        let (text, facts, question) = drawn(seed);
        assert_eq!(text, drawn(seed).0, "seed {seed} is not repeatable");
        assert_eq!(facts.by_kind.len(), 4, "seed {seed}");
        for (token, _) in &question.needles {
            assert!(tokens.insert(*token), "{token} of seed {seed} is known");
            assert_eq!(text.matches(token).count(), facts.needles[token], "{token} of seed {seed}");
        }
        let asked = [question.common, question.piece, question.phrase, question.word];
        for text_asked in asked.into_iter().chain(question.around) {
            assert!(text_asked.len() > 2 && text.contains(text_asked), "{text_asked:?} of seed {seed}");
        }
        for name in question.names.values().chain(&question.extras) {
            assert!(text.contains(&format!("\"{name}\":")), "{name} of seed {seed}");
        }
        assert!(text.contains(&format!("\"{}\"", question.service)), "seed {seed}");
    }
}

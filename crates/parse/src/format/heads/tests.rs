//! A line is read alike whatever lines came before it.

use super::*;
use crate::format::Formats;
use crate::shape::Parts;
use crate::time::TimeMemo;

/// How many sources are drawn.
const SEEDS: u64 = 100;

/// Reads a line and says all that was found.
fn read(formats: &Formats, line: &str, heads: &mut Heads) -> String {
    let (mut parts, times) = (Parts::default(), TimeMemo::default());
    let format = formats.recognise(line, None, heads, &mut parts.of(line, &times, formats));
    format!("{format:?} {parts:?}")
}

/// Numbers that look drawn, the same for the same seed.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// A line with some other digits, and perhaps a piece less, another piece or the end of another line.
    fn changed(&mut self, line: &str, other: &str) -> String {
        let digits = line.chars().map(|c| match c {
            '0'..='9' if self.below(4) == 0 => char::from(b'0' + self.below(10) as u8),
            c => c,
        });
        let mut line: Vec<char> = digits.collect();
        let other: Vec<char> = other.chars().collect();
        let at = self.below(line.len());
        match self.below(6) {
            0 => drop(line.drain(at..(at + 1 + self.below(3)).min(line.len()))),
            1 => line.insert(at, char::from(b' ' + self.below(95) as u8)),
            2 => line.truncate(at),
            3 => drop(line.splice(at.., other[other.len().min(at)..].iter().copied())),
            4 => line.extend("\nsecond line".chars()),
            _ => {}
        }
        line.into_iter().collect()
    }
}

#[test]
fn lines_before_do_not_change_how_a_line_is_read() {
    let formats = Formats::built_in();
    let samples: Vec<&str> =
        formats.all().iter().flat_map(|format| &format.samples).map(|sample| &*sample.text).collect();
    let (mut n_recalled, mut n_lines) = (0, 0);
    for seed in 1..=SEEDS {
        let mut drawn = Drawn(seed * 0x9e37_79b9);
        let mut heads = Heads::default();
        // A source has lines of a few kinds.
        let of_source: Vec<&str> = (0..4).map(|_| samples[drawn.below(samples.len())]).collect();
        for _ in 0..150 {
            let (line, other) = (of_source[drawn.below(4)], of_source[drawn.below(4)]);
            let line = drawn.changed(line, other);
            let n_before = heads.n_strangers;
            let found = read(formats, &line, &mut heads);
            n_recalled += usize::from(heads.n_strangers < n_before);
            n_lines += 1;
            assert_eq!(found, read(formats, &line, &mut Heads::default()), "seed {seed}: {line:?}");
        }
    }
    assert!(n_recalled > n_lines / 5, "{n_recalled} of {n_lines} lines had a known head");
}

#[test]
fn a_line_like_the_one_before_is_recalled() {
    let formats = Formats::built_in();
    let mut heads = Heads::default();
    for n in 0..100 {
        read(formats, &format!("2026-11-20 06:47:{:02},123 [main] INFO app.Shop - order {n} sent", n % 60), &mut heads);
    }
    assert!(heads.heads.len() < 8, "{} heads", heads.heads.len());
    assert_eq!(heads.n_strangers, -STRANGERS_MAX);
}

#[test]
fn where_lines_are_unlike_any_before_nothing_is_looked_up_for_a_while() {
    let mut heads = Heads::default();
    let line = Line { first: b"text", length: 4, lacks: 0 };
    let is_attended = |heads: &mut Heads| heads.attend().is_some();
    (0..FIRST_LINES).for_each(|_| assert!(!is_attended(&mut heads)));
    for _ in 0..=STRANGERS_MAX {
        assert!(is_attended(&mut heads));
        assert_eq!(heads.recall(line, &mut Captures::default(), |_| true), None);
    }
    (1..PAUSE).for_each(|_| assert!(!is_attended(&mut heads)));
    assert!(is_attended(&mut heads));
}

//! A line that may say no level says none.

use super::super::head;
use super::super::keys::of_keys;
use super::*;
use crate::format::Formats;
use crate::time::TimeMemo;

/// How many lines are drawn.
const LINES: u64 = 100_000;

/// Lines whose level is no word for one, or stands behind what is no blank.
const LEVELS: [&str; 31] = [
    "2026-11-20 06:47:13,393ZERROR text",
    "2026-11-20 06:47:13 DEBUG5: text",
    "2026-11-20 06:47:13 UTC [7] LOG:  text",
    "[2026/11/20 06:47:13,  0] ../source3/smbd/server.c:1(main)",
    "(2026-11-20 06:47:13): [sssd] [main] (0x0010): text",
    "I1120 06:47:13.123456 7 file.go:12] text",
    "06:47:13 main %LINK-3-UPDOWN: text",
    "7:M 20 Nov 2026 06:47:13.123 # text",
    "[7] 20 Nov 06:47:13.123 * text",
    "2026.11.20 06:47:13 LOG5[ui]: text",
    "2026-11-20T06:47:13Z In(14) shop[7]: text",
    "2026-11-20 06:47:13.12 Error: 9002, Severity: 17, State: 2.",
    "06:47:13 user=ann,level=3 text",
    "06:47:13 \u{1b}[31mERROR\u{1b}[0m text",
    "[1795157233] SERVICE ALERT: web;http;OK;HARD;3;text",
    "2026-11-20 06:47:13 7f31f3dfe6c0 -1 text",
    "D [20/Nov/2026:06:47:13 +0000] text",
    "06:47:13 W/Tag( 7): text",
    "shop-WARNING **: 06:47:13.760: text",
    "shop-Message: 06:47:13.752: text",
    "a.py:3: DeprecationWarning: text",
    "PHP Deprecated:  text in a.php on line 3",
    "npm ERR! text",
    "SLF4J(W): text",
    "06:47:13@123/info text",
    "[I][06:47:13.527] text",
    "<W>2026-11-20 06:47:13 text",
    "[error[E0001]: text",
    "06:47:13 I! text",
    "[20/Nov/2026:06:47:13 +0000] \"GET / HTTP/1.1\" 503 7",
    "x [syslog-3] text",
];

#[test]
fn a_line_without_words_or_marks_for_levels_says_none() {
    let formats = Formats::built_in();
    let samples = formats.all().iter().flat_map(|format| &format.samples).map(|sample| &*sample.text);
    let lines: Vec<Vec<u8>> = samples.chain(LEVELS).map(|line| line.lines().next().unwrap().into()).collect();
    let mut drawn = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |end: usize| {
        drawn ^= drawn << 13;
        drawn ^= drawn >> 7;
        drawn ^= drawn << 17;
        (drawn % end.max(1) as u64) as usize
    };
    let mut n_none = 0;
    for _ in 0..LINES {
        let mut line = lines[below(lines.len())].clone();
        line.truncate(300);
        let other = &lines[below(lines.len())];
        for _ in 0..below(5) {
            let (at, from) = (below(line.len()), below(other.len()));
            match below(4) {
                0 => drop(line.drain(at..(at + 1 + below(6)).min(line.len()))),
                1 => line.insert(at, b" []():;,-/|*!=%x7"[below(17)]),
                2 => drop(line.splice(at..at, other[from..(from + 8).min(other.len())].iter().copied())),
                _ => drop(line.splice(at.., other[from..].iter().copied())),
            }
        }
        line.truncate(300);
        if !may_say_level(&line) {
            n_none += 1;
            let level = head::level(&line, &TimeMemo::default()).unwrap_or_else(|| of_keys(&line));
            assert_eq!(level, None, "{:?}", String::from_utf8_lossy(&line));
        }
    }
    assert!(n_none > LINES / 20, "{n_none} of {LINES} lines say none");
    assert!(LEVELS.iter().all(|line| may_say_level(line.as_bytes())));
}

#[test]
fn all_states_have_a_place_in_the_table() {
    assert!(rows().len() * KINDS <= TABLE.len(), "{} states", rows().len());
}

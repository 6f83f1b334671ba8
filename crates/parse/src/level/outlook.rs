//! Whether a line can say its level at all: most lines without one show it at a glance.
//!
//! One pass with a table of states, since all words for levels and all marks of programs' own must be looked for at once.

use std::sync::LazyLock;

use types::Level;

use super::keys::KEYS;
use super::signs;

/// Words before levels, or that mean one and are none.
const WORDS: [&str; 6] = ["php", "host", "status", "service", "message", "syslog"];

/// Every line in which the system reports a death has one of these words; lines without them are not searched for one.
const DEATHS: [&str; 10] =
    ["segfault", "traps", "killed", "oom", "exited", "result", "oomkilled", "crashloopbackoff", "restarting", "dumped"];

/// Kinds of bytes: small letters, capitals, then the others.
const KINDS: usize = 64;
const UPPER: u8 = 26;
const BLANK: u8 = 52;
/// What stands before a letter that is a level by itself.
const OPENING: u8 = 53;
const ROUND: u8 = 54;
const CLOSING: u8 = 55;
const COMMA: u8 = 56;
const DASH: u8 = 57;
const ONE: u8 = 58;
const DIGIT: u8 = 59;
const EQUALS: u8 = 60;
/// What makes anything possible.
const STOP: u8 = 61;
const OTHER: u8 = 62;
const POINT: u8 = 63;

const KIND_OF: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            letter @ b'a'..=b'z' => letter - b'a',
            letter @ b'A'..=b'Z' => letter - b'A' + UPPER,
            b' ' | b'\t' | b'|' => BLANK,
            b'[' | b'<' | b'{' | b'*' | b')' | b'>' | b';' => OPENING,
            b'(' => ROUND,
            b']' => CLOSING,
            b',' => COMMA,
            b'-' => DASH,
            b'1' => ONE,
            b'0'..=b'9' => DIGIT,
            b'=' => EQUALS,
            b'.' => POINT,
            b'"' | b'%' | 0x1b => STOP,
            _ => OTHER,
        };
        byte += 1;
    }
    kinds
};

type State = u16;

/// At the beginning and behind blanks, behind marks, in a word that is none for a level, and where one may be said.
const OPEN: State = 0;
const CLOSED: State = 1;
const IN_WORD: State = 2;
const FOUND: State = 3;
/// Behind `(`, `-`, `-1`, and a comma with up to three digits: some programs mean a level by a number there.
const AT_ROUND: State = 4;
const AT_DASH: State = 5;
const AT_ONE: State = 6;
const AT_COMMA: State = 7;
/// Behind a digit or a point, which may end a time.
const AT_DIGIT: State = 11;
const N_STATES: State = 12;

/// The state that follows for each kind of byte.
type Row = [State; KINDS];

/// All rows one after the other; a state is the place of its row there.
type Table = [State; 1 << 15];

static TABLE: LazyLock<Box<Table>> = LazyLock::new(|| {
    let mut table = Box::new([0; 1 << 15]);
    let cells = rows().into_iter().flatten().map(|state| state * KINDS as State);
    table.iter_mut().zip(cells).for_each(|(cell, state)| *cell = state);
    table
});

/// Whether a line may say a level, by its words and marks; where it may not, no reader of levels finds one.
pub(super) fn may_say_level(line: &[u8]) -> bool {
    if matches!(line.first(), Some(b'<' | b'=')) || signs::is_redis(line) {
        return true;
    }
    let table: &Table = &TABLE;
    let next = |state: State, byte: &u8| {
        let place = usize::from(state | State::from(KIND_OF[usize::from(*byte)]));
        table[place % table.len()]
    };
    let (chunks, rest) = line.as_chunks::<16>();
    let mut state = OPEN * KINDS as State;
    for chunk in chunks {
        state = chunk.iter().fold(state, next);
        if state == FOUND * KINDS as State {
            return true;
        }
    }
    rest.iter().chain(b" ").fold(state, next) == FOUND * KINDS as State
}

fn rows() -> Vec<Row> {
    let mut rows = vec![row(); usize::from(N_STATES)];
    rows[usize::from(FOUND)] = [FOUND; KINDS];
    let spellings = Level::spellings().map(|word| word.split(|c: char| !c.is_ascii_lowercase()).next());
    for word in spellings.flatten().chain(WORDS).chain(DEATHS).filter(|word| !word.is_empty()) {
        let end = add(&mut rows, word.as_bytes());
        rows[end][usize::from(BLANK)..].fill(FOUND);
    }
    for (key, _) in KEYS {
        let end = add(&mut rows, key);
        rows[end][usize::from(EQUALS)] = FOUND;
    }
    // `DeprecationWarning`: a further word in one.
    let further = usize::from(UPPER + b'W' - b'A');
    let warning = rows[usize::from(CLOSED)][further];
    rows.iter_mut().filter(|row| row[further] == IN_WORD).for_each(|row| row[further] = warning);
    let words = rows[usize::from(CLOSED)];
    for state in (OPEN..N_STATES).filter(|state| !matches!(*state, IN_WORD | FOUND)) {
        rows[usize::from(state)][..usize::from(BLANK)].copy_from_slice(&words[..usize::from(BLANK)]);
    }
    // A letter alone: `W [file.c:7]`, `[E]`, `D1`, `E/Tag`.
    for letter in (b'A'..=b'Z').filter(|letter| signs::letter(*letter).is_some()) {
        let kind = usize::from(letter - b'A' + UPPER);
        let mut alone = rows[usize::from(words[kind])];
        alone[usize::from(BLANK)..].fill(FOUND);
        [OPEN, AT_ROUND, AT_COMMA].iter().for_each(|state| rows[usize::from(*state)][kind] = rows.len() as State);
        let behind_digit = rows.len() as State + 1;
        rows.push(alone);
        // A date may follow those of glog.
        if !matches!(letter, b'I' | b'W' | b'E' | b'F') {
            alone[usize::from(ONE)..=usize::from(DIGIT)].fill(AT_DIGIT);
        }
        (AT_COMMA + 1..=AT_DIGIT).chain([AT_ONE]).for_each(|state| rows[usize::from(state)][kind] = behind_digit);
        rows.push(alone);
    }
    let mut set = |state: State, kinds: &[u8], next: State| {
        kinds.iter().for_each(|kind| rows[usize::from(state)][usize::from(*kind)] = next);
    };
    // The zone of a time, behind which a word may begin at once.
    (AT_COMMA + 1..=AT_DIGIT).for_each(|state| set(state, &[UPPER + b'Z' - b'A'], AT_DIGIT));
    set(AT_ROUND, &[ONE, DIGIT], FOUND);
    set(AT_DASH, &[ONE], AT_ONE);
    set(AT_ONE, &[BLANK], FOUND);
    set(AT_COMMA, &[BLANK], AT_COMMA);
    for state in AT_COMMA..AT_DIGIT - 1 {
        set(state, &[ONE, DIGIT], state + 1);
        set(state + 1, &[CLOSING, COMMA], FOUND);
    }
    rows
}

/// A state within a word.
fn row() -> Row {
    let mut row = [CLOSED; KINDS];
    row[..usize::from(BLANK)].fill(IN_WORD);
    let marks = [
        (BLANK, OPEN),
        (OPENING, OPEN),
        (CLOSING, OPEN),
        (ROUND, AT_ROUND),
        (COMMA, AT_COMMA),
        (DASH, AT_DASH),
        (ONE, AT_DIGIT),
        (DIGIT, AT_DIGIT),
        (POINT, AT_DIGIT),
        (STOP, FOUND),
    ];
    marks.iter().for_each(|(kind, next)| row[usize::from(*kind)] = *next);
    row
}

/// Adds a word in small letters; returns the state at its end.
fn add(rows: &mut Vec<Row>, word: &[u8]) -> usize {
    word.iter().fold(usize::from(CLOSED), |at, letter| {
        let kind = usize::from(letter - b'a');
        if rows[at][kind] == IN_WORD {
            let next = rows.len() as State;
            (rows[at][kind], rows[at][kind + usize::from(UPPER)]) = (next, next);
            rows.push(row());
        }
        usize::from(rows[at][kind])
    })
}

#[cfg(test)]
mod tests;

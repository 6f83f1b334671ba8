//! The level at the head of a line, as a word, letter or digit at a place where programs write one.
//!
//! One pass over the pieces of the head: times, brackets, words, and the marks between them. A word counts at such a place
//! only: behind the time, brackets, a process, the name of a category, between bars or tabs. Two words of prose end the head.
//! What programs write in forms of their own (klog, Cisco, Nagios, …) is found at the piece that it begins with.

use std::ops::ControlFlow::{self, Break, Continue};

use types::Level;

use super::keys::of_keys;
use super::place::{Place, clock_end, closing, is_place, zone_bytes};
use super::signs;
use super::words::{
    CLASSES, COLON, DIGIT, END, EQUALS, LOWER, MARK, OTHER, UPPER, any_level, facility_and_severity, in_brackets,
    is_code, is_of_prose, is_plain, is_process, says_nothing, upper_level, word_before_colon,
};
use crate::colour;
use crate::time::TimeMemo;

/// Pieces that are looked at; times, columns and marks count.
const PIECES_MAX: usize = 16;

/// Longest piece in brackets.
const BRACKETS_BYTES_MAX: usize = 200;

/// What a piece says: a level, or that there is none in this line whatever follows, or nothing.
type Step = ControlFlow<Option<Level>>;

/// The level that the first line of a text says; `Some(None)` where it can have none.
pub(super) fn level(line: &[u8], times: &TimeMemo) -> Option<Option<Level>> {
    if let Some(found) = signs::of_start(line) {
        return Some(found);
    }
    let mut head = Head::new(line, times);
    match head.walk() {
        Break(found) => Some(found),
        Continue(()) => None,
    }
}

/// How far a line was read, and what was passed.
struct Head<'t> {
    bytes: &'t [u8],
    times: &'t TimeMemo,
    at: usize,
    has_time: bool,
    /// Whether only numbers stand between the time and here.
    is_at_time: bool,
    /// Whether a level may stand here in lower case too.
    is_open: bool,
    /// Whether the bracket before the time is open.
    is_inside: bool,
    /// Whether the last piece was a number in brackets.
    is_behind_process: bool,
    /// Whether the last piece was the address of a thread.
    is_behind_thread: bool,
    /// Whether an arrow, tick or bullet was passed.
    is_behind_sign: bool,
    /// Whether a word without digits was passed.
    is_behind_word: bool,
    /// Numbers since the time.
    n_numbers: usize,
    /// Words of prose since the last time or category.
    n_plain: usize,
    /// The strongest separator before the piece: a bar, a tab, a blank.
    before: u8,
}

impl<'t> Head<'t> {
    fn new(bytes: &'t [u8], times: &'t TimeMemo) -> Self {
        Self {
            bytes,
            times,
            at: 0,
            has_time: false,
            is_at_time: false,
            is_open: true,
            is_inside: false,
            is_behind_process: false,
            is_behind_thread: false,
            is_behind_sign: false,
            is_behind_word: false,
            n_numbers: 0,
            n_plain: 0,
            before: 0,
        }
    }

    fn walk(&mut self) -> Step {
        for n_piece in 0..PIECES_MAX {
            self.skip_separators();
            match self.bytes.get(self.at) {
                None | Some(b'"') => break,
                Some(b'{') if self.bytes[self.at..].starts_with(b"{\"") => break,
                Some(b'[' | b'(' | b'<' | b'{') => self.enclosed()?,
                Some(_) if self.take_time(self.at) => {}
                Some(_) => self.word(n_piece == 0)?,
            }
        }
        Continue(())
    }

    /// Goes past blanks, bars, colours, and what closes the bracket of the time.
    fn skip_separators(&mut self) {
        let start = self.at;
        self.before = if start == 0 { b'|' } else { b' ' };
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'|' | b'\t' => self.before = *byte,
                b' ' => {}
                b']' | b')' | b'>' | b',' | b';' if self.is_inside || self.at > start => {
                    self.is_inside &= *byte == b','
                }
                0x1b => {
                    self.at = colour::end(self.bytes, self.at);
                    continue;
                }
                _ => return,
            }
            self.at += 1;
        }
    }

    /// Takes a time off the front, and its zone.
    fn take_time(&mut self, at: usize) -> bool {
        let Some(rest @ [first, second, third, ..]) = self.bytes.get(at..) else { return false };
        let found = match first {
            b'0'..=b'9' => self.times.time_end(rest).or_else(|| {
                let is_likely = *third == b':' || *first == b'1' && rest.get(9).is_some_and(u8::is_ascii_digit);
                if is_likely { clock_end(rest) } else { None }
            }),
            // Names of months and days.
            b'A'..=b'Z' if second.is_ascii_lowercase() && third.is_ascii_lowercase() => self.times.time_end(rest),
            _ => None,
        };
        let Some(end) = found else { return false };
        self.at = at + end;
        let n_zone = zone_bytes(&self.bytes[self.at..]);
        self.at += n_zone;
        if n_zone > 0 {
            self.at += zone_bytes(&self.bytes[self.at..]);
        }
        (self.has_time, self.is_at_time, self.is_open) = (true, true, true);
        (self.n_plain, self.n_numbers) = (0, 0);
        true
    }

    /// A piece in brackets, or a time that stands in some.
    fn enclosed(&mut self) -> Step {
        let open = self.bytes[self.at];
        let inner = &self.bytes[self.at + 1..];
        let n_blanks = inner.iter().take_while(|byte| **byte == b' ').count();
        if self.take_time(self.at + 1 + n_blanks) {
            self.is_inside = true;
            return signs::samba(&self.bytes[self.at..]).map_or(Continue(()), |level| Break(Some(level)));
        }
        let Some(end) = closing(&inner[..inner.len().min(BRACKETS_BYTES_MAX)], open) else {
            self.at += 1;
            return Continue(());
        };
        let inside = inner[..end].trim_ascii();
        self.at += end + 2;
        let has_colon = self.bytes.get(self.at) == Some(&b':');
        let letter = match inside {
            [letter @ (b'D' | b'I' | b'W' | b'E' | b'C' | b'F')] => signs::letter(*letter),
            _ => None,
        };
        let level = match open {
            // `2026-11-20 06:47:13 - pid:7 [W] text`, `[W][06:47:13.527] text`.
            b'[' if letter.is_some() => {
                let is_before_time = matches!(self.bytes[self.at..], [b'[', b'0'..=b'9', ..]);
                letter.filter(|_| self.n_plain == 0 && (self.has_time || is_before_time))
            }
            b'[' if self.n_plain <= 1 => any_level(inside).or_else(|| in_brackets(inside)),
            b'(' if self.n_plain == 0 || has_colon && self.n_plain <= 1 => {
                any_level(inside).or_else(|| signs::mask(inside).filter(|_| has_colon))
            }
            // `<W>2026-11-20 06:47:13`.
            b'<' if self.at == 3 && self.bytes.get(3).is_some_and(u8::is_ascii_digit) => letter,
            // No tag of a text.
            b'<' | b'{' if self.n_plain == 0 && matches!(self.bytes.get(self.at), Some(b' ' | b':')) => {
                any_level(inside)
            }
            _ => None,
        };
        if level.is_some() {
            return Break(level);
        }
        self.is_behind_process = inside.first().is_some_and(u8::is_ascii_digit);
        self.is_at_time &= self.is_behind_process;
        self.has_time |= signs::letter_and_time(inside).is_some();
        self.is_open |= self.n_plain == 0;
        self.at += usize::from(has_colon);
        signs::letter_and_time(inside).map_or(Continue(()), |level| Break(Some(level)))
    }

    /// A piece up to the next blank, tab, bar or colour.
    fn word(&mut self, is_first: bool) -> Step {
        let rest = &self.bytes[self.at..];
        let mut signs = 0;
        let end = rest.iter().position(|byte| {
            let class = CLASSES[usize::from(*byte)];
            signs |= class;
            class == END
        });
        let (signs, end) = (signs & !END, end.unwrap_or(rest.len()));
        let (word, mut behind) = rest.split_at(end);
        if !is_first && (self.has_time || self.n_plain > 0) && says_nothing(word, behind, signs) {
            self.at += end;
            return self.go_on(&Place { bare: word, has_colon: false, behind, is_first }, signs);
        }
        if signs & (UPPER | LOWER | DIGIT) == 0 {
            return self.mark(word, behind);
        }
        // Arrows, ticks and bullets.
        if word[0] == 0xe2 && word.len() <= 6 && !word.iter().any(u8::is_ascii) {
            (self.is_open, self.is_behind_sign, self.at) = (true, true, self.at + end);
            return Continue(());
        }
        if signs & EQUALS != 0 && self.is_open && word[0].is_ascii_alphabetic() {
            return self.pair(word);
        }
        if behind.first() == Some(&0x1b) {
            behind = &behind[colour::end(behind, 0)..];
        }
        let core = word.strip_suffix(b",").or_else(|| word.strip_suffix(b";")).unwrap_or(word);
        // Sling writes `*ERROR*`.
        let framed = core.strip_prefix(b"*").and_then(|core| core.strip_suffix(b"*"));
        let core = framed.filter(|core| !core.is_empty()).unwrap_or(core);
        let core = if self.is_inside { core.strip_suffix(b"]").unwrap_or(core) } else { core };
        let bare = core.strip_suffix(b":").unwrap_or(core);
        let has_colon = bare.len() < core.len() || behind.first() == Some(&b':') || behind.starts_with(b" :");
        let place = Place { bare, has_colon, behind, is_first };
        let mut level = self.sign_here(word, signs, &place)?;
        // `ERROR: 0` counts them.
        if has_colon && behind.starts_with(b" 0") {
            self.at += end;
            return self.go_on(&place, signs);
        }
        // Letters alone, or with the digits of `DEBUG5` and what was cut off.
        if level.is_none() && signs & !(UPPER | LOWER | DIGIT | COLON | MARK) == 0 {
            level = if bare.len() > 2 { self.level_here(signs, &place) } else { self.letter_here(&place) };
        }
        if level.is_none() && signs & (COLON | MARK) != 0 {
            level = self.android(&place).or_else(|| self.glued(core, signs, has_colon));
        }
        if level.is_some() {
            return Break(level);
        }
        self.at += end;
        self.go_on(&place, signs)
    }

    /// `-`, `:`, `->`: a level may follow. Three and more of them at the beginning of a line are a heading.
    fn mark(&mut self, word: &[u8], behind: &[u8]) -> Step {
        if self.is_at_time
            && behind.first() == Some(&b' ')
            && let Some(level) = signs::redis(self.bytes, word)
        {
            return Break(Some(level));
        }
        self.is_open = true;
        self.is_at_time &= matches!(word, b"-" | b":" | b",");
        self.at += word.len();
        Continue(())
    }

    /// `user=ann,db=shop`: a column, unless its key is that of a level.
    fn pair(&mut self, word: &[u8]) -> Step {
        if let Some(level) = of_keys(word).and_then(|_| of_keys(self.bytes)) {
            return Break(Some(level));
        }
        self.at += word.len();
        // A text in quotes may hold anything.
        if word.contains(&b'"') && !word.ends_with(b"\"") {
            let rest = &self.bytes[self.at..];
            self.at += memchr::memchr(b'"', rest).map_or(rest.len(), |quote| quote + 1);
        }
        (self.is_at_time, self.is_open) = (false, true);
        Continue(())
    }

    /// What programs write in a form of their own.
    fn sign_here(&self, word: &[u8], signs: u8, place: &Place<'_>) -> ControlFlow<Option<Level>, Option<Level>> {
        let rest = &self.bytes[self.at..];
        // The rest of a statement or of an error is no error.
        if place.has_colon && signs & (LOWER | DIGIT) == 0 && signs::is_detail(place.bare) {
            return Break(None);
        }
        // `a68g: runtime error: text`.
        let is_behind_program = self.n_plain == 0 && !self.has_time && self.bytes[..self.at].ends_with(b": ");
        if is_behind_program && signs::is_kind_of_error(word, place) && !signs::is_of_sanitizer(self.bytes, self.at) {
            return Break(Some(Level::Error));
        }
        if place.is_first
            && let Some(level) = signs::of_command(word, place)
        {
            return Break(Some(level));
        }
        match word[0] {
            b'%' => return Continue(signs::cisco(word)),
            b'S' | b'H' | b'C' | b'I' if self.is_at_time && signs == UPPER => {
                if let Some(found) = signs::nagios(rest) {
                    return Break(found);
                }
            }
            b'P' if self.is_open && word == b"PHP" => return Break(signs::php(&rest[3..])),
            b'F' | b'f' | b'P' if self.is_open && signs::is_error_of_language(rest) => {
                return Break(Some(if word[0] == b'P' { Level::Error } else { Level::Fatal }));
            }
            b'E' if self.is_open && word == b"Error:" => {
                if let Some(level) = signs::sql_server(rest) {
                    return Break(Some(level));
                }
            }
            b'L' | b'S' if self.is_open && matches!(word, b"LEVEL:" | b"Level:" | b"Severity:") => {
                return Continue(any_level(place.next()));
            }
            b'I' | b'W' | b'E' | b'F' if signs == UPPER | DIGIT => return Continue(signs::glog(word[0], rest)),
            b'I' | b'W' | b'E' | b'D' if self.is_at_time && word[1..] == *b"!" => {
                return Continue(signs::letter(word[0]));
            }
            b'e' | b'w' if place.has_colon && place.bare.ends_with(b"]") => {
                return Continue(place.bare.split(|byte| *byte == b'[').next().and_then(any_level));
            }
            b'E' if word == b"ERR!" && self.n_plain <= 1 => return Break(Some(Level::Error)),
            b'-' if word == b"-1" && self.is_behind_thread => return Break(Some(Level::Error)),
            b'L' if word.starts_with(b"LOG") => return Continue(signs::stunnel(word)),
            _ if self.n_plain == 0 && !self.has_time && (place.has_colon || place.behind.starts_with(b" **:")) => {
                if let Some(level) = signs::glib(place).or_else(|| signs::python_warning(&self.bytes[..self.at], place))
                {
                    return Break(Some(level));
                }
            }
            _ => {}
        }
        let is_column = signs & MARK != 0 && self.n_plain <= usize::from(self.has_time);
        Continue(if is_column { facility_and_severity(word).or_else(|| signs::vmware(word)) } else { None })
    }

    /// A word that is a level and stands where one does.
    fn level_here(&self, signs: u8, place: &Place<'_>) -> Option<Level> {
        let word = place.bare;
        // Traffic Server's words for what is no trouble.
        if self.has_time && place.has_colon && matches!(word, b"NOTE" | b"STATUS") {
            return Some(Level::Info);
        }
        let level = Level::parse_bytes(word)?;
        let is_column = matches!(self.before, b'\t' | b'|') && matches!(place.separator(), Some(b'\t' | b'|'));
        if signs & LOWER == 0 {
            upper_level(word)?;
            let is_last = place.behind.trim_ascii().is_empty() && !self.is_at_time;
            let is_bare = !place.has_colon && !is_column && (is_last || !self.has_time && self.is_behind_word);
            let is_head = self.n_plain <= usize::from(self.has_time) && !is_bare;
            let is_sure = place.has_colon || self.has_time || is_column;
            return Some(level).filter(|_| match word {
                b"LOG" => {
                    place.has_colon && !place.is_first
                        || self.is_behind_process
                        || self.is_at_time && place.next().first() == Some(&b'[')
                }
                b"CONFIG" => self.is_at_time && place.next().first() == Some(&b'['),
                b"TRACE" if place.next() == b"-" || self.bytes[..self.at].ends_with(b"] ") => is_head,
                b"SUCCESS" | b"FAILURE" | b"TRACE" | b"NOTICE" | b"VERBOSE" => is_head && is_sure,
                _ => is_head,
            });
        }
        any_level(word)?;
        let is_of_category = word == b"fail" && place.next().ends_with(b"]");
        let is_before_colon = self.is_open && place.has_colon && (word_before_colon(word).is_some() || is_of_category);
        // `jq: error (at <stdin>:1): text`.
        let is_located = self.is_open && !place.is_first && place.behind.starts_with(b" (at ");
        let is_padded =
            (self.is_at_time || self.is_behind_sign && self.n_plain == 0) && place.behind.starts_with(b"  ");
        let is_before_process = self.has_time && self.n_plain <= 1 && is_process(place.next());
        let is_behind_time = self.is_at_time
            && match word {
                b"info" | b"inf" | b"debug" | b"dbg" | b"warn" | b"wrn" | b"err" | b"crit" | b"trc" => true,
                b"error" | b"warning" | b"fatal" | b"critical" | b"notice" | b"trace" | b"verbose" => {
                    !is_plain(place.next())
                }
                _ => false,
            };
        // `[main:7] info @2026-11-20 06:47:13> text`.
        let is_before_time = matches!(place.next(), [b'@', b'0'..=b'9', ..]) && !self.has_time;
        // `a.ts(1,7): error TS2322: text`.
        let is_coded = self.is_open && !place.is_first && is_code(place.next());
        let is_before = is_coded || is_before_colon || is_before_process || is_before_time;
        (is_column || is_before || is_located || is_padded || is_behind_time).then_some(level)
    }

    /// A letter behind the time, or behind the numbers after it: `I | text`, `W [file.c:7]`, `E NETWORK  [main]`, `D Tag:`.
    fn letter_here(&self, place: &Place<'_>) -> Option<Level> {
        let level = match place.bare {
            [letter] => signs::letter(*letter)?,
            [b'D', b'1'..=b'5'] => Level::Debug,
            _ => return None,
        };
        let is_column = || matches!(place.separator(), Some(b'|' | b'\t' | b'[' | b'-'));
        let is_name = || {
            let next = place.next();
            next.len() >= 2
                && (next.ends_with(b":")
                    || next.contains(&b'.')
                    || next.iter().all(|b| b.is_ascii_uppercase() || *b == b'_'))
        };
        let is_cups = || place.is_first && matches!(place.next(), [b'[', b'0'..=b'9', ..]);
        let is_android = self.n_numbers >= 2;
        Some(level).filter(|_| self.is_at_time && (is_android || is_column() || is_name()) || is_cups())
    }

    /// `E/TillView( 4471): text`, `E/TillView: text`.
    fn android(&self, place: &Place<'_>) -> Option<Level> {
        let [letter, b'/', name @ ..] = place.bare else { return None };
        let is_tag = place.has_colon || name.contains(&b'(') || place.behind.starts_with(b" (");
        let is_place = (self.is_at_time || place.is_first) && is_tag;
        if is_place { signs::letter(*letter) } else { None }
    }

    /// A level in upper case within a word: `time:ERROR:logger`, `7)WARNING:`, `a@b:[87]:FATAL:`, `shop.INFO:`, `INFO/Main]`.
    fn glued(&self, word: &[u8], signs: u8, has_colon: bool) -> Option<Level> {
        let may_have = signs & UPPER != 0 || word.first() == Some(&b':');
        if !may_have || self.n_plain > 1 || word.len() > BRACKETS_BYTES_MAX {
            return None;
        }
        let mut start = 0;
        while start < word.len() {
            let n_bytes = word[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let end = start + n_bytes;
            let ends = match word.get(end) {
                Some(b':') => true,
                Some(b',' | b';') => self.has_time && start > 0 && word[start - 1] == word[end],
                Some(b'/') => self.is_inside && start == 0,
                Some(_) => false,
                None => has_colon,
            };
            let begins = match start.checked_sub(1).map(|at| word[at]) {
                None => end < word.len(),
                Some(b':' | b')' | b']' | b'>' | b',' | b';') => true,
                Some(b'.') => end + 1 >= word.len(),
                _ => false,
            };
            // `host/INFO/module:` behind the time, which no path is.
            let is_between = self.is_at_time
                && has_colon
                && word[0] != b'/'
                && start > 0
                && word[start - 1] == b'/'
                && word.get(end) == Some(&b'/');
            let (begins, ends) = (begins || is_between, ends || is_between);
            // A word with a colon and nothing more was judged as one.
            let is_all = start == 0 && end + 1 == word.len();
            if ends && begins && !is_all && (3..=11).contains(&n_bytes) {
                let run = &word[start..end];
                let is_behind_time = self.is_at_time && start > 0 && word[..start].iter().all(|byte| *byte == b':');
                let level = if is_behind_time { any_level(run) } else { upper_level(run) };
                if level.is_some() {
                    return level;
                }
            }
            start = end + 1;
        }
        None
    }

    /// Whether the head goes on behind a word that is no level.
    fn go_on(&mut self, place: &Place<'_>, signs: u8) -> Step {
        let word = place.bare;
        self.is_behind_process = false;
        self.is_behind_word |= signs & DIGIT == 0 || signs & OTHER != 0;
        self.is_at_time &= signs & !(DIGIT | COLON) == 0;
        self.n_numbers += usize::from(signs == DIGIT);
        self.is_behind_thread = self.has_time && word.len() >= 8 && word.starts_with(b"7f");
        if place.has_colon {
            // `host program:` and `category:`, but not words of a sentence.
            // A place in a file may have words before it: `cmd. line:1:`.
            if self.n_plain > usize::from(self.has_time) && !is_place(word) {
                return Break(None);
            }
            (self.is_open, self.n_plain) = (true, 0);
            return Continue(());
        }
        let is_word = match signs & !(UPPER | LOWER) {
            0 => signs & LOWER != 0 || word.len() == 1,
            MARK => is_plain(word),
            _ => false,
        };
        // `main pid 7: text`.
        if !is_word || word == b"pid" && self.has_time && place.next().first().is_some_and(u8::is_ascii_digit) {
            return Continue(());
        }
        self.n_plain += 1;
        self.is_open = false;
        if self.n_plain > 1 || is_of_prose(word) {
            self.at = self.bytes.len();
        }
        Continue(())
    }
}

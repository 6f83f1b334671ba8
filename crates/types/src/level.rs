//! Canonical levels and the spellings that mean them.

use std::fmt;
use std::sync::LazyLock;

/// How bad an event is, from least to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Finest detail.
    Trace = 1,
    /// Detail for developers.
    Debug = 2,
    /// The normal course of things.
    Info = 3,
    /// Something to look at some day.
    Warn = 4,
    /// Something failed.
    Error = 5,
    /// The whole program or system failed.
    Fatal = 6,
}

/// All levels, least severe first; `LEVELS[i]` has the code `i + 1`.
pub const LEVELS: [Level; 6] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];

/// What programs and libraries write for each level, in lower case; the numbers are those of pino and bunyan.
const SPELLINGS: [(Level, &[&str]); 8] = [
    (Level::Trace, &["trace", "verbose", "finest", "finer", "silly", "blat", "trc", "trce", "trac", "vrb", "10"]),
    (
        Level::Debug,
        &[
            "debug", "fine", "config", "http", "dbg", "debg", "dbug", "debug1", "debug2", "debug3", "debug4", "debug5",
            "debu", "20", "syslog-7",
        ],
    ),
    (Level::Info, &["info", "notice", "note", "log", "success", "inf", "ntc", "noti", "30", "syslog-5", "syslog-6"]),
    (Level::Info, &["information", "informational"]),
    (Level::Warn, &["warn", "warning", "wrn", "40", "syslog-4"]),
    (Level::Error, &["error", "err", "erro", "eror", "severe", "failure", "fail", "exception", "50", "syslog-3"]),
    (
        Level::Fatal,
        &["fatal", "critical", "crit", "alert", "emerg", "panic", "dpanic", "ftl", "pnc", "fata", "pani", "60"],
    ),
    (Level::Fatal, &["emergency", "syslog-0", "syslog-1", "syslog-2"]),
];

/// A spelling in lower case, and what it means.
type Spelling = (&'static [u8], Level);

/// Lengths of the spellings that begin with each byte, one bit each: most words are told apart by them.
const SPELLING_LENGTHS: [u16; 256] = {
    let mut lengths = [0; 256];
    let mut n_rows = 0;
    while n_rows < SPELLINGS.len() {
        let words = SPELLINGS[n_rows].1;
        let mut n_words = 0;
        while n_words < words.len() {
            lengths[words[n_words].as_bytes()[0] as usize] |= 1 << words[n_words].len();
            n_words += 1;
        }
        n_rows += 1;
    }
    lengths
};

impl Level {
    /// Returns the canonical name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// The code under which columns hold it: 1 to 6 (0 is no level).
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The level of a code; `None` for 0 and for codes that no level has.
    pub fn of_code(code: u8) -> Option<Self> {
        LEVELS.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// Returns all spellings, in lower case.
    pub fn spellings() -> impl Iterator<Item = &'static str> {
        SPELLINGS.iter().flat_map(|(_, words)| words.iter().copied())
    }

    /// Reads any spelling of a level, upper or lower case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_bytes(text.as_bytes())
    }

    /// The same for bytes that may be no text.
    pub fn parse_bytes(text: &[u8]) -> Option<Self> {
        let first = text.first()?;
        if text.len() > 15 || SPELLING_LENGTHS[usize::from(first | 0x20)] & (1 << text.len()) == 0 {
            return None;
        }
        // Few spellings begin alike.
        static BY_FIRST: LazyLock<[Vec<Spelling>; 32]> = LazyLock::new(|| {
            let mut by_first = [const { Vec::new() }; 32];
            for (level, words) in SPELLINGS {
                words
                    .iter()
                    .for_each(|word| by_first[usize::from(word.as_bytes()[0] & 31)].push((word.as_bytes(), level)));
            }
            by_first
        });
        let alike = &BY_FIRST[usize::from(first & 31)];
        alike.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
    }

    /// The level of a syslog severity (0 emergency to 7 debug).
    pub fn of_syslog(severity: u8) -> Option<Self> {
        Some(match severity {
            0..=2 => Self::Fatal,
            3 => Self::Error,
            4 => Self::Warn,
            5 | 6 => Self::Info,
            7 => Self::Debug,
            _ => return None,
        })
    }

    /// The level of an HTTP response status: 5xx error, 4xx warn, others info.
    pub fn of_http_status(status: i64) -> Option<Self> {
        match status {
            100..=399 => Some(Self::Info),
            400..=499 => Some(Self::Warn),
            500..=599 => Some(Self::Error),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;

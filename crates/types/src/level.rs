//! Canonical levels and the spellings that mean them.

use std::fmt;

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

    /// Reads any spelling of a level, upper or lower case.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 13 {
            return None;
        }
        let mut lower = [0u8; 13];
        for (to, from) in lower.iter_mut().zip(text.bytes()) {
            *to = from.to_ascii_lowercase();
        }
        Some(match &lower[..text.len()] {
            b"trace" | b"verbose" | b"finest" | b"finer" | b"silly" | b"blat" | b"10" => Self::Trace,
            b"trc" | b"trce" | b"trac" | b"vrb" => Self::Trace,
            b"debug" | b"fine" | b"config" | b"http" | b"20" | b"syslog-7" => Self::Debug,
            b"dbg" | b"debg" | b"dbug" | b"debug1" | b"debug2" | b"debug3" | b"debug4" | b"debug5" => Self::Debug,
            b"info" | b"information" | b"informational" | b"notice" | b"note" | b"log" | b"success" => Self::Info,
            b"inf" | b"ntc" | b"30" | b"syslog-5" | b"syslog-6" => Self::Info,
            b"warn" | b"warning" | b"wrn" | b"40" | b"syslog-4" => Self::Warn,
            b"error" | b"err" | b"erro" | b"severe" | b"failure" | b"fail" | b"exception" => Self::Error,
            b"50" | b"syslog-3" => Self::Error,
            b"fatal" | b"critical" | b"crit" | b"alert" | b"emerg" | b"emergency" | b"panic" | b"dpanic" => Self::Fatal,
            b"ftl" | b"pnc" | b"60" => Self::Fatal,
            b"syslog-0" | b"syslog-1" | b"syslog-2" => Self::Fatal,
            _ => return None,
        })
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
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_in_any_case() {
        assert_eq!(Level::parse("WARNING"), Some(Level::Warn));
        assert_eq!(Level::parse("Err"), Some(Level::Error));
        assert_eq!(Level::parse("information"), Some(Level::Info));
        assert_eq!(Level::parse("60"), Some(Level::Fatal));
        assert_eq!(Level::parse("informational"), Some(Level::Info));
        assert_eq!(Level::parse("ERRO"), Some(Level::Error));
        assert_eq!(Level::parse("dbug"), Some(Level::Debug));
        assert_eq!(Level::parse("errors"), None);
        assert_eq!(Level::parse(""), None);
        for level in LEVELS {
            assert_eq!(Level::parse(level.name()), Some(level));
            assert_eq!(Level::of_code(level.code()), Some(level));
        }
        assert_eq!(Level::of_code(0), None);
    }
}

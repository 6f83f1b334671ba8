//! What is known of the report that a runtime writes of a death.

use types::Level;

/// What lines without indentation are that no pattern fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// `n_free` of them belong to the report.
    Free,
    /// The next is the last if it names an exception.
    Exception,
    /// All belong to it, whatever they are, up to its last line.
    All,
}

/// How a line that could begin another report of the same kind is read within a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// As part of the report, if it may contain such lines.
    Part,
    /// As another report after the last line: the program was started again.
    BehindEnd,
    /// As another report after the last line or after frames.
    BehindFrames,
    /// Always as another report.
    Anywhere,
}

/// How a runtime reports a death.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) level: Level,
    pub(crate) starts: Vec<&'static str>,
    /// For the text to have the level, one of these must fit the second line, or the line after further ones that fit
    /// `starts`.
    pub(crate) confirms: Vec<&'static str>,
    /// Lines without indentation that belong to it; indented and empty ones do anyhow.
    pub(crate) goes_on: Vec<&'static str>,
    pub(crate) ends: Vec<&'static str>,
    pub(crate) next: Next,
    /// Lines of any form that belong to it before frames come.
    pub(crate) n_free: u8,
    /// Lines behind which a line of source stands.
    pub(crate) quotes: Vec<&'static str>,
    /// Whether the line before its first says what happened.
    pub(crate) follows: bool,
    /// Whether the program goes on after it.
    pub(crate) is_survived: bool,
    /// Whether the kernel writes it, which goes on, about what it did itself.
    pub(crate) is_of_kernel: bool,
    /// How a further line that fits `starts` is read.
    pub(crate) again: Again,
}

impl Report {
    /// Returns a report with this level and no patterns.
    pub(crate) fn of_level(level: Level) -> Self {
        Self {
            level,
            starts: Vec::new(),
            confirms: Vec::new(),
            goes_on: Vec::new(),
            ends: Vec::new(),
            next: Next::Free,
            n_free: 0,
            quotes: Vec::new(),
            follows: false,
            is_survived: false,
            is_of_kernel: false,
            again: Again::Part,
        }
    }
}

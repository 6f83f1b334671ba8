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

/// What a further line is that begins a report of the kind at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// A part of it, where such lines go on with it.
    Part,
    /// Behind its end another report: the program was started again.
    BehindEnd,
    /// The same, and behind its frames too.
    BehindFrames,
    /// Another report.
    Anywhere,
}

/// How a runtime reports a death.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) level: Level,
    pub(crate) starts: &'static [&'static str],
    /// One of these must fit the second line, or the one behind others that begin it too, for the text to have the level.
    pub(crate) confirms: &'static [&'static str],
    /// Lines without indentation that belong to it; indented and empty ones do anyhow.
    pub(crate) goes_on: &'static [&'static str],
    pub(crate) ends: &'static [&'static str],
    pub(crate) next: Next,
    /// Lines of any form that belong to it before frames come.
    pub(crate) n_free: u8,
    /// Whether the line before its first says what happened.
    pub(crate) follows: bool,
    /// Whether the program goes on after it.
    pub(crate) is_survived: bool,
    /// What a further first line is.
    pub(crate) again: Again,
}

pub(crate) const PLAIN: Report = Report {
    level: Level::Error,
    starts: &[],
    confirms: &[],
    goes_on: &[],
    ends: &[],
    next: Next::Free,
    n_free: 0,
    follows: false,
    is_survived: false,
    again: Again::Part,
};

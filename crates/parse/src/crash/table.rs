//! The reports of runtimes, as data; [`crate::crash`] has the language of the patterns.

mod languages;
mod native;

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

/// How a runtime reports a death.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) level: Level,
    pub(crate) starts: &'static [&'static str],
    /// One of these must fit the second line for the text to have the level.
    pub(crate) confirms: &'static [&'static str],
    /// Lines without indentation that belong to it; indented and empty ones do anyhow.
    pub(crate) goes_on: &'static [&'static str],
    pub(crate) ends: &'static [&'static str],
    pub(crate) next: Next,
    /// Lines of any form that belong to it before frames come.
    pub(crate) n_free: u8,
    /// Whether the line before its first says what happened.
    pub(crate) follows: bool,
}

const PLAIN: Report = Report {
    level: Level::Error,
    starts: &[],
    confirms: &[],
    goes_on: &[],
    ends: &[],
    next: Next::Free,
    n_free: 0,
    follows: false,
};

/// All that are known; of several patterns that fit a line the longest decides.
pub(crate) fn reports() -> impl Iterator<Item = &'static Report> {
    languages::REPORTS.iter().chain(native::REPORTS)
}

/// How the kernel and service managers tell of a death behind a colon and a blank, and what follows in the line.
pub(crate) const OBITUARIES: &[(&str, &str)] = &[
    ("segfault at ", " ip "),
    ("traps: ", " ip:"),
    ("Killed process ", " ("),
    ("oom-kill:constraint=", ""),
    ("Main process exited, code=killed", ""),
    ("Main process exited, code=dumped", ""),
    ("Main process exited, code=exited, status=", ""),
    ("Failed with result '", ""),
    ("A process of this unit has been killed by the OOM killer", ""),
    ("Process ", " dumped core"),
];

/// What stands before the colon in such lines.
pub(crate) const OBITUARY_ENDS: &[&[u8]] = &[b" invoked oom-killer", b"] traps"];

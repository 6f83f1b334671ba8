//! The reports of runtimes, as data; [`crate::crash`] has the language of the patterns.

mod languages;
mod native;

use super::report::Report;

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

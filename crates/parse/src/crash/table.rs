//! The reports of runtimes, as data; [`crate::crash`] has the language of the patterns.

mod languages;
mod native;
mod scripts;

use super::death::{Obituary, Signal};
use super::report::Report;

/// All that are known; of several patterns that fit a line the longest decides.
pub(crate) fn reports() -> impl Iterator<Item = &'static Report> {
    scripts::REPORTS.iter().chain(languages::REPORTS).chain(native::REPORTS)
}

/// How the kernel and service managers tell of a death behind a colon and a blank, what follows in the line, and what of the
/// program it tells.
pub(crate) const OBITUARIES: &[(&str, &str, Obituary)] = &[
    ("segfault at ", " ip ", Obituary::NameBefore(Signal::Kernel)),
    ("traps: ", " ip:", Obituary::NameBehind(Signal::Kernel)),
    ("Killed process ", " (", Obituary::NameBehind(Signal::Kernel)),
    ("oom-kill:constraint=", "", Obituary::Repeats),
    ("Main process exited, code=killed", "", Obituary::NameBefore(Signal::Exit)),
    ("Main process exited, code=dumped", "", Obituary::NameBefore(Signal::Exit)),
    ("Main process exited, code=exited, status=", "", Obituary::NameBefore(Signal::Exit)),
    ("Failed with result '", "", Obituary::NameBefore(Signal::Result)),
    ("A process of this unit has been killed by the OOM killer", "", Obituary::Repeats),
    ("OOMKilled", "", Obituary::Repeats),
    ("CrashLoopBackOff", "", Obituary::Repeats),
    ("Back-off restarting failed container", "", Obituary::Repeats),
    ("Process ", " dumped core", Obituary::NameBehind(Signal::Kernel)),
];

/// What stands before the colon in such lines.
pub(crate) const OBITUARY_ENDS: &[&[u8]] = &[b" invoked oom-killer", b"] traps"];

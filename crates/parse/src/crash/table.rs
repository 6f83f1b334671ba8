//! The reports of runtimes, read from `formats/deaths/`, and how the system tells of deaths; [`crate::crash`] has the language of
//! the patterns.
//!
//! A file has reports one after the other. Each begins with `report`, its level, and `follows`, `survived`, `kernel` or `likewise` where that holds;
//! lines behind it give patterns (`begins`, `confirms`, `goes-on`, `ends`, `quotes`) in quotes, in which `\t` and `\e` are a tab and
//! the beginning of a colour, and what else is known (`next`, `free`, `again`). Lines with `#` are comments.

use std::sync::LazyLock;

use types::Level;

use super::death::{Obituary, Signal};
use super::report::{Again, Next, Report};

const FILES: [&str; 4] = [
    include_str!("../../../../formats/deaths/scripts.txt"),
    include_str!("../../../../formats/deaths/languages.txt"),
    include_str!("../../../../formats/deaths/native.txt"),
    include_str!("../../../../formats/deaths/kernel.txt"),
];

static REPORTS: LazyLock<Vec<Report>> = LazyLock::new(|| FILES.into_iter().flat_map(|file| read(file).0).collect());

/// All that are known; of several patterns that fit a line the longest decides.
pub(crate) fn reports() -> impl Iterator<Item = &'static Report> {
    REPORTS.iter()
}

/// Reads a file: its reports, and the lines that say nothing known.
fn read(file: &'static str) -> (Vec<Report>, Vec<&'static str>) {
    let (mut reports, mut unknown): (Vec<Report>, _) = (Vec::new(), Vec::new());
    for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let is_read = match (key, reports.last_mut()) {
            ("report", before) => {
                let report = head(value, before.as_deref());
                report.map(|report| reports.push(report))
            }
            (_, None) => None,
            ("begins", Some(report)) => pattern(value).map(|text| report.starts.push(text)),
            ("confirms", Some(report)) => pattern(value).map(|text| report.confirms.push(text)),
            ("goes-on", Some(report)) => pattern(value).map(|text| report.goes_on.push(text)),
            ("ends", Some(report)) => pattern(value).map(|text| report.ends.push(text)),
            ("quotes", Some(report)) => pattern(value).map(|text| report.quotes.push(text)),
            ("next", Some(report)) => next(value).map(|next| report.next = next),
            ("free", Some(report)) => value.parse().ok().map(|n_free| report.n_free = n_free),
            ("again", Some(report)) => again(value).map(|again| report.again = again),
            _ => None,
        };
        if is_read.is_none() {
            unknown.push(line);
        }
    }
    (reports, unknown)
}

/// `error follows`; `likewise` has the further lines of the report before.
fn head(value: &str, before: Option<&Report>) -> Option<Report> {
    let mut words = value.split(' ');
    let mut report = Report::of_level(Level::parse(words.next()?)?);
    for word in words {
        match word {
            "follows" => report.follows = true,
            "survived" => report.is_survived = true,
            "kernel" => report.is_of_kernel = true,
            "likewise" => report.goes_on.clone_from(&before?.goes_on),
            _ => return None,
        }
    }
    Some(report)
}

/// What stands between the first quote and the last one.
fn pattern(value: &'static str) -> Option<&'static str> {
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    let unescape = || text.replace("\\t", "\t").replace("\\e", "\u{1b}").into_boxed_str();
    Some(if text.contains('\\') { Box::leak(unescape()) } else { text })
}

fn next(value: &str) -> Option<Next> {
    Some(match value {
        "exception" => Next::Exception,
        "all" => Next::All,
        _ => return None,
    })
}

fn again(value: &str) -> Option<Again> {
    Some(match value {
        "behind-end" => Again::BehindEnd,
        "behind-frames" => Again::BehindFrames,
        "anywhere" => Again::Anywhere,
        _ => return None,
    })
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

#[cfg(test)]
mod tests;

//! Texts that say that something starts: a machine, a unit of the system, a program.
//!
//! The rules see masked texts, so they are asked once for each text and not for each event. They would rather miss a
//! start than take a program's daily work for one:
//!
//! - Texts with a word of failing, waiting or ending say nothing of the kind.
//! - The first lines of a kernel are a boot.
//! - `Started …` and `Starting …` at the beginning, or after `systemd[1]:`, may be a unit; whether it is one is known
//!   to whoever knows which program says so.
//! - Certain phrases are a program's: `ready to accept connections`, `listening on`, `startup succeeded`.
//! - A short text, or a short clause at the beginning of one, that begins or ends with `starting`, `started` and the like is a program's too, unless it speaks of
//!   what programs start all day: threads, jobs, sessions, transfers.

use super::mask::WILDCARD;

/// What starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Start {
    /// A machine.
    Boot,
    /// A unit, where a service manager says so.
    Unit,
    /// A program.
    Program,
}

/// Each text of a start has one of these.
const HINTS: [&str; 7] =
    ["start", "rollout", "listening", "boot", "ready ", "linux version", "resuming normal operations"];

/// Parts of words that speak of something else than a start that took place.
const DENIALS: [&str; 26] = [
    "fail", "unable", "cannot", "can't", "could not", "couldn't", "not start", "error", "refus", "stop", "terminat",
    "exit", "wait", "timeout", "timed out", "schedul", "will ", "retry", "skip", "until", "warn", "invalid", "denied",
    "unless", "no longer", "not ready",
];

const BOOTS: [&str; 6] = [
    "linux version ",
    "booting linux",
    "kernel command line",
    "command line: boot_image",
    "-- reboot --",
    "startup finished in",
];

/// Phrases of programs that have started.
const PHRASES: [&str; 30] = [
    "deploy started",
    "deployment started",
    "rollout started",
    "listening on",
    "listening at",
    "listening for connections",
    "startup succeeded",
    "startup complete",
    "startup completed",
    "starting up",
    "server started",
    "server is ready",
    "service started",
    "service starts successfully",
    "application started",
    "application startup",
    "daemon started",
    "started successfully",
    "successfully started",
    "ready to accept connections",
    "ready to handle connections",
    "ready for connections",
    "ready to serve",
    "ready for start up",
    "resuming normal operations",
    "configuration complete; ready",
    "start worker processes",
    "press ctrl-c to quit",
    "jvm running for",
    "process running for",
];

/// Words with which a short text begins or ends that says that its program starts.
const STARTS: [&str; 6] = ["starting", "started", "restarting", "restarted", "restart", "booting"];

/// Parts of words for what programs start all day.
const WORK: [&str; 38] = [
    "thread", "worker", "task", "job", "session", "request", "transaction", "timer", "fetch", "sync", "compact",
    "backup", "scan", "load", "transfer", "election", "read", "child", "handler", "listener", "writer", "responder",
    "checkpoint", "vacuum", "query", "connection", "stream", "step", "stage", "phase", "batch", "replica", "rebalanc",
    "snapshot", "activity", "cleanup", "migrat", "poll",
];

/// Plain words that a short text has at most.
const SHORT_WORDS_MAX: usize = 5;

/// Words of the head of a line that are not its text.
const LEVELS: [&str; 8] = ["trace", "debug", "info", "notice", "log", "fatal", "critical", "systemd"];

/// Longer texts say more than that something starts.
const TEXT_BYTES_MAX: usize = 400;

/// Returns what starts according to a masked text.
pub fn start(masked: &str) -> Option<Start> {
    if masked.len() > TEXT_BYTES_MAX {
        return None;
    }
    let lower = masked.to_ascii_lowercase();
    let has = |part: &&str| lower.contains(*part);
    if !HINTS.iter().any(has) {
        return None;
    }
    if BOOTS.iter().any(has) {
        return Some(Start::Boot);
    }
    if DENIALS.iter().any(has) {
        return None;
    }
    if PHRASES.iter().any(has) && !lower.contains("thread") {
        return Some(Start::Program);
    }
    // `systemd[1]: Started …`
    let text = masked.rsplit_once("]: ").map_or(masked, |(_, text)| text);
    if text.starts_with("Started ") || text.starts_with("Starting ") {
        let is_by_system = masked.contains("systemd[") || text.contains(".service");
        let is_short = is_short_start(&lower);
        return (is_by_system || is_short || text.ends_with('.')).then_some(Start::Unit);
    }
    is_short_start(&lower).then_some(Start::Program)
}

/// Reports whether a text says that something starts, as far as the text alone tells.
pub fn says_start(masked: &str) -> bool {
    start(masked).is_some()
}

/// Reports whether a text is as short as those by which a program says that it starts, whoever the program is.
pub fn is_short_start(lower: &str) -> bool {
    // `[main:QuorumPeerMain@127] - Starting …`: what is in brackets says who speaks.
    let text = first_clause(lower.rsplit_once("] - ").map_or(lower, |(_, text)| text));
    // Of `key=value` the value is text; a key says nothing: `restart=false`.
    let texts = text.split(' ').map(|token| token.rsplit_once('=').map_or(token, |(_, value)| value));
    let words = texts.flat_map(|text| text.split(|c: char| !c.is_ascii_alphabetic() && c != WILDCARD && c != '\''));
    let words: Vec<&str> = words
        .filter(|word| !word.is_empty() && !word.contains(WILDCARD))
        .filter(|word| !LEVELS.contains(word))
        .collect();
    let is_start = |word: Option<&&str>| word.is_some_and(|word| STARTS.contains(word));
    words.len() <= SHORT_WORDS_MAX
        && (is_start(words.first()) || is_start(words.last()))
        && !WORK.iter().any(|part| lower.contains(part))
}

/// Returns the text up to what only adds to it: `pay 1.4 starting, pool size 8 (was 64)`, `worker starting (pid 7)`,
/// `deploy started service=pay`.
fn first_clause(text: &str) -> &str {
    let clause = [", ", "; ", " ("].iter().filter_map(|sign| text.find(sign)).min().map_or(text, |end| &text[..end]);
    let Some(equals) = clause.find('=') else { return clause };
    clause[..equals].rfind(' ').map_or(clause, |end| &clause[..end])
}

#[cfg(test)]
mod tests;

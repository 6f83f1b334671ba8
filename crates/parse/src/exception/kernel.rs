//! What the kernel reports of itself: an oops, a lockup, a warning, and the program that ran.

use super::family::Family;
use super::frame::{FoundFrame, found, place_of};
use super::heading::Heading;
use crate::message;

/// The text of a line, behind the header of a syslog daemon and the time of the kernel's clock.
fn behind_time(text: &str) -> &str {
    let text = text.split_once(" kernel: ").map_or(text, |(_, text)| text);
    let stamped = message::of_kernel(text.as_bytes()).map(|message| message.content.start);
    stamped.or_else(|| message::behind_date(text.as_bytes())).and_then(|start| text.get(start..)).unwrap_or(text)
}

/// Reads the line that says what happened.
pub(super) fn heading(text: &str) -> Option<Heading> {
    Some(Heading { is_whole: true, ..report(behind_time(text).trim_start_matches("watchdog: "))? })
}

fn report(text: &str) -> Option<Heading> {
    if let Some(place) = text.strip_prefix("kernel BUG at ") {
        return Heading::report("kernel BUG", "").map(|heading| heading.at(place_of(place.trim_end_matches('!'))));
    }
    if let Some((_, rest)) = text.strip_prefix("WARNING: CPU: ").and_then(|rest| rest.split_once(" at ")) {
        let (place, function) = rest.split_once(' ').unwrap_or((rest, ""));
        let function = function.split('+').next().unwrap_or_default().to_owned();
        let heading = Heading::report("kernel WARNING", "")?;
        return Some(Heading { function, ..heading.at(place_of(place)) });
    }
    if let Some((name, _)) = task(text) {
        return Heading::report("hung task", name);
    }
    if let Some((name, _)) = text.split_once(" invoked oom-killer: ") {
        return Heading::report("Out of memory", name);
    }
    const KINDS: [(&str, &str); 5] = [
        ("BUG: ", "kernel BUG"),
        ("Unable to handle kernel ", "kernel BUG"),
        ("Kernel panic - not syncing: ", "Kernel panic"),
        ("rcu: INFO: ", "RCU stall"),
        ("general protection fault, ", "general protection fault"),
    ];
    KINDS.iter().find_map(|(sign, kind)| Heading::report(kind, text.strip_prefix(sign)?))
}

/// Reads `INFO: task shop:77 blocked for more than 120 seconds.`
fn task(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("INFO: task ")?.split_once(" blocked for more than ")?.0.rsplit_once(':')
}

/// Reads where the processor was: `RIP: 0010:foo_read+0x1a/0x40 [foo]`, `pc : foo_read+0x10/0x30 [foo]`.
pub(super) fn frame(text: &str) -> Option<FoundFrame> {
    // Of a program the segment is another one, and there is no name.
    let rest = text.strip_prefix("RIP: 0010:").or_else(|| text.strip_prefix("pc : "))?;
    let (function, _) = rest.split_once("+0x")?;
    found(Family::Native, function, ("", None))
}

/// The program that ran, and the number of its process: `CPU: 3 PID: 77 Comm: shop Not tainted`.
pub(super) fn running(text: &str) -> Option<(&str, u32)> {
    let (pid, rest) = text.strip_prefix("CPU: ")?.split_once(" PID: ")?.1.split_once(" Comm: ")?;
    let ends = [" Not tainted", " Tainted: "];
    Some((ends.iter().find_map(|end| rest.split_once(end)).map_or(rest, |(name, _)| name), pid.parse().ok()?))
}

/// The same of one that waits.
pub(super) fn waiting(text: &str) -> Option<(&str, u32)> {
    let (name, pid) = task(behind_time(text))?;
    Some((name, pid.parse().ok()?))
}

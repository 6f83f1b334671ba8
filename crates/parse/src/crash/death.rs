//! What a text tells of the death of a program.

/// Bytes of a line of the kubelet that are read.
const KUBELET_BYTES_MAX: usize = 1_000;

types::named! {
    /// Who tells of a death.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Signal {
        /// The service manager: the main process of a unit is gone.
        Exit = "exit",
        /// The service manager: a unit has failed. After an exit it tells the same death once more.
        Result = "result",
        /// The kernel, which has ended the program.
        Kernel = "kernel",
        /// The runtime, which ends with its report.
        Report = "report",
        /// The kubelet, which waits before it starts a container again.
        BackOff = "back-off",
        /// A bare trace, which a runtime writes before it ends and a program may write that goes on.
        Trace = "trace",
    }
}

/// The death of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// Who tells of it.
    pub signal: Signal,
    /// The program, where the text names it.
    pub program: Option<String>,
    /// What is told within this time is about the same death, where the text says so.
    pub delay_ms: Option<i64>,
    /// The number of its process, where the kernel says it.
    pub pid: Option<u32>,
}

impl Death {
    pub(super) fn of(signal: Signal, program: Option<String>) -> Self {
        Self { signal, program: program.filter(|name| !name.is_empty()), delay_ms: None, pid: None }
    }

    /// Reads `back-off 1m20s restarting failed container=app pod=web-5d8f_shop(7f3a)`.
    pub(super) fn of_container(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(&line[..line.len().min(KUBELET_BYTES_MAX)]).ok()?;
        let (_, behind) = line.split_once("back-off ")?;
        let (delay, behind) = behind.split_once(" restarting failed container=")?;
        let (container, behind) = behind.split_once(" pod=")?;
        let pod = behind.split('(').next().unwrap_or(behind);
        let name = match pod.split_once('_') {
            Some((pod, namespace)) => format!("{namespace}/{pod}/{container}"),
            None => format!("{pod}/{container}"),
        };
        Some(Self { delay_ms: milliseconds(delay), ..Self::of(Signal::BackOff, Some(name)) })
    }
}

/// Reads `1m20s`.
fn milliseconds(delay: &str) -> Option<i64> {
    let (minutes, seconds) = delay.strip_suffix('s')?.rsplit_once('m').unwrap_or(("0", delay.strip_suffix('s')?));
    let (minutes, seconds): (i64, i64) = (minutes.parse().ok()?, seconds.parse().ok()?);
    minutes.checked_mul(60)?.checked_add(seconds)?.checked_mul(1000)
}

/// What a line in which the kernel or the service manager tells of a death says of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obituary {
    /// Its name is the word before the colon.
    NameBefore(Signal),
    /// Its name follows: in brackets behind its number, or before its number in brackets.
    NameBehind(Signal),
    /// Another line tells the same.
    Repeats,
}

impl Obituary {
    /// Returns the death that the text before and behind the colon reports.
    pub(super) fn death(self, before: &[u8], behind: &[u8]) -> Option<Death> {
        let (signal, name) = match self {
            Self::NameBefore(signal) => (signal, before.rsplit(|byte| *byte == b' ').next()?),
            Self::NameBehind(signal) => (signal, name_behind(behind)?),
            Self::Repeats => return None,
        };
        let (name, in_brackets) = name.split_at(memchr::memchr(b'[', name).unwrap_or(name.len()));
        let digits = |text: &[u8]| -> Option<u32> {
            let text = std::str::from_utf8(text).ok()?.trim_start_matches(|char: char| !char.is_ascii_digit());
            text.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()
        };
        let pid = digits(in_brackets).or_else(|| digits(&behind[..memchr::memchr(b'(', behind)?]));
        Some(Death { pid, ..Death::of(signal, Some(String::from_utf8_lossy(name).into_owned())) })
    }
}

/// `Killed process 77 (shop)` and `traps: shop[77] trap`.
fn name_behind(behind: &[u8]) -> Option<&[u8]> {
    if behind.starts_with(b"traps: ") {
        return behind.split(|byte| *byte == b' ').nth(1);
    }
    let from = memchr::memchr(b'(', behind)? + 1;
    Some(&behind[from..from + memchr::memchr(b')', &behind[from..])?])
}

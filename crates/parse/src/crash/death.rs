//! What a text tells of the death of a program.

/// Who tells of a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The service manager: the main process of a unit is gone.
    Exit,
    /// The service manager: a unit has failed. After an exit it tells the same death once more.
    Result,
    /// The kernel, which has ended the program.
    Kernel,
    /// The runtime, which ends with its report.
    Report,
    /// A bare trace, which a runtime writes before it ends and a program may write that goes on.
    Trace,
}

/// The death of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// Who tells of it.
    pub signal: Signal,
    /// The program, where the text names it.
    pub program: Option<String>,
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
    /// Returns who tells of which program, from what stands before and behind the colon.
    pub(super) fn death(self, before: &[u8], behind: &[u8]) -> Option<Death> {
        let (signal, name) = match self {
            Self::NameBefore(signal) => (signal, before.rsplit(|byte| *byte == b' ').next()?),
            Self::NameBehind(signal) => (signal, name_behind(behind)?),
            Self::Repeats => return None,
        };
        let name = name.split(|byte| *byte == b'[').next().unwrap_or(name);
        Some(Death {
            signal,
            program: Some(String::from_utf8_lossy(name).into_owned()).filter(|name| !name.is_empty()),
        })
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

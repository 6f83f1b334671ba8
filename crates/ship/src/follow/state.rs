//! States of a followed file, as enums, so that states that cannot occur cannot be written.

use std::fs::File;

use types::Timestamp;

use crate::boundary::TailState;

/// The descriptor of a file.
#[derive(Debug, Default)]
pub(super) enum Handle {
    /// Not open.
    #[default]
    Closed,
    /// Open, and looked at since it last grew.
    Open(File),
    /// Open, with bytes that no look has seen: the file may be deleted before there is time to read them.
    Unread(File),
}

impl Handle {
    /// Returns the file if it is open.
    pub(super) fn file(&self) -> Option<&File> {
        match self {
            Self::Closed => None,
            Self::Open(file) | Self::Unread(file) => Some(file),
        }
    }

    /// Reports whether the file is open.
    pub(super) fn is_open(&self) -> bool {
        self.file().is_some()
    }

    /// Reports whether no look has seen all its bytes.
    pub(super) fn is_unread(&self) -> bool {
        matches!(self, Self::Unread(_))
    }

    /// Closes the file and returns it if it was open.
    pub(super) fn close(&mut self) -> Option<File> {
        match std::mem::take(self) {
            Self::Closed => None,
            Self::Open(file) | Self::Unread(file) => Some(file),
        }
    }

    /// Notes that a search saw bytes that no look has seen; opens the file by `open` if it is closed.
    pub(super) fn keep_unread(&mut self, open: impl FnOnce() -> Option<File>) {
        *self = self.close().or_else(open).map_or(Self::Closed, Self::Unread);
    }

    /// Notes that no byte waits for a look.
    pub(super) fn mark_read(&mut self) {
        *self = self.close().map_or(Self::Closed, Self::Open);
    }
}

/// What the saved checkpoint and other files know of the generation that a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GenerationState {
    /// No saved checkpoint names it. It must be saved before anything is sent: after a crash the file would be sent under
    /// another name.
    Unsaved,
    /// A saved checkpoint names it.
    Saved,
    /// A copy of the file continues it, so that the file itself holds the next one.
    Continued,
}

impl GenerationState {
    /// Notes that the saved checkpoint names the generation.
    pub(super) fn save(&mut self) {
        if *self == Self::Unsaved {
            *self = Self::Saved;
        }
    }

    /// Notes that the saved checkpoint does not hold what is sent next.
    pub(super) fn unsave(&mut self) {
        if *self == Self::Saved {
            *self = Self::Unsaved;
        }
    }
}

/// Whether hints announce the changes of a file, so that it need not be looked at often.
#[derive(Debug, Default)]
pub(super) struct HintCoverage {
    /// Whether a link leads to the file: then no watched directory reports its changes.
    pub(super) is_linked: bool,
    last_change: LastChange,
}

/// How the last change of a file became known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LastChange {
    /// There was none, or a hint announced it.
    #[default]
    Announced,
    /// A hint came whose change was not seen yet.
    Expected,
    /// No hint announced it, as on file systems that other hosts write to.
    Unannounced,
}

impl HintCoverage {
    /// Reports whether the next change can be expected to be announced.
    pub(super) fn is_reliable(&self) -> bool {
        !self.is_linked && self.last_change != LastChange::Unannounced
    }

    /// Notes a hint, perhaps of a change that was seen already.
    pub(super) fn note_hint(&mut self) {
        self.last_change = LastChange::Expected;
    }

    /// Notes that a change was seen.
    pub(super) fn note_change(&mut self) {
        self.last_change = match self.last_change {
            LastChange::Expected => LastChange::Announced,
            LastChange::Announced | LastChange::Unannounced => LastChange::Unannounced,
        };
    }
}

/// Which bytes of a file were there before the shipper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OldBytes {
    /// All that the first look finds.
    Unmeasured,
    /// Those before this offset; none of a new file or a new generation.
    Before(u64),
}

impl OldBytes {
    /// No byte is old.
    pub(super) const NONE: Self = Self::Before(0);

    /// Reports whether the byte at `offset` is old.
    pub(super) fn contains(self, offset: u64) -> bool {
        matches!(self, Self::Before(end) if offset < end)
    }
}

/// When a file had which size, as far back as someone asks.
#[derive(Debug, Default)]
pub(super) struct Growth(Vec<(Timestamp, u64)>);

impl Growth {
    /// Sizes that are kept: where a file grows more often, some are left out, so that bytes count as later than they came.
    const KEPT: usize = 16;

    /// Notes a change.
    pub(super) fn note(&mut self, now: Timestamp, size: u64) {
        if self.0.len() < Self::KEPT {
            self.0.push((now, size));
        }
    }

    /// Returns the size at that time or before; earlier ones are forgotten.
    pub(super) fn size_at(&mut self, time: i64) -> u64 {
        let n_before = self.0.iter().take_while(|(at, _)| at.0 <= time).count();
        self.0.drain(..n_before.saturating_sub(1));
        self.0.first().filter(|(at, _)| at.0 <= time).map_or(0, |(_, size)| *size)
    }
}

/// Bytes of a file that were seen and not sent.
#[derive(Debug)]
pub(super) struct Unsent {
    /// When the first of them was seen.
    pub(super) since: Timestamp,
    /// Size and settledness at the last look that gave nothing: the same again gives nothing again.
    pub(super) fruitless: Option<(u64, TailState)>,
}

/// Where the next byte to send lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LinePosition {
    /// At the start of a line.
    #[default]
    Start,
    /// Within a line too long to be kept whole, after a piece of it that was sent.
    Within,
}

//! The time that was read last in a line.

use std::cell::Cell;

use types::Timestamp;

use super::forms::{self, Civil};
use super::{ResolvedTime, ZoneName, resolve, undecided_zone};
use crate::ArrivalContext;

/// Reading a time looks at fewer bytes than these.
const REACH: usize = 96;

/// Where a text begins, its length, the calendar time at its beginning and where that ends.
type ReadTime = (usize, usize, (Civil, usize));

/// Keeps the calendar time that was read last: a line's form, header, level and event ask for the same one in turn.
///
/// A time is known by the address of its first byte, so a memo must not outlive the text that it is used for.
#[derive(Debug, Default)]
pub(crate) struct TimeMemo(Cell<Option<ReadTime>>);

impl TimeMemo {
    /// Reads the calendar time at `at`.
    pub(super) fn parse_at(&self, b: &[u8], at: usize) -> Option<(Civil, usize)> {
        let rest = b.get(at..).filter(|rest| !rest.is_empty())?;
        let address = rest.as_ptr().addr();
        if let Some((known, length, (civil, end))) = self.0.get()
            && known == address
            && (length == rest.len() || length.min(rest.len()) >= REACH || end == rest.len())
        {
            return Some((civil, at + end));
        }
        let (civil, end) = forms::parse_at(rest, 0)?;
        self.0.set(Some((address, rest.len(), (civil, end))));
        Some((civil, at + end))
    }

    /// The abbreviation behind the time that was read last, if that is `time` and the abbreviation means several zones, none of
    /// which the source's zone chooses.
    pub(crate) fn assumed_zone(&self, time: Timestamp, received: &ArrivalContext<'_>) -> Option<ZoneName> {
        let (_, _, (civil, _)) = self.0.get()?;
        let (name, _) = undecided_zone(&civil, received)?;
        (resolve(&civil, received) == Some(ResolvedTime::At(time))).then_some(name)
    }

    /// Where the calendar time ends that a text begins with.
    pub(crate) fn time_end(&self, text: &[u8]) -> Option<usize> {
        self.parse_at(text, 0).map(|(_, end)| end)
    }
}

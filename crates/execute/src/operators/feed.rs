//! Events that pass by once.

use std::collections::BTreeSet;
use std::sync::Arc;

use parse::Projection as WantedParts;
use plan::Name;
use types::{GroupName, GroupPattern, LeftOut, Run, ScanError, TimeRange};

use crate::request::item::Item;
use crate::scan::scanner::{Flow, Scan, rows_in_range};
use crate::scan::screen::Screen;
use crate::scan::steps::Steps;
use evaluate::{Frame, Result, Source};

/// Events that pass by.
pub trait Feed: Sync {
    /// Returns the next events; `None` at the end. Several threads ask, and each gets others.
    ///
    /// # Errors
    /// A part that cannot be read. What comes after it is given to whoever asks again.
    fn next(&self) -> Result<Option<Arc<dyn Run>>, ScanError>;
}

/// What of passing events a query looks at.
#[derive(Clone, Debug)]
pub struct FeedRequest {
    /// Events that it does not let through may be left out.
    pub screen: Option<Screen>,
    /// Parts of events that are not among these may be left out.
    pub wanted: WantedParts,
    /// A range within which times do not change the answer, if there is one: an event in it may be given any time of it.
    pub untimed: Option<TimeRange>,
}

/// What there is of groups beside the store.
#[derive(Default)]
pub struct Loaded {
    /// Events.
    pub runs: Vec<Arc<dyn Run>>,
    /// What is missing.
    pub left_out: Vec<LeftOut>,
}

/// Groups beside the store, whose events are read where they lie.
pub trait Archives: Send + Sync {
    /// Returns the groups, each with where it lies.
    fn list(&self) -> Vec<(&GroupName, String)>;

    /// Returns the group of an event by the number in its id.
    fn group_of(&self, number: u32) -> Option<&GroupName>;

    /// Returns the events that these groups may have in `range`. Stops early once `goes_on` does not hold.
    fn load(&self, groups: &[&GroupName], range: TimeRange, goes_on: &(dyn Fn() -> bool + Sync)) -> Loaded;

    /// Lets the events that these groups may have in `range` pass by, of them only what is asked for.
    fn feed(&self, groups: &[&GroupName], range: TimeRange, asked: FeedRequest) -> Box<dyn Feed + '_>;
}

/// Begins to give what is asked of the events of the groups that match, of all groups where there is no pattern.
pub type FeedOf<'a> = dyn FnMut(&[GroupPattern], FeedRequest) -> Box<dyn Feed + 'a> + 'a;

/// Lets the events pass by for steps that ask for these fields.
pub(crate) type OpenFeed<'f, 'a> = dyn FnMut(BTreeSet<Name>) -> Box<dyn Feed + 'f> + 'a;

/// Takes the next run and gives the rows of its blocks that the steps let through to `work`.
pub(crate) fn for_each_frame(
    scan: &Scan<'_>,
    feed: &dyn Feed,
    steps: &Steps<'_>,
    work: &mut dyn FnMut(Frame<'_>) -> Result<()>,
) -> Result<Flow> {
    let Some(run) = feed.next()? else { return Ok(Flow::Done) };
    let source = Source::new(run);
    let range = scan.request.range;
    for block in 0..source.run.n_blocks() {
        let (first, last) = source.run.block_times(block);
        if !range.overlaps(first, last) {
            continue;
        }
        let rows = rows_in_range(&source, &Item { source: 0, block, range, first, last })?;
        let n_rows = rows.rows.count() as u64;
        let frame = steps.apply(rows, &scan.env)?;
        scan.count_passing(n_rows, frame.n_rows() as u64);
        if frame.n_rows() > 0 {
            work(frame)?;
        }
    }
    Ok(Flow::Continue)
}

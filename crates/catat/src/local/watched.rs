//! Notices, while events pass by, which of the fields that a query names they have.

use std::sync::{Arc, Mutex};

use execute::{Feed, UnknownFields};
use types::{Hold, Run, ScanError};

/// A feed whose runs are looked at on their way.
pub(super) struct WatchedFeed<'a> {
    feed: Box<dyn Feed + 'a>,
    unknown: &'a Mutex<UnknownFields>,
}

impl<'a> WatchedFeed<'a> {
    pub(super) fn new(feed: Box<dyn Feed + 'a>, unknown: &'a Mutex<UnknownFields>) -> Self {
        Self { feed, unknown }
    }
}

impl Feed for WatchedFeed<'_> {
    fn next(&self) -> Result<Option<Arc<dyn Run>>, ScanError> {
        let run = self.feed.next()?;
        if let Some(run) = &run {
            let mut unknown = self.unknown.hold();
            if !unknown.is_empty() {
                unknown.look_at(&**run)?;
            }
        }
        Ok(run)
    }
}

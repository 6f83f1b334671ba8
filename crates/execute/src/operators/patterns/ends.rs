//! The oldest and the newest of some events: found from the times of blocks as they are counted, merged in any order.

use std::sync::Arc;

use evaluate::Place;

/// Where an event stands: number of its run among the scan's, block, row. Ordered by time within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) source: usize,
    pub(crate) block: usize,
    pub(crate) row: usize,
}

/// Which end of time is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Oldest,
    Newest,
}

impl Side {
    /// Reports whether `a` lies further out than `b`.
    pub(crate) fn is_beyond<T: Ord>(self, a: &T, b: &T) -> bool {
        match self {
            Self::Oldest => a < b,
            Self::Newest => a > b,
        }
    }
}

/// The event at one end of some.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) side: Side,
    time: Option<i64>,
    /// Events of this time, one of each run at most; which of them it is is known once their ids are.
    pub(crate) spots: Vec<Spot>,
    /// The one of the events that are not there any more, with its text.
    passed: Option<(Place, Arc<str>)>,
}

impl End {
    pub(crate) fn new(side: Side) -> Self {
        Self { side, time: None, spots: Vec::new(), passed: None }
    }

    /// Returns when it was.
    pub(crate) fn time(&self) -> Option<i64> {
        self.time.or_else(|| self.passed.as_ref().map(|(place, _)| place.time))
    }

    pub(crate) fn see(&mut self, time: i64, spot: Spot) {
        if self.time.is_none_or(|known| self.side.is_beyond(&time, &known)) {
            self.time = Some(time);
            self.spots.clear();
        } else if self.time != Some(time) {
            return;
        }
        match self.spots.iter_mut().find(|known| known.source == spot.source) {
            Some(known) if self.side.is_beyond(&spot, known) => *known = spot,
            Some(_) => {}
            None => self.spots.push(spot),
        }
    }

    /// Sees an event that is not kept anywhere.
    pub(crate) fn see_passing(&mut self, place: Place, text: impl FnOnce() -> Arc<str>) {
        if self.passed.as_ref().is_none_or(|(known, _)| self.side.is_beyond(&place, known)) {
            self.passed = Some((place, text()));
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if let Some(time) = other.time {
            other.spots.iter().for_each(|spot| self.see(time, *spot));
        }
        if let Some((place, text)) = &other.passed {
            self.see_passing(*place, || text.clone());
        }
    }

    /// Reports whether an event of this time would lie further out than all, or as far.
    pub(crate) fn may_move(&self, time: i64) -> bool {
        self.time.is_none_or(|known| !self.side.is_beyond(&known, &time))
    }

    /// Its text where that is known already.
    pub(crate) fn text(&self) -> Option<Arc<str>> {
        self.passed.as_ref().map(|(_, text)| text.clone())
    }

    pub(crate) fn n_bytes(&self) -> usize {
        let text = self.passed.as_ref().map_or(0, |(_, text)| text.len());
        text + self.spots.len() * std::mem::size_of::<Spot>()
    }
}

/// Both ends. The oldest event is looked for only where someone wants it.
#[derive(Clone, Debug)]
pub(crate) struct Ends {
    pub(crate) oldest: End,
    pub(crate) newest: End,
}

impl Default for Ends {
    fn default() -> Self {
        Self { oldest: End::new(Side::Oldest), newest: End::new(Side::Newest) }
    }
}

impl Ends {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.oldest.merge(&other.oldest);
        self.newest.merge(&other.newest);
    }

    pub(crate) fn n_bytes(&self) -> usize {
        self.oldest.n_bytes() + self.newest.n_bytes()
    }
}

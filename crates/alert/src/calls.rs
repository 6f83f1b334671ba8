//! The calls between services that a first look at an alert compares. Another crate reads spans, and says how they are counted.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use cause::CallCounts;
use execute::PartialReason;
use types::{GroupPattern, GroupScope, TimeRange};

/// What calls are counted for.
#[derive(Clone, Debug)]
pub struct CallQuestion {
    /// Since an onset, and before it.
    pub ranges: [TimeRange; 2],
    /// The groups whose spans are counted; all groups where these are none.
    pub groups: Vec<GroupPattern>,
    /// The groups that exist for the rule's maker.
    pub scope: GroupScope,
    /// The time after which the answer is not used.
    pub deadline: Instant,
}

/// Counts the calls between services; why some may be missing is the second part.
pub type CountCalls = Box<dyn Fn(CallQuestion) -> (Vec<CallCounts>, Vec<PartialReason>) + Send + Sync>;

/// How calls are counted, once that is known: what reads spans starts after the rules.
#[derive(Clone, Default)]
pub struct CallCounter(Arc<OnceLock<CountCalls>>);

impl CallCounter {
    /// Counts calls in a way from now on, unless there is one already.
    pub fn count_with(&self, count: CountCalls) {
        drop(self.0.set(count));
    }

    /// Returns how calls are counted; `None` as long as that is not known.
    pub(crate) fn get(&self) -> Option<&CountCalls> {
        self.0.get()
    }
}

//! What all parts of an evaluation share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::annotations::Remarks;
use crate::error::{EvalError, Result, Stop};
use crate::labels::Labels;
use crate::options::Options;
use crate::source::Source;
use crate::syntax::{At, Span};
use crate::value::Series;

/// The message of two results with the same labels.
pub(crate) const SAME_LABELS: &str = "vector cannot contain metrics with the same labelset";

/// One evaluation of a query.
pub(crate) struct Context<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) options: &'a Options,
    /// Start, end and step of the query, ms; the step of one instant is 0.
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) step: i64,
    remarks: Mutex<Remarks>,
    samples: AtomicUsize,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        source: &'a dyn Source,
        options: &'a Options,
        (start, end, step): (i64, i64, i64),
        text: &str,
    ) -> Self {
        let remarks = Mutex::new(Remarks::new(text));
        Self { source, options, start, end, step, remarks, samples: AtomicUsize::new(0) }
    }

    pub(crate) fn remarks(&self) -> MutexGuard<'_, Remarks> {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts samples that are held from now on.
    pub(crate) fn hold(&self, samples: usize) -> Result<()> {
        let held = self.samples.fetch_add(samples, Ordering::Relaxed).saturating_add(samples);
        if held > self.options.samples_max { Err(EvalError::TooManySamples(self.options.samples_max)) } else { Ok(()) }
    }

    /// Counts samples that are held for a moment.
    pub(crate) fn borrow(&self, samples: usize) -> Result<()> {
        let result = self.hold(samples);
        self.samples.fetch_sub(samples, Ordering::Relaxed);
        result
    }

    /// Ends the evaluation if it is to stop.
    pub(crate) fn check(&self) -> Result<()> {
        match self.options.stop.as_ref().and_then(|stop| stop()) {
            None => Ok(()),
            Some(Stop::Cancelled) => Err(EvalError::Cancelled),
            Some(Stop::TimedOut) => Err(EvalError::TimedOut),
        }
    }

    pub(crate) fn time_of(&self, at: At) -> i64 {
        match at {
            At::Time(ms) => ms,
            At::Start => self.start,
            At::End => self.end,
        }
    }

    /// Removes the name from a result of a function, or marks it to be removed at the end.
    pub(crate) fn drop_name(&self, series: &mut Series) {
        series.labels = self.without_name(&series.labels);
        series.drop_name = true;
    }

    pub(crate) fn without_name(&self, labels: &Labels) -> Labels {
        if self.options.delayed_name_removal { labels.clone() } else { labels.without_metadata() }
    }

    /// Joins series of the same labels; those that overlap are an error.
    pub(crate) fn unite(&self, series: Vec<Series>, span: &Span) -> Result<Vec<Series>> {
        let mut places: HashMap<Labels, usize> = HashMap::with_capacity(series.len());
        let mut united: Vec<Series> = Vec::with_capacity(series.len());
        for one in series {
            if let Some(&place) = places.get(&one.labels) {
                if !united[place].absorb(one) {
                    return Err(EvalError::at(span, SAME_LABELS));
                }
            } else {
                places.insert(one.labels.clone(), united.len());
                united.push(one);
            }
        }
        Ok(united)
    }
}

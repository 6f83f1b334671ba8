//! What was counted of parts together.

use std::collections::HashMap;
use std::sync::Arc;

use super::field_counter::FieldSum;
use super::part::PartValues;
use crate::scan::scanner::Scan;
use evaluate::Result;

/// What was counted of all parts so far.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) n_events: u64,
    pub(super) fields: HashMap<Arc<str>, Arc<FieldSum>, foldhash::fast::RandomState>,
}

impl Sum {
    /// Adds what was counted of a part.
    pub(super) fn merge(&mut self, part: &PartValues, scan: &Scan<'_>) -> Result<()> {
        self.n_events += part.n_events;
        let mut n_bytes = 0_usize;
        for (name, counts) in part.names.iter().zip(&part.fields).filter(|(_, counts)| counts.n_events() > 0) {
            let field = match self.fields.get_mut(name) {
                Some(field) => field,
                None => self.fields.entry(name.clone()).or_default(),
            };
            let field = Arc::make_mut(field);
            let before = field.n_bytes();
            field.merge(counts);
            n_bytes += field.n_bytes().saturating_sub(before);
        }
        scan.hold(n_bytes)
    }

    /// Ends what was counted so far, so that it is the same whatever comes behind it.
    pub(super) fn settle(&mut self) {
        self.fields.values_mut().for_each(|field| Arc::make_mut(field).settle_all());
    }
}

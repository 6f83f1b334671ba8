//! The filters that clients have saved, for whoever decides what happens to events: a filter that finds nothing any more
//! would not say why.

use door::{Result, SavedFilter};
use storage::Settings;

use crate::{metric_filters, subscriptions};

/// Returns all metric filters and subscription filters. Blocks.
pub fn saved_filters(settings: Settings<'_>) -> Result<Vec<SavedFilter>> {
    let of = |kind| move |(group, name, pattern)| SavedFilter { kind, name, group, pattern };
    let metric = metric_filters::patterns(settings)?.into_iter().map(of("metric filter"));
    let subscription = subscriptions::patterns(settings)?.into_iter().map(of("subscription filter"));
    Ok(metric.chain(subscription).collect())
}

//! Builds batches of samples.

use std::sync::Arc;

use crate::batch::{Batch, Origin};
use crate::column_builder::ColumnBuilder;
use crate::series::{HISTOGRAM_FIELD, Series, VALUE_FIELD};
use crate::series_lists::{SeriesList, SeriesListBuilder, SeriesLists};
use crate::{Column, Level, Numbers, Strings, Timestamp};

/// Samples on their way into a [`Batch`].
#[derive(Debug, Default)]
pub struct SampleBuilder {
    timestamps: Vec<i64>,
    codes: Vec<u32>,
    series: SeriesListBuilder,
    values: ColumnBuilder,
    /// Texts of histograms, of which each differs from the one before.
    histograms: ColumnBuilder,
}

impl SampleBuilder {
    /// Returns a builder whose batch shares its list of series with others.
    pub fn sharing(lists: Arc<SeriesLists>) -> Self {
        Self { series: SeriesListBuilder::new(Some(lists)), ..Self::default() }
    }

    /// Returns a builder for the samples that follow: it shares lists of series with the same others.
    pub fn successor(&self) -> Self {
        Self { series: SeriesListBuilder::new(self.series.lists()), ..Self::default() }
    }

    /// Returns how many samples were added.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Reports whether none was added.
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// Adds a finite value; returns whether the series is not that of the sample before.
    pub fn push(&mut self, series: &Arc<Series>, time: Timestamp, value: f64) -> bool {
        let row = self.timestamps.len();
        self.values.push_float(row, value);
        self.push_place(series, time)
    }

    /// Adds a value that is a text; returns whether the series is not that of the sample before.
    pub fn push_text(&mut self, series: &Arc<Series>, time: Timestamp, value: &str) -> bool {
        let row = self.timestamps.len();
        self.values.push_text(row, value);
        self.push_place(series, time)
    }

    /// Adds a native histogram by its text; returns whether the series is not that of the sample before.
    pub fn push_histogram(&mut self, series: &Arc<Series>, time: Timestamp, text: &str) -> bool {
        let row = self.timestamps.len();
        self.histograms.push_distinct_text(row, text);
        self.push_place(series, time)
    }

    fn push_place(&mut self, series: &Arc<Series>, time: Timestamp) -> bool {
        let is_new = self.series.push(series);
        self.timestamps.push(time.0);
        self.codes.push(self.series.len() as u32 - 1);
        is_new
    }

    /// Makes the batch: sequences count from 0 and ingestion times are the epoch until storage accepts it.
    pub fn finish(mut self) -> Batch {
        let n_rows = self.timestamps.len();
        // They stay in memory until a flush; a vector that grew has up to twice the room.
        let mut timestamps = Numbers::from(self.timestamps);
        timestamps.shrink_to_fit();
        self.codes.shrink_to_fit();
        let SeriesList { series, streams } = self.series.finish();
        let fields = [(HISTOGRAM_FIELD, self.histograms), (VALUE_FIELD, self.values)];
        let fields = fields.into_iter().filter(|(_, column)| !matches!(column, ColumnBuilder::Empty));
        Batch {
            timestamps,
            sequences: Numbers::consecutive(0, n_rows),
            ingestion_times: Numbers::same(0, n_rows),
            messages: Strings::default(),
            levels: Numbers::same(Level::Info.code(), n_rows),
            streams: Column::Dictionary { codes: self.codes, values: streams },
            series: Some(series),
            origins: Arc::new(vec![Origin::default()]),
            origin_codes: Numbers::same(0, n_rows),
            fields: fields.map(|(name, column)| (name.into(), shrunk(column.finish(n_rows)))).collect(),
        }
    }
}

/// Returns a column without room for more numbers.
fn shrunk(mut column: Column) -> Column {
    if let Column::Floats { values, .. } = &mut column {
        values.shrink_to_fit();
    }
    column
}

//! The nouns everyone shares: event, value, level, group, timestamp, time range, batch, run, sizes, limits; and
//! the languages of texts for people.
//!
//! Events travel in columns: a [`Batch`] is what a sender's request becomes, a [`Run`] is what a query
//! scans, and both hand out the same [`Column`]s. Every value of these types is valid.
//!
//! This crate does no I/O, reads no clock and starts no thread.

mod address;
mod batch;
mod batch_run;
mod builder;
mod clock_offset;
pub mod codec;
mod column;
mod column_builder;
mod counted;
mod ensure;
mod event_id;
mod field_minutes;
mod file_errors;
mod gather;
mod group;
mod group_scope;
mod hexadecimal;
mod level;
mod limits;
mod locale;
mod lock;
mod minute_counts;
mod named;
mod numbers;
pub mod path;
mod pattern;
mod row_set;
mod run;
mod sample_builder;
mod sample_run;
mod sample_streams;
mod secret;
mod series;
mod series_lists;
mod sorted;
mod strings;
mod system_fields;
mod timestamp;
mod type_set;
mod units;
mod value;

pub use address::percent_encoded;
pub use batch::{Batch, Derivation, Origin, TimeForm};
pub use batch_run::BatchRun;
pub use builder::BatchBuilder;
pub use clock_offset::{ClockOffset, ClockOffsets};
pub use column::{Column, MISSING_CODE};
pub use counted::{counted, verb_for};
pub use event_id::EventId;
pub use field_minutes::FieldMinutes;
pub use file_errors::ok_if_missing;
pub use group::{GroupName, group_name_of_file, group_name_of_outside};
pub use group_scope::GroupScope;
pub use hexadecimal::{hexadecimal, uuid_text};
pub use level::{LEVELS, Level};
pub use limits::Limits;
pub use locale::Locale;
pub use lock::Hold;
pub use minute_counts::MinuteCounts;
pub use numbers::{Number, Numbers};
pub use pattern::{GroupPattern, matches_with_stars};
pub use row_set::RowSet;
pub use run::{
    Addresses, Examples, FieldSummary, LeftOut, Narrowed, ProbeField, Run, RunIdentity, RunInfo, RunKey, ScanError,
    TakeSamples, TextProbe,
};
pub use sample_builder::SampleBuilder;
pub use sample_run::SampleRun;
pub use sample_streams::{NAME_FIRST, SampleStreams, StreamNames};
pub use secret::{Secret, SecretUrl};
pub use series::{HISTOGRAM_FIELD, METRIC_NAME, SAMPLE_TYPE, Series, VALUE_FIELD, column_of_label, field_of_label};
pub use series_lists::SeriesLists;
pub use sorted::n_before;
pub use strings::Strings;
pub use system_fields::{
    RARE_SYSTEM_FIELDS, SYSTEM_FIELDS, id_column, is_reserved, is_sent, is_text_key, part_of_column,
};
pub use timestamp::{TimeRange, Timestamp, civil_from_days, days_from_civil};
pub use type_set::TypeSet;
pub use units::{ByteSize, UnitError, format_duration_ns, parse_duration_ns};
pub use value::{Value, write_json_string};

//! Parses every dialect into one [`plan::Plan`], runs it over runs of events, merges partials into a result.
//!
//! Parsing and checking are pure. All reading goes through [`types::Run`], so hot events, segments and plain
//! files are queried by the same code. Nothing here knows HTTP or where a run comes from.

mod cache;
mod csv;
mod each;
pub mod elastic;
mod error;
pub mod esql;
mod execute;
mod filter_pattern;
pub mod function;
mod insights;
mod kql;
pub mod logql;
mod lucene;
mod optimise;
mod pattern;
pub mod plan;
mod show;
mod showing;
pub mod template;
pub mod time;
mod translate;
mod units;
mod words;
mod zoned;

pub use cache::{CacheCounts, PartialCache};
pub use csv::{
    CSV_BYTES_MAX, CSV_COLUMNS_MAX, CsvError, Formulas, read_csv, write_csv_cell, write_csv_name, write_tsv_cell,
};
pub use error::{QueryError, QueryErrors, Span, nearest};
pub use execute::{
    Answer, Answered, Around, Asked, Bucket, Change, Changes, ColumnInfo, ColumnKind, ContextError, Event,
    ExecuteError, ExplainedStep, Explanation, Feed, FeedOf, FieldSummaries, FieldSummaryRow, FieldValues, Held,
    Histogram, IndexUse, MemoryPool, Origin, PartialReason, Request, Restart, RestartKind, RunsOf, Screen, Selected,
    Side, Stage, Stats, Support, TableOf, Tail, TailError, TailRows, TakePartialRows, TakeRows, UnknownFields,
    ValueCount, answer_subqueries, changes, context_plan, event_plan, execute, execute_stream, execute_with_subqueries,
    explain, fetch_tables, field_presence, field_summaries, field_types, field_values, has_subqueries, histogram,
    holds_for, matched_fields, needs_several_passes, patterns_plan, select_events, unknown_fields,
};
pub use filter_pattern::{filter_pattern_selectors, parse_filter_pattern, parse_filter_pattern_showing};
pub use insights::{
    Choice, ChoiceKind, Completion, ParseOptions, complete_insights, format_insights, parse_baseline, parse_deletion,
    parse_insights, parse_rule, prefix_regex, written,
};
pub use kql::parse_kql;
pub use lucene::parse_lucene;
pub use optimise::optimise;
pub use pattern::{Usual, masked_text, pattern_lines, patterns_of, usual};
pub use showing::parse_showing;
pub use translate::{Language, events_text, translate};
pub use zoned::write_zoned;

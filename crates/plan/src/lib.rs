//! The plan of a query: what every language becomes, and all that execution knows of it.
//!
//! Here is what languages and execution share: plans and their expressions, functions, times and the calendar, errors
//! with places, optimisation, and how a plan is shown. Nothing here parses a language or reads an event.

pub mod address;
pub mod calendar;
pub mod csv;
pub mod date_math;
pub mod decimal_text;
pub mod each;
mod error;
pub mod fields;
pub mod function;
pub mod insights_text;
pub mod label_set;
mod length;
pub mod line_parser;
mod lookup_table;
mod name;
mod nested;
pub mod number;
mod operator;
mod optimise;
mod parts;
mod plan;
mod plan_draft;
pub mod plan_error;
pub mod regular_expression;
mod settle;
mod show;

pub mod strict_date;
pub mod template;
mod text_pattern;
pub mod time;
mod times;
pub mod units;
pub mod unknown_fields;
pub mod unreadable;
mod warning;
mod wire;
pub mod words;
mod zoned;

pub use gotemplate::escape;

pub use crate::address::address_of;
pub use crate::csv::{
    CSV_BYTES_MAX, CSV_COLUMNS_MAX, CsvError, Formulas, read_csv, write_csv_cell, write_csv_name, write_tsv_cell,
};
pub use crate::date_math::{date_value, format_time};
pub use crate::error::{
    QueryError, QueryErrors, Result, Span, alternatives, nearest, nested_too_deeply, one_of, place, span_of, stop_of,
};
pub use crate::fields::{HOST_FIELDS, MESSAGE_FIELDS, PLACE_FIELDS, SERVICE_FIELDS, fields_of, visit_fields};
pub use crate::function::{DecimalFunction, Function, LabelsFunction, ListFunction, TypedFunction, TypedKind};
pub use crate::label_set::LabelSet;
pub use crate::length::Length;
pub use crate::lookup_table::LookupTable;
pub use crate::name::Name;
pub use crate::nested::has_subqueries;
pub use crate::number::Number;
pub use crate::operator::{
    AddTotals, AggregateKind, ArithmeticOperator, Autoregress, CHANGE_COLUMNS, COUNTS_COLUMN, ColumnTotals, Compare,
    Comparison, END_COLUMNS, FillBuckets, Format, Outlier, PATTERN_COLUMNS, Rank, Rows, SCORE_COLUMNS, Score,
    Sessionize,
};
pub use crate::plan::{
    Aggregate, AppendColumns, Expr, Join, Lookup, Operator, Other, Parse, ParseMethod, Patterns, Plan, SortKey,
    balanced, not, within,
};
pub use crate::plan_draft::PlanDraft;
pub use crate::plan_error::PlanError;
pub use crate::regular_expression::{REGEXES_MAX, compile_go_regex, compile_regex};
pub use crate::settle::settle;
pub use crate::template::Template;
pub use crate::text_pattern::{Alternatives, TextPattern};
pub use crate::times::{Earlier, Times, earlier_range};
pub use crate::unknown_fields::UnknownFields;
pub use crate::warning::Warning;
pub use crate::words::{Word, Words};
pub use crate::zoned::write_zoned;

//! Dashboards: their document, its check, what variables put into queries, dashboards that nobody had to make, and those of
//! Grafana and CloudWatch.
//!
//! Nothing here runs a query or knows the store.

mod check;
pub mod derive;
mod document;
mod expression;
mod files;
mod fill;
mod import;
mod interval;

pub use check::{Mistake, check, read};
pub use document::{
    COLUMNS, Dashboard, Grade, Language, Legend, LegendValue, Nulls, Panel, PanelKind, PanelQuery, Range, Scale,
    Threshold, Variable,
};
pub use expression::{Expression, Operator};
pub use files::{DOCUMENT_BYTES_MAX, DOCUMENT_NAMES, DashboardFile, is_document_name, read_dir, read_file};
pub use fill::{Choice, Choices, FillError, fill, is_name, names};
pub use import::{Format, Import, Outcome, import};
pub use interval::built_ins;

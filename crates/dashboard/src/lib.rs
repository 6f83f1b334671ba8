//! Dashboards: their document, its check, what variables put into queries, dashboards that nobody had to make, those of
//! Grafana and CloudWatch, and a dashboard as one file of HTML.
//!
//! Nothing here runs a query or knows the store.

mod bins;
mod check;
pub mod derive;
mod document;
mod expression;
mod files;
mod fill;
mod import;
mod interval;
mod page;

pub use bins::Bins;
pub use check::{Mistake, check, read};
pub use document::{
    COLUMNS, Dashboard, Grade, Legend, LegendValue, Nulls, Panel, PanelKind, PanelQuery, Range, Scale, Threshold,
    Variable,
};
pub use files::{DOCUMENT_BYTES_MAX, DOCUMENT_NAMES, DashboardFile, is_document_name, read_dir, read_file};
pub use fill::{Choice, Choices, FillError, fill, is_name, names, title_of};
pub use import::{Format, Import, Outcome, import};
pub use interval::built_ins;
pub use language::Language;
pub use page::{Page, PanelAnswer, Program, Table, page};

//! Dashboards: their document, its check, what variables put into queries, dashboards that nobody had to make, and those of
//! Grafana and CloudWatch.
//!
//! Nothing here runs a query or knows where a document is kept.

mod check;
mod document;
mod expression;
mod fill;
mod import;

pub use check::{Mistake, check, read};
pub use document::{
    COLUMNS, Dashboard, Grade, Language, Legend, LegendValue, Nulls, Panel, PanelKind, PanelQuery, Range, Scale,
    Threshold, Variable,
};
pub use expression::{Expression, Operator};
pub use fill::{Choice, Choices, FillError, fill, is_name, names};
pub use import::{Format, Import, Outcome, import};

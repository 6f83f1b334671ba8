//! Tests of the language: texts, hand-drawn traces, and properties over random queries and traces.

mod against_plan;
mod drawn;
mod golden;
mod properties;
mod random;
mod show;

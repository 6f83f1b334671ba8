//! Go's `text/template` with the functions that Prometheus adds, as annotations and labels of its alerting rules use it.
//!
//! [`Template::parse`] reads a text, and refuses functions, variables and keywords that do not exist; [`Template::render`] fills it in.
//! Numbers and errors look as Go writes them, so that a text is the same here and in Prometheus.
//!
//! # Differences to Prometheus
//!
//! * `define`, `block` and `template` are refused: an annotation is a template of its own.
//! * Values have no methods, so `{{ (toTime $value).Format "15:04" }}` is an error of the rendering.
//! * A rendering has at most [`STEPS_MAX`] steps, and its text at most [`TEXT_BYTES_MAX`] bytes.

mod builtins;
mod compare;
mod data;
mod error;
mod evaluate;
mod functions;
mod humanize;
mod lexer;
mod number;
mod parse;
mod printf;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod time;
mod value;

pub use data::{Data, Labels, QuerySample, RunQuery};
pub use error::TemplateError;
pub use evaluate::{STEPS_MAX, TEXT_BYTES_MAX};
pub use number::general;
pub use template::Template;

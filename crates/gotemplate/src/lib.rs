//! Go's `text/template`.
//!
//! A [`Dialect`] adds functions to Go's own. [`Template::parse`] reads a text, and refuses functions and variables that do
//! not exist; [`Template::run`] fills it in from an [`Input`]. Values, numbers, times and failures are written as Go
//! writes them. A run is bounded in steps, output and the texts it makes on the way, and cannot panic.
//!
//! `define`, `template`, `block` and `call` are refused by name.

mod builtins;
mod dialect;
pub mod escape;
mod function;
mod layout;
mod lexer;
mod numbers;
mod parse;
mod printf;
mod run;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod times;
mod value;

pub use self::dialect::{Dialect, Input};
pub use self::function::{Arguments, Body, Function, Parameter};
pub use self::layout::{format as format_time, parse as parse_time};
pub use self::numbers::{general, parse_float, parse_integer};
pub use self::parse::Source;
pub use self::printf::printf;
pub use self::run::Failure;
pub use self::template::Template;
pub use self::text::{TEXT_BYTES_MAX, of_bytes, replaced, title, too_long, url_encoded};
pub use self::times::{Zone, ZonedTime};
pub use self::value::{List, Map, MapType, Value};

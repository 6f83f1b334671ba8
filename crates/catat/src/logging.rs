//! The process's own log, on standard error: one line for each entry, whatever stands in it.
//!
//! Entries hold names and texts that somebody sent. A line end in one of them would begin a line that looks like another
//! entry, and a control character could have a terminal do something; so both are written as escapes.

use std::fmt::{self, Debug, Write};
use std::io::IsTerminal;

use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What says something of every request, on either side. It is told only to who names it: the log may be what is
/// delivered, and a line for each delivery of it would be the next one.
const TALKATIVE: &str = "hyper_util=warn,h2=warn";

/// What is logged unless `CATAT_LOG` says otherwise.
const USUAL: &str = "warn,tantivy=error";

/// Starts it; `CATAT_LOG` says how much is written, in the form of [`Targets`].
pub(crate) fn start() {
    let asked = std::env::var("CATAT_LOG").ok();
    let (filter, mistake) = match filter(asked.as_deref()) {
        Ok(filter) => (filter, None),
        Err(mistake) => (usual(), Some(mistake)),
    };
    let has_colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let log = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).fmt_fields(fields());
    let log = log.with_writer(std::io::stderr).with_ansi(has_colours).finish();
    log.with(filter).init();
    if let Some(mistake) = mistake {
        tracing::warn!(
            "CATAT_LOG: {mistake}; warnings are logged. Write a level, or parts with levels: warn,ship=info"
        );
    }
}

/// Returns the log filter: the requested one, else the usual one.
fn filter(asked: Option<&str>) -> Result<Targets, ParseError> {
    // Of two words about one target the last holds.
    asked.map_or_else(|| Ok(usual()), |asked| format!("{TALKATIVE},{asked}").parse())
}

fn usual() -> Targets {
    USUAL.parse().unwrap_or_default()
}

/// Writes the fields of an entry: its message, then `name=value`.
fn fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    let write = |writer: &mut Writer<'_>, field: &Field, value: &dyn Debug| match field.name() {
        "message" => write!(OnOneLine(writer), "{value:?}"),
        name => write!(OnOneLine(writer), "{name}={value:?}"),
    };
    debug_fn(write).delimited(" ")
}

/// Passes on what is written, control characters and line separators as escapes.
struct OnOneLine<'o, 'w>(&'o mut Writer<'w>);

impl Write for OnOneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let ends_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        for part in text.split_inclusive(ends_line) {
            let last = part.chars().next_back().filter(|c| ends_line(*c));
            self.0.write_str(&part[..part.len() - last.map_or(0, char::len_utf8)])?;
            last.map_or(Ok(()), |last| write!(self.0, "{}", last.escape_default()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! The printed answer of a query, from a server or a local run: rows, progress, warnings.

use std::io::BufWriter;
use std::time::Duration;

use serde::Deserialize;

use crate::arguments::{Format, Query};
use crate::failure::{Failure, Result, of_output};
use crate::output::{Column, Printer, default_format, is_coloured, terminal_width};
use crate::progress::StatusLine;
use crate::zone::Zones;
use types::counted;

/// What follows the rows, from a server or a local run.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Trailer {
    pub(crate) partial: bool,
    pub(crate) more: bool,
    pub(crate) partial_reasons: Vec<Note>,
    pub(crate) warnings: Vec<Note>,
}

/// A warning, or a reason why an answer is not complete.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Note {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// What is printed of an answer.
pub(crate) struct AnswerPrinter<'a> {
    options: &'a Query,
    printer: Option<Printer<BufWriter<std::io::Stdout>>>,
    status: StatusLine,
}

impl<'a> AnswerPrinter<'a> {
    pub(crate) fn new(options: &'a Query) -> Self {
        Self { options, printer: None, status: StatusLine::new() }
    }

    pub(crate) fn start(&mut self, columns: Vec<Column>) -> Result<()> {
        let format: Format = self.options.output.unwrap_or_else(|| default_format(&columns));
        let out = BufWriter::with_capacity(64 << 10, std::io::stdout());
        let zones = Zones::of(&self.options.zone)?;
        let zone = zones.printed(matches!(format, Format::Table | Format::Lines));
        let mut printer = Printer::new(out, format, is_coloured(self.options.color))
            .in_zone(zone)
            .fitted_to(terminal_width())
            .naming_groups(self.options.is_for_people.then_some(0));
        printer.start(columns).map_err(of_output)?;
        self.printer = Some(printer);
        Ok(())
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) -> Result<()> {
        self.status.clear();
        match &mut self.printer {
            Some(printer) => printer.row(cells).map_err(of_output),
            None => Err(Failure::other("the answer has rows before columns")),
        }
    }

    pub(crate) fn progress(&self, n_events: u64) {
        let rate = |elapsed: Duration| n_events as f64 / elapsed.as_secs_f64();
        self.status.show(|elapsed| format!("{}, {:.0}/s", counted(n_events, "event"), rate(elapsed)));
    }

    pub(crate) fn finish_output(&mut self) -> Result<u64> {
        self.status.clear();
        let Some(printer) = &mut self.printer else { return Ok(0) };
        printer.finish().map_err(of_output)?;
        Ok(printer.n_rows)
    }

    pub(crate) fn finish(mut self, trailer: Trailer) -> Result<()> {
        let n_rows = self.finish_output()?;
        for warning in &trailer.warnings {
            let news = warning.hint.as_ref().filter(|hint| !warning.message.contains(&***hint));
            let hint = news.map_or(String::new(), |hint| format!(" ({hint})"));
            say!("catat: {}{hint}", warning.message);
        }
        if trailer.more && self.options.limit.is_none() {
            say!("catat: {} shown of more; --limit 0 shows all", counted(n_rows, "row"));
        }
        if trailer.partial {
            let reasons: Vec<&str> = trailer.partial_reasons.iter().map(|reason| &*reason.message).collect();
            return Err(Failure::partial(format!("the answer is not complete: {}", reasons.join("; "))));
        }
        if n_rows == 0 && self.options.exit_on_empty { Err(Failure::no_match()) } else { Ok(()) }
    }
}

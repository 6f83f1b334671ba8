//! Time zones of the command line: in which times are read, and in which they are printed.
//!
//! A person means the time on the wall: of this machine, or of `TZ`. A program that reads the output gets UTC, as a server
//! sends it, unless a zone is named. Lines of files without a zone are of this machine, whatever zone is printed.

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;

use crate::arguments::Zone;
use crate::failure::{Failure, Result};

/// The zones of one command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zones {
    /// The one that was named.
    named: Option<Tz>,
    /// That of this machine.
    pub(crate) host: Tz,
}

impl Zones {
    /// Takes the zone from the arguments.
    pub(crate) fn of(options: &Zone) -> Result<Self> {
        let named = if options.utc { Some("UTC") } else { options.tz.as_deref() };
        let parse = |name: &str| {
            let wrong =
                |_| Failure::usage(format!("--tz {name}: unknown time zone; write a name such as Asia/Jakarta"));
            name.parse::<Tz>().map_err(wrong)
        };
        let host = ship::host_zone().and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC);
        Ok(Self { named: named.map(parse).transpose()?, host })
    }

    /// Returns the zone in which times are read, and printed for people.
    pub(crate) fn spoken(&self) -> Tz {
        self.named.unwrap_or(self.host)
    }

    /// Returns its name.
    pub(crate) fn name(&self) -> String {
        self.spoken().name().to_owned()
    }

    /// Returns the zone in which times are printed.
    pub(crate) fn printed(&self, for_person: bool) -> Tz {
        if for_person { self.spoken() } else { self.named.unwrap_or(Tz::UTC) }
    }
}

/// Returns the time in a JSON cell in a zone; `None` for a cell that is no time.
pub(crate) fn in_zone(cell: &str, zone: Tz) -> Option<String> {
    let text = cell.strip_prefix('"')?.strip_suffix('"')?;
    let time = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&zone);
    Some(format!("\"{}\"", time.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
}

#[cfg(test)]
mod tests;

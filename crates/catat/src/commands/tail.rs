//! `catat tail`: events as they are accepted, through the server's event stream.
//!
//! With `--lines` the last events come first. They are asked for when the stream is open, so that none is missed between;
//! one that both have is printed once.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::arguments::{Format, Tail};
use crate::client::Server;
use crate::event_view::with_level_and_group;
use crate::failure::{Failure, Result, of_output};
use crate::output::{Column, Kind, Printer, is_coloured, terminal_width};
use crate::zone::Zones;
use types::counted;

/// Longest line of the stream that is taken; events are at most 1 MiB of text, escaped.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// The first moment that an event can have.
const ALL_TIME: &str = "1970-01-01T00:00:00Z";

/// Pause before another attempt when the server went away.
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);

/// Follows until interrupted, or as far as `--count` and `--timeout` say.
pub(crate) fn tail(mut options: Tail) -> Result<()> {
    let is_one = matches!(&options.group[..], [group] if !group.contains('*'));
    if let Some(shown) = with_level_and_group(&options.query, options.output, !is_one) {
        (options.query, options.is_for_people) = (shown, true);
    }
    let server = Server::new(&options.remote)?;
    let timeout = options.timeout.as_deref().map(types::parse_duration_ns).transpose();
    let timeout = timeout.map_err(|error| Failure::usage(format!("--timeout: {error}")))?;
    if let Some(nanoseconds) = timeout {
        // The stream may say nothing for hours, so the deadline cannot wait for its next line.
        let deadline = Instant::now() + Duration::from_nanos(nanoseconds.max(0).unsigned_abs());
        std::thread::spawn(move || {
            std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
            std::process::exit(0);
        });
    }
    let mut follower = Follower {
        options: &options,
        n_shown: 0,
        group_width: options.is_for_people.then_some(0),
        last_id: None,
        has_begun: options.lines == 0,
        begun_with: HashSet::new(),
    };
    loop {
        match follower.follow(&server)? {
            StreamEnd::Enough => return Ok(()),
            StreamEnd::Lost if follower.last_id.is_some() => {
                say!("catat: connection lost, retrying; events accepted meanwhile follow");
                std::thread::sleep(RECONNECT_PAUSE);
            }
            StreamEnd::Lost => std::thread::sleep(RECONNECT_PAUSE),
        }
    }
}

/// Why a stream ended.
enum StreamEnd {
    Enough,
    Lost,
}

/// One run of the command over several connections.
struct Follower<'a> {
    options: &'a Tail,
    n_shown: u64,
    /// How wide the column of the group is, where there is one.
    group_width: Option<usize>,
    last_id: Option<String>,
    /// Whether the last events were shown, where `--lines` asks for them.
    has_begun: bool,
    /// Their ids.
    begun_with: HashSet<String>,
}

/// The part of an answer that is shown before the stream.
#[derive(Deserialize)]
struct Recent {
    columns: Vec<ColumnName>,
    rows: Vec<Vec<Box<RawValue>>>,
    ids: Vec<String>,
}

#[derive(Deserialize)]
struct ColumnName {
    name: String,
}

/// One server-sent event while its lines come in.
#[derive(Default)]
struct Message {
    event: String,
    data: String,
    id: Option<String>,
}

impl Follower<'_> {
    fn follow(&mut self, server: &Server) -> Result<StreamEnd> {
        let mut query: Vec<(&str, &str)> = vec![("query", &self.options.query)];
        query.extend(self.options.group.iter().map(|group| ("groups", &**group)));
        let mut request = server.request(reqwest::Method::GET, "/api/v1/tail").query(&query);
        if let Some(id) = &self.last_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = match server.send(request, &self.options.query) {
            Ok(response) => response,
            Err(failure) if self.last_id.is_some() && failure.is_temporary() => return Ok(StreamEnd::Lost),
            Err(failure) => return Err(failure),
        };
        let mut stream = BufReader::new(response);
        let mut message = Message::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = std::io::Read::take(&mut stream, LINE_BYTES_MAX).read_until(b'\n', &mut line);
            if !matches!(read, Ok(n) if n > 0) {
                return Ok(StreamEnd::Lost);
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            if text.starts_with(':') && !std::mem::replace(&mut self.has_begun, true) {
                // The stream is open: what is accepted from now on comes in it.
                if self.show_recent(server)? {
                    return Ok(StreamEnd::Enough);
                }
            } else if text.is_empty() {
                if self.take(std::mem::take(&mut message))? {
                    return Ok(StreamEnd::Enough);
                }
            } else if let Some(event) = text.strip_prefix("event:") {
                message.event = event.trim_start().to_owned();
            } else if let Some(id) = text.strip_prefix("id:") {
                message.id = Some(id.trim_start().to_owned());
            } else if let Some(data) = text.strip_prefix("data:") {
                message.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
        }
    }

    /// Prints the last events, oldest first; `true` when there are enough.
    fn show_recent(&mut self, server: &Server) -> Result<bool> {
        let mut query = vec![("query", self.options.query.clone()), ("from", ALL_TIME.to_owned())];
        query.push(("limit", self.options.lines.to_string()));
        query.extend(self.options.group.iter().map(|group| ("groups", group.clone())));
        let request = server.request(reqwest::Method::GET, "/api/v1/query").query(&query);
        let recent: Recent = server.send(request, &self.options.query)?.json().map_err(crate::client::broken_off)?;
        for (cells, id) in recent.rows.iter().zip(recent.ids).rev() {
            let present = recent.columns.iter().zip(cells).filter(|(_, cell)| cell.get() != "null");
            let members = present.map(|(column, cell)| format!("{}:{cell}", serde_json::json!(column.name)));
            self.print(&format!("{{{}}}", members.collect::<Vec<_>>().join(",")))?;
            self.begun_with.insert(id);
            self.n_shown += 1;
            if self.has_enough() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_enough(&self) -> bool {
        self.options.count.is_some_and(|count| self.n_shown >= count)
    }

    /// Prints one event; `true` when there are enough.
    fn take(&mut self, message: Message) -> Result<bool> {
        match &*message.event {
            "event" => {
                let is_shown = message.id.as_ref().is_some_and(|id| self.begun_with.remove(id));
                self.last_id = message.id.or(self.last_id.take());
                if !is_shown {
                    self.print(&message.data)?;
                    self.n_shown += 1;
                }
                Ok(self.has_enough())
            }
            "dropped" => {
                let count: serde_json::Value = serde_json::from_str(&message.data).unwrap_or_default();
                let events = counted(&count["count"], "event");
                say!("catat: {events} skipped because they arrived too fast; narrow the query");
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn print(&mut self, data: &str) -> Result<()> {
        use std::io::IsTerminal;
        let damaged = |error: serde_json::Error| Failure::other(format!("answer of the server: {error}"));
        let cells: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_str(data).map_err(damaged)?;
        let default = if std::io::stdout().is_terminal() { Format::Lines } else { Format::Ndjson };
        let format = self.options.output.unwrap_or(default);
        if format == Format::Ndjson {
            use std::io::Write;
            return writeln!(std::io::stdout(), "{data}").map_err(of_output);
        }
        let zone = Zones::of(&self.options.zone)?.printed(matches!(format, Format::Table | Format::Lines));
        let mut printer = Printer::new(std::io::stdout().lock(), format, is_coloured(self.options.color))
            .in_zone(zone)
            .fitted_to(terminal_width())
            .naming_groups(self.group_width);
        let kind = |name: &str| if matches!(name, "@timestamp" | "@ingestionTime") { Kind::Time } else { Kind::Other };
        let column = |name: String| Column { kind: kind(&name), name };
        let cells = cells.into_iter().map(|(name, cell)| (column(name), cell.get().to_owned()));
        let (columns, cells): (Vec<Column>, Vec<String>) = cells.unzip();
        let printed = printer.start(columns).and_then(|()| printer.row(cells)).and_then(|()| printer.finish());
        self.group_width = printer.group_width();
        printed.map_err(of_output)
    }
}

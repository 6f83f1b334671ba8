//! `catat tail`: events as they are accepted, through the server's event stream.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use crate::arguments::{Format, Tail};
use crate::client::Server;
use crate::failure::{Failure, of_output};
use crate::output::{Column, Printer, is_coloured};
use crate::zone::Zones;

/// Longest line of the stream that is taken; events are at most 1 MiB of text, escaped.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Pause before another attempt when the server went away.
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);

/// Follows until interrupted, or as far as `--count` and `--timeout` say.
pub(crate) fn tail(options: Tail) -> Result<(), Failure> {
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
    let mut follower = Follower { options: &options, n_shown: 0, last_id: None };
    loop {
        match follower.follow(&server)? {
            Ending::Enough => return Ok(()),
            Ending::Lost if follower.last_id.is_some() => {
                say!("catat: connection lost, trying again; what came meanwhile is resumed");
                std::thread::sleep(RECONNECT_PAUSE);
            }
            Ending::Lost => std::thread::sleep(RECONNECT_PAUSE),
        }
    }
}

/// Why a stream ended.
enum Ending {
    Enough,
    Lost,
}

/// One run of the command over several connections.
struct Follower<'a> {
    options: &'a Tail,
    n_shown: u64,
    last_id: Option<String>,
}

/// One server-sent event while its lines come in.
#[derive(Default)]
struct Message {
    event: String,
    data: String,
    id: Option<String>,
}

impl Follower<'_> {
    fn follow(&mut self, server: &Server) -> Result<Ending, Failure> {
        let mut query: Vec<(&str, &str)> = vec![("query", &self.options.query)];
        query.extend(self.options.group.iter().map(|group| ("groups", &**group)));
        let mut request = server.request(reqwest::Method::GET, "/api/v1/tail").query(&query);
        if let Some(id) = &self.last_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = match server.send(request, &self.options.query) {
            Ok(response) => response,
            Err(failure) if self.last_id.is_some() && failure.is_temporary() => return Ok(Ending::Lost),
            Err(failure) => return Err(failure),
        };
        let mut stream = BufReader::new(response);
        let mut message = Message::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = std::io::Read::take(&mut stream, LINE_BYTES_MAX).read_until(b'\n', &mut line);
            if !matches!(read, Ok(n) if n > 0) {
                return Ok(Ending::Lost);
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            if text.is_empty() {
                if self.take(std::mem::take(&mut message))? {
                    return Ok(Ending::Enough);
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

    /// Prints one event; `true` when there are enough.
    fn take(&mut self, message: Message) -> Result<bool, Failure> {
        match &*message.event {
            "event" => {
                self.print(&message.data)?;
                self.last_id = message.id.or(self.last_id.take());
                self.n_shown += 1;
                Ok(self.options.count.is_some_and(|count| self.n_shown >= count))
            }
            "dropped" => {
                let count: serde_json::Value = serde_json::from_str(&message.data).unwrap_or_default();
                say!("catat: {} events were not shown, they came too fast; narrow the query", count["count"]);
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn print(&self, data: &str) -> Result<(), Failure> {
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
        let mut printer = Printer::new(std::io::stdout().lock(), format, is_coloured(self.options.color)).in_zone(zone);
        let column = |name: String| Column { is_time: matches!(&*name, "@timestamp" | "@ingestionTime"), name };
        let cells = cells.into_iter().map(|(name, cell)| (column(name), cell.get().to_owned()));
        let (columns, cells): (Vec<Column>, Vec<String>) = cells.unzip();
        printer.start(columns).and_then(|()| printer.row(cells)).and_then(|()| printer.finish()).map_err(of_output)
    }
}

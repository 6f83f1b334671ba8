//! Samples of formats are tests: what each becomes is compared with what its file says.

use types::{Batch, BatchBuilder, Level, Limits, Timestamp};

use crate::{ArrivalContext, EventParser, Extras, Format, FormatSample, Formats, Zone};

/// When samples arrive: later than the time that any of them has.
const ARRIVAL: Timestamp = Timestamp(1_811_851_200 * Timestamp::SECOND);

impl Formats {
    /// Reads the samples of a format; returns a sentence for everything that is not as its file says.
    pub fn check_samples(&self, format: &Format) -> Vec<String> {
        let wrong = |sample: &FormatSample| {
            let head = sample.text.lines().next().unwrap_or_default().to_owned();
            self.misses(format, sample).into_iter().map(move |miss| format!("{}: {miss}: {head}", format.name))
        };
        format.samples.iter().flat_map(wrong).collect()
    }

    pub(crate) fn misses(&self, format: &Format, sample: &FormatSample) -> Vec<String> {
        let reading = self.read_sample(&sample.text);
        let mut misses = Vec::new();
        let mut compare = |what: &str, found: Option<String>, expected: Option<String>| {
            if found != expected {
                let shown = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
                misses.push(format!("{what} is {}, not {}", shown(found), shown(expected)));
            }
        };
        // What stands behind a header of syslog is no line of the program.
        let is_line = format.has_lines && !sample.text.starts_with('<');
        if is_line {
            // Forms that programs share give no name.
            let name = Some(format.name.to_string());
            compare("the format", reading.format.or_else(|| name.clone()), name);
        }
        let time = |time: Timestamp| time.to_string();
        compare(
            "the time",
            reading.time.map(time),
            sample.time.as_deref().and_then(Timestamp::parse_rfc3339).map(time),
        );
        let level = |level: Level| level.name().to_owned();
        compare("the level", reading.level.map(level), sample.level.as_deref().and_then(Level::parse).map(level));
        for (name, value) in &sample.fields {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            compare(name, reading.batch.field(name).value(0).map(|value| value.to_string()), Some(value));
        }
        misses
    }

    pub(crate) fn read_sample(&self, text: &str) -> Reading {
        let limits = Limits::default();
        let received = ArrivalContext { at: ARRIVAL, modified: None, previous: None, zone: Zone::UTC, limits: &limits };
        let mut parser = EventParser::new(received).with_formats(self);
        let mut builder = BatchBuilder::new();
        let event = parser.read_text(text.as_bytes());
        let format = event.format().map(str::to_owned);
        event.add_to(&Extras::default(), &mut builder);
        let batch = builder.finish();
        let has_time = parser.previous().is_some() || batch.origins.iter().any(|origin| origin.time_key.is_some());
        Reading {
            format,
            time: has_time.then(|| Timestamp(batch.timestamps.get(0))),
            level: Level::of_code(batch.levels.get(0)),
            batch,
        }
    }
}

/// What became of a sample.
pub(crate) struct Reading {
    pub(crate) format: Option<String>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) level: Option<Level>,
    pub(crate) batch: Batch,
}

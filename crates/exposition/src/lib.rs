//! Reads pages of samples: Prometheus' text format 0.0.4 and OpenMetrics 1.0; and says which targets such pages are scraped from.
//!
//! A page is read whole or refused with the place of the first mistake, as Prometheus does it. Names may be quoted, with
//! any characters, in both formats. Exemplars are read in OpenMetrics. Sources: Prometheus' *Exposition formats*, OpenMetrics 1.0.

mod line;
mod target;

use std::collections::HashMap;

use self::line::{Cursor, Located};
pub use self::target::{ActiveTarget, DroppedTarget, TargetHealth};

/// The types of metrics, at the numbers that both versions of remote write have for them.
pub const KINDS: [&str; 8] =
    ["unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"];

/// What a sender says of a metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Prometheus' word for its type, such as `counter`.
    pub kind: &'static str,
    /// What it means.
    pub help: String,
    /// The unit of its samples.
    pub unit: String,
}

/// Returns the type that a word stands for; `untyped` is the text format's word for `unknown`.
pub fn kind_of_word(word: &str) -> Option<&'static str> {
    let word = if word == "untyped" { KINDS[0] } else { word };
    KINDS.into_iter().find(|kind| *kind == word)
}

/// Most labels of one sample.
const LABELS_MAX: usize = 200;

/// The format of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// Returns the format that a content type names; `None` for protobuf, which is not read.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        match &*media_type(content_type) {
            "application/openmetrics-text" => Some(Self::OpenMetrics),
            "application/vnd.google.protobuf" | "application/x-protobuf" => None,
            _ => Some(Self::Text),
        }
    }

    /// Reports whether Prometheus knows a content type as one of metrics, and uses no other format instead.
    pub fn is_named_by(content_type: &str) -> bool {
        matches!(
            &*media_type(content_type),
            "application/openmetrics-text" | "application/vnd.google.protobuf" | "text/plain"
        )
    }
}

/// Returns a content type without its parameters.
fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Returns the number that a text is on a page; `None` where Prometheus reads none: beyond the range of a 64-bit float, and for a
/// NaN with a sign.
pub fn number_of(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let unsigned = text.trim_start_matches(['+', '-']);
    let is_exact = !value.is_infinite() || unsigned.starts_with(['i', 'I']);
    let has_sign = unsigned.len() < text.len();
    (is_exact && !(value.is_nan() && has_sign)).then_some(value)
}

/// The samples of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name that `TYPE` and `HELP` use: that of a histogram without `_bucket`.
    pub name: String,
    /// Its type, help and unit.
    pub metadata: Metadata,
    /// Its samples, in the order of the page.
    pub samples: Vec<Sample>,
}

/// One sample of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The name of the series.
    pub name: String,
    /// Names and values in the order of the page.
    pub labels: Vec<(String, String)>,
    /// Its number.
    pub value: f64,
    /// Its time in ms since the epoch, where the page has one.
    pub time: Option<i64>,
    /// Its exemplar.
    pub exemplar: Option<Box<Exemplar>>,
    /// Its line, from 1.
    pub line: usize,
}

/// A single observation that a sample points to, such as a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Names and values in the order of the page.
    pub labels: Vec<(String, String)>,
    /// What was observed.
    pub value: f64,
    /// Its time in ms since the epoch, where the page has one.
    pub time: Option<i64>,
}

/// Why a page cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct PageError {
    line: usize,
    column: usize,
    problem: String,
    /// What the page has before the mistake.
    pub before: Vec<Family>,
}

/// Reads a page of at most `samples_max` samples.
///
/// # Errors
/// The first mistake and its place.
pub fn read(text: &str, format: Format, samples_max: usize) -> Result<Vec<Family>, PageError> {
    let mut page = PageReader { format, samples_max, ..PageReader::default() };
    let mut n_lines = 0;
    for (index, line) in text.lines().enumerate() {
        n_lines = index + 1;
        if let Err(Located { column, problem }) = page.line(line, n_lines) {
            return Err(PageError { line: n_lines, column, problem, before: page.families });
        }
    }
    if format == Format::OpenMetrics && !page.has_ended {
        let problem = "the page ends without \"# EOF\"; it may be cut off".to_owned();
        return Err(PageError { line: n_lines + 1, column: 1, problem, before: page.families });
    }
    Ok(page.families)
}

/// Collects the families of a page.
struct PageReader {
    format: Format,
    samples_max: usize,
    families: Vec<Family>,
    places: HashMap<String, usize>,
    n_samples: usize,
    has_ended: bool,
}

impl Default for PageReader {
    fn default() -> Self {
        let (families, places) = (Vec::new(), HashMap::new());
        Self { format: Format::Text, samples_max: 0, families, places, n_samples: 0, has_ended: false }
    }
}

impl PageReader {
    fn line(&mut self, line: &str, number: usize) -> Result<(), Located> {
        let mut cursor = Cursor::new(line);
        cursor.skip_blanks();
        if self.has_ended {
            return Err(cursor.located("\"# EOF\" must be the last line"));
        }
        match cursor.peek() {
            None => Ok(()),
            Some(b'#') => self.comment(&mut cursor),
            Some(_) if self.n_samples >= self.samples_max => {
                Err(cursor.located(format!("the page has more than {} samples", self.samples_max)))
            }
            Some(_) => {
                let sample = self.sample(&mut cursor, number)?;
                self.n_samples += 1;
                let place = self.place_of(&sample.name);
                self.families[place].samples.push(sample);
                Ok(())
            }
        }
    }

    /// Reads `# HELP`, `# TYPE`, `# UNIT` and `# EOF`; any other comment is none of ours.
    fn comment(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Located> {
        cursor.advance(1);
        cursor.skip_blanks();
        let word = cursor.word();
        if word == "EOF" && self.format == Format::OpenMetrics {
            self.has_ended = true;
            return Ok(());
        }
        if !matches!(word, "HELP" | "TYPE" | "UNIT") {
            return Ok(());
        }
        cursor.skip_blanks();
        let name = cursor.name()?;
        cursor.skip_blanks();
        let text = cursor.rest();
        let kind = kind_of_word(text.trim());
        if word == "TYPE" && kind.is_none() {
            return Err(cursor
                .located(format!("{:?} is no type of a metric; such are counter, gauge and histogram", shown(text))));
        }
        let place = self.declared(&name);
        let metadata = &mut self.families[place].metadata;
        match word {
            "TYPE" => metadata.kind = kind.unwrap_or_default(),
            "UNIT" => text.trim().clone_into(&mut metadata.unit),
            _ => metadata.help = line::unescaped(text),
        }
        Ok(())
    }

    fn sample(&self, cursor: &mut Cursor<'_>, line: usize) -> Result<Sample, Located> {
        let mut name = if cursor.peek() == Some(b'{') { None } else { Some(cursor.name()?) };
        cursor.skip_blanks();
        let mut labels = Vec::new();
        if cursor.peek() == Some(b'{') {
            read_labels(cursor, &mut name, &mut labels)?;
        }
        let Some(name) = name else { return Err(cursor.located("the sample has no name")) };
        if let Some(problem) = problem_of_names(&name, &labels) {
            return Err(cursor.located(problem));
        }
        let (value, time) = self.value_and_time(cursor)?;
        let exemplar = match cursor.peek() {
            None => None,
            Some(b'#') if self.format == Format::OpenMetrics => Some(Box::new(self.exemplar(cursor)?)),
            Some(_) => {
                return Err(cursor.located("the line should end here: a sample is a name, labels, a value and a time"));
            }
        };
        Ok(Sample { name, labels, value, time, exemplar, line })
    }

    /// Reads `# {LABELS} VALUE TIME`.
    fn exemplar(&self, cursor: &mut Cursor<'_>) -> Result<Exemplar, Located> {
        cursor.advance(1);
        cursor.skip_blanks();
        if cursor.peek() != Some(b'{') {
            return Err(cursor.located("\"{\" is expected: an exemplar is labels in braces, a value and a time"));
        }
        let (mut name, mut labels) = (None, Vec::new());
        read_labels(cursor, &mut name, &mut labels)?;
        if name.is_some() {
            return Err(cursor.located("an exemplar has labels and no name"));
        }
        let (value, time) = self.value_and_time(cursor)?;
        if cursor.peek().is_some() {
            return Err(cursor.located("the line should end here: an exemplar is labels, a value and a time"));
        }
        Ok(Exemplar { labels, value, time })
    }

    /// Reads a number, and a time where there is one.
    fn value_and_time(&self, cursor: &mut Cursor<'_>) -> Result<(f64, Option<i64>), Located> {
        cursor.skip_blanks();
        let text = cursor.clone().word();
        let Some(value) = number_of(text) else {
            let reason =
                if text.parse::<f64>().is_ok_and(f64::is_infinite) { " within the range of 64-bit floats" } else { "" };
            return Err(cursor.located(format!("{:?} is no number{reason}", shown(text))));
        };
        cursor.advance(text.len());
        cursor.skip_blanks();
        let time = match cursor.peek() {
            None | Some(b'#') => None,
            Some(_) => Some(self.time(cursor)?),
        };
        cursor.skip_blanks();
        Ok((value, time))
    }

    /// Reads a time: whole ms in the text format, seconds in OpenMetrics.
    fn time(&self, cursor: &mut Cursor<'_>) -> Result<i64, Located> {
        let text = cursor.clone().word();
        let time = match self.format {
            Format::Text => text.parse().ok(),
            Format::OpenMetrics => {
                text.parse::<f64>().ok().filter(|time| time.is_finite()).map(|time| (time * 1e3).round() as i64)
            }
        };
        let unit = if self.format == Format::Text { "whole ms" } else { "seconds" };
        let time = time.ok_or_else(|| cursor.located(format!("{:?} is no time in {unit}", shown(text))))?;
        cursor.advance(text.len());
        Ok(time)
    }

    /// Returns the family of a sample: that of its name, or one declared whose type has such samples.
    fn place_of(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let of_base = name.rsplit_once('_').and_then(|(base, suffix)| {
            let place = *self.places.get(base)?;
            has_suffix(self.families[place].metadata.kind, suffix).then_some(place)
        });
        of_base.unwrap_or_else(|| self.declared(name))
    }

    fn declared(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let metadata = Metadata { kind: kind_of_word("unknown").unwrap_or_default(), ..Metadata::default() };
        self.places.insert(name.to_owned(), self.families.len());
        self.families.push(Family { name: name.to_owned(), metadata, samples: Vec::new() });
        self.families.len() - 1
    }
}

/// Reports whether metrics of a type have samples whose names end with `_` and a suffix.
pub fn has_suffix(kind: &str, suffix: &str) -> bool {
    match kind {
        "histogram" => matches!(suffix, "bucket" | "sum" | "count" | "created"),
        "gaugehistogram" => matches!(suffix, "bucket" | "gsum" | "gcount"),
        "summary" => matches!(suffix, "sum" | "count" | "created"),
        "counter" => matches!(suffix, "total" | "created"),
        "info" => suffix == "info",
        _ => false,
    }
}

/// Reads labels in braces; a quoted text without a value is the name of the metric.
fn read_labels(
    cursor: &mut Cursor<'_>,
    name: &mut Option<String>,
    labels: &mut Vec<(String, String)>,
) -> Result<(), Located> {
    cursor.advance(1);
    loop {
        cursor.skip_blanks();
        if cursor.peek() == Some(b'}') {
            cursor.advance(1);
            return Ok(());
        }
        let is_quoted = cursor.peek() == Some(b'"');
        let label = cursor.name()?;
        cursor.skip_blanks();
        if cursor.peek() == Some(b'=') {
            cursor.advance(1);
            cursor.skip_blanks();
            if labels.len() >= LABELS_MAX {
                return Err(cursor.located(format!("a sample has at most {LABELS_MAX} labels")));
            }
            labels.push((label, cursor.quoted()?));
        } else if is_quoted && name.is_none() && labels.is_empty() {
            *name = Some(label);
        } else {
            return Err(cursor.located("\"=\" is expected after the name of a label"));
        }
        cursor.skip_blanks();
        match cursor.peek() {
            Some(b',') => cursor.advance(1),
            Some(b'}') => {}
            _ => return Err(cursor.located("\",\" or \"}\" is expected after a label")),
        }
    }
}

/// Returns what is wrong with the names of a sample: an empty name, or a repeated one.
fn problem_of_names(name: &str, labels: &[(String, String)]) -> Option<String> {
    if name.is_empty() || labels.iter().any(|(label, _)| label.is_empty()) {
        return Some("a name of the sample or of a label is empty".to_owned());
    }
    if labels.iter().any(|(label, _)| label == "__name__") {
        return Some("the sample has two names: the label \"__name__\" is one".to_owned());
    }
    let is_repeated =
        |(index, (label, _)): &(usize, &(String, String))| labels.iter().take(*index).any(|(other, _)| other == label);
    let repeated = labels.iter().enumerate().find(is_repeated);
    repeated.map(|(_, (label, _))| format!("the label {:?} is there twice", shown(label)))
}

/// Returns the start of a text, for errors.
fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(100)]
}

#[cfg(test)]
mod tests;

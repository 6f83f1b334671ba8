//! The files that formats are written in: TOML, with the place of every mistake.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use types::{Level, Timestamp};

use super::form::{Capture, Definition as FormDefinition, Step, read as read_form, unknown_level};

/// What is wrong with a file of a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct FormatError {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// A text with what must come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormatSample {
    /// One entry, of a line or of several.
    pub text: String,
    /// Its time, of RFC 3339; none where the text has none.
    pub time: Option<String>,
    /// Its level; none where the text says none.
    pub level: Option<String>,
    /// Its fields, as texts: these at least.
    #[serde(default)]
    pub fields: BTreeMap<String, toml::Value>,
}

/// What is known of one program's lines.
#[derive(Clone, Debug)]
pub struct Format {
    /// The name that inputs, `catat check` and queries give it.
    pub name: Arc<str>,
    /// What it is, as the manual says it.
    pub title: String,
    /// Names under which the program appears in syslog.
    pub programs: Vec<String>,
    /// Versions whose lines were seen.
    pub versions: String,
    /// Whether it has forms of lines; else the general rules read them.
    pub has_lines: bool,
    /// Names of the fields that its forms give.
    pub fields: Vec<String>,
    /// Lines with what must come of them.
    pub samples: Vec<FormatSample>,
    /// What its words for levels mean; without any, those that all programs use.
    pub(super) levels: Vec<(Box<str>, Option<Level>)>,
}

/// A format that was read, and its forms.
pub(super) struct Definition {
    pub(super) format: Format,
    pub(super) lines: Vec<(Vec<Step>, FormDefinition)>,
    pub(super) messages: Vec<(Vec<Step>, FormDefinition)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    title: String,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    versions: String,
    #[serde(default)]
    lines: Vec<Spanned<String>>,
    #[serde(default)]
    messages: Vec<Spanned<String>>,
    #[serde(default)]
    levels: BTreeMap<Spanned<String>, Vec<String>>,
    #[serde(default)]
    sample: Vec<Spanned<FormatSample>>,
}

/// Reads one file.
///
/// # Errors
/// The first mistake.
pub(super) fn read(name: &str, text: &str) -> Result<Definition, FormatError> {
    let at = |place: usize, problem: String| {
        let line = 1 + text.bytes().take(place).filter(|byte| *byte == b'\n').count();
        FormatError { file: name.to_owned(), line, problem }
    };
    let file: File = toml::from_str(text)
        .map_err(|error| at(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
    let is_name =
        |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
    if file.name.get_ref().is_empty() || !is_name(file.name.get_ref()) {
        let problem = "the name of a format has small letters, digits, - _ and ., such as \"bind9\"";
        return Err(at(file.name.span().start, problem.into()));
    }
    let forms = |forms: &[Spanned<String>]| {
        forms
            .iter()
            .map(|form| read_form(form.get_ref()).map_err(|problem| at(form.span().start, problem)))
            .collect::<Result<Vec<_>, _>>()
    };
    let (lines, messages) = (forms(&file.lines)?, forms(&file.messages)?);
    let mut levels = Vec::new();
    for (level, words) in &file.levels {
        let known = match level.get_ref().as_str() {
            "none" => None,
            name => Some(Level::parse(name).ok_or_else(|| at(level.span().start, unknown_level(name)))?),
        };
        levels.extend(words.iter().map(|word| (word.as_str().into(), known)));
    }
    for sample in &file.sample {
        let place = sample.span().start;
        let of = sample.get_ref();
        if let Some(time) = of.time.as_deref().filter(|time| Timestamp::parse_rfc3339(time).is_none()) {
            return Err(at(place, format!("\"{time}\" is no time; write 2026-11-20T06:47:13Z")));
        }
        if let Some(level) = of.level.as_deref().filter(|level| Level::parse(level).is_none()) {
            return Err(at(place, unknown_level(level)));
        }
    }
    let format = Format {
        name: file.name.into_inner().into(),
        title: file.title,
        programs: file.programs,
        versions: file.versions,
        has_lines: !lines.is_empty(),
        fields: field_names(lines.iter().chain(&messages)),
        samples: file.sample.into_iter().map(Spanned::into_inner).collect(),
        levels,
    };
    Ok(Definition { format, lines, messages })
}

fn field_names<'f>(forms: impl Iterator<Item = &'f (Vec<Step>, FormDefinition)>) -> Vec<String> {
    let mut names: Vec<String> = forms
        .flat_map(|(_, definition)| &definition.captures)
        .filter_map(|capture| match capture {
            Capture::Text(name) | Capture::Integer(name) | Capture::Number(name) => Some(name.clone()),
            Capture::Time
            | Capture::DayFirst
            | Capture::YearFirst
            | Capture::Level
            | Capture::Message
            | Capture::Pairs
            | Capture::Nothing => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

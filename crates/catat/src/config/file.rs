//! The configuration file: where it is, and its entries with their lines.

use std::path::{Path, PathBuf};

use definition::{DefinitionError, Part};
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;

/// One `key = value` of the file.
pub(super) struct Entry {
    pub(super) section: String,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) line: usize,
}

/// What a file says.
pub(super) struct Contents {
    pub(super) entries: Vec<Entry>,
    /// The tables `[[pipeline]]`, which are checked already.
    pub(super) pipelines: Option<Json>,
    /// The tables `[[input]]`, which are checked already.
    pub(super) inputs: Option<Json>,
    /// What is wrong with those.
    pub(super) errors: Vec<ConfigError>,
}

/// Finds what is wrong with definitions.
type Check = fn(&Json) -> Vec<DefinitionError>;

/// What is defined by tables of its own, `[[NAME]]`.
const DEFINITIONS: [(&str, Check); 2] = [
    #[cfg(not(feature = "server"))]
    ("pipeline", |_| Vec::new()),
    #[cfg(feature = "server")]
    ("pipeline", |definitions| ingest::Pipelines::compile(definitions).err().unwrap_or_default()),
    ("input", |definitions| ship::inputs_of(definitions).err().unwrap_or_default()),
];

/// Returns the file to read. A named file must exist; the default ones need not.
pub(super) fn find(flag: Option<&Path>, environment: &[(String, String)]) -> Result<Option<PathBuf>, ConfigError> {
    let variable = |name: &str| environment.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let named = flag.map(|path| (path.to_owned(), "--config".to_owned()));
    let named = named.or_else(|| variable("CATAT_CONFIG").map(|path| (path.into(), "CATAT_CONFIG".into())));
    if let Some((path, place)) = named {
        if path.is_file() {
            return Ok(Some(path));
        }
        let problem = format!("no such file: {}; create it or omit the option", path.display());
        return Err(ConfigError { place, problem });
    }
    let home = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| variable("HOME").map(|home| Path::new(home).join(".config")));
    let mut places = vec![PathBuf::from("catat.toml")];
    places.extend(home.map(|home| home.join("catat/catat.toml")));
    places.push("/etc/catat/catat.toml".into());
    Ok(places.into_iter().find(|path| path.is_file()))
}

/// Reads all entries of the file.
pub(super) fn read(path: &Path) -> Result<Contents, ConfigError> {
    let error = |place: String, problem: String| ConfigError { place, problem };
    let text = std::fs::read_to_string(path).map_err(|e| error(path.display().to_string(), e.to_string()))?;
    let line_of = |offset: usize| text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1;
    let place = |offset: usize| format!("{}:{}", path.display(), line_of(offset));
    let (table, problems) = DeTable::parse_recoverable(&text);
    let at = |problem: &toml::de::Error| place(problem.span().map_or(0, |span| span.start));
    let errors: Vec<_> = problems.iter().map(|problem| error(at(problem), problem.message().to_owned())).collect();
    let mut contents = Contents { entries: Vec::new(), pipelines: None, inputs: None, errors };
    for (section, content) in table.get_ref() {
        if let Some((_, check)) = DEFINITIONS.iter().find(|(name, _)| section.get_ref() == name) {
            let definitions = match json_of(content) {
                Ok(definitions) => definitions,
                Err((offset, problem)) => {
                    contents.errors.push(error(place(offset), problem.to_owned()));
                    continue;
                }
            };
            let located = |wrong: &DefinitionError| error(place(offset_of(content, &wrong.path)), wrong.to_string());
            contents.errors.extend(check(&definitions).iter().map(located));
            let is_pipeline = section.get_ref() == "pipeline";
            let kept = if is_pipeline { &mut contents.pipelines } else { &mut contents.inputs };
            *kept = Some(definitions);
            continue;
        }
        let DeValue::Table(keys) = content.get_ref() else {
            let name = section.get_ref();
            let problem = format!("\"{name}\" is outside a section; settings belong under [server], [storage], …");
            contents.errors.push(error(place(section.span().start), problem));
            continue;
        };
        for (key, value) in keys {
            let Some(value) = text_of(value) else {
                let problem = format!("\"{}\" must be a string, number, boolean or list", key.get_ref());
                contents.errors.push(error(place(key.span().start), problem));
                continue;
            };
            contents.entries.push(Entry {
                section: section.get_ref().to_string(),
                key: key.get_ref().to_string(),
                value,
                line: line_of(key.span().start),
            });
        }
    }
    Ok(contents)
}

/// Returns a value as text; lists of texts are joined by commas.
fn text_of(value: &Spanned<DeValue<'_>>) -> Option<String> {
    Some(match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().replace('_', ""),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Array(items) => items.iter().map(text_of).collect::<Option<Vec<_>>>()?.join(","),
        DeValue::Datetime(_) | DeValue::Table(_) => return None,
    })
}

/// Returns a value as JSON.
///
/// # Errors
/// The offset of a value that JSON cannot express, and the reason.
fn json_of(value: &Spanned<DeValue<'_>>) -> Result<Json, (usize, &'static str)> {
    let wrong = |problem| (value.span().start, problem);
    Ok(match value.get_ref() {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            let number = i64::from_str_radix(&digits, number.radix()).map_err(|_| wrong("this number is too large"))?;
            Json::from(number)
        }
        DeValue::Float(number) => {
            let number: f64 = number.as_str().replace('_', "").parse().map_err(|_| wrong("this is not a number"))?;
            Json::from(number)
        }
        DeValue::Boolean(truth) => Json::from(*truth),
        DeValue::Array(items) => items.iter().map(json_of).collect::<Result<_, _>>()?,
        DeValue::Table(members) => {
            let member = |(key, value)| -> Result<(String, Json), _> {
                let (key, value): (&Spanned<_>, &Spanned<DeValue<'_>>) = (key, value);
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Ok((key.to_string(), json_of(value)?))
            };
            Json::Object(members.iter().map(member).collect::<Result<_, _>>()?)
        }
        DeValue::Datetime(_) => return Err(wrong("a time must be in quotes")),
    })
}

/// Returns the offset of the value at a path, or of the last value on the way that exists.
fn offset_of(root: &Spanned<DeValue<'_>>, path: &[Part]) -> usize {
    let (mut value, mut offset) = (root, root.span().start);
    for part in path {
        let next = match (part, value.get_ref()) {
            (Part::Index(index), DeValue::Array(items)) => items.get(*index).map(|item| (item.span().start, item)),
            (Part::Key(wanted), DeValue::Table(members)) => members
                .iter()
                .find(|(key, _)| key.get_ref().as_ref() == wanted)
                .map(|(key, value)| (key.span().start, value)),
            _ => None,
        };
        let Some((start, found)) = next else { break };
        (value, offset) = (found, start);
    }
    offset
}

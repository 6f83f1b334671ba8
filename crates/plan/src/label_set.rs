//! The labels of one line as LogQL sees them: those of its stream, its structured metadata, and those that stages made.
//!
//! Loki keeps the three apart: a label that a parser finds under the name of a label of the stream or of metadata gets
//! `_extracted` after its name, stages may replace or drop any of them, and clients are shown which is which. A set is
//! written as one text between the stages of a query, so that it is a value like any other: [`LabelSet::read`] and
//! [`LabelSet::write`].
//!
//! Text: `c` or `o` for a set that is closed or open, then entries `kind length:name length:value`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

/// After the name of a label that a parser found although the stream has one of that name.
const DUPLICATE: &str = "_extracted";

/// The label that Loki derives for streams without it, and its value where none of [`SERVICE_LABELS`] is there.
pub const SERVICE_NAME: &str = "service_name";
const SERVICE_UNKNOWN: &str = "unknown_service";

/// Labels that name the service of a stream, the first that is there.
const SERVICE_LABELS: [&str; 13] = [
    "service", "app", "application", "app_name", "name", "app_kubernetes_io_name", "container", "container_name",
    "k8s_container_name", "component", "workload", "job", "k8s_job_name",
];

/// The label that names the error of a parser or conversion.
pub const ERROR: &str = "__error__";
/// The label with the details of [`ERROR`].
pub const ERROR_DETAILS: &str = "__error_details__";

/// The label with the level that was recognised as the line came in.
pub const DETECTED_LEVEL: &str = "detected_level";

/// Where a label comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stream,
    Metadata,
    Parsed,
    /// A name that a stage has dropped.
    Deleted,
    /// A name that a stage has given a value and another one has dropped: no parser adds it again.
    Extracted,
    Error,
    ErrorDetails,
}

impl Kind {
    const ALL: [(char, Self); 7] = [
        ('s', Self::Stream),
        ('m', Self::Metadata),
        ('p', Self::Parsed),
        ('d', Self::Deleted),
        ('x', Self::Extracted),
        ('e', Self::Error),
        ('f', Self::ErrorDetails),
    ];

    fn letter(self) -> char {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or('p', |(letter, _)| *letter)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry<'a> {
    kind: Kind,
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

/// The labels of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSet<'a> {
    entries: Vec<Entry<'a>>,
    /// Whether every field of the event can be asked for as a label: so it is for events that no Loki sender pushed.
    is_open: bool,
}

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// Labels of a line by where they come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Categories {
    /// Labels of the stream.
    pub stream: Labels,
    /// Structured metadata.
    pub metadata: Labels,
    /// Labels that stages made, and errors.
    pub parsed: Labels,
}

impl<'a> LabelSet<'a> {
    /// Returns a set without labels. `is_open` says whether fields of the event stand for labels that are missing.
    pub fn new(is_open: bool) -> Self {
        Self { entries: Vec::new(), is_open }
    }

    /// Reads what [`write`](Self::write) wrote; what is damaged ends the set.
    pub fn read(text: &'a str) -> Self {
        let mut set = Self::new(text.starts_with('o'));
        let mut rest = text.get(1..).unwrap_or_default();
        while let Some((entry, after)) = entry(rest) {
            set.entries.push(entry);
            rest = after;
        }
        set
    }

    /// Returns the set as one text.
    pub fn write(&self) -> String {
        let n_bytes = self.entries.iter().map(|entry| entry.name.len() + entry.value.len() + 8).sum::<usize>();
        let mut text = String::with_capacity(n_bytes + 1);
        text.push(if self.is_open { 'o' } else { 'c' });
        for Entry { kind, name, value } in &self.entries {
            let _ = write!(text, "{}{}:{name}{}:{value}", kind.letter(), name.len(), value.len());
        }
        text
    }

    fn find(&self, kind: Kind, name: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.kind == kind && entry.name == name)
    }

    /// Returns the value of a label; an error too.
    pub fn get(&self, name: &str) -> Option<&str> {
        let special = match name {
            ERROR => Some(Kind::Error),
            ERROR_DETAILS => Some(Kind::ErrorDetails),
            _ => None,
        };
        if let Some(kind) = special {
            return self.entries.iter().find(|entry| entry.kind == kind).map(|entry| &*entry.value);
        }
        let made = self.find(Kind::Parsed, name).or_else(|| self.find(Kind::Metadata, name));
        let found = match made {
            Some(entry) => Some(entry),
            None if self.find(Kind::Deleted, name).is_some() => None,
            None => self.find(Kind::Stream, name),
        };
        found.map(|entry| &*entry.value)
    }

    /// Reports whether a field of the event stands for the label `name`.
    pub fn admits_field(&self, name: &str) -> bool {
        self.is_open && self.find(Kind::Deleted, name).is_none() && self.get(name).is_none()
    }

    /// Adds a label of the stream; empty ones are none.
    pub fn add_stream(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let value = value.into();
        if !value.is_empty() {
            self.entries.push(Entry { kind: Kind::Stream, name: name.into(), value });
        }
    }

    /// Adds structured metadata, of two of the same name the later.
    pub fn add_metadata(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let mut name = name.into();
        if self.find(Kind::Stream, &name).is_some() {
            name = Cow::Owned(format!("{name}{DUPLICATE}"));
        }
        self.put(Kind::Metadata, name, value.into());
    }

    fn put(&mut self, kind: Kind, name: Cow<'a, str>, value: Cow<'a, str>) {
        match self.entries.iter_mut().find(|entry| entry.kind == kind && entry.name == name) {
            Some(entry) => entry.value = value,
            None => self.entries.push(Entry { kind, name, value }),
        }
    }

    /// Gives a label a value, whatever it was before.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let name = name.into();
        self.entries.retain(|entry| entry.kind != Kind::Metadata || entry.name != name);
        self.put(Kind::Parsed, name, value.into());
    }

    /// Adds what a parser found, unless an earlier stage or the parser itself has found it before. The labels of the
    /// stream and the metadata stay as they are.
    pub fn extract(&mut self, name: Cow<'a, str>, value: impl Into<Cow<'a, str>>) {
        let name = self.extracted_name(name);
        if !self.is_extracted(&name) {
            self.set(name, value);
        }
    }

    /// Reports whether a stage has given a label a value.
    pub fn is_extracted(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Returns the place of a label among those to which stages gave values, in the order in which they did.
    pub fn place(&self, name: &str) -> Option<usize> {
        let is_made = |entry: &Entry<'_>| matches!(entry.kind, Kind::Parsed | Kind::Extracted) && entry.name == name;
        self.entries.iter().position(is_made)
    }

    /// Returns the name under which a parser adds a label.
    pub fn extracted_name(&self, name: Cow<'a, str>) -> Cow<'a, str> {
        let is_known = self.find(Kind::Stream, &name).is_some() || self.find(Kind::Metadata, &name).is_some();
        if is_known { Cow::Owned(format!("{name}{DUPLICATE}")) } else { name }
    }

    /// Takes a label away.
    pub fn delete(&mut self, name: &str) {
        match name {
            ERROR => self.entries.retain(|entry| entry.kind != Kind::Error),
            ERROR_DETAILS => self.entries.retain(|entry| entry.kind != Kind::ErrorDetails),
            _ => {
                if self.find(Kind::Parsed, name).is_some() && self.find(Kind::Extracted, name).is_none() {
                    let name = Cow::Owned(name.to_owned());
                    self.entries.push(Entry { kind: Kind::Extracted, name, value: Cow::Borrowed("") });
                }
                let is_made = |entry: &Entry<'a>| matches!(entry.kind, Kind::Metadata | Kind::Parsed);
                self.entries.retain(|entry| !is_made(entry) || entry.name != name);
                if self.find(Kind::Deleted, name).is_none() {
                    let name = Cow::Owned(name.to_owned());
                    self.entries.push(Entry { kind: Kind::Deleted, name, value: Cow::Borrowed("") });
                }
            }
        }
    }

    /// Renames a label that is there.
    pub fn rename(&mut self, from: &str, to: &'a str) {
        let is_special = matches!(from, ERROR | ERROR_DETAILS);
        if let Some(value) = self.get(from).filter(|_| !is_special).map(str::to_owned) {
            self.set(to, value);
            self.delete(from);
        }
    }

    /// Takes all labels away but those that `is_kept` says; from here on no field stands for a label.
    pub fn keep(&mut self, is_kept: impl Fn(&str) -> bool) {
        let names: Vec<String> = self.labels().into_keys().collect();
        for name in names.iter().filter(|name| !name.starts_with("__error") && !is_kept(name)) {
            self.delete(name);
        }
        self.is_open = false;
    }

    /// Says what could not be read; what was said before is replaced.
    pub fn fail(&mut self, error: &'a str, details: impl Into<Cow<'a, str>>) {
        let details = details.into();
        let is_error = |entry: &Entry<'a>| matches!(entry.kind, Kind::Error | Kind::ErrorDetails);
        self.entries.retain(|entry| !is_error(entry) || details.is_empty() && entry.kind == Kind::ErrorDetails);
        for (kind, value) in [(Kind::Error, Cow::Borrowed(error)), (Kind::ErrorDetails, details)] {
            if !value.is_empty() {
                self.entries.push(Entry { kind, name: Cow::Borrowed(""), value });
            }
        }
    }

    /// Returns the labels by where they come from.
    pub fn categories(&self) -> Categories {
        let mut all = Categories::default();
        for Entry { kind, name, value } in &self.entries {
            let (labels, name) = match kind {
                Kind::Stream => {
                    let is_hidden = [Kind::Deleted, Kind::Metadata, Kind::Parsed]
                        .into_iter()
                        .any(|other| self.find(other, name).is_some());
                    if is_hidden {
                        continue;
                    }
                    (&mut all.stream, &**name)
                }
                Kind::Metadata => (&mut all.metadata, &**name),
                Kind::Parsed => (&mut all.parsed, &**name),
                Kind::Error => (&mut all.parsed, ERROR),
                Kind::ErrorDetails => (&mut all.parsed, ERROR_DETAILS),
                Kind::Deleted | Kind::Extracted => continue,
            };
            labels.insert(name.to_owned(), value.clone().into_owned());
        }
        all
    }

    /// All labels.
    pub fn labels(&self) -> Labels {
        let Categories { mut stream, metadata, parsed } = self.categories();
        stream.extend(metadata);
        stream.extend(parsed);
        stream
    }

    /// Returns the set of a series: all labels but for some, in the order of their names. Those that a stage gave no
    /// value stay.
    pub fn of_series(&self, without: &[impl AsRef<str>]) -> LabelSet<'static> {
        let mut set = LabelSet::new(false);
        let labels = self.labels();
        // Details of an error that was dropped are shown only where no label is left out.
        let has_details = without.is_empty() || labels.contains_key(ERROR);
        for (name, value) in labels {
            if !without.iter().any(|one| one.as_ref() == name) && (has_details || name != ERROR_DETAILS) {
                set.entries.push(Entry { kind: Kind::Parsed, name: name.into(), value: value.into() });
            }
        }
        set
    }
}

/// Returns the first entry of a text, and what follows it.
fn entry(text: &str) -> Option<(Entry<'_>, &str)> {
    let letter = text.chars().next()?;
    let (_, kind) = Kind::ALL.into_iter().find(|(known, _)| *known == letter)?;
    let (name, rest) = counted(text.get(1..)?)?;
    let (value, rest) = counted(rest)?;
    Some((Entry { kind, name: name.into(), value: value.into() }, rest))
}

fn counted(text: &str) -> Option<(&str, &str)> {
    let (length, rest) = text.split_once(':')?;
    rest.split_at_checked(length.parse().ok()?)
}

/// Returns the labels in the name of a stream that a Loki sender pushed, with the name of its service; `None` for any
/// other stream.
///
/// The name is what ingest makes of the labels, `{app="pay", env="prod"}`, values escaped as JSON strings.
pub fn labels_of_stream(name: &str) -> Option<Labels> {
    let mut rest = name.strip_prefix('{')?.strip_suffix('}')?;
    let mut labels = Labels::new();
    while !rest.is_empty() {
        let (name, value) = rest.split_once('=')?;
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<String>();
        let text = values.next()?.ok()?;
        if !text.is_empty() {
            labels.insert(name.trim().to_owned(), text);
        }
        rest = value[values.byte_offset()..].trim_start_matches([',', ' ']);
    }
    if !labels.contains_key(SERVICE_NAME) {
        let found = SERVICE_LABELS.iter().find_map(|name| labels.get(*name));
        let service = found.map_or(SERVICE_UNKNOWN, |service| service).to_owned();
        labels.insert(SERVICE_NAME.to_owned(), service);
    }
    Some(labels)
}

/// What ingest says of a pushed line besides its text: its level, and its structured metadata.
///
/// Text: a JSON list of the level, then for each pair its name as it was sent, or a list of name and value where the
/// line may have a field of that name itself.
#[derive(Debug, Default)]
pub struct PushedMetadata {
    /// The level that the sender gave, or an empty text.
    pub level: String,
    /// Names as sent and, where they are not the field of this name, values.
    pub pairs: Vec<(String, Option<String>)>,
}

impl PushedMetadata {
    /// Reads the text form; returns `None` if it is not one.
    pub fn read(text: &str) -> Option<Self> {
        let serde_json::Value::Array(items) = serde_json::from_str(text).ok()? else { return None };
        let mut items = items.into_iter();
        let level = items.next()?.as_str()?.to_owned();
        let pair = |item: serde_json::Value| match item {
            serde_json::Value::String(name) => Some((name, None)),
            serde_json::Value::Array(pair) => match pair.as_slice() {
                [name, value] => Some((name.as_str()?.to_owned(), Some(value.as_str()?.to_owned()))),
                _ => None,
            },
            _ => None,
        };
        Some(Self { level, pairs: items.filter_map(pair).collect() })
    }
}

/// Returns the name of structured metadata as Loki stores it: letters, digits and `_`.
pub fn metadata_name(sent: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts_with_digit = sent.starts_with(|c: char| c.is_ascii_digit());
    if sent.chars().all(is_plain) && !starts_with_digit {
        return Cow::Borrowed(sent);
    }
    let mut name = if starts_with_digit { "key_".to_owned() } else { String::new() };
    name.extend(sent.chars().map(|c| if is_plain(c) { c } else { '_' }));
    Cow::Owned(name)
}

#[cfg(test)]
mod tests;

//! Functions of the labels of LogQL, column by column.
//!
//! What a Loki sender said of a line stands in the name of its stream (the labels) and in `@loki` (level and the names of
//! its metadata, whose values are fields of the event). Both repeat, so that they are taken apart once per distinct value.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use types::{Column, MISSING_CODE, Value};

use super::super::cell::Cell;
use super::super::expression::{Environment, Stop, evaluate};
use super::super::frame::{Frame, booleans};
use super::unreadable;
use super::{Made, filled, rows};
use plan::Expr;
use plan::function::LabelsFunction;
use plan::label_set::{DETECTED_LEVEL, Labels, PushedMetadata};
use plan::label_set::{LabelSet, labels_of_stream, metadata_name};
use plan::line_parser;
use plan::line_parser::Logfmt;
use plan::template::parse_float;
use plan::units::{duration_ns, size_bytes};

/// Label sets that are held once each; where a block has more, they hardly repeat.
const REPEATED_MAX: usize = 1_000;

/// The level of a line that no sender said and nothing in the line says.
const LEVEL_UNKNOWN: &str = "unknown";

/// The values of a call.
pub(super) fn call(
    function: LabelsFunction,
    arguments: &[Expr],
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<Made, Stop> {
    use LabelsFunction as L;
    match (function, arguments) {
        (L::IsPushed, [stream]) => {
            let streams = evaluate(stream, frame, env)?;
            let is_pushed = |row| Cell::at(&streams, row).text().is_some_and(|name| labels_of_stream(&name).is_some());
            Ok((Arc::new(booleans(&types::RowSet::of(streams.n_rows(), is_pushed))), None))
        }
        (L::OfStream, [stream, name]) => {
            let streams = evaluate(stream, frame, env)?;
            let name = literal(name);
            rows(frame.n_rows(), env, |row| {
                labels_of_stream(&Cell::at(&streams, row).text()?)?.remove(name).map(Value::text)
            })
        }
        (L::Base, [name, stream, metadata, other]) => base(literal(name), [stream, metadata, other], frame, env),
        (L::Begin, arguments) if arguments.len() == 6 => begin(arguments, frame, env),
        (L::Get, [set, name, other]) => get(set, literal(name), other, frame, env),
        (L::Number | L::Duration | L::Size, [text]) => {
            let texts = evaluate(text, frame, env)?;
            rows(frame.n_rows(), env, |row| {
                let text = Cell::at(&texts, row).text()?;
                match function {
                    L::Number => parse_float(&text).map(Value::Float),
                    L::Duration => duration_ns(&text).map(Value::Integer),
                    _ => size_bytes(&text).map(|bytes| Value::Float(bytes as f64)),
                }
            })
        }
        (L::Same, [label, text]) => {
            let (labels, text) = (evaluate(label, frame, env)?, literal(text));
            let is_same = |row| Cell::at(&labels, row).text().is_some_and(|label| label == text);
            Ok((Arc::new(booleans(&types::RowSet::of(labels.n_rows(), is_same))), None))
        }
        (L::IsParsed, [set, name]) => {
            let (sets, name) = (evaluate(set, frame, env)?, literal(name));
            let is_parsed =
                |row| Cell::at(&sets, row).text().is_some_and(|set| LabelSet::read(&set).is_extracted(name));
            Ok((Arc::new(booleans(&types::RowSet::of(sets.n_rows(), is_parsed))), None))
        }
        (L::Unreadable | L::TemplateProblem | L::Fits, arguments) => judged(function, arguments, frame, env),
        (L::Fail, [set, condition, error, details]) => fail([set, condition, details], literal(error), frame, env),
        (L::UnpackedLine, [line]) => {
            let lines = evaluate(line, frame, env)?;
            rows(frame.n_rows(), env, |row| {
                let line = Cell::at(&lines, row).text()?;
                Some(
                    line_parser::unpacked_line(&line).map_or_else(|| Value::text(&*line), |entry| Value::text(&*entry)),
                )
            })
        }
        (_, [set, line, details @ ..]) if is_parser(function) => {
            let parser = Parser::of(function, details);
            let (sets, lines) = (evaluate(set, frame, env)?, evaluate(line, frame, env)?);
            rows(frame.n_rows(), env, |row| {
                let (set, line) = (Cell::at(&sets, row).text()?, Cell::at(&lines, row).text());
                let mut set = LabelSet::read(&set);
                parser.read(line.as_deref().unwrap_or_default(), &mut set);
                Some(Value::text(set.write()))
            })
        }
        (_, [set, details @ ..]) => change(function, set, details, frame, env),
        _ => Ok((Arc::new(Column::Missing { n_rows: frame.n_rows() }), None)),
    }
}

/// What is wrong with a text or a template, and whether a line fits a pattern.
fn judged(
    function: LabelsFunction,
    arguments: &[Expr],
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<Made, Stop> {
    use LabelsFunction as L;
    match (function, arguments) {
        (L::Unreadable, [text, kind]) => {
            let texts = evaluate(text, frame, env)?;
            let of: fn(&str) -> String = match literal(kind) {
                "bytes" => unreadable::size,
                "duration" | "duration_seconds" => unreadable::duration,
                _ => unreadable::number,
            };
            rows(frame.n_rows(), env, |row| Some(Value::text(of(&Cell::at(&texts, row).text()?))))
        }
        (L::TemplateProblem, [Expr::Template(template), values @ ..]) => {
            let columns = values.iter().map(|value| evaluate(value, frame, env)).collect::<Result<Vec<_>, Stop>>()?;
            rows(frame.n_rows(), env, |row| filled(template, &columns, row, env.now).err().map(Value::text))
        }
        (L::Fits, [line, pattern]) => {
            let lines = evaluate(line, frame, env)?;
            let pattern = line_parser::LinePattern::new(literal(pattern)).ok();
            let fits = |row| {
                let line = Cell::at(&lines, row).text();
                pattern.as_ref().is_some_and(|pattern| pattern.fits(line.as_deref().unwrap_or_default()))
            };
            Ok((Arc::new(booleans(&types::RowSet::of(lines.n_rows(), fits))), None))
        }
        _ => Ok((Arc::new(Column::Missing { n_rows: frame.n_rows() }), None)),
    }
}

/// The text of a constant; names and options are constants.
fn literal(expr: &Expr) -> &str {
    match expr {
        Expr::Literal(Some(Value::String(text))) => text,
        _ => "",
    }
}

fn is_parser(function: LabelsFunction) -> bool {
    use LabelsFunction::{Json, JsonPaths, Logfmt, LogfmtKeys, Pattern, Regex, Unpack};
    matches!(function, Json | JsonPaths | Logfmt | LogfmtKeys | Regex | Pattern | Unpack)
}

/// A parser of lines, made ready.
enum Parser<'p> {
    Json,
    JsonPaths(Vec<(String, Vec<line_parser::PathStep>)>),
    Logfmt(Logfmt),
    LogfmtKeys(Logfmt, Vec<(String, String)>),
    Regex(&'p regex::Regex),
    Pattern(Vec<line_parser::Piece>),
    Unpack,
}

impl<'p> Parser<'p> {
    fn of(function: LabelsFunction, details: &'p [Expr]) -> Self {
        let flags = details.first().map(literal).unwrap_or_default();
        let how = Logfmt { is_strict: flags.contains('s'), keeps_empty: flags.contains('e') };
        let pairs = |details: &[Expr]| -> Vec<(String, String)> {
            let pair = |pair: &[Expr; 2]| (literal(&pair[0]).to_owned(), literal(&pair[1]).to_owned());
            details.as_chunks::<2>().0.iter().map(pair).collect()
        };
        match (function, details) {
            (LabelsFunction::JsonPaths, details) => {
                let path = |(name, path): (String, String)| Some((name, line_parser::json_path(&path)?));
                Self::JsonPaths(pairs(details).into_iter().filter_map(path).collect())
            }
            (LabelsFunction::Logfmt, _) => Self::Logfmt(how),
            (LabelsFunction::LogfmtKeys, [_, keys @ ..]) => Self::LogfmtKeys(how, pairs(keys)),
            (LabelsFunction::Regex, [Expr::Regex(regex)]) => Self::Regex(regex),
            (LabelsFunction::Pattern, [pattern]) => {
                Self::Pattern(line_parser::pieces(literal(pattern)).unwrap_or_default())
            }
            (LabelsFunction::Unpack, _) => Self::Unpack,
            _ => Self::Json,
        }
    }

    fn read<'a>(&'a self, line: &'a str, set: &mut LabelSet<'a>) {
        match self {
            Self::Json => line_parser::json(line, set),
            Self::JsonPaths(paths) => line_parser::json_paths(line, paths, set),
            Self::Logfmt(how) => line_parser::logfmt(line, *how, set),
            Self::LogfmtKeys(how, keys) => line_parser::logfmt_keys(line, *how, keys, set),
            Self::Pattern(pieces) => line_parser::pattern(line, pieces, set),
            Self::Unpack => line_parser::unpack(line, set),
            Self::Regex(regex) => {
                let Some(found) = regex.captures(line) else { return };
                for (index, name) in regex.capture_names().enumerate() {
                    if let Some(name) = name {
                        let value = found.get(index).map_or("", |group| group.as_str());
                        set.extract(Cow::Borrowed(name), value);
                    }
                }
            }
        }
    }
}

/// Sets with something added, renamed or taken away.
fn change(
    function: LabelsFunction,
    set: &Expr,
    details: &[Expr],
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<Made, Stop> {
    let sets = evaluate(set, frame, env)?;
    if function == LabelsFunction::Series {
        let without: Vec<&str> = details.iter().map(literal).collect();
        return each_set(&sets, env, |set| Some(Value::text(set.of_series(&without).write())));
    }
    let text = |columns: &[Arc<Column>], at: usize, row: usize| -> Option<String> {
        Some(Cell::at(columns.get(at)?, row).text()?.into_owned())
    };
    let columns: Vec<Arc<Column>> =
        details.iter().map(|argument| evaluate(argument, frame, env)).collect::<Result<_, Stop>>()?;
    let holds = |at: usize, row: usize| columns.get(at).is_some_and(|column| Cell::at(column, row).is_true());
    let name = |at: usize| details.get(at).map(literal).unwrap_or_default();
    rows(frame.n_rows(), env, |row| {
        let written = Cell::at(&sets, row).text()?;
        let mut set = LabelSet::read(&written);
        match function {
            LabelsFunction::Drop if holds(1, row) => set.delete(name(0)),
            LabelsFunction::Set => {
                if let Some(value) = text(&columns, 1, row) {
                    set.set(name(0), value);
                }
            }
            LabelsFunction::Rename => {
                if set.admits_field(name(1))
                    && let Some(value) = text(&columns, 2, row)
                {
                    set.set(name(1), value);
                }
                set.rename(name(1), name(0));
            }
            LabelsFunction::Keep => {
                let kept: Vec<usize> =
                    (0..details.len() / 3).map(|at| at * 3).filter(|at| holds(at + 1, row)).collect();
                for at in &kept {
                    if set.admits_field(name(*at))
                        && let Some(value) = text(&columns, at + 2, row)
                    {
                        set.add_metadata(name(*at), value);
                    }
                }
                set.keep(|label| kept.iter().any(|at| name(*at) == label));
            }
            _ => return Some(Value::text(&*written)),
        }
        Some(Value::text(set.write()))
    })
}

/// Sets with an error where a condition holds. Its details are only found out where there is one.
fn fail(
    [set, condition, details]: [&Expr; 3],
    error: &str,
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<Made, Stop> {
    let (sets, conditions) = (evaluate(set, frame, env)?, evaluate(condition, frame, env)?);
    let holds = |row: usize| Cell::at(&conditions, row).is_true();
    if !(0..frame.n_rows()).any(holds) {
        return Ok((sets, None));
    }
    let details = evaluate(details, frame, env)?;
    rows(frame.n_rows(), env, |row| {
        let written = Cell::at(&sets, row).text()?;
        if !holds(row) {
            return Some(Value::text(&*written));
        }
        let mut set = LabelSet::read(&written);
        set.fail(error, Cell::at(&details, row).text().unwrap_or_default());
        Some(Value::text(set.write()))
    })
}

/// A label of sets.
fn get(set: &Expr, name: &str, other: &Expr, frame: &mut Frame<'_>, env: &Environment) -> Result<Made, Stop> {
    let sets = evaluate(set, frame, env)?;
    let admits_field = |set: &str| LabelSet::read(set).admits_field(name);
    let has_other = !matches!(other, Expr::Literal(None))
        && match &*sets {
            Column::Dictionary { values, .. } => values.iter().any(|set| admits_field(&set.to_string())),
            sets => (0..sets.n_rows()).any(|row| Cell::at(sets, row).text().is_some_and(|set| admits_field(&set))),
        };
    if !has_other {
        return each_set(&sets, env, |set| set.get(name).map(Value::text));
    }
    let others = evaluate(other, frame, env)?;
    rows(frame.n_rows(), env, |row| {
        let set = Cell::at(&sets, row).text()?;
        let set = LabelSet::read(&set);
        match set.get(name) {
            Some(value) => Some(Value::text(value)),
            None if set.admits_field(name) => others.value(row),
            None => None,
        }
    })
}

/// What a function makes of sets: where they repeat, of each only once.
fn each_set(sets: &Column, env: &Environment, make: impl Fn(&LabelSet<'_>) -> Option<Value>) -> Result<Made, Stop> {
    let Column::Dictionary { codes, values } = sets else {
        return rows(sets.n_rows(), env, |row| make(&LabelSet::read(&Cell::at(sets, row).text()?)));
    };
    env.budget.check()?;
    let mut made: Vec<Value> = Vec::new();
    let code_of = |set: &Value| {
        let Some(value) = make(&LabelSet::read(&set.to_string())) else { return MISSING_CODE };
        let code = made.iter().position(|known| *known == value).unwrap_or(made.len());
        if code == made.len() {
            made.push(value);
        }
        code as u32
    };
    let new_codes: Vec<u32> = values.iter().map(code_of).collect();
    let code = |code: &u32| new_codes.get(*code as usize).copied().unwrap_or(MISSING_CODE);
    let codes = codes.iter().map(code).collect();
    Ok((Arc::new(Column::Dictionary { codes, values: Arc::new(made) }), None))
}

/// The distinct texts of a column, and which of them each row has.
struct Distinct {
    texts: Vec<String>,
    codes: Vec<u32>,
}

impl Distinct {
    fn of(column: &Column) -> Self {
        if let Column::Dictionary { codes, values } = column {
            return Self { texts: values.iter().map(Value::to_string).collect(), codes: codes.clone() };
        }
        let (mut texts, mut places) = (Vec::new(), HashMap::new());
        let code = |row: usize| {
            let Some(text) = Cell::at(column, row).text() else { return MISSING_CODE };
            if let Some(code) = places.get(&*text) {
                return *code;
            }
            let code = texts.len() as u32;
            texts.push(text.clone().into_owned());
            places.insert(text.into_owned(), code);
            code
        };
        let codes = (0..column.n_rows()).map(code).collect();
        Self { texts, codes }
    }

    fn text(&self, code: u32) -> Option<&str> {
        self.texts.get(code as usize).map(String::as_str)
    }

    /// The texts, taken apart; behind them what a missing one gives.
    fn each<T>(&self, read: impl Fn(Option<&str>) -> T) -> Vec<T> {
        self.texts.iter().map(|text| read(Some(text))).chain([read(None)]).collect()
    }

    fn place(&self, row: usize) -> usize {
        (self.codes[row] as usize).min(self.texts.len())
    }
}

/// The field that holds the value of metadata; nobody forges system fields.
fn field_of(sent: &str) -> Cow<'_, str> {
    sent.strip_prefix('@').map_or(Cow::Borrowed(sent), |bare| Cow::Owned(format!("_{bare}")))
}

/// What a label is for the events of a stream with the same `@loki`.
#[derive(Clone, Debug)]
enum Source {
    Nothing,
    Text(u32),
    Field(usize),
    /// What it is for events that no Loki sender pushed.
    Other,
}

/// A label of events before any stage.
fn base(
    name: &str,
    [stream, metadata, other]: [&Expr; 3],
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<Made, Stop> {
    let (streams, metadata) = (evaluate(stream, frame, env)?, evaluate(metadata, frame, env)?);
    let (streams, metadata) = (Distinct::of(&streams), Distinct::of(&metadata));
    let labels = streams.each(|text| text.and_then(labels_of_stream));
    let pushed = metadata.each(|text| text.and_then(PushedMetadata::read));
    let (mut texts, mut fields): (Vec<Value>, Vec<String>) = (Vec::new(), Vec::new());
    let mut known: HashMap<(usize, usize), Source> = HashMap::new();
    let mut source_of = |labels: Option<&Labels>, pushed: Option<&PushedMetadata>| {
        let mut text = |value: &str| {
            texts.push(Value::text(value));
            Source::Text(texts.len() as u32 - 1)
        };
        let Some(labels) = labels else { return Source::Other };
        if let Some(value) = labels.get(name) {
            return text(value);
        }
        let Some(pushed) = pushed else { return Source::Other };
        let is_asked = |sent: &str| {
            let known = metadata_name(sent);
            if labels.contains_key(&*known) {
                name.strip_suffix("_extracted") == Some(&*known)
            } else {
                *known == *name
            }
        };
        match pushed.pairs.iter().rfind(|(sent, _)| is_asked(sent)) {
            Some((_, Some(value))) => text(value),
            Some((sent, None)) => {
                fields.push(field_of(sent).into_owned());
                Source::Field(fields.len() - 1)
            }
            None if name == DETECTED_LEVEL => text(&pushed.level),
            None => Source::Nothing,
        }
    };
    let n_rows = frame.n_rows();
    let sources: Vec<Source> = (0..n_rows)
        .map(|row| {
            let key = (streams.place(row), metadata.place(row));
            known.entry(key).or_insert_with(|| source_of(labels[key.0].as_ref(), pushed[key.1].as_ref())).clone()
        })
        .collect();
    if sources.iter().all(|source| matches!(source, Source::Nothing | Source::Text(_))) {
        let code = |source: &Source| if let Source::Text(code) = source { *code } else { MISSING_CODE };
        let codes = sources.iter().map(code).collect();
        return Ok((Arc::new(Column::Dictionary { codes, values: Arc::new(texts) }), None));
    }
    let others = match sources.iter().any(|source| matches!(source, Source::Other)) {
        true => evaluate(other, frame, env)?,
        false => Arc::new(Column::Missing { n_rows }),
    };
    if sources.iter().all(|source| matches!(source, Source::Other)) {
        return Ok((others, None));
    }
    let columns: Vec<Arc<Column>> = fields.iter().map(|field| frame.column(field)).collect::<Result<_, _>>()?;
    rows(n_rows, env, |row| match &sources[row] {
        Source::Nothing => None,
        Source::Text(code) => Some(texts[*code as usize].clone()),
        Source::Field(place) => columns[*place].value(row),
        Source::Other => others.value(row),
    })
}

/// Label sets of events before any stage.
fn begin(arguments: &[Expr], frame: &mut Frame<'_>, env: &Environment) -> Result<Made, Stop> {
    let columns: Vec<Arc<Column>> =
        arguments.iter().map(|argument| evaluate(argument, frame, env)).collect::<Result<_, Stop>>()?;
    let (streams, metadata) = (Distinct::of(&columns[0]), Distinct::of(&columns[1]));
    let labels = streams.each(|text| text.and_then(labels_of_stream));
    let pushed = metadata.each(|text| text.and_then(PushedMetadata::read));
    let mut fields: HashMap<String, Arc<Column>> = HashMap::new();
    for sent in pushed.iter().flatten().flat_map(|pushed| &pushed.pairs).filter(|pair| pair.1.is_none()) {
        if !fields.contains_key(&sent.0) {
            fields.insert(sent.0.clone(), frame.column(&field_of(&sent.0))?);
        }
    }
    let mut known: HashMap<(usize, usize), Value> = HashMap::new();
    if let Some(column) = repeated(&streams, &metadata, &labels, &pushed) {
        return Ok((Arc::new(column), None));
    }
    rows(frame.n_rows(), env, |row| {
        let key = (streams.place(row), metadata.place(row));
        let Some(labels) = &labels[key.0] else {
            let stream = streams.text(streams.codes[row]).unwrap_or_default();
            return Some(Value::text(unpushed(stream, &columns[2..], row).write()));
        };
        if let Some(value) = known.get(&key) {
            return Some(value.clone());
        }
        let pushed = pushed[key.1].as_ref();
        let mut set = LabelSet::new(pushed.is_none());
        labels.iter().for_each(|(name, value)| set.add_stream(name.as_str(), value.as_str()));
        let mut is_of_row = pushed.is_none();
        for (sent, value) in pushed.iter().flat_map(|pushed| &pushed.pairs) {
            let value = match value {
                Some(value) => Some(value.clone()),
                None => {
                    is_of_row = true;
                    fields.get(sent).and_then(|column| Some(Cell::at(column, row).text()?.into_owned()))
                }
            };
            if let Some(value) = value {
                set.add_metadata(metadata_name(sent), value);
            }
        }
        if set.get(DETECTED_LEVEL).is_none() {
            let level = match pushed {
                Some(pushed) => pushed.level.clone(),
                None => Cell::at(&columns[5], row).text().map_or_else(|| LEVEL_UNKNOWN.to_owned(), Cow::into_owned),
            };
            set.add_metadata(DETECTED_LEVEL, level);
        }
        let value = Value::text(set.write());
        if !is_of_row {
            known.insert(key, value.clone());
        }
        Some(value)
    })
}

/// Label sets of pushed lines that nothing of the single line is in, each of them once; `None` where there are others.
fn repeated(
    streams: &Distinct,
    metadata: &Distinct,
    labels: &[Option<Labels>],
    pushed: &[Option<PushedMetadata>],
) -> Option<Column> {
    let (mut codes, mut sets) = (Vec::with_capacity(streams.codes.len()), Vec::new());
    let mut known: HashMap<(usize, usize), u32> = HashMap::new();
    for row in 0..streams.codes.len() {
        let key = (streams.place(row), metadata.place(row));
        if let Some(code) = known.get(&key) {
            codes.push(*code);
            continue;
        }
        let (labels, pushed) = (labels[key.0].as_ref()?, pushed[key.1].as_ref()?);
        if pushed.pairs.iter().any(|(_, value)| value.is_none()) || sets.len() >= REPEATED_MAX {
            return None;
        }
        let mut set = LabelSet::new(false);
        labels.iter().for_each(|(name, value)| set.add_stream(name.as_str(), value.as_str()));
        for (sent, value) in &pushed.pairs {
            set.add_metadata(metadata_name(sent), value.clone().unwrap_or_default());
        }
        if set.get(DETECTED_LEVEL).is_none() {
            set.add_metadata(DETECTED_LEVEL, pushed.level.clone());
        }
        known.insert(key, sets.len() as u32);
        codes.push(sets.len() as u32);
        sets.push(Value::text(set.write()));
    }
    Some(Column::Dictionary { codes, values: Arc::new(sets) })
}

/// The labels of an event that no Loki sender pushed, given its group, host, service and level.
fn unpushed(stream: &str, columns: &[Arc<Column>], row: usize) -> LabelSet<'static> {
    let mut set = LabelSet::new(true);
    let text = |at: usize| columns.get(at).and_then(|column| Some(Cell::at(column, row).text()?.into_owned()));
    let labels =
        [("group", text(0)), ("filename", Some(stream.to_owned())), ("host", text(1)), ("service_name", text(2))];
    for (name, value) in labels {
        set.add_stream(name, value.unwrap_or_default());
    }
    if let Some(level) = text(3) {
        set.add_metadata(DETECTED_LEVEL, level);
    }
    set
}

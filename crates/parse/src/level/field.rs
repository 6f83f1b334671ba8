//! Which fields hold a level, and which level their values are.

use types::{Level, Value};

/// What kind of level a field of some name holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LevelField {
    /// Names and the numbers 10 to 60.
    Named,
    /// The same, and syslog's numbers 0 to 7.
    Severity,
    /// OTLP's numbers 1 to 24.
    OtlpNumber,
    /// Names, where no key of the record itself has one.
    Nested,
}

/// Names of fields that hold a level, in lower case; but the last, the journal's, says anything in lower case.
const LEVEL_FIELDS: [(&str, LevelField); 34] = {
    use LevelField::*;
    [
        ("level", Named),
        ("severity", Severity),
        ("lvl", Named),
        ("loglevel", Named),
        ("log_level", Named),
        ("_loglevel", Named),
        ("log.level", Named),
        ("levelname", Named),
        ("level_name", Named),
        ("error_severity", Named),
        ("prio", Named),
        ("@l", Named),
        ("severity_text", Severity),
        ("severitytext", Severity),
        ("severity_label", Severity),
        ("severity_name", Severity),
        ("syslog_severity", Severity),
        ("syslogseverity", Severity),
        ("syslogseverity-text", Severity),
        ("log.severity", Severity),
        ("log.syslog.severity.name", Severity),
        ("severity_number", OtlpNumber),
        ("severitynumber", OtlpNumber),
        ("logfire.level_num", OtlpNumber),
        ("record.level.name", Nested),
        ("level.name", Nested),
        ("level.levelstr", Nested),
        ("fields.level", Nested),
        ("@fields.level", Nested),
        ("@fields.levelname", Nested),
        ("context.loglevel", Nested),
        ("_meta.loglevelname", Nested),
        ("log.loglevel", Nested),
        ("priority", Severity),
    ]
};

/// Lengths of the names that begin with each letter, one bit each: most names are told apart by them.
const LEVEL_FIELD_LENGTHS: [u32; 256] = {
    let mut lengths = [0; 256];
    let mut n_done = 0;
    while n_done < LEVEL_FIELDS.len() {
        let name = LEVEL_FIELDS[n_done].0.as_bytes();
        lengths[(name[0] | 0x20) as usize] |= 1 << name.len();
        n_done += 1;
    }
    lengths
};

/// Tells whether a field of this name holds a level, whatever the case of its letters.
pub(crate) fn level_field(name: &str) -> Option<LevelField> {
    let (first, last) = (name.bytes().next()?, name.bytes().next_back()?);
    let is_likely = matches!(last | 0x20, b'e' | b'l' | b'm' | b'o' | b'r' | b't' | b'y');
    if !is_likely || name.len() > 31 || LEVEL_FIELD_LENGTHS[usize::from(first | 0x20)] & (1 << name.len()) == 0 {
        return None;
    }
    let (known, kind) = LEVEL_FIELDS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    (*known != "priority" || name == "PRIORITY").then_some(*kind)
}

/// The level that a field says; `None` where its name or its value is of no level.
pub fn level_of_field(name: &str, value: &Value) -> Option<Level> {
    let kind = level_field(name)?;
    match value {
        Value::String(text) => level_of_word(kind, text),
        Value::Integer(number) => level_of_number(kind, *number),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e6 => level_of_number(kind, *number as i64),
        _ => None,
    }
}

pub(crate) fn level_of_word(kind: LevelField, text: &str) -> Option<Level> {
    let mut word = text.trim();
    if let Some((_, coloured)) = word.strip_prefix('\u{1b}').and_then(|colour| colour.split_once('m')) {
        word = coloured.split('\u{1b}').next().unwrap_or(coloured).trim();
    }
    match word.parse() {
        Ok(number) => level_of_number(kind, number),
        // npm's libraries write it so, and have it above `debug`.
        Err(_) if word == "verbose" => Some(Level::Debug),
        Err(_) => Level::parse(word).or_else(|| of_distance(word)),
    }
}

pub(crate) fn level_of_number(kind: LevelField, number: i64) -> Option<Level> {
    match (kind, number) {
        (LevelField::OtlpNumber, 1..=24) => Level::of_code(((number - 1) / 4 + 1) as u8),
        (LevelField::OtlpNumber, _) => None,
        (LevelField::Severity, 0..=7) => Level::of_syslog(number as u8),
        (_, 10) => Some(Level::Trace),
        (_, 20) => Some(Level::Debug),
        (_, 30) => Some(Level::Info),
        (_, 40) => Some(Level::Warn),
        (_, 50) => Some(Level::Error),
        (_, 60) => Some(Level::Fatal),
        _ => None,
    }
}

/// `DEBUG-4`, `WARN+2`, `ERROR+4` of Go's slog, whose levels are four apart.
fn of_distance(word: &str) -> Option<Level> {
    let at = word.find(['+', '-'])?;
    let base = match &word[..at] {
        "DEBUG" => -4,
        "INFO" => 0,
        "WARN" => 4,
        "ERROR" => 8,
        _ => return None,
    };
    Some(match base + word[at..].parse::<i16>().ok()? {
        ..-4 => Level::Trace,
        -4..0 => Level::Debug,
        0..4 => Level::Info,
        4..8 => Level::Warn,
        8..12 => Level::Error,
        12.. => Level::Fatal,
    })
}

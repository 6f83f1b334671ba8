//! Parsers of lines, with their options read.

use std::borrow::Cow;

use plan::line_parser::Logfmt;
use plan::{Expr, LabelSet, LabelsFunction, line_parser};

use super::constant::literal;

pub(super) fn is_parser(function: LabelsFunction) -> bool {
    use LabelsFunction::{Json, JsonPaths, Logfmt, LogfmtKeys, Pattern, Regex, Unpack};
    matches!(function, Json | JsonPaths | Logfmt | LogfmtKeys | Regex | Pattern | Unpack)
}

/// A parser of lines, made ready.
pub(super) enum Parser<'p> {
    Json,
    JsonPaths(Vec<(String, Vec<line_parser::PathStep>)>),
    Logfmt(Logfmt),
    LogfmtKeys(Logfmt, Vec<(String, String)>),
    Regex(&'p regex::Regex),
    Pattern(Vec<line_parser::Piece>),
    Unpack,
}

impl<'p> Parser<'p> {
    pub(super) fn of(function: LabelsFunction, details: &'p [Expr]) -> Self {
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

    pub(super) fn read<'a>(&'a self, line: &'a str, set: &mut LabelSet<'a>) {
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

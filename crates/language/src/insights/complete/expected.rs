//! Rules of the grammar as what a person may write where they are expected.

use super::super::command_names::{COMMANDS, is_command_word};
use super::super::grammar::Rule;
use super::choice::{Choice, ChoiceKind};
use plan::Format;

/// Options of commands.
const OPTIONS: [(&str, &[&str]); 7] = [
    ("addtotals", &["fieldname", "row", "col", "label", "labelfield"]),
    ("autoregress", &["p"]),
    ("outlier", &["action", "param", "uselower", "mark"]),
    ("mvexpand", &["limit"]),
    ("source", &["start", "end"]),
    ("join", &["type", "left", "right"]),
    ("appendcols", &["override", "max"]),
];

/// Options that a command may have, where one may stand.
pub(super) fn options(expected: &[Rule], is_command: impl Fn(&str) -> bool) -> Vec<Choice> {
    if !expected.iter().any(|rule| matches!(rule, Rule::option | Rule::option_name | Rule::name_pattern)) {
        return Vec::new();
    }
    let known = OPTIONS.iter().filter(|(command, _)| is_command(command)).flat_map(|(_, names)| names.iter());
    let choice = |name: &&str| {
        let written = format!("{name}=");
        Choice { kind: ChoiceKind::Keyword, label: written.clone(), insert: written, detail: "an option".to_owned() }
    };
    known.map(choice).collect()
}

/// Commands that work, the most used ones first.
pub(super) fn commands() -> impl Iterator<Item = Choice> {
    COMMANDS.into_iter().filter(|(_, help)| !help.is_empty()).map(|(name, help)| Choice {
        kind: ChoiceKind::Command,
        label: name.to_owned(),
        insert: format!("{name} "),
        detail: help.to_owned(),
    })
}

fn name_of(rule: Rule) -> String {
    format!("{rule:?}")
}

/// Reports whether a command begins where this is expected.
pub(super) fn is_command(rule: Rule) -> bool {
    rule == Rule::keyword || is_command_word(name_of(rule).trim_start_matches("kw_"))
}

/// Reports whether this is a field, a value or a function.
pub(super) fn is_value(rule: Rule) -> bool {
    matches!(rule, Rule::expr | Rule::paren | Rule::number | Rule::literal | Rule::call | Rule::field | Rule::function)
        || matches!(rule, Rule::item | Rule::sort_key | Rule::negate | Rule::not | Rule::bound | Rule::parse_source)
}

/// Reports whether this is the name of a field.
pub(super) fn is_name(rule: Rule) -> bool {
    matches!(rule, Rule::name | Rule::renaming | Rule::assignment | Rule::join_key | Rule::lookup_key)
        || matches!(rule, Rule::lookup_output | Rule::name_pattern)
}

/// Returns what continues with the command comes before what continues with its last expression.
fn rank(rule: Rule) -> u8 {
    match rule {
        Rule::comparison => 1,
        Rule::like
        | Rule::kw_like
        | Rule::has
        | Rule::kw_has
        | Rule::is_in
        | Rule::kw_in
        | Rule::between
        | Rule::logical
        | Rule::kw_not => 2,
        Rule::pipe => 3,
        _ => 0,
    }
}

/// Words that continue with a command; `is_begun`: a word was begun, so that signs are out of question.
pub(super) fn keywords(expected: &[Rule], is_begun: bool) -> Vec<Choice> {
    let mut words: Vec<(String, &str)> = Vec::new();
    let mut add = |insert: &str, detail: &'static str| {
        if !words.iter().any(|(known, _)| known == insert) {
            words.push((insert.to_owned(), detail));
        }
    };
    let mut ordered = expected.to_vec();
    ordered.sort_by_key(|rule| rank(*rule));
    for rule in &ordered {
        match rule {
            Rule::comparison if !is_begun => ["=", "!=", ">", ">=", "<", "<="].iter().for_each(|sign| add(sign, "")),
            Rule::comparison => {}
            Rule::like | Rule::kw_like => add("like", "like \"part\", like /regex/"),
            Rule::has | Rule::kw_has => add("has", "has \"whole words\" in any case"),
            Rule::is_in | Rule::kw_in => add("in", "in [\"a\", \"b\"]"),
            Rule::between => add("between", "between 1 and 5"),
            Rule::logical => ["and", "or"].iter().for_each(|word| add(word, "")),
            Rule::not => add("not", ""),
            Rule::parse_format | Rule::format_name => {
                Format::ALL.into_iter().for_each(|format| add(format.name(), "a format of lines"))
            }
            Rule::by | Rule::ranking_by => add("by", "a row for each value"),
            Rule::kw_as => add("as", "name it"),
            Rule::earlier => {
                ["previousDay", "previousWeek", "previousMonth"]
                    .iter()
                    .for_each(|word| add(word, "instead of just before"));
            }
            Rule::span => add("span=5m", "length of a span of time"),
            Rule::filling => add("with", "with 0 for column"),
            Rule::pipe if !is_begun => add("|", "next command"),
            Rule::ascending => add("asc", "smallest first"),
            Rule::descending => add("desc", "greatest first"),
            rule => {
                let name = name_of(*rule);
                let word = name.strip_prefix("kw_").or_else(|| name.strip_prefix("parse_"));
                let is_word =
                    |word: &&str| !is_command_word(word) && !matches!(*word, "glob" | "regex" | "source" | "method");
                if let Some(word) = word.filter(is_word) {
                    add(word, "");
                }
            }
        }
    }
    let choice = |(word, detail): (String, &str)| {
        let insert = if word.contains('=') && word.len() > 2 { word.clone() } else { format!("{word} ") };
        Choice { kind: ChoiceKind::Keyword, label: word, insert, detail: detail.to_owned() }
    };
    words.into_iter().map(choice).collect()
}

//! `catat import-config`: configurations, rules, alarms and saved searches of other systems as ours.
//!
//! | from | becomes |
//! |---|---|
//! | shippers | `[[input]]` tables |
//! | rules of Loki and ElastAlert | a file of rules |
//! | alarms of CloudWatch, saved searches of Kibana | what `--apply` has a server make |
//!
//! The result goes to standard output. What has no equal is named on standard error, by its path in the file: every key that is not taken, so
//! that none is lost without a word. A rule or a search that would mean something else without a part is left out as a whole.

mod alarms;
mod alloy;
mod conditions;
mod document;
mod elastalert;
mod input;
mod kibana;
mod order;
mod rsyslog;
mod rules;
mod shippers;

use std::io::Write;

use serde_json::{Value, json};
use toml::{Table, Value as Toml};
use types::{counted, ensure, verb_for};

use self::document::{Section, read};
use self::input::Input;
use self::order::{Order, apply};
use super::journal::at;
use crate::arguments::{ImportConfig, Origin};
use crate::client::Server;
use crate::failure::{Failure, Result, of_output};

pub(crate) fn import_config(options: &ImportConfig) -> Result<()> {
    let text = std::fs::read_to_string(&options.file).map_err(|error| at(&options.file, &error))?;
    let converted = convert(&text, options.of).map_err(|problem| at(&options.file, &&problem.message))?;
    for note in &converted.notes {
        say!("catat: {note}");
    }
    let n_left = converted.notes.len();
    let (what, next) = converted.made.described();
    ensure!(!what.is_empty(), Failure::usage(format!("{} has nothing that is taken here", options.file.display())));
    let left = format!("{} {} not taken", counted(n_left, "setting"), verb_for(n_left, "was", "were"));
    if let (Made::Orders(orders), true) = (&converted.made, options.apply) {
        return apply(&Server::new(&options.remote)?, orders);
    }
    ensure!(!options.apply, Failure::usage("--apply is for alarms and saved searches; the rest is a file of its own"));
    std::io::stdout().write_all(converted.made.text()?.as_bytes()).map_err(of_output)?;
    say!("catat: {what}; {left}; {next}");
    Ok(())
}

/// What a configuration becomes.
struct Converted {
    made: Made,
    /// What is not taken, and why.
    notes: Vec<String>,
}

enum Made {
    /// `[[input]]` tables.
    Inputs(Vec<Table>),
    /// Groups of rules.
    Rules(Vec<Value>),
    /// What a server is asked to make.
    Orders(Vec<Order>),
}

impl Made {
    /// Returns what there is, in words, or nothing; and what comes next.
    fn described(&self) -> (String, &'static str) {
        let n_rules = |groups: &[Value]| groups.iter().map(|group| group["rules"].as_array().map_or(0, Vec::len)).sum();
        let (n, of, next) = match self {
            Self::Inputs(inputs) => (inputs.len(), "input", "try it with catat ship --dry-run --config FILE"),
            Self::Rules(groups) => (n_rules(groups), "rule", "try it with catat rules backtest FILE"),
            Self::Orders(orders) => (orders.len(), "object", "make them with --apply"),
        };
        (if n == 0 { String::new() } else { counted(n, of) }, next)
    }

    /// Returns the result: TOML, YAML, or a line of JSON for each object.
    fn text(&self) -> Result<String> {
        Ok(match self {
            Self::Inputs(inputs) => {
                let inputs = inputs.iter().cloned().map(Toml::Table).collect();
                toml::to_string(&Table::from_iter([("input".to_owned(), Toml::Array(inputs))])).unwrap_or_default()
            }
            Self::Rules(groups) => serde_saphyr::to_string(&json!({"groups": groups}))
                .map_err(|error| Failure::other(error.to_string()))?,
            Self::Orders(orders) => orders.iter().map(|order| format!("{}\n", order.body)).collect(),
        })
    }
}

fn convert(text: &str, of: Option<Origin>) -> Result<Converted> {
    let mut notes = Vec::new();
    let made = made_of(text, of, &mut notes)?;
    Ok(Converted { made, notes })
}

fn made_of(text: &str, of: Option<Origin>, notes: &mut Vec<String>) -> Result<Made> {
    if of == Some(Origin::Alloy) || of.is_none() && alloy::is_alloy(text) {
        return Ok(finished(alloy::inputs(text, notes)?, notes));
    }
    if of == Some(Origin::Rsyslog) || of.is_none() && rsyslog::is_rsyslog(text) {
        return Ok(finished(rsyslog::inputs(text, notes)?, notes));
    }
    if let Some(objects) = kibana::objects(text).filter(|_| of.is_none_or(|of| of == Origin::Kibana)) {
        return Ok(Made::Orders(kibana::views(&objects, notes)));
    }
    let document = read(text)?;
    let known = || Failure::usage("the file is of no system that is known").with("Name one with --of.");
    let origin = of.or_else(|| origin_of(&document)).ok_or_else(known)?;
    let groups = match origin {
        Origin::CloudwatchAlarms => return Ok(Made::Orders(alarms::orders(&document, notes))),
        Origin::LokiRules => rules::rules(&document, of.is_some(), notes),
        Origin::Elastalert => {
            let rule = elastalert::rule(document, notes);
            rule.map(|rule| vec![json!({"name": "elastalert", "rules": [rule]})])
        }
        _ => {
            let inputs = shippers::inputs(origin, Section::root(document)?, notes);
            return Ok(finished(inputs, notes));
        }
    };
    Ok(Made::Rules(rules::checked(groups.map_err(Failure::usage)?, notes)))
}

/// Tells whose document it is.
fn origin_of(document: &Value) -> Option<Origin> {
    [
        (alarms::is_alarms(document), Origin::CloudwatchAlarms),
        (rules::is_rules(document), Origin::LokiRules),
        (elastalert::is_rule(document), Origin::Elastalert),
    ]
    .into_iter()
    .find_map(|(is_it, origin)| is_it.then_some(origin))
    .or_else(|| shippers::of(document))
}

fn finished(mut inputs: Vec<Input>, notes: &mut Vec<String>) -> Made {
    shippers::finish(&mut inputs, notes);
    Made::Inputs(inputs.into_iter().map(Input::into_table).collect())
}

#[cfg(test)]
mod tests;

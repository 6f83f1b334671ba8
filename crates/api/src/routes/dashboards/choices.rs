//! What is chosen for the variables of a dashboard: by the address, else what the dashboard chooses at first.

use std::collections::{BTreeMap, BTreeSet};

use dashboard::{Choice, Choices, Dashboard, Variable};
use execute::ColumnKind;
use types::Value;

use super::page::{Moment, ask_of};
use crate::routes::query;
use crate::state::Shared;
use door::{Problem, Result};

/// What the names of parameters begin with that choose the values of variables.
pub(super) const PREFIX: &str = "var.";

/// Stands for all values of a variable.
const ALL: &str = "*";

/// Most values that a variable offers.
const OFFERS_MAX: usize = 1_000;

/// Returns the values that parameters (`var.NAME=VALUE`) choose.
pub(super) fn sent(parameters: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in parameters {
        if let Some(name) = key.strip_prefix(PREFIX) {
            sent.entry(name.to_owned()).or_default().push(value.clone());
        }
    }
    sent
}

/// Returns what is chosen for each variable. Queries of variables are asked where what they offer decides.
pub(crate) async fn choices(
    server: &Shared,
    document: &Dashboard,
    sent: &BTreeMap<String, Vec<String>>,
    moment: &Moment,
) -> Result<Choices> {
    let is_known = |name: &str| document.variables.iter().any(|variable| variable.name == name);
    if let Some(name) = sent.keys().find(|name| !is_known(name)) {
        return Err(bad(format!("the dashboard has no variable {name:?}")));
    }
    let mut chosen = Choices::new();
    for variable in &document.variables {
        let wanted = sent.get(&variable.name).unwrap_or(&variable.default);
        let is_all = variable.all && (wanted.is_empty() || wanted.iter().any(|value| value == ALL));
        let choice = match &wanted[..] {
            _ if is_all => Choice::All { all: offers(server, variable, &chosen, moment).await? },
            [] => {
                let first = offers(server, variable, &chosen, moment).await?.into_iter().next();
                let problem = || bad(format!("variable {:?} has no value", variable.name));
                Choice::One(first.ok_or_else(|| problem().hint(format!("add var.{}=VALUE", variable.name)))?)
            }
            [one, ..] if !variable.multiple => Choice::One(one.clone()),
            several => Choice::Several(several.to_vec()),
        };
        chosen.insert(variable.name.clone(), choice);
    }
    Ok(chosen)
}

/// Returns the values that a variable offers: its own, or those of its query's first column; in PromQL, of its first label.
async fn offers(server: &Shared, variable: &Variable, chosen: &Choices, moment: &Moment) -> Result<Vec<String>> {
    let Some(text) = &variable.query else { return Ok(variable.values.clone()) };
    let asked = ask_of((text, variable.language, &variable.groups), chosen, moment, OFFERS_MAX);
    let answer = query::rows(server, asked.filled(moment.now)?).await?;
    let is_name = |column: &execute::ColumnInfo| column.kind != ColumnKind::Timestamp && column.name != "__name__";
    let at = answer.columns.iter().position(is_name).unwrap_or_default();
    let mut known = BTreeSet::new();
    let values = answer.rows.iter().filter_map(|row| match row.get(at)?.as_ref()? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.to_string()),
        other => {
            let mut json = String::new();
            other.write_json(&mut json);
            Some(json)
        }
    });
    Ok(values.filter(|value| known.insert(value.clone())).collect())
}

fn bad(message: String) -> Problem {
    Problem::bad_parameter(message)
}

//! `catat reports`: dashboards, and the ledger of a month, by e-mail at times.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::dashboards::variable;
use crate::arguments::{PutReport, ReportCommand, Reports};
use crate::client::{Server, path_of};
use crate::failure::Result;
use crate::output::{print_list, print_rows};
use crate::zone::Zones;

/// Columns of a list of reports.
const COLUMNS: &str = "name dashboard ledger on at time_zone topic next last:/last/due \
    deliveries:/last/deliveries problem:/problem/error";

pub(crate) fn reports(options: Reports) -> Result<()> {
    let server = Server::new(&options.client.remote)?;
    match &options.command {
        None | Some(ReportCommand::List) => {
            let answer = server.get("/api/v1/reports")?;
            print_list(&options.client.printing, COLUMNS, &answer["reports"])
        }
        Some(ReportCommand::Put(put)) => {
            let zone = Zones::of(&options.client.printing.zone)?.name();
            let request = server.request(Method::PUT, &path_of("reports", &put.name)).json(&definition(put, &zone)?);
            let made: Value = server.ask(request, "")?;
            if made["channels"].as_array().is_some_and(Vec::is_empty) {
                say!("catat: no channel of type email names the topic {}", put.topic);
            }
            print_rows(&options.client.printing, COLUMNS, &[made])
        }
        Some(ReportCommand::Send { name }) => {
            server.send(server.request(Method::POST, &format!("{}/send", path_of("reports", name))), "")?;
            say!("catat: the letter of {name} is on its way");
            Ok(())
        }
        Some(ReportCommand::Delete { name }) => server.delete(&path_of("reports", name), name),
    }
}

/// Returns what makes a report whose times are those of a zone.
fn definition(put: &PutReport, zone: &str) -> Result<Value> {
    let mut variables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for pair in &put.var {
        let (name, value) = variable(pair)?;
        variables.entry(name).or_default().push(value);
    }
    let range = put.from.as_ref().map(|from| json!({"from": from, "to": put.to}));
    Ok(json!({
        "title": put.title.as_deref().unwrap_or_default(),
        "dashboard": put.dashboard,
        "ledger": put.ledger,
        "objective": put.objective.as_deref().unwrap_or_default(),
        "on": put.on,
        "at": put.at,
        "time_zone": zone,
        "topic": put.topic,
        "lang": put.lang,
        "range": range,
        "variables": variables,
        "enabled": !put.paused,
    }))
}

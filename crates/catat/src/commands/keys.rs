//! `catat keys`: keys of senders and readers.
//!
//! A server is asked; where none runs on the data directory, the command opens it itself, so that the first key can be
//! made before a server is reachable from elsewhere.

use std::io::{BufWriter, IsTerminal};
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Map, Value, json};
use serve::{KeyError, KeyOrder};
use storage::{Clock, Store};
use types::{GroupScope, Timestamp, parse_duration_ns};

use super::data_dir::{server_of, with_store};
use super::groups::encoded;
use crate::arguments::{Format, KeyCommand, Keys};
use crate::client::Server;
use crate::failure::{Failure, of_output};
use crate::output::{Column, Printer, is_coloured};

/// Columns of a list of keys.
const COLUMNS: [&str; 7] = ["id", "name", "role", "groups", "created", "last_used", "expires"];

pub(crate) fn keys(options: Keys) -> Result<(), Failure> {
    let command = options.command.as_ref().unwrap_or(&KeyCommand::List);
    let answer = match &options.remote.data_dir {
        Some(dir) => {
            let may_make = matches!(command, KeyCommand::Create { .. });
            match with_store(dir, may_make, |store| carry_out(store, command))? {
                Some(answer) => answer,
                None => online(&server_of(dir, &options.remote)?, command)?,
            }
        }
        None => online(&Server::new(&options.remote)?, command)?,
    };
    match command {
        KeyCommand::List => print_list(&options, answer["keys"].as_array().map_or(&[], Vec::as_slice)),
        KeyCommand::Revoke { id } => {
            say!("catat: {id} is revoked");
            Ok(())
        }
        KeyCommand::Create { .. } | KeyCommand::Rotate { .. } => {
            say!("catat: the key and its pair are shown this once");
            print_one(&options, &answer)
        }
    }
}

fn online(server: &Server, command: &KeyCommand) -> Result<Value, Failure> {
    let path = |id: &str, rest: &str| format!("/api/v1/keys/{}{rest}", encoded(id));
    let request = match command {
        KeyCommand::List => server.request(Method::GET, "/api/v1/keys"),
        KeyCommand::Create { name, role, groups } => {
            let mut body = json!({"name": name, "role": role});
            if !groups.is_empty() {
                body["groups"] = json!(groups);
            }
            server.request(Method::POST, "/api/v1/keys").json(&body)
        }
        KeyCommand::Revoke { id } => server.request(Method::DELETE, &path(id, "")),
        KeyCommand::Rotate { id, grace } => {
            server.request(Method::POST, &path(id, "/rotate")).json(&json!({"grace": grace}))
        }
    };
    let answer = server.send(request, "")?.json();
    answer.map_err(|error| Failure::unreachable(format!("the answer broke off: {error}")))
}

fn carry_out(store: &Arc<Store>, command: &KeyCommand) -> Result<Value, Failure> {
    let now = Clock::system().now();
    let everything = &GroupScope::All;
    let keys = serve::Keys::open(store.clone(), None, now).map_err(|error| Failure::other(error.to_string()))?;
    let refused = |error: KeyError| Failure::usage(error.to_string());
    match command {
        KeyCommand::List => Ok(json!({"keys": keys.list(everything, now)})),
        KeyCommand::Create { name, role, groups } => {
            let groups = Some(groups.clone()).filter(|groups| !groups.is_empty());
            let order = KeyOrder { name: name.clone(), role: role.clone(), groups };
            keys.create(&order, everything, now).map(|made| json!(made)).map_err(refused)
        }
        KeyCommand::Revoke { id } => keys.revoke(id, everything).map(|revoked| json!(revoked)).map_err(refused),
        KeyCommand::Rotate { id, grace } => {
            let grace_ns = parse_duration_ns(grace).map_err(|error| Failure::usage(format!("--grace: {error}")))?;
            let until = Timestamp(now.0.saturating_add(grace_ns));
            keys.rotate(id, until, everything, now).map(|made| json!(made)).map_err(refused)
        }
    }
}

fn print_list(options: &Keys, keys: &[Value]) -> Result<(), Failure> {
    let mut printer = printer(options, COLUMNS.into_iter())?;
    for key in keys {
        printer.row(COLUMNS.map(|name| key[name].to_string()).to_vec()).map_err(of_output)?;
    }
    printer.finish().map_err(of_output)
}

/// Shows one key: as a row, or as a table of what is known of it.
fn print_one(options: &Keys, key: &Value) -> Result<(), Failure> {
    let nothing = Map::new();
    let members = key.as_object().unwrap_or(&nothing);
    if format(options) != Format::Table {
        let mut printer = printer(options, members.keys().map(String::as_str))?;
        printer.row(members.values().map(Value::to_string).collect()).map_err(of_output)?;
        return printer.finish().map_err(of_output);
    }
    let mut printer = printer(options, ["what", "value"].into_iter())?;
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        printer.row(vec![Value::from(name.as_str()).to_string(), value.to_string()]).map_err(of_output)?;
    }
    printer.finish().map_err(of_output)
}

fn format(options: &Keys) -> Format {
    let is_terminal = std::io::stdout().is_terminal();
    options.printing.output.unwrap_or(if is_terminal { Format::Table } else { Format::Ndjson })
}

fn printer<'n>(
    options: &Keys,
    names: impl Iterator<Item = &'n str>,
) -> Result<Printer<BufWriter<std::io::Stdout>>, Failure> {
    let out = BufWriter::new(std::io::stdout());
    let mut printer = Printer::new(out, format(options), is_coloured(options.printing.color));
    printer.start(names.map(Column::named).collect()).map_err(of_output)?;
    Ok(printer)
}

//! `catat keys`: lists, creates, replaces and revokes keys.
//!
//! The command asks a server. If none runs on the data directory, it opens the directory itself, so that the first key
//! can be created before the server is reachable from elsewhere.

mod anonymous;

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use serve::{KeyError, KeyOrder};
use storage::{Clock, Store};
use types::{GroupScope, Timestamp, parse_duration_ns, percent_encoded};

use super::data_dir::{server_of, with_store};
use crate::arguments::{KeyCommand, Keys};
use crate::client::{Server, add_given};
use crate::failure::{Failure, Result};
use crate::output::{print_list, print_thing};
use anonymous::{ask_for_grace, can_ask, say_cut_off, say_senders};

/// Columns of a list of keys.
const COLUMNS: &str = "id name role groups created last_used expires state";

pub(crate) fn keys(options: Keys) -> Result<()> {
    let command = options.command.as_ref().unwrap_or(&KeyCommand::List);
    let mut answer = match &options.client.remote.data_dir {
        Some(dir) => {
            let may_make = matches!(command, KeyCommand::Create { .. });
            match with_store(dir, may_make, |store| carry_out(store, command))? {
                Some(answer) => answer,
                None => online(&server_of(dir, &options.client.remote)?, command)?,
            }
        }
        None => online(&Server::new(&options.client.remote)?, command)?,
    };
    match command {
        KeyCommand::List => {
            print_list(&options.client.printing, COLUMNS, &answer["keys"])?;
            say_senders(&answer["anonymous"]);
            Ok(())
        }
        KeyCommand::Revoke { id } => {
            say!("catat: key {id} revoked");
            Ok(())
        }
        KeyCommand::Create { .. } | KeyCommand::Rotate { .. } => {
            if let Some(anonymous) = answer.as_object_mut().and_then(|answer| answer.remove("anonymous")) {
                let was_asked = matches!(command, KeyCommand::Create { anonymous_grace: None, .. }) && can_ask();
                say_cut_off(&anonymous, was_asked);
            }
            say!("catat: copy the key and its secret now; they are not shown again");
            print_thing(&options.client.printing, &answer)
        }
    }
}

fn online(server: &Server, command: &KeyCommand) -> Result<Value> {
    let path = |id: &str, rest: &str| format!("/api/v1/keys/{}{rest}", percent_encoded(id));
    let request = match command {
        KeyCommand::List => server.request(Method::GET, "/api/v1/keys"),
        KeyCommand::Create { name, role, groups, expires, anonymous_grace } => {
            let grace = anonymous_grace.clone().map_or_else(|| ask_for_grace(server), |grace| Ok(Some(grace)))?;
            let mut body = json!({"name": name, "role": role});
            add_given(&mut body, &[("expires", expires), ("anonymous_grace", &grace)]);
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
    server.ask(request, "")
}

fn carry_out(store: &Arc<Store>, command: &KeyCommand) -> Result<Value> {
    let now = Clock::system().now();
    let everything = &GroupScope::All;
    let keys = serve::Keys::open(store.clone(), None, now).map_err(|error| Failure::other(error.to_string()))?;
    let refused = |error: KeyError| Failure::usage(error.to_string());
    match command {
        KeyCommand::List => Ok(json!({"keys": keys.list(everything, now)})),
        KeyCommand::Create { name, role, groups, expires, anonymous_grace } => {
            let groups = Some(groups.clone()).filter(|groups| !groups.is_empty());
            let (expires, anonymous_grace) = (expires.clone(), anonymous_grace.clone());
            let order = KeyOrder { name: name.clone(), role: role.clone(), groups, expires, anonymous_grace };
            keys.create(&order, everything, now).map(|made| json!(made)).map_err(refused)
        }
        KeyCommand::Revoke { id } if id == "anonymous" => keys.end_grace(now).map(|()| json!({})).map_err(refused),
        KeyCommand::Revoke { id } => keys.revoke(id, everything, now).map(|revoked| json!(revoked)).map_err(refused),
        KeyCommand::Rotate { id, grace } => {
            let grace_ns = parse_duration_ns(grace).map_err(|error| Failure::usage(format!("--grace: {error}")))?;
            let until = Timestamp(now.0.saturating_add(grace_ns));
            keys.rotate(id, until, everything, now).map(|made| json!(made)).map_err(refused)
        }
    }
}

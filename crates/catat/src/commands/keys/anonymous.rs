//! Senders without a key: whom the first key cuts off, and whether they are given time.

use std::io::{BufRead, IsTerminal};

use serde_json::Value;

use crate::client::Server;
use crate::failure::{Failure, Result};
use crate::output::harmless;

/// How long senders without a key may go on where nothing else is said.
const GRACE: &str = "7d";

/// Reports whether there is a terminal to ask on.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on a terminal whether those who sent without a key are given time, if the next key is the first and there are any.
pub(super) fn ask_for_grace(server: &Server) -> Result<Option<String>> {
    if !can_ask() {
        return Ok(None);
    }
    let listed = server.get("/api/v1/keys")?;
    let anonymous = &listed["anonymous"];
    if anonymous["access"] != "open" || senders(anonymous).is_empty() {
        return Ok(None);
    }
    say!("catat: the first key ends access without a key. These sent without one:");
    print_senders(anonymous);
    loop {
        eprint!("How long may they go on? Reading without a key ends at once. [{GRACE}; 0s cuts them off now] ");
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        if read.map_err(|error| Failure::usage(format!("standard input: {error}")))? == 0 {
            return Err(Failure::usage("no answer; no key was created"));
        }
        let grace = Some(line.trim()).filter(|line| !line.is_empty()).unwrap_or(GRACE);
        match serve::grace_ns_of(grace) {
            Ok(_) => return Ok(Some(grace.to_owned())),
            Err(error) => say!("catat: {error}"),
        }
    }
}

/// Says when senders without a key are cut off, once the first key was created; lists them unless the question did.
pub(super) fn say_cut_off(anonymous: &Value, was_asked: bool) {
    match anonymous["until"].as_str() {
        Some(until) => say!("catat: without a key nothing can be read from now on; sending ends at {until}"),
        None => say!("catat: every request needs a key from now on"),
    }
    if !was_asked && !senders(anonymous).is_empty() {
        say!("  {}:", if anonymous["until"].is_null() { "these are cut off" } else { "until then these need a key" });
        print_senders(anonymous);
    }
}

/// Says who still sends without a key while that has an end.
pub(super) fn say_senders(anonymous: &Value) {
    let Some(until) = anonymous["until"].as_str() else { return };
    say!("catat: senders without a key may go on until {until} (catat keys revoke anonymous ends it now)");
    if senders(anonymous).is_empty() {
        say!("  none sent since {}", anonymous["since"].as_str().unwrap_or("the start"));
    }
    print_senders(anonymous);
}

fn senders(anonymous: &Value) -> &[Value] {
    anonymous["senders"].as_array().map_or(&[], Vec::as_slice)
}

fn print_senders(anonymous: &Value) {
    let text = |value: &Value| harmless(value.as_str().unwrap_or_default(), false);
    for sender in senders(anonymous) {
        let list = |name: &str| sender[name].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ");
        let agent = Some(text(&sender["agent"])).filter(|agent| !agent.is_empty());
        let agent = agent.unwrap_or_else(|| "without a name".to_owned());
        let more = if sender["more_groups"] == true { ", …" } else { "" };
        let (address, last) = (text(&sender["address"]), text(&sender["last"]));
        // Parts of a second tell nothing here.
        let last = last.trim_end_matches('Z').split('.').next().unwrap_or_default();
        say!("  {address} {agent}: {} to {}{more}; last {last}Z", list("routes"), list("groups"));
    }
    if anonymous["left_out"] == true {
        say!("  and others, which are not listed");
    }
    if let Some(node) = anonymous["node"].as_str() {
        say!("  (at the node {node}; others know their own)");
    }
}

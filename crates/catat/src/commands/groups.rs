//! `catat groups`: lists groups, sets how long they are kept, deletes them or some of their events.
//!
//! What cannot be undone needs a confirmation, or `--yes` where standard input is no terminal.

use std::io::{BufRead, IsTerminal, Write};

use reqwest::Method;
use serde_json::{Value, json};

use crate::arguments::{DeleteEvents, GroupCommand, Groups, SetGroup};
use crate::client::{Server, path_of};
use crate::failure::{Failure, Result};
use crate::output::{print_list, print_thing};
use types::{counted, percent_encoded, verb_for};

/// Columns of a list of groups.
const GROUP_COLUMNS: &str = "name events bytes_raw bytes_stored first last retention_age:/retention/age \
    retention_size:/retention/size time_zone";

/// Columns of a list of deletions.
const DELETION_COLUMNS: &str = "id state deleted created reclaimed from to segments_left bytes_rewritten reason";

/// Stands for no limit.
const NEVER: &str = "never";

/// Stands for no time zone of its own.
const NONE: &str = "none";

pub(crate) fn groups(options: Groups) -> Result<()> {
    let talk = Talk { server: Server::new(&options.client.remote)?, options: &options };
    match &options.command {
        None | Some(GroupCommand::List) => talk.list(),
        Some(GroupCommand::Show { name }) => talk.show(&talk.server.get(&path_of("groups", name))?),
        Some(GroupCommand::Set(set)) => talk.set(set),
        Some(GroupCommand::Delete { name, yes }) => talk.delete(name, *yes),
        Some(GroupCommand::DeleteEvents(delete)) => talk.delete_events(delete),
        Some(GroupCommand::Deletions { name, id: None }) => talk.deletions(name),
        Some(GroupCommand::Deletions { name, id: Some(id) }) => talk.show(&talk.server.get(&format!(
            "{}/delete-events/{}",
            path_of("groups", name),
            percent_encoded(id)
        ))?),
    }
}

struct Talk<'a> {
    server: Server,
    options: &'a Groups,
}

impl Talk<'_> {
    fn ask(&self, method: Method, path: &str, body: Option<&Value>, query: &str) -> Result<Value> {
        let request = self.server.request(method, path);
        let request = if let Some(body) = body { request.json(body) } else { request };
        self.server.ask(request, query)
    }

    fn list(&self) -> Result<()> {
        self.print(GROUP_COLUMNS, &self.server.get("/api/v1/groups")?["groups"])
    }

    fn deletions(&self, name: &str) -> Result<()> {
        self.print(
            DELETION_COLUMNS,
            &self.server.get(&format!("{}/delete-events", path_of("groups", name)))?["deletions"],
        )
    }

    /// Changes the given limits and keeps the others.
    fn set(&self, set: &SetGroup) -> Result<()> {
        if let Some(zone) = set.time_zone.as_deref() {
            let zone = if zone == NONE { Value::Null } else { zone.into() };
            let body = json!({"time_zone": zone});
            // An unknown zone is refused before anything else changes.
            let preview = if set.preview { "?preview=true" } else { "" };
            let group =
                self.ask(Method::PUT, &format!("{}{preview}", path_of("groups", &set.name)), Some(&body), "")?;
            if set.retention_age.is_none() && set.retention_size.is_none() {
                return self.show(&group);
            }
        }
        let groups = self.server.get("/api/v1/groups")?;
        let known = groups["groups"].as_array().into_iter().flatten().find(|group| group["name"] == set.name);
        let limit = |named: &Option<String>, key: &str| match named.as_deref() {
            Some(NEVER) => Value::Null,
            Some(limit) => limit.into(),
            None => known.map_or(Value::Null, |group| group["retention"][key].clone()),
        };
        let retention = json!({"age": limit(&set.retention_age, "age"), "size": limit(&set.retention_size, "size")});
        let body = json!({"retention": retention});
        let preview =
            self.ask(Method::PUT, &format!("{}?preview=true", path_of("groups", &set.name)), Some(&body), "")?;
        let n_events = preview["removes"]["events"].as_u64().unwrap_or(0);
        if set.preview {
            return self.show(&preview);
        }
        if n_events > 0 && !set.yes {
            let until = preview["undo_until"].as_str().unwrap_or_default();
            let (events, are) = (counted(n_events, "event"), verb_for(n_events, "is", "are"));
            confirm(&format!(
                "{events} of {} {are} deleted at once; raising the limit again before {until} brings them back.",
                set.name
            ))?;
        }
        self.show(&self.ask(Method::PUT, &path_of("groups", &set.name), Some(&body), "")?)
    }

    fn delete(&self, name: &str, yes: bool) -> Result<()> {
        let group = self.server.get(&path_of("groups", name))?;
        if !yes {
            confirm(&format!("Group {name} and its {} are deleted permanently.", counted(&group["events"], "event")))?;
        }
        self.ask(Method::DELETE, &path_of("groups", name), None, "")?;
        say!("catat: group {name} deleted");
        Ok(())
    }

    fn delete_events(&self, delete: &DeleteEvents) -> Result<()> {
        let mut body = json!({"query": delete.query, "reason": delete.reason, "all_time": delete.all_time});
        let zone = crate::zone::Zones::of(&self.options.client.printing.zone)?.name();
        let named = [("from", &delete.from), ("to", &delete.to), ("time_zone", &Some(zone))];
        for (name, value) in named.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            body[name] = value.as_str().into();
        }
        if delete.dry_run || !delete.yes {
            body["dry_run"] = true.into();
            let matching = self.order(&delete.name, &body, &delete.query)?;
            if delete.dry_run {
                return self.conclude(&matching);
            }
            let n_events = &matching["matched"];
            let (events, are) = (counted(n_events, "event"), verb_for(n_events, "is", "are"));
            confirm(&format!("{events} of {} {are} deleted permanently.", delete.name))?;
            body["dry_run"] = false.into();
        }
        self.conclude(&self.order(&delete.name, &body, &delete.query)?)
    }

    fn order(&self, name: &str, body: &Value, query: &str) -> Result<Value> {
        self.ask(Method::POST, &format!("{}/delete-events", path_of("groups", name)), Some(body), query)
    }

    /// Shows a deletion, and fails if damage kept events from being read.
    fn conclude(&self, answer: &Value) -> Result<()> {
        let mut shown = answer.clone();
        let unwanted = ["stats", "partial_reasons"];
        if let Some(members) = shown.as_object_mut() {
            members.retain(|name, _| !unwanted.contains(&name.as_str()));
        }
        self.show(&shown)?;
        if answer["partial"] != true {
            return Ok(());
        }
        let reasons = answer["partial_reasons"].as_array().into_iter().flatten();
        let reasons: Vec<&str> = reasons.filter_map(|reason| reason["message"].as_str()).collect();
        Err(Failure::partial(format!("some events could not be read: {}", reasons.join("; "))))
    }

    fn print(&self, columns: &str, rows: &Value) -> Result<()> {
        print_list(&self.options.client.printing, columns, rows)
    }

    fn show(&self, thing: &Value) -> Result<()> {
        print_thing(&self.options.client.printing, thing)
    }
}

/// Asks for confirmation on the terminal.
fn confirm(what: &str) -> Result<()> {
    let mut input = std::io::stdin().lock();
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!("{what} Standard input is no terminal; pass --yes to confirm.")));
    }
    eprint!("{what} Continue? [y/N] ");
    // A prompt that cannot be shown is not answered with yes.
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    input.read_line(&mut answer).map_err(|error| Failure::other(format!("standard input: {error}")))?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::other("nothing was changed")),
    }
}

#[cfg(test)]
mod tests;

//! Aliases: further names of indices, for searches.
//!
//! Aliases are stored in the control store; changes need the role `operate`. A pattern is stored as one, so that it includes
//! later groups. Documents sent to the name of an alias create a group of that name, which searches of the alias include.
//! A caller sees the groups of an alias within the scope of the key, and no alias without any.

use axum::http::StatusCode;
use serde_json::{Map, Value as Json_, json};
use types::{GroupPattern, ensure, group_name_of_outside};

use super::alias::{Aliases, KIND};
use super::alias_lookup::{all, seen, shown};
use super::indices::{self, Leniency};
use super::state::{Call, Shared};
use door::{Outcome, Problem, Reply, Result, Role, covers, to_json};

/// Limits on aliases, indices of one, actions of one request, and the bytes of a name.
const ALIASES_MAX: usize = 200;
const INDICES_MAX: usize = 1_000;
const ACTIONS_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 255;

/// Answers `{index}/_alias`: indices with all their aliases.
pub(super) fn list_all(mut call: Call) -> Outcome {
    let index = call.variable();
    answer(&call, &index, None)
}

/// Answers `_alias/{name}` and `{index}/_alias/{name}`: indices with the named ones of their aliases.
pub(super) fn list(mut call: Call) -> Outcome {
    let (index, name) = match std::mem::take(&mut call.path) {
        [name, none] if none.is_empty() => (none, name),
        [index, name] => (index, name),
    };
    answer(&call, &index, Some(&name))
}

fn answer(Call { server, parameters, .. }: &Call, index: &str, names: Option<&str>) -> Outcome {
    // Senders query aliases as well, before they create one.
    if !server.caller.may(Role::Read) {
        return Ok(missing(names.unwrap_or_default()));
    }
    let wanted = indices::resolve(server, index, Leniency::of_parameters(parameters)?)?;
    let patterns: Vec<GroupPattern> = match names {
        None | Some("_all") => vec![GroupPattern::new("*")],
        Some(names) => names.split(',').map(GroupPattern::new).collect(),
    };
    let mut aliases = seen(server)?;
    aliases.retain(|name, _| GroupPattern::any_matches(&patterns, name));
    let mut found = Map::new();
    for group in server.groups() {
        let name = group.name.as_str();
        let is_wanted = wanted.as_ref().is_some_and(|wanted| GroupPattern::any_matches(wanted, name));
        let of_group = shown(&aliases, name);
        if is_wanted && (names.is_none() || of_group.as_object().is_some_and(|of_group| !of_group.is_empty())) {
            found.insert(name.to_owned(), json!({"aliases": of_group}));
        }
    }
    match names.filter(|names| found.is_empty() && !names.contains('*')) {
        Some(names) => Ok(missing(names)),
        None => Ok(Reply::serialized(&found)),
    }
}

/// Answers that an alias does not exist. Only this error of Elasticsearch is a string.
fn missing(names: &str) -> Reply {
    let body = json!({"error": format!("alias [{names}] missing"), "status": 404});
    Reply::json(&body).with_status(StatusCode::NOT_FOUND)
}

/// A change of an alias.
#[derive(Clone, Debug, PartialEq)]
struct Action {
    is_added: bool,
    alias: String,
    index: String,
    must_exist: bool,
}

/// Answers `POST _aliases`: carries out all actions or none.
pub(super) fn change(Call { server, .. }: Call, body: Json_) -> Outcome {
    Ok(apply(server, actions(&body)?))
}

/// Answers `PUT {index}/_alias/{name}`.
pub(super) fn add(call: Call, body: Json_) -> Outcome {
    refuse_filter(&body)?;
    let [index, alias] = call.path;
    let action =
        |index: &str| Action { is_added: true, alias: alias.clone(), index: index.to_owned(), must_exist: false };
    Ok(apply(call.server, index.split(',').map(action).collect()))
}

/// Answers `DELETE {index}/_alias/{name}`.
pub(super) fn remove(call: Call) -> Outcome {
    let [index, aliases] = call.path;
    let mut actions = Vec::new();
    for index in index.split(',') {
        let action =
            |alias: &str| Action { is_added: false, alias: alias.into(), index: index.into(), must_exist: true };
        actions.extend(aliases.split(',').map(action));
    }
    Ok(apply(call.server, actions))
}

fn bad(kind: &'static str, message: impl Into<String>) -> Problem {
    Problem::bad_request(kind, message)
}

fn refuse_filter(json: &Json_) -> Result<()> {
    match json.get("filter").filter(|filter| !filter.is_null()) {
        Some(_) => Err(bad("illegal_argument_exception", "[filter] of an alias is not supported")),
        None => Ok(()),
    }
}

fn actions(body: &Json_) -> Result<Vec<Action>> {
    let Some(Json_::Array(written)) = body.get("actions") else {
        return Err(bad("illegal_argument_exception", "[aliases] needs a list of [actions]"));
    };
    let mut actions = Vec::new();
    for (at, action) in written.iter().enumerate() {
        let members = action.as_object().filter(|members| members.len() == 1);
        let Some((kind, about)) = members.and_then(|members| members.iter().next()) else {
            return Err(bad("parsing_exception", format!("[actions[{at}]] names one action")));
        };
        if !matches!(kind.as_str(), "add" | "remove") {
            let message = format!("[actions[{at}]] [{kind}] is not supported; add and remove are");
            return Err(bad("illegal_argument_exception", message));
        }
        refuse_filter(about)?;
        let names = |one: &str, several: &str| -> Vec<String> {
            match about.get(one).or_else(|| about.get(several)) {
                Some(Json_::String(names)) => names.split(',').map(str::to_owned).collect(),
                Some(Json_::Array(names)) => names.iter().filter_map(Json_::as_str).map(str::to_owned).collect(),
                _ => Vec::new(),
            }
        };
        let (indices, aliases) = (names("index", "indices"), names("alias", "aliases"));
        if indices.is_empty() || aliases.is_empty() {
            return Err(bad("illegal_argument_exception", format!("[actions[{at}]] needs an [index] and an [alias]")));
        }
        let must_exist = about.get("must_exist").and_then(Json_::as_bool).unwrap_or(false);
        for index in &indices {
            let action = |alias: &String| Action {
                is_added: kind == "add",
                alias: alias.clone(),
                index: index.clone(),
                must_exist,
            };
            actions.extend(aliases.iter().map(action));
        }
        if actions.len() > ACTIONS_MAX {
            return Err(bad("illegal_argument_exception", format!("more than {ACTIONS_MAX} actions in one request")));
        }
    }
    Ok(actions)
}

fn apply(server: Shared, actions: Vec<Action>) -> Reply {
    Reply::look_up(&server.clone(), move || {
        let _changing = server.state.aliases.lock();
        let known = all(&server)?;
        let mut changed = Aliases::clone(&known);
        for action in &actions {
            apply_one(&server, &mut changed, action)?;
        }
        if changed.len() > ALIASES_MAX || changed.values().any(|alias| alias.indices.len() > INDICES_MAX) {
            let message = format!("there can be {ALIASES_MAX} aliases, each of {INDICES_MAX} indices");
            return Err(bad("illegal_argument_exception", message));
        }
        let saved = save(&server, &known, &changed);
        server.state.aliases.invalidate();
        saved.map(|()| Reply::json(&json!({"acknowledged": true, "errors": false})))
    })
}

fn save(server: &Shared, known: &Aliases, changed: &Aliases) -> Result<()> {
    for (name, alias) in changed.iter().filter(|(name, alias)| known.get(*name) != Some(*alias)) {
        server.settings().put(KIND, name, &to_json(alias)?)?;
        server.audit_own("alias changed", &json!({"alias": name, "indices": alias.indices}));
    }
    for name in known.keys().filter(|name| !changed.contains_key(*name)) {
        server.settings().remove(KIND, name)?;
        server.audit_own("alias removed", &json!({"alias": name}));
    }
    Ok(())
}

fn apply_one(server: &Shared, aliases: &mut Aliases, action: &Action) -> Result<()> {
    let index = match action.index.trim() {
        "_all" => "*".to_owned(),
        index if index.contains('*') => index.to_owned(),
        index => group_name_of_outside(index).as_str().to_owned(),
    };
    if !covers(&server.caller.scope, &index) {
        return Err(Problem::forbidden("group-out-of-scope", format!("this key does not cover the group {index}")));
    }
    if action.is_added {
        check_name(server, &action.alias)?;
        aliases.entry(action.alias.clone()).or_default().indices.insert(index);
        return Ok(());
    }
    // A pattern removes all that it matches; a name only itself.
    let (names, pattern) = (GroupPattern::new(&action.alias), GroupPattern::new(&index));
    let mut n_removed = 0;
    for alias in aliases.iter_mut().filter(|(name, _)| names.matches(name)).map(|(_, alias)| alias) {
        let before = alias.indices.len();
        alias.indices.retain(|known| *known != index && !(index.contains('*') && pattern.matches(known)));
        n_removed += before - alias.indices.len();
    }
    aliases.retain(|_, alias| !alias.indices.is_empty());
    if n_removed == 0 && action.must_exist {
        let message = format!("aliases [{}] missing", action.alias);
        return Err(Problem::new(StatusCode::NOT_FOUND, "aliases_not_found_exception", message));
    }
    Ok(())
}

fn check_name(server: &Shared, name: &str) -> Result<()> {
    let problem = |why: &str| bad("invalid_alias_name_exception", format!("Invalid alias name [{name}]: {why}"));
    let is_sign = |c: char| c.is_control() || c.is_whitespace() || "*,\\/?\"<>|#:".contains(c);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(is_sign) {
        return Err(problem("it has 1 to 255 bytes, none of them white space or one of * , \\ / ? \" < > | # :"));
    }
    ensure!(!name.starts_with(['_', '-', '+', '.']), problem("it must not begin with _ - + or a point"));
    let is_index = |group: &storage::GroupStatus| group.name.as_str() == name;
    if server.groups().iter().any(is_index) {
        return Err(problem("an index or data stream exists with the same name as the alias"));
    }
    Ok(())
}

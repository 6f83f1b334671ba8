//! Templates, which declare indices by their names: `_index_template`, `_component_template`, and the older `_template`,
//! which applies if no index template does.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::http::request::Parts;
use language::mapping::Mapping;
use serde_json::{Map, Value as Json_, json};
use types::{GroupPattern, ensure};

use super::declaration::Declaration;
use super::errors::not_found;
use super::indices::{self, Leniency};
use super::state::{Call, Shared};
use super::template::{TemplateKind, added, composed, declared, texts};
use super::{mappings, settings};
use door::{Outcome, Problem, Reply, Result, covers};

fn argument(message: impl Into<String>) -> Problem {
    Problem::bad_request("illegal_argument_exception", message)
}

/// Puts a template.
pub(super) fn put(mut call: Call, template: Json_) -> Outcome {
    let name = call.variable();
    let Call { server, parts: Parts { uri, .. }, .. } = call;
    let kind = TemplateKind::of(uri.path());
    let creates = uri.query().is_some_and(|query| query.split('&').any(|one| one == "create=true" || one == "create"));
    check(&server, kind, &name, &template)?;
    Ok(Reply::look_up(&server.clone(), move || {
        let _changing = server.state.mappings.lock();
        let key = format!("{}{name}", kind.prefix());
        let all = mappings::all(&server)?;
        ensure!(!creates || !all.templates.contains_key(&key), argument(format!("template [{name}] already exists")));
        check_fit(&all.templates, kind, &name, &template)?;
        mappings::change_template(&server, &key, Some(&template))?;
        Ok(Reply::json(&json!({"acknowledged": true})))
    }))
}

/// Refuses templates that are malformed, unsupported, or for groups outside the caller's scope.
fn check(server: &Shared, kind: TemplateKind, name: &str, template: &Json_) -> Result<()> {
    let Some(members) = template.as_object() else { return Err(argument("a template is an object")) };
    if name.is_empty() || name.contains(['*', ',', '#', ' ']) {
        return Err(argument(format!("Invalid template name [{name}]")));
    }
    if let Some(other) = members.keys().find(|key| !kind.keys().contains(&key.as_str())) {
        return Err(Problem::bad_request(
            "x_content_parse_exception",
            format!("template [{name}] unknown field [{other}]"),
        ));
    }
    let body = kind.body(template);
    let of_body = ["settings", "mappings", "aliases", "lifecycle", "data_stream_options"];
    if kind != TemplateKind::Legacy
        && let Some(other) = body.as_object().and_then(|body| body.keys().find(|key| !of_body.contains(&key.as_str())))
    {
        return Err(Problem::bad_request("x_content_parse_exception", format!("[template] unknown field [{other}]")));
    }
    if body.get("aliases").and_then(Json_::as_object).is_some_and(|aliases| !aliases.is_empty()) {
        return Err(argument(
            "[aliases] of a template is not supported; an alias of a pattern does this: PUT PATTERN/_alias/NAME",
        ));
    }
    settings::check_settings(body.get("settings").unwrap_or(&Json_::Null))?;
    let patterns = texts(template.get("index_patterns"));
    if kind != TemplateKind::Component && patterns.is_empty() {
        let message = "Validation Failed: 1: index patterns are missing;";
        return Err(Problem::bad_request("action_request_validation_exception", message));
    }
    if let Some(pattern) = patterns.iter().find(|pattern| !covers(&server.caller.scope, pattern)) {
        return Err(Problem::forbidden("group-out-of-scope", format!("this key does not cover the groups {pattern}")));
    }
    Ok(())
}

/// Refuses a template that conflicts with the others.
fn check_fit(templates: &BTreeMap<String, Json_>, kind: TemplateKind, name: &str, template: &Json_) -> Result<()> {
    let mut changed = templates.clone();
    changed.insert(format!("{}{name}", kind.prefix()), template.clone());
    let invalid = |reason: String| Problem::bad_request("invalid_index_template_exception", reason);
    if kind == TemplateKind::Index {
        let ignored = texts(template.get("ignore_missing_component_templates"));
        let is_missing = |of: &&str| {
            !ignored.contains(of) && !changed.contains_key(&format!("{}{of}", TemplateKind::Component.prefix()))
        };
        let missing: Vec<&str> = texts(template.get("composed_of")).into_iter().filter(is_missing).collect();
        if !missing.is_empty() {
            return Err(invalid(format!(
                "index_template [{name}] invalid, cause [index template [{name}] specified component templates {missing:?} \
                 that do not exist]"
            )));
        }
        let priority = |template: &Json_| template.get("priority").and_then(Json_::as_i64).unwrap_or(0);
        let patterns = texts(template.get("index_patterns"));
        for (key, other) in templates.range("index/".to_owned()..).take_while(|(key, _)| key.starts_with("index/")) {
            let is_same = texts(other.get("index_patterns")).iter().any(|pattern| patterns.contains(pattern));
            if key["index/".len()..] != *name && is_same && priority(other) == priority(template) {
                return Err(argument(format!(
                    "index template [{name}] has index patterns {patterns:?} matching patterns from existing templates \
                     [{}] that have the same priority [{}], multiple index templates may not match during index creation, \
                     please use a different priority",
                    &key["index/".len()..],
                    priority(template)
                )));
            }
        }
    }
    let of = match kind {
        TemplateKind::Index => composed(&changed, template),
        _ => added(Declaration::default(), kind.body(template)),
    };
    Mapping::read(&of.mappings, &of.settings)?;
    Ok(())
}

/// Answers with the templates of a kind, all or those of some names.
pub(super) fn get(Call { server, parts, .. }: Call) -> Outcome {
    let path = parts.uri.path();
    let kind = TemplateKind::of(path);
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let names = (!last.starts_with("_")).then_some(last);
    let patterns: Option<Vec<GroupPattern>> =
        names.as_ref().map(|names| names.split(',').map(GroupPattern::new).collect());
    let all = mappings::all(&server)?;
    let is_seen = |template: &Json_| {
        texts(template.get("index_patterns")).into_iter().all(|pattern| covers(&server.caller.scope, pattern))
    };
    let mut found: Vec<(&str, &Json_)> = Vec::new();
    for (key, template) in &all.templates {
        let Some(name) = key.strip_prefix(kind.prefix()) else { continue };
        if patterns.as_ref().is_none_or(|patterns| GroupPattern::any_matches(patterns, name)) && is_seen(template) {
            found.push((name, template));
        }
    }
    if let Some(names) = names.filter(|names| found.is_empty() && !names.contains('*')) {
        let reason = match kind {
            TemplateKind::Index => format!("index template matching [{names}] not found"),
            TemplateKind::Component => format!("component template matching [{names}] not found"),
            TemplateKind::Legacy => return Ok(Reply::json(&json!({})).with_status(StatusCode::NOT_FOUND)),
        };
        return Ok(not_found(&reason));
    }
    let shown = |template: &Json_| {
        let mut template = template.clone();
        let body = if kind == TemplateKind::Legacy { Some(&mut template) } else { template.get_mut("template") };
        if let Some(settings) = body.and_then(|body| body.get_mut("settings")) {
            *settings = settings::shown_settings(settings);
        }
        template
    };
    let list = |name: &str| {
        found.iter().map(|(of, template)| json!({"name": of, name: shown(template)})).collect::<Vec<Json_>>()
    };
    Ok(Reply::json(&match kind {
        TemplateKind::Index => json!({"index_templates": list("index_template")}),
        TemplateKind::Component => json!({"component_templates": list("component_template")}),
        TemplateKind::Legacy => {
            found.iter().map(|(name, template)| ((*name).to_owned(), shown(template))).collect::<Map<_, _>>().into()
        }
    }))
}

/// Removes a template.
pub(super) fn delete(mut call: Call) -> Outcome {
    let names = call.variable();
    let Call { server, parts, .. } = call;
    Ok(Reply::look_up(&server.clone(), move || {
        let _changing = server.state.mappings.lock();
        for name in names.split(',') {
            remove(&server, TemplateKind::of(parts.uri.path()), name)?;
        }
        Ok(Reply::json(&json!({"acknowledged": true})))
    }))
}

fn remove(server: &Shared, kind: TemplateKind, name: &str) -> Result<()> {
    let (all, key) = (mappings::all(server)?, format!("{}{name}", kind.prefix()));
    let Some(template) = all.templates.get(&key) else {
        let message = format!("index_template [{name}] missing");
        return Err(Problem::new(StatusCode::NOT_FOUND, "index_template_missing_exception", message));
    };
    check(server, kind, name, template)?;
    let uses = |(_, other): &(&String, &Json_)| texts(other.get("composed_of")).contains(&name);
    if kind == TemplateKind::Component
        && let Some((user, _)) = all.templates.iter().find(uses)
    {
        let user = user.split_once('/').map_or(user.as_str(), |(_, name)| name);
        return Err(argument(format!(
            "component templates [{name}] cannot be removed as they are still in use by index templates [{user}]"
        )));
    }
    mappings::change_template(server, &key, None)
}

/// Answers `_index_template/_simulate_index/{name}`: the declaration of an index with this name.
pub(super) fn simulate(mut call: Call) -> Outcome {
    let name = call.variable();
    let of = declared(&mappings::all(&call.server)?.templates, &name).unwrap_or_default();
    let mappings = if of.mappings.is_null() { json!({}) } else { of.mappings };
    let template = json!({"settings": settings::shown_settings(&of.settings), "mappings": mappings, "aliases": {}});
    Ok(Reply::json(&json!({"template": template, "overlapping": []})))
}

/// Answers `PUT {index}/_mapping`: adds declarations to indices that exist.
pub(super) fn put_mapping(mut call: Call, body: Json_) -> Outcome {
    let index = call.variable();
    let Call { server, parameters, .. } = call;
    Ok(Reply::look_up(&server.clone(), move || {
        let groups = indices::named(&server, &index, Leniency::of_parameters(&parameters)?)?;
        // All of them or none.
        let all = mappings::all(&server)?;
        for group in &groups {
            let known = all.declared(group.as_str()).unwrap_or_default();
            Mapping::read(&known.mappings, &known.settings)?.extended(&body, &known.settings)?;
        }
        groups.iter().try_for_each(|group| mappings::extend(&server, group, &body))?;
        Ok(Reply::json(&json!({"acknowledged": true})))
    }))
}

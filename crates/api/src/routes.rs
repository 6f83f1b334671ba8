//! The native routes, one file each.

use door::{FamilyState, Role, Table, blocking};

use crate::docs;
use crate::state::Api;

pub(crate) mod alert_timings;
pub(crate) mod alerts;
pub(crate) mod changes;
pub(crate) mod channels;
pub(crate) mod clocks;
pub(crate) mod complete;
pub(crate) mod context;
pub(crate) mod dashboards;
pub(crate) mod deletions;
pub(crate) mod derived_metrics;
pub(crate) mod differs;
pub(crate) mod doctor;
pub(crate) mod fields;
pub(crate) mod first_look;
pub(crate) mod fleet;
pub(crate) mod for_everybody;
pub(crate) mod groups;
pub(crate) mod health;
pub(crate) mod histogram;
pub(crate) mod incidents;
pub(crate) mod ingest;
pub(crate) mod issues;
pub(crate) mod keys;
pub(crate) mod language;
pub(crate) mod lookups;
pub(crate) mod marks;
pub(crate) mod metrics;
mod oidc;
pub(crate) mod onset;
pub(crate) mod patterns;
pub(crate) mod pipelines;
pub(crate) mod queries;
pub(crate) mod query;
pub(crate) mod reports;
pub(crate) mod rule_trials;
pub(crate) mod rules;
pub(crate) mod session;
pub(crate) mod silences;
pub(crate) mod sources;
pub(crate) mod status;
pub(crate) mod suggestions;
pub(crate) mod tail;
pub(crate) mod time;
pub(crate) mod trace_line;
pub(crate) mod upkeep;
pub(crate) mod users;
pub(crate) mod views;

/// Returns the native routes.
pub(crate) fn table() -> Table<FamilyState<Api>> {
    let table = Table::default()
        .post("/api/v1/ingest", Role::Ingest, ingest::post)
        .get("/api/v1/query", Role::Read, query::get)
        .post("/api/v1/query", Role::Read, query::post)
        .post("/api/v1/query/several", Role::Read, query::several::post)
        .get("/api/v1/queries", Role::Read, queries::list)
        .delete("/api/v1/queries/{id}", Role::Read, queries::cancel)
        .get("/api/v1/histogram", Role::Read, histogram::get)
        .post("/api/v1/complete", Role::Read, complete::post)
        .post("/api/v1/check", Role::Read, blocking(language::check))
        .post("/api/v1/format", Role::Read, blocking(language::format))
        .post("/api/v1/translate", Role::Read, blocking(language::translate))
        .get("/api/v1/time", Role::Read, time::get)
        .get("/api/v1/patterns", Role::Read, patterns::get)
        .get("/api/v1/changes", Role::Read, changes::get)
        .get("/api/v1/context", Role::Read, context::get)
        .get("/api/v1/fields", Role::Read, fields::list)
        .get("/api/v1/fields/{name}/values", Role::Read, fields::values)
        .get("/api/v1/groups", Role::Read, blocking(groups::list))
        .get("/api/v1/groups/{name}", Role::Read, blocking(groups::get))
        .put("/api/v1/groups/{name}", Role::Admin, blocking(groups::put))
        .delete("/api/v1/groups/{name}", Role::Admin, blocking(groups::delete))
        .post("/api/v1/groups/{name}/delete-events", Role::Admin, deletions::post)
        .get("/api/v1/groups/{name}/delete-events", Role::Admin, blocking(deletions::list))
        .get("/api/v1/groups/{name}/delete-events/{id}", Role::Admin, blocking(deletions::get))
        .get("/api/v1/lookups", Role::Read, blocking(lookups::list))
        .get("/api/v1/lookups/{name}", Role::Read, blocking(lookups::get))
        .put("/api/v1/lookups/{name}", Role::Operate, blocking(lookups::put))
        .delete("/api/v1/lookups/{name}", Role::Operate, blocking(lookups::delete))
        .get("/api/v1/sources", Role::Read, sources::list)
        .post("/api/v1/sources/trace", Role::Read, trace_line::post)
        .post("/api/v1/sources/{source}", Role::Ingest, blocking(sources::post))
        .post("/api/v1/sources/{source}/held", Role::Ingest, blocking(sources::held))
        .get("/api/v1/keys", Role::Admin, keys::list)
        .post("/api/v1/keys", Role::Admin, blocking(keys::post))
        .delete("/api/v1/keys/{id}", Role::Admin, blocking(keys::delete))
        .post("/api/v1/keys/{id}/rotate", Role::Admin, blocking(keys::rotate))
        .get("/api/v1/tail", Role::Read, tail::get)
        .get("/api/v1/metrics", Role::Read, blocking(derived_metrics::list))
        .post("/api/v1/metrics", Role::Operate, blocking(derived_metrics::post))
        .get("/api/v1/metrics/{name}", Role::Read, blocking(derived_metrics::get))
        .put("/api/v1/metrics/{name}", Role::Operate, blocking(derived_metrics::put))
        .delete("/api/v1/metrics/{name}", Role::Operate, blocking(derived_metrics::delete))
        .get("/api/v1/session", Role::None, session::get)
        .post("/api/v1/session", Role::None, session::post)
        .delete("/api/v1/session", Role::None, session::delete)
        .get("/api/v1/users", Role::Admin, blocking(users::list))
        .post("/api/v1/users", Role::Admin, users::post)
        .delete("/api/v1/users/{name}", Role::Admin, blocking(users::delete))
        .put("/api/v1/users/{name}/password", Role::Read, users::put_password)
        .get("/api/v1/views", Role::Read, blocking(views::list))
        .post("/api/v1/views", Role::Read, blocking(views::post))
        .put("/api/v1/views/{id}", Role::Read, blocking(views::put))
        .delete("/api/v1/views/{id}", Role::Read, blocking(views::delete))
        .get("/api/v1/status", Role::Read, blocking(status::get))
        .get("/api/v1/doctor", Role::Admin, doctor::get)
        .post("/api/v1/status/flush", Role::Admin, blocking(status::flush))
        .post("/api/v1/status/reload", Role::Admin, blocking(status::reload))
        .post("/api/v1/status/confirm-clock", Role::Admin, blocking(upkeep::confirm_clock))
        .get("/docs", Role::None, docs::index)
        .get("/docs/{page}", Role::None, docs::get)
        .get("/docs/{folder}/{page}", Role::None, docs::get)
        .get("/metrics", Role::Read, metrics::get)
        .get("/-/healthy", Role::None, health::healthy)
        .get("/-/ready", Role::None, health::ready)
        .get("/ready", Role::None, health::loki_ready);
    let table = dashboards::add(for_everybody::add(reports::add(add_causes(add_pipelines(table)))));
    fleet::add(incidents::add(issues::add(alerts::add(oidc::add(table)))))
}

/// Adds the routes of pipelines and of suggestions for them.
fn add_pipelines(table: Table<FamilyState<Api>>) -> Table<FamilyState<Api>> {
    table
        .get("/api/v1/pipelines", Role::Admin, pipelines::list)
        .post("/api/v1/pipelines", Role::Admin, pipelines::post)
        .post("/api/v1/pipelines/test", Role::Admin, blocking(pipelines::test))
        .delete("/api/v1/pipelines/{name}", Role::Admin, blocking(pipelines::delete))
        .get("/api/v1/suggestions", Role::Admin, suggestions::get)
}

/// Adds the routes that lead from an alert to its cause.
fn add_causes(table: Table<FamilyState<Api>>) -> Table<FamilyState<Api>> {
    table
        .post("/api/v1/differs", Role::Read, differs::post)
        .post("/api/v1/first-look", Role::Read, first_look::post)
        .post("/api/v1/onset", Role::Read, onset::post)
        .get("/api/v1/marks", Role::Read, marks::get)
        .post("/api/v1/marks", Role::Ingest, marks::post)
}

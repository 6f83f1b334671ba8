//! The native routes, one file each.

use door::{Role, tables};

use crate::docs;
use crate::state::Routes;

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
pub(crate) fn table() -> Routes {
    let routes = add_users(add_sources(add_queries(Routes::default())))
        .get("/api/v1/status", Role::Read, |call| call.look_up(status::get))
        .get("/api/v1/doctor", Role::Admin, doctor::get)
        .post("/api/v1/status/flush", Role::Admin, |call| call.look_up(status::flush))
        .post("/api/v1/status/reload", Role::Admin, |call| call.look_up(status::reload))
        .post("/api/v1/status/confirm-clock", Role::Admin, |call| call.look_up(upkeep::confirm_clock))
        .get("/docs", Role::None, docs::index)
        .get("/docs/{page}", Role::None, docs::get)
        .get("/docs/{folder}/{page}", Role::None, docs::get)
        .get("/metrics", Role::Read, metrics::get)
        .get("/-/healthy", Role::None, health::healthy)
        .get("/-/ready", Role::None, health::ready)
        .get("/ready", Role::None, health::loki_ready);
    let routes = dashboards::add(for_everybody::add(reports::add(add_causes(add_pipelines(routes)))));
    fleet::add(incidents::add(issues::add(alerts::add(oidc::add(routes)))))
}

/// Adds the routes of events, queries and groups.
fn add_queries(routes: Routes) -> Routes {
    routes
        .post("/api/v1/ingest", Role::Ingest, ingest::post)
        .get("/api/v1/query", Role::Read, query::get)
        .post("/api/v1/query", Role::Read, |call| call.read(query::BODY_BYTES_MAX, query::post))
        .post("/api/v1/query/several", Role::Read, |call| {
            call.read(query::several::BODY_BYTES_MAX, query::several::post)
        })
        .get("/api/v1/queries", Role::Read, queries::list)
        .delete("/api/v1/queries/{id}", Role::Read, queries::cancel)
        .get("/api/v1/histogram", Role::Read, histogram::get)
        .post("/api/v1/complete", Role::Read, |call| call.read(language::BODY_BYTES_MAX, complete::post))
        .post("/api/v1/check", Role::Read, |call| call.look_up_with(language::BODY_BYTES_MAX, language::check))
        .post("/api/v1/format", Role::Read, |call| call.look_up_with(language::BODY_BYTES_MAX, language::format))
        .post("/api/v1/translate", Role::Read, |call| call.look_up_with(language::BODY_BYTES_MAX, language::translate))
        .get("/api/v1/time", Role::Read, time::get)
        .get("/api/v1/patterns", Role::Read, patterns::get)
        .get("/api/v1/changes", Role::Read, changes::get)
        .get("/api/v1/context", Role::Read, context::get)
        .get("/api/v1/fields", Role::Read, fields::list)
        .get("/api/v1/fields/{name}/values", Role::Read, fields::values)
        .get("/api/v1/groups", Role::Read, |call| call.look_up(groups::list))
        .get("/api/v1/groups/{name}", Role::Read, |call| call.look_up(groups::get))
        .put("/api/v1/groups/{name}", Role::Admin, |call| call.look_up_with(groups::BODY_BYTES_MAX, groups::put))
        .delete("/api/v1/groups/{name}", Role::Admin, |call| call.look_up(groups::delete))
        .post("/api/v1/groups/{name}/delete-events", Role::Admin, |call| {
            call.read(deletions::BODY_BYTES_MAX, deletions::post)
        })
        .get("/api/v1/groups/{name}/delete-events", Role::Admin, |call| call.look_up(deletions::list))
        .get("/api/v1/groups/{name}/delete-events/{id}", Role::Admin, |call| call.look_up(deletions::get))
}

/// Adds the routes of lookup tables, sources, keys, live tails and derived metrics.
fn add_sources(routes: Routes) -> Routes {
    routes
        .get("/api/v1/lookups", Role::Read, |call| call.look_up(lookups::list))
        .get("/api/v1/lookups/{name}", Role::Read, |call| call.look_up(lookups::get))
        .put("/api/v1/lookups/{name}", Role::Operate, |call| call.look_up_with(tables::BODY_BYTES_MAX, lookups::put))
        .delete("/api/v1/lookups/{name}", Role::Operate, |call| call.look_up(lookups::delete))
        .get("/api/v1/sources", Role::Read, sources::list)
        .post("/api/v1/sources/trace", Role::Read, |call| call.read(trace_line::BODY_BYTES_MAX, trace_line::post))
        .post("/api/v1/sources/{source}", Role::Ingest, |call| {
            call.look_up_with(sources::BODY_BYTES_MAX, sources::post)
        })
        .post("/api/v1/sources/{source}/held", Role::Ingest, |call| {
            call.look_up_with(sources::BODY_BYTES_MAX, sources::held)
        })
        .get("/api/v1/keys", Role::Admin, keys::list)
        .post("/api/v1/keys", Role::Admin, |call| call.look_up_with(keys::BODY_BYTES_MAX, keys::post))
        .delete("/api/v1/keys/{id}", Role::Admin, |call| call.look_up(keys::delete))
        .post("/api/v1/keys/{id}/rotate", Role::Admin, |call| call.look_up_with(keys::BODY_BYTES_MAX, keys::rotate))
        .get("/api/v1/tail", Role::Read, tail::get)
        .get("/api/v1/metrics", Role::Read, |call| call.look_up(derived_metrics::list))
        .post("/api/v1/metrics", Role::Operate, |call| {
            call.json()?.look_up_with(derived_metrics::BODY_BYTES_MAX, derived_metrics::post)
        })
        .get("/api/v1/metrics/{name}", Role::Read, |call| call.look_up(derived_metrics::get))
        .put("/api/v1/metrics/{name}", Role::Operate, |call| {
            call.json()?.look_up_with(derived_metrics::BODY_BYTES_MAX, derived_metrics::put)
        })
        .delete("/api/v1/metrics/{name}", Role::Operate, |call| call.look_up(derived_metrics::delete))
}

/// Adds the routes of sessions, users and saved views.
fn add_users(routes: Routes) -> Routes {
    routes
        .get("/api/v1/session", Role::None, session::get)
        .post("/api/v1/session", Role::None, |call| call.json()?.read(session::BODY_BYTES_MAX, session::post))
        .delete("/api/v1/session", Role::None, session::delete)
        .get("/api/v1/users", Role::Admin, |call| call.look_up(users::list))
        .post("/api/v1/users", Role::Admin, |call| call.json()?.read(session::BODY_BYTES_MAX, users::post))
        .delete("/api/v1/users/{name}", Role::Admin, |call| call.look_up(users::delete))
        .put("/api/v1/users/{name}/password", Role::Read, |call| {
            call.json()?.read(session::BODY_BYTES_MAX, users::put_password)
        })
        .get("/api/v1/views", Role::Read, |call| call.look_up(views::list))
        .post("/api/v1/views", Role::Read, |call| call.json()?.look_up_with(views::BODY_BYTES_MAX, views::post))
        .put("/api/v1/views/{id}", Role::Read, |call| call.json()?.look_up_with(views::BODY_BYTES_MAX, views::put))
        .delete("/api/v1/views/{id}", Role::Read, |call| call.look_up(views::delete))
}

/// Adds the routes of pipelines and of suggestions for them.
fn add_pipelines(routes: Routes) -> Routes {
    routes
        .get("/api/v1/pipelines", Role::Admin, pipelines::list)
        .post("/api/v1/pipelines", Role::Admin, |call| call.json()?.read(pipelines::BODY_BYTES_MAX, pipelines::post))
        .post("/api/v1/pipelines/test", Role::Admin, |call| {
            call.look_up_with(pipelines::BODY_BYTES_MAX, pipelines::test)
        })
        .delete("/api/v1/pipelines/{name}", Role::Admin, |call| call.look_up(pipelines::delete))
        .get("/api/v1/suggestions", Role::Admin, suggestions::get)
}

/// Adds the routes that lead from an alert to its cause.
fn add_causes(routes: Routes) -> Routes {
    routes
        .post("/api/v1/differs", Role::Read, |call| call.read(differs::BODY_BYTES_MAX, differs::post))
        .post("/api/v1/first-look", Role::Read, |call| call.read(first_look::BODY_BYTES_MAX, first_look::post))
        .post("/api/v1/onset", Role::Read, |call| call.read(onset::BODY_BYTES_MAX, onset::post))
        .get("/api/v1/marks", Role::Read, marks::get)
        .post("/api/v1/marks", Role::Ingest, |call| call.read(marks::BODY_BYTES_MAX, marks::post))
}

//! The routes of the Elasticsearch API: bulk requests and single documents, searches with the query DSL, aggregations and
//! ES|QL, and the requests that agents, Grafana and client libraries send before them.
//!
//! An index is a group. The query DSL is translated into plans like any other language. A search without a range covers
//! all time.
//!
//! All paths are below `/elasticsearch`. For clients whose address cannot have a path, requests are also answered at the
//! root if no other API uses the path (`address`).
//!
//! Mappings and templates (`mappings`, `templates`), aliases (`aliases`) and the names of created indices
//! (`created_indices`) are stored. Policies and pipelines are acknowledged for agents that require them, but not stored,
//! which a `Warning` header states. No preparation is needed: a group exists once it has an event.

mod address;
mod alias;
mod alias_lookup;
mod aliases;
mod async_search;
mod body;
mod bulk;
mod bulk_answer;
mod cat;
mod catalog;
mod checked_parameters;
mod created_indices;
mod declaration;
mod deletion;
mod documents;
mod errors;
mod esql;
mod execution;
mod filter;
mod format;
mod hits;
mod index_names;
mod indices;
mod info;
mod mapping_set;
mod mappings;
mod names;
mod pit;
mod plan_runner;
mod registry;
mod request;
mod scroll;
mod scroll_registry;
mod search;
mod search_run;
mod settings;
mod setup;
mod state;
mod template;
mod templates;
mod terms_enum;
mod unsupported;

use door::access::Role;
use door::handler::blocking;
use door::server::FamilyState;
use door::table::Table;

pub use self::address::{at_the_root, is_address};
pub use self::format::{ElasticFormat, version_wanted};
pub use self::state::ElasticState;
pub use self::unsupported::{nothing_at, refused};

type Routes = Table<FamilyState<ElasticState>>;

/// Returns the routes of this API.
pub fn routes() -> Routes {
    let table = Routes::default()
        .get("/elasticsearch", Role::Any, info::root)
        .get("/elasticsearch/", Role::Any, info::root)
        .get("/elasticsearch/_license", Role::Any, info::license)
        .get("/elasticsearch/_xpack", Role::Any, info::xpack)
        .get("/elasticsearch/_cluster/health", Role::Any, info::health)
        .get("/elasticsearch/_cluster/health/{index}", Role::Any, info::health)
        .get("/elasticsearch/_cat/health", Role::Any, cat::health)
        .get("/elasticsearch/_nodes", Role::Any, info::nodes)
        .get("/elasticsearch/_nodes/http", Role::Any, info::nodes)
        .get("/elasticsearch/_nodes/_all/http", Role::Any, info::nodes)
        .get("/elasticsearch/{index}", Role::Any, setup::index)
        .put("/elasticsearch/{index}", Role::Ingest, setup::make_index)
        .ask("/elasticsearch/_refresh", Role::Ingest, setup::refresh)
        .ask("/elasticsearch/{index}/_refresh", Role::Ingest, setup::refresh)
        .ask("/elasticsearch/_flush", Role::Ingest, setup::refresh)
        .ask("/elasticsearch/{index}/_flush", Role::Ingest, setup::refresh)
        .ask("/elasticsearch/_forcemerge", Role::Ingest, setup::refresh)
        .ask("/elasticsearch/{index}/_forcemerge", Role::Ingest, setup::refresh);
    with_administration(with_searches(with_aliases(with_templates(table))))
        .post("/elasticsearch/_bulk", Role::Ingest, bulk::bulk)
        .put("/elasticsearch/_bulk", Role::Ingest, bulk::bulk)
        .post("/elasticsearch/{index}/_bulk", Role::Ingest, bulk::bulk)
        .put("/elasticsearch/{index}/_bulk", Role::Ingest, bulk::bulk)
        .post("/elasticsearch/{index}/_doc", Role::Ingest, bulk::document)
        .post("/elasticsearch/{index}/_doc/{id}", Role::Ingest, bulk::document)
        .put("/elasticsearch/{index}/_doc/{id}", Role::Ingest, bulk::document)
        .post("/elasticsearch/{index}/_create/{id}", Role::Ingest, bulk::create)
        .put("/elasticsearch/{index}/_create/{id}", Role::Ingest, bulk::create)
}

/// Adds searches and the questions that clients ask before them.
fn with_searches(table: Routes) -> Routes {
    table
        .ask("/elasticsearch/_search", Role::Read, search::search)
        .ask("/elasticsearch/{index}/_search", Role::Read, search::search)
        .ask("/elasticsearch/_msearch", Role::Read, search::search_many)
        .ask("/elasticsearch/{index}/_msearch", Role::Read, search::search_many)
        .ask("/elasticsearch/_count", Role::Read, search::count)
        .ask("/elasticsearch/{index}/_count", Role::Read, search::count)
        .ask("/elasticsearch/_field_caps", Role::Read, catalog::capabilities)
        .ask("/elasticsearch/{index}/_field_caps", Role::Read, catalog::capabilities)
        .ask("/elasticsearch/_search/scroll", Role::Read, scroll::next)
        .delete("/elasticsearch/_search/scroll", Role::Read, scroll::clear)
        .get("/elasticsearch/_search/scroll/{id}", Role::Read, scroll::next_of)
        .delete("/elasticsearch/_search/scroll/{id}", Role::Read, scroll::clear_of)
        .get("/elasticsearch/_mapping", Role::Read, catalog::mapping)
        .get("/elasticsearch/{index}/_mapping", Role::Read, catalog::mapping)
        .ask("/elasticsearch/_resolve/index/{name}", Role::Read, catalog::resolve)
        .get("/elasticsearch/_stats", Role::Read, catalog::stats)
        .get("/elasticsearch/{index}/_stats", Role::Read, catalog::stats)
        .get("/elasticsearch/_search_shards", Role::Read, catalog::shards)
        .get("/elasticsearch/{index}/_search_shards", Role::Read, catalog::shards)
        .post("/elasticsearch/{index}/_pit", Role::Read, pit::open)
        .delete("/elasticsearch/_pit", Role::Read, pit::close)
        .post("/elasticsearch/_async_search", Role::Read, async_search::search)
        .post("/elasticsearch/{index}/_async_search", Role::Read, async_search::search)
        .post("/elasticsearch/_query", Role::Read, esql::query)
        .post("/elasticsearch/_query/async", Role::Read, esql::asynchronous)
        .get("/elasticsearch/_query/async/{id}", Role::Read, esql::missing)
        .delete("/elasticsearch/_query/async/{id}", Role::Read, esql::missing)
        .get("/elasticsearch/_async_search/{id}", Role::Read, async_search::missing)
        .delete("/elasticsearch/_async_search/{id}", Role::Read, async_search::missing)
}

/// Adds what scripts ask about the cluster and its indices, single documents, and deletions.
fn with_administration(table: Routes) -> Routes {
    table
        .ask("/elasticsearch/_validate/query", Role::Read, search::validate)
        .ask("/elasticsearch/{index}/_validate/query", Role::Read, search::validate)
        .ask("/elasticsearch/_mget", Role::Read, documents::many)
        .ask("/elasticsearch/{index}/_mget", Role::Read, documents::many)
        .get("/elasticsearch/_cat/indices", Role::Read, cat::indices)
        .get("/elasticsearch/_cat/indices/{index}", Role::Read, cat::indices)
        .get("/elasticsearch/_cat/count", Role::Read, cat::count)
        .get("/elasticsearch/_cat/count/{index}", Role::Read, cat::count)
        .get("/elasticsearch/_cat/nodes", Role::Read, cat::nodes)
        .get("/elasticsearch/_cat/shards", Role::Read, cat::shards)
        .get("/elasticsearch/_cat/shards/{index}", Role::Read, cat::shards)
        .get("/elasticsearch/_cat/aliases", Role::Read, cat::aliases)
        .get("/elasticsearch/_cat/aliases/{name}", Role::Read, cat::aliases)
        .get("/elasticsearch/_cat/plugins", Role::Read, cat::nothing)
        .get("/elasticsearch/_cluster/settings", Role::Read, blocking(settings::cluster_settings))
        .put("/elasticsearch/_cluster/settings", Role::Admin, settings::put_cluster_settings)
        .get("/elasticsearch/_cluster/stats", Role::Read, catalog::cluster_stats)
        .get("/elasticsearch/_settings", Role::Read, settings::settings)
        .get("/elasticsearch/{index}/_settings", Role::Read, settings::settings)
        .put("/elasticsearch/{index}/_settings", Role::Operate, settings::put_settings)
        .ask("/elasticsearch/{index}/_terms_enum", Role::Read, terms_enum::terms_enum)
        .get("/elasticsearch/{index}/_doc/{id}", Role::Read, documents::get)
        .get("/elasticsearch/{index}/_source/{id}", Role::Read, documents::source)
        .delete("/elasticsearch/{index}", Role::Admin, deletion::index)
        .post("/elasticsearch/{index}/_delete_by_query", Role::Admin, deletion::by_query)
        .get("/elasticsearch/_tasks/{id}", Role::Admin, deletion::task)
        .put("/elasticsearch/{index}/_mapping", Role::Ingest, templates::put_mapping)
        .put("/elasticsearch/{index}/_mappings", Role::Ingest, templates::put_mapping)
        .get("/elasticsearch/_mappings", Role::Read, catalog::mapping)
        .get("/elasticsearch/{index}/_mappings", Role::Read, catalog::mapping)
}

/// Adds aliases.
fn with_aliases(table: Routes) -> Routes {
    table
        .get("/elasticsearch/_alias", Role::Read, aliases::list)
        .get("/elasticsearch/_aliases", Role::Read, aliases::list)
        .post("/elasticsearch/_aliases", Role::Operate, aliases::change)
        .get("/elasticsearch/_alias/{name}", Role::Any, aliases::list)
        .get("/elasticsearch/{index}/_alias", Role::Read, aliases::list)
        .get("/elasticsearch/{index}/_alias/{name}", Role::Any, aliases::list)
        .post("/elasticsearch/{index}/_alias/{name}", Role::Operate, aliases::add)
        .put("/elasticsearch/{index}/_alias/{name}", Role::Operate, aliases::add)
        .delete("/elasticsearch/{index}/_alias/{name}", Role::Operate, aliases::remove)
}

/// Adds what agents create before they send: templates, policies, pipelines.
fn with_templates(table: Routes) -> Routes {
    let of_templates = [
        ("/elasticsearch/_template/{name}", "/elasticsearch/_template"),
        ("/elasticsearch/_index_template/{name}", "/elasticsearch/_index_template"),
        ("/elasticsearch/_component_template/{name}", "/elasticsearch/_component_template"),
    ];
    let table = of_templates.into_iter().fold(table, |table, (path, all)| {
        table
            .get(all, Role::Any, templates::get)
            .get(path, Role::Any, templates::get)
            .put(path, Role::Ingest, templates::put)
            .post(path, Role::Ingest, templates::put)
            .delete(path, Role::Operate, templates::delete)
    });
    let table = table.post("/elasticsearch/_index_template/_simulate_index/{name}", Role::Any, templates::simulate);
    let pipeline = "/elasticsearch/_ingest/pipeline/{name}";
    let table =
        table.get(pipeline, Role::Ingest, setup::missing).put(pipeline, Role::Ingest, blocking(setup::put_pipeline));
    let paths = ["/elasticsearch/_ilm/policy/{name}", "/elasticsearch/_data_stream/{name}"];
    paths.into_iter().fold(table, |table, path| {
        table.get(path, Role::Ingest, setup::missing).put(path, Role::Ingest, setup::acknowledge)
    })
}

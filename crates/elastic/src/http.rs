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

use door::Role;

use self::body::{with_bytes, with_json};
use self::checked_parameters::checked;

pub use self::address::{at_the_root, is_address};
pub use self::format::{ElasticFormat, version_wanted};
pub use self::state::ElasticState;
pub use self::unsupported::{nothing_at, refused};

type Routes = door::table::Routes<ElasticState>;

/// Returns the routes of this API.
pub fn routes() -> Routes {
    let table = Routes::default()
        .get("/elasticsearch", Role::Any, info::root)
        .get("/elasticsearch/", Role::Any, info::root)
        .get("/elasticsearch/_license", Role::Any, info::license)
        .get("/elasticsearch/_xpack", Role::Any, info::xpack)
        .get("/elasticsearch/_cluster/health", Role::Any, info::health)
        .get("/elasticsearch/_cluster/health/{index}", Role::Any, info::health)
        .get("/elasticsearch/_cat/health", Role::Any, |call| cat::health(checked(call)?))
        .get("/elasticsearch/_nodes", Role::Any, info::nodes)
        .get("/elasticsearch/_nodes/http", Role::Any, info::nodes)
        .get("/elasticsearch/_nodes/_all/http", Role::Any, info::nodes)
        .get("/elasticsearch/{index}", Role::Any, setup::index)
        .put("/elasticsearch/{index}", Role::Ingest, |call| with_json(call, setup::make_index))
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
        .ask("/elasticsearch/_search", Role::Read, |call| with_bytes(checked(call)?, search::search))
        .ask("/elasticsearch/{index}/_search", Role::Read, |call| with_bytes(checked(call)?, search::search))
        .ask("/elasticsearch/_msearch", Role::Read, |call| with_bytes(checked(call)?, search::search_many))
        .ask("/elasticsearch/{index}/_msearch", Role::Read, |call| with_bytes(checked(call)?, search::search_many))
        .ask("/elasticsearch/_count", Role::Read, |call| with_bytes(checked(call)?, search::count))
        .ask("/elasticsearch/{index}/_count", Role::Read, |call| with_bytes(checked(call)?, search::count))
        .ask("/elasticsearch/_field_caps", Role::Read, |call| with_json(checked(call)?, catalog::capabilities))
        .ask("/elasticsearch/{index}/_field_caps", Role::Read, |call| with_json(checked(call)?, catalog::capabilities))
        .ask("/elasticsearch/_search/scroll", Role::Read, |call| with_bytes(checked(call)?, scroll::next))
        .delete("/elasticsearch/_search/scroll", Role::Read, |call| with_bytes(checked(call)?, scroll::clear))
        .get("/elasticsearch/_search/scroll/{id}", Role::Read, |call| scroll::next_of(checked(call)?))
        .delete("/elasticsearch/_search/scroll/{id}", Role::Read, scroll::clear_of)
        .get("/elasticsearch/_mapping", Role::Read, |call| catalog::mapping(checked(call)?))
        .get("/elasticsearch/{index}/_mapping", Role::Read, |call| catalog::mapping(checked(call)?))
        .ask("/elasticsearch/_resolve/index/{name}", Role::Read, |call| catalog::resolve(checked(call)?))
        .get("/elasticsearch/_stats", Role::Read, |call| catalog::stats(checked(call)?))
        .get("/elasticsearch/{index}/_stats", Role::Read, |call| catalog::stats(checked(call)?))
        .get("/elasticsearch/_search_shards", Role::Read, |call| catalog::shards(checked(call)?))
        .get("/elasticsearch/{index}/_search_shards", Role::Read, |call| catalog::shards(checked(call)?))
        .post("/elasticsearch/{index}/_pit", Role::Read, |call| pit::open(checked(call)?))
        .delete("/elasticsearch/_pit", Role::Read, |call| with_json(call, pit::close))
        .post("/elasticsearch/_async_search", Role::Read, |call| with_bytes(checked(call)?, async_search::search))
        .post("/elasticsearch/{index}/_async_search", Role::Read, |call| {
            with_bytes(checked(call)?, async_search::search)
        })
        .post("/elasticsearch/_query", Role::Read, |call| with_json(checked(call)?, esql::synchronous))
        .post("/elasticsearch/_query/async", Role::Read, |call| with_json(checked(call)?, esql::asynchronous))
        .get("/elasticsearch/_query/async/{id}", Role::Read, async_search::missing)
        .delete("/elasticsearch/_query/async/{id}", Role::Read, async_search::missing)
        .get("/elasticsearch/_async_search/{id}", Role::Read, async_search::missing)
        .delete("/elasticsearch/_async_search/{id}", Role::Read, async_search::missing)
}

/// Adds what scripts ask about the cluster and its indices, single documents, and deletions.
fn with_administration(table: Routes) -> Routes {
    table
        .ask("/elasticsearch/_validate/query", Role::Read, |call| with_json(checked(call)?, search::validate))
        .ask("/elasticsearch/{index}/_validate/query", Role::Read, |call| with_json(checked(call)?, search::validate))
        .ask("/elasticsearch/_mget", Role::Read, |call| with_json(checked(call)?, documents::many))
        .ask("/elasticsearch/{index}/_mget", Role::Read, |call| with_json(checked(call)?, documents::many))
        .get("/elasticsearch/_cat/indices", Role::Read, |call| cat::indices(checked(call)?))
        .get("/elasticsearch/_cat/indices/{index}", Role::Read, |call| cat::indices(checked(call)?))
        .get("/elasticsearch/_cat/count", Role::Read, |call| cat::count(checked(call)?))
        .get("/elasticsearch/_cat/count/{index}", Role::Read, |call| cat::count(checked(call)?))
        .get("/elasticsearch/_cat/nodes", Role::Read, |call| cat::nodes(checked(call)?))
        .get("/elasticsearch/_cat/shards", Role::Read, |call| cat::shards(checked(call)?))
        .get("/elasticsearch/_cat/shards/{index}", Role::Read, |call| cat::shards(checked(call)?))
        .get("/elasticsearch/_cat/aliases", Role::Read, |call| cat::aliases(checked(call)?))
        .get("/elasticsearch/_cat/aliases/{name}", Role::Read, |call| cat::aliases(checked(call)?))
        .get("/elasticsearch/_cat/plugins", Role::Read, cat::nothing)
        .get("/elasticsearch/_cluster/settings", Role::Read, settings::cluster_settings)
        .put("/elasticsearch/_cluster/settings", Role::Admin, |call| with_json(call, settings::put_cluster_settings))
        .get("/elasticsearch/_cluster/stats", Role::Read, catalog::cluster_stats)
        .get("/elasticsearch/_settings", Role::Read, |call| settings::settings(checked(call)?))
        .get("/elasticsearch/{index}/_settings", Role::Read, |call| settings::settings(checked(call)?))
        .put("/elasticsearch/{index}/_settings", Role::Operate, |call| {
            with_json(checked(call)?, settings::put_settings)
        })
        .ask("/elasticsearch/{index}/_terms_enum", Role::Read, |call| with_json(call, terms_enum::terms_enum))
        .get("/elasticsearch/{index}/_doc/{id}", Role::Read, |call| documents::get(checked(call)?))
        .get("/elasticsearch/{index}/_source/{id}", Role::Read, |call| documents::source(checked(call)?))
        .delete("/elasticsearch/{index}", Role::Admin, |call| deletion::index(checked(call)?))
        .post("/elasticsearch/{index}/_delete_by_query", Role::Admin, |call| {
            with_bytes(checked(call)?, deletion::by_query)
        })
        .get("/elasticsearch/_tasks/{id}", Role::Admin, deletion::task)
        .put("/elasticsearch/{index}/_mapping", Role::Ingest, |call| with_json(checked(call)?, templates::put_mapping))
        .put("/elasticsearch/{index}/_mappings", Role::Ingest, |call| with_json(checked(call)?, templates::put_mapping))
        .get("/elasticsearch/_mappings", Role::Read, |call| catalog::mapping(checked(call)?))
        .get("/elasticsearch/{index}/_mappings", Role::Read, |call| catalog::mapping(checked(call)?))
}

/// Adds aliases.
fn with_aliases(table: Routes) -> Routes {
    table
        .get("/elasticsearch/_alias", Role::Read, |call| aliases::list_all(checked(call)?))
        .get("/elasticsearch/_aliases", Role::Read, |call| aliases::list_all(checked(call)?))
        .post("/elasticsearch/_aliases", Role::Operate, |call| with_json(call, aliases::change))
        .get("/elasticsearch/_alias/{name}", Role::Any, |call| aliases::list(checked(call)?))
        .get("/elasticsearch/{index}/_alias", Role::Read, |call| aliases::list_all(checked(call)?))
        .get("/elasticsearch/{index}/_alias/{name}", Role::Any, |call| aliases::list(checked(call)?))
        .post("/elasticsearch/{index}/_alias/{name}", Role::Operate, |call| with_json(call, aliases::add))
        .put("/elasticsearch/{index}/_alias/{name}", Role::Operate, |call| with_json(call, aliases::add))
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
            .put(path, Role::Ingest, |call| with_json(call, templates::put))
            .post(path, Role::Ingest, |call| with_json(call, templates::put))
            .delete(path, Role::Operate, templates::delete)
    });
    let table = table.post("/elasticsearch/_index_template/_simulate_index/{name}", Role::Any, templates::simulate);
    let pipeline = "/elasticsearch/_ingest/pipeline/{name}";
    let table = table.get(pipeline, Role::Ingest, setup::missing).put(pipeline, Role::Ingest, setup::put_pipeline);
    let paths = ["/elasticsearch/_ilm/policy/{name}", "/elasticsearch/_data_stream/{name}"];
    paths.into_iter().fold(table, |table, path| {
        table.get(path, Role::Ingest, setup::missing).put(path, Role::Ingest, setup::acknowledge)
    })
}

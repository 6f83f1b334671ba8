//! What Elasticsearch's clients speak: bulk requests and single documents, and the questions that senders ask before;
//! searches with the query DSL, hits and aggregations, as Grafana and the client libraries ask them, and ES|QL.
//!
//! An index is a group. The query DSL becomes the plans of any other dialect (`elastic`); shapes of answers live
//! here. Searches look at all time unless they say otherwise.
//!
//! Everything stands under `/elasticsearch`. For senders whose address cannot have a path the same is answered at the
//! root where it collides with nothing: paths whose first part begins with `_`, such as `/_bulk`, or the second, such as
//! `/INDEX/_search`, `/INDEX` for its client libraries, and `/` for whoever accepts JSON and no page.
//!
//! Mappings and templates (`mappings`, `templates`), aliases (`aliases`) and the names of indices that were made (`made`)
//! are kept. Policies and pipelines are answered so that agents which insist on making them go on; nothing of them is
//! kept, and a `Warning` says so. There is nothing to prepare: a group exists once it has an event.

mod aliases;
mod answer;
mod asynchronous;
mod bulk;
mod cat;
mod catalog;
mod checked_parameters;
mod deletion;
mod documents;
mod esql;
mod filter;
mod hits;
mod indices;
mod info;
mod made;
mod manage;
mod mappings;
mod pit;
mod reading;
mod request;
mod scroll;
mod search;
mod setup;
mod templates;

use std::borrow::Cow;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tower::ServiceBuilder;
use tower::util::MapRequestLayer;

use crate::bulk::DocumentCounter;
use door::access::Role;
use door::format::ErrorFormat;
use door::problem::Problem;
use door::server::{FamilyServer, FamilyState};
use door::table::Table;

/// What clients of Elasticsearch have made, and how far they have scrolled.
#[derive(Default)]
pub struct ElasticState {
    /// Other names of groups.
    aliases: aliases::Book,
    /// Indices without events.
    made: made::Book,
    /// Mappings and templates.
    mappings: mappings::Book,
    scrolls: scroll::Book,
    documents: DocumentCounter,
}

/// The server as a client of this protocol sees it.
pub(crate) type Shared = FamilyServer<ElasticState>;

type Routes = Table<FamilyState<ElasticState>>;

/// Where this door stands.
const PREFIX: &str = "/elasticsearch";

/// What is said of what Elasticsearch knows and this door does not.
const NOT_SUPPORTED: &str = "is not supported here";

/// Clients refuse to talk to what does not say this.
const PRODUCT: (&str, HeaderValue) = ("x-elastic-product", HeaderValue::from_static("Elasticsearch"));

/// Adds the routes of this door.
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
        .post("/elasticsearch/_refresh", Role::Ingest, setup::refresh)
        .post("/elasticsearch/{index}/_refresh", Role::Ingest, setup::refresh)
        .get("/elasticsearch/{index}", Role::Any, setup::index)
        .put("/elasticsearch/{index}", Role::Ingest, setup::make_index);
    managed(asked(aliased(prepared(table))))
        .post("/elasticsearch/_bulk", Role::Ingest, bulk::post)
        .put("/elasticsearch/_bulk", Role::Ingest, bulk::post)
        .post("/elasticsearch/{index}/_bulk", Role::Ingest, bulk::post_to)
        .put("/elasticsearch/{index}/_bulk", Role::Ingest, bulk::post_to)
        .post("/elasticsearch/{index}/_doc", Role::Ingest, bulk::document)
        .post("/elasticsearch/{index}/_doc/{id}", Role::Ingest, bulk::document_of_id)
        .put("/elasticsearch/{index}/_doc/{id}", Role::Ingest, bulk::document_of_id)
        .post("/elasticsearch/{index}/_create/{id}", Role::Ingest, bulk::create)
        .put("/elasticsearch/{index}/_create/{id}", Role::Ingest, bulk::create)
}

/// Questions about events.
fn asked(table: Routes) -> Routes {
    table
        .get("/elasticsearch/_search", Role::Read, search::all)
        .post("/elasticsearch/_search", Role::Read, search::all)
        .get("/elasticsearch/{index}/_search", Role::Read, search::of_index)
        .post("/elasticsearch/{index}/_search", Role::Read, search::of_index)
        .get("/elasticsearch/_msearch", Role::Read, search::many)
        .post("/elasticsearch/_msearch", Role::Read, search::many)
        .get("/elasticsearch/{index}/_msearch", Role::Read, search::many_of_index)
        .post("/elasticsearch/{index}/_msearch", Role::Read, search::many_of_index)
        .get("/elasticsearch/_count", Role::Read, search::count_all)
        .post("/elasticsearch/_count", Role::Read, search::count_all)
        .get("/elasticsearch/{index}/_count", Role::Read, search::count_of_index)
        .post("/elasticsearch/{index}/_count", Role::Read, search::count_of_index)
        .get("/elasticsearch/_search/scroll", Role::Read, scroll::next)
        .post("/elasticsearch/_search/scroll", Role::Read, scroll::next)
        .delete("/elasticsearch/_search/scroll", Role::Read, scroll::clear)
        .get("/elasticsearch/_search/scroll/{id}", Role::Read, scroll::next_of)
        .delete("/elasticsearch/_search/scroll/{id}", Role::Read, scroll::clear_of)
        .get("/elasticsearch/_mapping", Role::Read, catalog::mapping_of_all)
        .get("/elasticsearch/{index}/_mapping", Role::Read, catalog::mapping_of)
        .get("/elasticsearch/_field_caps", Role::Read, catalog::capabilities_of_all)
        .post("/elasticsearch/_field_caps", Role::Read, catalog::capabilities_of_all)
        .get("/elasticsearch/{index}/_field_caps", Role::Read, catalog::capabilities_of)
        .post("/elasticsearch/{index}/_field_caps", Role::Read, catalog::capabilities_of)
        .get("/elasticsearch/_resolve/index/{name}", Role::Read, catalog::resolve)
        .post("/elasticsearch/_resolve/index/{name}", Role::Read, catalog::resolve)
        .get("/elasticsearch/_stats", Role::Read, catalog::stats_of_all)
        .get("/elasticsearch/{index}/_stats", Role::Read, catalog::stats_of)
        .get("/elasticsearch/_search_shards", Role::Read, catalog::shards_of_all)
        .get("/elasticsearch/{index}/_search_shards", Role::Read, catalog::shards_of)
        .post("/elasticsearch/{index}/_pit", Role::Read, pit::open)
        .delete("/elasticsearch/_pit", Role::Read, pit::close)
        .post("/elasticsearch/_async_search", Role::Read, asynchronous::all)
        .post("/elasticsearch/{index}/_async_search", Role::Read, asynchronous::of_index)
        .post("/elasticsearch/_query", Role::Read, esql::query)
        .post("/elasticsearch/_query/async", Role::Read, esql::asynchronous)
        .get("/elasticsearch/_query/async/{id}", Role::Read, esql::missing)
        .delete("/elasticsearch/_query/async/{id}", Role::Read, esql::missing)
        .get("/elasticsearch/_async_search/{id}", Role::Read, asynchronous::missing)
        .delete("/elasticsearch/_async_search/{id}", Role::Read, asynchronous::missing)
}

/// What scripts ask about the cluster and its indices, single documents, and what deletes.
fn managed(table: Routes) -> Routes {
    table
        .get("/elasticsearch/_cat/indices", Role::Read, cat::indices)
        .get("/elasticsearch/_cat/indices/{index}", Role::Read, cat::indices_of)
        .get("/elasticsearch/_cat/count", Role::Read, cat::count)
        .get("/elasticsearch/_cat/count/{index}", Role::Read, cat::count_of)
        .get("/elasticsearch/_cat/nodes", Role::Read, cat::nodes)
        .get("/elasticsearch/_cat/shards", Role::Read, cat::shards)
        .get("/elasticsearch/_cat/shards/{index}", Role::Read, cat::shards_of)
        .get("/elasticsearch/_cat/aliases", Role::Read, cat::aliases)
        .get("/elasticsearch/_cat/aliases/{name}", Role::Read, cat::aliases_of)
        .get("/elasticsearch/_cat/plugins", Role::Read, cat::nothing)
        .get("/elasticsearch/_cluster/settings", Role::Read, manage::cluster_settings)
        .put("/elasticsearch/_cluster/settings", Role::Admin, manage::put_cluster_settings)
        .get("/elasticsearch/_cluster/stats", Role::Read, manage::cluster_stats)
        .get("/elasticsearch/_settings", Role::Read, manage::settings_of_all)
        .get("/elasticsearch/{index}/_settings", Role::Read, manage::settings_of)
        .put("/elasticsearch/{index}/_settings", Role::Operate, manage::put_settings)
        .get("/elasticsearch/{index}/_terms_enum", Role::Read, manage::terms_enum)
        .post("/elasticsearch/{index}/_terms_enum", Role::Read, manage::terms_enum)
        .get("/elasticsearch/_validate/query", Role::Read, manage::validate_all)
        .post("/elasticsearch/_validate/query", Role::Read, manage::validate_all)
        .get("/elasticsearch/{index}/_validate/query", Role::Read, manage::validate_of)
        .post("/elasticsearch/{index}/_validate/query", Role::Read, manage::validate_of)
        .get("/elasticsearch/{index}/_doc/{id}", Role::Read, documents::get)
        .get("/elasticsearch/{index}/_source/{id}", Role::Read, documents::source)
        .get("/elasticsearch/_mget", Role::Read, documents::many)
        .post("/elasticsearch/_mget", Role::Read, documents::many)
        .get("/elasticsearch/{index}/_mget", Role::Read, documents::many_of_index)
        .post("/elasticsearch/{index}/_mget", Role::Read, documents::many_of_index)
        .delete("/elasticsearch/{index}", Role::Admin, deletion::index)
        .post("/elasticsearch/{index}/_delete_by_query", Role::Admin, deletion::by_query)
        .get("/elasticsearch/_tasks/{id}", Role::Admin, deletion::task)
        .put("/elasticsearch/{index}/_mapping", Role::Ingest, templates::put_mapping)
        .put("/elasticsearch/{index}/_mappings", Role::Ingest, templates::put_mapping)
        .get("/elasticsearch/_mappings", Role::Read, catalog::mapping_of_all)
        .get("/elasticsearch/{index}/_mappings", Role::Read, catalog::mapping_of)
}

/// Other names of indices.
fn aliased(table: Routes) -> Routes {
    table
        .get("/elasticsearch/_alias", Role::Read, aliases::list)
        .get("/elasticsearch/_aliases", Role::Read, aliases::list)
        .post("/elasticsearch/_aliases", Role::Operate, aliases::change)
        .get("/elasticsearch/_alias/{name}", Role::Any, aliases::named)
        .get("/elasticsearch/{index}/_alias", Role::Read, aliases::list_of)
        .get("/elasticsearch/{index}/_alias/{name}", Role::Any, aliases::named_of)
        .post("/elasticsearch/{index}/_alias/{name}", Role::Operate, aliases::add)
        .put("/elasticsearch/{index}/_alias/{name}", Role::Operate, aliases::add)
        .delete("/elasticsearch/{index}/_alias/{name}", Role::Operate, aliases::remove)
}

/// What agents make before they send.
fn prepared(table: Routes) -> Routes {
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
    let paths = [
        "/elasticsearch/_ilm/policy/{name}",
        "/elasticsearch/_ingest/pipeline/{name}",
        "/elasticsearch/_data_stream/{name}",
    ];
    paths.into_iter().fold(table, |table, path| {
        table.get(path, Role::Ingest, setup::missing).put(path, Role::Ingest, setup::acknowledge)
    })
}

/// The same service, in which requests that can only be meant for this door are found at the root, too.
pub fn at_the_root(router: Router) -> Router {
    let moved = ServiceBuilder::new().layer(MapRequestLayer::new(move_request)).service(router);
    Router::new().fallback_service(moved)
}

fn move_request(mut request: Request) -> Request {
    if let Some(path) = moved(request.method(), request.uri().path(), request.headers()) {
        let path = request.uri().query().map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        // Of parts that were a valid path.
        parts.path_and_query = uri::PathAndQuery::try_from(path).ok();
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    }
    request
}

/// Where a request's path stands under this door; none where it stands there as it is, or does not belong here.
fn moved(method: &Method, path: &str, headers: &HeaderMap) -> Option<String> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (first, second) = (parts.next(), parts.next());
    if first == Some(&PREFIX[1..]) {
        // Senders put addresses together from parts, and leave a slash too many.
        let has_slash_too_many = path.contains("//") || (second.is_some() && path.ends_with('/'));
        return has_slash_too_many.then(|| format!("/{}", squeezed(path)));
    }
    // No path of ours goes on so, and what begins with a sign of its own is no index.
    let is_of_index = second.is_some_and(|second| second.starts_with('_'));
    let is_meant = match first {
        None => matches!(*method, Method::GET | Method::HEAD) && accepts_only_json(headers),
        Some(first) => first.starts_with('_') || is_of_index || (second.is_none() && is_about_index(method, headers)),
    };
    is_meant.then(|| format!("{PREFIX}/{}", squeezed(path)))
}

/// Whether a request to one name at the root makes an index of it, or asks in a way that only clients of Elasticsearch do.
fn is_about_index(method: &Method, headers: &HeaderMap) -> bool {
    let accepts = || headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    *method == Method::PUT || accepts().any(|kinds| kinds.contains("vnd.elasticsearch"))
}

fn squeezed(path: &str) -> Cow<'_, str> {
    let trimmed = path.trim_matches('/');
    if !trimmed.contains("//") {
        return Cow::Borrowed(trimmed);
    }
    Cow::Owned(trimmed.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
}

fn accepts_only_json(headers: &HeaderMap) -> bool {
    let accepts = || headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts().any(|kinds| kinds.contains("json")) && !accepts().any(|k| k.contains("*/*") || k.contains("text/html"))
}

/// Whether an address is one of this door.
pub fn is_address(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The major version of Elasticsearch whose form a client wants.
pub fn version_wanted(headers: &HeaderMap) -> Option<u8> {
    let kinds = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut wanted = kinds.filter(|kinds| kinds.contains("application/vnd.elasticsearch+json"));
    let version = wanted.next()?.split("compatible-with=").nth(1)?;
    version.trim().split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// What is said of a method that a route of this door does not take, where Elasticsearch has more to say than that.
pub fn refused(method: &Method, path: &str) -> Option<Problem> {
    is_address(path).then(|| manage::refused(method, path))?
}

/// What is said where this door has no route.
pub fn nothing_at(method: &Method, path: &str) -> Problem {
    manage::nothing_at(method, path)
}

/// Errors as Elasticsearch writes them, and the mark that its clients want on every answer.
pub struct ElasticFormat {
    /// The version whose form is wanted.
    pub version: Option<u8>,
}

impl ErrorFormat for ElasticFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        refuse(problem)
    }

    fn mark(&self, response: Response) -> Response {
        mark(response, self.version)
    }
}

/// Marks an answer of this door as its clients want it.
fn mark(mut response: Response, version: Option<u8>) -> Response {
    let headers = response.headers_mut();
    headers.insert(PRODUCT.0, PRODUCT.1);
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let kind = |version| format!("application/vnd.elasticsearch+json;compatible-with={version}");
    if let Some(Ok(kind)) = version.filter(|_| is_json).map(|version| HeaderValue::try_from(kind(version))) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// A problem in the form of Elasticsearch.
fn refuse(problem: &Problem) -> Response {
    let (status, body) = problem_json(problem);
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// A problem in the form of Elasticsearch, as it stands in an answer to several questions.
fn problem_json(problem: &Problem) -> (StatusCode, Value) {
    // Senders drop what is answered with a status that they do not know.
    let status = match problem.status {
        StatusCode::INSUFFICIENT_STORAGE => StatusCode::SERVICE_UNAVAILABLE,
        status => status,
    };
    let kind = match status {
        // Codes of ours have no underscores: this one is the name of an exception already.
        _ if problem.code.contains('_') => problem.code,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "security_exception",
        StatusCode::NOT_FOUND => "resource_not_found_exception",
        StatusCode::CONFLICT => "version_conflict_engine_exception",
        StatusCode::PAYLOAD_TOO_LARGE => "content_too_long_exception",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "media_type_header_exception",
        StatusCode::TOO_MANY_REQUESTS => "es_rejected_execution_exception",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable_shards_exception",
        status if status.is_server_error() => "exception",
        _ if problem.code == "bad-body" => "parse_exception",
        _ => "illegal_argument_exception",
    };
    (status, error_json(status, kind, &problem.sentence()))
}

/// An error in the form of Elasticsearch.
fn error_answer(status: StatusCode, kind: &str, reason: &str) -> Response {
    let body = error_json(status, kind, reason);
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn error_json(status: StatusCode, kind: &str, reason: &str) -> Value {
    let cause = json!({"type": kind, "reason": reason});
    json!({
        "error": {"root_cause": [cause], "type": kind, "reason": reason},
        "status": status.as_u16(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_only_be_meant_for_this_door_is_found_at_the_root() {
        let check = |path: &str, accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            moved(&Method::GET, path, &headers)
        };
        for (path, expected) in [
            ("/_bulk", "/elasticsearch/_bulk"),
            ("/_bulk/", "/elasticsearch/_bulk"),
            ("//_cat/health", "/elasticsearch/_cat/health"),
            ("/logs-app/_bulk", "/elasticsearch/logs-app/_bulk"),
            ("/logs/_doc/a%2Fb", "/elasticsearch/logs/_doc/a%2Fb"),
            ("/elasticsearch//_bulk", "/elasticsearch/_bulk"),
            ("/elasticsearch/_bulk/", "/elasticsearch/_bulk"),
        ] {
            assert_eq!(check(path, "*/*").as_deref(), Some(expected), "{path}");
        }
        for path in ["/", "/api/v1/query", "/loki/api/v1/push", "/-/ready", "/elasticsearch/", "/elasticsearch/_bulk"] {
            assert_eq!(check(path, "application/json, */*"), None, "{path}");
        }
        assert_eq!(check("/", "application/json").as_deref(), Some("/elasticsearch/"));
        assert_eq!(check("/", "text/html"), None);
        let of_library = "application/vnd.elasticsearch+json; compatible-with=8";
        assert_eq!(check("/logs", of_library).as_deref(), Some("/elasticsearch/logs"));
        assert_eq!(check("/metrics", "application/json"), None);
        assert_eq!(moved(&Method::PUT, "/logs", &HeaderMap::new()).as_deref(), Some("/elasticsearch/logs"));
    }
}

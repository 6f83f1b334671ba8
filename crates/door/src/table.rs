//! The table of routes: each is written down once, with the role it needs.
//!
//! A protocol family lists routes whose handlers get its own state, and adds that state; what is left is a table that can be
//! merged with that of any other family.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::access::{Caller, Role, require};
use crate::call::{Call, CallHandler, Outcome};
use crate::fleet::forward;
use crate::opaque::Opaque;
use crate::problem::Problem;
use crate::server::{FamilyServer, Server};

/// One operation: what the API description lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `get`, `post`, `delete`.
    pub method: &'static str,
    /// The path with its `{variables}`.
    pub path: &'static str,
    /// The role that a caller needs.
    pub role: Role,
}

/// Routes and their entries, grown together.
#[derive(Default)]
pub struct Table {
    router: Router,
    entries: Vec<Entry>,
}

impl Table {
    /// Adds a route.
    fn add(mut self, entry: Entry, route: MethodRouter) -> Self {
        let role = entry.role;
        let check = from_fn(move |request: Request, next: Next| async move {
            let caller = request.extensions().get::<Arc<Caller>>().cloned().unwrap_or_default();
            let refused = request.extensions().get::<AccessRefusal>().filter(|_| role != Role::None);
            match refused.map_or_else(|| require(&caller, role), |refused| Err(refused.0.clone())) {
                Ok(()) => match hand_on(role, entry.path, request).await {
                    Ok(response) => response,
                    Err(request) if matches!(role, Role::Any | Role::Ingest) => {
                        DeliveryMark::mark(next.run(request).await)
                    }
                    Err(request) => next.run(request).await,
                },
                Err(problem) => problem.into_response(),
            }
        });
        self.router = self.router.route(entry.path, route.layer(check));
        self.entries.push(entry);
        self
    }

    /// Returns all entries, in the order in which they were added.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds the routes of another family.
    pub fn merge(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        Self { router: self.router.merge(other.router), entries: self.entries }
    }

    /// Returns the routes without their entries.
    pub fn into_router(self) -> Router {
        self.router
    }
}

/// The routes of a family with the state `T`.
pub struct Routes<T>(Vec<Route<T>>);

/// A handler, and whether it takes parameters from a form.
struct Route<T> {
    entry: Entry,
    method: MethodFilter,
    has_form: bool,
    run: fn(Call<T>) -> Outcome,
}

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

macro_rules! calls {
    ($($name:ident $method:ident)*) => {$(
        #[doc = concat!("Adds a route for ", stringify!($method), ".")]
        pub fn $name(mut self, path: &'static str, role: Role, run: fn(Call<T>) -> Outcome) -> Self {
            let (entry, method) = (Entry { method: stringify!($name), path, role }, MethodFilter::$method);
            self.0.push(Route { entry, method, has_form: false, run });
            self
        }
    )*};
}

impl<T: Send + Sync + 'static> Routes<T> {
    calls! { get GET post POST put PUT patch PATCH delete DELETE options OPTIONS }

    /// Adds a route for GET, and for POST with parameters that are too long for an address.
    pub fn ask(self, path: &'static str, role: Role, run: fn(Call<T>) -> Outcome) -> Self {
        self.get(path, role, run).post(path, role, run)
    }

    /// Adds a route for GET, and for POST with the parameters in a form.
    pub fn form(mut self, path: &'static str, role: Role, run: fn(Call<T>) -> Outcome) -> Self {
        let entry = Entry { method: "post", path, role };
        self = self.get(path, role, run);
        self.0.push(Route { entry, method: MethodFilter::POST, has_form: true, run });
        self
    }

    /// Returns all entries, in the order in which they were added.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.iter().map(|route| route.entry).collect()
    }

    /// Gives the handlers the server and the state of the family.
    pub fn with(self, server: &Arc<Server>, state: &Arc<T>) -> Table {
        let state = Opaque::from(state.clone());
        self.0.into_iter().fold(Table::default(), |table, Route { entry, method, has_form, run }| {
            let state = state.clone();
            let run = Arc::new(move |server, parameters, path, parts| {
                run(Call { server: FamilyServer::new(server, state.clone()), parameters, path, parts })
            });
            table.add(entry, on(method, CallHandler { server: server.clone(), has_form, run }))
        })
    }
}

/// The server whose requests may have to be handed to other nodes.
#[derive(Clone)]
pub struct Handing(pub Arc<Server>);

/// Hands a request to another node where this one does not have the role for it; else gives it back.
async fn hand_on(role: Role, route: &str, request: Request) -> Result<Response, Request> {
    let handing = request.extensions().get::<Handing>().cloned();
    match handing.as_ref().and_then(|Handing(server)| Some((server, server.app.fleet.as_ref()?))) {
        Some((server, link)) => forward(link, server.whole_store(), role, route, request).await,
        None => Err(request),
    }
}

/// Marks the answer to a sender that was served. Such requests are counted and not logged: what was delivered may be the
/// log itself, and a line for each delivery of it would be the next one.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryMark;

impl DeliveryMark {
    /// Returns the answer, marked if it reports success.
    pub fn mark(mut response: Response) -> Response {
        if response.status().is_success() {
            response.extensions_mut().insert(Self);
        }
        response
    }
}

/// Why a request may do no more than one without a key: what needs no key it may still do.
#[derive(Clone, Debug)]
pub struct AccessRefusal(pub Problem);

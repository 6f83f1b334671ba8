//! The native API's own state: saved views, the language reference, and what other families tell it about themselves.

use std::sync::{Arc, OnceLock};

use door::exposition::Page;
use door::server::{FamilyServer, Server};

use crate::reference::Reference;
use crate::routes::metrics::own_text;
use crate::unknown_fields::UnknownFieldCache;
use crate::views::Views;

/// Writes what a protocol family counts onto the page of metrics. Blocks.
pub(crate) type MetricsWriter = Box<dyn Fn(&Server, &mut Page) + Send + Sync>;

/// A number of the syslog listeners: its name, whether it only grows, what it means, its value.
pub(crate) type SyslogNumber = (&'static str, bool, &'static str, u64);

/// What other protocol families tell about themselves.
pub(crate) struct FamilyMetrics {
    /// Numbers of the syslog listeners.
    pub(crate) syslog: Box<dyn Fn() -> Vec<SyslogNumber> + Send + Sync>,
    /// Writers of metrics, in the order of the page.
    pub(crate) writers: Vec<MetricsWriter>,
}

/// The state of the native API.
pub(crate) struct Api {
    /// Saved views.
    pub(crate) views: Views,
    /// Warnings about unknown fields of the questions asked last.
    pub(crate) unknown_fields: UnknownFieldCache,
    /// What other families count.
    pub(crate) families: FamilyMetrics,
    reference: OnceLock<Reference>,
}

/// The server as a client of the native API sees it.
pub(crate) type Shared = FamilyServer<Api>;

impl Api {
    /// Starts the native API of a server, and lets derived metrics read the server's own ones.
    pub(crate) fn start(server: &Arc<Server>, families: FamilyMetrics) -> Arc<Self> {
        let api = Arc::new(Self {
            views: Views::default(),
            unknown_fields: UnknownFieldCache::default(),
            families,
            reference: OnceLock::new(),
        });
        let (of_server, of_page) = (Arc::downgrade(server), Arc::downgrade(&api));
        server.app.metrics.set_own_page(move || match (of_server.upgrade(), of_page.upgrade()) {
            (Some(server), Some(api)) => own_text(&server, &api),
            _ => String::new(),
        });
        api
    }

    /// Returns the language reference, rendered when it is first wanted.
    pub(crate) fn reference(&self) -> &Reference {
        self.reference.get_or_init(Reference::new)
    }
}

//! What is noted of a request without a key that may send something: whom the first key would cut off.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::header;
use axum::response::Response;
use ingest::GroupNotes;

use crate::access::HandedOver;
use crate::server::Server;
use crate::table::DeliveryMark;

/// A request that may send something.
pub(crate) struct NotedRequest {
    /// Where it comes from; unknown at another node than the one that it came to.
    address: Option<IpAddr>,
    agent: String,
    groups: Arc<GroupNotes>,
    /// Whether it can only read.
    is_safe: bool,
}

impl NotedRequest {
    /// Takes note of a request, which carries the groups that it sends to from now on.
    pub(crate) fn of(request: &mut Request) -> Self {
        let groups = Arc::<GroupNotes>::default();
        request.extensions_mut().insert(groups.clone());
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        let address = peer.filter(|_| request.extensions().get::<HandedOver>().is_none());
        let agent = request.headers().get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        let agent = agent.unwrap_or_default().into_owned();
        Self { address, agent, groups, is_safe: request.method().is_safe() }
    }

    /// Lists the sender if something was sent.
    pub(crate) fn finish(self, server: &Server, route: &str, response: &Response) {
        let groups = self.groups.take();
        let is_delivery = !self.is_safe && response.extensions().get::<DeliveryMark>().is_some();
        if is_delivery || !groups.is_empty() {
            let senders = &server.app.keys.anonymous().senders;
            senders.note((self.address, &self.agent), route, groups, server.now());
        }
    }
}

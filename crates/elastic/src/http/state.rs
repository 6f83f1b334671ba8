//! What clients of Elasticsearch have created on this server, and the progress of their scrolls.

use std::collections::BTreeSet;

use super::alias::Aliases;
use super::mapping_set::MappingSet;
use super::registry::Registry;
use super::scroll_registry::ScrollRegistry;
use crate::bulk::DocumentCounter;
use door::FamilyServer;

/// The state of this API.
#[derive(Default)]
pub struct ElasticState {
    pub(super) aliases: Registry<Aliases>,
    /// Names of indices that were created, with events or without.
    pub(super) created: Registry<BTreeSet<String>>,
    pub(super) mappings: Registry<MappingSet>,
    /// Names of pipelines that were put.
    pub(super) pipelines: Registry<BTreeSet<String>>,
    /// Which indices a document may create; all without a rule.
    pub(super) auto_create: Registry<Option<String>>,
    pub(super) scrolls: ScrollRegistry,
    pub(super) documents: DocumentCounter,
}

/// A request of this API.
pub(super) type Call = door::call::Call<ElasticState>;

/// The server as a client of this API sees it.
pub(super) type Shared = FamilyServer<ElasticState>;

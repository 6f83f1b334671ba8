//! Elasticsearch's bulk request and its single documents: what is sent as a document becomes an event.
//!
//! The index is the group. A document is a record like any other; an `_id` that its sender gave is the field `_id`.
//! Events never change: `index` and `create` add one, `update` and `delete` are refused, each for itself. Every action
//! of a request has an [`Item`] of its own, in order, and a bad line costs no other one anything.
//!
//! `create` with an `_id` that an event of the group has stores nothing. What holds: the events of the group are asked,
//! whatever their age and across restarts, and an id on its way into the store is refused as busy, to be sent again,
//! until its fate is known. Deleted events are not there, and neither are those that damage keeps from being read.
//! `index` with a known `_id` adds another event, since nothing is replaced here.
//!
//! ```text
//! body   = { action NL [ document NL ] }       the last NL may be missing, empty lines are skipped
//! action = {"index"|"create"|"update"|"delete": {"_index": "…"?, "_id": "…"?, …}}
//! ```

mod action;
mod ids;

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use types::{GroupName, group_name_of_outside};

use crate::ids::Within;
use crate::{Beside, Collector, IngestError, Intake, Refused, Sender};
use action::{Actions, Line};

pub use action::Action;

/// Most actions of one request: each needs an answer, which is longer than the shortest action.
const ACTIONS_MAX: usize = 1 << 17;

/// Longest `_id` in bytes, as in Elasticsearch.
const ID_BYTES_MAX: usize = 512;

/// What the door keeps from request to request.
#[derive(Debug, Default)]
pub(crate) struct Door {
    n_stored: AtomicU64,
}

/// One action of a request and what became of it.
#[derive(Clone, Debug)]
pub struct Item<'b> {
    /// What was asked for.
    pub action: Action,
    /// The index as its sender calls it; empty where none was named.
    pub index: Cow<'b, str>,
    /// The id that its sender gave.
    pub id: Option<Cow<'b, str>>,
    /// What became of it.
    pub outcome: Outcome,
    source: &'b [u8],
}

impl<'b> Item<'b> {
    /// An action without a document.
    pub fn new(action: Action, index: &'b str, id: Option<&'b str>, outcome: Outcome) -> Self {
        Self { action, index: index.into(), id: id.map(Cow::Borrowed), outcome, source: b"" }
    }
}

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is an event now, and durable.
    Created,
    /// An event of the group has its id.
    Exists,
    /// An event of its id is on its way into the store; whether it arrives is not known yet.
    Busy,
    /// It is no event.
    Refused(Refusal),
}

/// Why an action was refused. Sending it again does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The line says nothing that could be done.
    #[error("line {line} of the body is no action: {problem}")]
    NoAction {
        /// Its line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Events never change.
    #[error("{} is not possible: events never change; only index and create are", .0.name())]
    Unsupported(Action),
    /// No index is named, neither in the address nor in the action.
    #[error("index is missing")]
    NoIndex,
    /// The line of the document is missing.
    #[error("document is missing")]
    NoDocument,
    /// The id cannot be one.
    #[error("id is empty or longer than {ID_BYTES_MAX} bytes")]
    BadId,
    /// The document has a field where its id is to be.
    #[error("field [_id] is a metadata field and cannot be in a document that has an id of its own")]
    OwnId,
    /// The document is no record.
    #[error("{0}")]
    NoRecord(String),
    /// Its group would drop it at once.
    #[error("{0}")]
    TooOld(String),
    /// The sender may not write to the group.
    #[error("{0}")]
    OutOfScope(String),
    /// The document does not fit what its index is declared to be.
    #[error("{reason}")]
    Misfit {
        /// What Elasticsearch calls errors of the kind.
        kind: &'static str,
        /// What does not fit.
        reason: String,
    },
}

/// Why a document of a group, with its id where it has one, cannot be stored; `None` where it can.
pub type Check<'c> = &'c dyn Fn(&GroupName, &[u8], Option<&str>) -> Option<Refusal>;

/// What became of all actions of a request.
#[derive(Clone, Debug)]
pub struct Items<'b> {
    /// Each of them, in order.
    pub items: Vec<Item<'b>>,
    /// The number of the first event stored, counted since the start; the others follow.
    pub first_number: u64,
}

impl Intake {
    /// Stores the documents of a bulk request and returns when they are durable. Blocks.
    ///
    /// `index` is that of actions which name none; `check` may refuse documents.
    ///
    /// # Errors
    /// Where the body has no action at all, or the store takes nothing: nothing was stored then.
    pub fn ingest_bulk<'b>(
        &self,
        body: &'b [u8],
        index: Option<&'b str>,
        sender: &Sender<'_>,
        check: Check<'_>,
    ) -> Result<Items<'b>, IngestError> {
        let items = read(body, index)?;
        self.store_items(items, body, sender, check)
    }

    /// Stores one document and returns when it is durable. Blocks.
    pub fn ingest_document<'b>(
        &self,
        document: &'b [u8],
        action: Action,
        index: &'b str,
        id: Option<&'b str>,
        sender: &Sender<'_>,
        check: Check<'_>,
    ) -> Result<Items<'b>, IngestError> {
        let source = document.trim_ascii();
        let outcome = if source.is_empty() { Outcome::Refused(Refusal::NoDocument) } else { Outcome::Created };
        let item = Item { source, ..Item::new(action, index, id, outcome) };
        self.store_items(vec![item], document, sender, check)
    }

    fn store_items<'b>(
        &self,
        mut items: Vec<Item<'b>>,
        body: &[u8],
        sender: &Sender<'_>,
        check: Check<'_>,
    ) -> Result<Items<'b>, IngestError> {
        let mut collector = self.collect(sender);
        let places = places(&mut items, &mut collector, check);
        // Held until the fate of the ids is known, also where it is an error.
        let _claimed = ids::settle(&self.claims, &self.store, &mut items, &places);
        let mut within = Within::default();
        for (item, place) in items.iter_mut().zip(&places) {
            let (Outcome::Created, Some((place, group))) = (&item.outcome, place) else { continue };
            let is_named_create = item.action == Action::Create && item.id.is_some();
            if is_named_create && within.has(group, item.id.as_deref().unwrap_or_default()) {
                item.outcome = Outcome::Exists;
                continue;
            }
            match add(item, *place, &mut collector)? {
                Ok(()) if is_named_create => within.add(group, item.id.as_deref().unwrap_or_default()),
                Ok(()) => {}
                Err(Refused::Json(error)) => item.outcome = Outcome::Refused(Refusal::NoRecord(error.to_string())),
                Err(error) => item.outcome = Outcome::Refused(Refusal::TooOld(error.to_string())),
            }
        }
        let n_stored = collector.n_records();
        self.accept(collector, body, sender)?;
        Ok(Items { items, first_number: self.elastic.n_stored.fetch_add(n_stored, Ordering::Relaxed) })
    }
}

/// Adds the document of an item to the group at `place`.
fn add(item: &Item<'_>, place: usize, collector: &mut Collector<'_>) -> Result<Result<(), Refused>, IngestError> {
    match item.id.as_deref() {
        None => collector.record(place, item.source),
        Some(id) => {
            let write = |fields: &mut parse::FieldWriter<'_>| fields.text("_id", id);
            let beside = Beside { n_fields: 1, fields: Some(&write), ..Beside::default() };
            collector.record_with(place, item.source, &beside)
        }
    }
}

/// Checks what can be checked of each item by itself, and finds the places of their groups.
fn places(items: &mut [Item<'_>], collector: &mut Collector<'_>, check: Check<'_>) -> Vec<Option<(usize, GroupName)>> {
    let mut places: Vec<Option<(usize, GroupName)>> = Vec::with_capacity(items.len());
    let mut last: Option<(Cow<'_, str>, usize, GroupName)> = None;
    for item in items {
        if item.outcome != Outcome::Created {
            places.push(None);
            continue;
        }
        let same = last.as_ref().filter(|(index, ..)| *index == item.index && item.id.is_none());
        let found = match same {
            Some((_, place, group)) => Ok((*place, group.clone())),
            None => place_of(item, collector),
        };
        let found = found.and_then(|(place, group)| match check(&group, item.source, item.id.as_deref()) {
            Some(refusal) => Err(refusal),
            None => Ok((place, group)),
        });
        match found {
            Ok((place, group)) => {
                last = Some((item.index.clone(), place, group.clone()));
                places.push(Some((place, group)));
            }
            Err(refusal) => {
                item.outcome = Outcome::Refused(refusal);
                places.push(None);
            }
        }
    }
    places
}

fn place_of(item: &Item<'_>, collector: &mut Collector<'_>) -> Result<(usize, GroupName), Refusal> {
    if item.index.is_empty() {
        return Err(Refusal::NoIndex);
    }
    if let Some(id) = &item.id {
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(Refusal::BadId);
        }
        if action::has_own_id(item.source) {
            return Err(Refusal::OwnId);
        }
    }
    let group = group_name_of_outside(&item.index);
    let place = collector.group(&group).map_err(|error| Refusal::OutOfScope(error.to_string()))?;
    Ok((place, group))
}

/// Reads all actions of a body.
fn read<'b>(body: &'b [u8], index: Option<&'b str>) -> Result<Vec<Item<'b>>, IngestError> {
    let mut items = Vec::new();
    let mut lines = Actions::new(body);
    let mut n_readable = 0usize;
    while let Some(line) = lines.next() {
        if items.len() == ACTIONS_MAX {
            return Err(IngestError::TooManyActions { actions_max: ACTIONS_MAX });
        }
        items.push(match line {
            Line::Action { action, index: own, id, source } => {
                n_readable += 1;
                let outcome = match source {
                    _ if !action.adds() => Outcome::Refused(Refusal::Unsupported(action)),
                    None => Outcome::Refused(Refusal::NoDocument),
                    Some(_) => Outcome::Created,
                };
                let index = own.or(index.map(Cow::Borrowed)).unwrap_or_default();
                Item { action, index, id, outcome, source: source.unwrap_or_default() }
            }
            Line::Unreadable(refusal) => Item {
                action: Action::Index,
                index: index.map(Cow::Borrowed).unwrap_or_default(),
                id: None,
                outcome: Outcome::Refused(refusal),
                source: b"",
            },
        });
    }
    if n_readable > 0 {
        return Ok(items);
    }
    let problem = match items.into_iter().next().map(|item| item.outcome) {
        Some(Outcome::Refused(refusal)) => refusal.to_string(),
        _ => "it is empty".to_owned(),
    };
    Err(IngestError::BadBody { what: "bulk request", problem })
}

#[cfg(test)]
mod tests;

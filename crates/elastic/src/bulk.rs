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
mod item;

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use ingest::ids::Within;
use ingest::{
    Collector, EventFields, EventMetadata, FieldWriter, IngestError, Intake, RawEvent, RecordRefusal, Sender,
};
use item::ID_BYTES_MAX;
use types::{EventId, GroupName, ensure, group_name_of_outside};

use action::{Actions, Line};

pub use item::{Action, Item, Outcome, Refusal};

/// Most actions of one request: each needs an answer, which is longer than the shortest action.
const ACTIONS_MAX: usize = 1 << 17;

/// Why a document of a group, with its id where it has one, cannot be stored; `None` where it can.
pub type Check<'c> = &'c dyn Fn(&GroupName, &[u8], Option<&str>) -> Option<Refusal>;

/// What became of all actions of a request.
#[derive(Clone, Debug)]
pub struct Items<'b> {
    /// Each of them, in order.
    pub items: Vec<Item<'b>>,
    /// The number of the first event stored, counted since the start; the others follow.
    pub first_number: u64,
    /// The id of the first event stored, where it is known.
    pub first_event: Option<EventId>,
}

/// What a bulk request says beside its body.
#[derive(Clone, Copy)]
pub struct BulkTerms<'b> {
    /// The index of actions that name none.
    pub index: Option<&'b str>,
    /// The pipeline of actions that name none.
    pub pipeline: Option<&'b str>,
    /// Whether what follows the first key of an action is passed over, as Elasticsearch 8 does.
    pub is_lenient: bool,
    /// Reports whether there is a pipeline.
    pub has_pipeline: &'b dyn Fn(&str) -> bool,
}

/// The number of documents stored since the start.
#[derive(Debug, Default)]
pub struct DocumentCounter(AtomicU64);

/// Stores the documents of one sender.
pub struct DocumentIntake<'a> {
    /// The way into the store.
    pub intake: &'a Intake,
    /// Counts the documents stored.
    pub counter: &'a DocumentCounter,
    /// The sender of the request.
    pub sender: &'a Sender<'a>,
    /// Refuses documents that do not fit their index.
    pub check: Check<'a>,
}

impl DocumentIntake<'_> {
    /// Stores the documents of a bulk request and returns when they are durable. Blocks.
    ///
    /// # Errors
    /// If the body has no action at all, or if the store takes nothing: nothing was stored then.
    pub fn bulk<'b>(&self, body: &'b [u8], terms: &BulkTerms<'b>) -> Result<Items<'b>, IngestError> {
        let items = read(body, terms)?;
        self.store(items, body)
    }

    /// Stores one document and returns when it is durable. Blocks.
    ///
    /// # Errors
    /// If the store does not take the document.
    pub fn document<'b>(
        &self,
        document: &'b [u8],
        action: Action,
        index: &'b str,
        id: Option<&'b str>,
    ) -> Result<Items<'b>, IngestError> {
        let source = document.trim_ascii();
        let outcome = if source.is_empty() { Outcome::Refused(Refusal::NoDocument) } else { Outcome::Created };
        let item = Item { source, ..Item::new(action, index, id, outcome) };
        let mut stored = self.store(vec![item], document)?;
        // One that was sent without an id is found by that of its event.
        let first_event = stored.first_event;
        for item in stored.items.iter_mut().filter(|item| item.id.is_none() && item.outcome == Outcome::Created) {
            item.id = first_event.map(|id| id.encode().into());
        }
        Ok(stored)
    }

    fn store<'b>(&self, mut items: Vec<Item<'b>>, body: &[u8]) -> Result<Items<'b>, IngestError> {
        let mut collector = self.intake.collect(self.sender);
        let places = places(&mut items, &mut collector, self.check);
        // Held until the outcome of the ids is known, also if it is an error.
        let (_claimed, has_repeated) = ids::settle(self.intake, &mut items, &places);
        let mut within = has_repeated.then(Within::default);
        for (item, place) in items.iter_mut().zip(&places) {
            let (Outcome::Created, Some((place, group))) = (&item.outcome, place) else { continue };
            let own_id = item.id.as_deref().filter(|_| item.action == Action::Create);
            let mut repeated = within.as_mut().zip(own_id);
            if repeated.as_ref().is_some_and(|(within, id)| within.has(group, id)) {
                item.outcome = Outcome::Exists;
                continue;
            }
            match add(item, *place, &mut collector)? {
                Ok(()) => repeated.iter_mut().for_each(|(within, id)| within.add(group, id)),
                Err(RecordRefusal::Json(error)) => {
                    item.outcome = Outcome::Refused(Refusal::NoRecord(error.to_string()))
                }
                Err(error) => item.outcome = Outcome::Refused(Refusal::TooOld(error.to_string())),
            }
        }
        let n_stored = collector.n_records();
        let first_event = self.intake.accept(collector, body, self.sender)?.first_event;
        Ok(Items { items, first_event, first_number: self.counter.0.fetch_add(n_stored, Ordering::Relaxed) })
    }
}

/// Adds the document of an item to the group at `place`.
fn add(item: &Item<'_>, place: usize, collector: &mut Collector<'_>) -> Result<Result<(), RecordRefusal>, IngestError> {
    match item.id.as_deref() {
        None => collector.add(place, RawEvent::Record(item.source), &EventMetadata::default()),
        Some(id) => {
            let write = |fields: &mut FieldWriter<'_>| fields.text("_id", id);
            let fields = EventFields::Writer { n_max: 1, write: &write };
            collector.add(place, RawEvent::Record(item.source), &EventMetadata { fields, ..EventMetadata::default() })
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
        let same = last.as_ref().filter(|(index, ..)| *index == item.index);
        let found = match same.map(|(_, place, group)| (*place, group.clone())) {
            Some(same) => Ok(same),
            None => place_of(&item.index, collector),
        };
        let found = found.and_then(|(place, group)| {
            check_id(item)?;
            match check(&group, item.source, item.id.as_deref()) {
                Some(refusal) => Err(refusal),
                None => Ok((place, group)),
            }
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

fn check_id(item: &Item<'_>) -> Result<(), Refusal> {
    let Some(id) = &item.id else { return Ok(()) };
    ensure!(!id.is_empty() && id.len() <= ID_BYTES_MAX, Refusal::BadId);
    ensure!(!action::has_own_id(item.source), Refusal::OwnId);
    Ok(())
}

fn place_of(index: &str, collector: &mut Collector<'_>) -> Result<(usize, GroupName), Refusal> {
    ensure!(!index.is_empty(), Refusal::NoIndex);
    let group = group_name_of_outside(index);
    let place = collector.group(&group).map_err(|error| Refusal::OutOfScope(error.to_string()))?;
    Ok((place, group))
}

/// Reads all actions of a body.
fn read<'b>(body: &'b [u8], terms: &BulkTerms<'b>) -> Result<Vec<Item<'b>>, IngestError> {
    let (mut items, index) = (Vec::new(), terms.index);
    let mut lines = Actions::new(body, terms.is_lenient);
    let mut n_readable = 0usize;
    while let Some(line) = lines.next() {
        ensure!(items.len() != ACTIONS_MAX, IngestError::TooManyActions { actions_max: ACTIONS_MAX });
        items.push(match line {
            Line::Action { action, index: own, id, source, pipeline } => {
                n_readable += 1;
                let pipeline = pipeline.as_deref().or(terms.pipeline);
                let outcome = match (source, pipeline.filter(|name| !(terms.has_pipeline)(name))) {
                    _ if !action.adds() => Outcome::Refused(Refusal::Unsupported(action)),
                    (_, Some(name)) => Outcome::Refused(Refusal::NoPipeline(name.to_owned())),
                    (None, None) => Outcome::Refused(Refusal::NoDocument),
                    (Some(_), None) => Outcome::Created,
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

//! What the records of a request share in either encoding: resource, scope and group.

use std::sync::Arc;

use ingest::span::{attribute_name, span_group};
use ingest::{Collector, DecodeBudget, IngestAnswer, IngestError, OutOfScope, RecordRefusal};
use types::{GroupName, Limits, Value, group_name_of_outside};

use super::body::bad;
use super::fields::{Kind, count, write};
use super::signal::Signal;
use crate::bodies::LogTarget;

/// The group of records whose resource has no name.
const GROUP: &str = "otlp";

/// Limit on the bytes of a resource's or a scope's attributes as sent: every record has them.
const SHARED_BYTES_MAX: usize = 1 << 20;

/// What a shared field costs each record in addition to its bytes.
const SHARED_FIELD_BYTES: usize = 32;

/// Builds events from the parts of a request, in the order of resources, scopes and records.
pub(super) struct Records<'c, 's> {
    pub(super) signal: Signal,
    pub(super) collector: &'c mut Collector<'s>,
    pub(super) limits: &'c Limits,
    answer: &'c mut IngestAnswer,
    /// Where all records go, if not to the group of their service.
    pub(super) target: Option<&'c LogTarget>,
    /// Names and values that records share: the fields of the resource, then those of the scope.
    pub(super) shared: Vec<(Arc<str>, Value)>,
    /// The number of those from the resource.
    n_of_resource: usize,
    /// Bytes of the attributes of the resource.
    resource_bytes: usize,
    /// Bytes of the attributes of the resource and the scope.
    shared_bytes: usize,
    /// What is left for writing shared fields once per record.
    budget: DecodeBudget,
    /// The `service.name` of the resource; empty without one.
    pub(super) service: Arc<str>,
    /// The place of the group in the collector; an error if it is outside the sender's scope: its records are rejected.
    place: Result<usize, OutOfScope>,
    n_records: usize,
    /// The reason why the first record was outside the sender's scope.
    out_of_scope: Option<OutOfScope>,
    /// Buffer for texts.
    pub(super) text: String,
}

impl<'c, 's> Records<'c, 's> {
    /// Passes records to `collector`, and the numbers of rejected ones to `answer`.
    pub(super) fn new(
        signal: Signal,
        collector: &'c mut Collector<'s>,
        limits: &'c Limits,
        answer: &'c mut IngestAnswer,
        budget: DecodeBudget,
    ) -> Self {
        Self {
            signal,
            collector,
            limits,
            answer,
            target: None,
            shared: Vec::new(),
            n_of_resource: 0,
            resource_bytes: 0,
            shared_bytes: 0,
            budget,
            service: Arc::default(),
            place: Ok(0),
            n_records: 0,
            out_of_scope: None,
            text: String::new(),
        }
    }

    /// Begins a resource without attributes.
    pub(super) fn begin_resource(&mut self) {
        self.shared.clear();
        self.shared_bytes = 0;
    }

    /// Counts the bytes of a resource or scope. An error if they exceed their limit.
    pub(super) fn check_shared(&mut self, n_bytes: usize) -> Result<(), IngestError> {
        if n_bytes > SHARED_BYTES_MAX {
            return Err(bad(format_args!("a resource or scope has more than {SHARED_BYTES_MAX} bytes")));
        }
        self.shared_bytes += n_bytes;
        Ok(())
    }

    /// Stores an attribute of the resource or scope.
    pub(super) fn share(&mut self, key: &str, kind: &Kind<'_>) -> Result<(), IngestError> {
        count(kind, 1)?;
        if self.signal == Signal::Logs {
            return write(key, kind, self.limits.field_bytes_max, &mut self.shared);
        }
        let n_before = self.shared.len();
        write(&attribute_name(key), kind, self.limits.field_bytes_max, &mut self.shared)?;
        for (name, _) in &mut self.shared[n_before..] {
            *name = attribute_name(name).into();
        }
        Ok(())
    }

    /// Ends a resource, whose attributes name the group and stream of its records.
    pub(super) fn end_resource(&mut self) {
        (self.n_of_resource, self.resource_bytes) = (self.shared.len(), self.shared_bytes);
        let said = |name: &str| {
            let found = self.shared.iter().rev().find(|(known, _)| &**known == name);
            found.and_then(|(_, value)| match value {
                Value::String(text) if !text.is_empty() => Some(text.clone()),
                _ => None,
            })
        };
        let service = said("service.name");
        let group = self.target.map_or_else(|| self.group_of(service.as_deref()), |target| target.group.clone());
        let instance = said("service.instance.id").or_else(|| said("host.name"));
        let stream = self.target.map(|target| &*target.stream).or(instance.as_deref());
        self.service = service.unwrap_or_default();
        self.place = self.collector.group(&group);
        if let Ok(place) = self.place {
            self.collector.set_stream(place, stream.unwrap_or_default());
        }
    }

    fn group_of(&self, service: Option<&str>) -> GroupName {
        match self.signal {
            Signal::Logs => group_name_of_outside(service.unwrap_or(GROUP)),
            Signal::Traces => span_group(service.unwrap_or_default()),
        }
    }

    /// Begins a scope of the resource.
    pub(super) fn begin_scope(&mut self) {
        self.shared.truncate(self.n_of_resource);
        self.shared_bytes = self.resource_bytes;
    }

    /// Stores the scope's name or version.
    pub(super) fn share_text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.shared.push((name.into(), Value::text(text)));
        }
    }

    /// Counts the next record and returns the place of its group; `None` if it is rejected as outside the sender's scope.
    ///
    /// # Errors
    /// If the shared fields, counted once per record, are far larger than the body.
    pub(super) fn place_of_next(&mut self) -> Result<Option<usize>, IngestError> {
        self.n_records += 1;
        match &self.place {
            Ok(place) => {
                self.budget.spend(self.shared_bytes + SHARED_FIELD_BYTES * self.shared.len())?;
                Ok(Some(*place))
            }
            Err(refused) => {
                self.answer.reject(self.n_records, refused);
                self.out_of_scope.get_or_insert_with(|| refused.clone());
                Ok(None)
            }
        }
    }

    /// Rejects the current record.
    pub(super) fn reject(&mut self, reason: &dyn std::fmt::Display) {
        self.answer.reject(self.n_records, reason);
    }

    /// Rejects the current record if the collector has refused it.
    pub(super) fn note(&mut self, added: Result<(), RecordRefusal>) {
        if let Err(refused) = added {
            self.reject(&refused);
        }
    }

    /// Ends the request. If all records are outside the sender's scope, the request fails instead of a partial success.
    pub(super) fn finish(self) -> Result<(), IngestError> {
        match self.out_of_scope {
            Some(refused) if self.collector.n_records() == 0 => Err(refused.into()),
            _ => Ok(()),
        }
    }
}

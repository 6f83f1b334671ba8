//! Structured logs of Sentry's SDKs, and what logs and events have in common.

use std::borrow::Cow;

use parse::{ArrivalContext, JsonError};
use types::{Level, Timestamp};

use crate::bodies::{Members, members, text_of_json};

/// A log or an event, apart from its members.
#[derive(Default)]
pub(super) struct Entry<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) time: Option<Timestamp>,
    pub(super) level: Option<Level>,
    pub(super) host: Cow<'a, str>,
    pub(super) trace_id: Cow<'a, str>,
    pub(super) span_id: Cow<'a, str>,
    /// Type and message of the exception.
    pub(super) exception: Option<(&'a str, &'a str)>,
}

impl<'a> Entry<'a> {
    /// Reads a log, and its attributes and other members into `others`.
    pub(super) fn of_log(
        json: &'a str,
        others: &mut Members,
        received: &ArrivalContext<'_>,
    ) -> Result<Self, JsonError> {
        let mut log = Self::default();
        others.begin();
        for member in members(json) {
            let (name, value) = member?;
            match &*name {
                _ if value == "null" => {}
                "attributes" if value.starts_with('{') => log.read_attributes(value, others)?,
                "body" => log.text = text_of_json(value)?,
                "trace_id" => log.trace_id = text_of_json(value)?,
                "span_id" => log.span_id = text_of_json(value)?,
                "timestamp" => log.time = others.time(&name, value, received)?,
                _ => {
                    if name == "level" {
                        log.level = Level::parse(&text_of_json(value)?);
                    }
                    others.push(&name, value);
                }
            }
        }
        others.end(received.limits)?;
        Ok(log)
    }

    /// Reads attributes, objects with a `value` each.
    fn read_attributes(&mut self, attributes: &'a str, others: &mut Members) -> Result<(), JsonError> {
        for attribute in members(attributes) {
            let (name, mut value) = attribute?;
            if value.starts_with('{') {
                for member in members(value) {
                    let (member, inner) = member?;
                    value = if member == "value" { inner } else { value };
                }
            }
            match &*name {
                // The machine, as SDKs call it.
                "server.address" if self.host.is_empty() => self.host = text_of_json(value)?,
                "sentry.trace.parent_span_id" if self.span_id.is_empty() => self.span_id = text_of_json(value)?,
                _ => others.push(&name, value),
            }
        }
        Ok(())
    }
}

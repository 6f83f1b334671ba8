//! Requests in the native formats, from their body to the store.

use std::sync::atomic::Ordering;

use parse::FieldWriter;
use storage::Receipt;
use types::GroupName;

use crate::event::{EventFields, EventMetadata};
use crate::intake::{Intake, PendingDelivery};
use crate::sender::Sender;
use crate::{Encoding, IngestAnswer, IngestError, Result, decode, lines, ndjson, span, text};

/// What the bytes of a body are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON records, one a line.
    #[default]
    Ndjson,
    /// Text lines; continuation lines belong to the line before.
    Text,
    /// The shipper's form: a header line of JSON, then bytes as read from a file.
    Lines,
}

/// One request to store events.
#[derive(Clone, Debug)]
pub struct IngestRequest<'a> {
    /// The body as sent.
    pub body: &'a [u8],
    /// How it is compressed.
    pub encoding: Encoding,
    /// What it is.
    pub format: Format,
    /// The group of its events.
    pub group: GroupName,
    /// The stream of its events, or nothing.
    pub stream: String,
    /// Fields that every event gets; its own ones of the same name win. The shipper's form has its own way to say them.
    pub fields: &'a [(String, String)],
    /// Who sends it.
    pub sender: Sender<'a>,
}

/// A request once it was read.
enum ReadRequest {
    /// It is stored.
    Stored(IngestAnswer),
    /// It is to be stored.
    Read(PendingDelivery),
}

impl Intake {
    /// Stores the events of a request and returns when they are durable. Blocks.
    pub fn ingest(&self, request: IngestRequest<'_>) -> Result<IngestAnswer> {
        match self.read(request)? {
            ReadRequest::Stored(answer) => Ok(answer),
            ReadRequest::Read(pending) => self.store_pending(pending),
        }
    }

    /// Stores the events of a request without waiting: `done` is called when they are durable, by a thread of the store, so
    /// that it must not block. It is dropped where that thread ends.
    ///
    /// Blocks while it reads, where the store has too much to do, and for [`Format::Lines`].
    ///
    /// # Errors
    /// If nothing of the request is stored; `done` is not called then.
    pub fn ingest_then(
        &self,
        request: IngestRequest<'_>,
        done: impl FnOnce(Result<IngestAnswer>) + Send + 'static,
    ) -> Result<()> {
        match self.read(request)? {
            ReadRequest::Stored(answer) => done(Ok(answer)),
            ReadRequest::Read(PendingDelivery { delivery, answer, .. }) if delivery.parts.is_empty() => {
                done(Ok(answer))
            }
            // Stored before this returns, since the claim on the spans must last until then.
            ReadRequest::Read(pending) if span::has_spans(&pending.delivery.parts) => {
                done(Ok(self.store_pending(pending)?));
            }
            ReadRequest::Read(PendingDelivery { delivery, mut answer, n_overflowed }) => {
                let overflowed = self.overflowed.clone();
                let stored = move |receipt: Receipt| {
                    answer.duplicate = receipt.duplicate;
                    overflowed.fetch_add(if receipt.duplicate { 0 } else { n_overflowed }, Ordering::Relaxed);
                    answer
                };
                self.store.append_then(delivery, move |result| done(result.map(stored).map_err(IngestError::from)))?;
            }
        }
        Ok(())
    }

    /// Reads the events of a request; those in the shipper's form are stored already.
    fn read(&self, request: IngestRequest<'_>) -> Result<ReadRequest> {
        let IngestRequest { body, encoding, format, group, stream, fields, sender } = request;
        let body = decode(body, encoding, self.limits.body_bytes_max)?;
        if format == Format::Lines {
            return lines::ingest(self, &body, &group, &stream, &sender).map(ReadRequest::Stored);
        }
        let body = match parse::Utf16::of_mark(&body) {
            Some(encoding) => encoding.to_utf8(&body, 0).into(),
            None => body,
        };
        let mut answer = IngestAnswer::default();
        let mut collector = self.collect(&sender);
        let place = collector.group(&group)?;
        collector.set_stream(place, &stream);
        let write = |writer: &mut FieldWriter<'_>| {
            fields.iter().for_each(|(name, value)| writer.text(name, value));
        };
        let fields = match fields.len() {
            0 => EventFields::None,
            // Two more name what was over a limit.
            n_fields => EventFields::Writer { n_max: n_fields + 2, write: &write },
        };
        let metadata = EventMetadata { fields, ..EventMetadata::default() };
        if format == Format::Ndjson {
            ndjson::read(&body, place, &metadata, &mut collector, &mut answer)?;
        } else {
            text::read(&body, place, self.limits.event_bytes_max, &metadata, &mut collector, &mut answer)?;
        }
        Ok(ReadRequest::Read(PendingDelivery::new(collector, sender.batch_key(&body), body.len() as u64, answer)))
    }
}

#[cfg(test)]
mod tests;

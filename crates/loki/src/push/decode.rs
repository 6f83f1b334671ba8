//! Loki's push request, as JSON and as the protobuf message that its agents send.
//!
//! Labels and structured metadata become fields; the label set is the name of the stream, `{app="pay", env="prod"}`,
//! so that it can be returned exactly. The field `@loki` tells metadata from fields that are found in the line.
//! A malformed request is refused whole, as in Loki. Both forms are read one entry at a time from the body: they need no
//! memory besides the body and the events.

mod in_flight;
mod json;
mod labels;
mod level;
mod line_fields;
mod metadata;
mod protobuf;
mod repeated;
mod streams;

use storage::Store;
use xxhash_rust::xxh3::xxh3_128;

pub use self::in_flight::InFlight;
use self::in_flight::Spans;
use self::streams::Streams;
use ingest::{Collector, DecodeBudget, Encoding, IngestAnswer, Intake, Result, Sender, decode, lossy, snappy};

/// Stores pushed lines.
pub struct PushWriter<'a> {
    /// The way in.
    pub intake: &'a Intake,
    /// What the intake writes to: lines that it holds already are not stored again.
    pub store: &'a Store,
    /// Streams whose lines other pushes store at the moment.
    pub in_flight: &'a InFlight,
}

impl PushWriter<'_> {
    /// Stores the lines of a push request as JSON and returns when they are durable. Blocks.
    ///
    /// The same request again, under the same id or with none, stores nothing twice.
    pub fn json(&self, body: &[u8], encoding: Encoding, sender: &Sender<'_>) -> Result<IngestAnswer> {
        let body = decode(body, encoding, self.intake.limits.body_bytes_max)?;
        let mut collector = self.intake.collect(sender);
        let text = lossy(&body, self.intake.limits.body_bytes_max)?;
        let mut streams = Streams::new(&mut collector, DecodeBudget::of_body(body.len()));
        json::read(&text, &mut streams)?;
        let spans = streams.spans;
        self.accept(collector, spans, &body, sender)
    }

    /// Returns the same for a request as a protobuf message in one block of Snappy.
    pub fn protobuf(&self, body: &[u8], sender: &Sender<'_>) -> Result<IngestAnswer> {
        let body = snappy::unpack(body, self.intake.limits.body_bytes_max)?;
        let mut collector = self.intake.collect(sender);
        let mut streams = Streams::new(&mut collector, DecodeBudget::of_body(body.len()));
        protobuf::read(&body, &mut streams)?;
        let spans = streams.spans;
        self.accept(collector, spans, &body, sender)
    }

    /// Senders repeat a request whose answer they missed: equal bodies are one batch.
    fn accept(&self, collector: Collector<'_>, spans: Spans, body: &[u8], sender: &Sender<'_>) -> Result<IngestAnswer> {
        let _entered = self.in_flight.enter(spans);
        let own_id = format!("loki {:032x}", xxh3_128(body));
        let sender = Sender { batch_id: sender.batch_id.or(Some(&own_id)), ..*sender };
        self.intake.accept_checked(collector, body, &sender, |parts| repeated::without_repeated(self.store, parts))
    }
}

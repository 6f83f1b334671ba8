//! Delivery within one process: `catat up` hands what it reads to its own ingest service, through the same form
//! and the same checks as a shipper elsewhere, without the detour over a socket.

use std::sync::Arc;
use std::time::Duration;

use ingest::{Encoding, Format, IngestError, IngestRequest, Intake, Sender};
use ship::{Deliver, DeliverError, DeliveryReceipt, FileBatch, HeldQuestion, HeldRange, SourceReport};
use storage::{AppendError, Clock};
use types::GroupScope;

/// When a full disk is looked at again.
const DISK_FULL_PAUSE: Duration = Duration::from_secs(5);

/// The ingest service of this process.
pub(crate) struct InProcess {
    pub(crate) intake: Arc<Intake>,
    pub(crate) clock: Clock,
}

impl Deliver for InProcess {
    fn deliver(&self, batch: &FileBatch) -> Result<DeliveryReceipt, DeliverError> {
        let body = batch.encode();
        let request = IngestRequest {
            body: &body,
            encoding: Encoding::Identity,
            format: Format::Lines,
            group: batch.group.clone(),
            stream: batch.stream.clone(),
            fields: &[],
            sender: Sender { name: "", within: &GroupScope::All, batch_id: None, now: self.clock.now(), groups: None },
        };
        match self.intake.ingest(request) {
            Ok(answer) => Ok(DeliveryReceipt {
                duplicate: answer.duplicate,
                high_water: answer.high_water,
                refusal: answer.rejected.first().map(|rejected| rejected.error.clone()),
                refused: answer.refused,
                exemplars_left_out: answer.exemplars_left_out,
            }),
            Err(error) => Err(as_delivery_error(error)),
        }
    }

    fn held(&self, question: &HeldQuestion) -> Result<Vec<HeldRange>, DeliverError> {
        let refused = |error: &dyn std::fmt::Display| DeliverError::Refused(error.to_string());
        let json = serde_json::to_vec(question).map_err(|error| refused(&error))?;
        let held = self.intake.held(&question.source, &json, &GroupScope::All, self.clock.now());
        let held = held.map_err(|error| refused(&error))?;
        let json = serde_json::to_value(held).map_err(|error| refused(&error))?;
        serde_json::from_value(json).map_err(|error| refused(&error))
    }

    fn report(&self, report: &SourceReport) -> Result<(), DeliverError> {
        let refused = |error: &dyn std::fmt::Display| DeliverError::Refused(error.to_string());
        let json = serde_json::to_vec(report).map_err(|error| refused(&error))?;
        let taken = self.intake.sources.report(&report.source, &json, &GroupScope::All, self.clock.now());
        taken.map(|_| ()).map_err(|error| refused(&error))
    }
}

fn as_delivery_error(error: IngestError) -> DeliverError {
    let reason = error.to_string();
    let retry = |after| DeliverError::Retry { after, reason: reason.clone() };
    match error {
        IngestError::Store(AppendError::Overloaded { retry_after_s }) => {
            retry(Some(Duration::from_secs(retry_after_s)))
        }
        IngestError::Store(AppendError::DiskFull { .. }) => retry(Some(DISK_FULL_PAUSE)),
        IngestError::Store(AppendError::TooLarge(_) | AppendError::KeyConflict) => DeliverError::Refused(reason),
        IngestError::Store(_) => retry(None),
        _ => DeliverError::Refused(reason),
    }
}

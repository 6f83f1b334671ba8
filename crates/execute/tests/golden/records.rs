//! Records as a sender's request makes batches of them.

use parse::{ArrivalContext, EventParser, Extras};
use types::{Batch, BatchBuilder};

/// Returns the batch of a text of JSON lines, if it has any.
pub(crate) fn batch_of_records(text: &str, received: &ArrivalContext<'_>) -> Option<Batch> {
    let (mut parser, mut builder) = (EventParser::new(*received), BatchBuilder::new());
    for line in text.lines().filter(|line| !line.trim_ascii().is_empty()) {
        parser.read_record(line.as_bytes()).expect("a record").add_to(&Extras::default(), &mut builder);
    }
    (!builder.is_empty()).then(|| builder.finish())
}

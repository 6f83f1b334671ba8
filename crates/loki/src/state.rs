//! What requests of this API share.

use crate::push::decode::InFlight;

/// A request of this API.
pub(crate) type Call = door::call::Call<LokiState>;

/// The state of this API.
#[derive(Debug, Default)]
pub struct LokiState {
    /// Streams whose lines are being stored.
    pub(crate) in_flight: InFlight,
}

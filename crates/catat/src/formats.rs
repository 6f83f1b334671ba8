//! Files in a data directory that a later version wrote, of all rooms: every command refuses such a store before it
//! changes anything. The store checks its own files.

use std::path::Path;

use crate::failure::{Failure, Result};

/// Refuses a data directory in which a later version wrote the state of alerts, of metrics or of the shipper.
pub(crate) fn check_formats(data_dir: &Path) -> Result<()> {
    let of_alerts = alert::check_state(&data_dir.join("alerts"));
    of_alerts.and_then(|()| ship::check_state(&data_dir.join("ship"))).map_err(Failure::usage)
}

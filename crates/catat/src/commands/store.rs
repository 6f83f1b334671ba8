//! `catat verify`, `catat backup` and `catat restore`: work on a data directory, whether a server runs on it or not.

use std::io::Write;
use std::path::PathBuf;

use types::ByteSize;

use crate::arguments::{Backup, DataDir, Restore};
use crate::failure::{Failure, of_output};

/// The directory that was named, or the one of the configuration.
fn data_dir(options: &DataDir) -> Result<PathBuf, Failure> {
    let server = crate::arguments::Server {
        config: options.config.clone(),
        data_dir: options.data_dir.clone(),
        listen: None,
        insecure_allow_anonymous: false,
    };
    Ok(super::read_config(&server)?.data_dir)
}

/// Checks every checksum and the catalog against the files.
pub(crate) fn verify(options: DataDir) -> Result<(), Failure> {
    let dir = data_dir(&options)?;
    let report = storage::verify(&dir).map_err(|error| Failure::usage(error.to_string()))?;
    let mut out = std::io::stdout().lock();
    let segments = format!("{} segments with {} events", report.segments, report.events);
    let wal = format!("{} deliveries in {} log files", report.wal_records, report.wal_files);
    writeln!(out, "{}: {segments}, {wal}; {} checked", dir.display(), ByteSize(report.segment_bytes))
        .map_err(of_output)?;
    for note in &report.notes {
        writeln!(out, "  note: {note}").map_err(of_output)?;
    }
    for damage in &report.damaged {
        writeln!(out, "  damaged: {damage}").map_err(of_output)?;
    }
    match report.damaged.len() {
        0 => writeln!(out, "everything is as it should be").map_err(of_output),
        n => Err(Failure::other(format!(
            "{n} damaged; the server goes on without them, `catat restore` brings a backup into a new directory"
        ))),
    }
}

/// Copies the store as of now.
pub(crate) fn backup(options: Backup) -> Result<(), Failure> {
    let dir = data_dir(&options.store)?;
    let report = storage::backup(&dir, &options.to).map_err(|error| Failure::usage(error.to_string()))?;
    let copied = format!("{} segments, {}", report.segments, ByteSize(report.bytes));
    writeln!(std::io::stdout(), "{} is copied to {}: {copied}", dir.display(), options.to.display()).map_err(of_output)
}

/// Brings a copy into a new data directory.
pub(crate) fn restore(options: Restore) -> Result<(), Failure> {
    let dir = data_dir(&options.store)?;
    let report = storage::restore(&options.from, &dir).map_err(|error| Failure::usage(error.to_string()))?;
    let copied = format!("{} segments, {}", report.segments, ByteSize(report.bytes));
    writeln!(std::io::stdout(), "{} is checked and copied to {}: {copied}", options.from.display(), dir.display())
        .map_err(of_output)
}

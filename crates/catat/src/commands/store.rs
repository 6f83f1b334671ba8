//! `catat verify`, `catat backup`, `catat restore` and `catat promote`: work on a data directory, whether a server runs on it
//! or not.
//! `catat verify --repair` and `catat unlock` change it, and need it for themselves. Without --data-dir, where the
//! configuration names a fleet, the first three work on the fleet.

use std::io::Write;
use std::path::PathBuf;

use types::{ByteSize, counted, verb_for};

use super::doctor::note_backup;
use super::fleet;
use super::settings::config;
use crate::arguments::{Backup, DataDir, Restore, Verify};
use crate::config::Config;
use crate::failure::{Failure, Result, of_output};

/// Returns the directory that was named, or the one of the configuration.
fn data_dir(options: &DataDir) -> Result<PathBuf> {
    Ok(config(options)?.data_dir)
}

/// Returns where the parts of the store are.
pub(super) fn options_of(config: &Config) -> storage::Options {
    let (databases, object_store) = (config.store.databases.clone(), config.store.object_store.clone());
    storage::Options { databases, object_store, ..storage::Options::new(&config.data_dir) }
}

/// Checks every checksum and the catalog against the files.
pub(crate) fn verify(options: Verify) -> Result<()> {
    let config = config(&options.store)?;
    if fleet::is_named(&options.store, &config) {
        if options.repair {
            return Err(Failure::usage(
                "a fleet has no --repair: its catalog is in PostgreSQL; restore a backup".to_owned(),
            ));
        }
        let (bucket, report) = fleet::verify(&config)?;
        return print_verified(&bucket, "object", &report);
    }
    let store = options_of(&config);
    let dir = &store.dir;
    crate::formats::check_formats(dir)?;
    if options.repair {
        repair(&store)?;
    }
    let report = storage::verify(&store).map_err(|error| Failure::usage(error.to_string()))?;
    print_verified(&dir.display().to_string(), "log file", &report)
}

/// Prints what a check of a store has found; its last deliveries are in files or objects.
fn print_verified(place: &str, file: &str, report: &storage::VerifyReport) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let segments = format!("{} with {}", counted(report.segments, "segment"), counted(report.events, "event"));
    let wal = format!("{} in {}", counted(report.wal_records, "delivery"), counted(report.wal_files, file));
    writeln!(out, "{place}: {segments}, {wal}; {} checked", ByteSize(report.bytes_checked)).map_err(of_output)?;
    for note in &report.notes {
        writeln!(out, "  note: {note}").map_err(of_output)?;
    }
    for damage in &report.damaged {
        writeln!(out, "  damaged: {damage}").map_err(of_output)?;
    }
    match report.damaged.len() {
        0 => writeln!(out, "no damage found").map_err(of_output),
        n => Err(Failure::other(format!(
            "{n} damaged; the server continues without them; `catat restore` brings a backup into a new directory"
        ))),
    }
}

/// Makes the catalog agree with the segments and prints the changes.
fn repair(options: &storage::Options) -> Result<()> {
    let done = storage::repair(options).map_err(|error| Failure::usage(error.to_string()))?;
    let mut out = std::io::stdout().lock();
    for damage in &done.damaged {
        writeln!(out, "  found: {damage}").map_err(of_output)?;
    }
    match done.segments_adopted {
        0 => writeln!(out, "the catalog lists {}; none was missing", counted(done.segments, "segment")),
        n => {
            let (segments, were) = (counted(done.segments, "segment"), verb_for(n, "was", "were"));
            writeln!(out, "{n} of {segments} {were} missing from the catalog and {were} added")
        }
    }
    .map_err(of_output)
}

/// Gives a store a new control store instead of a lost one.
pub(crate) fn unlock(options: DataDir) -> Result<()> {
    let dir = data_dir(&options)?;
    crate::formats::check_formats(&dir)?;
    let is_new = storage::unlock(&dir).map_err(|error| Failure::usage(error.to_string()))?;
    let what = if is_new {
        "is unlocked; create keys, limits of groups and other settings again"
    } else {
        "is not locked; nothing was changed"
    };
    writeln!(std::io::stdout(), "{} {what}", dir.display()).map_err(of_output)
}

/// Copies the store as of now.
pub(crate) fn backup(options: Backup) -> Result<()> {
    let config = config(&options.store)?;
    if fleet::is_named(&options.store, &config) {
        return fleet::backup(&config, &options.to);
    }
    let store = options_of(&config);
    let dir = &store.dir;
    crate::formats::check_formats(dir)?;
    let began = storage::Clock::system().now();
    let report = storage::backup(&store, &options.to).map_err(|error| Failure::usage(error.to_string()))?;
    if let Err(error) = note_backup(dir, began) {
        say!("catat: the backup is whole, but `catat doctor` will not know of it: {}: {error}", dir.display());
    }
    let copied = format!("{}, {}", counted(report.segments, "segment"), ByteSize(report.bytes));
    let mut out = std::io::stdout();
    writeln!(out, "{} copied to {}: {copied}", dir.display(), options.to.display()).map_err(of_output)?;
    let rules = &config.rules_dir;
    if *rules != dir.join("rules") {
        writeln!(out, "  not copied: rule files in {}, outside of the data directory", rules.display())
            .map_err(of_output)?;
    }
    Ok(())
}

/// Makes a restored copy the original.
pub(crate) fn promote(options: DataDir) -> Result<()> {
    let dir = data_dir(&options)?;
    crate::formats::check_formats(&dir)?;
    let was_copy = storage::promote(&dir).map_err(|error| Failure::usage(error.to_string()))?;
    let what =
        if was_copy { "is now the original and sends notifications" } else { "is not a copy; nothing was changed" };
    writeln!(std::io::stdout(), "{} {what}", dir.display()).map_err(of_output)
}

/// Brings a copy into a new data directory.
pub(crate) fn restore(options: Restore) -> Result<()> {
    let config = config(&options.store)?;
    crate::formats::check_formats(&options.from)?;
    if fleet::is_named(&options.store, &config) {
        return fleet::restore(&config, &options.from);
    }
    let dir = config.data_dir;
    let report = storage::restore(&options.from, &dir).map_err(|error| Failure::usage(error.to_string()))?;
    let copied = format!("{}, {}", counted(report.segments, "segment"), ByteSize(report.bytes));
    let mut out = std::io::stdout();
    writeln!(out, "{} verified and copied to {}: {copied}", options.from.display(), dir.display())
        .map_err(of_output)?;
    if options.original {
        storage::promote(&dir).map_err(|error| Failure::usage(error.to_string()))?;
        return Ok(());
    }
    let next = format!("if it replaces the original, run: catat promote --data-dir {}", dir.display());
    writeln!(out, "it is a copy and sends no notifications (alerts, subscription filters, remote write); {next}")
        .map_err(of_output)
}

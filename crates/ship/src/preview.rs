//! What a shipper would send, without sending it: no server is asked, no state is written.

use std::borrow::Cow;
use std::path::PathBuf;

use parse::Utf16;
use types::{GroupName, Timestamp};

use crate::shipper::now;
use crate::{Discovery, FileBatch, Follower, Options, ShipError};

/// Events shown of one file, and of all.
const EVENTS_OF_FILE_MAX: usize = 5;
const EVENTS_MAX: usize = 1000;

/// Most bytes of a first line that are shown.
const LINE_BYTES_MAX: usize = 512;

/// An event that would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewedEvent {
    /// The file.
    pub path: PathBuf,
    /// Where the event begins in it.
    pub offset: u64,
    /// The group that it would go to.
    pub group: GroupName,
    /// Its stream.
    pub stream: String,
    /// Fields that it would get besides those of the shipper: name and value.
    pub fields: Vec<(String, String)>,
    /// Its first line, perhaps shortened.
    pub line: String,
}

/// What would be sent, the first of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// The first events of each file.
    pub events: Vec<PreviewedEvent>,
    /// Bytes that would be sent of all files, those shown included.
    pub n_bytes: u64,
    /// How many files there are.
    pub n_files: usize,
    /// Names of inputs that are no files: they are not run.
    pub not_run: Vec<String>,
}

impl Preview {
    /// Looks what a shipper with these options would send first.
    ///
    /// # Errors
    /// Where the state directory is there and cannot be read.
    pub fn new(options: Options) -> Result<Self, ShipError> {
        let mut preview =
            Self { not_run: options.inputs.iter().map(|input| input.file.name.clone()).collect(), ..Self::default() };
        let now = now();
        let (mut follower, discovery) = follower_of(options, now)?;
        preview.n_files = discovery.files.len();
        preview.n_bytes = discovery.files.iter().map(|file| file.size.saturating_sub(file.start)).sum();
        // Every file is looked at once: what was given back is not due at the same instant.
        while preview.events.len() < EVENTS_MAX {
            let batches = follower.poll_once(now);
            if batches.is_empty() {
                break;
            }
            for batch in &batches {
                preview.add(batch);
                follower.give_back(batch, "only looked at", now);
            }
        }
        Ok(preview)
    }

    fn add(&mut self, batch: &FileBatch) {
        let room = EVENTS_MAX - self.events.len().min(EVENTS_MAX);
        for (offset, event) in batch.events().into_iter().take(EVENTS_OF_FILE_MAX.min(room)) {
            let encoding = batch.header.encoding.as_deref().and_then(Utf16::named);
            let event = encoding.map_or(Cow::Borrowed(event), |encoding| Cow::Owned(encoding.to_utf8(event, offset)));
            let line = event.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line.get(..LINE_BYTES_MAX).unwrap_or(line)).into_owned();
            self.events.push(PreviewedEvent {
                path: batch.at.clone(),
                offset,
                group: batch.group.clone(),
                stream: batch.stream.clone(),
                fields: batch.header.fields.clone().into_iter().collect(),
                line,
            });
        }
    }
}

/// Finds the files that a shipper with these options would follow and those that it would leave out. Changes nothing.
///
/// # Errors
/// Where the state directory is there and cannot be read.
pub fn find_files(options: Options) -> Result<Discovery, ShipError> {
    Ok(follower_of(options, now())?.1)
}

fn follower_of(Options { mut follow, inputs }: Options, now: Timestamp) -> Result<(Follower, Discovery), ShipError> {
    for input in inputs {
        let dir = follow.state_dir.join("spool").join(&input.file.name);
        follow.inputs.push(input.file.kept_in(dir, &follow.host));
    }
    Ok(Follower::preview(follow, now)?)
}

#[cfg(test)]
mod tests;

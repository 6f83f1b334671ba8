//! What to follow and how, how often to look, and what is shown of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use types::{GroupName, Timestamp};

use super::pod::Pods;
use crate::batch::FileBatch;
use crate::boundary::{Multiline, TailState};
use crate::discover::Backlog;
use crate::rules::Rules;

/// Files that are followed in the same way.
#[derive(Clone, Debug, Default)]
pub struct FileInput {
    /// How people call it; unique among the inputs.
    pub name: String,
    /// Files, directories, or patterns.
    pub paths: Vec<PathBuf>,
    /// Files, directories, or patterns below the paths that are left out.
    pub excluded: Vec<PathBuf>,
    /// The group of all its files; without it each has its own by its path.
    pub group: Option<GroupName>,
    /// Fields that each of its events gets.
    pub fields: BTreeMap<String, String>,
    /// The stream of its events; without it `HOST:PATH`.
    pub stream: Option<String>,
    /// The time zone of its times that come without one; without it the host's.
    pub zone: Option<String>,
    /// The format of a program that all its lines have.
    pub format: Option<String>,
    /// Which lines make up an event.
    pub multiline: Multiline,
    /// How long an event waits to which further lines may belong; without it a second.
    pub hold_ns: Option<i64>,
    /// What is done to events before they are sent.
    pub rules: Rules,
    /// How much of what is already there is read; without it as of all inputs.
    pub backlog: Option<Backlog>,
    /// Whether containers write the files, whose names then say the group, the stream and fields.
    pub is_of_containers: bool,
    /// Whether packed files (`.gz`, `.zst`) are read too, as what they hold.
    pub unpacks: bool,
    /// Whether the files are our own, which no one else writes and whose paths mean nothing to anyone.
    pub is_own: bool,
    /// Whether its lines are samples instead of events.
    pub has_samples: bool,
}

impl FileInput {
    /// Returns the input for lines that are spooled to files of our own in `dir`.
    pub(crate) fn kept_in(mut self, dir: PathBuf, host: &str) -> Self {
        (self.paths, self.is_own) = (vec![dir], true);
        self.stream.get_or_insert_with(|| format!("{host}:{}", self.name));
        self
    }
}

/// What to follow and how.
#[derive(Clone, Debug)]
pub struct FollowOptions {
    /// What is followed; a file that several name belongs to the first of them.
    pub inputs: Vec<FileInput>,
    /// Where the state directory is.
    pub state_dir: PathBuf,
    /// Directories that are never read, such as our own data; except where a path of an input lies within one.
    pub excluded: Vec<PathBuf>,
    /// Returns the name of this host.
    pub host: String,
    /// Name of this host's time zone.
    pub zone: Option<String>,
    /// How much of what is already there is read.
    pub backlog: Backlog,
    /// Bytes sent at once.
    pub batch_bytes: usize,
    /// Longest line kept whole; a longer one is cut.
    pub line_bytes_max: usize,
    /// Most batches on their way.
    pub in_flight_max: usize,
    /// Most bytes of deleted files that are kept on disk by being open until they are read.
    pub gone_bytes: u64,
    /// Most bytes that a packed file may hold; one at a time is unpacked on the disk of the state directory.
    pub unpacked_bytes: u64,
    /// Who knows more of pods; nobody outside of a cluster.
    pub pods: Option<Arc<Pods>>,
}

impl FollowOptions {
    /// Follows `paths` and keeps its state in `state_dir`; everything else as usual.
    pub fn new(paths: Vec<PathBuf>, state_dir: PathBuf) -> Self {
        Self {
            inputs: vec![FileInput { name: "files".into(), paths, ..FileInput::default() }],
            state_dir,
            excluded: Vec::new(),
            host: crate::host_name(),
            zone: crate::host_zone(),
            backlog: Backlog::default(),
            // Four of them, as they are and compressed, are most of what is in memory.
            batch_bytes: 512 << 10,
            // 16 MiB: lines of 10 MB occur (a dump in one line of JSON); four such batches are the most in memory.
            line_bytes_max: 16 << 20,
            in_flight_max: 4,
            gone_bytes: 1 << 30,
            unpacked_bytes: 1 << 30,
            pods: Pods::of_cluster().map(Arc::new),
        }
    }
}

/// How often to look, and how long to wait for the rest of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct FollowTiming {
    pub(super) scan_every_ns: i64,
    /// Shortest time between two searches, however many hints there are.
    pub(super) scan_pause_ns: i64,
    pub(crate) active_ns: i64,
    pub(crate) look_active_ns: i64,
    pub(crate) look_idle_ns: i64,
    /// Whether changes come as hints: then files that were quiet for so long are looked at so often.
    pub(super) has_hints: bool,
    pub(crate) quiet_ns: i64,
    pub(crate) look_quiet_ns: i64,
    pub(crate) settle_ns: i64,
    /// How long an event waits to which further lines may belong, unless its input says so.
    pub(super) hold_ns: i64,
    /// How long little that grows waits for more.
    pub(super) gather_ns: i64,
    pub(crate) half_line_ns: i64,
}

impl Default for FollowTiming {
    fn default() -> Self {
        const MS: i64 = 1_000_000;
        Self {
            scan_every_ns: Timestamp::SECOND,
            scan_pause_ns: 100 * MS,
            active_ns: 10 * Timestamp::SECOND,
            look_active_ns: 100 * MS,
            look_idle_ns: Timestamp::SECOND,
            has_hints: false,
            quiet_ns: Timestamp::MINUTE,
            look_quiet_ns: 5 * Timestamp::SECOND,
            // What is whole is found within 300 ms, of which 50 ms are left for the rest of a write …
            settle_ns: 50 * MS,
            // … while a stack trace may come in several, whose buffers are flushed a moment apart.
            hold_ns: Timestamp::SECOND,
            gather_ns: 100 * MS,
            half_line_ns: 5 * Timestamp::SECOND,
        }
    }
}

impl FollowTiming {
    /// Returns how long an event of an input waits to which further lines may belong.
    pub(super) fn hold_ns_of(&self, input: &FileInput) -> i64 {
        input.hold_ns.unwrap_or(self.hold_ns)
    }

    pub(super) fn settled(&self, now: Timestamp, grown_at: Timestamp, input: &FileInput) -> TailState {
        let hold_ns = self.hold_ns_of(input);
        match now.0.saturating_sub(grown_at.0) {
            quiet_ns if quiet_ns >= self.half_line_ns.max(hold_ns) => TailState::All,
            quiet_ns if quiet_ns >= self.settle_ns.max(hold_ns) => TailState::Lines,
            quiet_ns if quiet_ns >= self.settle_ns => TailState::Pausing,
            _ => TailState::Growing,
        }
    }
}

/// More bytes than this are in memory once, whatever the number of files: a batch of them waits until no other is on its way.
pub(crate) const LARGE_BYTES: usize = 2 << 20;

/// Reports whether a batch is one of those of which one at a time is on its way.
pub(crate) fn is_large(batch: &FileBatch) -> bool {
    batch.bytes.len() > LARGE_BYTES
}

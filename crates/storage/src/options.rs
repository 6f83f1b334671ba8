//! Settings of a store, given once at its start.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use types::{Batch, Timestamp};

use crate::RetentionOptions;
use database::url::Databases;
use files::fault::Faults;
use files::objects::ObjectStoreOptions;

/// Returns the sequences of the events in batches of one group that repeat others, in ascending order.
pub type RepeatFinder = fn(&[Arc<Batch>]) -> Vec<u64>;

/// Where the store lies and how much it may use.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub dir: PathBuf,
    /// Where the catalog and the control store are.
    pub databases: Databases,
    /// Bytes that hot events are to hold in memory, those that a flush is writing included: a flush begins at half
    /// of it, and senders wait while there is more.
    pub flush_bytes: u64,
    /// Age in nanoseconds of the oldest hot event from which on hot events are flushed.
    pub flush_age_ns: i64,
    /// Bytes after which a WAL file is followed by the next.
    pub wal_segment_bytes: u64,
    /// Bytes of the file system that stay free: below it events are refused, so that flushes and deletions still work.
    pub disk_reserve_bytes: u64,
    /// Most bytes of hot events in memory, whatever `flush_bytes` is.
    pub memory_limit_bytes: u64,
    /// Most files of segments that are open at once. Further ones are opened again when they are read.
    pub open_files_max: usize,
    /// Most log groups that senders may make.
    pub groups_max: usize,
    /// Where segments go that are not to stay in the data directory, if anywhere.
    pub object_store: Option<ObjectStoreOptions>,
    /// Most bytes of copies of remote segments in the data directory.
    pub read_cache_bytes: u64,
    /// Most bytes of decompressed sections that are kept in memory for the next query.
    pub section_cache_bytes: u64,
    /// What goes for its age or size.
    pub retention: RetentionOptions,
    /// How often every segment is read again, in nanoseconds; never if there is none.
    pub scrub_interval_ns: Option<i64>,
    /// The clock that events' times of acceptance come from.
    pub clock: Clock,
    /// Steps that are to fail, for tests.
    pub faults: Arc<Faults>,
    /// What makes it a node of a fleet; none on a machine of its own.
    pub fleet: Option<crate::FleetOptions>,
    /// What finds repeated events that several nodes accepted at the same time; a flush drops them.
    pub repeat_finder: Option<RepeatFinder>,
}

impl Options {
    /// Returns the defaults, in the data directory `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            databases: Databases::default(),
            flush_bytes: 128 << 20,
            flush_age_ns: 10 * Timestamp::MINUTE,
            // Large enough that making and removing files is noise, small enough that a flush soon frees space.
            wal_segment_bytes: 64 << 20,
            disk_reserve_bytes: 64 << 20,
            memory_limit_bytes: 512 << 20,
            // Half of what shells allow a process, so that a store of any size leaves room for connections.
            open_files_max: 512,
            groups_max: types::Limits::default().groups,
            object_store: None,
            read_cache_bytes: 1 << 30,
            section_cache_bytes: 128 << 20,
            retention: RetentionOptions::default(),
            scrub_interval_ns: Some(7 * Timestamp::DAY),
            clock: Clock::system(),
            faults: Arc::default(),
            fleet: None,
            repeat_finder: None,
        }
    }

    /// Returns bytes of hot events from which on senders wait.
    pub(crate) fn hot_bytes_max(&self) -> u64 {
        self.flush_bytes.min(self.memory_limit_bytes).max(2)
    }

    /// Returns bytes of hot events from which on a flush is due. Half, so that as many again can come while it writes.
    pub(crate) fn flush_bytes_effective(&self) -> u64 {
        self.hot_bytes_max() / 2
    }
}

/// Tells the time. A parameter, so that tests can turn it.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    uptime: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Clock {
    /// Returns a clock that answers what `now` answers.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), uptime: Arc::new(uptime) }
    }

    /// Returns the clock of the machine.
    pub fn system() -> Self {
        Self::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
        })
    }

    /// Returns the same clock with another source for the time since the machine was started.
    pub fn with_uptime(self, uptime: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { uptime: Arc::new(uptime), ..self }
    }

    /// Returns the time now.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Returns how long the machine has been up: what no one can set.
    pub(crate) fn uptime(&self) -> Duration {
        (self.uptime)()
    }
}

/// Returns the time since the machine was started, sleep included.
fn uptime() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let since = clock_gettime(clock);
    Duration::new(u64::try_from(since.tv_sec).unwrap_or_default(), u32::try_from(since.tv_nsec).unwrap_or_default())
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

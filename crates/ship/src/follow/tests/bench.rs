//! The bench of these tests: a shipper that is driven by hand, and a server in memory.

use std::io::Write;

use tempfile::TempDir;

use super::*;

pub(super) const MS: i64 = 1_000_000;

/// A directory of logs, a shipper that is driven by hand, and a server that keeps what it gets by position.
pub(in crate::follow) struct Bench {
    pub(in crate::follow) dir: TempDir,
    pub(in crate::follow) follower: Option<Follower>,
    pub(in crate::follow) now: Timestamp,
    /// Bytes by file, generation and offset, as the server has them.
    pub(in crate::follow) stored: BTreeMap<(String, u64), Vec<u8>>,
    /// Events in the order in which they came, bytes that were there before left out.
    pub(in crate::follow) events: Vec<String>,
    pub(in crate::follow) n_sent_twice: u64,
}

impl Bench {
    pub(in crate::follow) fn new(files: &[(&str, &str)]) -> Self {
        // Checkpoints are synced again and again, which a device would take its time for.
        let in_memory = Path::new("/dev/shm");
        let dir = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
        Self::in_dir(dir.unwrap(), files)
    }

    pub(in crate::follow) fn in_dir(dir: TempDir, files: &[(&str, &str)]) -> Self {
        fs::create_dir(dir.path().join("log")).unwrap();
        // Far ahead of the files' own times, so that they count as quiet at once.
        let now = Timestamp(Timestamp::parse_rfc3339("2200-01-01T00:00:00Z").unwrap().0);
        let stored = BTreeMap::new();
        let mut bench = Self { dir, follower: None, now, stored, events: Vec::new(), n_sent_twice: 0 };
        for (name, text) in files {
            bench.append(name, text);
        }
        bench.start();
        bench
    }

    pub(in crate::follow) fn options(&self) -> FollowOptions {
        let paths = vec![self.dir.path().join("log")];
        let mut options = FollowOptions::new(paths, self.dir.path().join("state"));
        options.backlog = Backlog::ALL;
        options.host = "h".into();
        options
    }

    pub(in crate::follow) fn start(&mut self) -> Discovery {
        self.start_with(self.options())
    }

    /// Ends it in the middle of things.
    pub(in crate::follow) fn kill(&mut self) {
        self.follower = None;
    }

    pub(in crate::follow) fn stop(&mut self) {
        let now = self.now;
        if let Some(mut follower) = self.follower.take() {
            follower.save(now).unwrap();
        }
    }

    pub(in crate::follow) fn start_with(&mut self, options: FollowOptions) -> Discovery {
        self.follower = None;
        let (follower, discovery) = Follower::open(options, self.now).unwrap();
        self.follower = Some(follower);
        discovery
    }

    pub(in crate::follow) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("log").join(name)
    }

    pub(in crate::follow) fn append(&self, name: &str, text: &str) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        // What is written while the shipper runs is written now, by the clock of the test.
        if self.follower.is_some() {
            let now = std::time::Duration::from_nanos(self.now.0.unsigned_abs());
            file.set_modified(std::time::UNIX_EPOCH + now).unwrap();
        }
    }

    pub(in crate::follow) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(in crate::follow) fn follower(&mut self) -> &mut Follower {
        self.follower.as_mut().unwrap()
    }

    /// Lets time pass in small steps and delivers everything.
    pub(in crate::follow) fn run(&mut self, milliseconds: i64) {
        let end = self.now.0 + milliseconds * MS;
        while self.now.0 < end && self.follower.is_some() {
            self.now = Timestamp(self.now.0 + 50 * MS);
            for batch in self.poll() {
                self.deliver(&batch);
            }
            let now = self.now;
            self.follower().save_if_due(now).unwrap();
        }
    }

    /// Lets time pass while no server answers; returns what is on its way meanwhile.
    pub(in crate::follow) fn run_without_server(&mut self, milliseconds: i64) -> Vec<FileBatch> {
        let mut on_their_way = Vec::new();
        for _ in 0..milliseconds / 50 {
            self.now = Timestamp(self.now.0 + 50 * MS);
            on_their_way.extend(self.poll());
        }
        on_their_way
    }

    pub(in crate::follow) fn poll(&mut self) -> Vec<FileBatch> {
        let now = self.now;
        self.follower().poll_once(now)
    }

    pub(in crate::follow) fn deliver(&mut self, batch: &FileBatch) {
        self.store(batch);
        let now = self.now;
        self.follower().acknowledge(batch, now);
    }

    /// Stores bytes as a server does: by position, and only those it does not have.
    pub(in crate::follow) fn store(&mut self, batch: &FileBatch) {
        let header = &batch.header;
        let stored = self.stored.entry((header.file.clone(), header.generation)).or_default();
        let start = usize::try_from(header.start).unwrap();
        if stored.is_empty() {
            // A server takes what stands before for left out on purpose, and nothing else.
            assert_eq!(header.begin, header.start, "where the shipper began with {}", header.path);
            stored.resize(start, b'?');
        }
        assert!(start <= stored.len(), "gap before {start} in {}", header.path);
        let n_known = (stored.len() - start).min(batch.bytes.len());
        self.n_sent_twice += n_known as u64;
        assert_eq!(stored[start..start + n_known], batch.bytes[..n_known], "other bytes at a known position");
        stored.extend_from_slice(&batch.bytes[n_known..]);
        self.add_events(batch, n_known);
    }

    pub(in crate::follow) fn add_events(&mut self, batch: &FileBatch, n_known: usize) {
        let lines = || batch.bytes.split_inclusive(|b| *b == b'\n').map(|line| line.len() as u64).collect();
        let lengths: Vec<u64> = batch.header.lengths.clone().unwrap_or_else(lines);
        assert_eq!(lengths.iter().sum::<u64>(), batch.bytes.len() as u64);
        let mut at = 0;
        for length in lengths {
            let event = &batch.bytes[at..at + length as usize];
            if at >= n_known {
                self.events.push(String::from_utf8_lossy(event).trim_end().to_string());
            }
            at += length as usize;
        }
    }

    pub(in crate::follow) fn check(&self, expected: &[&str]) {
        let mut events = self.events.clone();
        events.sort();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(events, expected);
    }
}

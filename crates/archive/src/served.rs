//! Archives that a server answers from, each as one group.
//!
//! What fits the memory set aside for it is parsed once and held, whole files at a time, so that every screen can ask about it at
//! once. What does not fit is streamed to the queries that can be answered that way.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use execute::{Archives, Feed, FeedRequest, Loaded};
use parse::{ArrivalContext, Projection, Zone};
use types::{BatchRun, GroupName, Hold, LeftOut, Limits, Run, ScanError, TimeRange, Timestamp, counted};

use crate::feed::FileFeed;
use crate::inputs::{Input, InputError, inputs, leave_out};

/// How long the files of an archive are taken to be those that were found last.
const LISTING_AGE: Duration = Duration::from_secs(30);

/// Threads that read an archive: those of a bucket wait most of the time.
const THREADS: usize = 2;
const FAR_THREADS: usize = 8;

/// Bytes of events in memory per byte of a file that is packed or a table, and of one that is text. Only an estimate: what is held
/// is counted.
const PACKED_RATIO: u64 = 10;
const TEXT_RATIO: u64 = 2;

/// Numbers of files are above those that a store gives to its groups.
const FIRST_NUMBER: u32 = 1 << 31;

/// The archives of a server.
pub struct ServedArchives {
    archives: Vec<Archive>,
    zone: Zone,
    limits: Limits,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    memory_bytes_max: usize,
    held: Mutex<HeldFiles>,
}

/// A group, and the files that it consists of.
struct Archive {
    group: GroupName,
    paths: Vec<PathBuf>,
    listed: Mutex<Option<(Instant, Vec<Input>)>>,
    /// Held by who loads: others who ask the same find it then.
    loading: Mutex<()>,
}

/// What tells one state of a file from another.
type FileKey = (PathBuf, Option<Timestamp>, u64);

/// The events of files that were asked about last.
#[derive(Default)]
struct HeldFiles {
    files: HashMap<FileKey, (Arc<HeldFile>, u64)>,
    n_bytes: usize,
    /// Counts questions, to tell which file was asked about longest ago.
    n_asked: u64,
}

#[derive(Default)]
struct HeldFile {
    runs: Vec<Arc<BatchRun>>,
    n_bytes: usize,
    /// What could not be read.
    errors: Vec<String>,
}

impl HeldFiles {
    /// Returns those of the files that are held.
    fn get(&mut self, files: &[Input]) -> HashMap<FileKey, Arc<HeldFile>> {
        self.n_asked += 1;
        let n_asked = self.n_asked;
        let mut held = |file| {
            let (file, last_asked) = self.files.get_mut(&file)?;
            *last_asked = n_asked;
            Some(file.clone())
        };
        files.iter().filter_map(|file| Some((key(file), held(key(file))?))).collect()
    }

    /// Holds a file; those that were asked about longest ago are forgotten for it.
    fn put(&mut self, key: FileKey, file: Arc<HeldFile>, n_bytes_max: usize) {
        while self.n_bytes + file.n_bytes > n_bytes_max {
            let oldest = self.files.iter().min_by_key(|(_, (_, last_asked))| *last_asked);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            self.n_bytes -= self.files.remove(&oldest).map_or(0, |(file, _)| file.n_bytes);
        }
        self.n_bytes += file.n_bytes;
        self.files.insert(key, (file, self.n_asked));
    }
}

impl ServedArchives {
    /// Makes archives of groups and where they lie: files, folders, patterns, or addresses of buckets. Events are held in
    /// `memory_bytes_max` at most.
    pub fn new(
        named: Vec<(GroupName, Vec<PathBuf>)>,
        memory_bytes_max: usize,
        zone: Zone,
        limits: Limits,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let archives = named.into_iter().map(|(group, paths)| Archive {
            group,
            paths,
            listed: Mutex::default(),
            loading: Mutex::default(),
        });
        let archives = archives.collect();
        Self { archives, zone, limits, now: Box::new(now), memory_bytes_max, held: Mutex::default() }
    }

    fn received(&self) -> ArrivalContext<'_> {
        ArrivalContext { at: (self.now)(), modified: None, previous: None, zone: self.zone, limits: &self.limits }
    }

    /// Returns the files of an archive that may have events of a range.
    fn files(&self, group: &GroupName, range: TimeRange) -> Result<Vec<Input>, LeftOut> {
        let failed = |error: InputError| left_out(group, error.to_string());
        let Some(archive) = self.archives.iter().find(|archive| archive.group == *group) else { return Ok(Vec::new()) };
        let mut listed = archive.listed.hold();
        let known = listed.as_ref().filter(|(at, _)| at.elapsed() < LISTING_AGE).map(|(_, files)| files.clone());
        let mut files = match known {
            Some(files) => files,
            None => {
                let mut files = inputs(&archive.paths).map_err(failed)?;
                files.iter_mut().for_each(|input| input.group = group.clone());
                *listed = Some((Instant::now(), files.clone()));
                files
            }
        };
        leave_out(&mut files, range);
        Ok(files)
    }

    /// Adds the events of one archive.
    fn load_one(
        &self,
        group: &GroupName,
        range: TimeRange,
        goes_on: &(dyn Fn() -> bool + Sync),
        found: &mut Loaded,
    ) -> Result<(), LeftOut> {
        let Some(archive) = self.archives.iter().find(|archive| archive.group == *group) else {
            return Ok(());
        };
        let files = self.files(group, range)?;
        let too_large = || self.too_large(group, &files);
        let _alone = archive.loading.hold();
        let mut asked = self.held.hold().get(&files);
        let missing: Vec<Input> = files.iter().filter(|file| !asked.contains_key(&key(file))).cloned().collect();
        if !missing.is_empty() {
            let n_held: usize = asked.values().map(|file| file.n_bytes).sum();
            let n_free = self.memory_bytes_max.saturating_sub(n_held);
            if missing.iter().map(|file| file.n_bytes.saturating_mul(ratio(file))).sum::<u64>() > n_free as u64 {
                return Err(too_large());
            }
            for (key, file) in self.parsed(missing, n_free, goes_on).ok_or_else(too_large)? {
                let file = Arc::new(file);
                // A bucket that could not be reached may be there the next time.
                if file.errors.is_empty() {
                    self.held.hold().put(key.clone(), file.clone(), self.memory_bytes_max);
                }
                asked.insert(key, file);
            }
        }
        for file in asked.values() {
            let overlaps = |run: &&Arc<BatchRun>| range.overlaps(run.info().first, run.info().last);
            found.runs.extend(file.runs.iter().filter(overlaps).map(|run| run.clone() as Arc<dyn Run>));
            found.left_out.extend(file.errors.iter().map(|error| left_out(group, error.clone())));
        }
        Ok(())
    }

    /// Reads files whole; nothing if their events take more than `n_bytes_max`, or nobody waits for them any more.
    fn parsed(
        &self,
        files: Vec<Input>,
        n_bytes_max: usize,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Option<Vec<(FileKey, HeldFile)>> {
        let n_threads = if files.iter().any(Input::is_far) { FAR_THREADS } else { THREADS };
        let mut found: Vec<(String, (FileKey, HeldFile))> =
            files.iter().map(|file| (file.name(), (key(file), HeldFile::default()))).collect();
        let whole = FeedRequest { screen: None, wanted: Projection::default(), untimed: None };
        let numbered = (0..).zip(files.into_iter().map(Arc::new)).collect();
        let feed = FileFeed::new(numbered, self.received(), TimeRange::ALL, whole, Arc::default());
        let (total, is_over) = (Mutex::new((0, Vec::new(), Vec::new())), AtomicBool::new(false));
        let read = || {
            while !is_over.load(Relaxed) && goes_on() {
                match feed.next_batch() {
                    Ok(None) => return,
                    Ok(Some(run)) => {
                        let n_bytes = run.batch().memory_bytes();
                        let mut total = total.hold();
                        total.0 += n_bytes;
                        total.1.push((run, n_bytes));
                        is_over.fetch_or(total.0 > n_bytes_max, Relaxed);
                    }
                    Err(error) => total.hold().2.push(error),
                }
            }
            is_over.store(true, Relaxed);
        };
        std::thread::scope(|scope| (0..n_threads).for_each(|_| drop(scope.spawn(read))));
        if is_over.into_inner() {
            return None;
        }
        let (_, runs, errors) = total.into_held();
        for (run, n_bytes) in runs {
            let Some((_, (key, file))) = found.get_mut(run.info().group_id as usize) else { continue };
            file.runs.push(Arc::new(BatchRun::new(run.info().group.clone(), number_of(key), run.batch().clone())));
            file.n_bytes += n_bytes;
        }
        for ScanError { file, offset, problem } in errors {
            let failed = found.iter_mut().find(|(name, _)| *name == file);
            failed
                .into_iter()
                .for_each(|(_, (_, held))| held.errors.push(format!("{file}: {problem} at byte {offset}")));
        }
        Some(found.into_iter().map(|(_, held)| held).collect())
    }

    fn too_large(&self, group: &GroupName, files: &[Input]) -> LeftOut {
        let n_bytes = types::ByteSize(files.iter().map(|file| file.n_bytes).sum());
        let message = format!(
            "{group} is left out: {} with {n_bytes} would take more than archives.memory; ask about a shorter time, as its paths tell it",
            counted(files.len(), "file")
        );
        LeftOut { is_too_large: true, ..left_out(group, message) }
    }
}

impl Archives for ServedArchives {
    fn list(&self) -> Vec<(&GroupName, String)> {
        let place = |archive: &Archive| {
            let paths: Vec<String> = archive.paths.iter().map(|path| path.display().to_string()).collect();
            paths.join(", ")
        };
        self.archives.iter().map(|archive| (&archive.group, place(archive))).collect()
    }

    fn group_of(&self, number: u32) -> Option<&GroupName> {
        let is_of = |archive: &&Archive| {
            let files = self.files(&archive.group, TimeRange::ALL).unwrap_or_default();
            files.iter().any(|file| number_of(&key(file)) == number)
        };
        self.archives.iter().find(is_of).map(|archive| &archive.group)
    }

    fn load(&self, groups: &[&GroupName], range: TimeRange, goes_on: &(dyn Fn() -> bool + Sync)) -> Loaded {
        let mut found = Loaded::default();
        for group in groups {
            let loaded = self.load_one(group, range, goes_on, &mut found);
            found.left_out.extend(loaded.err());
        }
        found
    }

    fn feed(&self, groups: &[&GroupName], range: TimeRange, asked: FeedRequest) -> Box<dyn Feed + '_> {
        // What cannot be listed was named when the archive was to be loaded.
        let files = groups.iter().flat_map(|group| self.files(group, range).unwrap_or_default());
        let numbered = files.map(|file| (number_of(&key(&file)), Arc::new(file))).collect();
        Box::new(FileFeed::new(numbered, self.received(), range, asked, Arc::default()))
    }
}

fn left_out(group: &GroupName, message: String) -> LeftOut {
    LeftOut { group: group.clone(), message, is_too_large: false }
}

fn key(file: &Input) -> FileKey {
    (file.path.clone().unwrap_or_default(), file.modified, file.n_bytes)
}

/// Returns a number that is the same whenever the file is read, for the ids of its events.
fn number_of((path, ..): &FileKey) -> u32 {
    let hash = path.as_os_str().as_encoded_bytes().iter().fold(0x811c_9dc5_u32, |hash, byte| {
        // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    FIRST_NUMBER | hash
}

/// Returns how many bytes in memory the events of a byte of a file take, about.
fn ratio(file: &Input) -> u64 {
    let kind = file.path.as_ref().and_then(|path| path.extension()).and_then(|kind| kind.to_str()).unwrap_or_default();
    if matches!(kind, "gz" | "zst" | "zstd" | "parquet") { PACKED_RATIO } else { TEXT_RATIO }
}

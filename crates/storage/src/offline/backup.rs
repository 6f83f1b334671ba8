//! Copies a store while it is in use, and brings a copy back.
//!
//! The order of copying makes the copy consistent without asking the server: first the WAL, then the catalog, then
//! the segments that this catalog lists. Everything acknowledged before the copy began is in a WAL file copied, or
//! in a segment listed, or in both, and then the catalog says that the WAL file is released. A segment that
//! compaction replaced meanwhile is gone: then the catalog is copied again, as often as it takes, within reason.
//! `STORE` comes last, so that a copy that broke off is not taken for one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::listing::{CatalogListing, SegmentListing, check_databases, files_below, open_database, open_objects};
use super::verify;
use crate::catalog::Catalog;
use crate::catalog::postgres::PostgresCatalog;
use crate::catalog::sqlite::SqliteCatalog;
use crate::control::ControlStore;
use crate::control::postgres::PostgresControl;
use crate::control::sqlite::SqliteControl;
use crate::tier::Place;
use crate::{Clock, OpenError, Options, copy_mark, formats, lock, wal};
use database::url::Databases;
use files::disk;
use files::objects::Objects;

/// Directories of others in the data directory: rule files, alerts with what waits to be sent and what metrics have
/// counted, and how far `catat up` has read files.
const OTHERS: [&str; 3] = ["rules", "alerts", "ship"];

/// Attempts at a catalog and all of its segments; each fails only if compaction replaced some meanwhile.
const ATTEMPTS_MAX: usize = 20;

/// What a copy holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackupReport {
    /// Segments copied.
    pub segments: u64,
    /// Bytes copied.
    pub bytes: u64,
}

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A catalog cannot be copied.
    #[error("{path}: {source}")]
    Catalog {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The place for the copy holds something.
    #[error("{0} is not empty; name a directory that is new or empty")]
    NotEmpty(PathBuf),
    /// A segment cannot be read.
    #[error("{0}")]
    Unreadable(types::ScanError),
    /// Segments were replaced faster than they could be copied.
    #[error("segments change faster than they can be copied; try again when less is compacted")]
    TooBusy,
    /// What is to be brought back is damaged.
    #[error("the backup is damaged: {0}")]
    Damaged(types::ScanError),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    move |source| BackupError::Io { path: path.to_owned(), source }
}

/// Copies a store to `target`, which must be new or empty, with the directories of others ([`OTHERS`]). Every file is synced.
/// The copy is marked as one (`copy`), so that it notifies no one until it is made the original. What lies in the object store
/// is copied too, and the copy lists it as its own; what is in PostgreSQL is in files of the copy.
pub fn backup(options: &Options, target: &Path) -> Result<BackupReport, BackupError> {
    copy(options, target, false)
}

/// Does what [`backup`] does; local segments, which never change, are links to those of the store where its file system has them.
pub fn snapshot(options: &Options, target: &Path) -> Result<BackupReport, BackupError> {
    copy(options, target, true)
}

fn copy(options: &Options, target: &Path, links_segments: bool) -> Result<BackupReport, BackupError> {
    let dir = options.dir.as_path();
    let store = lock::store_in(dir)?;
    let Options { databases, object_store, .. } = options;
    formats::check(dir, &store)?;
    formats::check_databases(databases, store)?;
    check_databases(dir, databases)?;
    let objects = open_objects(object_store.as_ref(), &store)?;
    make_empty(target)?;
    let mut copy =
        Copy { from: dir, to: target, store, databases, objects, links_segments, report: BackupReport::default() };
    for part in ["wal", "segments", "tombstones", "quarantine"] {
        disk::create_directory(&target.join(part)).map_err(at(&target.join(part)))?;
    }
    // Before the WAL: whatever was shipped, notified and counted by then is in the copy of the store.
    copy.others()?;
    copy.wal()?;
    copy.catalog_with_segments()?;
    // Written before the catalog knows of them, so all segments of the catalog are here, and perhaps more.
    copy.files("wal", "ids")?;
    // Behind the segments: a deletion acknowledged meanwhile holds for the copy as well.
    for ending in ["group", "events", "receipt"] {
        copy.files("tombstones", ending)?;
    }
    copy.control()?;
    copy_mark::mark(target, options.clock.now()).map_err(at(target))?;
    copy.file(Path::new("STORE"))?;
    copy.sync_directories()?;
    Ok(copy.report)
}

/// Brings a copy back into `dir`, which must be new or empty, after checking every checksum of it. It is marked as a copy,
/// whichever version took the backup.
pub fn restore(from: &Path, dir: &Path) -> Result<BackupReport, BackupError> {
    let found = verify(&Options::new(from))?;
    if let Some(damage) = found.damaged.into_iter().next() {
        return Err(BackupError::Damaged(damage));
    }
    make_empty(dir)?;
    let (store, databases) = ([0; 16], &Databases::default());
    let mut copy =
        Copy { from, to: dir, store, databases, objects: None, links_segments: false, report: BackupReport::default() };
    for file in files_below(from).map_err(at(from))? {
        if file != Path::new("STORE") && !is_of_process(&file) {
            copy.file(&file)?;
        }
    }
    copy_mark::mark(dir, Clock::system().now()).map_err(at(dir))?;
    for part in ["wal", "segments", "tombstones", "quarantine"] {
        disk::create_directory(&dir.join(part)).map_err(at(&dir.join(part)))?;
    }
    copy.file(Path::new("STORE"))?;
    copy.sync_directories()?;
    copy.report.segments = found.segments;
    Ok(copy.report)
}

/// Tells files that belong to the process that runs on a directory: its locks, and what it was about to write.
fn is_of_process(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.eq_ignore_ascii_case("lock") || name.ends_with(".lock") || name.ends_with(".tmp") || name == "address"
}

/// Reports whether a file was copied; `false` for one that was removed meanwhile.
fn unless_gone(copied: Result<(), BackupError>) -> Result<bool, BackupError> {
    match copied {
        Err(BackupError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(false),
        copied => copied.map(|()| true),
    }
}

fn make_empty(dir: &Path) -> Result<(), BackupError> {
    fs::create_dir_all(dir).map_err(at(dir))?;
    let mut entries = fs::read_dir(dir).map_err(at(dir))?;
    if entries.next().is_some() { Err(BackupError::NotEmpty(dir.to_owned())) } else { Ok(()) }
}

/// Lets the catalog of a copy list what was copied of the object store as local, and remove nothing there.
fn own_objects(path: &Path) -> Result<(), BackupError> {
    let catalog = open_database(path)?;
    // A catalog of an earlier version knows no other place.
    if catalog.prepare("SELECT place FROM doomed LIMIT 0").is_err() {
        return Ok(());
    }
    let owned = "BEGIN; UPDATE segments SET place = 0; DELETE FROM doomed WHERE place != 0; COMMIT";
    let owned = catalog.execute_batch(owned);
    owned.map_err(|source| BackupError::Catalog { path: path.to_owned(), source })?;
    drop(catalog);
    File::open(path).and_then(|file| file.sync_all()).map_err(at(path))
}

struct Copy<'a> {
    from: &'a Path,
    to: &'a Path,
    store: [u8; 16],
    databases: &'a Databases,
    objects: Option<Arc<Objects>>,
    links_segments: bool,
    report: BackupReport,
}

impl Copy<'_> {
    /// Copies one file and syncs it.
    fn file(&mut self, relative: &Path) -> Result<(), BackupError> {
        let (from, to) = (self.from.join(relative), self.to.join(relative));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        self.report.bytes += fs::copy(&from, &to).map_err(at(&from))?;
        File::open(&to).and_then(|file| file.sync_all()).map_err(at(&to))
    }

    /// Copies one segment from where it lies and syncs it.
    fn segment(&mut self, listed: &SegmentListing) -> Result<(), BackupError> {
        let file = Path::new(&listed.file);
        let to = self.to.join(file);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        if listed.place == Place::Local {
            let is_linked = self.links_segments && fs::hard_link(self.from.join(file), &to).is_ok();
            return if is_linked { Ok(()) } else { self.file(file) };
        }
        let Some(objects) = &self.objects else {
            let problem = "it lies in an object store, and none is set".to_owned();
            let damage = types::ScanError { file: listed.file.clone(), offset: 0, problem };
            return Err(BackupError::Unreadable(damage));
        };
        let copy = File::create(&to).map_err(at(&to))?;
        let copied = objects.copy_into(&listed.file, listed.n_bytes, &copy).and_then(|()| copy.sync_all());
        if let Err(source) = copied {
            fs::remove_file(&to).map_err(at(&to))?;
            return Err(BackupError::Io { path: objects.url_of(&listed.file).into(), source });
        }
        self.report.bytes += listed.n_bytes;
        Ok(())
    }

    /// Copies what others keep in the data directory.
    fn others(&mut self) -> Result<(), BackupError> {
        for directory in OTHERS {
            let path = self.from.join(directory);
            for file in files_below(&path).map_err(at(&path))?.iter().filter(|file| !is_of_process(file)) {
                unless_gone(self.file(&Path::new(directory).join(file)))?;
            }
        }
        if copy_mark::copy_taken(self.from).is_some() { self.file(Path::new(copy_mark::FILE)) } else { Ok(()) }
    }

    /// Copies the files of one directory with one ending; files that go meanwhile are no loss.
    fn files(&mut self, directory: &str, extension: &str) -> Result<(), BackupError> {
        let path = self.from.join(directory);
        for file in files_below(&path).map_err(at(&path))? {
            if file.extension().is_some_and(|found| found == extension) {
                unless_gone(self.file(&Path::new(directory).join(file)))?;
            }
        }
        Ok(())
    }

    /// Copies the WAL. Its last file has no follower in the copy, whatever it has by now.
    fn wal(&mut self) -> Result<(), BackupError> {
        let path = self.from.join("wal");
        let numbers = wal::list(&path).map_err(at(&path))?;
        for number in &numbers {
            unless_gone(self.wal_file(*number, numbers.last() == Some(number)))?;
        }
        Ok(())
    }

    fn wal_file(&mut self, number: u64, is_last: bool) -> Result<(), BackupError> {
        let (from, to) = (wal::path_of(&self.from.join("wal"), number), wal::path_of(&self.to.join("wal"), number));
        let mut bytes = fs::read(&from).map_err(at(&from))?;
        if is_last {
            wal::unseal(&mut bytes);
        }
        disk::write_whole(&to, &bytes).map_err(at(&to))?;
        self.report.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Copies the WAL file that the catalog names, where a flush made it since; `false` if it is released already.
    fn named_wal_file(&mut self, number: u64) -> Result<bool, BackupError> {
        if number == 0 || wal::path_of(&self.to.join("wal"), number).is_file() {
            return Ok(true);
        }
        unless_gone(self.wal_file(number, true))
    }

    /// Copies a SQLite database as of one instant.
    fn database(&mut self, name: &str) -> Result<(), BackupError> {
        let (from, to) = (self.from.join(name), self.to.join(name));
        self.remove(name)?;
        let connection = open_database(&from)?;
        let target = to.to_string_lossy().into_owned();
        let copied = connection.execute("VACUUM INTO ?1", [target]);
        copied.map_err(|source| BackupError::Catalog { path: from, source })?;
        self.sync(name)
    }

    /// Copies the catalog as of one instant, from PostgreSQL into a file like the one of a store without it.
    fn catalog(&mut self) -> Result<(), BackupError> {
        let Some(url) = &self.databases.catalog else { return self.database("catalog.sqlite") };
        let contents = PostgresCatalog::open_for_reading(url, self.store).and_then(|mut catalog| catalog.load());
        let contents = contents.map_err(OpenError::from)?;
        self.remove("catalog.sqlite")?;
        let to = self.to.join("catalog.sqlite");
        let filled = SqliteCatalog::open(&to, self.store, contents.marks.next_sequence)
            .and_then(|mut catalog| catalog.fill(&contents));
        filled.map_err(OpenError::from)?;
        self.sync("catalog.sqlite")
    }

    /// Copies the control store in the same way.
    fn control(&mut self) -> Result<(), BackupError> {
        let Some(url) = &self.databases.control else {
            let is_there = self.from.join("control.sqlite").is_file();
            return if is_there { self.database("control.sqlite") } else { Ok(()) };
        };
        let documents = PostgresControl::open_for_reading(url, self.store).and_then(|mut control| control.load());
        let documents = documents.map_err(OpenError::from)?;
        let filled = SqliteControl::open(&self.to.join("control.sqlite"), self.store)
            .and_then(|mut control| control.fill(&documents));
        filled.map_err(OpenError::from)?;
        self.sync("control.sqlite")
    }

    /// Removes a database that an earlier attempt has copied.
    fn remove(&self, name: &str) -> Result<(), BackupError> {
        let to = self.to.join(name);
        match fs::remove_file(&to) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(BackupError::Io { path: to, source }),
            _ => Ok(()),
        }
    }

    fn sync(&mut self, name: &str) -> Result<(), BackupError> {
        let to = self.to.join(name);
        let file = File::open(&to).map_err(at(&to))?;
        file.sync_all().map_err(at(&to))?;
        self.report.bytes += file.metadata().map_err(at(&to))?.len();
        Ok(())
    }

    /// Copies the catalog and every segment that it lists.
    fn catalog_with_segments(&mut self) -> Result<(), BackupError> {
        for _ in 0..ATTEMPTS_MAX {
            self.catalog()?;
            let path = self.to.join("catalog.sqlite");
            let mut catalog = CatalogListing::of_file(&path)?;
            let (listed, (_, wal_made)) = (catalog.segments()?, catalog.wal_marks()?);
            drop(catalog);
            let mut is_complete = self.named_wal_file(wal_made)?;
            for segment in &listed {
                if self.to.join(&segment.file).is_file() {
                    continue;
                }
                if !unless_gone(self.segment(segment))? {
                    is_complete = false;
                    break;
                }
                self.report.segments += 1;
            }
            if is_complete {
                own_objects(&path)?;
                return self.remove_replaced(&listed.iter().map(|segment| &*segment.file).collect::<Vec<_>>());
            }
        }
        Err(BackupError::TooBusy)
    }

    /// Removes segments that an earlier attempt copied and that were replaced since.
    fn remove_replaced(&mut self, listed: &[&str]) -> Result<(), BackupError> {
        let segments = self.to.join("segments");
        for file in files_below(&segments).map_err(at(&segments))? {
            let relative = format!("segments/{}", file.display());
            if !listed.contains(&&*relative) {
                fs::remove_file(segments.join(&file)).map_err(at(&segments.join(file)))?;
                self.report.segments = self.report.segments.saturating_sub(1);
            }
        }
        Ok(())
    }

    fn sync_directories(&self) -> Result<(), BackupError> {
        let mut directories = vec![self.to.to_owned(), self.to.join("wal"), self.to.join("tombstones")];
        directories.push(self.to.join("segments"));
        directories.extend(OTHERS.map(|directory| self.to.join(directory)).into_iter().filter(|path| path.is_dir()));
        for file in files_below(&self.to.join("segments")).map_err(at(self.to))? {
            directories.extend(self.to.join("segments").join(file).parent().map(Path::to_owned));
        }
        directories.sort();
        directories.dedup();
        directories.iter().try_for_each(|directory| disk::sync_directory(directory).map_err(at(directory)))
    }
}

//! Checks everything in a data directory and reports what it found.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use segment::Segment;
use types::ScanError;

use super::listing::{CatalogListing, SegmentListing, check_databases, files_below, open_objects};
use crate::control::postgres::PostgresControl;
use crate::tier::Place;
use crate::tombstone::events::TombstoneFile;
use crate::wal::chain::Chain;
use crate::wal::{self, reader};
use crate::{OpenError, Options, deletion, formats, lock, tombstone};
use files::objects::Objects;
use files::remote_source::SequentialObject;

const CATALOG: &str = "catalog.sqlite";

/// What a check of a data directory found.
#[derive(Clone, Debug, Default)]
pub struct VerifyReport {
    /// Segments that the catalog lists.
    pub segments: u64,
    /// Bytes whose checksums were computed: of segments, and of files or objects of the WAL.
    pub bytes_checked: u64,
    /// Events in segments.
    pub events: u64,
    /// WAL files.
    pub wal_files: u64,
    /// Intact records in WAL files; each is one delivery.
    pub wal_records: u64,
    /// What is damaged or missing.
    pub damaged: Vec<ScanError>,
    /// What looks odd and harms nothing: files of unfinished work, an unacknowledged end of the WAL.
    pub notes: Vec<String>,
}

/// Checks every checksum in the data directory and in the object store, and the catalog against the files.
///
/// While a server runs on the directory, a segment may be replaced between the look at the catalog and the look
/// at its file: what is missing is looked up in the catalog once more before it is reported.
pub fn verify(options: &Options) -> Result<VerifyReport, OpenError> {
    let dir = options.dir.as_path();
    let store = lock::store_in(dir)?;
    formats::check(dir, &store)?;
    formats::check_databases(&options.databases, store)?;
    check_databases(dir, &options.databases)?;
    let objects = open_objects(options.object_store.as_ref(), &store)?;
    let files = Files { dir, store, objects };
    let mut report = VerifyReport::default();
    match read_catalog(options, store) {
        Ok((mut catalog, listed)) => {
            for segment in &listed {
                let Err(error) = files.check(segment, &mut report) else { continue };
                let again = catalog.segments()?;
                match again.iter().find(|row| row.id == segment.id) {
                    Some(row) if row.file == segment.file => report.damaged.push(error),
                    // It was moved meanwhile.
                    Some(row) => {
                        let damage = files.check(row, &mut report).err();
                        report.damaged.extend(damage);
                    }
                    None => {}
                }
            }
            check_orphans(dir, &listed, &mut report)?;
            check_wal(dir, || catalog.wal_marks(), &mut report)?;
        }
        Err(error) if options.databases.catalog.is_some() => return Err(error),
        Err(problem) => {
            let problem = format!("{problem}; `catat verify --repair` makes it anew from the segments");
            report.damaged.push(damage(CATALOG, problem));
            check_unlisted(dir, store, &mut report)?;
            // Which files before the first one were released is not known.
            let wal_dir = dir.join("wal");
            let first = wal::list(&wal_dir).map_err(OpenError::io(&wal_dir))?.first().copied().unwrap_or(1);
            check_wal(dir, || Ok((first, 0)), &mut report)?;
        }
    }
    if let Some(url) = &options.databases.control {
        let damage = PostgresControl::open_for_reading(url, store).err();
        report.damaged.extend(damage.map(|error| self::damage(&error.database, error.problem.to_string())));
    } else if !dir.join("control.sqlite").is_file() {
        let problem = "the file is missing, and the store is locked; put it back from a backup, or run `catat unlock`";
        report.damaged.push(damage("control.sqlite", problem.into()));
    }
    let tombstones = dir.join("tombstones");
    let (_, damaged) = tombstone::read(&tombstones).map_err(OpenError::io(&tombstones))?;
    report.damaged.extend(damaged.into_iter().map(|file| damage(&file, "checksum mismatch".into())));
    check_deletions(&tombstones, &store, &mut report)?;
    Ok(report)
}

fn check_deletions(dir: &Path, store: &[u8; 16], report: &mut VerifyReport) -> Result<(), OpenError> {
    for found in tombstone::events::read(dir, store).map_err(OpenError::io(dir))? {
        match found {
            TombstoneFile::Intact(_) => {}
            TombstoneFile::Damaged(id, problem) => {
                report.damaged.push(damage(&format!("tombstones/{id:016x}.events"), problem.into()));
            }
            TombstoneFile::Newer(file, found) => {
                let known = tombstone::events::VERSION.into();
                return Err(OpenError::NewerFormat { file, found: found.into(), known });
            }
        }
    }
    for (name, receipt) in deletion::read_receipts(dir).map_err(OpenError::io(dir))? {
        if receipt.is_err() {
            report.damaged.push(damage(&format!("tombstones/{name}"), "the receipt cannot be read".into()));
        }
    }
    Ok(())
}

/// Opens the catalog and reads its segments; the error is why that fails.
fn read_catalog(options: &Options, store: [u8; 16]) -> Result<(CatalogListing, Vec<SegmentListing>), OpenError> {
    let mut catalog = CatalogListing::open(options, store)?;
    catalog.check()?;
    let listed = catalog.segments()?;
    Ok((catalog, listed))
}

/// Checks segments without a catalog to compare with.
fn check_unlisted(dir: &Path, store: [u8; 16], report: &mut VerifyReport) -> Result<(), OpenError> {
    let segments = dir.join("segments");
    let files = files_below(&segments).map_err(OpenError::io(&segments))?;
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "seg")) {
        let name = format!("segments/{}", file.display());
        let checked = Segment::open(&segments.join(file), name, store).and_then(|segment| {
            report.bytes_checked += segment.verify()?;
            report.segments += 1;
            report.events += segment.summaries().iter().map(|run| run.n_events).sum::<u64>();
            Ok(())
        });
        report.damaged.extend(checked.err());
    }
    Ok(())
}

fn damage(file: &str, problem: String) -> ScanError {
    ScanError { file: file.to_owned(), offset: 0, problem }
}

/// Where the segments of the store are.
pub(super) struct Files<'a> {
    pub(super) dir: &'a Path,
    pub(super) store: [u8; 16],
    pub(super) objects: Option<Arc<Objects>>,
}

impl Files<'_> {
    fn open(&self, listed: &SegmentListing) -> Result<Arc<Segment>, ScanError> {
        let SegmentListing { file, place, n_bytes, .. } = listed;
        match (place, &self.objects) {
            (Place::Local, _) => Segment::open(&self.dir.join(file), file.clone(), self.store),
            (Place::Remote, Some(objects)) => {
                let object = SequentialObject::new(objects.clone(), file, *n_bytes);
                Segment::open_source(Box::new(object), objects.url_of(file), self.store)
            }
            (Place::Remote, None) => Err(damage(file, "it lies in an object store, and none is set".into())),
        }
    }

    pub(super) fn check(&self, listed: &SegmentListing, report: &mut VerifyReport) -> Result<(), ScanError> {
        let segment = self.open(listed)?;
        let n_bytes = segment.verify()?;
        let mut held: Vec<(u32, u64, i64, i64)> =
            segment.summaries().iter().map(|run| (run.group_id, run.n_events, run.first.0, run.last.0)).collect();
        let mut known = listed.runs.clone();
        held.sort_unstable();
        known.sort_unstable();
        if segment.meta.segment != listed.id || held != known {
            return Err(damage(&listed.file, "catalog and segment disagree about what it holds".into()));
        }
        let length = std::fs::metadata(self.dir.join(&listed.file)).map(|metadata| metadata.len());
        if listed.place == Place::Local && length.is_ok_and(|length| length != listed.n_bytes) {
            return Err(damage(&listed.file, format!("catalog says {} bytes", listed.n_bytes)));
        }
        report.segments += 1;
        report.bytes_checked += n_bytes;
        report.events += held.iter().map(|run| run.1).sum::<u64>();
        Ok(())
    }
}

fn check_orphans(dir: &Path, listed: &[SegmentListing], report: &mut VerifyReport) -> Result<(), OpenError> {
    let known: HashSet<&str> = listed.iter().map(|segment| &*segment.file).collect();
    let segments = dir.join("segments");
    for file in files_below(&segments).map_err(OpenError::io(&segments))? {
        let file = format!("segments/{}", file.display());
        if !known.contains(&*file) {
            report.notes.push(format!("{file}: not in the catalog; the next start decides about it"));
        }
    }
    Ok(())
}

/// Returns the chain of WAL files. A running server makes and removes files between two looks: what is missing is so twice.
fn wal_chain(dir: &Path, mut marks: impl FnMut() -> Result<(u64, u64), OpenError>) -> Result<Chain, OpenError> {
    let wal_dir = dir.join("wal");
    let mut missing = None;
    loop {
        let (released, made) = marks()?;
        let mut numbers = wal::list(&wal_dir).map_err(OpenError::io(&wal_dir))?;
        numbers.retain(|number| *number >= released);
        match Chain::read(&wal_dir, &numbers, released, made) {
            Ok(chain) if chain.missing.is_empty() || missing.as_ref() == Some(&chain.missing) => return Ok(chain),
            Ok(chain) => missing = Some(chain.missing),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => missing = None,
            Err(error) => return Err(OpenError::Io { path: wal_dir, source: error }),
        }
    }
}

fn check_wal(
    dir: &Path,
    marks: impl FnMut() -> Result<(u64, u64), OpenError>,
    report: &mut VerifyReport,
) -> Result<(), OpenError> {
    let chain = wal_chain(dir, marks)?;
    for range in &chain.missing {
        let (first, last) = (wal::name_of(*range.start()), wal::name_of(*range.end()));
        report.damaged.push(damage(&first, format!("the WAL files from this one to {last} are missing")));
    }
    for (index, link) in chain.links.iter().enumerate() {
        let (path, file) = (wal::path_of(&dir.join("wal"), link.number), wal::name_of(link.number));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // Released by a flush since the directory was listed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(OpenError::Io { path, source: error }),
        };
        report.wal_files += 1;
        report.bytes_checked += bytes.len() as u64;
        let is_last = index + 1 == chain.links.len();
        let place =
            if is_last { reader::FileContext::Last } else { reader::FileContext::Followed(chain.n_bytes_of(index)) };
        match wal::reader::read(&bytes, place) {
            Ok(contents) => report_wal_file(&file, &contents, report),
            Err(_) => report.damaged.push(damage(&file, "its header cannot be read".into())),
        }
    }
    Ok(())
}

fn report_wal_file(file: &str, contents: &wal::reader::Contents, report: &mut VerifyReport) {
    report.wal_records += contents.records.len() as u64;
    let mut add = |offset: u64, problem: String| {
        report.damaged.push(ScanError { file: file.to_owned(), offset, problem });
    };
    for range in &contents.damaged {
        add(range.start as u64, format!("{} bytes are no intact record", range.len()));
    }
    if let Some(missing) = &contents.missing {
        add(missing.start, format!("the file was cut off: {} bytes of it are missing", missing.end - missing.start));
    } else if contents.is_mark_damaged {
        add(80, "the mark in the file header is damaged; whether events are missing is unknown".into());
    }
    if let Some(at) = contents.torn_from {
        report.notes.push(format!("{file}: an unacknowledged end from byte {at} on"));
    }
}

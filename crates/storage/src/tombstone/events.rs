//! Tombstones of events: which events of a group a deletion took, durable before it is acknowledged.
//!
//! `tombstones/<id of the deletion, 16 hex digits>.events`:
//!
//! ```text
//! magic "CATATDEL", u16 format version, 6 bytes 0, 16 bytes store UUID, u64 id of the deletion
//! varint group id, text group, zigzag created, zigzag from, zigzag to, varint matched,
//! text requested by, text reason, 32 bytes digest of the query
//! varint events, varint length, so many bytes of sequences (`erase::sequences`)
//! u64 XXH3 of everything before
//! ```
//! All numbers are little-endian; *varint*, *zigzag* and *text* are those of `types::codec`.
//!
//! The catalog holds the sequences as well: a start that finds a damaged file takes them from there, one that finds
//! no catalog takes them from here. The file goes when no segment, no WAL file and nothing that a catalog could be
//! created again from holds any of the events.

use std::io;
use std::path::{Path, PathBuf};

use segment::bytes::{Cursor, Damage, Decoded, put_text, put_varint, put_zigzag};
use types::{GroupName, TimeRange, Timestamp, ensure};
use xxhash_rust::xxh3::xxh3_64;

use crate::deletion::{Deletion, DeletionReceipt, Sequences};
use files::disk;

const MAGIC: [u8; 8] = *b"CATATDEL";
pub(crate) const VERSION: u16 = 1;

/// A usable tombstone: the deletion, and the content of its receipt.
pub(crate) type Tombstone = (Deletion, DeletionReceipt);

/// What a file of tombstones turns out to be.
#[derive(Debug)]
pub(crate) enum TombstoneFile {
    Intact(Box<Tombstone>),
    /// Whose deletion it is, by its name, and what is wrong.
    Damaged(u64, &'static str),
    /// A format that a later version wrote.
    Newer(PathBuf, u16),
}

/// Returns where the tombstone of a deletion is.
pub(crate) fn path_of(dir: &Path, id: u64) -> PathBuf {
    dir.join(format!("{id:016x}.events"))
}

/// Writes a tombstone, whole and durable.
pub(crate) fn write(dir: &Path, store: &[u8; 16], deletion: &Deletion, receipt: &DeletionReceipt) -> io::Result<()> {
    disk::write_whole(&path_of(dir, deletion.id), &encode(store, deletion, receipt))
}

fn encode(store: &[u8; 16], deletion: &Deletion, receipt: &DeletionReceipt) -> Vec<u8> {
    let sequences = deletion.sequences.encoded();
    let mut out = Vec::with_capacity(sequences.len() + 256);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&[0; 6]);
    out.extend_from_slice(store);
    out.extend_from_slice(&deletion.id.to_le_bytes());
    put_varint(&mut out, u64::from(deletion.group_id));
    put_text(&mut out, receipt.group.as_str());
    put_zigzag(&mut out, receipt.created.0);
    put_zigzag(&mut out, receipt.range.from.0);
    put_zigzag(&mut out, receipt.range.to.0);
    put_varint(&mut out, receipt.n_matched);
    put_text(&mut out, &receipt.requested_by);
    put_text(&mut out, &receipt.reason);
    out.extend_from_slice(&receipt.query_digest);
    put_varint(&mut out, receipt.n_deleted);
    put_varint(&mut out, sequences.len() as u64);
    out.extend_from_slice(sequences);
    out.extend_from_slice(&xxh3_64(&out).to_le_bytes());
    out
}

fn decode(bytes: &[u8], store: &[u8; 16], id: u64) -> Decoded<Tombstone> {
    let (content, checksum) = bytes.split_last_chunk::<8>().ok_or(Damage("the file ends too early"))?;
    ensure!(xxh3_64(content).to_le_bytes() == *checksum, Damage("the checksum does not fit"));
    let mut cursor = Cursor::new(content);
    cursor.take(16)?;
    ensure!(cursor.array()? == *store, Damage("the file belongs to another store"));
    ensure!(u64::from_le_bytes(cursor.array()?) == id, Damage("the file is that of another deletion"));
    let group_id = u32::try_from(cursor.varint()?).map_err(|_| Damage("a group number is out of range"))?;
    let group = GroupName::new(cursor.text()?).ok_or(Damage("a group name is invalid"))?;
    let created = Timestamp(cursor.zigzag()?);
    let range = TimeRange { from: Timestamp(cursor.zigzag()?), to: Timestamp(cursor.zigzag()?) };
    let n_matched = cursor.varint()?;
    let (requested_by, reason) = (cursor.text()?.to_owned(), cursor.text()?.to_owned());
    let query_digest = cursor.array()?;
    let n_deleted = cursor.varint()?;
    let length = cursor.count(1)?;
    let sequences = Sequences::decode(cursor.take(length)?)?;
    ensure!(cursor.is_at_end(), Damage("the file has bytes after its end"));
    let receipt = DeletionReceipt {
        n_matched,
        n_deleted,
        range,
        requested_by,
        reason,
        query_digest,
        ..DeletionReceipt::new(id, group, created)
    };
    Ok((Deletion { id, group_id, sequences }, receipt))
}

/// Reads all tombstones of events in a directory.
pub(crate) fn read(dir: &Path, store: &[u8; 16]) -> io::Result<Vec<TombstoneFile>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let file = entry.file_name();
        let Some(stem) = file.to_str().and_then(|name| name.strip_suffix(".events")) else { continue };
        let Some(id) = u64::from_str_radix(stem, 16).ok().filter(|_| stem.len() == 16) else { continue };
        let bytes = match std::fs::read(entry.path()) {
            Ok(bytes) => bytes,
            // The deletion was done with since the directory was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let version = bytes.get(8..10).and_then(|version| Some(u16::from_le_bytes(version.try_into().ok()?)));
        found.push(match version {
            Some(version) if bytes.starts_with(&MAGIC) && version > VERSION => {
                TombstoneFile::Newer(entry.path(), version)
            }
            _ if !bytes.starts_with(&MAGIC) => TombstoneFile::Damaged(id, "the file is no tombstone of events"),
            _ => match decode(&bytes, store, id) {
                Ok(tombstone) => TombstoneFile::Intact(Box::new(tombstone)),
                Err(damage) => TombstoneFile::Damaged(id, damage.0),
            },
        });
    }
    Ok(found)
}

/// Removes the tombstone of a deletion of which nothing is left.
pub(crate) fn remove(dir: &Path, id: u64) -> io::Result<()> {
    match std::fs::remove_file(path_of(dir, id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => disk::sync_directory(dir),
    }
}

#[cfg(test)]
mod tests;

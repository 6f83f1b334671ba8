//! The catalog in PostgreSQL.
//!
//! The tables are those of [`catalog`](super), with these differences: texts that senders choose are `bytea`, since
//! PostgreSQL's `text` cannot hold every character, and what would be too long for an index is looked up by its
//! SHA-256. What a transaction writes is a statement per table however many rows there are, so that the way to the
//! server is gone a few times and not a few thousand times.
//!
//! The first version here is 3. Version 4 has the tables of fleets ([`fleet`]), whose nodes all write here; later ones
//! add to them, and nodes that know an earlier one go on until they are started again.

mod cells;
mod contents;
pub(crate) mod fleet;
mod rows;

use std::sync::Arc;

use types::GroupName;

use self::cells::segment_id;
use self::contents::{contents, marks};
use self::fleet::members::{self, Membership, put_mark};
use self::fleet::{changes, erasures, uploads, usage};
use self::rows::{
    doom, doom_files, fill, ids_of, merge_positions, put_batch_files, put_deletion, put_groups, put_marks,
    put_segments, put_streams, remove_segments, retire,
};
use super::{Catalog, Contents, Deletion, FlushRecord, HighWaterMarks, ObsoleteFile, SegmentRow};
use crate::batch_ids::KnownBatch;
use crate::tier::Place;
use database::postgres::{Database, Failure, PostgresOptions, Session};
use database::url::DatabaseUrl;
use database::{Result, Schema, signed};

pub(super) const SCHEMA: Schema = Schema {
    steps: &[
        "",
        "",
        VERSION_3,
        members::VERSION_4,
        changes::VERSION_5,
        usage::VERSION_6,
        uploads::VERSION_7,
        erasures::VERSION_8,
        members::VERSION_9,
    ],
    identity_since: 0,
};

const VERSION_3: &str = include_str!("postgres/3.sql");

/// The catalog of a store whose server this is, or one of whose nodes this is.
pub(crate) struct PostgresCatalog {
    database: Database,
    /// As whom a node of a fleet writes; none where there is one writer, which owns the database.
    node: Option<Arc<Membership>>,
}

fn opening<'a>(url: &'a DatabaseUrl, store: [u8; 16], holder: &'a str, must_exist: bool) -> PostgresOptions<'a> {
    PostgresOptions { url, store, kind: "catalog", schema: &SCHEMA, holder: Some(holder), must_exist }
}

impl PostgresCatalog {
    /// Opens the catalog of `store` as its only writer, making it if there is none, unless there must be one.
    /// `first_sequence` is what a new one starts with.
    pub(crate) fn open(
        url: &DatabaseUrl,
        store: [u8; 16],
        holder: &str,
        must_exist: bool,
        first_sequence: u64,
    ) -> Result<Self> {
        let mut database = opening(url, store, holder, must_exist).open()?;
        database.transact(|session| {
            let insert = "INSERT INTO meta VALUES ('next_sequence', $1) ON CONFLICT DO NOTHING";
            session.execute(insert, &[&signed(first_sequence)])
        })?;
        Ok(Self { database, node: None })
    }

    /// Opens the catalog of `store` to look at it, while a server may write to it.
    pub(crate) fn open_for_reading(url: &DatabaseUrl, store: [u8; 16]) -> Result<Self> {
        Ok(Self { database: opening(url, store, "", true).open_for_reading()?, node: None })
    }

    /// Changes the catalog in one transaction, as upkeep does.
    fn change<T>(&mut self, work: impl FnOnce(&Session) -> Result<T, Failure>) -> Result<T> {
        self.change_as(true, work)
    }

    /// Writes what only nodes that do upkeep read, without telling the other nodes of a fleet.
    fn note<T>(&mut self, work: impl FnOnce(&Session) -> Result<T, Failure>) -> Result<T> {
        let node = self.node.clone();
        self.database.transact(|session| {
            node.map_or(Ok(()), |node| node.check(session, false))?;
            work(session)
        })
    }

    /// Changes the catalog as upkeep or as any node does; the other nodes of a fleet see it by the count of changes.
    fn change_as<T>(&mut self, is_upkeep: bool, work: impl FnOnce(&Session) -> Result<T, Failure>) -> Result<T> {
        let node = self.node.clone();
        self.database.transact(|session| match &node {
            Some(node) => node.change(session, is_upkeep, work),
            None => work(session),
        })
    }

    /// Opens the catalog of a fleet as one of its nodes.
    pub(crate) fn join(
        url: &DatabaseUrl,
        store: [u8; 16],
        node: std::sync::Arc<Membership>,
        first_sequence: u64,
    ) -> Result<Self> {
        let mut database = shared(url, store).open()?;
        database.transact(|session| {
            let insert = "INSERT INTO meta VALUES ('next_sequence', $1) ON CONFLICT DO NOTHING";
            session.execute(insert, &[&signed(first_sequence)]).map(|_| ())
        })?;
        node.join(&mut database)?;
        Ok(Self { database, node: Some(node) })
    }

    /// Opens the catalog of a fleet that has no nodes.
    pub(crate) fn shared(url: &DatabaseUrl, store: [u8; 16]) -> Result<Self> {
        Ok(Self { database: shared(url, store).open()?, node: None })
    }

    /// Takes over all that another catalog had, with the ids of batches and the receipts of deletions; all events below
    /// `flushed` are in segments.
    pub(crate) fn take_over<'b>(
        &mut self,
        contents: &Contents,
        batches: impl Iterator<Item = &'b KnownBatch>,
        receipts: &[(u64, String)],
        flushed: u64,
    ) -> Result<()> {
        let batches: Vec<&KnownBatch> = batches.collect();
        let ids: Vec<&[u8]> = batches.iter().map(|batch| batch.key.id.as_slice()).collect();
        let digests: Vec<&[u8]> = batches.iter().map(|batch| batch.key.digest.as_slice()).collect();
        let firsts: Vec<i64> = batches.iter().map(|batch| signed(batch.first_sequence)).collect();
        let counts: Vec<i64> = batches.iter().map(|batch| signed(batch.n_events)).collect();
        let ages: Vec<f64> = batches.iter().map(|batch| batch.accepted.0 as f64 / 1e9).collect();
        self.database.transact(|session| {
            fill(session, contents)?;
            let insert = "INSERT INTO batches SELECT id, digest, first, n, to_timestamp(age)
                FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::float8[]) AS b(id, digest, first, n, age)";
            session.execute(insert, &[&ids, &digests, &firsts, &counts, &ages])?;
            receipts.iter().try_for_each(|(id, text)| erasures::put_receipt(session, *id, text))?;
            // Places of objects that the store had as a fleet before, perhaps in this bucket, are not used again.
            let later = "UPDATE state SET epoch = greatest(epoch, extract(epoch FROM now())::bigint)";
            session.execute(later, &[])?;
            put_mark(session, "flushed", flushed);
            Ok(())
        })
    }

    /// Opens the catalog of a fleet that there is, for work that is none of a node's.
    pub(crate) fn visit(url: &DatabaseUrl, store: [u8; 16]) -> Result<Database> {
        // Tables of an earlier version are left to the nodes.
        drop(Self::open_for_reading(url, store)?);
        PostgresOptions { must_exist: true, ..shared(url, store) }.open()
    }

    /// Opens it once more, for what must not wait for the changes of this node.
    pub(crate) fn connect(url: &DatabaseUrl, store: [u8; 16]) -> Result<Database> {
        shared(url, store).open()
    }
}

impl Catalog for PostgresCatalog {
    fn load(&mut self) -> Result<Contents> {
        self.database.transact(contents)
    }

    fn marks(&mut self) -> Result<HighWaterMarks> {
        self.database.transact(marks)
    }

    fn has_segment(&mut self, id: u128) -> Result<bool> {
        let id = id.to_be_bytes();
        self.database.transact(|session| {
            let found = session.query("SELECT 1 FROM segments WHERE id = $1", &[&id.as_slice()])?;
            Ok(!found.is_empty())
        })
    }

    fn commit_flush(&mut self, record: &FlushRecord<'_>) -> Result<()> {
        let is_fleet = self.node.is_some();
        self.change(|session| {
            if is_fleet {
                members::release_objects(session, (record.flushed_before, record.marks.next_sequence))?;
            } else {
                put_marks(session, &record.marks);
            }
            // Some are there already where the answer to the first time was lost.
            let ids: Vec<u128> = record.segments.iter().map(|segment| segment.id).collect();
            let listed = session.query("SELECT id FROM segments WHERE id = ANY($1)", &[&ids_of(&ids)])?;
            let listed: Vec<u128> = listed.iter().map(|row| segment_id(row, 0)).collect::<Result<_, _>>()?;
            let new = record.segments.iter().filter(|segment| !listed.contains(&segment.id));
            let new: Vec<SegmentRow> = new.cloned().collect();
            if is_fleet {
                uploads::keep_uploads(session, &new)?;
            }
            put_segments(session, &new);
            put_groups(session, record.groups.iter().map(|(id, name, _)| (*id, name)));
            let streams = record.groups.iter().flat_map(|(id, _, streams)| streams.iter().map(move |name| (*id, name)));
            put_streams(session, streams);
            put_batch_files(session, record.batch_files);
            if record.positions.len() == 0 { Ok(()) } else { merge_positions(session, record.positions) }
        })
    }

    fn fill(&mut self, contents: &Contents) -> Result<()> {
        self.change(|session| fill(session, contents))
    }

    fn take_segments(&mut self, segments: &[u128]) -> Result<Vec<u128>> {
        let Some(node) = self.node.clone() else { return Ok(Vec::new()) };
        self.database.transact(|session| node.take(session, segments))
    }

    fn commit_compaction(&mut self, removed: &[u128], added: &[SegmentRow]) -> Result<bool> {
        let node = self.node.clone();
        self.database.transact(|session| {
            if let Some(node) = &node {
                if !node.may_replace(session, removed)? {
                    return Ok(false);
                }
                uploads::keep_uploads(session, added)?;
            }
            doom(session, removed);
            put_segments(session, added);
            if node.is_some() {
                members::count_up(session, "changes");
            }
            Ok(true)
        })
    }

    fn doom_file(&mut self, doomed: &ObsoleteFile) -> Result<()> {
        let node = self.node.clone();
        self.note(|session| match node {
            Some(node) => node.put_upload(session, doomed),
            None => uploads::put_upload(session, None, doomed),
        })
    }

    fn give_up_files(&mut self, files: &[&str]) -> Result<()> {
        if self.node.is_none() || files.is_empty() {
            return Ok(());
        }
        self.note(|session| uploads::give_up(session, files))
    }

    fn move_segment(&mut self, id: u128, file: &str, n_bytes: u64, place: Place) -> Result<()> {
        let (n_bytes, place) = (signed(n_bytes), place as i16);
        self.change(|session| {
            doom_files(session, &[id]);
            let update = "UPDATE segments SET file = $1, bytes = $2, place = $3 WHERE id = $4";
            session.execute(update, &[&file, &n_bytes, &place, &id.to_be_bytes().as_slice()])?;
            let lives = "DELETE FROM doomed WHERE file = $1 AND place = $2";
            session.execute(lives, &[&file, &place]).map(|_| ())
        })
    }

    fn retire_runs(&mut self, runs: &[(u128, u32)], since: Option<i64>) -> Result<()> {
        if runs.is_empty() {
            return Ok(());
        }
        self.change(|session| {
            retire(session, runs, since);
            Ok(())
        })
    }

    fn adopt(
        &mut self,
        marks: &HighWaterMarks,
        segments: &[SegmentRow],
        replaced: &[u128],
        groups: &[(u32, GroupName)],
    ) -> Result<()> {
        self.change(|session| {
            put_marks(session, marks);
            remove_segments(session, replaced);
            put_segments(session, segments);
            put_groups(session, groups.iter().map(|(id, name)| (*id, name)));
            Ok(())
        })
    }

    fn delete_group(&mut self, id: u32, name: &GroupName) -> Result<()> {
        let id = i64::from(id);
        self.change_as(false, |session| {
            let insert = "INSERT INTO groups VALUES ($1, $2, true) ON CONFLICT (id) DO UPDATE SET deleted = true";
            session.execute(insert, &[&id, &name.as_str()])?;
            session.execute("DELETE FROM streams WHERE group_id = $1", &[&id]).map(|_| ())
        })
    }

    fn put_deletion(&mut self, deletion: &Deletion, receipt: &str) -> Result<()> {
        let node = self.node.clone();
        self.database.transact(|session| match node {
            Some(node) => node.record_deletion(session, deletion, receipt),
            None => {
                put_deletion(session, deletion);
                Ok(())
            }
        })
    }

    fn put_receipt(&mut self, id: u64, receipt: &str) -> Result<()> {
        self.change(|session| erasures::put_receipt(session, id, receipt))
    }

    fn forget_receipt(&mut self, id: u64) -> Result<()> {
        // Also removes older ones that a previous node in charge has left.
        let forget = "DELETE FROM receipts WHERE id <= $1 AND id NOT IN (SELECT id FROM deletions)";
        self.note(|session| session.execute(forget, &[&signed(id)]).map(|_| ()))
    }

    fn awaits_removal(&mut self, id: u64) -> Result<bool> {
        self.note(|session| erasures::awaits_removal(session, id))
    }

    fn forget_deletions(&mut self, ids: &[u64]) -> Result<()> {
        let ids: Vec<i64> = ids.iter().map(|id| signed(*id)).collect();
        self.change(|session| session.execute("DELETE FROM deletions WHERE id = ANY($1)", &[&ids]).map(|_| ()))
    }

    fn doom(&mut self, segments: &[u128]) -> Result<()> {
        self.change(|session| {
            doom(session, segments);
            Ok(())
        })
    }

    fn forget_doomed(&mut self, doomed: &ObsoleteFile) -> Result<()> {
        let place = doomed.place as i16;
        self.note(|session| {
            let delete = "DELETE FROM doomed WHERE file = $1 AND place = $2";
            session.execute(delete, &[&doomed.file, &place]).map(|_| ())
        })
    }

    fn renew(&mut self) -> Result<()> {
        match &self.node {
            Some(node) => node.clone().renew(&mut self.database),
            None => self.database.renew(),
        }
    }
}

/// How each node opens the catalog: no one owns it.
fn shared(url: &DatabaseUrl, store: [u8; 16]) -> PostgresOptions<'_> {
    PostgresOptions { url, store, kind: "catalog", schema: &SCHEMA, holder: None, must_exist: false }
}

//! The catalog in PostgreSQL.
//!
//! The tables are those of [`catalog`](super), with these differences: texts that senders choose are `bytea`, since
//! PostgreSQL's `text` cannot hold every character, and what would be too long for an index is looked up by its
//! SHA-256. What a transaction writes is a statement per table however many rows there are, so that the way to the
//! server is gone a few times and not a few thousand times.
//!
//! The first version here is 3. Version 4 has the tables of fleets ([`fleet`]), whose nodes all write here.

pub(crate) mod fleet;

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use types::{GroupName, Timestamp};

use self::fleet::Membership;
use super::{Catalog, Contents, Deletion, FlushRecord, HighWaterMarks, ObsoleteFile, RunRow, SegmentRow};
use crate::batch_ids::ValidEntries;
use crate::groups::Groups;
use crate::positions::{FileKey, Positions, Ranges};
use crate::retention::RetiredRuns;
use crate::tier::{Place, Tier};
use database::postgres::{Database, Failure, PostgresOptions, Session};
use database::url::DatabaseUrl;
use database::{DatabaseError, DatabaseProblem, Schema, signed, unsigned};

pub(super) const SCHEMA: Schema = Schema { steps: &["", "", VERSION_3, fleet::VERSION_4], identity_since: 0 };

const VERSION_3: &str = r#"
    CREATE TABLE meta(key text PRIMARY KEY, value bigint NOT NULL);
    CREATE TABLE groups(id bigint PRIMARY KEY, name text NOT NULL, deleted boolean NOT NULL DEFAULT false);
    CREATE TABLE streams(group_id bigint NOT NULL, name bytea NOT NULL);
    CREATE UNIQUE INDEX streams_once ON streams (group_id, sha256(name));
    CREATE TABLE segments(id bytea PRIMARY KEY, file text NOT NULL, bytes bigint NOT NULL, tier smallint NOT NULL,
        place smallint NOT NULL);
    CREATE TABLE runs(segment bytea, group_id bigint, n_events bigint NOT NULL, first bigint NOT NULL,
        last bigint NOT NULL, retired bigint, PRIMARY KEY (segment, group_id));
    CREATE TABLE positions(source bytea NOT NULL, file bytea NOT NULL, generation bigint NOT NULL,
        start bigint NOT NULL, "end" bigint NOT NULL);
    CREATE INDEX positions_of_file ON positions (sha256(file));
    CREATE TABLE batch_files(hour bigint PRIMARY KEY, n_entries bigint NOT NULL);
    CREATE TABLE doomed(file text, place smallint, PRIMARY KEY (file, place));
    CREATE TABLE deletions(id bigint PRIMARY KEY, group_id bigint NOT NULL, n_events bigint NOT NULL,
        created_ns bigint NOT NULL, sequences bytea NOT NULL);
"#;

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
    ) -> Result<Self, DatabaseError> {
        let mut database = opening(url, store, holder, must_exist).open()?;
        database.transact(|session| {
            let insert = "INSERT INTO meta VALUES ('next_sequence', $1) ON CONFLICT DO NOTHING";
            session.execute(insert, &[&signed(first_sequence)])
        })?;
        Ok(Self { database, node: None })
    }

    /// Opens the catalog of `store` to look at it, while a server may write to it.
    pub(crate) fn open_for_reading(url: &DatabaseUrl, store: [u8; 16]) -> Result<Self, DatabaseError> {
        Ok(Self { database: opening(url, store, "", true).open_for_reading()?, node: None })
    }

    /// Changes the catalog in one transaction, as upkeep does.
    fn change<T>(&mut self, work: impl FnOnce(&Session) -> Result<T, Failure>) -> Result<T, DatabaseError> {
        self.change_as(true, work)
    }

    /// The same; what a node of a fleet changes the others learn from the count of changes.
    fn change_as<T>(
        &mut self,
        is_upkeep: bool,
        work: impl FnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, DatabaseError> {
        let node = self.node.clone();
        self.database.transact(|session| match &node {
            Some(node) => node.change(session, is_upkeep, work),
            None => work(session),
        })
    }
}

impl Catalog for PostgresCatalog {
    fn load(&mut self) -> Result<Contents, DatabaseError> {
        self.database.transact(contents)
    }

    fn marks(&mut self) -> Result<HighWaterMarks, DatabaseError> {
        self.database.transact(marks)
    }

    fn has_segment(&mut self, id: u128) -> Result<bool, DatabaseError> {
        let id = id.to_be_bytes();
        self.database.transact(|session| {
            let found = session.query("SELECT 1 FROM segments WHERE id = $1", &[&id.as_slice()])?;
            Ok(!found.is_empty())
        })
    }

    fn commit_flush(&mut self, record: &FlushRecord<'_>) -> Result<(), DatabaseError> {
        let is_fleet = self.node.is_some();
        self.change(|session| {
            if is_fleet {
                fleet::release_objects(session, (record.flushed_before, record.marks.next_sequence))?;
            } else {
                put_marks(session, &record.marks)?;
            }
            // Some are there already where the answer to the first time was lost.
            let ids: Vec<u128> = record.segments.iter().map(|segment| segment.id).collect();
            let listed = session.query("SELECT id FROM segments WHERE id = ANY($1)", &[&ids_of(&ids)])?;
            let listed: Vec<u128> = listed.iter().map(|row| segment_id(row, 0)).collect::<Result<_, _>>()?;
            let new = record.segments.iter().filter(|segment| !listed.contains(&segment.id));
            put_segments(session, &new.cloned().collect::<Vec<_>>())?;
            put_groups(session, record.groups.iter().map(|(id, name, _)| (*id, name)))?;
            let streams = record.groups.iter().flat_map(|(id, _, streams)| streams.iter().map(move |name| (*id, name)));
            put_streams(session, streams)?;
            merge_positions(session, record.positions)?;
            put_batch_files(session, record.batch_files)
        })
    }

    fn fill(&mut self, contents: &Contents) -> Result<(), DatabaseError> {
        let groups = || contents.groups.iter().map(|(name, group)| (name, group.id));
        let streams = || contents.groups.iter().map(|(_, group)| group);
        self.change(|session| {
            put_marks(session, &contents.marks)?;
            put_segments(session, &contents.segments)?;
            put_groups(session, groups().map(|(name, id)| (id, name)))?;
            put_streams(session, streams().flat_map(|group| group.streams.iter().map(|name| (group.id, name))))?;
            let deleted: Vec<i64> = contents.deleted.iter().map(|id| i64::from(*id)).collect();
            session.execute("INSERT INTO groups SELECT *, '', true FROM unnest($1::bigint[])", &[&deleted])?;
            merge_positions(session, &contents.positions)?;
            put_batch_files(session, &contents.batch_files)?;
            for doomed in &contents.doomed {
                let insert = "INSERT INTO doomed VALUES ($1, $2)";
                session.execute(insert, &[&doomed.file, &(doomed.place as i16)])?;
            }
            for ((segment, group_id), since) in &contents.retired {
                retire(session, &[(*segment, *group_id)], Some(*since))?;
            }
            contents.deletions.iter().try_for_each(|deletion| put_deletion(session, deletion))
        })
    }

    fn commit_compaction(&mut self, removed: &[u128], added: &[SegmentRow]) -> Result<(), DatabaseError> {
        self.change(|session| {
            doom(session, removed)?;
            put_segments(session, added)
        })
    }

    fn doom_file(&mut self, doomed: &ObsoleteFile) -> Result<(), DatabaseError> {
        let place = doomed.place as i16;
        self.change(|session| {
            let insert = "INSERT INTO doomed VALUES ($1, $2) ON CONFLICT DO NOTHING";
            session.execute(insert, &[&doomed.file, &place]).map(|_| ())
        })
    }

    fn move_segment(&mut self, id: u128, file: &str, n_bytes: u64, place: Place) -> Result<(), DatabaseError> {
        let (n_bytes, place) = (signed(n_bytes), place as i16);
        self.change(|session| {
            doom_files(session, &[id])?;
            let update = "UPDATE segments SET file = $1, bytes = $2, place = $3 WHERE id = $4";
            session.execute(update, &[&file, &n_bytes, &place, &id.to_be_bytes().as_slice()])?;
            let lives = "DELETE FROM doomed WHERE file = $1 AND place = $2";
            session.execute(lives, &[&file, &place]).map(|_| ())
        })
    }

    fn retire_runs(&mut self, runs: &[(u128, u32)], since: Option<i64>) -> Result<(), DatabaseError> {
        if runs.is_empty() {
            return Ok(());
        }
        self.change(|session| retire(session, runs, since))
    }

    fn adopt(
        &mut self,
        marks: &HighWaterMarks,
        segments: &[SegmentRow],
        replaced: &[u128],
        groups: &[(u32, GroupName)],
    ) -> Result<(), DatabaseError> {
        self.change(|session| {
            put_marks(session, marks)?;
            remove_segments(session, replaced)?;
            put_segments(session, segments)?;
            put_groups(session, groups.iter().map(|(id, name)| (*id, name)))
        })
    }

    fn delete_group(&mut self, id: u32, name: &GroupName) -> Result<(), DatabaseError> {
        let id = i64::from(id);
        self.change_as(false, |session| {
            let insert = "INSERT INTO groups VALUES ($1, $2, true) ON CONFLICT (id) DO UPDATE SET deleted = true";
            session.execute(insert, &[&id, &name.as_str()])?;
            session.execute("DELETE FROM streams WHERE group_id = $1", &[&id]).map(|_| ())
        })
    }

    fn put_deletion(&mut self, deletion: &Deletion) -> Result<(), DatabaseError> {
        self.change(|session| put_deletion(session, deletion))
    }

    fn forget_deletions(&mut self, ids: &[u64]) -> Result<(), DatabaseError> {
        let ids: Vec<i64> = ids.iter().map(|id| signed(*id)).collect();
        self.change(|session| session.execute("DELETE FROM deletions WHERE id = ANY($1)", &[&ids]).map(|_| ()))
    }

    fn doom(&mut self, segments: &[u128]) -> Result<(), DatabaseError> {
        self.change(|session| doom(session, segments))
    }

    fn forget_doomed(&mut self, doomed: &ObsoleteFile) -> Result<(), DatabaseError> {
        let place = doomed.place as i16;
        self.change(|session| {
            let delete = "DELETE FROM doomed WHERE file = $1 AND place = $2";
            session.execute(delete, &[&doomed.file, &place]).map(|_| ())
        })
    }

    fn renew(&mut self) -> Result<(), DatabaseError> {
        match &self.node {
            Some(node) => node.clone().renew(&mut self.database),
            None => self.database.renew(),
        }
    }
}

/// Returns what a column holds that was written by us and is not of its shape.
fn misshapen(what: &str) -> Failure {
    Failure::Problem(DatabaseProblem::Failed(format!("{what} was not written by catat")))
}

/// All that the catalog has.
fn contents(session: &Session) -> Result<Contents, Failure> {
    let (groups, deleted) = groups(session)?;
    Ok(Contents {
        marks: marks(session)?,
        groups,
        deleted,
        segments: segments(session)?,
        positions: positions(session)?,
        batch_files: batch_files(session)?,
        doomed: doomed(session)?,
        retired: retired(session)?,
        deletions: deletions(session)?,
    })
}

fn segment_id(row: &Row, at: usize) -> Result<u128, Failure> {
    let bytes: &[u8] = row.try_get(at)?;
    bytes.try_into().map(u128::from_be_bytes).map_err(|_| misshapen("an id of a segment"))
}

fn group_id(row: &Row, at: usize) -> Result<u32, Failure> {
    u32::try_from(row.try_get::<_, i64>(at)?).map_err(|_| misshapen("a number of a group"))
}

fn text(row: &Row, at: usize) -> Result<String, Failure> {
    String::from_utf8(row.try_get(at)?).map_err(|_| misshapen("a name"))
}

/// Returns a number without a sign.
fn number(row: &Row, at: usize) -> Result<u64, Failure> {
    Ok(unsigned(get::<i64>(row, at)?))
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Result<T, Failure> {
    Ok(row.try_get(at)?)
}

fn place(row: &Row, at: usize) -> Result<Place, Failure> {
    Ok(Place::from_number(u8::try_from(get::<i16>(row, at)?).unwrap_or(0)))
}

fn marks(session: &Session) -> Result<HighWaterMarks, Failure> {
    let rows = session.query("SELECT key, value FROM meta", &[])?;
    let mut values = HashMap::new();
    for row in &rows {
        values.insert(get::<String>(row, 0)?, number(row, 1)?);
    }
    let value = |key: &str, default| values.get(key).copied().unwrap_or(default);
    Ok(HighWaterMarks {
        wal_released: value("wal_released", 1),
        wal_made: value("wal_made", 0),
        next_sequence: value("next_sequence", 1),
        next_group: u32::try_from(value("next_group", 1)).unwrap_or(u32::MAX),
    })
}

/// Groups, and the numbers of deleted ones.
fn groups(session: &Session) -> Result<(Groups, Vec<u32>), Failure> {
    let (mut groups, mut deleted) = (Groups::default(), Vec::new());
    for row in session.query("SELECT id, name, deleted FROM groups", &[])? {
        match GroupName::new(get(&row, 1)?) {
            Some(name) if !get::<bool>(&row, 2)? => groups.add(&name, group_id(&row, 0)?, []),
            _ => deleted.push(group_id(&row, 0)?),
        }
    }
    let streams = "SELECT s.group_id, g.name, s.name FROM streams s JOIN groups g ON g.id = s.group_id";
    for row in session.query(streams, &[])? {
        let id = group_id(&row, 0)?;
        if let Some(name) = GroupName::new(get(&row, 1)?).filter(|_| groups.has_id(id)) {
            groups.add(&name, id, [text(&row, 2)?.into()]);
        }
    }
    Ok((groups, deleted))
}

fn segments(session: &Session) -> Result<Vec<SegmentRow>, Failure> {
    let mut segments: Vec<SegmentRow> = Vec::new();
    for row in session.query("SELECT id, file, bytes, tier, place FROM segments ORDER BY id", &[])? {
        segments.push(SegmentRow {
            id: segment_id(&row, 0)?,
            file: get(&row, 1)?,
            n_bytes: number(&row, 2)?,
            tier: Tier::from_number(u8::try_from(get::<i16>(&row, 3)?).unwrap_or(0)),
            place: place(&row, 4)?,
            runs: Vec::new(),
        });
    }
    let runs = "SELECT segment, group_id, n_events, first, last FROM runs ORDER BY segment, group_id";
    for row in session.query(runs, &[])? {
        let id = segment_id(&row, 0)?;
        let (first, last) = (Timestamp(get(&row, 3)?), Timestamp(get(&row, 4)?));
        if let Ok(at) = segments.binary_search_by_key(&id, |segment| segment.id) {
            let (group_id, n_events) = (group_id(&row, 1)?, number(&row, 2)?);
            segments[at].runs.push(RunRow { group_id, n_events, first, last });
        }
    }
    Ok(segments)
}

fn position(row: &Row) -> Result<(FileKey, std::ops::Range<u64>), Failure> {
    let key = FileKey { source: text(row, 0)?, file: text(row, 1)?, generation: number(row, 2)? };
    Ok((key, number(row, 3)?..number(row, 4)?))
}

fn positions(session: &Session) -> Result<Positions, Failure> {
    let mut positions = Positions::default();
    for row in session.query(r#"SELECT source, file, generation, start, "end" FROM positions"#, &[])? {
        let (key, range) = position(&row)?;
        positions.insert(key, range);
    }
    Ok(positions)
}

fn batch_files(session: &Session) -> Result<ValidEntries, Failure> {
    let rows = session.query("SELECT hour, n_entries FROM batch_files", &[])?;
    rows.iter().map(|row| Ok((get(row, 0)?, number(row, 1)?))).collect()
}

fn doomed(session: &Session) -> Result<Vec<ObsoleteFile>, Failure> {
    let rows = session.query("SELECT file, place FROM doomed", &[])?;
    rows.iter().map(|row| Ok(ObsoleteFile { file: get(row, 0)?, place: place(row, 1)? })).collect()
}

fn retired(session: &Session) -> Result<RetiredRuns, Failure> {
    let rows = session.query("SELECT segment, group_id, retired FROM runs WHERE retired IS NOT NULL", &[])?;
    rows.iter().map(|row| Ok(((segment_id(row, 0)?, group_id(row, 1)?), get(row, 2)?))).collect()
}

fn deletions(session: &Session) -> Result<Vec<Deletion>, Failure> {
    let rows = session.query("SELECT id, group_id, n_events, created_ns, sequences FROM deletions", &[])?;
    let deletion = |row: &Row| {
        let (created, sequences) = (Timestamp(get(row, 3)?), get(row, 4)?);
        Ok(Deletion { id: number(row, 0)?, group_id: group_id(row, 1)?, n_events: number(row, 2)?, created, sequences })
    };
    rows.iter().map(deletion).collect()
}

fn put_marks(session: &Session, marks: &HighWaterMarks) -> Result<(), Failure> {
    let HighWaterMarks { wal_released, wal_made, next_sequence, next_group } = *marks;
    let keys = ["wal_released", "wal_made", "next_sequence", "next_group"].as_slice();
    let values = [signed(wal_released), signed(wal_made), signed(next_sequence), i64::from(next_group)];
    let put = "INSERT INTO meta SELECT * FROM unnest($1::text[], $2::bigint[])
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    session.execute(put, &[&keys, &values.as_slice()]).map(|_| ())
}

fn put_groups<'a>(session: &Session, groups: impl Iterator<Item = (u32, &'a GroupName)>) -> Result<(), Failure> {
    // A group that was deleted since stays deleted.
    let insert = "INSERT INTO groups(id, name) SELECT * FROM unnest($1::bigint[], $2::text[]) ON CONFLICT DO NOTHING";
    let (ids, names): (Vec<i64>, Vec<&str>) = groups.map(|(id, name)| (i64::from(id), name.as_str())).unzip();
    session.execute(insert, &[&ids, &names]).map(|_| ())
}

fn put_streams<'a>(
    session: &Session,
    streams: impl Iterator<Item = (u32, &'a std::sync::Arc<str>)>,
) -> Result<(), Failure> {
    let (ids, names): (Vec<i64>, Vec<&[u8]>) = streams.map(|(id, name)| (i64::from(id), name.as_bytes())).unzip();
    let insert = "INSERT INTO streams SELECT * FROM unnest($1::bigint[], $2::bytea[])
        ON CONFLICT (group_id, sha256(name)) DO NOTHING";
    session.execute(insert, &[&ids, &names]).map(|_| ())
}

fn put_batch_files(session: &Session, batch_files: &ValidEntries) -> Result<(), Failure> {
    session.execute("DELETE FROM batch_files", &[])?;
    let (hours, counts): (Vec<i64>, Vec<i64>) =
        batch_files.iter().map(|(hour, n_entries)| (*hour, signed(*n_entries))).unzip();
    let insert = "INSERT INTO batch_files SELECT * FROM unnest($1::bigint[], $2::bigint[])";
    session.execute(insert, &[&hours, &counts]).map(|_| ())
}

fn put_deletion(session: &Session, deletion: &Deletion) -> Result<(), Failure> {
    let Deletion { id, group_id, n_events, created, sequences } = deletion;
    let insert = "INSERT INTO deletions VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET
        (group_id, n_events, created_ns, sequences) =
        (excluded.group_id, excluded.n_events, excluded.created_ns, excluded.sequences)";
    let (id, n_events) = (signed(*id), signed(*n_events));
    session.execute(insert, &[&id, &i64::from(*group_id), &n_events, &created.0, sequences]).map(|_| ())
}

fn retire(session: &Session, runs: &[(u128, u32)], since: Option<i64>) -> Result<(), Failure> {
    let segments = ids_of(&runs.iter().map(|(segment, _)| *segment).collect::<Vec<_>>());
    let groups: Vec<i64> = runs.iter().map(|(_, group_id)| i64::from(*group_id)).collect();
    let update = "UPDATE runs SET retired = $1
        FROM unnest($2::bytea[], $3::bigint[]) AS named(segment, group_id)
        WHERE runs.segment = named.segment AND runs.group_id = named.group_id";
    session.execute(update, &[&since, &segments, &groups]).map(|_| ())
}

fn ids_of(segments: &[u128]) -> Vec<Vec<u8>> {
    segments.iter().map(|id| id.to_be_bytes().to_vec()).collect()
}

/// Remembers that the files of segments must go.
fn doom_files(session: &Session, segments: &[u128]) -> Result<(), Failure> {
    let insert =
        "INSERT INTO doomed SELECT file, place, (SELECT coalesce(max(value), 0) + 1 FROM meta WHERE key = 'changes')
        FROM segments WHERE id = ANY($1) ON CONFLICT DO NOTHING";
    session.execute(insert, &[&ids_of(segments)]).map(|_| ())
}

fn doom(session: &Session, segments: &[u128]) -> Result<(), Failure> {
    doom_files(session, segments)?;
    remove_segments(session, segments)
}

fn remove_segments(session: &Session, segments: &[u128]) -> Result<(), Failure> {
    let ids = ids_of(segments);
    session.execute("DELETE FROM runs WHERE segment = ANY($1)", &[&ids])?;
    session.execute("DELETE FROM segments WHERE id = ANY($1)", &[&ids]).map(|_| ())
}

fn put_segments(session: &Session, segments: &[SegmentRow]) -> Result<(), Failure> {
    let ids = ids_of(&segments.iter().map(|segment| segment.id).collect::<Vec<_>>());
    let files: Vec<&str> = segments.iter().map(|segment| segment.file.as_str()).collect();
    let n_bytes: Vec<i64> = segments.iter().map(|segment| signed(segment.n_bytes)).collect();
    let tiers: Vec<i16> = segments.iter().map(|segment| segment.tier as i16).collect();
    let places: Vec<i16> = segments.iter().map(|segment| segment.place as i16).collect();
    let insert = "INSERT INTO segments
        SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::smallint[], $5::smallint[])";
    session.execute(insert, &[&ids, &files, &n_bytes, &tiers, &places])?;
    let live = "DELETE FROM doomed USING unnest($1::text[], $2::smallint[]) AS named(file, place)
        WHERE doomed.file = named.file AND doomed.place = named.place";
    session.execute(live, &[&files, &places])?;
    let runs = || segments.iter().zip(&ids).flat_map(|(segment, id)| segment.runs.iter().map(move |run| (id, run)));
    let ids: Vec<&[u8]> = runs().map(|(id, _)| id.as_slice()).collect();
    let groups: Vec<i64> = runs().map(|(_, run)| i64::from(run.group_id)).collect();
    let n_events: Vec<i64> = runs().map(|(_, run)| signed(run.n_events)).collect();
    let firsts: Vec<i64> = runs().map(|(_, run)| run.first.0).collect();
    let lasts: Vec<i64> = runs().map(|(_, run)| run.last.0).collect();
    let insert = "INSERT INTO runs
        SELECT *, NULL FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])";
    session.execute(insert, &[&ids, &groups, &n_events, &firsts, &lasts]).map(|_| ())
}

/// Adds accepted ranges of files to those in the catalog.
fn merge_positions(session: &Session, accepted: &Positions) -> Result<(), Failure> {
    let sources: Vec<&[u8]> = accepted.iter().map(|(key, _)| key.source.as_bytes()).collect();
    let files: Vec<&[u8]> = accepted.iter().map(|(key, _)| key.file.as_bytes()).collect();
    let generations: Vec<i64> = accepted.iter().map(|(key, _)| signed(key.generation)).collect();
    let known = r#"DELETE FROM positions p
        USING unnest($1::bytea[], $2::bytea[], $3::bigint[]) AS named(source, file, generation)
        WHERE sha256(p.file) = sha256(named.file) AND p.file = named.file AND p.source = named.source
            AND p.generation = named.generation
        RETURNING p.source, p.file, p.generation, p.start, p."end""#;
    let mut merged: HashMap<FileKey, Ranges> = HashMap::new();
    for row in session.query(known, &[&sources, &files, &generations])? {
        let (key, range) = position(&row)?;
        merged.entry(key).or_default().insert(range);
    }
    for (key, ranges) in accepted.iter() {
        let known = merged.entry(key.clone()).or_default();
        ranges.iter().for_each(|range| known.insert(range.clone()));
    }
    let rows = || merged.iter().flat_map(|(key, ranges)| ranges.iter().map(move |range| (key, range)));
    let sources: Vec<&[u8]> = rows().map(|(key, _)| key.source.as_bytes()).collect();
    let files: Vec<&[u8]> = rows().map(|(key, _)| key.file.as_bytes()).collect();
    let generations: Vec<i64> = rows().map(|(key, _)| signed(key.generation)).collect();
    let starts: Vec<i64> = rows().map(|(_, range)| signed(range.start)).collect();
    let ends: Vec<i64> = rows().map(|(_, range)| signed(range.end)).collect();
    let insert = "INSERT INTO positions
        SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[])";
    session.execute(insert, &[&sources, &files, &generations, &starts, &ends]).map(|_| ())
}

//! Rows on their way into the tables of the catalog: a statement per table, however many rows there are.

use std::collections::HashMap;

use database::postgres::{Failure, Session};
use database::signed;
use types::GroupName;

use super::cells::position;
use crate::batch_ids::ValidEntries;
use crate::catalog::{Contents, Deletion, HighWaterMarks, SegmentRow};
use crate::positions::{FileKey, Positions, Ranges};

pub(in crate::catalog) fn put_marks(session: &Session, marks: &HighWaterMarks) {
    let HighWaterMarks { wal_released, wal_made, next_sequence, next_group } = *marks;
    let keys = vec!["wal_released", "wal_made", "next_sequence", "next_group"];
    let values = [signed(wal_released), signed(wal_made), signed(next_sequence), i64::from(next_group)];
    let put = "INSERT INTO meta SELECT * FROM unnest($1::text[], $2::bigint[])
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    session.later(put, vec![Box::new(keys), Box::new(values.to_vec())]);
}

pub(in crate::catalog) fn put_groups<'a>(session: &Session, groups: impl Iterator<Item = (u32, &'a GroupName)>) {
    // A group that was deleted since stays deleted.
    let insert = "INSERT INTO groups(id, name) SELECT * FROM unnest($1::bigint[], $2::text[]) ON CONFLICT DO NOTHING";
    let (ids, names): (Vec<i64>, Vec<String>) = groups.map(|(id, name)| (i64::from(id), name.to_string())).unzip();
    if !ids.is_empty() {
        session.later(insert, vec![Box::new(ids), Box::new(names)]);
    }
}

pub(in crate::catalog) fn put_streams<'a>(
    session: &Session,
    streams: impl Iterator<Item = (u32, &'a std::sync::Arc<str>)>,
) {
    let (ids, names): (Vec<i64>, Vec<Vec<u8>>) =
        streams.map(|(id, name)| (i64::from(id), name.as_bytes().to_vec())).unzip();
    let insert = "INSERT INTO streams SELECT * FROM unnest($1::bigint[], $2::bytea[])
        ON CONFLICT (group_id, sha256(name)) DO NOTHING";
    if !ids.is_empty() {
        session.later(insert, vec![Box::new(ids), Box::new(names)]);
    }
}

pub(in crate::catalog) fn put_batch_files(session: &Session, batch_files: &ValidEntries) {
    session.later("DELETE FROM batch_files", Vec::new());
    let (hours, counts): (Vec<i64>, Vec<i64>) =
        batch_files.iter().map(|(hour, n_entries)| (*hour, signed(*n_entries))).unzip();
    let insert = "INSERT INTO batch_files SELECT * FROM unnest($1::bigint[], $2::bigint[])";
    session.later(insert, vec![Box::new(hours), Box::new(counts)]);
}

pub(in crate::catalog) fn put_deletion(session: &Session, deletion: &Deletion) {
    let Deletion { id, group_id, n_events, created, sequences } = deletion;
    let insert = "INSERT INTO deletions VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET
        (group_id, n_events, created_ns, sequences) =
        (excluded.group_id, excluded.n_events, excluded.created_ns, excluded.sequences)";
    let (id, n_events) = (signed(*id), signed(*n_events));
    let of_group = Box::new(i64::from(*group_id));
    session.later(
        insert,
        vec![Box::new(id), of_group, Box::new(n_events), Box::new(created.0), Box::new(sequences.clone())],
    );
}

pub(in crate::catalog) fn retire(session: &Session, runs: &[(u128, u32)], since: Option<i64>) {
    let segments = ids_of(&runs.iter().map(|(segment, _)| *segment).collect::<Vec<_>>());
    let groups: Vec<i64> = runs.iter().map(|(_, group_id)| i64::from(*group_id)).collect();
    let update = "UPDATE runs SET retired = $1
        FROM unnest($2::bytea[], $3::bigint[]) AS named(segment, group_id)
        WHERE runs.segment = named.segment AND runs.group_id = named.group_id";
    session.later(update, vec![Box::new(since), Box::new(segments), Box::new(groups)]);
}

pub(in crate::catalog) fn ids_of(segments: &[u128]) -> Vec<Vec<u8>> {
    segments.iter().map(|id| id.to_be_bytes().to_vec()).collect()
}

/// Remembers that the files of segments must go.
pub(in crate::catalog) fn doom_files(session: &Session, segments: &[u128]) {
    let insert =
        "INSERT INTO doomed SELECT file, place, (SELECT coalesce(max(value), 0) + 1 FROM meta WHERE key = 'changes')
        FROM segments WHERE id = ANY($1) ON CONFLICT DO NOTHING";
    session.later(insert, vec![Box::new(ids_of(segments))]);
}

pub(in crate::catalog) fn doom(session: &Session, segments: &[u128]) {
    doom_files(session, segments);
    remove_segments(session, segments);
}

pub(in crate::catalog) fn remove_segments(session: &Session, segments: &[u128]) {
    let ids = ids_of(segments);
    session.later("DELETE FROM runs WHERE segment = ANY($1)", vec![Box::new(ids.clone())]);
    session.later("DELETE FROM segments WHERE id = ANY($1)", vec![Box::new(ids)]);
}

pub(in crate::catalog) fn put_segments(session: &Session, segments: &[SegmentRow]) {
    let ids = ids_of(&segments.iter().map(|segment| segment.id).collect::<Vec<_>>());
    let files: Vec<String> = segments.iter().map(|segment| segment.file.clone()).collect();
    let n_bytes: Vec<i64> = segments.iter().map(|segment| signed(segment.n_bytes)).collect();
    let tiers: Vec<i16> = segments.iter().map(|segment| segment.tier as i16).collect();
    let places: Vec<i16> = segments.iter().map(|segment| segment.place as i16).collect();
    let insert = "INSERT INTO segments
        SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::smallint[], $5::smallint[])";
    let runs = || segments.iter().zip(&ids).flat_map(|(segment, id)| segment.runs.iter().map(move |run| (id, run)));
    let of_runs: Vec<Vec<u8>> = runs().map(|(id, _)| id.clone()).collect();
    let groups: Vec<i64> = runs().map(|(_, run)| i64::from(run.group_id)).collect();
    let n_events: Vec<i64> = runs().map(|(_, run)| signed(run.n_events)).collect();
    let firsts: Vec<i64> = runs().map(|(_, run)| run.first.0).collect();
    let lasts: Vec<i64> = runs().map(|(_, run)| run.last.0).collect();
    let (ids, tiers, places) = (Box::new(ids), Box::new(tiers), Box::new(places));
    session.later(insert, vec![ids, Box::new(files), Box::new(n_bytes), tiers, places]);
    let insert = "INSERT INTO runs
        SELECT *, NULL FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])";
    let (groups, n_events) = (Box::new(groups), Box::new(n_events));
    session.later(insert, vec![Box::new(of_runs), groups, n_events, Box::new(firsts), Box::new(lasts)]);
}

/// Adds accepted ranges of files to those in the catalog.
pub(in crate::catalog) fn merge_positions(session: &Session, accepted: &Positions) -> Result<(), Failure> {
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
    insert_positions(session, &merged.iter().collect::<Vec<_>>());
    Ok(())
}

/// Puts ranges of files in the place of those in the catalog.
pub(in crate::catalog) fn replace_positions(session: &Session, ranges: &[(&FileKey, &Ranges)]) {
    let sources: Vec<Vec<u8>> = ranges.iter().map(|(key, _)| key.source.as_bytes().to_vec()).collect();
    let files: Vec<Vec<u8>> = ranges.iter().map(|(key, _)| key.file.as_bytes().to_vec()).collect();
    let generations: Vec<i64> = ranges.iter().map(|(key, _)| signed(key.generation)).collect();
    let delete = "DELETE FROM positions p
        USING unnest($1::bytea[], $2::bytea[], $3::bigint[]) AS named(source, file, generation)
        WHERE sha256(p.file) = sha256(named.file) AND p.file = named.file AND p.source = named.source
            AND p.generation = named.generation";
    session.later(delete, vec![Box::new(sources), Box::new(files), Box::new(generations)]);
    insert_positions(session, ranges);
}

fn insert_positions(session: &Session, ranges: &[(&FileKey, &Ranges)]) {
    let rows = || ranges.iter().flat_map(|(key, ranges)| ranges.iter().map(move |range| (key, range)));
    let sources: Vec<Vec<u8>> = rows().map(|(key, _)| key.source.as_bytes().to_vec()).collect();
    let files: Vec<Vec<u8>> = rows().map(|(key, _)| key.file.as_bytes().to_vec()).collect();
    let generations: Vec<i64> = rows().map(|(key, _)| signed(key.generation)).collect();
    let starts: Vec<i64> = rows().map(|(_, range)| signed(range.start)).collect();
    let ends: Vec<i64> = rows().map(|(_, range)| signed(range.end)).collect();
    let insert = "INSERT INTO positions
        SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[])";
    let (sources, files) = (Box::new(sources), Box::new(files));
    session.later(insert, vec![sources, files, Box::new(generations), Box::new(starts), Box::new(ends)]);
}

/// Puts all that a catalog has into empty tables.
pub(in crate::catalog) fn fill(session: &Session, contents: &Contents) -> Result<(), Failure> {
    let groups = || contents.groups.iter().map(|(name, group)| (name, group.id));
    let streams = || contents.groups.iter().map(|(_, group)| group);
    put_marks(session, &contents.marks);
    put_segments(session, &contents.segments);
    put_groups(session, groups().map(|(name, id)| (id, name)));
    put_streams(session, streams().flat_map(|group| group.streams.iter().map(|name| (group.id, name))));
    let deleted: Vec<i64> = contents.deleted.iter().map(|id| i64::from(*id)).collect();
    session.execute("INSERT INTO groups SELECT *, '', true FROM unnest($1::bigint[])", &[&deleted])?;
    merge_positions(session, &contents.positions)?;
    put_batch_files(session, &contents.batch_files);
    for doomed in &contents.doomed {
        let insert = "INSERT INTO doomed VALUES ($1, $2)";
        session.execute(insert, &[&doomed.file, &(doomed.place as i16)])?;
    }
    for ((segment, group_id), since) in &contents.retired {
        retire(session, &[(*segment, *group_id)], Some(*since));
    }
    contents.deletions.iter().for_each(|deletion| put_deletion(session, deletion));
    Ok(())
}

//! Objects of accepted events that are in no segment yet: how they are listed, and what is decided about the deliveries in
//! them.

use std::collections::{BTreeMap, HashMap, HashSet};

use database::postgres::{Asked, Database, Failure, Parameter, Session};
use database::{Result, signed};
use segment::bytes::{Cursor, Decoded, put_varint};
use tokio_postgres::Row;
use types::{GroupName, Timestamp, ensure};

use super::members::{ENDED, LOCK, Membership, doom_places, put_mark};
use super::{LEASE_S, refused};
use crate::catalog::postgres::cells::{get, group_id, misshapen, number, position};
use crate::catalog::postgres::rows::{put_groups, replace_positions};
use crate::positions::{FileKey, Positions};
use crate::{AppendError, BatchKey, Receipt, SourcePosition};

/// A delivery in an object, as it is offered.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) key: Option<BatchKey>,
    pub(crate) position: Option<SourcePosition>,
    pub(crate) groups: Vec<GroupName>,
    pub(crate) n_events: u64,
}

/// What became of an offer.
pub(crate) type Verdict = Result<Receipt, AppendError>;

/// An accepted record of an object: which one, and what was decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordRow {
    pub(crate) index: u32,
    pub(crate) first_sequence: u64,
    pub(crate) accepted: Timestamp,
    pub(crate) group_ids: Vec<u32>,
}

/// An object whose events are in no segment yet.
#[derive(Clone, Debug)]
pub(crate) struct ObjectRow {
    pub(crate) number: u64,
    pub(crate) epoch: u64,
    pub(crate) place: u64,
    pub(crate) n_bytes: u64,
    pub(crate) end_sequence: u64,
    pub(crate) records: Vec<RecordRow>,
}

impl ObjectRow {
    /// Returns the object's name in the bucket.
    pub(crate) fn name(&self) -> String {
        object_name(self.epoch, self.place)
    }
}

/// Returns the name of an object.
pub(crate) fn object_name(epoch: u64, place: u64) -> String {
    format!("wal/{epoch:08x}/{place:012x}")
}

/// An object with what is decided about the deliveries in it.
pub(crate) struct CommittedObject {
    pub(crate) verdicts: Vec<Verdict>,
    /// None where nothing of it was accepted.
    pub(crate) row: Option<ObjectRow>,
}

impl Membership {
    /// Lists an object and decides what of it is accepted: all of it or nothing is in the catalog afterwards. The same
    /// object may be offered again.
    pub(crate) fn commit_object(
        &self,
        database: &mut Database,
        (epoch, place, n_bytes): (u64, u64, u64),
        accepted: Timestamp,
        offers: &[Offer],
    ) -> Result<CommittedObject> {
        let epoch = signed(epoch);
        database.transact(|session| {
            let mut decision = Decision::begin(session, offers, (epoch, signed(place)))?;
            // It may be there already, and the lease may have ended since.
            if let Some(row) = decision.object.take() {
                let verdicts = decision.repeat(&row.records, offers);
                return Ok(CommittedObject { verdicts, row: Some(row) });
            }
            ensure!(decision.is_alive, refused(ENDED));
            let (listed, here) = (decision.listed, signed(place));
            if here <= listed {
                // Nothing of it was accepted.
                return Ok(CommittedObject { verdicts: decision.repeat(&[], offers), row: None });
            }
            let verdicts = decision.decide(offers, accepted);
            let row = decision.write(session, offers, (epoch, place, n_bytes));
            // What was put before and not listed, and this, where no one needs it.
            doom_places(session, epoch, listed + 1..here + i64::from(row.is_none()));
            session.later("UPDATE nodes SET listed = $2 WHERE epoch = $1", vec![Box::new(epoch), Box::new(here)]);
            Ok(CommittedObject { verdicts, row })
        })
    }
}

/// What is decided about the deliveries of an object, and what that depends on.
struct Decision {
    /// The object, if it is listed already.
    object: Option<ObjectRow>,
    is_alive: bool,
    /// The last place of the epoch that is listed, or found to be of no use.
    listed: i64,
    /// The number of the last object.
    last_object: u64,
    keys: HashMap<[u8; 16], ([u8; 16], u64, u64)>,
    positions: Positions,
    groups: BTreeMap<GroupName, u32>,
    new_groups: Vec<(u32, GroupName)>,
    next_sequence: u64,
    next_group: u32,
    accepted: Vec<RecordRow>,
}

impl Decision {
    /// Keeps everybody else from changing anything, and reads what it depends on: all in one message, since the others wait.
    fn begin(session: &Session, offers: &[Offer], (epoch, place): (i64, i64)) -> Result<Self, Failure> {
        let ids: Vec<&[u8]> =
            offers.iter().filter_map(|offer| offer.key.as_ref()).map(|key| key.id.as_slice()).collect();
        let files: Vec<&SourcePosition> = offers.iter().filter_map(|offer| offer.position.as_ref()).collect();
        let sources: Vec<&[u8]> = files.iter().map(|file| file.source.as_bytes()).collect();
        let files: Vec<&[u8]> = files.iter().map(|file| file.file.as_bytes()).collect();
        let names: Vec<&str> = offers.iter().flat_map(|offer| &offer.groups).map(GroupName::as_str).collect();
        let asked: [Asked<'_>; 7] = [
            (LOCK, &[]),
            (OBJECT, &[&epoch, &place]),
            (
                "SELECT listed, renewed > now() - make_interval(secs => $2) FROM nodes WHERE epoch = $1",
                &[&epoch, &LEASE_S],
            ),
            ("SELECT key, value FROM meta WHERE key IN ('objects', 'next_sequence', 'next_group')", &[]),
            ("SELECT id, name FROM groups WHERE name = ANY($1) AND NOT deleted", &[&names]),
            ("SELECT id, digest, first_sequence, n_events FROM batches WHERE id = ANY($1)", &[&ids]),
            (POSITIONS, &[&sources, &files]),
        ];
        let answers = session.queries(&asked)?;
        let [_, object, node, marks, of_groups, batches, of_files] = &answers[..] else {
            return Err(misshapen("an answer"));
        };
        let node = node.first().map(|row| Ok::<(i64, bool), Failure>((get(row, 0)?, get(row, 1)?))).transpose()?;
        let (listed, is_alive) = node.unwrap_or((-1, false));
        let (mut last_object, mut next_sequence, mut next_group) = (0, 1, 1);
        for row in marks {
            match get::<&str>(row, 0)? {
                "objects" => last_object = number(row, 1)?,
                "next_sequence" => next_sequence = number(row, 1)?,
                _ => next_group = u32::try_from(number(row, 1)?).unwrap_or(u32::MAX),
            }
        }
        let mut keys = HashMap::new();
        for row in batches {
            let hash = |at| <[u8; 16]>::try_from(get::<&[u8]>(row, at)?).map_err(|_| misshapen("a batch id"));
            keys.insert(hash(0)?, (hash(1)?, number(row, 2)?, number(row, 3)?));
        }
        let mut positions = Positions::default();
        for row in of_files {
            let (key, range) = position(row)?;
            positions.insert(key, range);
        }
        let mut groups = BTreeMap::new();
        for row in of_groups {
            if let Some(name) = GroupName::new(get(row, 1)?) {
                groups.insert(name, group_id(row, 0)?);
            }
        }
        let object = object.first().map(object_row).transpose()?;
        let (new_groups, accepted) = (Vec::new(), Vec::new());
        Ok(Self {
            object,
            is_alive,
            listed,
            last_object,
            keys,
            positions,
            groups,
            new_groups,
            next_sequence,
            next_group,
            accepted,
        })
    }

    fn decide(&mut self, offers: &[Offer], accepted: Timestamp) -> Vec<Verdict> {
        offers.iter().enumerate().map(|(index, offer)| self.decide_one(index, offer, accepted)).collect()
    }

    fn decide_one(&mut self, index: usize, offer: &Offer, accepted: Timestamp) -> Verdict {
        if let Some(known) = self.known(offer) {
            return known;
        }
        if let Some(refused) = offer.position.as_ref().and_then(|position| self.positions.refuse(position)) {
            return Err(refused);
        }
        let first_sequence = self.next_sequence;
        self.next_sequence += offer.n_events;
        let mut group_ids = Vec::with_capacity(offer.groups.len());
        for group in &offer.groups {
            let (next, new) = (&mut self.next_group, &mut self.new_groups);
            group_ids.push(*self.groups.entry(group.clone()).or_insert_with(|| {
                new.push((*next, group.clone()));
                *next = next.saturating_add(1);
                *next - 1
            }));
        }
        if let Some(key) = offer.key {
            self.keys.insert(key.id, (key.digest, first_sequence, offer.n_events));
        }
        if let Some(position) = &offer.position {
            self.positions.insert(FileKey::of(position), position.range.clone());
        }
        self.accepted.push(RecordRow { index: index as u32, first_sequence, accepted, group_ids });
        Ok(self.receipt(offer, false, first_sequence))
    }

    fn receipt(&self, offer: &Offer, duplicate: bool, first_sequence: u64) -> Receipt {
        let high_water = offer.position.as_ref().and_then(|position| self.positions.high_water(position));
        Receipt { duplicate, first_sequence, n_events: offer.n_events, high_water }
    }

    /// Returns what is to be said of an offer whose batch id is known.
    fn known(&self, offer: &Offer) -> Option<Verdict> {
        let key = offer.key?;
        let (digest, first_sequence, n_events) = *self.keys.get(&key.id)?;
        let receipt = Receipt { n_events, ..self.receipt(offer, true, first_sequence) };
        Some(if digest == key.digest { Ok(receipt) } else { Err(AppendError::KeyConflict) })
    }

    /// Returns what was decided about an object that is listed already.
    fn repeat(&self, records: &[RecordRow], offers: &[Offer]) -> Vec<Verdict> {
        let verdict = |(index, offer): (usize, &Offer)| {
            let accepted = records.iter().find(|record| record.index as usize == index);
            match accepted {
                Some(record) => Ok(self.receipt(offer, false, record.first_sequence)),
                None => {
                    let refused = || offer.position.as_ref().and_then(|position| self.positions.refuse(position));
                    self.known(offer).unwrap_or_else(|| Err(refused().unwrap_or(AppendError::PositionChanged)))
                }
            }
        };
        offers.iter().enumerate().map(verdict).collect()
    }

    /// Lists what was accepted; all in one message with the end of the transaction.
    fn write(self, session: &Session, offers: &[Offer], (epoch, place, n_bytes): (i64, u64, u64)) -> Option<ObjectRow> {
        let first_sequence = self.accepted.first()?.first_sequence;
        let number = self.last_object + 1;
        put_mark(session, "objects", number);
        put_groups(session, self.new_groups.iter().map(|(id, name)| (*id, name)));
        let of = |record: &RecordRow| &offers[record.index as usize];
        let keyed: Vec<(BatchKey, u64, u64)> = self
            .accepted
            .iter()
            .filter_map(|record| of(record).key.map(|key| (key, record.first_sequence, of(record).n_events)))
            .collect();
        if !keyed.is_empty() {
            let ids: Vec<Vec<u8>> = keyed.iter().map(|(key, ..)| key.id.to_vec()).collect();
            let digests: Vec<Vec<u8>> = keyed.iter().map(|(key, ..)| key.digest.to_vec()).collect();
            let firsts: Vec<i64> = keyed.iter().map(|(_, first, _)| signed(*first)).collect();
            let counts: Vec<i64> = keyed.iter().map(|(.., n_events)| signed(*n_events)).collect();
            let insert = "INSERT INTO batches
                SELECT *, now() FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[])";
            session.later(insert, vec![Box::new(ids), Box::new(digests), Box::new(firsts), Box::new(counts)]);
        }
        let shipped: HashSet<FileKey> =
            self.accepted.iter().filter_map(|record| of(record).position.as_ref()).map(FileKey::of).collect();
        if !shipped.is_empty() {
            let ranges = self.positions.iter().filter(|(key, _)| shipped.contains(*key));
            replace_positions(session, &ranges.collect::<Vec<_>>());
        }
        let insert = "INSERT INTO objects VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let numbers =
            [signed(number), epoch, signed(place), signed(n_bytes), signed(first_sequence), signed(self.next_sequence)];
        let mut parameters: Vec<Parameter> = numbers.into_iter().map(|number| Box::new(number) as Parameter).collect();
        parameters.push(Box::new(encode_records(&self.accepted)));
        session.later(insert, parameters);
        put_mark(session, "next_sequence", self.next_sequence);
        put_mark(session, "next_group", self.next_group.into());
        let (epoch, end_sequence) = (epoch.cast_unsigned(), self.next_sequence);
        Some(ObjectRow { number, epoch, place, n_bytes, end_sequence, records: self.accepted })
    }
}

/// Reads an object by its place.
const OBJECT: &str =
    "SELECT number, epoch, place, bytes, end_sequence, records FROM objects WHERE epoch = $1 AND place = $2";

/// Reads what is known of files.
const POSITIONS: &str = r#"SELECT DISTINCT p.source, p.file, p.generation, p.start, p."end" FROM positions p
    JOIN unnest($1::bytea[], $2::bytea[]) AS named(source, file)
    ON sha256(p.file) = sha256(named.file) AND p.file = named.file AND p.source = named.source"#;

pub(super) fn object_row(row: &Row) -> Result<ObjectRow, Failure> {
    Ok(ObjectRow {
        number: number(row, 0)?,
        epoch: number(row, 1)?,
        place: number(row, 2)?,
        n_bytes: number(row, 3)?,
        end_sequence: number(row, 4)?,
        records: decode_records(get(row, 5)?).map_err(|_| misshapen("a list of records"))?,
    })
}

fn encode_records(records: &[RecordRow]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, records.len() as u64);
    for RecordRow { index, first_sequence, accepted, group_ids } in records {
        put_varint(&mut out, (*index).into());
        put_varint(&mut out, *first_sequence);
        put_varint(&mut out, accepted.0.cast_unsigned());
        put_varint(&mut out, group_ids.len() as u64);
        group_ids.iter().for_each(|id| put_varint(&mut out, (*id).into()));
    }
    out
}

fn decode_records(bytes: &[u8]) -> Decoded<Vec<RecordRow>> {
    let mut cursor = Cursor::new(bytes);
    let n_records = cursor.count(4)?;
    let mut records = Vec::with_capacity(n_records);
    for _ in 0..n_records {
        let (index, first_sequence) = (cursor.varint()? as u32, cursor.varint()?);
        let accepted = Timestamp(cursor.varint()?.cast_signed());
        let n_groups = cursor.count(1)?;
        let group_ids = (0..n_groups).map(|_| Ok(cursor.varint()? as u32)).collect::<Decoded<_>>()?;
        records.push(RecordRow { index, first_sequence, accepted, group_ids });
    }
    Ok(records)
}

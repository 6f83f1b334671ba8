//! Ids that several runs of a segment share, such as those of traces, stored once.
//!
//! A request has spans in the run of each service that it crosses, and each of these runs would store its id. A segment of several runs
//! has *pages* of ids instead: sections of varint bytes per id and up to [`PAGE_IDS`] ids, in the order in which the writer met
//! them. Of a column whose section is a dictionary of packed hex (tag 1), the dictionary is stored as places in pages:
//!
//! ```text
//! byte 10, varint pages, that many varint section numbers, varint ids,
//! integers: places of the ids (number of the page among those named × PAGE_IDS + number of the id in the page), the codes as in tag 1
//! ```
//!
//! What is restored when the section is read is that of tag 1, which everything else knows. Places of ids that are new rise by one and
//! take next to nothing, so that a run whose ids no other has is no larger. Since format 6.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_varint};
use crate::format::BLOCK_ROWS;
use crate::section::{SectionId, SectionWriter};

const SHARED_IDS: u8 = 10;
const DICTIONARY: u8 = 1;
const TEXTS: u8 = 0;
const PACKED: u8 = 1;

/// Ids of a page: what a reader of one block takes besides, at most.
const PAGE_IDS: usize = 8192;

/// Shorter ids cost as little as their places.
const ID_BYTES_MIN: usize = 8;

/// Fewer ids of a block take no room that is worth it.
const IDS_MIN: usize = 32;

/// Most ids of one length in a segment; the writer holds them in memory.
const IDS_MAX: usize = 1 << 18;

/// Ids looked up in pages after which it is known whether runs have the same ones, and of how many one must be there.
const ASKED_MIN: usize = 4 * PAGE_IDS;
const ASKED_PER_KNOWN_MAX: usize = 8;

/// The pages of a segment while it is written.
#[derive(Default)]
pub(crate) struct SharedIds {
    of_lengths: Vec<IdsOfLength>,
}

/// Ids of one length.
struct IdsOfLength {
    n_bytes: usize,
    pages: Vec<IdPage>,
    /// Places of the ids in all pages, by their bytes.
    places: HashTable<u32>,
    hasher: RandomState,
    /// How many ids were looked up in pages that others had begun, and how many of them were there.
    n_asked: usize,
    n_known: usize,
}

struct IdPage {
    section: SectionId,
    ids: Vec<u8>,
}

impl SharedIds {
    /// Returns what is to be stored instead of the section of a column, where its ids are to be in pages.
    pub(crate) fn shorten(&mut self, section: &[u8], sections: &mut SectionWriter) -> Option<Vec<u8>> {
        let IdDictionary { n_bytes, ids, codes } = dictionary_of(section).ok().flatten()?;
        let of_length = match self.of_lengths.iter().position(|known| known.n_bytes == n_bytes) {
            Some(known) => &mut self.of_lengths[known],
            None => {
                self.of_lengths.push(IdsOfLength::new(n_bytes));
                self.of_lengths.last_mut()?
            }
        };
        let places = of_length.places_of(ids, sections)?;
        let mut named: Vec<u32> = places.iter().map(|place| place / PAGE_IDS as u32).collect();
        named.sort_unstable();
        named.dedup();
        let mut out = vec![SHARED_IDS];
        put_varint(&mut out, named.len() as u64);
        named.iter().for_each(|page| put_varint(&mut out, u64::from(of_length.pages[*page as usize].section)));
        put_varint(&mut out, places.len() as u64);
        let in_named = |place: &u32| {
            let page = named.partition_point(|known| *known < place / PAGE_IDS as u32);
            (page * PAGE_IDS + *place as usize % PAGE_IDS) as i64
        };
        put_integers(&mut out, &places.iter().map(in_named).collect::<Vec<_>>());
        out.extend_from_slice(codes);
        let pages: Vec<PageContent<'_>> =
            named.iter().map(|page| (n_bytes, &of_length.pages[*page as usize].ids[..])).collect();
        (restore_from(&out, &pages).as_deref() == Ok(section)).then_some(out)
    }

    /// Stores the pages.
    pub(crate) fn finish(self, sections: &mut SectionWriter) -> std::io::Result<()> {
        for of_length in &self.of_lengths {
            for number in 0..of_length.pages.len() {
                sections.fill(of_length.pages[number].section, &of_length.page(number))?;
            }
        }
        Ok(())
    }

    /// Reports whether there are pages.
    pub(crate) fn is_used(&self) -> bool {
        !self.of_lengths.is_empty()
    }
}

impl IdsOfLength {
    fn new(n_bytes: usize) -> Self {
        let (pages, places, hasher) = Default::default();
        Self { n_bytes, pages, places, hasher, n_asked: 0, n_known: 0 }
    }

    /// Returns the places of ids, after adding those that are new; `None` where there is no room, or no use, for them.
    fn places_of(&mut self, ids: &[u8], sections: &mut SectionWriter) -> Option<Vec<u32>> {
        let n_ids = ids.len() / self.n_bytes;
        let is_useless = self.n_asked >= ASKED_MIN && self.n_known * ASKED_PER_KNOWN_MAX < self.n_asked;
        if is_useless || self.places.len() + n_ids > IDS_MAX {
            return None;
        }
        let has_begun = !self.places.is_empty();
        let mut places = Vec::with_capacity(n_ids);
        for id in ids.chunks_exact(self.n_bytes) {
            let hash = self.hasher.hash_one(id);
            if let Some(known) = self.places.find(hash, |place| self.id(*place) == id) {
                self.n_known += 1;
                places.push(*known);
                continue;
            }
            let place = self.places.len() as u32;
            if (place as usize).is_multiple_of(PAGE_IDS) {
                self.pages.push(IdPage { section: sections.reserve(1), ids: Vec::new() });
            }
            self.pages.last_mut()?.ids.extend_from_slice(id);
            let (pages, hasher, n_bytes) = (&self.pages, &self.hasher, self.n_bytes);
            self.places.insert_unique(hash, place, |place| hasher.hash_one(id_at(pages, n_bytes, *place)));
            places.push(place);
        }
        self.n_asked += if has_begun { n_ids } else { 0 };
        Some(places)
    }

    fn id(&self, place: u32) -> &[u8] {
        id_at(&self.pages, self.n_bytes, place)
    }

    fn page(&self, number: usize) -> Vec<u8> {
        let mut page = Vec::new();
        put_varint(&mut page, self.n_bytes as u64);
        page.extend_from_slice(&self.pages[number].ids);
        page
    }
}

fn id_at(pages: &[IdPage], n_bytes: usize, place: u32) -> &[u8] {
    let (page, number) = (place as usize / PAGE_IDS, place as usize % PAGE_IDS);
    &pages[page].ids[number * n_bytes..(number + 1) * n_bytes]
}

/// A section that is a dictionary of packed ids.
struct IdDictionary<'s> {
    n_bytes: usize,
    ids: &'s [u8],
    codes: &'s [u8],
}

/// Returns a section as a dictionary of enough packed ids, if it is one.
fn dictionary_of(section: &[u8]) -> Decoded<Option<IdDictionary<'_>>> {
    let [DICTIONARY, rest @ ..] = section else { return Ok(None) };
    let mut cursor = Cursor::new(rest);
    let n_ids = cursor.varint()? as usize;
    let [TEXTS, PACKED, rest @ ..] = cursor.rest() else { return Ok(None) };
    let mut cursor = Cursor::new(rest);
    let n_bytes = cursor.varint()? as usize;
    if n_bytes < ID_BYTES_MIN || n_ids < IDS_MIN {
        return Ok(None);
    }
    let ids = cursor.take(n_ids.checked_mul(n_bytes).ok_or(Damage("a count is out of range"))?)?;
    Ok(Some(IdDictionary { n_bytes, ids, codes: cursor.rest() }))
}

/// Reports whether a section has its ids in pages.
pub(crate) fn is_shared(section: &[u8]) -> bool {
    section.first() == Some(&SHARED_IDS)
}

/// Returns the numbers of the pages that a section names; none if it is of another kind.
pub(crate) fn pages_of(section: &[u8]) -> Decoded<Vec<SectionId>> {
    let [SHARED_IDS, rest @ ..] = section else { return Ok(Vec::new()) };
    let mut cursor = Cursor::new(rest);
    let number = |cursor: &mut Cursor<'_>| {
        SectionId::try_from(cursor.varint()?).map_err(|_| Damage("a section number is out of range"))
    };
    (0..cursor.count(1)?).map(|_| number(&mut cursor)).collect()
}

/// The bytes per id of a page, and its ids.
pub(crate) type PageContent<'p> = (usize, &'p [u8]);

/// Restores the section of a dictionary from the pages that it names, in this order.
pub(crate) fn restore(section: &[u8], pages: &[impl AsRef<[u8]>]) -> Decoded<Vec<u8>> {
    let pages: Vec<PageContent<'_>> = pages.iter().map(|page| take_page(page.as_ref())).collect::<Decoded<_>>()?;
    restore_from(section, &pages)
}

fn restore_from(section: &[u8], pages: &[PageContent<'_>]) -> Decoded<Vec<u8>> {
    let mut cursor = Cursor::new(section);
    cursor.byte()?;
    for _ in 0..cursor.count(1)? {
        cursor.varint()?;
    }
    let n_ids = cursor.varint()? as usize;
    types::ensure!(n_ids <= BLOCK_ROWS, Damage("a dictionary is too large"));
    let places = cursor.codes(n_ids)?;
    let n_bytes = pages.first().map_or(0, |(n_bytes, _)| *n_bytes);
    let mut out = vec![DICTIONARY];
    put_varint(&mut out, n_ids as u64);
    out.extend([TEXTS, PACKED]);
    put_varint(&mut out, n_bytes as u64);
    out.reserve(n_ids * n_bytes + cursor.n_left());
    for place in places {
        let (page, number) = (place as usize / PAGE_IDS, place as usize % PAGE_IDS);
        let page = pages.get(page).filter(|(of_page, _)| *of_page == n_bytes);
        let id = page.and_then(|(_, ids)| ids.get(number * n_bytes..(number + 1) * n_bytes));
        out.extend_from_slice(id.ok_or(Damage("the place of an id is out of range"))?);
    }
    out.extend_from_slice(cursor.rest());
    Ok(out)
}

/// Takes a page apart.
pub(crate) fn take_page(page: &[u8]) -> Decoded<PageContent<'_>> {
    let mut cursor = Cursor::new(page);
    let n_bytes = cursor.varint()? as usize;
    let is_right = n_bytes > 0 && cursor.n_left().is_multiple_of(n_bytes);
    if is_right { Ok((n_bytes, cursor.rest())) } else { Err(Damage("a page of ids does not end with one")) }
}

#[cfg(test)]
mod tests;

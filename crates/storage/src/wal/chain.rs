//! The chain of WAL files: which ones must be there, and how long each must be.
//!
//! Nothing here reads records. Headers, marks and the catalog's `wal_made` say enough to notice a file that
//! vanished, was cut off or was emptied; see the parent.

use std::fs::File;
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::path::Path;

use super::{FILE_HEADER_BYTES, FileHeader, HeaderError, Mark, path_of};

/// A WAL file as its header describes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) number: u64,
    /// Its header and mark (`None`: the mark is damaged), or why there is none.
    pub(crate) header: Result<(FileHeader, Option<Mark>), HeaderError>,
}

/// The files that are there, rising, and the numbers of those that are missing.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) links: Vec<Link>,
    pub(crate) missing: Vec<RangeInclusive<u64>>,
}

/// Reads the header of a file.
fn read_link(dir: &Path, number: u64) -> io::Result<Link> {
    let mut bytes = Vec::with_capacity(FILE_HEADER_BYTES);
    File::open(path_of(dir, number))?.take(FILE_HEADER_BYTES as u64).read_to_end(&mut bytes)?;
    let header = FileHeader::decode(&bytes).map(|header| (header, Mark::decode(&bytes, &header)));
    Ok(Link { number, header })
}

impl Chain {
    /// Reads the chain of the files `numbers` in `dir`. Files below `released` may be gone; `made` was made once,
    /// where it is not 0.
    pub(crate) fn read(dir: &Path, numbers: &[u64], released: u64, made: u64) -> io::Result<Self> {
        let links = numbers.iter().map(|number| read_link(dir, *number)).collect::<io::Result<Vec<Link>>>()?;
        let missing = missing(&links, released, made);
        Ok(Self { links, missing })
    }

    /// Returns the length of this file according to the file after `index`.
    pub(crate) fn n_bytes_of(&self, index: usize) -> Option<u64> {
        let number = self.links.get(index)?.number;
        let (next, _) = self.links.get(index + 1)?.header.ok()?;
        next.previous.filter(|previous| previous.number == number)?.n_bytes
    }

    /// Returns the highest number that a file is known to have had.
    pub(crate) fn highest(&self) -> u64 {
        let present = self.links.last().map_or(0, |link| link.number);
        self.missing.last().map_or(present, |range| present.max(*range.end()))
    }
}

/// Returns numbers of files that are referred to and missing.
fn missing(links: &[Link], released: u64, made: u64) -> Vec<RangeInclusive<u64>> {
    let mut missing: Vec<RangeInclusive<u64>> = Vec::new();
    // What must be there next; the files between it and the next one that is there are missing.
    let mut expected = (made > 0).then_some(made.max(released));
    for link in links {
        let header = link.header.ok();
        let previous = header.and_then(|(header, _)| header.previous).map(|previous| previous.number);
        let named = previous.filter(|number| *number >= released && *number < link.number);
        let is_known = |number: u64| links.binary_search_by_key(&number, |link| link.number).is_ok();
        let from = expected.into_iter().chain(named.filter(|number| !is_known(*number))).min();
        if let Some(from) = from.filter(|from| *from < link.number) {
            missing.push(from..=link.number - 1);
        }
        let next = header.and_then(|(_, mark)| mark).map(|mark| mark.next).filter(|next| *next > link.number);
        // What was made stays expected until a file at or after it was met.
        expected = next.or(expected.filter(|expected| *expected > link.number));
    }
    missing.extend(expected.map(|number| number..=number));
    missing
}

#[cfg(test)]
mod tests;

//! A piece of a file on its way: raw bytes as read, and where they came from.
//!
//! On the wire (`format=lines`): the header as one line of JSON, a newline, the bytes. The server deduplicates by
//! the position in the header, so that the same bytes may be sent again, cut differently, and are stored once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use types::GroupName;

use crate::boundary::ends_of;
use crate::checkpoint::is_zero;
use crate::content::Content;
use crate::identity::{FileKey, Mark};
use crate::rules::Rules;
use std::fs::File;

/// Where the bytes of a batch came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The state directory's random id.
    pub source: String,
    /// The file's identity within the source; it survives renames.
    pub file: String,
    /// Rises when the file is truncated or replaced in place.
    pub generation: u64,
    /// Offset of the first byte in the file.
    pub start: u64,
    /// Where the shipper began with the generation: earlier bytes are left out on purpose.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub begin: u64,
    /// Bytes of each event where some event is longer than one line; without it each line is an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lengths: Option<Vec<u64>>,
    /// Name of the shipping host.
    pub host: String,
    /// Path under which the file was first seen.
    pub path: String,
    /// Time zone of the shipping host, an IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The format of a program that all lines have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// How the bytes are to be read; without it they are UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// When the file was last modified, nanoseconds since the Unix epoch; only while catching up with what was
    /// there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<i64>,
    /// Which content the file has up to the end of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
    /// Whether the lines are samples: labels as JSON, a value, a time in ms.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub samples: bool,
    /// Fields that every event of the shipper gets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// What a file holds from some place on up to another, as far as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentHash {
    /// Offset of the first byte.
    pub from: u64,
    /// The hash of the bytes.
    pub hash: String,
}

impl ContentHash {
    pub(crate) fn of(content: &Content) -> Self {
        Self { from: content.from, hash: content.text() }
    }
}

/// A piece of a file, cut at the end of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileBatch {
    /// The group that its events go to.
    pub group: GroupName,
    /// The stream: `HOST:PATH`.
    pub stream: String,
    /// Where the bytes came from.
    pub header: Header,
    /// The bytes as read.
    pub bytes: Arc<Vec<u8>>,
    /// Where the file was when it was read.
    pub(crate) at: PathBuf,
    /// The file, for the follower to find it again.
    pub(crate) key: FileKey,
    /// How far the file is read when this batch is acknowledged.
    pub(crate) mark_after: Mark,
    /// The hash of the content up to there.
    pub(crate) content_after: Option<Content>,
    /// Set where the server is to be asked what it holds of the file before this is sent.
    pub(crate) unasked: Option<UncheckedFile>,
}

impl FileBatch {
    /// Returns the offset after the last byte.
    pub fn end(&self) -> u64 {
        self.header.start + self.bytes.len() as u64
    }

    /// Returns the batch as a request body of `format=lines`.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = self.encode_head();
        body.reserve_exact(self.bytes.len());
        body.extend_from_slice(&self.bytes);
        body
    }

    /// Returns what comes before the bytes in such a body.
    pub(crate) fn encode_head(&self) -> Vec<u8> {
        let mut head = serde_json::to_vec(&self.header).expect("a header is strings and numbers, which JSON can say");
        head.push(b'\n');
        head
    }

    /// Returns every event that is not empty, with its offset in the file.
    pub fn events(&self) -> Vec<(u64, &[u8])> {
        let ends: Vec<usize> = match &self.header.lengths {
            Some(lengths) => ends_of(lengths).collect(),
            None => {
                let ends = self.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
                ends.chain([self.bytes.len()]).collect()
            }
        };
        let mut start = 0;
        let mut events = Vec::with_capacity(ends.len());
        for end in ends {
            let event = self.bytes.get(start..end).unwrap_or_default();
            let text = event.trim_ascii_end();
            if !text.is_empty() {
                events.push((self.header.start + start as u64, text));
            }
            start = end;
        }
        events
    }

    /// Reports whether all lines are exemplars of samples and what pages say of metrics, which servers of an earlier version refuse.
    pub(crate) fn has_comments_alone(&self) -> bool {
        self.header.samples && self.events().iter().all(|(_, line)| line.starts_with(b"# "))
    }

    /// Cuts the batch in two between events, as near the middle as they allow; `None` if it is one event.
    pub(crate) fn split(&self) -> Option<(Self, Self)> {
        let at = self.middle()?;
        let (first, second) = self.bytes.split_at_checked(at)?;
        let (mut one, mut two) = (self.clone(), self.clone());
        (one.bytes, two.bytes) = (Arc::new(first.to_vec()), Arc::new(second.to_vec()));
        two.header.start += at as u64;
        // The hash is that of all up to the end of the whole batch.
        one.header.content = None;
        if let Some(lengths) = &self.header.lengths {
            let n_first = ends_of(lengths).take_while(|end| *end <= at).count();
            let (of_one, of_two) = lengths.split_at_checked(n_first)?;
            (one.header.lengths, two.header.lengths) = (Some(of_one.to_vec()), Some(of_two.to_vec()));
        }
        Some((one, two))
    }

    /// Returns the events that begin within `range` of the file; `None` if there are none.
    pub(crate) fn part(&self, range: Range<u64>) -> Option<Self> {
        let within = |at: u64| usize::try_from(at.checked_sub(self.header.start)?).ok();
        let (from, to) = (within(range.start)?, within(range.end.min(self.end()))?);
        let mut part = self.clone();
        part.bytes = Arc::new(self.bytes.get(from..to).filter(|bytes| !bytes.is_empty())?.to_vec());
        (part.header.start, part.header.content) = (range.start, None);
        if let Some(lengths) = &self.header.lengths {
            let is_in = |(_, end): &(&u64, usize)| (from + 1..=to).contains(end);
            let lengths = lengths.iter().zip(ends_of(lengths)).filter(is_in).map(|(length, _)| *length);
            part.header.lengths = Some(lengths.collect::<Vec<_>>());
        }
        Some(part)
    }

    /// Returns the end of an event within the batch that is nearest its middle.
    fn middle(&self) -> Option<usize> {
        let half = self.bytes.len() / 2;
        let is_within = |end: &usize| *end > 0 && *end < self.bytes.len();
        let nearest =
            |ends: &mut dyn Iterator<Item = usize>| ends.filter(is_within).min_by_key(|end| end.abs_diff(half));
        match &self.header.lengths {
            Some(lengths) => nearest(&mut ends_of(lengths)),
            None => {
                let is_end = |at: &usize| self.bytes.get(at - 1) == Some(&b'\n');
                let before = (1..=half).rev().find(is_end);
                nearest(&mut before.into_iter().chain((half + 1..self.bytes.len()).find(is_end)))
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

/// The file that a question is about.
#[derive(Clone, Debug)]
pub(crate) struct UncheckedFile {
    /// The file, opened.
    pub(crate) file: Arc<File>,
    /// What is done to what is sent of it.
    pub(crate) rules: Rules,
    /// When it was made, nanoseconds since the Unix epoch, where the file system records it.
    pub(crate) born: Option<i64>,
    /// Whether it was packed.
    pub(crate) is_packed: bool,
}

impl PartialEq for UncheckedFile {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
    }
}

impl Eq for UncheckedFile {}

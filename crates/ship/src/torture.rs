//! Logs that are written and rotated in every way, and the comparison of what is stored with what was written.
//!
//! A [`Writer`] writes numbered lines whose text follows from their number, and rotates its log as [`Rotation`] says.
//! It takes nothing away that the server does not have, which [`Progress`] tells it: what is missing in the end was
//! lost by the shipper. A [`Tally`] is given what is stored and counts for each kind how many lines are lost,
//! repeated or altered.

mod random;
mod tally;
mod writer;

use std::sync::atomic::{AtomicU64, Ordering};

pub use random::Random;
pub use tally::{Tally, Verdict};
pub use writer::{Writer, WriterSummary};

types::named! {
    /// How a log is rotated.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Rotation {
        /// Renamed, with late lines in the old file, and a new one made.
        Rename = "rename",
        /// Copied and truncated.
        CopyTruncate = "copytruncate",
        /// Deleted and made again: file systems give the new file the inode of the old one.
        Recreate = "recreate",
        /// A new file under a new name; the old one stays.
        NextName = "next-name",
        /// A link under a fixed name leads to the next file.
        SymlinkSwitch = "symlink-switch",
        /// A file with two names is renamed under one of them, and the other is given to the next file.
        HardLink = "hard-link",
        /// Truncated, and nothing else.
        Truncate = "truncate",
        /// Truncated and at once longer than it was.
        Regrowth = "regrowth",
        /// Renamed, and compressed with the next rotation.
        Compress = "compress",
    }
}

/// How many lines of each kind the server is known to have.
#[derive(Debug, Default)]
pub struct Progress([AtomicU64; Rotation::ALL.len()]);

impl Progress {
    /// Notes that `n_lines` lines of the kind of this name are stored.
    pub fn note(&self, name: &str, n_lines: u64) {
        let kinds = Rotation::ALL.iter().zip(&self.0).find(|(rotation, _)| rotation.name() == name);
        if let Some((_, known)) = kinds {
            known.fetch_max(n_lines, Ordering::Relaxed);
        }
    }

    /// Lines of a kind that are known to be stored.
    pub fn of(&self, rotation: Rotation) -> u64 {
        self.0.get(rotation as usize).map_or(0, |known| known.load(Ordering::Relaxed))
    }
}

/// Returns the text of a line: it follows from kind and number, so that a reader can check it.
fn text_of(rotation: Rotation, n: u64) -> String {
    const WORDS: [&str; 8] = ["request", "done", "größer", "\"a b\"", "{\"k\":1}", "日本", "\\n", "[warn]"];
    let mut random = Random::new(n.wrapping_mul(31).wrapping_add(rotation as u64));
    let mut text = format!("w={} n={n}", rotation.name());
    // Now and then a line that fills a buffer or two.
    let n_words = if random.below(400) == 0 { 3_000 } else { random.below(30) };
    for _ in 0..n_words {
        text.push(' ');
        text.push_str(WORDS[random.below(WORDS.len() as u64) as usize]);
    }
    text.push_str(" .");
    text
}

#[cfg(test)]
mod tests;

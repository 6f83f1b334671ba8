//! Patterns: what messages have in common once everything that varies is taken out of them.
//!
//! A text is first *masked* (`mask`): what certainly varies, such as numbers, addresses and times, becomes a wildcard.
//! Masked texts are counted; how many different ones there are depends on the programs that log and hardly on how
//! many events there are. Those that differ in few words are then brought together (`mine`), all at once and from
//! the set of them alone, so that the patterns of some events do not depend on how events are spread over segments,
//! blocks and threads, nor on the order in which they came.
//!
//! What a segment keeps of its messages serves as well as the messages: [`types::Run::examples`] are masked in place
//! of them.

mod change;
mod condition;
mod mask;
mod mine;
mod starts;

pub(crate) use change::{Band, band, change, short};
pub(crate) use condition::{Condition, Texts, condition};
pub(crate) use mask::mask;
pub(crate) use mine::mine;
pub(crate) use starts::{Start, is_short_start, says_start, start};

use sha2::{Digest, Sha256};

/// A pattern's stable name: it depends on nothing but its text.
pub(crate) fn id_of(pattern: &str) -> String {
    let digest = Sha256::digest(pattern.as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;

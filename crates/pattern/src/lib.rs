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

use plan::{Expr, Function};
use sha2::{Digest, Sha256};

use crate::text::text_of_event;

pub use crate::change::change;
pub use crate::condition::condition;
pub use crate::mask::mask;
pub use crate::mine::mine;
pub use change::{Band, UsualValue, band, short, usual};
pub use condition::{Condition, Texts, pattern_lines};
pub use starts::{Start, is_short_start, says_start, start};

/// Returns the masked text of an event, as an expression that events can be grouped by. [`patterns_of`] brings such
/// texts together.
pub fn masked_text() -> Expr {
    Expr::Call(Function::Masked, vec![text_of_event()])
}

/// Patterns of masked texts, and for each text the place of its pattern.
pub fn patterns_of(texts: &[&str]) -> (Vec<String>, Vec<u32>) {
    mine(texts, &|| true).map(|mined| (mined.patterns, mined.pattern_of)).unwrap_or_default()
}

/// Returns a pattern's stable name: it depends on nothing but its text.
pub fn id_of(pattern: &str) -> String {
    types::hexadecimal(&Sha256::digest(pattern.as_bytes())[..8])
}

#[cfg(test)]
mod tests;
mod text;

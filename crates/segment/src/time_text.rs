//! Times written in messages, as numbers.
//!
//! Most lines begin with the time that is the event's timestamp as well, and many name further ones. A time is
//! recognized where it is spelled in one of the usual ways, and becomes a whole number: how many units, as small as
//! its last digit, lie between the epoch and the time on its face, whatever zone it means. The difference to the event's own
//! timestamp is nearly always a constant, the zone (`numbers`).
//!
//! How a time is spelled is its *form*, five ASCII characters, which follow the marker in the template:
//!
//! ```text
//! date     a 2026-11-19   b 2026/11/19   c 2026.11.19   d 20261119   e 26/11/19   f 261119   g 11-19   h 11.19
//!          i Nov 09   j Nov  9   m Nov 9   l 19/Nov/2026   k Thu Nov 09 … 2026   n Thu Nov  9 … 2026
//! between  the character between date and time
//! time     a 08:07:06   b 08.07.06   c 080706   d 8:7:6
//! mark     the character before the decimals, `-` if there are none
//! digits   how many decimals, 0 to 9
//! ```
//!
//! Where the form says no year, the year that brings the time nearest to the event's is meant. A spelling that would
//! not be written back exactly (a 31 June, a leap second, a wrong weekday) is no time.

mod form;
mod reader;
mod writer;

pub(crate) use form::{FORM_BYTES, Form, may_be_letters};
pub(crate) use reader::{find, may_begin};
pub(crate) use writer::{TimeWriter, push};

const SECONDS_OF_DAY: i64 = 86_400;

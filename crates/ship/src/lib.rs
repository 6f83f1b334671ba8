//! Follows files, survives their rotation, remembers checkpoints, delivers batches until they are acknowledged.
//!
//! ```text
//! PATH… ─ discover ─► files ─ follow ─► batches ─ deliver ─► server
//!                       ▲                             │
//!                       └──── checkpoint ◄── acknowledged
//! ```
//!
//! Promises: a file is its content and not its path; a checkpoint never passes the last acknowledged byte; the
//! name under which a server knows a file is on disk before the file's first byte is sent; a server that does not
//! answer stops the reading and loses nothing; memory is bounded by the batches on their way.
//!
//! Knows nothing of servers beyond [`Deliver`], and of formats only where an event ends.

mod batch;
mod boundary;
mod checkpoint;
mod content;
mod dead_letter;
mod deliver;
mod discover;
mod error;
mod follow;
mod glob;
mod host;
mod http;
mod identity;
mod input;
mod preview;
mod range_claims;
mod report;
mod rules;
mod scrape_status;
mod server_ranges;
mod shipper;
mod source_report;
mod spool;
mod status;
mod stop;
pub mod torture;

pub use batch::{ContentHash, FileBatch, Header};
pub use boundary::Multiline;
pub use checkpoint::{CheckpointError, check_state};
pub use deliver::{Deliver, DeliverError, DeliveryReceipt, wait_before_retry};
pub use discover::{Backlog, Discovery, FoundFile, Reason, SkippedFile, reason_of_content};
pub use error::ShipError;
pub use follow::{FileInput, FollowOptions, Follower, LineError, LineOutcome, LineStage, LineTrace, Pods, TracedLine};
pub use glob::{Glob, is_pattern};
pub use host::{host_name, host_zone};
pub use http::{HttpDeliver, HttpOptions, connection_advice, retry_after};
pub use input::{
    Command, DefinedInput, Input, InputError, InputOptions, Sink, Stdin, WhenFull, doubts_about, inputs_of,
};
pub use preview::{Preview, PreviewedEvent, find_files};
pub use report::{Report, ReportedFile, ShipperReport};
pub use rules::Rules;
pub use scrape_status::ScrapeStatus;
pub use server_ranges::{Claim, HeldQuestion, HeldRange};
pub use shipper::{Options, Shipper};
pub use source_report::SourceReport;
pub use spool::LossCount;
pub use status::{FileStatus, InputStatus, Status};

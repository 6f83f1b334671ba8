//! The tiers that a segment passes, the places where its file may be, and when it moves on.

use std::str::FromStr;

use serde::Serialize;
use types::Timestamp;

/// How far a segment has come on its way from new to old. The numbers are those of the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Tier {
    /// As it was flushed, or put together quickly.
    #[default]
    Hot = 0,
    Warm = 1,
    /// Written again with a higher level of compression.
    Cold = 2,
}

impl Tier {
    /// Returns the tier with a number; an unknown one is treated as the first, which later jobs move on.
    pub(crate) fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Warm,
            2 => Self::Cold,
            _ => Self::Hot,
        }
    }
}

/// Where the file of a segment lies. The numbers are those of the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// In the data directory.
    #[default]
    Local = 0,
    /// In the object store.
    Remote = 1,
}

impl Place {
    /// Returns the place with a number.
    pub(crate) fn from_number(number: u8) -> Self {
        if number == 1 { Self::Remote } else { Self::Local }
    }
}

/// Where cold segments lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColdPlace {
    /// In the data directory, as the others.
    #[default]
    Local,
    /// In the object store.
    ObjectStore,
}

impl FromStr for ColdPlace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "local" => Ok(Self::Local),
            "object_store" => Ok(Self::ObjectStore),
            _ => Err(()),
        }
    }
}

/// When segments grow older, in nanoseconds; never where there is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierOptions {
    /// From this age on the middle-sized segments of a day are put together.
    pub warm_after_ns: Option<i64>,
    /// From this age on segments are written again with a higher level of compression.
    pub cold_after_ns: Option<i64>,
    /// Where they lie from then on.
    pub cold_place: ColdPlace,
}

impl Default for TierOptions {
    fn default() -> Self {
        Self {
            warm_after_ns: Some(Timestamp::DAY),
            cold_after_ns: Some(7 * Timestamp::DAY),
            cold_place: ColdPlace::Local,
        }
    }
}

/// Segments of one tier in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TierStatus {
    /// `hot`, `warm` or `cold`.
    pub tier: &'static str,
    /// `local` or `remote`.
    pub place: &'static str,
    /// How many.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
}

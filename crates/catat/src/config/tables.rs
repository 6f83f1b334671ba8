//! Which groups are published as tables, and where.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tables::{PlaceOptions, TablesOptions};
use types::{GroupPattern, Timestamp};

use super::bucket;
use super::values::Reader;

/// Which groups are published as tables, and where.
#[derive(Clone, Debug)]
pub(crate) struct TablesConfig {
    place: PlaceOptions,
    groups: Vec<GroupPattern>,
    interval_ns: i64,
    keep_ns: i64,
}

/// Reads the section; nothing where no place is named.
pub(super) fn read(read: &mut Reader<'_>) -> Option<TablesConfig> {
    let groups = read.list("tables", "groups").into_iter().map(GroupPattern::new).collect();
    let (interval_ns, keep_ns) = (read.duration("tables", "interval"), read.duration("tables", "keep"));
    read.require(interval_ns >= Timestamp::SECOND, "tables", "interval", "at least 1s");
    read.require(
        keep_ns >= Timestamp::MINUTE,
        "tables",
        "keep",
        "at least 1m, so that a query in progress finds its files",
    );
    let url = read.optional("tables", "url");
    let place = match url.filter(|url| !url.contains("://")) {
        Some(folder) => {
            for name in ["endpoint", "region"] {
                let is_empty = read.optional("tables", name).is_none();
                read.require(is_empty, "tables", name, "omitted unless tables.url is a bucket");
            }
            PlaceOptions::Folder(PathBuf::from(folder))
        }
        None => PlaceOptions::Bucket(bucket::read(read, "tables", ["url", "endpoint", "region", "allow_http"])?),
    };
    Some(TablesConfig { place, groups, interval_ns, keep_ns })
}

impl TablesConfig {
    /// Returns the settings for a server with this data directory.
    pub(crate) fn options(&self, data_dir: &Path) -> TablesOptions {
        let duration = |ns: i64| Duration::from_nanos(ns.unsigned_abs());
        TablesOptions {
            place: self.place.clone(),
            groups: self.groups.clone(),
            interval: duration(self.interval_ns),
            keep: duration(self.keep_ns),
            scratch: data_dir.join("cache").join("tables"),
        }
    }
}

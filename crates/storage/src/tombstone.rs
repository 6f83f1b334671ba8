//! Tombstones: deletions that outlive the catalog.
//!
//! `tombstones/<number of the group, 8 hex digits>.group` says that a group is deleted. It is durable before the
//! deletion is acknowledged, so that a catalog that is rebuilt from segments does not bring the group back, and
//! a deletion that was cut off between file and catalog is finished at the next start. Text, one `key value`
//! per line: `catat tombstone`, `format 1`, `group` with the name, `checksum` with the xxh3 of the lines before.

pub(crate) mod events;

use std::io;
use std::path::Path;

use types::GroupName;
use xxhash_rust::xxh3::xxh3_64;

use files::disk;

/// The version of the text.
pub(crate) const FORMAT: u64 = 1;

/// A deleted group: its number, and its name where it can be read.
type DeletedGroup = (u32, Option<GroupName>);

/// Records that a group is deleted.
pub(crate) fn write(dir: &Path, id: u32, name: &GroupName) -> io::Result<()> {
    let text = format!("catat tombstone\nformat {FORMAT}\ngroup {name}\n");
    let text = format!("{text}checksum {:016x}\n", xxh3_64(text.as_bytes()));
    disk::write_whole(&dir.join(format!("{id:08x}.group")), text.as_bytes())
}

/// Reads deleted groups, and the names of damaged tombstones. A damaged one still names its group.
pub(crate) fn read(dir: &Path) -> io::Result<(Vec<DeletedGroup>, Vec<String>)> {
    let (mut groups, mut damaged) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let file = entry.file_name();
        let Some(stem) = file.to_str().and_then(|name| name.strip_suffix(".group")) else { continue };
        let Ok(id) = u32::from_str_radix(stem, 16) else { continue };
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        let (content, checksum) = text.split_at(text.rfind("checksum ").unwrap_or(text.len()));
        if checksum.trim_end() != format!("checksum {:016x}", xxh3_64(content.as_bytes())) {
            damaged.push(format!("tombstones/{stem}.group"));
        }
        let name = content.lines().find_map(|line| line.strip_prefix("group ")).and_then(GroupName::new);
        groups.push((id, name));
    }
    Ok((groups, damaged))
}

//! Names of log groups, and the one function that makes them from outside names.

use std::fmt;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

/// A valid log group name: 1–512 of `A-Z a-z 0-9 . _ / # -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(Arc<str>);

/// Longest group name in bytes.
const NAME_BYTES_MAX: usize = 512;

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '#' | '-')
}

impl GroupName {
    /// What names of groups of samples begin with.
    pub const SAMPLES: &str = "metrics/";

    /// The group of the server's own metrics.
    pub const OWN_METRICS: &str = "metrics/catat-itself";

    /// Reports whether the events of the group are samples of series.
    pub fn has_samples(&self) -> bool {
        self.as_str().starts_with(Self::SAMPLES)
    }

    /// What names of groups with data of CloudWatch's metrics begin with; their namespace follows.
    pub const DATA: &str = "metrics/cloudwatch/";

    /// Reports whether the events of the group are such data.
    pub fn has_data(&self) -> bool {
        self.as_str().starts_with(Self::DATA)
    }

    /// Takes `name` as it is; `None` where it is no valid group name.
    pub fn new(name: &str) -> Option<Self> {
        let valid = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(is_name_char);
        valid.then(|| Self(name.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as shared text.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes a group name from any outside name: other characters become `_`, path parts `.` and `..` go.
///
/// A leading `/` stays, and an empty result becomes `default`. A name that is too long is cut and ends with a hash of the whole,
/// so that long names remain distinct.
pub fn group_name_of_outside(name: &str) -> GroupName {
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    if parts.is_empty() {
        return GroupName("default".into());
    }
    let leading = if name.starts_with('/') { "/" } else { "" };
    let rest = parts.join("/");
    let mut made: String = leading.chars().chain(rest.chars().map(|c| if is_name_char(c) { c } else { '_' })).collect();
    if made.len() > NAME_BYTES_MAX {
        let hash = format!("-{:032x}", xxh3_128(made.as_bytes()));
        made.truncate(NAME_BYTES_MAX - hash.len());
        made.push_str(&hash);
    }
    GroupName(made.into())
}

/// Makes the group name of a file: the path without `/var/log/` (elsewhere without its leading `/`),
/// without rotation suffixes such as `.1`, `-20261120`, `.gz`, and their combinations.
pub fn group_name_of_file(path: &str) -> GroupName {
    let short = path.strip_prefix("/var/log/").unwrap_or_else(|| path.trim_start_matches('/'));
    group_name_of_outside(without_rotation_suffixes(short))
}

/// Cuts suffixes that log rotation adds, never the whole last path part.
fn without_rotation_suffixes(path: &str) -> &str {
    let mut rest = path;
    loop {
        let cut = [".gz", ".zst", ".bz2", ".xz"]
            .iter()
            .find_map(|suffix| rest.strip_suffix(suffix))
            .or_else(|| without_number_suffix(rest));
        match cut {
            Some(shorter) if !shorter.is_empty() && !shorter.ends_with('/') => rest = shorter,
            _ => return rest,
        }
    }
}

/// Cuts `.N` of one to three digits, or a date `-20261120` or `.2026-11-20` at the end.
fn without_number_suffix(path: &str) -> Option<&str> {
    if let Some((stem, tail)) = path.rsplit_once('.')
        && (1..=3).contains(&tail.len())
        && tail.bytes().all(|b| b.is_ascii_digit())
    {
        return Some(stem);
    }
    for (digits, dashes) in [(8, 0), (10, 2)] {
        let at = path.len().checked_sub(digits)?;
        if at == 0 || !path.is_char_boundary(at) {
            continue;
        }
        let (stem, tail) = path.split_at(at);
        let is_date = tail.starts_with("20")
            && tail.bytes().all(|b| b.is_ascii_digit() || b == b'-')
            && tail.bytes().filter(|b| *b == b'-').count() == dashes;
        if is_date && (stem.ends_with('-') || stem.ends_with('.')) {
            return Some(&stem[..stem.len() - 1]);
        }
    }
    None
}

#[cfg(test)]
mod tests;

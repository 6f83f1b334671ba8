//! What survives a restart: states of rules, and notifications that are still to be sent.
//!
//! One file, `alerts.state`: a line of JSON {format, version, xxh3}, a newline, the state as JSON, which the
//! checksum covers. It is written beside its place, synced and renamed, so it is whole at any moment. A damaged
//! file is set aside and named; alerts that fire then fire anew.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::desk::Desk;
use crate::evaluate::{Labels, Sets};
use crate::notify::Queues;

/// The file of alerts, and what it calls itself.
const FILE: (&str, &str) = ("alerts.state", "catat-alerts");
const VERSION: u32 = 1;

/// All that is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// By rule name.
    pub(crate) rules: BTreeMap<String, RuleState>,
    /// Notifications to send, by channel name.
    pub(crate) queues: Queues,
    /// Alerts that fire, by their labels.
    #[serde(default)]
    pub(crate) fired: BTreeMap<String, Fired>,
    /// What channels have been told, by name.
    #[serde(default)]
    pub(crate) desks: BTreeMap<String, Desk>,
}

/// An alert that fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fired {
    pub(crate) rule: String,
    /// Groups and topics of the rule.
    pub(crate) groups: Vec<String>,
    pub(crate) topics: Vec<String>,
    /// Whether its rule tells nobody.
    #[serde(default)]
    pub(crate) is_quiet: bool,
    pub(crate) labels: Labels,
    pub(crate) starts_at: i64,
    /// When it ended, until channels are told.
    pub(crate) ends_at: Option<i64>,
    /// What is said of it.
    pub(crate) body: serde_json::Value,
    pub(crate) acknowledged: Option<Acknowledged>,
}

/// That somebody has taken an alert on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Who.
    pub by: String,
    /// When, RFC 3339.
    pub at: String,
    /// What they say about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// What is kept of one rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RuleState {
    pub(crate) sets: Sets,
    /// When it was evaluated last, nanoseconds since the Unix epoch.
    pub(crate) evaluated_at: Option<i64>,
    /// Why it is in the state it is in.
    pub(crate) why: String,
    /// Why the last evaluation gave nothing, if it did not.
    pub(crate) error: Option<String>,
    /// What was asked ([`crate::Rule::meaning`]); where a rule asks something else now, its sets are of no use.
    #[serde(default)]
    pub(crate) meaning: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Preamble {
    format: String,
    version: u32,
    xxh3: String,
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    #[error("{path}: format {found} is newer than {VERSION}, which this catat knows; start the newer catat")]
    Newer { path: PathBuf, found: u32 },
}

/// A file of state: that of alerts, or another one in the same form.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    format: &'static str,
}

impl StateFile {
    /// Opens the state of alerts below `dir`, which is made where it is not there.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Kept), StateError> {
        Self::open_named(dir, FILE.0, FILE.1)
    }

    /// Opens the state called `name`, whose preamble names `format`.
    pub(crate) fn open_named<T: DeserializeOwned + Default>(
        dir: &Path,
        name: &str,
        format: &'static str,
    ) -> Result<(Self, T), StateError> {
        let path = dir.join(name);
        let io_error = |error| StateError::Io { path: path.clone(), error };
        fs::create_dir_all(dir).map_err(io_error)?;
        let kept = match fs::read(&path) {
            Ok(bytes) => match decode(&bytes, format) {
                Ok(kept) => kept,
                Err(Some(found)) => return Err(StateError::Newer { path, found }),
                Err(None) => {
                    let aside = path.with_extension("damaged");
                    fs::rename(&path, &aside).map_err(io_error)?;
                    tracing::error!(kept = %aside.display(), "a file of state is damaged; what it held starts anew");
                    T::default()
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => T::default(),
            Err(error) => return Err(io_error(error)),
        };
        Ok((Self { path, format }, kept))
    }

    /// Writes the state. Durable when it returns.
    pub(crate) fn save<T: Serialize>(&self, kept: &T) -> Result<(), StateError> {
        let temporary = self.path.with_extension("tmp");
        let write = || -> io::Result<()> {
            let mut file = storage::create_file(&temporary)?;
            file.write_all(&encode(kept, self.format))?;
            file.sync_all()?;
            fs::rename(&temporary, &self.path)?;
            File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|error| StateError::Io { path: self.path.clone(), error })
    }
}

/// Refuses the state of alerts and metrics below `dir` where a later version wrote it. Nothing is changed.
///
/// # Errors
/// The file, its format and the one known.
pub fn check_state(dir: &Path) -> Result<(), String> {
    for (name, format) in [FILE, crate::metrics::STATE_FILE] {
        let path = dir.join(name);
        let Ok(bytes) = fs::read(&path) else { continue };
        if let Err(Some(found)) = decode::<serde::de::IgnoredAny>(&bytes, format) {
            return Err(StateError::Newer { path, found }.to_string());
        }
    }
    Ok(())
}

fn encode<T: Serialize>(kept: &T, format: &str) -> Vec<u8> {
    let body = serde_json::to_vec(kept).expect("the state is maps with string keys, strings and numbers");
    let xxh3 = format!("{:016x}", xxh3_64(&body));
    let preamble = Preamble { format: format.into(), version: VERSION, xxh3 };
    let mut bytes = serde_json::to_vec(&preamble).expect("a preamble is strings and a number");
    bytes.push(b'\n');
    bytes.extend_from_slice(&body);
    bytes
}

/// Reads the state; the version where it is too new, nothing where it is damaged.
fn decode<T: DeserializeOwned>(bytes: &[u8], format: &str) -> Result<T, Option<u32>> {
    let end = bytes.iter().position(|b| *b == b'\n').ok_or(None)?;
    let preamble: Preamble = serde_json::from_slice(&bytes[..end]).map_err(|_| None)?;
    let body = &bytes[end + 1..];
    if preamble.format != format {
        return Err(None);
    }
    // What follows in a later version, and how its checksum is made, is not known here.
    if preamble.version > VERSION {
        return Err(Some(preamble.version));
    }
    if preamble.xxh3 != format!("{:016x}", xxh3_64(body)) {
        return Err(None);
    }
    serde_json::from_slice(body).map_err(|_| None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        let state = RuleState { evaluated_at: Some(7), why: "x".into(), ..RuleState::default() };
        Kept { rules: BTreeMap::from([("r".into(), state)]), ..Kept::default() }
    }

    #[test]
    fn what_was_saved_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let (file, empty) = StateFile::open(dir.path()).unwrap();
        assert_eq!(empty, Kept::default());
        file.save(&kept()).unwrap();
        assert_eq!(StateFile::open(dir.path()).unwrap().1, kept());
    }

    #[test]
    fn a_state_of_before_there_were_desks_is_read() {
        let old: Kept = serde_json::from_str(
            r#"{"rules":{},"queues":{"hook":[{"id":"a","body":{},"made_at":0,"due_at":0,"n_failed":0}]}}"#,
        )
        .unwrap();
        assert_eq!((old.queues.len(), old.fired.len(), old.desks.len()), (1, 0, 0));
    }

    #[test]
    fn a_damaged_file_is_set_aside_wherever_the_damage_is() {
        let dir = tempfile::tempdir().unwrap();
        let whole = encode(&kept(), FILE.1);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(dir.path().join("alerts.state"), &bytes).unwrap();
            match StateFile::open(dir.path()) {
                // A flipped bit in the version number says "newer", which touches nothing.
                Err(StateError::Newer { .. }) => {}
                Err(error) => panic!("{error}"),
                Ok((_, found)) => {
                    assert_eq!(found, Kept::default(), "at {at}");
                    assert_eq!(fs::read(dir.path().join("alerts.damaged")).unwrap(), bytes);
                }
            }
        }
    }
}

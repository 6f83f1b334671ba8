//! What a long command has done, in a file of its directory: a line for each step, durable before the next one.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::client::Server;
use crate::failure::{Failure, Result};

/// A file of lines.
pub(super) struct Journal(PathBuf);

impl Journal {
    pub(super) fn new(dir: &Path, name: &str) -> Self {
        Self(dir.join(name))
    }

    /// Reads the steps that are done. A line that was cut off is none.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(at(&self.0, &error)),
        }
    }

    /// Appends a line, durably. It begins with a line end, since the one before may have been cut off.
    pub(super) fn append(&self, step: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(step).map_err(|error| at(&self.0, &error))?;
        let appended = std::fs::OpenOptions::new().create(true).append(true).open(&self.0).and_then(|mut file| {
            file.write_all(format!("\n{line}\n").as_bytes())?;
            file.sync_all()
        });
        appended.map_err(|error| at(&self.0, &error))
    }
}

/// Reads the plan of a directory, whose options are those `asked` for, or makes one in a directory that is new or empty. `noun` is
/// what the command makes, such as `export`. What is done is done with one store, so that another one is refused.
pub(super) fn plan_of<P: Serialize + DeserializeOwned>(
    dir: &Path,
    (name, noun): (&str, &str),
    server: &Server,
    asked: impl FnOnce(&P) -> bool,
    make: impl FnOnce() -> Result<P>,
) -> Result<P> {
    std::fs::create_dir_all(dir).map_err(|error| at(dir, &error))?;
    let path = dir.join(name);
    let other = |what: &str, hint: &str| {
        Err(Failure::usage(format!("{} holds {what}", dir.display()))
            .with(&format!("Name another directory, or {hint}.")))
    };
    match std::fs::read(&path) {
        Ok(bytes) => {
            let known: Known<P> = serde_json::from_slice(&bytes).map_err(|error| at(&path, &error))?;
            if !asked(&known.plan) {
                return other(&format!("another {noun}; its options are in {name}"), "give the same options");
            }
            if known.store_id.is_some() && known.store_id != store_id(server)? {
                return other(&format!("the {noun} of another server's store"), "the server whose it is");
            }
            Ok(known.plan)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if std::fs::read_dir(dir).map_err(|error| at(dir, &error))?.next().is_some() {
                return Err(Failure::usage(format!("{} is not empty, and has no {noun}", dir.display())));
            }
            let known = Known { plan: make()?, store_id: store_id(server)? };
            let text = serde_json::to_string_pretty(&known).map_err(|error| at(&path, &error))?;
            storage::write_whole(&path, text.as_bytes()).map_err(|error| at(&path, &error))?;
            Ok(known.plan)
        }
        Err(error) => Err(at(&path, &error)),
    }
}

/// A plan as the directory has it.
#[derive(Serialize, Deserialize)]
struct Known<P> {
    #[serde(flatten)]
    plan: P,
    /// Absent of a server that did not say, and in directories of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store_id: Option<String>,
}

fn store_id(server: &Server) -> Result<Option<String>> {
    Ok(server.get("/api/v1/status")?["store_id"].as_str().map(str::to_owned))
}

/// The failure of a file.
pub(super) fn at(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::other(format!("{}: {error}", path.display()))
}

//! Pipelines that are made through the API: documents of the control store, after those of the configuration, in the order
//! in which they were made.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `pipeline` | the pipeline's | `definition`, `made_by`, `made_at` in RFC 3339 |
//!
//! In a fleet all nodes have the same documents; [`Intake::follow_pipelines`](crate::Intake::follow_pipelines) reads those
//! that other nodes made.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use storage::{Settings, StoreError};
use types::Timestamp;

use super::Pipelines;

/// The kind of their documents in the control store.
const KIND: &str = "pipeline";

/// A pipeline that was made through the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MadePipeline {
    /// Its definition, an object with a name.
    pub definition: Json,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: String,
}

/// Why a pipeline cannot be made or removed.
#[derive(Debug, thiserror::Error)]
pub enum MakePipelineError {
    /// The definition is wrong, a mistake a line.
    #[error("{0}")]
    Definition(String),
    /// There is one with the name.
    #[error("there is another pipeline with the name {0:?}")]
    Taken(String),
    /// None that was made through the API has the name.
    #[error("there is no pipeline {0:?} that was made through the API; those of the configuration are removed there")]
    Unknown(String),
    /// The control store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The documents as they were read last.
#[derive(Debug, Default)]
pub(crate) struct MadePipelines {
    /// Names and texts, as the control store has them.
    documents: Vec<(String, String)>,
    /// In order.
    pub(crate) list: Vec<MadePipeline>,
}

impl MadePipeline {
    /// Returns its name.
    pub fn name(&self) -> &str {
        self.definition["name"].as_str().unwrap_or_default()
    }
}

impl MadePipelines {
    /// Reads the documents; `None` where they are as they were.
    ///
    /// # Errors
    /// If the control store cannot be read, or a document is none of this version. None is left out: a mask that is
    /// silently missing would let secrets through.
    pub(crate) fn read(&self, settings: Settings<'_>) -> Result<Option<Self>, String> {
        let documents = settings.all(KIND).map_err(|error| error.to_string())?;
        if documents == self.documents {
            return Ok(None);
        }
        let mut list = Vec::new();
        for (name, text) in &documents {
            let made: MadePipeline = serde_json::from_str(text)
                .map_err(|error| format!("stored pipeline {name:?} cannot be read: {error}"))?;
            list.push(made);
        }
        // As texts, times with fewer digits would come later.
        let at = |made: &MadePipeline| Timestamp::parse_rfc3339(&made.made_at);
        list.sort_by(|a, b| (at(a), a.name()).cmp(&(at(b), b.name())));
        Ok(Some(Self { documents, list }))
    }

    /// Compiles them.
    pub(crate) fn compile(&self) -> Result<Pipelines, String> {
        let definitions = self.list.iter().map(|made| made.definition.clone()).collect();
        Pipelines::compile(&Json::Array(definitions)).map_err(|errors| {
            let lines: Vec<String> =
                errors.iter().map(|error| format!("pipelines made through the API: {error}")).collect();
            lines.join("\n")
        })
    }
}

/// Stores a pipeline.
pub(crate) fn put(
    settings: Settings<'_>,
    definition: &Json,
    maker: &str,
    now: Timestamp,
) -> Result<(), MakePipelineError> {
    let made = MadePipeline { definition: definition.clone(), made_by: maker.to_owned(), made_at: now.to_string() };
    let text = serde_json::to_string(&made).map_err(|error| MakePipelineError::Definition(error.to_string()))?;
    Ok(settings.put(KIND, made.name(), &text)?)
}

/// Removes a pipeline.
pub(crate) fn remove(settings: Settings<'_>, name: &str) -> Result<(), MakePipelineError> {
    Ok(settings.remove(KIND, name)?)
}

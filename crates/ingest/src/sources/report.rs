//! What a shipper tells of itself: the body of `POST /api/v1/sources/{source}`.
//!
//! Keys unknown to this version are ignored: a newer shipper may say more. Texts are cut, lists end after what a shipper of
//! ours would send.

use crate::sources::content::ContentHash;
use crate::sources::targets::InputScrapes;
use serde::{Deserialize, Deserializer, Serialize};
use types::{GroupName, group_name_of_outside};

/// Files of a report that are taken.
const FILES_MAX: usize = 2_000;

/// Inputs of a report that are taken.
const INPUTS_MAX: usize = 200;

/// How a shipper stands, without its files.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) host: String,
    pub(super) version: String,
    pub(super) started: Option<String>,
    /// Whether it has stopped, and this was the last that it told.
    pub(super) has_stopped: bool,
    pub(super) refused: u64,
    pub(super) given_up: GivenUp,
    pub(super) last_error: Option<String>,
    pub(super) inputs: Vec<Input>,
    /// Bytes of the targets of its inputs.
    pub(super) n_scrape_bytes: usize,
    /// Whether it names every file that it follows: what it does not name is gone then.
    pub(super) names_all_files: bool,
}

/// Lines and bytes that a shipper gave up for want of room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GivenUp {
    /// Lines.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
}

/// An input of a shipper that is no file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Lines since the start of the shipper.
    pub lines: u64,
    /// Lines and bytes given up since then.
    pub given_up: GivenUp,
    /// Whether it has ended by itself.
    pub has_ended: bool,
    /// Why it does not run, while it does not.
    pub last_error: Option<String>,
    /// What it scrapes.
    #[serde(skip_serializing)]
    pub scrapes: Option<InputScrapes>,
}

/// A file in a report.
#[derive(Deserialize)]
pub(super) struct ToldFile {
    #[serde(deserialize_with = "cut_text")]
    pub(super) file: String,
    #[serde(default)]
    pub(super) generation: u64,
    #[serde(default)]
    pub(super) begin: u64,
    #[serde(default)]
    pub(super) path: String,
    #[serde(deserialize_with = "group")]
    pub(super) group: GroupName,
    #[serde(default)]
    pub(super) stream: String,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default)]
    pub(super) offset: u64,
    pub(super) content: Option<ContentHash>,
    #[serde(default)]
    pub(super) is_gone: bool,
    #[serde(default, deserialize_with = "cut_error")]
    pub(super) last_error: Option<String>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Body {
    host: String,
    version: String,
    started: Option<String>,
    has_stopped: bool,
    refused: u64,
    given_up: GivenUp,
    last_error: Option<String>,
    inputs: Vec<Input>,
    files: Vec<ToldFile>,
    /// Files that are followed and not named.
    files_left_out: u64,
}

fn cut_text<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    Ok(cut(&String::deserialize(text)?).to_owned())
}

fn cut_error<'de, D: Deserializer<'de>>(text: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(text)?.map(|error| cut(&error).to_owned()))
}

fn group<'de, D: Deserializer<'de>>(name: D) -> Result<GroupName, D::Error> {
    Ok(group_name_of_outside(&String::deserialize(name)?))
}

/// Reads a report and its files.
pub(super) fn read(json: &[u8]) -> serde_json::Result<(Report, Vec<ToldFile>)> {
    let body: Body = serde_json::from_slice(json)?;
    let names_all_files = body.files_left_out == 0 && body.files.len() <= FILES_MAX;
    let files = body.files.into_iter().take(FILES_MAX).collect();
    let cut_input = |input: Input| Input {
        name: cut(&input.name).to_owned(),
        last_error: input.last_error.as_deref().map(|error| cut(error).to_owned()),
        ..input
    };
    let report = Report {
        host: cut(&body.host).to_owned(),
        version: cut(&body.version).to_owned(),
        started: body.started.as_deref().map(|at| cut(at).to_owned()),
        has_stopped: body.has_stopped,
        refused: body.refused,
        given_up: body.given_up,
        last_error: body.last_error.as_deref().map(|error| cut(error).to_owned()),
        inputs: body.inputs.into_iter().take(INPUTS_MAX).map(cut_input).collect(),
        n_scrape_bytes: 0,
        names_all_files,
    };
    Ok((report, files))
}

/// Longest texts in characters: what is longer is cut.
pub(crate) const TEXT_CHARS_MAX: usize = 1024;

/// Returns the beginning of a text that is too long.
pub(crate) fn cut(text: &str) -> &str {
    text.char_indices().nth(TEXT_CHARS_MAX).map_or(text, |(at, _)| text.get(..at).unwrap_or_default())
}

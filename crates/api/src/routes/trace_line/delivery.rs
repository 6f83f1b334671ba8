//! The stage `delivery`: whether the bytes of a line were sent and accepted, as the ledger of shippers knows.

use ingest::{FileRangeState, FileRangeView, SourceState};
use serde_json::json;

use super::stage::{Outcome, Stage};

/// Returns the stage of a range of bytes; `views` are the files that may be meant, the one heard of last first.
pub(super) fn delivery(path: &str, host: Option<&str>, views: &[FileRangeView]) -> Stage {
    let Some(view) = chosen(views) else {
        let of_host = host.map(|host| format!(" of host {host}")).unwrap_or_default();
        let text = format!("no shipper{of_host} has reported or sent {path} to a group that you may see");
        return Stage::new("delivery", Outcome::Unknown, text);
    };
    let (outcome, text) = described(view);
    let text = match view.refused_events {
        0 => text,
        n => format!("{text}; {n} events of the file were refused when they arrived"),
    };
    let files: Vec<_> = views.iter().map(|view| json!(view)).collect();
    Stage::new("delivery", outcome, text).with("files", files)
}

/// Returns the file that is meant: one that has the bytes, else the one heard of last.
pub(super) fn chosen(views: &[FileRangeView]) -> Option<&FileRangeView> {
    views.iter().find(|view| view.state == FileRangeState::Accepted).or_else(|| views.first())
}

fn described(view: &FileRangeView) -> (Outcome, String) {
    let host = &view.host;
    match view.state {
        FileRangeState::Accepted => (
            Outcome::Passed,
            format!("the server accepted its bytes from the shipper on {host}; each byte is stored once"),
        ),
        FileRangeState::LeftOut => {
            let why = "old data beyond the limits of age and size is not read unless `--all` is given";
            (Outcome::Stopped, format!("the shipper on {host} began after this line: {why}"))
        }
        FileRangeState::Waiting => (Outcome::Waiting, waiting(view)),
        FileRangeState::Lost => {
            let why = "the file was deleted before it was read, or another server or a lost data directory has them";
            (
                Outcome::Stopped,
                format!("its bytes never arrived, and the shipper on {host} does not send them again: {why}"),
            )
        }
        FileRangeState::BeyondEnd => {
            let size = view.size.unwrap_or_default();
            (
                Outcome::Waiting,
                format!("the shipper on {host} last saw {size} bytes of the file, fewer than up to this line"),
            )
        }
    }
}

fn waiting(view: &FileRangeView) -> String {
    let host = &view.host;
    let sent = match (view.offset, view.size) {
        (Some(offset), Some(size)) => format!("{offset} of {size} bytes of the file are acknowledged"),
        _ => "it has not reported how far it is".to_owned(),
    };
    let state = match view.shipper {
        SourceState::Up => format!("the shipper on {host} has not delivered it yet: {sent}"),
        SourceState::Down => format!("the shipper on {host} has been silent since {}: {sent}", view.last_seen),
        SourceState::Stopped => format!("the shipper on {host} was stopped at {}: {sent}", view.last_seen),
        SourceState::Unknown => format!("the shipper on {host} has not reported since the server started: {sent}"),
    };
    view.last_error.as_ref().map_or_else(|| state.clone(), |error| format!("{state}; last error: {error}"))
}

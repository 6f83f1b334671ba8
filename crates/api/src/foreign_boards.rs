//! Dashboards that clients of CloudWatch put: each is an import under its name, and its body is kept as it was put.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `dashboard-body` | the dashboard's name | the body |

use dashboard::Format;
use door::{Problem, Result, Shared};
use serde_json::{Value, json};
use types::Timestamp;

use crate::dashboards::BODY_KIND;
use crate::state::Api;

/// A dashboard that has a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignBoard {
    /// Its name.
    pub name: String,
    /// Bytes of its body.
    pub bytes: usize,
    /// When it was changed.
    pub changed: Timestamp,
}

impl Api {
    /// Creates or replaces a dashboard from a CloudWatch body, and keeps the body. Returns the widgets that were not imported
    /// completely: the index of each and the reason. Blocks.
    ///
    /// # Errors
    /// If the body is none, or the name is a file's or somebody else's.
    pub fn put_foreign_board(&self, server: &Shared, name: &str, body: &str) -> Result<Vec<(usize, String)>> {
        let bad = |problem: String| Problem::bad_request("not-importable", problem);
        let read: Value = serde_json::from_str(body).map_err(|error| bad(format!("the body is no JSON: {error}")))?;
        let (now, settings, caller) = (server.now(), server.settings(), &server.caller);
        let mut imported = dashboard::import(Format::CloudWatch, &read, now).map_err(bad)?;
        name.clone_into(&mut imported.dashboard.title);
        let before = self.dashboards.get(settings, caller, (name, None), now).ok().map(|found| found.version());
        let version = before.filter(|version| *version != 0);
        self.dashboards.put(settings, caller, (name, version), imported.dashboard, now)?;
        settings.put(BODY_KIND, name, body)?;
        server.audit_own("dashboard put by CloudWatch's API", &json!({"dashboard": name}));
        let missed = imported.panels.into_iter().enumerate().filter(|(_, panel)| !panel.why.is_empty());
        Ok(missed.map(|(at, panel)| (at, panel.why)).collect())
    }

    /// Returns a body as it was put; none if there is none for the caller. Blocks.
    ///
    /// # Errors
    /// If the settings cannot be read.
    pub fn foreign_body(&self, server: &Shared, name: &str) -> Result<Option<String>> {
        let is_seen = self.dashboards.get(server.settings(), &server.caller, (name, None), server.now()).is_ok();
        Ok(if is_seen { server.settings().get(BODY_KIND, name)? } else { None })
    }

    /// Returns the dashboards with a body that exist for the caller, by name. Blocks.
    ///
    /// # Errors
    /// If the settings cannot be read.
    pub fn foreign_boards(&self, server: &Shared) -> Result<Vec<ForeignBoard>> {
        let (found, _) = self.dashboards.list(server.settings(), &server.caller, server.now())?;
        let bodies = server.settings().all(BODY_KIND)?;
        let with_body = found.iter().filter_map(|one| {
            let (name, body) = bodies.iter().find(|(name, _)| name == one.name())?;
            Some(ForeignBoard { name: name.clone(), bytes: body.len(), changed: one.changed() })
        });
        let mut boards: Vec<ForeignBoard> = with_body.collect();
        boards.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(boards)
    }

    /// Takes a dashboard away. Blocks.
    ///
    /// # Errors
    /// If it does not exist for the caller, or belongs to somebody else.
    pub fn remove_foreign_board(&self, server: &Shared, name: &str) -> Result<()> {
        self.dashboards.remove(server.settings(), &server.caller, name)?;
        server.audit_own("dashboard removed", &json!({"dashboard": name}));
        Ok(())
    }
}

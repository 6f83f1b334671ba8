//! Dashboards: documents of the control settings, each owned by who made it, with what they were before; and files of a
//! directory, which nobody changes here.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `dashboard` | the name in addresses | [`Stored`] |
//! | `dashboard-history` | the same | earlier versions, newest first |
//!
//! A dashboard is visible to its owner, and to callers whose scope covers all groups that its queries name. A query without
//! groups reads those of the caller. A change names the version that it replaces; if another change came first, it is refused.

use std::path::PathBuf;
use std::sync::Mutex;

use axum::http::StatusCode;
use dashboard::{DOCUMENT_BYTES_MAX, DOCUMENT_NAMES, Dashboard, DashboardFile, is_document_name, read_dir, read_file};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use storage::Settings;
use types::{GroupScope, Hold, Timestamp, ensure};

use door::users::user_of;
use door::{Caller, Problem, Result, Role, covers, to_json};

/// The kinds of documents.
const KIND: &str = "dashboard";
const HISTORY_KIND: &str = "dashboard-history";
/// The kind of bodies of others, as they were put (`foreign_boards`).
pub(crate) const BODY_KIND: &str = "dashboard-body";

/// Most dashboards: every change of a setting goes over all of them.
const DASHBOARDS_MAX: usize = 1_000;

/// How many earlier versions are kept, and how many bytes of them.
const VERSIONS_MAX: usize = 30;
const HISTORY_BYTES_MAX: usize = 2 << 20;

/// A dashboard as the control store has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    /// What tells the owner from others.
    owner_id: String,
    /// What the owner was called.
    owner: String,
    #[serde(flatten)]
    version: Version,
}

/// A dashboard at one time.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Version {
    version: u64,
    changed: String,
    /// Who changed it.
    by: String,
    document: Dashboard,
}

/// A dashboard with all that a caller sees of it.
pub(crate) struct DashboardView {
    name: String,
    document: Dashboard,
    source: Source,
    own: bool,
    owner: String,
    version: u64,
    changed: String,
}

/// Where a dashboard is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Store,
    File,
    /// Nowhere: it follows from what is stored.
    Derived,
}

/// All dashboards of a store.
#[derive(Debug)]
pub(crate) struct Dashboards {
    /// The directory of files, if there is one.
    dir: Option<PathBuf>,
    /// Held while documents are looked at and then changed.
    changes: Mutex<()>,
}

impl Dashboards {
    /// Returns the dashboards of a store, and of a directory's files.
    pub(crate) fn new(dir: Option<PathBuf>) -> Self {
        Self { dir, changes: Mutex::default() }
    }

    /// Returns the dashboards that exist for a caller, by title, and what is wrong with files.
    pub(crate) fn list(
        &self,
        settings: Settings<'_>,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(Vec<DashboardView>, Vec<String>)> {
        let (mut files, problems) = self.files(now);
        let stored = settings.all(KIND)?.into_iter().filter_map(|(name, json)| {
            let stored: Stored = serde_json::from_str(&json).ok()?;
            stored.is_seen_by(caller).then(|| stored.found(name, caller))
        });
        files.retain(|file| is_about(&file.document, &caller.scope));
        // A file stands before a stored one of its name.
        let mut found: Vec<DashboardView> =
            stored.filter(|one| !files.iter().any(|file| file.name == one.name)).collect();
        found.append(&mut files);
        found.sort_by(|a, b| {
            (a.document.title.to_lowercase(), &a.name).cmp(&(b.document.title.to_lowercase(), &b.name))
        });
        Ok((found, problems))
    }

    /// Returns all dashboards of all owners, with the title of each that the caller may see.
    pub(crate) fn everybodys(
        &self,
        settings: Settings<'_>,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Vec<(Option<String>, Dashboard)>> {
        let titled = |document: Dashboard, is_seen: bool| (is_seen.then(|| document.title.clone()), document);
        let stored = settings.all(KIND)?.into_iter().filter_map(|(_, json)| {
            let stored: Stored = serde_json::from_str(&json).ok()?;
            let is_seen = stored.is_seen_by(caller);
            Some(titled(stored.version.document, is_seen))
        });
        let files = self.files(now).0.into_iter().map(|file| {
            let is_seen = is_about(&file.document, &caller.scope);
            titled(file.document, is_seen)
        });
        Ok(stored.chain(files).collect())
    }

    /// Returns a dashboard, as it is or as it was.
    pub(crate) fn get(
        &self,
        settings: Settings<'_>,
        caller: &Caller,
        (name, version): (&str, Option<u64>),
        now: Timestamp,
    ) -> Result<DashboardView> {
        if let Some(file) = self.file(name, now).filter(|file| is_about(&file.document, &caller.scope)) {
            return Ok(file);
        }
        let stored = seen(settings, caller, name)?;
        let Some(version) = version.filter(|version| *version != stored.version.version) else {
            return Ok(stored.found(name.to_owned(), caller));
        };
        let earlier = history(settings, name)?.into_iter().find(|earlier| earlier.version == version);
        let version = earlier.filter(|earlier| is_about(&earlier.document, &caller.scope) || stored.is_own(caller));
        let version = version.ok_or_else(|| Problem::not_found(format!("dashboard {name:?} has no such version")))?;
        Ok(Stored { version, ..stored }.found(name.to_owned(), caller))
    }

    /// Returns when a dashboard was changed and by whom, newest first.
    pub(crate) fn versions(&self, settings: Settings<'_>, caller: &Caller, name: &str) -> Result<Vec<Value>> {
        let stored = seen(settings, caller, name)?;
        let all = std::iter::once(stored.version).chain(history(settings, name)?);
        Ok(all.map(|one| json!({"version": one.version, "changed": one.changed, "by": one.by})).collect())
    }

    /// Keeps a dashboard: a new one where `version` is none, else in the place of that version. Reports whether it is new.
    pub(crate) fn put(
        &self,
        settings: Settings<'_>,
        caller: &Caller,
        (name, version): (&str, Option<u64>),
        document: Dashboard,
        now: Timestamp,
    ) -> Result<(DashboardView, bool)> {
        check_name(name)?;
        let _changing = self.changes.hold();
        if self.file(name, now).is_some() {
            let problem = conflict("dashboard-is-a-file", format!("dashboard {name:?} is a file of the server"));
            return Err(problem.hint("change the file, or save a copy under another name"));
        }
        let by = user_of(caller).unwrap_or(&caller.name).to_owned();
        let before = of_name(settings, name)?;
        let stored = match (&before, version) {
            (Some(before), Some(version)) => {
                check_change(before, caller, name, version)?;
                let version = Version { version: version + 1, changed: now.to_string(), by, document };
                Stored { version, ..before.clone() }
            }
            (Some(_), None) => {
                let problem = conflict("dashboard-exists", format!("there is a dashboard {name:?}"));
                return Err(problem.hint("choose another name, or send the version that you change"));
            }
            (None, Some(_)) => return Err(Problem::not_found(format!("there is no dashboard {name:?}"))),
            (None, None) => {
                if settings.all(KIND)?.len() >= DASHBOARDS_MAX {
                    let problem = conflict("too-many-dashboards", format!("there can be {DASHBOARDS_MAX} dashboards"));
                    return Err(problem.hint("delete some that nobody uses"));
                }
                let version = Version { version: 1, changed: now.to_string(), by: by.clone(), document };
                Stored { owner_id: caller.identity().to_string(), owner: by, version }
            }
        };
        let json = to_json(&stored)?;
        if json.len() > DOCUMENT_BYTES_MAX {
            let message = format!("a dashboard has {} KiB at most", DOCUMENT_BYTES_MAX >> 10);
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "dashboard-too-large", message));
        }
        let is_new = before.is_none();
        if let Some(before) = before {
            keep_history(settings, name, before.version)?;
        }
        settings.put(KIND, name, &json)?;
        Ok((stored.found(name.to_owned(), caller), is_new))
    }

    /// Takes a dashboard away, with what it was before.
    pub(crate) fn remove(&self, settings: Settings<'_>, caller: &Caller, name: &str) -> Result<()> {
        let _changing = self.changes.hold();
        let stored = seen(settings, caller, name)?;
        ensure!(stored.is_own(caller), not_own(name));
        settings.remove(KIND, name)?;
        settings.remove(BODY_KIND, name)?;
        Ok(settings.remove(HISTORY_KIND, name)?)
    }

    /// Returns the file of a name, if it is a dashboard.
    fn file(&self, name: &str, now: Timestamp) -> Option<DashboardView> {
        let path = self.dir.as_deref().filter(|_| is_document_name(name))?.join(format!("{name}.json"));
        read_file(&path, now).ok().map(DashboardView::of_file)
    }

    fn files(&self, now: Timestamp) -> (Vec<DashboardView>, Vec<String>) {
        let (files, problems) = self.dir.as_deref().map(|dir| read_dir(dir, now)).unwrap_or_default();
        (files.into_iter().map(DashboardView::of_file).collect(), problems)
    }
}

impl DashboardView {
    /// Returns a dashboard that nobody has made.
    pub(crate) fn derived(name: String, document: Dashboard) -> Self {
        let (owner, changed) = (String::new(), String::new());
        Self { name, document, source: Source::Derived, own: false, owner, version: 0, changed }
    }

    fn of_file(DashboardFile { name, changed, document }: DashboardFile) -> Self {
        let (owner, changed) = (String::new(), changed.to_string());
        Self { name, document, source: Source::File, own: false, owner, version: 0, changed }
    }

    /// Returns the document with what is around it.
    pub(crate) fn to_json(&self) -> Value {
        let mut json = serde_json::to_value(&self.document).unwrap_or_default();
        let around = self.around();
        if let (Some(members), Value::Object(around)) = (json.as_object_mut(), around) {
            members.extend(around);
        }
        json
    }

    /// Returns what a list says of it.
    pub(crate) fn summary(&self) -> Value {
        let mut json = self.around();
        json["title"] = self.document.title.clone().into();
        json["description"] = self.document.description.clone().into();
        json["tags"] = self.document.tags.clone().into();
        json
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its version; 0 of one that is not in the control store.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// When it was changed.
    pub(crate) fn changed(&self) -> Timestamp {
        Timestamp::parse_rfc3339(&self.changed).unwrap_or(Timestamp(0))
    }

    /// The document.
    pub(crate) fn document(&self) -> &Dashboard {
        &self.document
    }

    fn around(&self) -> Value {
        let source = match self.source {
            Source::Store => "store",
            Source::File => "file",
            Source::Derived => "derived",
        };
        json!({
            "name": self.name, "version": self.version, "owner": self.owner, "own": self.own, "source": source,
            "changed": self.changed,
        })
    }
}

impl Stored {
    fn is_own(&self, caller: &Caller) -> bool {
        self.owner_id == *caller.identity() || caller.role == Role::Admin
    }

    fn is_seen_by(&self, caller: &Caller) -> bool {
        self.is_own(caller) || is_about(&self.version.document, &caller.scope)
    }

    fn found(self, name: String, caller: &Caller) -> DashboardView {
        let own = self.is_own(caller);
        let Version { version, changed, document, .. } = self.version;
        DashboardView { name, document, source: Source::Store, own, owner: self.owner, version, changed }
    }
}

/// Reports whether all groups that the queries name are within a scope.
fn is_about(document: &Dashboard, scope: &GroupScope) -> bool {
    let of_panels = document.panels.iter().flat_map(|panel| &panel.queries).flat_map(|query| &query.groups);
    let mut groups = of_panels.chain(document.variables.iter().flat_map(|variable| &variable.groups));
    scope.is_everything() || groups.all(|group| covers(scope, group))
}

fn of_name(settings: Settings<'_>, name: &str) -> Result<Option<Stored>> {
    let json = settings.get(KIND, name)?;
    let read = json.map(|json| serde_json::from_str(&json));
    read.transpose().map_err(|error| Problem::internal(format!("dashboard {name:?} cannot be read: {error}")))
}

/// Returns a stored dashboard that exists for a caller.
fn seen(settings: Settings<'_>, caller: &Caller, name: &str) -> Result<Stored> {
    let stored = of_name(settings, name)?.filter(|stored| stored.is_seen_by(caller));
    stored.ok_or_else(|| Problem::not_found(format!("there is no dashboard {name:?}")))
}

fn history(settings: Settings<'_>, name: &str) -> Result<Vec<Version>> {
    // Versions that this build cannot read are left out; the dashboard itself does not depend on them.
    let json = settings.get(HISTORY_KIND, name)?.unwrap_or_default();
    let versions: Vec<Value> = serde_json::from_str(&json).unwrap_or_default();
    Ok(versions.into_iter().filter_map(|version| serde_json::from_value(version).ok()).collect())
}

fn keep_history(settings: Settings<'_>, name: &str, before: Version) -> Result<()> {
    let mut kept = Vec::new();
    let mut bytes = 0;
    for version in std::iter::once(before).chain(history(settings, name)?).take(VERSIONS_MAX) {
        bytes += to_json(&version)?.len();
        if bytes > HISTORY_BYTES_MAX {
            break;
        }
        kept.push(version);
    }
    Ok(settings.put(HISTORY_KIND, name, &to_json(&kept)?)?)
}

fn check_change(before: &Stored, caller: &Caller, name: &str, version: u64) -> Result<()> {
    if !before.is_seen_by(caller) {
        // The name is taken; more is not told.
        return Err(conflict("dashboard-exists", format!("there is a dashboard {name:?}")).hint("choose another name"));
    }
    ensure!(before.is_own(caller), not_own(name));
    let current = before.version.version;
    if version != current {
        let problem = conflict(
            "dashboard-changed",
            format!("dashboard {name:?} was changed meanwhile: it has version {current}"),
        );
        return Err(problem.hint("load it again, then change it"));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    if is_document_name(name) {
        return Ok(());
    }
    Err(Problem::bad_request("bad-name", format!("{name:?} cannot be the name of a dashboard")).hint(DOCUMENT_NAMES))
}

fn not_own(name: &str) -> Problem {
    let problem = Problem::forbidden("not-allowed", format!("dashboard {name:?} belongs to somebody else"));
    problem.hint("save a copy under another name")
}

fn conflict(code: &'static str, message: String) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, message)
}

//! Saved queries and views: documents of the control settings, each owned by who made it.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `view` | the id, sixteen hexadecimal digits | what [`Document`] has, and whose it is |
//!
//! Everybody sees their own and those that somebody shares about groups that exist for them; only the owner, and who
//! administrates, changes one. A change says which version it changes, so that of two at once one is told of the other.

use std::collections::BTreeMap;
use std::sync::Mutex;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use storage::Settings;
use types::{GroupScope, Hold, Timestamp};

use door::users::user_of;
use door::{Caller, Problem, Result, Role, covers, to_json};

/// The kind of documents that views are.
const KIND: &str = "view";

/// Most views, of all and of one owner: every change of a setting goes over all of them.
const VIEWS_MAX: usize = 5_000;
const OWN_MAX: usize = 200;

/// Longest name, description, tag, part of an address and query; most tags and parts.
const NAME_CHARS_MAX: usize = 100;
const DESCRIPTION_CHARS_MAX: usize = 1_000;
const TAG_CHARS_MAX: usize = 40;
const TAGS_MAX: usize = 10;
const PARTS_MAX: usize = 30;
const PART_BYTES_MAX: usize = 64 << 10;

/// What a view is to be: what is sent to make or change one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ViewDefinition {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    star: bool,
    /// Whether it is a condition that is switched on and off rather than a place to go to.
    #[serde(default)]
    chip: bool,
    /// Whether others see it.
    #[serde(default)]
    shared: bool,
    /// The parts of the page's address, by their names there.
    view: BTreeMap<String, String>,
    /// The version that is changed; not for a new one.
    version: Option<u64>,
}

/// A view as the control store has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    /// What tells the owner from others.
    owner_id: String,
    /// What the owner was called.
    owner: String,
    version: u64,
    created: String,
    changed: String,
    #[serde(flatten)]
    wanted: ViewContent,
}

/// The part of a view that its owner decides, without the checks of a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ViewContent {
    name: String,
    description: String,
    tags: Vec<String>,
    star: bool,
    chip: bool,
    shared: bool,
    view: BTreeMap<String, String>,
}

/// What a view asks for.
pub(crate) struct ViewQueries {
    /// Its name, where the caller sees it.
    pub(crate) name: Option<String>,
    /// Patterns of groups; none for all.
    pub(crate) groups: Vec<String>,
    /// Insights queries.
    pub(crate) queries: Vec<String>,
}

/// All views of a store.
#[derive(Debug, Default)]
pub(crate) struct Views {
    /// Held while documents are looked at and then changed.
    changes: Mutex<()>,
}

impl Views {
    /// Returns the views that exist for a caller, starred ones first, then by name.
    pub(crate) fn list(&self, settings: Settings<'_>, caller: &Caller) -> Result<Vec<Value>> {
        let mut seen: Vec<(String, Document)> = settings.read::<Document>(KIND)?;
        seen.retain(|(_, document)| document.is_seen_by(caller));
        seen.sort_by(|(_, a), (_, b)| (b.wanted.star, &a.wanted.name).cmp(&(a.wanted.star, &b.wanted.name)));
        Ok(seen.iter().map(|(id, document)| document.described(id, caller)).collect())
    }

    /// Returns what every view asks for, those of others too, without their names where the caller does not see them.
    pub(crate) fn queries(&self, settings: Settings<'_>, caller: &Caller) -> Result<Vec<ViewQueries>> {
        let queries = |(_, document): (String, Document)| {
            let name = document.is_seen_by(caller).then(|| document.wanted.name.clone());
            let part = |name: &str| document.wanted.view.get(name).map(String::as_str).unwrap_or_default();
            let groups = part("groups").split(',').filter(|group| !group.is_empty()).map(str::to_owned).collect();
            // One about metrics may show the log lines next to them.
            let queries = match part("lang") {
                "promql" => {
                    vec![part("logs")].into_iter().filter(|query| !query.is_empty()).map(str::to_owned).collect()
                }
                _ => vec![part("q").to_owned()],
            };
            ViewQueries { name, groups, queries }
        };
        Ok(settings.read::<Document>(KIND)?.into_iter().map(queries).collect())
    }

    /// Keeps a new view.
    pub(crate) fn add(
        &self,
        settings: Settings<'_>,
        caller: &Caller,
        new: ViewDefinition,
        now: Timestamp,
    ) -> Result<Value> {
        let wanted = new.checked()?;
        let _changing = self.changes.hold();
        let known = settings.read::<Document>(KIND)?;
        let owned = known.iter().filter(|(_, document)| document.owner_id == *caller.identity()).count();
        if known.len() >= VIEWS_MAX || owned >= OWN_MAX {
            let message = format!("there can be {OWN_MAX} views of one owner and {VIEWS_MAX} in all");
            return Err(Problem::conflict("too-many-views", message).hint("delete some that nobody uses"));
        }
        check_name_is_free(&known, &caller.identity(), "", &wanted.name)?;
        let (id, owner_id) = (HEXLOWER.encode(&door::random::<8>()?), caller.identity().to_string());
        let owner = user_of(caller).unwrap_or(&caller.name).to_owned();
        let document =
            Document { owner_id, owner, version: 1, created: now.to_string(), changed: now.to_string(), wanted };
        document.put(settings, &id)?;
        Ok(document.described(&id, caller))
    }

    /// Puts a view in the place of the version that it names.
    pub(crate) fn change(
        &self,
        settings: Settings<'_>,
        caller: &Caller,
        id: &str,
        change: ViewDefinition,
        now: Timestamp,
    ) -> Result<Value> {
        let version = change.version;
        let wanted = change.checked()?;
        let _changing = self.changes.hold();
        let known = settings.read::<Document>(KIND)?;
        let document = owned(&known, caller, id)?;
        if version.is_some_and(|version| version != document.version) {
            let message =
                format!("view {:?} was changed meanwhile: it has version {}", document.wanted.name, document.version);
            return Err(Problem::conflict("view-changed", message).hint("load it again, then change it"));
        }
        check_name_is_free(&known, &document.owner_id, id, &wanted.name)?;
        let version = document.version + 1;
        let changed = Document { version, changed: now.to_string(), wanted, ..document.clone() };
        changed.put(settings, id)?;
        Ok(changed.described(id, caller))
    }

    /// Takes a view away; gives what it was called.
    pub(crate) fn remove(&self, settings: Settings<'_>, caller: &Caller, id: &str) -> Result<String> {
        let _changing = self.changes.hold();
        let known = settings.read::<Document>(KIND)?;
        let name = owned(&known, caller, id)?.wanted.name.clone();
        settings.remove(KIND, id)?;
        Ok(name)
    }
}

/// Returns a view that the caller may change.
fn owned<'a>(known: &'a [(String, Document)], caller: &Caller, id: &str) -> Result<&'a Document> {
    let seen = known.iter().find(|(known, document)| known == id && document.is_seen_by(caller));
    let (_, document) = seen.ok_or_else(|| Problem::not_found(format!("there is no view {id:?}")))?;
    if document.may_be_changed_by(caller) {
        return Ok(document);
    }
    let message = format!("view {:?} belongs to somebody else", document.wanted.name);
    Err(Problem::forbidden("not-allowed", message).hint("save one of your own from it"))
}

/// Two of one owner with one name could not be told apart.
fn check_name_is_free(known: &[(String, Document)], owner: &str, id: &str, name: &str) -> Result<()> {
    let is_taken = known.iter().any(|(other, document)| {
        other != id && document.owner_id == owner && document.wanted.name.to_lowercase() == name.to_lowercase()
    });
    if !is_taken {
        return Ok(());
    }
    let problem = Problem::conflict("view-exists", format!("there is a view {name:?}"));
    Err(problem.hint("choose another name, or change that one"))
}

impl Document {
    fn is_seen_by(&self, caller: &Caller) -> bool {
        self.owner_id == *caller.identity()
            || (self.wanted.shared || caller.role == Role::Admin) && self.is_about(&caller.scope)
    }

    fn may_be_changed_by(&self, caller: &Caller) -> bool {
        self.owner_id == *caller.identity() || caller.role == Role::Admin
    }

    /// Reports whether all groups that the view names are within a scope. A view that names none is about all groups.
    fn is_about(&self, scope: &GroupScope) -> bool {
        let groups = self.wanted.view.get("groups").map(String::as_str).unwrap_or_default();
        let mut named = groups.split(',').filter(|name| !name.is_empty()).peekable();
        scope.is_everything() || named.peek().is_some() && named.all(|name| covers(scope, name))
    }

    fn put(&self, settings: Settings<'_>, id: &str) -> Result<()> {
        Ok(settings.put(KIND, id, &to_json(self)?)?)
    }

    fn described(&self, id: &str, caller: &Caller) -> Value {
        let mut json = serde_json::to_value(self).unwrap_or_default();
        if let Some(members) = json.as_object_mut() {
            members.remove("owner_id");
        }
        json["id"] = id.into();
        json["own"] = self.may_be_changed_by(caller).into();
        json
    }
}

impl ViewDefinition {
    /// Checks the view and returns it in the form in which it is stored.
    fn checked(self) -> Result<ViewContent> {
        let bad = |message: String| Problem::bad_request("bad-view", message);
        let is_text =
            |text: &str, chars_max: usize| text.chars().count() <= chars_max && !text.chars().any(char::is_control);
        let name = self.name.trim().to_owned();
        if name.is_empty() || !is_text(&name, NAME_CHARS_MAX) {
            return Err(bad(format!(
                "a view's name is 1–{NAME_CHARS_MAX} characters, none of them a control character"
            )));
        }
        let description = self.description.replace(['\r', '\n', '\t'], " ").trim().to_owned();
        if !is_text(&description, DESCRIPTION_CHARS_MAX) {
            return Err(bad(format!("a description has {DESCRIPTION_CHARS_MAX} characters at most")));
        }
        let mut tags: Vec<String> = self.tags.iter().map(|tag| tag.trim().to_owned()).collect();
        tags.retain(|tag| !tag.is_empty());
        tags.sort();
        tags.dedup();
        if tags.len() > TAGS_MAX || !tags.iter().all(|tag| is_text(tag, TAG_CHARS_MAX) && !tag.contains(',')) {
            return Err(bad(format!("tags are {TAGS_MAX} at most, of {TAG_CHARS_MAX} characters without a comma")));
        }
        let n_bytes: usize = self.view.iter().map(|(part, value)| part.len() + value.len()).sum();
        let is_name = |part: &String| part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if self.view.len() > PARTS_MAX || n_bytes > PART_BYTES_MAX || !self.view.keys().all(is_name) {
            return Err(bad(format!(
                "a view has {PARTS_MAX} parts of an address at most, with {PART_BYTES_MAX} bytes"
            )));
        }
        if self.chip && self.view.get("q").is_none_or(|query| query.trim().is_empty()) {
            return Err(bad("a filter needs a condition, as view.q".into()));
        }
        let (star, chip, shared, view) = (self.star, self.chip, self.shared, self.view);
        Ok(ViewContent { name, description, tags, star, chip, shared, view })
    }
}

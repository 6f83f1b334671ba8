//! The layers of the configuration: defaults, file, environment, flags; each value with its origin.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::definitions::{self, ShownDefinition};
use super::error::ConfigError;
use super::file;
use super::settings::{self, SETTINGS, Setting};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody said anything.
    Default,
    /// A line of the configuration file.
    File { path: PathBuf, line: usize },
    /// An environment variable.
    Environment(String),
    /// A command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// A value of one setting with its origin.
#[derive(Clone)]
pub(crate) struct SettingValue {
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

/// Flags that set settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) config: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) listen: Option<String>,
}

/// All settings, each with the value that holds and where it came from.
#[derive(Clone)]
pub(crate) struct Layers {
    pub(super) values: BTreeMap<(&'static str, &'static str), SettingValue>,
    /// The tables `[[pipeline]]` of the file, checked.
    pub(super) pipelines: serde_json::Value,
    /// The tables `[[input]]` of the file, checked.
    pub(super) inputs: serde_json::Value,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
}

impl fmt::Debug for Layers {
    /// Without the values, among which are passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers").finish_non_exhaustive()
    }
}

impl Layers {
    /// Reads every layer. All errors are reported, not just the first.
    pub(crate) fn read(flags: &Flags, environment: &[(String, String)]) -> Result<Self, Vec<ConfigError>> {
        let (layers, errors) = Self::read_all(flags, environment);
        if errors.is_empty() { Ok(layers) } else { Err(errors) }
    }

    /// Reads every layer as far as it can be read, and returns the errors with it.
    pub(crate) fn read_all(flags: &Flags, environment: &[(String, String)]) -> (Self, Vec<ConfigError>) {
        let mut errors = Vec::new();
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let value = setting.default_value();
            values.insert((setting.section, setting.key), SettingValue { value, origin: Origin::Default });
        }
        let none = || serde_json::Value::Array(Vec::new());
        let mut layers = Self { values, pipelines: none(), inputs: none(), file: None };
        match file::find(flags.config.as_deref(), environment) {
            Ok(Some(path)) => {
                layers.add_file(&path, &mut errors);
                layers.file = Some(path);
            }
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
        layers.add_environment(environment, &mut errors);
        if let Some(dir) = &flags.data_dir {
            layers.set("storage", "dir", &dir.to_string_lossy(), Origin::Flag("data-dir"));
        }
        if let Some(listen) = &flags.listen {
            layers.set("server", "listen", listen, Origin::Flag("listen"));
        }
        (layers, errors)
    }

    fn add_file(&mut self, path: &std::path::Path, errors: &mut Vec<ConfigError>) {
        match file::read(path) {
            Ok(contents) => {
                errors.extend(contents.errors);
                self.pipelines = contents.pipelines.unwrap_or_else(|| std::mem::take(&mut self.pipelines));
                self.inputs = contents.inputs.unwrap_or_else(|| std::mem::take(&mut self.inputs));
                for entry in contents.entries {
                    let origin = Origin::File { path: path.to_owned(), line: entry.line };
                    match settings::find(&entry.section, &entry.key) {
                        Some(setting) => self.set(setting.section, setting.key, &entry.value, origin),
                        None => errors.push(unknown(&entry.section, &entry.key, origin.to_string())),
                    }
                }
            }
            Err(error) => errors.push(error),
        }
    }

    fn add_environment(&mut self, environment: &[(String, String)], errors: &mut Vec<ConfigError>) {
        for (name, value) in environment {
            let origin = Origin::Environment(name.clone());
            if name == "CATAT_LISTEN" {
                self.set("server", "listen", value, origin);
            } else if let Some((section, key)) = name.strip_prefix("CATAT_").and_then(|rest| rest.split_once("__")) {
                let (section, key) = (section.to_ascii_lowercase(), key.to_ascii_lowercase());
                match settings::find(&section, &key) {
                    Some(setting) => self.set(setting.section, setting.key, value, origin),
                    None => errors.push(unknown(&section, &key, name.clone())),
                }
            }
        }
    }

    fn set(&mut self, section: &'static str, key: &'static str, value: &str, origin: Origin) {
        self.values.insert((section, key), SettingValue { value: value.to_owned(), origin });
    }

    /// Returns the value of a setting.
    pub(crate) fn value(&self, section: &'static str, key: &'static str) -> Option<&str> {
        self.values.get(&(section, key)).map(|layered| &*layered.value)
    }

    /// Returns the pipelines and inputs of the file, as they may be shown.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = ShownDefinition> {
        let tables = [("pipeline", &self.pipelines), ("input", &self.inputs)];
        tables.into_iter().flat_map(|(name, definitions)| definitions::shown(name, definitions))
    }

    /// Returns every value that is not shown or may hold a secret, and what the files contain that hold one.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (setting, layered) in self.all() {
            let value = &layered.value;
            if setting.shown(value) != *value {
                found.push(value.clone());
            }
            found.extend(value.split(',').flat_map(|item| definitions::secrets_of_url(item.trim())));
            if setting.key.ends_with("_file") && setting.key != "ca_file" {
                found.extend(std::fs::read_to_string(value).ok());
            }
        }
        definitions::secrets(&self.pipelines, false, &mut found);
        definitions::secrets(&self.inputs, false, &mut found);
        found
    }

    /// Returns every setting with its value, in the order of the documentation.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static Setting, &SettingValue)> {
        SETTINGS.iter().filter_map(|setting| Some((setting, self.values.get(&(setting.section, setting.key))?)))
    }
}

fn unknown(section: &str, key: &str, place: String) -> ConfigError {
    let name = format!("{section}.{key}");
    let nearest = settings::nearest(&name);
    let hint = nearest.map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
    ConfigError { place, problem: format!("unknown setting \"{name}\"{hint}") }
}

//! Reads values by their kind and collects what is wrong with them.

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

#[cfg(feature = "server")]
use storage::{DatabaseUrl, SizeLimit};
use types::{ByteSize, Secret, parse_duration_ns};

use super::error::ConfigError;
use super::layers::Layers;
use super::settings::Kind;

/// Reads values of all settings; errors are kept until [`finish`](Self::finish).
pub(crate) struct Reader<'a> {
    layers: &'a Layers,
    errors: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layers: &'a Layers) -> Self {
        Self { layers, errors: Vec::new() }
    }

    fn value(&self, section: &'static str, key: &'static str, kind: Kind) -> &'a str {
        debug_assert!(super::settings::find(section, key).is_some_and(|setting| setting.kind == kind));
        self.layers.values.get(&(section, key)).map_or("", |layered| &layered.value)
    }

    fn refuse(&mut self, section: &'static str, key: &'static str, problem: String) {
        let origin = self.layers.values.get(&(section, key)).map(|layered| layered.origin.to_string());
        let place = origin.unwrap_or_default();
        self.errors.push(ConfigError { place, problem: format!("{section}.{key}: {problem}") });
    }

    pub(super) fn text(&mut self, section: &'static str, key: &'static str) -> &'a str {
        self.value(section, key, Kind::Text)
    }

    pub(super) fn list(&mut self, section: &'static str, key: &'static str) -> Vec<String> {
        let items = self.value(section, key, Kind::List).split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// Returns a list of networks and addresses.
    #[cfg(feature = "server")]
    pub(super) fn networks(&mut self, section: &'static str, key: &'static str) -> Vec<ipnet::IpNet> {
        let mut networks = Vec::new();
        for network in self.list(section, key) {
            let single = network.parse().map(|address: std::net::IpAddr| address.into());
            match network.parse().or(single) {
                Ok(network) => networks.push(network),
                Err(_) => self.refuse(section, key, format!("\"{network}\" is not a network such as 10.0.0.0/8")),
            }
        }
        networks
    }

    pub(super) fn size(&mut self, section: &'static str, key: &'static str) -> u64 {
        let size = ByteSize::from_str(self.value(section, key, Kind::Size));
        self.accept(size, section, key).map_or(0, |size| size.0)
    }

    pub(super) fn duration(&mut self, section: &'static str, key: &'static str) -> i64 {
        let duration = parse_duration_ns(self.value(section, key, Kind::Duration));
        self.accept(duration, section, key).unwrap_or(0)
    }

    /// Returns a duration, nothing for `never`.
    pub(super) fn duration_or_never(&mut self, section: &'static str, key: &'static str) -> Option<i64> {
        let text = self.value(section, key, Kind::DurationOrNever);
        if text == "never" {
            return None;
        }
        let duration = parse_duration_ns(text).map_err(|error| format!("{error}, or \"never\""));
        self.accept(duration, section, key)
    }

    /// Returns how much the whole store may hold: a share of the disk, a size, nothing for `never`.
    #[cfg(feature = "server")]
    pub(super) fn size_limit(&mut self, section: &'static str, key: &'static str) -> Option<SizeLimit> {
        let text = self.value(section, key, Kind::Text);
        if text == "never" {
            return None;
        }
        let percent = text.strip_suffix('%').map(|number| number.trim().parse().ok().filter(|n| (1..=99).contains(n)));
        let limit = match percent {
            Some(Some(percent)) => Ok(SizeLimit::Percent(percent)),
            Some(None) => Err(format!("\"{text}\" is not a share of the disk; write 1% to 99%")),
            None => match ByteSize::from_str(text) {
                Ok(size) => Ok(SizeLimit::Bytes(size.0)),
                Err(error) => Err(format!("{error}, 80% or \"never\"")),
            },
        };
        self.accept(limit, section, key)
    }

    /// Bytes in a second, such as 5MB/s; nothing for `never`.
    pub(super) fn rate(&mut self, section: &'static str, key: &'static str) -> Option<u64> {
        let text = self.value(section, key, Kind::Text);
        if text == "never" {
            return None;
        }
        let size = ByteSize::from_str(text.strip_suffix("/s").unwrap_or(text).trim()).ok();
        let rate = size.map(|size| size.0).filter(|rate| *rate > 0);
        let wrong = || format!("\"{text}\" is not a rate; write 5MB/s or \"never\"");
        self.accept(rate.ok_or_else(wrong), section, key)
    }

    /// Returns a text, nothing where it is empty.
    pub(crate) fn optional(&mut self, section: &'static str, key: &'static str) -> Option<String> {
        Some(self.text(section, key)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Returns a key or password, nothing where it is empty.
    pub(super) fn secret(&mut self, section: &'static str, key: &'static str) -> Option<Secret> {
        Some(self.value(section, key, Kind::Secret)).filter(|text| !text.is_empty()).map(Secret::from)
    }

    pub(super) fn switch(&mut self, section: &'static str, key: &'static str) -> bool {
        let text = self.value(section, key, Kind::Switch);
        let read = text.parse().map_err(|_| format!("\"{text}\" is neither true nor false"));
        self.accept(read, section, key).unwrap_or(false)
    }

    /// Returns what was read of a value; refuses the value for what is wrong with it.
    pub(crate) fn accept<T, E: Display>(
        &mut self,
        read: Result<T, E>,
        section: &'static str,
        key: &'static str,
    ) -> Option<T> {
        read.map_err(|error| self.refuse(section, key, error.to_string())).ok()
    }

    /// Returns the address of a database, nothing where it is empty. An error does not repeat it: it may hold a password.
    #[cfg(feature = "server")]
    pub(super) fn database(&mut self, section: &'static str, key: &'static str) -> Option<DatabaseUrl> {
        let text = self.value(section, key, Kind::Database);
        if text.is_empty() {
            return None;
        }
        self.accept(DatabaseUrl::from_str(text), section, key)
    }

    pub(super) fn count(&mut self, section: &'static str, key: &'static str) -> usize {
        let text = self.value(section, key, Kind::Count);
        let read = text.parse().map_err(|_| format!("\"{text}\" is not a whole number"));
        self.accept(read, section, key).unwrap_or(0)
    }

    /// Reads any type that parses from text; `wanted` says what would be right.
    pub(super) fn parsed<T: FromStr>(&mut self, section: &'static str, key: &'static str, wanted: &str) -> Option<T> {
        let text = self.value(section, key, Kind::Text);
        self.accept(text.parse().map_err(|_| format!("\"{text}\" is not {wanted}")), section, key)
    }

    pub(super) fn require(&mut self, holds: bool, section: &'static str, key: &'static str, wanted: &str) {
        let is_known = self.errors.iter().any(|error| error.problem.starts_with(&format!("{section}.{key}:")));
        if !holds && !is_known {
            self.refuse(section, key, format!("must be {wanted}"));
        }
    }

    pub(super) fn finish<T>(self, config: T) -> Result<T, Vec<ConfigError>> {
        if self.errors.is_empty() { Ok(config) } else { Err(self.errors) }
    }
}

/// Returns the text of a file that a setting names, without white space around it.
pub(super) fn text_of_file(setting: &str, path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{setting} {}: {error}", path.display()))?;
    Ok(text.trim().to_owned())
}

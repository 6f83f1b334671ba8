//! What a shipper is to follow, and where it sends to.

use std::path::PathBuf;

use types::{Secret, ensure};

use super::error::ConfigError;
use super::layers::Layers;
use super::values::{Reader, text_of_file};

/// Settings of `catat ship`; the inputs are `catat up`'s as well.
#[derive(Clone)]
pub(crate) struct ShipConfig {
    /// Servers, the preferred first.
    pub(crate) urls: Vec<String>,
    key: Option<Secret>,
    key_file: Option<PathBuf>,
    /// Authorities to believe besides those of the system.
    pub(crate) ca_file: Option<PathBuf>,
    /// The certificate that it shows to servers, and its key.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
    /// Where it is kept what was sent.
    pub(crate) state_dir: PathBuf,
    /// Most bytes of deleted files that are kept until they are sent.
    pub(crate) gone_bytes: u64,
    /// Definitions of inputs, checked.
    inputs: serde_json::Value,
}

impl ShipConfig {
    /// Validates what concerns a shipper alone: the settings of a server beside them may be wrong.
    pub(crate) fn of_layers(layers: &Layers) -> Result<Self, Vec<ConfigError>> {
        let mut read = Reader::new(layers);
        let config = Self::read(&mut read, layers);
        read.finish(config)
    }

    pub(super) fn read(read: &mut Reader<'_>, layers: &Layers) -> Self {
        let state_dir = read.optional("ship", "state_dir").map(PathBuf::from);
        let [cert, key] = ["tls_cert", "tls_key"].map(|name| read.optional("ship", name).map(PathBuf::from));
        let are_both = cert.is_some() == key.is_some();
        read.require(are_both, "ship", "tls_key", "set if ship.tls_cert is set, and only then");
        let config = Self {
            urls: read.list("ship", "url"),
            key: read.secret("ship", "key"),
            ca_file: read.optional("ship", "ca_file").map(PathBuf::from),
            identity: cert.zip(key),
            key_file: read.optional("ship", "key_file").map(PathBuf::from),
            state_dir: state_dir.unwrap_or_else(|| PathBuf::from(read.text("storage", "dir")).join("ship")),
            gone_bytes: read.size("ship", "gone_bytes"),
            inputs: layers.inputs.clone(),
        };
        let is_web = config.urls.iter().all(|url| url.starts_with("http://") || url.starts_with("https://"));
        read.require(is_web, "ship", "url", "an address such as https://logs.example.com:22828");
        let is_one = config.key.is_none() || config.key_file.is_none();
        read.require(is_one, "ship", "key_file", "omitted if ship.key is set");
        config
    }

    /// Returns the inputs that are defined.
    pub(crate) fn inputs(&self) -> Vec<ship::DefinedInput> {
        // They were checked when the file was read.
        ship::inputs_of(&self.inputs).unwrap_or_default()
    }

    /// Returns the key, read from its file where one is named.
    pub(crate) fn key(&self) -> Result<Option<Secret>, String> {
        let Some(path) = &self.key_file else { return Ok(self.key.clone()) };
        let key = text_of_file("ship.key_file", path)?;
        ensure!(!key.is_empty(), format!("ship.key_file {}: the file is empty; write the key into it", path.display()));
        Ok(Some(Secret::from(&*key)))
    }
}

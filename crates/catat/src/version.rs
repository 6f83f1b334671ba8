//! What `catat --version` prints: the version, the commit it was built from, and the formats that it writes.

#[cfg(feature = "server")]
use std::sync::LazyLock;

/// The version and the commit.
pub(crate) const SHORT: &str = env!("CATAT_VERSION");

/// The version with the formats on disk, which tell whether a store can be opened.
#[cfg(feature = "server")]
pub(crate) static LONG: LazyLock<String> = LazyLock::new(|| {
    let formats: Vec<String> = storage::formats().iter().map(|(name, version)| format!("{name} {version}")).collect();
    format!("{SHORT}\nformats on disk: {}", formats.join(", "))
});

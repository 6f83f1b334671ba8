//! The rule files of a server.

use std::fs;
use std::path::Path;

use alert::RuleSet;

use crate::failure::{Failure, Result};

/// Puts the rules about errors and about catat itself where there is no directory of rules yet.
pub(super) fn make_default_rules(dir: &Path) -> Result<()> {
    if dir.exists() {
        return Ok(());
    }
    let failed = |error: std::io::Error| Failure::usage(format!("rules directory {}: {error}", dir.display()));
    fs::create_dir_all(dir).map_err(failed)?;
    let own = alert::Pack::find("catat").map(|pack| ("catat.yaml", pack.text));
    let files = [Some(("errors.yaml", alert::DEFAULT_RULES)), own];
    files.into_iter().flatten().try_for_each(|(name, text)| fs::write(dir.join(name), text)).map_err(failed)
}

/// Reads all rule files; the error names every mistake.
pub(crate) fn read_rules(dir: &Path) -> Result<RuleSet, String> {
    RuleSet::load_dir(dir)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\ncatat: "))
}

//! Rule files, read with all their mistakes.

use std::path::Path;

use alert::{Rule, RuleError, read_rules};

use crate::failure::{Failure, Result};

/// Returns the rules of a file, or every mistake in it.
pub(super) fn rules_of(path: &Path) -> Result<Vec<Rule>> {
    read_rules(&path.display().to_string(), &read_text(path)?).map_err(|errors| failure_of(&errors))
}

/// Reads a file of text.
pub(super) fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// Returns a failure that names every mistake.
pub(super) fn failure_of(errors: &[RuleError]) -> Failure {
    Failure::usage(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\ncatat: "))
}

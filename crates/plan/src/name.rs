//! Names of fields and columns.

use std::sync::Arc;

/// A field or column name.
pub type Name = Arc<str>;

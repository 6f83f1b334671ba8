//! Keys of groups.

use std::sync::Arc;

use plan::Expr;
use types::{Addresses, Column};

use evaluate::{Environment, Frame, Result};

/// The values of a group column in the rows of a frame.
pub(crate) enum Key {
    Column(Arc<Column>),
    Addresses(Addresses),
}

impl Key {
    pub(crate) fn of(expr: &Expr, frame: &mut Frame<'_>, env: &Environment) -> Result<Self> {
        if let Expr::Field(name) = expr
            && let Some(addresses) = frame.addresses(name)?
        {
            return Ok(Self::Addresses(addresses));
        }
        env.evaluate(expr, frame).map(Self::Column)
    }
}

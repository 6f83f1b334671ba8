//! What a fleet uses of its bucket, and which of its nodes are to take no new work.

use database::Result;
use database::postgres::{Database, Session};

use crate::catalog::postgres::cells::{get, number};

pub(in crate::catalog) const VERSION_6: &str = include_str!("6.sql");

/// What a fleet uses of its bucket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Requests of all nodes that stored something.
    pub(crate) puts: u64,
    /// In so many seconds, a day at most.
    pub(crate) measured_s: f64,
    /// Bytes of all segments and objects that the catalog lists.
    pub(crate) n_bytes: u64,
}

/// Counts requests of a node, and forgets those of the day before yesterday.
pub(super) fn count_puts(session: &Session, n: i64) {
    let count = "INSERT INTO puts VALUES (extract(epoch FROM now())::bigint / 3600, now(), $1)
        ON CONFLICT (hour) DO UPDATE SET n = puts.n + excluded.n WHERE excluded.n > 0";
    session.later(count, vec![Box::new(n)]);
}

pub(super) fn forget_puts(session: &Session) {
    let forget = "DELETE FROM puts WHERE hour < extract(epoch FROM now())::bigint / 3600 - 24";
    session.later(forget, Vec::new());
}

/// Returns what the fleet uses of its bucket.
pub(crate) fn usage(database: &mut Database) -> Result<Usage> {
    database.read(|session| {
        // The hour that began a day ago is left out where it is not over.
        let puts = "SELECT coalesce(sum(n), 0)::bigint, coalesce(extract(epoch FROM now() - min(first)), 0)::float8
            FROM puts WHERE hour > extract(epoch FROM now())::bigint / 3600 - 24";
        let bytes =
            "SELECT ((SELECT coalesce(sum(bytes), 0) FROM segments) + (SELECT coalesce(sum(bytes), 0) FROM objects
            WHERE end_sequence > coalesce((SELECT value FROM meta WHERE key = 'flushed'), 0)))::bigint";
        let (puts, bytes) = (session.query(puts, &[])?, session.query(bytes, &[])?);
        let mut usage = Usage::default();
        if let (Some(puts), Some(bytes)) = (puts.first(), bytes.first()) {
            usage = Usage { puts: number(puts, 0)?, measured_s: get(puts, 1)?, n_bytes: number(bytes, 0)? };
        }
        Ok(usage)
    })
}

/// Orders that a node takes no new work, or that it does again; `false` if no node has this name.
pub(crate) fn drain(database: &mut Database, name: &str, is_ordered: bool) -> Result<bool> {
    database.transact(|session| {
        let known = "SELECT 1 FROM nodes WHERE name = $1 UNION ALL SELECT 1 FROM draining WHERE name = $1";
        let is_known = !session.query(known, &[&name])?.is_empty();
        if !is_ordered {
            session.execute("DELETE FROM draining WHERE name = $1", &[&name])?;
        } else if is_known {
            session.execute("INSERT INTO draining VALUES ($1) ON CONFLICT DO NOTHING", &[&name])?;
        }
        Ok(is_known)
    })
}

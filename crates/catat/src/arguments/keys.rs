//! What can be typed after `catat keys`.

use clap::Subcommand;

use super::remote::Commands;

pub(crate) type Keys = Commands<KeyCommand>;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys, without their secrets
    List,
    /// Create a key and show it once
    Create {
        /// Name for lists and the audit log
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Role: ingest (only send), read, operate or admin
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// Groups that the key sees, as patterns such as 'app/*'; may be repeated (default: all)
        #[arg(long, alias = "group", value_name = "PATTERN", value_delimiter = ',')]
        groups: Vec<String>,
        /// When the key expires: a time such as 2027-06-30, or after how long, such as 90d (default: never)
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// With the first key: how long senders without a key may go on; 0s cuts them off (default on a terminal: ask;
        /// else 0s)
        #[arg(long, value_name = "DURATION")]
        anonymous_grace: Option<String>,
    },
    /// Revoke a key at once
    #[command(visible_alias = "delete")]
    Revoke {
        /// The key's id, as in the list; `anonymous` ends the grace period of senders without a key
        id: String,
    },
    /// Create a key that replaces another, which works for some time longer
    Rotate {
        /// The key's id, as in the list
        id: String,
        /// How long the old key still works
        #[arg(long, value_name = "DURATION", default_value = "24h")]
        grace: String,
    },
}

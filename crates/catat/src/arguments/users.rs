//! What can be typed after `catat users`.

use clap::{Subcommand, ValueEnum};

use super::remote::Commands;

pub(crate) type Users = Commands<UserCommand>;

types::named! {
    /// What a user may do.
    #[derive(Clone, Copy, Debug, ValueEnum)]
    pub(crate) enum UserRole {
        /// Ask
        Read = "read",
        /// Ask, and set rules, silences, channels and lookup tables
        Operate = "operate",
        /// Everything
        Admin = "admin",
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List users
    List,
    /// Create a user; asks for the password, or reads it from the first line of standard input
    #[command(visible_alias = "add")]
    Create {
        /// The user's name: A-Z a-z 0-9 . _ @ + -
        name: String,
        /// What the user may do
        #[arg(long, default_value = "read")]
        role: UserRole,
        /// Groups that the user sees, as patterns such as 'app/*' (default: all)
        #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
        groups: Vec<String>,
    },
    /// Delete a user; their sessions end
    #[command(visible_alias = "remove")]
    Delete {
        /// The user
        name: String,
    },
    /// Set another password, asked for or read from the first line of standard input; sessions end
    Password {
        /// The user
        name: String,
    },
}

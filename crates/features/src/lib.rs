//! Nothing but dependencies: everything from outside with all features that any crate here asks for.
//!
//! Cargo chooses features by the packages of a command: `-p loki` alone has fewer than the workspace, and would compile half of all
//! dependencies, and what is above them, a second time. With `-p features` beside it they are those of the workspace, which
//! `cargo t` and `cargo lint` say (.cargo/config.toml).

//! Runtimes whose traces look alike.

/// Runtimes whose frames look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Jvm,
    DotNet,
    Script,
    Python,
    Go,
    Rust,
    Php,
    Ruby,
    Beam,
    Native,
    Functional,
    Nim,
    Perl,
    Lua,
    Lisp,
    Scheme,
    Other,
}

//! Which frames are the program's own.

use super::family::Family;
use super::trace::Frame;

/// Path fragments of libraries and runtimes.
const FOLDERS: &str = "site-packages/|dist-packages/|node_modules/|/usr/lib/|/usr/lib64/|/usr/local/lib/|/usr/include/|/usr/share/|\
    /lib/python|/lib/x86_64-linux-gnu/|/lib/aarch64-linux-gnu/|/lib64/|/vendor/|/gems/|/rustc/|/.cargo/|\
    /cargo/registry/|/rustlib/|/rustup/|/pkg/mod/|/golang.org/toolchain|/nix/store/|/deps/|/sysdeps/|/lib/std/|\
    /zig/std/|/lib/nim/|/phobos/|/druntime/|/collects/racket|/lib/ruby/|/lib/erlang/|/lib/elixir/|/lib/ocaml/|\
    /lib/crystal/|/libstdc++|/glibc|/libsanitizer/|/compiler-rt/|/composer/|/.gradle/|/Cellar/|\
    \\site-packages\\|\\node_modules\\";

/// Beginnings of files that are parts of a runtime.
const FILE_STARTS: &str = "<|node:|internal/|ext:|bun:|native:|dart:|deps/|vendor/|vendor\\|node_modules/|library/std|[C]|../sysdeps/|\
    ../csu/|./nptl/|./stdlib/|./csu/|ice-9/|src/elixir|erl_eval.erl|[internal|libraries/|Swift/|Prelude.";

/// Function name prefixes of runtimes and common frameworks.
const JVM: &str = "java.|javax.|jdk.|sun.|com.sun.|jakarta.|kotlin.|kotlinx.|scala.|clojure.|groovy.|org.codehaus.groovy.|\
    org.springframework.|org.apache.|org.hibernate.|org.eclipse.|io.netty.|reactor.|org.junit.|com.fasterxml.|\
    com.zaxxer.|io.undertow.|org.jboss.|io.vertx.|io.micronaut.|io.quarkus.|akka.|rx.|io.reactivex.|\
    com.google.common.|org.postgresql.|com.mysql.|redis.clients.|ch.qos.logback.";
const DOT_NET: &str = "System.|Microsoft.|Mono.|Npgsql.|Newtonsoft.|MySql.";
const RUST: &str = "std::|core::|alloc::|test::|tokio::|hyper::|rayon|futures";
const LISP: &str = "SB-|ERROR|INVOKE-DEBUGGER|SIGNAL|FLET|LAMBDA|EVAL|LOAD|%|APPLY|FUNCALL|RUN-|LABELS|CERROR|ASSERT";
const FUNCTIONAL: &str = "Stdlib|Camlinternal|GHC.|Thread.";
const NATIVE: &str = "__|_start|std::|raise|abort|gsignal|clone|start_thread|_Unwind|pthread_|libc_start|_dl_|operator new|core.|\
    rt.|object.|_d_|_Dmain|D main|posixCallMainAndExit|callMain|_assertionFailure|_swift|swift_|Swift.|\
    closure #1 in closure #1 in _|onArrayIndexError|onRangeError|malloc|calloc|free|memcpy|strlen|printf|qsort|\
    debug.|builtin.";
const SCHEME: &str =
    "chicken.|with-exception-handler|raise-exception|apply-smob|primitive-load|save-module-excursion|eval";

/// First parts of packages of Go's library, where a build leaves out the paths of files.
const GO: &str = "archive|bufio|builtin|bytes|cmp|compress|container|context|crypto|database|debug|embed|encoding|errors|\
    expvar|flag|fmt|go|hash|html|image|internal|io|iter|log|maps|math|mime|net|os|path|plugin|reflect|regexp|\
    runtime|slices|sort|strconv|strings|sync|syscall|testing|text|time";

const BEAM_MODULES: &str = "erlang:|lists:|gen_server:|gen_statem:|proc_lib:|erl_eval:|shell:|init:|escript:|supervisor:|application|\
    maps:|binary:|file:|io:|:erl|:elixir|:gen|:proc_lib|:lists|:maps|timer:";

const BEAM_APPLICATIONS: &str = "elixir|stdlib|kernel|erts|compiler|ex_unit|iex|logger|mix|eex|phoenix|phoenix_live_view|plug|plug_cowboy|\
    cowboy|bandit|thousand_island|ecto|ecto_sql|db_connection|postgrex|telemetry";

/// Reports whether `containers-0.6.7:Data.Map` is a module of a library.
pub(super) fn is_haskell_library(module: &str) -> bool {
    let package = module.split(':').next().unwrap_or_default();
    let has_version = package.split('-').any(|part| part.starts_with(|first: char| first.is_ascii_digit()));
    (has_version && !package.contains("inplace")) || matches!(package, "base" | "ghc-internal" | "ghc-prim")
}

/// Reports whether an application of the BEAM is a library.
pub(super) fn is_beam_library(application: &str) -> bool {
    BEAM_APPLICATIONS.split('|').any(|known| known == application)
}

/// Reports whether a frame is the program's own.
pub(super) fn is_own(family: Family, frame: &Frame) -> bool {
    let Frame { function, file, .. } = frame;
    if file.is_empty() && function.is_empty() {
        return false;
    }
    // Modules of Swift's library stand before their files in the place of a frame's module.
    if begins(file, FILE_STARTS) || FOLDERS.split('|').any(|folder| file.contains(folder)) {
        return false;
    }
    match family {
        Family::Jvm => !begins(function, JVM),
        Family::DotNet => !begins(function, DOT_NET),
        Family::Go => is_own_go(function, file),
        Family::Rust => is_own_rust(function),
        Family::Lisp => !begins(function, LISP),
        Family::Functional => !begins(function, FUNCTIONAL) || function.is_empty(),
        Family::Native => !begins(function, NATIVE) && !file.contains(".so"),
        Family::Scheme => !begins(function, SCHEME),
        Family::Beam => !begins(function, BEAM_MODULES),
        Family::Script => {
            let is_bare = file.is_empty() || (!file.contains(['/', '.', '\\']) && function.is_empty());
            !is_bare
        }
        Family::Lua => !matches!(function.as_str(), "error" | "assert"),
        Family::Perl => !function.starts_with("Carp::") && !matches!(function.as_str(), "eval"),
        Family::Nim => !matches!(function.as_str(), "sysFatal" | "failedAssertImpl" | "raiseAssert"),
        _ => true,
    }
}

/// `<mail::Sender as core::fmt::Display>::fmt` is of the crate `mail`; what has no crate is no function of Rust.
fn is_own_rust(function: &str) -> bool {
    let of = match function.strip_prefix('<') {
        Some(inner) => inner.split(" as ").next().unwrap_or(inner).trim_start_matches(['&', '<']),
        None => function,
    };
    of.contains("::") && !begins(of, RUST)
}

/// Reports whether a frame is of the runtime itself.
pub(super) fn is_runtime(frame: &Frame) -> bool {
    const STARTS: &str = "java.|jdk.|sun.|System.|std::|core::|alloc::|<";
    begins(&frame.file, FILE_STARTS) || begins(&frame.function, STARTS)
}

fn is_own_go(function: &str, file: &str) -> bool {
    let package = function.split(['/', '.']).next().unwrap_or_default();
    if function == "main" || package == "main" || package == "command-line-arguments" {
        return true;
    }
    // A workspace has the host of a module behind `src`, the library a package.
    let library = file.rsplit_once("/src/").filter(|(root, _)| root.contains("go"));
    if let Some((_, below)) = library {
        return below.split('/').next().is_some_and(|first| first.contains('.'));
    }
    let is_relative = !file.starts_with('/');
    !(is_relative && (GO.split('|').any(|known| known == package) || file.contains('@')))
        && !function.starts_with("golang.org/x/")
}

/// Whether a name begins as one of a list does.
fn begins(name: &str, starts: &str) -> bool {
    starts.split('|').any(|start| name.starts_with(start))
}

/// Reports whether every failure passes through a frame, so that it tells nothing.
pub(super) fn is_machinery(family: Family, frame: &Frame) -> bool {
    const RUST: &str = "std::panic|core::panicking|rust_begin_unwind|std::backtrace|__rust|core::option::|core::result::|std::sys::backtrace|\
        std::rt::|core::ops::function::|anyhow::|eyre::";
    const NATIVE: &str = "__|raise|abort|gsignal|pthread_kill|_Unwind|std::terminate|_start|malloc_printerr|google::LogMessage|(unknown)|???";
    let function = &frame.function;
    match family {
        Family::Go => begins(function, "runtime.|runtime/debug.|created by "),
        Family::Rust => begins(function, RUST),
        Family::Native => function.is_empty() && frame.file.is_empty() || begins(function, NATIVE),
        Family::Lisp => begins(function, "SB-|INVOKE-DEBUGGER|ERROR|SIGNAL"),
        Family::DotNet => function.starts_with("<Module>"),
        Family::Lua => frame.file == "[C]",
        Family::Script => function.is_empty() && frame.file.is_empty(),
        _ => false,
    }
}

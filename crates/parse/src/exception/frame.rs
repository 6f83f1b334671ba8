//! The forms of frames, of each runtime.

use super::family::Family;
use super::trace::{Frame, NAME_BYTES_MAX, cut};

/// A frame, and how what stands around it is read.
#[derive(Clone, Debug)]
pub(super) struct FoundFrame {
    pub(super) family: Family,
    pub(super) frame: Frame,
    /// The module from which the function was called, with its package, where the place is that of the call.
    pub(super) caller: String,
}

pub(super) fn found(family: Family, function: &str, (file, line): (&str, Option<u32>)) -> Option<FoundFrame> {
    let function = cut(function.trim(), NAME_BYTES_MAX).to_owned();
    Some(FoundFrame {
        family,
        frame: Frame { function, file: file.to_owned(), line, is_own: false },
        caller: String::new(),
    })
}

/// Returns the frame that a line is; `next` is the line after it.
pub(super) fn frame_of(line: &str, next: &str) -> Option<FoundFrame> {
    let text = line.trim().trim_end_matches("<---").trim_end_matches(',').trim_end_matches(" {");
    let first = *text.as_bytes().first()?;
    let special = match first {
        b'a' => text.strip_prefix("at ").and_then(at_frame),
        b'F' => python_frame(text),
        b'#' => hash_frame(text),
        b'0'..=b'9' => numbered_frame(text, next),
        b'f' => text.strip_prefix("from ").and_then(from_frame),
        b'R' | b'C' => ocaml_frame(text),
        b'i' => erlang_frame(text),
        b'(' => elixir_frame(text).or_else(|| tcl_frame(text)),
        b'[' if text.starts_with("[C]: in ") => found(Family::Lua, "", ("[C]", None)),
        b'@' => glog_frame(text),
        b'$' => pascal_frame(text),
        _ => None,
    };
    special.or_else(|| go_frame(text, next)).or_else(|| placed_frame(text))
}

/// Splits `/srv/a.js:3:9` and `a.rs:3` into file and line.
pub(super) fn place_of(text: &str) -> (&str, Option<u32>) {
    let text = text.trim();
    let text = text.strip_prefix("file://").unwrap_or(text);
    let number = |text: &'_ str| {
        let (rest, digits) = text.rsplit_once(':')?;
        let line = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some((rest.len(), line))
    };
    let Some((end, last)) = number(text) else { return (text, None) };
    match number(&text[..end]) {
        Some((end, line)) if end > 0 => (&text[..end], Some(line)),
        _ => (&text[..end], Some(last)),
    }
}

/// Whether a text is a file with a line.
fn is_place(text: &str) -> bool {
    let (file, line) = place_of(text);
    line.is_some() && !file.is_empty() && !file.contains(' ') && file.contains(['/', '.', ':', '\\'])
}

/// Reads `at pay.Checkout.charge(Checkout.java:12)`, `at charge (file:///pay.js:3:9)`, `at Pay.Charge(Int32 n) in /x.cs:line 7`.
fn at_frame(rest: &str) -> Option<FoundFrame> {
    let rest = rest.trim_start_matches("async ").trim_start_matches("new ").trim();
    if let Some((call, place)) = rest.rsplit_once(" in ")
        && let Some((file, line)) = place.rsplit_once(":line ")
    {
        return found(Family::DotNet, call.split(['(', '[']).next()?, (file, line.trim().parse().ok()));
    }
    // Mono adds the offset and where the assembly came from.
    let rest = rest.split(" [0x").next().unwrap_or(rest);
    let rest = if let Some(wrapped) = rest.strip_prefix("(wrapper ") { wrapped.split_once(") ")?.1 } else { rest };
    let Some((name, arguments)) = rest.split_once('(') else {
        let is_bare = rest == "<anonymous>" || (is_place(rest) && !rest.contains(".rs:"));
        return if is_bare { found(Family::Script, "", place_of(rest)) } else { script_place(rest) };
    };
    let (name, inner) = (name.trim(), arguments.rsplit_once(')').map_or(arguments, |(inner, _)| inner));
    if name.contains(' ') && !name.contains(" [as ") {
        return None;
    }
    let has_column = place_of(inner).0.len() + 3 < inner.len() && is_place(place_of(inner).0.trim_end_matches(':'));
    let is_jvm = matches!(inner, "Native Method" | "Unknown Source" | "<generated>" | "Compiled Code")
        || [".java", ".kt", ".scala", ".groovy", ".clj"].iter().any(|ending| place_of(inner).0.ends_with(ending))
        || (name.contains('.') && !inner.contains(['/', ' ', ',']) && place_of(inner).1.is_some() && !has_column);
    let is_script = matches!(inner, "<anonymous>" | "native" | "native code")
        || inner.starts_with("index ")
        || inner.starts_with("eval at ")
        || (is_place(inner) && !is_jvm);
    if is_jvm && !name.is_empty() {
        // `java.base/java.lang.Thread.run`: the module before the slash; so may be the address of a hidden class.
        let name = if name.contains("$$") { name } else { name.rsplit('/').next().unwrap_or(name) };
        return found(Family::Jvm, name, place_of(inner));
    }
    if is_script {
        return found(Family::Script, name, if is_place(inner) { place_of(inner) } else { ("", None) });
    }
    let is_call = name.contains('.') && !name.ends_with('.') && !name.starts_with('.');
    if is_call { found(Family::DotNet, name, ("", None)) } else { None }
}

/// Reads `check line 5 of a.ps1` of PowerShell: `<ScriptBlock>, /srv/a.ps1: line 5`.
fn script_place(rest: &str) -> Option<FoundFrame> {
    let (name, place) = rest.split_once(", ")?;
    let (file, line) = place.rsplit_once(": line ")?;
    found(Family::Script, name, (file, line.parse().ok()))
}

/// Reads `File "/srv/pay.py", line 12, in charge`.
fn python_frame(text: &str) -> Option<FoundFrame> {
    let (file, rest) = text.strip_prefix("File \"")?.split_once("\", line ")?;
    let digits = rest.split(|char: char| !char.is_ascii_digit()).next()?;
    let name = rest[digits.len()..].trim_start_matches(',').trim().strip_prefix("in ").unwrap_or_default();
    found(Family::Python, name, (file, digits.parse().ok()))
}

/// Reads frames that begin with `#3`: of PHP, Dart, sanitizers, debuggers.
fn hash_frame(text: &str) -> Option<FoundFrame> {
    let (number, rest) = text[1..].split_once(' ')?;
    if number.is_empty() || number.len() > 6 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let rest = rest.trim();
    if rest == "{main}" {
        return found(Family::Php, "{main}", ("", None));
    }
    if let Some((place, call)) = rest.split_once(": ")
        && (place.ends_with(')') || place == "[internal function]")
    {
        let (file, line) = place.split_once('(').unwrap_or((place, ""));
        let line = line.trim_end_matches(')').parse().ok();
        return found(Family::Php, call.split('(').next()?, (file, line));
    }
    if let Some((name, place)) = rest.split_once(" (")
        && [":/", "package:", "dart:"].iter().any(|sign| place.contains(sign))
        && !name.starts_with("0x")
    {
        return found(Family::Script, name, place_of(place.trim_end_matches(')')));
    }
    native(rest)
}

/// Reads `0x55d0 in check(int) /srv/a.c:6:3`, `check (n=81) at a.c:5`, `0x7f in raise () from /lib/libc.so.6`.
fn native(rest: &str) -> Option<FoundFrame> {
    let (rest, has_address) = match rest.strip_prefix("0x") {
        Some(address) => (address.split_once(' ').map_or("", |(_, rest)| rest.trim()), true),
        None => (rest, false),
    };
    let rest = rest.strip_prefix("in ").unwrap_or(rest);
    if let Some(module) = rest.strip_prefix('(') {
        return found(Family::Native, "", (module.split(['+', ')']).next()?, None));
    }
    if rest.is_empty() {
        return found(Family::Native, "", ("", None));
    }
    for sign in [" at ", " from ", " in "] {
        if let Some((name, place)) = rest.rsplit_once(sign)
            && (has_address || place_of(place).1.is_some())
        {
            return found(Family::Native, native_name(name), place_of(place));
        }
    }
    let rest = rest.split(" (").next().unwrap_or(rest);
    match rest.rsplit_once(' ') {
        Some((name, place)) if place.contains(['/', ':']) && place.contains('.') => {
            found(Family::Native, native_name(name), place_of(place))
        }
        _ if has_address => found(Family::Native, native_name(rest), ("", None)),
        _ => None,
    }
}

/// The name of a function without what is in brackets behind it.
fn native_name(name: &str) -> &str {
    let end = name.find(" (").or_else(|| name.find('(').filter(|at| *at > 0)).unwrap_or(name.len());
    name[..end].trim_end_matches('+').trim()
}

/// Reads frames that begin with a number: of Rust, Swift, SBCL, Guile, boost.
fn numbered_frame(text: &str, next: &str) -> Option<FoundFrame> {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &text[n_digits..];
    if n_digits > 6 {
        return None;
    }
    if let Some(rest) = rest.strip_prefix(": ") {
        let rest = rest.trim_start();
        // V8 numbers the frames of a program that ends itself.
        let script = || at_frame(rest).filter(|frame| frame.family == Family::Script && frame.frame.line.is_some());
        return match rest.strip_prefix('(') {
            Some(form) => lisp_frame(form),
            None => rust_frame(rest, next).or_else(script),
        };
    }
    if let Some(rest) = rest.strip_prefix("# ") {
        return native(rest.trim());
    }
    if let Some(rest) = rest.strip_prefix(':') {
        let (_, form) = rest.split_once('(').filter(|(before, _)| {
            before.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ') && before.contains(' ')
        })?;
        return found(Family::Scheme, lisp_name(form), ("", text[..n_digits].parse().ok()));
    }
    swift_frame(rest)
}

fn lisp_name(form: &str) -> &str {
    form.trim_start_matches('(').split([' ', ')']).next().unwrap_or_default()
}

/// Reads `CHECK 81)`, `(LAMBDA (X) :IN SEND) 81)`.
fn lisp_frame(form: &str) -> Option<FoundFrame> {
    let name = match form.strip_prefix('(') {
        Some(local) => local.split_once(" :IN ").map_or_else(|| lisp_name(local), |(_, name)| lisp_name(name)),
        None => lisp_name(form),
    };
    if name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    found(Family::Lisp, name, ("", None))
}

fn rust_frame(rest: &str, next: &str) -> Option<FoundFrame> {
    let name = match rest.strip_prefix("0x") {
        Some(address) => address.split_once(" - ")?.1,
        None => rest,
    };
    let is_name = name.contains("::") || next.trim_start().starts_with("at ");
    if !is_name || (name.contains(' ') && !name.starts_with('<')) {
        return None;
    }
    // Rust leaves out leading zeros of the hash.
    let is_hash = |hash: &str| (8..=16).contains(&hash.len()) && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = name.rsplit_once("::h").filter(|(_, hash)| is_hash(hash)).map_or(name, |(name, _)| name);
    // `tank[a1b2c3d4e5f60718]::valve::open`: so are crates of one name told apart.
    let mut pieces = name.split('[');
    let mut plain = pieces.next()?.to_owned();
    for piece in pieces {
        match piece.split_once(']').filter(|(hash, _)| is_hash(hash)) {
            Some((_, rest)) => plain.push_str(rest),
            None => plain.extend(["[", piece]),
        }
    }
    found(Family::Rust, &plain, ("", None))
}

/// Reads ` [ra] 0x55d0 send(_:) + 123 in mail at /srv/send.swift:5:9` and `  mail  0x55d0 send(_:) + 123`.
fn swift_frame(rest: &str) -> Option<FoundFrame> {
    let mut rest = rest.strip_prefix(' ')?.trim_start();
    let is_system = rest.contains("[system]");
    let is_sure = rest.contains("0x") || rest.rsplit_once(" at ").is_some_and(|(_, place)| place_of(place).1.is_some());
    if !is_sure {
        return None;
    }
    while let Some(tag) = rest.strip_prefix('[') {
        rest = tag.split_once(']')?.1.trim_start();
    }
    if let Some((_, symbol)) = rest.split_once(" 0x").filter(|(module, _)| !module.trim().contains(' ')) {
        rest = symbol.split_once(' ')?.1;
    } else if rest.starts_with("0x") {
        rest = rest.split_once(' ')?.1;
    }
    let (name, after) = rest.rsplit_once(" + ").or_else(|| rest.rsplit_once(" in "))?;
    let offset = after.split(' ').next().unwrap_or_default();
    if rest.contains(" + ") && !offset.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let place = after.rsplit_once(" at ").map_or(("", None), |(_, place)| place_of(place));
    let place = if is_system { ("/usr/lib/", None) } else { place };
    if rest.contains(" + ") || place.1.is_some() { found(Family::Native, native_name(name), place) } else { None }
}

/// Reads what stands behind `from `: frames of Ruby and Crystal.
fn from_frame(rest: &str) -> Option<FoundFrame> {
    if let Some((place, name)) = rest.split_once(" in '") {
        return found(Family::Ruby, name.trim_end_matches('\''), place_of(place));
    }
    ruby_frame(rest)
}

/// Reads `/srv/pay.rb:12:in 'charge'`, which the first line of a trace begins with too.
pub(super) fn ruby_frame(text: &str) -> Option<FoundFrame> {
    let (place, name) = text.split_once(":in ")?;
    let (file, line) = place_of(place);
    if line.is_none() || file.contains(' ') && !file.starts_with('<') {
        return None;
    }
    let name = name.strip_prefix(['`', '\''])?.split('\'').next().unwrap_or_default();
    found(Family::Ruby, name, (file, line))
}

/// Reads `Raised at Mail.check in file "mail.ml", line 5, characters 29-67`.
fn ocaml_frame(text: &str) -> Option<FoundFrame> {
    const STARTS: [&str; 5] = [
        "Raised by primitive operation at ",
        "Raised by primitive operation ",
        "Raised at ",
        "Re-raised at ",
        "Called from ",
    ];
    let rest = STARTS.iter().find_map(|start| text.strip_prefix(start))?;
    let (name, rest) = rest.split_once("file \"")?;
    let (file, rest) = rest.split_once('"')?;
    let line = rest.split_once("line")?.1.trim_start_matches('s').trim_start();
    let line = line.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok();
    found(Family::Functional, name.trim_end_matches("in "), (file, line))
}

/// Reads `in function  mail:divide/2 (mail.erl, line 8)`, `in call from mail:run/1 (mail.erl:3)`.
fn erlang_frame(text: &str) -> Option<FoundFrame> {
    let rest = ["in function ", "in call from "].iter().find_map(|start| text.strip_prefix(start))?.trim();
    let (name, place) = rest.split_once(" (").unwrap_or((rest, ""));
    if !name.contains('/') || name.contains(' ') {
        return None;
    }
    let place = place.trim_end_matches(')');
    let place = place.split_once(", line ").map_or_else(|| place_of(place), |(file, line)| (file, line.parse().ok()));
    found(Family::Beam, name.split('(').next()?, place)
}

/// Reads `(mail 0.1.0) lib/mail.ex:8: Mail.divide/2`.
fn elixir_frame(text: &str) -> Option<FoundFrame> {
    let (application, rest) = text.strip_prefix('(')?.split_once(") ")?;
    let mut frame = elixir_place(rest)?;
    if super::own::is_beam_library(application.split(' ').next()?) {
        frame.frame.file = format!("deps/{}", frame.frame.file);
    }
    Some(frame)
}

fn elixir_place(text: &str) -> Option<FoundFrame> {
    let (place, name) = text.split_once(": ")?;
    let (file, line) = place_of(place);
    let is_file = [".ex", ".exs", ".erl", ".eex", ".heex"].iter().any(|ending| file.ends_with(ending));
    if is_file && line.is_some() { found(Family::Beam, name.split('(').next()?, (file, line)) } else { None }
}

/// Reads `(procedure "check" line 2)`, `(file "send.tcl" line 9)`.
fn tcl_frame(text: &str) -> Option<FoundFrame> {
    let (name, is_file) = match text.strip_prefix("(procedure \"") {
        Some(rest) => (rest, false),
        None => (text.strip_prefix("(file \"")?, true),
    };
    let (name, line) = name.split_once("\" line ")?;
    let line = line.trim_end_matches(')').parse().ok();
    if is_file { found(Family::Other, "", (name, line)) } else { found(Family::Other, name, ("", None)) }
}

/// Reads `@     0x55d0c3 check()`.
fn glog_frame(text: &str) -> Option<FoundFrame> {
    let (_, name) = text.strip_prefix('@')?.trim_start().strip_prefix("0x")?.split_once(' ')?;
    found(Family::Native, native_name(name.trim()), ("", None))
}

/// Reads `$000000000040123A  CHECK,  line 5 of send.pas`.
fn pascal_frame(text: &str) -> Option<FoundFrame> {
    let (_, rest) = text.split_once(' ')?;
    let (name, place) = rest.trim().split_once(",  line ")?;
    let (line, file) = place.split_once(" of ")?;
    found(Family::Other, name, (file, line.parse().ok()))
}

/// Reads `main.charge(0xc000012345)`, which is followed by a line with its file.
fn go_frame(text: &str, next: &str) -> Option<FoundFrame> {
    let place = next.strip_prefix(['\t', ' '])?.trim();
    if !place.contains(".go:") {
        return None;
    }
    let place = place_of(place.split(" +0x").next()?);
    let name = text.rsplit_once('(').filter(|(name, _)| !name.ends_with('.')).map_or(text, |(name, _)| name);
    // Arguments may hold brackets: `panic({0x1?, 0x2?})`.
    let name = if text.starts_with("created by ") { text } else { name };
    let is_name = !name.is_empty() && (!name.contains(' ') || name.starts_with("created by "));
    if is_name { found(Family::Go, name, place) } else { None }
}

/// Reads frames of scripts: `pay at pay.rb:3`, `pay@a.js:2:9`, `a.pike:1: /main()->pay(417)`, `a.scm:2: pay`.
fn script_frame(text: &str) -> Option<FoundFrame> {
    // JRuby.
    if let Some((name, place)) = text.split_once(" at ").filter(|(name, _)| !name.contains(' '))
        && (place.contains(".rb:") || place.contains(".java:"))
        && let (file, Some(line)) = place_of(place)
        && !file.contains(' ')
    {
        return found(Family::Ruby, name, (file, Some(line)));
    }
    // SpiderMonkey and Safari: `pay@a.js:2:9`.
    if let Some((name, place)) = text.split_once('@')
        && (place.contains(".js:") || place.contains(".mjs:") || place.contains(".ts:"))
        && !text.contains(' ')
        && place_of(place).1.is_some()
    {
        return found(Family::Script, name, place_of(place));
    }
    if let Some((place, call)) = text.split_once(".pike:").and_then(|_| text.split_once(": /main()->")) {
        return found(Family::Other, call.split('(').next()?, place_of(place));
    }
    // Racket.
    if let Some(file) = text.strip_prefix("body of \"") {
        return found(Family::Script, "", (file.trim_end_matches('"'), None));
    }
    if let Some((start, rest)) = text.split_once(".rkt:").filter(|(start, _)| !start.contains(' ')) {
        let (line, rest) = rest.split_once(':')?;
        let name = rest.split_once(": ").map_or("", |(_, name)| name);
        return found(Family::Script, name, (&text[..start.len() + 4], line.parse().ok()));
    }
    if let Some((place, name)) = text.split_once(".scm:").and_then(|_| text.split_once(": "))
        && let Some(name) = name.split('\t').next().filter(|name| !name.contains(' '))
    {
        return found(Family::Scheme, name, place_of(place));
    }
    None
}

/// Reads frames that begin with their place or function.
fn placed_frame(text: &str) -> Option<FoundFrame> {
    if let Some(frame) =
        elixir_place(text).or_else(|| ruby_frame(text)).or_else(|| lua_frame(text)).or_else(|| script_frame(text))
    {
        return Some(frame);
    }
    if let Some((name, place)) = text.split_once(", called at ")
        && let Some((place, caller)) = place.split_once(" in ")
    {
        let frame = found(Family::Functional, name, place_of(place))?;
        return Some(FoundFrame { caller: caller.to_owned(), ..frame });
    }
    if let Some((call, place)) = text.rsplit_once(" called at ")
        && (call.contains(['(', '{']) || call.contains("::") && !call.contains(' '))
        && let Some((file, line)) = place.rsplit_once(" line ")
    {
        return found(
            Family::Perl,
            call.split(['(', ' ']).next()?,
            (file, line.split([' ', '.']).next()?.parse().ok()),
        );
    }
    if let Some((place, name)) = text.split_once(".nim(")
        && let Some((line, name)) = name.split_once(") ")
    {
        return found(Family::Nim, name, (&text[..place.len() + 4], line.parse().ok()));
    }
    if let Some((place, name)) = text.split_once(".nim ") {
        return found(Family::Nim, name, (&text[..place.len() + 4], None));
    }
    if let Some((place, name)) = text.split_once(": 0x")
        && let Some((_, name)) = name.split_once(" in ")
    {
        return found(Family::Native, name.split(" (").next()?, place_of(place));
    }
    if text.ends_with(']')
        && let Some((before, _)) = text.rsplit_once(" [0x")
        && let Some((place, name)) = before.split_once(' ')
        && place.contains(':')
    {
        // `send.d:5 int send.check(int)`: the type comes first.
        return found(Family::Native, native_name(name).rsplit(' ').next()?, place_of(place));
    }
    if text.ends_with(']')
        && let Some((module, symbol)) = text.split_once('(')
        && let Some((name, offset)) = symbol.split_once("+0x")
        && offset.contains("[0x")
    {
        let file = if name.is_empty() { module } else { "" };
        return found(Family::Native, name, (file, None));
    }
    if let Some((name, rest)) = text.split_once(" at line ")
        && !name.contains(' ')
        && let Some((line, _)) = rest.split_once(" column ")
    {
        return found(Family::Other, name, ("", line.parse().ok()));
    }
    None
}

/// Reads `send.lua:5: in function 'check'`.
fn lua_frame(text: &str) -> Option<FoundFrame> {
    let (place, name) = text.split_once(": in ")?;
    let (file, line) = place_of(place);
    if line.is_none() || file.contains(' ') {
        return None;
    }
    const KINDS: [&str; 7] = ["function ", "upvalue ", "local ", "method ", "field ", "global ", "main "];
    let name = KINDS.iter().find_map(|kind| name.strip_prefix(kind))?;
    let is_anonymous = name.starts_with('<');
    found(Family::Lua, if is_anonymous { "" } else { name.trim_matches(['\'', '<', '>']) }, (file, line))
}

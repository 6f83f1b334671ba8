//! Lines that name an exception: its type, what it says, where and in which thread it happened.

use super::frame::place_of;
use super::trace::{NAME_BYTES_MAX, cut};

/// How an exception is related to the one that was read before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Relation {
    #[default]
    Alone,
    /// It caused the one before.
    Cause,
    /// It was caused by the one before.
    Effect,
    /// It is one of a group.
    Member,
}

/// What a line says of an exception.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) file: String,
    pub(super) line: Option<u32>,
    pub(super) function: String,
    pub(super) thread: Option<String>,
    pub(super) relation: Relation,
    /// Whether it is the report of a runtime, which needs no frame to be one.
    pub(super) is_report: bool,
    /// Whether the type was seen by its form alone, and may be any word.
    pub(super) is_guess: bool,
    /// Whether no line further down is part of the message.
    pub(super) is_whole: bool,
}

impl Heading {
    pub(super) fn report(kind: &str, message: &str) -> Option<Self> {
        Some(Self { is_report: true, ..Self::plain(kind, message) })
    }

    fn plain(kind: &str, message: &str) -> Self {
        Self {
            kind: cut(kind.trim(), NAME_BYTES_MAX).to_owned(),
            message: message.trim().to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn at(mut self, (file, line): (&str, Option<u32>)) -> Self {
        if line.is_some() {
            (self.file, self.line) = (file.to_owned(), line);
        }
        self
    }

    /// Takes the place, which PHP writes at the end of a message, out of the message.
    pub(super) fn end_with_place(&mut self) {
        let message = std::mem::take(&mut self.message);
        let (text, place) = php_place(&message);
        *self = Self { message: text.to_owned(), ..std::mem::take(self) }.at(place);
    }

    fn with(mut self, relation: Relation) -> Self {
        self.relation = relation;
        self
    }
}

/// Ends of names of types without a package.
const TYPE_ENDINGS: &str = "Error|Exception|Warning|Fault|Panic|Throwable|Interrupt|Exit|Failure|Defect|Failed";

/// Phrases that introduce a cause, or the exception that it led to.
const CAUSES: [&str; 5] = ["Caused by: ", "---> ", "[cause]: ", "Cause: ", "caused by: "];
const EFFECTS: [&str; 3] = ["Next ", "Wrapped by: ", "[previous exception] "];

/// Returns what a line says of an exception, where that is more than a guess or a frame follows.
pub(super) fn heading_of(line: &str) -> Option<Heading> {
    let text = line.trim();
    if text.len() < 3 {
        return None;
    }
    let is_indented = line.starts_with([' ', '\t']);
    if let Some(rest) = CAUSES.iter().find_map(|sign| text.strip_prefix(sign)) {
        if let Some(member) = rest.strip_prefix("(Inner Exception #").and_then(|rest| rest.split_once(") ")) {
            return Some(named(member.1).with(Relation::Member));
        }
        return Some(named(rest).with(Relation::Cause));
    }
    if let Some(rest) = EFFECTS.iter().find_map(|sign| text.strip_prefix(sign)) {
        let heading = if text.starts_with("Next") { php(rest) } else { laravel(rest).or_else(|| typed(rest)) };
        return heading.map(|heading| heading.with(Relation::Effect));
    }
    runtime_report(text)
        .or_else(|| php_report(text))
        .or_else(|| native_report(text))
        .or_else(|| ruby_report(text).or_else(|| script_report(text)))
        .or_else(|| {
            if is_indented { None } else { laravel(text).or_else(|| typed(unbracketed(text))).or_else(|| inline(text)) }
        })
}

/// Node shows exceptions without frames in brackets: `[AggregateError: text] {`.
fn unbracketed(text: &str) -> &str {
    text.trim_end_matches(" {").strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

/// A type with its message before or behind it; a text that names no type is the message.
fn named(text: &str) -> Heading {
    let text = text.trim_end_matches(" {");
    let behind = |open: &str, close: char| {
        let (message, kind) = text.strip_suffix(close)?.rsplit_once(open)?;
        typed(kind).filter(|kind| kind.message.is_empty()).map(|heading| Heading::plain(&heading.kind, message))
    };
    let before = typed(text).filter(|heading| !heading.is_guess || !text.ends_with([')', ']']));
    let found = before.or_else(|| behind(" (", ')')).or_else(|| behind(" [", ']')).or_else(|| typed(text));
    found.unwrap_or_else(|| Heading::plain("", text))
}

/// Reads `mail.SendFailed: text`, `TypeError [ERR_X]: text`, `NoMethodError (text)`: a line that is a type and its message.
pub(super) fn typed(text: &str) -> Option<Heading> {
    let is_name = |char: char| char.is_alphanumeric() || "_$.\\:<>-?`/".contains(char);
    let end = text.find(": ").or_else(|| text.strip_suffix(':').map(str::len)).unwrap_or(text.len());
    let end = text[..end].find([' ', '(', '{']).unwrap_or(end);
    let (name, rest) = text.split_at(end);
    let rest = match rest.strip_prefix(" [") {
        Some(code) => code.split_once(']').map_or("", |(_, rest)| rest),
        None => rest,
    };
    let message = match rest.trim_end_matches('{').trim_end() {
        "" => "",
        rest if rest.starts_with(':') => &rest[1..],
        rest => rest.strip_prefix(" (")?.trim_end_matches(')'),
    };
    let last = name.rsplit(['.', '\\', ':', '/']).next().unwrap_or_default();
    let is_kind = !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name.chars().all(is_name)
        && name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && last.starts_with(|first: char| first.is_ascii_uppercase())
        && !is_no_kind(name);
    if !is_kind {
        return None;
    }
    let is_sure = has_ending(last) || name.contains(['.', '\\']) || name.contains("::");
    Some(Heading { is_guess: !is_sure, ..Heading::plain(name, message) })
}

fn has_ending(name: &str) -> bool {
    TYPE_ENDINGS.split('|').any(|ending| name.ends_with(ending))
}

/// Levels and other words before a colon.
fn is_no_kind(name: &str) -> bool {
    let is_level = types::Level::parse(name).is_some() && name != "Error" && name != "Exception";
    let is_upper = !name.bytes().any(|byte| byte.is_ascii_lowercase());
    // What Python's logging says of a record that it could not write.
    let is_label = matches!(name, "java.lang.Thread.State" | "Message" | "Arguments");
    is_level || is_upper || is_label || name.ends_with('.')
}

/// Finds `IllegalStateException: text` within a line of a logger.
fn inline(text: &str) -> Option<Heading> {
    for (at, _) in text.match_indices(": ").take(8) {
        let start = text[..at].rfind([' ', '"', '(', '[']).map_or(0, |at| at + 1);
        let name = text[start..at].trim_end_matches(')');
        if name.len() > 5
            && has_ending(name)
            && let Some(heading) = typed(&text[start..])
        {
            return Some(heading);
        }
    }
    // Ruby has the type in brackets at the end, some loggers have it there alone.
    let (before, last) = text.strip_suffix(')')?.rsplit_once(" (")?;
    let heading = typed(last).filter(|heading| !heading.is_guess && heading.message.is_empty())?;
    let message = before.rsplit_once(" -- ").map_or(before, |(_, message)| message);
    let message = message.split_once(": ").filter(|(head, _)| !head.contains(' ')).map_or(message, |(_, rest)| rest);
    Some(Heading { message: message.trim().to_owned(), ..heading })
}

/// Reports of runtimes with types: JVM, .NET, Go, Rust, BEAM, Python.
fn runtime_report(text: &str) -> Option<Heading> {
    if let Some(rest) = text.strip_prefix("Exception in thread ") {
        if let Some((thread, rest)) = rest.strip_prefix('"').and_then(|rest| rest.split_once("\" ")) {
            let heading = Heading { is_report: true, is_guess: false, ..named(rest) };
            return Some(Heading { thread: Some(thread.to_owned()), ..heading });
        }
        let thread = rest.trim_end_matches(':').trim_end_matches(" (most recent call last)");
        return Some(Heading { thread: Some(thread.to_owned()), ..Heading::default() });
    }
    if text.starts_with("thread ")
        && let Some((thread, rest)) = text.split_once(" panicked at ")
    {
        return rust_panic(thread, rest);
    }
    if let Some((thread, _)) =
        text.strip_prefix("thread '").and_then(|rest| rest.split_once("' has overflowed its stack"))
    {
        return Heading::report("stack overflow", "").map(|it| Heading { thread: Some(thread.to_owned()), ..it });
    }
    let zig = || Some(text.strip_prefix("thread ")?.split_once(" panic: ")?.1);
    if let Some(rest) = text.strip_prefix("panic: ").or_else(zig) {
        return Heading::report("panic", rest.split(" [recovered").next().unwrap_or(rest));
    }
    if let Some((_, rest)) = text.split_once("http: panic serving ") {
        return Heading::report("panic", rest.split_once(": ").map_or(rest, |(_, rest)| rest));
    }
    // Of V8 the last; Go names signals.
    const FATAL: [&str; 3] = ["fatal error", "Fatal Python error", "FATAL ERROR"];
    let is_signal = |kind: &str| kind.len() > 5 && kind.bytes().all(|byte| byte.is_ascii_uppercase());
    if let Some((kind, rest)) = text.split_once(": ")
        && (FATAL.contains(&kind) || kind.starts_with("SIG") && is_signal(kind))
    {
        return Heading::report(kind, rest);
    }
    const HANDLER: &str = " thrown from the UncaughtExceptionHandler in thread ";
    if let Some((kind, thread)) = text.strip_prefix("Exception: ").and_then(|rest| rest.split_once(HANDLER)) {
        let thread = Some(thread.trim_matches('"').to_owned());
        return Heading::report(kind, "").map(|heading| Heading { thread, ..heading });
    }
    if let Some((_, rest)) = text.split_once(": exception from uncaught JavaScript throw: ") {
        return Some(unhandled(rest));
    }
    const UNHANDLED: &str = "Target exception: |Unhandled Java exception: |Uncaught exception |\
        Unhandled exception. |Unhandled Exception: |Unhandled exception: |[ERROR] FATAL UNHANDLED EXCEPTION: |\
        error: Uncaught |Uncaught |Error: unhandled exception: ";
    if let Some(rest) = UNHANDLED.split('|').find_map(|sign| text.strip_prefix(sign)) {
        let rest = rest.strip_prefix("(in promise) ").or_else(|| rest.strip_prefix("exception: ")).unwrap_or(rest);
        return Some(unhandled(rest));
    }
    beam_report(text)
}

/// Reports of Erlang, Elixir and Clojure.
fn beam_report(text: &str) -> Option<Heading> {
    if let Some((kind, rest)) = text.strip_prefix("** (").and_then(|rest| rest.split_once(") ")) {
        let is_exit = kind.starts_with("EXIT") || kind == "stop" || kind == "exit";
        return Heading::report(if is_exit { "exit" } else { kind }, rest);
    }
    // Of the BEAM, by the class of the exception.
    if let Some((_, rest)) = text.split_once("exception ")
        && let Some((class @ ("error" | "exit" | "throw"), rest)) = rest.split_once(": ")
    {
        return Heading::report(class, rest);
    }
    if let Some(rest) = text.strip_prefix("Execution error ") {
        let (kind, rest) = rest.strip_prefix('(').and_then(|rest| rest.split_once(") at ")).unwrap_or(("", rest));
        let place = rest.rsplit_once('(').map_or("", |(_, place)| place.trim_end_matches([')', '.']));
        return Heading::report(kind, "").map(|heading| heading.at(place_of(place)));
    }
    None
}

/// What stands behind a runtime's words.
fn unhandled(rest: &str) -> Heading {
    let mut heading = Heading { is_report: true, is_guess: false, ..named(rest) };
    if heading.kind.is_empty() {
        heading.kind.push_str("Error");
    }
    heading
}

fn rust_panic(thread: &str, rest: &str) -> Option<Heading> {
    let name = thread["thread ".len()..].trim_start_matches('\'').split('\'').next().unwrap_or_default();
    let (message, place) = match rest.strip_prefix('\'').and_then(|rest| rest.rsplit_once("', ")) {
        Some(parts) => parts,
        None => ("", rest.trim_end_matches(':')),
    };
    let thread = Some(name.to_owned()).filter(|name| !name.starts_with('<') && !name.is_empty());
    Heading::report("panic", message).map(|heading| Heading { thread, ..heading.at(place_of(place)) })
}

/// Reports of programs without a virtual machine: C++, sanitizers, assertions, OCaml, Swift, Zig, D, Ada.
fn native_report(text: &str) -> Option<Heading> {
    if let Some(rest) = text.strip_prefix("terminate called after throwing an instance of '") {
        return Heading::report(rest.trim_end_matches('\''), "");
    }
    if let Some((_, rest)) = text.split_once("uncaught exception of type ").filter(|_| text.starts_with("libc++abi")) {
        let (kind, message) = rest.split_once(": ").unwrap_or((rest, ""));
        return Heading::report(kind, message);
    }
    if let Some((_, rest)) =
        text.split_once("Sanitizer: ").filter(|_| text.starts_with("==") || text.starts_with("WARN"))
    {
        let kind = rest.split(" on ").next().unwrap_or(rest).split(" (").next().unwrap_or(rest);
        return Heading::report(kind, &rest[kind.len()..]);
    }
    if let Some(rest) = text.strip_prefix("Fatal error: exception ") {
        let (kind, message) =
            rest.split_once('(').map_or((rest, ""), |(kind, message)| (kind, message.trim_end_matches(')')));
        let message = message.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(message);
        return if kind.starts_with("File ") {
            Heading::report("Assert_failure", rest)
        } else {
            Heading::report(kind, message)
        };
    }
    const SWIFT: [&str; 3] = ["Fatal error", "Precondition failed", "Assertion failed"];
    if let Some((place, rest)) = text.split_once(".swift:")
        && let Some((line, rest)) = rest.split_once(": ")
        && let Some(kind) = SWIFT.into_iter().find(|kind| rest.starts_with(kind))
    {
        let message = rest[kind.len()..].trim_start_matches(": ");
        let file = format!("{place}.swift");
        return Heading::report(kind, message).map(|heading| heading.at((&file, line.parse().ok())));
    }
    if let Some(rest) = text.strip_prefix("*** Swift runtime failure: ") {
        return Heading::report("Swift runtime failure", rest.trim_end_matches(" ***"));
    }
    if let Some(message) = text.strip_prefix("Fatal error: ").filter(|message| !message.starts_with(' ')) {
        return Heading::report("Fatal error", message);
    }
    if let Some((kind, rest)) = text.split_once('@')
        && let Some((place, message)) = rest.split_once("): ").or_else(|| Some((rest.strip_suffix(')')?, "")))
        && let Some((file, line)) = place.rsplit_once('(')
    {
        let heading = typed(kind).filter(|heading| heading.message.is_empty())?;
        return Some(
            Heading { message: message.to_owned(), is_report: true, is_guess: false, ..heading }
                .at((file, line.parse().ok())),
        );
    }
    if let Some(rest) = text.strip_prefix("raised ") {
        let (kind, message) = rest.split_once(" : ").unwrap_or((rest, ""));
        let place = message.split(' ').next().unwrap_or_default();
        return Heading::report(kind, message)
            .filter(|_| !kind.contains(' '))
            .map(|heading| heading.at(place_of(place)));
    }
    let (head, tail) = text.split_once(": Assertion `")?;
    let mut parts = head.rsplitn(4, ": ").map(str::trim);
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let place = if place_of(first).1.is_some() { first } else { second };
    Heading::report("Assertion", &format!("`{tail}")).map(|heading| heading.at(place_of(place)))
}

/// Reads `PHP Fatal error:  Uncaught mail\Lost: text in /srv/send.php:6`; pages and terminals show it without `PHP`.
fn php_report(text: &str) -> Option<Heading> {
    let php_text = text.split_once("PHP ").map_or(text, |(_, rest)| rest);
    let php_text = php_text.strip_prefix("message: PHP ").unwrap_or(php_text);
    const KINDS: [&str; 3] = ["Fatal error", "Parse error", "Recoverable fatal error"];
    let (kind, rest) = KINDS.iter().find_map(|kind| Some((*kind, php_text.strip_prefix(kind)?.strip_prefix(": ")?)))?;
    let uncaught = rest.trim_start().strip_prefix("Uncaught ");
    let (message, place) = php_place(uncaught.unwrap_or(rest));
    // Swift reports `Fatal error` too, but with one blank and no place.
    if uncaught.is_none() && !rest.starts_with(' ') && place.1.is_none() {
        return None;
    }
    match uncaught.and_then(php) {
        Some(heading) => Some(Heading { is_report: true, ..heading }),
        None => Heading::report(kind, message).map(|heading| heading.at(place)),
    }
}

/// Reads a report of Ruby: `a.rb:7:in 'send': text (Type)`.
fn ruby_report(text: &str) -> Option<Heading> {
    if let Some((place, rest)) = text.split_once(":in ")
        && place_of(place).1.is_some()
        && let Some((_, rest)) =
            rest.split_once("': ").or_else(|| rest.split_once(": ").filter(|_| rest.ends_with(')')))
    {
        let is_signal = rest.bytes().all(|byte| byte.is_ascii_alphabetic());
        let bare = if is_signal { ("", rest) } else { (rest, "RuntimeError") };
        let (message, kind) = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")).unwrap_or(bare);
        return Heading::report(kind, message);
    }
    let bug = || Some(("[BUG]", text.split_once(": [BUG] ")?));
    let syntax = || Some(("SyntaxError", text.strip_suffix(" (SyntaxError)")?.split_once(": ")?));
    let (kind, (place, message)) = bug().or_else(syntax)?;
    Heading::report(kind, message).map(|heading| heading.at(place_of(place)))
}

/// Reads reports of Fortran, Guile, CLISP, Lua and others.
fn script_report(text: &str) -> Option<Heading> {
    const FORTRAN: [&str; 2] = ["Fortran runtime error", "ERROR STOP"];
    if let Some((kind, rest)) = FORTRAN.iter().find_map(|kind| Some((kind, text.strip_prefix(kind)?))) {
        return Heading::report(kind, rest.trim_start_matches(": "));
    }
    if let Some((place, file)) = text.strip_prefix("At line ").and_then(|rest| rest.split_once(" of file ")) {
        return Some(Heading::default().at((file.split(' ').next()?, place.parse().ok())));
    }
    // Guile: `/srv/a.scm:9:2: In procedure car: text`, or with the text on the next line.
    let placed = || text.split_once(": ").filter(|(place, _)| place_of(place).1.is_some());
    let behind = text.strip_prefix("ERROR: ").or_else(|| placed().map(|(_, rest)| rest)).unwrap_or(text);
    if let Some(rest) = behind.strip_prefix("In procedure ") {
        let (function, message) = rest.split_once(": ").unwrap_or((rest.trim_end_matches(':'), ""));
        return Heading::report("error", message).map(|heading| Heading { function: function.to_owned(), ..heading });
    }
    // Go's compiler begins with the name of the package.
    if let Some((place, message)) = placed().filter(|(place, _)| place.starts_with("./") && place.contains(".go:")) {
        return Heading::report("error", message).map(|heading| heading.at(place_of(place)));
    }
    let prolog = || text.strip_prefix("ERROR: Prolog initialisation failed:");
    let scheme = || Some(placed().filter(|(place, _)| place_of(place).0.ends_with(".scm"))?.1);
    if let Some(rest) = text.strip_prefix("*** - ").or_else(prolog).or_else(scheme) {
        return Heading::report("error", rest);
    }
    let is_lua = |name: &str| name.rsplit('/').next().is_some_and(|name| name.starts_with("lua") && name.len() < 10);
    if let Some((_, rest)) = text.split_once(": ").filter(|(name, _)| is_lua(name)) {
        let (place, message) =
            rest.split_once(": ").filter(|(place, _)| place_of(place).1.is_some()).unwrap_or(("", rest));
        return Heading::report("error", message).map(|heading| heading.at(place_of(place)));
    }
    if let Some((call, message)) =
        text.strip_prefix("Error in ").and_then(|rest| rest.split_once(" : ").or(rest.split_once(" :")))
    {
        let function = cut(call.split('(').next()?, NAME_BYTES_MAX).to_owned();
        return Heading::report("Error", message).map(|heading| Heading { function, ..heading });
    }
    if let Some((kind, thread)) = text.strip_prefix("Unhandled ").and_then(|rest| rest.split_once(" in thread ")) {
        let thread = thread.split('"').nth(1).map(str::to_owned);
        return Heading::report(kind, "").map(|heading| Heading { thread, ..heading });
    }
    if let Some(rest) = text.strip_prefix("error: ") {
        let is_name = rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && rest.starts_with(|first: char| first.is_ascii_uppercase());
        return Some(Heading {
            is_guess: true,
            ..if is_name { Heading::plain(rest, "") } else { Heading::plain("Error", rest) }
        });
    }
    if let Some((_, kind)) = text.split_once(": Uncaught exception ") {
        return Heading::report(kind.rsplit(':').find(|part| !part.is_empty())?, "");
    }
    if let Some(rest) = text.strip_prefix("[UnhandledPromiseRejection: ") {
        return Heading::report("UnhandledPromiseRejection", rest.trim_end_matches(['{', ' ', ']']));
    }
    if let Some((_, reason)) =
        text.split_once("UnhandledPromiseRejection: ").and_then(|(_, rest)| rest.split_once(" reason "))
    {
        return Heading::report("UnhandledPromiseRejection", reason.trim_end_matches('.').trim_matches('"'));
    }
    if let Some((message, place)) = text.strip_suffix('.').and_then(|text| text.rsplit_once(" at "))
        && let Some((file, line)) = place.split_once(" line ")
        // A thread may follow, or the line that was read last: `line 7, <STDIN> line 3`.
        && let Some(line) = line.split([' ', ',']).next().and_then(|line| line.parse().ok())
    {
        return Some(Heading::plain("", message).at((file, Some(line))));
    }
    None
}

/// Reads `InvalidArgumentException: text in /srv/send.php:6`.
fn php(text: &str) -> Option<Heading> {
    let (text, place) = php_place(text);
    typed(text).map(|heading| Heading { is_guess: false, ..heading }.at(place))
}

/// Splits `text in /srv/send.php:6` and `text in /srv/send.php on line 6`.
pub(super) fn php_place(text: &str) -> (&str, (&str, Option<u32>)) {
    let Some((before, place)) = text.rsplit_once(" in ") else { return (text, ("", None)) };
    let place = match place.split_once(" on line ") {
        Some((file, line)) => (file, line.trim().parse().ok()),
        None => place_of(place),
    };
    if place.1.is_some() { (before, place) } else { (text, ("", None)) }
}

/// Reads `[object] (RuntimeException(code: 0): text at /srv/send.php:12)`.
fn laravel(text: &str) -> Option<Heading> {
    let (_, rest) = text.split_once("[object] (")?;
    let (kind, rest) = rest.split_once("(code: ")?;
    let (message, place) = rest.split_once("): ")?.1.rsplit_once(" at ")?;
    Some(Heading::plain(kind, message).at(place_of(place.trim_end_matches([')', '"', '}', ' ']))))
}

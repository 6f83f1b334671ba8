//! Reads templates of Jinja, which rules were written in before, as those of Go.
//!
//! Names tell them apart: Jinja's `{{ value }}` would be a function in Go, and there is none with the name of a variable.
//! Translated is what a template of Go does in the same way: variables and their members, literals, operators, `if`, `for`
//! and the filters with a counterpart. All else is refused by name.

use std::sync::LazyLock;

use regex::Regex;

/// Closing braces, texts and comments (also those of Go), numbers, words and signs.
static LEXEME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let texts = r#"-?[%}]\}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|/\*(?s:.*?)\*/"#;
    Regex::new(&format!(r"{texts}|\d[\w.]*|not\s+in\b|\w+|[=!<>]=|//|\*\*|\S")).ok()
});

/// Operators and their functions, from those that bind least; `not` is the third.
const OPERATORS: [&[(&str, &str)]; 7] = [
    &[("or", "or")],
    &[("and", "and")],
    &[],
    &[("==", "eq"), ("!=", "ne"), ("<", "lt"), ("<=", "le"), (">", "gt"), (">=", "ge"), ("in", "contains")],
    &[("+", "add"), ("-", "sub")],
    &[("~", "print")],
    &[("*", "mul"), ("/", "div")],
];
const NOT: usize = 2;
const COMPARISON: usize = 3;

/// Most lexemes of a tag, and how deep they nest, by levels of operators: what was written by hand has less.
const LEXEMES_MAX: usize = 1_000;
const DEPTH_MAX: usize = 200;

/// Lists, by the last name that leads to them.
const LISTS: [&str; 3] = [".events", ".alerts", ".values"];

/// Reports whether a text is in Jinja: it has a tag, or a known variable without a dot.
pub(crate) fn is_jinja(text: &str, variables: &[&str]) -> bool {
    let mut rest = text;
    while let Some((_, tag)) = rest.split_once("{{") {
        let Some((lexemes, n_bytes)) = lexemes(tag, "}}") else { break };
        let is_bare =
            |at: usize| variables.contains(&lexemes[at]) && (at == 0 || ![".", "$"].contains(&lexemes[at - 1]));
        if (0..lexemes.len()).any(is_bare) {
            return true;
        }
        rest = &tag[n_bytes..];
    }
    text.contains("{%") || text.contains("{#")
}

/// Returns the place of the next tag at or behind `at`.
pub(crate) fn next_tag(text: &str, at: usize) -> Option<usize> {
    let is_open = |start: &usize| text[start + 1..].starts_with(['{', '%', '#']);
    text[at..].match_indices('{').map(|(n, _)| at + n).find(is_open)
}

/// Returns a template as one of Go.
pub(crate) fn go_of(text: &str) -> Result<String, String> {
    let (mut out, mut at, mut reader) = (String::new(), 0, Reader::default());
    while let Some(start) = next_tag(text, at) {
        let (n_bytes, new) = reader.tag(&text[start..]).map_err(|problem| {
            let n_braces = if text[start..].starts_with("{{") { 2 } else { 1 };
            format!(
                "{problem} in {}",
                text[start..].split_inclusive('}').take(n_braces).flat_map(str::chars).take(80).collect::<String>()
            )
        })?;
        out += &text[at..start];
        out += &new;
        at = start + n_bytes;
    }
    Ok(out + &text[at..])
}

/// A loop within which a tag is: its variables, its counter and what it goes over.
pub(crate) type Loop = (Vec<String>, String, String);

/// Translates tags one after the other.
#[derive(Clone, Default)]
pub(crate) struct Reader<'t> {
    /// The variables that may occur; any, if empty.
    pub(crate) variables: &'t [&'t str],
    /// Blocks that are open.
    pub(crate) blocks: Vec<Option<Loop>>,
    pub(crate) lexemes: Vec<&'t str>,
    pub(crate) at: usize,
    pub(crate) depth: usize,
}

impl<'t> Reader<'t> {
    /// Translates the tag at the start of a text; returns also how long it is.
    pub(crate) fn tag(&mut self, text: &'t str) -> Result<(usize, String), String> {
        let (open, inner) = text.split_at(2);
        let close = if open == "{{" { "}}" } else { "%}" };
        let left = if inner.starts_with('-') { "- " } else { " " };
        let inner = inner.strip_prefix('-').unwrap_or(inner);
        let end;
        (self.lexemes, end) = lexemes(inner, close).ok_or_else(|| format!("\"{open}\""))?;
        (self.at, self.depth) = (0, 0);
        let new = if open == "{{" { self.output()? } else { self.statement()? };
        if let Some(lexeme) = self.lexemes.get(self.at) {
            return Err(format!("\"{lexeme}\""));
        }
        let right = if inner[..end].ends_with(&format!("-{close}")) { " -" } else { " " };
        Ok((text.len() - inner.len() + end, format!("{{{{{left}{new}{right}}}}}")))
    }

    fn next(&mut self) -> &'t str {
        self.at += 1;
        self.lexemes.get(self.at - 1).copied().unwrap_or_default()
    }

    fn take(&mut self, lexeme: &str) -> bool {
        let is_there = self.lexemes.get(self.at) == Some(&lexeme);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, lexeme: &str) -> Result<(), String> {
        if self.take(lexeme) { Ok(()) } else { Err(format!("no \"{lexeme}\"")) }
    }

    fn statement(&mut self) -> Result<String, String> {
        let word = self.next();
        if ["else", "endif", "endfor"].contains(&word) {
            self.blocks.pop();
        }
        if ["else", "if"].contains(&word) {
            self.blocks.push(None);
        }
        match word {
            "if" => Ok(format!("if {}", bare(self.binary(0)?))),
            "elif" => Ok(format!("else if {}", bare(self.binary(0)?))),
            "else" => Ok("else".to_owned()),
            "endif" | "endfor" => Ok("end".to_owned()),
            "for" => self.for_loop(),
            other => Err(format!("\"{other}\"")),
        }
    }

    fn for_loop(&mut self) -> Result<String, String> {
        let counter = ["$loop", "$loop2", "$loop3"].get(self.loops().count()).ok_or("too many loops")?.to_string();
        let mut names = vec![self.next().to_owned()];
        if self.take(",") {
            names.push(self.next().to_owned());
        }
        self.expect("in")?;
        let of = self.binary(0)?;
        let (head, of) = match (&names[..], of.strip_prefix("(items ").and_then(|of| of.strip_suffix(')'))) {
            ([name], None) if is_list(&of) => (format!("range {counter}, ${name} := {of}"), of.as_str()),
            ([name, value], Some(of)) => {
                let head = format!("{counter} := -1 }}}}{{{{ range ${name}, ${value} := {of} }}}}");
                (format!("{head}{{{{ {counter} = add {counter} 1"), of)
            }
            _ => return Err(format!("a loop over {of}")),
        };
        // Within the loop the dot is the element.
        let of = if of.starts_with('.') { format!("${of}") } else { of.to_owned() };
        self.blocks.push(Some((names, counter, of)));
        Ok(head)
    }

    fn loops(&self) -> impl DoubleEndedIterator<Item = &Loop> {
        self.blocks.iter().flatten()
    }

    /// Reads what a tag writes. Of the two sides of a condition Go looks at one alone only in blocks.
    fn output(&mut self) -> Result<String, String> {
        let value = bare(self.binary(0)?);
        if !self.take("if") {
            return Ok(value);
        }
        let mut block = format!("if {} }}}}{}", bare(self.binary(0)?), written(&value));
        if self.take("else") {
            block += &format!("{{{{ else }}}}{}", written(&self.output()?));
        }
        Ok(block + "{{ end")
    }

    fn binary(&mut self, level: usize) -> Result<String, String> {
        let Some(operators) = OPERATORS.get(level) else { return self.filtered() };
        self.depth += 1;
        types::ensure!(self.depth <= DEPTH_MAX, "too many parentheses".to_owned());
        let is_not = level == NOT && self.take("not");
        let mut left = self.binary(level + 1)?;
        self.depth -= 1;
        if is_not {
            return Ok(format!("(not {left})"));
        }
        if level == COMPARISON && self.lexemes.get(self.at).is_some_and(|lexeme| lexeme.starts_with("not")) {
            self.at += 1;
            return Ok(format!("(not (contains {left} {}))", self.binary(level + 1)?));
        }
        while let Some((_, function)) = operators.iter().find(|(sign, _)| self.take(sign)) {
            let right = self.binary(level + 1)?;
            left = match *function {
                "or" | "and" if left.starts_with(&format!("({function} ")) => format!("({} {right})", bare(left)),
                // It puts a space between two values that are no texts.
                "print" => format!("(print {left} `` {right})"),
                _ => format!("({function} {left} {right})"),
            };
            if level == COMPARISON {
                break;
            }
        }
        Ok(left)
    }

    /// Reads a value with its sign and filters.
    fn filtered(&mut self) -> Result<String, String> {
        let mut value = if self.take("-") { format!("(sub 0 {})", self.member()?) } else { self.member()? };
        while self.take("|") {
            let (name, mut arguments) = (self.next(), Vec::new());
            let has_arguments = self.take("(");
            while has_arguments && !self.take(")") {
                arguments.push(self.binary(0)?);
                self.take(",");
            }
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            value = filtered(&value, name, &arguments).ok_or_else(|| format!("\"{name}\""))?;
        }
        if !self.take("is") {
            return Ok(value);
        }
        // What is missing and what is null are the same in Go: a label is never null, a variable never missing.
        let (is_variable, is_label) =
            (value.rfind('.') <= Some(1) && value.ends_with(char::is_alphanumeric), value.contains(".labels."));
        match (self.take("not"), self.next()) {
            (false, "none") if is_variable => Ok(format!("(eq {value} nil)")),
            (true, "none") if is_variable => Ok(format!("(ne {value} nil)")),
            (false, "defined") if is_label => Ok(format!("(ne {value} nil)")),
            (true, "defined") if is_label => Ok(format!("(eq {value} nil)")),
            (_, test) => Err(format!("\"{test}\"")),
        }
    }

    /// Reads a value with its members and elements.
    fn member(&mut self) -> Result<String, String> {
        let (mut value, mut index) = (self.primary()?, String::new());
        loop {
            let step = if self.take("[") {
                let step = self.binary(0)?;
                self.expect("]").map(|()| step)?
            } else if self.take(".") {
                format!("`{}`", self.next())
            } else {
                return Ok(if index.is_empty() { value } else { format!("(index {value}{index})") });
            };
            let is_word = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
            let name = step.strip_prefix('`').and_then(|step| step.strip_suffix('`')).filter(is_word);
            match name.filter(|_| index.is_empty() && value.starts_with(['.', '$'])) {
                Some(name) => value = format!("{value}.{name}"),
                None => index = format!("{index} {step}"),
            }
        }
    }

    fn primary(&mut self) -> Result<String, String> {
        let lexeme = self.next();
        match lexeme {
            "(" => {
                let value = self.binary(0)?;
                self.expect(")").map(|()| value)
            }
            "true" | "false" | "True" | "False" => Ok(lexeme.to_lowercase()),
            "none" | "None" => Err(format!("\"{lexeme}\"")),
            "loop" => {
                self.expect(".")?;
                let member = self.next();
                let (_, counter, of) = self.loops().next_back().ok_or("loop")?;
                match member {
                    "index" => Ok(format!("(add {counter} 1)")),
                    "index0" => Ok(counter.clone()),
                    "length" if of.starts_with('$') => Ok(format!("(len {of})")),
                    "first" => Ok(format!("(eq {counter} 0)")),
                    "last" if of.starts_with('$') => Ok(format!("(eq (add {counter} 1) (len {of}))")),
                    _ => Err(format!("loop.{member}")),
                }
            }
            _ if lexeme.starts_with(['"', '\'']) && lexeme.len() > 1 => {
                literal(lexeme).ok_or_else(|| lexeme.to_owned())
            }
            _ if lexeme.starts_with(|c: char| c.is_ascii_digit()) => Ok(lexeme.to_owned()),
            _ if self.loops().any(|(names, ..)| names.iter().any(|name| name == lexeme)) => Ok(format!("${lexeme}")),
            _ if lexeme.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && (self.variables.is_empty() || self.variables.contains(&lexeme)) =>
            {
                Ok(format!("{}.{lexeme}", if self.loops().next().is_some() { "$" } else { "" }))
            }
            _ => Err(format!("\"{lexeme}\"")),
        }
    }
}

fn is_list(path: &str) -> bool {
    path.starts_with(['.', '$']) && LISTS.iter().any(|name| path.ends_with(name))
}

/// Returns the lexemes of a tag, and where it ends.
fn lexemes<'t>(inner: &'t str, close: &str) -> Option<(Vec<&'t str>, usize)> {
    let mut lexemes = Vec::new();
    for lexeme in LEXEME.as_ref()?.find_iter(inner).take(LEXEMES_MAX) {
        if lexeme.as_str().trim_start_matches('-') == close {
            return Some((lexemes, lexeme.end()));
        }
        lexemes.push(lexeme.as_str());
    }
    None
}

/// Returns a value behind a filter.
fn filtered(value: &str, name: &str, arguments: &[&str]) -> Option<String> {
    Some(match (name, arguments) {
        ("upper", []) => format!("(toUpper {value})"),
        ("lower", []) => format!("(toLower {value})"),
        ("trim" | "int" | "round" | "items", []) => format!("({name} {value})"),
        ("round", [places]) => format!("(round {value} {places})"),
        ("replace", [from, to]) => format!("(replace {from} {to} {value})"),
        ("default" | "d", [other, "true"]) => format!("(or {value} {other})"),
        ("default" | "d", [other]) => format!("(default {other} {value})"),
        ("length" | "count", []) if is_list(value) || value.ends_with(".labels") => format!("(len {value})"),
        ("first", []) if is_list(value) => format!("(index {value} 0)"),
        ("last", []) if is_list(value) => format!("(index {value} -1)"),
        _ => return None,
    })
}

/// Returns a text as Go has it.
fn literal(lexeme: &str) -> Option<String> {
    let inner = &lexeme[1..lexeme.len() - 1];
    if !inner.contains(['\\', '`', '\n']) {
        return Some(format!("`{inner}`"));
    }
    (lexeme.starts_with('"') || !inner.contains('"')).then(|| format!("\"{inner}\""))
}

/// Returns the tag that writes a value; a text of letters needs none.
fn written(value: &str) -> String {
    let text = value.strip_prefix('`').and_then(|value| value.strip_suffix('`'));
    let plain = text.filter(|text| text.chars().all(|c| c.is_alphanumeric() || c == ' '));
    plain.map_or_else(|| format!("{{{{ {value} }}}}"), str::to_owned)
}

/// Returns a call without its parentheses.
fn bare(value: String) -> String {
    value.strip_prefix('(').and_then(|value| value.strip_suffix(')')).map_or(value.clone(), str::to_owned)
}

//! The syntax of Alloy's configuration: blocks with labels, attributes, and values (Grafana: *Alloy configuration syntax*).
//!
//! A value that is computed, by references, calls or operators, is kept as it is written.

use serde_json::{Map, Value};

/// Deepest nesting of blocks and of values.
const DEPTH_MAX: usize = 64;

/// The only member of an object that stands for a computed value.
const COMPUTED: &str = "\0computed";

/// A block: `name.of.it "label" { … }`.
#[derive(Debug, Default)]
pub(super) struct Block {
    name: String,
    label: String,
    pub(super) attributes: Vec<(String, Value)>,
    pub(super) blocks: Vec<Self>,
}

impl Block {
    /// Returns its name, with the label behind a dot.
    pub(super) fn full_name(&self) -> String {
        if self.label.is_empty() { self.name.clone() } else { format!("{}.{}", self.name, self.label) }
    }
}

/// Returns the expression of a computed value.
pub(super) fn computed(value: &Value) -> Option<&str> {
    value.as_object()?.get(COMPUTED)?.as_str()
}

/// Reports whether a text looks like a configuration of Alloy: blocks of components with labels.
pub(in super::super) fn is_alloy(text: &str) -> bool {
    let is_block = |line: &str| {
        let name = line.split([' ', '"', '{']).next().unwrap_or_default();
        let begins =
            ["loki.", "local.file", "prometheus.", "discovery.", "otelcol."].iter().any(|of| name.starts_with(of));
        begins && line[name.len()..].trim_start().starts_with(['"', '{'])
    };
    text.lines().any(is_block)
}

/// Reads the blocks of a file; attributes outside of blocks are left out, as no configuration has them. The error names the line.
pub(super) fn read(text: &str) -> Result<Vec<Block>, String> {
    let mut syntax = Syntax { text, at: 0 };
    let file = syntax.body(0)?;
    Ok(file.blocks)
}

/// Returns the arguments of a call that joins lists.
pub(super) fn joined(expression: &str) -> Option<Vec<Value>> {
    let inner =
        ["concat(", "array.concat("].iter().find_map(|call| expression.strip_prefix(call))?.strip_suffix(')')?;
    let list = format!("[{inner}]");
    let mut syntax = Syntax { text: &list, at: 0 };
    syntax.list(0).ok().filter(|_| syntax.rest().is_empty())
}

struct Syntax<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Syntax<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn wrong(&self, expected: &str) -> String {
        let line = self.text[..self.at].matches('\n').count() + 1;
        let found: String = self.rest().chars().take_while(|c| *c != '\n').take(40).collect();
        let found = if found.is_empty() { "the end".to_owned() } else { format!("{found:?}") };
        format!("line {line}: expected {expected}, found {found}")
    }

    /// Skips blanks and comments, and ends of lines where `lines` says so.
    fn skip(&mut self, lines: bool) {
        loop {
            let rest = self.rest();
            let trimmed = if lines { rest.trim_start() } else { rest.trim_start_matches([' ', '\t', '\r']) };
            self.at += rest.len() - trimmed.len();
            let n = if trimmed.starts_with("//") {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
            } else {
                return;
            };
            self.at += n;
        }
    }

    fn take(&mut self, sign: char) -> bool {
        let is_there = self.rest().starts_with(sign);
        self.at += if is_there { sign.len_utf8() } else { 0 };
        is_there
    }

    fn expect(&mut self, sign: char, expected: &str) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(self.wrong(expected)) }
    }

    /// Reads a name, with dots where `dots` says so.
    fn name(&mut self, dots: bool) -> Option<String> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || dots && c == '.';
        let n = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let name = &self.rest()[..n];
        self.at += n;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Reads what is in a block, to its end or that of the file.
    fn body(&mut self, depth: usize) -> Result<Block, String> {
        let mut body = Block::default();
        loop {
            self.skip(true);
            if self.peek().is_none() && depth == 0 || depth > 0 && self.take('}') {
                return Ok(body);
            }
            let name = self.name(true).ok_or_else(|| self.wrong("a block or an attribute"))?;
            self.skip(false);
            if self.take('=') {
                self.skip(true);
                let value = self.value(depth)?;
                body.attributes.push((name, value));
                continue;
            }
            let label = if self.peek() == Some('"') { self.text()? } else { String::new() };
            self.skip(false);
            self.expect('{', "= or {")?;
            types::ensure!(depth < DEPTH_MAX, self.wrong("blocks that are not nested so deeply"));
            body.blocks.push(Block { name, label, ..self.body(depth + 1)? });
        }
    }

    /// Reads a value. What does not end where a constant ends is computed.
    fn value(&mut self, depth: usize) -> Result<Value, String> {
        let start = self.at;
        let constant = self.constant(depth)?;
        self.skip(false);
        if constant.is_some() && matches!(self.peek(), None | Some('\n' | ',' | ']' | '}' | ')')) {
            return Ok(constant.unwrap_or_default());
        }
        self.at = start;
        self.expression()?;
        let expression = self.text[start..self.at].trim().to_owned();
        types::ensure!(!expression.is_empty(), self.wrong("a value"));
        Ok(Value::Object(Map::from_iter([(COMPUTED.to_owned(), Value::String(expression))])))
    }

    fn constant(&mut self, depth: usize) -> Result<Option<Value>, String> {
        types::ensure!(depth < DEPTH_MAX, self.wrong("values that are not nested so deeply"));
        Ok(match self.peek() {
            Some('"' | '`') => Some(Value::String(self.text()?)),
            Some('[') => Some(Value::Array(self.list(depth)?)),
            Some('{') => Some(Value::Object(self.object(depth)?)),
            Some(sign) if sign.is_ascii_digit() || sign == '-' => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
                let n = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
                let number = serde_json::from_str(&self.rest()[..n]).ok();
                self.at += n;
                number
            }
            _ => match self.name(false).as_deref() {
                Some("true") => Some(Value::Bool(true)),
                Some("false") => Some(Value::Bool(false)),
                Some("null") => Some(Value::Null),
                _ => None,
            },
        })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Value>, String> {
        self.expect('[', "[")?;
        let mut values = Vec::new();
        loop {
            self.skip(true);
            if self.take(']') {
                return Ok(values);
            }
            values.push(self.value(depth + 1)?);
            self.skip(true);
            types::ensure!(self.take(',') || self.peek() == Some(']'), self.wrong(", or ]"));
        }
    }

    fn object(&mut self, depth: usize) -> Result<Map<String, Value>, String> {
        self.expect('{', "{")?;
        let mut members = Map::new();
        loop {
            self.skip(true);
            if self.take('}') {
                return Ok(members);
            }
            let name = if self.peek() == Some('"') { Some(self.text()?) } else { self.name(false) };
            let name = name.ok_or_else(|| self.wrong("a name or }"))?;
            self.skip(false);
            self.expect('=', "=")?;
            self.skip(true);
            members.insert(name, self.value(depth + 1)?);
            self.skip(true);
            types::ensure!(self.take(',') || self.peek() == Some('}'), self.wrong(", or }"));
        }
    }

    /// Reads a text in quotes, or one between backticks, which is as it is written.
    fn text(&mut self) -> Result<String, String> {
        let start = self.at;
        let quote = self.peek().ok_or_else(|| self.wrong("a text"))?;
        self.at += 1;
        let mut is_escaped = false;
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            if c == quote && !is_escaped {
                let written = &self.text[start..self.at];
                let inner = &written[1..written.len() - 1];
                return Ok(if quote == '`' { inner.to_owned() } else { unescaped(written, inner) });
            }
            if c == '\n' && quote == '"' {
                break;
            }
            is_escaped = c == '\\' && !is_escaped && quote == '"';
        }
        self.at = start;
        Err(self.wrong("a text with its closing quote"))
    }

    /// Goes to the end of an expression: of its line, or of what it stands in.
    fn expression(&mut self) -> Result<(), String> {
        let mut depth = 0_usize;
        while let Some(c) = self.peek() {
            match c {
                '"' | '`' => {
                    self.text()?;
                    continue;
                }
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' | ',' | '\n' if depth == 0 => break,
                ')' | ']' | '}' => depth -= 1,
                '/' if self.rest().starts_with("//") || self.rest().starts_with("/*") => {
                    self.skip(depth > 0);
                    continue;
                }
                _ => {}
            }
            self.at += c.len_utf8();
        }
        Ok(())
    }
}

/// Returns what a text in quotes means. Escapes are those of JSON, and some of Go's that patterns do not need.
fn unescaped(written: &str, inner: &str) -> String {
    serde_json::from_str(written).unwrap_or_else(|_| inner.replace("\\\"", "\"").replace("\\\\", "\\"))
}

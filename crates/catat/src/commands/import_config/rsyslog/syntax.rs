//! The statements of rsyslog's configuration: objects, directives, and rules.

use serde_json::{Map, Value};

/// Objects of the configuration; other words before a bracket belong to rules.
const OBJECTS: [&str; 13] = [
    "module", "input", "global", "include", "template", "ruleset", "main_queue", "parser", "timezone", "lookup_table",
    "dyn_stats", "perctile_stats", "ratelimit",
];

/// A statement.
pub(super) enum Statement {
    /// `name(key="value" …)`, with names in lower case.
    Object { name: String, members: Map<String, Value> },
    /// `$Name value`, with the name in lower case.
    Directive { name: String, value: String },
    /// A filter with its actions, as written.
    Rule(String),
}

/// Reports whether a text looks like rsyslog's configuration.
pub(in super::super) fn is_rsyslog(text: &str) -> bool {
    let is_own = |line: &str| {
        let line = line.trim_start().to_lowercase();
        let object = |name: &str| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('('));
        ["module", "input"].iter().any(|name| object(name))
            || ["$modload ", "$inputfile", "$udpserverrun", "$inputtcpserverrun", "$includeconfig"]
                .iter()
                .any(|name| line.starts_with(name))
    };
    text.lines().any(is_own)
}

/// Reads the statements of a file with the lines that they begin in. The error names the line.
pub(super) fn statements(text: &str) -> Result<Vec<(usize, Statement)>, String> {
    let mut syntax = Syntax { text, at: 0 };
    let mut found = Vec::new();
    loop {
        syntax.skip();
        // What closes a set of rules.
        if syntax.rest().starts_with('}') {
            syntax.at += 1;
            continue;
        }
        if syntax.rest().is_empty() {
            return Ok(found);
        }
        let line = syntax.line();
        found.push((line, syntax.statement()?));
    }
}

struct Syntax<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Syntax<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn line(&self) -> usize {
        self.text[..self.at].matches('\n').count() + 1
    }

    /// Skips blanks, ends of lines and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with('#') {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += trimmed.find("*/").map_or(trimmed.len(), |end| end + 2);
            } else {
                return;
            }
        }
    }

    fn statement(&mut self) -> Result<Statement, String> {
        if let Some(directive) = self.rest().strip_prefix('$') {
            // A property in a filter begins so, too.
            let line = directive.lines().next().unwrap_or_default();
            let (name, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            self.at += 1 + line.len();
            let value = value.split(" #").next().unwrap_or_default().trim().trim_matches('"');
            return Ok(Statement::Directive { name: name.to_lowercase(), value: value.to_owned() });
        }
        let n = self.rest().find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest().len());
        let name = self.rest()[..n].to_lowercase();
        let behind = self.rest()[n..].trim_start_matches([' ', '\t']);
        if OBJECTS.contains(&&*name) && behind.starts_with('(') {
            self.at = self.text.len() - behind.len() + 1;
            let members = self.members()?;
            // The parts of a template are no rules; those of a set of rules are read on.
            self.skip();
            if self.rest().starts_with('{') {
                if name == "ruleset" { self.at += 1 } else { self.block() }
            }
            return Ok(Statement::Object { name, members });
        }
        let start = self.at;
        self.rule();
        Ok(Statement::Rule(self.text[start..self.at].trim().to_owned()))
    }

    /// Reads `key="value"` up to the closing bracket.
    fn members(&mut self) -> Result<Map<String, Value>, String> {
        let mut members = Map::new();
        loop {
            self.skip();
            if self.rest().starts_with(')') {
                self.at += 1;
                return Ok(members);
            }
            let n = self.rest().find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '-')).unwrap_or(0);
            let name = self.rest()[..n].to_lowercase();
            self.at += n;
            self.skip();
            if name.is_empty() || !self.rest().starts_with('=') {
                return Err(format!("line {}: expected key=\"value\" or )", self.line()));
            }
            self.at += 1;
            self.skip();
            let value = self.value()?;
            members.insert(name, value);
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        let wrong = format!("line {}: a text has no closing quote", self.line());
        if self.rest().starts_with('[') {
            self.at += 1;
            let mut values = Vec::new();
            loop {
                self.skip();
                self.at += usize::from(self.rest().starts_with(','));
                self.skip();
                if self.rest().starts_with(']') || self.rest().is_empty() {
                    self.at += usize::from(!self.rest().is_empty());
                    return Ok(Value::Array(values));
                }
                values.push(self.value()?);
            }
        }
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
            let n = self
                .rest()
                .find(|c: char| c.is_whitespace() || matches!(c, ')' | ']' | ','))
                .unwrap_or(self.rest().len());
            let word = self.rest()[..n].to_owned();
            self.at += n.max(usize::from(n == 0 && self.rest().starts_with(',')));
            return Ok(Value::String(word));
        };
        let (mut text, mut is_escaped) = (String::new(), false);
        for (at, c) in self.rest().char_indices().skip(1) {
            match c {
                _ if is_escaped => {
                    // Of a pattern, a backslash before anything else stays.
                    if !matches!(c, '\\' | '"' | '\'' | '$') {
                        text.push('\\');
                    }
                    text.push(c);
                    is_escaped = false;
                }
                '\\' => is_escaped = true,
                c if c == quote => {
                    self.at += at + 1;
                    return Ok(Value::String(text));
                }
                c => text.push(c),
            }
        }
        Err(wrong)
    }

    /// Goes to the end of a rule: of its line, or of the braces that it opens.
    fn rule(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            match c {
                '\n' if self.continues() => self.at += 1,
                '\n' | '}' => return,
                '{' => {
                    self.block();
                    self.skip();
                    if !self.rest().starts_with("else") {
                        return;
                    }
                }
                '"' | '\'' => self.quoted(c),
                c => self.at += c.len_utf8(),
            }
        }
    }

    /// Reports whether a rule goes on in the next line: behind `then`, an opening bracket, a backslash; before `then`, `else`, `and`, `or`, `&`.
    fn continues(&self) -> bool {
        let before = self.text[..self.at].trim_end_matches([' ', '\t', '\r']);
        let behind = self.rest().trim_start();
        let begins =
            |word: &str| behind.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
        ["then", "\\", "(", "and", "or"].iter().any(|word| before.ends_with(word))
            || ["then", "else", "and", "or", "{", "&"].iter().any(|word| begins(word))
            || before[before.rfind('\n').unwrap_or(0)..].matches('(').count()
                > before[before.rfind('\n').unwrap_or(0)..].matches(')').count()
    }

    fn quoted(&mut self, quote: char) {
        let mut is_escaped = false;
        for (at, c) in self.rest().char_indices().skip(1) {
            if c == '\n' || c == quote && !is_escaped {
                self.at += at + usize::from(c == quote);
                return;
            }
            is_escaped = c == '\\' && !is_escaped;
        }
        self.at = self.text.len();
    }

    /// Goes behind the brace that closes the one here.
    fn block(&mut self) {
        let mut depth = 0_usize;
        while let Some(c) = self.rest().chars().next() {
            match c {
                '"' | '\'' => {
                    self.quoted(c);
                    continue;
                }
                '#' => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                    continue;
                }
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            self.at += c.len_utf8();
            if depth == 0 {
                return;
            }
        }
    }
}

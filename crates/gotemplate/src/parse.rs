//! Reads a template: nesting, pipelines, operands. Functions and variables must exist.

use crate::functions::is_function;
use crate::lexer::{Part, Token, Word, split};
use crate::syntax::{Block, BlockKind, Command, Node, Operand, Pipe, Root};
use crate::{TemplateError, builtins};

/// Blocks and parentheses in each other.
const DEPTH_MAX: usize = 50;

/// Variables that Prometheus declares before every template.
pub(crate) const VARIABLES: [&str; 4] = ["labels", "externalLabels", "externalURL", "value"];

/// Reads a template.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, TemplateError> {
    let parts = split(text)?;
    let variables = std::iter::once("").chain(VARIABLES).map(str::to_owned).collect();
    let mut parser = Parser { parts: parts.into_iter(), variables, depth: 0, n_ranges: 0 };
    let (nodes, end) = parser.nodes(None)?;
    match end {
        None => Ok(nodes),
        Some((word, at, _)) => Err(TemplateError::new(at, format!("unexpected {{{{{word}}}}}"))),
    }
}

struct Parser {
    parts: std::vec::IntoIter<Part>,
    /// Names of variables in scope.
    variables: Vec<String>,
    depth: usize,
    /// Loops around what is read.
    n_ranges: usize,
}

/// The word that ended a list of parts, its place, and what follows it in its action.
type End = (&'static str, usize, Vec<Token>);

impl Parser {
    /// Reads parts until `end`, `else` or the end of the text; `opened` is where the block around them began.
    fn nodes(&mut self, opened: Option<usize>) -> Result<(Vec<Node>, Option<End>), TemplateError> {
        let mut nodes = Vec::new();
        while let Some(part) = self.parts.next() {
            let (words, at) = match part {
                Part::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Part::Action(words, at) => (words, at),
            };
            let keyword = match words.first().map(|token| &token.word) {
                None => return Err(TemplateError::new(at, "missing value for command")),
                Some(Word::Name(name)) => name.clone(),
                Some(_) => String::new(),
            };
            let rest = Words { words: &words, next: 1, end: at };
            match keyword.as_str() {
                "end" => return rest.done().map(|()| (nodes, Some(("end", at, Vec::new())))),
                "else" => return Ok((nodes, Some(("else", at, words[1..].to_vec())))),
                "if" => nodes.push(self.block(BlockKind::If, rest, at)?),
                "with" => nodes.push(self.block(BlockKind::With, rest, at)?),
                "range" => nodes.push(self.block(BlockKind::Range, rest, at)?),
                "break" | "continue" => {
                    rest.done()?;
                    if self.n_ranges == 0 {
                        return Err(TemplateError::new(at, format!("{{{{{keyword}}}}} outside {{{{range}}}}")));
                    }
                    nodes.push(if keyword == "break" { Node::Break } else { Node::Continue });
                }
                "define" | "block" | "template" => {
                    return Err(TemplateError::new(at, format!("{{{{{keyword}}}}} is not supported")));
                }
                _ => {
                    let mut all = Words { next: 0, ..rest };
                    let pipe = self.pipe(&mut all, 1)?;
                    all.done()?;
                    nodes.push(Node::Action(pipe));
                }
            }
        }
        match opened {
            None => Ok((nodes, None)),
            Some(at) => Err(TemplateError::new(at, "unexpected end: a block without {{end}}")),
        }
    }

    /// Reads a block after its keyword.
    fn block(&mut self, kind: BlockKind, mut words: Words<'_>, at: usize) -> Result<Node, TemplateError> {
        self.enter(at)?;
        let n_variables = self.variables.len();
        let pipe = self.pipe(&mut words, if kind == BlockKind::Range { 2 } else { 1 })?;
        words.done()?;
        self.n_ranges += usize::from(kind == BlockKind::Range);
        let (body, end) = self.nodes(Some(at))?;
        self.n_ranges -= usize::from(kind == BlockKind::Range);
        let mut otherwise = Vec::new();
        if let Some(("else", place, rest)) = end {
            self.variables.truncate(n_variables + pipe.variables.len());
            otherwise = self.otherwise(kind, &rest, (at, place))?;
        }
        self.variables.truncate(n_variables);
        self.depth -= 1;
        Ok(Node::Block(Block { kind, pipe, body, otherwise }))
    }

    /// Reads what follows `else`: `else if` and `else with` are blocks of their own that end with the block around them.
    fn otherwise(
        &mut self,
        kind: BlockKind,
        rest: &[Token],
        (opened, at): (usize, usize),
    ) -> Result<Vec<Node>, TemplateError> {
        let keyword = match rest.first().map(|token| &token.word) {
            None => {
                let (nodes, end) = self.nodes(Some(opened))?;
                return match end {
                    Some(("else", place, _)) => Err(TemplateError::new(place, "expected end; found {{else}}")),
                    _ => Ok(nodes),
                };
            }
            Some(Word::Name(name)) => name.as_str(),
            Some(_) => "",
        };
        let words = Words { words: rest, next: 1, end: at };
        match (keyword, kind) {
            ("if", BlockKind::If) => Ok(vec![self.block(BlockKind::If, words, at)?]),
            ("with", BlockKind::With) => Ok(vec![self.block(BlockKind::With, words, at)?]),
            _ => Err(TemplateError::new(at, "unexpected words after else")),
        }
    }

    fn enter(&mut self, at: usize) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(TemplateError::new(at, format!("more than {DEPTH_MAX} blocks and parentheses in each other")));
        }
        Ok(())
    }

    /// Reads a pipeline, which may declare up to `n_max` variables.
    fn pipe(&mut self, words: &mut Words<'_>, n_max: usize) -> Result<Pipe, TemplateError> {
        let (variables, is_assignment) = words.declared(n_max);
        let mut commands = Vec::new();
        loop {
            commands.push(self.command(words)?);
            if words.take_sign('|').is_none() {
                break;
            }
        }
        for command in &commands[1..] {
            if !matches!(command.operands[0].root, Root::Function(_)) && command.operands[0].fields.is_empty() {
                return Err(TemplateError::new(words.place(), "non executable command in pipeline"));
            }
        }
        if is_assignment {
            if let Some(unknown) = variables.iter().find(|name| !self.variables.contains(name)) {
                return Err(TemplateError::new(words.place(), format!("undefined variable \"${unknown}\"")));
            }
        } else {
            self.variables.extend(variables.iter().cloned());
        }
        Ok(Pipe { variables, is_assignment, commands })
    }

    fn command(&mut self, words: &mut Words<'_>) -> Result<Command, TemplateError> {
        let mut operands = Vec::new();
        while let Some(operand) = self.operand(words)? {
            operands.push(operand);
        }
        if operands.is_empty() {
            return Err(TemplateError::new(words.place(), "missing value for command"));
        }
        Ok(Command { operands })
    }

    fn operand(&mut self, words: &mut Words<'_>) -> Result<Option<Operand>, TemplateError> {
        let Some(token) = words.words.get(words.next) else { return Ok(None) };
        let at = token.at;
        words.next += 1;
        let mut fields = Vec::new();
        let root = match &token.word {
            Word::Sign('(') => {
                self.enter(at)?;
                let pipe = self.pipe(words, 1)?;
                words.take_sign(')').ok_or_else(|| TemplateError::new(at, "unclosed left paren"))?;
                self.depth -= 1;
                Root::Pipe(Box::new(pipe))
            }
            Word::Sign(_) => {
                words.next -= 1;
                return Ok(None);
            }
            Word::Dot => Root::Dot,
            Word::Field(name) => {
                fields.push(name.clone());
                Root::Dot
            }
            Word::Variable(name) if self.variables.contains(name) => Root::Variable(name.clone()),
            Word::Variable(name) => return Err(TemplateError::new(at, format!("undefined variable \"${name}\""))),
            Word::Text(text) => Root::Text(text.clone()),
            Word::Character(code) => Root::Int(*code),
            Word::Number(text) => {
                number(text).ok_or_else(|| TemplateError::new(at, format!("bad number syntax: {text:?}")))?
            }
            Word::Name(name) => match name.as_str() {
                "true" => Root::Bool(true),
                "false" => Root::Bool(false),
                "nil" => Root::Nil,
                _ if is_function(name) || builtins::is_builtin(name) => Root::Function(name.clone()),
                _ => return Err(TemplateError::new(at, format!("function {name:?} not defined"))),
            },
            Word::Declare | Word::Assign => return Err(TemplateError::new(at, "unexpected assignment in operand")),
        };
        while let Some(Token { word: Word::Field(name), is_spaced: false, .. }) = words.words.get(words.next) {
            fields.push(name.clone());
            words.next += 1;
        }
        Ok(Some(Operand { root, fields }))
    }
}

/// The words of an action.
struct Words<'w> {
    words: &'w [Token],
    next: usize,
    /// The place of the action.
    end: usize,
}

impl Words<'_> {
    fn place(&self) -> usize {
        self.words.get(self.next).or(self.words.last()).map_or(self.end, |token| token.at)
    }

    fn take_sign(&mut self, sign: char) -> Option<()> {
        let is_there = self.words.get(self.next).is_some_and(|token| token.word == Word::Sign(sign));
        self.next += usize::from(is_there);
        is_there.then_some(())
    }

    /// Takes `$a :=`, `$a =` and `$a, $b :=`; returns the names, and whether they are assigned.
    fn declared(&mut self, n_max: usize) -> (Vec<String>, bool) {
        let (mut names, mut at) = (Vec::new(), self.next);
        while let Some(Token { word: Word::Variable(name), .. }) = self.words.get(at) {
            names.push(name.clone());
            match self.words.get(at + 1).map(|token| &token.word) {
                Some(Word::Sign(',')) if names.len() < n_max => at += 2,
                Some(Word::Declare) => {
                    self.next = at + 2;
                    return (names, false);
                }
                Some(Word::Assign) => {
                    self.next = at + 2;
                    return (names, true);
                }
                _ => break,
            }
        }
        (Vec::new(), false)
    }

    fn done(&self) -> Result<(), TemplateError> {
        match self.words.get(self.next) {
            None => Ok(()),
            Some(token) => Err(TemplateError::new(token.at, "unexpected word in action")),
        }
    }
}

/// Reads a number: with a point or an exponent it is a float, as Go has it.
fn number(text: &str) -> Option<Root> {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix(['+', '-']) {
        Some(digits) => (if plain.starts_with('-') { -1 } else { 1 }, digits),
        None => (1, plain.as_str()),
    };
    let of_radix = |digits: &str, radix| i64::from_str_radix(digits, radix).ok().map(|number| Root::Int(sign * number));
    match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => return of_radix(&digits[2..], 16),
        Some("0b") => return of_radix(&digits[2..], 2),
        Some("0o") => return of_radix(&digits[2..], 8),
        _ => {}
    }
    if digits.contains(['.', 'e', 'E']) {
        return plain.parse().ok().filter(|number: &f64| number.is_finite()).map(Root::Float);
    }
    let is_octal = digits.len() > 1 && digits.starts_with('0');
    of_radix(digits, if is_octal { 8 } else { 10 })
}

//! Templates as trees. Functions and variables must exist.

use regex::Regex;

use crate::builtins::builtin;
use crate::dialect::Dialect;
use crate::function::{Body, Function, Parameter};
use crate::lexer::{Piece, Token, Word, pieces};
use crate::value::Value;

/// How deep blocks and parentheses may nest.
const DEPTH_MAX: usize = 64;

/// A template that was read.
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Names of the labels that it needs.
    pub(crate) labels: Vec<String>,
    /// Functions of the input that it calls.
    pub(crate) asks: Vec<&'static str>,
    /// Members of the values that are given, by their names from the outermost on.
    pub(crate) members: Vec<Vec<String>>,
}

/// A part of a template.
pub(crate) enum Node {
    Text(String),
    Action(Pipeline),
    Block(Block),
    Break,
    Continue,
}

/// `if`, `with` or `range`, and what is rendered instead where there is no value.
pub(crate) struct Block {
    pub(crate) kind: BlockKind,
    pub(crate) pipeline: Pipeline,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockKind {
    If,
    With,
    Range,
}

/// Commands, each with the value of the one before it as its last argument.
pub(crate) struct Pipeline {
    /// Variables that take the value; two of `range`.
    pub(crate) variables: Vec<String>,
    /// Whether they are known already.
    pub(crate) is_assignment: bool,
    pub(crate) commands: Vec<Command>,
}

/// A function with its operands, or a value alone.
pub(crate) struct Command {
    pub(crate) operands: Vec<Operand>,
    /// The source of the command, then that of each operand.
    pub(crate) sources: Vec<Source>,
}

/// A part of a template, as errors name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Line and column, such as `1:3`.
    pub at: String,
    /// How it is written.
    pub text: String,
}

pub(crate) enum Operand {
    Dot,
    Constant(Value),
    /// A regular expression and its text, as the first argument of a function that takes one.
    Pattern(Regex, Value),
    /// A label, by its place among those that the template needs.
    Label(usize),
    Variable(String),
    Function(&'static Function),
    Pipeline(Box<Pipeline>),
    /// A member of a value.
    Member(Box<Self>, String),
}

impl Pipeline {
    /// Returns the label that it is, if it is nothing else.
    pub(crate) fn label(&self) -> Option<usize> {
        match (self.variables.as_slice(), self.commands.as_slice()) {
            ([], [Command { operands, .. }]) => match operands.as_slice() {
                [Operand::Label(index)] => Some(*index),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Reads a template.
pub(crate) fn parse(text: &str, dialect: &'static Dialect) -> Result<Tree, String> {
    let mut parser = Parser {
        text,
        dialect,
        pieces: pieces(text)?.into_iter(),
        labels: Vec::new(),
        asks: Vec::new(),
        members: Vec::new(),
        variables: dialect.variables.iter().map(|name| (*name).to_owned()).collect(),
        dot_is_given: true,
        n_ranges: 0,
        depth: 0,
    };
    match parser.nodes()? {
        (nodes, End::Template) => Ok(Tree { nodes, labels: parser.labels, asks: parser.asks, members: parser.members }),
        (_, End::Block) => Err("unexpected {{end}}".to_owned()),
        (_, End::Else(_)) => Err("unexpected {{else}}".to_owned()),
    }
}

struct Parser<'t> {
    text: &'t str,
    dialect: &'static Dialect,
    pieces: std::vec::IntoIter<Piece>,
    labels: Vec<String>,
    asks: Vec<&'static str>,
    members: Vec<Vec<String>>,
    /// Names of variables in scope.
    variables: Vec<String>,
    /// Whether `.` is what is given: not within `with` and `range`.
    dot_is_given: bool,
    /// Loops around what is read.
    n_ranges: usize,
    depth: usize,
}

/// How a list of nodes ends.
enum End {
    Template,
    /// `end`.
    Block,
    /// `else`, with what follows in its braces.
    Else(Vec<Token>),
}

/// The tokens of an action that are not read yet.
struct Tokens<'a> {
    all: &'a [Token],
    at: usize,
}

impl Tokens<'_> {
    fn ahead(&self, n: usize) -> Option<&Word> {
        self.all.get(self.at + n).map(|token| &token.word)
    }

    fn take(&mut self, sign: char) -> bool {
        let is_there = self.ahead(0) == Some(&Word::Sign(sign));
        self.at += usize::from(is_there);
        is_there
    }
}

impl Parser<'_> {
    fn nodes(&mut self) -> Result<(Vec<Node>, End), String> {
        self.enter()?;
        let mut nodes = Vec::new();
        let end = loop {
            let tokens = match self.pieces.next() {
                None => break End::Template,
                Some(Piece::Text(text)) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Some(Piece::Action(tokens)) => tokens,
            };
            let word = match tokens.first().map(|token| &token.word) {
                Some(Word::Name(word)) => word.as_str(),
                _ => "",
            };
            match word {
                "end" if tokens.len() == 1 => break End::Block,
                "else" => break End::Else(tokens[1..].to_vec()),
                "if" => nodes.push(self.block(BlockKind::If, &tokens)?),
                "with" => nodes.push(self.block(BlockKind::With, &tokens)?),
                "range" => nodes.push(self.block(BlockKind::Range, &tokens)?),
                "break" | "continue" if tokens.len() == 1 => {
                    if self.n_ranges == 0 {
                        return Err(format!("{{{{{word}}}}} outside {{{{range}}}}"));
                    }
                    nodes.push(if word == "break" { Node::Break } else { Node::Continue });
                }
                "define" | "template" | "block" => return Err(format!("{{{{{word}}}}} is not supported")),
                _ => nodes.push(Node::Action(self.whole_pipeline(&tokens, 1)?)),
            }
        };
        self.depth -= 1;
        Ok((nodes, end))
    }

    fn enter(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(format!("template nests deeper than {DEPTH_MAX} levels")) } else { Ok(()) }
    }

    /// Reads a block, whose keyword is the first of `tokens`.
    fn block(&mut self, kind: BlockKind, tokens: &[Token]) -> Result<Node, String> {
        let unclosed = || "unexpected end: a block without {{end}}".to_owned();
        let n_variables = self.variables.len();
        let is_range = kind == BlockKind::Range;
        let pipeline = self.whole_pipeline(&tokens[1..], if is_range { 2 } else { 1 })?;
        let was_given = self.dot_is_given;
        self.dot_is_given &= kind == BlockKind::If;
        self.n_ranges += usize::from(is_range);
        let (body, end) = self.nodes()?;
        self.n_ranges -= usize::from(is_range);
        self.dot_is_given = was_given;
        let otherwise = match end {
            End::Block => Vec::new(),
            End::Template => return Err(unclosed()),
            End::Else(tokens) => match (tokens.first().map(|token| &token.word), kind) {
                (None, _) => match self.nodes()? {
                    (nodes, End::Block) => nodes,
                    (_, End::Else(_)) => return Err("expected end; found {{else}}".to_owned()),
                    (_, End::Template) => return Err(unclosed()),
                },
                // `else if` and `else with` are blocks that end with the one around them.
                (Some(Word::Name(word)), BlockKind::If) if word == "if" => vec![self.inner_block(kind, &tokens)?],
                (Some(Word::Name(word)), BlockKind::With) if word == "with" => vec![self.inner_block(kind, &tokens)?],
                _ => return Err("unexpected words after {{else}}".to_owned()),
            },
        };
        self.variables.truncate(n_variables);
        Ok(Node::Block(Block { kind, pipeline, body, otherwise }))
    }

    fn inner_block(&mut self, kind: BlockKind, tokens: &[Token]) -> Result<Node, String> {
        self.enter()?;
        let block = self.block(kind, tokens)?;
        self.depth -= 1;
        Ok(block)
    }

    /// Reads a pipeline that is all of `tokens` and may declare up to `n_max` variables.
    fn whole_pipeline(&mut self, tokens: &[Token], n_max: usize) -> Result<Pipeline, String> {
        let mut tokens = Tokens { all: tokens, at: 0 };
        let pipeline = self.pipeline(&mut tokens, n_max)?;
        match tokens.all.get(tokens.at) {
            None => Ok(pipeline),
            Some(token) => Err(format!("unexpected {:?} in action", &self.text[token.from..token.to])),
        }
    }

    fn pipeline(&mut self, tokens: &mut Tokens<'_>, n_max: usize) -> Result<Pipeline, String> {
        self.enter()?;
        let (variables, is_assignment) = self.declaration(tokens, n_max)?;
        let mut commands = Vec::new();
        loop {
            let command = self.command(tokens)?;
            let is_callable = matches!(command.operands[0], Operand::Function(_) | Operand::Member(..));
            if !commands.is_empty() && !is_callable {
                return Err("only a function can follow `|`".to_owned());
            }
            commands.push(command);
            if !tokens.take('|') {
                break;
            }
        }
        if !is_assignment {
            self.variables.extend(variables.iter().cloned());
        }
        self.depth -= 1;
        Ok(Pipeline { variables, is_assignment, commands })
    }

    /// `$a :=`, `$a =`, and of `range` also `$a, $b :=`.
    fn declaration(&self, tokens: &mut Tokens<'_>, n_max: usize) -> Result<(Vec<String>, bool), String> {
        let (mut names, mut n) = (Vec::new(), 0);
        while let Some(Word::Variable(name)) = tokens.ahead(n) {
            names.push(name.clone());
            n += 2;
            match tokens.ahead(n - 1) {
                Some(Word::Sign(',')) => {}
                Some(Word::Sign(sign @ (':' | '='))) => {
                    let is_known = |name: &&String| self.variables.contains(name);
                    if let Some(unknown) = names.iter().find(|name| *sign == '=' && !is_known(name)) {
                        return Err(format!("undefined variable {unknown:?}"));
                    }
                    if names.len() > n_max {
                        return Err("too many declarations".to_owned());
                    }
                    let is_assignment = *sign == '=';
                    tokens.at += n;
                    return Ok((names, is_assignment));
                }
                _ => break,
            }
        }
        Ok((Vec::new(), false))
    }

    fn command(&mut self, tokens: &mut Tokens<'_>) -> Result<Command, String> {
        let (mut operands, mut sources, first) = (Vec::new(), Vec::new(), tokens.at);
        let mut at = first;
        while let Some(operand) = self.operand(tokens)? {
            operands.push(operand);
            sources.push(self.source(&tokens.all[at..tokens.at]));
            at = tokens.at;
        }
        sources.insert(0, self.source(&tokens.all[first..at]));
        let operands = self.checked(operands)?;
        Ok(Command { operands, sources })
    }

    /// Returns tokens as Go writes them.
    fn source(&self, tokens: &[Token]) -> Source {
        // Go places a chain of members at the second of them.
        let placed = tokens.get(1).filter(|token| token.member().is_some()).or(tokens.first());
        let start = placed.map_or(self.text.len(), |token| token.from);
        let mut text = String::new();
        for (index, token) in tokens.iter().enumerate() {
            let is_joined = matches!(token.word, Word::Sign(')' | ',')) || token.member().is_some();
            if index > 0 && !is_joined && tokens[index - 1].word != Word::Sign('(') {
                text.push(' ');
            }
            text.push_str(&self.text[token.from..token.to]);
        }
        let before = &self.text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        Source { at: format!("{line}:{column}"), text }
    }

    /// Returns the operands of a command as they are evaluated.
    fn checked(&mut self, mut operands: Vec<Operand>) -> Result<Vec<Operand>, String> {
        if let [Operand::Function(function), operands @ ..] = operands.as_mut_slice() {
            for (index, operand) in operands.iter_mut().enumerate() {
                let Operand::Constant(value) = operand else { continue };
                match (function.parameter(index), &*value) {
                    (Parameter::Float, Value::Integer(number)) => *value = Value::Float(*number as f64),
                    (Parameter::Integer, Value::Float(number)) if number.fract() == 0.0 => {
                        *value = Value::Integer(*number as i64);
                    }
                    (_, Value::Text(text)) if index == 0 && matches!(function.body, Body::Matching(_)) => {
                        if let Ok(regex) = (self.dialect.regex)(text) {
                            *operand = Operand::Pattern(regex, value.clone());
                        }
                    }
                    _ => {}
                }
            }
        }
        if operands.is_empty() {
            return Err("missing value for command".to_owned());
        }
        self.note_members(&operands);
        if !self.dot_is_labels() {
            return Ok(operands);
        }
        // A label by a name that no field can have: `index . "a-b"`.
        if let [Operand::Function(function), Operand::Dot, Operand::Constant(Value::Text(name))] = operands.as_slice()
            && function.name == "index"
        {
            return Ok(vec![self.label(name)]);
        }
        if operands.iter().any(|operand| matches!(operand, Operand::Dot)) {
            return Err("`.` alone, the set of all labels, is not supported; name labels: .app".to_owned());
        }
        Ok(operands)
    }

    fn operand(&mut self, tokens: &mut Tokens<'_>) -> Result<Option<Operand>, String> {
        let Some(token) = tokens.all.get(tokens.at) else { return Ok(None) };
        tokens.at += 1;
        let mut operand = match &token.word {
            Word::Dot => Operand::Dot,
            Word::Constant(value) => Operand::Constant(value.clone()),
            Word::Field(name) if self.dot_is_labels() => self.label(name),
            Word::Field(name) => Operand::Member(Box::new(Operand::Dot), name.clone()),
            Word::Variable(name) if self.variables.contains(name) => Operand::Variable(name.clone()),
            Word::Variable(name) if name == "$" => match tokens.all.get(tokens.at).and_then(Token::member) {
                Some(name) => {
                    tokens.at += 1;
                    self.label(name)
                }
                None => return Err("`$` alone is not supported; name a label: $.app".to_owned()),
            },
            Word::Variable(name) => return Err(format!("undefined variable {name:?}")),
            Word::Name(name) => match name.as_str() {
                "true" | "false" => Operand::Constant((name == "true").into()),
                "nil" => Operand::Constant(Value::Nil),
                _ => Operand::Function(self.function(name)?),
            },
            Word::Sign('(') => {
                let pipeline = self.pipeline(tokens, 1)?;
                if !tokens.take(')') {
                    return Err("unclosed left paren".to_owned());
                }
                Operand::Pipeline(Box::new(pipeline))
            }
            Word::Sign(_) => {
                tokens.at -= 1;
                return Ok(None);
            }
        };
        while let Some(name) = tokens.all.get(tokens.at).and_then(Token::member) {
            operand = Operand::Member(Box::new(operand), name.clone());
            tokens.at += 1;
        }
        Ok(Some(operand))
    }

    fn function(&mut self, name: &str) -> Result<&'static Function, String> {
        let mut functions = self.dialect.functions.iter().copied().flatten();
        let found = functions.find(|function| function.name == name).or_else(|| builtin(name));
        let function = found.ok_or_else(|| format!("function {name:?} not defined"))?;
        if matches!(function.body, Body::OfInput) {
            self.asks.push(function.name);
        }
        Ok(function)
    }

    /// Reports whether `.` is the labels.
    fn dot_is_labels(&self) -> bool {
        self.dot_is_given && self.dialect.variables.is_empty()
    }

    /// Keeps which members of the given values a command has, also those that `index` takes by a constant name.
    fn note_members(&mut self, operands: &[Operand]) {
        let mut paths: Vec<_> = operands.iter().map(|operand| self.path_of(operand).unwrap_or_default()).collect();
        if let [Operand::Function(function), _, Operand::Constant(Value::Text(name)), ..] = operands
            && function.name == "index"
            && let Some(path) = paths.get_mut(1).filter(|path| !path.is_empty())
        {
            path.push(name.to_string());
        }
        self.members.extend(paths.into_iter().filter(|path| !path.is_empty()));
    }

    /// Returns the names that lead from the given values to this one.
    fn path_of(&self, operand: &Operand) -> Option<Vec<String>> {
        match operand {
            Operand::Dot => self.dot_is_given.then(Vec::new),
            Operand::Variable(name) if self.dialect.variables.contains(&name.as_str()) => {
                Some(name.strip_prefix('$').filter(|name| !name.is_empty()).map(str::to_owned).into_iter().collect())
            }
            Operand::Member(of, name) => {
                let mut path = self.path_of(of)?;
                path.push(name.clone());
                Some(path)
            }
            _ => None,
        }
    }

    fn label(&mut self, name: &str) -> Operand {
        let known = self.labels.iter().position(|label| label == name);
        Operand::Label(known.unwrap_or_else(|| {
            self.labels.push(name.to_owned());
            self.labels.len() - 1
        }))
    }
}

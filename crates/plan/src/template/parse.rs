//! Templates as trees.

use regex::Regex;

use super::functions::Builtin;
use super::lexer::{self, Piece, Token, pieces};
use crate::regular_expression::compile_go_regex;

/// How deep blocks and brackets may nest.
const DEPTH_MAX: usize = 64;

/// What a template is made of.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    Break,
    Continue,
}

/// A block with a value, and what is in its place where there is none.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub pipeline: Pipeline,
    pub body: Vec<Node>,
    pub otherwise: Vec<Node>,
}

/// Commands, each with the value of the one before it as its last argument.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    /// Variables that take the value; two of `range`.
    pub variables: Vec<String>,
    /// Whether they are known already.
    pub is_assignment: bool,
    pub commands: Vec<Command>,
}

/// A function with its operands, or a value alone.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub operands: Vec<Operand>,
    /// Where it is and how it is written, then the same of each operand.
    pub sources: Vec<Source>,
}

/// A part of a template, as errors name it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Line and column, such as `1:3`.
    pub at: String,
    pub text: String,
}

impl Pipeline {
    /// Reports whether it is a label and nothing else.
    pub(super) fn is_label(&self) -> bool {
        let is_label = |command: &Command| matches!(command.operands.as_slice(), [Operand::Label(_)]);
        self.variables.is_empty() && matches!(self.commands.as_slice(), [command] if is_label(command))
    }
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Dot,
    Nil,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// A regular expression, as the first argument of a function that takes one.
    Pattern(Regex),
    /// A label, by its place among those that the template needs.
    Label(usize),
    Variable(String),
    Function(Builtin),
    Pipeline(Box<Pipeline>),
    /// A member of a value, or of what `.` is: its name.
    Member(Box<Operand>, String),
}

struct Parser<'t> {
    template: &'t str,
    pieces: std::vec::IntoIter<Piece>,
    labels: Vec<String>,
    variables: Vec<String>,
    /// Whether `.` is the labels: not within `with` and `range`.
    dot_is_labels: bool,
    n_ranges: usize,
    depth: usize,
    uses_now: bool,
}

/// How a list of nodes ends.
enum End {
    Template,
    /// `end`
    Action,
    /// `else`, with what follows in its braces.
    Else(Vec<Token>, Vec<lexer::Place>),
}

/// Returns the nodes of a template, the labels that it needs, and whether it asks for the time of the query.
pub(super) fn parse(text: &str) -> Result<(Vec<Node>, Vec<String>, bool), String> {
    let mut parser = Parser {
        template: text,
        pieces: pieces(text)?.into_iter(),
        labels: Vec::new(),
        variables: Vec::new(),
        dot_is_labels: true,
        n_ranges: 0,
        depth: 0,
        uses_now: false,
    };
    match parser.nodes()? {
        (nodes, End::Template) => Ok((nodes, parser.labels, parser.uses_now)),
        (_, End::Action) => Err("unexpected {{end}}".to_owned()),
        (_, End::Else(..)) => Err("unexpected {{else}}".to_owned()),
    }
}

impl Parser<'_> {
    fn nodes(&mut self) -> Result<(Vec<Node>, End), String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("template nests deeper than {DEPTH_MAX} levels"));
        }
        let mut nodes = Vec::new();
        let end = loop {
            let (tokens, places) = match self.pieces.next() {
                None => break End::Template,
                Some(Piece::Text(text)) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Some(Piece::Action(tokens, places)) => (tokens, places),
            };
            let word = match tokens.first() {
                Some(Token::Word(word)) => word.as_str(),
                _ => "",
            };
            match word {
                "end" if tokens.len() == 1 => break End::Action,
                "else" => break End::Else(tokens[1..].to_vec(), places[1..].to_vec()),
                "if" | "with" | "range" => nodes.push(self.block(word, &tokens[1..], &places[1..])?),
                "break" | "continue" if tokens.len() == 1 => {
                    if self.n_ranges == 0 {
                        return Err(format!("{{{{{word}}}}} outside {{{{range}}}}"));
                    }
                    nodes.push(if word == "break" { Node::Break } else { Node::Continue });
                }
                "define" | "template" | "block" => return Err(format!("{{{{{word}}}}} is not supported in templates")),
                _ => {
                    let mut tokens = Tokens { tokens: &tokens, places: &places, at: 0, depth: 0 };
                    nodes.push(Node::Action(self.pipeline(&mut tokens, Place::Action)?));
                }
            }
        };
        self.depth -= 1;
        Ok((nodes, end))
    }

    fn block(&mut self, word: &str, tokens: &[Token], places: &[lexer::Place]) -> Result<Node, String> {
        let n_variables = self.variables.len();
        let place = if word == "range" { Place::Range } else { Place::Block };
        let pipeline = self.pipeline(&mut Tokens { tokens, places, at: 0, depth: 0 }, place)?;
        let was_labels = self.dot_is_labels;
        self.dot_is_labels = was_labels && word == "if";
        self.n_ranges += usize::from(word == "range");
        let (body, end) = self.nodes()?;
        self.n_ranges -= usize::from(word == "range");
        self.dot_is_labels = was_labels;
        let otherwise = match end {
            End::Action => Vec::new(),
            End::Template => return Err(format!("{{{{{word}}}}} without {{{{end}}}}")),
            End::Else(tokens, places) => self.otherwise(word, &tokens, &places)?,
        };
        self.variables.truncate(n_variables);
        let branch = Branch { pipeline, body, otherwise };
        Ok(match word {
            "if" => Node::If(branch),
            "with" => Node::With(branch),
            _ => Node::Range(branch),
        })
    }

    /// Returns what follows `else`: `else if` and `else with` are blocks that end with the one around them.
    fn otherwise(&mut self, word: &str, tokens: &[Token], places: &[lexer::Place]) -> Result<Vec<Node>, String> {
        match tokens.first() {
            None => match self.nodes()? {
                (nodes, End::Action) => Ok(nodes),
                (_, End::Else(..)) => Err(format!("{{{{{word}}}}} has two {{{{else}}}}")),
                (_, End::Template) => Err(format!("{{{{{word}}}}} without {{{{end}}}}")),
            },
            Some(Token::Word(again)) if again == word && word != "range" => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(format!("template nests deeper than {DEPTH_MAX} levels"));
                }
                let node = self.block(word, &tokens[1..], &places[1..])?;
                self.depth -= 1;
                Ok(vec![node])
            }
            Some(_) => Err(format!("unexpected words after {{{{else}}}} of {{{{{word}}}}}")),
        }
    }

    fn pipeline(&mut self, tokens: &mut Tokens<'_>, place: Place) -> Result<Pipeline, String> {
        tokens.depth += 1;
        if tokens.depth > DEPTH_MAX {
            return Err(format!("template nests deeper than {DEPTH_MAX} levels"));
        }
        let (variables, is_assignment) = self.declaration(tokens, place)?;
        let mut commands = Vec::new();
        loop {
            let command = self.command(tokens)?;
            let is_callable = matches!(command.operands[0], Operand::Function(_) | Operand::Member(..));
            if !commands.is_empty() && !is_callable {
                return Err("only a function can follow `|` in a template".to_owned());
            }
            commands.push(command);
            match tokens.next() {
                Some(Token::Pipe) => {}
                None if place != Place::Bracket => break,
                Some(Token::Close) if place == Place::Bracket => break,
                None => return Err("unclosed left paren".to_owned()),
                Some(token) => return Err(format!("unexpected {token:?} in a template")),
            }
        }
        if !is_assignment {
            self.variables.extend(variables.iter().cloned());
        }
        tokens.depth -= 1;
        Ok(Pipeline { variables, is_assignment, commands })
    }

    /// `$a :=`, `$a =`, and of `range` also `$a, $b :=`.
    fn declaration(&self, tokens: &mut Tokens<'_>, place: Place) -> Result<(Vec<String>, bool), String> {
        let ahead = |n: usize| tokens.tokens.get(tokens.at + n);
        let (variables, n_tokens) = match (ahead(0), ahead(1), ahead(2), ahead(3)) {
            (Some(Token::Variable(name)), Some(Token::Declare | Token::Assign), ..) => (vec![name.clone()], 2),
            (Some(Token::Variable(first)), Some(Token::Comma), Some(Token::Variable(second)), Some(sign)) => {
                if place != Place::Range || !matches!(sign, Token::Declare | Token::Assign) {
                    return Err("too many declarations in a template".to_owned());
                }
                (vec![first.clone(), second.clone()], 4)
            }
            _ => return Ok((Vec::new(), false)),
        };
        let is_assignment = ahead(n_tokens - 1) == Some(&Token::Assign);
        if let Some(unknown) = variables.iter().find(|name| is_assignment && !self.variables.contains(name)) {
            return Err(format!("undefined variable {unknown:?}"));
        }
        tokens.at += n_tokens;
        Ok((variables, is_assignment))
    }

    fn command(&mut self, tokens: &mut Tokens<'_>) -> Result<Command, String> {
        let (mut operands, mut sources, first) = (Vec::new(), Vec::new(), tokens.at);
        let mut at = first;
        while let Some(operand) = self.operand(tokens)? {
            operands.push(operand);
            sources.push(self.source(tokens, at));
            at = tokens.at;
        }
        sources.insert(0, self.source(tokens, first));
        Ok(Command { operands: self.checked(operands)?, sources })
    }

    /// Returns the tokens from one on to the next that is to be read, as Go writes them.
    fn source(&self, tokens: &Tokens<'_>, from: usize) -> Source {
        let start = tokens.places.get(from).map_or(self.template.len(), |(start, _)| *start);
        let mut text = String::new();
        for at in from..tokens.at {
            let (start, end) = tokens.places[at];
            let is_close =
                matches!(tokens.tokens[at], Token::Close | Token::Comma | Token::Field { is_member: true, .. });
            if at > from && !is_close && !matches!(tokens.tokens[at - 1], Token::Open) {
                text.push(' ');
            }
            text.push_str(&self.template[start..end]);
        }
        let before = &self.template[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        Source { at: format!("{line}:{column}"), text }
    }

    /// Returns the operands of a command, if it can be run.
    fn checked(&mut self, mut operands: Vec<Operand>) -> Result<Vec<Operand>, String> {
        if let [Operand::Function(function), Operand::Text(source), ..] = operands.as_slice()
            && function.takes_regex()
            && let Ok(regex) = compile_go_regex(source)
        {
            operands[1] = Operand::Pattern(regex);
        }
        // A label by a name that no field can have: `index . "a-b"`.
        if let [Operand::Function(function), Operand::Dot, Operand::Text(name)] = operands.as_slice()
            && function.name() == "index"
            && self.dot_is_labels
        {
            return Ok(vec![self.label(name.clone())]);
        }
        if self.dot_is_labels && operands.iter().any(|operand| matches!(operand, Operand::Dot)) {
            return Err("`.` alone, the set of all labels, is not supported in templates; name labels: .app".to_owned());
        }
        match operands.first() {
            None => Err("missing value for command in a template".to_owned()),
            Some(Operand::Function(_) | Operand::Member(..)) => Ok(operands),
            Some(_) if operands.len() == 1 => Ok(operands),
            Some(operand) => Err(format!("can't give argument to non-function {operand:?}")),
        }
    }

    fn operand(&mut self, tokens: &mut Tokens<'_>) -> Result<Option<Operand>, String> {
        let Some(token) = tokens.tokens.get(tokens.at) else { return Ok(None) };
        let mut operand = match token {
            Token::Dot => Operand::Dot,
            Token::Text(text) => Operand::Text(text.clone()),
            Token::Integer(number) => Operand::Integer(*number),
            Token::Float(number) => Operand::Float(*number),
            Token::Field { name, .. } if self.dot_is_labels => self.label(name.clone()),
            Token::Field { name, .. } => Operand::Member(Box::new(Operand::Dot), name.clone()),
            Token::Variable(name) if name == "$" => {
                let Some(Token::Field { name, is_member: true }) = tokens.tokens.get(tokens.at + 1) else {
                    return Err("`$` alone is not supported in templates; name a label: $.app".to_owned());
                };
                tokens.at += 1;
                self.label(name.clone())
            }
            Token::Variable(name) if self.variables.contains(name) => Operand::Variable(name.clone()),
            Token::Variable(name) => return Err(format!("undefined variable {name:?}")),
            Token::Word(word) => match word.as_str() {
                "true" | "false" => Operand::Boolean(word == "true"),
                "nil" => Operand::Nil,
                _ => {
                    self.uses_now |= word == "now";
                    Operand::Function(Builtin::of(word).ok_or_else(|| format!("function {word:?} not defined"))?)
                }
            },
            Token::Open => {
                tokens.at += 1;
                let pipeline = self.pipeline(tokens, Place::Bracket)?;
                tokens.at -= 1;
                Operand::Pipeline(Box::new(pipeline))
            }
            Token::Pipe | Token::Close => return Ok(None),
            Token::Comma | Token::Declare | Token::Assign => return Err(format!("unexpected {token:?} in a template")),
        };
        tokens.at += 1;
        while let Some(Token::Field { name, is_member: true }) = tokens.tokens.get(tokens.at) {
            operand = Operand::Member(Box::new(operand), name.clone());
            tokens.at += 1;
        }
        Ok(Some(operand))
    }

    fn label(&mut self, name: String) -> Operand {
        let known = self.labels.iter().position(|label| *label == name);
        Operand::Label(known.unwrap_or_else(|| {
            self.labels.push(name);
            self.labels.len() - 1
        }))
    }
}

/// Where a pipeline stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Action,
    Block,
    Range,
    Bracket,
}

struct Tokens<'a> {
    tokens: &'a [Token],
    places: &'a [lexer::Place],
    at: usize,
    depth: usize,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        let token = self.tokens.get(self.at);
        self.at += usize::from(token.is_some());
        token
    }
}

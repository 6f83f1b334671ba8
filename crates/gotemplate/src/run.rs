//! Fills in templates, with bounded work and a bounded result.

use crate::builtins::method;
use crate::dialect::{Dialect, Input};
use crate::function::{Arguments, Body, Function, Parameter};
use crate::parse::{Block, BlockKind, Command, Node, Operand, Pipeline, Source};
use crate::text::TEXT_BYTES_MAX;
use crate::value::Value;

/// Most bytes of all texts that one run makes on the way.
const MADE_BYTES_MAX: usize = 16 << 20;

/// Most variables at a time; loops and blocks drop theirs.
const VARIABLES_MAX: usize = 1_000;

/// Why a template could not be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason, in Go's words.
    pub problem: String,
    /// The part of the template that failed.
    pub source: Option<Source>,
    /// Whether the text became too long.
    pub is_full: bool,
}

impl Failure {
    /// Returns the text of the error that Go gives for a template called `name`.
    pub fn text(&self, name: &str) -> String {
        let Self { problem, .. } = self;
        match &self.source {
            None => format!("template: {name}: {problem}"),
            Some(Source { at, text }) => {
                format!("template: {name}:{at}: executing {name:?} at <{text}>: {problem}")
            }
        }
    }
}

struct Run<'a> {
    dialect: &'static Dialect,
    input: &'a dyn Input,
    dot: Value,
    variables: Vec<(&'a str, Value)>,
    out: &'a mut String,
    n_steps: u32,
    n_made: usize,
    is_full: bool,
    /// The place in a command whose operand is wrong: 0 is the function.
    wrong_operand: Option<usize>,
    failed: Option<&'a Source>,
}

/// Whether a loop continues.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// Fills in a template.
pub(crate) fn run(
    dialect: &'static Dialect,
    nodes: &[Node],
    input: &dyn Input,
    out: &mut String,
) -> Result<(), Failure> {
    let values = input.variables();
    let mut run = Run {
        dialect,
        input,
        dot: values.first().cloned().unwrap_or(Value::Nil),
        variables: dialect.variables.iter().copied().zip(values.iter().cloned()).collect(),
        out,
        n_steps: 0,
        n_made: 0,
        is_full: false,
        wrong_operand: None,
        failed: None,
    };
    let result = run.nodes(nodes);
    let (is_full, source) = (run.is_full, run.failed.cloned());
    if is_full {
        out.truncate(out.floor_char_boundary(dialect.text_bytes_max));
    }
    result.map(drop).map_err(|problem| Failure { problem, source, is_full })
}

impl<'a> Run<'a> {
    fn step(&mut self) -> Result<(), String> {
        self.n_steps = self.n_steps.saturating_add(1);
        let max = self.dialect.steps_max;
        if self.n_steps > max { Err(format!("template takes more than {max} steps")) } else { Ok(()) }
    }

    /// Counts a text that was made.
    fn made(&mut self, value: Value) -> Result<Value, String> {
        if let Value::Text(text) = &value {
            self.n_made = self.n_made.saturating_add(text.len());
            if text.len() > TEXT_BYTES_MAX || self.n_made > MADE_BYTES_MAX {
                return Err(format!("template makes texts of more than {TEXT_BYTES_MAX} bytes"));
            }
        }
        Ok(value)
    }

    fn nodes(&mut self, nodes: &'a [Node]) -> Result<Flow, String> {
        for node in nodes {
            self.step()?;
            let flow = match node {
                Node::Text(text) => {
                    self.out.push_str(text);
                    Flow::On
                }
                Node::Action(pipeline) => self.action(pipeline)?,
                Node::Block(block) if block.kind == BlockKind::Range => self.range(block)?,
                Node::Block(block) => self.condition(block)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            let max = self.dialect.text_bytes_max;
            if self.out.len() > max {
                self.is_full = true;
                return Err(format!("template makes a text of more than {max} bytes"));
            }
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn action(&mut self, pipeline: &'a Pipeline) -> Result<Flow, String> {
        if let Some(label) = pipeline.label() {
            self.out.push_str(self.input.label(label));
            return Ok(Flow::On);
        }
        match self.pipeline(pipeline)? {
            _ if !pipeline.variables.is_empty() => {}
            value => match (self.dialect.lenient, value) {
                (Some(write), value) => write(&value, self.out),
                (None, Value::Nil) => self.out.push_str("<no value>"),
                (None, value) => value.print(self.out),
            },
        }
        Ok(Flow::On)
    }

    fn condition(&mut self, block: &'a Block) -> Result<Flow, String> {
        let n_variables = self.variables.len();
        let value = self.pipeline(&block.pipeline)?;
        let flow = if !value.is_true() {
            self.nodes(&block.otherwise)?
        } else if block.kind == BlockKind::With {
            let before = std::mem::replace(&mut self.dot, value);
            let flow = self.nodes(&block.body)?;
            self.dot = before;
            flow
        } else {
            self.nodes(&block.body)?
        };
        self.variables.truncate(n_variables);
        Ok(flow)
    }

    fn range(&mut self, block: &'a Block) -> Result<Flow, String> {
        let n_variables = self.variables.len();
        let Pipeline { variables, is_assignment, commands } = &block.pipeline;
        let value = self.commands(commands)?;
        let is_number = matches!(value, Value::Integer(_) | Value::Long(_));
        let elements = self.elements(&value)?;
        if elements.is_empty() {
            let flow = self.nodes(&block.otherwise)?;
            self.variables.truncate(n_variables);
            return Ok(flow);
        }
        let before = self.dot.clone();
        for (key, element) in elements {
            self.step()?;
            match &variables[..] {
                [] => {}
                [name] => self.bind(name, element.clone(), *is_assignment)?,
                [_, _, ..] if is_number => {
                    return Err("can't use a number to iterate over with more than one variable".to_owned());
                }
                [first, second, ..] => {
                    self.bind(first, key, *is_assignment)?;
                    self.bind(second, element.clone(), *is_assignment)?;
                }
            }
            self.dot = element;
            let flow = self.nodes(&block.body)?;
            self.variables.truncate(n_variables);
            if flow == Flow::Break {
                break;
            }
        }
        self.dot = before;
        Ok(Flow::On)
    }

    /// Returns keys and elements of a value that has some.
    fn elements(&self, value: &Value) -> Result<Vec<(Value, Value)>, String> {
        let number = |index: usize| Value::Integer(index as i64);
        Ok(match value {
            Value::List(list) => {
                list.items.iter().enumerate().map(|(index, item)| (number(index), item.clone())).collect()
            }
            Value::Map(map) if !map.is_struct() => {
                map.members.iter().map(|(name, value)| (name.as_str().into(), value.clone())).collect()
            }
            Value::Integer(n) | Value::Long(n) => {
                let n = (*n).clamp(0, i64::from(self.dialect.steps_max));
                (0..n).map(|index| (Value::Integer(index), Value::Integer(index))).collect()
            }
            Value::Nil => Vec::new(),
            other => return Err(format!("range can't iterate over {}", other.printed())),
        })
    }

    /// Gives a variable a value: a new one, or the last one of its name.
    fn bind(&mut self, name: &'a str, value: Value, is_assignment: bool) -> Result<(), String> {
        if is_assignment {
            if let Some((_, known)) = self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
                *known = value;
            }
            return Ok(());
        }
        if self.variables.len() >= VARIABLES_MAX {
            return Err(format!("template has more than {VARIABLES_MAX} variables"));
        }
        self.variables.push((name, value));
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &'a Pipeline) -> Result<Value, String> {
        let value = self.commands(&pipeline.commands)?;
        if let Some(name) = pipeline.variables.first() {
            self.bind(name, value.clone(), pipeline.is_assignment)?;
        }
        Ok(value)
    }

    fn commands(&mut self, commands: &'a [Command]) -> Result<Value, String> {
        let mut value = None;
        for command in commands {
            value = Some(self.command(command, value)?);
        }
        Ok(value.unwrap_or(Value::Nil))
    }

    fn command(&mut self, command: &'a Command, piped: Option<Value>) -> Result<Value, String> {
        let result = self.value_of(&command.operands, piped);
        if result.is_err() && self.failed.is_none() {
            let operand = self.wrong_operand.map_or(0, |operand| (operand + 1).min(command.operands.len()));
            self.failed = command.sources.get(operand);
        }
        result
    }

    fn value_of(&mut self, command: &'a [Operand], piped: Option<Value>) -> Result<Value, String> {
        let Some((first, operands)) = command.split_first() else { return Ok(Value::Nil) };
        match first {
            Operand::Function(function) => {
                let arguments = Vec::with_capacity(operands.len() + 1);
                self.call(function, arguments, operands, piped)
            }
            operand if operands.is_empty() && piped.is_none() => self.operand(operand),
            Operand::Member(of, name) => {
                let subject = self.operand(of)?;
                self.method(subject, name, operands, piped)
            }
            _ => Err("can't give argument to non-function".to_owned()),
        }
    }

    fn operand(&mut self, operand: &'a Operand) -> Result<Value, String> {
        self.step()?;
        match operand {
            Operand::Dot => Ok(self.dot.clone()),
            Operand::Constant(value) | Operand::Pattern(_, value) => Ok(value.clone()),
            Operand::Label(index) => Ok(self.input.label(*index).into()),
            Operand::Variable(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone()).ok_or_else(|| format!("undefined variable: {name}"))
            }
            Operand::Function(function) => self.call(function, Vec::new(), &[], None),
            Operand::Pipeline(pipeline) => self.pipeline(pipeline),
            Operand::Member(of, name) => {
                let subject = self.operand(of)?;
                let member = if let Value::Map(map) = &subject { map.get(name) } else { None };
                match member {
                    Some(member) => Ok(member),
                    None => self.method(subject, name, &[], None),
                }
            }
        }
    }

    fn method(
        &mut self,
        subject: Value,
        name: &str,
        operands: &'a [Operand],
        piped: Option<Value>,
    ) -> Result<Value, String> {
        match method(name).filter(|_| matches!(subject, Value::Time(_))) {
            Some(method) => self.call(method, vec![subject], operands, piped),
            None if subject == Value::Nil || self.dialect.lenient.is_some() => Ok(Value::Nil),
            None => Err(format!("can't evaluate field {name} in type {}", subject.type_name())),
        }
    }

    /// Calls a function with `arguments`, the values of `operands` and `piped`.
    fn call(
        &mut self,
        function: &'static Function,
        mut arguments: Vec<Value>,
        operands: &'a [Operand],
        piped: Option<Value>,
    ) -> Result<Value, String> {
        self.step()?;
        if let Body::First(decides) = function.body {
            return self.first(decides, operands, piped);
        }
        for operand in operands {
            arguments.push(self.operand(operand)?);
        }
        arguments.extend(piped);
        if let Some(write) = self.dialect.lenient {
            let is_other = |(index, argument): &(usize, &mut Value)| {
                function.parameter(*index) == Parameter::Text && !matches!(argument, Value::Text(_))
            };
            for (_, argument) in arguments.iter_mut().enumerate().filter(is_other) {
                let mut text = String::new();
                write(argument, &mut text);
                *argument = text.into();
            }
        }
        if let Err((operand, problem)) = function.check(&arguments) {
            self.wrong_operand = Some(operand);
            return Err(problem);
        }
        let of = Arguments(&arguments);
        let value = match (function.body, operands.first()) {
            (Body::Total(body), _) => Ok(body(of)),
            (Body::Partial(body), _) => body(of),
            (Body::Matching(body), Some(Operand::Pattern(regex, _))) => body(regex, of),
            (Body::Matching(body), _) => {
                // Compiling a regular expression costs as much as many steps.
                self.n_steps = self.n_steps.saturating_add(self.dialect.steps_max / 16);
                (self.dialect.regex)(of.text(0)).and_then(|regex| body(&regex, of))
            }
            (Body::OfInput, _) => self.input.call(function.name, &arguments),
            (Body::First(_), _) => Ok(Value::Nil),
        };
        value.map_err(|error| format!("error calling {}: {error}", function.name)).and_then(|value| self.made(value))
    }

    /// Returns the first value that decides; later ones are then not looked at.
    fn first(&mut self, decides: bool, operands: &'a [Operand], piped: Option<Value>) -> Result<Value, String> {
        let mut value = None;
        for operand in operands {
            let next = self.operand(operand)?;
            if next.is_true() == decides {
                return Ok(next);
            }
            value = Some(next);
        }
        piped.or(value).ok_or_else(|| "wrong number of args for and, or: want at least 1 got 0".to_owned())
    }
}

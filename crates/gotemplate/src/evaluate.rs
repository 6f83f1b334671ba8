//! Fills in templates, with bounded work and a bounded result.

use std::sync::Arc;

use crate::data::Data;
use crate::functions;
use crate::parse::VARIABLES;
use crate::syntax::{Block, BlockKind, Command, Node, Operand, Pipe, Root};
use crate::value::Value;
use crate::{Labels, TemplateError, builtins};

/// Most steps of one rendering: evaluated operands and elements of loops.
pub const STEPS_MAX: usize = 50_000;

/// Most bytes of a rendered text; the rest is cut.
pub const TEXT_BYTES_MAX: usize = 16 << 10;

/// Fills in one template.
pub(crate) struct Renderer<'d> {
    data: &'d Data<'d>,
    variables: Vec<(String, Value)>,
    text: String,
    n_steps: usize,
}

/// Whether the parts after this one are rendered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
    /// The text has all the bytes that it may have.
    Full,
}

type Outcome<T> = Result<T, TemplateError>;

fn failed<T>(message: impl Into<String>) -> Outcome<T> {
    Err(TemplateError::new(0, message))
}

impl<'d> Renderer<'d> {
    pub(crate) fn new(data: &'d Data<'d>) -> Self {
        let values = [
            Value::Labels(Arc::new(data.labels.clone())),
            Value::Labels(Arc::new(Labels::new())),
            Value::text(data.external_url),
            Value::Float(data.value),
        ];
        let named = VARIABLES.into_iter().map(str::to_owned).zip(values);
        let variables = std::iter::once((String::new(), Value::Root)).chain(named).collect();
        Self { data, variables, text: String::new(), n_steps: 0 }
    }

    pub(crate) fn render(mut self, nodes: &[Node]) -> Outcome<String> {
        self.nodes(nodes, &Value::Root)?;
        Ok(self.text)
    }

    fn step(&mut self) -> Outcome<()> {
        self.n_steps += 1;
        if self.n_steps > STEPS_MAX {
            return failed(format!("more than {STEPS_MAX} steps"));
        }
        Ok(())
    }

    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Outcome<Flow> {
        let n_variables = self.variables.len();
        for node in nodes {
            let flow = match node {
                Node::Text(text) => self.write(text),
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    // A declaration prints nothing.
                    if pipe.variables.is_empty() { self.write(&value.printed()) } else { Flow::Next }
                }
                Node::Block(block) => self.block(block, dot)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                self.variables.truncate(n_variables);
                return Ok(flow);
            }
        }
        self.variables.truncate(n_variables);
        Ok(Flow::Next)
    }

    fn write(&mut self, text: &str) -> Flow {
        let room = TEXT_BYTES_MAX - self.text.len();
        if text.len() > room {
            self.text.push_str(&text[..text.floor_char_boundary(room)]);
            self.text.push('…');
            return Flow::Full;
        }
        self.text.push_str(text);
        Flow::Next
    }

    fn block(&mut self, block: &Block, dot: &Value) -> Outcome<Flow> {
        let n_variables = self.variables.len();
        let flow = if block.kind == BlockKind::Range {
            self.range(block, dot)
        } else {
            let value = self.pipe(&block.pipe, dot)?;
            match (value.is_true(), block.kind) {
                (true, BlockKind::With) => self.nodes(&block.body, &value),
                (true, _) => self.nodes(&block.body, dot),
                (false, _) => self.nodes(&block.otherwise, dot),
            }
        };
        self.variables.truncate(n_variables);
        flow
    }

    fn range(&mut self, block: &Block, dot: &Value) -> Outcome<Flow> {
        let value = self.commands(&block.pipe, dot)?;
        let elements = elements(&value)?;
        if elements.is_empty() {
            return self.nodes(&block.otherwise, dot);
        }
        let n_variables = self.variables.len();
        for (key, element) in elements {
            self.step()?;
            match &block.pipe.variables[..] {
                [one] => self.set(one, element.clone(), block.pipe.is_assignment),
                [first, second] => {
                    self.set(first, key, block.pipe.is_assignment);
                    self.set(second, element.clone(), block.pipe.is_assignment);
                }
                _ => {}
            }
            let flow = self.nodes(&block.body, &element)?;
            self.variables.truncate(n_variables);
            match flow {
                Flow::Break => break,
                Flow::Full => return Ok(Flow::Full),
                Flow::Next | Flow::Continue => {}
            }
        }
        Ok(Flow::Next)
    }

    fn set(&mut self, name: &str, value: Value, is_assignment: bool) {
        let known = self.variables.iter_mut().rev().find(|(known, _)| known == name).filter(|_| is_assignment);
        match known {
            Some((_, known)) => *known = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }

    /// Evaluates a pipeline and sets its variable.
    fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Outcome<Value> {
        let value = self.commands(pipe, dot)?;
        if let Some(name) = pipe.variables.first() {
            self.set(name, value.clone(), pipe.is_assignment);
        }
        Ok(value)
    }

    fn commands(&mut self, pipe: &Pipe, dot: &Value) -> Outcome<Value> {
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or(Value::Nil))
    }

    fn command(&mut self, command: &Command, dot: &Value, last: Option<Value>) -> Outcome<Value> {
        self.step()?;
        let Some((first, rest)) = command.operands.split_first() else { return Ok(Value::Nil) };
        let Root::Function(name) = &first.root else {
            if !rest.is_empty() || last.is_some() {
                return failed("can't give argument to non-function");
            }
            return self.operand(first, dot);
        };
        if matches!(name.as_str(), "and" | "or") {
            return self.shortened(name == "and", rest, dot, last);
        }
        let mut arguments = Vec::with_capacity(rest.len() + 1);
        for operand in rest {
            arguments.push(self.operand(operand, dot)?);
        }
        arguments.extend(last);
        let value = self.call(name, &arguments)?;
        fields_of(value, &first.fields)
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Outcome<Value> {
        let called = builtins::call(name, arguments).or_else(|| functions::call(name, arguments, self.data));
        match called {
            Some(result) => result.map_err(|message| TemplateError::new(0, message)),
            None => failed(format!("function {name:?} not defined")),
        }
    }

    /// Evaluates `and` or `or` up to the argument that decides.
    fn shortened(&mut self, is_and: bool, operands: &[Operand], dot: &Value, last: Option<Value>) -> Outcome<Value> {
        let mut value = None;
        for operand in operands {
            let next = self.operand(operand, dot)?;
            if next.is_true() != is_and {
                return Ok(next);
            }
            value = Some(next);
        }
        match last.or(value) {
            Some(value) => Ok(value),
            None => failed("wrong number of args for and, or: want at least 1 got 0"),
        }
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Outcome<Value> {
        self.step()?;
        let value = match &operand.root {
            Root::Dot if matches!(dot, Value::Root) => return self.of_root(&operand.fields),
            Root::Dot => dot.clone(),
            Root::Variable(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = known.map_or(Value::Nil, |(_, value)| value.clone());
                if matches!(value, Value::Root) {
                    return self.of_root(&operand.fields);
                }
                value
            }
            Root::Function(name) => self.call(name, &[])?,
            Root::Pipe(pipe) => self.pipe(pipe, dot)?,
            Root::Text(text) => Value::text(text),
            Root::Int(number) => Value::Int(*number),
            Root::Float(number) => Value::Float(*number),
            Root::Bool(value) => Value::Bool(*value),
            Root::Nil => Value::Nil,
        };
        fields_of(value, &operand.fields)
    }

    /// Returns a field of what the template is filled in with.
    fn of_root(&self, fields: &[String]) -> Outcome<Value> {
        let Some((first, rest)) = fields.split_first() else { return Ok(Value::Root) };
        let value = match first.as_str() {
            "Labels" => Value::Labels(Arc::new(self.data.labels.clone())),
            "ExternalLabels" => Value::Labels(Arc::new(Labels::new())),
            "ExternalURL" => Value::text(self.data.external_url),
            "Value" => Value::Float(self.data.value),
            _ => return failed(format!("can't evaluate field {first}; there are Labels, Value and ExternalURL")),
        };
        fields_of(value, rest)
    }
}

/// Returns the field of a field of a value.
fn fields_of(mut value: Value, fields: &[String]) -> Outcome<Value> {
    for field in fields {
        value = match &value {
            Value::Labels(labels) => Value::text(labels.get(field).map_or("", String::as_str)),
            Value::Arguments(all) => all.get(field).cloned().unwrap_or(Value::Nil),
            Value::Sample(sample) if field == "Labels" => Value::Labels(Arc::new(sample.labels.clone())),
            Value::Sample(sample) if field == "Value" => Value::Float(sample.value),
            other => return failed(format!("can't evaluate field {field} in type {}", other.type_name())),
        };
    }
    Ok(value)
}

/// Returns keys and elements of a value that has some.
fn elements(value: &Value) -> Outcome<Vec<(Value, Value)>> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::Samples(samples) => {
            let element = |(at, sample): (usize, &crate::QuerySample)| {
                (Value::Int(i64::try_from(at).unwrap_or(i64::MAX)), Value::Sample(Arc::new(sample.clone())))
            };
            Ok(samples.iter().enumerate().map(element).collect())
        }
        Value::Labels(labels) => {
            Ok(labels.iter().map(|(name, value)| (Value::text(name), Value::text(value))).collect())
        }
        Value::Arguments(all) => Ok(all.iter().map(|(name, value)| (Value::text(name), value.clone())).collect()),
        Value::Int(n) => Ok((0..(*n).min(STEPS_MAX as i64 + 1)).map(|at| (Value::Int(at), Value::Int(at))).collect()),
        other => failed(format!("range can't iterate over {}", other.printed())),
    }
}

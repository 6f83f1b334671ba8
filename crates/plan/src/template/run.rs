//! Runs templates.

use regex::Regex;

use super::functions::Builtin;
use super::limits::TEXT_BYTES_MAX;
use super::line::Line;
use super::parse::{Branch, Command, Node, Operand, Pipeline, Source};
use super::times::ZonedTime;
use super::value::GoValue;

/// Most steps for one line: values, nodes, rounds of loops.
const STEPS_MAX: u32 = 100_000;

/// Most bytes of all texts that one line makes on the way.
const MADE_BYTES_MAX: usize = 16 << 20;

/// Most variables at a time; loops and blocks drop theirs.
const VARIABLES_MAX: usize = 1_000;

struct Run<'a> {
    line: &'a Line<'a>,
    dot: Option<GoValue>,
    variables: Vec<(&'a str, GoValue)>,
    out: String,
    n_steps: u32,
    n_made: usize,
    /// The place in a command whose operand is wrong: 0 is the function.
    wrong_operand: Option<usize>,
    /// The part of the template that failed.
    failed: Option<&'a Source>,
}

/// Whether a loop continues.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// Runs a template that is called `name`.
///
/// Errors: what failed, in the words and with the place that Go gives.
pub(super) fn run(name: &str, nodes: &[Node], line: &Line<'_>) -> Result<String, String> {
    let mut run = Run {
        line,
        dot: None,
        variables: Vec::new(),
        out: String::new(),
        n_steps: 0,
        n_made: 0,
        wrong_operand: None,
        failed: None,
    };
    match (run.nodes(nodes), run.failed) {
        (Ok(_), _) => Ok(run.out),
        (Err(problem), None) => Err(format!("template: {name}: {problem}")),
        (Err(problem), Some(Source { at, text })) => {
            Err(format!("template: {name}:{at}: executing {name:?} at <{text}>: {problem}"))
        }
    }
}

impl<'a> Run<'a> {
    fn step(&mut self) -> Result<(), String> {
        self.n_steps += 1;
        if self.n_steps > STEPS_MAX { Err(format!("template takes more than {STEPS_MAX} steps")) } else { Ok(()) }
    }

    /// Counts a text that was made.
    fn made(&mut self, value: &GoValue) -> Result<(), String> {
        if let GoValue::Text(text) = value {
            self.n_made = self.n_made.saturating_add(text.len());
            if text.len() > TEXT_BYTES_MAX || self.n_made > MADE_BYTES_MAX {
                return Err(format!("template makes texts of more than {TEXT_BYTES_MAX} bytes"));
            }
        }
        Ok(())
    }

    fn nodes(&mut self, nodes: &'a [Node]) -> Result<Flow, String> {
        for node in nodes {
            self.step()?;
            let flow = match node {
                Node::Text(text) => {
                    self.out.push_str(text);
                    Flow::On
                }
                Node::Action(pipeline) => {
                    let value = self.pipeline(pipeline)?;
                    if pipeline.variables.is_empty() {
                        self.show(&value);
                    }
                    Flow::On
                }
                Node::If(branch) => self.condition(branch, false)?,
                Node::With(branch) => self.condition(branch, true)?,
                Node::Range(branch) => self.range(branch)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if self.out.len() > TEXT_BYTES_MAX {
                return Err(format!("template makes a text of more than {TEXT_BYTES_MAX} bytes"));
            }
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn show(&mut self, value: &GoValue) {
        match value {
            GoValue::Nil => self.out.push_str("<no value>"),
            value => value.print(&mut self.out),
        }
    }

    fn condition(&mut self, branch: &'a Branch, is_with: bool) -> Result<Flow, String> {
        let n_variables = self.variables.len();
        let value = self.pipeline(&branch.pipeline)?;
        let flow = match (value.is_true(), is_with) {
            (true, true) => {
                let before = self.dot.replace(value);
                let flow = self.nodes(&branch.body)?;
                self.dot = before;
                flow
            }
            (true, false) => self.nodes(&branch.body)?,
            (false, _) => self.nodes(&branch.otherwise)?,
        };
        self.variables.truncate(n_variables);
        Ok(flow)
    }

    fn range(&mut self, branch: &'a Branch) -> Result<Flow, String> {
        let n_variables = self.variables.len();
        let value = self.commands(&branch.pipeline.commands)?;
        let elements: Vec<(GoValue, GoValue)> = match &value {
            GoValue::List(items) => {
                items.iter().enumerate().map(|(index, item)| (GoValue::Integer(index as i64), item.clone())).collect()
            }
            GoValue::Map(members) => {
                members.iter().map(|(name, value)| (name.as_str().into(), value.clone())).collect()
            }
            GoValue::Integer(n) | GoValue::Long(n) => {
                let n = (*n).clamp(0, i64::from(STEPS_MAX));
                (0..n).map(|index| (GoValue::Integer(index), GoValue::Integer(index))).collect()
            }
            GoValue::Nil => Vec::new(),
            other => return Err(format!("range can't iterate over {}", other.printed())),
        };
        let is_number = matches!(value, GoValue::Integer(_) | GoValue::Long(_));
        if elements.is_empty() {
            let flow = self.nodes(&branch.otherwise)?;
            self.variables.truncate(n_variables);
            return Ok(flow);
        }
        let before = self.dot.clone();
        for (key, element) in elements {
            self.step()?;
            match &branch.pipeline.variables[..] {
                [] => {}
                [name] => self.bind(name, element.clone(), branch.pipeline.is_assignment)?,
                [first, second, ..] => {
                    if is_number {
                        return Err("can't use a number to iterate over with more than one variable".to_owned());
                    }
                    self.bind(first, key, branch.pipeline.is_assignment)?;
                    self.bind(second, element.clone(), branch.pipeline.is_assignment)?;
                }
            }
            self.dot = Some(element);
            let flow = self.nodes(&branch.body)?;
            self.variables.truncate(n_variables);
            if flow == Flow::Break {
                break;
            }
        }
        self.dot = before;
        Ok(Flow::On)
    }

    /// Gives a variable a value: a new one, or the last one of its name.
    fn bind(&mut self, name: &'a str, value: GoValue, is_assignment: bool) -> Result<(), String> {
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

    fn pipeline(&mut self, pipeline: &'a Pipeline) -> Result<GoValue, String> {
        let value = self.commands(&pipeline.commands)?;
        if let Some(name) = pipeline.variables.first() {
            self.bind(name, value.clone(), pipeline.is_assignment)?;
        }
        Ok(value)
    }

    fn commands(&mut self, commands: &'a [Command]) -> Result<GoValue, String> {
        let mut value = None;
        for command in commands {
            value = Some(self.command(command, value)?);
        }
        Ok(value.unwrap_or(GoValue::Nil))
    }

    fn command(&mut self, command: &'a Command, piped: Option<GoValue>) -> Result<GoValue, String> {
        let result = self.value_of(&command.operands, piped);
        if result.is_err() && self.failed.is_none() {
            let operand = self.wrong_operand.map_or(0, |operand| (operand + 1).min(command.operands.len()));
            self.failed = command.sources.get(operand);
        }
        result
    }

    fn value_of(&mut self, command: &'a [Operand], piped: Option<GoValue>) -> Result<GoValue, String> {
        let Some((first, operands)) = command.split_first() else { return Ok(GoValue::Nil) };
        match first {
            Operand::Function(function) => self.call(*function, operands, piped),
            Operand::Member(of, name) if !operands.is_empty() || piped.is_some() => {
                let subject = self.operand(of)?;
                self.method(&subject, name, operands, piped)
            }
            operand => self.operand(operand),
        }
    }

    fn operand(&mut self, operand: &'a Operand) -> Result<GoValue, String> {
        self.step()?;
        Ok(match operand {
            Operand::Dot => self.dot.clone().unwrap_or(GoValue::Nil),
            Operand::Nil => GoValue::Nil,
            Operand::Boolean(value) => GoValue::Boolean(*value),
            Operand::Integer(number) => GoValue::Integer(*number),
            Operand::Float(number) => GoValue::Float(*number),
            Operand::Text(text) => text.as_str().into(),
            Operand::Pattern(regex) => regex.as_str().into(),
            Operand::Label(index) => self.line.labels.get(*index).copied().unwrap_or_default().into(),
            Operand::Variable(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                found.map_or(GoValue::Nil, |(_, value)| value.clone())
            }
            Operand::Function(function) => self.call(*function, &[], None)?,
            Operand::Pipeline(pipeline) => self.pipeline(pipeline)?,
            Operand::Member(of, name) => {
                let subject = self.operand(of)?;
                match &subject {
                    GoValue::Map(members) => members.get(name).cloned().unwrap_or(GoValue::Nil),
                    _ => self.method(&subject, name, &[], None)?,
                }
            }
        })
    }

    fn method(
        &mut self,
        subject: &GoValue,
        name: &str,
        operands: &'a [Operand],
        piped: Option<GoValue>,
    ) -> Result<GoValue, String> {
        match Builtin::method(name).filter(|_| matches!(subject, GoValue::ZonedTime(_))) {
            Some(method) => {
                let mut arguments = vec![(subject.clone(), false)];
                self.arguments(operands, piped, &mut arguments)?;
                self.finish(method, arguments, None)
            }
            None => Err(format!("can't evaluate field {name} in type {}", subject.type_name())),
        }
    }

    /// Adds the values of operands, and whether each is a constant.
    fn arguments(
        &mut self,
        operands: &'a [Operand],
        piped: Option<GoValue>,
        arguments: &mut Vec<(GoValue, bool)>,
    ) -> Result<(), String> {
        for operand in operands {
            let is_constant = matches!(operand, Operand::Integer(_) | Operand::Float(_));
            arguments.push((self.operand(operand)?, is_constant));
        }
        arguments.extend(piped.map(|value| (value, false)));
        Ok(())
    }

    fn call(&mut self, function: Builtin, operands: &'a [Operand], piped: Option<GoValue>) -> Result<GoValue, String> {
        self.step()?;
        match function.name() {
            "__line__" => return Ok(self.line.text.into()),
            "__timestamp__" => return Ok(GoValue::ZonedTime(ZonedTime::of_timestamp(self.line.timestamp))),
            "now" => return Ok(GoValue::ZonedTime(ZonedTime::of_timestamp(self.line.now))),
            "and" | "or" => return self.choose(function.name() == "or", operands, piped),
            _ => {}
        }
        let mut arguments = Vec::with_capacity(operands.len() + 1);
        self.arguments(operands, piped, &mut arguments)?;
        let regex = match operands.first() {
            Some(Operand::Pattern(regex)) if function.takes_regex() => Some(regex),
            // Compiling one takes longer than most of what is counted.
            _ if function.takes_regex() => {
                self.n_steps = self.n_steps.saturating_add(STEPS_MAX / 16);
                None
            }
            _ => None,
        };
        self.finish(function, arguments, regex)
    }

    fn finish(
        &mut self,
        function: Builtin,
        mut arguments: Vec<(GoValue, bool)>,
        regex: Option<&Regex>,
    ) -> Result<GoValue, String> {
        if let Err((operand, problem)) = function.check(&mut arguments) {
            self.wrong_operand = Some(operand);
            return Err(problem);
        }
        let arguments: Vec<GoValue> = arguments.into_iter().map(|(value, _)| value).collect();
        let value =
            function.call(&arguments, regex).map_err(|error| format!("error calling {}: {error}", function.name()))?;
        self.made(&value)?;
        Ok(value)
    }

    /// Returns the first value that decides; later ones are then not looked at.
    fn choose(&mut self, is_or: bool, operands: &'a [Operand], piped: Option<GoValue>) -> Result<GoValue, String> {
        let mut value = None;
        for operand in operands {
            let next = self.operand(operand)?;
            if next.is_true() == is_or {
                return Ok(next);
            }
            value = Some(next);
        }
        piped.or(value).ok_or_else(|| "wrong number of args for and/or: want at least 1 got 0".to_owned())
    }
}
